"""Each option of the peers has its place on the page, and each command named there runs."""

import json
import re
import shutil
from functools import cache
from pathlib import Path

import cv2
import pytest
from drawn_layouts import cut_lines, draw_pages, write_alto_layout, write_page_layout, write_pairs
from program import ROOT, TINY, run_program

from uncial.config.peers import read_counterparts

KETOS_TRAIN = """
--arch -B --batch-size --pad -o --output --weights-format -s --spec --variant --height --max-width -i --load --resume
-F --freq -q --quit -N --epochs --min-epochs --lag --min-delta --optimizer -r --lrate -m --momentum -w --weight-decay
--gradient-clip-val --accumulate-grad-batches --warmup --freeze-backbone --schedule -g --gamma -ss --step-size
--sched-patience --cos-max --cos-min-lr -p --partition -u --normalization -n --normalize-whitespace -c --codec --resize
--reorder --no-reorder --base-dir -t --training-data -e --evaluation-data -f --format-type --linetype --augment
--no-augment --logger --log-dir --legacy-polygons"""
"""What `ketos train --help` of kraken 7.1.1 lists."""

LOGHI_VARIABLES = """
VERSION HTRLOGHI HTRLOGHIMODELHEIGHT USEBASEMODEL HTRBASEMODEL HTRLOGHIMODEL HTRNEWMODEL channels GPU listdir trainlist
validationlist datadir charlist epochs height multiply REPLACEFINALLAYER batch_size model_name learning_rate DECAYSTEPS
rnn_layers rnn_units tmpdir outputdir"""
"""What Loghi's scripts that train have had their users set, in all versions."""

KETOS_TEST = """
-B --batch-size -m --model -e --evaluation-files -d --device --pad --workers --threads --reorder --no-reorder --base-dir
-u --normalization -n --normalize-whitespace --repolygonize --force-binarization -f --format-type"""
KETOS_COMPILE = """
-o --output --workers -f --format-type -F --files --random-split --force-type --save-splits --ignore-splits
--skip-empty-lines --keep-empty-lines --recordbatch-size --legacy-polygons"""
KRAKEN_OCR = "-m --model -p --pad --reorder --no-reorder --base-dir -s --no-segmentation --text-direction"

LIGHTNING_HYDRA_TEMPLATE = """
task_name tags train test ckpt_path extras.ignore_warnings extras.enforce_tags extras.print_config debug hparams_search
optimized_metric local data.data_dir data.batch_size data.train_val_test_split data.num_workers data.pin_memory
model.net model.compile model.optimizer model.scheduler trainer.check_val_every_n_epoch trainer.deterministic
trainer.num_nodes callbacks.model_checkpoint callbacks.early_stopping callbacks.model_summary
callbacks.rich_progress_bar paths.data_dir paths.log_dir paths.output_dir"""
"""Keys and groups of its config files that are called otherwise here."""


@cache
def rows():
    """(names there, the cells beside them) of every row of the page's tables."""
    text = (ROOT / "docs" / "coming-from.md").read_text(encoding="utf-8")
    cells = [line.strip("|").split("|") for line in text.splitlines() if re.match(r"\| `", line)]
    titles = [line.strip("|").split("|") for line in re.findall(r"^(\|.*)\n\|---", text, re.MULTILINE)]
    return [(re.findall(r"`([^`]+)`", row[0]), " ".join(row[1:])) for row in cells if row not in titles]


def of_program(program: str) -> set[str]:
    page = ROOT / "docs" / "coming-from.md"
    return {name for row in read_counterparts(page) if row.program == program for name in row.names}


def test_every_option_of_the_other_programs_has_its_row():
    assert set(KETOS_TEST.split()) <= of_program("ketos test")
    assert set(KETOS_COMPILE.split()) <= of_program("ketos compile")
    assert set(KRAKEN_OCR.split()) <= of_program("kraken ocr")
    assert set(LIGHTNING_HYDRA_TEMPLATE.split()) <= of_program("lightning-hydra-template")


def test_every_option_and_variable_has_its_row():
    named = {name for names, _ in rows() for name in names}
    assert not {*KETOS_TRAIN.split(), *LOGHI_VARIABLES.split()} - named


def test_every_row_has_a_key_or_a_reason():
    assert len(rows()) > 100
    for names, cell in rows():
        assert names, cell
        assert re.search(r"`[\w/.]+=", cell) or "Not here" in cell, names


