"""The list of wrong changes that `make named-mutants` makes is one of this program and these tests."""

import ast
from collections import Counter

import pytest
from named_mutants import LIST, ROOT, Mutant, read_mutants

MUTANTS = read_mutants(LIST)


def test_no_name_stands_twice():
    assert [name for name, times in Counter(mutant.name for mutant in MUTANTS).items() if times > 1] == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_change_fits_the_program_and_names_tests_that_there_are(mutant: Mutant):
    source = mutant.source(ROOT).read_text(encoding="utf-8")
    changed = ast.dump(ast.parse(mutant.apply(source)))
    assert changed != ast.dump(ast.parse(source)), "it changes nothing"
    assert mutant.tests
    for test in mutant.tests:
        file, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / "tests" / file).read_text(encoding="utf-8"), test
