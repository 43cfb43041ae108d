"""Every `data=…` command that is documented, as it is typed, on drawn data."""

import re
import shutil
from pathlib import Path

import cv2
import pytest
from drawing_helpers import draw_bonnevie_layout
from drawn_layouts import (
    OPTIONS,
    cut_lines,
    draw_pages,
    read_csv,
    write_alto_layout,
    write_page_layout,
    write_pairs,
)
from kraken_files import write_arrow
from program import TINY, quoted


@pytest.fixture(scope="module")
def everything(tmp_path_factory) -> Path:
    """DIR: the same six pages of three lines in every layout. Read only."""
    root = tmp_path_factory.mktemp("everything")
    pages = draw_pages(6)
    lines = cut_lines(pages)
    write_page_layout(root / "page", pages)
    write_alto_layout(root / "alto", pages)
    write_page_layout(root / "xml/transkribus", pages[:3])
    write_alto_layout(root / "xml/escriptorium", pages[3:])
    images = write_pairs(root / "lines", lines)
    _write_loghi(root / "loghi", lines)
    _write_labels(root / "labels", lines)
    _write_manifests(root / "manifest", pages)
    subsets = ["train"] * 12 + ["validation"] * 3 + ["test"] * 3
    rows = [(line.text, path.read_bytes(), "de", side) for line, path, side in zip(lines, images, subsets, strict=True)]
    write_arrow(root / "kraken.arrow", rows)
    return root


def _write_loghi(root, lines):
    root.mkdir()
    parts = {"training_all_train.txt": lines[:12], "training_all_val.txt": lines[12:]}
    for name, members in parts.items():
        rows = []
        for line in members:
            image = root / line.page / f"{line.page}-{line.line}.png"
            image.parent.mkdir(exist_ok=True)
            cv2.imwrite(str(image), line.image)
            rows.append(f"{image.relative_to(root)}\t{line.text}\n")
        (root / name).write_text("# comment\n\n" + "".join(rows), encoding="utf-8")


def _write_labels(root, lines):
    for part, members in {"train": lines[:12], "val": lines[12:15], "test": lines[15:]}.items():
        (root / part / "images").mkdir(parents=True)
        rows = []
        for line in members:
            name = f"{line.page}_{line.line}.png"
            cv2.imwrite(str(root / part / "images" / name), line.image)
            rows.append(f"{name} {line.text}\n")
        (root / part / "labels.txt").write_text("".join(rows), encoding="utf-8")


def _write_manifests(root, pages):
    write_page_layout(root, pages)
    files = [f"page/{path.name}" for path in sorted((root / "page").glob("*.xml"))]
    (root / "train.txt").write_text("\n".join(files[:4]) + "\n", encoding="utf-8")
    (root / "val.txt").write_text("\n".join(files[4:]) + "\n", encoding="utf-8")


@pytest.fixture
def here(everything, monkeypatch):
    """The commands name their files relative to where they are typed."""
    monkeypatch.chdir(everything)


def parts(ended) -> dict[str, int]:
    """The lines of each part, as the run tells them; `all` is their number."""
    assert ended.code == 0, ended
    found = re.search(r"^([\d,]+) lines: (.*) \(compiled in", ended.output, re.MULTILINE)
    assert found is not None, ended
    sizes = {name: int(count) for count, name in re.findall(r"(\d+) (\w+)", found[2])}
    assert sum(sizes.values()) == int(found[1])
    return {**sizes, "all": int(found[1])}


