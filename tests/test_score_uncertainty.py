"""Intervals and nulls, checked by simulation; docs/scoring.md describes the simulation.

A sample of 6,000 genes; 1,500 of them are a programme, raised by 1 with a spread of 1.5 log2
units. A gene set is a random draw from the programme: what the interval of its score should
cover is the mean score of all such draws.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from resistpath import GeneSet, score
from resistpath.score import METHODS, score_long
from resistpath.score.data import ScoreData
from resistpath.score.intervals import half_width
from resistpath.score.run import details_of, scores_without

N, PROGRAMME, DRAWS = 6000, 1500, 1500
WITH_INTERVAL = [
    "ssgsea",
    "singscore",
    "mean",
    "sample_z",
    "rank_z",
    "u_statistic",
    "weighted",
    "ulm",
]
WITH_NULL = [*WITH_INTERVAL, "aucell"]


class Simulation:
    """One sample, its programme, and bins of typical expression that do not know of it."""

    def __init__(self):
        self.rng = np.random.default_rng(20)
        self.genes = np.array([f"G{i:04d}" for i in range(N)])
        typical = np.where(self.rng.random(N) < 0.15, 0, self.rng.gamma(2, 1.8, N))
        self.programme = self.rng.choice(N, PROGRAMME, replace=False)
        x = typical.copy()
        x[self.programme] += self.rng.normal(1, 1.5, PROGRAMME)
        frame = pd.DataFrame({"S": np.maximum(x, 0).astype(np.float32)}, index=self.genes)
        self.data = ScoreData(frame)
        ranks = np.argsort(np.argsort(typical, kind="stable"))
        self.bins = pd.Series(ranks * 10 // N, index=self.genes)

    def draw(self, pool, size, times=DRAWS):
        return [
            GeneSet(str(i), tuple(self.rng.choice(pool, size, replace=False))) for i in range(times)
        ]

    def detail(self, sets, methods):
        index = self.data.index(sets)
        background = self.data.background(self.bins)
        chosen = {m: METHODS[m] for m in methods}
        return details_of(self.data, dict.fromkeys(methods, index), chosen, background)


@pytest.fixture(scope="module")
def simulation():
    return Simulation()


@pytest.mark.parametrize("size", [10, 25, 60])
def test_nominal_90_per_cent_interval_covers_85_to_95(simulation, size):
    sets = simulation.draw(simulation.genes[simulation.programme], size)
    covered = {}
    for name, found in simulation.detail(sets, WITH_INTERVAL).items():
        half = half_width(found.variance, found.df)
        covered[name] = float((np.abs(found.score - found.score.mean()) <= half).mean())
    assert all(0.85 <= share <= 0.95 for share in covered.values()), covered


def test_interval_of_an_up_and_down_set_covers_too(simulation):
    up = simulation.draw(simulation.genes[simulation.programme], 15)
    down = simulation.draw(
        np.setdiff1d(simulation.genes, simulation.genes[simulation.programme]), 9
    )
    sets = [GeneSet(a.name, a.up, b.up) for a, b in zip(up, down, strict=True)]
    methods = ["singscore", "mean", "rank_z", "sample_z"]
    for name, found in simulation.detail(sets, methods).items():
        half = half_width(found.variance, found.df)
        share = float((np.abs(found.score - found.score.mean()) <= half).mean())
        assert 0.85 <= share <= 0.95, name


@pytest.mark.parametrize("size", [15, 50])
def test_p_values_of_random_sets_are_uniform(simulation, size):
    sets = simulation.draw(simulation.genes, size, 1000)
    uniform = {}
    for name, found in simulation.detail(sets, WITH_NULL).items():
        z = found.null_z[0]
        # So few genes of 15 reach the topmost 5 % that aucell's p-values come in steps.
        if name == "aucell" and size < 50:
            continue
        assert np.isfinite(z).all(), name
        uniform[name] = stats.kstest(stats.norm.sf(z), "uniform").pvalue
    assert all(p > 0.01 for p in uniform.values()), uniform


def test_null_of_up_and_down_sets_is_uniform(simulation):
    sets = [
        GeneSet(s.name, s.up[:20], s.up[20:]) for s in simulation.draw(simulation.genes, 32, 1000)
    ]
    for name, found in simulation.detail(sets, ["singscore", "mean", "rank_z"]).items():
        assert stats.kstest(stats.norm.sf(found.null_z[0]), "uniform").pvalue > 0.01, name


def test_a_raised_programme_stands_out_from_its_null(simulation):
    sets = simulation.draw(simulation.genes[simulation.programme], 60, 50)
    for name, found in simulation.detail(sets, WITH_INTERVAL).items():
        assert np.median(found.null_z) > 2, name


def test_null_compares_genes_of_the_same_typical_expression(simulation):
    """Genes that are high in every tumour say nothing by being high in this one."""
    high = simulation.bins.index[simulation.bins == 9]
    calm = np.setdiff1d(high, simulation.genes[simulation.programme])
    sets = simulation.draw(calm, 40, 20)
    index = {"mean": simulation.data.index(sets)}
    method = {"mean": METHODS["mean"]}
    flat = details_of(simulation.data, index, method, simulation.data.background())
    binned = details_of(simulation.data, index, method, simulation.data.background(simulation.bins))
    assert np.median(flat["mean"].null_z) > 5
    assert abs(np.median(binned["mean"].null_z)) < 4


def test_null_by_drawing_every_set(small):
    """All 780 pairs of 40 genes: mean, variance and skewness of the null are theirs."""
    x = small[["S0"]]
    pairs = [GeneSet(f"{a}{b}", (a, b)) for i, a in enumerate(x.index) for b in x.index[i + 1 :]]
    data = ScoreData(x)
    found = details_of(
        data, {"mean": data.index(pairs)}, {"mean": METHODS["mean"]}, data.background()
    )["mean"]
    t = (found.score[0] - found.score[0].mean()) / found.score[0].std()
    skewness = float((t**3).mean())
    by_hand = t - skewness / 6 * (t**2 - 1) + skewness**2 / 108 * t**3
    np.testing.assert_allclose(found.null_z[0], by_hand, rtol=1e-9)


def test_order_of_scores_and_of_their_null_agree(simulation):
    sets = simulation.draw(simulation.genes[:100], 12, 400)
    index = {"mean": simulation.data.index(sets)}
    found = details_of(
        simulation.data, index, {"mean": METHODS["mean"]}, simulation.data.background()
    )["mean"]
    order = np.argsort(found.score[0])
    assert (np.diff(found.null_z[0][order]) >= 0).all()


@pytest.mark.parametrize("method", ["ssgsea", "singscore", "mean", "ratio", "sample_z"])
def test_variance_is_the_jackknife_of_the_scores_without_each_gene(method, small):
    genes = ("G01", "G04", "G07", "G20", "G33")
    data = ScoreData(small)
    index = data.index([GeneSet("s", genes)])
    found = details_of(data, {method: index}, {method: METHODS[method]}, None)[method]
    _, without = scores_without(data, index, METHODS[method])
    n = len(genes)
    by_hand = (n - 1) / n * ((without - without.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    np.testing.assert_allclose(found.variance[:, 0], by_hand, rtol=1e-9)


def test_variance_of_ulm_is_the_jackknife_of_refits(small):
    genes, weights = ("G01", "G04", "G07", "G20"), (1.0, -2.0, 0.5, 3.0)
    weight = dict(zip(genes, weights, strict=True))
    data = ScoreData(small)
    index = {"ulm": data.index([GeneSet("s", genes, weights=weight)])}
    found = details_of(data, index, {"ulm": METHODS["ulm"]}, None)["ulm"]
    w = pd.Series(weight).reindex(small.index).fillna(0)
    expected = []
    for sample in small:
        t = []
        for gene in genes:
            r = np.corrcoef(small[sample], w.where(w.index != gene, 0))[0, 1]
            t.append(r * np.sqrt((len(w) - 2) / (1 - r**2)))
        expected.append(3 / 4 * ((np.array(t) - np.mean(t)) ** 2).sum())
    np.testing.assert_allclose(found.variance[:, 0], expected, rtol=1e-9)


def test_interval_of_pairs_is_that_of_a_share(small):
    pairs = GeneSet("p", pairs=tuple((f"G{i:02d}", f"G{i + 20:02d}") for i in range(12)))
    row = score_long(ScoreData(small), {"pairs": [pairs]}).iloc[0]
    share = row["score"] / 12
    assert row["se"] == pytest.approx(12 * np.sqrt(share * (1 - share) / 11))
    assert (row["coverage"], row["n_genes"]) == (1.0, 24)
    half = score_long(ScoreData(small.drop("G00")), {"pairs": [pairs]}).iloc[0]
    assert half["coverage"] == pytest.approx(11 / 12)


def test_a_side_that_is_not_measured_leaves_no_score(small):
    """A difference of two sides is not half known when one side is missing."""
    half = GeneSet("s", ("G01", "G02"), ("NOPE",))
    for method in ("mean", "ratio", "singscore", "rank_z", "sample_z"):
        assert score(small, [half], method)["s"].isna().all(), method


def test_zscore_against_a_stored_reference_is_for_single_samples(small):
    from resistpath.score.cohort import moments

    reference = moments(ScoreData(small))
    sets = {"s": ["G01", "G05", "G09"], "t": ["G02"]}
    together = score(small, sets, "zscore", reference=reference)
    pd.testing.assert_frame_equal(together, score(small, sets, "zscore"), rtol=1e-12)
    for sample in small:
        alone = score(small[[sample]], sets, "zscore", reference=reference)
        pd.testing.assert_frame_equal(alone, together.loc[[sample]], check_exact=True)