TRAIN = ("task=train", "data=page", "data.root=DIR", "trainer.max_steps=2", "trainer.validations=1", *TINY)
SHORT_LAYOUT = ("model=layout", "model.size=tiny", "trainer.max_steps=2", "trainer.validations=1", "trainer.crop=64")
FPN = ("model=layout_fpn", "model.neck.channels=16", "model.overview=64", *SHORT_LAYOUT[2:])
BASES = {
    "ketos test": ("task=test", "checkpoint=RUN", "data=page", "data.root=DIR", "data.subset=all"),
    "ketos compile": ("task=compile", "data=page", "data.root=DIR"),
    "kraken": ("task=predict", "checkpoint=RUN", "predict.input=DIR"),
    "kraken ocr": ("task=predict", "checkpoint=RUN", "predict.input=DIR"),
    "kraken segment": ("task=predict", "checkpoint=LAYOUT", "predict.input=DIR"),
    "kraken binarize": ("task=predict", "checkpoint=RUN", "predict.input=DIR"),
    "pylaia-htr-decode-ctc": ("task=predict", "checkpoint=RUN", "predict.input=DIR"),
}
"""What stands beside the commands of a table; those of the others are for a training."""

ROOTS = {"loghi": ".", "page": "pages", "xml": "pages", "alto": "alto", "lines": "lines", "compiled": "pages.arrow"}
ALONE = {"data", "model", "pretrained", "resume", "logger", "task", "freeze", "reinitialize"}
"""Keys that decide on so much that commands with different ones cannot be typed together."""

ELSEWHERE = ("logger=wandb",)
"""Runs in tests/problems/test_dashboards.py, with a service of its own."""


def key_of(word: str) -> str:
    return word.partition("=")[0]


def topic(word: str) -> str:
    """What a word is about, as far as two of them cannot stand in one command."""
    key = key_of(word)
    if "validat" in key:
        return "trainer.validations"
    group = re.split(r"[./]", key)[0]
    return group if group in ("scheduler", "optimizer") else key


def words_of(program: str, command: str) -> dict[str, str]:
    """The command with what stands beside it, by key."""
    typed = {key_of(word): word for word in command.split()}
    if program in ("Laypa", "ketos segtrain"):
        # What an experiment is of it says itself.
        has_fpn = "experiment" in typed or typed.get("model") == "model=layout_fpn"
        base = ["task=train", "data=page", "data.root=DIR", *(FPN if has_fpn else SHORT_LAYOUT)]
        return {**{key_of(word): word for word in base if key_of(word) not in typed}, **typed}
    if typed.keys() & {"resize", "reinitialize", "freeze"}:
        typed.setdefault("pretrained", "pretrained=RUN")
    base = [word for word in BASES.get(program, TRAIN) if key_of(word) not in typed]
    if typed.get("task", "task=train") != "task=train" and program not in BASES:
        base = [word for word in base if not word.startswith(("task", "trainer", "model"))]
        if typed["task"] == "task=predict":
            base = []
    if typed.keys() & {"pretrained", "model", "model/backbone", "model/head"}:
        base = [word for word in base if not word.startswith("model")]
    if typed.get("resume") == "resume=RUN":
        base = [word for word in base if word.startswith("task")]
    if "data" in typed and "data.root" not in typed:
        base = [word for word in base if key_of(word) != "data.root"]
    return {**{key_of(word): word for word in base if key_of(word) not in typed}, **typed}


def batches() -> list[list[str]]:
    """The commands of all tables, as many in one as can be typed together."""
    found: list[dict[str, str]] = []
    for program, command in programs_and_commands():
        typed = words_of(program, command)
        for batch in found:
            if not clash(typed, batch):
                batch.update(typed)
                break
        else:
            found.append(dict(typed))
    return [list(batch.values()) for batch in found]


def clash(one: dict[str, str], other: dict[str, str]) -> bool:
    if any(one.get(key) != other.get(key) for key in ALONE):
        return True
    mine, theirs = by_topic(one), by_topic(other)
    return any(mine[name] != theirs[name] for name in mine.keys() & theirs.keys())


