"""What all tests share."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from program import Ended, run_program


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The public ground truth that is no part of the project; tests that need it are skipped where it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("UNCIAL_REAL_DATA") or beside)
    if not folder.is_dir():
        pytest.skip(f"no real ground truth at {folder}; set UNCIAL_REAL_DATA to its folder")
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Ended]:
    """`run("task=…", …, into="NAME")`: the program with these arguments; its run folder is called NAME."""

    def run(*arguments: str, into: str = "run") -> Ended:
        return run_program(tmp_path / into, *arguments)

    return run


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve pages of three lines as PAGE in `page/` (X.png with page/X.xml) and as ALTO in `alto/`. Read only."""
    from drawn_layouts import draw_pages, write_alto_layout, write_page_layout

    root = tmp_path_factory.mktemp("drawn")
    pages = draw_pages(12)
    write_page_layout(root / "page", pages)
    write_alto_layout(root / "alto", pages)
    return root


@pytest.fixture(scope="session")
def trained(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """A run that trained a small model on `drawn/page` until it reads a good part of it. Read only."""
    from program import LEARNING

    folder = tmp_path_factory.mktemp("trained") / "run"
    ended = run_program(folder, "task=train", "data=page", f"data.root={drawn / 'page'}", *LEARNING)
    assert ended.code == 0, ended
    return ended
