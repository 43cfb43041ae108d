"""What the keys of the config take, and the check of a composed config against that.

What a class of settings says of a key holds (`uncial.config.schema.list_rules`). Of keys that none names, as the
arguments of a `_target_`, a value of the same kind as the default in conf/ is expected.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from uncial.config.keys import group_names, iterate_nested_keys, list_known_keys
from uncial.config.schema import build_settings, is_complete, list_rules, list_settings_classes
from uncial.config.settings import Key, KeyRule, Settings, list_key_rules
from uncial.config.task_keys import read_stated_keys
from uncial.errors import UserError


def check_values(config: DictConfig, conf: Path) -> None:
    """Raise `UserError` for the first value that is empty, of another kind than its key takes or out of its range, and
    for values that do not fit each other.

    Keys that neither settings nor a file of `conf` define are left alone, and so is what the config still lacks.
    """
    defaults, known = list_known_keys(conf), list_rules()
    for key, value in iterate_nested_keys(OmegaConf.to_container(config, resolve=True), ""):
        rule = known.get(key)
        if (key in defaults or rule) and value != "???":
            _check(key, value, defaults.get(key, []), rule)
            _check_bounds(key, value, rule)
    _check_together(config)


def check_value(key: str, value: Any, conf: Path) -> None:
    """Raise `UserError` for a value of another kind than the key takes. The choices of a group, and what nothing
    defines, pass."""
    defaults = list_known_keys(conf).get(key, [])
    if key not in group_names(conf) and (defaults or key in list_rules()):
        _check(key, value, defaults, list_rules().get(key))


def _check_together(config: DictConfig) -> None:
    """Check the values of each group that the task reads as a whole, where none of them is still lacking."""
    stated = read_stated_keys(config.task) if "task" in config else None
    for group, settings in list_settings_classes().items():
        is_read = stated is None or group in stated.reads
        if is_read and settings.check is not Settings.check and is_complete(settings, config):
            build_settings(settings, config).check()


def _check(key: str, value: Any, defaults: list[Any], rule: KeyRule | None) -> None:
    if value == "" and "" not in defaults:
        raise UserError(f"{key}= has no value: write one behind the equals sign, or {key}=null for none.")
    if key.startswith("logger.") and isinstance(value, dict) and "_target_" in value:
        return  # A logger under the name of one of the files that every run has.
    if rule is None and value is None and _is_callback(key, defaults):
        return  # It takes the callback out.
    rule = rule or _derive_rule(defaults)
    if rule is None:
        return
    if rule.entry is not None:
        _check_entries(key, value, list_key_rules(rule.entry))
    entries = value if isinstance(value, list) else [value]
    if rule.key.is_name and any(isinstance(one, bool | int | float) for one in entries):
        raise UserError(
            f"{key} is {format_value(value)} in a config file, no text, and what was meant cannot be told (1744_1745 "
            "is a number there): put the name in quotes."
        )
    if value is not None or not rule.is_nullable:
        _check_rule(key, value, rule, next((one for one in defaults if one is not None), None))


def _is_callback(key: str, defaults: list[Any]) -> bool:
    named = [isinstance(default, dict) and "_target_" in default for default in defaults]
    return key.startswith("callbacks.") and bool(named) and all(named)


def _derive_rule(defaults: list[Any]) -> KeyRule | None:
    """Return the rule of a key of which the files of conf/ alone say what it takes: a value of the kind that all the
    defaults are. None where they are of several kinds, or null."""
    if defaults and all(isinstance(default, bool) for default in defaults):
        return KeyRule(Key(), frozenset({bool}))
    if defaults and all(map(_is_number, defaults)):
        is_whole = all(isinstance(default, int) for default in defaults)
        return KeyRule(Key(), frozenset({int} if is_whole else {int, float}))
    if defaults and all(isinstance(one, list) and one and all(map(_is_number, one)) for one in defaults):
        return KeyRule(Key(), frozenset({int, float}), takes_list=True, is_list=True)
    if defaults and all(isinstance(default, dict) for default in defaults):
        return KeyRule(Key(), frozenset({Mapping}))
    return None


def _check_rule(key: str, value: Any, rule: KeyRule, example: Any) -> None:
    entries = value if isinstance(value, list) else [value]
    if rule.is_number:
        _check_number(key, value, rule, example)
    elif rule.is_list_of_numbers and not all(map(_is_number, entries)):
        raise UserError(f"{key}={format_value(value)}: numbers are expected, for instance {_format_list(example)}.")
    elif rule.kinds == {bool} and not isinstance(value, bool):
        raise UserError(f"{key}={format_value(value)}: true or false is expected.")
    elif Mapping in rule.kinds and not rule.is_nullable and not isinstance(value, dict):
        raise UserError(f"{key}={format_value(value)}: {key} holds keys of its own; give one of them, {key}.KEY=VALUE.")


def _check_bounds(key: str, value: Any, rule: KeyRule | None) -> None:
    """Raise `UserError` for a value of the right kind that is none of the choices or out of bounds."""
    if rule is None:
        return
    entries = value if isinstance(value, list) else [value]
    if rule.key.choices and any(str(one) not in rule.key.choices for one in entries if one is not None):
        told = rule.key.expected or f"choose one of {', '.join(rule.key.choices)}"
        raise UserError(f"{key}={value}: {told}.")
    if not all(rule.key.allows(one) for one in entries if _is_number(one)):
        told = rule.key.expected or f"a number is needed that is {rule.key.least} or more"
        raise UserError(f"{key}={value}: {told}.")


def _check_number(key: str, value: Any, rule: KeyRule, example: Any) -> None:
    more = ", or null" if rule.is_nullable else f", for instance {example}" if example is not None else ""
    if not _is_number(value):
        told = rule.key.expected if not more and rule.key.expected else f"a number is expected{more}"
        raise UserError(f"{key}={format_value(value)}: {told}.")
    if rule.is_whole_number and not float(value).is_integer():
        raise UserError(f"{key}={value}: a whole number is expected{more}.")


def _check_entries(key: str, value: Any, names: Mapping[str, KeyRule]) -> None:
    """Within a table, on the command line too, 1744_1745 is read as a number before it is known to be a name."""
    for table in value if isinstance(value, list) else ():
        for name, rule in names.items() if isinstance(table, dict) else ():
            found = table.get(name)
            entries = found if isinstance(found, list) else [found]
            if rule.key.is_name and any(isinstance(one, bool | int | float) for one in entries):
                raise UserError(
                    f"{key}: {name} is {format_value(found)}, no text, and what was meant cannot be told (1744_1745 is "
                    f'a number there): put the name in quotes, {{format: page, {name}: "1744_1745"}}.'
                )


def takes_name(key: str) -> bool:
    """Return whether the value is a name, a path or a pattern of them, or a list of such, whatever it looks like: a
    folder may be called 1744_1745."""
    return key in list_rules() and list_rules()[key].key.is_name


def takes_numbers(key: str, conf: Path) -> bool:
    """Return whether the key's value is a number, or may be one."""
    rule = list_rules().get(key) or _derive_rule(list_known_keys(conf).get(key, []))
    return rule is not None and rule.is_number


def takes_whole_numbers(key: str, conf: Path) -> bool:
    """Return whether the key's value is a whole number."""
    rule = list_rules().get(key) or _derive_rule(list_known_keys(conf).get(key, []))
    return rule is not None and rule.is_whole_number


def takes_list(key: str, conf: Path) -> bool:
    """Return whether the key's value may be a list."""
    if key in list_rules():
        return list_rules()[key].takes_list
    return any(isinstance(default, list) for default in list_known_keys(conf).get(key, []))


def format_value(value: Any) -> str:
    """Return a value as it is typed on the command line."""
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _format_list(values: Any) -> str:
    return f"[{','.join(map(str, values))}]" if isinstance(values, list) else str(values)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
