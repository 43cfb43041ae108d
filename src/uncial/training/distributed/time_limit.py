"""How a cluster says that a job's time will soon be up. Apart, for what has to import nothing heavy."""

import signal

TIME_IS_UP = signal.SIGUSR2
"""What submitit lets SLURM send before a job reaches its time limit."""


class OutOfTime(SystemExit):
    """Takes a job that has saved its state out of the program, to the launcher, which has it queued again."""
