import io
from pathlib import Path

import pytest
from rich.console import Console

from uncial.data.checks.findings import Finding
from uncial.document import Issue
from uncial.reports.terminal.console import is_live, make_console, show
from uncial.reports.terminal.formatting import format_duration, format_percent, format_rate, make_visible, plural
from uncial.reports.terminal.inspection import (
    Inspection,
    PartSize,
    compute_quantiles,
    inspection_to_json,
    make_inspection_tables,
)
from uncial.reports.terminal.sample_lines import format_plain_sample_lines, format_sample_lines
from uncial.reports.terminal.summary import RunSummary, SplitScores, format_run_summary
from uncial.text.codec import count_alphabet

LONG = Path("a folder with spaces") / ("x" * 300) / "best.safetensors"


def piped(*renderables):
    console = make_console(io.StringIO())
    show(console, *renderables)
    return console.file.getvalue()


def on_terminal(*renderables, width=80):
    console = Console(force_terminal=True, color_system="standard", width=width, file=io.StringIO(), highlight=False)
    show(console, *renderables)
    return console.file.getvalue()


def summary(**changes):
    defaults = {
        "parts": {"validation": SplitScores(cer=0.04213, wer=0.1522, lines=1607, line_accuracy=0.41)},
        "folder": Path("outputs/crnn"),
        "seconds": 301.4,
        "lines_per_second": 118.2,
        "steps": 4200,
        "files": {"best model": LONG},
        "next_steps": {"read pages": f"python run.py task=predict checkpoint='{LONG}' predict.input=DIR"},
    }
    return format_run_summary(RunSummary(**{**defaults, **changes}))


def test_the_summary_tells_scores_effort_and_what_to_run_next():
    shown = piped(summary(skipped=3, advice="Train longer."))
    assert "Train longer." in shown
    for told in ("4.21 %", "15.22 %", "41.0 %", "1,607", "05:01", "4,200 steps", "118 lines/s", "3 pages or lines"):
        assert told in shown
    assert "CER" in shown
    assert "skipped.csv" in shown


def test_a_test_is_no_training():
    assert "test time 05:01" in piped(summary(steps=None, epochs=None))
    assert "training time 05:01" in piped(summary())


@pytest.mark.parametrize("shown", [piped(summary()), on_terminal(summary(), width=60)], ids=["pipe", "terminal"])
def test_long_paths_and_commands_are_neither_wrapped_nor_cut(shown):
    assert str(LONG) in shown
    assert f"checkpoint='{LONG}' predict.input=DIR" in shown


def test_a_pipe_gets_plain_text_without_wide_rules():
    shown = piped(summary(), format_sample_lines([("ab", "ac")]), make_inspection_tables(inspection()))
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) < 700


def test_a_summary_of_a_run_without_scores_is_short():
    assert "CER" not in piped(summary(parts={}, next_steps={}))


def test_differences_are_coloured_and_texts_are_no_markup():
    shown = on_terminal(format_sample_lines([("[red]ſi[/] :smile:", "[red]fi[/] :smile:")]))
    assert "[red]\x1b[1;32mſ\x1b[0mi[/] :smile:" in shown
    assert "[red]\x1b[1;31mf\x1b[0mi[/] :smile:" in shown


def test_samples_count_edits_and_show_spaces_that_differ():
    assert format_plain_sample_lines([("la dame", "ladame"), ("a", "a"), ("", "xy")]) == [
        "  truth    la␣dame",
        "  reading  ladame   (1 edit)",
        "  truth    a",
        "  reading  a",
        "  truth    ",
        "  reading  xy   (2 edits)",
    ]


def test_no_control_character_reaches_the_terminal():
    shown = piped(format_sample_lines([("a\x1b[2Jb", "a\rb\n\x9b")]))
    assert not {"\x1b", "\r", "\x9b"} & set(shown)
    assert shown.count("\n") == 2


def inspection():
    return Inspection(
        source="data/page",
        pages=39,
        lines=971,
        lines_without_text=4,
        alphabet=count_alphabet(["ab a", "\u0303\u200d\uf1acé"]),
        parts={"train": PartSize(30, 800, 24000), "val": PartSize(9, 171, 5000)},
        widths=list(range(1001)),
        unseen={"æ": 3},
        problems=[Issue(f"{LONG}", f"l{n}", "the polygon has fewer than three points") for n in range(7)]
        + [Issue("b.xml", "", "truncated [x]")],
        findings=[Finding("information", "rare", "rare one"), Finding("error", "twins", "two [b]files[/b]", "a.xml")],
    )


def test_inspection_names_sizes_parts_alphabet_quantiles_and_problems():
    shown = piped(make_inspection_tables(inspection()))
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert "data/page: 39 pages, 971 lines, 4 lines without text, 7 characters, 8 left out" in lines
    assert "train 30 800 24,000" in lines
    assert "line width (px) 0 50 250 500 750 950 1,000" in lines
    assert any(line.startswith("a 2 ␣ 1 b 1") for line in lines)
    assert "◌̃ U+0303 COMBINING TILDE" in lines
    assert "U+200D U+200D ZERO WIDTH JOINER" in lines
    assert "\uf1ac U+F1AC private use" in lines
    assert "æ 3" in lines
    assert any(line.startswith("the polygon has fewer than three points 7 ") and str(LONG) in line for line in lines)
    assert lines.index("error: two [b]files[/b] (a.xml)") < lines.index("information: rare one")


def test_inspection_as_json_is_plain_and_whole():
    data = inspection_to_json(inspection())
    assert data["quantiles"]["line width (px)"]["0.5"] == 500
    assert data["alphabet"]["\uf1ac"] == 1
    assert data["parts"]["val"] == {"pages": 9, "lines": 171, "characters": 5000}
    assert data["skipped"] == 8


def test_an_empty_data_set_can_be_inspected():
    assert "nothing: 0 pages, 0 lines" in piped(make_inspection_tables(Inspection("nothing", 0, 0, 0, {})))


def test_quantiles_are_values_that_occur():
    assert compute_quantiles([3, 1, 2], (0, 0.5, 1)) == [1, 2, 3]
    assert compute_quantiles([7]) == [7] * 7


def test_a_pipe_is_not_live_whatever_the_environment_says(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert not is_live(make_console(io.StringIO()))
    assert is_live(Console(force_terminal=True, file=io.StringIO(), _environ={"TERM": "xterm"}))


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "00:00"), (59.6, "01:00"), (3599, "59:59"), (3600, "1:00:00"), (float("inf"), "–")]
)
def test_durations(seconds, text):
    assert format_duration(seconds) == text


def test_figures():
    assert format_percent(0.04213) == "4.21 %"
    assert format_percent(float("nan")) == "–"
    assert format_rate(118.4) == "118 lines/s"
    assert format_rate(4.74, "pages") == "4.7 pages/s"
    assert (plural(1, "line"), plural(1060, "line")) == ("1 line", "1,060 lines")
    assert make_visible("a\tb\x7f\x85") == "a␉b␡\ufffd"
