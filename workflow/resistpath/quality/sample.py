"""Quality of each sample by its own values: nothing here looks at a second sample."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from resistpath.quality.figures import SampleFigures
from resistpath.quality.gates import Gates, Metric, by_sample, rows
from resistpath.quality.sex import sex_rows
from resistpath.quality.tissue import tissue_rows

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
    figures = SampleFigures(tpm.index, lengths).measure(
        tpm, counts=counts, biotypes=biotypes, xist=xist
    )
    return judge_samples(
        figures, coverage=len(tpm) / n_universe, gates=gates, broken=broken, sex=sex
    )


def judge_samples(
    figures: pd.DataFrame,
    *,
    coverage: float,
    gates: Gates | None = None,
    broken: tuple[float, str] | None = None,
    sex: pd.Series | None = None,
) -> pd.DataFrame:
    """Hold what was measured of each sample to the gates; see `sample_quality`.

    Parameters
    ----------
    figures
        Samples x figures, from `figures.SampleFigures`.
    coverage
        Share of the protein-coding genes that are in the matrix.
    """
    gates = gates or Gates()
    panel = coverage < gates.min_gene_coverage
    tables = [
        *_library(figures, coverage, gates),
        *([_gene_list(figures.index, broken, gates)] if broken is not None else []),
        *_composition(figures, gates, panel=panel),
        *_outside(figures, gates),
    ]
    if "length_slope" in figures:
        tables.append(_length_slope(figures, gates, panel=panel))
    if sex is not None and not panel:
        tables.append(sex_rows(figures, sex, gates))
    if not panel:
        tables += tissue_rows(figures, gates)
    return by_sample(tables, figures.index)


def _library(figures: pd.DataFrame, coverage: float, gates: Gates) -> list[pd.DataFrame]:
    """Genes measured and detected, reads, and how few genes hold how much."""
    samples = figures.index
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
            np.full(len(samples), coverage),
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
            figures["genes_detected"].to_numpy(),
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
            figures["top50_share"].to_numpy(),
            "a few genes crowd out the rest: low complexity, contamination or a secretory tissue",
        ),
        rows(
            Metric("zero_share", "Genes with no expression", "share", fail=0.999, high=True),
            samples,
            figures["zero_share"].to_numpy(),
            "the sample holds no expression",
        ),
    ]
    if "reads" in figures:
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
                figures["reads"].to_numpy(),
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


def _composition(figures: pd.DataFrame, gates: Gates, *, panel: bool) -> list[pd.DataFrame]:
    """Shares of gene families that say what the RNA came from; not gated on a panel."""
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
            "blood in the sample: immune scores may read blood cells",
        ),
    )
    out = []
    for metric, note in families:
        values = figures[metric.name].to_numpy()
        absent = bool(np.isnan(values).all())
        words: str | list[str] = note
        status = None
        if panel or absent:
            why = "no such gene in the matrix" if absent else "not gated on a gene panel"
            words, status = [why] * len(values), ["info"] * len(values)
        out.append(rows(metric, figures.index, values, words, status))
    return out


def _outside(figures: pd.DataFrame, gates: Gates) -> list[pd.DataFrame]:
    """Share of the input in protein-coding genes, where others are in the file."""
    if "coding_share" not in figures:
        return []
    share = figures["coding_share"].to_numpy()
    metric = Metric(
        "coding_share",
        "Input in protein-coding genes",
        "share",
        gates.min_coding_share,
        gates.warn_coding_share,
    )
    others = 1 - share > OTHER_BIOTYPES
    states = np.where(others, metric.states(share), "info").tolist()
    words = {
        "warn": "much of the input lies outside protein-coding genes: total RNA, genomic DNA or"
        " degradation",
        "fail": "almost all of the input lies outside protein-coding genes",
    }
    notes = [
        words.get(s, "") if o else "the matrix holds hardly any other genes"
        for s, o in zip(states, others, strict=True)
    ]
    return [rows(metric, figures.index, share, notes, states)]


def _length_slope(figures: pd.DataFrame, gates: Gates, *, panel: bool) -> pd.DataFrame:
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
    values = figures["length_slope"].to_numpy()
    states = ["info"] * len(values) if panel else None
    note = (
        "long genes fall behind: RNA read from its 3' ends, degraded or by a 3' kit; values per"
        " gene cannot tell these apart, nor show FFPE as such"
    )
    return rows(metric, figures.index, values, note, states)
