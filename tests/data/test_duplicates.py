"""task=inspect: what is there twice is found, and what only looks so, as the pages of one form, is not taken for it."""

import json
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from drawn_forms import copied, cropped, darker, draw_forms, transcribed, write_forms

from uncial.data.checks.likeness import find_nearest

QUICK = ("inspect.samples=1", "inspect.augmentation=0")
KINDS = ("duplicate_page", "leaking_page", "duplicate_line", "leaking_line", "two_transcriptions")


def suspected(ended) -> list[dict[str, str]]:
    found = json.loads(ended.read("findings.json"))["findings"]
    return [one for one in found if one["kind"] in KINDS and one["severity"] != "information"]


def inspected(run, data: str, root) -> list[dict[str, str]]:
    ended = run("task=inspect", f"data={data}", f"data.root={root}", *QUICK)
    assert ended.code == 0, ended
    return suspected(ended)


@pytest.mark.parametrize("printed", ["left out", "before", "apart"])
def test_pages_of_one_form_are_no_copies(run, tmp_path, printed):
    write_forms(tmp_path / "in", draw_forms(12, printed=printed))
    assert inspected(run, "page", tmp_path / "in") == []


def test_copies_among_the_pages_of_a_form_are_found_and_nothing_else(run, tmp_path):
    forms = draw_forms(12, printed="apart")
    copies = {
        "rescanned": copied(forms[0], "rescanned", darker),
        "blurred": copied(forms[1], "blurred", lambda image: cv2.GaussianBlur(image, (3, 3), 0)),
        "retold": transcribed(copied(forms[2], "retold", darker), lambda text: text[::-1]),
        "cut": cropped(forms[3], "cut", 18),
    }
    write_forms(tmp_path / "in", [*forms, *copies.values()])
    found = inspected(run, "page", tmp_path / "in")
    told = [one["file"] + " " + one["message"] for one in found]
    for name, original in zip(copies, forms, strict=False):
        assert any(f"{name}" in one and original.page.id in one for one in told), (name, told)
    assert len(found) == len(copies), told


def test_folios_with_one_caption_are_no_copies(run, tmp_path):
    def folio(number: int) -> np.ndarray:
        random = np.random.default_rng(number)
        ink = np.full((900, 640), 228, np.uint8)
        cv2.putText(ink, "Plan der Gemeinde", (130, 420), cv2.FONT_HERSHEY_TRIPLEX, 1.2, 40, 2, cv2.LINE_AA)
        paper = cv2.resize(random.normal(0, 9, (45, 32)), (640, 900)) + random.normal(0, 3, (900, 640))
        return np.clip(ink + paper, 0, 255).astype(np.uint8)

    form = draw_forms(1)[0]
    caption = form.page.lines[0]
    box = ((120.0, 380.0), (600.0, 380.0), (600.0, 440.0), (120.0, 440.0))
    forms = []
    for number in range(4):
        one = copied(form, f"folio_{number}", lambda image, number=number: folio(number), "png")
        line = type(caption)("l", "", box, ((120.0, 420.0), (600.0, 420.0)), None, "Plan der Gemeinde", "r")
        object.__setattr__(one.page, "lines", (line,))
        forms.append(one)
    write_forms(tmp_path / "in", forms)
    assert [one for one in inspected(run, "page", tmp_path / "in") if one["kind"].endswith("page")] == []


def printed_line(text: str, seed: int) -> np.ndarray:
    image = np.full((64, 60 + 20 * len(text)), 232, np.uint8)
    cv2.putText(image, text, (14, 44), cv2.FONT_HERSHEY_COMPLEX, 1.0, 40, 2, cv2.LINE_AA)
    return np.clip(image + np.random.default_rng(seed).normal(0, 4, image.shape), 0, 255).astype(np.uint8)


def write_lines(root, lines: dict[str, tuple[np.ndarray, str]]) -> None:
    root.mkdir()
    for name, (image, text) in lines.items():
        cv2.imwrite(str(root / f"{name}.png"), image)
        (root / f"{name}.gt.txt").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("form", ["Nr. {}", "Eintrag im Register Nr. {}"])
def test_lines_that_differ_in_a_number_are_two_lines(run, tmp_path, form):
    texts = [form.format(number) for number in range(41, 53)]
    write_lines(tmp_path / "in", {f"x{n}a": (printed_line(text, n), text) for n, text in enumerate(texts)})
    assert inspected(run, "lines", tmp_path / "in") == []


def test_a_line_image_with_two_transcriptions_is_found(run, tmp_path):
    words = ["moulin", "récolte", "village", "dimanche", "pressoir", "tonneau", "vendange", "charrue"]
    texts = [
        f"{word} du {other} {word}".replace("é", "e") for word, other in zip(words, words[3:] + words[:3], strict=True)
    ]
    lines = {f"x{n}a": (printed_line(text, n), text) for n, text in enumerate(texts)}
    lines["y1a"] = (darker(printed_line(texts[2], 2)), "quelque chose d'autre")
    write_lines(tmp_path / "in", lines)
    found = inspected(run, "lines", tmp_path / "in")
    assert len(found) == 1, found
    assert "x2a" in found[0]["message"]
    assert "y1a" in found[0]["file"]


@pytest.mark.parametrize("count", [0, 1, 3, 40])
def test_neighbours_are_the_likest_of_like_aspect(count):
    random = np.random.default_rng(count)
    vectors = random.normal(size=(count, 16)).astype(np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    aspects = random.uniform(1, 1.2, count)
    found = find_nearest(vectors, aspects, 0.1, 5)
    likeness = vectors @ vectors.T
    fitting = np.abs(np.log(aspects)[:, None] - np.log(aspects)[None]) <= 0.05
    for row in range(count):
        expected = [
            other
            for other in np.argsort(-likeness[row]).tolist()
            if other != row and fitting[row, other] and likeness[row, other] >= 0.1
        ][:5]
        assert [other for other, _ in found.of(row)] == expected


def test_a_crowd_has_no_copies_but_those_much_nearer():
    random = np.random.default_rng(0)
    common: Callable[[float], np.ndarray] = lambda share: share * np.ones(64)  # noqa: E731
    vectors = np.stack([common(1.0) + random.normal(0, 0.6, 64) for _ in range(30)])
    vectors[7] = vectors[3] + random.normal(0, 0.05, 64)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    near = find_nearest(vectors.astype(np.float32), np.ones(30), 0.3, 6)
    outstanding = {row for row in range(30) if any(near.stands_out(row, likeness) for _, likeness in near.of(row))}
    assert outstanding == {3, 7}
