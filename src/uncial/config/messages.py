"""What is wrong and what to do, from one of Hydra's and OmegaConf's many-lined messages or from our own."""

import re
import shlex
from collections.abc import Callable
from importlib.util import find_spec

from uncial.config.instantiate import describe_install
from uncial.config.keys import (
    did_you_mean,
    files_with,
    group_choices,
    group_names,
    known_keys,
    launcher_keys,
    named_groups,
)
from uncial.config.location import conf_folder, root_folder
from uncial.config.overrides import PEERS, hydra_value, quoted, quoting_advice
from uncial.config.peers import describe_counterpart, find_choice_called
from uncial.config.values import takes_list, takes_numbers, takes_whole_numbers
from uncial.errors import UserError


def explain_folder_error(error: OSError) -> str:
    """Return why the run's folder could not be created, and what to do."""
    reason = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return f"could not create the run's folder ({reason}); choose another with paths.outputs."


def explain_error(error: Exception) -> str:
    """What is wrong and what to do, from one of Hydra's and OmegaConf's many-lined messages or from our own."""
    text = str(error)
    if isinstance(error, UserError):
        return text
    for pattern, explain in _EXPLANATIONS:
        if found := re.search(pattern, text):
            return explain(*found.groups())
    lines = [line.strip() for line in text.splitlines() if line.strip() and "hydra.cc" not in line]
    return " ".join(lines[:3])


def _missing(key: str) -> str:
    return f"{key} has to be given: add {key}=… to the command."


def _unknown_key(key: str) -> str:
    if key.startswith("hydra.sweeper."):
        return f"there is no key {key} here: it belongs to a search, so give its sweep=… too, as sweep=optuna."
    if "." in key and key.replace(".", "/") in group_names(conf_folder()):
        return (
            f"{key} lacks a key that the mapping gives it: `--cfg job --package {key}` shows those that it has; a "
            "mapping with a _target_ takes the place of all of them."
        )
    if key in named_groups(conf_folder()):
        return f"there is no {key} to choose: conf/{key} holds no file."
    if key.startswith("hydra.launcher."):
        near = did_you_mean(key, launcher_keys(conf_folder()))
        return f"the launcher has no key {key}.{near} hydra/launcher=… chooses another one."
    if files := files_with(key, conf_folder()):
        return f"there is no key {key} here: it belongs to {' and '.join(files[:3])}, which is not chosen."
    if told := describe_counterpart(key, root_folder() / PEERS):
        return f"there is no key {key}: {told}"
    known = group_names(conf_folder()) if "/" in key else [*known_keys(conf_folder()), *group_names(conf_folder())]
    return f"there is no key {key}.{did_you_mean(key, known)} `--cfg job` shows all keys."


def _nothing_to_delete(key: str) -> str:
    if key in known_keys(conf_folder()) and None in known_keys(conf_folder())[key]:
        return f"~{key} deletes nothing, since {key} is null already: leave it out."
    return _unknown_key(key)


def _chosen_twice(group: str) -> str:
    return f"{group} is chosen already, and a plus sign chooses a second one: write {group}=NAME, without the plus."


def _unknown_choice(group: str, name: str, listed: str | None = None) -> str:
    """`listed` are the choices as Hydra lists them, one a row, those of a `--config-dir` among them."""
    if group == "hydra/launcher":
        return _unknown_launcher(name)
    choices = sorted({*group_choices(conf_folder(), group), *(listed or "").split()} - {"base"})
    if not name:
        return f"{group}= has no value: write one behind the equals sign. Choices: {', '.join(choices)}."
    if called := find_choice_called(name, conf_folder(), group):
        return f"{group}={name} does not exist; here it is {group}={called}. Choices: {', '.join(choices)}."
    none = {"logger": "default"}.get(group, "none")  # The files that choose nothing.
    meant = none if name.lower() in ("null", "false", "no", "off", "0") and none in choices else name
    return f"{group}={name} does not exist.{did_you_mean(meant, choices)} Choices: {', '.join(choices) or 'none'}."


def _unknown_launcher(name: str) -> str:
    """That of joblib is a package's of its own; where it is missing Hydra knows nothing of it."""
    choices = sorted({"basic", "joblib", *group_choices(conf_folder(), "hydra/launcher")})
    told = "is not installed." if name == "joblib" else f"does not exist.{did_you_mean(name, choices)}"
    is_missing = find_spec("hydra_plugins.hydra_joblib_launcher") is None
    more = f" For joblib {describe_install('joblib')}" if is_missing else ""
    return f"hydra/launcher={name} {told} Choices: {', '.join(choices)}.{more}"


def _several_values(argument: str) -> str:
    key, _, value = argument.partition("=")
    told = f"{argument} is several values, which only -m (a sweep) takes."
    values = [one.strip() for one in value.split(",")]
    if key == "logger":
        return f"{told} Several loggers are a list: {key}=[{','.join(values)}]"
    if key in group_names(conf_folder()):
        return f"{told} For one run choose one of them; -m before the keys makes a run of each."
    if takes_list(key, conf_folder()):
        typed = shlex.quote(f"{key}=[{','.join(map(hydra_value, values))}]")
        is_text = not all(re.fullmatch(r"-?[\d.]+", one) for one in values)
        return f"{told} A list is {typed}" + (f", one value with a comma in it {quoted(argument)}" if is_text else "")
    if takes_numbers(key, conf_folder()):
        point = not takes_whole_numbers(key, conf_folder())
        if point and re.fullmatch(r"\d+,\d+", value):
            return f"{told} If it is one number, its decimals stand behind a point: {key}={value.replace(',', '.')}"
        return f"{told} For one run give one of them; -m before the keys makes a run of each."
    return f"{told} {quoting_advice(argument)}"


def _no_variable(name: str) -> str:
    return f"the environment variable {name} is not set, which the config asks for."


def _no_reference(name: str) -> str:
    return f"${{{name}}} refers to a key that does not exist; a $ that is part of a value is written \\${{{name}}}."


_EXPLANATIONS: tuple[tuple[str, Callable[..., str]], ...] = (
    (r"Missing mandatory value: (\S+)", _missing),
    (r"(?s)Missing mandatory value.*full_key: (\S+)", _missing),
    (r"Could not override '([^']+)'", _unknown_key),
    (r"Could not delete from config\. '([^']+)'", _nothing_to_delete),
    (r"Multiple values for (\S+)\. To override a value", _chosen_twice),
    (r"Could not delete\. No match for '([^']+)'", _unknown_key),
    (r"Could not find '([^']+)/([^'/]*)'(?:\s+Available options in '[^']*':((?:\n\t.*)*))?", _unknown_choice),
    (r"Could not load '([^']+)/([^'/]+)'", _unknown_choice),
    (r"Ambiguous value for argument '([^\n]*)'\n", _several_values),
    (r"Environment variable '([^']+)' not found", _no_variable),
    (r"Interpolation key '([^']+)' not found", _no_reference),
)
"""What to make of the messages that Hydra and OmegaConf have for a user's mistakes."""
