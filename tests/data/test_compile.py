"""Pages to a store: found again while its inputs are the same, and never taken for complete when it is not."""

import multiprocessing
import os
import resource
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from xml_samples import page_line, page_region, page_xml, put, put_image

from uncial.data.settings import SourceSettings
from uncial.data.sources import xml as page
from uncial.data.store.compile import CompileSettings, image_hashes, store_of
from uncial.data.store.store import Store, StoreWriter
from uncial.errors import UserError


@contextmanager
def unseen(*_) -> Iterator:
    yield lambda lines: None


def pages_of(root):
    return page.read_page(SourceSettings("page", (str(root),))).pages


def compiled(root, folder, pages=None, **settings) -> Store:
    pages = pages_of(root) if pages is None else pages
    return store_of(pages, image_hashes(pages), CompileSettings(folder, **settings), unseen)


@pytest.fixture
def small(tmp_path) -> Path:
    """Two pages of one line."""
    for number in range(2):
        put(tmp_path / f"in/p{number}.xml", page_xml(page_region(page_line(f"text {number}")), image=f"p{number}.png"))
        put_image(tmp_path / f"in/p{number}.png", grey=150 + number)
    return tmp_path / "in"


def stores(folder) -> list[Path]:
    return sorted(folder.glob("*.arrow"))


def test_a_store_is_found_again_untouched(small, tmp_path):
    first = compiled(small, tmp_path / "store")
    before = first.path.stat().st_mtime_ns
    assert compiled(small, tmp_path / "store").path == first.path
    assert first.path.stat().st_mtime_ns == before
    assert stores(tmp_path / "store") == [first.path]


def test_the_place_of_the_data_does_not_matter(small, tmp_path):
    """The same files mounted elsewhere, on another machine of a cluster, are compiled already."""
    first = compiled(small, tmp_path / "store")
    shutil.copytree(small, tmp_path / "elsewhere/in")
    assert compiled(tmp_path / "elsewhere/in", tmp_path / "store").path == first.path


def another_image(root, settings):
    put_image(root / "p1.png", grey=99)


def another_text(root, settings):
    put(root / "p1.xml", page_xml(page_region(page_line("other")), image="p1.png"))


def another_polygon(root, settings):
    put(root / "p1.xml", (root / "p1.xml").read_text().replace("10,10", "11,10"))


def another_page(root, settings):
    put(root / "p2.xml", page_xml(page_region(page_line("text 2")), image="p2.png"))
    put_image(root / "p2.png")


def one_page_less(root, settings):
    (root / "p1.xml").unlink()


def another_height(root, settings):
    settings["max_height"] = 64


def colour(root, settings):
    settings["channels"] = 3


@pytest.mark.parametrize(
    "change", [another_image, another_text, another_polygon, another_page, one_page_less, another_height, colour]
)
def test_changed_inputs_make_another_store(small, tmp_path, change):
    first = compiled(small, tmp_path / "store")
    settings = {}
    change(small, settings)
    assert compiled(small, tmp_path / "store", **settings).path != first.path
    assert len(stores(tmp_path / "store")) == 2


def test_the_number_of_processes_does_not_change_the_file(drawn, tmp_path):
    one = compiled(drawn / "page", tmp_path / "one", workers=1)
    two = compiled(drawn / "page", tmp_path / "two", workers=2)
    assert len(one) == 36
    assert one.path.name == two.path.name
    assert one.path.read_bytes() == two.path.read_bytes()


