"""The recogniser as a pipeline: lazy, in order, few pages in flight, and bad pages are issues in the stream."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncial.data.settings import SourceSettings
from uncial.data.sources import xml
from uncial.document import ImageSource, Issue, Page, TextLine, Word
from uncial.errors import UserError
from uncial.pipelines import line_recognition
from uncial.pipelines.line_recognition import ReadingSettings, RecognitionPipeline
from uncial.pipelines.pipeline import Pipeline, add_issues, apply_pipelines, group_pages
from uncial.pipelines.recognition import NOT_FINITE, load


@pytest.fixture(scope="module")
def transcriber(trained):
    return load(trained.folder)


@pytest.fixture(scope="module")
def pages(drawn) -> tuple[Page, ...]:
    return xml.read_xml(SourceSettings("xml", (str(drawn / "page"),))).pages


@dataclass
class Counted:
    """A stream that counts the pages that were taken of it."""

    pages: Iterable[Page]
    taken: int = 0
    most_in_flight: int = 0
    yielded: int = field(default=0)

    def __iter__(self) -> Iterator[Page]:
        for page in self.pages:
            self.taken += 1
            self.most_in_flight = max(self.most_in_flight, self.taken - self.yielded)
            yield page


def test_lines_get_the_text_that_the_model_reads_and_all_else_stays(transcriber, pages):
    stale = [replace(line, words=(Word((), "x"),)) for line in pages[0].lines]
    out = list(RecognitionPipeline(transcriber, ReadingSettings())([replace(pages[0], lines=tuple(stale)), *pages[1:]]))
    assert len(out) == len(pages)
    texts = []
    for before, after in zip(pages, out, strict=True):
        assert after.issues == ()
        assert replace(after, lines=()) == replace(before, lines=())
        for old, new in zip(before.lines, after.lines, strict=True):
            read = new.transcription
            assert (new.text, new.confidence, new.reader) == (read.text, read.confidence, str(transcriber.reader))
            assert (new.words, new.spans) == ((), ())
            changed = {"text": old.text, "confidence": old.confidence, "reader": old.reader, "transcription": None}
            assert replace(new, **changed) == old
            texts.append((old.text, new.text))
    assert sum(one == other for one, other in texts) > len(texts) / 2


def test_it_takes_nothing_before_it_is_asked_and_few_pages_ahead(transcriber, pages, monkeypatch):
    monkeypatch.setattr(line_recognition, "MAX_LINES_IN_FLIGHT", 5)
    stream = Counted(replace(pages[number % 12], id=str(number)) for number in range(30))
    out = RecognitionPipeline(transcriber, ReadingSettings())(stream)
    assert stream.taken == 0
    for number, page in enumerate(out):
        stream.yielded += 1
        assert page.id == str(number), "in order"
    assert (stream.taken, stream.yielded) == (30, 30)
    assert stream.most_in_flight <= 3, "five lines are those of two pages; one more is being yielded"


def test_an_endless_stream_without_lines_comes_out_again(transcriber, pages, monkeypatch):
    monkeypatch.setattr(line_recognition, "MAX_PAGES_IN_FLIGHT", 4)

    def endless() -> Iterator[Page]:
        while True:
            yield replace(pages[0], lines=())

    out = RecognitionPipeline(transcriber, ReadingSettings())(endless())
    assert [next(out).lines for _ in range(9)] == [()] * 9


def test_what_is_read_does_not_depend_on_the_pages_beside_it(transcriber, pages, monkeypatch):
    pipeline = RecognitionPipeline(transcriber, ReadingSettings())
    together = list(pipeline(pages))
    monkeypatch.setattr(line_recognition, "MAX_LINES_IN_FLIGHT", 1)
    for one, other in zip(together, pipeline(pages), strict=True):
        assert [line.text for line in one.lines] == [line.text for line in other.lines]
        confidences = [[line.confidence for line in page.lines] for page in (one, other)]
        assert confidences[0] == pytest.approx(confidences[1], abs=1e-4)


def test_bad_pages_and_lines_in_the_middle_are_issues_and_the_others_are_read(transcriber, pages, tmp_path):
    torn = tmp_path / "torn.png"
    torn.write_bytes(b"\x89PNG\r\n")
    earlier = Issue("a.xml", "", "a step before has found no line")
    bad = replace(pages[1], image=ImageSource(torn), issues=(earlier,))
    no_image = replace(pages[2], image=None)
    lost = replace(pages[3].lines[1], polygon=(), baseline=(), box=None)
    partly = replace(pages[3], lines=(pages[3].lines[0], lost, pages[3].lines[2]))
    out = list(RecognitionPipeline(transcriber, ReadingSettings())([pages[0], bad, no_image, partly, pages[4]]))
    assert [page.id for page in out] == [page.id for page in pages[:5]]
    assert [len(page.issues) for page in out] == [0, 2, 1, 1, 0]
    assert out[1].issues[0] == earlier
    assert (out[1].issues[1].kind, out[1].issues[1].line) == ("unreadable_image", "")
    assert out[1].lines == bad.lines
    assert out[2].issues[0].kind == "missing_image"
    assert (out[3].issues[0].kind, out[3].issues[0].line) == ("no_outline", lost.id)
    assert [line.transcription is None for line in out[3].lines] == [False, True, False]
    assert out[3].lines[1] == lost
    assert not any(issue.is_doubt for page in out for issue in page.issues)


def test_a_doubt_is_an_issue_of_a_page_that_is_read(transcriber, tmp_path):
    image = np.full((300, 600), 230, np.uint8)
    cv2.putText(image, "number", (60, 200), cv2.FONT_HERSHEY_SIMPLEX, 2, 20, 5)
    cv2.imwrite(str(tmp_path / "a.png"), image)
    polygon = ((50.0, 20.0), (550.0, 20.0), (550.0, 60.0), (50.0, 60.0))
    line = TextLine("l", "p", polygon=polygon, baseline=((50.0, 205.0), (550.0, 205.0)))
    page = Page("p", tmp_path / "a.xml", ImageSource(tmp_path / "a.png"), 600, 300, lines=(line, replace(line, id="m")))
    (out,) = RecognitionPipeline(transcriber, ReadingSettings())([page])
    assert [(issue.kind, issue.is_doubt, issue.lines) for issue in out.issues] == [
        ("baseline_outside_polygon", True, 2)
    ]
    assert all(line.transcription is not None for line in out.lines)


def test_lines_for_which_the_model_gives_no_numbers_keep_their_text(transcriber, pages, monkeypatch):
    read = transcriber.read

    def broken(strips):
        found = read(strips)
        return [replace(found[0], confidence=float("nan")), *found[1:]]

    monkeypatch.setattr(transcriber, "read", broken)
    (out,) = RecognitionPipeline(transcriber, ReadingSettings())(pages[:1])
    assert out.lines[0] == pages[0].lines[0]
    assert [(issue.line, issue.reason) for issue in out.issues] == [(pages[0].lines[0].id, NOT_FINITE)]


def test_a_direction_that_is_none_ends_in_a_sentence(transcriber):
    with pytest.raises(UserError, match="direction"):
        RecognitionPipeline(transcriber, ReadingSettings(direction="sideways"))


def test_pipelines_are_put_one_after_another(transcriber, pages):
    def leave_out_first_line(stream: Iterable[Page]) -> Iterator[Page]:
        for page in stream:
            yield add_issues(replace(page, lines=page.lines[1:]), [Issue(str(page.source), "", "one line fewer")])

    steps: list[Pipeline] = [leave_out_first_line, RecognitionPipeline(transcriber, ReadingSettings())]
    stream = Counted(pages)
    applied = apply_pipelines(steps, stream)
    assert stream.taken == 0
    out = list(applied)
    assert [len(page.lines) for page in out] == [len(page.lines) - 1 for page in pages]
    assert all(page.issues[0].reason == "one line fewer" and page.lines[0].transcription for page in out)
    assert list(apply_pipelines([], pages)) == list(pages)


@given(
    counts=st.lists(st.integers(0, 9), max_size=40), max_lines=st.integers(1, 20), max_pages=st.integers(1, 7)
)  # fmt: skip
def test_groups_hold_all_pages_in_order_and_are_closed_as_soon_as_they_are_full(counts, max_lines, max_pages):
    stream = Counted(
        Page(str(number), Path("a.xml"), lines=tuple(TextLine(str(line), "p") for line in range(count)))
        for number, count in enumerate(counts)
    )
    seen = []
    for group in group_pages(stream, max_lines, max_pages):
        seen += group
        assert stream.taken == len(seen), "no page is taken ahead of a full group"
        assert 0 < len(group) <= max_pages
        assert sum(len(page.lines) for page in group[:-1]) < max_lines
    assert [page.id for page in seen] == [str(number) for number in range(len(counts))]
