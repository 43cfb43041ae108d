"""task=train: from ground truth to the best model, its scores and its curves."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from omegaconf import DictConfig

from uncial.config.location import format_command
from uncial.data.datamodule import LineDataModule
from uncial.data.ground_truth import GroundTruth
from uncial.data.loader import lost_loaders_told
from uncial.data.store import Store
from uncial.errors import DivergedError, UserError
from uncial.metrics.few_lines import few_lines_caution
from uncial.models.files import whole_card
from uncial.reports.environment import add_to_environment
from uncial.reports.tables import write_skipped
from uncial.tasks.configuration import check_numbers, evaluation_settings, plain_config
from uncial.tasks.control import averaging, check_durations, watching
from uncial.tasks.instantiation import made
from uncial.tasks.kept_model import OF_THE_BEST, keeping_best, logged, model_card
from uncial.tasks.loading import load_ground_truth, write_splits
from uncial.tasks.on_devices import on_devices
from uncial.tasks.preparation import prepared
from uncial.tasks.pretrained import freezing, lineage, seen_before, with_pretrained_model
from uncial.tasks.reading import warn_of_known_validation
from uncial.tasks.recognition import infeasible_problems, infeasible_sentence
from uncial.tasks.rehearsal import rehearse
from uncial.tasks.search import pruning
from uncial.tasks.session import Session, check_data, fingerprint, session
from uncial.tasks.splitting import training_split
from uncial.tasks.tracking import open_loggers, trained_outcome
from uncial.tasks.training_end import Effort, finish, saying_how_to_go_on
from uncial.training.best_model import BestModel
from uncial.training.checkpoints import Checkpoints
from uncial.training.devices import devices_of
from uncial.training.finite import REMEDY
from uncial.training.group import is_first, wait_for_all
from uncial.training.interruption import listening
from uncial.training.kept import Keeping
from uncial.training.loggers.tracking import show_outcome
from uncial.training.max_time import set_aside
from uncial.training.pace import Pace
from uncial.training.processes import LostProcessError
from uncial.training.progress import progress_callback
from uncial.training.trainer import device_of, make_trainer, quiet_lightning
from uncial.typed_arguments import as_typed

log = logging.getLogger(__name__)


def run(config: DictConfig) -> None:
    """Trains a recogniser on the train part, keeps the one that reads the validation part best, and writes the run
    folder; or goes on with the run that `resume` names."""
    with opened(config) as this:
        train(this)


@contextmanager
def opened(config: DictConfig) -> Iterator[Session]:
    """The session of the run that the config asks for, or that `resume` names. What is wrong with its parts ends it
    before anything is read."""
    quiet_lightning()
    check_numbers(config)
    check_durations(config.trainer)
    with session(config, with_pretrained_model) as this:
        evaluation_settings(this.config, made(this.config, "model.metric").profile)
        if this.state is None:
            rehearse(this.config)
        yield this


def train(this: Session) -> None:
    """One session of a run, from its state to its end, on the devices that it is given."""
    config, devices = this.config, devices_of(this.config.trainer)
    truth = load_ground_truth(config, training_split(this))
    check_data(this, fingerprint(truth))
    write_splits(this.folder, truth)
    plain = replace(this, config=plain_config(config))
    if config.trainer.devices == "auto" and devices.count == 1:
        log.info(f"trainer.devices=auto: there is one device here ({devices.kind}), and so one process.")
    try:
        on_devices(devices, this.folder, fit, plain, replace(truth, pages=()))
    except LostProcessError as died:
        raise UserError(f"{died} To go on: {format_command(as_typed('resume', this.folder))}") from None


def fit(this: Session, truth: GroundTruth) -> None:
    """What each process of a training does. The first one writes the files."""
    config, folder, state = this.config, this.folder, this.state
    ready, data = prepared(this, truth), fingerprint(truth)
    if is_first():
        write_skipped(folder / "skipped.csv", [*truth.problems, *infeasible_problems(ready.infeasible)])
        for told in (infeasible_sentence(ready.infeasible), few_validation_lines(truth)):
            if told:
                log.warning(told)
    path = state.path if state else None
    before = seen_before(config, path)
    if is_first() and state is None:
        warn_of_known_validation(truth, before, config.pretrained)
    card = model_card(config, truth, ready.parts, lineage(config, path), before)
    keep, aside = keeping_best(this, truth, ready, card), partial(set_aside, folder, OF_THE_BEST)
    best, pace = BestModel(config.model.monitor, config.model.mode, keep, aside), Pace()
    still, trials = freezing(config, ready.recognizer, ready.length), pruning(config)

    def describe(scores: dict[str, float]) -> str:
        return whole_card(ready.recognizer, {**card, "scores": logged(scores)})

    with open_loggers(config, folder) as loggers:
        with listening() as interruption:
            keeping = Keeping(**config.callbacks.checkpoints)
            states = Checkpoints(folder, keeping, best.monitor, best.mode, describe, data, interruption, ready.devices)
            watchers = watching(config, ready.module, lambda row: name_of_line(truth.store, row))
            progress = progress_callback(config.callbacks.samples)
            callbacks = [states, ready.length, *watchers, *trials, *still, best, *averaging(config), pace, progress]
            trainer = make_trainer(config.trainer, folder, callbacks, loggers)
            if is_first():
                add_to_environment(folder, {"data": data, "device": device_of(trainer)})
            lines = LineDataModule(ready.parts, ready.loading, config.seed)
            with saying_how_to_go_on(folder, states, best, interruption), lost_loaders_told():
                trainer.fit(ready.module, lines, ckpt_path=path, weights_only=True)
        if best.best is None:
            raise DivergedError(f"No validation gave a finite {best.monitor}, so that no model was kept; {REMEDY}.")
        if is_first():
            taught = len(ready.parts["train"].dataset)
            effort = Effort(states.seconds, pace.lines_per_second, pace.lines / taught, trainer.global_step, taught)
            finish(this, truth, effort, skipped=len(truth.problems) + len(ready.infeasible["train"]))
            show_outcome(loggers, lambda: trained_outcome(config, folder, truth, ready.metric.profile))
    wait_for_all()
    for trial in trials:
        trial.end()


def few_validation_lines(truth: GroundTruth) -> str:
    """A sentence where there are few lines to validate on."""
    rows = truth.rows["val"].tolist()
    pages = {truth.store.value(row, "group") or truth.store.value(row, "page") for row in rows}
    return few_lines_caution(len(rows), len(pages), "validation")


def name_of_line(store: Store, row: int) -> str:
    """The line of a row as messages name it."""
    return f"{store.value(row, 'page')} {store.value(row, 'line')}"
