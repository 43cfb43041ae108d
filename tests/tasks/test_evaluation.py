"""task=test and validation: the same digits, whatever the batches, the workers and the padding."""

import shutil

import numpy as np
import pytest
import torch
from drawn_layouts import draw_pages, read_csv, write_page_layout

from uncial.data.lines.dataset import make_batch
from uncial.data.store.store import Store
from uncial.document import Transcription
from uncial.metrics.error_rates import ErrorRates
from uncial.models.files import load_model, save_model
from uncial.pipelines.recognition import load
from uncial.problems.recognition.evaluation import evaluate_lines
from uncial.problems.recognition.metric import LineResult
from uncial.reports.tables.line_results import read_line_results
from uncial.text.rules import TextRules


@pytest.fixture
def score(run, trained, drawn):
    def score(*more, into="run"):
        data = ("data=page", f"data.root={drawn / 'page'}")
        ended = run("task=test", f"checkpoint={trained.folder}", *data, *more, into=into)
        assert ended.code == 0, ended
        return ended

    return score


def test_the_test_of_the_validation_part_gives_the_digits_of_the_validation(score, trained):
    scores, validation = score("data.subset=val").metrics["test"], trained.metrics["val"]
    assert scores["part"] == "val"
    assert {name: scores[name] for name in validation} == validation


def test_a_model_file_is_as_good_as_its_run_folder(score, trained):
    model = score(f"checkpoint={trained.folder / 'best.safetensors'}", into="file")
    assert model.metrics["test"]["cer"] == score(into="folder").metrics["test"]["cer"]


def test_predictions_scored_again_give_the_reported_score(score):
    ended = score("data.subset=all")
    rows = read_csv(ended.folder / "predictions.csv")
    rates = ErrorRates("nfc_strip")
    for row in rows:
        rates.update(row["truth"], row["prediction"])
    scores = ended.metrics["test"]
    assert len(rows) == scores["lines"] == 36
    assert (rates.compute().cer, rates.compute().wer) == (scores["cer"], scores["wer"])
    lines = read_line_results(ended.folder / "lines.jsonl")
    assert [(line.page, line.prediction) for line in lines] == [(row["page"], row["prediction"]) for row in rows]
    assert sum(line.counts.edits for line in lines) / sum(line.counts.characters for line in lines) == scores["cer"]
    assert all(line.origin.document and len(line.character_confidences) == len(line.prediction) for line in lines)


def test_the_files_do_not_depend_on_batches_and_workers(score):
    runs = [
        score("data.subset=all", *how, into=f"run{number}")
        for number, how in enumerate(
            (
                ("trainer.evaluation_batch_width=1",),
                ("trainer.evaluation_batch_width=100000", "trainer.evaluation_max_lines=3"),
                ("trainer.workers=2",),
                ("trainer.precision=bf16",),
            )
        )
    ]
    for other in runs[1:]:
        assert other.read("predictions.csv") == runs[0].read("predictions.csv")
        assert other.metrics["test"]["loss"] == pytest.approx(runs[0].metrics["test"]["loss"], rel=1e-5)


def test_one_line_and_thirty_two_have_the_same_log_probabilities(trained):
    recognizer, _ = load_model(trained.folder)
    store = Store(next((trained.folder.parent / "store").glob("*.arrow")))
    images = [recognizer.preprocessing(store.strip(row)) for row in range(32)]

    def read(chosen):
        batch = make_batch(chosen, [None] * len(chosen), list(range(len(chosen))), None)
        found, lengths = recognizer.log_probabilities(batch.images, batch.widths)
        return [line[:length] for line, length in zip(found, lengths.tolist(), strict=True)]

    together = read(images)
    for image, line in zip(images, together, strict=True):
        alone = read([image])[0]
        assert alone.shape == line.shape
        assert torch.allclose(alone, line, atol=1e-4, rtol=0)
    assert len({image.shape[1] for image in images}) > 5, "one width alone would prove nothing"


def test_the_loss_of_a_line_does_not_depend_on_its_neighbours(trained):
    recognizer, _ = load_model(trained.folder)
    store = Store(next((trained.folder.parent / "store").glob("*.arrow")))
    images = [recognizer.preprocessing(store.strip(row)) for row in range(36)]
    widths = [recognizer.preprocessing.padded_width(image.shape[1]) for image in images]
    rows = [row for row in range(36) if widths[row] == max(set(widths), key=widths.count)]
    assert len({images[row].shape[1] for row in rows}) > 1

    def loss(chosen):
        texts = [store.value(row, "text") for row in chosen]
        batch = make_batch([images[row] for row in chosen], texts, chosen, recognizer.codec)
        with torch.no_grad():
            return float(recognizer.loss(batch)["loss"])

    assert loss(rows) == pytest.approx(float(np.mean([loss([row]) for row in rows])), rel=1e-5)