def test_a_torn_store_is_made_again(small, tmp_path):
    store = compiled(small, tmp_path / "store")
    whole = store.path.read_bytes()
    store.path.write_bytes(whole[: len(whole) // 2])
    assert len(compiled(small, tmp_path / "store")) == 2
    assert store.path.read_bytes() == whole


def test_what_a_killed_run_left_is_removed(small, tmp_path):
    store = compiled(small, tmp_path / "store")
    store.path.unlink()
    left_over = store.path.with_name(f"{store.path.name}.99999999.partial")
    left_over.write_bytes(b"torn")
    assert len(compiled(small, tmp_path / "store")) == 2
    assert not left_over.exists()


def _compile_and_tell(root, folder, results):
    times = []

    @contextmanager
    def told(*_):
        times.append(1)
        yield lambda lines: None

    pages = pages_of(root)
    store = store_of(pages, image_hashes(pages), CompileSettings(folder), told)
    results.put((store.path.stat().st_ino, len(store), len(times)))


def test_of_two_runs_at_once_one_compiles_and_both_have_the_file(drawn, tmp_path):
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    processes = [
        context.Process(target=_compile_and_tell, args=(drawn / "page", tmp_path / "store", results)) for _ in range(3)
    ]
    for process in processes:
        process.start()
    found = [results.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    assert len({inode for inode, _, _ in found}) == 1
    assert {lines for _, lines, _ in found} == {36}
    assert sum(compiled_it for _, _, compiled_it in found) == 1


@pytest.mark.parametrize("room", [100, 5_000, 30_000])
def test_a_full_disk_leaves_nothing_that_is_taken_for_complete(drawn, tmp_path, room):
    """The limit on the size of a file stands for the disk: writing beyond it fails as on a full one."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    pages = pages_of(drawn / "page")
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        with pytest.raises(UserError, match=r"store.*could not be written.*paths\.store"):
            compiled(None, tmp_path / "store", pages)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path for path in (tmp_path / "store").iterdir() if path.suffix != ".lock"] == []
    assert len(compiled(None, tmp_path / "store", pages)) == 36


def test_a_disk_that_is_full_only_at_the_end_is_no_success(small, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left"):
        compiled(small, tmp_path / "store")
    assert [path for path in (tmp_path / "store").iterdir() if path.suffix != ".lock"] == []


def test_an_interrupted_compilation_leaves_nothing(small, tmp_path, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(StoreWriter, "add", interrupt)
    with pytest.raises(KeyboardInterrupt):
        compiled(small, tmp_path / "store")
    assert [path for path in (tmp_path / "store").iterdir() if path.suffix != ".lock"] == []


def test_a_folder_that_cannot_be_made_is_named(small, tmp_path):
    put(tmp_path / "file", "")
    with pytest.raises(UserError, match=r"file/store.*paths\.store"):
        compiled(small, tmp_path / "file/store")


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_an_image_that_cannot_be_read_leaves_out_its_page_alone(small, tmp_path):
    (small / "p1.png").unlink()
    (small / "p1.png").symlink_to("/proc/self/mem")  # There, a file, and unreadable even for root.
    store = compiled(small, tmp_path / "store")
    assert len(store) == 1
    assert len(store.problems) == 1
    assert store.problems[0].file.endswith("p1.xml")


def test_bad_lines_and_pages_are_listed_and_the_others_kept(small, tmp_path):
    put(small / "p1.xml", page_xml(page_region(page_line("  ") + page_line("good", "l2")), image="p1.png"))
    put(small / "p2.xml", page_xml(page_region(page_line("text")), image="torn.png"))
    (small / "torn.png").write_bytes((small / "p1.png").read_bytes()[:40])
    store = compiled(small, tmp_path / "store")
    assert store.column("text") == ["text 0", "good"]
    assert [(Path(problem.file).name, problem.line) for problem in store.problems] == [("p1.xml", "l1"), ("p2.xml", "")]
    with pytest.raises(UserError, match=r"p1\.xml.*l1.*data\.strict"):
        compiled(small, tmp_path / "strict", strict=True)


def test_a_tall_line_is_stored_at_the_greatest_height_and_a_small_one_at_its_own(tmp_path):
    tall = '<Coords points="10,10 390,10 390,350 10,350"/>'
    xml = page_xml(page_region(page_line("tall"))).replace('<Coords points="10,10 90,10 90,30 10,30"/>', tall)
    put(tmp_path / "in/a.xml", xml.replace('imageWidth="100" imageHeight="100"', 'imageWidth="400" imageHeight="400"'))
    put_image(tmp_path / "in/a.png", size=(400, 400))
    assert compiled(tmp_path / "in", tmp_path / "store").sizes()[0, 0] == 128
    assert compiled(tmp_path / "in", tmp_path / "store", max_height=48).sizes()[0, 0] == 48


def test_colour_is_stored_where_it_is_asked_for(small, tmp_path):
    Image.new("RGB", (100, 100), (250, 100, 20)).save(small / "p1.png")
    store = compiled(small, tmp_path / "store", channels=3)
    assert np.abs(store.strip(1).reshape(-1, 3).astype(int) - (250, 100, 20)).max() <= 2
    assert compiled(small, tmp_path / "store", channels=1).strip(1).ndim == 2


def test_twins_have_one_hash(small):
    shutil.copy(small / "p0.png", small / "p9.png")
    pages = pages_of(small)
    renamed = replace(pages[0], id="twin", image=replace(pages[0].image, path=small / "p9.png"))
    hashes = image_hashes([*pages, renamed])
    assert hashes["twin"] == hashes[pages[0].id] != hashes[pages[1].id]
