"""splits.csv and data.split_from; and that no task scores pages in silence that its model was trained on."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import yaml
from drawn_layouts import cut_lines, draw_pages, write_alto_layout, write_page_layout, write_pairs
from program import TINY, Ended, run_program
from safetensors import safe_open
from safetensors.torch import load_file, save_file

SHORT = (*TINY, "trainer.max_steps=2", "trainer.validations=1", "trainer.batch_width=1000")
WARNED = "in this model's training data"


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> Path:
    """Fourteen pages; read only."""
    return write_page_layout(tmp_path_factory.mktemp("in") / "pages", draw_pages(14))


@pytest.fixture(scope="module")
def fitted(pages, tmp_path_factory) -> Ended:
    """A training of two steps with the defaults; read only."""
    ended = run_program(tmp_path_factory.mktemp("fitted") / "run", "data=page", f"data.root={pages}", *SHORT)
    assert ended.code == 0, ended
    return ended


def splits(ended: Ended) -> dict[str, str]:
    return {row["page"]: row["part"] for row in csv.DictReader(ended.read("splits.csv").splitlines())}


def scored(ended: Ended) -> set[str]:
    return {row["page"] for row in csv.DictReader(ended.read("predictions.csv").splitlines())}


def of(parts: dict[str, str], part: str) -> set[str]:
    return {page for page, own in parts.items() if own == part}


def as_written_before(run: Path, target: Path) -> Path:
    """A copy of a run without what earlier versions did not write."""
    shutil.copytree(run, target)
    (target / "splits.csv").unlink()
    config = yaml.safe_load((target / "config.yaml").read_text("utf-8"))
    del config["data"]["split_rule"], config["data"]["split_from"]
    (target / "config.yaml").write_text(yaml.safe_dump(config), "utf-8")
    return without_split(target / "best.safetensors").parent


def without_split(model: Path) -> Path:
    with safe_open(model, framework="pt") as opened:
        card = json.loads(opened.metadata()["uncial"])
    del card["split"]
    save_file(load_file(model), model, metadata={"uncial": json.dumps(card)})
    return model


def more_pages(pages: Path, target: Path, count: int = 6) -> Path:
    """The fourteen pages and others, whose names lie between theirs."""
    write_page_layout(target, draw_pages(count, seed=5))
    for file in list(target.rglob("drawn_*")):
        file.rename(file.with_name(file.name.replace("drawn_", "drawn_000")))
    for file in (target / "page").glob("*.xml"):
        file.write_text(file.read_text("utf-8").replace('"drawn_', '"drawn_000'), "utf-8")
    shutil.copytree(pages, target, dirs_exist_ok=True)
    return target


def test_every_run_lists_its_pages(fitted, run, pages):
    rows = list(csv.DictReader(fitted.read("splits.csv").splitlines()))
    assert len(rows) == 14
    assert {row["part"] for row in rows} == {"train", "val", "test"}
    assert {row["lines"] for row in rows} == {"3"}
    assert all(row["key"] and row["document"] == "pages" for row in rows)
    inspected = run("task=inspect", "data=page", f"data.root={pages}")
    assert inspected.read("splits.csv") == fitted.read("splits.csv")
    few = run("task=compile", "data=page", f"data.root={pages}", "data.lines=2", into="few")
    assert few.read("splits.csv") == fitted.read("splits.csv")


def test_the_command_that_a_training_tells_scores_what_was_kept_apart(fitted, run, pages):
    ended = run("task=test", f"checkpoint={fitted.folder}", "data=page", f"data.root={pages}")
    assert ended.code == 0, ended
    assert scored(ended) == of(splits(fitted), "test")
    assert WARNED not in ended.output


@pytest.mark.parametrize("how", ["run", "file"])
def test_a_split_is_taken_over_by_data_that_have_moved_and_grown(fitted, run, pages, tmp_path, how):
    root = more_pages(pages, tmp_path / "elsewhere" / "renamed")
    gone = sorted(of(splits(fitted), "val"))[0]
    (root / f"{gone}.xml").unlink()
    given = fitted.folder if how == "run" else fitted.folder / "splits.csv"
    ended = run("task=inspect", "data=page", f"data.root={root}", f"data.split_from={given}")
    assert ended.code == 0, ended
    parts = splits(ended)
    assert {page: part for page, part in parts.items() if page in splits(fitted)} == {
        page: part for page, part in splits(fitted).items() if page != gone
    }
    assert {parts[page] for page in set(parts) - set(splits(fitted))} == {"train"}
    told = " ".join(ended.output.split())
    assert f"1 of the 14 pages in {given if how == 'file' else given / 'splits.csv'} are not among" in told
    assert gone in told
    assert "6 pages that it does not list are new" in told


def test_pages_with_other_names_are_known_by_their_images(fitted, run, pages, tmp_path):
    root = write_alto_layout(tmp_path / "alto", draw_pages(14))
    for file in list(root.glob("*.png")):
        shutil.copyfile(pages / file.name, file.with_name(f"scan-{file.name}"))
        text = file.with_suffix(".xml").read_text("utf-8").replace(file.name, f"scan-{file.name}")
        file.with_name(f"scan-{file.stem}.xml").write_text(text, "utf-8")
        file.unlink()
        file.with_suffix(".xml").unlink()
    ended = run("task=test", f"checkpoint={fitted.folder}", "data=alto", f"data.root={root}")
    assert ended.code == 0, ended
    assert {page.removeprefix("scan-") for page in scored(ended)} == {
        page.removeprefix("page/") for page in of(splits(fitted), "test")
    }
    assert WARNED not in ended.output


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (("data.val=x.txt",), "data.val and data.split_from="),
        (("data.test=x.txt",), "data.test and data.split_from="),
        (("data.train=x.txt",), "data.root names the pages"),
        (("data.ratio=[.5,.5,0]",), "data.ratio and data.split_from="),
        (("data.split_rule=hash",), "data.split_rule and data.split_from="),
        (("data.folds=4",), "lists no folds"),
    ],
)
def test_what_a_split_that_is_taken_over_decides_is_not_typed_beside_it(fitted, run, pages, typed, words):
    ended = run("task=inspect", "data=page", f"data.root={pages}", f"data.split_from={fitted.folder}", *typed)
    assert ended.code == 1, ended
    assert words in " ".join(ended.output.split())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no such folder or file"),
        ("", "names no column page"),
        ("page;part\na;train\n", "names no column page"),
        ("page,part\n", "lists no page"),
        ("page,part\na,train\nb,dev\n", "row 3: 'dev' is no part"),
        ("page,part,fold\na,train,x\n", "'x' is no fold"),
        ("page,part\nother,train\n", "lists none of the 14 pages"),
    ],
)
def test_a_file_that_is_none_is_told(run, pages, tmp_path, content, words):
    file = tmp_path / "splits.csv"
    if content is not None:
        file.write_text(content, "utf-8")
    ended = run("task=inspect", "data=page", f"data.root={pages}", f"data.split_from={file}")
    assert ended.code == 1, ended
    assert words in " ".join(ended.output.split())


def test_a_split_written_by_hand_is_taken(run, pages, tmp_path):
    rows = [f"page/drawn_{number:04d},{'val' if number == 3 else 'train'}" for number in range(1, 15)]
    (tmp_path / "mine.csv").write_text("\ufeffpage,part\r\n" + "\r\n".join(rows) + "\r\n", "utf-8")
    ended = run("task=inspect", "data=page", f"data.root={pages}", f"data.split_from={tmp_path / 'mine.csv'}")
    assert of(splits(ended), "val") == {"page/drawn_0003"}, ended


def test_a_run_of_folds_hands_on_its_folds(run, pages, tmp_path):
    first = run("task=inspect", "data=page", f"data.root={pages}", "data.folds=3", "data.fold=0", into="first")
    root = more_pages(pages, tmp_path / "more")
    validated = []
    for fold in range(3):
        folds = ("data.folds=3", f"data.fold={fold}", f"data.split_from={first.folder}")
        ended = run("task=inspect", "data=page", f"data.root={root}", *folds, into=f"fold{fold}")
        assert ended.code == 0, ended
        assert of(splits(ended), "test") == of(splits(first), "test")
        validated.append(of(splits(ended), "val"))
    assert validated[0] == of(splits(first), "val")
    assert set.union(*validated) == set(splits(first)) - of(splits(first), "test")
    assert sum(map(len, validated)) == len(set.union(*validated))


def test_new_lines_of_a_page_stay_with_it(run, tmp_path):
    lines = cut_lines(draw_pages(6))
    paths = write_pairs(tmp_path / "in", lines)
    held = [(path, path.with_suffix(".gt.txt")) for path in paths[::3]]
    for image, text in held:
        for file in (image, text):
            file.rename(tmp_path / file.name)
    first = run("task=inspect", "data=lines", f"data.root={tmp_path / 'in'}", into="first")
    for image, text in held:
        for file in (image, text):
            (tmp_path / file.name).rename(file)
    again = run("task=inspect", "data=lines", f"data.root={tmp_path / 'in'}", f"data.split_from={first.folder}")
    assert again.code == 0, again
    rows = list(csv.DictReader(again.read("splits.csv").splitlines()))
    assert len(rows) == 18
    sides: dict[str, set[str]] = {}
    for row in rows:
        sides.setdefault(row["group"], set()).add(row["part"])
    assert all(len(found) == 1 for found in sides.values())
    assert {part for found in sides.values() for part in found} == {"train", "val", "test"}


def test_a_split_by_document_is_kept_by_document(run, tmp_path):
    for number in range(5):
        write_page_layout(tmp_path / "in" / f"volume{number}", draw_pages(2, seed=number + 1))
    data = ("data=page", f"data.root={tmp_path / 'in'}")
    first = run("task=inspect", *data, "data.split=document", into="first")
    assert first.code == 0, first
    tested = next(iter(of(splits(first), "test"))).split("/")[0]
    write_page_layout(tmp_path / "in" / tested / "second", draw_pages(1, seed=9))
    (tmp_path / "in" / tested / "second").rename(tmp_path / "second")
    for file in (tmp_path / "second").rglob("drawn_0001.*"):
        target = tmp_path / "in" / tested / file.relative_to(tmp_path / "second").with_stem("drawn_0009")
        text = file.read_bytes()
        target.write_bytes(text.replace(b"drawn_0001.png", b"drawn_0009.png") if file.suffix == ".xml" else text)
    again = run("task=inspect", *data, f"data.split_from={first.folder}", into="again")
    assert splits(again)[f"{tested}/page/drawn_0009"] == "test", again
    by_page = run("task=inspect", *data, into="pages")
    refused = run("task=inspect", *data, "data.split=document", f"data.split_from={by_page.folder}", into="refused")
    assert refused.code == 1, refused
    assert "data.split=document" in refused.output


def test_data_that_state_another_part_are_refused(run, tmp_path, pages):
    rows = [f"page/drawn_{number:04d}.xml" for number in range(1, 15)]
    (tmp_path / "train.txt").write_text("\n".join(rows[:10]), "utf-8")
    (tmp_path / "val.txt").write_text("\n".join(rows[10:]), "utf-8")
    for name in ("train", "val"):
        shutil.copyfile(tmp_path / f"{name}.txt", tmp_path / f"{name}.lst")
    copied = tmp_path / "in"
    shutil.copytree(pages, copied)
    for name in ("train", "val"):
        shutil.copyfile(tmp_path / f"{name}.txt", copied / f"{name}.txt")
    first = run("task=inspect", "data=manifest", f"data.root={copied}", into="first")
    assert first.code == 0, first
    again = ("task=inspect", "data=manifest", f"data.root={copied}", f"data.split_from={first.folder}")
    same = run(*again, into="same")
    assert same.code == 0, same
    assert splits(same) == splits(first)
    (copied / "train.txt").write_text("\n".join(rows[:11]), "utf-8")
    (copied / "val.txt").write_text("\n".join(rows[11:]), "utf-8")
    other = run(*again, into="other")
    assert other.code == 1, other
    assert "drawn_0011.xml: the data state the part train" in " ".join(other.output.split())


def test_pages_that_were_added_are_not_dealt_anew_for_the_test(fitted, run, pages, tmp_path):
    root = more_pages(pages, tmp_path / "grown")
    ended = run("task=test", f"checkpoint={fitted.folder}", "data=page", f"data.root={root}")
    assert ended.code == 0, ended
    assert scored(ended) == of(splits(fitted), "test")
    assert WARNED not in ended.output
    assert str(fitted.folder / "splits.csv") in ended.output.replace("\n", "")


@pytest.mark.parametrize("typed", ["seed=4", "data.seed=4", "data.ratio=[.4,.3,.3]", "data.split_rule=hash"])
def test_another_split_that_is_typed_is_made_and_warned_of(fitted, run, pages, typed):
    ended = run("task=test", f"checkpoint={fitted.folder}", "data=page", f"data.root={pages}", typed)
    assert ended.code == 0, ended
    overlap = scored(ended) & of(splits(fitted), "train")
    told = " ".join(ended.output.split())
    if overlap:
        assert f"{len(overlap)} of the {len(scored(ended))} pages scored here were {WARNED}" in told
        assert f"data.split_from={fitted.folder}" in told.replace(" ", "")
    else:
        assert WARNED not in told


def test_a_model_without_its_run_says_how_it_was_split(run, pages, tmp_path):
    first = run("data=page", f"data.root={pages}", *SHORT, "data.ratio=[.5,.25,.25]", "data.seed=9", into="first")
    assert first.code == 0, first
    shutil.copyfile(first.folder / "best.safetensors", tmp_path / "model.safetensors")
    ended = run("task=test", f"checkpoint={tmp_path / 'model.safetensors'}", "data=page", f"data.root={pages}")
    assert ended.code == 0, ended
    assert scored(ended) == of(splits(first), "test")


@pytest.mark.parametrize("typed", [(), ("data.ratio=[.4,.3,.3]", "seed=3")])
def test_a_model_of_an_earlier_version_is_scored_on_the_pages_that_it_kept_apart(run, pages, tmp_path, typed):
    first = run("data=page", f"data.root={pages}", *SHORT, "data.split_rule=hash", *typed, into="first")
    assert first.code == 0, first
    old = as_written_before(first.folder, tmp_path / "old")
    ended = run("task=test", f"checkpoint={old}", "data=page", f"data.root={pages}", *typed, into="test")
    assert ended.code == 0, ended
    assert scored(ended) == of(splits(first), "test")
    assert WARNED not in ended.output
    quantile = run(
        "task=test",
        f"checkpoint={old}",
        "data=page",
        f"data.root={pages}",
        "data.split_rule=quantile",
        *typed,
        into="q",
    )
    if overlap := scored(quantile) & of(splits(first), "train"):
        assert f"{len(overlap)} of" in quantile.output
        assert "data.split_rule=hash" in " ".join(quantile.output.split())


def test_a_run_of_an_earlier_version_is_resumed_and_repeated_with_its_pages(run, pages, tmp_path):
    first = run("data=page", f"data.root={pages}", *SHORT, "data.split_rule=hash", "data.split_from=null", into="first")
    old = as_written_before(first.folder, tmp_path / "old")
    again = run("task=rerun", f"run={old}", into="again")
    assert again.code == 0, again
    assert splits(again) == splits(first)
    assert yaml.safe_load(again.read("config.yaml"))["data"]["split_rule"] == "hash"
    config = yaml.safe_load((old / "config.yaml").read_text("utf-8"))
    config["trainer"].update(max_steps=None, max_epochs=1)
    (old / "config.yaml").write_text(yaml.safe_dump(config), "utf-8")
    resumed = run(f"resume={old}", "trainer.max_epochs=2", into="resumed")
    assert resumed.code == 0, resumed
    assert (old / "splits.csv").read_text("utf-8") == first.read("splits.csv")


def test_a_run_that_took_a_split_over_goes_on_without_the_other(fitted, run, pages, tmp_path):
    root = more_pages(pages, tmp_path / "grown")
    other = tmp_path / "other"
    shutil.copytree(fitted.folder, other)
    typed = ("data=page", f"data.root={root}", *SHORT, f"data.split_from={other}", "callbacks.checkpoints.keep_last=3")
    first = run(*typed, into="first")
    assert first.code == 0, first
    assert of(splits(first), "val") == of(splits(fitted), "val")
    shutil.rmtree(other)
    again = run("task=rerun", f"run={first.folder}", into="again")
    assert again.code == 0, again
    assert splits(again) == splits(first)
    tested = run("task=test", f"checkpoint={first.folder}", "data=page", f"data.root={root}", into="test")
    assert scored(tested) == of(splits(fitted), "test")


def test_fine_tuning_on_the_same_pages_keeps_what_the_base_kept_apart(fitted, run, pages, tmp_path):
    root = more_pages(pages, tmp_path / "grown")
    tuned = run(
        "data=page", f"data.root={root}", *SHORT[4:], f"pretrained={fitted.folder}", "resize=union", into="tuned"
    )
    assert tuned.code == 0, tuned
    for part in ("val", "test"):
        assert of(splits(tuned), part) == of(splits(fitted), part)
    assert "validation pages were in" not in tuned.output
    other = run(
        "data=page",
        f"data.root={root}",
        *SHORT[4:],
        f"pretrained={fitted.folder}",
        "resize=union",
        "data.seed=5",
        into="o",
    )
    overlap = of(splits(other), "val") & of(splits(fitted), "train")
    told = " ".join(other.output.split())
    assert (f"{len(overlap)} of the {len(of(splits(other), 'val'))} validation pages were in" in told) == bool(overlap)
    tested = run("task=test", f"checkpoint={other.folder}", "data=page", f"data.root={root}", into="test")
    overlap = scored(tested) & (of(splits(fitted), "train") | of(splits(other), "train"))
    assert (WARNED in tested.output) == bool(overlap)


def test_fine_tuning_on_new_pages_divides_them_by_its_own_rule(fitted, run, pages, tmp_path):
    root = write_page_layout(tmp_path / "new", draw_pages(8, seed=6))
    old = as_written_before(fitted.folder, tmp_path / "old")
    tuned = run("data=page", f"data.root={root}", *SHORT[4:], f"pretrained={old}", "resize=union", into="tuned")
    plain = run("task=inspect", "data=page", f"data.root={root}", into="plain")
    assert tuned.code == 0, tuned
    assert splits(tuned) == splits(plain)


@pytest.mark.parametrize("task", ["compare", "ensemble"])
def test_several_models_are_each_warned_of(fitted, run, pages, tmp_path, task):
    """No split keeps pages apart from both: what one keeps apart the other is trained on."""
    known = sorted(of(splits(fitted), "train"))
    rows = [
        f"{page},{'test' if page == known[0] else 'val' if page == known[1] else 'train'}" for page in splits(fitted)
    ]
    (tmp_path / "mine.csv").write_text("\n".join(["page,part", *rows]), "utf-8")
    data = ("data=page", f"data.root={pages}")
    other = run(*data, *SHORT, f"data.split_from={tmp_path / 'mine.csv'}", into="other")
    ended = run(f"task={task}", f"checkpoint=[{fitted.folder},{other.folder}]", *data, into="scored")
    assert ended.code == 0, ended
    tested = of(splits(ended), "test")
    known = [len(tested & of(splits(one), "train")) for one in (fitted, other)]
    assert " ".join(ended.output.split()).count("training data") == sum(number > 0 for number in known)
    assert any(known), "the two splits differ"
    same = run(f"task={task}", f"checkpoint=[{fitted.folder},{fitted.folder}/last.ckpt]", *data, into="same")
    assert same.code == 0, same
    assert of(splits(same), "test") == of(splits(fitted), "test")
    assert "training data" not in same.output


def test_an_unknown_rule_is_refused(run, pages):
    ended = run("task=inspect", "data=page", f"data.root={pages}", "data.split_rule=random")
    assert ended.code == 1
    assert "data.split_rule=random: choose one of quantile, hash" in " ".join(ended.output.split())


def test_one_page_cannot_be_trained_on_alone(run, tmp_path):
    root = write_page_layout(tmp_path / "in", draw_pages(1))
    ended = run("data=page", f"data.root={root}", *SHORT)
    assert ended.code == 1, ended
    told = " ".join(ended.output.split())
    assert "one page (page/drawn_0001)" in told
    assert "data.val" in told
    assert "finer" not in told
    assert told.count("one page") == 1


def test_a_forecast_says_when_the_base_of_its_runs_knew_their_validation(fitted, run, pages, tmp_path):
    data = ("data=page", f"data.root={pages}")
    known = sorted(of(splits(fitted), "train"))[:2]
    rows = [f"{page},{'val' if page in known else 'train'}" for page in splits(fitted)]
    (tmp_path / "mine.csv").write_text("\n".join(["page,part", *rows]), "utf-8")
    typed = (
        f"pretrained={fitted.folder}",
        f"data.split_from={tmp_path / 'mine.csv'}",
        "resize=union",
        "data.share=1/2",
    )
    tuned = run(*data, *SHORT[4:], *typed, into="tuned")
    assert tuned.code == 0, tuned
    assert "2 of the 2 validation pages were in" in " ".join(tuned.output.split())
    ended = run("task=forecast", f"forecast.runs={tuned.folder}", into="forecast")
    assert "1 run validated on pages" in " ".join(ended.output.split()), ended
    plain = run("task=forecast", f"forecast.runs={fitted.folder}", into="plain")
    assert "validated on pages" not in " ".join(plain.output.split())
