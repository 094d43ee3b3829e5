r"""Scores of cell populations: the mean log expression of their markers.

With one panel of markers a score is the mean of their :math:`\log_2(\mathrm{TPM}+1)`; with *P*
panels (lists of different authors for one population) it is the mean of the panels' means, so that
a long list does not outvote a short one. The 90 % interval is

.. math:: \bar x \pm t_{\nu,\,0.95}\; s \sqrt{\frac{1}{P^2} \sum_p \frac{1}{n_p}}, \qquad
          s^2 = \frac{1}{\nu} \sum_p \sum_{i \in p} (x_i - \bar x_p)^2, \quad
          \nu = \sum_p (n_p - 1),

which for one panel is the jackknife over its markers. It says how far a score hangs on which
markers were chosen; as markers differ in their base level, it is wider than the uncertainty of a
difference between two samples.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from resistpath.deconvolve import intervals
from resistpath.deconvolve.algebra import Floats
from resistpath.deconvolve.result import Result, no_rows
from resistpath.deconvolve.rows import Rows, find, require_half, text

HALF = 0.5
KEYS = ("population", "panel", "gene", "symbol", "other_symbols")


def score_markers(
    tpm: pd.DataFrame,
    table: pd.DataFrame,
    method: str,
    *,
    log: bool = True,
    published: bool = False,
    interval: bool = True,
) -> Result:
    """Score the populations of a marker table in every sample.

    Parameters
    ----------
    tpm
        Genes x samples, linear TPM.
    table
        A row per marker: ``population``, ``panel``, ``gene`` as printed, ``symbol`` and
        ``other_symbols``.
    method
        Its name, for messages.
    log
        Average log2(TPM+1); otherwise linear TPM.
    published
        Find markers by the names printed, alone.
    interval
        Also give 90 % intervals.

    Returns
    -------
    Result
        Scores, populations in the order of the table; missing where no marker is measured, and,
        on a panel with fewer than half of all markers, where fewer than half of the population's
        own are.

    Raises
    ------
    TooFewGenes
        If no population has half of its markers.
    """
    labels = [str(gene) for gene in tpm.index]
    rows = Rows(tpm, labels)
    wanted = text(table["gene"]) if published else find(table, labels)
    there = [name in rows for name in wanted]
    population, panel = text(table["population"]), text(table["panel"])
    names = list(dict.fromkeys(population))
    least = _least(there, population, method)
    shape = (len(rows.samples), len(names))
    scores, low, high = (np.full(shape, np.nan) for _ in range(3))
    notes = {}
    for column, name in enumerate(names):
        found: dict[str, list[Floats]] = {}
        for row, here, of, by in zip(wanted, there, population, panel, strict=True):
            if of == name and here:
                value = rows.value(row)
                found.setdefault(by, []).append(np.log2(value + 1.0) if log else value)
        n, listed = sum(len(values) for values in found.values()), population.count(name)
        if n < listed:
            notes[name] = f"{n} of {listed} markers measured"
        if n < least * listed:
            notes[name] = f"not assessable: {notes[name]}, half are needed on a panel"
        elif n:
            mean, half = _mean(list(found.values()))
            scores[:, column] = mean
            if interval:
                low[:, column], high[:, column] = np.maximum(mean - half, 0.0), mean + half
    return Result(
        estimate=pd.DataFrame(scores, rows.samples, names),
        combined=pd.DataFrame(index=rows.samples),
        low=pd.DataFrame(low, rows.samples, names),
        high=pd.DataFrame(high, rows.samples, names),
        fit=unfitted(rows.samples, sum(there), len(there)),
        genes=pd.DataFrame(
            {
                "gene": text(table["gene"]),
                "row": [rows.label(name) for name in wanted],
                "used": there,
                "fate": ["used" if here else "missing" for here in there],
            }
        ),
        dropped=no_rows(),
        notes=notes,
    )


def _least(there: Sequence[bool], population: Sequence[str], method: str) -> float:
    """Share of its markers a population needs: none but one on a whole transcriptome."""
    if 2 * sum(there) >= len(there):
        return 0.0
    shares = pd.Series(there).groupby(list(population)).mean()
    if not (shares >= HALF).any():
        require_half(sum(there), len(there), method)
    return HALF


def unfitted(samples: pd.Index[str], n_genes: int, n_signature: int) -> pd.DataFrame:
    """Make the diagnostics of a method that fits nothing: how many genes there were."""
    return pd.DataFrame(
        {
            "n_genes": n_genes,
            "n_signature": n_signature,
            "coverage": n_genes / n_signature,
            "correlation": np.nan,
            "residual": np.nan,
            "condition": np.nan,
        },
        index=samples,
    )


def _mean(panels: Sequence[Sequence[Floats]]) -> tuple[Floats, Floats]:
    """Mean of the panels' means and half the width of its interval; none with one marker each."""
    zero = np.zeros_like(panels[0][0])
    means = [sum(values, zero) / len(values) for values in panels]
    mean = sum(means, zero) / len(panels)
    freedom = sum(len(values) - 1 for values in panels)
    if freedom == 0:
        return mean, np.full_like(mean, np.nan)
    squares = zero
    for values, centre in zip(panels, means, strict=True):
        for value in values:
            squares = squares + (value - centre) ** 2
    share = sum(1 / len(values) for values in panels) / len(panels) ** 2
    return mean, np.asarray(intervals.quantile(freedom) * np.sqrt(squares / freedom * share))
