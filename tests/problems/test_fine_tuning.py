"""pretrained=…: what is taken over, what freezes, and what is said about it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml
from drawn_layouts import OPTIONS, draw_pages, write_page_layout
from program import LEARNING, run_program
from safetensors.torch import load_file
from small_models import make_model, model_config

from uncial.data.synthetic.page import draw_page
from uncial.errors import UserError
from uncial.models.files import load_card, load_model
from uncial.problems.recognition.transfer import transfer_weights
from uncial.text.codec import CharacterCodec
from uncial.text.rules import TextRules

SHORT = (
    "trainer.max_steps=4",
    "trainer.validations=1",
    "trainer.batch_width=400",
    "augmentation=none",
    "scheduler=constant",
    "scheduler.warmup_steps=1",
)
OUTPUT = "decoder.output.weight"


@pytest.fixture(scope="module")
def other_pages(tmp_path_factory):
    """Pages whose lines hold letters that the `trained` model knows, and a few `z` and `ß` that it does not."""
    root = tmp_path_factory.mktemp("others")
    words = (["olxzm", "xélom", "mlozß"], ["zolmé", "lxoml", "éxmol"])
    pages = [draw_page(number, replace(OPTIONS, seed=5), list(words[number % 2])) for number in range(6)]
    return write_page_layout(root / "page", pages)


@pytest.fixture(scope="module")
def known_pages(tmp_path_factory):
    """More pages of letters that the `trained` model knows."""
    return write_page_layout(tmp_path_factory.mktemp("known") / "page", draw_pages(6, seed=3))


@pytest.fixture(scope="module")
def with_shortcut(drawn, tmp_path_factory):
    """A model with the auxiliary output."""
    folder = tmp_path_factory.mktemp("with_shortcut") / "run"
    short = (*LEARNING, "model.shortcut=0.3", "trainer.max_steps=4", "trainer.validations=1")
    ended = run_program(folder, "data=page", f"data.root={drawn / 'page'}", *short)
    assert ended.code == 0, ended
    return ended


@pytest.fixture
def tune(run, trained, known_pages):
    """A short fine-tuning of `trained` on pages with the letters that it knows."""

    def tune(*more, into="run"):
        return run(f"pretrained={trained.folder}", "data=page", f"data.root={known_pages}", *SHORT, *more, into=into)

    return tune


def weights(folder):
    return load_file(folder / "best.safetensors")


def moved(before, after, prefix):
    """The names below a prefix whose values are not the same bits."""
    return {name for name in before if name.startswith(prefix) and not torch.equal(before[name], after[name])}


STILL = ("optimizer.lr=1e-30", "optimizer.weight_decay=0")
"""Steps so small that no weight changes."""


def test_the_pretrained_weights_are_where_the_training_starts(tune, trained):
    ended = tune(*STILL)
    assert ended.code == 0, ended
    before, after = weights(trained.folder), weights(ended.folder)
    learned = {name for name in before if "running" not in name and "num_batches" not in name}
    assert not moved({name: before[name] for name in learned}, after, "")


def test_characters_that_the_model_does_not_know_end_the_run_with_their_names_and_counts(tune, other_pages):
    ended = tune(f"data.root={other_pages}", "resize=fail", "data.ratio=[.5,.5,0]")
    assert ended.code == 1
    last = ended.output.strip().splitlines()[-1]
    for told in ("'z' (U+007A LATIN SMALL LETTER Z)", "x", "resize=union", "resize=new"):
        assert told in last
    counts = int(last.split("LETTER Z) ")[1].split("x")[0].replace(",", ""))
    assert counts == sum(text.count("z") for text in train_texts(ended, other_pages))


def train_texts(ended, root):
    """The texts of the train part, found by another run's log of nothing: all pages less those of the validation."""
    from uncial.data.settings import SourceSettings
    from uncial.data.sources import xml as page
    from uncial.data.splits.split import SplitRequest, SplitSettings

    pages = page.read_page(SourceSettings("page", (str(root),))).pages
    lines = {one.id: len(one.lines) for one in pages}
    parts = SplitSettings((0.5, 0.5, 0), "page", 1, rule="quantile").split(SplitRequest(pages, lines=lines)).parts
    return [line.text for one in pages if parts[one.id] == "train" for line in one.lines]


def test_union_keeps_known_rows_to_the_bit_and_starts_new_ones_at_their_mean(run, with_shortcut, other_pages):
    ended = run(
        f"pretrained={with_shortcut.folder}", "data=page", f"data.root={other_pages}", *SHORT, *STILL, "resize=union"
    )
    assert ended.code == 0, ended
    before, after = weights(with_shortcut.folder), weights(ended.folder)
    old, new = load_card(with_shortcut.folder)["codec"]["alphabet"], load_card(ended.folder)["codec"]["alphabet"]
    assert new == [*old, *sorted({"z", "ß"})][: len(new)]
    assert len(new) > len(old)
    for output in ("decoder.output", "shortcut.output"):
        for kind in ("weight", "bias"):
            rows, grown = before[f"{output}.{kind}"], after[f"{output}.{kind}"]
            assert torch.equal(grown[: len(rows)], rows)
            assert torch.allclose(grown[len(rows) :], rows[1:].mean(dim=0))


