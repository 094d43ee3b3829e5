"""Places in further references: figures without verdicts."""

from __future__ import annotations

import pandas as pd

from resistpath.mechanisms.verdict import NOT_ASSESSABLE

_ABOUT = ["reference", "reference_n", "reference_cancer_type", "fits", "stands_in"]
MECHANISM_COLUMNS = (
    *("sample", "mechanism", "axis", *_ABOUT, "percentile", "low", "high"),
    *("residual_percentile", "residual_low", "residual_high", "n_readouts", "concordance"),
    "reason",
)
READOUT_COLUMNS = (
    *("sample", "mechanism", "readout", "method", *_ABOUT, "coverage", "n_genes"),
    *("percentile", "percentile_low", "percentile_high", "residual_percentile"),
    *("residual_low", "residual_high", "assessable", "reason"),
)


def empty() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The two tables of `beside` without rows."""
    return (
        pd.DataFrame(columns=list(MECHANISM_COLUMNS)),
        pd.DataFrame(columns=list(READOUT_COLUMNS)),
    )


def beside(
    mechanisms: pd.DataFrame,
    readouts: pd.DataFrame,
    fits: pd.Series,
    cancer_type: str = "",
    stands_in: str = "",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Turn tables of verdicts in one reference into places beside those in the primary one.

    Parameters
    ----------
    mechanisms, readouts
        As `assess` returns them.
    fits
        By sample, whether it fits the reference.
    cancer_type
        Disease of the reference.
    stands_in
        Why this reference and not another, if it stands in for one.

    Returns
    -------
    tuple of pandas.DataFrame
        ``reason`` is given where there are no figures, or where the sample fits poorly.
    """
    tables = []
    for table, columns in ((mechanisms, MECHANISM_COLUMNS), (readouts, READOUT_COLUMNS)):
        fit = table["sample"].map(fits).astype(bool)
        more = table.assign(
            reference_cancer_type=cancer_type, fits=fit, stands_in=stands_in or None
        )
        if "verdict" in table:
            kept = (table["verdict"] == NOT_ASSESSABLE) | ~fit
            more["reason"] = table["reason"].where(kept, "")
        tables.append(more[list(columns)])
    return tables[0], tables[1]
