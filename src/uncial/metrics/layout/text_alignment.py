"""What a reader makes of a page whose lines were found, whatever their number and order (Vidal, Toselli, Ríos-Vila and
Calvo-Zaragoza, End-to-End Page-Level Assessment of Handwritten Text Recognition, arXiv 2301.05935).

- hCER: the lines of the truth and those read are paired one to one so that the edits are fewest (Hungarian method);
  a line of the truth that is left over counts as deleted, one read too many as inserted. The order makes no difference.
- Delta-CER: hCER of found lines less the CER of the same reader on the given lines of the same pages.
- Page CER and WER: all lines in their order, one after the other, which also counts errors of the order.
- Bag-of-words WER (bWER), and the same of characters (bCER): what any order of the words could reach. Page WER less
  bWER tells what the order costs.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist
from scipy.optimize import linear_sum_assignment

from uncial.document import Page, TextLine
from uncial.metrics.profiles import form
from uncial.text.normalization import DEFAULT_PROFILE


@dataclass(frozen=True, slots=True)
class LineAlignment:
    """`pairs` are positions (truth, found) in the order of the truth; `edits` are those of the pairs and of the lines
    left over on either side.
    """

    pairs: tuple[tuple[int, int], ...]
    edits: int


@dataclass(frozen=True, slots=True)
class TextCounts:
    """Edits and sizes of pages, in whole numbers. `aligned` are the edits of lines paired as best they can,
    `characters` those of the truth; `ordered` and `ordered_characters` are those of the pages in their order, with one
    character between lines; `given` those of the lines that were read as given, which have `given_characters`.
    """

    aligned: int = 0
    characters: int = 0
    ordered: int = 0
    ordered_characters: int = 0
    ordered_words: int = 0
    words: int = 0
    bag_of_characters: int = 0
    bag_of_words: int = 0
    given: int = 0
    given_characters: int = 0

    def __add__(self, other: "TextCounts") -> "TextCounts":
        names = [field.name for field in fields(self)]
        return TextCounts(**{name: getattr(self, name) + getattr(other, name) for name in names})


def align_lines(truth: Sequence[str], found: Sequence[str]) -> LineAlignment:
    """Pair the lines of a page with those read so that the edits are fewest. Texts are compared as they stand."""
    if not truth or not found:
        return LineAlignment((), sum(map(len, truth)) + sum(map(len, found)))
    edits = cdist(truth, found, scorer=Levenshtein.distance, dtype=np.int32).astype(np.int64)
    sizes = np.array([len(text) for text in truth]), np.array([len(text) for text in found])
    spared = sizes[0][:, np.newaxis] + sizes[1] - edits
    rows, columns = linear_sum_assignment(spared, maximize=True)
    total = int(sizes[0].sum() + sizes[1].sum() - spared[rows, columns].sum())
    return LineAlignment(tuple(zip(rows.tolist(), columns.tolist(), strict=True)), total)


def count_bag_edits(truth: Iterable[Hashable], found: Iterable[Hashable]) -> int:
    """Return how many words (or characters) have to be inserted, deleted or replaced at least, in whatever order."""
    own, others = Counter(truth), Counter(found)
    return max(own.total(), others.total()) - (own & others).total()


def count_page_text(truth: Page, found: Page, profile: str = DEFAULT_PROFILE) -> TextCounts:
    """Count the edits of a page: `truth` with the text of its lines, `found` with what was read in the lines found.

    Where lines of the truth hold a `transcription`, it is what the same reader read in the given lines. Raises
    `UserError` for an unknown profile.
    """
    normalise = form(profile)
    own = [normalise(line.text) for line in truth.lines if line.text is not None]
    read = [normalise(text) for text in map(_read_text, found.lines) if text is not None]
    given = [line for line in truth.lines if line.text is not None and line.transcription is not None]
    pairs = [(normalise(line.text or ""), normalise(_read_text(line) or "")) for line in given]
    page, other = "\n".join(own), "\n".join(read)
    words, other_words = page.split(), other.split()
    return TextCounts(
        aligned=align_lines(own, read).edits,
        characters=sum(map(len, own)),
        ordered=Levenshtein.distance(page, other),
        ordered_characters=len(page),
        ordered_words=Levenshtein.distance(words, other_words),
        words=len(words),
        bag_of_characters=count_bag_edits("".join(own), "".join(read)),
        bag_of_words=count_bag_edits(words, other_words),
        given=sum(Levenshtein.distance(*pair) for pair in pairs),
        given_characters=sum(len(text) for text, _ in pairs),
    )


def _read_text(line: TextLine) -> str | None:
    return line.text if line.transcription is None else line.transcription.text


def score_text(counts: TextCounts) -> dict[str, float]:
    """Return the error rates of pages: `hcer`, `page_cer`, `page_wer`, `bcer`, `bwer`; and where all given lines were
    read, too, their `given_cer` and `delta_cer`. What is divided by nothing is divided by one.
    """
    characters, words = max(counts.characters, 1), max(counts.words, 1)
    values = {
        "hcer": counts.aligned / characters,
        "page_cer": counts.ordered / max(counts.ordered_characters, 1),
        "page_wer": counts.ordered_words / words,
        "bcer": counts.bag_of_characters / characters,
        "bwer": counts.bag_of_words / words,
    }
    if counts.characters and counts.given_characters == counts.characters:
        values["given_cer"] = counts.given / counts.given_characters
        values["delta_cer"] = compute_delta_cer(values["hcer"], values["given_cer"])
    return values


def compute_delta_cer(hcer: float, given_cer: float) -> float:
    """Return what finding the lines costs: the hCER of found lines less the CER of given ones, by the same reader."""
    return hcer - given_cer
