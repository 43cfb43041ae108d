"""How a run divides its pages: by its own keys, as another run did, or as its model was trained."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from uncial.config.saved_yaml import read_saved
from uncial.config.schema import build_settings
from uncial.config.typed import find_user_overrides
from uncial.data.config import split_settings
from uncial.data.settings import DataSettings
from uncial.data.splits.groups import PARTS
from uncial.data.splits.split import Split, SplitRequest, SplitSettings, Splitter
from uncial.data.splits.split_file import ListedSplit, read_split_file
from uncial.errors import UserError
from uncial.models.files import find_model_file, load_card
from uncial.models.lineage import find_training_folder, list_pages_seen
from uncial.runs.files import RunFolder
from uncial.runs.session import RunSession

AUTO = "auto"
CARD_KEY = "split"
"""In a model's card: by what settings its training divided the pages."""

KEYS = {
    "ratio": "data.ratio",
    "by": "data.split",
    "seed": "data.seed",
    "folds": "data.folds",
    "fold": "data.fold",
    "rule": "data.split_rule",
}
"""The settings of a split, and the config keys that say them."""


@dataclass(frozen=True)
class Model:
    """A model that a task works with: its file and its card."""

    path: Path
    card: Mapping[str, Any]


@dataclass(frozen=True)
class ModelSplit:
    """The split of the models where the data hold pages that they were trained on, `own` elsewhere.

    The first of `files` and `settings` is taken that leaves no part of `needed` empty and puts none of the pages that a
    model was trained on into a part of `kept_apart`. `known` are the hashes of those pages.
    """

    own: SplitSettings
    files: tuple[ListedSplit, ...]
    settings: tuple[SplitSettings, ...]
    known: frozenset[str]
    needed: tuple[str, ...]
    kept_apart: tuple[str, ...]

    @property
    def by(self) -> str:
        """What is kept together: page, document or hand."""
        return self.own.by

    def split(self, request: SplitRequest) -> Split:
        """Return the part of every page."""
        own = self.own.split(request)
        if not any(request.hashes.get(page.id) in self.known for page in request.pages):
            return own
        has_stated = bool(request.stated) or any(page.subset for page in request.pages)
        candidates: list[Splitter] = [*(() if has_stated else self.files), *self.settings]
        for candidate in candidates:
            try:
                found = candidate.split(request)
            except UserError:
                continue
            if self._fits(found, request.hashes):
                return found
        return own

    def _fits(self, found: Split, hashes: Mapping[str, str]) -> bool:
        held = set(found.parts.values())
        apart = (page for page, part in found.parts.items() if part in self.kept_apart)
        return held.issuperset(self.needed) and not any(hashes.get(page) in self.known for page in apart)


@dataclass(frozen=True)
class KeptSplit:
    """The split that a run has written before; another where that does not fit the data, which have changed then."""

    kept: ListedSplit
    otherwise: Callable[[], Splitter]

    @property
    def by(self) -> str:
        """What is kept together: page, document or hand."""
        return self.kept.by

    def split(self, request: SplitRequest) -> Split:
        """Return the part of every page."""
        try:
            found = self.kept.split(request)
        except UserError:
            return self.otherwise().split(request)
        return replace(found, origin="")


def choose_split(
    config: DictConfig, models: Sequence[Model] = (), needed: Sequence[str] = (), kept_apart: Sequence[str] = ()
) -> Splitter:
    """Return how the pages are divided. `models` are those that the task works with; it needs pages in the parts
    `needed`, and of `kept_apart` no model shall have been trained on one.

    Raises `UserError` for settings that are none, and for what is typed beside data.split_from that it decides.
    """
    own, typed = split_settings(build_settings(DataSettings, config)), read_typed_settings()
    if config.data.split_from not in (None, AUTO):
        return _find_taken(config, own, typed)
    if config.data.split_from is None or not models:
        return own
    # What is typed as the model was trained asks for no other split.
    alike = [
        model
        for model in models
        if read_split_settings(model.card, own, typed) == read_split_settings(model.card, own, ())
    ]
    trained = [folder for model in alike if (folder := find_training_folder(model.path))]
    folders = [folder for folder in trained if RunFolder(folder).splits.is_file()]
    files = tuple(
        ListedSplit(read_split_file(folder), _describe_origin(folder, own)) for folder in dict.fromkeys(folders)
    )
    settings = tuple(dict.fromkeys(read_split_settings(model.card, own, typed) for model in models))
    known = frozenset[str]().union(*(list_pages_seen(model.card) for model in models))
    return ModelSplit(own, files, settings, known, tuple(needed), tuple(kept_apart))


