"""Models on disk."""

import json
import os

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_models import make_batch, make_model, model_config, settle

from uncial.errors import UserError
from uncial.models.files import load_card, load_model, save_model

SMALL = ("model.backbone.stages=[[8,2,2,2],[12,1,2,1]]", "model.backbone.stem=4", "model.head.hidden=12")


@pytest.fixture
def saved(tmp_path):
    model = settle(make_model("crnn", *SMALL), 32)
    path = tmp_path / "run of é" / "best.safetensors"
    save_model(path, model, {"model": model_config("crnn", *SMALL), "seed": 3, "scores": {"cer": 0.25}})
    return model, path


def rewritten(path, change):
    """Save the file again with its card changed."""
    card = load_card(path)
    change(card)
    save_file(load_file(path), path, metadata={"uncial": json.dumps(card)})


def test_a_model_read_back_gives_the_same_digits(saved):
    model, path = saved
    batch = make_batch([70, 33, 40], 32)
    read, card = load_model(path)
    assert torch.equal(
        model.log_probabilities(batch.images, batch.widths)[0], read.log_probabilities(batch.images, batch.widths)[0]
    )
    assert read.predict(batch) == model.predict(batch)
    assert not read.training
    assert (card["seed"], card["scores"], card["preprocessing"]["height"]) == (3, {"cer": 0.25}, 32)
    assert read.codec == model.codec


def test_a_run_folder_stands_for_its_model(saved):
    assert load_model(saved[1].parent)[1] == load_card(saved[1])


def test_nothing_but_the_model_is_left_in_the_folder(saved):
    assert [entry.name for entry in saved[1].parent.iterdir()] == ["best.safetensors"]


@pytest.mark.parametrize("keep", [0, 4, 100, 0.5, 0.999])
def test_a_torn_file_is_refused(saved, keep):
    path = saved[1]
    data = path.read_bytes()
    path.write_bytes(data[: keep if isinstance(keep, int) else int(len(data) * keep)])
    with pytest.raises(UserError, match=r"best\.safetensors cannot be read as a model"):
        load_model(path)


def test_other_files_are_refused(tmp_path):
    foreign = tmp_path / "bert.safetensors"
    save_file({"weight": torch.zeros(2)}, foreign, metadata={"format": "pt"})
    with pytest.raises(UserError, match="no model of uncial"):
        load_model(foreign)
    pickled = tmp_path / "model.pt"
    torch.save({"weight": torch.zeros(2)}, pickled)
    with pytest.raises(UserError, match="cannot be read as a model"):
        load_model(pickled)
    with pytest.raises(UserError, match="does not exist"):
        load_model(tmp_path / "missing.safetensors")
    with pytest.raises(UserError, match=r"holds no best\.safetensors"):
        load_model(tmp_path)


def test_a_newer_file_asks_for_an_update(saved):
    rewritten(saved[1], lambda card: card.update(format_version=99))
    with pytest.raises(UserError, match="newer version"):
        load_model(saved[1])


def test_weights_that_do_not_fit_are_refused(saved):
    rewritten(saved[1], lambda card: card["model"]["head"].update(hidden=13))
    with pytest.raises(UserError, match="do not fit"):
        load_model(saved[1])


def test_a_file_cannot_call_anything_but_parts_of_a_model(saved, tmp_path):
    proof = tmp_path / "called"
    rewritten(saved[1], lambda card: card["model"].update(head={"_target_": "os.mkdir", "_args_": [str(proof)]}))
    with pytest.raises(UserError, match="_target_"):
        load_model(saved[1])
    assert not proof.exists()


def test_a_failed_write_leaves_the_old_model(saved, monkeypatch):
    model, path = saved
    before = path.read_bytes()

    def full(*arguments, **keywords):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("uncial.models.files.save_file", full)
    with pytest.raises(UserError, match="No space left"):
        save_model(path, model, {"model": {}})
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.fixture
def checkpoint(saved, tmp_path):
    """The model as a training leaves it in its checkpoints."""
    model, path = saved
    weights = {f"model.{name}": weight for name, weight in model.state_dict().items()}
    kept = tmp_path / "last.ckpt"
    torch.save({"uncial": json.dumps(load_card(path)), "state_dict": {**weights, "other": torch.ones(1)}}, kept)
    return kept


def test_a_checkpoint_holds_the_same_model(saved, checkpoint):
    batch = make_batch([70, 33, 40], 32)
    read, card = load_model(checkpoint)
    assert read.predict(batch) == saved[0].predict(batch)
    assert card == load_card(checkpoint) == load_card(saved[1])


@pytest.mark.parametrize("keep", [0, 4, 100, 0.5, 0.999])
def test_a_torn_checkpoint_is_refused(checkpoint, keep):
    data = checkpoint.read_bytes()
    checkpoint.write_bytes(data[: keep if isinstance(keep, int) else int(len(data) * keep)])
    with pytest.raises(UserError, match=r"last\.ckpt cannot be read as a checkpoint"):
        load_model(checkpoint)


def test_a_checkpoint_with_a_changed_weight_is_refused(saved, checkpoint):
    weight = max(saved[0].parameters(), key=torch.Tensor.numel).detach().numpy().tobytes()
    data = bytearray(checkpoint.read_bytes())
    data[data.index(weight) + len(weight) // 2] ^= 1
    checkpoint.write_bytes(data)
    with pytest.raises(UserError, match=r"last\.ckpt is damaged|cannot be read"):
        load_model(checkpoint)


def test_checkpoints_of_others_are_refused(tmp_path):
    torch.save({"state_dict": {}, "global_step": 3}, tmp_path / "other.ckpt")
    with pytest.raises(UserError, match="no checkpoint of a training with uncial"):
        load_model(tmp_path / "other.ckpt")


def test_a_checkpoint_cannot_call_anything(tmp_path):
    class Harmful:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "called"),)

    torch.save({"uncial": "{}", "state_dict": Harmful()}, tmp_path / "harmful.ckpt")
    with pytest.raises(UserError, match="cannot be read as a checkpoint"):
        load_model(tmp_path / "harmful.ckpt")
    assert not (tmp_path / "called").exists()
