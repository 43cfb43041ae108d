"""Parts of the split that the config or the data state: they are taken as they are, and nothing takes their place."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from uncial.data.filters import Filters, count_left_out
from uncial.data.settings import SourceSettings
from uncial.data.splits.groups import PARTS
from uncial.document import Issue, Page, SourceContents
from uncial.errors import UserError

_NOUNS = {"train": "the training", "val": "the validation", "test": "the test"}
MAX_SHOWN = 3


def find_stated_parts(source: SourceSettings, reading: SourceContents) -> dict[str, str]:
    """Return what states which part, by part: a key of the config, a list or folder of the data, or what a page
    says."""
    by_pages = dict.fromkeys({page.subset for page in reading.pages} & set(_NOUNS), "the data's own split")
    by_keys = {part: getattr(source, part) for part in _NOUNS}
    return {
        **{str(part): f"{name} ({part})" for part, name in by_pages.items()},
        **reading.stated,
        **{part: f"data.{part}={_format_entries(entries)}" for part, entries in by_keys.items() if entries},
    }


def explain_unusable_parts(
    stated: Mapping[str, str],
    filled: Collection[str | None],
    reading: SourceContents,
    filters: Filters,
    problems: Sequence[Issue],
    has_globs: bool,
) -> dict[str, str]:
    """Return a sentence for each stated part without a usable line, by part: what states it, why it is empty, what to
    do.

    `filled` are the stated parts of the pages that give lines, `reading` is as the files have it, `problems` are those
    of reading, splitting and cutting. `has_globs` says whether data.include or data.exclude are set.
    """
    sentences = {}
    for part, name in stated.items():
        if part in filled:
            continue
        pages = [page for page in reading.pages if page.subset == part]
        reasons = [
            *_summarize_problems([one for one in problems if one.part == part]),
            *_summarize_pages(pages, filters),
        ]
        if not reasons:
            none = "data.include and data.exclude leave no file of it" if has_globs else "there is no page in it"
            reasons = ["none of its lines could be used" if pages else none]
        more = f", and {len(reasons) - MAX_SHOWN} more reasons" if len(reasons) > MAX_SHOWN else ""
        sentences[part] = (
            f"{name} has no usable line: {'; '.join(reasons[:MAX_SHOWN])}{more}. What is stated for {_NOUNS[part]} is "
            f"not replaced by other pages: mend it, or leave it out, and {_NOUNS[part]} is split off by data.ratio."
        )
    return sentences


def find_blank_lines(pages: Sequence[Page]) -> list[Issue]:
    """Return a problem for each line with an empty transcription, as cutting the pages would find it."""
    reason = "the line has a transcription, but an empty one"
    return [
        Issue(str(page.source), line.id, reason, "empty_text", part=page.subset or "")
        for page in pages
        for line in page.lines
        if line.text is not None and not line.text.strip()
    ]


def _summarize_problems(problems: Sequence[Issue]) -> list[str]:
    """Return the reasons with their numbers, the most frequent first. Reasons of one kind may name different files, and
    count as one."""
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


def _summarize_pages(pages: Sequence[Page], filters: Filters) -> list[str]:
    counts: Counter[str] = Counter()
    for key, count in count_left_out(pages, filters).items():
        counts[f"{_format_count(count, 'line is', 'lines are')} left out by {key}"] = count
    if bare := sum(line.text is None for page in pages for line in page.lines):
        counts[f"{_format_count(bare, 'line has', 'lines have')} no transcription"] = bare
    if empty := sum(not page.lines for page in pages):
        counts[f"{_format_count(empty, 'page has', 'pages have')} no line"] = empty
    return [reason for reason, _ in counts.most_common()]


def _format_count(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"


def _format_entries(entries: Sequence[str]) -> str:
    return entries[0] if len(entries) == 1 else f"[{','.join(entries)}]"


def warn_of_pooled_validation(pages: Sequence[Page]) -> tuple[str, ...]:
    stated = sum(page.subset == "val" for page in pages)
    told = f"data.folds: the {stated:,} pages that the data state as validation are dealt to the folds like the others"
    return (told,) if stated else ()


def read_stated_parts(
    pages: Sequence[Page], shares: Mapping[str, float], stated: Collection[str]
) -> dict[str, str | None]:
    """Return what the data say of each page; `train` is `trainval` where a validation is wanted and nothing else gives
    one."""
    subsets = {page.subset for page in pages}
    wrong = subsets - {None, "trainval", *PARTS}
    if wrong:
        raise UserError(f"A page says that it is in the part '{wrong.pop()}'; the parts are {', '.join(PARTS)}")
    carve = "train" in subsets and shares["val"] > 0 and not {*subsets, *stated} & {None, "trainval", "val"}
    return {page.id: "trainval" if carve and page.subset == "train" else page.subset for page in pages}


def resolve_stated_parts(
    pages: Sequence[Page], hashes: Mapping[str, str], stated: Collection[str]
) -> tuple[dict[str, str | None], tuple[Issue, ...], list[Page]]:
    """Return what the data say of each page, where its part is decided elsewhere: a stated training may hold the
    validation. Then the pages whose image a stricter stated part has, and those that are left."""
    given = read_stated_parts(pages, dict.fromkeys(PARTS, 1.0), stated)
    kept, problems = drop_leaking_pages(pages, given, hashes)
    return given, problems, kept


def drop_leaking_pages(
    pages: Sequence[Page], given: Mapping[str, str | None], hashes: Mapping[str, str]
) -> tuple[list[Page], tuple[Issue, ...]]:
    """Return the pages without those whose image a page of a stricter stated part has."""
    strictest: dict[str, Page] = {}
    for page in pages:
        subset, content = given[page.id], hashes.get(page.id)
        if subset in PARTS and content:
            other = strictest.get(content)
            if other is None or PARTS.index(str(given[other.id])) < PARTS.index(subset):
                strictest[content] = page
    kept, problems = [], []
    for page in pages:
        other = strictest.get(hashes.get(page.id, ""))
        if other is None or not _is_clash(given[page.id], str(given[other.id])):
            kept.append(page)
        else:
            reason = f"its image is also that of {other.id} in the part {given[other.id]}, which is kept there only"
            problems.append(Issue(str(page.source), "", reason, "leaking_page", part=page.subset or ""))
    return kept, tuple(problems)


def find_divided_images(
    pages: Sequence[Page], parts: Mapping[str, str], given: Mapping[str, str | None], hashes: Mapping[str, str]
) -> dict[str, Issue]:
    """Return the pages that state no part and came to another one than the page of a stated part that has their
    image."""
    stated = {hashes[page.id]: page for page in pages if given[page.id] in PARTS and hashes.get(page.id)}
    problems = {}
    for page in pages:
        other = stated.get(hashes.get(page.id, ""))
        if other is not None and given[page.id] not in PARTS and parts[page.id] != parts[other.id]:
            reason = (
                f"its image is also that of {other.id} in the part {parts[other.id]}, and the pages that it is kept "
                f"with are in the part {parts[page.id]}"
            )
            problems[page.id] = Issue(str(page.source), "", reason, "leaking_page")
    return problems


def _is_clash(subset: str | None, strictest: str) -> bool:
    """Return whether a page that says `subset` cannot go to the side of its twin."""
    if subset == "trainval":
        return strictest == "test"
    return subset is not None and subset != strictest


def warn_of_divided_groups(pages: Sequence[Page], parts: Mapping[str, str]) -> tuple[str, ...]:
    """Return a warning where the stated parts cut pages in two, as lists of shuffled lines do: they are taken as
    given."""
    sides: dict[str, set[str]] = {}
    for page in pages:
        if page.group:
            sides.setdefault(page.group, set()).add(parts[page.id])
    cut = sorted(group for group, found in sides.items() if len(found) > 1)
    if not cut:
        return ()
    return (
        f"The data's own split puts lines of one page on several sides ({len(cut):,} pages, for instance {cut[0]}): "
        "scores will look better than on new pages",
    )
