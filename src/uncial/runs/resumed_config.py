"""The config of a run that is resumed: the saved one, and what of it may be changed by what is typed."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from uncial.config.moved import with_current_paths, with_problem
from uncial.config.overrides import format_override
from uncial.config.saved_yaml import escape_references, format_yaml_list, load_literal_config, parse_yaml, read_saved
from uncial.config.schema import get_default
from uncial.config.trust import check_saved_targets, list_trusted_modules
from uncial.config.typed import typed_overrides
from uncial.config.values import format_value
from uncial.errors import UserError
from uncial.files import replace_text_file
from uncial.runs.files import RunFolder

if TYPE_CHECKING:
    from uncial.runs.state import RunState


AUTO = "auto"
"""The value of `resume` that means the newest unfinished run of a name and config."""

MACHINE = (
    "trainer.workers",
    "trainer.threads",
    "trainer.accelerator",
    "trainer.devices",
    "trainer.max_time",
    "trainer.test_after",
    "tags",
    "data.compile_workers",
    "callbacks.samples",
    "callbacks.checkpoints",
    "logger",
    "report",
    "paths",
    "resume",
    "trust",
)
"""Keys, and groups of them, that say on what a run runs and what it tells, not what comes out of it."""

PLACES = ("data.root", "data.train", "data.val", "data.test", "data.images")
"""Where the data lie. That they are still the same data is checked when they have been read."""

LENGTH = "trainer.max_epochs"

LATER_KEYS = (
    "data.split_rule",
    "data.split_from",
    "data.validate_on",
    "trainer.batch_size",
    "trainer.planned_steps",
    "trainer.planned_epochs",
)
"""Keys that a config.yaml of an earlier version may lack; their settings say what it means then."""

EARLY_STOPPING = {"_target_": "uncial.training.callbacks.early_stopping.EarlyStopping"}
AVERAGING = {"_target_": "uncial.training.callbacks.ema.EMA"}
"""The callbacks by name that a config.yaml lacks which was written before they had names."""

FINE_TUNING = "finetune"


def load_resumed_config(folder: Path, typed: DictConfig, state: "RunState | None") -> DictConfig:
    """Return the config saved in `folder` with what was typed of the keys that may change. `typed` is the config that
    Hydra has composed of the defaults and what was typed.

    Raises `UserError` for a key that would make another run of it, and for a run that has nothing left to do.
    """
    config = load_saved_config(folder, typed)
    has_length = any(_get_key(override) == LENGTH for override in typed_overrides())
    lengths = {key: OmegaConf.select(config, key) for key in ("trainer.time_budget", "trainer.max_steps")}
    key, value = next(((key, value) for key, value in lengths.items() if value is not None), (LENGTH, None))
    if has_length and key != LENGTH:
        raise UserError(f"{LENGTH} does not change this run: its length is that of {key}={value}; leave it out.")
    is_done = RunFolder(folder).metrics.is_file() and not lacks_test(folder, bool(config.trainer.get("test_after")))
    if state is not None and state.finished and is_done and not has_length:
        longer = f"a larger {LENGTH} continues it, and " if key == LENGTH else ""
        raise UserError(
            f"The run in {folder} is finished ({state.steps} steps): {longer}"
            f"{format_override('pretrained', folder)} starts a new run from its model."
        )
    return config


def lacks_test(folder: Path, is_wanted: bool) -> bool:
    """Return whether the best model of a finished run is still to be tested, where that is wanted."""
    if not is_wanted:
        return False
    try:
        return "test" not in json.loads(RunFolder(folder).metrics.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return True


def find_task_to_run(typed: DictConfig, conf: Path) -> str:
    """Return the dotted path of the task: what `typed` names; a fine-tuning goes on as one where `resume` alone names
    it. It is that of the program's own files in `conf`, never one that the folder holds."""
    own = str(typed.task._target_)
    if typed.resume in (None, AUTO) or any(_get_key(override) == "task" for override in typed_overrides()):
        return own
    folder = Path(str(typed.resume))
    try:
        config = _load(folder if folder.is_dir() else folder.parent)
    except UserError:
        return own  # which says what is wrong with the folder
    is_fine_tuning = OmegaConf.select(config, "task.name") == FINE_TUNING
    return str(OmegaConf.load(conf / "task" / f"{FINE_TUNING}.yaml").task._target_) if is_fine_tuning else own


def load_saved_config(folder: Path, typed: DictConfig, ignored: Collection[str] = ()) -> DictConfig:
    """Return the config saved in `folder`, with what was typed of the keys that may change; `ignored` ones stay as
    saved.

    Raises `UserError` for a key that would make another run of it, and for a class that the folder names and that is
    neither a part of this program nor trusted by what was typed.
    """
    config, before = _load(folder), set(read_overrides(folder))
    saved = {key: value for key, value in _to_plain(config).items() if key not in ("task", "trust")}
    check_saved_targets(saved, list_trusted_modules(typed.get("trust")), RunFolder(folder).config)
    config.trust = typed.get("trust")
    for override in typed_overrides():
        if _get_key(override) in ignored:
            continue
        if _can_change(override) and not override.is_delete():
            value = escape_references(_to_plain(OmegaConf.select(typed, _get_key(override))))
            OmegaConf.update(config, _get_key(override), value, force_add=True)
        elif override.input_line not in before:
            _refuse_change(override, config, typed, folder)
    config.resume = None
    return config


