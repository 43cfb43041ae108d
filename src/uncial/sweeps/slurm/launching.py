"""The jobs of a sweep through SLURM: one array of jobs, whose script submitit writes."""

import logging
import os
import shlex
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus
from submitit import JobEnvironment
from submitit.core.core import Job
from submitit.core.utils import FailedJobError, FailedSubmissionError
from submitit.helpers import DelayedSubmission
from submitit.slurm.slurm import SlurmExecutor

from uncial.errors import UserError
from uncial.runs.outcome import FAILED, Outcome, write_outcome
from uncial.sweeps.launch import LaunchContext, build_job_environment, enter_job, to_plain_settings
from uncial.sweeps.restored import end_jobs_on_exit
from uncial.sweeps.slurm import waiting as queue
from uncial.sweeps.slurm.settings import SlurmSettings, build_sbatch_options, read_settings
from uncial.sweeps.slurm.waiting import Lost, Submitted, end, wait
from uncial.termination import TIME_IS_UP, OutOfTime, SigtermHandler


@dataclass(frozen=True)
class ClusterJob:
    """Called on the node with a job's number, its overrides and the state of Hydra, again when the job was queued
    again. `folder` and `environment` are those of the command that was typed."""

    context: LaunchContext
    folder: str
    environment: Mapping[str, str]

    def __call__(self, number: int, overrides: Sequence[str], state: Any) -> JobReturn:
        enter_job(self.folder, self.environment)
        # It prints what it says itself; in the run's log.txt it would be out of place.
        logging.getLogger("submitit").propagate = False
        # submitit lets SIGTERM pass unheard; a task that is cancelled keeps what it has done.
        signal.signal(signal.SIGTERM, SigtermHandler())
        _handle_only_here(TIME_IS_UP)
        try:
            return self.context.run_job(number, overrides, state, JobEnvironment().job_id)
        except OutOfTime:
            # Its folder is free and its loggers are closed: now submitit may have the job queued again, and leaves.
            signal.raise_signal(TIME_IS_UP)
            raise

    def checkpoint(self, *arguments: Any) -> DelayedSubmission:
        """Return what is to be called when the job runs again: the same, which finds its folder begun."""
        return DelayedSubmission(self, *arguments)


def _handle_only_here(number: signal.Signals) -> None:
    """SLURM sends the signal to every process of a job. Loader processes, which have inherited its handler, would save
    and queue the job once more each."""
    own, before = os.getpid(), signal.getsignal(number)

    def handle(number: int, frame: FrameType | None) -> None:
        if os.getpid() == own and callable(before):
            before(number, frame)

    signal.signal(number, handle)


FOLDER = "slurm"
"""In the sweep's folder: the script, and for each job in SLURM a folder with what it printed."""


class Executor(SlurmExecutor):
    """Writes scripts where there is no SLURM, too."""

    @classmethod
    def affinity(cls) -> int:
        return 1


def format_script(given: Mapping[str, Any], sweep: Path, jobs: int) -> str:
    """Return the script that sbatch would be given for so many jobs of the sweep in this folder."""
    executor = _build_executor(read_settings(to_plain_settings(given)), sweep)
    if jobs > 1:
        executor.parameters["map_count"] = jobs
    return executor._make_submission_file_text(executor._submitit_command_str, "")


