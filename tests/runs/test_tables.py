import csv
import errno
import json
import math
from pathlib import Path

import numpy as np
import pytest

from uncial.data.checks.findings import Finding
from uncial.document import Issue
from uncial.errors import UserError
from uncial.files import replace_text_file
from uncial.reports.tables.findings import select_at_or_above, write_findings
from uncial.runs.tables import PredictionRow, write_json, write_metrics, write_predictions, write_skipped

AWKWARD = ["a,b", 'say "ꝑ"', "=1+1", "two\nlines", " edge ", "\uf1ac\u0303", "", "-", "; ;", "\t@x"]


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_predictions_come_back_as_they_were(tmp_path):
    path = tmp_path / "new" / "predictions.csv"
    write_predictions(path, [PredictionRow("p, 1", "l", text, text[::-1], 0.98765, 3) for text in AWKWARD])
    rows = rows_of(path)
    assert list(rows[0]) == ["page", "line", "truth", "prediction", "confidence", "edits"]
    assert [row["truth"] for row in rows] == AWKWARD
    assert [row["prediction"] for row in rows] == [text[::-1] for text in AWKWARD]
    assert (rows[0]["page"], rows[0]["confidence"], rows[0]["edits"]) == ("p, 1", "0.9877", "3")


def test_a_line_without_truth_leaves_its_cells_empty(tmp_path):
    path = tmp_path / "predictions.csv"
    write_predictions(path, [PredictionRow("p", "l", None, "text", 1.0, None)])
    assert (rows_of(path)[0]["truth"], rows_of(path)[0]["edits"]) == ("", "")


def test_skipped_lists_file_line_and_reason(tmp_path):
    path = tmp_path / "skipped.csv"
    write_skipped(path, [Issue("a é.xml", "l1", "no polygon, no baseline"), Issue("b.xml", "", "truncated")])
    assert rows_of(path) == [
        {"file": "a é.xml", "line": "l1", "reason": "no polygon, no baseline"},
        {"file": "b.xml", "line": "", "reason": "truncated"},
    ]


def test_a_file_name_that_is_no_unicode_does_not_stop_the_run(tmp_path):
    path = tmp_path / "skipped.csv"
    write_skipped(path, [Issue(b"\xff.xml".decode("utf-8", "surrogateescape"), "", "truncated")])
    assert rows_of(path)[0]["file"] == r"\udcff.xml"


def test_metrics_are_valid_json_with_null_for_what_is_no_number(tmp_path):
    path = tmp_path / "metrics.json"
    figures = {"cer": np.float64(0.25), "lines": np.int64(7), "loss": math.nan, "wer": np.float32(0.5), "profile": "é"}
    write_metrics(path, {"val": figures})
    text = path.read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=pytest.fail) == {
        "val": {"cer": 0.25, "lines": 7, "loss": None, "wer": 0.5, "profile": "é"}
    }
    assert "é" in text


def test_scores_keep_all_their_digits(tmp_path):
    write_json(tmp_path / "metrics.json", {"cer": 0.1 + 0.2})
    assert json.loads((tmp_path / "metrics.json").read_text())["cer"] == 0.1 + 0.2


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "predictions.csv"
    path.write_text("old")

    def rows():
        yield PredictionRow("p", "l", "t", "t", 1.0, 0)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_predictions(path, rows())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_one_sentence_naming_the_file(tmp_path):
    path = tmp_path / "metrics.json"
    with pytest.raises(UserError, match=r"metrics\.json cannot be written \(No space left"), replace_text_file(path):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_not_there_before_it_is_whole(tmp_path):
    path = tmp_path / "metrics.json"
    with replace_text_file(path) as file:
        file.write("{}")
        file.flush()
        assert not path.exists()
    assert path.read_text() == "{}"


def test_a_folder_in_the_way_is_a_users_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        write_json(tmp_path / "file" / "metrics.json", {})


FINDINGS = [
    Finding("information", "rare", "x"),
    Finding("error", "empty", "y", "a.xml", "l1"),
    Finding("warning", "twin", "z"),
]


@pytest.mark.parametrize(
    ("fail_on", "kinds"),
    [
        (None, []),
        ("error", ["empty"]),
        ("warning", ["empty", "twin"]),
        ("information", ["rare", "empty", "twin"]),
        ("never", []),
    ],
)
def test_findings_at_or_above_a_severity(fail_on, kinds):
    assert [finding.kind for finding in select_at_or_above(FINDINGS, fail_on)] == kinds


def test_an_unknown_severity_names_the_key_and_the_choices():
    with pytest.raises(UserError, match=r"inspect\.fail_on is 'fatal': choose one of information, warning, error"):
        select_at_or_above(FINDINGS, "fatal")


def test_findings_are_written_gravest_first(tmp_path: Path):
    path = tmp_path / "findings.json"
    write_findings(path, {"lines": 3}, FINDINGS)
    data = json.loads(path.read_text())
    assert data["summary"] == {"lines": 3}
    assert [finding["severity"] for finding in data["findings"]] == ["error", "warning", "information"]
    assert data["findings"][0] == {
        "severity": "error",
        "kind": "empty",
        "message": "y",
        "file": "a.xml",
        "line": "l1",
        "remedy": "",
    }
