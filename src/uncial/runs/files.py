"""What lies in the folder of a run or a sweep, by name: the one place that knows these names."""

from dataclasses import dataclass
from pathlib import Path
from typing import overload


class RunFile:
    """A file or folder within a `RunFolder`: of a folder its path, of the class its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, folder: None, owner: type) -> str: ...

    @overload
    def __get__(self, folder: "RunFolder", owner: type) -> Path: ...

    def __get__(self, folder: "RunFolder | None", owner: type) -> Path | str:
        return self.name if folder is None else folder.path / self.name


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run: `RunFolder(folder).metrics` is the path of a file in it, `RunFolder.metrics` its name."""

    path: Path

    # What the run is.
    config = RunFile("config.yaml")
    overrides = RunFile("overrides.yaml")
    environment = RunFile("environment.json")
    lock = RunFile(".lock")
    log = RunFile("log.txt")

    # The training, and what resumes it.
    best_model = RunFile("best.safetensors")
    last_checkpoint = RunFile("last.ckpt")
    checkpoints = RunFile("checkpoints")
    stash = RunFile(".before_max_time")
    steps = RunFile("steps.txt")
    measured_budget = RunFile("time_budget.json")
    splits = RunFile("splits.csv")
    recipe = RunFile("experiment/chosen.yaml")

    # What dashboards call the run, and what they read.
    tensorboard = RunFile("tensorboard")
    wandb_identity = RunFile("wandb.json")
    mlflow_identity = RunFile("mlflow.json")

    # Scores and readings.
    metrics = RunFile("metrics.json")
    metrics_rows = RunFile("metrics.csv")
    curves = RunFile("curves.png")
    report = RunFile("report.html")
    predictions = RunFile("predictions.csv")
    lines = RunFile("lines.jsonl")
    skipped = RunFile("skipped.csv")
    pages = RunFile("pages")
    layout_sheets = RunFile("sheets")
    scores = RunFile("scores.json")
    scores_table = RunFile("scores.csv")
    scores_text = RunFile("scores.md")
    confusions = RunFile("confusions.csv")
    image_quality = RunFile("image_quality.csv")
    robustness = RunFile("robustness.json")
    robustness_table = RunFile("robustness.csv")
    robustness_text = RunFile("robustness.md")
    robustness_lines = RunFile("robustness_lines.csv")
    robustness_sheet = RunFile("robustness.png")
    page_scores = RunFile("page_scores.csv")
    found_pages = RunFile("found.jsonl")
    ketos_report = RunFile("ketos.txt")
    review = RunFile("review.csv")
    review_curve = RunFile("review.png")
    tested = RunFile("tested")

    # Comparisons of models or runs.
    comparison = RunFile("comparison.json")
    comparison_table = RunFile("comparison.csv")
    comparison_text = RunFile("comparison.md")
    comparison_page = RunFile("comparison.html")
    comparison_lines = RunFile("comparison.jsonl")
    compared_lines = RunFile("lines.csv")
    unmatched = RunFile("unmatched.csv")
    rerun = RunFile("rerun.json")
    forecast = RunFile("forecast.json")
    forecast_table = RunFile("forecast.csv")
    forecast_text = RunFile("forecast.md")
    forecast_plot = RunFile("forecast.png")
    leaderboard_table = RunFile("leaderboard.csv")
    leaderboard_page = RunFile("leaderboard.html")
    leaderboard_text = RunFile("leaderboard.md")
    leaderboard_latex = RunFile("leaderboard.tex")
    learning_curves = RunFile("learning_curves.png")

    # What was found in the data.
    findings = RunFile("findings.json")
    findings_page = RunFile("findings.html")
    contact_sheet = RunFile("contact_sheet.png")
    augmentation_sheet = RunFile("augmentation.png")
    schedule = RunFile("schedule.png")
    audit = RunFile("audit.json")
    audit_page = RunFile("audit.html")

    # Of a sweep: its own, and in the folder of each job.
    multirun = RunFile("multirun.yaml")
    jobs = RunFile("jobs.json")
    study = RunFile("study.db")
    wandb_sweep = RunFile("wandb_sweep.yaml")
    outcome = RunFile("outcome.json")


def list_file_names() -> frozenset[str]:
    """Return the names of all files and folders of a run."""
    return frozenset(entry.name for entry in vars(RunFolder).values() if isinstance(entry, RunFile))
