"""test.augmentation: the same lines once more under named degradations, with the difference and how sure it is."""

import json
from pathlib import Path

import numpy as np
import pytest
from drawn_layouts import read_csv
from logged_steps import tensorboard_values, wandb_history
from program import ROOT, TINY, run_program

from uncial.data.augmentation.degradation import LineDegradation, list_conditions
from uncial.data.store.store import Store
from uncial.metrics.error_rates import count

KINDS = ("noise", "blur", "jpeg", "occlusion")
LEVELS = ("light", "medium", "strong")
QUICK = ("metrics.resamples=200", "data.subset=all", "report.pictures=4")


@pytest.fixture(scope="module")
def score(trained, drawn, tmp_path_factory):
    """`score(NAME, …)`: the test of the trained model on all drawn pages."""
    root = tmp_path_factory.mktemp("degraded")

    def score(name, *typed, options=(), data=f"data.root={drawn / 'page'}"):
        model = f"checkpoint={trained.folder}"
        return run_program(root / name, *options, "task=test", model, "data=page", data, *QUICK, *typed)

    return score


@pytest.fixture(scope="module")
def all_kinds(score):
    ended = score("all", f"test.augmentation=[{','.join(KINDS)}]")
    assert ended.code == 0, ended
    return ended


def test_each_level_of_each_kind_is_scored_beside_the_clean_lines(all_kinds):
    rows = {row["condition"]: row for row in read_csv(all_kinds.folder / "robustness.csv")}
    assert list(rows) == ["clean", *(f"{kind} {level}" for kind in KINDS for level in LEVELS)]
    assert float(rows["clean"]["cer"]) == all_kinds.metrics["test"]["cer"]
    lines = read_csv(all_kinds.folder / "robustness_lines.csv")
    for name, row in rows.items():
        counts = count([line["truth"] for line in lines], [line[f"prediction {name}"] for line in lines])
        assert float(row["cer"]) == pytest.approx(counts.edits / counts.characters)
        assert counts.edits == sum(int(line[f"edits {name}"]) for line in lines)
        if name != "clean":
            difference = float(row["difference"])
            assert difference == pytest.approx(float(row["cer"]) - float(rows["clean"]["cer"]))
            assert float(row["difference_low"]) <= difference <= float(row["difference_high"])
    for kind in ("noise", "occlusion"):
        light, _, strong = (float(rows[f"{kind} {level}"]["cer"]) for level in LEVELS)
        assert max(float(rows["clean"]["cer"]), light) < strong
    assert any(rows[f"{kind} strong"]["is_shown"] == "True" for kind in KINDS)
    for row in list(rows.values())[1:]:
        assert (row["is_shown"] == "True") == (float(row["p"]) <= 0.05)
    assert [row["condition"] for row in json.loads(all_kinds.read("robustness.json"))] == list(rows)
    for text in (all_kinds.output, all_kinds.read("robustness.md"), all_kinds.read("report.html")):
        assert "noise strong" in text
        assert "points worse than clean" in text
    assert (all_kinds.folder / "robustness.png").stat().st_size > 10_000
    assert all_kinds.read("report.html").count('class="strip" src="data:image/webp') == len(rows)


def test_metrics_and_dashboards_have_the_scores_under_names_of_their_own(all_kinds, score):
    rows = {row["condition"]: row for row in read_csv(all_kinds.folder / "robustness.csv")}
    figures = all_kinds.metrics["degraded"]
    conditions = list(rows)[1:]
    names = ("cer", "wer", "line_accuracy", "difference", "p")
    assert set(figures) == {f"{condition.replace(' ', '_')}/{name}" for condition in conditions for name in names}
    for condition in conditions:
        for name in names:
            assert figures[f"{condition.replace(' ', '_')}/{name}"] == float(rows[condition][name])
    assert "degraded" not in all_kinds.metrics["test"]
    shown = score("shown", "test.augmentation=[blur,occlusion]", "logger.tensorboard=true")
    assert shown.code == 0, shown
    for name, value in shown.metrics["degraded"].items():
        [event] = tensorboard_values(shown.folder, f"degraded/{name}")
        assert event == pytest.approx(value)
    assert not any(name.startswith("degraded/") for name in read_csv(shown.folder / "metrics.csv")[0])


