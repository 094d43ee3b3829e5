"""Scores against the original tools, hand-worked examples and the single-sample promise.

Golden values are in `oracle/` of the shared folder, written with 17 digits by R 4.2.2:
GSVA 1.46.0 `gsva(log2(TPM+1), sets, method="ssgsea", ssgsea.norm=FALSE)` (tau 0.25 and 1) and
1.53.31 the same by `ssgseaParam`; singscore 1.29.1 `multiScore(rankGenes(x), ...)`.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from resistpath import GeneSet, UserError, score
from resistpath.score import METHODS, score_long
from resistpath.score.data import ScoreData
from resistpath.score.intervals import half_width, jackknife_variance, prior_variance
from resistpath.score.run import scores_of, scores_without


def read_gmt(path):
    lines = [line.rstrip("\n").split("\t") for line in path.read_text().splitlines()]
    return {fields[0]: fields[2:] for fields in lines}


@pytest.fixture(scope="module", params=["toy", "hugo"])
def original(request, shared):
    """Input, gene sets and a reader of the original's output for one data set."""
    folder = shared / "oracle" / request.param
    x = pd.read_csv(folder / "input.tsv.gz", sep="\t", index_col=0)
    x = x if request.param == "toy" else np.log2(x + 1)
    sets = read_gmt(
        shared / "oracle" / "sets" / ("toy.gmt" if request.param == "toy" else "sets56.gmt")
    )

    def output(name):
        path = folder / f"{name}.tsv"
        if not path.exists():
            pytest.skip(f"no output {name} for {request.param}")
        return pd.read_csv(path, sep="\t", index_col=0).T

    return x, sets, output


@pytest.mark.parametrize(("name", "alpha"), [("ssgsea_raw", 0.25), ("ssgsea_raw_tau1", 1.0)])
def test_ssgsea_with_gsva_ties_equals_gsva(original, name, alpha):
    x, sets, output = original
    expected = output(f"GSVA1.53.31__{name}")
    ours = score(x, sets, method="ssgsea", alpha=alpha, ties="gsva").loc[expected.index]
    spread = expected.max().max() - expected.min().min()
    assert (ours[expected.columns] - expected).abs().max().max() < 1e-9 * spread


def test_ssgsea_equals_gsva_1_46_except_for_repeated_genes(original):
    """GSVA 1.46 counts a gene listed twice twice; from 1.53 on, and here, it counts once."""
    x, sets, output = original
    expected = output("GSVA1.46.0__ssgsea_raw").drop(columns="DUP", errors="ignore")
    ours = score(x, sets, method="ssgsea", ties="gsva").loc[expected.index, expected.columns]
    spread = expected.max().max() - expected.min().min()
    assert (ours - expected).abs().max().max() < 1e-9 * spread


def test_ssgsea_with_averaged_ties_is_close_to_gsva_on_real_data(original):
    """GSVA breaks ties by row order; averaging them moves scores where many genes are zero."""
    x, sets, output = original
    if len(x) < 1000:
        pytest.skip("the toy is nothing but ties")
    expected = output("GSVA1.53.31__ssgsea_raw")
    ours = score(x, sets, method="ssgsea").loc[expected.index, expected.columns]
    spread = expected.max().max() - expected.min().min()
    difference = (ours - expected).abs() / spread
    assert difference.median().median() < 2e-4
    assert difference.max().max() < 0.03


def test_ssgsea_is_exact_on_tie_free_input(small):
    sets = {"a": ["G01", "G05", "G09", "G33"], "b": ["G02", "G03"]}
    default, gsva = (score(small, sets, ties=t) for t in ("average", "gsva"))
    pd.testing.assert_frame_equal(default, gsva, rtol=1e-12)
    # The walk itself, for one sample and set: sum over genes of the running difference.
    x, genes = small["S0"].sort_values(ascending=False), set(sets["a"])
    weight = small["S0"].rank()[x.index] ** 0.25
    inside = np.array([g in genes for g in x.index])
    walk = np.cumsum(np.where(inside, weight, 0)) / weight[inside].sum()
    walk -= np.cumsum(~inside) / (~inside).sum()
    assert default.loc["S0", "a"] == pytest.approx(walk.sum(), rel=1e-12)


@pytest.mark.parametrize("centre", [True, False])
def test_singscore_equals_singscore(original, centre):
    x, sets, output = original
    expected = output(f"singscore1.29.1__up_{'centered' if centre else 'uncentered'}")
    ours = score(x, sets, method="singscore", centre=centre).loc[expected.index, expected.columns]
    np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-12)


