"""Ctrl-C: the run ends at once with its code, and what was the best until then is there."""

import os
import signal
import subprocess
import sys
import time

import pytest
from program import LEARNING, QUIET, ROOT

from uncial.models.files import load_model


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_training_keeps_the_best_model(drawn, tmp_path, signal_number):
    folder = tmp_path / "run"
    where = (f"hydra.run.dir={folder}", f"paths.store={tmp_path / 'store'}", f"data.root={drawn / 'page'}")
    endless = ("trainer.max_steps=100000", "trainer.validations=20000")
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "run.py"), "data=page", *where, *QUIET, *LEARNING, *endless],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        for _ in range(1200):
            if (folder / "last.ckpt").is_file() or process.poll() is not None:
                break
            time.sleep(0.1)
        process.send_signal(signal_number)
        output, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 128 + signal_number, output
    assert "Traceback" not in output
    load_model(folder / "best.safetensors")
    assert not list(folder.glob("*.part*"))
