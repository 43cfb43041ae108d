"""What a program read never takes the place of what a person wrote: in inspect, training, test, predict and compare."""

import json
import re
import shutil
from pathlib import Path

import pytest
from drawn_layouts import read_csv
from program import TINY, quoted

from uncial.data.settings import SourceSettings
from uncial.data.sources import xml
from uncial.formats.transcription_files import read_texts

SHORT = (*TINY, "trainer.max_steps=2", "trainer.validations=1", "augmentation=none")


@pytest.fixture
def data(drawn, tmp_path):
    """Twelve pages X.png with page/X.xml."""
    shutil.copytree(drawn / "page", tmp_path / "one")
    return tmp_path / "one"


@pytest.fixture
def readings(predict, data, tmp_path):
    """What the model read in the pages, in a folder of its own."""
    ended = predict(data, f"predict.output={tmp_path / 'read'}", into="readings")
    assert ended.code == 0, ended
    return tmp_path / "read"


def lines_of(run, root, *more, data="page", into="inspect"):
    """The figures and findings of task=inspect."""
    ended = run("task=inspect", f"data={data}", f"data.root={root}", *more, into=into)
    assert ended.code == 0, ended
    return ended, json.loads(ended.read("findings.json"))


def without_texts(page_folder):
    for path in page_folder.glob("*.xml"):
        path.write_text(re.sub("<TextEquiv>.*?</TextEquiv>", "", path.read_text(), flags=re.DOTALL))


def corrected(path: Path, text: str = "by hand") -> None:
    """One line of the file that says something, as a person changes it."""
    content = path.read_text(encoding="utf-8")
    found = re.search("<TextLine.*?<Unicode>(.+?)</Unicode>", content, re.DOTALL)
    path.write_text(content[: found.start(1)] + text + content[found.end(1) :], encoding="utf-8")


def put_beside(readings, data, place):
    """The readings in the data: at `place`, whose name comes before or after that of the truth."""
    shutil.copytree(readings / "page", data / place, dirs_exist_ok=True)


@pytest.mark.parametrize("place", ["a_read", "zz/page", "alto", "."])
def test_inspect_tells_readings_from_the_truth(run, data, readings, place):
    _, before = lines_of(run, data, into="before")
    put_beside(readings, data, place)
    if place == "zz/page":
        for image in data.glob("*.png"):
            shutil.copy(image, data / "zz")
    ended, after = lines_of(run, data, into="after")
    assert before["summary"]["parts"] == after["summary"]["parts"]
    assert before["summary"]["alphabet"] == after["summary"]["alphabet"]
    told = [one for one in after["findings"] if one["kind"] == "machine_read"]
    assert len(told) == 12
    assert {one["severity"] for one in told} == {"information"}
    assert after["summary"]["machine_read"] == 36
    assert "36 machine-read lines (none of them used)" in ended.output


def test_readings_in_the_data_change_no_training_and_no_score(run, data, readings, trained):
    train = ("task=train", "data=page", f"data.root={data}", *SHORT)
    first = run(*train, into="train_before")
    put_beside(readings, data, "a_read")
    second = run(*train, into="train_after")
    assert second.read("predictions.csv") == first.read("predictions.csv")
    scored = run("task=test", f"checkpoint={trained.folder}", "data=page", f"data.root={data}", "data.subset=all")
    assert len(read_csv(scored.folder / "predictions.csv")) == 36
    truths = {row["truth"] for row in read_csv(scored.folder / "predictions.csv")}
    assert truths == {line.text for path in sorted((data / "page").glob("*.xml")) for line in read_texts(path)}


def test_a_persons_page_elsewhere_beats_a_machines_at_the_best_place(data, readings):
    shutil.move(data / "page", data / "typed")
    put_beside(readings, data, "page")
    pages = xml.read_xml(SourceSettings("xml", (str(data),))).pages
    assert {page.source.parent.name for page in pages} == {"typed"}


def test_pages_that_only_a_program_read_are_left_out_of_everything(run, data, readings, trained):
    names = sorted(path.name for path in (data / "page").glob("*.xml"))
    for name in names[:6]:
        shutil.copy(readings / "page" / name, data / "page" / name)
    ended, found = lines_of(run, data)
    assert found["summary"]["lines"] == 18
    assert found["summary"]["machine_read"] == 18
    assert "18 lines that a program read" in ended.output
    assert sorted(Path(row["file"]).name for row in read_csv(ended.folder / "skipped.csv")) == names[:6]
    strict = run("task=inspect", "data=page", f"data.root={data}", "data.strict=true", into="strict")
    assert strict.code == 1
    scored = run("task=test", f"checkpoint={trained.folder}", "data=page", f"data.root={data}", "data.subset=all")
    assert {row["page"].split("/")[-1] + ".xml" for row in read_csv(scored.folder / "predictions.csv")} == set(
        names[6:]
    )


