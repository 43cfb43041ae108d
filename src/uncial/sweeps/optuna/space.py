"""What a search may vary, in the grammar of Hydra's overrides, as Optuna's distributions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from uncial.errors import UserError
from uncial.sweeps.varied import LOG, check_log, find_sweep_overrides

NOT_SEARCHED = ("seed", "data.fold", "data.seed")
"""A search for the best of these finds luck."""


@dataclass(frozen=True)
class SearchSpace:
    """`fixed` are the overrides that all jobs share; `distributions` are by key, as it is typed."""

    fixed: tuple[str, ...]
    distributions: Mapping[str, BaseDistribution]

    def overrides(self, values: Mapping[str, Any]) -> list[str]:
        """Return those of the job that tries these values. Raises `UserError` for one that the space does not hold:
        they may come from the search's file."""
        for key, distribution in self.distributions.items():
            if isinstance(distribution, CategoricalDistribution) and values[key] not in distribution.choices:
                raise UserError(f"{key}={values[key]} of an earlier trial is none of the values that are searched.")
        return [*(f"{key}={_format_text(values[key])}" for key in self.distributions), *self.fixed]


def search_space(params: Mapping[str, Any], typed: Sequence[str], loader: ConfigLoader | None = None) -> SearchSpace:
    """Return the space of `hydra.sweeper.params` and what was typed, which comes later and wins.

    Raises `UserError` where there is nothing to search, and for what is no use to a search.
    """
    given = find_sweep_overrides(params, typed, loader)
    for key in given.varied:
        if key.lstrip("+") in NOT_SEARCHED:
            raise UserError(
                f"{key} is several values: a search would take the luckiest of them. Search with one, and then repeat "
                "the best run with others."
            )
    if not given.varied:
        raise UserError(
            "There is nothing to search: give hydra.sweeper.params or the command a key with several values, for "
            "instance 'optimizer.lr=tag(log, interval(1e-4, 1e-2))'."
        )
    return SearchSpace(given.fixed, {key: _build_distribution(one) for key, one in given.varied.items()})


def _build_distribution(override: Override) -> BaseDistribution:
    value = override.value()
    if isinstance(value, IntervalSweep):
        return _build_interval(override, value)
    if isinstance(value, RangeSweep):
        return _build_range(override, value)
    choices = list(dict.fromkeys(override.sweep_string_iterator()))
    if not choices:
        raise UserError(f"{override.input_line}: there is nothing to choose from.")
    return CategoricalDistribution(choices)


def _build_interval(override: Override, value: IntervalSweep) -> BaseDistribution:
    low, high, log = value.start, value.end, LOG in value.tags
    if log:
        check_log(override, low)
    assert low is not None
    assert high is not None
    if low > high:
        raise UserError(f"{override.input_line}: the smaller number comes first.")
    if isinstance(low, int) and isinstance(high, int):
        return IntDistribution(low, high, log=log)
    return FloatDistribution(float(low), float(high), log=log)


def _build_range(override: Override, value: RangeSweep) -> BaseDistribution:
    """Hydra's range ends before its second number, Optuna's with it."""
    values, log = sorted(value.range()), LOG in value.tags
    if not values:
        raise UserError(f"{override.input_line}: there is nothing in this range.")
    if log:
        check_log(override, values[0])
    step = abs(value.step)
    if log and step != 1:
        raise UserError(f"{override.input_line}: a range with the tag log has steps of 1; or take an interval.")
    if all(isinstance(one, int) for one in values):
        return IntDistribution(values[0], values[-1], log=log, step=int(step))
    return FloatDistribution(values[0], values[-1], step=float(step))


def _format_text(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)
