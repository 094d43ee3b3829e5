"""Where samples stand in the reference, by readout or mechanism and by view, ready to be compared.

Rules and comparisons in time ask the same question of different things: where does a sample
stand, and how surely. `Standings` answers it for a readout (as printed in ``readouts.tsv``, that
is, not turned round by the catalogue's sign) and for a mechanism (high means more of it), as
measured (``raw``), given T-cell inflammation (``residual``), or given one other readout
(``given:READOUT``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from resistpath.errors import UserError
from resistpath.mechanisms.measure import Measured
from resistpath.mechanisms.position import Position
from resistpath.mechanisms.verdict import NOT_ASSESSABLE

GIVEN = "given:"


@dataclass(frozen=True)
class Overruling:
    """A reason that stands above the figures: nothing can be said, or nothing surely."""

    word: str
    reason: str


@dataclass(frozen=True)
class Standing:
    """Samples on the normal-score axis of the reference, NaN where they have no place.

    Attributes
    ----------
    z
        Normal scores.
    lower, upper
        Distances from z to the ends of its interval, >= 0.
    percentile, low, high
        The same as percentiles, 0 to 100.
    reasons
        Per sample, why it has no place; empty where it has one.
    """

    z: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    percentile: np.ndarray
    low: np.ndarray
    high: np.ndarray
    reasons: Sequence[str]

    def figures(self, i: int) -> str:
        """Percentile and interval of one sample, as words."""
        return f"{self.percentile[i]:.0f} ({self.low[i]:.0f}–{self.high[i]:.0f})"


class Standings:
    """Standings of a group of samples by item and view, each made when first asked for.

    Parameters
    ----------
    samples
        Samples, in the order of the measurements.
    measured
        Readouts of the samples.
    mechanisms
        Rows of ``mechanisms.tsv``.
    overruled
        Samples about which nothing may be said, with the reason.
    """

    def __init__(
        self,
        samples: pd.Index,
        measured: Sequence[Measured],
        mechanisms: pd.DataFrame,
        overruled: Mapping[str, Overruling],
    ) -> None:
        self.samples = samples
        self.measured = {m.readout.readout: m for m in measured}
        self.overruled = overruled
        self._mechanisms = {
            str(name): rows.set_index("sample").reindex(samples)
            for name, rows in mechanisms.groupby("mechanism", sort=False)
        }
        self._made: dict[tuple[str, str], Standing] = {}

    @property
    def items(self) -> list[tuple[str, str]]:
        """Every item as kind and id: mechanisms first, then readouts."""
        return [("mechanism", m) for m in self._mechanisms] + [
            ("readout", r) for r in self.measured
        ]

    def of(self, item: str, view: str) -> Standing:
        """Standing of ``readout:ID`` or ``mechanism:ID`` in one view."""
        if (item, view) not in self._made:
            self._made[item, view] = self._make(item, view)
        return self._made[item, view]

    @property
    def barred(self) -> dict[str, str]:
        """Samples of which nothing is said, with the reason."""
        return {s: o.reason for s, o in self.overruled.items() if o.word == NOT_ASSESSABLE}

    @property
    def doubtful(self) -> dict[str, str]:
        """Samples whose figures are shown but decide nothing, with the reason."""
        return {s: o.reason for s, o in self.overruled.items() if o.word != NOT_ASSESSABLE}

    def correlation(self, one: str, other: str) -> float:
        """Correlation of two readouts' normal scores in the reference, short of ±1.

        NaN where one of them could not be placed there.
        """
        a, b = self._readout(one), self._readout(other)
        if "raw" not in a.reference_z or "raw" not in b.reference_z:
            return float("nan")
        rho = float(np.corrcoef(a.reference_z["raw"], b.reference_z["raw"])[0, 1])
        return a.readout.sign * b.readout.sign * float(np.clip(rho, -0.99, 0.99))

    def _make(self, item: str, view: str) -> Standing:
        kind, _, name = item.partition(":")
        if kind == "mechanism":
            return self._of_mechanism(name, view)
        if view.startswith(GIVEN):
            return self._conditional(name, view.removeprefix(GIVEN))
        m = self._readout(name)
        position = m.raw if view == "raw" else m.residual
        nothing = "" if view == "raw" else "no residual could be had"
        return _masked(position, m.reasons, nothing)

    def _readout(self, name: str) -> Measured:
        if name not in self.measured:
            raise UserError(f"no readout {name!r} was measured", do="check readouts.tsv")
        return self.measured[name]

    def _of_mechanism(self, name: str, view: str) -> Standing:
        if name not in self._mechanisms or view not in ("raw", "residual"):
            raise UserError(f"no mechanism {name!r} was assessed in the view {view!r}")
        rows = self._mechanisms[name]
        prefix = "" if view == "raw" else "residual_"
        percentile, low, high = (
            rows[f"{prefix}{end}"].to_numpy(dtype=float) for end in ("percentile", "low", "high")
        )
        z = special.ndtri(percentile / 100)
        reasons = [
            "" if np.isfinite(x) else str(why) if word == NOT_ASSESSABLE else "no residual"
            for x, why, word in zip(z, rows["reason"], rows["verdict"], strict=True)
        ]
        return Standing(
            z,
            z - special.ndtri(low / 100),
            special.ndtri(high / 100) - z,
            percentile,
            low,
            high,
            reasons,
        )

    def _conditional(self, name: str, given: str) -> Standing:
        r"""Standing of a readout among reference tumours of the same level of another.

        With normal scores z and g and their correlation :math:`\rho` in the reference, the
        conditional normal score is :math:`(z - \rho g) / \sqrt{1 - \rho^2}`; the distances to
        the ends join by the square root of the sum of squares (MOVER, Zou & Donner 2008,
        doi:10.1002/sim.3095). Noise in g weakens :math:`\rho` and with it the correction.
        """
        a, b = self.of(f"readout:{name}", "raw"), self.of(f"readout:{given}", "raw")
        rho = self.correlation(name, given)
        if np.isnan(rho):
            nan = np.full(len(self.samples), np.nan)
            why = [x or y for x, y in zip(a.reasons, b.reasons, strict=True)]
            return Standing(nan, nan, nan, nan, nan, nan, why)
        left = np.sqrt(1 - rho**2)
        z = (a.z - rho * b.z) / left
        # A higher g lowers the conditional score where rho is positive.
        against, along = (b.upper, b.lower) if rho > 0 else (b.lower, b.upper)
        lower = np.hypot(a.lower, rho * against) / left
        upper = np.hypot(a.upper, rho * along) / left
        reasons = [x or y for x, y in zip(a.reasons, b.reasons, strict=True)]
        return Standing(
            z,
            lower,
            upper,
            100 * special.ndtr(z),
            100 * special.ndtr(z - lower),
            100 * special.ndtr(z + upper),
            reasons,
        )


def _masked(position: Position, reasons: Sequence[str], nothing: str) -> Standing:
    out = [
        why or (nothing if np.isnan(z) else "") for why, z in zip(reasons, position.z, strict=True)
    ]
    hidden = np.array([bool(why) for why in out])

    def shown(values: np.ndarray) -> np.ndarray:
        return np.where(hidden, np.nan, values)

    return Standing(
        shown(position.z),
        shown(position.lower),
        shown(position.upper),
        shown(position.percentile),
        shown(position.low),
        shown(position.high),
        out,
    )
