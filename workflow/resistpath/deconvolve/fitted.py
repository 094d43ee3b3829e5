"""What all methods that fit a signature do with a fit: intervals, sums, diagnostics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from resistpath.deconvolve import intervals
from resistpath.deconvolve.algebra import Floats, row_sums, sum_first
from resistpath.deconvolve.celltypes import CellType
from resistpath.deconvolve.result import Result, no_rows

BLOCK = 1024  # samples that fit a processor's cache


@dataclass(frozen=True)
class Fitted:
    """A fit and its repeats without each group of genes.

    Attributes
    ----------
    estimate, replicates
        Fractions, samples x columns; no replicates if no interval is wanted.
    explained
        Genes x samples: what the fit makes of the mixture.
    free, free_replicates
        Without constraints, brought to the scale of the fractions; for intervals.
    """

    estimate: Floats
    explained: Floats
    replicates: list[Floats] = field(default_factory=list)
    free: Floats | None = None
    free_replicates: list[Floats] = field(default_factory=list)


@dataclass(frozen=True)
class Labels:
    """Names that belong to a fit.

    Attributes
    ----------
    columns
        Of the estimate, the method's own.
    samples
        Of the rows.
    sums
        Name of a wider type -> the columns it is the sum of.
    cells
        Column or sum -> cell type, where the method's record does not fix it.
    """

    columns: Sequence[str]
    samples: pd.Index[str]
    sums: Mapping[str, Sequence[str]] = field(default_factory=dict)
    cells: Mapping[str, CellType] = field(default_factory=dict)


def assemble(
    fitted: Fitted,
    labels: Labels,
    fit: pd.DataFrame,
    genes: pd.DataFrame,
    notes: Mapping[str, str],
    dropped: pd.DataFrame | None = None,
    limited_as: str | None = None,
) -> Result:
    """Make the result of a fit, with the sums of columns and 90 % intervals (see `intervals`)."""
    columns = list(labels.columns)
    parts = [[columns.index(name) for name in members] for members in labels.sums.values()]
    everything = [*columns, *labels.sums]
    estimate = _with_sums(fitted.estimate, parts)
    low = high = np.full(estimate.shape, np.nan)
    if fitted.replicates and fitted.free is not None:
        half = intervals.half_width(estimate, [_with_sums(r, parts) for r in fitted.replicates])
        # A fraction held at zero does not move when genes leave. How far it could have been from
        # zero is read from the fit without constraints.
        reach = intervals.half_width(
            _with_sums(fitted.free, parts), [_with_sums(r, parts) for r in fitted.free_replicates]
        )
        low = np.clip(estimate - half, 0.0, 1.0)
        high = np.clip(np.maximum(estimate + half, reach), 0.0, 1.0)
    own = len(columns)
    return Result(
        estimate=pd.DataFrame(estimate[:, :own], labels.samples, columns),
        combined=pd.DataFrame(estimate[:, own:], labels.samples, list(labels.sums)),
        low=pd.DataFrame(low, labels.samples, everything),
        high=pd.DataFrame(high, labels.samples, everything),
        fit=fit,
        genes=genes,
        dropped=no_rows() if dropped is None else dropped,
        notes={column: note for column, note in notes.items() if note},
        cells=labels.cells,
        limited_as=limited_as,
    )


def diagnose(
    profiles: Floats, mixture: Floats, explained: Floats, samples: pd.Index[str], candidates: int
) -> pd.DataFrame:
    r"""Say how well a fit explains each sample.

    Over the genes used, with *y* the sample and *x* what the fit makes of it: ``correlation`` is
    Pearson's, ``residual`` is :math:`|x - y| / |y|` (0 = explained fully, 1 = not at all).
    ``condition`` is the condition number of the profiles with columns scaled to length 1: how
    many times the relative noise of a sample can be magnified in the fractions.
    """
    n_genes, n_samples = mixture.shape
    correlation, residual = np.empty(n_samples), np.empty(n_samples)
    for first in range(0, n_samples, BLOCK):
        here = slice(first, first + BLOCK)
        x, y = np.ascontiguousarray(explained[:, here]), np.ascontiguousarray(mixture[:, here])
        off, size = sum_first((x - y) ** 2), sum_first(y * y)
        residual[here] = np.sqrt(off / np.where(size > 0, size, np.nan))
        x -= sum_first(x) / n_genes
        y -= sum_first(y) / n_genes
        spread = np.sqrt(sum_first(x * x) * sum_first(y * y))
        correlation[here] = sum_first(x * y) / np.where(spread > 0, spread, np.nan)
    return pd.DataFrame(
        {
            "n_genes": n_genes,
            "n_signature": candidates,
            "coverage": n_genes / candidates,
            "correlation": correlation,
            "residual": residual,
            "condition": condition(profiles),
        },
        index=samples,
    )


def condition(profiles: Floats) -> float:
    """Condition number of profiles with columns scaled to length 1, to six digits."""
    length = np.sqrt(sum_first(profiles * profiles))
    if (length == 0).any():
        return float("inf")
    return float(f"{np.linalg.cond(profiles / length):.6g}")


def _with_sums(values: Floats, parts: Sequence[list[int]]) -> Floats:
    """Append the sums of columns to the columns."""
    return np.hstack([values, *(row_sums(values[:, columns])[:, None] for columns in parts)])
