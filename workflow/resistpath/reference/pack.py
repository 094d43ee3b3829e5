"""A frozen set of tumours of one disease, and which samples are among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from resistpath.errors import UserError, some
from resistpath.expression import BLOCK_GENES, check_matrix

MINIMUM_SAMPLES = 20


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
    levels = values[chosen]
    if (levels.dtypes != np.float32).any():
        levels = levels.astype(np.float32)
    return Reference(name, cancer_type, levels, fractions.reindex(chosen), info)


def shared_universe(values: pd.DataFrame, reference: Reference) -> pd.Index:
    """Genes measured in both, in the reference's order."""
    return reference.values.index.intersection(values.index, sort=False)


def members(values: pd.DataFrame, reference: Reference) -> np.ndarray:
    """Where each sample stands among the reference's own, -1 where it is not one of them.

    A sample is one of them if the reference holds a sample of its name with the same values on
    every shared gene. That depends on the sample and the reference alone.
    """
    genes = shared_universe(values, reference)
    place = np.asarray(reference.values.columns.get_indexer(values.columns))
    named = np.flatnonzero(place >= 0)
    own, ref = (
        (table.to_numpy(), table.index.get_indexer(genes)) for table in (values, reference.values)
    )
    same = np.ones(len(named), dtype=bool)
    for start in range(0, len(genes), BLOCK_GENES):  # some genes at a time, to bound memory
        here, there = (
            matrix[np.ix_(rows[start : start + BLOCK_GENES], columns)]
            for (matrix, rows), columns in ((own, named), (ref, place[named]))
        )
        same &= (here == there).all(axis=0)
    place[named[~same]] = -1
    return place
