"""The report of kraken's `ketos test`, for those who compare with it or read it by program.

Layout, figures and order are those of kraken 7.1.1 (its `serialization.render_report`), down to the HTML escapes that
it writes for `& < > ' "`. Insertions, deletions and substitutions are those of kraken's own alignment, which takes a
deletion before an insertion before a substitution where several alignments need equally few edits.
"""

import html
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from uncial.files import replace_text_file
from uncial.metrics.error_rates import Counts, compare
from uncial.metrics.lines import EvaluatedLine
from uncial.metrics.profiles import to_plain_spaces
from uncial.text.characters import PRIVATE, find_script

Pair = tuple[str, str]


def write_ketos_report(path: Path, lines: Iterable[EvaluatedLine]) -> None:
    """Write the report of lines in the form that they were scored in, with plain spaces, and without the lines that
    have no truth: kraken does the same.
    """
    pairs = [(to_plain_spaces(line.truth), to_plain_spaces(line.prediction)) for line in lines if line.truth]
    with replace_text_file(path) as file:
        file.write(build_ketos_report(pairs))


def build_ketos_report(pairs: Sequence[Pair]) -> str:
    """Return the report of (truth, reading) pairs as they stand.

    What `ketos test` prints for the same pairs after its own normalisation, which is that of the profile
    `strip+plain_spaces`, and with `--normalization NFC` `nfc_strip+plain_spaces`. It skips lines with empty truth.
    """
    counts = sum((compare(*pair) for pair in pairs), Counts())
    lowered = sum((compare(truth.lower(), read.lower()) for truth, read in pairs), Counts())
    # In the order of the first appearance, by which equal figures are ordered.
    confusions = Counter(pair for truth, read in pairs for pair in _align(truth, read))
    insertions = sum(count for (truth, _), count in confusions.items() if not truth)
    deletions = sum(count for (truth, read), count in confusions.items() if truth and not read)
    rows = [
        "=== report  ===",
        "",
        f"{counts.characters}\tCharacters",
        f"{counts.edits}\tErrors",
        f"{_format_accuracy(counts.edits, counts.characters)}\tCharacter Accuracy",
        f"{_format_accuracy(lowered.edits, lowered.characters)}\tCharacter Accuracy (Case-insensitive)",
        f"{_format_accuracy(counts.word_edits, counts.words)}\tWord Accuracy",
        "",
        f"{insertions}\tInsertions",
        f"{deletions}\tDeletions",
        f"{counts.edits - insertions - deletions}\tSubstitutions",
        "",
        "Count\tMissed\t%Right",
        *_build_script_rows(confusions),
        "",
        "Errors\tCorrect-Generated",
        *_build_confusion_rows(confusions),
    ]
    return "\n".join(rows) + "\n"


def _format_accuracy(errors: int, total: int) -> str:
    return f"{100 * (1 - errors / total):0.2f}%" if total else "nan%"


def _build_script_rows(confusions: Counter[Pair]) -> Iterator[str]:
    found: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for (truth, read), count in confusions.items():
        if truth:
            found[_find_script(truth)] += count
            missed[_find_script(truth)] += count * (truth != read)
    ordered = sorted(found, key=lambda name: (found[name] - missed[name]) / found[name], reverse=True)
    for name in ordered:
        yield f"{found[name]}\t{missed[name]}\t{_format_accuracy(missed[name], found[name])}\t{name}"


def _build_confusion_rows(confusions: Counter[Pair]) -> Iterator[str]:
    edits = [(pair, count) for pair, count in confusions.items() if pair[0] != pair[1]]
    for (truth, read), count in sorted(edits, key=lambda item: item[1], reverse=True):
        yield f"{count}\t{{ {_format_character(truth)} }} - {{ {_format_character(read)} }}"


def _find_script(character: str) -> str:
    """kraken's table has the first word of a script's name only."""
    name = find_script(character)
    return "Unknown" if name == PRIVATE else name.split()[0]


def _format_character(character: str) -> str:
    category = unicodedata.category(character) if character else ""
    if category in ("Cc", "Cs", "Co"):
        return f"0x{ord(character):x}"
    if category[:1] in ("M", "Z", "C"):
        return unicodedata.name(character, f"0x{ord(character):x}")
    return html.escape(character).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")


def _align(truth: str, read: str) -> list[Pair]:
    """Return the alignment that kraken's `global_align` finds."""
    if truth == read:
        return list(zip(truth, read, strict=True))
    costs = _compute_costs(truth, read)
    pairs = []
    i, j = len(truth), len(read)
    while i or j:
        if i and (not j or costs[i - 1][j] + 1 == costs[i][j]):
            i -= 1
            pairs.append((truth[i], ""))
        elif j and (not i or costs[i][j - 1] + 1 == costs[i][j]):
            j -= 1
            pairs.append(("", read[j]))
        else:
            i, j = i - 1, j - 1
            pairs.append((truth[i], read[j]))
    return pairs[::-1]


def _compute_costs(truth: str, read: str) -> list[list[int]]:
    """Wagner and Fischer's table: edits between the first i and the first j characters, in [i][j]."""
    letters = np.array([ord(character) for character in read])
    along = np.arange(len(read) + 1)
    rows = [along]
    for character in truth:
        row = rows[-1] + 1
        row[1:] = np.minimum(row[1:], rows[-1][:-1] + (letters != ord(character)))
        rows.append(np.minimum.accumulate(row - along) + along)
    return [row.tolist() for row in rows]
