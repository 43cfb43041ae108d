"""pretrained=… of a layout model: what is taken over, which types of regions it goes on with, and what is said."""

import pytest
import torch
from program import run_program
from safetensors.torch import load_file

from uncial.models.files import load_any_model, load_card

SHORT = ("trainer.max_steps=1", "trainer.validations=1", "trainer.crop=128", "trainer.batch_pages=1")
STILL = ("optimizer.lr=1e-30", "optimizer.weight_decay=0")
"""A step so small that no weight changes."""

LINE_ROWS = 8 * 4
"""Of the head: four for each of the maps of lines."""


@pytest.fixture(scope="module")
def base(drawn, tmp_path_factory):
    """A tiny layout model, of which a page out of twelve was kept."""
    folder = tmp_path_factory.mktemp("base") / "run"
    typed = ("model=layout", "model.size=tiny", "model.overview=96", "model.find.max_gap=1.5")
    ended = run_program(folder, *typed, "data=page", f"data.root={drawn / 'page'}", *SHORT)
    assert ended.code == 0, ended
    return ended


@pytest.fixture
def tune(run, base, drawn):
    def tune(*more, into="tuned"):
        typed = ("model=layout", f"pretrained={base.folder}", "data=page", f"data.root={drawn / 'page'}")
        return run(*typed, *SHORT, *more, into=into)

    return tune


def rows_of_head(folder):
    return load_file(folder / "best.safetensors")["head.project.weight"]


def test_the_model_and_its_weights_are_taken_over_but_for_what_was_typed(tune, base):
    ended = tune(*STILL, "model.find.threshold=0.25")
    assert ended.code == 0, ended
    model = load_card(ended.folder)["model"]
    assert (model["size"], model["overview"], model["find"]["max_gap"]) == ("tiny", 96, 1.5)
    assert model["find"]["threshold"] == 0.25
    before, after = (load_file(one.folder / "best.safetensors") for one in (base, ended))
    assert all(
        torch.equal(before[name], after[name]) for name in before if "running_" not in name and "num_" not in name
    )
    assert "model.size=tiny (not base)" in ended.output
    assert "model.find.threshold=0.25 (there 0.4)" in ended.output
    assert "validation pages were in the training data" not in ended.output


def test_its_card_names_the_models_and_pages_that_it_comes_of(tune, base):
    ended = tune(*STILL, "seed=2")
    assert ended.code == 0, ended
    card = load_card(ended.folder)
    assert len(card["lineage"]) == 1
    assert card["seen_before"] == sorted(load_card(base.folder)["training"]["page_hashes"])
    assert "1 of the 1 validation pages were in the training data of pretrained=" in ended.output


def test_types_that_are_not_known_end_in_a_sentence(tune):
    ended = tune("model.regions={zone: [paragraph]}")
    assert ended.code == 1
    assert "does not know these types of regions of the training pages: zone; it knows paragraph." in ended.output
    assert "resize=union adds them" in ended.output


@pytest.mark.parametrize(("resize", "types"), [("union", ["paragraph", "zone"]), ("new", ["zone"])])
def test_known_maps_keep_their_rows_of_the_head_to_the_bit(tune, base, resize, types):
    ended = tune("model.regions={zone: [paragraph]}", f"resize={resize}", *STILL)
    assert ended.code == 0, ended
    assert load_card(ended.folder)["regions"] == types
    before, after = rows_of_head(base.folder), rows_of_head(ended.folder)
    assert torch.equal(after[:LINE_ROWS], before[:LINE_ROWS])
    assert torch.equal(after[-4:], before[-4:])
    own = before[LINE_ROWS : LINE_ROWS + 4]
    assert torch.equal(after[LINE_ROWS:-4], own.repeat(len(types), 1, 1, 1))


def test_frozen_parts_stay_and_reinitialized_ones_start_anew(tune, base):
    ended = tune("freeze=[backbone]", "reinitialize=[head]")
    assert ended.code == 0, ended
    before, after = (load_file(one.folder / "best.safetensors") for one in (base, ended))
    assert all(torch.equal(before[name], after[name]) for name in before if name.startswith("backbone."))
    assert not torch.equal(before["head.mix.convolution.weight"], after["head.mix.convolution.weight"])


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (("model.size=large",), "is of the size tiny, and its weights fit no other: leave model.size out"),
        (("data.channels=3",), "sees 1; give data.channels=1"),
        (("resize=maybe",), "resize=maybe: choose one of fail, union, new"),
    ],
)
def test_what_does_not_fit_ends_in_a_sentence(tune, typed, told):
    ended = tune(*typed)
    assert ended.code == 1
    assert told in ended.output
    assert "Traceback" not in ended.output


def test_a_recogniser_is_no_layout_model(run, trained, drawn):
    ended = run("model=layout", f"pretrained={trained.folder}", "data=page", f"data.root={drawn / 'page'}")
    assert ended.code == 1
    assert "holds a recogniser, which model=layout cannot go on from: give model=crnn" in ended.output


def test_a_tuned_model_is_read_again(tune):
    ended = tune("model.regions={zone: [paragraph]}", "resize=union")
    model, _ = load_any_model(ended.folder)
    assert model.plan.regions == ("paragraph", "zone")
