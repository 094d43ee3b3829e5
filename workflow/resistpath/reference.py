"""A frozen set of tumours of one disease, and where a sample stands in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy import special, stats

from resistpath.errors import UserError, some
from resistpath.expression import check_matrix, samples_by_genes

MINIMUM_SAMPLES = 20
FIT_MADS = 4.0
"""Scaled MADs below the reference's median correlation from which a sample fits poorly."""
_MAD_TO_SD = 1.4826


@dataclass(frozen=True)
class Statistics:
    """What a pack says of its tumours, over all of its own genes.

    Percentiles never come from here: they are recomputed on the genes shared with a sample.

    Attributes
    ----------
    genes
        Genes x ``mean``, ``sd`` of log2(TPM+1), float32.
    readouts
        Samples x readouts: the scores as they are, not oriented.
    lines
        Readouts x ``slope``, ``intercept``, ``residual_sd``: least squares on the
        T-cell-inflamed score.
    correlation, residual_correlation
        Readouts x readouts, Pearson over the samples; NaN where a readout does not vary.
    noise
        Readouts x ``{technical,biopsy}_sd`` and ``{technical,biopsy}_pairs``, the same with
        ``residual_`` before it: standard deviation of the difference of two libraries of one
        biopsy, and of two pre-treatment biopsies of one patient, in units of the score. NaN and
        0 where the cohort has no such pairs.
    """

    genes: pd.DataFrame
    readouts: pd.DataFrame
    lines: pd.DataFrame
    correlation: pd.DataFrame
    residual_correlation: pd.DataFrame
    noise: pd.DataFrame


@dataclass(frozen=True)
class Reference:
    """Reference tumours, kept whole so that every score can be recomputed on shared genes.

    Attributes
    ----------
    name
        Shown wherever a percentile is shown.
    cancer_type
        Disease of the reference.
    values
        Genes x samples, log2(TPM+1), float32.
    fractions
        Samples x ``method:cell_type``: cell fractions and scores.
    info
        How samples were chosen, where they came from; plain JSON values.
    statistics
        Summary of the samples; None until a pack is made of them.
    digest
        SHA-256 over the contents of the pack it was read from.
    """

    name: str
    cancer_type: str
    values: pd.DataFrame
    fractions: pd.DataFrame
    info: dict[str, Any] = field(default_factory=dict)
    statistics: Statistics | None = None
    digest: str = ""

    @property
    def n(self) -> int:
        """Number of reference samples."""
        return self.values.shape[1]


def select_samples(
    obs: pd.DataFrame,
    failed: Mapping[str, str],
    where: Mapping[str, Sequence[str]] | None = None,
) -> tuple[list[str], dict[str, str]]:
    """Choose reference samples: pre-treatment, passing quality, one per patient.

    Parameters
    ----------
    obs
        Sample sheet by sample, with ``timepoint`` and ``patient`` if known. An unknown time
        point counts as pre-treatment.
    failed
        Samples that fail a quality gate, with the reason.
    where
        Columns of the sheet and the values a sample must have there.

    Returns
    -------
    tuple
        The chosen samples in sheet order, and the reason for each one left out. Of several
        samples of one patient the first by name is taken.
    """
    unknown = [column for column in where or {} if column not in obs]
    if unknown:
        raise UserError(
            f"the sample sheet has no column {unknown[0]!r}",
            do=f"choose by one of {some(obs.columns, 20)}",
        )
    left_out: dict[str, str] = {}
    taken: dict[str, str] = {}
    for sample in sorted(obs.index):
        timepoint = obs["timepoint"].get(sample) if "timepoint" in obs else None
        patient = obs["patient"].get(sample) if "patient" in obs else None
        if pd.isna(patient) or patient in (None, ""):
            patient = sample
        if sample in failed:
            left_out[sample] = f"fails quality: {failed[sample]}"
        elif not pd.isna(timepoint) and timepoint not in (None, "", "pre"):
            left_out[sample] = f"not pre-treatment ({timepoint})"
        elif unlike := _unlike(obs.loc[sample], where or {}):
            left_out[sample] = unlike
        elif patient in taken:
            left_out[sample] = f"patient {patient} is already there with {taken[patient]}"
        else:
            taken[patient] = sample
    chosen = set(taken.values())
    return [s for s in obs.index if s in chosen], left_out


