"""The contract of a problem: what a model learns, from which data, and what is left of it.

A training, a test, a sweep and the loggers know nothing else of what is learned (training_run.py). A problem of one's
own is a class with this contract, a file conf/problem/NAME.yaml that names it, and a model whose defaults choose it:
`override /problem@_global_.problem: NAME`.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import lightning as L
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from uncial.config.instantiate import instantiate_part
from uncial.config.moved import with_current_paths
from uncial.config.saved_yaml import load_literal_config
from uncial.config.schema import list_trusted
from uncial.config.trust import check_saved_targets
from uncial.errors import UserError
from uncial.metrics.contract import Metric
from uncial.models.contracts import Model
from uncial.models.files import find_model_file, format_model_card, load_card, save_model
from uncial.models.parts import PartsOfProgram, find_part
from uncial.runs.files import RunFolder
from uncial.runs.session import RunSession
from uncial.training.distributed.process_group import world_size
from uncial.training.loggers.outcome import Outcome

log = logging.getLogger(__name__)

T = TypeVar("T")

CARD_KEY = "problem"
"""In a model's card: the config of the problem that it was trained on."""


REMEDY = "Leave problem out, which the model chooses, or choose another model."


class BestModelWriter:
    """Writes the model as it is after the best validation so far: best.safetensors, with its card. A problem that
    leaves more of its best validation, such as predictions, derives from it and names the `files`."""

    files: Sequence[str] = (RunFolder.best_model,)

    def __init__(self, folder: Path, model: Model, card: Mapping[str, Any]) -> None:
        self.folder, self.model, self.card = folder, model, card

    def write(self, scores: Mapping[str, float]) -> None:
        """Write what is left of a validation with these scores, by their logged names; there are none where a training
        was stopped before its first."""
        save_model(RunFolder(self.folder).best_model, self.model, {**self.card, "scores": strip_val_prefix(scores)})

    def card_json(self, scores: Mapping[str, float]) -> str:
        """Return the card that a checkpoint holds beside the weights."""
        return format_model_card(self.model, {**self.card, "scores": strip_val_prefix(scores)})


@dataclass(frozen=True)
class Example:
    """A batch by which the cost of a model is counted: so many `samples` of one size.

    `sample` is what one of them is (line, page), `size` what decides on its cost, as keys of metrics.json, and `text`
    both as a person reads it: a line of 314 pixels.
    """

    batch: Any
    samples: int
    sample: str
    size: Mapping[str, float]
    text: str


@dataclass(frozen=True)
class Setup:
    """A training before its first step.

    `num_samples` and `num_batches` are those of an epoch, all devices together. `skipped` counts what of the data is
    not used. `name_sample` says what an index of a batch is. `headline` names the scores that a person is told first.
    `facts` are figures of the data that metrics.json and dashboards hold beside the scores, `test_samples` how many
    there are to test on, None where that is not known. `make_example` gives that by which the model's cost is counted.
    `samples_seen` is how many are learned from in all where nothing else says how long the training is. `sample` is
    what one is called, `told` names the scores that are told after each validation, where not all are.
    """

    model: Model
    datamodule: L.LightningDataModule
    metric: Metric
    writer: BestModelWriter
    num_samples: int
    num_batches: int
    callbacks: Sequence[L.Callback] = ()
    skipped: int = 0
    name_sample: Callable[[int], str] = str
    headline: Sequence[str] = field(default=())
    facts: Mapping[str, Any] = field(default_factory=dict)
    test_samples: int | None = None
    make_example: Callable[[], Example] | None = None
    samples_seen: int | None = None
    sample: str = "line"
    told: Sequence[str] = ()


@dataclass(frozen=True)
class TrainingStats:
    """What the training took: seconds with validations, the rate of the training alone in samples a second, and how
    many samples it learned from, which `sample` names. `reading_lines_per_second` is the rate of its validations; None
    before the first."""

    seconds: float
    lines_per_second: float
    epochs: float
    steps: int
    lines: int
    reading_lines_per_second: float | None = None
    sample: str = "line"

    def list_figures(self) -> dict[str, float | int | None]:
        """Return the figures as metrics.json has them, named for what the samples are."""
        return {
            "seconds": self.seconds,
            f"{self.sample}s_per_second": self.lines_per_second,
            "epochs": self.epochs,
            "steps": self.steps,
            f"{self.sample}s": self.lines,
            f"reading_{self.sample}s_per_second": self.reading_lines_per_second,
        }