COMMANDS = {
    "page": (("data=page", "data.root=page"), {"all": 18}),
    "alto": (("data=alto", "data.root=alto"), {"all": 18}),
    "xml": (("data=xml", "data.root=xml"), {"all": 18}),
    "xml of page": (("data=xml", "data.root=page"), {"all": 18}),
    "lines": (("data=lines", "data.root=lines"), {"all": 18}),
    "loghi": (
        ("data=loghi", "data.train=loghi/training_all_train.txt", "data.val=loghi/training_all_val.txt"),
        {"train": 12, "val": 6, "all": 18},
    ),
    "labels": (("data=labels", "data.root=labels"), {"train": 12, "val": 3, "test": 3, "all": 18}),
    "manifest": (
        ("data=manifest", "data.root=manifest", "data.train=train.txt", "data.val=val.txt"),
        {"train": 12, "val": 6, "all": 18},
    ),
    "manifest from elsewhere": (
        ("data=manifest", "data.train=manifest/train.txt", "data.val=manifest/val.txt"),
        {"train": 12, "val": 6, "all": 18},
    ),
    "kraken": (("data=compiled", "data.root=kraken.arrow"), {"train": 12, "val": 3, "test": 3, "all": 18}),
    "mixed": (
        ("data=mixed", "data.sources=[{format: page, root: xml/transkribus}, {format: alto, root: xml/escriptorium}]"),
        {"all": 18},
    ),
    "mixed with lines": (
        ("data=mixed", "data.sources=[{format: page, root: page}, {format: lines, root: lines}]"),
        {"all": 36},
    ),
    "several roots": (("data=xml", "data.root=[xml/transkribus,xml/escriptorium]"), {"all": 18}),
    "a glob": (("data=page", "data.root='page/page/drawn_000[1-3].xml'"), {"all": 9}),
    "one file": (("data=page", "data.root=page/page/drawn_0001.xml"), {"all": 3}),
    "explicit folders": (
        ("data=xml", "data.train=xml/transkribus", "data.val=xml/escriptorium"),
        {"train": 9, "val": 9, "all": 18},
    ),
    "included": (("data=page", "data.root=page", "data.include=[*_0001.xml,*_0002.xml]"), {"all": 6}),
    "excluded": (("data=page", "data.root=page", "data.exclude=[*_0001.xml]"), {"all": 15}),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_reads_all_lines(run, here, command):
    arguments, expected = COMMANDS[command]
    sizes = parts(run("task=compile", *arguments))
    assert {name: sizes[name] for name in expected} == expected


@pytest.mark.parametrize("command", ["lines", "loghi", "labels", "manifest", "kraken", "mixed with lines"])
def test_the_command_trains(run, here, command):
    arguments, expected = COMMANDS[command]
    ended = run("task=train", *arguments, *TINY, "trainer.max_steps=2", "trainer.validations=1")
    assert ended.code == 0, ended
    if "val" in expected:
        assert ended.metrics["val"]["lines"] == expected["val"]
    has_test = "test" in expected or "val" not in expected
    assert ("score it on the test part" in ended.output) == has_test, "what is hinted at can be typed"


def test_a_compiled_store_is_trained_on_as_it_is(run, here):
    compiled = run("task=compile", "data=page", "data.root=page", into="compiled")
    told = re.search(r"python run\.py (data=compiled data\.root=\S+)", compiled.output)
    assert told is not None, compiled
    again = run("task=compile", *told[1].split(), into="again")
    assert parts(again) == parts(compiled), "the same pages lie on the same sides"
    trained = run("task=train", *told[1].split(), *TINY, "trainer.max_steps=2", "trainer.validations=1", into="trained")
    assert trained.code == 0, trained


def test_what_is_exported_for_loghi_is_read_back(run, here):
    exported = run("task=compile", "data=page", "data.root=page", "data.export=loghi", into="exported")
    assert exported.code == 0, exported
    assert f"Loghi's layout, {parts(exported)['all']} lines: " in exported.output
    folder = exported.folder / "loghi"
    lists = ("data=loghi", f"data.train={folder}/training_all_train.txt", f"data.val={folder}/training_all_val.txt")
    again = parts(run("task=compile", *lists, into="again"))
    first = parts(exported)
    assert (again["train"], again["val"]) == (first["train"], first["val"])
    nothing = run("task=compile", *lists, "data.export=loghi", "data.subset=test", into="nothing")
    assert nothing.code == 1
    assert "the test part has no line to write" in nothing.output


def test_bonnevie_is_split_by_page_and_tested_on_its_own_folder(run, tmp_path):
    draw_bonnevie_layout(tmp_path / "bonnevie", finetune=5, test=2, options=OPTIONS)
    arguments = ("model=crnn", "data=bonnevie", f"paths.data={tmp_path}", *TINY, "trainer.max_steps=2")
    ended = run(*arguments)
    sizes = parts(ended)
    assert (sizes["test"], sizes["train"] + sizes["val"]) == (6, 15)
    assert min(sizes["train"], sizes["val"]) >= 3
    scored = run("task=test", f"checkpoint={ended.folder}", *arguments[1:3], into="scored")
    assert scored.metrics["test"]["lines"] == 6
    assert {row["page"].split("/")[0] for row in read_csv(scored.folder / "predictions.csv")} == {"test"}


def test_missing_bonnevie_pages_are_told_in_one_sentence(run, tmp_path):
    ended = run("model=crnn", "data=bonnevie", f"paths.data={tmp_path}")
    assert ended.code == 1
    lines = ended.output.strip().splitlines()
    assert len(lines) == 1
    for part in (f"{tmp_path}/bonnevie/finetune/page/*.xml", "/test/", "data.root", "data=synthetic"):
        assert part in lines[0]


def test_synthetic_pages_are_drawn_once_and_read(run, tmp_path):
    few = ("data.options.pages=5", "data.options.lines=3", "data.options.characters=8", "data.options.workers=1")
    arguments = ("task=compile", "data=synthetic", f"paths.data={tmp_path}", *few)
    first, second = run(*arguments, into="a"), run(*arguments, into="b")
    assert parts(first) == parts(second)
    assert "Drawing" in first.output
    assert "Drawing" not in second.output
    assert "compiling" not in second.output


@pytest.mark.parametrize("name", ["a=b, (c)[d]{e} Bücher", "l'été: 1858 e\u0301 ß 文", '$HOME ~ #1 %d say "x"'])
def test_any_name_works_quoted(run, tmp_path, name):
    write_page_layout(tmp_path / name, draw_pages(4))
    quoted_root = f"data.root={quoted(tmp_path / name)}"
    assert parts(run("task=compile", "data=page", quoted_root))["all"] == 12
    trained = run("data=page", quoted_root, *TINY, "trainer.max_steps=1", "trainer.validations=1", into=f"run {name}")
    assert trained.code == 0, trained
    checkpoint = f"checkpoint={quoted(trained.folder)}"
    assert run("task=test", checkpoint, "data=page", quoted_root, "data.subset=all", into="scored").code == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("data=page",), "data.root"),
        (("data=page", "data.root=nowhere"), "nowhere"),
        (("data=page", "data.root=alto"), "data=alto"),
        (("data=alto", "data.root=page"), "data=page"),
        (("data=page", "data.root=lines"), "data=lines"),
        (("data=lines", "data.root=page"), "data=xml"),
        (("data=manifest",), "data.root"),
        (("data=mixed",), "data.sources"),
        (("data=mixed", "data.sources=[{root: page}]"), "format"),
        (("data=compiled", "data.root=page/drawn_0001.png"), "drawn_0001.png"),
        (("data=loghi", "data.train=nowhere.txt"), "nowhere.txt"),
        (("data=page", "data.root=page", "data.format=my.own"), "my.own"),
        (("data=page", "data.root=page", "data.region_types=[Marginalia]"), "Marginalia"),
        (("data=page", "data.root=page", "data.include=[*.txt]"), "data.include"),
    ],
)
def test_what_is_missing_or_mistaken_is_said_in_one_sentence(run, here, arguments, told):
    ended = run("task=compile", *arguments)
    assert ended.code == 1, ended
    last = ended.output.strip().splitlines()[-1]
    assert last.startswith("Error: ")
    assert told in last
    assert "Traceback" not in ended.output


