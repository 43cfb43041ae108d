"""What a check has to say about the data: one finding, and how grave it is."""

from dataclasses import dataclass
from typing import Literal, get_args

Severity = Literal["information", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""From the least to the gravest: what is good to know, what should be looked at, what cannot stay."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know about the data.

    `kind` is a short name to filter by, for instance `missing_image` or `duplicate_line`. `file` and `line` say where
    it is, empty where it concerns all of the data; `remedy` what to do. `row` is the line's row in the compiled store,
    for its picture, and None where there is none.
    """

    severity: Severity
    kind: str
    message: str
    file: str = ""
    line: str = ""
    remedy: str = ""
    row: int | None = None
