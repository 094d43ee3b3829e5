"""What a reference pack says of its own tumours: moments, readouts, lines and noise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from resistpath.expression import BLOCK_GENES
from resistpath.mechanisms.catalogue import Catalogue
from resistpath.mechanisms.line import Line
from resistpath.mechanisms.measure import plain_scores
from resistpath.mechanisms.rows import is_missing
from resistpath.reference import Reference, Statistics

NOISE = ("technical", "biopsy")


def pairs(obs: pd.DataFrame, usable: Iterable[str]) -> dict[str, list[list[str]]]:
    """Samples that measure the same thing twice.

    Parameters
    ----------
    obs
        Sample sheet by sample. Libraries with one ``biopsy`` of one ``patient`` are technical
        replicates; pre-treatment samples of one patient are biopsies of one tumour, of each
        biopsy the first by name.
    usable
        Samples that pass quality.

    Returns
    -------
    dict
        ``technical`` and ``biopsy``: groups of two or more samples, by name.
    """
    groups: dict[str, dict[tuple[str, ...], list[str]]] = {kind: {} for kind in NOISE}
    seen: set[tuple[str, str]] = set()
    kept = set(usable)
    for sample in sorted(kept & set(obs.index)):
        row = obs.loc[sample]
        patient, biopsy, timepoint = (row.get(c) for c in ("patient", "biopsy", "timepoint"))
        if is_missing(patient):
            continue
        if not is_missing(biopsy):
            groups["technical"].setdefault((str(patient), str(biopsy)), []).append(sample)
        piece = (str(patient), sample if is_missing(biopsy) else str(biopsy))
        if timepoint == "pre" and piece not in seen:
            seen.add(piece)
            groups["biopsy"].setdefault((str(patient),), []).append(sample)
    return {
        kind: [group for group in found.values() if len(group) > 1]
        for kind, found in groups.items()
    }


def difference_sd(scores: pd.DataFrame, groups: Sequence[Sequence[str]]) -> tuple[pd.Series, int]:
    r"""Standard deviation of the difference of two samples of a group, per column.

    :math:`\sqrt{2 \sum_g \sum_i (x_{gi} - \bar x_g)^2 / \sum_g (k_g - 1)}` over groups g of
    :math:`k_g` samples: for pairs the root of the mean squared difference. NaN without groups.

    Returns
    -------
    tuple
        One value per column, and the degrees of freedom (the number of pairs, if all are pairs).
    """
    freedom = sum(len(g) - 1 for g in groups)
    if not freedom:
        return pd.Series(np.nan, index=scores.columns), 0
    total = np.zeros(scores.shape[1])
    for group in groups:
        rows = scores.loc[list(group)].to_numpy(dtype=float)
        total += ((rows - rows.mean(axis=0)) ** 2).sum(axis=0)
    return pd.Series(np.sqrt(2 * total / freedom), index=scores.columns), freedom


def summarise(
    reference: Reference,
    catalogue: Catalogue,
    everyone: pd.DataFrame | None = None,
    fractions: pd.DataFrame | None = None,
    repeated: dict[str, list[list[str]]] | None = None,
) -> Statistics:
    """Statistics of a reference, over all of its genes.

    Parameters
    ----------
    everyone, fractions
        Values and cell fractions of the whole cohort, left-out samples included: noise is
        measured in them.
    repeated
        See `pairs`.
    """
    readouts = plain_scores(reference.values, reference.fractions, catalogue)
    t = readouts[catalogue.inflammation].to_numpy(dtype=float)
    known = bool(np.isfinite(t).all()) and len(t) > 2 and float(np.ptp(t)) > 0
    lines, left = _lines(readouts, t, known)
    noise = pd.DataFrame(index=pd.Index(readouts.columns, name="readout"))
    repeated = repeated or {}
    wanted = sorted({s for groups in repeated.values() for g in groups for s in g})
    again = readouts.iloc[:0]
    if everyone is not None and fractions is not None and wanted:
        again = plain_scores(everyone[wanted], fractions.reindex(wanted), catalogue)
    own_t = again[catalogue.inflammation].to_numpy(dtype=float)
    slope, intercept = (lines[c].to_numpy() for c in ("slope", "intercept"))
    fitted = np.multiply.outer(own_t, slope) + intercept
    for prefix, table in (("", again), ("residual_", again - fitted)):
        for kind in NOISE:
            sd, n = difference_sd(table, repeated.get(kind, []))
            noise[f"{prefix}{kind}_sd"] = sd
            noise[f"{prefix}{kind}_pairs"] = float(n)
    return Statistics(
        _moments(reference.values),
        readouts,
        lines,
        _correlation(readouts),
        _correlation(left),
        noise,
    )


def _moments(values: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard deviation of each gene, float32; some genes at a time."""
    matrix, ddof = values.to_numpy(), 1 if values.shape[1] > 1 else 0
    parts = []
    for start in range(0, len(matrix), BLOCK_GENES):
        part = matrix[start : start + BLOCK_GENES].astype(np.float64)
        parts.append(np.column_stack([part.mean(axis=1), part.std(axis=1, ddof=ddof)]))
    return pd.DataFrame(np.concatenate(parts), values.index, ["mean", "sd"]).astype(np.float32)


def _lines(readouts: pd.DataFrame, t: np.ndarray, known: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lines on the T-cell-inflamed score, and what they leave."""
    names = pd.Index(readouts.columns, name="readout")
    if not known:
        empty = pd.DataFrame(np.nan, index=names, columns=["slope", "intercept", "residual_sd"])
        return empty, readouts * np.nan
    values = readouts.to_numpy(dtype=float)
    line = Line.fit(t, values)
    left = line.residual(t, values)
    sd = np.sqrt((left**2).sum(axis=0) / (len(t) - 2))
    table = pd.DataFrame(
        {
            "slope": line.slope,
            "intercept": line.mean - line.slope * line.mean_t,
            "residual_sd": sd,
        },
        index=names,
    )
    return table, pd.DataFrame(left, readouts.index, readouts.columns)


def _correlation(table: pd.DataFrame) -> pd.DataFrame:
    """Pearson correlation of columns, float32; NaN where a column does not vary."""
    x = table.to_numpy(dtype=float)
    x = x - x.mean(axis=0)
    length = np.sqrt((x**2).sum(axis=0))
    # What a readout's line on itself leaves is rounding, and correlates with nothing.
    largest = np.abs(table.to_numpy(dtype=float)).max(axis=0, initial=0.0)
    unit = x / np.where(length > 1e-9 * np.maximum(largest, 1.0), length, np.nan)
    return pd.DataFrame(unit.T @ unit, table.columns, table.columns).astype(np.float32)
