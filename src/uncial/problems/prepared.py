"""A training of a recogniser from Python without the program's own loop: its model, lines, metric and optimizer."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException
from torch import Tensor
from torch.optim import Optimizer

from uncial.config.arguments import format_arguments
from uncial.config.from_python import build_overrides, unimported_script
from uncial.config.keys import check_added
from uncial.config.location import find_conf_folder, publish_location
from uncial.config.messages import explain_error
from uncial.config.overrides import check_arguments
from uncial.config.task_keys import drop_statement
from uncial.config.trust import trust_typed_classes
from uncial.config.typed import typed_lines
from uncial.config.values import check_values
from uncial.data.lines.datamodule import LineDataModule, build_training_sampler
from uncial.data.lines.dataset import Batch
from uncial.errors import UserError
from uncial.models.files import save_model
from uncial.models.recognizer import Recognizer
from uncial.problems.ground_truth import load_ground_truth
from uncial.problems.pretrained import build_lineage, list_seen_before
from uncial.problems.problem import build_problem
from uncial.problems.recognition.best_model import build_model_card
from uncial.problems.recognition.metric import RecognitionMetric
from uncial.problems.recognition.problem import LineRecognition
from uncial.problems.recognition.setup import build_loader_config, build_training_parts, make_recognizer
from uncial.problems.trainer import build_length, build_module, seed_all
from uncial.training.module import TrainingModule


@dataclass(frozen=True)
class PreparedTraining:
    """What a training of one's own takes from this program.

    `model` is in training mode, on the CPU. `data` gives batches (`train_dataloader`, `val_dataloader`), and is a
    LightningDataModule; `module` is the LightningModule of model, metric, optimizer and schedule. `scheduler` makes a
    step after each one of the `optimizer`. `steps` are those that the schedule is made for, `epoch_steps` those of one
    pass over the training lines, counted without `trainer.accumulate`.
    """

    model: Recognizer
    data: LineDataModule
    metric: RecognitionMetric
    module: TrainingModule
    optimizer: Optimizer
    scheduler: Any
    steps: int
    epoch_steps: int
    card: Mapping[str, Any]

    def training_batches(self, epoch: int) -> Iterator[Batch]:
        """Yield the batches of an epoch (from 0), whose order and augmentation follow from it and the seed."""
        loader: Any = self.data.train_dataloader()
        loader.batch_sampler.set_epoch(epoch)
        return iter(loader)

    def training_step(self, batch: Batch) -> dict[str, Tensor]:
        """Learn from a batch: gradients, their clipping as Lightning's is left out, one step of the optimizer and of
        the schedule. Return the losses, detached; `loss` is their total."""
        losses = self.model.loss(batch)
        self.optimizer.zero_grad()
        losses["loss"].backward()
        self.optimizer.step()
        self.scheduler.step()
        return {name: loss.detach() for name, loss in losses.items()}

    def save(self, path: "str | PathLike[str]", scores: Mapping[str, float] | None = None) -> None:
        """Write the model to a file that `uncial.load` and every task read. `scores` are noted in it."""
        save_model(Path(path), self.model, {**self.card, "scores": dict(scores or {})})


def prepare_training(config: Mapping[str, Any] | None = None) -> PreparedTraining:
    """Compose a config of dotted keys, as `uncial.train` takes them, read the data and build what a training needs,
    without training.

    Torch, NumPy and Python are seeded with `seed`. No run folder is made; compiled lines lie in `paths.store`. Raises
    `UserError` for a mistake, and for `trainer.time_budget`, which is measured in the program's own training.
    """
    if not isinstance(config, Mapping | None):
        raise UserError(f"uncial.prepare_training takes a mapping of keys to values, no {type(config).__name__}.")
    try:
        with unimported_script(), _composed({} if config is None else config) as composed:
            return _prepare(composed)
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(explain_error(error)) from None


def _prepare(config: DictConfig) -> PreparedTraining:
    problem = build_problem(config)
    if config.task.name != "train" or not isinstance(problem, LineRecognition):
        raise UserError("uncial.prepare_training is for task=train of a recogniser; leave task and problem out.")
    if config.trainer.time_budget is not None or config.resume is not None:
        key = "resume" if config.resume is not None else "trainer.time_budget"
        raise UserError(f"{key} is for uncial.train, which measures and writes; give trainer.max_steps or max_epochs.")
    config = problem.complete(config)
    problem.check(config)
    seed_all(config.seed)
    truth = load_ground_truth(config)
    recognizer = make_recognizer(config, truth)
    parts, _ = build_training_parts(config, truth, recognizer)
    loader = build_loader_config(config.trainer)
    batches = len(build_training_sampler(parts["train"], loader, config.seed))
    length = build_length(config, len(parts["train"].dataset), batches, Path())
    module = build_module(config, recognizer, problem.metric, length)
    made: Any = module.configure_optimizers()
    return PreparedTraining(
        model=recognizer.train(),
        data=LineDataModule(parts, loader, config.seed),
        metric=problem.metric,
        module=module,
        optimizer=made["optimizer"],
        scheduler=made["lr_scheduler"]["scheduler"],
        steps=int(length.plan.total),
        epoch_steps=batches,
        card=build_model_card(config, truth, parts, build_lineage(config, None), list_seen_before(config, None)),
    )


@contextmanager
def _composed(values: Mapping[str, Any]) -> Iterator[DictConfig]:
    """The config that would be typed so, checked as what is typed, with Hydra as it is within a task."""
    backup, settings = GlobalHydra.instance().hydra, HydraConfig.instance().cfg
    with patch.dict(os.environ):
        publish_location("run.py")
        conf = find_conf_folder()
        overrides = format_arguments(build_overrides(values, conf), conf)
        check_arguments(overrides, conf)
        GlobalHydra.instance().clear()
        try:
            with initialize_config_dir(str(conf), job_name="uncial", version_base="1.3"):
                composed = compose("config", overrides, return_hydra_config=True)
                with read_write(composed.hydra.runtime), open_dict(composed.hydra.runtime):
                    composed.hydra.runtime.output_dir = str(Path().absolute())
                HydraConfig.instance().set_config(composed)
                config = composed.copy()
                with read_write(config), open_dict(config):
                    del config["hydra"]
                check_added(typed_lines(), config, conf)
                check_values(config, conf)
                yield trust_typed_classes(drop_statement(OmegaConf.create(config)))
        finally:
            GlobalHydra.instance().hydra, HydraConfig.instance().cfg = backup, settings