def by_topic(words: dict[str, str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for word in words.values():
        found.setdefault(topic(word), set()).add(word)
    return found


def programs_and_commands() -> list[tuple[str, str]]:
    text = (ROOT / "docs" / "coming-from.md").read_text(encoding="utf-8")
    program, found, was_row = "", [], False
    for line in text.splitlines():
        if line.startswith("|") and not was_row:
            program, was_row = line.strip("|").split("|")[0].strip().replace("`", ""), True
        elif line.startswith("|"):
            spans = re.findall(r"`([^`]+)`", "|".join(line.strip("|").split("|")[1:]))
            found += [(program, span) for span in spans if "=" in span and not re.fullmatch(r"task=\w+", span)]
        else:
            was_row = False
    return [one for one in dict.fromkeys(found) if one[1] not in ELSEWHERE]


@pytest.fixture(scope="module")
def model(drawn, tmp_path_factory) -> Path:
    """The folder of a run with a small model of the default kind."""
    folder = tmp_path_factory.mktemp("model") / "run"
    data = ("data=page", f"data.root={drawn / 'page'}")
    ended = run_program(folder, *data, "trainer.max_steps=2", "trainer.validations=1", *TINY)
    assert ended.code == 0, ended
    return folder


@pytest.fixture(scope="module")
def layout(drawn, tmp_path_factory) -> Path:
    """The folder of a run with a layout model."""
    folder = tmp_path_factory.mktemp("layout") / "run"
    ended = run_program(folder, "data=page", f"data.root={drawn / 'page'}", *SHORT_LAYOUT)
    assert ended.code == 0, ended
    return folder


@pytest.fixture(scope="module")
def place(model, tmp_path_factory) -> Path:
    """The folder in which the commands are typed."""
    folder = tmp_path_factory.mktemp("coming")
    write_page_layout(folder / "a", draw_pages(6, seed=2))
    write_page_layout(folder / "b", draw_pages(6, seed=3))
    pages = draw_pages(12)
    write_page_layout(folder / "pages", pages)
    write_alto_layout(folder / "alto", pages)
    images = write_pairs(folder / "lines", cut_lines(pages))
    xml = [f"pages/page/{path.name}" for path in sorted((folder / "pages" / "page").iterdir())]
    (folder / "train.txt").write_text("\n".join(xml[2:]), encoding="utf-8")
    (folder / "val.txt").write_text("\n".join(xml[:2]), encoding="utf-8")
    texts = [image.with_suffix(".gt.txt").read_text(encoding="utf-8").strip() for image in images]
    (folder / "images").mkdir()
    for name, part in (("train", slice(6, None)), ("val", slice(0, 6))):
        rows = [f"lines/{image.name}\t{text}" for image, text in zip(images[part], texts[part], strict=True)]
        (folder / f"training_all_{name}.txt").write_text("\n".join(rows), encoding="utf-8")
        rows = [f"{image.stem} {text}" for image, text in zip(images[part], texts[part], strict=True)]
        (folder / f"{name}_text.txt").write_text("\n".join(rows), encoding="utf-8")
    for image in images:
        cv2.imwrite(str(folder / "images" / image.name), cv2.imread(str(image)))
    letters = sorted(set("".join(texts)))
    codec = {letter: [number] for number, letter in enumerate(letters, start=1)}
    (folder / "codec.json").write_text(json.dumps(codec), encoding="utf-8")
    (folder / "table.json").write_text(json.dumps({"x": "ks"}), encoding="utf-8")
    shutil.copy(next((model.parent / "store").glob("*.arrow")), folder / "pages.arrow")
    return folder


@pytest.mark.parametrize("words", batches(), ids=" ".join)
def test_the_commands_run(words, place, model, tmp_path, monkeypatch, request):
    monkeypatch.chdir(place)
    data = next((word.partition("=")[2] for word in words if word.startswith("data=")), "")
    keys = {key_of(word) for word in words}
    if data in ROOTS and "data.root" not in keys:
        words = [*words, "data.root=DIR"]
    if data == "manifest":
        words = [word for word in words if not word.startswith("data.root=")]
    if data in ("loghi", "manifest", "labels"):
        names = {"loghi": "training_all_{}.txt", "manifest": "{}.txt", "labels": "{}_text.txt"}[data]
        others = [f"data.{part}={names.format(part)}" for part in ("train", "val") if f"data.{part}" not in keys]
        words = [*words, *(others if "data.test" not in keys else [])]
    root = ROOTS.get(data, "pages")
    typed = [
        word.replace("=DIR", f"={root if key_of(word) in ('data.root', 'predict.input') else tmp_path / 'out'}")
        .replace("=LINES", "=lines")
        .replace("=RUN", f"={request.getfixturevalue('layout') if 'layout' in ' '.join(words) else model}")
        for word in words
    ]
    if "checkpoint=LAYOUT" in typed:
        typed[typed.index("checkpoint=LAYOUT")] = f"checkpoint={request.getfixturevalue('layout')}"
    ended = run_program(tmp_path / "run", *typed)
    if f"resume={model}" in typed:
        assert "is finished" in ended.output
    elif "trainer.accelerator=gpu" in typed or "trainer.precision=16" in typed:
        assert ended.code == 0 or "GPU" in ended.output, ended
    else:
        assert ended.code == 0, ended
