"""Keys under the names that other programs have for them: warm-up in epochs, batches in lines, accuracies, a codec in a
config file, a compiled file to hand on; and presets with the values of those programs."""

import json
import math

import pytest
import yaml
from drawn_layouts import read_csv
from program import ROOT, TINY, run_program

from uncial.models.files import load_card
from uncial.training.schedulers import schedules
from uncial.training.schedulers.plan import StepPlan

SHORT = ("data=page", *TINY, "trainer.validations=1", "augmentation=none")


@pytest.mark.parametrize(("epochs", "steps"), [(2, 40), (0.5, 10), (0.26, 6), (0, 0)])
def test_a_warm_up_of_so_many_epochs(epochs, steps):
    plan = StepPlan(total=100, epoch=20, validation=10.0, lines=8.0)
    schedule = schedules.constant(warmup_epochs=epochs, warmup_steps=3)
    rising = [schedule(step, plan) for step in range(steps)]
    assert rising == pytest.approx([(step + 1) / steps for step in range(steps)])
    assert schedule(steps, plan) == 1.0


def test_warmup_epochs_is_a_key_of_every_schedule_and_is_refused_beside_another(train):
    for path in (ROOT / "conf" / "scheduler").glob("*.yaml"):
        keys = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert path.stem in ("torch", "timm") or keys["warmup_epochs"] is None, path
    ended = train(
        "trainer.max_epochs=2", "scheduler=constant", "scheduler.warmup_epochs=1", "optimizer.lr=1e-3",
        "trainer.log_every=1", "trainer.batch_width=700",
    )  # fmt: skip
    rates = [float(row["lr"]) / 1e-3 for row in read_csv(ended.folder / "metrics.csv") if row.get("lr")]
    half = len(rates) // 2
    assert rates == pytest.approx([(step + 1) / half for step in range(half)] + [1.0] * half)
    both = train("scheduler.warmup_epochs=1", "scheduler.warmup_samples=8", into="both")
    assert both.code == 1
    assert "scheduler.warmup_samples and scheduler.warmup_epochs are both set" in both.output


def test_a_batch_of_so_many_lines_whatever_their_width(train):
    """30 training lines: four batches of eight, the last with six."""
    ended = train("trainer.batch_size=8", "trainer.max_epochs=1")
    assert ended.code == 0, ended
    assert ended.metrics["train"]["steps"] == math.ceil(30 / 8)
    planned = train("task=inspect", "trainer.batch_size=8", "trainer.max_epochs=1", "inspect.augmentation=0", into="p")
    assert "has 4 steps of 7.5 lines" in planned.output
    accumulated = train("trainer.batch_size=4", "trainer.accumulate=2", "trainer.max_epochs=1", into="accumulated")
    assert accumulated.metrics["train"]["steps"] == 4


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("trainer.batch_size=64",), "trainer.batch_size=64 cannot be reached: the train part has 30 lines"),
        (("trainer.max_lines=20", "trainer.batch_width=700"), "trainer.max_lines=20 is never reached: with trainer.ba"),
        (("trainer.batch_size=2", "trainer.batch_width=700"), "trainer.batch_width changes nothing beside trainer.bat"),
        (("trainer.max_lines=2", "trainer.batch_width=7000"), ""),
        (("trainer.batch_width=700",), ""),
    ],
)
def test_a_size_that_no_batch_comes_to_is_told(train, typed, told):
    ended = train("trainer.max_steps=1", *typed)
    assert ended.code == 0, ended
    said = [line for line in ended.output.splitlines() if "reached" in line or "changes nothing" in line]
    assert len(said) == bool(told)
    assert told in " ".join(said)


def test_a_batch_size_that_is_none_is_refused(train):
    ended = train("trainer.batch_size=0")
    assert ended.code == 1
    assert "trainer.batch_size=0: a number is needed that is 1 or more" in ended.output


@pytest.mark.parametrize("score", ["line_accuracy", "word_accuracy"])
def test_a_model_is_chosen_by_an_accuracy(run, drawn, score):
    from program import LEARNING

    ended = run(
        "data=page", f"data.root={drawn / 'page'}", *LEARNING, "trainer.max_steps=120", "trainer.validations=6",
        f"model.monitor=val/{score}", "model.mode=max",
    )  # fmt: skip
    assert ended.code == 0, ended
    found = [float(row[f"val/{score}"]) for row in read_csv(ended.folder / "metrics.csv") if row.get(f"val/{score}")]
    assert load_card(ended.folder)["scores"][score] == pytest.approx(max(found))
    figures = ended.metrics["val"]
    assert figures["word_accuracy"] == pytest.approx(1 - figures["wer"])
    board = run(
        "task=leaderboard", f"run={ended.folder}", f"leaderboard.by=val/{score}", "leaderboard.mode=max", into="b"
    )
    assert board.code == 0, board
    assert f"{figures[score]:.4g}"[:4] in board.read("leaderboard.csv")


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("model.monitor=val/line_accuracy",), "model.monitor=val/line_accuracy is best where it is largest: model.mo"),
        (("model.monitor=val/wer", "model.mode=max"), "model.monitor=val/wer is best where it is least: model.mode=mi"),
        (("model.monitor=val/accuracy",), "model.monitor=val/accuracy: the validation gives val/cer, val/wer"),
        (("model.monitor=cer",), "model.monitor=cer: the validation gives val/cer"),
    ],
)
def test_a_score_that_does_not_exist_or_its_worse_end_is_refused_before_data_are_read(train, typed, told):
    ended = train(*typed)
    assert ended.code == 1
    assert told in ended.output
    assert "compiled" not in ended.output


