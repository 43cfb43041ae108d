"""From the composed config to the settings that the parts of the program ask for."""

import logging
import re
import shlex
from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, ListConfig, OmegaConf

from uncial.config.hydra_internals import get_args_parser
from uncial.config.location import conf_folder, format_command, without_program
from uncial.config_keys import leaves
from uncial.data.compile import CompileSettings, cores
from uncial.data.filters import Filters
from uncial.data.ground_truth import SplitSettings
from uncial.data.settings import SourceSettings
from uncial.data.splits import PARTS
from uncial.errors import UserError
from uncial.formats.atomic import remove_unfinished, replacing_text
from uncial.formats.encoding import storable_name
from uncial.metrics.evaluation import EvaluationSettings
from uncial.metrics.intervals import Bootstrap
from uncial.reports.environment import read_environment, write_environment
from uncial.saved_yaml import list_as_yaml, resolved
from uncial.task_keys import without_unread
from uncial.trust import trusted_modules

LEAST = {
    "seed": 0,
    "data.seed": 0,
    "data.lines": 1,
    "data.max_height": 16,
    "data.max_pixels": 1,
    "data.compile_workers": 1,
    "data.folds": 2,
    "data.fold": 0,
    "trainer.max_steps": 1,
    "trainer.max_epochs": 1,
    "trainer.min_epochs": 1,
    "trainer.lines_seen": 1,
    "trainer.validations": 1,
    "trainer.batch_width": 1,
    "trainer.max_lines": 1,
    "trainer.evaluation_max_lines": 1,
    "trainer.evaluation_batch_width": 1,
    "trainer.accumulate": 1,
    "trainer.workers": 0,
    "trainer.threads": 1,
    "callbacks.samples": 0,
    "inspect.augmentation": 0,
    "metrics.resamples": 100,
    "callbacks.checkpoints.minutes": 0,
    "callbacks.checkpoints.every_epochs": 1,
    "callbacks.checkpoints.every_steps": 1,
    "callbacks.checkpoints.keep_last": 1,
    "callbacks.checkpoints.keep_best": 0,
    "ensemble.lines": 1,
    "inspect.samples": 0,
    "report.pictures": 0,
    "inspect.pictures": 0,
    "scheduler.warmup_steps": 0,
    "model.backbone.stem": 1,
    "model.backbone.stem_kernel": 1,
    "model.head.layers": 1,
    "model.head.hidden": 1,
    "model.shortcut": 0,
    "trainer.gradient_clip": 0,
    "trainer.validate_every_steps": 1,
    "trainer.log_every": 1,
    "trainer.patience": 1,
    "trainer.min_delta": 0,
    "optimizer.lr": 0,
    "optimizer.momentum": 0,
    "optimizer.weight_decay": 0,
    "scheduler.warmup_samples": 0,
}
"""The least that a number may be; null is allowed for all of them."""

ABOUT_DATA = re.compile(r"[+~]{0,2}(data[=./@]|experiment=|seed=|paths\.)")
"""What of a command says on which lines it works."""


def run_folder() -> Path:
    """Where this run writes, made if it is not there."""
    folder = Path(HydraConfig.get().runtime.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def move_log(folder: Path) -> None:
    """Lets the messages go to the log.txt of the run that goes on, and removes the folder that Hydra has made for a new
    run."""
    made = Path(HydraConfig.get().runtime.output_dir)
    if made.resolve() == folder.resolve():
        return
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.FileHandler) and Path(handler.baseFilename).parent == made.resolve():
            handler.close()
            with suppress(FileNotFoundError):
                Path(handler.baseFilename).unlink()
            handler.baseFilename = str((folder / Path(handler.baseFilename).name).resolve())
    with suppress(OSError):
        made.rmdir()
        made.parent.rmdir()


def write_config(config: DictConfig, folder: Path) -> None:
    """Leaves `config.yaml`, the composed config, `overrides.yaml`, what was typed, and `environment.json`: the
    command, the code, its packages and the machine. What a killed run was writing there goes."""
    remove_unfinished(folder)
    with replacing_text(folder / "config.yaml") as file:
        file.write(OmegaConf.to_yaml(config, resolve=True))
    with replacing_text(folder / "overrides.yaml") as file:
        # What was resumed is no part of what the run is.
        typed = [line for line in HydraConfig.get().overrides.task if not line.startswith("resume=")]
        file.write(list_as_yaml(typed))
    write_environment(folder, int(config.seed))


