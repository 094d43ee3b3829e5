"""Per-sample quality metrics and the gates a sample must pass to be assessed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from resistpath.expression import samples_by_genes

TOP_GENES = 50
DETECTED_TPM = 1.0


def quality_metrics(
    tpm: pd.DataFrame, counts: pd.DataFrame | None, n_universe: int, gates: Mapping[str, float]
) -> pd.DataFrame:
    """Quality metrics of each sample, with the gate each is held to.

    Parameters
    ----------
    tpm
        Genes x samples, linear TPM over protein-coding genes.
    counts
        Genes x samples raw counts, if the input was counts.
    n_universe
        Number of protein-coding genes of the gene table.
    gates
        ``min_gene_coverage``, ``min_genes_detected``, ``max_top50_share``, ``min_reads``.

    Returns
    -------
    pandas.DataFrame
        One row per sample and metric: sample, metric, label, value, unit, threshold, passed
        (True, False, or None for information only), note. Every metric depends on its own
        sample only.
    """
    rows = samples_by_genes(tpm)
    top = np.sort(rows, axis=1)[:, -TOP_GENES:].sum(axis=1) / rows.sum(axis=1)
    detected = (rows >= DETECTED_TPM).sum(axis=1)
    coverage = np.full(len(rows), tpm.shape[0] / n_universe)
    zeros = (rows == 0).mean(axis=1)
    table = [
        _metric(
            "gene_coverage",
            "Protein-coding genes measured",
            coverage,
            "share",
            "min",
            gates["min_gene_coverage"],
            "share of the gene table found in the matrix",
        ),
        _metric(
            "genes_detected",
            "Genes at 1 TPM or more",
            detected,
            "genes",
            "min",
            gates["min_genes_detected"],
            "few detected genes: shallow or degraded library",
        ),
        _metric(
            "top50_share",
            "Share of the 50 highest genes",
            top,
            "share",
            "max",
            gates["max_top50_share"],
            "a few genes crowd out the rest: low complexity or contamination",
        ),
        _metric("zero_share", "Genes with no expression", zeros, "share", None, None, ""),
    ]
    if counts is not None:
        reads = samples_by_genes(counts).sum(axis=1)
        table.append(
            _metric(
                "reads",
                "Reads in protein-coding genes",
                reads,
                "reads",
                "min",
                gates["min_reads"],
                "too few reads for low-expressed genes",
            )
        )
    frames = [frame.assign(sample=tpm.columns) for frame in table]
    out = pd.concat(frames, ignore_index=True)
    order = {name: i for i, name in enumerate(tpm.columns)}
    out = out.sort_values("sample", key=lambda s: s.map(order), kind="stable")
    return out[
        ["sample", "metric", "label", "value", "unit", "threshold", "passed", "note"]
    ].reset_index(drop=True)


def _metric(
    metric: str,
    label: str,
    values: np.ndarray,
    unit: str,
    kind: str | None,
    gate: float | None,
    note: str,
) -> pd.DataFrame:
    if kind is None or gate is None:
        passed: list[bool | None] = [None] * len(values)
        threshold = ""
    else:
        ok = values >= gate if kind == "min" else values <= gate
        passed = [bool(x) for x in ok]
        threshold = f"{'≥' if kind == 'min' else '≤'} {gate:g}"
    return pd.DataFrame(
        {
            "metric": metric,
            "label": label,
            "value": np.asarray(values, dtype=float),
            "unit": unit,
            "threshold": threshold,
            "passed": pd.Series(passed, dtype=object),
            "note": [note if p is False else "" for p in passed],
        }
    )


def failed_gates(quality: pd.DataFrame) -> dict[str, str]:
    """Samples that fail a gate, with the reason in words.

    Examples
    --------
    >>> row = {"sample": "S1", "metric": "reads", "label": "Reads", "value": 10.0,
    ...        "unit": "reads", "threshold": "≥ 100", "passed": False, "note": ""}
    >>> failed_gates(pd.DataFrame([row]))
    {'S1': 'Reads 10 (gate ≥ 100)'}
    """
    failed = quality[quality["passed"].map(lambda x: x is False or x == "no")]
    reasons = failed.assign(
        text=[
            f"{label} {value:,.4g} (gate {threshold})"
            for label, value, threshold in zip(
                failed["label"], failed["value"], failed["threshold"], strict=True
            )
        ]
    )
    return {
        str(sample): "; ".join(group["text"])
        for sample, group in reasons.groupby("sample", sort=False)
    }
