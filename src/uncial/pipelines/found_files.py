"""Where the files of found layouts and the images of their pages go, and how they are written."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from uncial.data.sources.scans import Scan
from uncial.document import ImageSource, Page
from uncial.errors import UnusableInput, UserError
from uncial.files import replace_file
from uncial.formats.alto.layout_document import build_layout_alto
from uncial.formats.page_xml.layout_document import build_layout_page
from uncial.formats.provenance import Reader, format_utc_now
from uncial.pipelines.output_places import keep_originals


@dataclass(frozen=True)
class Placement:
    """Where the file of a scan goes, and the image beside it, None where there is to be none."""

    scan: Scan
    file: Path
    image: Path | None

    @property
    def key(self) -> Path:
        """What the page is called in a journal: the path of its image, with its number there."""
        image = self.scan.page.image
        assert image is not None
        return Path(f"{image.path}#{image.frame}")


def place_scans(
    scans: Sequence[Scan], target: Path, with_images: bool, page_images: Path | None = None
) -> list[Placement]:
    """Return where everything goes below `target`: `NAME.xml`, the image under its own name beside it, and pages of
    TIFF and PDF files as `NAME.png` there, else below the folder `page_images`.

    Raises `UserError` where a file would take the place of one that is read."""
    placed = []
    for scan in scans:
        assert scan.page.image is not None
        file = target / f"{scan.name}.xml"
        if scan.number:
            placed.append(Placement(scan, file, (page_images or target) / f"{scan.name}.png"))
        else:
            placed.append(Placement(scan, file, file.with_name(scan.page.image.path.name) if with_images else None))
    read = [path for scan in scans for path in (scan.page.source, scan.page.image and scan.page.image.path) if path]
    keep_originals(read, [one.file for one in placed], target)
    keep_originals(read, [one.image for one in placed if one.image and one.scan.number], page_images or target)
    return placed


def list_page_images(placed: Sequence[Placement]) -> dict[ImageSource, Path]:
    """Return where the images of those pages go that are one of several in a file."""
    return {one.scan.page.image: one.image for one in placed if one.scan.number and one.scan.page.image and one.image}


def refuse_files_in_place(placed: Sequence[Placement], known: Sequence[Path], key: str = "predict.output") -> None:
    """Raise `UserError` where a file would be written in the place of another one: that may be somebody's work. `known`
    are those that an earlier command is known to have written."""
    ours = set(known)
    there = [one.file for one in placed if one.file not in ours and os.path.lexists(one.file)]
    if there:
        more = f" (and {len(there) - 1:,} more)" if len(there) > 1 else ""
        raise UserError(
            f"{key}: {there[0]} is there already{more} and is not overwritten: name another folder, or move it away."
        )


@dataclass(frozen=True)
class FoundFileWriter:
    """Writes pages as PAGE of a `version` or ALTO, `form`: `page`, `alto`, or `xml`, which is that of the page's own
    file and PAGE where there is none. `finder` is what the file says found the lines. `images` is how the image comes
    beside it: `link`, `copy` or `none`."""

    finder: Reader
    form: str
    version: str
    images: str

    def write(self, page: Page, place: Placement, is_kept: bool) -> None:
        """Write the file of a page, and its image beside it. A page that `is_kept` is copied to the byte, unless its
        file holds several.

        Raises `UnusableInput` where another image is in the place, `UserError` where a file cannot be written."""
        place.file.parent.mkdir(parents=True, exist_ok=True)
        image = place.scan.page.image
        if place.image is not None and not place.scan.number and image is not None:
            put_image(image.path, place.image, self.images)
        with replace_file(place.file) as temporary:
            if is_kept and not place.scan.number:
                shutil.copyfile(page.source, temporary)
            else:
                temporary.write_bytes(self._build(page))

    def has_written(self, file: Path) -> bool:
        """Return whether a file says that it is of this model, and holds no text yet."""
        content = file.read_bytes()
        model = f"{self.finder.model} ({self.finder.weights[:8]})".encode()
        return model in content and b"<Unicode" not in content

    def _build(self, page: Page) -> bytes:
        time = format_utc_now()
        form = page.metadata.get("format", "page") if self.form == "xml" else self.form
        if form == "alto":
            return build_layout_alto(page, self.finder, time)
        return build_layout_page(page, self.finder, time, self.version)


def put_image(image: Path, target: Path, how: str) -> None:
    """Make `target` a link to the image, or a copy of it (`how`: `link` or `copy`; a copy where links cannot be made).

    Raises `UnusableInput` where another file is in the place."""
    if os.path.lexists(target):
        if target.exists() and (target.samefile(image) or target.read_bytes() == image.read_bytes()):
            return
        raise UnusableInput(f"{target} is another file: move it away, or choose another folder with predict.output")
    target.parent.mkdir(parents=True, exist_ok=True)
    if how == "link":
        try:
            target.symlink_to(image.resolve())
            return
        except OSError:
            pass  # A file system without links.
    with replace_file(target) as temporary:
        shutil.copyfile(image, temporary)
