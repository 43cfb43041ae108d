"""What a person should hear of lines whose polygon, baseline and page contradict one another."""

from collections.abc import Iterator, Sequence

from uncial.document import PageWarning
from uncial.imaging.page_geometry import FarVertex, ResolvedLine

NAMED = 3
"""Lines that a sentence about a page names."""


def notes_on_geometry(lines: Sequence[ResolvedLine]) -> Iterator[PageWarning]:
    """One note for the lines of a page whose baseline lies outside the polygon, one for each far point."""
    by_baseline = [found.line.id for found in lines if found.cut_by == "baseline"]
    by_polygon = [found.line.id for found in lines if found.cut_by == "polygon"]
    if by_baseline:
        reason = (
            f"the baselines of {len(by_baseline)} of {len(lines)} lines lie outside their polygons, and these lines "
            f"were cut by their baselines alone ({_named(by_baseline)}); look whether the polygons are those of these "
            "lines and of this image, and export or draw them anew"
        )
        yield PageWarning("baseline_outside_polygon", reason, lines=len(by_baseline))
    if by_polygon:
        reason = (
            f"the baselines of {len(by_polygon)} of {len(lines)} lines lie outside their polygons, off the page or "
            f"where nothing is written, and these lines were cut by their polygons alone ({_named(by_polygon)}); "
            "export or draw the baselines anew"
        )
        yield PageWarning("baseline_outside_polygon", reason, lines=len(by_polygon))
    for found in lines:
        for vertex in found.far:
            yield PageWarning("far_vertex", _told(vertex), found.line.id)


def _told(vertex: FarVertex) -> str:
    where = f"point {vertex.position + 1} of {vertex.count} of its {vertex.outline} {_place(vertex.stated)}"
    done = "was left out" if vertex.moved_to is None else f"was set back to {_place(vertex.moved_to)}"
    return f"{where} lies far from the rest of the line and {done}; correct its coordinates"


def _place(point: tuple[float, float]) -> str:
    return f"({point[0]:.10g}, {point[1]:.10g})"


def _named(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return f"line{'s' if len(ids) > 1 else ''} {', '.join(ids[:NAMED])}{more}"
