"""Figures from R, and the small cohort they are of."""

from __future__ import annotations

import pandas as pd
import pytest
from cohort_statistics_tools import QC


@pytest.fixture(scope="module")
def figures() -> dict[str, float]:
    """R's figures by name."""
    table = pd.read_csv(QC / "cohort_figures.tsv", sep="\t", comment="#")
    return dict(zip(table["figure"], table["value"], strict=True))


@pytest.fixture(scope="module")
def small_cohort() -> pd.DataFrame:
    return pd.read_csv(QC / "cohort_figures_input.tsv", sep="\t", index_col="sample")
