"""The standard streams as they may be: closed, a pipe that nobody reads, a full disk, an encoding without most letters.

None of that ends a run, whose messages are in its log.txt too.
"""

import io
import os
import sys
from contextlib import suppress
from typing import Any


class _Output(io.FileIO):
    """Standard output or error; what cannot be written is dropped."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data) or 0
        except BlockingIOError:
            raise
        except OSError:
            return len(data)


def secure_standard_streams() -> None:
    """Let writing to standard output and error never fail: streams that are closed lead nowhere, and letters that the
    encoding does not have are written as backslash escapes. Streams that somebody else has put in place are left
    alone."""
    _open_closed_ones()
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None or (stream is getattr(sys, f"__{name}__") and _is_descriptor(stream, number)):
            setattr(sys, name, _secure(stream, number))


def _open_closed_ones() -> None:
    """Else the next file that is opened would be standard output."""
    while True:
        descriptor = os.open(os.devnull, os.O_RDWR)
        if descriptor > 2:
            os.close(descriptor)
            return
        os.set_inheritable(descriptor, True)


def _is_descriptor(stream: Any, number: int) -> bool:
    with suppress(OSError, ValueError, AttributeError):
        return isinstance(stream, io.TextIOWrapper) and stream.fileno() == number
    return False


def _secure(stream: io.TextIOWrapper | None, number: int) -> io.TextIOWrapper:
    if stream is not None:
        with suppress(OSError):
            stream.flush()
    encoding = stream.encoding if stream is not None else "utf-8"
    line_buffering = stream.line_buffering if stream is not None else False
    file = _Output(number, "wb", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(file), encoding, errors="backslashreplace", line_buffering=line_buffering or number == 2
    )
