"""The loggers of a run: its own files, and the dashboards it is shown on."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from lightning.pytorch.loggers import Logger, WandbLogger
from lightning.pytorch.utilities.rank_zero import rank_zero_only

from uncial.training.loggers.metrics_file import MetricsFile
from uncial.training.loggers.outcome import Dashboard, Job, Outcome
from uncial.training.loggers.tensorboard import TensorBoardEvents

log = logging.getLogger(__name__)

LoggerFactory = Callable[[Job], Logger]


def build_file_loggers(csv: bool, tensorboard: bool) -> list[LoggerFactory]:
    """Return those of the run folder that are wanted."""
    wanted: list[LoggerFactory] = []
    if csv:
        wanted.append(lambda job: MetricsFile(job.folder))
    if tensorboard:
        wanted.append(lambda job: TensorBoardEvents(job.folder))
    return wanted


@contextmanager
def start_loggers(factories: Sequence[LoggerFactory], job: Job) -> Iterator[list[Logger]]:
    """The loggers of a run that begins; all but metrics.csv are shown its config. Each dashboard among them is closed
    at the end, as failed after an exception, so that the next job of a sweep in this process begins a run of its own;
    so is a run of W&B's that Lightning's own logger has begun."""
    loggers: list[Logger] = []
    succeeded = False
    try:
        for make in factories:
            loggers.append(make(job))
        for logger in loggers:
            if not isinstance(logger, MetricsFile):
                logger.log_hyperparams(dict(job.config))
        yield loggers
        succeeded = True
    finally:
        for logger in loggers:
            if isinstance(logger, Dashboard):
                _close(logger, succeeded)
            elif isinstance(logger, WandbLogger):
                logger.experiment.finish(exit_code=0 if succeeded else 1)


def _close(dashboard: Dashboard, succeeded: bool) -> None:
    try:
        dashboard.close(succeeded)
    except Exception as error:
        # What ended the run is to be told. A cluster that ends a job ends W&B's own process with it.
        if succeeded:
            raise
        log.warning(f"The dashboard could not be closed: {type(error).__name__}: {error}")


@rank_zero_only
def show_outcome(loggers: Sequence[Logger], outcome: Callable[[], Outcome]) -> None:
    """Tells the dashboards what came out; it is only made where there is one."""
    dashboards = [logger for logger in loggers if isinstance(logger, Dashboard)]
    if dashboards:
        made = outcome()
        for dashboard in dashboards:
            dashboard.show_outcome(made)


@rank_zero_only
def log_facts(loggers: Sequence[Logger], config: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    """Tell all but metrics.csv what is known of the run beside its config, as one table with it: its model, its data,
    its machine."""
    for logger in loggers:
        if not isinstance(logger, MetricsFile):
            logger.log_hyperparams({**config, **facts})


def find_dashboards(loggers: Sequence[Logger]) -> list[Logger]:
    """Return the loggers that show what comes out of a run; to others nothing is told once a training has ended."""
    return [logger for logger in loggers if isinstance(logger, Dashboard)]


def log_beside_the_file(loggers: Sequence[Logger], numbers: Mapping[str, Any], step: int) -> None:
    """Numbers that differ from run to run, such as speeds: metrics.csv is the same whenever the run is."""
    for logger in loggers:
        if not isinstance(logger, MetricsFile):
            logger.log_metrics(dict(numbers), step)
