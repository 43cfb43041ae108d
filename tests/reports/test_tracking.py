import io
import logging
import sys
from types import SimpleNamespace

import pytest
from rich.console import Console

from uncial.reports.terminal import progress_bar as tracking
from uncial.reports.terminal.console import StandardOutputHandler, make_console
from uncial.reports.terminal.progress_bar import report_progress, show_progress


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO, "uncial.progress")
    return lambda: [record.getMessage() for record in caplog.records]


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(tracking, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def pipe():
    return make_console(io.StringIO())


def test_log_lines_come_every_ten_seconds_and_at_the_end(lines, clock):
    with show_progress("compiling", 100, console=pipe()) as advance:
        for _ in range(20):
            clock.now += 1.5
            advance(5)
    assert lines() == [
        "compiling: 35/100 lines, 3.3 lines/s, 00:20 left",
        "compiling: 70/100 lines, 3.3 lines/s, 00:09 left",
        "compiling: 100 lines in 00:30, 3.3 lines/s",
    ]


def test_an_unknown_total_and_another_unit(lines, clock):
    with show_progress("reading", None, unit="pages", console=pipe()) as advance:
        clock.now = 12
        advance(240)
    assert lines() == ["reading: 240 pages, 20 pages/s", "reading: 240 pages in 00:12, 20 pages/s"]


def test_items_pass_through_and_count_with_their_size(lines, clock):
    assert list(report_progress(["ab", "cde"], "reading", size=len, console=pipe())) == ["ab", "cde"]
    assert lines()[-1].startswith("reading: 5 lines in ")


def test_nothing_to_do_is_no_error(lines):
    assert list(report_progress([], "reading", total=0, console=pipe())) == []
    assert lines()[-1].startswith("reading: 0 lines in ")


@pytest.mark.parametrize("total", [40, None])
def test_a_terminal_gets_a_bar(total, lines):
    console = Console(force_terminal=True, width=100, file=io.StringIO(), _environ={"TERM": "xterm"})
    with show_progress("compiling [x]", total, console=console) as advance:
        advance(15)
        advance(25)
    shown = console.file.getvalue()
    assert "compiling [x]" in shown
    assert "40/40" in shown
    assert "lines/s" in shown
    assert lines() == []


def test_a_failure_ends_the_bar_and_claims_no_end(lines):
    console = Console(force_terminal=True, width=100, file=io.StringIO(), _environ={"TERM": "xterm"})
    for where in (console, pipe()):
        with pytest.raises(KeyError), show_progress("compiling", 10, console=where):
            raise KeyError
    assert console._live_stack == []
    assert lines() == []


def test_messages_follow_standard_output(monkeypatch):
    logger = logging.Logger("test")
    logger.addHandler(StandardOutputHandler())
    for _ in range(2):
        stand_in = io.StringIO()
        monkeypatch.setattr(sys, "stdout", stand_in)
        logger.info("above the bar")
        assert stand_in.getvalue() == "above the bar\n"
