"""Commands that the program tells are typed in a new terminal: with the folders of configs, the modules and the trust
that the run was started with."""

import json
import shlex
import shutil

import pytest
import yaml
from clean_shell import Shell, told
from program import QUIET, TINY

SMALL = " ".join(map(shlex.quote, [key for key in TINY if "head" not in key]))
QUIETLY = " ".join(QUIET)
SHORT = "trainer.max_steps=2 trainer.validations=1 trainer.batch_width=1000 callbacks.samples=0"
MODULE = """
from uncial.models.heads.none import NoHead


class Mine(NoHead):
    pass
"""
HEAD = "_target_: shallow.Mine\n_partial_: true\ncollapse: max\ndropout: 0.0\n"
EXPERIMENT = "# @package _global_\ndefaults:\n  - override /model/head: mine\nseed: 3\n"


@pytest.fixture(scope="module")
def shell(drawn, tmp_path_factory) -> Shell:
    """A folder with pages, and with a head of one's own in a module and in a folder of configs, with spaces in their
    names."""
    shell = Shell(tmp_path_factory.mktemp("told") / "a clone", ("shallow",))
    own = shell.folder / "own conf"
    (own / "model" / "head").mkdir(parents=True)
    (own / "experiment").mkdir()
    (own / "model" / "head" / "mine.yaml").write_text(HEAD)
    (own / "experiment" / "ours.yaml").write_text(EXPERIMENT)
    (shell.folder / "my modules").mkdir()
    (shell.folder / "my modules" / "shallow.py").write_text(MODULE)
    shutil.copytree(drawn / "page", shell.folder / "my pages")
    return shell


START = "PYTHONPATH='my modules' python run.py --config-dir 'own conf'"
KEYS = f"""experiment=ours data=page 'data.root="my pages"' {SMALL} {SHORT} {QUIETLY}"""


@pytest.fixture(scope="module")
def sweep(shell) -> str:
    """What a sweep of two runs in the folder `a sweep` has told."""
    swept = "optimizer.lr=1e-3,2e-3 'hydra.sweep.subdir=lr ${optimizer.lr}' 'hydra.sweep.dir=\"a sweep\"'"
    return shell.type(f"{START} -m {KEYS} {swept}")


def test_every_command_holds_what_the_run_was_started_with(sweep):
    commands = [line.partition("python run.py ")[2] for line in sweep.splitlines() if "python run.py " in line]
    assert len(commands) == 6  # To resume, two of each run, and to compare.
    assert all(command.startswith("--config-dir 'own conf' ") for command in commands)
    assert sweep.count("PYTHONPATH='my modules' python run.py") == 6


def test_a_run_is_scored_and_reads_by_the_commands_at_its_end(shell, sweep):
    scored = shell.type(told(sweep, "score it on the test part"))
    assert "CER" in scored
    pages = shlex.quote(str(shell.folder / "my pages"))
    read = shell.type(told(sweep, "read your own pages").replace("predict.input=FOLDER", f"predict.input={pages!r}"))
    assert "lines" in read


def test_a_sweep_goes_on_by_the_command_at_its_beginning(shell, sweep):
    folder = shell.folder / "a sweep" / "lr 0.002"
    for name in ("outcome.json", "metrics.json"):
        (folder / name).unlink()
    again = shell.type(told(sweep, "To resume it"))
    assert "Job lr 0.001 is finished." in again
    assert "from step 2 of 2" in again
    assert (folder / "metrics.json").is_file()


@pytest.mark.parametrize("elsewhere", [False, True])
def test_the_commands_of_a_leaderboard(shell, sweep, tmp_path, elsewhere):
    """Where the leaderboard is made in another folder they change to that of the runs."""
    board = tmp_path / "board"
    program = f"{shlex.quote(str(shell.folder / 'run.py'))} task=leaderboard"
    run = shlex.quote(f'run="{shell.folder / "a sweep"}"')
    where = tmp_path if elsewhere else shell.folder
    output = shell.type(f"python {program} {run} hydra.run.dir={board}", cwd=where)
    again = shell.type(
        told(output, "The command that repeats the best") + f" hydra.run.dir={tmp_path}/again", cwd=where
    )
    assert "val CER" in again
    assert "CER" in shell.type(told(output, "To score it on the test part"), cwd=where)
    assert "CER" in shell.type(told(output, "Whether it is better than the second"), cwd=where)
    page = (board / "leaderboard.html").read_text(encoding="utf-8")
    assert "--config-dir" in page
    assert "trust=[shallow.Mine]" in page


