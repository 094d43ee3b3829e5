r"""Two time points of one patient: how far each readout and mechanism moved, and how surely.

A change is the difference of two normal scores in the same reference. Its interval joins, at each
end, the intervals of both samples by the square root of the sum of squares (MOVER, Zou & Donner
2008, doi:10.1002/sim.3095) and, where the reference knows it, the biopsy noise: the standard
deviation of the difference between two biopsies of one patient without treatment in between.
Both samples are scored on the same genes against the same reference, so their errors are partly
shared; joining them as independent makes the interval too wide rather than too narrow. Without
biopsy noise the interval says only whether the two *samples* differ, not whether the tumour
changed, and every row says so.

A patient's rows depend on that patient's samples and the reference only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from scipy import special

from resistpath.mechanisms.rows import is_missing
from resistpath.mechanisms.standing import Standing, Standings

STEPS: Final = (("pre", "on"), ("pre", "progression"), ("on", "progression"), ("pre", "post"))
"""Pairs of time points that are compared."""
VIEWS: Final = ("raw", "residual")
UP, DOWN, UNCLEAR, CANNOT_SAY = "up", "down", "no clear change", "cannot say"
WITHOUT_NOISE: Final = "without biopsy noise, which the reference does not hold"
COLUMNS: Final = (
    *("patient", "from_sample", "to_sample", "from_timepoint", "to_timepoint"),
    *("kind", "item", "view", "from_percentile", "from_low", "from_high"),
    *("to_percentile", "to_low", "to_high"),
    *("delta", "low", "high", "biopsy_sd", "outcome", "reason"),
)


@dataclass(frozen=True)
class Pair:
    """One patient at two time points; several samples of a time point count as one.

    Attributes
    ----------
    patient, start, end
        The patient and the two time points.
    before, after
        Positions of the samples among all samples, in order of their names.
    """

    patient: str
    start: str
    end: str
    before: tuple[int, ...]
    after: tuple[int, ...]


def find_pairs(samples: pd.Index, obs: pd.DataFrame) -> list[Pair]:
    """Pairs of time points for which a patient has samples, by patient and step.

    Samples without a patient or a time point take no part.
    """
    if "patient" not in obs or "timepoint" not in obs:
        return []
    places: dict[str, dict[str, list[int]]] = {}
    for i in np.argsort(np.asarray(samples, dtype=str), kind="stable"):
        patient, timepoint = (obs[c].get(samples[i]) for c in ("patient", "timepoint"))
        if not is_missing(patient) and not is_missing(timepoint):
            places.setdefault(str(patient), {}).setdefault(str(timepoint), []).append(int(i))
    return [
        Pair(patient, start, end, tuple(at[start]), tuple(at[end]))
        for patient, at in sorted(places.items())
        for start, end in STEPS
        if start in at and end in at
    ]


@dataclass(frozen=True)
class Level:
    """One item at one time point of a patient."""

    z: float
    lower: float
    upper: float
    percentile: float
    low: float
    high: float
    reason: str


def level_at(
    standing: Standing, places: Sequence[int], samples: pd.Index, barred: Mapping[str, str]
) -> Level:
    """Average the samples of one time point that have a place.

    Normal scores and the distances to the ends are averaged; the interval does not shrink with
    the number of samples, because they share their genes and their reference.
    """
    usable = [i for i in places if np.isfinite(standing.z[i]) and str(samples[i]) not in barred]
    if not usable:
        first, nan = str(samples[places[0]]), float("nan")
        why = barred.get(first) or standing.reasons[places[0]] or "no value"
        return Level(nan, nan, nan, nan, nan, nan, f"{first}: {why}")

    def mean(values: np.ndarray) -> float:
        return sum(float(values[i]) for i in usable) / len(usable)

    z, lower, upper = mean(standing.z), mean(standing.lower), mean(standing.upper)
    if len(usable) == 1:
        percentile, low, high = (
            mean(x) for x in (standing.percentile, standing.low, standing.high)
        )
    else:
        percentile, low, high = (
            100 * float(special.ndtr(end)) for end in (z, z - lower, z + upper)
        )
    return Level(z, lower, upper, percentile, low, high, "")


@dataclass(frozen=True)
class Change:
    """Difference of two levels on the normal-score axis, with its interval and outcome."""

    delta: float
    low: float
    high: float
    outcome: str
    reason: str


def change(before: Level, after: Level, noise: float | None, level: float) -> Change:
    """Difference between two time points.

    Parameters
    ----------
    noise
        Standard deviation of the difference between two biopsies of one patient without
        treatment in between, on the normal-score axis; None if unknown.
    level
        Confidence level, that of the samples' own intervals.

    Examples
    --------
    >>> a = Level(-1.0, 0.3, 0.4, 16, 10, 27, "")
    >>> b = Level(1.0, 0.3, 0.4, 84, 76, 92, "")
    >>> c = change(a, b, None, 0.9)
    >>> c.delta, round(c.low, 3), round(c.high, 3), c.outcome
    (2.0, 1.5, 2.5, 'up')
    """
    if before.reason or after.reason:
        nan = float("nan")
        return Change(nan, nan, nan, CANNOT_SAY, before.reason or after.reason)
    delta = after.z - before.z
    extra = 0.0 if noise is None else float(special.ndtri(0.5 + level / 2)) * noise
    low = delta - float(np.sqrt(after.lower**2 + before.upper**2 + extra**2))
    high = delta + float(np.sqrt(after.upper**2 + before.lower**2 + extra**2))
    outcome = UP if low > 0 else DOWN if high < 0 else UNCLEAR
    where = {UP: "lies above zero", DOWN: "lies below zero", UNCLEAR: "holds zero"}[outcome]
    return Change(
        delta,
        low,
        high,
        outcome,
        f"the interval {where}; "
        + (WITHOUT_NOISE if noise is None else f"biopsy noise {noise:.2f} counted in"),
    )


def doubt(pair: Pair, standings: Standings) -> str:
    """Why the figures of a pair decide nothing; empty if they do."""
    names = [str(standings.samples[i]) for i in pair.before + pair.after]
    return next((f"{n}: {standings.doubtful[n]}" for n in names if n in standings.doubtful), "")


def compare_pairs(
    pairs: Sequence[Pair],
    standings: Standings,
    noise: Mapping[str, float],
    level: float,
) -> pd.DataFrame:
    """Every mechanism and readout of every pair, as measured and given T-cell inflammation.

    Parameters
    ----------
    noise
        Biopsy noise by ``"KIND:ID VIEW"``, see `change`; what is not in it is unknown.

    Returns
    -------
    pandas.DataFrame
        Long, with `COLUMNS`. ``delta``, ``low`` and ``high`` are differences of normal scores:
        1 is the step from the median to the 84th percentile.
    """
    rows = [row for pair in pairs for row in _rows(pair, standings, noise, level)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _rows(
    pair: Pair, standings: Standings, noise: Mapping[str, float], level: float
) -> Iterator[tuple[object, ...]]:
    samples, out = standings.samples, standings.barred
    doubted = doubt(pair, standings)
    names = ["; ".join(str(samples[i]) for i in places) for places in (pair.before, pair.after)]
    for kind, item in standings.items:
        for view in VIEWS:
            standing = standings.of(f"{kind}:{item}", view)
            a, b = (level_at(standing, p, samples, out) for p in (pair.before, pair.after))
            sd = noise.get(f"{kind}:{item} {view}")
            c = change(a, b, sd, level)
            if doubted and c.outcome != CANNOT_SAY:
                c = replace(c, outcome=CANNOT_SAY, reason=doubted)
            yield (
                *(pair.patient, *names, pair.start, pair.end),
                *(kind, item, view, a.percentile, a.low, a.high),
                *(b.percentile, b.low, b.high),
                *(c.delta, c.low, c.high, float("nan") if sd is None else sd),
                *(c.outcome, c.reason),
            )
