"""What tests of what is learned share."""

import pytest


@pytest.fixture(scope="session")
def data(drawn):
    """The keys that name the drawn pages."""
    return ("data=page", f"data.root={drawn / 'page'}")
