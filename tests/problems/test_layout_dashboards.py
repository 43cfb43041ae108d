"""What dashboards are shown of a layout model: pictures of the worst pages, as marked and as found."""

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image
from program import LAYOUT
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


@pytest.fixture
def trained(run, drawn, monkeypatch):
    """A short training of a layout model, as W&B (without a network) and TensorBoard have it."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    data = ("data=page", f"data.root={drawn / 'page'}", "data.ratio=[0.5,0.5,0]")
    ended = run("model=layout", *data, *LAYOUT, "logger=wandb", "logger.tensorboard=true", "logger.wandb.lines=3")
    assert ended.code == 0, ended
    with (ended.folder / "page_scores.csv").open(encoding="utf-8") as file:
        return ended, list(csv.DictReader(file))


def test_dashboards_show_the_worst_pages_few_and_small(trained):
    ended, scores = trained
    (table,) = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in ended.folder.glob("wandb/offline-run-*/files/media/table/*.json")
    ]
    place = {name: number for number, name in enumerate(table["columns"])}
    assert [row[place["page"]] for row in table["data"]] == [page["page"] for page in scores[:3]]
    assert [row[place["f_measure"]] for row in table["data"]] == [float(page["f_measure"]) for page in scores[:3]]
    assert [row[place["lines"]] for row in table["data"]] == [3, 3, 3]
    # W&B keeps them without a suffix until they are uploaded.
    kept = [file for file in (ended.folder / "wandb" / "artifacts").rglob("*") if file.is_file()]
    pictures = [file for file in kept if file.read_bytes().startswith(b"\x89PNG")]
    assert len(pictures) == 3
    for file in pictures:
        check_picture(Image.open(file))
    events = EventAccumulator(str(ended.folder / "tensorboard")).Reload()
    names = [f"pages/{page['page']}" for page in scores]
    assert sorted(events.Tags()["images"]) == sorted(names)
    check_picture(Image.open(io.BytesIO(events.Images(names[0])[-1].encoded_image_string)))
    assert not any("confusions" in tag or "predictions" in tag for tag in events.Tags()["tensors"])


def check_picture(image):
    """Both halves show the page; the truth's lines are drawn on the left one."""
    pixels = np.array(image.convert("RGB")).astype(int)
    height, width = pixels.shape[:2]
    assert width <= 1000
    assert height <= 640
    left, right = pixels[:, : width // 2 - 3], pixels[:, -(width // 2 - 3) :]
    assert min(left.min(), right.min()) < 80
    is_red = (left[..., 0] > 150) & (left[..., 1] < 110) & (left[..., 2] < 110)
    assert is_red.sum() > 50
