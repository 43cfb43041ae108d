"""Whether two files that transcribe one image say the same."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from uncial.data.checks.findings import Finding, Severity
from uncial.errors import LineError
from uncial.formats.read_xml import read_transcription
from uncial.formats.xml import parse
from uncial.text.normalization import normalize

_USED = re.compile(r"^transcribes the image .*?, as (.*) does, which is used")


def weighed(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings, those about second transcriptions that say the same as the one in use as information: a page
    exported as PAGE and as ALTO contradicts nothing. The others, and those about copies of an image, say how many lines
    differ."""
    for finding in findings:
        used = _USED.match(finding.message) if finding.kind in ("second_transcription", "duplicate_page") else None
        if used is None:
            yield finding
            continue
        mine, theirs = _texts(Path(finding.file)), _texts(Path(used[1]))
        if mine is None or theirs is None:
            yield finding
        elif mine == theirs:
            severity: Severity = "information" if finding.kind == "second_transcription" else finding.severity
            yield replace(finding, severity=severity, message=f"{finding.message}, with the same text")
        else:
            different = max((mine - theirs).total(), (theirs - mine).total())
            lines = max(mine.total(), theirs.total())
            yield replace(finding, message=f"{finding.message}; {different} of {lines} lines differ")


def _texts(path: Path) -> Counter[str] | None:
    """The texts of a file's lines, in whatever order; None where it cannot be told."""

    def no_image(stated: str) -> Path:
        raise LineError(stated)

    try:
        reading = read_transcription(parse(path).getroot(), path, "", no_image)
    except LineError:
        return None
    return Counter(normalize(line.text) for page in reading.pages for line in page.lines if line.text)
