"""What a person is told of a training that is stopped or fails: where it stands, and how it goes on."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from uncial.config.location import format_command
from uncial.config.overrides import format_override
from uncial.errors import DivergedError, UserError
from uncial.runs.files import RunFolder
from uncial.training.callbacks.best_model import BestModel
from uncial.training.callbacks.throughput import score_text
from uncial.training.checkpointing.callback import Checkpoints
from uncial.training.distributed.signals import StopRequest, exit_for_signal

log = logging.getLogger(__name__)


@contextmanager
def report_interruption(
    folder: Path, states: Checkpoints, best: BestModel, interruption: StopRequest, headline: Sequence[str]
) -> Iterator[None]:
    """Say around a training where it stands when it is stopped or fails, and what to type; then end with the exit code
    of the signal, or the error. `headline` names the scores that are told of the best model."""
    try:
        yield
    except BaseException as error:
        if states.written is not None:
            model = RunFolder(folder).best_model
            names = [f"val/{name}" for name in headline] or [best.monitor]
            found = ", ".join(
                score_text(name.removeprefix("val/"), best.scores[name]) for name in names if name in best.scores
            )
            total = "" if states.written.total_steps is None else f" of {states.written.total_steps}"
            log.info(f"The state after step {states.written.steps}{total} is in {RunFolder(folder).last_checkpoint}.")
            if model.is_file() and (best.best is not None or not isinstance(error, DivergedError)):
                log.info(f"The best model is {model} ({found or 'not validated yet'}).")
        if isinstance(error, DivergedError):
            log.info(_after_divergence(folder, best))
            raise
        # A mistake in the config that is found before the first step is still in the config of a run that goes on.
        if states.written is not None or not isinstance(error, UserError):
            log.info(f"To resume: {format_command(format_override('resume', folder))}")
        if interruption.requested is None:
            raise
    else:
        return
    interruption.release()
    exit_for_signal(interruption.requested)


def _after_divergence(folder: Path, best: BestModel) -> str:
    """What to do with a run that has diverged: it would do so again if it went on."""
    if best.best is not None:
        start = format_override("pretrained", folder)
        return f"To train on from the best model: {format_command(start)} and the same data, with a lower optimizer.lr."
    return "No model was kept: none had been validated before."