def choose_scoring_split(config: DictConfig, models: Sequence[Model]) -> Splitter:
    """Return how a task divides the pages that scores models on a part: `data.subset`, else the test part."""
    subset = str(config.data.subset or "test")
    parts = [subset] if subset in PARTS else []
    return choose_split(config, models, parts, [part for part in parts if part != "train"])


def choose_training_split(this: RunSession, scored: Sequence[str] = ()) -> Splitter:
    """Return how a training divides its pages: as it did before where it goes on; as `pretrained` was trained with
    where its pages are among them. `scored` are parts in which it needs pages too."""
    config = this.config
    kept = RunFolder(this.folder).splits

    def new() -> Splitter:
        models = [] if config.pretrained is None else [read_model(Path(str(config.pretrained)))]
        return choose_split(config, models, ("train", "val", *scored), ("val", "test"))

    if not kept.is_file():
        return new()
    own = split_settings(build_settings(DataSettings, config))
    return KeptSplit(ListedSplit(read_split_file(kept), own.by, own.folds, own.fold), new)


def read_model(path: Path) -> Model:
    """Return the model that a file, a checkpoint or a run's folder means. Raises `UserError` where there is none."""
    return Model(find_model_file(path), load_card(path))


def split_card(config: DictConfig) -> dict[str, Any]:
    """Return what a model's card says of the split of its training."""
    own = split_settings(build_settings(DataSettings, config))
    return {name: getattr(own, name) for name in KEYS} | {"ratio": list(own.ratio)}


def read_split_settings(card: Mapping[str, Any], own: SplitSettings, typed: Collection[str]) -> SplitSettings:
    """Return the settings that a card states, those that were typed as they were typed; a card that states none is of a
    model whose pages were divided by hash."""
    stated = card.get(CARD_KEY)
    if not isinstance(stated, dict):
        return own if "rule" in typed else replace(own, rule="hash")
    found = {name: stated[name] for name in KEYS if name in stated and name not in typed}
    if not _is_settings(found):
        return own
    ratio = tuple(float(share) for share in found.get("ratio", own.ratio))
    return replace(own, **{**found, "ratio": ratio})


def _is_settings(found: Mapping[str, Any]) -> bool:
    """Return whether a card's settings are some: it may come from anywhere."""
    ratio = found.get("ratio", [1.0, 0.0, 0.0])
    numbers = [found.get("seed", 0), found.get("fold", 0), found.get("folds") or 2]
    return (
        isinstance(ratio, list)
        and len(ratio) == 3
        and all(isinstance(one, int | float) and one >= 0 for one in ratio)
        and all(isinstance(one, int) and one >= 0 for one in numbers)
        and found.get("rule", "hash") in ("hash", "quantile")
        and found.get("by", "page") in ("page", "document", "hand")
    )


def read_typed_settings() -> frozenset[str]:
    """Return which settings of the split were typed, or chosen by the experiment."""
    keys = find_user_overrides("data").keys
    seeds = {"seed"} if any(one == "seed" for one in find_user_overrides("seed").choices) else set()
    return frozenset({name for name, key in KEYS.items() if key in keys} | seeds)


def _find_taken(config: DictConfig, own: SplitSettings, typed: Collection[str]) -> ListedSplit:
    """Return the split of the run that data.split_from names."""
    given = Path(str(config.data.split_from))
    stated = [f"data.{part}" for part in PARTS if config.data[part] is not None]
    stated += [KEYS[name] for name in ("ratio", "rule") if name in typed]
    if stated:
        raise UserError(
            f"{stated[0]} and data.split_from={given} both say which pages are in which part: leave one of them out"
            f"{'; data.root names the pages' if stated[0] == 'data.train' else ''}."
        )
    file = read_split_file(given)
    by = own.by if "by" in typed else _describe_origin(file.path.parent, own)
    return ListedSplit(file, by, own.folds, own.fold)


def _describe_origin(folder: Path, own: SplitSettings) -> str:
    """By what the run in a folder kept pages together."""
    try:
        by = read_saved(RunFolder(folder).config)["data"]["split"]
    except (UserError, KeyError, TypeError):
        return own.by
    return by if by in ("page", "document", "hand") else own.by
