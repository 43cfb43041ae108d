"""The program from Python, in a script or a notebook: `uncial.train` and `uncial.transcribe`."""

import json
import multiprocessing
import os
import random
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from logging import FileHandler, getLevelName, getLogger, makeLogRecord
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobRuntime
from hydra.errors import HydraException
from hydra.types import RunMode
from hydra.version import VersionBase
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError  # type: ignore[import-untyped]

from uncial.cli import describe_unreadable_config, run_task
from uncial.config.arguments import format_arguments
from uncial.config.from_python import build_overrides, find_overrides, guess_choices, unimported_script
from uncial.config.keys import group_choices
from uncial.config.location import (
    COMMAND,
    ROOT,
    TYPED,
    find_conf_folder,
    format_command,
    is_installed,
    publish_location,
)
from uncial.config.messages import explain_error, explain_folder_error
from uncial.config.overrides import check_arguments
from uncial.config.typed import lines_as_typed
from uncial.errors import HydraExit, UserError
from uncial.reports.terminal.console import run_logging
from uncial.runs.files import RunFolder
from uncial.sweeps.callbacks import SweepCallback
from uncial.training.distributed.several_starts import check_single_start

if TYPE_CHECKING:
    from uncial.document import Transcription
    from uncial.pipelines.recognition import Transcriber


TRAININGS = ("train", "finetune", "auto")
"""The tasks that end in a model."""

_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class TrainedRun:
    """A training that has ended. `scores` are those of its metrics.json: `scores["val"]["cer"]`, a fraction, with
    `cer_interval`; `trust` are the modules of others that its model may be made of."""

    folder: Path
    scores: Mapping[str, Mapping[str, Any]]
    trust: tuple[str, ...] = ()

    @cached_property
    def model(self) -> "Transcriber":
        """The best model, loaded when it is first asked for."""
        from uncial.pipelines.recognition import load

        return load(self.folder, trust=self.trust)

    def __repr__(self) -> str:
        scored = {part: found["cer"] for part, found in self.scores.items() if "cer" in found}
        return f"TrainedRun({str(self.folder)!r}, CER {scored})"


def train(config: Mapping[str, Any] | DictConfig | None = None) -> TrainedRun:
    """Train as the command line does with the same keys, and return the run.

    `config` holds dotted keys, and groups by the names of their files: {"data": "page", "data.root": "my pages",
    "trainer.time_budget": "00:05:00"}. Values are what they are: paths, lists, numbers, None, texts that nothing is
    made of. It may be a config instead that Hydra's `compose` has made of conf/config.yaml. The run's folder is made
    below the current folder, as by the command.

    Raises `UserError` with the sentence that the command would end with, and `KeyboardInterrupt` after Ctrl-C, when the
    state to resume from is written. What the process has set of Hydra, logging, warnings and random numbers is as
    before at the end.
    """
    if getattr(multiprocessing.process.current_process(), "_inheriting", False):
        raise UserError(
            "The script calls uncial.train in each process that it starts: put the call below "
            '`if __name__ == "__main__":`.'
        )
    if not _one_at_a_time.acquire(blocking=False):
        raise UserError("A training runs in this process already: start the second one when it has ended.")
    try:
        with _restore_process():
            try:
                return _train({} if config is None else config)
            except (HydraExit, HydraException, OmegaConfBaseException) as error:
                cause = error.cause if isinstance(error, HydraExit) else error
                shown = cause if os.environ.get("HYDRA_FULL_ERROR") == "1" else None
                raise cause if isinstance(cause, UserError) else UserError(explain_error(cause)) from shown
    finally:
        _one_at_a_time.release()


def transcribe(
    images: Iterable[Any], model: "str | PathLike[str] | TrainedRun | Transcriber", device: str = "auto"
) -> "list[Transcription]":
    """Return the text of each line image, in order: paths, arrays uint8 (h, w) or (h, w, 3) RGB, or Pillow images.
    `model` is a model file, a run or its folder, or what `uncial.load` has returned.

    Raises `UserError` where there is no model, and `UnusableInput` for an image that cannot be read.
    """
    from uncial.pipelines.recognition import Transcriber, load

    if isinstance(model, TrainedRun):
        model = load(model.folder, device, model.trust)
    reader = model if isinstance(model, Transcriber) else load(model, device)
    return reader.transcribe(images)


def _train(config: Mapping[str, Any] | DictConfig) -> TrainedRun:
    publish_location(_name_command())
    check_single_start(os.environ)
    with ExitStack() as stack:
        try:
            stack.enter_context(initialize_config_dir(str(find_conf_folder()), job_name="uncial", version_base="1.3"))
            overrides = _build_overrides(config)
            composed = compose("config", overrides, return_hydra_config=True)
        except (YAMLError, UnicodeDecodeError) as error:
            raise UserError(describe_unreadable_config(error)) from None
        _check_task(composed)
        publish_location(_name_command(), overrides)  # The command that environment.json tells.
        sys.argv = [_name_command(), *overrides]
        _make_folder(composed)
        HydraConfig.instance().set_config(composed)
        handlers = stack.enter_context(run_logging(_read_logging_settings(composed)))
        file = next(handler for handler in handlers if isinstance(handler, FileHandler))
        try:
            run_task(_make_task_config(composed))
        except BaseException as error:
            file.handle(makeLogRecord({"msg": _describe_end(error), "levelno": 40, "levelname": getLevelName(40)}))
            raise
        # Where log.txt is: of a run that was resumed it has moved.
        return _read_run(Path(file.baseFilename).parent)


