"""The folders of a sweep's jobs before the first of them begins: each has its own, and none is called by what is
another job's."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from itertools import islice, product
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from uncial.config.hydra_internals import BasicSweeper
from uncial.config.keys import group_names, raw_default
from uncial.config.location import find_conf_folder
from uncial.config.overrides import check_name
from uncial.config.typed import lines_as_typed
from uncial.errors import UserError
from uncial.runs.files import RunFolder
from uncial.runs.search import read_listed_jobs
from uncial.runs.tables import write_json
from uncial.sweeps.varied import SweepOverrides, find_sweep_overrides

BY_NUMBER = "${hydra.job.num}"
TIME = "${now:"
ID_OF_JOB = ("hydra.job.id", "hydra:job.id")


def raw_value(config: DictConfig, key: str) -> str:
    """Return the value of a dotted key as it was typed or stands in a file, its interpolations unresolved."""
    parent, _, name = key.rpartition(".")
    node: Any = OmegaConf.select(config, parent) if parent else config
    return str(node._get_node(name)._value())


def is_chosen(config: DictConfig, key: str) -> bool:
    """Return whether `name`, or a key of Hydra's, has another value than in this program's own conf/: it was typed, or
    stands in a file of the user's own."""
    return raw_value(config, key) != raw_default(key, find_conf_folder())


def check_folder_is_of_all(config: DictConfig) -> None:
    """Raise `UserError` where the folder of a new sweep would be called by what differs from job to job."""
    keys = [key for key in ("name", "hydra.sweep.dir") if is_chosen(config, key) and "${" in raw_value(config, key)]
    if not keys or str(config.hydra.sweeper._target_).endswith("WandbSweepFile"):
        return  # W&B's agents make runs with names of their own.
    shared = {key: str(OmegaConf.select(config, key)) for key in keys}
    for varied, overrides in _examples(_given(config)):
        with suppress(HydraException, OmegaConfBaseException):  # What is wrong with a job, the job says.
            composed = compose_job(_loader(), config, 0, overrides)
            for key in keys:
                instead = f"hydra.sweep.subdir=${{{varied.lstrip('+').replace('/', '.')}}}"
                if str(OmegaConf.select(composed, key)) != shared[key]:
                    raise UserError(
                        f"{key}={raw_value(config, key)} depends on {varied}, which differs from job to job, but all "
                        "jobs of a sweep are in one folder: give it one name, and name the jobs' own folders with "
                        f"hydra.sweep.subdir, for instance '{instead}'."
                    )


def find_common_name(config: DictConfig) -> str | None:
    """Return the name of a new sweep whose jobs are called by the program's own rule, `${model.name}-${data.name}`, and
    differ in it: the names of its jobs, `crnn-page+kraken-page`. None where all have that of the config.

    Raises `UserError` for a name that is no folder.
    """
    names = {*group_names(find_conf_folder()), *NAMED_BY}
    given = _given(config)
    varied = {key: _values(override) for key, override in given.varied.items() if _is_of(key, names)}
    found: dict[str, None] = {}
    for values in islice(product(*varied.values()), MOST_JOBS):
        lines = [f"{key}={value}" for key, value in zip(varied, values, strict=True)]
        with suppress(HydraException, OmegaConfBaseException):  # What is wrong with a job, the job says.
            found[str(OmegaConf.select(compose_job(_loader(), config, 0, [*given.fixed, *lines]), "name"))] = None
    for name in found:
        check_name(name)
    if list(found) in ([], [str(config.name)]):
        return None
    first, joined = next(iter(found)), "+".join(found)
    return joined if len(joined) <= LONGEST_NAME else f"{first}+{len(found) - 1}_more"


NAMED_BY = ("name", "model.name", "data.name")
"""Keys that the names of runs consist of, beside the groups that set them."""

MOST_JOBS, LONGEST_NAME = 64, 120
"""Jobs whose names are found out, and characters of the folder that is called by them."""


def _is_of(key: str, names: Collection[str]) -> bool:
    return key.lstrip("+").partition("@")[0] in names


