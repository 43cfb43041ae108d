"""Ranked runs as texts for a paper or a wiki: leaderboard.md, and leaderboard.tex with the rules of booktabs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from uncial.files import replace_text_file
from uncial.reports.tables.leaderboard import format_cost, format_figure_cells, list_figure_headings, list_notes
from uncial.reports.terminal.formatting import format_markdown_cell, format_markdown_table, make_visible
from uncial.runs.ranking import Ranking, RunPair

SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "–": "--",
    "<": r"$<$",
    ">": r"$>$",
    "|": r"$|$",
    '"': r"\textquotedbl{}",
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
}
"""What TeX would take for a command, or would not find in its fonts."""


def write_leaderboard_text(path: Path, ranking: Ranking, pair: RunPair | None, commands: Mapping[str, str]) -> None:
    """Write leaderboard.md: the table, what stands against it, the runs without a score, in what two runs differ, and
    commands by what they do."""
    with replace_text_file(path) as file:
        file.write("\n\n".join(_list_sections(ranking, pair, commands)) + "\n")


def _list_sections(ranking: Ranking, pair: RunPair | None, commands: Mapping[str, str]) -> Iterator[str]:
    yield "# Leaderboard"
    yield f"{format_cost(ranking)}, ranked by {format_markdown_cell(ranking.score.name)}."
    yield from list_notes(ranking)
    if ranking.entries:
        header, rows = _table(ranking)
        runs = [", ".join(str(run.folder) for run in entry.runs) for entry in ranking.entries]
        yield format_markdown_table((*header, "run"), [(*row, run) for row, run in zip(rows, runs, strict=True)])
    if ranking.others:
        yield "## Without a score"
        yield format_markdown_table(
            ("run", "state", "error"), [(str(run.folder), run.state, run.error) for run in ranking.others]
        )
    if pair is not None:
        yield f"## {format_markdown_cell(str(pair.first))} and {format_markdown_cell(str(pair.second))} differ in"
        cells = [(one.key, one.first, one.second) for one in pair.differences]
        yield format_markdown_table(("setting", "the first", "the second"), cells) if cells else "No setting."
    for what, command in commands.items():
        yield f"## {what}"
        yield f"```sh\n{make_visible(command)}\n```"


def _table(ranking: Ranking) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    header = ("", *(format_markdown_cell(column) for column in ranking.columns), *list_figure_headings(ranking))
    rows = [
        (str(place), *entry.settings, *format_figure_cells(entry, ranking))
        for place, entry in enumerate(ranking.entries, 1)
    ]
    return header, rows


def write_leaderboard_latex(path: Path, ranking: Ranking) -> None:
    """Write leaderboard.tex: a table with the rules of booktabs, the best score in bold; without entries an empty one.
    Comments name the runs of each row."""
    with replace_text_file(path) as file:
        file.write("\n".join(_list_latex_lines(ranking)) + "\n")


def _list_latex_lines(ranking: Ranking) -> Iterator[str]:
    header = (*ranking.columns, *list_figure_headings(ranking))
    yield "% \\usepackage{booktabs} belongs into the preamble."
    yield "\\begin{table}"
    yield "  \\centering"
    yield f"  \\caption{{{_caption(ranking)}}}"
    yield "  \\label{tab:leaderboard}"
    yield f"  \\begin{{tabular}}{{{'l' * len(ranking.columns)}{'r' * (len(header) - len(ranking.columns))}}}"
    yield "    \\toprule"
    yield f"    {_row(header)}"
    yield "    \\midrule"
    for place, entry in enumerate(ranking.entries):
        cells = [latex(cell) for cell in (*entry.settings, *format_figure_cells(entry, ranking))]
        score = len(ranking.columns)
        cells[score] = f"\\textbf{{{cells[score]}}}" if place == 0 and len(ranking.entries) > 1 else cells[score]
        folders = ", ".join(make_visible(str(run.folder)) for run in entry.runs)
        yield f"    % {folders}"
        yield f"    {' & '.join(cells)} \\\\"
    yield "    \\bottomrule"
    yield "  \\end{tabular}"
    yield "\\end{table}"


def _caption(ranking: Ranking) -> str:
    spread = "of several runs the mean and its standard deviation are given"
    return latex(f"Runs ranked by {ranking.score.name}; {spread}.")


def _row(cells: Sequence[str]) -> str:
    return f"{' & '.join(map(latex, cells))} \\\\"


def latex(text: str) -> str:
    """Return text that TeX sets as it stands, with a thin space before the percent sign."""
    escaped = "".join(SPECIAL.get(letter, letter) for letter in make_visible(text))
    return re.sub(r"(?<=\d) \\%", r"\\,\\%", escaped)
