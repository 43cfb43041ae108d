"""Parts of the split that the config or the data state: they are what they are, and nothing takes their place."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from uncial.data.filters import Filters, count_left_out
from uncial.data.settings import SourceSettings
from uncial.document import Issue, Page, SourceContents

_NOUNS = {"train": "the training", "val": "the validation", "test": "the test"}
SHOWN = 3


def stated_parts(source: SourceSettings, reading: SourceContents) -> dict[str, str]:
    """What states which part, by part: a key of the config, a list or folder of the data, or what a page says."""
    by_pages = dict.fromkeys({page.subset for page in reading.pages} & set(_NOUNS), "the data's own split")
    by_keys = {part: getattr(source, part) for part in _NOUNS}
    return {
        **{str(part): f"{name} ({part})" for part, name in by_pages.items()},
        **reading.stated,
        **{part: f"data.{part}={_shown(entries)}" for part, entries in by_keys.items() if entries},
    }


def why_unusable(
    stated: Mapping[str, str],
    filled: Collection[str | None],
    reading: SourceContents,
    filters: Filters,
    problems: Sequence[Issue],
    has_globs: bool,
) -> dict[str, str]:
    """A sentence for each stated part without a usable line, by part: what states it, why it is empty, what to do.

    `filled` are the stated parts of the pages that give lines, `reading` is as the files have it, `problems` are those
    of reading, splitting and cutting. `has_globs` says whether data.include or data.exclude are set.
    """
    sentences = {}
    for part, name in stated.items():
        if part in filled:
            continue
        pages = [page for page in reading.pages if page.subset == part]
        reasons = [*_of_problems([one for one in problems if one.part == part]), *_of_pages(pages, filters)]
        if not reasons:
            none = "data.include and data.exclude leave no file of it" if has_globs else "there is no page in it"
            reasons = ["none of its lines could be used" if pages else none]
        more = f", and {len(reasons) - SHOWN} more reasons" if len(reasons) > SHOWN else ""
        sentences[part] = (
            f"{name} has no usable line: {'; '.join(reasons[:SHOWN])}{more}. What is stated for {_NOUNS[part]} is not "
            f"replaced by other pages: mend it, or leave it out, and {_NOUNS[part]} is split off by data.ratio."
        )
    return sentences


def blank_lines(pages: Sequence[Page]) -> list[Issue]:
    """A problem for each line with an empty transcription, as cutting the pages would find it."""
    reason = "the line has a transcription, but an empty one"
    return [
        Issue(str(page.source), line.id, reason, "empty_text", part=page.subset or "")
        for page in pages
        for line in page.lines
        if line.text is not None and not line.text.strip()
    ]


def _of_problems(problems: Sequence[Issue]) -> list[str]:
    """The reasons with their numbers, the most frequent first. Reasons of one kind may name different files, and count
    as one."""
    groups: dict[str, list[Issue]] = {}
    for problem in problems:
        groups.setdefault(problem.kind if problem.kind != "left_out" else problem.reason, []).append(problem)
    told = []
    for group in sorted(groups.values(), key=len, reverse=True):
        first = group[0]
        where = f"{Path(first.file).name} {first.line}".rstrip()
        number = f"{len(group):,} times, first in" if len(group) > 1 else "in"
        told.append(f"{first.reason.replace('; ', ', ')} ({number} {where})")
    return told


def _of_pages(pages: Sequence[Page], filters: Filters) -> list[str]:
    counts: Counter[str] = Counter()
    for key, count in count_left_out(pages, filters).items():
        counts[f"{_number(count, 'line is', 'lines are')} left out by {key}"] = count
    if bare := sum(line.text is None for page in pages for line in page.lines):
        counts[f"{_number(bare, 'line has', 'lines have')} no transcription"] = bare
    if empty := sum(not page.lines for page in pages):
        counts[f"{_number(empty, 'page has', 'pages have')} no line"] = empty
    return [reason for reason, _ in counts.most_common()]


def _number(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"


def _shown(entries: Sequence[str]) -> str:
    return entries[0] if len(entries) == 1 else f"[{','.join(entries)}]"