def _name_command() -> str:
    """Return what a person starts who types the same."""
    return "uncial" if is_installed() else "run.py"


def _build_overrides(config: Mapping[str, Any] | DictConfig) -> list[str]:
    """Return what would be typed for this config, checked as what is typed."""
    conf = find_conf_folder()
    if isinstance(config, DictConfig):
        found = _build_overrides_of_composed(config)
    elif isinstance(config, Mapping):
        found = build_overrides(config, conf)
    else:
        raise UserError(
            f"uncial.train takes a mapping of keys to values, or a composed config, no {type(config).__name__}."
        )
    found = format_arguments(found, conf)
    check_arguments(found, conf)
    return found


def _build_overrides_of_composed(config: DictConfig) -> list[str]:
    conf = find_conf_folder()
    if "task" not in config or "data" not in config:
        # Not composed of conf/config.yaml: keys and values in a DictConfig.
        plain = OmegaConf.to_container(config, resolve=True)
        assert isinstance(plain, dict)
        return build_overrides({str(key): value for key, value in plain.items()}, conf)
    typed = OmegaConf.select(config, "hydra.overrides")
    if typed is not None:
        hydra = [line for line in lines_as_typed(typed.hydra) if not line.startswith("hydra.mode=")]
        lines = [*lines_as_typed(typed.task), *hydra]
        return [*lines, *find_overrides(config, compose("config", lines), {})]
    usual = compose("config", return_hydra_config=True).hydra.runtime.choices
    choices = guess_choices(config, usual, conf)
    lines = [f"{group}={name}" for group, name in choices.items()]
    return find_overrides(config, compose("config", lines), choices)


def _check_task(config: DictConfig) -> None:
    name = str(config.task.get("name"))
    if name not in TRAININGS and name in group_choices(find_conf_folder(), "task"):
        raise UserError(
            f"task={name} is no training: uncial.train is for task={', '.join(TRAININGS)}; for it type "
            f"{format_command(f'task={name} …')}"
        )
    if config.hydra.mode == RunMode.MULTIRUN or config.hydra.runtime.choices.get("sweep") is not None:
        raise UserError(
            f"uncial.train makes one run: call it once for each, or type {format_command('-m …')} for a sweep."
        )


def _make_folder(config: DictConfig) -> None:
    """The run's folder, as Hydra makes it for the command."""
    try:
        SweepCallback().on_run_start(config)
        folder = Path(config.hydra.run.dir).absolute()
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(explain_folder_error(error)) from None
    with read_write(config), open_dict(config), read_write(config.hydra.runtime), open_dict(config.hydra.runtime):
        config.hydra.runtime.output_dir = str(folder)


def _read_logging_settings(config: DictConfig) -> Any:
    return OmegaConf.to_container(config.hydra.job_logging, resolve=True)


def _make_task_config(config: DictConfig) -> DictConfig:
    found = config.copy()
    with read_write(found), open_dict(found):
        del found["hydra"]
    return found


def _describe_end(error: BaseException) -> str:
    cause = error.cause if isinstance(error, HydraExit) else error
    if isinstance(cause, KeyboardInterrupt | SystemExit):
        return "Stopped."
    known = isinstance(cause, UserError | HydraException | OmegaConfBaseException)
    return f"Error: {explain_error(cause) if known else repr(cause)}"  # type: ignore[arg-type]


def _read_run(folder: Path) -> TrainedRun:
    from uncial.config.saved_yaml import read_saved

    figures = json.loads(RunFolder(folder).metrics.read_text(encoding="utf-8"))
    saved = read_saved(RunFolder(folder).config).get("trust") or ()
    trust = (saved,) if isinstance(saved, str) else tuple(map(str, saved))
    return TrainedRun(folder, {part: found for part, found in figures.items() if "cer" in found}, trust)


@contextmanager
def _restore_process() -> Iterator[None]:
    """Around a training: what it sets of the process is set back."""
    import numpy as np
    import torch

    hydra, hydra_config = GlobalHydra.instance().hydra, HydraConfig.instance().cfg
    base, job = VersionBase.instance().version_base, JobRuntime.instance().conf.copy()
    arguments, environment = sys.argv, {name: os.environ.get(name) for name in (ROOT, COMMAND, TYPED)}
    draws = random.getstate(), np.random.get_state(), torch.random.get_rng_state()
    threads, lightning = torch.get_num_threads(), _read_log_levels()
    GlobalHydra.instance().clear()
    try:
        with warnings.catch_warnings(), unimported_script():
            yield
    finally:
        GlobalHydra.instance().hydra, HydraConfig.instance().cfg = hydra, hydra_config
        VersionBase.instance().version_base, JobRuntime.instance().conf = base, job
        sys.argv = arguments
        for name, value in environment.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        random.setstate(draws[0])
        np.random.set_state(draws[1])
        torch.random.set_rng_state(draws[2])
        torch.set_num_threads(threads)
        for name, level in lightning.items():
            getLogger(name).setLevel(level)


def _read_log_levels() -> dict[str, int]:
    """Return the levels of Lightning's loggers, which a training turns down."""
    names = ("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero")
    return {name: getLogger(name).level for name in names}


__all__: Sequence[str] = ("TrainedRun", "train", "transcribe")