def letters_of(drawn):
    from xml.etree import ElementTree

    pages = (drawn / "page" / "page").glob("*.xml")
    return sorted(
        {one for page in pages for text in ElementTree.parse(page).iterfind(".//{*}Unicode") for one in text.text}
    )


def in_yaml(letter):
    return letter if letter.isdigit() else json.dumps(letter, ensure_ascii=False)


@pytest.mark.parametrize("form", ["list", "labels", "lists of labels"])
def test_a_codec_written_out_in_yaml(drawn, tmp_path, form):
    """Also in the file of a model of one's own; digits need no quotes."""
    letters = [*letters_of(drawn), "7", "ß"]
    numbered = [(one, number) for number, one in enumerate(sorted(letters), 1)]
    content = {
        "list": f"[{', '.join(map(in_yaml, letters))}]",
        "labels": "{" + ", ".join(f"{in_yaml(one)}: {number}" for one, number in numbered) + "}",
        "lists of labels": "{" + ", ".join(f"{in_yaml(one)}: [{number}]" for one, number in numbered) + "}",
    }[form]
    (tmp_path / "conf" / "experiment").mkdir(parents=True)
    (tmp_path / "conf" / "experiment" / "ours.yaml").write_text(
        f"# @package _global_\nmodel:\n  codec: {content}\n", encoding="utf-8"
    )
    typed = ("--config-dir", str(tmp_path / "conf"), *SHORT, f"data.root={drawn / 'page'}", "experiment=ours")
    ended = run_program(tmp_path / "run", *typed, "trainer.max_steps=1")
    assert ended.code == 0, ended
    assert "lacks" not in ended.output
    assert sorted(load_card(ended.folder)["codec"]["alphabet"]) == sorted(letters)
    resumed = run_program(tmp_path / "run", f"resume={ended.folder}")
    assert "is finished" in resumed.output


@pytest.mark.parametrize(
    ("codec", "told"),
    [
        ("{a: [1], b: [1]}", "model.codec is no codec that can be used"),
        ("[a, a]", "model.codec is no codec that can be used: 'a' is defined more than once"),
        ("[a, true]", "model.codec: True is no text to YAML; write it in quotes"),
        ("{a: b}", "model.codec is no codec that can be used"),
        ("[]", "model.codec is an empty codec"),
    ],
)
def test_a_codec_that_is_none_is_refused_before_data_are_read(train, codec, told):
    ended = train(f"model.codec={codec}")
    assert ended.code == 1
    assert told in ended.output
    assert "compiled" not in ended.output


def test_what_a_codec_in_yaml_lacks_is_told(train):
    ended = train("model.codec=[a,b]", "trainer.max_steps=1")
    assert "model.codec lacks" in ended.output


def test_a_compiled_file_is_handed_on(run, drawn, tmp_path):
    target = tmp_path / "given" / "lines.arrow"
    data = ("task=compile", "data=page", f"data.root={drawn / 'page'}")
    ended = run(*data, f"compile.output={target}")
    assert ended.code == 0, ended
    assert f"To be handed on: {target}" in ended.output
    [store] = (tmp_path / "store").glob("*.arrow")
    assert target.read_bytes() == store.read_bytes()
    trained = run_program(
        tmp_path / "elsewhere" / "run", *SHORT[1:], "data=compiled", f"data.root={target}", "trainer.max_steps=1"
    )
    assert trained.code == 0, trained
    again = run(*data, f"compile.output={target}", into="again")
    assert again.code == 1
    assert f"compile.output={target} exists already: choose another name, or remove it." in again.output
    other = run(*data, f"compile.output={tmp_path / 'lines'}", into="other")
    assert "has to end in .arrow" in other.output
    assert run("data=page", f"data.root={drawn / 'page'}", "compile.output=x.arrow", into="vain").code == 1


PRESETS = {
    "loghi_finetune": ("AdamW", {"lr": 3e-4}, {"batch_size": 8, "max_epochs": 5}),
    "ketos": ("AdamW", {"lr": 1e-3, "weight_decay": 0.0}, {"batch_size": 1, "patience": 10, "gradient_clip": 1.0}),
    "thulium": ("AdamW", {"lr": 3e-4, "weight_decay": 0.01}, {"batch_size": 32, "accumulate": 2, "patience": 15}),
    "greek_crnn": ("Adam", {"lr": 1e-3, "weight_decay": 1e-4}, {"batch_size": 32, "max_epochs": 100, "patience": 10}),
}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_the_values_of_the_other_system_and_trains(name, run, drawn, trained):
    optimizer, rates, trainer = PRESETS[name]
    start = [f"pretrained={trained.folder}"] if name == "loghi_finetune" else []
    typed = (f"experiment={name}", "data=page", f"data.root={drawn / 'page'}", *start)
    ended = run(*typed, "trainer.max_steps=1", "trainer.batch_size=2", "trainer.accumulate=1")
    assert ended.code == 0, ended
    config = yaml.safe_load(ended.read("config.yaml"))
    assert config["optimizer"]["_target_"] == f"torch.optim.{optimizer}"
    assert {key: config["optimizer"][key] for key in rates} == rates
    stated = yaml.safe_load((ROOT / "conf" / "experiment" / f"{name}.yaml").read_text(encoding="utf-8"))
    assert {key: stated["trainer"][key] for key in trainer} == trainer
    assert config["augmentation"]["transforms"] == [] or name == "thulium"
    if name == "greek_crnn":
        assert (config["scheduler"]["warmup_epochs"], config["model"]["monitor"]) == (5, "val/loss")
