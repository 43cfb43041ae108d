import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from uncial.reports.plots.curves import draw_curves, smooth
from uncial.runs.metrics_file import read_curves

HEADER = "epoch,lr,step,train/loss,val/cer,val/loss,val/wer\n"


def log_of(path, rows):
    path.write_text(HEADER + "".join(rows))
    return path


def training_rows(steps=200):
    for step in range(1, steps):
        yield f"0,{0.001 * step},{step},{5 / step},,,\n"
        if step % 50 == 0:
            yield f"0,,{step},,{10 / step},{3 / step},{20 / step}\n"


def test_sparse_rows_become_one_curve_a_metric(tmp_path):
    curves = read_curves(log_of(tmp_path / "metrics.csv", training_rows()))
    assert sorted(curves) == ["lr", "train/loss", "val/cer", "val/loss", "val/wer"]
    assert curves["val/cer"].steps == [50, 100, 150]
    assert curves["val/cer"].values == [0.2, 0.1, 10 / 150]
    assert len(curves["train/loss"].values) == 199


def test_values_that_are_no_finite_numbers_and_cut_rows_are_left_out(tmp_path):
    rows = ["0,,1,nan,,,\n", "0,,2,inf,0.5,,\n", "0,,,1.0,,,\n", "0,,3,1.5,oops,,\n", "0,0.1"]
    curves = read_curves(log_of(tmp_path / "metrics.csv", rows))
    assert {name: (curve.steps, curve.values) for name, curve in curves.items()} == {
        "val/cer": ([2], [0.5]),
        "train/loss": ([3], [1.5]),
    }


def test_the_picture_shows_what_was_logged(tmp_path):
    png = tmp_path / "new" / "curves.png"
    assert draw_curves(log_of(tmp_path / "metrics.csv", training_rows()), png)
    with Image.open(png) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    red = (pixels[..., 0] > 150) & (pixels[..., 1:] < 90).all(axis=2)
    blue = (pixels[..., 2] > pixels[..., 0] + 50) & (pixels[..., 2] > 90)
    assert pixels.shape[0] > 600
    assert pixels.shape[1] > 800
    assert red.any(), "the validation curves"
    assert blue.any(), "the learning rate"
    assert not list(png.parent.glob(".*"))


def test_scores_that_are_all_the_same_stand_on_an_axis_from_0_to_1(tmp_path):
    header = "epoch,step,val/cer,val/line_accuracy\n"
    for values, ends in (((0.0, 0.0), ("0.0", "1.0")), ((0.0, 0.004), ("0.0000", "0.0040"))):
        rows = [f"0,{10 * number},0.9,{value}\n" for number, value in enumerate(values, start=1)]
        (tmp_path / "metrics.csv").write_text(header + "".join(rows))
        assert draw_curves(tmp_path / "metrics.csv", tmp_path / "curves.png")
        drawn = (tmp_path / "curves.svg").read_text(encoding="utf-8")
        assert "<!-- \u2212" not in drawn, "no share is below 0"
        assert all(f"<!-- {end} -->" in drawn for end in ends)


def test_one_validation_alone_and_zero_values_can_be_drawn(tmp_path):
    for rows in (["0,,5,,0.0,0.0,0.0\n"], ["0,,5,,1.5,900,3.0\n", "0,,6,,0.2,1,0.3\n"], ["0,0.0,5,-1,,,\n"]):
        png = tmp_path / "curves.png"
        assert draw_curves(log_of(tmp_path / "metrics.csv", rows), png)
        png.unlink()


def test_nothing_to_draw_makes_no_picture(tmp_path):
    png = tmp_path / "curves.png"
    (tmp_path / "empty.csv").write_text("")
    for csv in (tmp_path / "absent.csv", tmp_path / "empty.csv", log_of(tmp_path / "header.csv", [])):
        assert not draw_curves(csv, png)
    assert not png.exists()


@given(st.lists(st.floats(-1e3, 1e3), max_size=40), st.integers(0, 50))
def test_smoothing_stays_within_the_values_and_keeps_the_ends(values, span):
    result = smooth(values, span)
    assert len(result) == len(values)
    if values:
        assert min(values) - 1e-6 <= min(result) <= max(result) <= max(values) + 1e-6
        assert abs(result[0] - values[0]) < 1e-6
        assert abs(result[-1] - values[-1]) < 1e-6


def test_a_step_with_wrong_lines_leaves_no_bump():
    values = [40.0 if index in (3, 30, 31) else 2.0 for index in range(60)]
    assert smooth(values, 4) == [2.0] * 60


def test_a_straight_line_is_smooth_already():
    np.testing.assert_allclose(smooth([float(value) for value in range(20)], 5), range(20))


def test_drawing_leaves_pyplot_alone():
    imported = "from uncial.reports.plots import sheets, curves"
    code = f"import sys\n{imported}\nsys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