def test_singscore_of_an_up_down_pair_equals_singscore(shared):
    folder = shared / "oracle"
    x = np.log2(pd.read_csv(folder / "hugo" / "input.tsv.gz", sep="\t", index_col=0) + 1)
    sets = read_gmt(folder / "sets" / "sets56.gmt")
    up, down = "HALLMARK_ADIPOGENESIS", "HALLMARK_ALLOGRAFT_REJECTION"
    expected = pd.read_csv(
        folder / "hugo" / f"singscore1.29.1__updown_{up}_vs_{down}.tsv", sep="\t", index_col=0
    )
    # A gene in both lists pulls both ways in the original; the pair here has such genes.
    shared_genes = set(sets[up]) & set(sets[down])
    if shared_genes:
        with pytest.raises(UserError, match="both up and down"):
            score(x, [GeneSet("pair", tuple(sets[up]), tuple(sets[down]))], method="singscore")
    data = ScoreData(x)
    pair = data.index([GeneSet("pair", tuple(sets[up]), tuple(sets[down]))])
    ours = scores_of(data, pair, {"singscore": METHODS["singscore"]})["singscore"][:, 0]
    total = expected.filter(like="TotalScore").iloc[:, 0] if "TotalScore" in expected else None
    assert total is not None, list(expected)
    np.testing.assert_allclose(ours, total.loc[x.columns], rtol=1e-9)


def test_gseapy_agrees_on_tie_free_input(small):
    """A second opinion: gseapy's ES is the walk's sum divided by the number of genes."""
    gseapy = pytest.importorskip("gseapy")
    sets = {"a": [f"G{i:02d}" for i in range(0, 40, 5)], "b": [f"G{i:02d}" for i in range(9)]}
    result = gseapy.ssgsea(
        data=small,
        gene_sets=sets,
        outdir=None,
        sample_norm_method="rank",
        correl_norm_type="rank",
        weight=0.25,
        min_size=2,
        max_size=2000,
        permutation_num=0,
        no_plot=True,
        threads=1,
        seed=1,
    )
    theirs = result.res2d.pivot(index="Name", columns="Term", values="ES").astype(float)
    ours = score(small, sets)
    np.testing.assert_allclose(ours[["a", "b"]], theirs.loc[ours.index, ["a", "b"]], rtol=1e-9)


SINGLE = [name for name, m in METHODS.items() if not m.cohort_dependent]


def in_form(method, sets):
    """The same genes as pairs, for methods that take pairs."""
    if METHODS[method].takes != "pairs":
        return sets
    return [GeneSet(s.name, pairs=tuple(pairwise([*s.genes, "GZMA"]))) for s in sets]


@pytest.mark.parametrize("method", SINGLE)
def test_a_sample_scores_the_same_in_any_company(method, demo_values):
    sets = [
        GeneSet("one", ("PTEN",)),
        GeneSet("pair", ("GZMA", "PRF1"), ("SPP1",)),
        GeneSet("many", tuple(demo_values.index[::150])),
    ]
    sets = in_form(method, sets)
    together = score(demo_values, sets, method)
    shuffled = score(demo_values.iloc[:, ::-1], sets, method)
    pd.testing.assert_frame_equal(together, shuffled.loc[together.index], check_exact=True)
    for sample in demo_values.columns[:7]:
        alone = score(demo_values[[sample]], sets, method)
        pd.testing.assert_frame_equal(together.loc[[sample]], alone, check_exact=True)


@pytest.mark.parametrize("method", list(METHODS))
def test_gene_order_does_not_matter(method, demo_values):
    x = demo_values.iloc[:, :5]
    sets = [GeneSet("many", tuple(x.index[::150])), GeneSet("updown", ("GZMA", "PRF1"), ("SPP1",))]
    mixed = x.sample(frac=1, random_state=1)
    reversed_sets = in_form(method, [GeneSet(s.name, s.up[::-1], s.down) for s in sets])
    if METHODS[method].takes == "pairs":
        sets = reversed_sets
    pd.testing.assert_frame_equal(
        score(x, sets, method), score(mixed, reversed_sets, method), check_exact=True
    )


GROWING = ("rank_z", "weighted")  # scores that grow with the number of genes
LEAVE_ONE_OUT = [n for n, m in METHODS.items() if m.leave_one_out and n not in GROWING]


