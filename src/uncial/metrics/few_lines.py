"""When so few lines are scored that the figures say little."""

FEW_LINES, FEW_PAGES = 50, 4
"""With fewer a few words decide on the error rate, and confidences and forecasts are fitted to what may be chance."""


def few_lines_warning(lines: int, pages: int, kind: str) -> str:
    """A sentence on lines of so many pages, `kind` as in `validation`; nothing where there are enough of both."""
    if (lines >= FEW_LINES and pages >= FEW_PAGES) or not lines:
        return ""
    counted = f"{lines:,} {kind} line{'' if lines == 1 else 's'} of {pages:,} page{'' if pages == 1 else 's'}"
    return (
        f"Only {counted}: the error rate, the choice of the best model, confidences and forecasts mean little; "
        f"{FEW_LINES} lines of {FEW_PAGES} pages or more say more."
    )
