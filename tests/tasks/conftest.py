"""What tests of the tasks share."""

import pytest


@pytest.fixture(scope="session")
def data(drawn):
    """The keys that name the drawn pages: half of them to train on, as many to validate as to test."""
    return ("data=page", f"data.root={drawn / 'page'}", "data.ratio=[0.5,0.25,0.25]")
