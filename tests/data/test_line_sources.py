"""Sources of line images, read through `read(settings)`: layouts that users have, and what is wrong in them."""

import unicodedata
from pathlib import Path

import pytest
from kraken_files import write_arrow
from PIL import Image

from uncial.data.settings import SourceSettings
from uncial.data.sources import compiled, labels, lines, loghi, manifest, mixed
from uncial.errors import UserError

PAGE_XML = """<?xml version="1.0"?>
<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2013-07-15">
<Page imageFilename="{image}" imageWidth="40" imageHeight="12"><TextRegion id="r"><Coords points="0,0 40,0 40,12 0,12"/>
<TextLine id="l"><Coords points="0,0 40,0 40,12"/><TextEquiv><Unicode>{text}</Unicode></TextEquiv></TextLine>
</TextRegion></Page></PcGts>"""


def image(path: Path, shade: int = 255) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (40, 12), shade).save(path)
    return path


def line(path: Path, text: str, shade: int = 255) -> Path:
    image(path, shade)
    path.with_suffix(".gt.txt").write_text(text + "\n", encoding="utf-8")
    return path


def settings(kind: str, *root: Path, **more) -> SourceSettings:
    return SourceSettings(kind, root=tuple(str(path) for path in root), **more)


def texts(reading) -> dict[str, str]:
    return {page.id: page.lines[0].text for page in reading.pages}


def test_lines_below_a_root(tmp_path):
    line(tmp_path / "buch" / "Seite 1,a=b_01.png", "eins")
    line(tmp_path / "buch" / "é.jpg", "zwei")
    image(tmp_path / "buch" / "bare.png")
    (tmp_path / "buch" / "alone.gt.txt").write_text("x")
    (tmp_path / "buch" / "latin.gt.txt").write_bytes(b"\xe6")
    image(tmp_path / "buch" / "latin.png")
    line(tmp_path / ".hidden" / "x.png", "x")
    reading = lines.read(settings("lines", tmp_path))
    assert texts(reading) == {"buch/Seite 1,a=b_01": "eins", "buch/é": "zwei"}
    page = reading.pages[0]
    assert (page.document, page.hand, page.lines[0].id) == ("buch", "buch", "Seite 1,a=b_01")
    assert {Path(problem.file).name for problem in reading.problems} == {"bare.png", "alone.gt.txt", "latin.gt.txt"}


def test_ids_do_not_depend_on_where_the_root_lies_or_how_names_are_composed(tmp_path):
    for place, form in (("one", "NFC"), ("two/three", "NFD")):
        line(tmp_path / place / unicodedata.normalize(form, "é") / "a_1.png", "x")
    first, second = (lines.read(settings("lines", tmp_path / place)) for place in ("one", "two/three"))
    assert [page.id for page in first.pages] == [page.id for page in second.pages] == ["é/a_1"]


