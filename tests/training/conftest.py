"""What tests of the training share."""

import pytest

from uncial.training.optimizers import muon


@pytest.fixture
def in_fp32(monkeypatch):
    """As on a processor without bf16, so that steps can be told to the last digits."""
    monkeypatch.setattr(muon, "computes_in_bf16", lambda device_type: False)
