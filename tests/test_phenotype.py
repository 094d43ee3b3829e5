"""Immune phenotype: the regions, their probabilities and the label."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats
from standing_tools import measured, standings

from resistpath.cohort.phenotype import (
    COLUMNS,
    STROMA,
    T_CELLS,
    bivariate_normal,
    label,
    phenotypes,
    region_probabilities,
)

BORDER = float(special.ndtri(1 / 3))


@pytest.mark.parametrize("rho", [-0.95, -0.3, 0.0, 0.4, 0.95])
def test_bivariate_normal_equals_scipy(rho):
    # Reference: scipy.stats.multivariate_normal.cdf, absolute tolerance 1e-6.
    for h in (-2.5, -0.7, 0.0, 0.4, 3.0):
        for k in (-1.9, 0.0, 0.2, 2.2):
            want = stats.multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf([h, k])
            got = bivariate_normal(np.array(h), np.array(k), np.array(rho))
            assert float(got) == pytest.approx(want, abs=1e-6), (h, k, rho)


def test_regions_are_found_by_drawing_too():
    rng = np.random.default_rng(0)
    x, y, sd_x, sd_y, rho = 0.3, 0.5, 0.4, 0.6, -0.3
    e = rng.normal(size=(400_000, 2))
    first = x + sd_x * e[:, 0]
    second = y + sd_y * (rho * e[:, 0] + np.sqrt(1 - rho**2) * e[:, 1])
    some = first >= BORDER
    drawn = [(some & (first >= second)).mean(), (some & (first < second)).mean(), 1 - some.mean()]
    arrays = [np.array([v]) for v in (x, y, sd_x, sd_y)]
    assert region_probabilities(*arrays, rho)[0] == pytest.approx(drawn, abs=0.003)


@pytest.mark.parametrize(
    ("x", "y", "want"),
    [
        (2.0, -2.0, [1, 0, 0]),
        (0.5, 2.5, [0, 1, 0]),
        (-2.5, 2.0, [0, 0, 1]),  # few T cells is a desert whatever the stroma
        (BORDER, 3.0, [0, 0.5, 0.5]),  # on a border
        (1.0, 1.0, [0.5, 0.5, 0]),
    ],
)
def test_probabilities_worked_out_by_hand(x, y, want):
    got = region_probabilities(*(np.array([v]) for v in (x, y, 0.2, 0.2)), 0.0)
    assert got[0] == pytest.approx(want, abs=1e-3)
    assert got.sum() == pytest.approx(1)


def test_no_label_near_a_border():
    assert label(np.array([0.80, 0.15, 0.05])) == "inflamed"
    assert label(np.array([0.79, 0.15, 0.06])) == "between inflamed and excluded"
    assert label(np.array([0.1, 0.45, 0.45])) == "between excluded and desert"
    assert label(np.array([0.34, 0.33, 0.33])) == "between all three"


def table(names, x, y, *, barred=None, doubtful=None, half=0.3) -> pd.DataFrame:
    g = np.linspace(-2, 2, 50)
    places = standings(
        names,
        [
            measured(T_CELLS, x, reference=g, half=half),
            measured(STROMA, y, reference=np.abs(g), half=half),
        ],
    )
    return phenotypes(
        places.samples,
        places.of(f"readout:{T_CELLS}", "raw"),
        places.of(f"readout:{STROMA}", "raw"),
        places.correlation(T_CELLS, STROMA),
        barred or {},
        doubtful or {},
    )


def test_rows_carry_coordinates_and_reasons():
    got = table(["hot", "kept_out", "cold"], [2.0, 0.5, -2.0], [-1.0, 2.0, 0.0])
    assert list(got.columns) == list(COLUMNS)
    assert list(got["phenotype"]) == ["inflamed", "excluded", "desert"]
    assert got["x"][0] == pytest.approx(100 * special.ndtr(2.0))
    assert got["x_low"][0] == pytest.approx(100 * special.ndtr(1.7))
    assert got["y_high"][1] == pytest.approx(100 * special.ndtr(2.3))
    assert got[["p_inflamed", "p_excluded", "p_desert"]].sum(axis=1).to_numpy() == pytest.approx(1)
    assert got["reason"][0] == "over 99% of the uncertainty lies in the region 'inflamed'"


def test_wider_intervals_take_the_label_away():
    sure = table(["s"], [0.8], [0.3], half=0.2)
    unsure = table(["s"], [0.8], [0.3], half=1.5)
    assert sure["phenotype"][0] == "inflamed"
    assert unsure["phenotype"][0].startswith("between")
    assert "at least 80% are needed" in unsure["reason"][0]


def test_samples_that_cannot_be_read_say_why():
    got = table(
        ["failed", "odd", "gap"],
        [2.0, 2.0, np.nan],
        [0.0, 0.0, 0.0],
        barred={"failed": "fails quality"},
        doubtful={"odd": "fits poorly"},
    )
    assert list(got["phenotype"]) == ["cannot say"] * 3
    assert list(got["reason"]) == ["fails quality", "fits poorly", "a coordinate is missing"]
    assert got["p_inflamed"].isna().tolist() == [True, True, True]
    assert got["x"].isna().tolist() == [True, False, True]


def test_a_sample_alone_gets_the_same_row():
    x, y = [-1.3, 0.2, 0.9, 2.0, -0.4], [0.5, 0.4, -0.2, 1.0, 1.7]
    names = list("abcde")
    whole = table(names, x, y)
    for i, name in enumerate(names):
        one = table([name], [x[i]], [y[i]])
        pd.testing.assert_frame_equal(one, whole.iloc[[i]].reset_index(drop=True), check_exact=True)
