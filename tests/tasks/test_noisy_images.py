"""task=test on line images of which some are noisy: it says so where there are lines enough, and nowhere else."""

import cv2
import numpy as np
import pytest
from drawn_layouts import draw_pages, read_csv, write_page_layout

MEASURES = ("contrast", "sharpness", "noise", "ink", "height")


def draw_set(root, pages, noise):
    """Pages as the model has learned, of each of which some lines have been spoiled by noise."""
    write_page_layout(root, pages)
    for number, path in enumerate(sorted(root.glob("*.png"))):
        image, random = cv2.imread(str(path)), np.random.default_rng(number)
        third = image.shape[0] // 3
        where = slice(third * (number % 3), third * (number % 3 + 1))
        image[where] = np.clip(image[where] + random.normal(0, noise, image[where].shape), 0, 255)
        cv2.imwrite(str(path), image)
    return root


@pytest.mark.parametrize(("count", "noise", "told"), [(24, 90, True), (24, 0, False), (6, 90, None)])
def test_whether_noise_makes_lines_hard_to_read(run, trained, tmp_path, count, noise, told):
    root = draw_set(tmp_path / "pages", draw_pages(count, seed=1), noise)
    ended = run("task=test", f"checkpoint={trained.folder}", "data=page", f"data.test={root}", "metrics.resamples=200")
    assert ended.code == 0, ended
    output = " ".join(ended.output.split())
    assert ("with the noise of the line images: CER" in output) == bool(told)
    assert ("Errors" in output) <= (told is not None), "so few lines tell nothing"
    rows = read_csv(ended.folder / "image_quality.csv")
    assert len(rows) == 3 * count
    assert list(rows[0]) == ["page", "line", *MEASURES, "characters", "edits"]
    edits = {(row["page"], row["line"]): row["edits"] for row in read_csv(ended.folder / "predictions.csv")}
    assert {(row["page"], row["line"]): row["edits"] for row in rows} == edits
    assert "## By the image of the line" in ended.read("scores.md")
