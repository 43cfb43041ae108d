"""What hydra/launcher=slurm is told, checked, and as options of sbatch."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from uncial.errors import UserError

MAIL_ON = ("BEGIN", "END", "FAIL", "REQUEUE", "TIME_LIMIT", "TIME_LIMIT_80", "TIME_LIMIT_90", "ALL")
DURATION = re.compile(r"(?:(?P<days>\d+)-)?(?P<hours>\d+):(?P<minutes>\d\d):(?P<seconds>\d\d)")
MEMORY = re.compile(r"\d+[KMGT]")
GPUS = re.compile(r"(?:[\w.-]+:)?\d+")
PREFIX = "hydra.launcher"


@dataclass(frozen=True)
class SlurmSettings:
    """The keys of conf/hydra/launcher/slurm.yaml; `minutes` is its `time`. `notice` and `poll` are seconds."""

    name: str
    partition: str | None
    account: str | None
    qos: str | None
    minutes: int
    notice: int
    requeues: int
    cpus: int
    gpus: str
    memory: str | None
    parallel: int
    mail: str | None
    mail_on: tuple[str, ...]
    setup: tuple[str, ...]
    python: str | None
    options: Mapping[str, Any]
    poll: float


def read_settings(given: Mapping[str, Any]) -> SlurmSettings:
    """Raise `UserError` for the first value that SLURM would not take, or would take for something else."""
    texts = {key: _read_text(given, key) for key in ("partition", "account", "qos", "mail", "python")}
    minutes, notice = _read_minutes(given["time"]), _read_whole(given, "notice", 1)
    if notice >= 60 * minutes:
        raise UserError(
            f"{PREFIX}.notice={notice} leaves nothing of {PREFIX}.time={given['time']}: the job would be told to save "
            "its state when it begins."
        )
    return SlurmSettings(
        name=_read_text(given, "name") or "uncial",
        minutes=minutes,
        notice=notice,
        requeues=_read_whole(given, "requeues", 0),
        cpus=_read_whole(given, "cpus", 1),
        gpus=_read_matching(given, "gpus", GPUS, "1, or with their type a100:1") or "0",
        memory=_read_matching(given, "memory", MEMORY, "a whole number with its unit, 16G"),
        parallel=_read_whole(given, "parallel", 1),
        mail_on=_read_mail_on(given["mail_on"]),
        setup=_read_lines(given["setup"]),
        options=_read_options(given["options"]),
        poll=_read_whole(given, "poll", 1),
        **texts,
    )


def build_sbatch_options(settings: SlurmSettings) -> dict[str, Any]:
    """As submitit's executor for SLURM takes them; None where sbatch is to be told nothing."""
    more: dict[str, Any] = {"requeue": True}
    if settings.memory is not None:
        more["mem"] = settings.memory
    if settings.mail is not None:
        more |= {"mail-user": settings.mail, "mail-type": ",".join(settings.mail_on)}
    return {
        "job_name": settings.name,
        "partition": settings.partition,
        "account": settings.account,
        "qos": settings.qos,
        "time": settings.minutes,
        "signal_delay_s": settings.notice,
        "ntasks_per_node": 1,
        "cpus_per_task": settings.cpus,
        "gpus_per_node": None if settings.gpus.split(":")[-1].strip("0") == "" else settings.gpus,
        "array_parallelism": settings.parallel,
        "setup": list(settings.setup) or None,
        "stderr_to_stdout": True,
        # submitit's own default, which clusters that count by these keys refuse.
        "wckey": None,
        "additional_parameters": {**more, **settings.options},
    }


def _read_minutes(given: Any) -> int:
    """Return a duration of SLURM's in whole minutes, rounded up. MM:SS is not taken: it is too easily meant as
    HH:MM."""
    found = DURATION.fullmatch(str(given))
    if found:
        days, hours, minutes, seconds = (int(found[part] or 0) for part in ("days", "hours", "minutes", "seconds"))
        total = (days * 24 + hours) * 60 + minutes + (seconds > 0)
    else:
        total = given if isinstance(given, int) and not isinstance(given, bool) else 0
    if total < 1:
        raise UserError(
            f"{PREFIX}.time={given}: not a duration: use minutes, HH:MM:SS or D-HH:MM:SS, for instance 04:00:00."
        )
    return total


def _read_whole(given: Mapping[str, Any], key: str, least: int) -> int:
    value = given[key]
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UserError(f"{PREFIX}.{key}={value}: a whole number is needed that is {least} or more.")
    return value


def _read_text(given: Mapping[str, Any], key: str) -> str | None:
    value = given[key]
    if value is None:
        return None
    if isinstance(value, Mapping | list | tuple | bool) or not str(value).strip() or "\n" in str(value):
        raise UserError(f"{PREFIX}.{key}={value}: one word or line is needed, or null.")
    return str(value)


def _read_matching(given: Mapping[str, Any], key: str, pattern: re.Pattern[str], form: str) -> str | None:
    value = given[key]
    if value is None:
        return None
    if isinstance(value, bool) or not pattern.fullmatch(str(value)):
        raise UserError(f"{PREFIX}.{key}={value}: write {form}; null leaves it to the cluster.")
    return str(value)


def _read_mail_on(given: Any) -> tuple[str, ...]:
    chosen = tuple(str(word) for word in given) if isinstance(given, list | tuple) else (str(given),)
    for word in chosen:
        if word not in MAIL_ON:
            raise UserError(f"{PREFIX}.mail_on={word}: choose of {', '.join(MAIL_ON)}.")
    return chosen


def _read_lines(given: Any) -> tuple[str, ...]:
    if isinstance(given, list | tuple) and all(isinstance(line, str) for line in given):
        return tuple(given)
    raise UserError(f"{PREFIX}.setup={given}: a list of lines is needed: {PREFIX}.setup=['module load cuda'].")


def _read_options(given: Any) -> dict[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise UserError(f"{PREFIX}.options={given}: options of sbatch are needed with their values, {{nice: 100}}.")
    options = {str(key).lstrip("-").replace("_", "-"): value for key, value in given.items()}
    for key, instead in _OWN_KEYS.items():
        if key in options:
            raise UserError(f"{PREFIX}.options.{key}: this option has a key of its own, {PREFIX}.{instead}.")
    if taken := sorted(_NOT_OPTIONS & set(options)):
        raise UserError(f"{PREFIX}.options.{taken[0]} cannot be given: it is how the sweep keeps track of its jobs.")
    for key, value in options.items():
        if value is None or value is False or isinstance(value, Mapping | list):
            raise UserError(f"{PREFIX}.options.{key}={value}: a value is needed, or true for an option without one.")
    return options


_OWN_KEYS = {
    "job-name": "name",
    "time": "time",
    "signal": "notice",
    "cpus-per-task": "cpus",
    "gpus": "gpus",
    "gpus-per-node": "gpus",
    "mem": "memory",
    "mail-user": "mail",
    "mail-type": "mail_on",
    "partition": "partition",
    "account": "account",
    "qos": "qos",
}
_NOT_OPTIONS = {"array", "output", "error", "open-mode", "no-requeue", "requeue", "ntasks", "ntasks-per-node", "nodes"}