def test_new_makes_the_alphabet_that_of_the_lines_and_keeps_the_rows_of_shared_characters(
    run, with_shortcut, other_pages
):
    ended = run(
        f"pretrained={with_shortcut.folder}", "data=page", f"data.root={other_pages}", *SHORT, *STILL, "resize=new"
    )
    assert ended.code == 0, ended
    before, after = weights(with_shortcut.folder)[OUTPUT], weights(ended.folder)[OUTPUT]
    old, new = load_card(with_shortcut.folder)["codec"]["alphabet"], load_card(ended.folder)["codec"]["alphabet"]
    assert new == sorted(new)
    assert "z" in new
    for label, character in enumerate(new, start=1):
        if character in old:
            assert torch.equal(after[label], before[old.index(character) + 1])
        else:
            assert torch.allclose(after[label], before[1:].mean(dim=0))
    assert torch.equal(after[0], before[0])


def test_new_with_as_many_characters_moves_the_rows(trained):
    """No shape tells that the alphabet is another."""
    from uncial.problems.recognition.transfer import transfer_weights

    recognizer, card = load_model(trained.folder)
    alphabet = recognizer.codec.alphabet
    text = "A" + "".join(alphabet[1:])
    moved_model = transfer_weights(recognizer, card["model"], [text], recognizer.text, "new")
    assert moved_model.codec.size == recognizer.codec.size
    rows, old = moved_model.decoder.output.weight, recognizer.decoder.output.weight
    for label, character in enumerate(moved_model.codec.alphabet, start=1):
        expected = old[alphabet.index(character) + 1] if character in alphabet else old[1:].mean(dim=0)
        assert torch.allclose(rows[label], expected)


def test_normalisation_preprocessing_and_architecture_come_from_the_pretrained_model(tune, trained):
    ended = tune()
    card, base = load_card(ended.folder), load_card(trained.folder)
    assert {**card["model"], "text": None} == {**base["model"], "text": None}
    assert card["text"] == base["text"]
    assert yaml.safe_load(ended.read("config.yaml"))["model"]["preprocessing"]["paper"] == 55
    told = next(line for line in ended.output.splitlines() if "From the pretrained model" in line)
    assert "model.preprocessing.paper=55.0 (not 60.0)" in told
    assert "model.head.layers=1 (not 2)" in told


def test_what_is_typed_counts_and_the_difference_is_said(tune):
    ended = tune("model.preprocessing.contrast=none", "model.normalization=nfd_strip", "model.head.output_dropout=0.4")
    assert ended.code == 1, "an é is two code points now"
    ended = tune("model.preprocessing.contrast=none", "model.head.output_dropout=0.4", "model=crnn", into="again")
    assert ended.code == 0, ended
    told = next(line for line in ended.output.splitlines() if "Unlike the pretrained model" in line)
    assert "model.preprocessing.contrast=none (there stretch)" in told
    assert "model.head.output_dropout=0.4 (there 0)" in told
    card = load_card(ended.folder)
    assert card["preprocessing"]["contrast"] == "none"
    assert card["model"]["head"]["output_dropout"] == 0.4


def test_what_an_experiment_says_counts_like_what_is_typed(tmp_path, run, trained, known_pages):
    folder = tmp_path / "conf/experiment"
    folder.mkdir(parents=True)
    (folder / "pale.yaml").write_text("# @package _global_\nmodel:\n  preprocessing:\n    contrast: none\n")
    own = ("--config-dir", str(tmp_path / "conf"), "experiment=pale", f"pretrained={trained.folder}")
    ended = run(*own, "data=page", f"data.root={known_pages}", *SHORT)
    assert ended.code == 0, ended
    assert load_card(ended.folder)["preprocessing"]["contrast"] == "none"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("model=crnn_resnet",), "model=crnn_resnet is another architecture"),
        (("model/head=conv",), "reinitialize=[head]"),
        (("model.head.hidden=8",), "reinitialize=[head,decoder]"),
        (("freeze=[backbone,'head.layers.7']",), "head.layers.0"),
        (("freeze=backbone", "freeze_for=5 minutes"), "steps, samples or epochs"),
        (("freeze_for=5_steps",), "needs freeze="),
        (("lr_factors={bakbone: 0.1}",), "Did you mean backbone"),
        (("lr_factors=0.1",), "lr_factors"),
        (("pretrained=nowhere",), "nowhere"),
        (("pretrained=null", "reinitialize=[head]"), "pretrained=RUN"),
    ],
)
def test_what_cannot_be_is_one_sentence(tune, wrong, told):
    ended = tune(*wrong)
    assert ended.code == 1, ended
    last = ended.output.strip().splitlines()[-1]
    assert last.startswith("Error: ")
    assert told in last
    assert "Traceback" not in ended.output


