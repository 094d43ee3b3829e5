"""Readouts given the T-cell-inflamed score: a line through the reference, and without a tumour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from resistpath.score.intervals import half_width

BLOCK = 128
"""Tumours left out at a time."""


@dataclass(frozen=True)
class Line:
    """Least-squares line of readouts on the T-cell-inflamed score over reference tumours.

    Attributes
    ----------
    mean_t, square
        Mean of the T-cell-inflamed score and its sum of squared deviations.
    mean, slope
        Of the readouts: numbers, or one per column.
    n
        Number of tumours.
    """

    mean_t: float | np.ndarray
    square: float | np.ndarray
    mean: np.ndarray
    slope: np.ndarray
    n: int

    @classmethod
    def fit(cls, t: np.ndarray, values: np.ndarray) -> Line:
        """Fit to the T-cell-inflamed score `t` and readouts, one per row."""
        mean_t = float(t.sum() / len(t))
        mean = values.sum(axis=0) / len(t)
        square = float(((t - mean_t) ** 2).sum())
        slope = np.einsum("s,s...->...", t - mean_t, values - mean) / square
        return cls(mean_t, square, mean, slope, len(t))

    def residual(self, t: np.ndarray, values: np.ndarray) -> np.ndarray:
        """What is left of `values`, one per row, at the T-cell-inflamed score `t`."""
        return values - self.mean - np.multiply.outer(t - self.mean_t, self.slope)

    def half_width(self, t: np.ndarray, residuals: np.ndarray, level: float) -> np.ndarray:
        """Half-width of the line's own interval at `t`, from the residuals it was fitted to."""
        sd = float(np.sqrt((residuals**2).sum() / (self.n - 2)))
        variance = sd**2 * (1 / self.n + (t - self.mean_t) ** 2 / self.square)
        return half_width(variance, self.n - 2, level)


@dataclass(frozen=True)
class Others:
    r"""What the line and its residuals are without one tumour, for several tumours at once.

    Without tumour i of n, with :math:`d_i` its distance from the mean, means are
    :math:`\bar t - d_i / (n - 1)` and sums of squares or products smaller by
    :math:`d_i e_i n / (n - 1)`. Every tumour has a row of its own, so that none depends on which
    others are asked for.

    Attributes
    ----------
    t, values
        T-cell-inflamed score and readout of all tumours.
    at
        Positions of the tumours left out, each alone.
    line
        The line without each of them: arrays as long as `at`.
    """

    t: np.ndarray
    values: np.ndarray
    at: np.ndarray
    line: Line

    @classmethod
    def of(cls, t: np.ndarray, values: np.ndarray, at: np.ndarray) -> Others:
        """Leave out each of the tumours at these positions."""
        n, whole = len(t), Line.fit(t, values)
        d, e = t[at] - whole.mean_t, values[at] - whole.mean
        square = whole.square - d * d * n / (n - 1)
        slope = (whole.slope * whole.square - d * e * n / (n - 1)) / square
        line = Line(whole.mean_t - d / (n - 1), square, whole.mean - e / (n - 1), slope, n - 1)
        return cls(t, values, at, line)

    def residual(self, t: np.ndarray, values: np.ndarray) -> np.ndarray:
        """What is left of the tumours' own values."""
        return values - self.line.mean - (t - self.line.mean_t) * self.line.slope

    def half_width(self, t: np.ndarray, level: float) -> np.ndarray:
        """Half-width of each line's own interval at `t`."""
        square = np.empty(len(self.at))
        for rows, left in self._residuals():
            itself = left[np.arange(len(left)), self.at[rows]]
            square[rows] = (left**2).sum(axis=1) - itself**2
        line = self.line
        variance = square / (line.n - 2) * (1 / line.n + (t - line.mean_t) ** 2 / line.square)
        return half_width(variance, line.n - 2, level)

    def counts(self, ends: np.ndarray) -> np.ndarray:
        """Mid-rank counts of ends x tumours among the residuals of the others."""
        counts = np.empty(ends.shape)
        for rows, left in self._residuals():
            itself = left[np.arange(len(left)), self.at[rows]]
            for end, out in zip(ends[:, rows], counts[:, rows], strict=True):
                below = (left < end[:, None]).sum(axis=1) - (itself < end)
                up_to = (left <= end[:, None]).sum(axis=1) - (itself <= end)
                out[:] = (below + up_to) / 2
        return counts

    def _residuals(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Residuals of all tumours on the lines without some, some rows at a time."""
        for start in range(0, len(self.at), BLOCK):
            rows = slice(start, start + BLOCK)
            mean_t, mean, slope = (
                getattr(self.line, name)[rows, None] for name in ("mean_t", "mean", "slope")
            )
            yield rows, self.values - mean - (self.t - mean_t) * slope