def launch(
    given: Mapping[str, Any], program: LaunchContext, job_overrides: Sequence[Sequence[str]], first: int
) -> list[JobReturn]:
    """Submit the jobs that are not finished, wait for them, and cancel them when the waiting is stopped.

    A job that SLURM ends, or loses, has failed, with a sentence in its outcome. Raises `UserError` for settings that
    cannot be, where there is no SLURM, for jobs that it refuses, and for a sweep whose jobs are still in the queue.
    """
    settings, sweep = read_settings(to_plain_settings(given)), Path(program.config.hydra.sweep.dir)
    if not queue.has_slurm():
        raise UserError(
            "hydra/launcher=slurm finds no SLURM here (sbatch, squeue, scancel): type it on the cluster's login node; "
            "task=dryrun shows what it would submit."
        )
    _check_not_running(sweep)
    overrides = {first + place: tuple(typed) for place, typed in enumerate(job_overrides)}
    folders = {number: program.job_folder(number, typed) for number, typed in overrides.items()}
    returns = {number: JobReturn(overrides=typed, status=JobStatus.COMPLETED) for number, typed in overrides.items()}
    jobs = _submit(settings, program, {n: typed for n, typed in overrides.items() if not program.is_finished(n, typed)})
    for number, job in jobs.items():
        print(f"Job {number} is {job.job_id} in SLURM; what it prints: {job.paths.stdout}", flush=True)
    submitted = {number: Submitted(number, job.job_id, job.paths.result_pickle.exists) for number, job in jobs.items()}
    with end_jobs_on_exit(lambda: end(submitted.values()), sweep):
        for ended in wait(submitted, settings.poll, lambda text: print(f"Jobs: {text}", flush=True)):
            if isinstance(ended, Lost):
                outcome = Outcome(FAILED, overrides[ended.number], _describe_end(ended, jobs[ended.number]))
                write_outcome(folders[ended.number], outcome)
    return list(returns.values())


def _build_executor(settings: SlurmSettings, sweep: Path) -> Executor:
    executor = Executor(sweep.resolve() / FOLDER / "%j", max_num_timeout=settings.requeues, python=settings.python)
    options = build_sbatch_options(settings)
    # What the job is made of is found before it can say where: clusters need not hand on any variable.
    modules = build_job_environment().get("PYTHONPATH")
    exports = [f"export PYTHONPATH={shlex.quote(modules)}"] if modules else []
    executor.update_parameters(**{**options, "setup": [*(options["setup"] or ()), *exports] or None})
    return executor


def _submit(
    settings: SlurmSettings, program: LaunchContext, overrides: Mapping[int, Sequence[str]]
) -> dict[int, Job[JobReturn]]:
    if not overrides:
        return {}
    job = ClusterJob(program, str(Path.cwd()), build_job_environment())
    arguments = [(number, list(typed), Singleton.get_state()) for number, typed in overrides.items()]
    executor = _build_executor(settings, Path(program.config.hydra.sweep.dir))
    try:
        jobs = executor.map_array(job, *zip(*arguments, strict=True))
    except (FailedJobError, FailedSubmissionError) as error:
        lines = [line.strip() for line in str(error).splitlines() if "sbatch: error" in line]
        reason = (lines[-1] if lines else str(error).strip().splitlines()[-1]).removeprefix("sbatch: error: ")
        raise UserError(
            f"SLURM does not take the jobs: {reason.rstrip('.')}. Check the keys hydra.launcher.…, with task=dryrun; "
            "`sinfo` lists partitions, `sacctmgr show associations user=$USER` accounts and qos."
        ) from None
    return dict(zip(overrides, jobs, strict=True))


def _check_not_running(sweep: Path) -> None:
    """Raise `UserError` for a sweep whose jobs are in the queue, of a command that was killed or lost its terminal."""
    earlier = {path.name for path in (sweep / FOLDER).glob("[0-9]*")}
    if not earlier:
        return
    found = queue.query_states() or {}
    if left := sorted(one for one in earlier if queue.is_in_queue(found.get(one))):
        raise UserError(
            f"{len(left)} jobs of the sweep in {sweep} are still in SLURM's queue: wait until they have ended, or end "
            f"them with: scancel {' '.join(left)}"
        )


def _describe_end(ended: Lost, job: Job[JobReturn]) -> str:
    explained = _STATES.get(ended.state, f"the job has left SLURM's queue without a result ({ended.state})")
    return f"{explained}; what it printed is in {job.paths.stdout}."


_STATES = {
    "CANCELLED": "the job was cancelled in SLURM",
    # A job that waits leaves the queue in no other way, and at once.
    "PENDING": "the job was cancelled in SLURM before it began",
    "TIMEOUT": "the job reached hydra.launcher.time before it had saved its state: make hydra.launcher.notice larger",
    "OUT_OF_MEMORY": "the job needs more memory than hydra.launcher.memory",
    "NODE_FAIL": "the node of the job has failed",
}
