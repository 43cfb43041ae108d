"""Sweeps through SLURM, as far as they can be tested without one: settings, scripts, waiting, signals."""

import shutil
import signal

import pytest
import yaml
from hydra import compose, initialize_config_dir
from program import ROOT, quoted, run_program

from uncial.errors import UserError
from uncial.runs.outcome import FINISHED, Outcome, write_outcome
from uncial.sweeps.restored import describe_failures, find_unfinished_jobs
from uncial.sweeps.slurm import launching, waiting
from uncial.sweeps.slurm import waiting as queue
from uncial.sweeps.slurm.settings import build_sbatch_options, read_settings
from uncial.sweeps.slurm.waiting import Lost, Submitted, wait
from uncial.termination import OutOfTime
from uncial.training.distributed.signals import StopRequest, exit_for_signal, handle_signals

TEMPLATES = ROOT / "multirun_templates" / "slurm"
DEFAULTS = {
    **yaml.safe_load((ROOT / "conf" / "hydra" / "launcher" / "slurm.yaml").read_text(encoding="utf-8")),
    "name": "letters",
}


def options(script: str) -> dict[str, str]:
    lines = [line.removeprefix("#SBATCH --") for line in script.splitlines() if line.startswith("#SBATCH --")]
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


@pytest.mark.parametrize("template", sorted(path.stem for path in TEMPLATES.glob("*.yaml")))
def test_a_template_that_is_copied_and_filled_in_makes_a_script(template, tmp_path, monkeypatch):
    own = tmp_path / "own" / "hydra" / "launcher"
    own.mkdir(parents=True)
    shutil.copy(TEMPLATES / f"{template}.yaml", own / "mine.yaml")
    monkeypatch.setenv("UNCIAL_ROOT", str(ROOT))
    typed = ["hydra/launcher=mine", "hydra.launcher.partition=long", "hydra.launcher.parallel=2"]
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        more = f"hydra.searchpath=[{tmp_path / 'own'}]"
        config = compose("config", [*typed, more], return_hydra_config=True)
    settings = {key: value for key, value in config.hydra.launcher.items() if key != "_target_"}
    given = yaml.safe_load((own / "mine.yaml").read_text(encoding="utf-8"))
    found = options(launching.format_script(settings, tmp_path, 3))
    assert found["partition"] == "long"
    assert found["array"] == "0-2%2"
    assert found["cpus-per-task"] == str(given["cpus"])
    assert found["mem"] == given["memory"]
    assert found.get("gpus-per-node") == (str(given["gpus"]) if given.get("gpus") else None)
    assert {"requeue", "signal", "time", "output"} <= set(found)
    assert "array" not in options(launching.format_script(settings, tmp_path, 1))


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A dry run of three jobs, one of which cannot be. Read only."""
    folder = tmp_path_factory.mktemp("dry") / "a sweep"
    typed = ["task=dryrun", "hydra/launcher=slurm", "hydra.launcher.setup=['module load x']", "data.ratio=[1,0,0]"]
    return run_program(folder, "-m", *typed, "optimizer.lr=1,-1,2", f"hydra.sweep.dir={quoted(folder)}")


def test_dryrun_shows_the_script_and_every_run_and_trains_nothing(shown):
    lines = shown.output.splitlines()
    assert lines.index("module load x") < lines.index("export SUBMITIT_EXECUTOR=slurm")
    assert options(shown.output)["array"] == "0-2%3"
    assert any(line.startswith("Job 0 would be: python run.py ") and line.endswith("optimizer.lr=1") for line in lines)
    assert shown.code == 1
    assert "optimizer.lr=-1" in shown.output.split("Error: 1 of the 3 jobs failed")[1]
    assert sorted(path.name for path in shown.folder.iterdir()) == ["0", "1", "2", "multirun.yaml"]
    assert not list(shown.folder.rglob("*.safetensors"))


def test_what_is_missing_of_a_sweep(shown, tmp_path):
    folder = tmp_path / "sweep"
    shutil.copytree(shown.folder, folder)
    assert list(find_unfinished_jobs(folder)) == ["1"]
    shutil.rmtree(folder / "0")
    text = describe_failures(folder)
    assert text.startswith("1 of the 3 jobs failed, 1 did not finish, the others are finished.")
    assert "  0 optimizer.lr=1: not ended" in text
    assert f"To complete the sweep: python run.py -m resume={folder}" in text
    write_outcome(folder / "1", Outcome(FINISHED, ("task=dryrun", "optimizer.lr=-1")))
    assert describe_failures(folder).startswith("1 of the 3 jobs did not finish, the others are finished.")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["hydra/launcher=slurm"], "is for -m"),
        (["-m", "hydra/launcher=slurm", "hydra.launcher.partiton=x"], "Did you mean hydra.launcher.partition?"),
        (
            ["-m", "hydra/launcher=slurm", "task=dryrun", "hydra.launcher.time=04:00"],
            "hydra.launcher.time=04:00: not a duration: use minutes",
        ),
    ],
)
def test_mistakes_end_in_one_sentence(arguments, told, tmp_path):
    ended = run_program(
        tmp_path / "run", *arguments, *(["hydra.sweep.dir=" + str(tmp_path)] if "-m" in arguments else [])
    )
    assert ended.code == 1
    assert told in ended.output.splitlines()[-1]
    assert "Traceback" not in ended.output


def test_without_slurm_nothing_is_submitted(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    ended = run_program(tmp_path / "run", "-m", "hydra/launcher=slurm", f"hydra.sweep.dir={tmp_path / 'sweep'}")
    assert ended.code == 1
    assert ended.output.splitlines()[-1].startswith("Error: hydra/launcher=slurm finds no SLURM here")


@pytest.mark.parametrize(
    ("given", "minutes"), [("04:00:00", 240), ("1-00:00:00", 1440), (90, 90), ("00:10:30", 11), ("100:00:00", 6000)]
)
def test_times(given, minutes):
    assert read_settings({**DEFAULTS, "time": given}).minutes == minutes


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("time", "04:00"),
        ("time", 0),
        ("time", "tomorrow"),
        ("time", 2),
        ("cpus", 0),
        ("cpus", "many"),
        ("gpus", "a100"),
        ("gpus", True),
        ("memory", "16"),
        ("memory", "16 GB"),
        ("parallel", 0),
        ("mail_on", ["SOMETIMES"]),
        ("setup", "module load cuda"),
        ("partition", ""),
        ("partition", ["a", "b"]),
        ("account", "a\n#SBATCH --nice"),
        ("options", {"partition": "gpu"}),
        ("options", {"array": "0-3"}),
        ("options", {"nice": None}),
        ("options", ["nice"]),
    ],
)
def test_what_slurm_would_not_take_is_refused(key, value):
    with pytest.raises(UserError, match=r"hydra\.launcher\."):
        read_settings({**DEFAULTS, key: value})


def test_options_reach_sbatch():
    given = {**DEFAULTS, "gpus": "a100:2", "mail": "a@b.c", "mail_on": ["END"], "options": {"mem_bind": "local"}}
    found = build_sbatch_options(read_settings(given))
    assert found["gpus_per_node"] == "a100:2"
    assert build_sbatch_options(read_settings({**DEFAULTS, "gpus": 0}))["gpus_per_node"] is None
    more = found["additional_parameters"]
    assert more == {"requeue": True, "mem": "16G", "mail-user": "a@b.c", "mail-type": "END", "mem-bind": "local"}


def test_waiting_tells_results_from_jobs_that_are_lost(monkeypatch):
    """Job 2 is queued again, job 1 is cancelled, the queue is silent once, and knows nothing of job 3."""
    running = {"7_0": "RUNNING", "7_1": "RUNNING", "7_2": "RUNNING"}
    looks = [running, None, {**running, "7_1": "CANCELLED", "7_2": "REQUEUED"}]
    looks += [{"7_0": "COMPLETED", "7_1": "CANCELLED", "7_2": "PENDING"}] * 4
    seen, results = iter(looks), set()

    def states():
        found = next(seen, {"7_2": "COMPLETED"})
        results.update(
            {2} if found == {"7_2": "COMPLETED"} else {0} if found and found.get("7_0") == "COMPLETED" else ()
        )
        return found

    monkeypatch.setattr(queue, "query_states", states)
    monkeypatch.setattr(waiting.time, "sleep", lambda seconds: None)
    jobs = {number: Submitted(number, f"7_{number}", lambda number=number: number in results) for number in range(4)}
    told: list[str] = []
    ended = list(wait(jobs, 0, told.append))
    assert set(ended) == {0, 2, Lost(1, "CANCELLED"), Lost(3, "unknown to squeue")}
    assert ended[-1] == 2
    assert told[0] == "3 running, 1 waiting, 0 ended"


def test_a_time_limit_is_a_wish_until_the_step_is_finished_and_then_the_launchers_affair():
    heard: list[int] = []
    before = signal.signal(signal.SIGUSR2, lambda number, frame: heard.append(number))
    try:
        with handle_signals() as interruption:
            for number in (signal.SIGTERM, signal.SIGUSR2, signal.SIGTERM, signal.SIGTERM):
                signal.raise_signal(number)
            assert interruption.requested == signal.SIGUSR2
            assert not heard
        with pytest.raises(OutOfTime):
            exit_for_signal(signal.SIGUSR2)
        signal.raise_signal(signal.SIGUSR2)
        assert heard == [signal.SIGUSR2]
    finally:
        signal.signal(signal.SIGUSR2, before)


def test_nobody_listens_where_no_launcher_does():
    interruption = StopRequest()
    interruption.listen()
    try:
        assert signal.getsignal(signal.SIGUSR2) is signal.SIG_DFL
    finally:
        interruption.release()
