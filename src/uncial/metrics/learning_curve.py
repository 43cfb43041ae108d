"""What more training lines would bring: the error rate as a power law of their number, with a floor.

The error rate of a model falls with its n training lines about as a n^-b + c (Hestness et al., Deep Learning Scaling is
Predictable, Empirically, 2017). Four or five sizes hardly tell the floor c from a smaller b, and the best fit would
pretend that they do. So a grid of curves is weighed instead of one being fitted: each is as likely as it explains the
logarithms of the measured error rates, times a prior that exponents are near 0.5 and floors rather low. How much one
training differs from the next by luck is unknown too and weighed along (an inverse gamma prior, worth `LUCK_WEIGHT`
measurements of `LUCK`); seeds, and how well any curve fits, tell. That the validated pages stand for others is doubtful
as well: pages are drawn anew with all their lines, the same ones for all sizes, as for all intervals
(uncial.metrics.intervals). Each draw of pages draws one curve from those that it finds likely, and the luck of one
more training. The band is what the middle of these draws comes to. On simulated trainings whose curve is known, an 80 %
band of what was fitted up to half of the lines holds the score on all of them in about 80 of 100 cases
(tests/tasks/test_forecast.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from uncial.metrics.intervals import Bootstrap, resample

LEAST_SIZES = 3
"""Fewer numbers of lines do not tell a curve."""
UNLEARNED = 0.6
"""A model with more errors than that has not begun to read, and where it stands says nothing about the curve behind."""
LUCK, LUCK_WEIGHT = 0.06, 4.0
"""By how much two trainings differ before anything is known (standard deviation of the logarithm), and the weight."""

EXPONENTS = np.geomspace(0.05, 2.0, 24)
FLOORS = np.linspace(0.0, 0.95, 12)
USUAL_EXPONENT, EXPONENT_SPREAD = 0.5, 0.7


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """A training on `lines` lines: its edits (P,) on the pages that all runs were validated on."""

    lines: int
    seed: int
    edits: np.ndarray


@dataclass(frozen=True, slots=True)
class Forecast:
    """A figure with the interval that holds it with the probability of the curve's level."""

    lines: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class NeededLines:
    """Training lines in all for a CER of `target`. Each is infinite where no number of lines would do; `reachable` is
    the share of the likely curves that come to the target at all.
    """

    target: float
    value: float
    low: float
    high: float
    reachable: float


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """Curves that explain what was measured, one for each draw (R,): the error rate with `most` lines, the exponent,
    the share of the floor in it, and the luck of one training (a factor's logarithm).
    """

    most: int
    rate: np.ndarray
    exponent: np.ndarray
    floor: np.ndarray
    luck: np.ndarray
    level: float

    def at(self, lines: int) -> Forecast:
        """Return the CER that a training on so many lines would come to."""
        drawn = self._rates(lines) * np.exp(self.luck)
        low, value, high = np.quantile(drawn, self._quantiles)
        return Forecast(lines, float(value), float(low), float(high))

    def needed(self, target: float) -> NeededLines:
        """Return how many lines a CER of `target` takes, by the curves without the luck of one training."""
        over = (target / self.rate - self.floor) / (1 - self.floor)
        reaches = over > 0
        with np.errstate(over="ignore"):
            lines = np.where(reaches, self.most * np.where(reaches, over, 1.0) ** (-1 / self.exponent), np.inf)
        # Between two draws, one of them infinite, there is no mean to take.
        low, value, high = np.quantile(lines, self._quantiles, method="nearest")
        return NeededLines(target, float(value), float(low), float(high), float(reaches.mean()))

    def _rates(self, lines: int) -> np.ndarray:
        return self.rate * ((1 - self.floor) * (lines / self.most) ** -self.exponent + self.floor)

    @property
    def _quantiles(self) -> tuple[float, float, float]:
        return (1 - self.level) / 2, 0.5, (1 + self.level) / 2


def fit_learning_curve(
    runs: Sequence[MeasuredRun], characters: np.ndarray, level: float, bootstrap: Bootstrap
) -> LearningCurve:
    """Return the curves that explain the runs, whose pages have so many `characters` (P,).

    `level` is that of the bands, a fraction. Raises `ValueError` for fewer than `LEAST_SIZES` numbers of lines.
    """
    sizes = np.array([run.lines for run in runs], float)
    if len(set(sizes)) < LEAST_SIZES:
        raise ValueError(f"{len(set(sizes))} numbers of lines do not tell a curve")
    random = np.random.default_rng(bootstrap.seed)
    measured = _draw_rates(runs, characters, bootstrap, random)
    exponents, floors = (axis.ravel() for axis in np.meshgrid(EXPONENTS, FLOORS, indexing="ij"))
    shapes = np.log((1 - floors)[:, None] * (sizes / sizes.max()) ** -exponents[:, None] + floors[:, None])
    deviations, centred = (table - table.mean(axis=1, keepdims=True) for table in (measured, shapes))
    squares = (deviations**2).sum(1)[:, None] + (centred**2).sum(1) - 2 * deviations @ centred.T
    scatter = LUCK_WEIGHT * LUCK**2 + np.maximum(squares, 0)
    degrees = LUCK_WEIGHT + len(runs) - 1
    prior = np.log1p(-floors) - 0.5 * (np.log(exponents / USUAL_EXPONENT) / EXPONENT_SPREAD) ** 2
    # The largest of the log-weights, each with a Gumbel variable added, is a draw in proportion to the weights.
    chosen = np.argmax(prior - degrees / 2 * np.log(scatter) + random.gumbel(size=scatter.shape), axis=1)
    variance = scatter[np.arange(len(chosen)), chosen] / random.chisquare(degrees, len(chosen))
    height = measured.mean(axis=1) - shapes[chosen].mean(axis=1)
    height += random.normal(size=len(chosen)) * np.sqrt(variance / len(runs))
    luck = random.normal(size=len(chosen)) * np.sqrt(variance)
    return LearningCurve(int(sizes.max()), np.exp(height), exponents[chosen], floors[chosen], luck, level)


def _draw_rates(
    runs: Sequence[MeasuredRun], characters: np.ndarray, bootstrap: Bootstrap, random: np.random.Generator
) -> np.ndarray:
    """Return the logarithms of the runs' error rates (R, runs), each row on other pages; a single page stays as it
    is."""
    edits = np.column_stack([run.edits for run in runs]).astype(float)
    # Half an edit more, so that a run without any has a logarithm.
    seen = np.log((edits.sum(axis=0) + 0.5) / max(float(characters.sum()), 1.0))
    pages = len(characters)
    if pages < 2:
        return np.repeat(seen[None], bootstrap.resamples, axis=0)
    sums = resample(np.column_stack([edits, characters]), bootstrap)
    drawn = np.log((sums[:, :-1] + 0.5) / np.maximum(sums[:, -1:], 1.0))
    # Few pages are too much alike in the draws: made larger as Student's t asks, see uncial.metrics.intervals.
    widened = np.sqrt(pages / random.chisquare(pages - 1, (len(drawn), 1)))
    return seen + (drawn - drawn.mean(axis=0)) * widened
