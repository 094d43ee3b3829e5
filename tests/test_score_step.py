"""The verb `score`: which method goes into which file, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from resistpath import UserError
from resistpath.cli import main
from resistpath.io.networks import read_network
from resistpath.io.resources import score_table, typical_expression
from resistpath.io.tables import read_table
from resistpath.score import COLUMNS, METHODS, PANELS
from resistpath.steps.score import score

SINGLE = [n for n, m in METHODS.items() if not m.cohort_dependent and n not in ("gene", "ratio")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, repository):
    """Eight demo tumours, prepared."""
    path = tmp_path_factory.mktemp("score")
    demo = repository / "resources" / "demo" / "expression.tsv.gz"
    pd.read_csv(demo, sep="\t", index_col=0).iloc[:, :8].to_csv(path / "x.tsv", sep="\t")
    out = path / "mine"
    assert main(["prepare", str(out), "--expression", str(path / "x.tsv")]) == 0
    return out


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "net.tsv"
    rows = [("up", g, w) for g, w in (("CD8A", 2.0), ("GZMB", 1.0), ("STAT1", -0.5))]
    rows += [("other", g, 1.0) for g in ("TGFB1", "COL1A1", "FAP")]
    pd.DataFrame(rows, columns=["source", "target", "weight"]).to_csv(path, sep="\t", index=False)
    return path


@pytest.fixture(scope="module")
def everything(folder, network):
    """Every method that can be chosen."""
    score(folder, methods=[*SINGLE, *PANELS, "gsva", "zscore"], network=network, threads=2)
    return {n: read_table(folder / f"{n}.tsv") for n in ("scores", "scores.cohort", "scores.wide")}


def test_columns_are_those_of_the_contract(everything):
    assert tuple(everything["scores"].columns) == COLUMNS
    assert list(everything["scores.cohort"]) == [
        *("sample", "readout", "method", "score", "coverage", "n_genes")
    ]


def test_no_cohort_score_stands_among_single_sample_scores(everything):
    cohort = {n for n, m in METHODS.items() if m.cohort_dependent}
    assert set(everything["scores"]["method"]) == {*SINGLE, *PANELS, "gene", "ratio"}
    assert set(everything["scores.cohort"]["method"]) == {"gsva", "zscore"} <= cohort


def test_each_readout_is_scored_once_per_method(everything):
    for table in (everything["scores"], everything["scores.cohort"]):
        assert not table.duplicated(["sample", "readout", "method"]).any()


def test_networks_pairs_and_weights_are_scored_by_their_methods(everything):
    by_method = everything["scores"].groupby("method")["readout"].agg(set)
    assert by_method["ulm"] == by_method["mlm"] == {"up", "other"}
    assert by_method["weighted"] == {"up", "other", "GEP18_WEIGHTED"}
    assert by_method["pairs"] == {"IMPRES"}
    assert by_method["ips"] == {"MHC", "EC", "SC", "CP", "AZ", "IPS"}


def test_wide_scores_are_those_of_each_readouts_own_method(everything):
    long = everything["scores"].set_index(["readout", "method", "sample"])["score"].sort_index()
    wide = everything["scores.wide"].set_index("sample")
    assert wide.notna().any().all()
    for readout, method in (("TREG_ZHANG9", "ssgsea"), ("CYT_ROONEY2", "mean")):
        pd.testing.assert_series_equal(
            wide[readout], long[readout, method].loc[wide.index], check_names=False
        )


def test_intervals_hold_the_score_and_nulls_are_there(everything):
    table = everything["scores"]
    known = table[table["se"].notna() & (table["method"] != "ips")]
    assert (known["low"] <= known["score"]).all()
    assert (known["score"] <= known["high"]).all()
    ssgsea = table[table["method"] == "ssgsea"]
    assert ssgsea["null_z"].notna().all()
    assert ssgsea.loc[ssgsea["n_genes"] > 1, "se"].notna().all()


def test_a_plain_run_takes_the_cohort_file_of_an_earlier_one_away(folder, everything):
    score(folder, methods=["ssgsea"])
    assert not (folder / "scores.cohort.tsv").exists()
    table = read_table(folder / "scores.tsv")
    assert set(table["method"]) == {"ssgsea", "singscore", "mean", "gene", "ratio"}
    # The same bits as in the long run.
    both = everything["scores"].merge(table, on=["sample", "readout", "method"])
    assert len(both) == len(table)
    for name in ("score", "se", "low", "high", "null_z"):
        np.testing.assert_array_equal(both[f"{name}_x"], both[f"{name}_y"])


@pytest.mark.parametrize("name", ["gsea", "gene", "ratio"])
def test_methods_that_score_no_sets_are_refused(folder, name):
    with pytest.raises(UserError, match=f"no scoring method '{name}' for gene sets"):
        score(folder, methods=[name])


@pytest.mark.parametrize("name", ["ulm", "mlm"])
def test_linear_models_ask_for_a_network(folder, name):
    with pytest.raises(UserError, match="needs a network of sources and targets"):
        score(folder, methods=[name])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("source\ttarget\na\tb\n", "no column weight"),
        ("source\ttarget\tweight\na\tb\tmuch\n", "1 weights are not numbers"),
        ("source\ttarget\tweight\na\tb\t0\n", "1 weights are not numbers"),
        ("source\ttarget\tweight\na\tb\tinf\n", "1 weights are not numbers"),
        ("source\ttarget\tweight\na\tb\t1\na\tb\t2\n", "names 1 targets twice, first a -> b"),
    ],
)
def test_damaged_networks_are_refused(tmp_path, text, message):
    path = tmp_path / "net.tsv"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_network(path)


def test_networks_may_be_comma_separated(tmp_path):
    path = tmp_path / "net.csv"
    path.write_text("source,target,weight\nb,G1,-2\na,G2,1\n")
    first, second = read_network(path)
    assert (first.name, second.weights) == ("a", {"G1": -2.0})


def test_sources_that_cannot_be_told_apart_are_refused(small):
    from resistpath import GeneSet
    from resistpath import score as score_sets

    sets = [GeneSet(n, ("G01", "G02")) for n in "ab"]
    with pytest.raises(UserError, match="cannot be told apart"):
        score_sets(small, sets, "mlm")


def test_bins_of_typical_expression_are_even_and_follow_the_demo_cohort(demo_values):
    bins = typical_expression()
    sizes = bins.value_counts()
    assert sorted(sizes.index) == list(range(1, 11))
    assert sizes.max() - sizes.min() <= 1
    mean = demo_values.mean(axis=1)
    shared = bins.index.intersection(mean.index)
    assert len(shared) > 0.99 * len(bins)
    assert bins[shared].corr(mean[shared], method="spearman") > 0.98


def test_shipped_tables_of_methods_have_their_genes():
    assert len(score_table("immunophenoscore")) == 162
    assert score_table("immunophenoscore")["marker"].nunique() == 26
    weights = score_table("weights")
    predictors = weights[weights["role"] == "predictor"]
    # The clinical profile, not the expanded immune signature of the same paper.
    assert {"CD276", "CMKLR1", "NKG7", "PSMB10"} <= set(predictors["gene"])
    assert not {"CD3D", "IL2RG", "CIITA"} & set(predictors["gene"])
