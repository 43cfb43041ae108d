"""Arguments that the command line's grammar does not take, and how they are written right."""

import argparse
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from hydra.core.override_parser.overrides_parser import OverridesParser

from uncial.config.hydra_internals import get_args_parser
from uncial.config.keys import (
    find_groups_of_none,
    find_named_groups,
    group_choices,
    group_names,
    list_known_keys,
    suggest_key,
)
from uncial.config.location import format_command
from uncial.config.peers import describe_counterpart, find_choice_called
from uncial.config.values import takes_name
from uncial.errors import UserError

PEERS = Path("docs") / "coming-from.md"

MODEL_FILES = (".mlmodel", ".safetensors", ".ckpt", ".pt", ".pth")

SHARED = ("-p", "-r", "-i", "-c")
"""Options of Hydra that others have for something else; with a value that Hydra does not take they are meant so."""

NEEDED_GROUPS = (
    "task",
    "data",
    "model",
    "augmentation",
    "optimizer",
    "scheduler",
    "trainer",
    "callbacks",
    "metrics",
    "paths",
)
"""Groups of which a file is chosen in every run."""

PLAIN_VALUE = re.compile(r"[\w./:+%@-]+", re.ASCII)
"""What Hydra's grammar takes as it stands."""


def check_arguments(arguments: Sequence[str], conf: Path) -> None:
    """Raise `UserError` for options that do not exist and for what is no override in Hydra's grammar. What is known of
    keys is that of the files in `conf`."""
    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        raise UserError(_advise_on_option(arguments, parser, message, conf))

    parser.error = refuse  # type: ignore[method-assign]
    given = parser.parse_args(list(arguments))
    overrides = given.overrides
    if given.package is not None and not given.cfg:
        # Hydra takes it with --cfg alone, and for nothing else.
        refuse(f"-p {given.package} belongs to --cfg")
    if given.multirun and (given.cfg or given.info):
        option = "--cfg" if given.cfg else "--info"
        raise UserError(f"{option} shows the config of one run: leave out -m and the keys with several values.")
    grammar = OverridesParser.create()
    for number, override in enumerate(overrides):
        if override.startswith("~"):
            _check_deleted(override, overrides, conf)
            continue
        if not re.match(r"\+{0,2}[^=\s]", override) or "=" not in override:
            told = _describe_peer_option(_find_option_before(override, arguments), conf)
            raise UserError(told or _advise_on_stray_word(overrides, number, conf))
        try:
            parsed = grammar.parse_override(override)
        except Exception:
            raise UserError(
                f"{override} cannot be read: {_describe_fault(override)} {advise_on_quoting(override)}"
            ) from None
        if isinstance(names := parsed.value(), list):
            _check_one_choice(override, parsed.key_or_group, names, conf)
        if parsed.key_or_group == "name":
            check_name("" if parsed.value() is None else str(parsed.value()))


def is_sweep(arguments: Sequence[str]) -> bool:
    """Return whether these arguments ask for several runs."""
    return any(one in ("-m", "--multirun") or one.upper() == "HYDRA.MODE=MULTIRUN" for one in arguments)


def quote_plain_names(arguments: Sequence[str], conf: Path) -> list[str]:
    """Return the arguments with quotes around what the grammar would take for a number, a truth value or nothing where
    a name is expected: behind the keys of names and paths, and behind groups. `null` alone still means none there.

    A group that may be none, as `experiment`, is left out where it is to be."""
    if not any("=" in argument for argument in arguments):
        return list(arguments)
    groups = {*group_names(conf), *find_named_groups(conf), "hydra"}
    sweeps, of_none = is_sweep(arguments), find_groups_of_none(conf)
    found = []
    for argument in arguments:
        sign, key, value = re.fullmatch(r"(\+{0,2})([^=\s]*)=?(.*)", argument, re.DOTALL).groups()  # type: ignore[union-attr]
        is_group = key.partition("@")[0] in groups
        if "=" not in argument or argument.startswith(("-", "~")) or not (is_group or takes_name(key)):
            found.append(argument)
        elif not (value == "null" and key in of_none):
            # For Hydra no choice of a group is an empty list of them.
            none = "null" if not is_group else "[]" if key in of_none else None
            # Several without -m are refused, as they were typed.
            found.append(
                f"{sign}{key}={_quote_names(value, none)}" if sweeps or not _is_several(argument) else argument
            )
    return found