def test_the_command_that_is_written_down_makes_the_run_again(shell, sweep):
    written = json.loads((shell.folder / "a sweep" / "lr 0.001" / "environment.json").read_text())
    assert written["command"].startswith(f"{START} -m experiment=ours")
    assert "Job 0 would be" in shell.type(f"{written['command']} task=dryrun hydra.sweep.dir=dry", cwd=shell.folder)


def test_a_repetition_tells_the_commands_of_what_it_repeats(shell, sweep):
    """Also one of a repetition: none of them is typed with the folders of configs."""
    before = "a sweep/lr 0.001"
    for into in ("repeated", "repeated again"):
        typed = f"""task=rerun 'run="{before}"' trust=[shallow.Mine] 'hydra.run.dir="{into}"'"""
        output = shell.type(f"PYTHONPATH='my modules' python run.py {typed}")
        assert "The same to the bit" in output
        before = into
    command = told(output, "score it on the test part")
    assert command.startswith(f"{START} ")
    assert "CER" in shell.type(command)


def test_commands_after_a_run_whose_folder_a_file_names_have_folders_of_their_own(shell):
    """They read the same file, and its folder holds the run."""
    named = "# @package _global_\nhydra: {run: {dir: kept here}}\n"
    (shell.folder / "own conf" / "experiment" / "kept.yaml").write_text(named)
    keys = KEYS.replace("experiment=ours", "experiment=kept")
    output = shell.type(f"python run.py --config-dir 'own conf' {keys}")
    assert (shell.folder / "kept here" / "best.safetensors").is_file()
    before = (shell.folder / "kept here" / "metrics.json").read_bytes()
    assert "CER" in shell.type(told(output, "score it on the test part"))
    assert (shell.folder / "kept here_test" / "scores.json").is_file()
    board = shell.type("python run.py task=leaderboard 'run=\"kept here\"' hydra.run.dir=board")
    assert "val CER" in shell.type(told(board, "The command that repeats the best"))
    assert (shell.folder / "kept here_again" / "best.safetensors").is_file()
    assert (shell.folder / "kept here" / "metrics.json").read_bytes() == before


def test_a_dry_run_tells_a_command_that_runs(shell):
    output = shell.type(f"{START} task=dryrun {KEYS} hydra.run.dir=planned")
    assert "val CER" in shell.type(told(output, "It would be") + " hydra.run.dir=planned")


def test_what_an_agent_of_wandb_would_type(shell):
    output = shell.type(
        f"{START} -m {KEYS} hydra/sweeper=wandb optimizer.lr=1e-3,2e-3 logger=default hydra.sweep.dir=agents"
    )
    assert "wandb sweep" in output
    found = yaml.safe_load((shell.folder / "agents" / "wandb_sweep.yaml").read_text(encoding="utf-8"))
    macros = {"${env}": [], "${interpreter}": ["python"], "${program}": [found["program"]]}
    macros["${args_no_hyphens}"] = ["optimizer.lr=0.002", "hydra.run.dir=by_an_agent"]
    words = [word for part in found["command"] for word in macros.get(part, [part])]
    assert "val CER" in shell.type(shlex.join(words))


def test_the_script_of_a_job_in_slurm_finds_what_the_sweep_found(shell):
    pytest.importorskip("submitit")
    launcher = "hydra/launcher=slurm hydra.launcher.poll=1 hydra.sweep.dir=cluster"
    output = shell.start(f"{START} -m {KEYS} {launcher}")
    assert "Job 0 is 7 in SLURM" in output
    assert (shell.folder / "cluster" / "0" / "best.safetensors").is_file(), output
    (script,) = (shell.folder / "cluster" / "slurm").glob("*/*.sh")
    exported = next(line for line in script.read_text(encoding="utf-8").splitlines() if "PYTHONPATH" in line)
    assert str(shell.folder / "my modules") in exported
    written = json.loads((shell.folder / "cluster" / "0" / "environment.json").read_text())
    modules = shlex.quote(str(shell.folder / "my modules"))
    assert written["command"].startswith(
        f"PYTHONPATH={modules} python run.py --config-dir 'own conf' -m experiment=ours"
    )


def test_a_folder_of_the_search_path_stays_and_so_do_the_templates(shell):
    typed = "PYTHONPATH='my modules' python run.py 'hydra.searchpath=[\"file://own conf\"]' task=dryrun"
    output = shell.type(f"{typed} {KEYS} hydra.run.dir=searched")
    command = told(output, "It would be")
    assert command.endswith("'hydra.searchpath=[\"file://own conf\"]'")
    assert "shallow.Mine" in shell.type(f"{command} --cfg job --package model.head")
    assert "sweep" in shell.type(
        "python run.py -m 'hydra.searchpath=[\"file://own conf\"]' task=dryrun sweep=seeds hydra.sweep.dir=t"
    )
