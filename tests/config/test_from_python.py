"""Values of Python as overrides: what is given is what comes out, whatever it looks like."""

from pathlib import Path

import numpy as np
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf
from program import ROOT

from uncial.config.from_python import build_overrides
from uncial.errors import UserError

CONF = ROOT / "conf"
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12)
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.lists(st.lists(st.integers(), max_size=2), max_size=2)


def value_of(override: str) -> object:
    parsed = OverridesParser.create().parse_override(override)
    config = OmegaConf.create({"value": parsed.value()})
    return OmegaConf.to_container(config, resolve=True)["value"]


@settings(max_examples=150, deadline=None)
@given(VALUES)
def test_a_value_comes_out_as_it_is(value):
    (override,) = build_overrides({"data.root": value}, CONF)
    assert value_of(override) == value


@pytest.mark.parametrize(
    "value",
    ["null", "true", "1e3", "1744_1745", "a b", "a,b", "it's", "${name}", "$HOME", "x=y", "[a]", "a\\", "\\'", " x "],
)
def test_no_text_is_taken_for_another(value):
    assert value_of(build_overrides({"name": value}, CONF)[0]) == value


def test_paths_numbers_of_numpy_and_mappings():
    lines = build_overrides(
        {
            "data.root": [Path("my pages"), "b"],
            "trainer": {"max_steps": np.int64(3), "patience": None},
            "model": {"head": {"hidden": 8}},
            "model/backbone": "crnn",
            "lr_factors": {"backbone": 0.1, "head.layers.0": 0.5},
            "optimizer.betas": (0.9, np.float64(0.5)),
        },
        CONF,
    )
    assert [line.partition("=")[0] for line in lines] == [
        "data.root", "trainer.max_steps", "trainer.patience", "model.head.hidden", "model/backbone", "lr_factors",
        "optimizer.betas",
    ]  # fmt: skip
    values = [value_of(line) for line in lines]
    assert values[0] == ["my pages", "b"]
    assert values[1:5] == [3, None, 8, "crnn"]
    assert values[5:] == [{"backbone": 0.1, "head.layers.0": 0.5}, [0.9, 0.5]]


@pytest.mark.parametrize("keys", [{"data.root": {1, 2}}, {"data.root": object()}, {1: 2}, {"a=b": 1}])
def test_what_no_config_can_hold(keys):
    with pytest.raises(UserError):
        build_overrides(keys, CONF)