@pytest.mark.parametrize("method", LEAVE_ONE_OUT)
def test_leaving_out_each_gene_equals_scoring_without_it(method, small):
    record, data = METHODS[method], ScoreData(small)
    gene_set = GeneSet(
        "s", ("G01", "G04", "G07", "G20"), ("G05", "G30") if method != "ssgsea" else ()
    )
    _, closed = scores_without(data, data.index([gene_set]), record)
    for i, gene in enumerate([*sorted(gene_set.up), *sorted(gene_set.down)]):
        rest = GeneSet(
            "s",
            tuple(g for g in gene_set.up if g != gene),
            tuple(g for g in gene_set.down if g != gene),
        )
        np.testing.assert_allclose(closed[:, i], score(small, [rest], method)["s"], rtol=1e-10)


def test_scores_that_grow_with_the_set_are_scaled_back_to_its_size(small):
    genes, total = ("G01", "G04", "G07", "G20"), len(small)
    n = len(genes)
    data = ScoreData(small)
    index = data.index([GeneSet("s", genes)])
    for method, scale in (
        ("weighted", n / (n - 1)),
        ("rank_z", np.sqrt(n * (total - n + 1) / ((n - 1) * (total - n)))),
    ):
        _, closed = scores_without(data, index, METHODS[method])
        for i, gene in enumerate(genes):
            rest = score(small, {"s": [g for g in genes if g != gene]}, method)["s"]
            np.testing.assert_allclose(closed[:, i], rest * scale, rtol=1e-10)


def test_jackknife_by_hand():
    # Scores without each of three genes: 1, 2, 6; mean 3; 2/3 * (4 + 1 + 9) = 28/3.
    assert jackknife_variance(np.array([[1.0, 2.0, 6.0]]))[0] == pytest.approx(28 / 3)
    assert np.isnan(jackknife_variance(np.array([[1.0]]))[0])
    # t quantile at 0.95 with 2 degrees of freedom is 2.91999.
    assert half_width(np.array([4.0]), 2)[0] == pytest.approx(2 * 2.919986, rel=1e-6)


def test_prior_variance_finds_the_scale_it_was_drawn_from():
    rng = np.random.default_rng(3)
    df, prior_df, scale = 4, 10.0, 2.5
    true = scale * prior_df / rng.chisquare(prior_df, 20000)
    observed = true * rng.chisquare(df, 20000) / df
    found, found_df = prior_variance(observed, df)
    assert found == pytest.approx(scale, rel=0.05)
    assert found_df == pytest.approx(prior_df, rel=0.15)


def test_a_single_gene_has_no_interval(small):
    row = score_long(ScoreData(small), {"gene": [GeneSet("g", ("G01",))]}).iloc[0]
    assert np.isnan(row["se"])
    assert np.isnan(row["low"])
    assert row["score"] == small.loc["G01", "S0"]


def test_coverage_counts_missing_genes(small):
    gene_set = GeneSet("s", ("G01", "G02", "NOPE", "GONE"))
    row = score_long(ScoreData(small), {"mean": [gene_set]}).iloc[0]
    assert (row["coverage"], row["n_genes"]) == (0.5, 2)


def test_swapping_two_samples_swaps_their_scores(small):
    sets = {"a": ["G01", "G02", "G03"]}
    right = score(small, sets)
    swapped = small.rename(columns={"S0": "S1", "S1": "S0"})
    wrong = score(swapped, sets)
    assert wrong.loc["S1", "a"] == right.loc["S0", "a"]
    assert wrong.loc["S0", "a"] != right.loc["S0", "a"]


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        ({"a": "GZMA"}, "not a list of genes"),
        ([GeneSet("a", ("G1",)), GeneSet("a", ("G2",))], "occur twice"),
    ],
)
def test_bad_gene_sets_are_refused(small, sets, message):
    with pytest.raises(UserError, match=message):
        score(small, sets)


def test_bad_matrices_are_refused(small):
    broken = {
        "missing": (
            small.where(small > small.min().min()),
            "1 missing or infinite values in 1 genes",
        ),
        "text": (small.astype({"S1": str}), "holds text in 1 of 6 samples: S1"),
        "twice": (pd.concat([small, small.iloc[:1]]), "repeats gene names: G00"),
        "empty": (small.iloc[:0], "empty"),
    }
    for values, message in broken.values():
        with pytest.raises(UserError, match=message):
            score(values, {"a": ["G01"]})
    with pytest.raises(UserError, match="choose one of ssgsea"):
        score(small, {"a": ["G01"]}, method="gsea")


def test_a_set_without_measured_genes_is_missing_not_dropped(small):
    assert score(small, {"none": ["X", "Y"], "a": ["G01", "G02"]})["none"].isna().all()