def test_another_head_takes_the_place_of_the_pretrained_one(tune, trained):
    ended = tune("model/head=conv", "model.head.layers=1", "model.head.channels=16", "reinitialize=[head,decoder]")
    assert ended.code == 0, ended
    assert load_card(ended.folder)["model"]["head"]["channels"] == 16
    assert load_model(ended.folder)[0].head.out_channels == 16


def test_reinitialized_parts_start_anew_and_the_others_do_not(tune, trained):
    ended = tune(*STILL, "reinitialize=[decoder,'head.layers.*']")
    assert ended.code == 0, ended
    before, after = weights(trained.folder), weights(ended.folder)
    assert OUTPUT in moved(before, after, "decoder")
    assert len(moved(before, after, "head.layers.")) == len(
        [name for name in before if name.startswith("head.layers.")]
    )
    assert not {name for name in moved(before, after, "backbone.") if name.endswith("weight")}


FREE = ("augmentation=none", "optimizer.weight_decay=0.5", "optimizer.lr=1e-2", "model.backbone.dropout=0.3")


@pytest.mark.parametrize(
    ("freeze", "frozen", "free"),
    [
        ("backbone", ["backbone."], ["head.", "decoder."]),
        ("all_but_decoder", ["backbone.", "head."], ["decoder."]),
        (
            "['backbone.layers.0','*.norm.*']",
            ["backbone.layers.0.", "backbone.layers.2.norm."],
            ["backbone.layers.2.c"],
        ),
    ],
)
def test_frozen_parts_do_not_change_at_all(tune, trained, freeze, frozen, free):
    """Weights, batch-norm statistics and counters: neither gradients nor weight decay reach them."""
    ended = tune(*FREE, f"freeze={freeze}")
    assert ended.code == 0, ended
    before, after = weights(trained.folder), weights(ended.folder)
    for prefix in frozen:
        assert any(name.startswith(prefix) for name in before)
        assert not moved(before, after, prefix)
    for prefix in free:
        assert moved(before, after, prefix)
    assert "Frozen for the whole run" in ended.output


def test_frozen_parts_are_released(tune, trained):
    still = tune(*FREE, "freeze=backbone", "freeze_for=4 steps", into="still")
    late = tune(*FREE, "freeze=backbone", "freeze_for=2 steps", into="late")
    base = weights(trained.folder)
    assert not moved(base, weights(still.folder), "backbone.")
    changed = moved(base, weights(late.folder), "backbone.")
    assert changed == {name for name in base if name.startswith("backbone.")}
    counter = next(name for name in base if name.endswith("num_batches_tracked"))
    assert int(weights(late.folder)[counter] - base[counter]) == 2
    assert "no longer frozen: " in late.output


def test_learning_rates_differ_by_part(tune, trained):
    ended = tune(
        "optimizer=adamw", "optimizer.weight_decay=0", "optimizer.lr=1e-3", "lr_factors={backbone: 1e-12, head: 0.1}"
    )
    assert ended.code == 0, ended
    before, after = weights(trained.folder), weights(ended.folder)

    def step(prefix):
        return max(
            float((after[name] - before[name]).abs().max())
            for name in before
            if name.startswith(prefix) and "running" not in name and "num_batches" not in name
        )

    assert step("backbone.") < 1e-9 < step("head.")
    assert step("head.") == pytest.approx(0.1 * step("decoder."), rel=0.3)


def test_few_lines_are_drawn_by_the_seed_and_smaller_draws_lie_in_larger_ones(run, drawn):
    """What inspect and training are given: the draw depends on names alone."""
    from uncial.data.ground_truth import GroundTruth, subsample_lines
    from uncial.data.store.store import Store

    data = ("task=compile", "data=page", f"data.root={drawn / 'page'}")
    ended = run(*data, "data.lines=5")
    assert ended.code == 0, ended
    assert "5 train" in ended.output
    store = Store(next((ended.folder.parent / "store").glob("*.arrow")))
    truth = GroundTruth(store, {"train": np.arange(4, 36), "val": np.arange(4)}, (), (), (), {})
    few, more, other = (subsample_lines(truth, count, seed) for count, seed in ((5, 1), (20, 1), (5, 2)))
    assert len(few.rows["train"]) == 5
    assert set(few.rows["train"]) < set(more.rows["train"]) <= set(truth.rows["train"])
    assert set(other.rows["train"]) != set(few.rows["train"])
    assert few.rows["val"] is truth.rows["val"]
    with pytest.raises(UserError, match="32 lines"):
        subsample_lines(truth, 33, 1)


def test_another_unit_of_the_alphabet_is_learned_anew_or_refused():
    base, config, rules = make_model(), model_config("crnn"), TextRules(unit="grapheme")
    with pytest.raises(UserError, match=r"model\.text\.unit=grapheme"):
        transfer_weights(base, config, ["abc"], rules, "union")
    tuned = transfer_weights(base, config, ["abe\u0301"], rules, "new")
    assert tuned.codec == CharacterCodec(["a", "b", "e\u0301"], "grapheme")
    known = [base.codec.encode("a")[0], base.codec.encode("b")[0]]
    assert torch.equal(tuned.decoder.output.weight[1:3], base.decoder.output.weight[known])
