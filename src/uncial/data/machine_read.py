"""Lines whose text a program read, and that nobody has corrected since: they are no ground truth."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from uncial.data.splits.groups import connect_pages
from uncial.data.splits.split import Split
from uncial.document import Issue, Page, SourceContents, TextLine, of_part
from uncial.errors import UserError

ADVICE = (
    "correct them, or train on those that the model is sure of with data.min_confidence=0.9, or on all with data=mixed"
)
ADVICE_ON_SCORING = "no model is scored on them: correct them"


def is_written_by_person(line: TextLine) -> bool:
    """Return whether the line has a text that no program is said to have read."""
    return bool(line.text and line.text.strip()) and line.reader is None


def has_persons_text(page: Page) -> bool:
    """Return whether any line of the page was transcribed or corrected by a person."""
    return any(map(is_written_by_person, page.lines))


def has_machine_text(page: Page) -> bool:
    """Return whether any line of the page is as a program read it."""
    return any(line.reader is not None for line in page.lines)


def is_machine_read(page: Page) -> bool:
    """Return whether all text of the page is as a program read it, and there is some."""
    return has_machine_text(page) and not has_persons_text(page)


def find_main_reader(pages: Iterable[Page]) -> str:
    """Who read most of the lines that a program read."""
    readers = Counter(line.reader for page in pages for line in page.lines if line.reader is not None)
    return readers.most_common(1)[0][0] if readers else ""


def make_machine_read_issue(page: Page, reason: str, used: str = "") -> Issue:
    """Why a page that a program read is not used: `reason` goes on after who wrote it. `used` is the file that is."""
    lines = sum(line.reader is not None for line in page.lines)
    told = f"was written by {find_main_reader([page])}, {reason}"
    return Issue(str(page.source), "", told, "machine_read", used, machine_read=lines)


def drop_machine_read(reading: SourceContents) -> SourceContents:
    """Return the lines that people wrote, and a problem for each file with others. A page that has no other line goes.

    Raises `UserError` where that leaves none.
    """
    left_out = [page for page in reading.pages if has_machine_text(page)]
    if not left_out:
        return reading
    pages = [_keep_persons_part(page) if has_machine_text(page) else page for page in reading.pages]
    kept = [page for page, before in zip(pages, reading.pages, strict=True) if page.lines or not before.lines]
    if not any(map(has_persons_text, kept)):
        count = sum(line.reader is not None for page in left_out for line in page.lines)
        raise UserError(
            f"{left_out[0].source}: no line of the data was transcribed by a person; {count:,} "
            f"{'was' if count == 1 else 'were'} written by {find_main_reader(left_out)} and not corrected since: "
            f"{ADVICE}"
        )
    return replace(reading, pages=tuple(kept), problems=(*reading.problems, *_report_left_out(left_out)))


def _keep_persons_part(page: Page) -> Page:
    """Without the lines that a program read, and the regions that have no others: they are not empty."""
    lines = tuple(line for line in page.lines if line.reader is None)
    emptied = {line.region_id for line in page.lines} - {line.region_id for line in lines}
    return replace(page, lines=lines, regions=tuple(region for region in page.regions if region.id not in emptied))


def _report_left_out(pages: Sequence[Page]) -> list[Issue]:
    by_source: dict[str, list[Page]] = {}
    for page in pages:
        by_source.setdefault(str(page.source), []).append(page)
    problems: list[Issue] = []
    for source, members in by_source.items():
        lines = [line for page in members for line in page.lines]
        count = sum(line.reader is not None for line in lines)
        verb = "was" if count == 1 else "were"
        reason = (
            f"{count:,} of {len(lines):,} lines {verb} written by {find_main_reader(members)} and not corrected since"
        )
        advice = ADVICE_ON_SCORING if members[0].subset in ("val", "test") else ADVICE
        left_out = Issue(source, "", f"{reason}; {advice}", "machine_read", machine_read=count)
        problems += of_part([left_out], members[0].subset)
    return problems


def add_pseudo_labels(split: Split, pages: Sequence[Page], by: str, hashes: Mapping[str, str]) -> Split:
    """Return the split of the pages that people transcribed, and the others in training: all but those of a group or
    image that is validated or tested on, and those that the data state for these parts. `by` and `hashes` are those of
    the split."""
    parts = dict(split.parts)
    problems = []
    for component in connect_pages(pages, by, 0, hashes):
        names = [name for page in component.pages for name in (page.id, hashes.get(page.id, ""))]
        sides = {parts[name] for parts in (split.parts, split.apart) for name in names if name in parts} - {"train"}
        for page in component.pages:
            if page.id in split.parts:
                continue
            if page.subset in ("val", "test"):
                reason = f"which is no ground truth for the {page.subset} part"
                problems += of_part([make_machine_read_issue(page, reason)], page.subset)
            elif sides:
                reason = f"and its {by} is in the {min(sides)} part: training on it would leak"
                problems.append(make_machine_read_issue(page, reason))
            else:
                parts[page.id] = "train"
    return replace(split, parts=parts, problems=(*split.problems, *problems))
