"""Only pages that give a line take part in a split, and there may be none."""

import re
import shutil

import numpy as np
import pytest

from uncial.data.checks.likeness import nearest
from uncial.data.filters import Filters
from uncial.data.ground_truth import load_truth
from uncial.data.settings import SourceSettings, show_no_progress
from uncial.data.splits.split import SplitSettings
from uncial.data.store.compile import CompileSettings


def untranscribed(root, name):
    file = root / "page" / f"{name}.xml"
    text = re.sub("<TextEquiv.*?</TextEquiv>", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    file.write_text(text, encoding="utf-8")


def without_image(root, name):
    (root / f"{name}.png").write_bytes(b"no image")


@pytest.fixture(params=[untranscribed, without_image])
def three_usable(request, drawn, tmp_path):
    """Twelve pages, of which three give lines."""
    root = tmp_path / "in"
    shutil.copytree(drawn / "page", root)
    for number in range(4, 13):
        request.param(root, f"drawn_{number:04d}")
    return root


def sizes(root, store, splitting):
    read = load_truth(
        SourceSettings("page", (str(root),)),
        Filters(),
        splitting,
        CompileSettings(store),
        show_no_progress,
    )
    return {part: len(rows) for part, rows in read.rows.items()}


def test_pages_without_a_usable_line_fill_no_part(three_usable, tmp_path):
    for seed in range(1, 9):
        splitting = SplitSettings((0.8, 0.1, 0.1), "page", seed)
        assert sizes(three_usable, tmp_path / "store", splitting) == {"train": 3, "val": 3, "test": 3}


def test_pages_without_a_usable_line_fill_no_fold(three_usable, tmp_path):
    for fold in range(3):
        splitting = SplitSettings((0.9, 0.1, 0), "page", 1, folds=3, fold=fold)
        assert sizes(three_usable, tmp_path / "store", splitting) == {"train": 6, "val": 3, "test": 0}


def test_there_is_no_pair_among_no_pictures():
    assert nearest(np.zeros((0, 512), np.float16), np.zeros(0), 0.9, 3).rows.shape == (0, 3)
