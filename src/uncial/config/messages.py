"""What is wrong and what to do, from one of Hydra's and OmegaConf's many-lined messages or from our own."""

import re
import shlex
from collections.abc import Callable
from importlib.util import find_spec

from uncial.config.instantiate import describe_install
from uncial.config.keys import (
    find_files_with,
    find_models_with,
    find_named_groups,
    group_choices,
    group_names,
    list_known_keys,
    list_launcher_keys,
    suggest_key,
)
from uncial.config.location import find_conf_folder, find_root_folder
from uncial.config.overrides import PEERS, advise_on_quoting, format_hydra_value, quote_override
from uncial.config.peers import describe_counterpart, find_choice_called
from uncial.config.values import takes_list, takes_numbers, takes_whole_numbers
from uncial.errors import UserError


def explain_folder_error(error: OSError) -> str:
    """Return why the run's folder could not be created, and what to do."""
    reason = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    return f"could not create the run's folder ({reason}); choose another with paths.outputs."


def explain_error(error: Exception) -> str:
    """Return what is wrong and what to do, from one of Hydra's and OmegaConf's many-lined messages or from our own."""
    text = str(error)
    if isinstance(error, UserError):
        return text
    missing = re.search(r"full_key: model\.(\w+)\s", f"{error.__cause__ or ''} ")
    if missing and (found := re.search(rf"Could not override '(model\.{missing[1]}\.[^']+)'", text)):
        return _explain_unknown_key(found[1], missing[1])
    for pattern, explain in _EXPLANATIONS:
        if found := re.search(pattern, text):
            return explain(*found.groups())
    lines = [line.strip() for line in text.splitlines() if line.strip() and "hydra.cc" not in line]
    return " ".join(lines[:3])


def _explain_missing(key: str) -> str:
    return f"{key} has to be given: add {key}=… to the command."


def _explain_unknown_key(key: str, lacking: str | None = None) -> str:
    """`lacking` is the part of the model that the key is one of, where the chosen model has no such part."""
    part = lacking or key.removeprefix("model/")
    if (lacking or key.startswith("model/")) and (models := find_models_with(part, find_conf_folder())):
        return (
            f"{key}: the model that is chosen has no {part}; leave it out, or choose a model that has one: "
            f"{', '.join(f'model={name}' for name in models)}."
        )
    if key.startswith("hydra.sweeper."):
        return f"there is no key {key} here: it belongs to a search, so give its sweep=… too, as sweep=optuna."
    if "." in key and key.replace(".", "/") in group_names(find_conf_folder()):
        return (
            f"{key} lacks a key that the mapping gives it: `--cfg job --package {key}` shows those that it has; a "
            "mapping with a _target_ takes the place of all of them."
        )
    if key in find_named_groups(find_conf_folder()):
        return f"there is no {key} to choose: conf/{key} holds no file."
    if key.startswith("hydra.launcher."):
        near = suggest_key(key, list_launcher_keys(find_conf_folder()))
        return f"the launcher has no key {key}.{near} hydra/launcher=… chooses another one."
    if files := find_files_with(key, find_conf_folder()):
        return f"there is no key {key} here: it belongs to {' or '.join(files[:3])}, which is not chosen."
    if told := describe_counterpart(key, find_root_folder() / PEERS):
        return f"there is no key {key}: {told}"
    known = (
        group_names(find_conf_folder())
        if "/" in key
        else [*list_known_keys(find_conf_folder()), *group_names(find_conf_folder())]
    )
    return f"there is no key {key}.{suggest_key(key, known)} `--cfg job` shows all keys."


def _explain_nothing_to_delete(key: str) -> str:
    if key in list_known_keys(find_conf_folder()) and None in list_known_keys(find_conf_folder())[key]:
        return f"~{key} deletes nothing, since {key} is null already: leave it out."
    return _explain_unknown_key(key)


def _explain_chosen_twice(group: str) -> str:
    return f"{group} is chosen already, and a plus sign chooses a second one: write {group}=NAME, without the plus."


