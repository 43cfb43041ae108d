"""Trainings from Python, small ones, in a folder of their own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from program import plain_figures

TINY = {
    "model.backbone.stem": 8,
    "model.backbone.stages": [[16, 1, 2, 2], [16, 1, 2, 1]],
    "model.head.hidden": 16,
    "model.preprocessing.height": 32,
    "trainer.max_steps": 2,
    "trainer.validations": 1,
    "trainer.threads": 1,
    "trainer.workers": 0,
    "trainer.precision": 32,
    "data.compile_workers": 1,
    "logger.tensorboard": False,
}


@pytest.fixture
def tiny(drawn: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch, tmp_path: Path) -> Iterator:
    """`tiny(**more)`: keys and values of a training of two steps; the current folder is an empty one. Keys of `more`
    have two underscores for a dot."""
    monkeypatch.chdir(tmp_path)
    store = tmp_path_factory.getbasetemp() / "store_of_api"

    def keys(**more: Any) -> dict[str, Any]:
        typed = {key.replace("__", "."): value for key, value in more.items()}
        return {"data": "page", "data.root": drawn / "page", "paths.store": store, **TINY, **typed}

    with plain_figures():
        yield keys