@pytest.mark.parametrize(("on_disk", "in_text"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_names_in_another_unicode_form_are_the_same_names(tmp_path, on_disk, in_text):
    """macOS takes accents apart in the names of files, while a list or an archive made elsewhere has them composed."""
    disk, stated = (unicodedata.normalize(form, "Émile é_1") for form in (on_disk, in_text))
    image(tmp_path / "images" / f"{disk}.png")
    (tmp_path / "images" / f"{stated}.gt.txt").write_text("sien", encoding="utf-8")
    assert list(texts(lines.read(settings("lines", tmp_path))).values()) == ["sien"]
    for name, row in (("labels.txt", f"{stated}.png\tsien\n"), ("list.txt", f"images/{stated}.png\tsien\n")):
        (tmp_path / name).write_text(row, encoding="utf-8")
    assert list(texts(labels.read(settings("labels", tmp_path))).values()) == ["sien"]
    assert list(texts(loghi.read(settings("loghi", tmp_path / "list.txt"))).values()) == ["sien"]
    (tmp_path / "all.txt").write_text(f"images/{stated}.png\n", encoding="utf-8")
    assert list(texts(manifest.read(settings("manifest", tmp_path))).values()) == ["sien"]


def test_label_files_that_name_images_as_another_machine_did(tmp_path):
    for name in ("s/a", "s/b", "c"):
        image(tmp_path / "images" / f"{name}.png")
    rows = ["s\\a.png\teins", "C:\\daten\\b.png\tzwei", "/home/other/images/c.png\tdrei"]
    (tmp_path / "labels.txt").write_text("\n".join(rows), encoding="utf-8")
    reading = labels.read(settings("labels", tmp_path))
    assert sorted(texts(reading).values()) == ["drei", "eins", "zwei"]
    assert reading.problems == ()


def test_a_text_of_two_lines_is_told_whatever_ends_them(tmp_path):
    for n, end in enumerate(("\n", "\r\n", "\r")):
        image(tmp_path / f"{n}.png")
        (tmp_path / f"{n}.gt.txt").write_bytes(f"one{end}two{end}".encode())
    line(tmp_path / "right.png", "one")
    problems = lines.read(settings("lines", tmp_path)).problems
    assert ["holds 2 lines" in problem.reason for problem in problems] == [True] * 3


def test_many_images_without_text_are_one_problem(tmp_path):
    line(tmp_path / "a.png", "x")
    for i in range(20):
        image(tmp_path / "pages" / f"{i}.png")
    (problem,) = lines.read(settings("lines", tmp_path)).problems
    assert "20 images" in problem.reason
    reading = lines.read(settings("lines", tmp_path, options={"unlabelled": True}))
    assert [page.lines[0].text for page in reading.pages].count(None) == 20


def test_include_and_exclude(tmp_path):
    for name in ("a/1.png", "a/2.png", "b/c/1.png", "b/2.bad.png"):
        line(tmp_path / name, name)
    # the texts must be selected along with their images
    assert set(texts(lines.read(settings("lines", tmp_path, include=("b",))))) == {"b/c/1", "b/2.bad"}
    assert set(texts(lines.read(settings("lines", tmp_path, exclude=("*.bad.*",))))) == {"a/1", "a/2", "b/c/1"}
    assert set(texts(lines.read(settings("lines", tmp_path, include=("**/1.*",), exclude=("a/*",))))) == {"b/c/1"}


def test_explicit_folders_lie_below_the_root(tmp_path):
    for name in ("train/a.png", "train/b.png", "val/a.png", "test/a.png"):
        line(tmp_path / name, name)
    explicit = {"train": ("train",), "val": ("val",), "test": ("test",)}
    reading = lines.read(settings("lines", tmp_path, **explicit))
    assert {page.id: page.subset for page in reading.pages} == {
        "train/a": "train",
        "train/b": "train",
        "val/a": "val",
        "test/a": "test",
    }
    absolute = {name: (str(tmp_path / name),) for name in explicit}
    assert {page.id for page in lines.read(SourceSettings("lines", **absolute)).pages} == {
        page.id for page in reading.pages
    }


def test_a_file_named_for_two_parts_is_used_in_the_stricter(tmp_path):
    for name in ("a.png", "b.png"):
        line(tmp_path / name, name)
    reading = lines.read(settings("lines", tmp_path, test=("b.*",)))
    assert {page.id: page.subset for page in reading.pages} == {"a": None, "b": "test"}


def test_roots_of_one_name_are_told_apart(tmp_path):
    for place in ("x/set", "y/set", "z"):
        line(tmp_path / place / "a.png", place)
    reading = lines.read(settings("lines", tmp_path / "x/set", tmp_path / "y/set", tmp_path / "z"))
    assert texts(reading) == {"set/a": "x/set", "set~2/a": "y/set", "z/a": "z"}
    globbed = lines.read(settings("lines", tmp_path / "*" / "set"))
    assert set(texts(globbed)) == {"x/set/a", "y/set/a"}


def test_links_are_followed_and_loops_end(tmp_path):
    line(tmp_path / "elsewhere" / "a.png", "x")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "loop").symlink_to(tmp_path / "elsewhere")
    assert list(texts(lines.read(settings("lines", tmp_path / "root")))) == ["linked/a"]


@pytest.mark.parametrize(
    ("relatives", "groups"),
    [
        (["cu31924087948174_0051_27.png", "cu31924087948174_0051_3.png"], ["cu31924087948174_0051"] * 2),
        (["d/keller_heinrich01_1854_0155_008", "d/x"], ["d/keller_heinrich01_1854_0155", "d/x"]),
        (["P 1/P 1-line_0735966d-a9e2-42e7-8a53-f55e60a79350", "P 1/P 1-r1l2"], ["P 1"] * 2),
        (["P/P.xml-17359660-a9e2-42e7-8a53-155160179350"], ["P"]),
        (["P/P-line_1544715391584_1284"], ["P"]),
        (["all/p1-r_1_1.png", "all/p1-tr_2_tl_3.png", "all/p2_line_3.png"], ["all/p1", "all/p1", "all/p2"]),
        (["ref/a/18629610", "ref/b/b4aa0e", "ref/b/20d62c4b"], ["ref/a", "ref/b", "ref/b"]),
        (["x/18629610", "x/line_0001"], ["x/18629610", "x/line_0001"]),
        (["bittersuess_1891_0001_400px_12a"], ["bittersuess_1891_0001_400px"]),
    ],
)
def test_the_page_of_a_line_image(tmp_path, relatives, groups):
    for relative in relatives:
        line(tmp_path / (relative.removesuffix(".png") + ".png"), "x")
    by_id = {page.id: page.group for page in lines.read(settings("lines", tmp_path)).pages}
    assert [by_id[relative.removesuffix(".png")] for relative in relatives] == groups


def test_a_pattern_names_page_document_and_hand(tmp_path):
    for name in ("A-7-x", "A-7-y", "B-7-x", "odd"):
        line(tmp_path / f"{name}.png", "x")
    options = {"page_pattern": r"^(\w-\d)", "document_pattern": r"^(\w)-", "hand_pattern": r"-(\w)$"}
    pages = {page.id: page for page in lines.read(settings("lines", tmp_path, options=options)).pages}
    assert [pages[name].group for name in ("A-7-x", "A-7-y", "B-7-x", "odd")] == ["A-7", "A-7", "B-7", "odd"]
    assert (pages["A-7-x"].document, pages["A-7-x"].hand) == ("A", "x")
    for pattern in ("(", "no group"):
        with pytest.raises(UserError, match=r"data\.page_pattern"):
            lines.read(settings("lines", tmp_path, options={"page_pattern": pattern}))


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ([], "no files"),
        (["a.xml", "a.jpg"], r"1 \.xml file.*did you mean data=xml\?"),
        (["labels.txt", "images/a.png"], "data=labels"),
        (["x.arrow"], "data=compiled"),
        (["export.zip"], r"1 \.zip file: unpack export\.zip first"),
    ],
)
def test_an_empty_root_says_what_it_holds(tmp_path, made, words):
    for name in made:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    with pytest.raises(UserError, match=rf"data\.root: .*{words}"):
        lines.read(settings("lines", tmp_path))