def plan_jobs(config: DictConfig, folder: Path) -> None:
    """Leave jobs.json in the folder of a sweep whose jobs are not called by their numbers: which folder is whose.

    Raises `UserError` where two jobs would get one folder, and for a sweep that goes on and whose jobs would get other
    folders than before.
    """
    subdir = raw_value(config, "hydra.sweep.subdir")
    if subdir == BY_NUMBER or not _is_listed(config):
        return
    if any(sign in subdir for sign in ID_OF_JOB):
        raise UserError(
            f"hydra.sweep.subdir={subdir}: a job has another id whenever it begins; take its number, {BY_NUMBER}."
        )
    before = read_listed_jobs(folder)
    if TIME in subdir:
        if RunFolder(folder).multirun.is_file():
            raise UserError(
                f"hydra.sweep.subdir={subdir} calls the jobs by the time, at which none finds its own folder again: "
                "start a new sweep."
            )
        return
    jobs = _jobs_by_folder(config, subdir)
    if before is None:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(RunFolder(folder).jobs, {name: list(overrides) for name, overrides in jobs.items()})
    elif list(before) != list(jobs):
        other = next((name for name in jobs if name not in before), next(iter(jobs), ""))
        raise UserError(
            f"The jobs of the sweep in {folder} would get other folders, {other} for instance: leave out what is part "
            f"of their names (hydra.sweep.subdir={subdir}), or start a new sweep."
        )


def compose_job(loader: ConfigLoader, config: DictConfig, number: int, overrides: Sequence[str]) -> DictConfig:
    """Return the config of one job of the sweep that `config` is of, with that of Hydra, as its launcher composes
    it."""
    composed = loader.load_sweep_config(config, list(overrides))
    with open_dict(composed):
        composed.hydra.job.id, composed.hydra.job.num = f"job_id_for_{number}", number
    return composed


def find_job_subdir(composed: DictConfig) -> str:
    """Return what the folder of a job is called below that of its sweep, by the job's own config."""
    before = HydraConfig.instance().cfg
    try:
        HydraConfig.instance().set_config(composed)  # Which ${hydra:…} asks.
        return str(OmegaConf.select(composed, "hydra.sweep.subdir"))
    finally:
        HydraConfig.instance().cfg = before


def _jobs_by_folder(config: DictConfig, subdir: str) -> dict[str, tuple[str, ...]]:
    jobs: dict[str, tuple[str, ...]] = {}
    for number, overrides in enumerate(_split(config)):
        name = find_job_subdir(compose_job(_loader(), config, number, overrides))
        if name in jobs:
            raise UserError(
                f"hydra.sweep.subdir={subdir} gives jobs {list(jobs).index(name)} and {number} one folder, {name}: it "
                "has to differ from job to job."
            )
        jobs[name] = tuple(overrides)
    return jobs


def _loader() -> ConfigLoader:
    loader: ConfigLoader = GlobalHydra.instance().config_loader()
    return loader


def _is_listed(config: DictConfig) -> bool:
    """Return whether all jobs of the sweep are known when it begins."""
    return str(config.hydra.sweeper._target_).endswith("BasicSweeper")


def _params(config: DictConfig) -> dict[str, Any]:
    sweeper: Any = OmegaConf.to_container(config.hydra.sweeper, resolve=True)
    return dict(sweeper.get("params") or {})


def _given(config: DictConfig) -> SweepOverrides:
    return find_sweep_overrides(_params(config), lines_as_typed(config.hydra.overrides.task), _loader())


def _split(config: DictConfig) -> list[list[str]]:
    """Return the overrides of each job, as Hydra's own sweeper makes them."""
    lines = [f"{key}={value}" for key, value in _params(config).items()]
    typed = lines_as_typed(config.hydra.overrides.task)
    parsed = OverridesParser.create(config_loader=_loader()).parse_overrides([*lines, *typed])
    jobs: list[list[str]] = BasicSweeper.split_arguments(parsed, None)[0]
    return jobs


def _examples(given: SweepOverrides) -> Iterator[tuple[str, list[str]]]:
    """Jobs that differ from the config that all share in one key alone: each varied key, with each of its values."""
    for key, override in given.varied.items():
        for value in _values(override):
            yield key, [*given.fixed, f"{key}={value}"]


def _values(override: Override) -> list[str]:
    value = override.value()
    if isinstance(value, IntervalSweep):
        return [str(value.start), str(value.end)]
    return [str(one) for one in override.sweep_string_iterator()]
