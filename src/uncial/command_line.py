"""Exit codes, and the one sentence in which a user's mistake ends. Imports nothing heavy: `--help` has to be quick."""

import difflib
import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from uncial.errors import FoundSomething, UserError

DONE, FAILED, FOUND, INTERRUPTED = 0, 1, 2, 130


def run(main: Callable[[], None]) -> int:
    """Runs the program and returns its exit code; with HYDRA_FULL_ERROR=1 errors show their traceback instead."""
    wants_traceback = os.environ.get("HYDRA_FULL_ERROR") == "1"
    # Otherwise Hydra prints its own shortened traceback and leaves before the error reaches us.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        main()
    except KeyboardInterrupt:
        return _fail("Stopped.", INTERRUPTED)
    except FoundSomething as found:
        return _fail(str(found), FOUND)
    except (UserError, HydraException, OmegaConfBaseException) as error:
        if wants_traceback:
            raise
        return _fail(_sentence(error), FAILED)
    return DONE


def _fail(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code


def _sentence(error: Exception) -> str:
    """What is wrong and what to do, from one of Hydra's and OmegaConf's many-lined messages or from our own."""
    if isinstance(error, UserError):
        return f"Error: {error}"
    text = str(error)
    if missing := re.search(r"Missing mandatory value: (\S+)", text) or (
        re.search(r"full_key: (\S+)", text) if "Missing mandatory value" in text else None
    ):
        return f"Error: {missing[1]} has to be given: add {missing[1]}=… to the command."
    if unknown := re.search(r"Could not override '([^']+)'", text):
        return (
            f"Error: there is no key {unknown[1]}.{_did_you_mean(unknown[1], _all_keys())} `--cfg job` shows all keys."
        )
    if choice := re.search(r"Could not find '([^']+)/([^'/]+)'", text):
        group, name = choice.groups()
        choices = sorted(path.stem for path in _conf().joinpath(group).glob("*.yaml") if path.stem != "base")
        listed = ", ".join(choices) or "none"
        return f"Error: {group}={name} does not exist.{_did_you_mean(name, choices)} Choices: {listed}."
    if group := re.search(r"Could not override '([^']+)'\.\s*No match in the defaults list", text):
        return f"Error: there is no group {group[1]}."
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"Error: {' '.join(lines[:3])}"


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" Did you mean {near[0]}?" if near else ""


def _conf() -> Path:
    return Path(os.environ.get("UNCIAL_ROOT", ".")) / "conf"


def _all_keys() -> list[str]:
    """Every dotted key that some file of conf/ defines, as it is typed on the command line."""
    from omegaconf import OmegaConf

    keys: list[str] = []
    for path in _conf().rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        relative = path.relative_to(_conf()).parent
        is_global = text.startswith("# @package _global_") or path.name == "config.yaml"
        prefix = "" if is_global else ".".join(relative.parts)
        keys += [f"{prefix}.{key}" if prefix else key for key in _keys(OmegaConf.load(path), "")]
    return keys


def _keys(node: object, prefix: str) -> list[str]:
    from omegaconf import DictConfig

    if not isinstance(node, DictConfig):
        return []
    found = []
    for key in map(str, node):
        if key != "defaults":
            dotted = f"{prefix}{key}"
            found += [dotted, *_keys(node._get_node(key), f"{dotted}.")]
    return found
