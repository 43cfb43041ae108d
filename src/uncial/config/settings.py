"""How a room states the settings that it takes: frozen data classes whose fields are the keys of a config group.

    @dataclass(frozen=True)
    class TrainerSettings(Settings):
        GROUP = "trainer"

        max_steps: Annotated[int | None, Key(least=1, unit="steps")]
        gradient_clip_by: Annotated[str, Key(choices=("norm", "value"))]
        devices: int | str | tuple[int, ...]

The type says the kind of value; `None` in it, that null is allowed; a tuple, that a list or one value is. A field has a
default only where config files of earlier versions lack its key, and it is what such a file means: all other defaults
stand in conf/. `uncial.config.schema` names the modules that hold such classes, checks a config against them and builds
them from it.
"""

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar


@dataclass(frozen=True)
class Key:
    """What a key takes, beside what the type of its field says.

    `least` and `most` are allowed themselves, `above` and `below` are not. `is_name`: the value is a name, a path or a
    pattern, whatever it looks like. `expected` is what a message says of a value that is none of these.
    """

    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None
    unit: str = ""
    choices: tuple[str, ...] = ()
    is_name: bool = False
    expected: str = ""

    def allows(self, number: float) -> bool:
        """Return whether the number is within the bounds."""
        return (
            (self.least is None or number >= self.least)
            and (self.most is None or number <= self.most)
            and (self.above is None or number > self.above)
            and (self.below is None or number < self.below)
        )


NAME = Key(is_name=True)


class Settings:
    """Keys of the config group `GROUP`, whose dotted name it is; empty for keys of no group."""

    GROUP: ClassVar[str]

    def check(self) -> None:
        """Raise `UserError` for values that do not fit each other."""


@dataclass(frozen=True)
class KeyRule:
    """What one key takes: its `Key`, and of its type the kinds of a single value (int, Path …), whether null is
    allowed, whether a list is or nothing else, and of a list of tables the settings of an entry."""

    key: Key
    kinds: frozenset[Any]
    is_nullable: bool = False
    takes_list: bool = False
    is_list: bool = False
    entry: type[Settings] | None = None

    @property
    def is_number(self) -> bool:
        """Whether it takes one number."""
        return not self.takes_list and bool(self.kinds) and self.kinds <= {int, float}

    @property
    def is_whole_number(self) -> bool:
        """Whether it takes one whole number."""
        return self.is_number and float not in self.kinds

    @property
    def is_list_of_numbers(self) -> bool:
        """Whether it takes numbers, one or several."""
        return self.is_list and bool(self.kinds) and self.kinds <= {int, float}


def list_key_rules(settings: type[Settings]) -> Mapping[str, KeyRule]:
    """Return the rules of the keys by their names below the group, dotted for those of settings within."""
    return dict(_iterate_rules(settings, ""))


def _iterate_rules(settings: type[Settings], prefix: str) -> Iterator[tuple[str, KeyRule]]:
    hints = typing.get_type_hints(settings, include_extras=True)
    for field in fields(settings):  # type: ignore[arg-type]
        hint, key = hints[field.name], Key()
        if typing.get_origin(hint) is typing.Annotated:
            hint, key, *_ = typing.get_args(hint)
        if is_settings(hint):
            yield from _iterate_rules(hint, f"{prefix}{field.name}.")
        else:
            yield f"{prefix}{field.name}", _build_rule(key, hint)


def _build_rule(key: Key, hint: Any) -> KeyRule:
    is_union = typing.get_origin(hint) in (types.UnionType, typing.Union)
    every = typing.get_args(hint) if is_union else (hint,)
    parts = [part for part in every if part is not types.NoneType]
    lists = [part for part in parts if typing.get_origin(part) is tuple]
    kinds = {kind for part in lists for kind in typing.get_args(part) if kind is not Ellipsis}
    kinds |= {typing.get_origin(part) or part for part in parts if part not in lists}
    return KeyRule(
        key,
        frozenset(kinds),
        is_nullable=types.NoneType in every,
        takes_list=bool(lists),
        is_list=bool(lists) and len(lists) == len(parts),
        entry=next(filter(is_settings, kinds), None),
    )


def is_settings(hint: Any) -> bool:
    """Return whether a type is a class of settings."""
    return isinstance(hint, type) and issubclass(hint, Settings)