def test_one_corrected_line_is_a_persons_again(run, data, readings):
    shutil.rmtree(data / "page")
    put_beside(readings, data, "page")
    for path in sorted((data / "page").glob("*.xml")):
        corrected(path)
    _, found = lines_of(run, data)
    assert found["summary"]["lines"] == 12
    assert found["summary"]["machine_read"] == 24


def test_data_that_nobody_transcribed_are_named(run, data, readings):
    shutil.rmtree(data / "page")
    put_beside(readings, data, "page")
    for more, words in (
        ((), "no line of the data was transcribed by a person; 36 were written by uncial"),
        (("data.min_confidence=0.01",), "validated on what people wrote"),
    ):
        ended = run("task=train", "data=page", f"data.root={data}", *SHORT, *more)
        assert ended.code == 1
        assert words in ended.output, ended
        assert "data=mixed" in ended.output


@pytest.fixture
def half(data, readings, tmp_path):
    """Six pages that people transcribed, and the folder of what was read in six others, with their images."""
    others = tmp_path / "others"
    (others / "page").mkdir(parents=True)
    for path in sorted((data / "page").glob("*.xml"))[:6]:
        shutil.move(data / f"{path.stem}.png", others)
        shutil.copy(readings / "page" / path.name, others / "page")
        path.unlink()
    return data, others


@pytest.mark.parametrize("way", ["min_confidence", "mixed"])
def test_readings_train_where_they_are_asked_for_and_are_never_scored(run, half, trained, way):
    data, others = half
    root = f"data.root=[{quoted(data)},{quoted(others)}]"
    sources = f"data.sources=[{{format: page, root: {quoted(others)}}}, {{format: page, root: {quoted(data)}}}]"
    asked = {"min_confidence": ("data=page", root, "data.min_confidence=0.001"), "mixed": ("data=mixed", sources)}[way]
    ended = run("task=inspect", *asked)
    assert ended.code == 0, ended
    summary = json.loads(ended.read("findings.json"))["summary"]
    assert summary["machine_read"] == 18
    assert summary["parts"]["train"]["lines"] > 18
    assert (
        summary["parts"]["val"]["lines"] + summary["parts"]["test"]["lines"] + summary["parts"]["train"]["lines"] == 36
    )
    for subset in ("train", "val", "test", "all"):
        scored = run("task=test", f"checkpoint={trained.folder}", *asked, f"data.subset={subset}", into=subset)
        assert scored.code == 0, scored
        names = {row["page"].split("/")[-1] for row in read_csv(scored.folder / "predictions.csv")}
        assert names <= {path.stem for path in (data / "page").glob("*.xml")}
    learned = run("task=train", *asked, *SHORT, into="learned")
    assert learned.code == 0, learned
    assert "18 lines of the training were read by a program" in learned.output
    scored = run("task=test", f"checkpoint={learned.folder}", *asked, into="scored")
    assert scored.code == 0, scored
    assert "not among the usable pages" not in scored.output


def test_a_stated_validation_of_readings_alone_is_named_for_what_it_is(run, half):
    data, others = half
    entries = f"[{{format: page, root: {quoted(data)}}}, {{format: page, val: {quoted(others)}}}]"
    asked = {
        "page": ("data=page", f"data.train={quoted(data)}", f"data.val={quoted(others)}"),
        "mixed": ("data=mixed", f"data.sources={entries}"),
    }
    for way, keys in asked.items():
        ended = run(*keys, *SHORT, into=way)
        assert ended.code == 1, ended
        told = ended.output.strip().splitlines()[-1]
        assert "uncial" in told, "who wrote them"
        assert "data.min_confidence" not in told, "which would not make a validation of them"
        assert "there is no page in it" not in told


def test_pages_of_a_document_that_is_tested_on_do_not_train(run, half, tmp_path):
    data, others = half
    for name in ("a", "b", "c"):
        (data / name / "page").mkdir(parents=True)
    for number, path in enumerate(sorted((data / "page").glob("*.xml"))):
        folder = data / "abc"[number % 3]
        shutil.move(path, folder / "page")
        shutil.move(data / f"{path.stem}.png", folder)
    for path in sorted((others / "page").glob("*.xml")):
        shutil.move(path, data / "a" / "page")
        shutil.move(others / f"{path.stem}.png", data / "a")
    _, found = lines_of(run, data, "data.split=document", "data.min_confidence=0.001")
    leaks = [one for one in found["findings"] if one["kind"] == "leaking_page"]
    assert leaks == []
    assert found["summary"]["machine_read"] == 18


