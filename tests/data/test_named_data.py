"""What a person names for a root, a part or a list: globs over images, single files, folders, packed files, lists."""

from pathlib import Path

import cv2
import pytest
from drawn_layouts import cut_lines, draw_pages, write_page_layout, write_pairs

from uncial.data.ground_truth import read_source
from uncial.data.settings import SourceSettings
from uncial.errors import UserError


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """`lp/` with nine line images and their texts, `pages/` with three pages and their PAGE files in `page/`."""
    root = tmp_path_factory.mktemp("named")
    pages = draw_pages(3)
    write_pairs(root / "lp", cut_lines(pages))
    write_page_layout(root / "pages", pages)
    return root


def names(data: str, root: object, **settings: object) -> list[str]:
    entries = tuple(map(str, root)) if isinstance(root, list) else (str(root),)
    reading = read_source(SourceSettings(data, entries, **settings))
    return sorted(page.id for page in reading.pages)


def images(folder: Path) -> list[Path]:
    return sorted((folder / "lp").glob("*.png"))


@pytest.mark.parametrize("pattern", ["*.png", "*.gt.txt", "*"])
def test_a_glob_over_images_or_texts_means_lines(folder, pattern):
    assert names("lines", folder / "lp" / pattern) == names("lines", folder / "lp")


@pytest.mark.parametrize("include", ["*.png", "*.gt.txt", "lp/*.png"])
def test_including_images_or_texts_means_lines(folder, include):
    root = folder if "/" in include else folder / "lp"
    assert len(names("lines", root, include=(include,))) == 9


def test_one_image_is_a_line(folder):
    first, second, *_ = images(folder)
    assert names("lines", first) == [first.stem]
    assert names("lines", [first, second.with_name(f"{second.stem}.gt.txt")]) == [first.stem, second.stem]


@pytest.mark.parametrize("suffix", [".png", ".gt.txt"])
def test_what_is_excluded_takes_its_partner_with_it(folder, suffix):
    first = images(folder)[0]
    reading = read_source(SourceSettings("lines", (str(folder / "lp"),), exclude=(f"{first.stem}{suffix}",)))
    assert len(reading.pages) == 8
    assert not reading.problems


def test_names_in_capitals_are_found_beside_an_image(tmp_path, folder):
    first = images(folder)[0]
    cv2.imwrite(str(tmp_path / "A.PNG"), cv2.imread(str(first)))
    (tmp_path / "A.GT.TXT").write_text("abc", encoding="utf-8")
    assert names("lines", tmp_path / "*.PNG") == ["A"]
    assert names("lines", tmp_path) == ["A"]


@pytest.mark.parametrize("data", ["page", "xml"])
def test_images_that_are_named_or_included_mean_their_pages(folder, data):
    pages, every = folder / "pages", names(data, folder / "pages")
    image = sorted(pages.glob("*.png"))[0]
    assert len(every) == 3
    assert len(names(data, pages / "*.png")) == 3
    assert len(names(data, image)) == 1
    assert len(names(data, pages, include=("*.png",))) == 3
    assert names(data, pages, include=(image.name,)) == [f"page/{image.stem}"]
    assert names(data, pages, exclude=(image.name,)) == [one for one in every if one != f"page/{image.stem}"]
    assert names(data, pages, exclude=("*.png",)) == every


def test_a_folder_in_a_list_stands_for_what_is_in_it(folder):
    (folder / "all.lst").write_text("pages\n", encoding="utf-8")
    assert len(names("xml", folder / "all.lst")) == 3
    assert len(names("manifest", folder / "all.lst")) == 3
    (folder / "lines.lst").write_text("lp\npages/page\n", encoding="utf-8")
    assert len(names("manifest", folder / "lines.lst")) == 12


def test_a_folder_that_holds_the_list_of_a_part_stands_for_the_list(folder, tmp_path):
    for part, chosen in (("train", images(folder)[3:]), ("val", images(folder)[:3])):
        rows = [f"{image}\t{image.with_suffix('.gt.txt').read_text(encoding='utf-8').strip()}" for image in chosen]
        (tmp_path / part).mkdir()
        (tmp_path / part / f"training_all_{part}.txt").write_text("\n".join(rows), encoding="utf-8")
    settings = SourceSettings("loghi", train=(str(tmp_path / "train"),), val=(str(tmp_path / "val"),))
    assert len(read_source(settings).pages) == 9


@pytest.mark.parametrize("data", ["loghi", "manifest", "labels", "xml"])
def test_what_relative_paths_count_from_is_said(data, tmp_path, folder):
    (tmp_path / "list.txt").write_text("gone.png some text\n".replace(" ", "\t", data != "manifest"), encoding="utf-8")
    if data in ("manifest", "xml"):
        (tmp_path / "list.txt").write_text("gone.png\n", encoding="utf-8")
    with pytest.raises(UserError, match=rf"count from {tmp_path}"):
        names(data, tmp_path / "list.txt")


@pytest.mark.parametrize("data", ["page", "alto", "xml", "lines", "labels", "loghi", "manifest", "compiled"])
@pytest.mark.parametrize("name", ["export.zip", "export.tar.gz", "export.TGZ"])
def test_a_packed_file_is_to_be_unpacked(data, name, tmp_path):
    (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(UserError, match=rf"{name} is packed; unpack it first"):
        names(data, tmp_path / name)


@pytest.mark.parametrize(
    ("data", "root", "told"),
    [
        ("manifest", "pages/page/*.xml", "is no list of files; data=xml reads"),
        ("loghi", "pages/page", "did you mean data=xml?"),
        ("loghi", "lp/*.png", "is no list of files; data=lines reads"),
        ("labels", "lp/*.png", "is an image; data=labels asks for the label file"),
        ("lines", "some.txt", "data=manifest reads lists of paths"),
        ("page", "lp", "did you mean data=lines?"),
        ("loghi", "deep", r"training_all_train.txt lies deeper, so give its folder: data.root=\S+deep/lists"),
        ("page", "deep", r"did you mean data=loghi data.root=\S+deep/lists\?"),
    ],
)
def test_another_format_is_named_with_its_folder(data, root, told, folder):
    (folder / "some.txt").write_text("a.png\n", encoding="utf-8")
    (folder / "deep" / "lists").mkdir(parents=True, exist_ok=True)
    (folder / "deep" / "lists" / "training_all_train.txt").write_text("a.png\tabc\n", encoding="utf-8")
    with pytest.raises(UserError, match=told):
        names(data, folder / root)
