"""What a training with this config and these lines would do with its learning rate, drawn before it is made."""

import logging
import math
from pathlib import Path

from lightning import Callback
from omegaconf import DictConfig

from uncial.config.instantiate import instantiate_part
from uncial.config.schema import build_settings
from uncial.data.ground_truth import GroundTruth
from uncial.data.lines.datamodule import training_sampler
from uncial.errors import UserError
from uncial.problems.recognition.pretrained import with_pretrained_model
from uncial.problems.recognition.setup import loading, new_recognizer, training_parts
from uncial.problems.trainer import length_config
from uncial.reports.plots.curves import PlannedRun, draw_schedule
from uncial.reports.terminal.formatting import plural
from uncial.training.distributed.devices import choose_training_devices
from uncial.training.schedulers.plan import UNKNOWN, LengthConfig, StepPlan
from uncial.training.schedulers.schedules import warn_if_peak_lr_unreached
from uncial.training.settings import TrainerSettings

log = logging.getLogger(__name__)


def draw_planned_schedule(config: DictConfig, truth: GroundTruth, png: Path) -> None:
    """Draw schedule.png, or say why a training could not be made."""
    try:
        wanted, plan = planned(with_pretrained_model(config), truth)
        run = planned_run(config, wanted, plan)
    except UserError as error:
        log.warning(f"{png.name} is not drawn, for these lines cannot be trained on as they are: {error}")
        return
    draw_schedule(run, png)
    steps = len(run.rates)
    told = f"A training on these lines has {steps:,} steps of {plan.lines:.1f} lines, {steps / plan.epoch:.1f} epochs"
    log.info(
        f"{told}, and {plural(len(run.validations), 'validation')}; {png.name} shows its learning rate. {run.note}"
    )


def planned(config: DictConfig, truth: GroundTruth) -> tuple[LengthConfig, StepPlan]:
    """The length that is wanted of a training, and the plan that it begins with."""
    parts, _ = training_parts(config, truth, new_recognizer(config, truth))
    lines, how = (
        len(parts["train"].dataset),
        loading(config.trainer, choose_training_devices(build_settings(TrainerSettings, config)).count),
    )
    batches = len(training_sampler(parts["train"], how, config.seed))
    wanted = length_config(config, lines)
    return wanted, wanted.plan(math.ceil(batches / config.trainer.accumulate), lines)


def planned_run(config: DictConfig, wanted: LengthConfig, plan: StepPlan) -> PlannedRun:
    """The learning rates of the plan. A run whose length a time budget has yet to fix is drawn as though there were
    none."""
    schedule, note = instantiate_part(config, "scheduler"), ""
    if plan.total == UNKNOWN:
        plan = wanted.with_total(plan, math.ceil((wanted.epochs or 1) * plan.epoch))
        note = f"trainer.time_budget will fix the number of steps: drawn for {wanted.epochs or 1:.3g} epochs."
    if isinstance(schedule, Callback):
        note = f"{note} The scores will lower the rate.".strip()
    note = f"{note} {warn_if_peak_lr_unreached(schedule, plan)}".strip()
    steps = range(1, int(plan.total) + 1)
    rates = [config.optimizer.lr * schedule(step - 1, plan) for step in steps]
    return PlannedRun(rates, [step for step in steps if plan.validates_after(step)], plan.epoch, note)
