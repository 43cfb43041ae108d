from hypothesis import given
from hypothesis import strategies as st

from uncial.metrics.error_rates import compare
from uncial.reports.terminal.sample_lines import Span, align

short = st.text(st.sampled_from("ab é\u0301\uf1ac"), max_size=12)


@given(short, short)
def test_spans_join_to_both_texts_and_count_the_edits_of_the_scores(truth, prediction):
    spans = align(truth, prediction)
    assert "".join(span.truth for span in spans) == truth
    assert "".join(span.prediction for span in spans) == prediction
    assert all((span.truth == span.prediction) == (span.kind == "equal") for span in spans)
    edits = sum(max(len(span.truth), len(span.prediction)) for span in spans if span.kind != "equal")
    assert edits == compare(truth, prediction).edits


def test_kinds():
    assert align("abcd", "axc!") == (
        Span("equal", "a", "a"),
        Span("replace", "b", "x"),
        Span("equal", "c", "c"),
        Span("replace", "d", "!"),
    )
    assert align("ab", "a") == (Span("equal", "a", "a"), Span("delete", "b", ""))
    assert align("a", "ab") == (Span("equal", "a", "a"), Span("insert", "", "b"))
