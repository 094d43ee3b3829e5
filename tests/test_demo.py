"""What is known of the demo cohort must come out of it."""

from __future__ import annotations

import pandas as pd
import pytest
from scipy.stats import mannwhitneyu, spearmanr

from resistpath import score
from resistpath.io.resources import catalogue


@pytest.fixture(scope="module")
def readouts(demo_values):
    """Every gene-set readout of the catalogue by its own method: samples x readouts."""
    book = catalogue()
    return pd.concat(
        [
            score(demo_values, book.gene_sets(method), method)
            for method in ("ssgsea", "singscore", "mean", "gene", "ratio")
        ],
        axis=1,
    )


@pytest.mark.parametrize(
    ("readout", "column"),
    [
        ("STROMAL_ESTIMATE141", "estimate_stromal"),
        ("STROMA_CRISTESCU51", "estimate_stromal"),
        ("IMMUNE_ESTIMATE141", "estimate_immune"),
        ("GEP18_UNWEIGHTED", "estimate_immune"),
        ("CYTOTOX_DAVOLI7", "estimate_immune"),
    ],
)
def test_stromal_and_immune_readouts_follow_the_published_estimate_scores(
    readouts, demo_obs, readout, column
):
    """ESTIMATE scores as published with the cohort (Dou et al. 2020)."""
    published = demo_obs[column].astype(float)
    assert spearmanr(readouts[readout], published.loc[readouts.index]).statistic >= 0.8


@pytest.mark.parametrize(
    ("readout", "p"), [("IFNG6_AYERS", 0.01), ("GEP18_UNWEIGHTED", 0.05), ("CYT_ROONEY2", 0.1)]
)
def test_msi_high_tumours_are_more_inflamed(readouts, demo_obs, readout, p):
    """25 MSI-high against 70 stable tumours; one-sided, because the direction is known."""
    status = demo_obs["msi_status"].loc[readouts.index]
    high, stable = (readouts[readout][status == s] for s in ("MSI-H", "MSS"))
    test = mannwhitneyu(high, stable, alternative="greater")
    assert test.statistic / (len(high) * len(stable)) > 0.55
    assert test.pvalue < p
