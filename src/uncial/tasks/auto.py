"""task=auto: chooses how to train from the lines, the machine and the time, says why, and trains."""

import logging
from collections.abc import Collection, Sequence
from pathlib import Path

from hydra import compose
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from uncial.config.location import SEARCH_PATH
from uncial.config.overrides import get_override_key
from uncial.config.schema import build_settings
from uncial.config.task_keys import drop_statement
from uncial.config.trust import trust_typed_classes
from uncial.config.typed import lines_as_typed, typed_lines
from uncial.data.lines.datamodule import LineDataModule
from uncial.data.lines.loader import report_lost_workers
from uncial.errors import UserError
from uncial.files import count_cores
from uncial.problems.ground_truth import load_ground_truth
from uncial.problems.problem import build_problem
from uncial.problems.recognition.auto import DataFacts, make_recipe_table, read_recipe, suggest_settings, write_recipe
from uncial.problems.recognition.problem import LineRecognition
from uncial.problems.recognition.setup import build_loader_config, build_training_parts, make_recognizer
from uncial.problems.splitting import choose_split, read_model
from uncial.problems.trainer import build_length_config, build_module, check_durations, seed_all
from uncial.problems.training_run import run_training
from uncial.reports.terminal.console import make_console, show
from uncial.runs.files import RunFolder
from uncial.runs.folder import run_folder
from uncial.training.callbacks.throughput import ThroughputProbe
from uncial.training.distributed.signals import exit_on_signals
from uncial.training.schedulers.length import RunLength
from uncial.training.schedulers.plan import LengthConfig
from uncial.training.settings import TrainerSettings
from uncial.training.trainer import build_trainer, silence_lightning

log = logging.getLogger(__name__)

PROBE_SECONDS = 8.0
PROBE_STEPS = 1000
"""Of the schedule of the probe; it ends long before."""


def run(config: DictConfig) -> None:
    """Chooses the keys of a training that were not typed, leaves them in the run's folder as an experiment, and trains
    with them."""
    silence_lightning()
    check_durations(config.trainer)
    # A run that goes on has its own config; a job that is started again has chosen already.
    if config.resume not in (None, "auto"):
        run_training(config)
        return
    path, typed = RunFolder(run_folder()).recipe, list_typed_for_training()
    if not path.is_file():
        facts = measure(config, {get_override_key(line) for line in typed})
        keys = {get_override_key(line) for line in typed}
        settled = list_settled_keys(config, keys)
        choices = [choice for choice in suggest_settings(facts) if choice.key not in settled]
        write_recipe(path, facts, choices, str(config.name))
        show(make_console(), make_recipe_table(facts, choices, {get_override_key(line) for line in typed}))
        show(make_console(), f"To edit it: {path}")
    run_training(compose_chosen_config(read_recipe(path), typed))


WARM_UP = ("scheduler.warmup_steps", "scheduler.warmup_samples", "scheduler.warmup_epochs")


def list_settled_keys(config: DictConfig, typed: Collection[str]) -> set[str]:
    """Return the keys that other ones leave nothing to choose of: a batch of so many lines its bounds, a warm-up of
    another unit, or a scheduler that has none, its share."""
    bounds = {"trainer.max_lines", "trainer.batch_width"} if "trainer.batch_size" in typed else set()
    is_warmed = any(key in typed for key in WARM_UP) or "warmup_fraction" not in config.scheduler
    return bounds | ({"scheduler.warmup_fraction"} if is_warmed else set())


def list_typed_for_training() -> list[str]:
    """Return what was typed, less what chose this task."""
    return [line for line in typed_lines() if line not in ("experiment=auto", "task=auto")]


def compose_chosen_config(chosen: Sequence[str], typed: Sequence[str]) -> DictConfig:
    """Return the config of a plain training; what was typed wins."""
    named = [] if any(get_override_key(line) == "name" for line in typed) else ["name=auto-${data.name}"]
    found_in = [
        line for line in lines_as_typed(HydraConfig.get().overrides.hydra) if get_override_key(line) == SEARCH_PATH
    ]
    composed = compose(HydraConfig.get().job.config_name, [*found_in, *named, *chosen, *typed])
    return trust_typed_classes(drop_statement(composed))


def measure(config: DictConfig, typed: Collection[str]) -> DataFacts:
    """Return what the choice depends on, for what was typed the keys. The speed is that of the first seconds of a
    training with the defaults."""
    problem = build_problem(config)
    if not isinstance(problem, LineRecognition):
        raise UserError(
            f"task=auto chooses for problem=recognition; train problem={config.problem.name} by task=train."
        )
    config = problem.complete(config)
    problem.check(config)
    models = [] if config.pretrained is None else [read_model(Path(str(config.pretrained)))]
    truth = load_ground_truth(config, choose_split(config, models, ("train", "val"), ("val", "test")))
    seed_all(config.seed)
    recognizer = make_recognizer(config, truth)
    parts, _ = build_training_parts(config, truth, recognizer)
    part = parts["train"]
    steps = LengthConfig(steps=PROBE_STEPS)
    length = RunLength(steps, PROBE_STEPS, len(part.dataset), 0, RunFolder(run_folder()).steps)
    module = build_module(config, recognizer, problem.metric, length)
    probe = ThroughputProbe(PROBE_SECONDS)
    trainer = build_trainer(build_settings(TrainerSettings, config), run_folder(), [length, probe], loggers=[])
    trainer.num_sanity_val_steps = 0
    log.info("Measuring how fast this model trains here.")
    with exit_on_signals(), report_lost_workers():
        trainer.fit(module, LineDataModule(parts, build_loader_config(config.trainer), config.seed))
    wanted = build_length_config(config, len(part.dataset))
    is_in_epochs = config.trainer.max_epochs is not None or "trainer.lines_seen" in typed
    return DataFacts(
        lines=len(part.dataset),
        characters=len(recognizer.codec.alphabet),
        width=float(part.widths.mean()),
        height=recognizer.preprocessing.height,
        pace=probe.lines_per_second,
        seconds=wanted.budget,
        device="cpu" if trainer.strategy.root_device.type == "cpu" else "gpu",
        cores=int(config.trainer.threads or count_cores()),
        rate=config.optimizer.get("lr"),
        tuned=config.pretrained is not None,
        steps=wanted.steps,
        epochs=wanted.epochs if is_in_epochs else None,
    )
