"""The errors that end in one sentence for the user instead of a traceback."""

from typing import Literal

IssueCode = Literal[
    "left_out",
    "empty_text",
    "untranscribed_image",
    "second_transcription",
    "duplicate_page",
    "leaking_page",
    "missing_image",
    "unreadable_image",
    "too_large_image",
    "wrong_image_size",
    "outside_image",
    "no_outline",
    "wrong_coordinates",
    "several_lines",
    "other_file",
    "machine_read",
    "passed_over",
    "other_format",
    "text_without_lines",
    "region_without_lines",
]
"""Why a page or line was left out, by the short names that `task=inspect` reports it under; `left_out` is all else."""


class UserError(Exception):
    """What a user can put right: names the file, line id or config key, the reason and the remedy."""


class DivergedError(UserError):
    """A training whose weights or outputs are NaN or Inf. Resuming the run would end in the same way."""


class UnusableInput(Exception):  # noqa: N818
    """One line (or page) that cannot be used; it is skipped, counted and listed in `skipped.csv`."""

    def __init__(self, reason: str, kind: IssueCode = "left_out") -> None:
        super().__init__(reason)
        self.kind = kind


class HydraExit(BaseException):
    """Takes a user's mistake out of Hydra, which would print its own line about an `Exception` first, or swallow it."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(cause)
        self.cause = cause


class FindingsError(Exception):
    """The task ran to its end and found something that the user asked to be told by the exit code 2."""


class PrunedError(Exception):
    """A training that was ended early, with all its files, because other trials of a search do better."""