def test_pages_that_were_trained_on_are_told(score, run, trained, tmp_path):
    assert "were in this model's training data" in score("data.subset=train", into="known").output
    assert "were in this model's training data" not in score("data.subset=test", into="new").output


def test_a_trained_page_is_known_under_another_name(run, trained, drawn, tmp_path):
    for path in sorted((drawn / "page").glob("*.png")):
        shutil.copy(path, tmp_path / f"copy of {path.name}")
    (tmp_path / "page").mkdir()
    for path in (drawn / "page/page").glob("*.xml"):
        text = path.read_text(encoding="utf-8").replace('imageFilename="', 'imageFilename="copy of ')
        (tmp_path / f"page/other {path.name}").write_text(text, encoding="utf-8")
    where = ("data=page", f"data.root={tmp_path}", "data.subset=all")
    ended = run("task=test", f"checkpoint={trained.folder}", *where)
    assert ended.code == 0, ended
    assert "were in this model's training data" in ended.output


def test_a_test_set_of_its_own_is_scored(run, trained, drawn, tmp_path):
    own = write_page_layout(tmp_path / "own", draw_pages(2, seed=7))
    ended = run("task=test", f"checkpoint={trained.folder}", "data=page", f"data.test={own}")
    assert ended.code == 0, ended
    assert ended.metrics["test"]["lines"] == 6
    assert ended.metrics["test"]["part"] == "test"


def test_characters_that_the_model_does_not_know_count_as_errors(run, trained, tmp_path):
    own = write_page_layout(tmp_path / "own", draw_pages(1))
    page = next((own / "page").glob("*.xml"))
    page.write_text(page.read_text(encoding="utf-8").replace("</Unicode>", "ÅÅÅ</Unicode>"), encoding="utf-8")
    ended = run("task=test", f"checkpoint={trained.folder}", "data=page", f"data.root={own}", "data.subset=all")
    assert ended.code == 0, ended
    assert all(
        row["truth"].endswith("ÅÅÅ") and int(row["edits"]) >= 3 for row in read_csv(ended.folder / "predictions.csv")
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "checkpoint=RUN"),
        (("checkpoint=nowhere",), "nowhere"),
        (("checkpoint={drawn}",), "best.safetensors"),
        (("checkpoint={drawn}/page/page/drawn_0000.xml",), "drawn_0000.xml"),
        (("checkpoint={trained}", "data.subset=dev"), "data.subset=dev"),
        (("checkpoint={trained}", "data.subset=test", "data.ratio=[.5,.5,0]"), "data.subset=val"),
    ],
)
def test_what_cannot_be_scored_is_said_in_one_sentence(run, trained, drawn, arguments, told):
    given = [argument.format(drawn=drawn, trained=trained.folder) for argument in arguments]
    ended = run("task=test", "data=page", f"data.root={drawn / 'page'}", *given)
    assert ended.code == 1, ended
    assert told in ended.output.strip().splitlines()[-1]


def test_confidences_are_at_the_temperatures_of_the_model_file(trained, drawn, tmp_path):
    recognizer, card = load_model(trained.folder)
    assert set(card["calibration"]) == {"characters", "lines"}
    save_model(tmp_path / "soft.safetensors", recognizer, {**card, "calibration": {"characters": 1.0, "lines": 2.0}})
    save_model(tmp_path / "plain.safetensors", recognizer, {**card, "calibration": None})
    store = Store(next((trained.folder.parent / "store").glob("*.arrow")))
    strips = [store.strip(row) for row in range(3)]
    soft, plain = (load(tmp_path / name).transcribe(strips) for name in ("soft.safetensors", "plain.safetensors"))
    assert [line.text for line in soft] == [line.text for line in plain]
    assert [line.character_confidences for line in soft] == [line.character_confidences for line in plain]
    for softened, stated in zip(soft, plain, strict=True):
        odds = stated.confidence / (1 - stated.confidence)
        assert softened.confidence / (1 - softened.confidence) == pytest.approx(odds**0.5, rel=1e-6)


def test_what_a_model_learned_to_replace_is_no_error_of_its_own(trained, drawn):
    store = Store(next((trained.folder.parent / "store").glob("*.arrow")))
    texts = [store.value(row, "text") for row in range(6)]
    results = [LineResult(row, "", Transcription(text.replace("o", "0"), 0.9), 0) for row, text in enumerate(texts)]
    assert sum(text.count("o") for text in texts) > 0
    rules = TextRules(replacements=(("o", "0"),))
    assert sum(line.counts.edits for line in evaluate_lines(store, results, "nfc_strip", rules)) == 0
    held = evaluate_lines(store, results, "nfc_strip")
    assert sum(line.counts.edits for line in held) == sum(text.count("o") for text in texts)
