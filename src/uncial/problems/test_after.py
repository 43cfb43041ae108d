"""trainer.test_after: the best model of a training is tested at its end, by the problem's own test."""

import logging
import math
from collections.abc import Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from uncial.config.location import find_conf_folder
from uncial.config.schema import build_settings
from uncial.config.task_keys import drop_statement
from uncial.errors import UserError
from uncial.problems.facts import read_figures
from uncial.problems.problem import Problem, Setup
from uncial.problems.trainer import open_loggers
from uncial.runs.files import RunFolder
from uncial.runs.folder import format_resume_command, writing_to
from uncial.runs.session import RunSession
from uncial.runs.tables import write_metrics
from uncial.training.loggers.tracking import log_beside_the_file
from uncial.training.settings import TrainerSettings

log = logging.getLogger(__name__)

PART = "test"
"""The part of the data that is tested on, and of metrics.json that has the scores."""


def check_test_part(config: DictConfig, setup: Setup) -> None:
    """Raise `UserError` where the best model is to be tested and there is nothing to test it on."""
    if build_settings(TrainerSettings, config).test_after and setup.test_samples == 0:
        raise UserError(
            "trainer.test_after=true, but the test part is empty: name pages for it with data.test, give data.ratio a "
            "third share above 0, or leave trainer.test_after out."
        )


def test_best_model(run: RunSession, problem: Problem[Any], figures: Mapping[str, Any]) -> None:
    """Test the best model of a run whose training has ended, leave what task=test leaves in its folder `tested`, and
    write metrics.json: the `figures` of the training, and the scores of the test beside them."""
    folder = RunFolder(run.folder).tested
    log.info(f"Testing the best model on the {PART} part (trainer.test_after): {folder}")
    try:
        with writing_to(folder):
            problem.test(_config_of_test(run))
        scores = _read_scores(run)
    except BaseException as error:
        log.info(
            f"The training has ended, and its best model is {RunFolder(run.folder).best_model}. To test it: "
            f"{format_resume_command(run.folder)}"
        )
        if isinstance(error, NotImplementedError):
            raise _unable(run, "has no test") from None
        raise
    steps = figures.get("train", {}).get("steps") or 0
    with open_loggers(_with_dashboards(run.config), run.folder) as loggers:
        log_beside_the_file(loggers, _numbers(scores), steps)
    # Last: a run with this file is finished.
    write_metrics(RunFolder(run.folder).metrics, _with_test(figures, scores))


def _config_of_test(run: RunSession) -> DictConfig:
    """Return the config of task=test for the run's model on its own data; it tells no dashboard, which the run itself
    does."""
    stated = OmegaConf.load(find_conf_folder() / "task" / f"{PART}.yaml")
    config = run.config.copy()
    with read_write(config), open_dict(config):
        for key, value in stated.items():
            config[key] = value
        config.checkpoint, config.resume, config.data.subset = str(run.folder), None, None
        config.logger = {"csv": True}
        config.logger.tensorboard = False
    return drop_statement(config)


def _with_dashboards(config: DictConfig) -> DictConfig:
    """Return the config with this project's loggers alone: opened again, they go on with the run that they have begun,
    where those of others would begin another one."""
    found = config.copy()
    with read_write(found), open_dict(found):
        for name, part in found.logger.items():
            if OmegaConf.is_dict(part) and not str(part.get("_target_")).startswith("uncial."):
                found.logger[name] = None
    return found


def _read_scores(run: RunSession) -> Mapping[str, Any]:
    scores = read_figures(RunFolder(run.folder).tested).get(PART)
    if not isinstance(scores, Mapping):
        raise _unable(run, f"leaves no scores of the {PART} part in {RunFolder.metrics}")
    return scores


def _unable(run: RunSession, why: str) -> UserError:
    return UserError(
        f"trainer.test_after=true: problem={run.config.problem.get('name')} {why}; to finish the run without: "
        f"{format_resume_command(run.folder, 'trainer.test_after=false')}"
    )


def _numbers(scores: Mapping[str, Any]) -> dict[str, float]:
    """Return the scores as dashboards take them."""
    numbers = {name: value for name, value in scores.items() if isinstance(value, int | float)}
    return {f"{PART}/{name}": float(value) for name, value in numbers.items() if math.isfinite(value)}


def _with_test(figures: Mapping[str, Any], scores: Mapping[str, Any]) -> dict[str, Any]:
    """Return the test behind the validation, before what is no score."""
    whole = dict(figures)
    first = {part: whole.pop(part) for part in ("val",) if part in whole}
    return {**first, PART: scores, **{part: value for part, value in whole.items() if part != PART}}