def test_roots_that_are_not_there(tmp_path):
    with pytest.raises(UserError, match=r"data\.root: .*nowhere does not exist"):
        lines.read(settings("lines", tmp_path / "nowhere"))
    with pytest.raises(UserError, match=r"data\.root: no file or folder matches"):
        lines.read(settings("lines", tmp_path / "*.nothing"))
    with pytest.raises(UserError, match=r"data\.root is not set"):
        lines.read(settings("lines"))
    with pytest.raises(UserError, match=r"data\.val: .*absent does not exist"):
        lines.read(settings("lines", tmp_path, val=("absent",)))


def test_loghi_lists_and_paths_of_another_machine(tmp_path):
    image(tmp_path / "set" / "p" / "p-l1.png")
    image(tmp_path / "set" / "p" / "p-l2.png")
    train = tmp_path / "set" / "training_all_train.txt"
    train.write_text("/srv/loghi/set/p/p-l1.png\t0.5\tein ␅A\np/p-l2.png\tzwei\np/absent.png\tx\n")
    val = tmp_path / "val of mine.txt"
    val.write_text(f"{tmp_path}/set/p/p-l2.png\tzwei\n")
    reading = loghi.read(SourceSettings("loghi", train=(str(train),), val=(str(val),)))
    found = {page.lines[0].id: page for page in reading.pages}
    assert {name: page.subset for name, page in found.items()} == {"p-l1": "train", "p-l2": "val"}
    first = found["p-l1"].lines[0]
    assert (first.text, first.confidence, first.spans[0].kind) == ("ein A", 0.5, "underline")
    assert [problem.line for problem in reading.problems] == ["row 2", "row 3"]


def test_loghi_lists_relative_to_the_root(tmp_path):
    image(tmp_path / "strips" / "a.png")
    (tmp_path / "lists").mkdir()
    entry = tmp_path / "lists" / "t.txt"
    entry.write_text("a.png\tx\n")
    reading = loghi.read(settings("loghi", tmp_path / "strips", train=(str(entry),)))
    assert texts(reading) == {"a": "x"}
    with pytest.raises(UserError, match=r"t\.txt names no usable line image.*a\.png does not exist.*data\.root"):
        loghi.read(SourceSettings("loghi", train=(str(entry),)))
    with pytest.raises(UserError, match=r"holds none of the lists training_all_train\.txt"):
        loghi.read(settings("loghi", tmp_path / "strips"))


