"""Whether two files that transcribe one image say the same."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from uncial.data.checks.findings import Finding, Severity
from uncial.errors import LineError
from uncial.formats.read_xml import read_transcription
from uncial.formats.xml.parsing import parse
from uncial.text.normalization import normalize


def weighed(finding: Finding, used: str) -> Finding:
    """A finding about a file whose image the file `used` transcribes too, which is used.

    Second transcriptions that say the same become information: a page exported as PAGE and as ALTO contradicts nothing.
    The others, and those about copies of an image, say how many lines differ.
    """
    mine, theirs = _texts(Path(finding.file)), _texts(Path(used))
    if mine is None or theirs is None:
        return finding
    if mine == theirs:
        severity: Severity = "information" if finding.kind == "second_transcription" else finding.severity
        return replace(finding, severity=severity, message=f"{finding.message}, with the same text")
    different = max((mine - theirs).total(), (theirs - mine).total())
    lines = max(mine.total(), theirs.total())
    return replace(finding, message=f"{finding.message}; {different} of {lines} lines differ")


def _texts(path: Path) -> Counter[str] | None:
    """The texts of a file's lines, in whatever order; None where it cannot be told."""

    def no_image(stated: str) -> Path:
        raise LineError(stated)

    try:
        reading = read_transcription(parse(path).getroot(), path, "", no_image)
    except LineError:
        return None
    return Counter(normalize(line.text) for page in reading.pages for line in page.lines if line.text)