def check_encodable(config: DictConfig, folder: Path) -> None:
    """Raises `UserError` for a value, or the run's folder, that holds bytes of a file name which are no UTF-8: model
    files, and the config by which a run is resumed, cannot name it."""
    plain: Any = OmegaConf.to_container(config, resolve=True)
    values = [(key, item) for key, value in leaves(plain) for item in listed(value)]
    for key, value in [*values, ("hydra.run.dir", str(folder))]:
        if (readable := storable_name(value)) != value:
            raise UserError(
                f"{key}={readable}: the name is not UTF-8, which a training has to write down; rename the folder, or "
                "give it another name with ln -s."
            )


def plain_config(config: Any) -> DictConfig:
    """A copy without references, for another process: there they would be resolved anew, as the time in a folder's
    name."""
    return resolved(config)


def check_numbers(config: DictConfig) -> None:
    """Raises `UserError` for the first number that is below its least."""
    for key, least in LEAST.items():
        value = OmegaConf.select(config, key)
        if value is not None and (not isinstance(value, int | float) or value < least):
            raise UserError(f"{key}={value}: a number is needed that is {least} or more.")


def on_the_same_data(folder: Path, typed: Sequence[str], *what: str) -> str:
    """The command that does `what`, arguments as they are typed, with the data of the run in `folder`, for which
    `typed` was typed: all of that which is about data, with the experiment, which may choose them."""
    about_data = [argument for argument in typed if ABOUT_DATA.match(argument)]
    for task in [one.removeprefix("task=") for one in what if one.startswith("task=")]:
        about_data = without_unread(about_data, task, conf_folder())
    return format_command(*_config_folder(folder), *what, *map(shlex.quote, about_data))


def _config_folder(folder: Path) -> list[str]:
    """The option by which the run in `folder` was given configs beside those of conf/."""
    command = shlex.split(str(read_environment(folder).get("command", "")))
    given = get_args_parser().parse_known_args(without_program(command))[0].config_dir
    return ["--config-dir", shlex.quote(given)] if given else []


def listed(value: Any) -> tuple[str, ...]:
    """A key that takes one value, a list of them, or null."""
    if value is None:
        return ()
    if isinstance(value, ListConfig | list | tuple):
        return tuple(str(item) for item in value)
    return (str(value),)


def trusted(config: DictConfig) -> tuple[str, ...]:
    """The modules whose classes a model may be made of: those of `trust` and of UNCIAL_TRUST."""
    return trusted_modules(listed(config.get("trust")))


def trust_as_typed(config: DictConfig) -> tuple[str, ...]:
    """The argument by which a command trusts what this run does; none where it trusts nothing of others."""
    names = listed(config.get("trust"))
    return (f"trust=[{','.join(names)}]",) if names else ()


def data_text(config: DictConfig) -> str:
    """The data as a person knows them: where they lie, or the name of their group."""
    roots = config.data.get("root")
    return ", ".join(listed(roots)) if roots else str(config.data.name)


def source_settings(data: DictConfig) -> SourceSettings:
    for part in PARTS:
        if data[part] is not None and not listed(data[part]):
            raise UserError(f"data.{part}=[] names nothing: name files or folders, or data.{part}=null for none.")
    options = OmegaConf.to_container(data.options, resolve=True)
    assert isinstance(options, dict)
    patterns = {key: data[key] for key in ("document_pattern", "hand_pattern", "page_pattern") if data[key] is not None}
    return SourceSettings(
        format=data.format,
        root=listed(data.root),
        train=listed(data.train),
        val=listed(data.val),
        test=listed(data.test),
        include=listed(data.include),
        exclude=listed(data.exclude),
        images=tuple(Path(folder) for folder in listed(data.images)),
        options={"seed": data_seed(data), **patterns, **{str(key): value for key, value in options.items()}},
    )


def filters(data: DictConfig) -> Filters:
    return Filters(
        region_types=listed(data.region_types),
        line_tags=listed(data.line_tags),
        languages=listed(data.languages),
        directions=listed(data.directions),
        direction=data.direction,
        min_confidence=float(data.min_confidence),
        keep_unscored=bool(data.keep_unscored),
        skip_unclear=bool(data.skip_unclear),
        text_styles=data.text_styles,
        machine_read=float(data.min_confidence) > 0 or data.format == "mixed",
    )