def _quote_names(value: str, none: str | None) -> str:
    """Return a name, or several between commas or in a list, quoted where the grammar takes them for another. `none` is
    written for a null by itself, as one of the values of a sweep too; where it is None, null is a name."""
    if re.match(r"\s*(\{|(?!choice\()\w+\()", value):
        return value  # A mapping, or a sweep over a range.
    found, depth = [], 0
    for part in re.split(r"""('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|choice\(|[\[\](),])""", value):
        depth += (part == "[") - (part == "]")
        word = part.strip()
        if word == "null" and none is not None and not depth:
            found.append(part.replace(word, none))
        else:
            found.append(part.replace(word, quote_for_hydra(word)) if _is_taken_for_another(word) else part)
    return "".join(found)


def _is_several(argument: str) -> bool:
    try:
        return bool(OverridesParser.create().parse_override(argument).is_sweep_override())
    except Exception:
        return False  # Which check_arguments says.


def _is_taken_for_another(word: str) -> bool:
    if not re.fullmatch(r"[\w.+-]+", word, re.ASCII):
        return False
    try:
        return not isinstance(OverridesParser.create().parse_override(f"x={word}").value(), str)
    except Exception:
        return False  # Which check_arguments says.


def check_name(name: str) -> None:
    """Raise `UserError` for a name whose folder, which is made before any task begins, is not below paths.outputs."""
    if name.startswith(("/", "~")) or ".." in name.split("/") or not name.strip("./ "):
        raise UserError(f"name={name} is no folder below paths.outputs; where that lies is said by paths.outputs=DIR.")


def _check_deleted(override: str, overrides: Sequence[str], conf: Path) -> None:
    """The groups without which nothing can be composed are chosen otherwise, not left out, but for a mapping in their
    place."""
    group = override.lstrip("~").partition("=")[0]
    if group in NEEDED_GROUPS and not any(one.startswith(f"+{group}={{") for one in overrides):
        choices = ", ".join(group_choices(conf, group))
        raise UserError(f"{override} leaves nothing of {group}: choose another by {group}=NAME. Choices: {choices}.")


def _check_one_choice(override: str, group: str, names: Sequence[object], conf: Path) -> None:
    """Two of the program's own files of a group would be laid over each other, key by key; a file of one's own may be
    made for that."""
    own = [name for name in names if name in group_choices(conf, group)]
    if group.partition("/")[0] in NEEDED_GROUPS and (not names or len(own) > 1):
        several = " data=mixed takes sources of several formats." if group == "data" else ""
        choices = ", ".join(group_choices(conf, group))
        raise UserError(f"{override}: one {group} is chosen, not a list. Choices: {choices}.{several}")


def _find_option_before(word: str, arguments: Sequence[str]) -> list[str]:
    """Return the option whose value a word was meant to be; -m and -r, which Hydra has without one, only before a
    number or the file of a model."""
    before = list(arguments[: list(arguments).index(word)][-1:])
    is_value = re.fullmatch(r"[\d.]+(e-?\d+)?", word) or Path(word).suffix in MODEL_FILES
    return before if before not in (["-m"], ["-r"]) or is_value else []


def _describe_peer_option(arguments: Sequence[str], conf: Path) -> str:
    """Return what the first argument is here that is an option of kraken, Loghi or another program; empty for none."""
    options = [argument.partition("=")[0] for argument in arguments if argument.startswith("-")]
    told = (describe_counterpart(option, conf.parent / PEERS) for option in options)
    return next((sentence for sentence in told if sentence), "")


def _advise_on_option(arguments: Sequence[str], parser: argparse.ArgumentParser, message: str, conf: Path) -> str:
    own = {option for action in parser._actions for option in action.option_strings}
    for argument in arguments:
        name, equals, _ = argument.lstrip("-").partition("=")
        if argument.startswith("--") and equals and name in (*list_known_keys(conf), *group_names(conf)):
            return f"{argument} is no option: keys are written without --, for instance {name}=…"
    if told := _describe_peer_option([one for one in arguments if one.partition("=")[0] not in own], conf):
        return told
    if told := _describe_peer_option([one for one in arguments if one in SHARED], conf):
        return told
    for argument in arguments:
        name = argument.lstrip("-").partition("=")[0]
        key = next((one for one in list_known_keys(conf) if one == name or one.endswith(f".{name}")), "")
        if (
            argument.startswith("-")
            and len(name) > 1
            and (key or (argument.startswith("--") and ("." in name or "=" in argument)))
        ):
            return f"{argument} is no option: keys are written without dashes, for instance {key or name}=…"
    options = [option for action in parser._actions for option in action.option_strings]
    unknown = re.search(r"unrecognized arguments: (\S+)", message)
    if unknown and not unknown[1].startswith("-"):
        if told := _describe_peer_option(_find_option_before(unknown[1], arguments), conf):
            return told
        return f"{unknown[1]} stands behind an option: write -m and all that begins with - before the first key=value."
    if unknown:
        return f"{unknown[1]} is no option.{suggest_key(unknown[1], options)} `--help` shows what can be typed."
    return f"{message}. `--hydra-help` shows all options."


