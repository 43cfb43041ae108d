"""data=mixed with pages that the program draws itself among the sources."""

import pytest
from drawn_layouts import read_csv
from program import TINY, quoted

from uncial.data.ground_truth import read_source
from uncial.data.settings import SourceSettings

SHORT = (*TINY, "trainer.max_steps=2", "trainer.validations=1", "trainer.batch_width=1500", "callbacks.samples=0")
FEW = "pages: 3, lines: [2, 2], characters: [8, 12], furniture: 0, workers: 1"


@pytest.fixture
def mixed(run, drawn, tmp_path):
    """A run on `drawn/page` together with drawn pages of these keys."""

    def begin(*typed, keys=FEW, into="run"):
        other = f"{{format: page, root: {quoted(drawn / 'page')}, name: ours}}"
        drawing = f"{{format: synthetic, root: {quoted(tmp_path / 'drawing')}, name: drawings, {keys}}}"
        return run(*typed, "data=mixed", f"data.sources=[{other}, {drawing}]", into=into)

    return begin


def test_a_run_trains_on_both_and_draws_once(mixed, tmp_path):
    ended = mixed("task=train", *SHORT, "data.ratio=[0.8,0.2,0]")
    assert ended.code == 0, ended
    assert "Drawing synthetic pages into" in ended.output
    pages = list(read_csv(ended.folder / "splits.csv"))
    lines = {"ours": 0, "drawings": 0}
    for page in pages:
        lines[page["page"].partition("/")[0]] += int(page["lines"])
    assert lines == {"ours": 36, "drawings": 6}
    assert {page["hand"] for page in pages if page["page"].startswith("drawings/")} == {"hand_01", "hand_02", "hand_03"}
    again = mixed("task=test", f"checkpoint={ended.folder}", "data.subset=val", "data.ratio=[0.8,0.2,0]", into="again")
    assert again.code == 0, again
    assert "Drawing synthetic pages" not in again.output
    assert again.metrics["test"]["cer"] == ended.metrics["val"]["cer"]
    assert len([path for path in (tmp_path / "drawing").iterdir() if path.is_dir()]) == 1


def test_options_may_stand_in_the_entry_or_below_it_and_others_draw_other_pages(tmp_path):
    few = {"pages": 2, "lines": [2, 2], "characters": [8, 12], "workers": 1}
    entry = {"format": "synthetic", "root": str(tmp_path)}
    sources = [{**entry, **few}, {**entry, "options": few}, {**entry, **few, "seed": 7}]
    first, same, other = (read_source(SourceSettings("mixed", options={"sources": [one]})).pages for one in sources)
    assert first == same
    assert len(other) == len(first) == 2
    assert {line.text for page in other for line in page.lines} != {line.text for page in first for line in page.lines}
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 2


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("{format: synthetic, pages: 2}", "root of an entry of data.sources: name one folder"),
        ("{format: synthetic, root: x, pagse: 2}", "pagse"),
        ("{format: synthetic, root: x, pages: 0}", "pages"),
    ],
)
def test_what_cannot_be_drawn_ends_in_one_sentence(run, entry, told):
    ended = run("task=inspect", "data=mixed", f"data.sources=[{entry}]")
    assert ended.code == 1
    assert len(ended.output.strip().splitlines()) == 1, ended
    assert told in ended.output
