"""The jobs of a sweep through Ray: each is a task of a cluster, in a process of its own."""

import logging
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus
from ray.exceptions import RayError

from uncial.errors import UserError
from uncial.runs.outcome import FAILED, Outcome, write_outcome
from uncial.sweeps.launch import LaunchContext, build_job_environment, enter_job, to_plain_settings
from uncial.sweeps.restored import end_jobs_on_exit
from uncial.termination import SigtermHandler

PREFIX = "hydra.launcher"
SAVING = 120.0
"""Seconds that jobs have to save their states when the sweep is stopped."""


@dataclass(frozen=True)
class RaySettings:
    """The keys of conf/hydra/launcher/ray.yaml."""

    address: str | None
    cpus: float
    gpus: float
    resources: Mapping[str, float]
    parallel: int | None


def read_settings(given: Mapping[str, Any]) -> RaySettings:
    """Raise `UserError` for the first value that Ray would not take."""
    address, parallel, resources = given["address"], given["parallel"], given["resources"] or {}
    if address is not None and (not isinstance(address, str) or not address.strip()):
        raise UserError(f"{PREFIX}.address={address}: HOST:PORT is needed, auto, or null.")
    if parallel is not None and (isinstance(parallel, bool) or not isinstance(parallel, int) or parallel < 1):
        raise UserError(f"{PREFIX}.parallel={parallel}: a whole number is needed that is 1 or more, or null.")
    if not isinstance(resources, Mapping):
        raise UserError(f"{PREFIX}.resources={resources}: names are needed with amounts, {{a100: 1}}, or null.")
    amounts = {str(name): _read_amount(f"resources.{name}", value) for name, value in resources.items()}
    return RaySettings(
        address, _read_amount("cpus", given["cpus"]), _read_amount("gpus", given["gpus"]), amounts, parallel
    )


def _read_amount(key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise UserError(f"{PREFIX}.{key}={value}: a number is needed that is 0 or more.")
    return value


def launch(
    given: Mapping[str, Any], program: LaunchContext, job_overrides: Sequence[Sequence[str]], first: int
) -> list[JobReturn]:
    """Run the jobs that are not finished, and when the waiting is stopped let those that run save their states.

    A job whose process is lost has failed, with a sentence in its outcome. Raises `UserError` for settings that cannot
    be, and for a cluster that does not answer or has no node for a job.
    """
    settings, sweep = read_settings(to_plain_settings(given)), Path(program.config.hydra.sweep.dir)
    overrides = {first + place: tuple(typed) for place, typed in enumerate(job_overrides)}
    folders = {number: program.job_folder(number, typed) for number, typed in overrides.items()}
    waiting = [number for number, typed in overrides.items() if not program.is_finished(number, typed)]
    running: dict[Any, int] = {}
    with _open_cluster(settings), end_jobs_on_exit(lambda: _end(running), sweep):
        while waiting or running:
            while waiting and len(running) < (settings.parallel or len(overrides)):
                number = waiting.pop(0)
                running[_submit(settings, program, number, overrides[number])] = number
            for job in ray.wait(list(running), timeout=1)[0]:
                number = running.pop(job)
                if lost := _describe_end(job):
                    write_outcome(folders[number], Outcome(FAILED, overrides[number], lost))
                    print(f"Job {number} failed; continuing with the others. Error: {lost}", flush=True)
    return [JobReturn(overrides=typed, status=JobStatus.COMPLETED) for typed in overrides.values()]


def _submit(settings: RaySettings, program: LaunchContext, number: int, overrides: Sequence[str]) -> Any:
    # A lost job is not tried again: its folder is only gone on with in a sweep that is resumed.
    task = ray.remote(
        num_cpus=settings.cpus,
        num_gpus=settings.gpus,
        resources=dict(settings.resources),
        max_retries=0,
        max_calls=1,
    )(_run_job).options(name=f"job {number}")
    return task.remote(
        str(Path.cwd()), build_job_environment(), program, number, tuple(overrides), Singleton.get_state()
    )


def _run_job(
    folder: str,
    environment: Mapping[str, str],
    program: LaunchContext,
    number: int,
    overrides: Sequence[str],
    state: Any,
) -> None:
    """What a process of the cluster does: one job, as Hydra's own launcher would, in the folder and with the
    environment of the command that was typed."""
    enter_job(folder, environment)
    # Ray has taken SIGTERM over; a task that is ended keeps what it has done.
    signal.signal(signal.SIGTERM, SigtermHandler())
    program.run_job(number, overrides, state)


def _describe_end(job: Any) -> str:
    """Why a job has ended without its outcome; empty where it has one."""
    try:
        ray.get(job)
    except RayError as error:
        reason = str(error).strip().splitlines()[-1].rstrip(".")
        return f"the job's process in Ray was lost ({type(error).__name__}: {reason})."
    return ""


@contextmanager
def _open_cluster(settings: RaySettings) -> Iterator[None]:
    """Connected to the cluster that is meant; without an address to one that begins and ends here."""
    # Ray's own, 15, leaves its processes next to nothing of a machine that others compute on.
    os.environ.setdefault("RAY_worker_niceness", "0")
    try:
        ray.init(
            address=settings.address or "local",
            logging_level=logging.ERROR,
            include_dashboard=False if settings.address is None else None,
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise UserError(
            f"{PREFIX}.address={settings.address}: cannot connect to a Ray cluster ({reason}): `ray status` on its "
            "first node shows it; null starts one on this machine for the sweep."
        ) from None
    try:
        _check_room(settings)
        yield
    finally:
        ray.shutdown()


def _check_room(settings: RaySettings) -> None:
    wanted = {"CPU": settings.cpus, "GPU": settings.gpus, **settings.resources}
    wanted = {name: amount for name, amount in wanted.items() if amount}
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if any(all(node.get(name, 0) >= amount for name, amount in wanted.items()) for node in nodes):
        return
    text = ", ".join(f"{amount:g} {name}" for name, amount in wanted.items())
    if settings.address is None:
        raise UserError(f"A job asks for {text}, which this machine has not: lower {PREFIX}.cpus or {PREFIX}.gpus.")
    print(f"No node of the cluster has {text} yet: the jobs wait for one that joins.", flush=True)


def _end(running: Mapping[Any, int]) -> None:
    """Has the jobs save their states."""
    jobs = list(running)
    print(f"Stopping the jobs of the sweep in Ray: {', '.join(map(str, running.values()))}", flush=True)
    for job in jobs:
        ray.cancel(job)
    if jobs:
        ray.wait(jobs, num_returns=len(jobs), timeout=SAVING)
