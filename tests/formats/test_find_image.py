"""Which image a file means, in the folders and spellings that exporters leave."""

import unicodedata
from pathlib import Path

import pytest

from uncial.errors import UnusableInput
from uncial.formats.image_finder import ImageFinder


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")


def find(root: Path, stated: str, source: str = "page/a.xml", *folders: Path) -> str:
    touch(root, source)
    return ImageFinder(folders).find(stated, root / source, root).relative_to(root).as_posix()


@pytest.mark.parametrize(
    ("stated", "present", "expected"),
    [
        ("s.jpg", "page/s.jpg", "page/s.jpg"),
        ("s.jpg", "s.jpg", "s.jpg"),
        ("/home/other/scans/s.jpg", "s.jpg", "s.jpg"),
        ("C:\\Users\\Åse\\scans\\s.jpg", "s.jpg", "s.jpg"),
        ("\\\\server\\share\\s.jpg", "s.jpg", "s.jpg"),
        ("file:///mnt/s%20t.jpg", "s t.jpg", "s t.jpg"),
        ("https://example.org/iiif/s.jpg", "s.jpg", "s.jpg"),
        ("zip//imgs.zip/s.JPG", "s.JPG", "s.JPG"),
        ("s.JPG", "s.jpg", "s.jpg"),
        ("s.jpeg", "s.jpg", "s.jpg"),
        ("s.jpg", "s.tif", "s.tif"),
        ("s.pdf", "s.png", "s.png"),
        ("s%20t.jpg", "s t.jpg", "s t.jpg"),
        ("100%.jpg", "100%.jpg", "100%.jpg"),
        ("s", "s.webp", "s.webp"),
        ("fol.17", "fol.17.jp2", "fol.17.jp2"),
        ("a, b=c.jpg", "a, b=c.jpg", "a, b=c.jpg"),
        ("../scans/s.jpg", "scans/s.jpg", "scans/s.jpg"),
        ("images/s.jpg", "page/images/s.jpg", "page/images/s.jpg"),
        ("images/s.jpg", "s.jpg", "s.jpg"),
        ("OCR-D-IMG/s.tif", "OCR-D-IMG/s.tif", "OCR-D-IMG/s.tif"),
        ("images/s%20t.jpg", "images/s t.jpg", "images/s t.jpg"),
        ("other.jpg", "a.jpg", "a.jpg"),
        ("", "a.png", "a.png"),
    ],
)
def test_found(tmp_path: Path, stated: str, present: str, expected: str) -> None:
    root = tmp_path / "data"
    touch(root, present, "unrelated.jpg", "page/unrelated.png")
    assert find(root, stated) == expected


def test_a_relative_path_may_begin_at_the_root(tmp_path: Path) -> None:
    touch(tmp_path, "scans/1/s.jpg", "scans/2/s.jpg")
    assert find(tmp_path, "scans/2/s.jpg", "work/page/a.xml") == "scans/2/s.jpg"


def test_beside_the_file_counts_before_one_folder_up_and_further_folders_last(tmp_path: Path) -> None:
    root, far = tmp_path / "data", tmp_path / "data" / "far"
    touch(root, "far/s.jpg")
    assert find(root, "s.jpg", "page/a.xml", far) == "far/s.jpg"
    touch(root, "s.jpg")
    assert find(root, "s.jpg", "page/a.xml", far) == "s.jpg"
    touch(root, "page/s.jpg")
    assert find(root, "s.jpg", "page/a.xml", far) == "page/s.jpg"


def test_an_exact_name_in_a_later_folder_counts_before_a_similar_one_in_an_earlier(tmp_path: Path) -> None:
    touch(tmp_path, "page/s.png", "s.jpg")
    assert find(tmp_path, "s.jpg") == "s.jpg"


def test_the_stated_name_counts_before_the_name_of_the_file(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "s.png")
    assert find(tmp_path, "s.jpg") == "s.png"


def test_a_relative_image_folder_lies_below_the_root(tmp_path: Path) -> None:
    touch(tmp_path, "scans/s.jpg")
    assert find(tmp_path, "s.jpg", "page/a.xml", Path("scans")) == "scans/s.jpg"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_unicode_forms_of_a_name_are_the_same(tmp_path: Path, form: str) -> None:
    present = unicodedata.normalize(form, "procès-é.jpg")
    touch(tmp_path, present)
    other = unicodedata.normalize("NFD" if form == "NFC" else "NFC", present)
    assert find(tmp_path, other) == present


@pytest.mark.parametrize("present", [("s.png", "s.tif"), ("S.jpg", "s.JPG")])
def test_what_is_ambiguous_is_not_guessed(tmp_path: Path, present: tuple[str, ...]) -> None:
    touch(tmp_path, *present)
    with pytest.raises(UnusableInput, match=r"a\.xml: its image 's\.jpg' may be .* or .*keep one"):
        find(tmp_path, "s.jpg")


@pytest.mark.parametrize("stated", ["../../../s.jpg", "..\\..\\..\\s.jpg", "x/../../../../s.jpg"])
def test_a_path_above_the_parent_of_the_root_is_refused(tmp_path: Path, stated: str) -> None:
    touch(tmp_path, "s.jpg")
    with pytest.raises(UnusableInput, match="lies outside of"):
        find(tmp_path / "parent" / "data", stated)


def test_the_parent_of_the_root_itself_is_within_reach(tmp_path: Path) -> None:
    touch(tmp_path, "s.jpg")
    assert ImageFinder().find("s.jpg", tmp_path / "page" / "a.xml", tmp_path / "page") == tmp_path / "s.jpg"


def test_symbolic_links_are_followed_and_broken_ones_are_missing(tmp_path: Path) -> None:
    touch(tmp_path, "store/real.jpg")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "s.jpg").symlink_to(tmp_path / "store" / "real.jpg")
    (tmp_path / "data" / "gone.jpg").symlink_to(tmp_path / "store" / "nothing.jpg")
    assert find(tmp_path / "data", "s.jpg", "page/b.xml") == "s.jpg"
    with pytest.raises(UnusableInput, match=r"gone\.jpg is no file"):
        find(tmp_path / "data", "gone.jpg", "page/b.xml")


@pytest.mark.parametrize(
    ("stated", "words"),
    [
        ("s.jpg", "'s.jpg' is not in .*data.images"),
        ("", "states no image"),
        ("..", "states no image"),
        ("s.gif", "convert it"),
        ("x" * 5000 + ".jpg", "is not in"),
        ("y/" + "x" * 5000 + ".jpg", "is not in"),
    ],
)
def test_what_is_missing_says_where_it_was_looked_for(tmp_path: Path, stated: str, words: str) -> None:
    touch(tmp_path, "s.gif")
    with pytest.raises(UnusableInput, match=words):
        find(tmp_path, stated)


def test_a_folder_below_the_home_folder_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    touch(tmp_path / "home", "scans/s.jpg")
    found = ImageFinder([Path("~/scans")]).find("s.jpg", tmp_path / "page" / "a.xml", tmp_path / "page")
    assert found == tmp_path / "home" / "scans" / "s.jpg"
