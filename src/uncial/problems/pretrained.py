"""What any run takes over from `pretrained`: the model's config, and what a person should hear of it."""

import logging
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from uncial.config.keys import iterate_leaves
from uncial.config.saved_yaml import escape_references
from uncial.config.schema import as_tuple, list_trusted
from uncial.config.typed import UserOverrides, find_user_overrides
from uncial.errors import UserError
from uncial.models.contracts import Model
from uncial.models.files import load_any_model, load_card
from uncial.models.lineage import KEY, SEEN_BEFORE, list_pages_seen, read_lineage
from uncial.training.selection import list_top_modules

log = logging.getLogger(__name__)

DEFAULT_RESIZE = "fail"

UNDECIDED = "model.text.mixed_direction"
"""A key that each training decides for itself where it is left open, so that a difference says nothing."""

OF_THE_RUN = ("metric", "monitor", "mode")
"""Keys of a model's config that say how it is scored, and are not the model's."""

Describe = Callable[[Path], dict[str, Any]]
"""From a model's file to the config of the model in it."""


def take_over_model(config: DictConfig, describe: Describe, learned: str) -> DictConfig:
    """Return the config with the model that `pretrained` holds, as `describe` tells it: architecture and what it makes
    of its input, but for the keys that were set on the command line or in the experiment. Each difference is reported.
    `learned` is what a new model learns of the data where there is no `pretrained`.

    Nothing in the model's file is resolved: its values stand in the config as they are. Raises `UserError` for another
    architecture than the pretrained one, unless `reinitialize` lets its part start anew, and for a file that is damaged
    or names classes that are not trusted.
    """
    if config.pretrained is None:
        if as_tuple(config.reinitialize):
            raise UserError("reinitialize names parts of a pretrained model: add pretrained=RUN, or leave it out.")
        _tell_of_idle_keys(config, learned)
        return config
    path = Path(str(config.pretrained))
    stored = describe(path)
    if not isinstance(stored.get("name"), str):
        raise UserError(f"{path} does not say which model it is (model.name); use another copy.")
    given = to_plain(config.model, resolve=True)
    chosen = merge_model(stored, given, find_user_overrides("model"), as_tuple(config.reinitialize))
    result = deepcopy(config)
    unresolved = to_plain(config.model, resolve=False)
    OmegaConf.set_struct(result, False)
    result.model = {**escape_references(chosen), **{key: unresolved[key] for key in OF_THE_RUN if key in unresolved}}
    _report(stored, given, chosen)
    return result


def explain_other_kind(config: DictConfig, model: Model, card: Mapping[str, Any]) -> UserError:
    """Return what is wrong where `pretrained` holds a model that finds other things than that of the config."""
    return UserError(
        f"pretrained={config.pretrained} holds a {model.called}, which model={config.model.get('name')} cannot go on "
        f"from: give model={card['model'].get('name')}, or another pretrained."
    )


def _tell_of_idle_keys(config: DictConfig, learned: str) -> None:
    """Says which keys mean something else or nothing without `pretrained`."""
    if config.resize != DEFAULT_RESIZE:
        log.warning(f"resize={config.resize} does nothing without pretrained=RUN: a new model learns {learned}.")
    if (frozen := as_tuple(config.freeze)) and frozen != ("none",):
        log.warning(
            f"freeze={','.join(frozen)} without pretrained=RUN keeps parts as they are whose weights are random."
        )


def merge_model(
    stored: Mapping[str, Any], given: Mapping[str, Any], said: UserOverrides, reinitialize: Sequence[str]
) -> dict[str, Any]:
    """Return the pretrained model's config with those keys of the `given` one that somebody set.

    Raises `UserError` where a whole part was chosen that is not the pretrained model's and does not start anew.
    """
    chosen: dict[str, Any] = {key: value for key, value in deepcopy(dict(stored)).items() if key not in OF_THE_RUN}
    if "model" in said.choices and given["name"] != stored["name"]:
        raise UserError(
            f"pretrained holds a model={stored['name']}, and model={given['name']} is another architecture, which "
            "cannot take its weights: leave model out, or train without pretrained."
        )
    for part in sorted(chosen_part.partition(".")[2] for chosen_part in said.choices if "." in chosen_part):
        if part in ("preprocessing", "text") or part in list_top_modules(reinitialize):
            chosen[part] = deepcopy(given[part])
        elif given[part] != stored.get(part):
            raise UserError(
                f"model/{part} chooses another {part} than the pretrained model has: leave it out, or let this part "
                f"start anew with 'reinitialize=[{part}]'."
            )
    for key in sorted(said.keys):
        _set(chosen, key.split(".")[1:], given)
    return chosen


def build_lineage(config: DictConfig, state: Path | None) -> list[str]:
    """Digests of the models that the run comes of, the oldest first; those that its `state` names where it is
    resumed, as the pretrained model may have gone since."""
    if state is not None:
        return list(load_card(state).get(KEY, []))
    return (
        []
        if config.pretrained is None
        else read_lineage(*load_any_model(Path(str(config.pretrained)), list_trusted(config)))
    )


def list_seen_before(config: DictConfig, state: Path | None) -> list[str]:
    """Hashes of the page images that the pretrained model and those before it were trained on; as in `lineage`."""
    if state is not None:
        return list(load_card(state).get(SEEN_BEFORE, []))
    return [] if config.pretrained is None else sorted(list_pages_seen(load_card(Path(str(config.pretrained)))))


def to_plain(config: DictConfig, resolve: bool) -> dict[str, Any]:
    """Return a part of a config as plain types."""
    plain = OmegaConf.to_container(config, resolve=resolve)
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def _set(target: dict[str, Any], path: Sequence[str], source: Mapping[str, Any]) -> None:
    """Copy the value at `path` from `source` into `target`, which may lack it."""
    value: Any = source
    for word in path[:-1]:
        value = value[word]
        if not isinstance(target.get(word), dict):
            target[word] = {key: deepcopy(one) for key, one in value.items() if not isinstance(one, dict)}
        target = target[word]
    if path[-1] in value:
        target[path[-1]] = deepcopy(value[path[-1]])


def _report(stored: Mapping[str, Any], given: Mapping[str, Any], chosen: Mapping[str, Any]) -> None:
    """One sentence on what the pretrained model decided, and one on what a person decided otherwise."""
    there, here, used = (_compare(config) for config in (stored, given, chosen))
    # Two architectures differ in nearly every key; their name says it.
    alike = stored["name"] == given["name"]
    taken = [
        f"{key}={used[key]} (not {here[key]})"
        for key in used
        if here.get(key, used[key]) != used[key]
        and key != UNDECIDED
        and there.get(key) == used[key]
        and (alike or _is_input(key))
    ]
    if not alike:
        taken.insert(0, f"model={stored['name']} (not {given['name']})")
    if taken:
        log.info(f"From the pretrained model: {', '.join(taken)}")
    changed = [f"{key}={used[key]} (there {there.get(key)})" for key in used if there.get(key, used[key]) != used[key]]
    if changed:
        log.warning(f"Unlike the pretrained model, as was set here: {', '.join(changed)}")


def _is_input(key: str) -> bool:
    return key == "model.normalization" or key.startswith(("model.preprocessing.", "model.text."))


def _compare(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is reported when it differs: not the classes, the scores and what is each run's own."""
    return {
        key: value
        for key, value in iterate_leaves(config, "model.")
        if not key.rpartition(".")[2].startswith("_")
        and not key.startswith("model.metric.")
        and key.rpartition(".")[2] not in (*OF_THE_RUN, "name")
    }
