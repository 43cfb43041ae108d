"""What a time budget is turned into, and a run that repeats it."""

import json
import shutil
from itertools import count
from types import SimpleNamespace

import pytest
from scripted_training import train_scripted

from uncial.training import length, schedules
from uncial.training.plan import Wanted

BUDGET = Wanted(budget=60.0, validations=9)


@pytest.mark.parametrize("warmup", [{"warmup_fraction": 0.5}, {"warmup_steps": 0}, {"warmup_steps": 8}])
def test_a_repetition_has_the_rates_and_validations_of_the_run(warmup, tmp_path, monkeypatch):
    """Those of the steps too that were made before the length was known."""
    seconds = count()
    monkeypatch.setattr(length, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    schedule = schedules.linear(final=0.0, period=None, unit="step", **warmup)

    def train(name):
        return train_scripted(tmp_path / name, schedule, BUDGET, [0.5] * 9, measured_steps=8)

    first = train("first")
    total = int((tmp_path / "first" / length.STEPS).read_text())
    kept = json.loads((tmp_path / "first" / length.MEASURED).read_text())
    assert 20 < total == kept["steps"] == len(first.of_steps) == first.validated[-1]
    assert kept["known_after"] == 8 < first.validated[0]
    assert first.of_steps[-1] < 0.1 < max(first.of_steps)
    (tmp_path / "again").mkdir()
    for name in (length.STEPS, length.MEASURED):
        shutil.copy(tmp_path / "first" / name, tmp_path / "again" / name)
    again = train("again")
    assert (again.of_steps, again.validated) == (first.of_steps, first.validated)