def _unlike(row: pd.Series, where: Mapping[str, Sequence[str]]) -> str:
    """First column in which a sample is not what was asked for, as a reason."""
    for column, wanted in where.items():
        value = row[column]
        if pd.isna(value) or str(value) not in wanted:
            return f"{column} is {'not stated' if pd.isna(value) else value}"
    return ""


def build_reference(
    name: str,
    cancer_type: str,
    values: pd.DataFrame,
    fractions: pd.DataFrame,
    obs: pd.DataFrame,
    failed: Mapping[str, str],
    where: Mapping[str, Sequence[str]] | None = None,
) -> Reference:
    """Make a reference from a prepared cohort.

    Parameters
    ----------
    values
        Genes x samples, log2(TPM+1).
    fractions
        Samples x ``method:cell_type``.
    obs, failed, where
        See `select_samples`.

    Returns
    -------
    Reference
        May hold fewer than `MINIMUM_SAMPLES`; then no verdict is given against it.
    """
    check_matrix(values)
    chosen, left_out = select_samples(obs, failed, where)
    if not chosen:
        raise UserError(
            "no sample can serve as reference",
            where=name,
            do="check time points, quality and what was asked for; or name another reference",
        )
    unknown = int(obs.loc[chosen, "timepoint"].isna().sum()) if "timepoint" in obs else len(chosen)
    info = {
        "inclusion": "pre-treatment tumours that pass quality, one per patient"
        + "".join(f"; {column} {' or '.join(words)}" for column, words in (where or {}).items()),
        "unknown_timepoint": unknown,
        "left_out": left_out,
    }
    return Reference(
        name, cancer_type, values[chosen].astype(np.float32), fractions.reindex(chosen), info
    )


def shared_universe(values: pd.DataFrame, reference: Reference) -> pd.Index:
    """Genes measured in both, in the reference's order."""
    return reference.values.index.intersection(values.index, sort=False)


def members(values: pd.DataFrame, reference: Reference) -> np.ndarray:
    """Where each sample stands among the reference's own, -1 where it is not one of them.

    A sample is one of them if the reference holds a sample of its name with the same values on
    every shared gene. That depends on the sample and the reference alone.
    """
    genes = shared_universe(values, reference)
    own, ref = values.loc[genes].to_numpy(), reference.values.loc[genes].to_numpy()
    place = np.asarray(reference.values.columns.get_indexer(values.columns))
    for i, at in enumerate(place.tolist()):
        if at >= 0 and not np.array_equal(own[:, i], ref[:, at]):
            place[i] = -1
    return place


def midrank_percentile(
    reference: np.ndarray, x: np.ndarray, place: np.ndarray | None = None
) -> np.ndarray:
    """Mid-rank percentile of each x among the finite reference values, 0 to 100.

    Parameters
    ----------
    place
        Position of each x in `reference`, -1 where it is not in it (`members`). A value that is
        in it is placed among the others.

    Examples
    --------
    >>> midrank_percentile(np.array([1.0, 2.0, 3.0]), np.array([2.0, 9.0]))
    array([ 50., 100.])
    >>> midrank_percentile(np.array([1.0, 2.0, 3.0]), np.array([3.0]), np.array([2]))
    array([100.])
    """
    known = np.isfinite(reference)
    counts = midrank_counts(reference[known], x)
    n = np.full(len(x), float(known.sum()))
    if place is not None:
        inside = place >= 0
        itself = reference[place[inside]]
        inside[inside] = np.isfinite(itself)
        itself = itself[np.isfinite(itself)]
        counts[inside] -= (itself < x[inside]) + 0.5 * (itself == x[inside])
        n[inside] -= 1
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.isfinite(x), 100 * counts / n, np.nan)


