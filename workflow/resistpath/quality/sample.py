"""Quality of each sample by its own values: nothing here looks at a second sample."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from resistpath.expression import samples_by_genes
from resistpath.quality.gates import Floats, Gates, Metric, by_sample, rows
from resistpath.quality.sex import sex_rows
from resistpath.quality.tissue import tissue_rows

TOP_GENES = 50
DETECTED_TPM = 1.0
RIBOSOMAL = re.compile(r"RP[LS]\d+[AXYL]?\d*|RPLP[012]|RPSA")
HAEMOGLOBIN = ("HBA1", "HBA2", "HBB", "HBD", "HBE1", "HBG1", "HBG2", "HBM", "HBQ1", "HBZ")
OTHER_BIOTYPES = 0.001
"""Below this share of the input outside protein-coding genes they were left out of the file."""


def sample_quality(
    tpm: pd.DataFrame,
    *,
    n_universe: int,
    gates: Gates | None = None,
    broken: tuple[float, str] | None = None,
    counts: pd.DataFrame | None = None,
    lengths: Mapping[str, float] | pd.Series | None = None,
    biotypes: pd.DataFrame | None = None,
    xist: pd.Series | None = None,
    sex: pd.Series | None = None,
) -> pd.DataFrame:
    """Quality metrics of each sample, with the gate each is held to.

    Parameters
    ----------
    tpm
        Genes x samples, linear TPM over protein-coding genes, current symbols.
    n_universe
        Number of protein-coding genes of the gene table.
    gates
        Thresholds; the defaults if not given.
    broken
        Share of genes beyond the end of a list that breaks off, and where it does
        (`genelist.truncation`).
    counts
        Genes x samples, reads, if the input was counts.
    lengths
        Gene lengths in bases, for the slope of expression on length.
    biotypes
        Biotype x samples, sums of the input (`genes.harmonise_all`).
    xist
        XIST in parts per million of the whole input, by sample.
    sex
        Sex of each sample's patient as annotated, by sample.

    Returns
    -------
    DataFrame
        One row per sample and metric: sample, metric, label, value, unit, threshold, passed
        (True, False, or None for information only), status (``pass``, ``warn``, ``fail``,
        ``info``), note (one sentence).
    """
    gates = gates or Gates()
    array = samples_by_genes(tpm)
    coverage = len(tpm) / n_universe
    panel = coverage < gates.min_gene_coverage
    tables = [
        *_library(tpm, array, coverage, counts, gates),
        *([_gene_list(tpm.columns, broken, gates)] if broken is not None else []),
        *_composition(tpm, array, gates, panel=panel),
        *_outside(tpm.columns, biotypes, gates),
    ]
    if lengths is not None:
        tables.append(_length_slope(tpm, lengths, gates, panel=panel))
    if sex is not None and not panel:
        tables.append(sex_rows(tpm, xist, sex, gates))
    if not panel:
        tables += tissue_rows(tpm, gates)
    return by_sample(tables, tpm.columns)


def _share(part: Floats, whole: Floats) -> Floats:
    """Ratio of sums; 0 for a sample without expression."""
    return np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)


def _library(
    tpm: pd.DataFrame, array: Floats, coverage: float, counts: pd.DataFrame | None, gates: Gates
) -> list[pd.DataFrame]:
    """Genes measured and detected, reads, and how few genes hold how much."""
    samples, total = tpm.columns, array.sum(axis=1)
    n = min(TOP_GENES, array.shape[1])
    top = np.array([np.sort(np.partition(row, -n)[-n:]).sum() for row in array])
    tables = [
        rows(
            Metric(
                "gene_coverage",
                "Protein-coding genes measured",
                "share",
                gates.min_gene_coverage,
                gates.warn_gene_coverage,
            ),
            samples,
            np.full(len(array), coverage),
            "genes of the gene table are missing from the matrix: sets lose members and TPM are"
            " spread over fewer genes",
        ),
        rows(
            Metric(
                "genes_detected",
                "Genes at 1 TPM or more",
                "genes",
                gates.min_genes_detected,
                gates.warn_genes_detected,
            ),
            samples,
            (array >= DETECTED_TPM).sum(axis=1),
            "few detected genes: shallow or degraded library, or a panel",
        ),
        rows(
            Metric(
                "top50_share",
                "Share of the 50 highest genes",
                "share",
                gates.max_top50_share,
                gates.warn_top50_share,
                high=True,
            ),
            samples,
            _share(top, total),
            "a few genes crowd out the rest: low complexity, contamination or a secretory tissue",
        ),
        rows(
            Metric("zero_share", "Genes with no expression", "share", fail=0.999, high=True),
            samples,
            (array == 0).mean(axis=1),
            "the sample holds no expression",
        ),
    ]
    if counts is not None:
        tables.append(
            rows(
                Metric(
                    "reads",
                    "Reads in protein-coding genes",
                    "reads",
                    gates.min_reads,
                    gates.warn_reads,
                ),
                samples,
                [np.ascontiguousarray(column).sum() for column in counts.to_numpy().T],
                "too few reads for low-expressed genes",
            )
        )
    return tables


def _gene_list(samples: pd.Index, broken: tuple[float, str], gates: Gates) -> pd.DataFrame:
    """Whether the gene list breaks off; the same for every sample of a matrix."""
    share, words = broken
    metric = Metric(
        "truncated_share",
        "Genes beyond the end of the list",
        "share",
        gates.max_truncated_share,
        gates.warn_truncated_share,
        high=True,
    )
    return rows(metric, samples, np.full(len(samples), share), words)


def _composition(
    tpm: pd.DataFrame, array: Floats, gates: Gates, *, panel: bool
) -> list[pd.DataFrame]:
    """Shares of gene families that say what the RNA came from; not gated on a panel."""
    genes, samples = [str(g) for g in tpm.index], tpm.columns
    total = array.sum(axis=1)
    families = (
        (
            Metric(
                "mitochondrial_share",
                "Mitochondrial genes",
                "share",
                gates.max_mitochondrial_share,
                gates.warn_mitochondrial_share,
                high=True,
            ),
            [g.startswith("MT-") for g in genes],
            "much of the RNA is mitochondrial: dying cells, or a tissue rich in mitochondria",
        ),
        (
            Metric(
                "ribosomal_share",
                "Ribosomal protein genes",
                "share",
                warn=gates.warn_ribosomal_share,
                high=True,
            ),
            [g.startswith("RP") and bool(RIBOSOMAL.fullmatch(g)) for g in genes],
            "much of the RNA codes for ribosomal proteins: short or degraded fragments, or"
            " lymphoid cells",
        ),
        (
            Metric(
                "haemoglobin_share",
                "Haemoglobin genes",
                "share",
                gates.max_haemoglobin_share,
                gates.warn_haemoglobin_share,
                high=True,
            ),
            [g in HAEMOGLOBIN for g in genes],
            "blood in the sample: immune scores may read blood cells",
        ),
    )
    out = []
    for metric, members, note in families:
        # A copy in the order of samples: a sum must not depend on how many samples there are.
        part = np.ascontiguousarray(array[:, np.asarray(members)])
        values = _share(part.sum(axis=1), total)
        if not np.any(members):
            values = np.full(len(array), np.nan)
        words: str | list[str] = note
        status = None
        if panel or not np.any(members):
            why = "not gated on a gene panel" if np.any(members) else "no such gene in the matrix"
            words, status = [why] * len(array), ["info"] * len(array)
        out.append(rows(metric, samples, values, words, status))
    return out


def _outside(samples: pd.Index, biotypes: pd.DataFrame | None, gates: Gates) -> list[pd.DataFrame]:
    """Share of the input in protein-coding genes, where others are in the file."""
    if biotypes is None or "protein_coding" not in biotypes.index:
        return []
    total = samples_by_genes(biotypes).sum(axis=1)
    share = _share(samples_by_genes(biotypes.loc[["protein_coding"]])[:, 0], total)
    metric = Metric(
        "coding_share",
        "Input in protein-coding genes",
        "share",
        gates.min_coding_share,
        gates.warn_coding_share,
    )
    others = 1 - share > OTHER_BIOTYPES
    states = [metric.status(v) if o else "info" for v, o in zip(share, others, strict=True)]
    words = {
        "warn": "much of the input lies outside protein-coding genes: total RNA, genomic DNA or"
        " degradation",
        "fail": "almost all of the input lies outside protein-coding genes",
    }
    notes = [
        words.get(s, "") if o else "the matrix holds hardly any other genes"
        for s, o in zip(states, others, strict=True)
    ]
    return [rows(metric, samples, share, notes, states)]


def length_slopes(tpm: pd.DataFrame, lengths: Mapping[str, float] | pd.Series) -> Floats:
    """Slope of log2(TPM) on log2(gene length) over genes at 1 TPM or more, per sample."""
    size = np.log2(pd.Series(lengths, dtype=float).reindex(tpm.index).to_numpy())
    out = []
    for row in samples_by_genes(tpm):
        use = (row >= DETECTED_TPM) & np.isfinite(size)
        x, y = size[use], np.log2(row[use])
        x = x - x.mean() if len(x) else x
        out.append(float((x * y).sum() / (x * x).sum()) if len(x) > 100 else np.nan)
    return np.array(out)


def _length_slope(
    tpm: pd.DataFrame,
    lengths: Mapping[str, float] | pd.Series,
    gates: Gates,
    *,
    panel: bool,
) -> pd.DataFrame:
    """Hint at degraded or 3'-biased RNA.

    Values per gene do not show where in a gene its reads lie, so neither 3' bias nor FFPE can be
    seen directly. What can be seen: long genes fall behind where transcripts are broken and only
    their 3' ends are read. Exome capture, used for FFPE, raises them, and so does total RNA: a
    slope tells the kind of library rather than its age. Of five FFPE and eleven fresh lung
    biopsies read by capture the slopes overlap.
    """
    metric = Metric(
        "length_slope",
        "Slope of expression on gene length",
        "log2 per log2",
        warn=gates.warn_length_slope,
    )
    values = length_slopes(tpm, lengths)
    states = ["info"] * len(values) if panel else None
    note = (
        "long genes fall behind: RNA read from its 3' ends, degraded or by a 3' kit; values per"
        " gene cannot tell these apart, nor show FFPE as such"
    )
    return rows(metric, tpm.columns, values, note, states)
