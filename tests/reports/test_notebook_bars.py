"""Progress in a notebook: one line that is redrawn, while scores stay; and messages that leave logging as it was."""

import logging
import sys
from contextlib import suppress
from types import SimpleNamespace

import pytest

import uncial
from uncial.reports.terminal.console import run_logging
from uncial.reports.terminal.progress_bar import is_notebook, make_bar, show_progress


@pytest.fixture
def notebook(monkeypatch) -> list[tuple[str, str]]:
    """What the cell shows: ("new" or "update", text), as IPython's display would."""
    shown: list[tuple[str, str]] = []

    def display(content, raw, display_id):
        shown.append(("new", content["text/plain"]))
        return SimpleNamespace(update=lambda content, raw: shown.append(("update", content["text/plain"])))

    monkeypatch.setitem(
        sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=1), version_info=(8, 24))
    )
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=display))
    return shown


def test_only_the_kernel_of_a_notebook_is_one(monkeypatch):
    assert not is_notebook()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert not is_notebook()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: SimpleNamespace()))
    assert not is_notebook(), "IPython in a terminal"


def test_a_bar_is_redrawn_in_its_place(notebook):
    with show_progress("compiling", 40) as advance:
        advance(10)
        advance(30)
    assert [kind for kind, _ in notebook] == ["new", "update"]
    assert "compiling: 40/40 lines" in notebook[-1][1]
    assert make_bar(10, 40).count("█") == 7
    assert make_bar(3, None) == make_bar(3, float("inf")) == ""


def test_a_training_in_a_notebook(notebook, drawn, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small = {"model.backbone.stages": [[16, 1, 2, 2], [16, 1, 2, 1]], "model.preprocessing.height": 32}
    quick = {"trainer.max_steps": 2, "trainer.validations": 1, "trainer.workers": 0, "data.compile_workers": 1}
    uncial.train({"data": "page", "data.root": drawn / "page", **small, **quick})
    printed = capsys.readouterr().out
    assert "step 2: val CER" in printed
    assert "step 2/2" not in printed, "what is redrawn is no message"
    training = [text for _, text in notebook if "step" in text]
    assert "step 2/2" in training[-1]
    assert "█" * 30 in training[-1]


def test_messages_of_a_run_leave_logging_as_it_was(tmp_path):
    root, mine = logging.getLogger(), logging.FileHandler(tmp_path / "mine.log")
    handlers, level = root.handlers[:], root.level
    settings = {
        "version": 1,
        "formatters": {"plain": {"format": "run: %(message)s"}},
        "handlers": {
            "file": {"class": "logging.FileHandler", "filename": str(tmp_path / "run.log"), "formatter": "plain"}
        },
        "root": {"level": "INFO", "handlers": ["file"]},
    }
    root.handlers[:] = [mine]
    root.setLevel(logging.WARNING)
    loud = logging.getLogger("loud")
    loud.setLevel(logging.DEBUG)
    try:
        with suppress(ValueError), run_logging(settings):
            logging.getLogger("quiet").info("one")
            logging.getLogger("quiet").warning("two")
            loud.debug("three")
            raise ValueError
        logging.getLogger("quiet").warning("four")
        assert root.handlers == [mine]
        assert root.level == logging.WARNING
    finally:
        root.handlers[:], root.level = handlers, level
        mine.close()
    assert (tmp_path / "run.log").read_text().split("\n")[:-1] == ["run: one", "run: two", "run: three"]
    assert (tmp_path / "mine.log").read_text().split() == ["two", "three", "four"]