def test_weights_and_biases_and_mlflow_have_them_too(score, monkeypatch, tmp_path):
    pytest.importorskip("wandb", reason="wandb is not installed")
    mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed")
    monkeypatch.setenv("WANDB_MODE", "offline")
    typed = ("test.augmentation=occlusion", "logger=[wandb,mlflow]")
    ended = score("dashboards", *typed, f"logger.mlflow.uri=sqlite:///{tmp_path}/mlflow.db")
    assert ended.code == 0, ended
    identity = json.loads(ended.read("mlflow.json"))
    own = mlflow.MlflowClient(identity["uri"]).get_run(identity["run"]).data.metrics
    logged = wandb_history(ended.folder)
    for name, value in ended.metrics["degraded"].items():
        assert own[f"degraded/{name}"] == pytest.approx(value)
        assert logged[f"degraded/{name}"] == pytest.approx(value)


def test_p_values_are_corrected_for_the_number_of_conditions(all_kinds, score):
    alone = score("one", "test.augmentation=occlusion")
    assert alone.code == 0, alone
    found = {row["condition"]: float(row["p"]) for row in read_csv(alone.folder / "robustness.csv")[1:]}
    among = {row["condition"]: float(row["p"]) for row in read_csv(all_kinds.folder / "robustness.csv")[1:]}
    assert all(among[name] > p for name, p in found.items() if p < 0.5)


def test_the_same_seed_gives_the_same_images_whatever_is_read_beside_them(all_kinds, score, drawn):
    few = score("few", "test.augmentation=[noise,occlusion]", "data.exclude=['*_0001*','*_0003*']")
    other = score("other", "test.augmentation=[noise,occlusion]", "seed=2")
    assert (few.code, other.code) == (0, 0), (few, other)
    columns = [f"prediction {kind} {level}" for kind in ("noise", "occlusion") for level in LEVELS]

    def read(ended):
        rows = read_csv(ended.folder / "robustness_lines.csv")
        return {(row["page"], row["line"]): [row[column] for column in columns] for row in rows}

    every = read(all_kinds)
    assert 0 < len(read(few)) < len(every)
    assert all(readings == every[line] for line, readings in read(few).items())
    assert read(other) != every


def test_without_it_nothing_is_degraded_and_the_clean_files_are_the_same(all_kinds, score):
    plain = score("plain")
    assert plain.code == 0, plain
    assert not list(plain.folder.glob("robustness*"))
    assert "Degraded images" not in plain.read("report.html")
    for name in ("predictions.csv", "scores.json", "lines.jsonl"):
        assert plain.read(name) == all_kinds.read(name)
    none = score("none", "test.augmentation=none")
    assert not list(none.folder.glob("robustness*"))


def test_groups_and_classes_of_ones_own(score, tmp_path):
    group = tmp_path / "conf" / "augmentation" / "faint.yaml"
    group.parent.mkdir(parents=True)
    group.write_text(
        "defaults: [none, _self_]\ntransforms:\n  - _target_: uncial.data.augmentation.paper.PaperSpans\n"
        "    count: ${data.folds}\n    width: 0.8\n",
        encoding="utf-8",
    )
    spots = "{_target_: uncial.data.augmentation.paper.PaperPatches, share: 0.2}"
    many = "{_target_: albumentations.OneOf, p: 1.0, transforms: [{_target_: albumentations.InvertImg, p: 1.0}]}"
    typed = (f"test.augmentation=[faint,strong,{spots},{spots},{many}]", "data.folds=4")
    ended = score("own", *typed, options=("--config-dir", str(tmp_path / "conf")))
    assert ended.code == 0, ended
    rows = {row["condition"]: float(row["cer"]) for row in read_csv(ended.folder / "robustness.csv")}
    assert list(rows) == ["clean", "faint", "strong", "PaperPatches", "PaperPatches 2", "OneOf"]
    assert rows["PaperPatches"] == rows["PaperPatches 2"] > rows["clean"]
    assert rows["OneOf"] > rows["clean"]


