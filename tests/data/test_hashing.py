"""The hash of a file follows its content."""

import hashlib
import os
from pathlib import Path

import pytest

from uncial.files import hash_content


def test_it_is_the_content_and_not_the_name_that_counts(tmp_path: Path) -> None:
    for name, content in (("a", b"one"), ("b", b"one"), ("c", b"two")):
        (tmp_path / name).write_bytes(content)
    assert hash_content(tmp_path / "a") == hash_content(tmp_path / "b") == hashlib.sha256(b"one").hexdigest()
    assert hash_content(tmp_path / "a") != hash_content(tmp_path / "c")


def test_a_changed_file_is_hashed_again(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one")
    first = hash_content(path)
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))
    assert hash_content(path) != first


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        hash_content(tmp_path / "gone")
