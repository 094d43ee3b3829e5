"""The words a result may be given, and the figures that decide which."""

from __future__ import annotations

import math
from dataclasses import dataclass

from resistpath.mechanisms.catalogue import Mechanism

NOT_ASSESSABLE, INCONCLUSIVE = "not assessable", "inconclusive"
CONSISTENT, NOT_SEEN = "consistent with resistance", "not seen"
CANNOT_SAY, CONTEXT = "cannot say", "context only"


@dataclass(frozen=True)
class Thresholds:
    """The figures verdicts depend on; printed in every report.

    Attributes
    ----------
    high, low
        Percentiles beyond which the whole interval must lie.
    half_width
        Widest half-width of an interval around 50 that still counts as typical.
    level
        Confidence level of all intervals.
    min_coverage
        Share of a readout's genes that must be measured.
    min_reference
        Fewest reference samples against which a verdict is given.
    """

    high: float = 75.0
    low: float = 25.0
    half_width: float = 25.0
    level: float = 0.90
    min_coverage: float = 0.6
    min_reference: int = 20


def verdict(low: float, high: float, thresholds: Thresholds) -> str:
    """Name the verdict of one interval on the percentile axis.

    Examples
    --------
    >>> t = Thresholds()
    >>> verdict(78, 99, t), verdict(2, 20, t), verdict(30, 68, t), verdict(40, 95, t)
    ('high', 'low', 'typical', 'inconclusive')
    """
    if math.isnan(low) or math.isnan(high):
        return NOT_ASSESSABLE
    if low >= thresholds.high:
        return "high"
    if high <= thresholds.low:
        return "low"
    within = low >= thresholds.low and high <= thresholds.high
    around = low <= 50 <= high and (high - low) / 2 <= thresholds.half_width
    return "typical" if within or around else INCONCLUSIVE


def reading(mechanism: Mechanism, deciding: str, timepoint: str | None) -> str:
    """What a verdict means for resistance, by the catalogue's direction and time point.

    Parameters
    ----------
    deciding
        Verdict of the view the catalogue names: raw, or residual given T-cell inflammation.
    timepoint
        Of the sample; a direction that holds at some time points only is not read at others.
    """
    direction = mechanism.direction_at(timepoint)
    if direction == "context":
        return CONTEXT
    if deciding in (NOT_ASSESSABLE, INCONCLUSIVE):
        return CANNOT_SAY
    return CONSISTENT if deciding == direction else NOT_SEEN


def interval_reason(
    view: str,
    deciding: str,
    low: float,
    high: float,
    concordance: float,
    n_readouts: int,
    thresholds: Thresholds,
) -> str:
    """One phrase for why a verdict is what it is.

    Examples
    --------
    >>> interval_reason("raw", "high", 80.2, 97.9, 1.0, 2, Thresholds())
    'interval 80–98 lies above 75'
    >>> interval_reason("raw", "inconclusive", 12.0, 81.0, 1.0, 2, Thresholds())
    'interval 12–81 crosses 25 and 75'
    """
    what = "residual interval" if view == "residual" else "interval"
    if math.isnan(low):
        return "no residual could be had"
    crossed = [f"{t:g}" for t in (thresholds.low, thresholds.high) if low < t < high]
    where = {
        "high": f"lies above {thresholds.high:g}",
        "low": f"lies below {thresholds.low:g}",
        "typical": "lies around the middle",
    }.get(deciding, f"crosses {' and '.join(crossed)}")
    tail = ""
    if n_readouts == 1:
        tail = "; one readout only"
    elif concordance < 1 - 1e-9:
        tail = "; readouts disagree"
    return f"{what} {low:.0f}–{high:.0f} {where}{tail}"