def _advise_on_stray_word(words: Sequence[str], number: int, conf: Path) -> str:
    word, before, behind = words[number], words[number - 1] if number else "", "".join(words[number + 1 : number + 3])
    if behind.startswith("="):
        value = behind[1:] if words[number + 1] == "=" else words[number + 1][1:]
        return (
            f"{word} {words[number + 1]}: no space stands beside the equals sign. Write: {format_override(word, value)}"
        )
    if before.endswith("="):
        return f"{before} {word}: no space stands beside the equals sign. Write: {format_override(before[:-1], word)}"
    if task := "." not in word and find_choice_called(word, conf, "task"):
        return f"{word} is no key=value. Did you mean task={task}?"
    if word in list_known_keys(conf):
        return f"{word} is no key=value: its value is missing, {word}=…"
    if word == "help":
        return "help is no key=value. Did you mean --help?"
    advice = f"{word} is no key=value, the form in which everything is given, for instance data=page."
    if Path(word).suffix or "/" in word:
        root, read = format_override("data.root", word), format_override("predict.input", word)
        advice += f" A file or folder of the data is {root}, one to be read task=predict {read}."
    if "=" in before:
        advice += f" If it belongs to {before}, quote both together: {quote_override(f'{before} {word}')}"
    return advice


def _describe_fault(override: str) -> str:
    value = override.partition("=")[2].strip()
    if value[:1] in ("'", '"'):
        return f"its quotes {value[0]} are not closed, or something stands behind them."
    if value[:1] in ("[", "{"):
        return "its brackets or quotes do not match, or one of its values needs quotes of its own."
    return "its value holds a character that needs quotes."


def advise_on_quoting(override: str) -> str:
    """Return how an argument is written so that its value is taken as it stands."""
    value = override.partition("=")[2].strip()
    if bare := re.fullmatch(rf"({PLAIN_VALUE.pattern}),+", value):
        return f"Without the comma it is {override.partition('=')[0]}={bare[1]}, with it {quote_override(override)}"
    if value[:1] in ("[", "{"):
        return 'Values in a list are quoted one by one: \'data.root=["a, b","c=d"]\''
    return f"Write: {quote_override(override)}"


def quote_override(override: str) -> str:
    """Return the argument with its value in Hydra's quotes, and all of it in the shell's."""
    key, _, value = override.partition("=")
    bare = value.strip()
    if bare[:1] in ("'", '"'):
        bare = bare[1:].removesuffix(bare[0]) if len(bare) > 1 else ""
    inside = _put_between(bare, '"')
    return shlex.quote(f"{key}={inside}")


def format_override(key: str, value: object) -> str:
    """`key=value` as it is typed at a shell for Hydra, quoted for both where need be."""
    return shlex.quote(f"{key}={format_hydra_value(value)}")


def format_repeat_command(overrides: Sequence[str]) -> str:
    """Return the command that makes a run with these overrides."""
    return format_command(*map(shlex.quote, overrides))


def format_hydra_value(value: object) -> str:
    """Return a value as it stands behind a key or in a list, between quotation marks where it holds what needs them."""
    return str(value) if PLAIN_VALUE.fullmatch(str(value)) else quote_for_hydra(value)


def quote_for_hydra(value: object) -> str:
    """Return a value between quotation marks, which is text whatever it looks like."""
    return _put_between(str(value), "'")


def _put_between(text: str, mark: str) -> str:
    escaped = re.sub(rf"(\\*)({mark}|$)", lambda found: found[1] * 2 + (f"\\{mark}" if found[2] else ""), text)
    return f"{mark}{escaped}{mark}"


def get_override_key(override: str) -> str:
    """Return the key or group of an argument, without the signs that add or delete it."""
    return override.partition("=")[0].lstrip("+~")
