"""logger=mlflow: a run as MLflow shows it, in a database file or on a server."""

import csv
import io
import json
import logging
import math
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities.rank_zero import rank_zero_only
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from uncial.config.keys import iterate_leaves
from uncial.errors import UserError
from uncial.files import replace_text_file
from uncial.runs.files import RunFolder
from uncial.training.loggers.outcome import Job, Outcome, ReadLine

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

log = logging.getLogger(__name__)


FILE = "sqlite:///"
LONGEST_VALUE = 500
"""Of a setting, which older stores cut off; the whole config is in config.json."""

AT_ONCE = 100
"""Settings that MLflow takes at a time."""


class MlflowRun(Logger):
    """Metrics, config, predictions with their line images, confusions and the model, with where it comes from.

    The keys are those of conf/logger/mlflow.yaml. A run folder that has been logged before goes on with the same run.
    Raises `UserError` where the database or the server cannot be used.
    """

    def __init__(
        self,
        job: Job,
        uri: str,
        artifacts: str | None = None,
        experiment: str = "uncial",
        name: str | None = None,
        tags: Mapping[str, str] | None = None,
        notes: str | None = None,
        lines: int = 64,
        model: bool = True,
    ) -> None:
        super().__init__()
        self.folder, self.lines, self.model = job.folder, lines, model
        self._client: Any = None
        self._run: str = ""
        # MLflow's tags have values: each word is one without any, and all of them stand together to be seen.
        words = {**dict.fromkeys(job.tags, ""), "tags": ", ".join(job.tags)} if job.tags else {}
        wanted = {**words, **(tags or {}), "task": job.task, "folder": str(job.folder)}
        wanted |= {"sweep": job.group} if job.group else {}
        wanted |= {"mlflow.note.content": notes} if notes else {}
        self._begin(uri, artifacts, experiment, name or job.name, wanted)

    @property
    def name(self) -> str:
        return "mlflow"

    @property
    def version(self) -> str | None:
        """The run's id; None on processes other than the first."""
        return self._run or None

    @property
    def experiment(self) -> Any:
        """MLflow's client; None on processes other than the first."""
        return self._client

    @rank_zero_only
    def _begin(self, uri: str, artifacts: str | None, experiment: str, name: str, tags: Mapping[str, str]) -> None:
        try:
            self._client = get_client(uri)
            self._run = self._resumed() or create_run(
                self._client, get_experiment(self._client, experiment, artifacts), name
            )
            for key, value in tags.items():
                self._client.set_tag(self._run, key, value)
        except (MlflowException, SQLAlchemyError, OSError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise UserError(f"logger.mlflow.uri={uri} cannot be used ({reason}).") from error
        with replace_text_file(RunFolder(self.folder).mlflow_identity) as file:
            json.dump({"run": self._run, "uri": uri}, file, ensure_ascii=False, indent=2)

    def _resumed(self) -> str | None:
        """Return the run that this folder has been before, going again; None where the store does not know it."""
        known = read_identity(self.folder)
        if not known:
            return None
        try:
            self._client.update_run(known["run"], status="RUNNING")
        except MlflowException:
            log.warning(
                f"{RunFolder(self.folder).mlflow_identity}: this MLflow does not know the run {known['run']}; "
                "a new one begins."
            )
            return None
        return str(known["run"])

    @rank_zero_only
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """`params` are plain types, nested as the config is. A setting stays as it was logged first."""
        self._client.log_dict(self._run, dict(params), "config.json")
        known = self._client.get_run(self._run).data.params
        settings = [
            Param(key, text)
            for key, text in ((key, str(value)[:LONGEST_VALUE]) for key, value in iterate_leaves(params))
            if key not in known
        ]
        for start in range(0, len(settings), AT_ONCE):
            self._client.log_batch(self._run, params=settings[start : start + AT_ONCE])

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        now = int(1000 * time.time())
        numbers = [Metric(key, float(value), now, step or 0) for key, value in metrics.items() if math.isfinite(value)]
        self._client.log_batch(self._run, metrics=numbers)

    @rank_zero_only
    def show_outcome(self, outcome: Outcome) -> None:
        self.log_metrics({f"best/{name}": value for name, value in outcome.scores.items()})
        shown = outcome.some_lines(self.lines)
        for number, line in enumerate(shown):
            self._client.log_image(self._run, line.image, save_picture(number))
        if shown:
            self._client.log_text(self._run, build_predictions_table(shown), RunFolder.predictions)
        for number, page in enumerate(outcome.pages[: self.lines]):
            self._client.log_image(self._run, page.image, f"pages/{number + 1:03d}.png")
        if not outcome.pages:
            counted = ((one.truth, one.read, one.count) for one in outcome.confusions)
            self._client.log_text(self._run, build_table(("truth", "read", "count"), counted), RunFolder.confusions)
        if outcome.model is not None:
            self._log_model(outcome)

    def _log_model(self, outcome: Outcome) -> None:
        data = {f"data.{key}": str(value) for key, value in outcome.data.items() if key != "page_hashes"}
        start = read_identity(outcome.pretrained) if outcome.pretrained is not None else {}
        tags = data | ({"pretrained.run": str(start["run"])} if start else {})
        self._client.log_batch(self._run, tags=[RunTag(key, value) for key, value in tags.items()])
        self._client.log_text(self._run, "\n".join(outcome.data.get("page_hashes", ())), "pages.txt")
        if self.model:
            self._client.log_artifact(self._run, str(outcome.model))

    @rank_zero_only
    def close(self, succeeded: bool) -> None:
        self._client.set_terminated(self._run, "FINISHED" if succeeded else "FAILED")


def get_client(uri: str) -> Any:
    """Return a client of the store; a database file is made by one process at a time."""
    if not uri.startswith(FILE):
        return MlflowClient(uri)
    path = Path(uri.removeprefix(FILE))
    path.parent.mkdir(parents=True, exist_ok=True)
    # Alembic tells of each step in which it makes the tables.
    for name in ("alembic", "mlflow"):
        logging.getLogger(name).setLevel(logging.WARNING)
    with FileLock(f"{path}.lock"):
        client = MlflowClient(uri)
        client.search_experiments(max_results=1)
    return client


def get_experiment(client: Any, name: str, artifacts: str | None) -> str:
    """Return the id of the experiment, made where there is none; of several processes that make it one does."""
    for _ in range(2):
        if found := client.get_experiment_by_name(name):
            return str(found.experiment_id)
        try:
            place = None if artifacts is None else Path(artifacts).absolute().as_uri()
            return str(client.create_experiment(name, artifact_location=place))
        except MlflowException:
            continue
    raise UserError(
        f"logger.mlflow.experiment={name} cannot be made: it may have been deleted in MLflow; take another."
    )


def create_run(client: Any, experiment: str, name: str) -> str:
    return str(client.create_run(experiment, run_name=name).info.run_id)


def read_identity(folder: Path) -> dict[str, Any]:
    """Return which run of MLflow the run folder is; empty where it is none yet."""
    path = RunFolder(folder).mlflow_identity
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def save_picture(number: int) -> str:
    return f"lines/{number:03}.png"


def build_predictions_table(lines: Sequence[ReadLine]) -> str:
    """Return the lines with the names of their images."""
    columns = ("page", "line", "image", "truth", "prediction", "confidence", "edits")
    rows = (
        (line.page, line.line, save_picture(number), line.truth, line.prediction, line.confidence, line.edits)
        for number, line in enumerate(lines)
    )
    return build_table(columns, rows)


def build_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    written = io.StringIO()
    csv.writer(written).writerows([columns, *rows])
    return written.getvalue()
