"""logger=wandb: a run as Weights & Biases shows it, online where that is possible and else in the run folder."""

import json
import logging
import netrc
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import wandb
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities.rank_zero import rank_zero_only
from wandb.errors import Error as WandbError

from uncial.files import replace_text_file
from uncial.runs.files import RunFolder
from uncial.runs.metrics_file import read_curves
from uncial.training.loggers.outcome import FoundPage, Job, Outcome

log = logging.getLogger(__name__)


SECONDS_TO_CONNECT, SECONDS_TO_FINISH = 30, 300
"""How long is waited for the server at the most. What has not been uploaded then is in the folder, for `wandb sync`."""

STEP = "trainer/global_step"
"""What W&B draws the curves over, under the name that Lightning gives it."""


class WandbRun(Logger):
    """Metrics, config, predictions with their line images, confusions (or pages as a layout model found them) and,
    online, the model with where it comes from.

    The keys are those of conf/logger/wandb.yaml. A run folder that has been logged before goes on with the same run.
    """

    def __init__(
        self,
        job: Job,
        project: str,
        entity: str | None = None,
        group: str | None = None,
        name: str | None = None,
        tags: Sequence[str] = (),
        notes: str | None = None,
        job_type: str | None = None,
        lines: int = 64,
        model: bool = True,
    ) -> None:
        super().__init__()
        self.folder, self.lines, self.model, self.job = job.folder, lines, model, job
        self._run: Any = None
        self._defined: dict[str, str] = {}
        own = [tags] if isinstance(tags, str) else list(tags)
        wanted = {
            "project": project,
            "entity": entity,
            "group": group or job.group,
            "name": name or job.name,
            "tags": list(dict.fromkeys((*job.tags, *own))),
            "notes": notes,
            "job_type": job_type or job.task,
        }
        self._begin(wanted)

    @property
    def name(self) -> str:
        return "wandb"

    @property
    def version(self) -> str | None:
        """The run's id; None on processes other than the first."""
        return None if self._run is None else str(self._run.id)

    @property
    def experiment(self) -> Any:
        """The run of the wandb package; None on processes other than the first."""
        return self._run

    @rank_zero_only
    def _begin(self, wanted: Mapping[str, Any]) -> None:
        before = read_identity(self.folder)
        # A job of a sweep that is resumed alone would belong to no group.
        identity = {**wanted, **before} if before else dict(wanted)
        self._run = start(identity, self.folder)
        self._run.define_metric(STEP)
        self._run.define_metric("*", step_metric=STEP, step_sync=True)
        kept = {"id": self._run.id, **{key: identity[key] for key in ("project", "entity", "group", "name")}}
        with replace_text_file(RunFolder(self.folder).wandb_identity) as file:
            json.dump(kept, file, ensure_ascii=False, indent=2)

    @rank_zero_only
    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """`params` are plain types, nested as the config is."""
        self._run.config.update(dict(params), allow_val_change=True)

    def _define(self, scores: Iterable[str]) -> None:
        """Let W&B's summary of each score of the validation be its best one, not its last."""
        for name in scores:
            end = self.job.best_end(name) if name.startswith("val/") and name not in self._defined else None
            if end is not None:
                self._defined[name] = end
                self._run.define_metric(name, step_metric=STEP, step_sync=True, summary=end)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        self._define(metrics)
        self._run.log(dict(metrics) if step is None else {**metrics, STEP: step})

    @rank_zero_only
    def show_outcome(self, outcome: Outcome) -> None:
        for name, value in outcome.scores.items():
            self._run.summary[f"best/{name}"] = value
        self._run.summary.update(self._best_of_all_sessions())
        counted = [[one.truth, one.read, one.count] for one in outcome.confusions]
        # W&B keeps the images of tables in the user's home otherwise, where `wandb sync` on another machine lacks them.
        with patch.dict(os.environ, WANDB_DATA_DIR=str(self.folder.absolute() / "wandb")):
            if outcome.pages:
                if pages := outcome.pages[: self.lines]:
                    self._run.log({"pages": build_pages_table(pages)})
            else:
                if self.lines:
                    self._run.log({"predictions": build_predictions_table(outcome, self.lines)})
                self._run.log({"confusions": wandb.Table(columns=["truth", "read", "count"], data=counted)})
        if self.model and outcome.model is not None and not self._run.offline:
            log_model(self._run, outcome)

    def _best_of_all_sessions(self) -> dict[str, dict[str, float]]:
        """Return the best of each score, by metrics.csv: what W&B finds itself is that since the run was resumed."""
        curves = read_curves(RunFolder(self.folder).metrics_rows)
        known = {name: (end, curves[name].values) for name, end in self._defined.items() if name in curves}
        return {name: {end: (max if end == "max" else min)(values)} for name, (end, values) in known.items()}

    @rank_zero_only
    def close(self, succeeded: bool) -> None:
        self._run.finish(exit_code=0 if succeeded else 1)
        if self._run.offline and any(self.folder.glob("wandb/offline-run-*")):
            log.info(f"To show the run in W&B: wandb sync {self.folder / 'wandb'}/offline-run-*-{self._run.id}")