def split_settings(data: DictConfig) -> SplitSettings:
    ratio = [float(share) for share in listed(data.ratio)]
    if len(ratio) != 3 or min(ratio) < 0 or abs(sum(ratio) - 1) > 1e-6 or ratio[0] == 0:
        raise UserError(
            f"data.ratio={ratio}: three shares of train, val and test are needed that add up to 1, the first above 0."
        )
    shares = (ratio[0], ratio[1], ratio[2])
    folds = None if data.folds is None else int(data.folds)
    if folds is None and data.fold:
        raise UserError(f"data.fold={data.fold}: one of how many folds? Add data.folds=5, or another number.")
    if folds is not None and not 0 <= data.fold < folds:
        raise UserError(f"data.fold={data.fold}: the {folds} folds of data.folds are numbered from 0 to {folds - 1}.")
    by = choice(data.split, "data.split", ("page", "document", "hand"))
    rule = choice(data.split_rule, "data.split_rule", ("quantile", "hash"))
    return SplitSettings(shares, by, data_seed(data), folds, int(data.fold), rule)


def data_seed(data: DictConfig) -> int:
    """The seed of the split and of drawn pages. Raises `UserError` where there is none."""
    if data.seed is None:
        raise UserError("data.seed=null: a whole number is needed; leave the key out, and it is that of seed.")
    return int(data.seed)


def share_of_lines(data: DictConfig) -> Fraction | None:
    """The share of the training lines that `data.share` asks for. Raises `UserError` for what is none."""
    if data.share is None:
        return None
    try:
        share = Fraction(str(data.share))
    except (ValueError, ZeroDivisionError):
        share = Fraction(0)
    if not 0 < share <= 1:
        raise UserError(f"data.share={data.share}: a number above 0 to 1 is needed, or a fraction such as 1/4.")
    if data.lines is not None:
        raise UserError("data.lines and data.share both say how many training lines are used: leave one of them null.")
    return share


def compile_settings(config: DictConfig) -> CompileSettings:
    data = config.data
    if data.channels not in (1, 3):
        raise UserError(f"data.channels={data.channels}: 1 (grey) or 3 (colour).")
    return CompileSettings(
        folder=Path(config.paths.store),
        max_height=int(data.max_height),
        channels=int(data.channels),
        max_pixels=int(data.max_pixels),
        workers=cores() if data.compile_workers is None else int(data.compile_workers),
        strict=bool(data.strict),
    )


def choice(value: Any, key: str, choices: Sequence[str]) -> str:
    if value not in choices:
        raise UserError(f"{key}={value}: choose one of {', '.join(choices)}.")
    return str(value)


def check_subset(config: DictConfig) -> None:
    """Raises `UserError` where `data.subset` names no part of the data."""
    if config.data.subset is not None:
        choice(config.data.subset, "data.subset", (*PARTS, "all"))


def checkpoints_of(config: DictConfig) -> tuple[str, ...]:
    """The models that the task works with, one or several. Raises `UserError` where none is named."""
    if config.checkpoint is None:
        raise UserError(
            f"task={config.task.name} needs a model: add checkpoint=RUN, "
            "a run folder of outputs/ or its best.safetensors."
        )
    return listed(config.checkpoint)


def checkpoint_of(config: DictConfig) -> Path:
    """The model that the task works with. Raises `UserError` where none is named."""
    checkpoints_of(config)
    if isinstance(config.checkpoint, ListConfig):
        raise UserError(
            f"checkpoint={list(config.checkpoint)}: task={config.task.name} works with one model; "
            "task=compare compares several."
        )
    return Path(str(config.checkpoint))


def review_target(config: DictConfig) -> float:
    """The CER that `metrics.review_cer` asks for. Raises `UserError` for what is none."""
    target = config.metrics.review_cer
    if not 0 < target < 1:
        raise UserError(f"metrics.review_cer={target}: a fraction above 0 and below 1 is needed (0.02 is 2 %).")
    return float(target)


def evaluation_settings(config: DictConfig, profile: str) -> EvaluationSettings:
    """How lines are scored under a text profile. Raises `UserError` for what cannot be."""
    level = config.metrics.level
    if not 0.5 <= level < 1:
        raise UserError(f"metrics.level={level}: a fraction from 0.5 to below 1 is needed, for instance 0.95.")
    bootstrap = Bootstrap(int(config.metrics.resamples), float(level), int(config.seed))
    settings = EvaluationSettings(profile, listed(config.metrics.variants), config.metrics.cluster, bootstrap)
    settings.check()
    return settings
