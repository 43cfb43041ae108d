"""task=inspect: how like two images of one text have to be to be copies; short ones may be printed words."""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

QUICK = ("inspect.samples=1", "inspect.augmentation=0")


@dataclass(frozen=True)
class Pair:
    """Two impressions of a text that correlate by so much, and whether they are one image that is there twice."""

    text: str
    unevenness: float
    least: float
    most: float
    is_copy: bool


PAIRS = (
    Pair("Wohnort", 5, 0.99, 1.0, True),
    Pair("dimanche", 10.5, 0.965, 0.984, False),
    Pair("Register", 14, 0.935, 0.965, False),
    Pair("Wohnort der Mutter und Beruf", 5, 0.99, 1.0, True),
    Pair("charrue, tonneau et vendange", 14, 0.94, 0.97, True),
    Pair("village au pied de la montagne", 26, 0.85, 0.92, False),
)


def printed(text, seed, unevenness):
    """One impression of a text, whose ink and paper are uneven by so many grey levels."""
    image = np.full((64, 60 + 20 * len(text)), 232, np.uint8)
    cv2.putText(image, text, (14, 44), cv2.FONT_HERSHEY_COMPLEX, 1.0, 40, 2, cv2.LINE_AA)
    height, width = image.shape
    coarse = np.random.default_rng(seed).normal(0, unevenness, (height // 4, width // 4))
    uneven = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(image + uneven, 0, 255).astype(np.uint8)


def likeness(one, other):
    small = [cv2.resize(image, (image.shape[1] // 2, 32), interpolation=cv2.INTER_AREA) for image in (one, other)]
    return float(np.corrcoef(*(image.ravel().astype(float) for image in small))[0, 1])


def test_how_like_two_images_of_a_text_have_to_be(run, tmp_path):
    root = tmp_path / "in"
    root.mkdir()
    for number, pair in enumerate(PAIRS):
        images = [printed(pair.text, 10 * number + seed, pair.unevenness) for seed in (1, 2)]
        assert pair.least < likeness(*images) < pair.most, pair
        for name, image in zip("ab", images, strict=True):
            cv2.imwrite(str(root / f"{name}{number}.png"), image)
            (root / f"{name}{number}.gt.txt").write_text(pair.text, encoding="utf-8")
    ended = run("task=inspect", "data=lines", f"data.root={root}", *QUICK)
    assert ended.code == 0, ended
    found = json.loads(ended.read("findings.json"))["findings"]
    told = [one["file"] for one in found if one["kind"] in ("duplicate_line", "leaking_line")]
    expected = [f"b{number}" for number, pair in enumerate(PAIRS) if pair.is_copy]
    assert sorted(Path(file).name.partition(".")[0] for file in told) == expected
