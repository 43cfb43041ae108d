"""What is told of data that were compiled before, perhaps elsewhere, names the folder that the user named this time."""

import csv
import json
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from drawn_layouts import cut_lines, draw_pages, write_pairs

from uncial.data.store.store import METADATA_KEY, Store


@pytest.fixture
def spoiled(drawn, tmp_path) -> Path:
    """Twelve pages: an empty line in one, a damaged image of another, a third that is scaled."""
    root = tmp_path / "first" / "pages"
    shutil.copytree(drawn / "page", root)
    file = root / "page" / "drawn_0001.xml"
    text = file.read_text("utf-8")
    start = text.index("<Unicode>")
    file.write_text(f"{text[:start]}<Unicode></Unicode>{text[text.index('</Unicode>') + 10 :]}", "utf-8")
    (root / "drawn_0002.png").write_bytes(b"no image")
    file = root / "page" / "drawn_0003.xml"
    text = file.read_text("utf-8")
    for name in ("imageWidth", "imageHeight"):
        size = text.split(f'{name}="')[1].split('"')[0]
        text = text.replace(f'{name}="{size}"', f'{name}="{2 * int(size)}"')
    file.write_text(text, "utf-8")
    return root


def moved(root: Path, tmp_path: Path) -> Path:
    target = tmp_path / "second" / root.name
    target.parent.mkdir()
    root.rename(target)
    return target


def skipped(ended) -> list[dict[str, str]]:
    return list(csv.DictReader(ended.read("skipped.csv").splitlines()))


def without_pages(store: Path) -> None:
    """As stores were written before they said of which page a problem is."""
    with pa.OSFile(str(store), "rb") as file:
        reader = pa.ipc.open_file(file)
        batches = [reader.get_batch_with_custom_metadata(i) for i in range(reader.num_record_batches)]
        schema = reader.schema
    with pa.OSFile(str(store), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        for batch, about in batches:
            old = {
                name: json.dumps(
                    [
                        {key: value for key, value in problem.items() if key not in ("page", "image", "part")}
                        for problem in json.loads(listed)
                    ]
                ).encode()
                for name, listed in (about or {}).items()
                if name in (b"problems", b"notes")
            }
            writer.write_batch(batch, custom_metadata=old or None)
    assert METADATA_KEY in schema.metadata


@pytest.mark.parametrize("earlier", [False, True])
def test_the_second_copy_is_named_and_the_first_nowhere(run, spoiled, tmp_path, earlier):
    before = run("task=inspect", "data=page", f"data.root={spoiled}", into="before")
    assert before.code == 0, before
    first = spoiled.parent
    root = moved(spoiled, tmp_path)
    (store,) = (tmp_path / "store").glob("*.arrow")
    if earlier:
        without_pages(store)
    changed = store.stat().st_mtime_ns
    after = run("task=inspect", "data=page", f"data.root={root}", into="after")
    assert after.code == 0, after
    assert store.stat().st_mtime_ns == changed, "the store is found, not made again"
    rows = skipped(after)
    assert [row["file"] for row in rows] == [
        row["file"].replace(str(first), str(root.parent)) for row in skipped(before)
    ]
    assert len(rows) == 2
    assert any(str(root / "drawn_0002.png") in row["reason"] for row in rows)
    for name in ("skipped.csv", "findings.json", "findings.html", "log.txt", "config.yaml"):
        assert str(first) not in after.read(name), name
    assert str(first) not in after.output.replace("\n", "")
    assert str(root / "drawn_0003.png") in after.read("findings.json")


def test_line_images_that_have_moved(run, tmp_path):
    root = tmp_path / "first" / "lines"
    paths = write_pairs(root, cut_lines(draw_pages(5)))
    paths[0].write_bytes(b"no image")
    paths[4].with_suffix(".gt.txt").write_text("\n", "utf-8")
    run("task=inspect", "data=lines", f"data.root={root}", into="before")
    root = moved(root, tmp_path)
    after = run("task=inspect", "data=lines", f"data.root={root}", into="after")
    assert {row["file"] for row in skipped(after)} == {
        str(paths[0].with_suffix(".gt.txt")).replace("/first/", "/second/"),
        str(paths[4].with_suffix(".gt.txt")).replace("/first/", "/second/"),
    }
    assert "/first/" not in after.read("skipped.csv") + after.read("findings.json") + after.output


@pytest.mark.parametrize("earlier", [False, True])
def test_a_store_that_is_given_itself_names_itself(run, spoiled, tmp_path, earlier):
    run("task=compile", "data=page", f"data.root={spoiled}", into="before")
    (store,) = (tmp_path / "store").glob("*.arrow")
    if earlier:
        without_pages(store)
    shutil.rmtree(spoiled.parent)
    after = run("task=inspect", "data=compiled", f"data.root={store}", into="after")
    assert after.code == 0, after
    assert {row["file"] for row in skipped(after)} == {str(store)}
    assert any(row["line"].startswith("page/drawn_0001" if not earlier else "drawn_0001") for row in skipped(after))
    for name in ("skipped.csv", "findings.json"):
        assert str(spoiled.parent) not in after.read(name)
    assert str(spoiled.parent) not in after.output.replace("\n", "")


def test_a_store_keeps_what_was_compiled(run, spoiled, tmp_path):
    run("task=compile", "data=page", f"data.root={spoiled}")
    (store,) = (tmp_path / "store").glob("*.arrow")
    assert {Path(problem.file).name for problem in Store(store).problems} == {"drawn_0001.xml", "drawn_0002.xml"}
