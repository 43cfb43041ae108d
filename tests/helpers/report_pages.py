"""Lines that were never read by a model, and what the script of a report is given of them."""

import json
import re
from pathlib import Path
from typing import Any

from uncial.metrics.lines import EvaluatedLine, LineOrigin, evaluate_line

NASTY = "</script><img src=x onerror=document.title='bad'> & 'a' \"b\" ]]> <!--"
TEXTS = ("ein wort & mehr", "בראשית ברא אלהים", "é ſ <b>x</b>", "الحمد لله")


def evaluated_lines(count: int, per_page: int = 20, wrong: int = 3) -> list[EvaluatedLine]:
    """Lines of four scripts, of two hands one of which has a nasty name; of every `wrong`-th the second letter is read
    as x, with a confidence of 0.3, and each hundredth is read without its last letter."""
    found = []
    for number in range(count):
        truth = TEXTS[number % len(TEXTS)]
        read = truth[0] + "x" + truth[2:] if number % wrong == 0 else truth
        read = read[:-1] if number % 100 == 99 else read
        sure = [0.3 if letter == "x" else 0.99 for letter in read]
        origin = LineOrigin(f"p{number // per_page}", f"l{number}", hand=("anna", NASTY)[number % 2], row=number)
        found.append(evaluate_line(origin, truth, read, "nfc_strip", 0.9 - (number % 50) / 100, sure))
    return found


def listed(page: Path) -> dict[str, Any]:
    """The data of the lines in a report."""
    found = re.search(r'<script type="application/json" id="lines">(.*?)</script>', page.read_text(encoding="utf-8"))
    assert found is not None
    return json.loads(found[1])