def test_a_compiled_store_remembers_what_a_program_read(run, half, trained):
    data, others = half
    asked = ("data=page", f"data.root=[{quoted(data)},{quoted(others)}]", "data.min_confidence=0.001")
    compiled = run("task=compile", *asked)
    store = re.search(r"data.root=(\S+\.arrow)", compiled.output.replace("\n", ""))[1]
    scored = run(
        "task=test", f"checkpoint={trained.folder}", "data=compiled", f"data.root={store}", "data.subset=all", into="t"
    )
    assert scored.code == 0, scored
    assert len(read_csv(scored.folder / "predictions.csv")) == 18


def test_loghis_lists_hold_what_people_transcribed(run, half):
    data, others = half
    asked = ("data=page", f"data.root=[{quoted(data)},{quoted(others)}]", "data.min_confidence=0.001")
    ended = run("task=compile", *asked, "data.export=loghi")
    assert ended.code == 0, ended
    assert "18 lines that a program read left out" in ended.output.replace("\n", " ")
    assert len(ended.read("loghi/training_all.txt").splitlines()) == 18


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("source", ["one", "one/page", "one/page/*.xml", "one/drawn_0001.png"])
def test_page_is_kept_for_one_document_as_for_many(predict, data, tmp_path, source):
    ended = predict(tmp_path / source, f"predict.output={tmp_path / 'out'}")
    assert ended.code == 0, ended
    assert {path.parent for path in (tmp_path / "out").rglob("*.xml")} == {tmp_path / "out" / "page"}
    shutil.copytree(data, tmp_path / "many" / "two")
    shutil.copytree(data, tmp_path / "many" / "three")
    assert predict(tmp_path / "many", f"predict.output={tmp_path / 'all'}", into="many").code == 0
    assert {path.parent.relative_to(tmp_path / "all").as_posix() for path in (tmp_path / "all").rglob("*.xml")} == {
        "two/page",
        "three/page",
    }


@pytest.mark.parametrize(
    ("source", "output"),
    [("one", "one"), ("one/page", "one"), ("one/page", "one/page"), ("one", "."), ("one", "link"), ("link", "one")],
)
def test_an_output_that_is_a_folder_of_the_input_is_refused(predict, data, tmp_path, source, output):
    (tmp_path / "link").symlink_to(data)
    before = files(data)
    ended = predict(tmp_path / source, f"predict.output={tmp_path / output}")
    assert ended.code == 1
    assert "predict.output" in ended.output
    assert files(data) == before


@pytest.mark.parametrize("output", ["one/read", "one/page/read", "one/zz/page"])
def test_an_output_in_the_input_is_warned_of_and_never_read_again(predict, run, data, tmp_path, output):
    target = tmp_path / output
    without_texts(data / "page")
    first = predict(data, f"predict.output={target}")
    assert first.code == 0, first
    assert "which is read" in first.output
    written = sorted(path.name for path in target.rglob("*.xml"))
    assert len(written) == 12
    for more in (f"predict.output={target}", f"predict.output={tmp_path / 'elsewhere'}", "predict.output=null"):
        again = predict(data, more, into=f"again_{len(more)}")
        assert again.code == 0, again
        assert "Read 36 lines of 12 pages" in again.output.replace("\n", " ")
    assert len(list((tmp_path / "elsewhere").rglob("*.xml"))) == 12
    assert sorted(path.name for path in target.rglob("*.xml")) == written


def test_readings_are_read_anew_where_they_are_what_is_asked_for(predict, data, readings, tmp_path):
    ended = predict(readings, f"predict.output={tmp_path / 'again'}", f"data.images=[{quoted(data)}]")
    assert ended.code == 0, ended
    assert len(list((tmp_path / "again").rglob("*.xml"))) == 12


def test_corrections_in_the_output_are_not_overwritten(predict, data, readings):
    again = predict(data, f"predict.output={readings}", into="again")
    assert again.code == 0, again
    corrected(sorted((readings / "page").glob("*.xml"))[3])
    before = files(readings)
    ended = predict(data, f"predict.output={readings}", into="corrected")
    assert ended.code == 1
    assert "a person wrote or corrected" in ended.output
    assert files(readings) == before


def test_outputs_of_earlier_runs_in_the_root_are_no_truth(run, predict, data, tmp_path):
    predict(data, into="outputs/predict/run")
    _, found = lines_of(run, tmp_path, "data.exclude=[store]")
    assert found["summary"]["lines"] == 36
    assert {one["severity"] for one in found["findings"] if "outputs" in one["file"]} == {"information"}