def test_thulium_folders(tmp_path):
    for part, name in (
        ("train", "a.png"),
        ("train", "a b.png"),
        ("valid", "c.png"),
        ("test", "d.png"),
        ("test", "e.png"),
    ):
        image(tmp_path / part / "images" / name)
    (tmp_path / "train" / "labels.txt").write_text("a.png\teins\na b\tzwei\nzz\tx\n")
    (tmp_path / "valid" / "labels.csv").write_text('name,text\nimages/c.png,"drei, vier"\n')
    (tmp_path / "test" / "labels.tsv").write_text("d\tfünf\n")
    reading = labels.read(settings("labels", tmp_path))
    assert {page.id: (page.subset, page.lines[0].text) for page in reading.pages} == {
        "train/images/a": ("train", "eins"),
        "train/images/a b": ("train", "zwei"),
        "valid/images/c": ("val", "drei, vier"),
        "test/images/d": ("test", "fünf"),
    }
    assert sorted(Path(problem.file).name for problem in reading.problems) == ["e.png", "labels.txt"]


def test_flat_labels(tmp_path):
    for name in ("a.png", "sub/b.jpg", "c.png", "c.jpg"):
        image(tmp_path / "images" / name)
    (tmp_path / "labels.txt").write_text("a ἀγαθή τύχη\nsub/b.jpg δύο\nc drei\na.png again\n")
    reading = labels.read(settings("labels", tmp_path))
    assert {page.id: (page.subset, page.lines[0].text) for page in reading.pages} == {
        "images/a": (None, "ἀγαθή τύχη"),
        "images/sub/b": (None, "δύο"),
    }
    reasons = " | ".join(f"{problem.line}: {problem.reason}" for problem in reading.problems)
    assert "row 3: the name c fits 2 images" in reasons
    assert "row 4: the image a.png has a text already" in reasons


def test_labels_without_images(tmp_path):
    (tmp_path / "labels.txt").write_text("a b\n")
    with pytest.raises(
        UserError, match=r"labels\.txt names no usable line image: row 1 the image a does not exist; .*by a tab"
    ):
        labels.read(settings("labels", tmp_path))


def test_compiled_files_of_kraken(tmp_path):
    rows = [(f"t{i}", b"png", None, None) for i in range(5)] + [("no image", b"", None, None)]
    path = write_arrow(tmp_path / "set 1.arrow", rows)
    reading = compiled.read(settings("compiled", path))
    assert [page.image.frame for page in reading.pages] == [0, 1, 2, 3, 4]
    assert [page.group[-1] for page in reading.pages] == ["0", "0", "1", "1", "2"]
    assert [problem.line for problem in reading.problems] == ["row 5"]
    single = compiled.read(settings("compiled", write_arrow(tmp_path / "b.arrow", rows, batch=9)))
    assert {page.group for page in single.pages} == {""}
    line(tmp_path / "other" / "a.png", "x")
    with pytest.raises(UserError, match="did you mean data=lines"):
        compiled.read(settings("compiled", tmp_path / "other"))


def page_xml(path: Path, text: str, shade: int = 255) -> Path:
    image(path.with_suffix(".png"), shade)
    path.write_text(PAGE_XML.format(image=path.with_suffix(".png").name, text=text))
    return path


def test_a_manifest_of_all_kinds(tmp_path):
    line(tmp_path / "d" / "b 1.png", "Bild", shade=1)
    line(tmp_path / "d" / "c.png", "Text", shade=2)
    page_xml(tmp_path / "d" / "p,1.xml", "Seite", shade=3)
    page_xml(tmp_path / "d" / "unlisted.xml", "nein", shade=4)
    page_xml(tmp_path / "v" / "q1.xml", "Probe", shade=5)
    write_arrow(tmp_path / "d" / "k.arrow", [("Zeile", b"png", None, "test")])
    (tmp_path / "lists").mkdir()
    train, val = tmp_path / "lists" / "train.txt", tmp_path / "lists" / "val.txt"
    train.write_text("# train\nd/p,1.xml\nd/b 1.png\nd/c.gt.txt\nd/k.arrow\nd/none.xml\nlists/val.txt\nv/q1.xml\n")
    val.write_text("v/*.xml\n")
    reading = manifest.read(settings("manifest", tmp_path, train=(str(train),), val=(str(val),)))
    assert {page.id: (page.subset, page.lines[0].text) for page in reading.pages} == {
        "d/p,1": ("train", "Seite"),
        "d/b 1": ("train", "Bild"),
        "d/c": ("train", "Text"),
        "d/k/000000": ("train", "Zeile"),
        "v/q1": ("val", "Probe"),
    }
    assert all(line.page_id == page.id for page in reading.pages for line in page.lines)
    assert sorted(problem.line for problem in reading.problems) == ["row 6", "row 7", "row 8"]


