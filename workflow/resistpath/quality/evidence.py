"""What the unit was read from, as rows of the quality table."""

from __future__ import annotations

import pandas as pd

from resistpath.quality.gates import Metric, by_sample, rows

_FIGURES = (
    ("maximum", "Largest value in the file", "as in the file"),
    ("minimum", "Smallest value in the file", "as in the file"),
    ("floor_share", "Genes at the smallest value", "share"),
    ("total", "Sum over genes, logarithm undone", "sum"),
    ("whole_share", "Whole numbers among positive values in the file", "share"),
)


def unit_rows(evidence: pd.DataFrame) -> pd.DataFrame:
    """Bring the evidence of `units.read_units` into the form of the quality table.

    Parameters
    ----------
    evidence
        One row per sample: sample, maximum, minimum, floor_share, total, whole_share, step,
        reading, why.

    Returns
    -------
    DataFrame
        Six rows per sample, ``unit_...``, all with status ``info``; the reading and its reason
        stand in the note of ``unit_step``.
    """
    samples = pd.Index(evidence["sample"])
    tables = [
        rows(Metric(f"unit_{name}", label, unit), samples, evidence[name].to_numpy(dtype=float))
        for name, label, unit in _FIGURES
    ]
    words = [
        f"read as {reading}: {why}" if why else f"read as {reading}"
        for reading, why in zip(evidence["reading"], evidence["why"], strict=True)
    ]
    step = Metric("unit_step", "Step of one read, if values are multiples of one", "as in the file")
    tables.append(rows(step, samples, evidence["step"].to_numpy(dtype=float), words))
    return by_sample(tables, samples)
