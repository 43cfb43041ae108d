"""logger=wandb and the other dashboards: what they are told of a run, read back from what they leave."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from program import TINY

from uncial.config.secrets import check_no_secrets, drop_secrets
from uncial.errors import UserError
from uncial.metrics.characters import Confusion
from uncial.training.loggers.outcome import Job, Outcome, ReadLine
from uncial.training.loggers.tracking import start_loggers

KEY = "0123456789abcdef0123456789abcdef01234567"


def line(number: int) -> ReadLine:
    return ReadLine("page", f"l{number}", np.full((20, 60), number, np.uint8), "truth", f"read {number}", 0.5, 3)


def outcome(model: Path | None = None) -> Outcome:
    pairs = [Confusion("n", "u", 3), Confusion("", "e", 1)]
    data = {"data": "letters of 1858", "page_hashes": ["aa", "bb"], "pages": 2}
    return Outcome({"cer": 0.25}, [line(number) for number in range(10)], pairs, model, data)


def job(folder: Path, group: str | None = None) -> Job:
    folder.mkdir(exist_ok=True)
    return Job(folder, f"crnn/{folder.name}", group, "train", {"optimizer": {"lr": 0.1}, "data": {"root": ["a", "b"]}})


@pytest.fixture
def wandb(monkeypatch):
    """The wandb package without a key, whoever runs the tests."""
    import wandb

    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", "/does/not/exist")
    return wandb


def records(folder: Path) -> list[dict]:
    """What the offline runs in a run folder hold, in the order of their writing, as `wandb` itself reads it."""
    found: list[dict] = []
    for path in sorted((folder / "wandb").glob("offline-run-*/*.wandb")):
        reader = [str(Path(sys.executable).parent / "wandb"), "leet", "inspect", "--json", str(path)]
        told = subprocess.run(reader, capture_output=True, text=True, check=True)
        found += [json.loads(row) for row in told.stdout.splitlines()]
    return found


def of_kind(found: list[dict], kind: str) -> list[dict]:
    return [record[kind] for record in found if record["type"] == kind]


def test_an_offline_run_of_wandb_holds_all_that_was_told(wandb, tmp_path, monkeypatch):
    from uncial.training.loggers.wandb import WandbRun

    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_MODE", "offline")
    folder = tmp_path / "0"

    def make(job):
        return WandbRun(job, project="letters", entity="archive", tags=["first", "try"], notes="a remark", lines=4)

    with start_loggers([make], job(folder, group="2026-11-21_10-00-00")) as loggers:
        loggers[0].log_metrics({"train/loss": 2.5, "lr": 1e-3, "lines_per_second": 12.0}, step=7)
        loggers[0].show_outcome(outcome())
    found = records(folder)
    (begun,) = of_kind(found, "run")
    assert (begun["project"], begun["entity"]) == ("letters", "archive")
    assert (begun["run_group"], begun["job_type"]) == ("2026-11-21_10-00-00", "train")
    assert (begun["display_name"], begun["notes"], begun["tags"]) == ("crnn/0", "a remark", ["first", "try"])
    assert {"optimizer": {"lr": 0.1}, "data": {"root": ["a", "b"]}} in [
        config.get("update") for config in of_kind(found, "config")
    ]
    logged = of_kind(found, "history")[0]["item"]
    assert (logged["train/loss"], logged["lr"], logged["lines_per_second"]) == (2.5, 1e-3, 12)
    assert logged["trainer/global_step"] == 7
    assert {"best/cer": 0.25} in [summary.get("update") for summary in of_kind(found, "summary")]
    assert of_kind(found, "exit")[0]["exit_code"] == 0
    tables = {table["columns"][0]: table for table in read_tables(folder)}
    assert tables["truth"]["data"] == [["n", "u", 3], ["", "e", 1]]
    assert [row[4] for row in tables["page"]["data"]] == ["read 0", "read 2", "read 5", "read 7"]
    contents = [entry for made in of_kind(found, "artifact") for entry in made["manifest"]["contents"]]
    images = [entry for entry in contents if entry["path"].endswith(".png")]
    assert len(images) == 4
    assert all(Path(entry["local_path"]).is_relative_to(folder) for entry in contents)
    assert not any(KEY.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def read_tables(folder: Path) -> list[dict]:
    paths = folder.glob("wandb/offline-run-*/files/media/table/*.json")
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def test_jobs_in_one_process_are_runs_of_their_own_and_a_resumed_one_goes_on_with_its_own(wandb, tmp_path):
    """Without a key and without WANDB_MODE."""
    from uncial.training.loggers.wandb import WandbRun

    def logged(folder: Path, group: str | None) -> dict:
        with start_loggers([lambda job: WandbRun(job, project="p")], job(folder, group)) as loggers:
            loggers[0].log_metrics({"a": 1.0}, step=1)
        return of_kind(records(folder), "run")[-1]

    first, second = logged(tmp_path / "0", "sweep"), logged(tmp_path / "1", "sweep")
    assert first["run_id"] != second["run_id"]
    resumed = logged(tmp_path / "0", None)
    assert (resumed["run_id"], resumed["run_group"]) == (first["run_id"], "sweep")
    with pytest.raises(KeyboardInterrupt), start_loggers([lambda job: WandbRun(job, project="p")], job(tmp_path / "2")):
        raise KeyboardInterrupt
    assert of_kind(records(tmp_path / "2"), "exit")[0]["exit_code"] == 1


def test_where_wandb_logs_to(wandb, tmp_path, monkeypatch):
    from uncial.training.loggers.wandb import choose_mode

    modes = {}
    for mode in (None, "offline", "disabled", "online"):
        monkeypatch.delenv("WANDB_API_KEY", raising=False)
        monkeypatch.setenv("WANDB_MODE", mode) if mode else monkeypatch.delenv("WANDB_MODE", raising=False)
        wandb.teardown()
        without = choose_mode()
        monkeypatch.setenv("WANDB_API_KEY", KEY)
        modes[mode] = (without, choose_mode())
    assert modes[None] == ("offline", "online")
    assert modes["online"] == ("offline", "online")
    assert modes["offline"] == ("offline", "offline")
    assert modes["disabled"] == ("disabled", "disabled")
    monkeypatch.delenv("WANDB_API_KEY")
    monkeypatch.setenv("WANDB_MODE", "online")
    (tmp_path / "netrc").write_text(f"machine api.wandb.ai login user password {KEY}\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert choose_mode() == "online"
    wandb.teardown()


def test_a_model_is_logged_with_what_it_was_made_of(wandb, tmp_path):
    from uncial.training.loggers.wandb import log_model

    model, base = tmp_path / "best.safetensors", tmp_path / "base"
    model.write_bytes(b"weights")
    base.mkdir()
    (base / "wandb.json").write_text('{"id": "abc", "project": "p", "entity": "me", "group": null}', encoding="utf-8")

    class Recorder:
        id = "xyz"
        used: list = []  # noqa: RUF012
        logged: list = []  # noqa: RUF012

        def use_artifact(self, artifact):
            self.used.append(artifact)

        def log_artifact(self, artifact, aliases):
            self.logged.append(artifact)

    run = Recorder()
    log_model(run, replace(outcome(model), pretrained=base))
    data, start = run.used
    assert (data.type, data.metadata["page_hashes"]) == ("dataset", ["aa", "bb"])
    assert start == "me/p/model-abc:latest"
    (logged,) = run.logged
    assert (logged.type, logged.name) == ("model", "model-xyz")
    assert "best.safetensors" in logged.manifest.entries


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({"logger": {"wandb": {"api_key": "abc"}}}, "logger.wandb.api_key"),
        ({"logger": {"wandb": {"notes": f"see {KEY}"}}}, "logger.wandb.notes"),
        ({"logger": {"mlflow": {"uri": "https://me:pass@mlflow.example"}}}, "logger.mlflow.uri"),
        ({"data": {"root": ["a", KEY]}}, "data.root"),
    ],
)
def test_secrets_are_refused_before_anything_is_written(content, key, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    with pytest.raises(UserError, match=key) as told:
        check_no_secrets(OmegaConf.create(content))
    assert KEY not in str(told.value)


def test_what_is_typed_is_shown_without_secrets(monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    assert drop_secrets(f"notes=a {KEY}") == "notes=a [hidden]"
    assert drop_secrets("hydra.job.env_set.DB_PASSWORD=x") == "hydra.job.env_set.DB_PASSWORD=[hidden]"
    assert drop_secrets("uri=https://me:pass@host/x") == "uri=https://[hidden]@host/x"
    assert drop_secrets("optimizer.lr=1e-3") == "optimizer.lr=1e-3"


def test_a_training_tells_wandb_and_tensorboard_at_once(run, drawn, wandb):
    short = ("trainer.max_steps=2", "trainer.validations=1", "trainer.batch_width=1000", "trainer.log_every=1")
    ended = run(
        "data=page", f"data.root={drawn / 'page'}", *TINY, *short, "logger=wandb", "logger.tensorboard=true", "name=me"
    )
    assert ended.code == 0, ended
    found = records(ended.folder)
    assert of_kind(found, "run")[0]["display_name"] == "me/run"
    told = {name for entry in of_kind(found, "history") for name in entry["item"]}
    assert told >= {"train/loss", "lr", "val/cer", "lines_per_second", "predictions._type", "confusions._type"}
    assert "lines_per_second" not in ended.read("metrics.csv")
    predicted = [line.split(",")[1] for line in ended.read("predictions.csv").splitlines()[1:]]
    (table,) = [table for table in read_tables(ended.folder) if table["columns"][0] == "page"]
    assert [row[1] for row in table["data"]] == predicted
    assert "wandb sync" in ended.output
    assert tensorboard_tags(ended.folder) >= {"val/cer", "lines_per_second", "best/cer"}


def tensorboard_tags(folder: Path) -> set[str]:
    from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

    paths = (folder / "tensorboard").rglob("*.tfevents.*")
    events = [event for path in paths for event in LegacyEventFileLoader(str(path)).Load()]
    return {value.tag for event in events for value in event.summary.value}


@pytest.fixture
def mlflow():
    return pytest.importorskip("mlflow", reason="MLflow is not installed; the extra `mlflow` has it")


def test_a_run_of_mlflow_holds_all_that_was_told_and_goes_on_when_it_is_resumed(mlflow, tmp_path, monkeypatch):
    from uncial.training.loggers.mlflow import MlflowRun

    monkeypatch.setenv("WANDB_API_KEY", KEY)
    folder, model = tmp_path / "0", tmp_path / "best.safetensors"
    model.write_bytes(b"weights")
    uri, artifacts = f"sqlite:///{tmp_path}/a store/mlflow.db", str(tmp_path / "artifacts")

    def logged(place: Path, group: str | None, step: int) -> str:
        def make(job):
            return MlflowRun(job, uri, artifacts, "letters", tags={"hand": "clerk"}, notes="a remark", lines=4)

        with start_loggers([make], job(place, group)) as loggers:
            loggers[0].log_metrics({"train/loss": 2.5, "lines_per_second": 12.0, "val/cer": float("nan")}, step=step)
            loggers[0].show_outcome(outcome(model))
        return loggers[0].version

    first = logged(folder, "2026-11-21_10-00-00", 7)
    assert logged(tmp_path / "1", None, 1) != first
    assert logged(folder, None, 9) == first
    client = mlflow.MlflowClient(uri)
    run = client.get_run(first)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "crnn/0"
    assert run.data.params == {"optimizer.lr": "0.1", "data.root": "['a', 'b']"}
    assert (run.data.metrics["best/cer"], "val/cer" in run.data.metrics) == (0.25, False)
    assert [(one.step, one.value) for one in client.get_metric_history(first, "train/loss")] == [(7, 2.5), (9, 2.5)]
    tags = {"hand": "clerk", "sweep": "2026-11-21_10-00-00", "task": "train", "data.data": "letters of 1858"}
    assert run.data.tags.items() >= {**tags, "mlflow.note.content": "a remark"}.items()
    (place,) = (tmp_path / "artifacts").glob(f"{first}/artifacts")
    assert {path.name for path in place.iterdir()} >= {"best.safetensors", "config.json", "pages.txt", "lines"}
    assert (place / "confusions.csv").read_text().splitlines() == ["truth,read,count", "n,u,3", ",e,1"]
    rows = (place / "predictions.csv").read_text().splitlines()[1:]
    assert [row.split(",")[4] for row in rows] == ["read 0", "read 2", "read 5", "read 7"]
    assert all((place / row.split(",")[2]).is_file() for row in rows)
    with (
        pytest.raises(KeyboardInterrupt),
        start_loggers([lambda job: MlflowRun(job, uri, artifacts)], job(tmp_path / "2")),
    ):
        raise KeyboardInterrupt
    (failed,) = client.search_runs([client.get_experiment_by_name("uncial").experiment_id])
    assert failed.info.status == "FAILED"
    assert not any(KEY.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_store_that_cannot_be_used_is_named(mlflow, tmp_path):
    from uncial.training.loggers.mlflow import MlflowRun

    (tmp_path / "torn.db").write_bytes(b"no database" * 100)
    with pytest.raises(UserError, match=r"logger\.mlflow\.uri"):
        MlflowRun(job(tmp_path / "0"), f"sqlite:///{tmp_path / 'torn.db'}")


def test_several_dashboards_are_chosen_at_once(run):
    ended = run("logger=[wandb,mlflow]", "task=train", "data=page", "data.root=nowhere")
    assert "nowhere" in ended.output
    assert "mlflow.db" in ended.read("config.yaml")
    assert "WandbRun" in ended.read("config.yaml")
    ended = run("logger=[wandb,mlfow]", into="other")
    assert "logger=mlfow does not exist. Did you mean mlflow?" in ended.output
