"""The models that come with the package, by their names, and files whose weights are rounded to bf16."""

from pathlib import Path

import pytest
import torch
from program import run_program

from uncial.errors import UserError
from uncial.files import hash_content
from uncial.models.base_models import find_base_model, list_base_models
from uncial.models.files import find_model_file, load_any_model, load_card, read_weights

LARGEST = 10_000_000


@pytest.mark.parametrize("name", list_base_models())
def test_a_model_of_the_package_is_small_and_says_what_it_was_made_of(name):
    path = find_base_model(Path(name))
    assert path.stat().st_size <= LARGEST
    card = path.with_suffix(".md").read_text(encoding="utf-8")
    for heading in ("## Trained on", "## How good it is", "## What it is not good for", "## Trained with"):
        assert heading in card
    for licence in ("CC-BY 4.0", "CC0"):
        assert licence in card
    assert {weight.dtype for name, weight in read_weights(path).items() if weight.ndim > 1} == {torch.bfloat16}
    assert "/" not in str(load_card(path)["training"]["data"])


def test_the_layout_model_of_the_package_was_not_trained_on_what_its_card_keeps_out(real_data):
    seen = {seen.partition("#")[0] for seen in load_card(Path("base/layout"))["training"]["page_hashes"]}
    kept_out = (real_data / "splits/layout.val.txt").read_text().split()
    for document in ("print-16c/data/bpt6k724151", "cremma-medieval/data/bnf_arsenal_3516-imageDuMonde"):
        kept_out += [str(path.relative_to(real_data)) for path in (real_data / document).glob("*.xml")]
    images = {image for one in kept_out for image in (real_data / one).parent.glob(f"{Path(one).stem}.jp*g")}
    assert len(images) > 40
    assert len(seen) > 150
    assert not seen & {hash_content(image) for image in images}


def test_a_name_that_no_model_has_ends_in_a_sentence(tmp_path):
    with pytest.raises(
        UserError, match=r"checkpoint=base/layuot: no model of this name comes with uncial; there is .*"
    ):
        find_model_file(Path("base/layuot"), "checkpoint")
    ended = run_program(tmp_path / "run", "task=predict", "checkpoint=base/nothing", f"predict.input={tmp_path}")
    assert ended.code == 1
    assert "base/layout" in ended.output


def test_a_file_of_ones_own_goes_before_a_model_of_the_package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base").mkdir()
    (tmp_path / "base/layout").write_bytes(b"mine")
    assert find_model_file(Path("base/layout")).read_bytes() == b"mine"


def test_the_layout_model_of_the_package_finds_lines_and_begins_a_training(drawn, tmp_path):
    model, _ = load_any_model(Path("base/layout"))
    assert all(weight.dtype != torch.bfloat16 for weight in model.state_dict().values())
    typed = ("data=page", f"data.root={drawn / 'page'}", "data.subset=all")
    tested = run_program(tmp_path / "tested", "task=test", "checkpoint=base/layout", *typed)
    assert tested.code == 0, tested
    assert tested.metrics["test"]["f_measure"] > 0.9
    short = ("trainer.max_steps=2", "trainer.validations=1", "trainer.crop=256", "optimizer.lr=1e-6")
    begun = run_program(
        tmp_path / "begun", "model=layout", "pretrained=base/layout", "resize=union", *typed[:2], *short
    )
    assert begun.code == 0, begun
    assert begun.metrics["val"]["f_measure"] > 0.9
