"""The thresholds, the table every check writes to, and which samples fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

COLUMNS = (
    *("sample", "metric", "label", "value", "unit", "threshold", "passed", "status", "note"),
)
STATUSES = ("pass", "warn", "fail", "info")
COHORT = "cohort_"
"""Metrics whose value depends on the other samples begin so; they never fail a sample."""


@dataclass(frozen=True)
class Gates:
    """Thresholds; beyond a ``min`` or ``max`` a sample fails, beyond a ``warn`` it is marked.

    The defaults were set on the public cohorts in the documentation: samples of usable libraries
    lie on the good side of every ``min`` and ``max``, 95 % of them on that of ``warn``.
    """

    min_gene_coverage: float = 0.5
    warn_gene_coverage: float = 0.8
    min_genes_detected: float = 8000.0
    warn_genes_detected: float = 10000.0
    max_top50_share: float = 0.7
    warn_top50_share: float = 0.5
    min_reads: float = 1e6
    warn_reads: float = 5e6
    max_mitochondrial_share: float = 0.8
    warn_mitochondrial_share: float = 0.5
    warn_ribosomal_share: float = 0.4
    max_haemoglobin_share: float = 0.5
    warn_haemoglobin_share: float = 0.05
    min_coding_share: float = 0.1
    warn_coding_share: float = 0.5
    max_truncated_share: float = 0.05
    warn_truncated_share: float = 0.005
    warn_length_slope: float = -0.9
    y_present: float = 4.0
    y_absent: float = 1.5
    xist_present: float = 5.0
    warn_lymph_node: float = 4.5
    warn_normal_tissue: float = 6.0
    warn_cohort_twin: float = 0.985
    warn_cohort_identity: float = 0.3
    warn_cohort_outlier: float = 6.0
    warn_cohort_library: float = 0.25
    warn_confounding_p: float = 0.05


@dataclass(frozen=True)
class Metric:
    """What a check is called and what its limits are.

    Attributes
    ----------
    fail, warn
        Limits, or None. `high` says that values above them are the bad ones.
    """

    name: str
    label: str
    unit: str
    fail: float | None = None
    warn: float | None = None
    high: bool = False

    def states(self, values: Floats) -> npt.NDArray[np.object_]:
        """``pass``, ``warn``, ``fail``, or ``info`` if there is no limit or no value; for each."""
        judged = self.fail is not None or self.warn is not None
        out = np.full(len(values), "pass" if judged else "info", dtype=object)
        for limit, state in ((self.warn, "warn"), (self.fail, "fail")):
            if limit is not None:
                out[values > limit if self.high else values < limit] = state
        out[np.isnan(values)] = "info"
        return out

    def threshold(self, status: str) -> str:
        """The limit that decided, in words: the gate, or the mark where only that was missed."""
        limit = self.warn if status == "warn" or self.fail is None else self.fail
        return "" if limit is None or status == "info" else f"{'≤' if self.high else '≥'} {limit:g}"


def rows(
    metric: Metric,
    samples: pd.Index,
    values: Sequence[float] | Floats,
    note: str | Sequence[str] = "",
    status: Sequence[str] | None = None,
) -> pd.DataFrame:
    """One row per sample for one metric.

    Parameters
    ----------
    metric, samples, values
        What was measured; NaN where it could not be.
    note
        One sentence, shown where the status is ``warn`` or ``fail``, or one for each sample,
        always shown.
    status
        Instead of that of the metric's limits.
    """
    numbers = np.asarray(values, dtype=np.float64)
    states = list(metric.states(numbers) if status is None else status)
    limits = {state: metric.threshold(state) for state in set(states)}
    if isinstance(note, str):
        notes = [note if s in ("warn", "fail") else "" for s in states]
    else:
        notes = list(note)
    cohort = metric.name.startswith(COHORT)
    passed = [None if s == "info" or cohort else s != "fail" for s in states]
    return pd.DataFrame(
        {
            "sample": samples.to_numpy(),
            "metric": metric.name,
            "label": metric.label,
            "value": numbers,
            "unit": metric.unit,
            "threshold": [limits[s] for s in states],
            "passed": pd.Series(passed, dtype=object),
            "status": states,
            "note": notes,
        },
        columns=list(COLUMNS),
    )


def by_sample(frames: Sequence[pd.DataFrame], samples: pd.Index) -> pd.DataFrame:
    """Join metrics into one table, sample by sample."""
    if not frames:
        return pd.DataFrame(columns=list(COLUMNS))
    out = pd.concat(frames, ignore_index=True)
    order = {name: i for i, name in enumerate(samples)}
    out = out.sort_values("sample", key=lambda s: s.map(order), kind="stable")
    return out.reset_index(drop=True)


def failed_gates(quality: pd.DataFrame) -> dict[str, str]:
    """Samples that fail a gate, with the reason in words; cohort-level metrics never count.

    Examples
    --------
    >>> row = {"sample": "S1", "metric": "reads", "label": "Reads", "value": 10.0,
    ...        "unit": "reads", "threshold": "≥ 100", "passed": False, "note": ""}
    >>> failed_gates(pd.DataFrame([row]))
    {'S1': 'Reads 10 (gate ≥ 100)'}
    """
    failed = quality[quality["passed"].map(lambda x: x is False or x == "no")]
    failed = failed[~failed["metric"].astype(str).str.startswith(COHORT)]
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
