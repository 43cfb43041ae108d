"""task=ensemble: models whose weights have a mean and models whose weights have none, and what several read as one."""

import json
from pathlib import Path

import pytest
import torch
from program import Ended, run_program
from small_models import make_batch, make_model, model_config

from uncial.errors import UserError
from uncial.models.files import load_card, load_model, save_model
from uncial.models.lineage import average_models, check_lineage, estimate_batch_norm, hash_weights, read_lineage
from uncial.problems.recognition.ensemble import find_members

SMALL = ("model.backbone.stem=8", "model.backbone.stages=[[16,1,2,2]]", "model.head.hidden=8", "model.shortcut=0")


def saved(path: Path, change: float, lineage: list[str], *overrides: str) -> Path:
    """A model whose weights are moved by `change`."""
    model = make_model("crnn", *SMALL, *overrides)
    with torch.no_grad():
        for weight in model.parameters():
            weight += change
    save_model(path, model, {"model": model_config("crnn", *SMALL, *overrides), "lineage": lineage})
    return path


def checked(*paths: Path) -> None:
    check_lineage({path: load_model(path) for path in paths})


def test_only_models_of_one_ancestor_have_a_mean(tmp_path):
    base = saved(tmp_path / "base.safetensors", 0, [])
    lineage = read_lineage(*load_model(base))
    first, second = (saved(tmp_path / f"{change}.safetensors", change, lineage) for change in (0.1, 0.2))
    dropped = saved(tmp_path / "dropped.safetensors", 0.3, lineage, "model.head.dropout=0.5")
    checked(first, second, dropped)
    checked(base, first)
    other = saved(tmp_path / "other.safetensors", 0.4, ["another"])
    with pytest.raises(UserError, match="no common ancestor"):
        checked(first, other)
    wider = saved(tmp_path / "wider.safetensors", 0.1, lineage, "model.head.hidden=16")
    with pytest.raises(UserError, match="another architecture"):
        checked(first, wider)
    (tmp_path / "config.yaml").touch()
    checked(first, other)  # Files of one run's folder.


def test_the_mean_of_weights_with_statistics_of_its_own():
    one, other, into = (make_model("crnn", *SMALL) for _ in range(3))
    with torch.no_grad():
        for weight in one.parameters():
            weight += 1
    mean = average_models([one, other], into)
    for own, first, second in zip(mean.parameters(), one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(own, (first + second) / 2)
    before = hash_weights(mean)
    batches = [make_batch([64, 64], mean.preprocessing.height), make_batch([80, 96], mean.preprocessing.height)]
    estimate_batch_norm(mean.eval(), batches)
    found = {name: tensor.clone() for name, tensor in mean.state_dict().items()}
    assert hash_weights(mean) != before
    assert not mean.training
    estimate_batch_norm(mean, batches)
    for name, tensor in mean.state_dict().items():
        torch.testing.assert_close(tensor, found[name])
        assert "running" in name or "tracked" in name or torch.equal(tensor, found[name])


@pytest.fixture(scope="module")
def other(trained: Ended, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trained model with noise in its weights, in a folder of its own: not a file of the same run."""
    path = tmp_path_factory.mktemp("others") / "noisy" / "best.safetensors"
    model, card = load_model(trained.folder)
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.02 * weight.std() * torch.randn_like(weight) if weight.numel() > 1 else 0
    save_model(path, model, {**card, "lineage": [hash_weights(load_model(trained.folder)[0])]})
    return path


def test_a_fine_tuned_model_and_its_base_averaged(trained, drawn, other, tmp_path):
    data = ("data=page", f"data.root={drawn / 'page'}", "data.subset=all", "report.pictures=0")
    given = f"checkpoint=['{trained.folder}','{other.parent}']"
    ended = run_program(tmp_path / "mean", "task=ensemble", given, "ensemble.method=average", *data)
    assert ended.code == 0, ended
    found = ended.metrics
    assert found["ensemble"]["method"] == "average"
    assert [one["member"] for one in found["ensemble"]["models"]] == [True, True]
    mean, best = json.loads(ended.read("comparison.json"))["systems"]
    assert mean["cer"]["value"] == pytest.approx(found["test"]["cer"])
    assert best["cer"]["value"] == min(one["cer"] for one in found["ensemble"]["models"])
    card = load_card(ended.folder)
    assert card["averaged"] == [str(trained.folder / "best.safetensors"), str(other)]
    assert card["training"]["page_hashes"] == load_card(trained.folder)["training"]["page_hashes"]
    assert found["test"]["cer"] < 0.5


def test_votes_are_chosen_on_lines_that_are_not_scored_or_it_is_said(trained, drawn, other, tmp_path):
    data = ("data=page", f"data.root={drawn / 'page'}", "report.pictures=0")
    given = f"checkpoint=['{trained.folder}','{other.parent}']"
    ended = run_program(tmp_path / "votes", "task=ensemble", given, "ensemble.members=greedy", "data.subset=val", *data)
    assert ended.code == 0, ended
    assert "chosen on lines that they are scored on" in ended.output
    assert ended.metrics["ensemble"]["chosen_on"] == "val"
    best = min(one["cer"] for one in ended.metrics["ensemble"]["models"])
    assert ended.metrics["test"]["cer"] <= best


def test_models_are_found_in_folders_and_counted_once(trained, tmp_path):
    for name in ("0", "1"):
        (tmp_path / "sweep" / name).mkdir(parents=True)
        (tmp_path / "sweep" / name / "best.safetensors").symlink_to(trained.folder / "best.safetensors")
    assert [member.path.parent.name for member in find_members(str(tmp_path / "sweep"))] == ["0", "1"]
    with pytest.raises(UserError, match="two models"):
        find_members(str(trained.folder))
    with pytest.raises(UserError, match="more than once"):
        find_members([str(trained.folder)] * 2)
