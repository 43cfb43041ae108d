"""How to train on so many lines in so much time, each setting with its reason; as a table and as an experiment."""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from uncial.config.keys import iterate_leaves
from uncial.config.location import SEARCH_PATH, Start, current_start
from uncial.config.overrides import quote_for_hydra
from uncial.config.saved_yaml import escape_references
from uncial.errors import UserError
from uncial.files import replace_text_file
from uncial.reports.terminal.formatting import format_duration, format_rate, plural

CONFIG_DIR = "--config-dir"

LINES_OF_A_STEP = 8
"""The learning rates of conf/optimizer are for batches of about so many lines (docs/benchmarks.md)."""

LARGEST_FACTOR = 2.0
"""Of a learning rate, however many lines a step has."""

VIEWS, LEAST_PASSES = 60_000, 12
"""Views after which a model of the default size has learned most of what it will, and of each line at least."""

TUNING_VIEWS, TUNING_PASSES, TUNING_FACTOR = 3_000, 10, 0.2
"""The same for a model that can read already (experiment=bonnevie_finetune)."""

FEW_STEPS = 1_200
"""With fewer the batches are made smaller, as far as two lines."""

MANY_STEPS = {"cpu": 20_000, "gpu": 2_500}
LARGEST_BATCH = {"cpu": 16, "gpu": 64}
"""Lines of a step: on a processor larger batches save next to no time, on a GPU they fill it."""

LOW, USUAL, FEW_VIEWS, FASTER = 32, 64, 10_000, 1.6
"""Low lines are learned from in less time, by this factor, and after fewer views, but hold less of small writing: for
short trainings (docs/benchmarks.md), and for models that take lines of up to `USUAL` pixels."""


@dataclass(frozen=True)
class DataFacts:
    """What a choice depends on.

    `width` is the mean padded width in pixels of a training line as the model takes it, `height` the height, `pace` the
    lines a second that were measured, `seconds` the time for the whole training, None where none was given, `device`
    cpu or gpu, `rate` the learning rate of the optimizer's config, None where it has none. `steps` or else `epochs` is
    the length of the training where it was given otherwise.
    """

    lines: int
    characters: int
    width: float
    height: int
    pace: float
    seconds: float | None
    device: str
    cores: int
    rate: float | None
    tuned: bool = False
    steps: int | None = None
    epochs: float | None = None


@dataclass(frozen=True)
class Setting:
    """A key or group, its value as it is typed, and why."""

    key: str
    value: str
    reason: str


def suggest_settings(facts: DataFacts) -> list[Setting]:
    """Return the choices for a training, in the order in which they follow from each other."""
    height = _suggest_height(facts)
    facts = find_lower(facts) if height else facts
    views = estimate_views(facts)
    lines = estimate_batch_lines(facts, views)
    return [
        *height,
        *_suggest_length(facts, views),
        *_suggest_batch(facts, views, lines),
        *_suggest_warm_up(views / lines),
        _suggest_augmentation(facts, views),
    ]


def find_lower(facts: DataFacts) -> DataFacts:
    """Return the same with lines of the height `LOW`."""
    return replace(facts, width=facts.width * LOW / facts.height, height=LOW, pace=FASTER * facts.pace)


def _suggest_height(facts: DataFacts) -> list[Setting]:
    if facts.tuned or not LOW < facts.height <= USUAL or estimate_views(facts) >= FEW_VIEWS:
        return []
    reason = f"so short a training reads lower lines sooner and faster than those of {facts.height} pixels"
    return [Setting("model.preprocessing.height", str(LOW), reason)]


def estimate_views(facts: DataFacts) -> int:
    """Return how many lines the training will see, each as often as it comes."""
    if facts.seconds is not None:
        return max(1, round(facts.pace * facts.seconds))
    if facts.steps is not None:
        return facts.steps * min(LINES_OF_A_STEP, max(1, facts.lines))
    if facts.epochs is not None:
        return max(1, round(facts.epochs * facts.lines))
    views, passes = (TUNING_VIEWS, TUNING_PASSES) if facts.tuned else (VIEWS, LEAST_PASSES)
    return max(views, passes * facts.lines)


def estimate_batch_lines(facts: DataFacts, views: int) -> int:
    """Lines of a step: so many that there are neither too few steps to learn from nor more than help."""
    wanted = LINES_OF_A_STEP
    if facts.seconds is None and facts.steps is not None:
        return min(wanted, max(1, facts.lines))
    while wanted > 2 and views / wanted < FEW_STEPS:
        wanted //= 2
    while wanted < LARGEST_BATCH[facts.device] and views / wanted > MANY_STEPS[facts.device]:
        wanted *= 2
    return min(wanted, max(1, facts.lines))


def _suggest_length(facts: DataFacts, views: int) -> Iterator[Setting]:
    passes = views / facts.lines
    if facts.seconds is not None:
        reason = f"{facts.pace:.0f} lines/s allow about {views:,} views in {format_duration(facts.seconds)}"
        yield Setting("trainer.time_budget", f"{facts.seconds:g}", "seconds, so long it was asked to be")
        yield Setting(
            "scheduler", "one_cycle", f"{reason}: {passes:.1f} passes; the rate falls to the end of that time"
        )
        return
    is_given = facts.steps is not None or facts.epochs is not None
    bound = "so long it was asked to be" if is_given else "trainer.time_budget=HH:MM:SS bounds it"
    reason = f"{passes:.{0 if passes >= 2 else 1}f} passes, about {format_duration(views / facts.pace)} here; {bound}"
    yield Setting("trainer.lines_seen", str(views), reason)
    yield Setting("scheduler", "one_cycle", "the length is known, so the rate can fall to its end")