def test_a_class_alone_comes_up_on_every_line_unless_its_p_is_given(score):
    ended = score("class", "test.augmentation={_target_: albumentations.InvertImg}")
    assert ended.code == 0, ended
    rows = read_csv(ended.folder / "robustness_lines.csv")
    assert all(row["prediction clean"] != row["prediction InvertImg"] for row in rows if row["prediction clean"])


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("noize", "choose one of blur, default,"),
        ("noize", "Did you mean noise?"),
        ("[noise,true]", "test.augmentation=True"),
        ("{share: 0.2}", "the name of a file in conf/augmentation is needed"),
        ("{_target_: uncial.data.augmentation.paper.PaperPatches, shear: 0.2}", "PaperPatches"),
        ("{_target_: albumentations.Rotat}", "Rotat"),
        ("{_target_: albumentations.Resize, height: 20, width: 20}", "size"),
    ],
)
def test_what_is_no_degradation_ends_in_one_sentence_before_anything_is_read(score, typed, told):
    ended = score("wrong", f"test.augmentation={typed}")
    assert ended.code == 1, ended
    assert told in ended.output.strip().splitlines()[-1]
    assert "compiling" not in ended.output
    assert "test.augmentation" in ended.output


def test_a_training_takes_a_degradation_as_its_augmentation(run, drawn):
    steps = ("trainer.max_steps=2", "trainer.validations=1", "trainer.batch_width=1000")
    ended = run("data=page", f"data.root={drawn / 'page'}", "augmentation=degradation/blur", *TINY, *steps)
    assert ended.code == 0, ended
    looked = run(
        "task=inspect", "data=page", f"data.root={drawn / 'page'}", "augmentation=degradation/jpeg", into="looked"
    )
    assert looked.code == 0, looked
    assert (looked.folder / "augmentation.png").is_file()


def test_a_training_draws_one_level_for_each_line(trained):
    [condition, *_] = list_conditions("noise", group_of("noise"))
    line = np.full((32, 200), 255, np.uint8)
    line[8:24, 20:180:9] = 0
    whole = build(group_of("noise"))
    levels = [one.augmentation for one in list_conditions("noise", group_of("noise"))]
    drawn = [whole(line, 1, 0, index) for index in range(30)]
    which = [
        next(level for level, one in enumerate(levels) if (one(line, 1, 0, index) == image).all())
        for index, image in enumerate(drawn)
    ]
    assert set(which) == {0, 1, 2}
    assert (whole(line, 1, 0, 3) == drawn[3]).all()
    [store] = (trained.folder.parent / "store").glob("*.arrow")
    opened = Store(store)
    degrade = LineDegradation(condition.augmentation, opened)
    assert (degrade(line, 1, 0, 0) == degrade(line, 1, 5, 0)).all(), "the epoch does not matter"
    assert (degrade(line, 1, 0, 0) != degrade(line, 1, 0, 1)).any()
    assert (degrade(line, 1, 0, 0) != degrade(line, 2, 0, 0)).any()


def group_of(name: str):
    from omegaconf import OmegaConf

    return OmegaConf.to_container(OmegaConf.load(Path(ROOT) / "conf" / "augmentation" / "degradation" / f"{name}.yaml"))


def build(group):
    from uncial.data.augmentation.chain import build_augmentation

    return build_augmentation(group)


def test_lines_of_the_levels_are_worse_and_worse_to_look_at():
    line = np.full((48, 400), 255, np.uint8)
    line[12:36, 20:380:9] = 0
    for kind in KINDS:
        off = [
            np.abs(one.augmentation(line, 1, 0, 7).astype(float) - line).mean()
            for one in list_conditions(kind, group_of(kind))
        ]
        assert 0 < off[0] < off[1] < off[2], kind
        for one in list_conditions(kind, group_of(kind), channels=3):
            assert one.augmentation(np.dstack([line] * 3), 1, 0, 7).shape == (48, 400, 3)
