"""Intervals of cell fractions: coverage, limits of detection, and the jackknife behind them."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from deconvolve_tools import (
    TABLES,
    TIL10,
    TYPES,
    cohort,
    mixtures,
    package,
    run,
)
from scipy import stats

from resistpath.deconvolve import intervals

# --- intervals ----------------------------------------------------------------------------------


def spikes(noise: float, seed: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Mixtures with one cell type spiked in at 0 to 30 %, ten times each; fractions; which type.

    The other nine types share 5 to 40 % of the rest (Dirichlet 0.5), a tumour without signature
    genes has what is left. Every gene of every sample is multiplied by log-normal noise.
    """
    rng = np.random.default_rng(seed)
    rows, spiked = [], []
    for column, level, _ in itertools.product(
        range(10), (0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3), range(10)
    ):
        others = rng.dirichlet([0.5] * 9) * rng.uniform(0.05, 0.4) * (1 - level)
        rows.append(np.insert(others, column, level))
        spiked.append(column)
    truth = np.array(rows)
    return mixtures(truth, noise=noise, seed=seed + 1), truth, np.array(spiked)


@pytest.mark.parametrize("noise", [0.2, 0.3, 0.5])
@pytest.mark.parametrize("method", ["quantiseq", "least_squares"])
def test_intervals_cover_the_truth_of_simulated_spikes(method: str, noise: float) -> None:
    """Nominal 90 %: 85 to 95 % over all cell types, and over the type spiked in, where there."""
    tpm, truth, spiked = spikes(noise, seed=11)
    result = run(tpm, method, symbols="published")
    covered = (result.low[TYPES].to_numpy() <= truth) & (truth <= result.high[TYPES].to_numpy())
    assert 0.85 <= covered.mean() <= 0.95
    own = np.arange(len(spiked)), spiked
    assert 0.85 <= covered[own][truth[own] > 0].mean() <= 0.95


def test_robust_intervals_cover_the_truth_of_simulated_spikes() -> None:
    tpm, truth, spiked = spikes(0.3, seed=11)
    result = run(tpm, robust="huber")
    truth = truth / truth.sum(axis=1, keepdims=True)
    covered = (result.low[TYPES].to_numpy() <= truth) & (truth <= result.high[TYPES].to_numpy())
    assert 0.85 <= covered.mean() <= 0.95
    own = np.arange(len(spiked)), spiked
    assert 0.85 <= covered[own][truth[own] > 0].mean() <= 0.95


def test_a_spike_below_the_limit_is_not_detectable() -> None:
    """CD8 T cells at 0 to 30 %, limit 2 %: an estimate below it is called so."""
    truth = np.full((6, 10), 0.02)
    truth[:, TYPES.index("T.cells.CD8")] = [0, 0.005, 0.015, 0.025, 0.1, 0.3]
    table = package.deconvolve_long(mixtures(truth), "quantiseq", TABLES, symbols="published")
    cd8 = table[table["cell_type"] == "t_cd8"]
    assert cd8["limit"].eq(0.02).all()
    assert cd8["detectable"].to_list() == ["below limit"] * 3 + ["yes"] * 3
    quiet = table[table["cell_type"] == "myeloid_dc"]  # limit 100 %: never
    assert quiet["detectable"].eq("below limit").all()


def test_noise_widens_intervals() -> None:
    truth = np.random.default_rng(1).dirichlet([0.5] * 10 + [4.0], size=60)[:, :10]
    width = [
        (result.high - result.low).mean(axis=None)
        for result in (run(mixtures(truth, noise=n, seed=12)) for n in (0.4, 0.8))
    ]
    assert width[1] > 1.5 * width[0]


def test_interval_is_a_delete_a_group_jackknife(tpm: pd.DataFrame) -> None:
    """Worked again by leaving groups out of the table, one run of the whole method each."""
    options = {"tumour": False, "remove_genes": "none", "symbols": "published"}
    whole = package.run(tpm, "quantiseq", TABLES, **options)
    changes = []
    for group in range(20):
        keep = np.arange(len(TIL10)) % 20 != group
        less = {**TABLES, "til10": TIL10[keep].reset_index(drop=True)}
        values = package.run(tpm, "quantiseq", less, **options, interval=False).estimate
        changes.append(values.to_numpy() - whole.estimate.to_numpy())
    squares = sum(c**2 for c in changes)
    fourths = sum(c**4 for c in changes)
    freedom = np.divide(3 * squares**2, fourths, out=np.zeros_like(squares), where=fourths > 0) - 1
    assert freedom.min() < 5
    assert freedom.max() > 10
    t = stats.t.ppf(0.95, np.clip(freedom, 1, 19))
    half = t * np.sqrt(19 / 20 * squares)
    columns = whole.estimate.columns
    np.testing.assert_allclose(whole.low[columns], np.clip(whole.estimate - half, 0, 1), atol=1e-9)
    clear = (whole.low[columns] > 0).to_numpy()
    assert clear.sum() > 10
    np.testing.assert_allclose(
        whole.high[columns].to_numpy()[clear],
        np.clip(whole.estimate + half, 0, 1).to_numpy()[clear],
        atol=1e-9,
    )


def test_a_fraction_at_zero_still_has_an_upper_end(tpm: pd.DataFrame) -> None:
    result = run(tpm)
    at_zero = result.estimate[TYPES] == 0
    assert at_zero.to_numpy().sum() > 5
    assert (result.high[TYPES].to_numpy()[at_zero.to_numpy()] > 0).all()


def test_groups_follow_the_published_table() -> None:
    groups = intervals.groups_of(np.array([0, 1, 20, 25, 160]))
    assert groups.tolist() == [0, 1, 0, 2, 0]


def test_no_interval_unless_asked(tpm: pd.DataFrame) -> None:
    for method in ("quantiseq", "mcpcounter"):
        result = run(cohort(tpm), method, interval=False)
        assert result.low.isna().all(axis=None)
        pd.testing.assert_frame_equal(result.estimate, run(cohort(tpm), method).estimate)
