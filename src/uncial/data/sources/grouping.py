"""Which page a line image was cut from, told by its name: splits keep the lines of a page together."""

import os
import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from uncial.errors import UserError

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_LINE_UUID = re.compile(rf"(.+?)[-_.](?:[a-z]+_)?{_UUID}", re.IGNORECASE)
_LINE_WORD = re.compile(
    r"(.+?)[-_.](?:esc_)?(?:(?:text)?(?:line|region|block)[-_]?[0-9a-f]|(?:tr|tl|ln|r|l)[-_]?\d).*", re.IGNORECASE
)
_LINE_NUMBER = re.compile(r"(.*\d[^-_.]*)[-_.]\d+[a-z]?", re.IGNORECASE)


def page_groups(relatives: Sequence[str], pattern: str | None = None) -> list[str]:
    """The page of each line image; `relatives` are paths below the root, with or without suffix.

    `pattern` is a regular expression searched in the path without suffix; its first group names the page (an image that
    it does not fit stands for itself). Without one the name decides, the first rule that fits:

    1. Loghi's folders: `P/P-line_3.png` was cut from `P`, where the rest does not begin with a digit or is a UUID;
    2. `P-r1l3`, `P_line_3`, `P-<UUID>`: a word for a region or line, or a UUID, follows the page's name;
    3. `P_27`, where `P` ends in a part with a digit (`book_0051_27` is line 27 of `book_0051`);
    4. names that tell nothing: the folder, below the deepest folder that holds all images;
    5. images in that deepest folder itself: each stands for itself.
    """
    stems = [os.path.splitext(relative)[0] for relative in relatives]  # noqa: PTH122 - ids, not paths on this disk
    if pattern is not None:
        return [_by_pattern(stem, _compiled(pattern)) for stem in stems]
    top = os.path.commonpath([os.path.dirname(stem) for stem in stems]) if stems else ""  # noqa: PTH120
    return [_by_name(PurePosixPath(stem), top) for stem in stems]


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UserError(f"data.page_pattern='{pattern}' is no regular expression ({error})") from error
    if not compiled.groups:
        raise UserError(f"data.page_pattern='{pattern}' has no group: put the part that names the page in parentheses")
    return compiled


def _by_pattern(stem: str, pattern: re.Pattern[str]) -> str:
    match = pattern.search(stem)
    return match.group(1) if match and match.group(1) else stem


def _by_name(stem: PurePosixPath, top: str) -> str:
    folder, name = stem.parent, stem.name
    rest = name[len(folder.name) + 1 :] if folder.name and name.startswith(folder.name) else ""
    if rest and name[len(folder.name)] in "-_." and (not rest[0].isdigit() or re.fullmatch(_UUID, rest, re.IGNORECASE)):
        return folder.as_posix()
    for rule in (_LINE_UUID, _LINE_WORD, _LINE_NUMBER):
        match = rule.fullmatch(name)
        if match:
            return (folder / match.group(1)).as_posix()
    return stem.as_posix() if folder == PurePosixPath(top) else folder.as_posix()