class Problem(ABC, Generic[T]):
    """What a model learns. `T` is the kind of its ground truth, which is sent to other processes and so is picklable.

    Its arguments are the keys of its file in conf/problem but for `name`, `reads` and `reads_not`. The last two state
    which of the keys in `config.task_keys.OF_PROBLEM` it reads; any other that is typed ends the run in a sentence.
    """

    model_class: ClassVar[type] = Model
    """What its models have to be."""

    def complete(self, config: DictConfig) -> DictConfig:
        """Return the config of a new run, with what it takes over from elsewhere, as from `pretrained`."""
        return config

    def check(self, config: DictConfig) -> None:
        """Raise the `UserError` that a new training would raise after its data have been read."""

    @abstractmethod
    def load(self, run: RunSession) -> T:
        """Return the ground truth of a run. Raises `UserError` where there is nothing to learn from."""

    @abstractmethod
    def fingerprint(self, truth: T) -> dict[str, str]:
        """Return hashes of what is trained and validated on: a run that is resumed has to have the same ones. `store`
        is that of all data."""

    @abstractmethod
    def setup(self, run: RunSession, truth: T) -> Setup:
        """Return the training of a session: from new weights, or from the state of the run. Each process calls it;
        torch, NumPy and Python are seeded."""

    @abstractmethod
    def report(self, run: RunSession, truth: T, setup: Setup, stats: TrainingStats) -> None:
        """Write what a finished training leaves, at last metrics.json, which makes the run a finished one; and say how
        good its best model is."""

    @abstractmethod
    def outcome(self, run: RunSession, truth: T) -> Outcome:
        """Return what dashboards are shown of a finished training."""

    @abstractmethod
    def test(self, config: DictConfig) -> None:
        """Score the model of `checkpoint` on a part of the data, and leave the scores in the run's folder."""

    def predict(self, config: DictConfig) -> None:
        """Apply the model of `checkpoint` to `predict.input`, and leave in the run's folder what it makes of it."""
        raise UserError(
            f"checkpoint={config.checkpoint}: task=predict cannot apply a model of the problem {type(self).__name__}; "
            "give a recogniser or a layout model."
        )


def build_problem(config: DictConfig) -> Problem[Any]:
    """Return the problem of a config. Raises `UserError` for one that does not fit the model."""
    try:
        plain = OmegaConf.to_container(config.problem, resolve=True)
    except OmegaConfBaseException as error:
        told = str(error).splitlines()[0]
        raise UserError(f"{_pair(config)} do not fit each other: {told}. {REMEDY}") from None
    assert isinstance(plain, dict)
    metric = OmegaConf.select(config, "model.metric")
    if OmegaConf.is_config(metric) and "_target_" in metric:  # as configs of models of one's own may still say
        plain["metric"] = OmegaConf.to_container(metric, resolve=True)
    problem = _instantiate(plain)
    kind = find_part({"_target_": config.model._target_}, PartsOfProgram())
    if not issubclass(kind, problem.model_class):
        wanted = problem.model_class.__name__
        raise UserError(f"{_pair(config)} do not fit each other: {kind.__name__} is no {wanted}. {REMEDY}")
    return problem


def find_problem_of_model(config: DictConfig, path: Path) -> Problem[Any]:
    """Return the problem that the model in `path` was trained on; that of the config for a file that names none.

    Raises `UserError` where the file names a class that is neither of this package nor trusted.
    """
    path = find_model_file(path, "checkpoint")
    described = load_card(path).get(CARD_KEY)
    if described is None:
        return build_problem(config)
    check_saved_targets({CARD_KEY: described}, list_trusted(config), path)
    return _instantiate(with_current_paths(described))


def find_problem_name(config: DictConfig, path: Path) -> str:
    """Return what the problem of the model in `path` is called; that of the config for a file that names none."""
    described = load_card(find_model_file(path, "checkpoint")).get(CARD_KEY) or config.problem
    return str(described.get("name"))


def build_problem_card(config: DictConfig) -> dict[str, Any]:
    """Return what a model's card says of its problem."""
    plain = OmegaConf.to_container(config.problem, resolve=True)
    return {CARD_KEY: plain}


def strip_val_prefix(scores: Mapping[str, float]) -> dict[str, float]:
    """Return the scores of a validation under the names that a model file has for them."""
    return {name.removeprefix("val/"): score for name, score in scores.items()}


def count_batch_devices(run: RunSession) -> int:
    """Return for how many devices a run's batches are made: a run that goes on with another number keeps its batches,
    and so its steps and its place among them."""
    return world_size() if run.state is None else run.state.state.devices


def _instantiate(plain: Mapping[Any, Any]) -> Problem[Any]:
    arguments = {str(key): value for key, value in plain.items() if key not in ("name", "reads", "reads_not")}
    interface = "a problem is a class that derives from uncial.problems.problem.Problem"
    problem = instantiate_part(load_literal_config({"problem": arguments}), "problem", interface)
    if not isinstance(problem, Problem):
        raise UserError(f"problem._target_={plain.get('_target_')} is no problem: {interface}.")
    return problem


def _pair(config: DictConfig) -> str:
    return f"model={config.model.get('name')} and problem={config.problem.get('name')}"
