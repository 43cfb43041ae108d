"""What all tests share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The public ground truth that is no part of the project; tests that need it are skipped where it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("UNCIAL_REAL_DATA") or beside)
    if not folder.is_dir():
        pytest.skip(f"no real ground truth at {folder}; set UNCIAL_REAL_DATA to its folder")
    return folder