def test_a_source_of_ones_own_is_named_by_its_dotted_path(run, here, tmp_path, monkeypatch):
    (tmp_path / "my_archive").mkdir()
    (tmp_path / "my_archive/pages.py").write_text(
        "from dataclasses import replace\nfrom uncial.data.sources.xml import read_page\n\n\n"
        "def read(settings):\n    return read_page(replace(settings, root=('page',)))\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert parts(run("task=compile", "data=page", "data.root=x", "data.format=my_archive.pages"))["all"] == 18


def test_bad_pages_are_skipped_and_listed_and_fatal_where_strictness_is_asked_for(run, everything, tmp_path):
    shutil.copytree(everything / "page", tmp_path / "in")
    broken = tmp_path / "in/page/drawn_0002.xml"
    broken.write_text("<PcGts", encoding="utf-8")
    ended = run("task=compile", "data=page", f"data.root={tmp_path / 'in'}")
    assert parts(ended)["all"] == 15
    assert [Path(row["file"]).name for row in read_csv(ended.folder / "skipped.csv")] == ["drawn_0002.xml"]
    strict = run("task=compile", "data=page", f"data.root={tmp_path / 'in'}", "data.strict=true", into="strict")
    assert strict.code == 1
    assert "drawn_0002.xml" in strict.output
