"""What all tests share."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
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

    def run(*arguments: str, into: str = "run", prints: bool = False) -> Ended:
        return run_program(tmp_path / into, *arguments, prints=prints)

    return run


@pytest.fixture(scope="session")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Ended]:
    """`make_once("NAME", make)`: what `make(folder)` leaves in a folder, made by the first of the test processes that
    asks for it, while the others wait."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def make_once(name: str, make: Callable[[Path], Ended]) -> Ended:
        folder, made = shared / f"shared_{name}", shared / f"shared_{name}.json"
        with FileLock(shared / f"shared_{name}.lock"):
            if not made.is_file():
                folder.mkdir(exist_ok=True)
                ended = make(folder)
                made.write_text(json.dumps([ended.code, str(ended.folder), ended.output]), encoding="utf-8")
        code, ended_in, output = json.loads(made.read_text(encoding="utf-8"))
        return Ended(code, Path(ended_in), output)

    return make_once


@pytest.fixture(scope="session")
def drawn(make_once: Callable[..., Ended]) -> Path:
    """Twelve pages of three lines as PAGE in `page/` (X.png with page/X.xml) and as ALTO in `alto/`. Read only."""
    from drawn_layouts import draw_pages, write_alto_layout, write_page_layout

    def draw(root: Path) -> Ended:
        pages = draw_pages(12)
        write_page_layout(root / "page", pages)
        write_alto_layout(root / "alto", pages)
        return Ended(0, root, "")

    return make_once("drawn", draw).folder


@pytest.fixture(scope="session")
def layout_model(drawn: Path, make_once: Callable[..., Ended]) -> Path:
    """The folder of a run that trained a layout model for a step: it finds anything or nothing. Read only."""
    from program import LAYOUT

    def train(folder: Path) -> Ended:
        ended = run_program(folder / "run", "model=layout", "data=page", f"data.root={drawn / 'page'}", *LAYOUT)
        assert ended.code == 0, ended
        return ended

    return make_once("layout_model", train).folder


@pytest.fixture(scope="session")
def trained(drawn: Path, make_once: Callable[..., Ended]) -> Ended:
    """A run that trained a small model on `drawn/page` until it reads a good part of it. Read only."""
    from program import LEARNING

    def train(folder: Path) -> Ended:
        data = ("data=page", f"data.root={drawn / 'page'}")
        ended = run_program(folder / "run", "task=train", *data, *LEARNING, prints=True)
        assert ended.code == 0, ended
        return ended

    return make_once("trained", train)


@pytest.fixture
def train(run: Callable[..., Ended], drawn: Path, request: pytest.FixtureRequest) -> Callable[..., Ended]:
    """`train("optimizer.lr=…", …, into="NAME")`: a training on `drawn/page` with the keys that the test's file calls
    SHORT, and with these."""
    return lambda *more, into="run": run(*request.module.SHORT, f"data.root={drawn / 'page'}", *more, into=into)


@pytest.fixture
def predict(run: Callable[..., Ended], trained: Ended) -> Callable[..., Ended]:
    """`predict(SOURCE, …, into="NAME")`: what the trained model reads of it."""

    def predict(source: object, *more: str, into: str = "predict") -> Ended:
        return run("task=predict", f"checkpoint={trained.folder}", f"predict.input={source}", *more, into=into)

    return predict
