"""The program as a user runs it, in the process of the tests."""

import io
import json
import logging
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml
from hydra._internal.hydra import Hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from matplotlib.figure import Figure
from omegaconf._utils import get_yaml_loader

from uncial import cli as command_line
from uncial.reports.plots.curves import PRINTED

ROOT = Path(__file__).resolve().parents[2]

TINY = (
    "model.backbone.stem=8",
    "model.backbone.stages=[[16,1,2,2],[16,1,2,1]]",
    "model.head.hidden=16",
    "model.preprocessing.height=32",
)
"""The default model, as small as it can be and still learn a few lines."""

LEARNING = (
    "model.shortcut=0",
    "model.backbone.stem=8",
    "model.backbone.stem_kernel=5",
    "model.backbone.stages=[[24,1,2,1],[48,1,2,2]]",
    "model.backbone.dropout=0",
    "model.head.collapse=flatten",
    "model.head.layers=1",
    "model.head.hidden=32",
    "model.head.output_dropout=0",
    "model.preprocessing.paper=55.0",
    "augmentation=none",
    "optimizer.lr=1e-2",
    "optimizer.weight_decay=0",
    "scheduler=constant",
    "scheduler.warmup_steps=5",
    "trainer.batch_width=300",
    "trainer.max_steps=240",
    "trainer.validations=4",
)
"""What learns the letters of `draw_pages` in seconds, whatever the defaults are."""

LAYOUT = ("model.size=tiny", "trainer.max_steps=1", "trainer.validations=1", "trainer.crop=128", "model.overview=128")
"""A layout model that is trained in a second."""

QUIET = (
    "trainer.threads=1",
    "trainer.workers=0",
    "trainer.precision=32",
    "data.compile_workers=1",
    "logger.tensorboard=false",
)


@dataclass(frozen=True)
class Ended:
    """How a run ended: its exit code, its folder, and what it told the terminal."""

    code: int
    folder: Path
    output: str

    @property
    def metrics(self) -> dict[str, Any]:
        return json.loads((self.folder / "metrics.json").read_text(encoding="utf-8"))

    def read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def __str__(self) -> str:
        return f"exit code {self.code}\n{self.output}"


class _QuickLoader(yaml.cyaml.CParser, get_yaml_loader()):  # type: ignore[misc]
    """OmegaConf's own loader upon libyaml's parser: the config files are read in every one of hundreds of runs."""

    def __init__(self, stream: Any) -> None:
        yaml.cyaml.CParser.__init__(self, stream)
        yaml.constructor.SafeConstructor.__init__(self)
        yaml.resolver.Resolver.__init__(self)


def run_program(folder: Path, *arguments: str, prints: bool = False) -> Ended:
    """`python run.py ARGUMENTS` with `folder` as the run folder; the store lies beside it. Where it `prints`, figures
    are laid out, and curves are there as PDF too: that takes as long as all else of a short run."""
    told = io.StringIO()
    options = tuple(takewhile(lambda argument: "=" not in argument, arguments))
    typed = [*QUIET, f"hydra.run.dir={quoted(folder)}", f"paths.store={quoted(folder.parent / 'store')}"]
    with (
        hydra_at_rest(),
        quick_yaml(),
        nullcontext() if prints else plain_figures(),
        patch.object(Hydra, "get_mode", Hydra.get_mode if may_state_mode(arguments) else lambda *_, **__: None),
        patch.object(sys, "argv", ["run.py", *options, *typed, *arguments[len(options) :]]),
        warnings.catch_warnings(),
        redirect_stdout(told),
        redirect_stderr(told),
    ):
        code = command_line.main()
    return Ended(code, folder, told.getvalue())


def quick_yaml() -> AbstractContextManager[object]:
    """Reads config files by libyaml."""
    return patch("omegaconf._utils.get_yaml_loader", lambda: _QuickLoader)


@contextmanager
def plain_figures() -> Iterator[None]:
    """Draws figures without a PDF, and with what stands in them where matplotlib puts it first."""
    printed = {kind: date for kind, date in PRINTED.items() if kind != "pdf"}
    with patch.dict(PRINTED, printed, clear=True), patch.object(Figure, "get_layout_engine", lambda figure: None):
        yield


def may_state_mode(arguments: tuple[str, ...]) -> bool:
    """Whether these may say `hydra.mode`, or name a config file that does: of those in conf/ none does. Hydra composes
    the whole config once more to find out."""
    stating = re.compile(r"[+~]*(hydra(\.mode|\.searchpath)?=|sweep=|experiment=)|-(?!m$|-multirun$)")
    return any(stating.match(argument) for argument in arguments)


def quoted(value: object) -> str:
    """A value as Hydra's grammar asks for it: between quotation marks, those within escaped."""
    return "'" + str(value).replace("'", "\\'") + "'"


@contextmanager
def hydra_at_rest() -> Iterator[None]:
    """Leaves no trace of the run in Hydra and in logging, and none of Hydra's own environment."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    GlobalHydra.instance().clear()
    with patch.dict("os.environ"):
        try:
            yield
        finally:
            GlobalHydra.instance().clear()
            HydraConfig.instance().cfg = None
            for handler in [handler for handler in root.handlers if handler not in handlers]:
                handler.close()
            root.handlers[:], root.level = handlers, level
