"""The smallest step of numbers that were once counts.

Counts that were only scaled (CPM, TMM, size factors, RSEM's upper quartile) are still whole
multiples of one number, the value of one read. Dividing by gene length destroys that: every gene
then has its own step. So the step tells CPM from TPM, which both add up to a million.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LOWEST = 3000
"""So many of a sample's lowest positive values are searched for a step."""
MULTIPLES = 100
"""Higher multiples are looked at only if the lowest `ENOUGH` values reach beyond."""
ENOUGH = 500
EARLY, MANY = 30, 100
"""Up to these multiples, of so many values or more, half are near one, or the step is wrong: by
chance two in five are, of scaled counts four in five or more."""
FEWEST = 50
"""Fewest values on which a step is believed."""
TOLERANCE = 0.25
"""Where rounding in the file exceeds this share of a step, nothing can be told."""


class Step(NamedTuple):
    """A step, the share of low values on its multiples, and the share chance would put there."""

    size: float
    share: float
    chance: float

    @property
    def merit(self) -> float:
        """How much more often than by chance values fall on multiples (0 to 1)."""
        return self.share - self.chance

    @property
    def full(self) -> bool:
        """Every low value is a multiple: scaled counts."""
        return self.share >= 0.98 and self.chance <= 0.55

    @property
    def partial(self) -> bool:
        """Most low values are multiples: scaled counts of reads shared between genes."""
        return self.share >= 0.7 and self.merit >= 0.45

    @property
    def whole(self) -> bool:
        """The step is one."""
        return abs(self.size - 1) < 1e-3


NO_STEP = Step(np.nan, 0.0, 0.0)
WHOLE = Step(1.0, 1.0, 0.0)


def rounding(values: Floats) -> float:
    """Half the last decimal that finite `values` were written with, 0 if they are exact.

    Examples
    --------
    >>> rounding(np.array([0.25, 1.5, 3.0]))
    0.005
    """
    some = values[:: max(1, len(values) // 500)]
    for digits in range(10):
        if np.all(np.abs(some - np.round(some, digits)) <= 1e-9 * np.maximum(1, np.abs(some))):
            return 0.5 * 10.0**-digits if digits else 0.0
    return 0.0


def find_step(values: Floats, noise: Floats, *, logged: bool = True) -> Step:
    """Find the step of a sample's values.

    Parameters
    ----------
    values
        Positive linear values, ascending.
    noise
        How far rounding in the file may have moved each of them.
    logged
        Whether they were logarithms, which may have been taken of numbers rounded before.

    Returns
    -------
    Step
        `NO_STEP` if there is none, or none but the last decimal of the file.
    """
    if len(values) < FEWEST:
        return NO_STEP
    values, noise = values[:LOWEST], noise[:LOWEST]
    for decimal in (0.1, 0.01, 0.001, 0.0001) if logged else ():
        if _count(values, noise, decimal).full:
            noise = np.maximum(noise, decimal / 2)
            break
    found = [_fit(values, noise, size) for size in _candidates(values, noise)]
    if not found:
        return NO_STEP
    best = max(step.merit for step in found)
    step = next(step for step in found if step.merit >= best - 0.2)
    return step if step.full or step.partial else NO_STEP


def _candidates(values: Floats, noise: Floats) -> list[float]:
    """Sizes worth trying: the first frequent value and its parts, then common small gaps."""
    apart = np.diff(values) > np.maximum(2 * noise[1:], 1e-6 * values[1:])
    starts = np.concatenate(([0], np.flatnonzero(apart) + 1))
    size = np.diff(np.append(starts, len(values)))
    means = np.add.reduceat(values, starts) / size
    out = []
    if size.max() >= 5:
        first = means[np.flatnonzero(size >= max(5, size.max() / 2))[0]]
        out += [first, first / 2, first / 3]
    if len(means) > 10:
        out += list(np.quantile(np.diff(means[:300]), (0.02, 0.1, 0.25)))
    return [float(x) for x in out]


def _fit(values: Floats, noise: Floats, step: float) -> Step:
    """Refine a step on its own multiples, nearest first, and count the values on them."""
    start = float(np.rint(values[0] / step))
    for top in (3, 10, 30, 100, 300):
        low = values[: _end(values, step, start + top)]
        ratio = low / step
        times = np.rint(ratio)
        place = slice(times.searchsorted(1), times.searchsorted(start + top, "right"))
        times = times[place]
        near = np.abs(ratio[place] - times) < 0.2
        hits = int(np.count_nonzero(near))
        if not hits or (top <= EARLY and len(near) >= MANY and hits < len(near) / 2):
            return NO_STEP
        times = times[near]
        step = float(np.add.reduce(times * low[place][near]) / np.add.reduce(times * times))
        if top >= _limit(values, step):
            break
    return _count(values, noise, step)


def _end(values: Floats, step: float, multiple: float) -> int:
    """How many of the ascending values can be at or below a multiple of a step, or round to it."""
    return int(values.searchsorted((multiple + 1) * step))


def _limit(values: Floats, step: float) -> float:
    return max(float(MULTIPLES), float(values[min(ENOUGH, len(values)) - 1]) / step)


def _count(values: Floats, noise: Floats, step: float) -> Step:
    limit = _limit(values, step)
    end = _end(values, step, limit)
    ratio, tolerance = values[:end] / step, np.maximum(0.01, 1.5 * noise[:end] / step)
    tested = (ratio <= limit) & (tolerance <= TOLERANCE)
    if np.count_nonzero(tested) < FEWEST:
        return NO_STEP
    ratio, tolerance = ratio[tested], tolerance[tested]
    hit = (np.abs(ratio - np.rint(ratio)) <= tolerance) & (ratio > 0.5)
    return Step(step, np.count_nonzero(hit) / len(hit), float((2 * tolerance).mean()))