def is_same_run(folder: Path, config: DictConfig) -> bool:
    """Return whether the run in `folder` has this config, whatever the machine it ran on."""
    try:
        return _drop_machine(_load(folder)) == _drop_machine(_resolve(config))
    except UserError:
        return False


def write_resumed_config(config: DictConfig, folder: Path) -> None:
    """Leaves the config with what was changed, and adds what was typed to what had been typed before."""
    with replace_text_file(RunFolder(folder).config) as file:
        file.write(OmegaConf.to_yaml(config, resolve=True))
    changed = [override for override in typed_overrides() if _can_change(override) and _get_key(override) != "resume"]
    keys = {_get_key(override) for override in changed}
    before = [line for line in read_overrides(folder) if line.partition("=")[0].lstrip("+") not in keys]
    with replace_text_file(RunFolder(folder).overrides) as file:
        file.write(format_yaml_list([*before, *(str(override.input_line) for override in changed)]))


def read_overrides(folder: Path) -> list[str]:
    """Return what was typed for the run in `folder`."""
    path = RunFolder(folder).overrides
    lines = read_saved(path) if path.is_file() else []
    if not isinstance(lines, list):
        raise UserError(f"{path} is no list of overrides; restore it, or remove it.")
    return [str(line) for line in lines]


def _get_key(override: Override) -> str:
    return override.key_or_group.replace("/", ".")


def _can_change(override: Override) -> bool:
    return can_be_changed(_get_key(override))


def can_be_changed(name: str) -> bool:
    """Return whether a run can be resumed with another value of this dotted key or group."""
    return any(name == key or name.startswith(f"{key}.") for key in (*MACHINE, *PLACES, LENGTH))


def _refuse_change(override: Override, saved: DictConfig, typed: DictConfig, folder: Path) -> None:
    key = _get_key(override)
    if key == "experiment" or override.is_delete():
        difference = "was not typed when it began"
    else:
        new, old = (_to_plain(OmegaConf.select(config, key)) for config in (typed, saved))
        changed = _find_first_change(new, old, key)
        if changed is None:
            return
        difference = f"{changed[0]} is {format_value(changed[2])} there and would be {format_value(changed[1])}"
    raise UserError(
        f"{override.input_line} would change the run in {folder}: {difference}. Leave it out, or start a "
        f"new run from its model with {format_override('pretrained', folder)}."
    )


def _find_first_change(new: Any, old: Any, key: str) -> tuple[str, Any, Any] | None:
    """Return the first key whose values differ, and both."""
    if isinstance(new, dict) and isinstance(old, dict):
        for name in [*new, *(name for name in old if name not in new)]:
            if found := _find_first_change(new.get(name), old.get(name), f"{key}.{name}"):
                return found
        return None
    return None if new == old else (key, new, old)


def _load(folder: Path) -> DictConfig:
    try:
        config = read_saved(RunFolder(folder).config)
    except UserError as error:
        raise UserError(f"{str(error).removesuffix('.')}; the run cannot be resumed.") from error
    if not isinstance(config, dict) or not isinstance(config.get("trainer"), dict):
        raise UserError(f"{RunFolder(folder).config} is no config of a training: only those can be resumed.")
    for key in LATER_KEYS:
        group, _, name = key.rpartition(".")
        if isinstance(config.get(group), dict):
            config[group].setdefault(name, get_default(key))
    _add_named_callbacks(config)
    return load_literal_config(with_problem(with_current_paths(config)))


def _add_named_callbacks(config: dict[str, Any]) -> None:
    """Give a config of earlier versions, which has none of them, the callbacks that its keys of the trainer and
    `callbacks.ema` stand for."""
    callbacks, trainer, model = (config.get(group) for group in ("callbacks", "trainer", "model"))
    if not isinstance(callbacks, dict) or not isinstance(trainer, dict) or not isinstance(model, dict):
        return
    if "early_stopping" in callbacks or "weight_averaging" in callbacks:
        return
    monitored = {key: model.get(key) for key in ("monitor", "mode")}
    bounds = {key: trainer.get(key) for key in ("patience", "min_delta", "min_epochs")}
    callbacks["early_stopping"] = {**EARLY_STOPPING, **monitored, **bounds}
    callbacks["weight_averaging"] = {**AVERAGING, "decay": callbacks.get("ema")}


def _resolve(config: DictConfig) -> DictConfig:
    """As it is after it has been saved and loaded."""
    return load_literal_config(parse_yaml(OmegaConf.to_yaml(config, resolve=True)))


def _drop_machine(config: DictConfig) -> dict[str, Any]:
    plain: dict[str, Any] = _to_plain(config)
    for key in MACHINE:
        *groups, name = key.split(".")
        place = plain
        for group in groups:
            place = place.get(group, {})
        place.pop(name, None)
    return plain


def _to_plain(node: Any) -> Any:
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node