def read_identity(folder: Path) -> dict[str, Any]:
    """Return which run of W&B the run folder is; empty where it is none yet."""
    path = RunFolder(folder).wandb_identity
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def start(identity: Mapping[str, Any], folder: Path) -> Any:
    """Return the run, new or the one of `identity["id"]`, online or, where the server cannot be reached, offline."""
    settings = wandb.Settings(
        silent=True,
        console="off",
        # What was typed, and where the code lies, is in our own config, without anything secret.
        x_disable_meta=True,
        disable_git=True,
        disable_code=True,
        init_timeout=SECONDS_TO_CONNECT,
        finish_timeout=SECONDS_TO_FINISH,
    )
    mode = choose_mode()
    options = {**identity, "dir": folder, "reinit": "create_new", "settings": settings}
    if mode != "online":
        return wandb.init(**options, mode=mode)
    try:
        return wandb.init(**options, mode=mode, resume="allow" if "id" in identity else None)
    except (WandbError, OSError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        log.warning(f"W&B cannot be reached ({reason}): the run is kept offline in {folder / 'wandb'}.")
        # Its service still holds the id of the run that could not begin.
        wandb.teardown()
        return wandb.init(**options, mode="offline")


def choose_mode() -> Any:
    """`wandb`'s own mode where it was set (WANDB_MODE, `wandb offline`), else online if there is a key."""
    settings = wandb.setup().settings
    if settings.mode not in ("online", "shared"):
        return "offline" if settings.mode == "dryrun" else settings.mode
    return settings.mode if _has_key(str(settings.base_url)) else "offline"


def _has_key(server: str) -> bool:
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return True
    given = os.environ.get("NETRC")
    for path in [Path(given)] if given else [Path.home() / ".netrc", Path.home() / "_netrc"]:
        try:
            found = netrc.netrc(path)
        except (OSError, netrc.NetrcParseError):
            continue
        # The second is what the first was called before.
        if any(host in found.hosts for host in (urlsplit(server).netloc, "api.wandb.ai")):
            return True
    return False


def build_predictions_table(outcome: Outcome, most: int) -> Any:
    """At most so many lines, each with its image."""
    columns: list[str | int] = ["page", "line", "image", "truth", "prediction", "confidence", "edits"]
    rows = [
        [line.page, line.line, wandb.Image(line.image), line.truth, line.prediction, line.confidence, line.edits]
        for line in outcome.some_lines(most)
    ]
    return wandb.Table(columns=columns, data=rows)


def build_pages_table(pages: Sequence[FoundPage]) -> Any:
    """Return the pages, each with its truth and what was found."""
    columns: list[str | int] = ["page", "image", *pages[0].figures, *pages[0].counts]
    rows = [[page.page, wandb.Image(page.image), *page.figures.values(), *page.counts.values()] for page in pages]
    return wandb.Table(columns=columns, data=rows)


def log_model(run: Any, outcome: Outcome) -> None:
    """The model as an artifact of the run, whose inputs are the data and the model that it started from."""
    assert outcome.model is not None
    data = wandb.Artifact(
        f"data-{_make_artifact_name(str(outcome.data['data']))}", "dataset", metadata=dict(outcome.data)
    )
    with data.new_file("pages.txt") as file:
        file.write("\n".join(outcome.data["page_hashes"]))
    run.use_artifact(data)
    if outcome.pretrained is not None and (identity := read_identity(outcome.pretrained)):
        owner = f"{identity['entity']}/" if identity["entity"] else ""
        try:
            run.use_artifact(f"{owner}{identity['project']}/model-{identity['id']}:latest")
        except (WandbError, ValueError) as error:
            log.warning(f"W&B does not know the model that this one started from: {str(error).splitlines()[0]}")
    model = wandb.Artifact(f"model-{run.id}", "model", metadata={"scores": dict(outcome.scores)})
    model.add_file(str(outcome.model))
    run.log_artifact(model, aliases=["best"])


def _make_artifact_name(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in text)
