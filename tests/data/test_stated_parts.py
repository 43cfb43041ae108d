"""A part of the split that is stated and holds nothing usable ends the run: no other page takes its place."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from drawn_layouts import cut_lines, draw_pages, write_alto_layout, write_pairs

from uncial.data.filters import Filters
from uncial.data.ground_truth import GroundTruth, load_truth
from uncial.data.settings import SourceSettings, show_no_progress
from uncial.data.splits.split import SplitSettings
from uncial.data.store.compile import CompileSettings
from uncial.errors import UserError

PLAIN = SplitSettings((0.8, 0.1, 0.1), "page", 1, rule="quantile")


def read(
    root: Path, store: Path, form: str = "page", filters: Filters | None = None, how=PLAIN, **named: object
) -> GroundTruth:

    given = SourceSettings(form, (str(root),) if form != "mixed" else (), **named)  # type: ignore[arg-type]
    return load_truth(given, filters or Filters(), how, CompileSettings(store), show_no_progress)


@pytest.fixture
def pages(drawn, tmp_path) -> Path:
    """Nine pages to train on, and `apart` with three of which a test spoils what it likes."""
    shutil.copytree(drawn / "page", tmp_path / "in")
    for number in (2, 5, 9):
        for name in (f"drawn_{number:04d}.png", f"page/drawn_{number:04d}.xml"):
            target = tmp_path / "apart" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "in" / name).replace(target)
    return tmp_path / "in"


def edit(folder: Path, pattern: str, text: str) -> None:
    for file in folder.rglob("*.xml"):
        file.write_text(re.sub(pattern, text, file.read_text("utf-8"), flags=re.DOTALL), "utf-8")


def empty_texts(folder: Path) -> None:
    edit(folder, "<Unicode>.*?</Unicode>", "<Unicode> </Unicode>")


def without_texts(folder: Path) -> None:
    edit(folder, "<TextEquiv.*?</TextEquiv>", "")


def without_lines(folder: Path) -> None:
    edit(folder, "<TextLine.*</TextLine>", "")


def without_images(folder: Path) -> None:
    for image in folder.glob("*.png"):
        image.unlink()


def broken_images(folder: Path) -> None:
    for image in folder.glob("*.png"):
        image.write_bytes(f"no image {image.name}".encode())


def broken_files(folder: Path) -> None:
    edit(folder, "</PcGts>", "")


def without_files(folder: Path) -> None:
    shutil.rmtree(folder / "page")
    without_images(folder)


@pytest.mark.parametrize("part", ["val", "test"])
@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (empty_texts, "9 times"),
        (without_texts, "9 lines have no transcription"),
        (without_lines, "3 pages have no line"),
        (without_images, "3 times"),
        (broken_images, "not an image"),
        (broken_files, "3 times"),
        (without_files, "no page"),
    ],
)
@pytest.mark.parametrize("how", [PLAIN, SplitSettings((0.9, 0.1, 0.0), "page", 1, folds=2)])
def test_what_is_unusable_is_not_replaced(pages, tmp_path, spoil: Callable[[Path], None], why, part, how):
    spoil(tmp_path / "apart")
    with pytest.raises(UserError) as raised:
        read(pages, tmp_path / "store", how=how, **{part: (str(tmp_path / "apart"),)})
    told = str(raised.value)
    assert told.startswith(f"data.{part}={tmp_path / 'apart'} has no usable line"), told
    assert why in told
    assert "\n" not in told


def test_filters_and_globs_that_empty_a_part_are_named(pages, tmp_path):
    apart = (str(tmp_path / "apart"),)
    with pytest.raises(UserError, match=r"data\.val=.* no usable line: data.include and data.exclude leave no file"):
        read(pages, tmp_path / "store", val=apart, exclude=("drawn_0002.xml", "drawn_0005.xml", "drawn_0009.xml"))
    edit(pages, 'type="[a-z-]*"', 'type="marginalia"')
    with pytest.raises(UserError, match=r"data\.test=.* 9 lines are left out by data.region_types"):
        read(pages, tmp_path / "store", filters=Filters(region_types=("marginalia",)), test=apart)


def test_a_part_all_of_whose_pages_another_part_takes_is_named(pages, tmp_path):
    apart = (str(tmp_path / "apart"),)
    with pytest.raises(UserError, match=r"data\.val=.* no usable line: named for val and test"):
        read(pages, tmp_path / "store", val=apart, test=apart)


def test_a_list_without_rows_and_one_of_missing_files_are_named(pages, tmp_path):
    (tmp_path / "val.txt").write_text("# none yet\n", "utf-8")
    with pytest.raises(UserError, match=r"data\.val=.*val\.txt has no usable line"):
        read(pages, tmp_path / "store", val=(str(tmp_path / "val.txt"),))
    (tmp_path / "val.txt").write_text("page/gone.xml\npage/lost.xml\n", "utf-8")
    with pytest.raises(UserError, match=r"data\.val=.*gone\.xml is not there.*lost\.xml is not there"):
        read(pages, tmp_path / "store", val=(str(tmp_path / "val.txt"),))


def test_one_usable_line_is_enough_and_what_is_not_stated_is_split_off(pages, tmp_path):
    file = tmp_path / "apart" / "page" / "drawn_0002.xml"
    kept = file.read_text("utf-8")
    empty_texts(tmp_path / "apart")
    file.write_text(kept, "utf-8")
    truth = read(pages, tmp_path / "store", val=(str(tmp_path / "apart"),))
    assert len(truth.rows["val"]) == 3
    assert len(truth.rows["test"]) == 3
    assert {len(rows) > 0 for rows in read(pages, tmp_path / "store").rows.values()} == {True}


def test_a_stated_training_without_a_line_is_told_to_those_who_train(pages, tmp_path):
    empty_texts(pages)
    truth = read(tmp_path, tmp_path / "store", train=(str(pages),), test=(str(tmp_path / "apart"),))
    assert not len(truth.rows["train"])
    assert "data.train=" in truth.unusable["train"]
    assert "18" not in truth.unusable.get("test", "")


def labels(root: Path, lines, blank: bool) -> Path:
    (root / "images").mkdir(parents=True)
    paths = write_pairs(root / "images", lines)
    texts = [path.with_suffix(".gt.txt").read_text("utf-8").strip() for path in paths]
    rows = [f"{path.name}\t{'' if blank else text}" for path, text in zip(paths, texts, strict=True)]
    (root / "labels.tsv").write_text("\n".join(rows) + "\n", "utf-8")
    return root


@pytest.mark.parametrize("folder", ["val", "valid", "dev", "test"])
@pytest.mark.parametrize("spoil", ["blank", "no rows", "no label file", "nothing", "no images"])
def test_the_folders_of_labels(tmp_path, folder, spoil):
    lines = cut_lines(draw_pages(4))
    labels(tmp_path / "in" / "train", lines[:9], False)
    apart = labels(tmp_path / "in" / folder, lines[9:], spoil == "blank")
    if spoil == "no rows":
        (apart / "labels.tsv").write_text("\n", "utf-8")
    elif spoil == "no label file":
        (apart / "labels.tsv").unlink()
    elif spoil == "nothing":
        shutil.rmtree(apart)
        apart.mkdir()
    elif spoil == "no images":
        shutil.rmtree(apart / "images")
    with pytest.raises(UserError, match=rf"the folder \S*{folder} has no usable line"):
        read(tmp_path / "in", tmp_path / "store", "labels")


def test_a_folder_of_something_else_that_is_called_as_a_part_states_nothing(tmp_path):
    labels(tmp_path / "in", cut_lines(draw_pages(4)), False)
    (tmp_path / "in" / "eval").mkdir()
    (tmp_path / "in" / "eval" / "notes.md").write_text("figures", "utf-8")
    assert len(read(tmp_path / "in", tmp_path / "store", "labels").rows["val"])


@pytest.mark.parametrize("form", ["loghi", "manifest"])
@pytest.mark.parametrize("part", ["val", "test"])
@pytest.mark.parametrize("rows", ["", "gone.png\tolx\n", "blank"])
def test_the_lists_of_a_folder(tmp_path, form, part, rows):
    paths = write_pairs(tmp_path / "in", cut_lines(draw_pages(4)))
    named = [path.relative_to(tmp_path / "in").as_posix() for path in paths]
    texts = [path.with_suffix(".gt.txt").read_text("utf-8").strip() for path in paths]

    def row(name: str, text: str) -> str:
        return f"{name}\t{text}" if form == "loghi" else name

    (tmp_path / "in" / "train.txt").write_text("\n".join(map(row, named[:9], texts)) + "\n", "utf-8")
    if rows == "blank":
        rows = "".join(f"{row(name, '')}\n" for name in named[9:])
        for path in paths[9:]:
            path.with_suffix(".gt.txt").write_text("\n", "utf-8")
    (tmp_path / "in" / f"{part}.txt").write_text(rows, "utf-8")
    with pytest.raises(UserError, match=rf"the list \S*{part}.txt has no usable line"):
        read(tmp_path / "in", tmp_path / "store", form)


@pytest.mark.parametrize("part", ["val", "test"])
def test_line_pairs_whose_texts_are_empty(tmp_path, part):
    lines = cut_lines(draw_pages(4))
    write_pairs(tmp_path / "in", lines[:9])
    for path in write_pairs(tmp_path / "apart", lines[9:]):
        path.with_suffix(".gt.txt").write_text("\n", "utf-8")
    with pytest.raises(UserError, match=rf"data\.{part}=\S* has no usable line: .*3 times"):
        read(tmp_path / "in", tmp_path / "store", "lines", **{part: (str(tmp_path / "apart"),)})


def test_alto_whose_texts_are_empty(tmp_path):
    write_alto_layout(tmp_path / "in", draw_pages(4))
    write_alto_layout(tmp_path / "apart", draw_pages(2, seed=3))
    edit(tmp_path / "apart", 'CONTENT="[^"]*"', 'CONTENT=""')
    with pytest.raises(UserError, match=r"data\.test=\S* has no usable line"):
        read(tmp_path / "in", tmp_path / "store", "alto", test=(str(tmp_path / "apart"),))


@pytest.mark.parametrize("spoil", [empty_texts, without_images, without_files])
def test_the_test_folder_of_bonnevie(drawn, tmp_path, spoil):
    shutil.copytree(drawn / "page", tmp_path / "in" / "finetune")
    shutil.copytree(drawn / "page", tmp_path / "in" / "test")
    for number in range(1, 7):  # Six pages to train on, six others to test on.
        for part, one in (("finetune", number), ("test", 13 - number)):
            (tmp_path / "in" / part / f"drawn_{one:04d}.png").unlink()
            (tmp_path / "in" / part / "page" / f"drawn_{one:04d}.xml").unlink()
    spoil(tmp_path / "in" / "test")
    with pytest.raises(UserError, match=r"the folder .*test has no usable line"):
        read(tmp_path / "in", tmp_path / "store", "bonnevie")
    shutil.rmtree(tmp_path / "in" / "test")
    assert not len(read(tmp_path / "in", tmp_path / "store", "bonnevie").rows["test"])


@pytest.mark.parametrize("missing", ["text", "im"])
def test_the_split_of_a_kraken_file(tmp_path, missing):
    lines = cut_lines(draw_pages(4))
    paths = write_pairs(tmp_path / "lines", lines)
    rows = [
        {"text": line.text, "im": path.read_bytes()}
        if i < 9
        else {"text": line.text, "im": path.read_bytes()} | {missing: None}
        for i, (line, path) in enumerate(zip(lines, paths, strict=True))
    ]
    struct = pa.struct([("text", pa.string()), ("im", pa.binary())])
    table = pa.table(
        {
            "lines": pa.array(rows, struct),
            "train": [i < 9 for i in range(len(rows))],
            "validation": [i >= 9 for i in range(len(rows))],
            "test": [False] * len(rows),
        }
    )
    with pa.OSFile(str(tmp_path / "set.arrow"), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(UserError, match=r"the split of \S*set.arrow has no usable line"):
        read(tmp_path / "set.arrow", tmp_path / "store", "compiled")


def test_an_entry_of_mixed_data(pages, tmp_path):
    empty_texts(tmp_path / "apart")
    entry = {"format": "page", "root": str(pages), "val": str(tmp_path / "apart"), "name": "registers"}
    with pytest.raises(UserError, match=r"val of the entry registers in data\.sources has no usable line"):
        read(pages, tmp_path / "store", "mixed", options={"sources": [entry]})


@pytest.mark.parametrize("task", ["train", "test", "compare", "ensemble", "audit", "inspect", "compile", "finetune"])
def test_every_task_ends_before_it_begins(run, trained, pages, tmp_path, task):
    empty_texts(tmp_path / "apart")
    models = {
        "compare": (f"checkpoint=[{trained.folder},{trained.folder}/last.ckpt]",),
        "ensemble": (f"checkpoint=[{trained.folder},{trained.folder}/last.ckpt]",),
        "train": (),
        "finetune": (f"pretrained={trained.folder}",),
    }
    model = models.get(task, () if task in ("inspect", "compile") else (f"checkpoint={trained.folder}",))
    ended = run(f"task={task}", "data=page", f"data.root={pages}", f"data.test={tmp_path / 'apart'}", *model)
    assert ended.code == 1, ended
    told = " ".join(ended.output.split())
    assert "has no usable line" in told
    assert "Traceback" not in told
    assert not (ended.folder / "metrics.json").exists()
    assert not (ended.folder / "last.ckpt").exists()


def test_an_empty_list_is_no_statement(run, pages):
    ended = run("task=inspect", "data=page", f"data.root={pages}", "data.val=[]")
    assert ended.code == 1, ended
    assert "data.val=[]" in ended.output


@pytest.mark.parametrize("form", ["mixed", "bonnevie"])
@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_a_part_that_a_format_does_not_take_is_refused(pages, tmp_path, form, part):
    options = {"sources": [{"format": "page", "root": str(pages)}]} if form == "mixed" else {}
    with pytest.raises(UserError, match=rf"data\.{part}"):
        read(pages, tmp_path / "store", form, options=options, **{part: (str(tmp_path / "apart"),)})