def test_a_comparison_scores_no_reading_as_truth(run, data, readings, tmp_path):
    truth = tmp_path / "truth"
    shutil.copytree(data / "page", truth)
    for path in sorted(truth.glob("*.xml"))[:5]:
        shutil.copy(readings / "page" / path.name, truth)
    folders = f"compare.folders=[{quoted(readings)},{quoted(data / 'page')}]"
    ended = run("task=compare", f"compare.truth={truth}", folders)
    assert ended.code == 0, ended
    rows = [row for row in read_csv(ended.folder / "unmatched.csv") if "was written by" in row["reason"]]
    assert len(rows) == 15


def test_excerpts_of_an_audit_take_nobodys_place(run, data, trained):
    audit = ("task=audit", f"checkpoint={trained.folder}", "data=page", f"data.root={data}", "audit.share=0.3")
    before = files(data)
    assert run(*audit, f"audit.output={data}", into="into_the_data").code == 1
    assert files(data) == before
    for into in ("beside", "again"):
        ended = run(*audit, f"audit.output={data / 'a_suspect'}", into=into)
        assert ended.code == 0, ended
        assert "which is read" in ended.output
    _, found = lines_of(run, data)
    assert found["summary"]["lines"] == 36
    corrected(sorted((data / "a_suspect").rglob("*.xml"))[0])
    assert run(*audit, f"audit.output={data / 'a_suspect'}", into="corrected").code == 1


@pytest.fixture
def line_images(drawn, tmp_path):
    from drawn_layouts import cut_lines, draw_pages, write_pairs

    write_pairs(tmp_path / "lines", cut_lines(draw_pages(6)))
    return tmp_path / "lines"


def as_list(folder: Path, name: str, few: int | None = None) -> Path:
    """A list as Loghi's training takes it."""
    rows = [f"{image}\t{image.with_suffix('.gt.txt').read_text().strip()}" for image in sorted(folder.glob("*.png"))]
    (folder / name).write_text("\n".join(rows[:few]) + "\n", encoding="utf-8")
    return folder / name


def old_form(path: Path) -> None:
    rows = [row.split("\t") for row in path.read_text(encoding="utf-8").splitlines()]
    path.write_text("".join("\t".join([row[0], row[2], row[3]]) + "\n" for row in rows), encoding="utf-8")


@pytest.mark.parametrize("form", ["new", "old"])
def test_results_are_pseudo_labels(run, predict, line_images, form):
    results = line_images / "results.txt"
    assert predict(line_images, "predict.format=tsv", f"predict.output={results}").code == 0
    if form == "old":
        old_form(results)
    ended = run("task=inspect", "data=loghi", f"data.train={results}", into="alone")
    assert ended.code == 1
    assert "no line of the data was transcribed by a person; 18 were written by a recogniser" in ended.output
    truth = as_list(line_images, "typed.txt", 9)
    sources = (
        f"data.sources=[{{format: loghi, root: {quoted(line_images)}, train: {quoted(results)}}}, "
        f"{{format: loghi, root: {quoted(truth)}}}]"
    )
    ended = run("task=inspect", "data=mixed", sources, "data.ratio=[0.6,0.2,0.2]", into="mixed")
    assert ended.code == 0, ended
    summary = json.loads(ended.read("findings.json"))["summary"]
    assert summary["machine_read"] == 18
    assert sum(part["lines"] for part in summary["parts"].values()) == 18


@pytest.mark.parametrize(
    ("group", "form"), [("labels", "tsv"), ("manifest", "jsonl"), ("page", "tsv"), ("loghi", "jsonl")]
)
def test_results_are_named_where_they_are_no_list(run, predict, line_images, group, form):
    results = line_images / f"results.{form}"
    assert predict(line_images, f"predict.format={form}", f"predict.output={results}").code == 0
    ended = run("task=inspect", f"data={group}", f"data.root={line_images}", f"data.train={results}")
    assert ended.code == 1
    assert "holds what a recogniser read" in ended.output, ended
    assert "data=loghi" in ended.output


@pytest.mark.parametrize("name", ["labels.tsv", "training_all_train.txt"])
def test_a_table_takes_the_place_of_no_list(predict, line_images, name):
    before = as_list(line_images, name).read_bytes()
    ended = predict(line_images, "predict.format=tsv", f"predict.output={line_images / name}")
    assert ended.code == 1
    assert "holds something else than readings" in ended.output
    assert (line_images / name).read_bytes() == before


def test_results_in_the_root_are_named(run, predict, line_images):
    predict(line_images, "predict.format=tsv", f"predict.output={line_images / 'results.txt'}")
    ended = run("task=inspect", "data=loghi", f"data.root={line_images}")
    assert ended.code == 1
    assert "results.txt holds what a recogniser read" in ended.output