def _suggest_batch(facts: DataFacts, views: int, lines: int) -> Iterator[Setting]:
    pixels = max(100, 100 * round(lines * facts.width / 100))
    steps = f"{views / lines:,.0f} steps"
    why = {
        "cpu": "small batches learn faster in the same time on a processor",
        "gpu": "the GPU is filled as far as the number of steps allows",
    }[facts.device]
    yield Setting("trainer.max_lines", str(lines), f"{steps}; {why}")
    yield Setting("trainer.batch_width", str(pixels), f"{lines} lines of {facts.width:.0f} pixels")
    if facts.rate is None:
        return
    reference = facts.rate * (TUNING_FACTOR if facts.tuned else 1)
    rate = reference * min(LARGEST_FACTOR, math.sqrt(lines / LINES_OF_A_STEP))
    start = "suits a model that can read already" if facts.tuned else "is the optimizer's"
    reason = f"{reference:g} {start}, at {LINES_OF_A_STEP} lines a step; it goes with the root of their number"
    yield Setting("optimizer.lr", f"{rate:.1e}", reason)


def _suggest_warm_up(steps: float) -> Iterator[Setting]:
    if steps < 1_000:
        yield Setting("scheduler.warmup_fraction", "0.1", "100 steps of warm-up are too many in so short a run")


def _suggest_augmentation(facts: DataFacts, views: int) -> Setting:
    passes = views / facts.lines
    if facts.tuned and facts.lines < 200:
        return Setting("augmentation", "default", "few lines of one hand are seen often")
    if passes < 4:
        return Setting("augmentation", "light", f"each line is seen {passes:.1f} times: it varies by itself")
    if passes > 60:
        return Setting("augmentation", "strong", f"each line is seen {passes:.0f} times and has to differ each time")
    return Setting("augmentation", "default", f"each line is seen {passes:.0f} times")


def make_recipe_table(facts: DataFacts, choices: Sequence[Setting], typed: Collection[str]) -> RenderableType:
    """Return the choices with their reasons; those whose keys were typed stay as they are."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("chosen", no_wrap=True)
    table.add_column("because")
    for choice in choices:
        if choice.key in typed:
            table.add_row(Text(choice.key, style="bold"), "as it was typed")
        else:
            table.add_row(Text(f"{choice.key}={choice.value}", style="bold"), choice.reason)
    return Group(Text(f"{_describe_facts(facts)}."), table)


def write_recipe(path: Path, facts: DataFacts, choices: Sequence[Setting], name: str) -> None:
    """The choices as a file of conf/experiment, each with its reason."""
    groups = [choice for choice in choices if "." not in choice.key]
    keys = [choice for choice in choices if "." in choice.key]
    lines = [
        "# @package _global_",
        f"# Chosen by experiment=auto: {_describe_facts(facts)}. Edit it, and train with it:",
    ]
    lines += [f"#   {_format_start(path.parent.parent).format(f'experiment={path.stem}', 'data=…')}", "defaults:"]
    lines += [f"  - override /{choice.key}: {choice.value}  # {choice.reason}" for choice in groups]
    lines += ["", OmegaConf.to_yaml(OmegaConf.create(escape_references({"name": name})))]
    for group in dict.fromkeys(choice.key.partition(".")[0] for choice in keys):
        lines.append(f"{group}:")
        for choice in keys:
            if choice.key.startswith(f"{group}."):
                lines += [f"  # {choice.reason}", f"  {choice.key.partition('.')[2]}: {choice.value}"]
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_text_file(path) as file:
        file.write("\n".join(lines) + "\n")


def _format_start(folder: Path) -> Start:
    """That of this run with one more folder of configs. There is one --config-dir: that of the run becomes one of
    hydra.searchpath."""
    start = current_start()
    options = list(start.options)
    if CONFIG_DIR not in options:
        return replace(start, options=(*options, CONFIG_DIR, str(folder)))
    place = options.index(CONFIG_DIR)
    own = quote_for_hydra(f"file://{Path(options[place + 1]).absolute()}")
    _, _, others = next(iter(start.search_path), f"{SEARCH_PATH}=[]").partition("[")
    search_path = f"{SEARCH_PATH}=[{own}{']' if others == ']' else f',{others}'}"
    return replace(start, options=(*options[:place], CONFIG_DIR, str(folder)), search_path=(search_path,))


def read_recipe(path: Path) -> list[str]:
    """Return what a file of `write_recipe` chooses, as it is typed."""
    content: Any = OmegaConf.to_container(OmegaConf.load(path))
    entries = [entry for default in content["defaults"] for entry in default.items()]
    groups = [f"{key.removeprefix('override /')}={value}" for key, value in entries]
    keys = [f"{key}={value}" for key, value in iterate_leaves(content) if key not in ("defaults", "name")]
    for line in (*groups, *keys):
        if "_target_" in line or "${" in line:
            raise UserError(f"{path} holds {line}, which task=auto does not choose: type it, or remove the file.")
    return [*groups, *keys]


def _describe_facts(facts: DataFacts) -> str:
    cores = plural(facts.cores, "core") if facts.device == "cpu" else "a GPU"
    return (
        f"{plural(facts.lines, 'training line')}, {plural(facts.characters, 'character')}, {cores}, "
        f"{format_rate(facts.pace)} measured"
    )
