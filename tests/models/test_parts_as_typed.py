"""Every backbone with every head, as `model/backbone=… model/head=…` on the command line."""

import pytest
import yaml
from drawn_layouts import read_csv
from program import ROOT, TINY

from uncial.config.keys import group_choices
from uncial.models.files import load_card

SMALL = {
    "crnn": TINY[:2],
    "resnet": ("model.backbone.stem=4", "model.backbone.stages=[[8,1],[12,1],[16,1]]"),
    "kraken": (),
    "bilstm": ("model.head.hidden=12",),
    "bilstm_kraken": ("model.head.hidden=12", "model.head.layers=1"),
    "bilstm_large": ("model.head.hidden=12", "model.head.layers=1"),
    "conv": ("model.head.layers=1", "model.head.channels=16"),
    "none": (),
    "transformer": ("model.head.layers=1", "model.head.channels=16", "model.head.attention_heads=2"),
}
"""What makes each part of a recogniser small. A new one is entered here."""
OF_PAGES = {"page", "timm", "vgg", "convolutions", "maps", "upsampling"}
"""Parts of models that find lines: tests/problems/test_layout_models.py."""
CONF = ROOT / "conf"
PAIRS = [
    (backbone, head)
    for backbone in group_choices(CONF, "model/backbone")
    for head in group_choices(CONF, "model/head")
    # The others of bilstm are that class with other numbers.
    if (backbone == "crnn" or not head.startswith("bilstm_")) and not {backbone, head} & OF_PAGES
]


@pytest.mark.parametrize(("backbone", "head"), PAIRS)
def test_every_backbone_goes_with_every_head(run, drawn, backbone, head):
    typed = (f"model/backbone={backbone}", f"model/head={head}", *SMALL[backbone], *SMALL[head])
    few = ("trainer.max_steps=1", "trainer.validations=1", "trainer.batch_width=800", "callbacks.samples=0")
    data = ("data=page", f"data.root={drawn / 'page'}", "data.lines=12")
    ended = run("model=crnn", *typed, *data, *few, "model.preprocessing.height=32")
    assert ended.code == 0, ended
    assert read_csv(ended.folder / "predictions.csv")
    model = load_card(ended.folder)["model"]
    assert model["backbone"]["_target_"] == class_of("backbone", backbone)
    assert model["head"]["_target_"] == class_of("head", head)


def class_of(group, name):
    """The class that the file of a choice names."""
    return yaml.safe_load((CONF / "model" / group / f"{name}.yaml").read_text(encoding="utf-8"))["_target_"]
