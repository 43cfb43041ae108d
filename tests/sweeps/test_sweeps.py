"""Sweeps: every job has its folder, one that fails takes no other down, and a sweep that was stopped is completed."""

import shutil
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from program import ROOT, TINY, Ended, quoted, run_program

from uncial.config.keys import group_choices, group_names, list_known_keys
from uncial.problems.trainer import build_length_config
from uncial.runs.outcome import FAILED, FINISHED, find_differing_overrides, read_outcomes
from uncial.sweeps.callbacks import make_unused_folder

TEMPLATES = ROOT / "multirun_templates" / "sweep"
SMALL = tuple(key for key in TINY if "height" not in key)
SHORT = (*SMALL, "trainer.max_steps=2", "trainer.validations=1", "trainer.batch_width=1000", "callbacks.samples=0")


@pytest.fixture(scope="module")
def sweep(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """Three jobs, the second of which fails. Read only."""
    folder = tmp_path_factory.mktemp("sweeps") / "a sweep"
    swept = ("model.head.hidden=16", "model.preprocessing.height=32,-1,40")
    typed = ("data=page", f"data.root={drawn / 'page'}", *SHORT, *swept)
    return run_program(folder, "-m", *typed, f"hydra.sweep.dir={quoted(folder)}")


def test_a_job_that_fails_is_told_and_takes_no_other_down(sweep):
    found = read_outcomes(sweep.folder)
    assert [(name, outcome.state) for name, outcome in found.items()] == [
        ("0", FINISHED),
        ("1", FAILED),
        ("2", FINISHED),
    ]
    assert sweep.code == 1
    assert "Error: 1 of the 3 jobs failed" in sweep.output
    assert f"  1 model.preprocessing.height=-1: {found['1'].error}" in sweep.output
    assert "Traceback" not in sweep.output


def test_the_store_is_compiled_once_and_serves_every_height(sweep):
    assert len(list((sweep.folder.parent / "store").glob("*.arrow"))) == 1


def test_a_sweep_that_was_stopped_is_completed(sweep, tmp_path):
    folder = tmp_path / "moved"
    shutil.copytree(sweep.folder, folder)
    (folder / "0" / "outcome.json").unlink()
    (folder / "0" / "metrics.json").unlink()
    shutil.rmtree(folder / "1")
    before = {path: path.stat().st_mtime_ns for path in (folder / "2").iterdir()}
    ended = run_program(folder, "-m", f"resume={quoted(folder)}")
    assert ended.code == 1
    assert "Error: 1 of the 3 jobs failed" in ended.output
    assert "from step 2 of 2" in ended.output
    assert {path: path.stat().st_mtime_ns for path in (folder / "2").iterdir()} == before
    for name in ("best.safetensors", "predictions.csv"):
        assert (folder / "0" / name).read_bytes() == (sweep.folder / "0" / name).read_bytes()
    assert sorted(path.name for path in folder.iterdir()) == ["0", "1", "2", "multirun.yaml"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-m", "resume={}", "optimizer.lr=3"], "would change the sweep"),
        (["resume={}"], "is a sweep"),
        (["-m", "hydra.sweep.dir={}", "seed=1,2"], "holds a sweep already"),
        (["sweep=lr_schedule"], "is for -m"),
        (["-m", "hydra/launcher=jobli"], "Did you mean joblib? Choices: basic, joblib, ray, slurm."),
        (["-m", "optimizer.lr=1e-3,fast"], "optimizer.lr=fast: a number is expected"),
    ],
)
def test_what_cannot_be_meant_ends_in_one_sentence(sweep, tmp_path, arguments, told):
    ended = run_program(tmp_path / "run", *(argument.format(quoted(sweep.folder)) for argument in arguments))
    assert ended.code == 1
    assert told in ended.output
    assert len(ended.output.splitlines()) == 1


def test_every_template_sweeps_what_there_is():
    conf = ROOT / "conf"
    keys, groups = list_known_keys(conf), group_names(conf)
    names = [path.stem for path in TEMPLATES.glob("*.yaml")]
    assert {"lr", "schedule", "lr_schedule", "architecture", "augmentation", "seeds", "folds"} <= set(names)
    for name in names:
        params = yaml.safe_load((TEMPLATES / f"{name}.yaml").read_text(encoding="utf-8"))["hydra"]["sweeper"]["params"]
        for key, values in params.items():
            swept = OverridesParser.create().parse_override(f"{key}={str(values).replace('${data.folds}', '5')}")
            assert swept.is_sweep_override(), f"{name}: {key}={values}"
            assert key in groups or key in keys, f"{name}: {key}"
            if not swept.is_discrete_sweep():
                continue
            chosen = list(swept.sweep_string_iterator())
            assert len(set(chosen)) == len(chosen) > 1
            if key in groups:
                assert set(chosen) <= set(group_choices(conf, key)), f"{name}: {key}={values}"


def test_every_template_is_found(monkeypatch):
    monkeypatch.setenv("UNCIAL_ROOT", str(ROOT))
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        paths = list(TEMPLATES.glob("*.yaml"))
        assert len(paths) > 5
        for path in paths:
            config = compose("config", ["data=bonnevie", f"sweep={path.stem}"], return_hydra_config=True)
            assert config.hydra.sweeper.params


@pytest.mark.parametrize(("length", "views"), [([], 150_000), (["trainer.lines_seen=200000"], 200_000)])
def test_the_runs_of_a_learning_curve_differ_in_their_lines_alone(monkeypatch, length, views):
    """A least number of passes over the lines of each run would make those on many lines longer, whole epochs those on
    a few shorter or longer."""
    monkeypatch.setenv("UNCIAL_ROOT", str(ROOT))
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        configs = {
            lines: compose("config", ["data=page", "sweep=learning_curve", f"data.share={lines}/30000", *length])
            for lines in (1_000, 7_000, 30_000)
        }
    read = {round(build_length_config(config, lines).epochs * lines, 6) for lines, config in configs.items()}
    assert read == {views}


def test_no_two_runs_get_one_folder(tmp_path):
    folders = [make_unused_folder(tmp_path / "outputs" / "name" / "now") for _ in range(3)]
    assert [folder.name for folder in folders] == ["now", "now_2", "now_3"]
    assert all(folder.is_dir() for folder in folders)


def test_what_differs_between_jobs():
    assert find_differing_overrides([["a=1", "b=2"], ["a=1", "b=3"], ["a=1"]]) == [("b=2",), ("b=3",), ()]
    assert find_differing_overrides([]) == []