def test_a_manifest_alone_is_relative_to_its_folder(tmp_path):
    line(tmp_path / "a.png", "x")
    (tmp_path / "m.txt").write_text("a.png\n")
    assert texts(manifest.read(settings("manifest", tmp_path / "m.txt"))) == {"a": "x"}
    line(tmp_path / "more" / "below" / "b.png", "y")
    for row, found in (("more/**", {"more/below/b": "y"}), ("**/*.png", {"a": "x", "more/below/b": "y"})):
        (tmp_path / "m.txt").write_text(f"{row}\n")
        assert texts(manifest.read(settings("manifest", tmp_path / "m.txt"))) == found
    (tmp_path / "m.txt").write_text("gone.png\n")
    with pytest.raises(UserError, match=r"m\.txt names no usable page.*gone\.png"):
        manifest.read(settings("manifest", tmp_path / "m.txt"))


def test_mixed_sources(tmp_path):
    line(tmp_path / "a" / "set" / "x.png", "one", shade=1)
    line(tmp_path / "b" / "set" / "x.png", "two", shade=2)
    line(tmp_path / "b" / "set" / "twin.png", "one again", shade=1)
    page_xml(tmp_path / "pages" / "p.xml", "page", shade=3)
    sources = [
        {"format": "lines", "root": str(tmp_path / "a" / "set"), "page_pattern": "(x)"},
        {"format": "lines", "root": [str(tmp_path / "b" / "set")], "test": ["twin*"]},
        {"format": "page", "root": str(tmp_path / "pages"), "name": "letters"},
    ]
    reading = mixed.read(SourceSettings("mixed", options={"sources": sources}))
    assert {page.id: page.subset for page in reading.pages} == {
        "set~2/twin": "test",
        "set~2/x": None,
        "letters/p": None,
    }
    (problem,) = reading.problems
    assert "set~2/twin" in problem.reason
    assert all(line.page_id == page.id for page in reading.pages for line in page.lines)


def test_a_users_own_source_in_a_mix(tmp_path, monkeypatch):
    (tmp_path / "my_reader.py").write_text(
        "from pathlib import Path\n"
        "from uncial.document import Page, SourceContents\n"
        "def read(settings):\n"
        "    return SourceContents((Page(settings.options['colour'], Path('x')),))\n"
    )
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "__init__.py").write_text("")
    (tmp_path / "my_reader.py").rename(tmp_path / "own" / "reader.py")
    monkeypatch.syspath_prepend(tmp_path)
    sources = [{"format": "own.reader", "colour": "red", "name": "mine"}]
    reading = mixed.read(SourceSettings("mixed", options={"sources": sources}))
    assert [page.id for page in reading.pages] == ["mine/red"]


@pytest.mark.parametrize("sources", [None, [], "page", [{"root": "x"}], ["page"]])
def test_mixed_sources_that_are_no_list_of_sources(sources):
    with pytest.raises(UserError, match=r"data\.sources"):
        mixed.read(SourceSettings("mixed", options={"sources": sources}))


@pytest.mark.real_data
def test_real_line_images(real_data):
    greek = lines.read(settings("lines", real_data / "gt-commentaries-ocr"))
    assert len(greek.pages) == 3364
    assert len({page.group for page in greek.pages}) == 76
    assert len(greek.problems) == 5
    fraktur = lines.read(settings("lines", real_data / "fraktur-19c"))
    assert len(fraktur.pages) == 2512
    assert fraktur.problems == ()
    groups = {page.id.rsplit("/", 1)[1]: page.group.rsplit("/", 1)[1] for page in fraktur.pages}
    assert groups["keller_heinrich01_1854_0155_008"] == "keller_heinrich01_1854_0155"
    resources = lines.read(settings("lines", real_data / "kraken-resources"))
    assert len(resources.pages) == 5


@pytest.mark.real_data
def test_the_benchmarks_split(real_data):
    parts = {part: (str(real_data / "splits" / f"cremma-medieval.{part}.txt"),) for part in ("train", "val")}
    reading = manifest.read(settings("manifest", real_data, **parts))
    assert reading.problems == ()
    pages = [page.subset for page in reading.pages]
    assert (pages.count("train"), pages.count("val")) == (65, 7)
    count = {part: sum(len(page.lines) for page in reading.pages if page.subset == part) for part in parts}
    assert count["train"] in (3810, 3811)
    assert count["val"] == 607
