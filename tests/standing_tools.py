"""Hand-made places of samples, so that rules and changes can be worked out on paper."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import special

from resistpath.io.resources import catalogue
from resistpath.mechanisms.measure import Measured
from resistpath.mechanisms.position import Position, nowhere
from resistpath.mechanisms.standing import Overruling, Standings

N = 99


def position(z: list[float], half: float = 0.5) -> Position:
    """Places with symmetrical intervals of one half-width on the normal-score axis."""
    centre = np.array(z, dtype=float)
    counts = special.ndtr(centre) * N
    ends = (np.full(len(z), half), np.full(len(z), half))
    return Position(counts, centre, {"genes": ends}, N)


def measured(
    readout: str,
    raw: list[float],
    residual: list[float] | None = None,
    *,
    half: float = 0.5,
    reference: np.ndarray | None = None,
    reasons: list[str] | None = None,
) -> Measured:
    """One shipped readout with given places; `reference` are its normal scores there."""
    record = catalogue().readout(readout)
    oriented = {} if reference is None else {"raw": record.sign * reference}
    return Measured(
        record,
        np.array(raw),
        1.0,
        10,
        position(raw, half),
        nowhere(len(raw), N) if residual is None else position(residual, half),
        oriented,
        reasons or [""] * len(raw),
    )


def mechanism(
    name: str, samples: list[str], raw: list[float], residual: list[float], half: float = 0.5
) -> pd.DataFrame:
    """Rows of ``mechanisms.tsv`` of one mechanism."""
    table: dict[str, object] = {"sample": samples, "mechanism": name}
    for prefix, z in (("", np.array(raw)), ("residual_", np.array(residual))):
        for end, shift in (("percentile", 0.0), ("low", -half), ("high", half)):
            table[prefix + end] = 100 * special.ndtr(z + shift)
    table |= {"verdict": "typical", "reason": "made up"}
    return pd.DataFrame(table)


def standings(
    samples: list[str],
    readouts: list[Measured],
    mechanisms: list[pd.DataFrame] | None = None,
    overruled: Mapping[str, Overruling] | None = None,
) -> Standings:
    """Places of a few samples."""
    empty = mechanism("nothing", samples, [np.nan] * len(samples), [np.nan] * len(samples))
    return Standings(pd.Index(samples), readouts, pd.concat(mechanisms or [empty]), overruled or {})