def midrank_counts(reference: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Reference values below each x, plus half of those equal to it; 0 to n.

    Examples
    --------
    >>> midrank_counts(np.array([1.0, 2.0, 2.0, 3.0]), np.array([2.0, 9.0]))
    array([2., 4.])
    """
    ordered = np.sort(reference)
    below = np.searchsorted(ordered, x, side="left")
    up_to = np.searchsorted(ordered, x, side="right")
    return np.asarray((below + up_to) / 2.0)


def normal_scores(counts: np.ndarray, n: int | np.ndarray) -> np.ndarray:
    """Van der Waerden scores of mid-rank counts: the normal quantile of (c + 1/2) / (n + 1)."""
    return np.asarray(special.ndtri((counts + 0.5) / (n + 1)))


def jeffreys_interval(
    counts: np.ndarray, n: int | np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Binomial interval of a percentile read in n samples, as shares of 1.

    Jeffreys' interval (Brown, Cai & DasGupta 2001, doi:10.1214/ss/1009213286): it stays
    inside 0 to 1 for samples beyond every reference sample.
    """
    tail = (1 - level) / 2
    a, b = counts + 0.5, n - counts + 0.5
    return (
        np.asarray(stats.beta.ppf(tail, a, b)),
        np.asarray(stats.beta.ppf(1 - tail, a, b)),
    )


def fit_to_reference(values: pd.DataFrame, reference: Reference) -> pd.DataFrame:
    """How far each sample's rank profile lies from the reference's.

    The Spearman correlation with the reference's median profile over the shared genes is held
    against the reference samples' own correlations, each with the median of the others. A
    sample below their median minus `FIT_MADS` scaled MADs fits poorly. A sample that is itself
    in the reference is held against the others too.

    Returns
    -------
    pandas.DataFrame
        By sample: correlation, lowest_typical, fits (bool).
    """
    universe = shared_universe(values, reference)
    ref = samples_by_genes(reference.values.loc[universe])
    own = _correlations_without_self(ref)
    centre = float(np.median(own))
    mad = float(np.median(np.abs(own - centre))) * _MAD_TO_SD
    lowest = centre - FIT_MADS * mad
    middle = np.median(ref, axis=0)
    rows = samples_by_genes(values.loc[universe])
    correlation = np.array(
        [
            own[at] if at >= 0 else _spearman(row, middle)
            for row, at in zip(rows, members(values, reference), strict=True)
        ]
    )
    return pd.DataFrame(
        {"correlation": correlation, "lowest_typical": lowest, "fits": correlation >= lowest},
        index=pd.Index(values.columns),
    )


def _spearman(a: np.ndarray, b: np.ndarray) -> float:
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(stats.spearmanr(a, b).statistic)


def _correlations_without_self(ref: np.ndarray) -> np.ndarray:
    """Spearman correlation of each reference sample with the median of the others.

    The median without one value comes from the sorted values: leaving out the value at
    position k moves every later position down by one.
    """
    n = len(ref)
    if n < 3:
        return np.ones(n)
    order = np.argsort(ref, axis=0, kind="stable")
    ordered = np.take_along_axis(ref, order, axis=0)
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.arange(n)[:, None].repeat(ref.shape[1], axis=1), axis=0)

    def reduced(i: int, k: np.ndarray) -> np.ndarray:
        return np.where(k <= i, ordered[i + 1], ordered[i])

    out = np.empty(n)
    for s in range(n):
        k = place[s]
        lower, upper = (n - 2) // 2, (n - 1) // 2
        median = (reduced(lower, k) + reduced(upper, k)) / 2
        out[s] = _spearman(ref[s], median)
    return out
