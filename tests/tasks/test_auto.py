"""experiment=auto: how to train is chosen, said, left to be edited, and done."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf
from program import ROOT, TINY, run_program

from uncial.config.keys import group_choices, list_known_keys
from uncial.problems.recognition.auto import (
    DataFacts,
    estimate_batch_lines,
    estimate_views,
    read_recipe,
    suggest_settings,
    write_recipe,
)

FACTS = DataFacts(
    lines=800, characters=90, width=500.0, height=48, pace=20.0, seconds=600.0, device="cpu", cores=2, rate=5e-3
)
facts = st.builds(
    DataFacts,
    lines=st.integers(1, 500_000),
    characters=st.integers(1, 5_000),
    width=st.floats(20, 3_000),
    height=st.integers(16, 128),
    pace=st.floats(0.1, 5_000),
    seconds=st.none() | st.floats(10, 1e6),
    device=st.sampled_from(["cpu", "gpu"]),
    cores=st.integers(1, 128),
    rate=st.floats(1e-5, 1.0),
    tuned=st.booleans(),
)


@settings(deadline=None)
@given(facts)
def test_every_choice_is_a_key_or_a_group_that_there_is(facts):
    for choice in suggest_settings(facts):
        assert choice.reason
        if "." in choice.key:
            assert choice.key in list_known_keys(ROOT / "conf")
            assert float(choice.value) > 0
        else:
            assert choice.value in group_choices(ROOT / "conf", choice.key)


@given(facts, st.floats(1, 100))
def test_more_time_never_makes_batches_smaller_nor_steps_fewer(facts, factor):
    facts = replace(facts, seconds=facts.seconds or 600.0)
    longer = replace(facts, seconds=facts.seconds * factor)
    less, more = estimate_views(facts), estimate_views(longer)
    assert estimate_batch_lines(facts, less) <= estimate_batch_lines(longer, more)
    # A batch is doubled where the steps are more than enough, so that they may halve then.
    assert more / estimate_batch_lines(longer, more) >= min(less / estimate_batch_lines(facts, less), 1_200) * 0.5


@given(facts)
def test_a_batch_holds_the_lines_that_were_chosen_and_the_rate_follows_them(facts):
    chosen = {choice.key: choice.value for choice in suggest_settings(facts)}
    lines, pixels = int(chosen["trainer.max_lines"]), int(chosen["trainer.batch_width"])
    width = facts.width * int(chosen.get("model.preprocessing.height", facts.height)) / facts.height
    assert 1 <= lines <= (64 if facts.device == "gpu" else 16)
    assert abs(pixels - lines * width) <= 100
    assert math.isclose(
        float(chosen["optimizer.lr"]),
        facts.rate * (0.2 if facts.tuned else 1) * min(2, math.sqrt(lines / 8)),
        rel_tol=0.05,
    )


def test_an_optimizer_without_a_rate_gets_none():
    assert "optimizer.lr" not in {choice.key for choice in suggest_settings(replace(FACTS, rate=None))}


def test_lines_that_are_seen_often_vary_more():
    def augmentation(lines):
        return next(one.value for one in suggest_settings(replace(FACTS, lines=lines)) if one.key == "augmentation")

    assert [augmentation(lines) for lines in (100, 1_000, 10_000)] == ["strong", "default", "light"]


def test_short_trainings_take_low_lines_and_models_that_can_read_keep_theirs():
    def height(**changed):
        found = {choice.key: choice.value for choice in suggest_settings(replace(FACTS, **changed))}
        return found.get("model.preprocessing.height")

    assert height(seconds=300.0) == "32"
    assert height(seconds=3_600.0) is None
    assert height(seconds=300.0, tuned=True) is None
    assert height(seconds=300.0, height=32) is None
    assert height(seconds=300.0, height=120) is None


def test_without_a_time_every_line_is_seen_twelve_times_at_least():
    assert estimate_views(replace(FACTS, seconds=None)) == 60_000
    assert estimate_views(replace(FACTS, seconds=None, lines=50_000)) == 600_000


def test_a_length_that_was_asked_for_is_what_the_choice_is_for():
    def found(**asked):
        return {choice.key: choice.value for choice in suggest_settings(replace(FACTS, **{"seconds": None, **asked}))}

    few, passes = found(steps=200), found(epochs=2.5)
    assert few["trainer.lines_seen"] == "1600"
    assert (few["augmentation"], few["scheduler.warmup_fraction"]) == ("light", "0.1")
    assert passes["trainer.lines_seen"] == "2000"
    assert found(seconds=300.0)["trainer.time_budget"] == "300"
    assert estimate_views(replace(FACTS, steps=200)) == estimate_views(FACTS), "a time budget counts before them"


@pytest.mark.parametrize("name", ["auto-page", "a: b #1", "2024", "yes"])
def test_the_choice_can_be_read_whatever_the_run_is_called(name, tmp_path):
    path = tmp_path / "my runs" / "experiment" / "chosen.yaml"
    write_recipe(path, FACTS, suggest_settings(FACTS), name)
    assert OmegaConf.load(path).name == name
    assert f"--config-dir '{tmp_path / 'my runs'}' " in path.read_text(encoding="utf-8")
    assert [line.partition("=")[0] for line in read_recipe(path)][-1] == "optimizer.lr"


@pytest.fixture(scope="module")
def chosen(drawn, tmp_path_factory):
    folder = tmp_path_factory.mktemp("auto") / "run"
    return run_program(
        folder, "experiment=auto", "data=page", f"data.root={drawn / 'page'}", *TINY, "trainer.max_steps=3", "seed=4"
    )


def test_it_says_why_and_trains_with_what_it_chose(chosen):
    assert chosen.code == 0, chosen
    for word in ("chosen", "because", "trainer.max_lines=", "augmentation=", "lines/s measured", "optimizer.lr="):
        assert word in chosen.output
    file = OmegaConf.load(chosen.folder / "experiment" / "chosen.yaml")
    used = OmegaConf.load(chosen.folder / "config.yaml")
    for key in ("trainer.max_lines", "trainer.batch_width", "trainer.lines_seen", "optimizer.lr"):
        assert OmegaConf.select(used, key) == OmegaConf.select(file, key), key
    assert (used.task.name, used.name, used.seed, used.trainer.max_steps) == ("train", "auto-page", 4, 3)
    assert chosen.metrics["train"]["steps"] == 3
    assert " 3 steps; " in " ".join(chosen.output.split())


def test_what_was_typed_stays(drawn, tmp_path):
    typed = ("optimizer.lr=0.5e-3", "trainer.max_lines=3", "augmentation=none", "trainer.max_steps=2")
    ended = run_program(tmp_path / "run", "experiment=auto", "data=page", f"data.root={drawn / 'page'}", *TINY, *typed)
    assert ended.code == 0, ended
    assert ended.output.count("as it was typed") == 3
    used = OmegaConf.load(tmp_path / "run" / "config.yaml")
    assert (used.optimizer.lr, used.trainer.max_lines, used.augmentation.transforms) == (0.5e-3, 3, [])


@pytest.mark.parametrize(
    "typed",
    [
        ("scheduler.warmup_epochs=0.5",),
        ("scheduler.warmup_samples=20",),
        ("scheduler=torch", "scheduler._target_=torch.optim.lr_scheduler.StepLR", "+scheduler.step_size=1"),
        ("scheduler={_target_: torch.optim.lr_scheduler.ExponentialLR, gamma: 0.9}",),
    ],
)
def test_a_warm_up_or_a_scheduler_that_was_typed_gets_no_other_warm_up(drawn, tmp_path, typed, monkeypatch):
    monkeypatch.setattr("uncial.tasks.auto.PROBE_SECONDS", 0.5)
    data = ("experiment=auto", "data=page", f"data.root={drawn / 'page'}", *TINY, "trainer.max_steps=2")
    ended = run_program(tmp_path / "run", *data, *typed)
    assert ended.code == 0, ended
    used = OmegaConf.load(tmp_path / "run" / "config.yaml").scheduler
    assert used.get("warmup_fraction") is None
    assert "warmup_fraction" not in ended.output
    if "warmup" in typed[0]:
        key, _, value = typed[0].removeprefix("scheduler.").partition("=")
        assert used[key] == float(value)
    else:
        assert used["_target_"].startswith("torch.optim.lr_scheduler.")


def test_the_choice_can_be_trained_with_and_the_run_resumed(chosen, drawn, run):
    again = run(
        "--config-dir",
        str(chosen.folder),
        "experiment=chosen",
        "data=page",
        f"data.root={drawn / 'page'}",
        *TINY,
        "trainer.max_steps=3",
        "seed=4",
    )
    assert again.code == 0, again
    assert again.metrics["val"] == chosen.metrics["val"]
    resumed = run(f"resume={chosen.folder}", into="resumed")
    assert resumed.code == 1
    assert "is finished" in resumed.output
