"""Loggers of Lightning's and of one's own, by `_target_` under a name of `logger`."""

import csv
import json

import pytest
import yaml
from program import TINY, run_program

SHORT = ("data=page", *TINY, "trainer.validations=1", "trainer.max_steps=2", "trainer.log_every=1")

OWN = '''
import json
from pathlib import Path
from lightning.pytorch.loggers import Logger


class Lines(Logger):
    """A JSON object a line."""

    def __init__(self, path):
        super().__init__()
        self.path = Path(path)

    name, version = "lines", "0"

    def log_hyperparams(self, params):
        self._add({"seed": params["seed"]})

    def log_metrics(self, metrics, step=None):
        self._add({"step": step, **metrics})

    def finalize(self, status):
        self._add({"status": status})

    def _add(self, row):
        with self.path.open("a") as file:
            file.write(json.dumps({key: str(value) for key, value in row.items()}) + "\\n")
'''


def rows_of(path):
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    "typed",
    [
        "+logger.more={_target_: lightning.pytorch.loggers.CSVLogger, save_dir: SAVE, name: more}",
        "logger.csv={_target_: lightning.pytorch.loggers.csv_logs.CSVLogger, save_dir: SAVE, name: more}",
    ],
)
def test_lightnings_logger_has_the_figures_and_the_config_of_the_run_beside_its_own_files(run, drawn, tmp_path, typed):
    """As configs of lightning-hydra-template name them, csv among them."""
    ended = run(*SHORT, f"data.root={drawn / 'page'}", typed.replace("SAVE", str(tmp_path / "save")))
    assert ended.code == 0, ended
    [theirs] = (tmp_path / "save" / "more").glob("version_0")
    found = [float(row["val/cer"]) for row in rows_of(theirs / "metrics.csv") if row["val/cer"]]
    own = [float(row["val/cer"]) for row in rows_of(ended.folder / "metrics.csv") if row["val/cer"]]
    assert found == pytest.approx(own)
    assert yaml.safe_load((theirs / "hparams.yaml").read_text())["trainer"]["max_steps"] == 2


def test_a_file_with_a_logger_of_ones_own(drawn, tmp_path, monkeypatch):
    (tmp_path / "my_lines.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "conf" / "logger").mkdir(parents=True)
    (tmp_path / "conf" / "logger" / "lines.yaml").write_text(
        "lines:\n  _target_: my_lines.Lines\n  path: ${hydra:runtime.output_dir}/lines.txt\n"
    )
    typed = ("--config-dir", str(tmp_path / "conf"), *SHORT, f"data.root={drawn / 'page'}", "logger=lines")
    ended = run_program(tmp_path / "run", *typed)
    assert ended.code == 0, ended
    rows = [json.loads(line) for line in ended.read("lines.txt").splitlines()]
    assert rows[0] == {"seed": "1"}
    assert rows[-1] == {"status": "success"}
    assert any("val/cer" in row for row in rows)
    # A sweep gives each job its own.
    swept = run_program(
        tmp_path / "unused", "-m", *typed, f"hydra.sweep.dir={tmp_path / 'all'}", "optimizer.lr=1e-3,2e-3"
    )
    assert swept.code == 0, swept
    assert [len(path.read_text().splitlines()) > 2 for path in (tmp_path / "all").glob("*/lines.txt")] == [True] * 2
    again = run_program(tmp_path / "again", "task=rerun", f"run={ended.folder}", "trust=[my_lines]")
    assert again.code == 0, again


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("+logger.x={_target_: torch.nn.Identity}", "logger.x._target_=torch.nn.Identity is no logger: a logger is"),
        ("+logger.x={_target_: builtins.abs, _args_: [1]}", "logger.x makes a int, which is no logger: a logger is"),
        ("+logger.x={save_dir: here}", "logger.x names no class: a logger is a class of lightning.pytorch.loggers"),
        ("+logger.x={_target_: lightning.pytorch.loggers.CSVLogger}", "Could not create logger.x: "),
        ("+callbacks.x={_target_: torch.nn.Identity}", "is no callback: a class that derives from lightning.pytorch."),
        ("+callbacks.x={_target_: builtins.abs, _args_: [1]}", "makes a int, which is no callback: a class that"),
    ],
)
def test_what_is_no_logger_or_callback_is_told(run, drawn, typed, told):
    ended = run(*SHORT, f"data.root={drawn / 'page'}", typed)
    assert ended.code == 1
    assert told in ended.output
    assert "Traceback" not in ended.output
