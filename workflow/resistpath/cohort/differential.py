"""Which genes differ between responders and non-responders, by moderated statistics.

Reads go to PyDESeq2 [1]_ [2]_ (negative binomial, dispersions drawn to a trend, Wald's statistic),
anything else to a linear model of log2(TPM+1) with moderated t (`resistpath.cohort.moderated`).
Both take the same patients and the same columns of covariates, and leave out the same kind of
gene: one that too few patients express. A positive statistic is higher in responders, as
everywhere in the comparison.

References
----------
.. [1] Love, Huber and Anders 2014, Genome Biol 15:550, doi:10.1186/s13059-014-0550-8
.. [2] Muzellec et al. 2023, Bioinformatics 39:btad547, doi:10.1093/bioinformatics/btad547
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from resistpath.cohort import design
from resistpath.cohort.adjusted import COLLINEAR, FEWEST_OF_A_GROUP
from resistpath.cohort.moderated import moderated_t
from resistpath.cohort.multiplicity import benjamini_hochberg

FEWEST_READS = 10
"""Reads from which a patient counts as expressing a gene (as in DESeq2's vignette)."""
LEAST_EXPRESSION = 1.0
"""log2(TPM+1) from which a patient does, so 1 TPM."""
FEWEST_RESIDUAL = 3
"""Residual degrees of freedom a model needs."""
WHOLE = 1e-3
"""Largest distance of a read count from a whole number, for files that went through floats."""

RESPONDER = "responder"
COLUMNS = (
    *("gene", "mean", "log2_fold_change", "se", "low", "high", "statistic", "p", "q"),
    "note",
)


@dataclass(frozen=True)
class Arms:
    """Who is compared, and the model.

    Attributes
    ----------
    columns
        Patients (sorted) x columns: intercept, `RESPONDER` (0/1), covariates. Empty if `absent`.
    adjusted_for
        Covariates in it.
    dropped
        Covariate to the reason why it is not.
    incomplete
        Patients with a known outcome who lack a covariate.
    absent
        Why nothing can be compared; empty if something can.
    """

    columns: pd.DataFrame
    adjusted_for: tuple[str, ...] = ()
    dropped: dict[str, str] = field(default_factory=dict)
    incomplete: tuple[str, ...] = ()
    absent: str = ""

    @property
    def sizes(self) -> tuple[int, int]:
        """Responders and non-responders in the model."""
        if self.columns.empty:
            return 0, 0
        m = int(self.columns[RESPONDER].sum())
        return m, len(self.columns) - m


def arms(positive: pd.Series[bool], sheet: pd.DataFrame, covariates: Sequence[str]) -> Arms:
    """Make the model of response and covariates.

    Parameters
    ----------
    positive
        Whether each patient responded, known ones only.
    sheet
        One row per patient.
    covariates
        Columns of the sheet to adjust for; see `resistpath.cohort.design.build`.
    """
    if why := _few(int(positive.sum()), int((~positive).sum())):
        return Arms(pd.DataFrame(), absent=why)
    positive = positive.sort_index()
    base = design.build(sheet, list(dict.fromkeys(covariates)), needed=positive.index)
    others = design.varying(base.columns)
    y = positive.loc[base.complete].astype(np.float64).rename(RESPONDER)
    table = pd.concat([pd.Series(1.0, index=y.index, name="intercept"), y, others], axis=1)
    incomplete = tuple(str(p) for p in positive.index.difference(base.complete))
    made = Arms(table, base.kept, base.dropped, incomplete)
    if few := _few(*made.sizes):
        why = f"with all covariates, {few}"
    elif len(table) - table.shape[1] < FEWEST_RESIDUAL:
        why = f"{table.shape[1]} parameters for {len(table)} patients"
    elif _alignment(y, others) >= COLLINEAR:
        why = f"response cannot be told from {', '.join(base.kept)}"
    elif np.linalg.matrix_rank(table.to_numpy(dtype=np.float64)) < table.shape[1]:
        why = "covariates repeat each other in these patients"
    if not why:
        return made
    return Arms(pd.DataFrame(), base.kept, base.dropped, incomplete, why)


def _few(m: int, n: int) -> str:
    if min(m, n) >= FEWEST_OF_A_GROUP:
        return ""
    least = f"at least {FEWEST_OF_A_GROUP} of each are compared"
    return f"{m} responders and {n} non-responders, {least}"


def _alignment(y: pd.Series[float], others: pd.DataFrame) -> float:
    """Multiple correlation of response with the covariates, 0 to 1."""
    if not others.shape[1]:
        return 0.0
    x = np.column_stack([np.ones(len(y)), others.to_numpy(dtype=np.float64)])
    values = y.to_numpy(dtype=np.float64)
    rest = values - x @ np.linalg.lstsq(x, values, rcond=None)[0]
    return float(np.sqrt(max(0.0, 1 - (rest**2).sum() / ((values - values.mean()) ** 2).sum())))


def are_whole(counts: pd.DataFrame) -> bool:
    """Whether all values are whole numbers of reads, none negative or missing."""
    values = counts.to_numpy(dtype=np.float64)
    return bool((values >= 0).all() and (np.abs(values - np.rint(values)) <= WHOLE).all())


def expressed(values: pd.DataFrame, least: float, fewest: int) -> pd.DataFrame:
    """Genes, sorted by name, that reach `least` in at least `fewest` patients.

    Parameters
    ----------
    values
        Patients x genes.
    """
    x = values.to_numpy()
    kept = ((x >= least).sum(axis=0) >= fewest) & (x.max(axis=0) > x.min(axis=0))
    return values[sorted(values.columns[kept])]


def _patients(values: pd.DataFrame, compared: Arms) -> pd.DataFrame:
    """Rows of those compared, in their order; no copy where they are that already."""
    index = compared.columns.index
    return values if values.index.equals(index) else values.loc[index]


def linear(
    values: pd.DataFrame, compared: Arms, *, level: float = 0.95
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Moderated t of response in each expressed gene.

    Parameters
    ----------
    values
        Patients x genes, log2(TPM+1).
    compared
        See `arms`; not absent.
    level
        Coverage of the interval.

    Returns
    -------
    table, facts
        `COLUMNS`, one row per gene in the order of p; mean is the mean log2(TPM+1). Facts: genes
        left out, prior_df and prior_variance, notes.
    """
    rows = _patients(values, compared)
    kept = expressed(rows, LEAST_EXPRESSION, min(compared.sizes))
    facts = {"genes_left_out": rows.shape[1] - kept.shape[1], "notes": []}
    if kept.shape[1] < 2:
        return pd.DataFrame(columns=list(COLUMNS)), facts
    table, prior = moderated_t(kept, compared.columns, RESPONDER, level=level)
    facts |= {"prior_df": prior.df if np.isfinite(prior.df) else "infinite"}
    facts |= {"prior_variance": prior.variance}
    return _finish(table.rename(columns={"estimate": "log2_fold_change"})), facts


def negative_binomial(
    counts: pd.DataFrame, compared: Arms, *, level: float = 0.95
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Wald statistic of response in each expressed gene, by PyDESeq2 with its defaults.

    Parameters
    ----------
    counts
        Patients x genes, whole reads (`are_whole`); a patient's samples summed.
    compared, level
        As in `linear`.

    Returns
    -------
    table, facts
        As of `linear`; mean is the mean of reads over size factors. A gene with an outlier that
        could not be replaced (Cook's distance) has no p and says so. q is Benjamini and Hochberg's
        over all genes tested, without independent filtering, which the filter by expression
        stands for. Facts: genes left out, outlier_genes, not_converged (genes), notes (what
        PyDESeq2 warned of).
    """
    from scipy.special import ndtri

    rows = _patients(counts, compared)
    kept = expressed(rows.round(), FEWEST_READS, min(compared.sizes))
    facts: dict[str, Any] = {"genes_left_out": rows.shape[1] - kept.shape[1], "notes": []}
    if kept.shape[1] < 2:
        return pd.DataFrame(columns=list(COLUMNS)), facts
    found, converged, facts["notes"] = _pydeseq2(kept.astype(np.int64), compared.columns)
    half = float(ndtri(0.5 + level / 2)) * found["lfcSE"]
    table = pd.DataFrame(
        {
            "mean": found["baseMean"],
            "log2_fold_change": found["log2FoldChange"],
            "se": found["lfcSE"],
            "low": found["log2FoldChange"] - half,
            "high": found["log2FoldChange"] + half,
            "statistic": found["stat"],
            "p": found["pvalue"],
        }
    )
    outlier, unsure = table["p"].isna(), ~converged
    facts |= {"outlier_genes": int(outlier.sum()), "not_converged": int(unsure.sum())}
    notes = pd.Series("", index=table.index).mask(unsure, "did not converge")
    return _finish(table.assign(note=notes.mask(outlier, "outlier: not tested"))), facts


def _pydeseq2(
    counts: pd.DataFrame, columns: pd.DataFrame
) -> tuple[pd.DataFrame, pd.Series[bool], list[str]]:
    """PyDESeq2's results, which genes' fits converged, and what it warned of."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1), warnings.catch_warnings(record=True) as caught:
        # Recorded to be told, not shown: what a user is to know is a UserWarning, the rest is
        # overflow on the way to an optimum and libraries' deprecations on each other.
        warnings.simplefilter("always")
        from pydeseq2.dds import DeseqDataSet
        from pydeseq2.default_inference import DefaultInference
        from pydeseq2.ds import DeseqStats

        one = DefaultInference(n_cpus=1)
        data = DeseqDataSet(
            counts=counts, metadata=columns, design=columns, inference=one, quiet=True
        )
        data.deseq2()
        which = (columns.columns == RESPONDER).astype(np.float64)
        test = DeseqStats(data, contrast=which, independent_filter=False, inference=one, quiet=True)
        test.summary()
    told = [str(w.message) for w in caught if issubclass(w.category, UserWarning)]
    converged = data.var["_LFC_converged"].reindex(counts.columns).fillna(True).astype(bool)
    return test.results_df.loc[counts.columns], converged, list(dict.fromkeys(told))


def _finish(table: pd.DataFrame) -> pd.DataFrame:
    table = table.rename_axis("gene").reset_index()
    table["q"] = benjamini_hochberg(table["p"])
    if "note" not in table:
        table["note"] = ""
    # Genes come sorted by name, which decides between equal p.
    return table.sort_values("p", kind="stable", ignore_index=True)[list(COLUMNS)]
