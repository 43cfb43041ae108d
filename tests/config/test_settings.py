"""Settings: data classes that say what keys take, checked against what was typed and built from it."""

import ast
import importlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf
from program import ROOT

from uncial.config import schema, values
from uncial.config.schema import MODULES, build_settings, list_rules, list_settings_classes
from uncial.config.settings import NAME, Key, Settings, list_key_rules
from uncial.errors import UserError

CONF = ROOT / "conf"


@dataclass(frozen=True)
class Inner(Settings):
    minutes: Annotated[float, Key(least=0, unit="minutes")]


@dataclass(frozen=True)
class Some(Settings):
    GROUP = "some"

    count: Annotated[int | None, Key(least=1)]
    share: Annotated[float, Key(above=0, below=1, expected="a share is needed")]
    kind: Annotated[str, Key(choices=("a", "b"))]
    flag: bool
    folder: Annotated[tuple[str, ...], NAME]
    inner: Inner
    devices: int | str | tuple[int, ...]
    later: str = "as ever"

    def check(self) -> None:
        if self.flag and self.count is None:
            raise UserError("some.flag needs some.count.")


GOOD = {
    "count": None,
    "share": 0.5,
    "kind": "a",
    "flag": False,
    "folder": "x",
    "inner": {"minutes": 3},
    "devices": [0, 2],
}


def config(**other: object) -> object:
    return OmegaConf.create({"some": {**GOOD, **other}})


@pytest.fixture
def known(monkeypatch):
    """The settings above, as if a room had them."""
    monkeypatch.setattr(schema, "list_settings_classes", lambda: {"some": Some})
    own = {f"some.{name}": rule for name, rule in list_key_rules(Some).items()}
    for module in (schema, values):
        monkeypatch.setattr(module, "list_rules", lambda: own)
    monkeypatch.setattr(values, "list_settings_classes", lambda: {"some": Some})


def test_settings_are_built_with_the_types_of_their_fields():
    built = build_settings(Some, config(count=3.0, share=1, folder=None))
    assert built == Some(3, 1.0, "a", False, (), Inner(3.0), (0, 2), "as ever")
    assert isinstance(built.count, int)
    assert isinstance(built.inner.minutes, float)
    assert build_settings(Some, config(devices="auto", folder=["x", "1_2"])).folder == ("x", "1_2")


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"count": 0}, "some.count=0: a number is needed that is 1 or more."),
        ({"count": 1.5}, "some.count=1.5: a whole number is expected, or null."),
        ({"count": "x"}, "some.count=x: a number is expected, or null."),
        ({"share": 1}, "some.share=1: a share is needed."),
        ({"share": None}, "some.share=null: a share is needed."),
        ({"kind": "c"}, "some.kind=c: choose one of a, b."),
        ({"flag": 1}, "some.flag=1: true or false is expected."),
        ({"folder": [17]}, "some.folder is .*put the name in quotes"),
        ({"inner": {"minutes": -1}}, "some.inner.minutes=-1: a number is needed that is 0 or more."),
        ({"flag": True}, "some.flag needs some.count."),
        ({"kind": ""}, "some.kind= has no value"),
    ],
)
def test_what_a_key_does_not_take_is_said(known, other, message):
    with pytest.raises(UserError, match=message.replace("[", r"\[")):
        values.check_values(config(**other), CONF)


def test_what_all_keys_take_passes(known):
    values.check_values(config(count=7, flag=True), CONF)


@given(st.floats() | st.integers(), st.floats(0, 1), st.floats(1, 2))
def test_bounds_are_those_of_arithmetic(number, low, high):
    assert Key(least=low, most=high).allows(number) == (low <= number <= high)
    assert Key(above=low, below=high).allows(number) == (low < number < high)
    assert Key().allows(number)


@pytest.mark.parametrize("missing", ["???", None])
def test_a_value_that_is_missing_is_asked_for(missing):
    given_ = {key: value for key, value in GOOD.items() if key != "kind"} | ({"kind": missing} if missing else {})
    with pytest.raises(UserError, match=r"some\.kind has to be given: add some\.kind=…"):
        build_settings(Some, OmegaConf.create({"some": given_}))


def test_each_group_has_one_class():
    every = [
        value
        for name in MODULES
        for value in vars(importlib.import_module(name)).values()
        if isinstance(value, type) and issubclass(value, Settings) and "GROUP" in vars(value)
    ]
    groups = [one.GROUP for one in {*every}]
    assert sorted(groups) == sorted(list_settings_classes())


@pytest.mark.parametrize("name", MODULES)
def test_settings_import_the_form_alone(name):
    path = Path(str(importlib.import_module(name).__file__))
    imported = {
        node.module
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
    }
    assert {one for one in imported if one and one.startswith("uncial")} <= {"uncial.config.settings", "uncial.errors"}
    assert not {one for one in imported if one and one.partition(".")[0] in ("torch", "omegaconf", "hydra")}


def test_every_room_that_has_settings_is_known():
    rooms = {path.relative_to(ROOT / "src").with_suffix("").as_posix().replace("/", ".") for path in found_settings()}
    assert rooms == {*MODULES}


def found_settings() -> list[Path]:
    """The modules that hold classes of settings for the config."""
    every = (ROOT / "src" / "uncial").glob("*/settings.py")
    return [path for path in every if path.parent.name != "config"]


def test_bounds_are_finite_numbers():
    assert len(list_rules()) > 100
    for key, rule in list_rules().items():
        bounds = (rule.key.least, rule.key.most, rule.key.above, rule.key.below)
        assert all(bound is None or math.isfinite(bound) for bound in bounds), key
