"""The same figures as torchmetrics, jiwer and `ketos test`, each under the profile that the documentation names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_pairs import JIWER_LINES, KETOS_NFC, PAIRS

from uncial.metrics.error_rates import cer, compare, count, line_accuracy, wer
from uncial.metrics.lines import LineOrigin, evaluate_line
from uncial.metrics.profiles import form
from uncial.reports.tables.ketos import build_ketos_report, write_ketos_report

TRUTHS, READINGS = zip(*PAIRS, strict=True)


def test_torchmetrics():
    assert cer(TRUTHS, READINGS, "none") == 54 / 168 == pytest.approx(0.32142857)
    assert wer(TRUTHS, READINGS, "none") == 27 / 36


def test_jiwer():
    assert cer(TRUTHS, READINGS, "strip") == 51 / 165 == pytest.approx(0.3090909090909091)
    assert wer(TRUTHS, READINGS, "strip") == 0.75
    found = [count([truth], [read], "strip") for truth, read in PAIRS]
    assert [(one.insertions, one.deletions, one.substitutions, one.word_edits) for one in found] == JIWER_LINES


@pytest.mark.parametrize(
    ("profile", "characters", "errors", "words_wrong"),
    [("strip+plain_spaces", 165, 51, 27), ("nfc_strip+plain_spaces", 163, 47, 26)],
)
def test_ketos_test(profile, characters, errors, words_wrong):
    found = count(TRUTHS, READINGS, profile)
    assert (found.characters, found.edits, found.words, found.word_edits) == (characters, errors, 36, words_wrong)


def test_the_report_of_ketos_test_letter_by_letter(tmp_path):
    bring = form("nfc_strip+plain_spaces")
    assert build_ketos_report([(bring(truth), bring(read)) for truth, read in PAIRS]).strip() == KETOS_NFC.strip()
    lines = [evaluate_line(LineOrigin("p", str(number)), *pair) for number, pair in enumerate([*PAIRS, ("", "noise")])]
    write_ketos_report(tmp_path / "ketos.txt", lines)
    assert (tmp_path / "ketos.txt").read_text(encoding="utf-8").strip() == KETOS_NFC.strip()


def test_a_report_of_no_line():
    assert "nan%\tCharacter Accuracy\n" in build_ketos_report([])


short = st.text(st.sampled_from("ab é\u0301"), max_size=9)


@given(st.lists(st.tuples(short, short), min_size=1, max_size=5))
def test_the_kinds_of_edits_in_ketos_report_add_up(pairs):
    figures = dict(row.split("\t")[::-1] for row in build_ketos_report(pairs).split("\n")[2:11] if row)
    counts = sum((compare(*pair) for pair in pairs[1:]), compare(*pairs[0]))
    assert sum(int(figures[name]) for name in ("Insertions", "Deletions", "Substitutions")) == counts.edits
    assert int(figures["Insertions"]) - int(figures["Deletions"]) == counts.insertions - counts.deletions


def test_line_accuracy_and_lists_of_different_length():
    assert line_accuracy(["a", "b ", "c"], ["a", "b", "d"]) == 2 / 3
    assert line_accuracy(["a", "b ", "c"], ["a", "b", "d"], "none") == 1 / 3
    with pytest.raises(ValueError, match="shorter"):
        cer(["a", "b"], ["a"])
