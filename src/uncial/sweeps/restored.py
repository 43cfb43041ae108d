"""What a sweep's folder may bring back when the sweep is resumed: nothing that runs code which nobody trusts, and
nothing of the environment."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from uncial.config.overrides import override_key
from uncial.config.trust import check_saved_targets, own_targets, trusted_modules
from uncial.errors import UserError
from uncial.runs.files import RunFolder

RESOLVER = re.compile(r"\$\{\s*[\w.]+\s*:")
"""The beginning of an interpolation that calls something: ${oc.env:NAME}."""

OF_HYDRA = ("hydra.launcher", "hydra.sweeper", "hydra.sweep", "hydra.run", "hydra.verbose", "hydra.job.chdir")
"""Keys of Hydra's that a sweep is typed with; others say what is logged by which class, and where configs are found."""


def check_restored(saved: Mapping[str, Any], config: Mapping[str, Any], folder: Path) -> None:
    """Raise `UserError` for the first line or value of a sweep's file that would run code of others, or ask for the
    environment, and was not typed again.

    `saved` is what the file holds and `config` what was composed of what is typed now, both as plain types with their
    interpolations.
    """
    where = RunFolder(folder).multirun
    given = config.get("trust")
    own = {key: value for key, value in config.items() if key != "hydra"}
    trust = trusted_modules([*([given] if isinstance(given, str) else given or ()), *own_targets(own)])
    typed = {*config["hydra"]["overrides"]["task"], *config["hydra"]["overrides"]["hydra"]}
    hydra = saved["hydra"]
    params = [f"{key}={value}" for key, value in (hydra["sweeper"].get("params") or {}).items()]
    check_lines([*hydra["overrides"]["task"], *hydra["overrides"]["hydra"], *params], typed, trust, where)
    kept = {key: value for key, value in saved.items() if key not in ("hydra", "task", "trust")}
    parts = {**kept, "hydra": {key: hydra[key] for key in ("launcher", "sweeper")}}
    check_saved_targets(parts, trust, where)
    for key, text in _differing(parts, config):
        if RESOLVER.search(text):
            raise UserError(f"{where}: {key} is {text}, which is not resolved unasked: type it again, or leave it out.")


def check_lines(lines: Sequence[str], typed: Collection[str], trust: Sequence[str], where: Path) -> None:
    """Raise `UserError` for an override that was not typed now and names a class that is not trusted, calls a resolver,
    or is of Hydra's own keys that are none of a sweep."""
    grammar = OverridesParser.create()
    for line in lines:
        if line in typed:
            continue
        key = override_key(line)
        is_of_hydra = key.startswith("hydra.") and not any(key == one or key.startswith(f"{one}.") for one in OF_HYDRA)
        if is_of_hydra or RESOLVER.search(line):
            raise UserError(f"{where} holds {line}, which is not taken from a file: type it again, or remove it there.")
        if "_target_" not in line and "format" not in line:
            continue
        try:
            parsed = grammar.parse_override(line)
            values = list(parsed.sweep_string_iterator()) if parsed.is_choice_sweep() else [line.partition("=")[2]]
            plain = [grammar.parse_override(f"{key}={value}").value() for value in values]
        except HydraException as error:
            raise UserError(f"{where} holds {line}, which cannot be read: {str(error).splitlines()[0]}") from None
        place, _, name = key.rpartition(".")
        for value in plain:
            check_saved_targets({place: {name: value}}, trust, where)


def _differing(saved: Any, config: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """The texts of what was saved that stand in another way in the config of now, by their dotted keys."""
    if saved == config:
        return
    if isinstance(saved, Mapping):
        for name, value in saved.items():
            own = config.get(name) if isinstance(config, Mapping) else None
            yield from _differing(value, own, f"{key}.{name}".lstrip("."))
    elif isinstance(saved, list):
        for number, value in enumerate(saved):
            yield from _differing(value, None, f"{key}[{number}]")
    elif isinstance(saved, str):
        yield key, saved
