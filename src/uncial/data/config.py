"""From the `data` keys to the settings of what reads, filters, divides and compiles the data."""

from fractions import Fraction
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from uncial.config.schema import as_tuple, choice
from uncial.data.filters import Filters
from uncial.data.settings import SourceSettings
from uncial.data.splits.groups import PARTS
from uncial.data.splits.split import SplitSettings
from uncial.data.store.compile import CompileSettings, cores
from uncial.errors import UserError


def data_text(config: DictConfig) -> str:
    """The data as a person knows them: where they lie, or the name of their group."""
    roots = config.data.get("root")
    return ", ".join(as_tuple(roots)) if roots else str(config.data.name)


def source_settings(data: DictConfig) -> SourceSettings:
    for part in PARTS:
        if data[part] is not None and not as_tuple(data[part]):
            raise UserError(f"data.{part}=[] names nothing: name files or folders, or data.{part}=null for none.")
    options = OmegaConf.to_container(data.options, resolve=True)
    assert isinstance(options, dict)
    patterns = {key: data[key] for key in ("document_pattern", "hand_pattern", "page_pattern") if data[key] is not None}
    return SourceSettings(
        format=data.format,
        root=as_tuple(data.root),
        train=as_tuple(data.train),
        val=as_tuple(data.val),
        test=as_tuple(data.test),
        include=as_tuple(data.include),
        exclude=as_tuple(data.exclude),
        images=tuple(Path(folder) for folder in as_tuple(data.images)),
        options={"seed": data_seed(data), **patterns, **{str(key): value for key, value in options.items()}},
    )


def filters(data: DictConfig) -> Filters:
    return Filters(
        region_types=as_tuple(data.region_types),
        line_tags=as_tuple(data.line_tags),
        languages=as_tuple(data.languages),
        directions=as_tuple(data.directions),
        direction=data.direction,
        min_confidence=float(data.min_confidence),
        keep_unscored=bool(data.keep_unscored),
        skip_unclear=bool(data.skip_unclear),
        text_styles=data.text_styles,
        machine_read=float(data.min_confidence) > 0 or data.format == "mixed",
    )


def split_settings(data: DictConfig) -> SplitSettings:
    ratio = [float(share) for share in as_tuple(data.ratio)]
    if len(ratio) != 3 or min(ratio) < 0 or abs(sum(ratio) - 1) > 1e-6 or ratio[0] == 0:
        raise UserError(
            f"data.ratio={ratio}: three shares of train, val and test are needed that add up to 1, the first above 0."
        )
    shares = (ratio[0], ratio[1], ratio[2])
    folds = None if data.folds is None else int(data.folds)
    if folds is None and data.fold:
        raise UserError(f"data.fold={data.fold}: one of how many folds? Add data.folds=5, or another number.")
    if folds is not None and not 0 <= data.fold < folds:
        raise UserError(f"data.fold={data.fold}: the {folds} folds of data.folds are numbered from 0 to {folds - 1}.")
    by = choice(data.split, "data.split", ("page", "document", "hand"))
    rule = choice(data.split_rule, "data.split_rule", ("quantile", "hash"))
    return SplitSettings(shares, by, data_seed(data), folds, int(data.fold), rule)


def data_seed(data: DictConfig) -> int:
    """The seed of the split and of drawn pages. Raises `UserError` where there is none."""
    if data.seed is None:
        raise UserError("data.seed=null: a whole number is needed; leave the key out, and it is that of seed.")
    return int(data.seed)


def share_of_lines(data: DictConfig) -> Fraction | None:
    """The share of the training lines that `data.share` asks for. Raises `UserError` for what is none."""
    if data.share is None:
        return None
    try:
        share = Fraction(str(data.share))
    except (ValueError, ZeroDivisionError):
        share = Fraction(0)
    if not 0 < share <= 1:
        raise UserError(f"data.share={data.share}: a number above 0 to 1 is needed, or a fraction such as 1/4.")
    if data.lines is not None:
        raise UserError("data.lines and data.share both say how many training lines are used: leave one of them null.")
    return share


def compile_settings(config: DictConfig) -> CompileSettings:
    data = config.data
    if data.channels not in (1, 3):
        raise UserError(f"data.channels={data.channels}: 1 (grey) or 3 (colour).")
    return CompileSettings(
        folder=Path(config.paths.store),
        max_height=int(data.max_height),
        channels=int(data.channels),
        max_pixels=int(data.max_pixels),
        workers=cores() if data.compile_workers is None else int(data.compile_workers),
        strict=bool(data.strict),
    )


def check_subset(config: DictConfig) -> None:
    """Raises `UserError` where `data.subset` names no part of the data."""
    if config.data.subset is not None:
        choice(config.data.subset, "data.subset", (*PARTS, "all"))