def _explain_unknown_choice(group: str, name: str, listed: str | None = None) -> str:
    """`listed` are the choices as Hydra lists them, one a row, those of a `--config-dir` among them."""
    if group == "hydra/launcher":
        return _explain_unknown_launcher(name)
    choices = sorted({*group_choices(find_conf_folder(), group), *(listed or "").split()} - {"base"})
    if not name:
        return f"{group}= has no value: write one behind the equals sign. Choices: {', '.join(choices)}."
    if called := find_choice_called(name, find_conf_folder(), group):
        return f"{group}={name} does not exist; here it is {group}={called}. Choices: {', '.join(choices)}."
    none = {"logger": "default"}.get(group, "none")  # The files that choose nothing.
    meant = none if name.lower() in ("null", "false", "no", "off", "0") and none in choices else name
    return f"{group}={name} does not exist.{suggest_key(meant, choices)} Choices: {', '.join(choices) or 'none'}."


def _explain_unknown_launcher(name: str) -> str:
    """That of joblib is a package's of its own; where it is missing Hydra knows nothing of it."""
    choices = sorted({"basic", "joblib", *group_choices(find_conf_folder(), "hydra/launcher")})
    told = "is not installed." if name == "joblib" else f"does not exist.{suggest_key(name, choices)}"
    is_missing = find_spec("hydra_plugins.hydra_joblib_launcher") is None
    more = f" For joblib {describe_install('joblib')}" if is_missing else ""
    return f"hydra/launcher={name} {told} Choices: {', '.join(choices)}.{more}"


def _explain_several_values(argument: str) -> str:
    key, _, value = argument.partition("=")
    told = f"{argument} is several values, which only -m (a sweep) takes."
    values = [one.strip() for one in value.split(",")]
    if key == "logger":
        return f"{told} Several loggers are a list: {key}=[{','.join(values)}]"
    if key in group_names(find_conf_folder()):
        return f"{told} For one run choose one of them; -m before the keys makes a run of each."
    if takes_list(key, find_conf_folder()):
        typed = shlex.quote(f"{key}=[{','.join(map(format_hydra_value, values))}]")
        is_text = not all(re.fullmatch(r"-?[\d.]+", one) for one in values)
        return f"{told} A list is {typed}" + (
            f", one value with a comma in it {quote_override(argument)}" if is_text else ""
        )
    if takes_numbers(key, find_conf_folder()):
        point = not takes_whole_numbers(key, find_conf_folder())
        if point and re.fullmatch(r"\d+,\d+", value):
            return f"{told} If it is one number, its decimals stand behind a point: {key}={value.replace(',', '.')}"
        return f"{told} For one run give one of them; -m before the keys makes a run of each."
    return f"{told} {advise_on_quoting(argument)}"


def _explain_no_variable(name: str) -> str:
    return f"the environment variable {name} is not set, which the config asks for."


def _explain_no_reference(name: str) -> str:
    if name.startswith("model.") and (files := find_files_with(name, find_conf_folder())):
        return (
            f"a part that is chosen for the model asks for {name}, which only {', '.join(files)} has: choose parts of "
            "one model."
        )
    return f"${{{name}}} refers to a key that does not exist; a $ that is part of a value is written \\${{{name}}}."


_EXPLANATIONS: tuple[tuple[str, Callable[..., str]], ...] = (
    (r"Missing mandatory value: (\S+)", _explain_missing),
    (r"(?s)Missing mandatory value.*full_key: (\S+)", _explain_missing),
    (r"Could not override '([^']+)'", _explain_unknown_key),
    (r"Could not delete from config\. '([^']+)'", _explain_nothing_to_delete),
    (r"Multiple values for (\S+)\. To override a value", _explain_chosen_twice),
    (r"Could not delete\. No match for '([^']+)'", _explain_unknown_key),
    (r"Could not find '([^']+)/([^'/]*)'(?:\s+Available options in '[^']*':((?:\n\t.*)*))?", _explain_unknown_choice),
    (r"Could not load '([^']+)/([^'/]+)'", _explain_unknown_choice),
    (r"Ambiguous value for argument '([^\n]*)'\n", _explain_several_values),
    (r"Environment variable '([^']+)' not found", _explain_no_variable),
    (r"Interpolation key '([^']+)' not found", _explain_no_reference),
)
"""What to make of the messages that Hydra and OmegaConf have for a user's mistakes."""
