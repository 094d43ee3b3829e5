"""Genes and gene sets by response: against limma and DESeq2, and from a cohort folder to tables."""

from __future__ import annotations

import json
import shutil

import anndata
import numpy as np
import pandas as pd
import pytest

from resistpath.cli import main
from resistpath.cohort import differential, enrichment, moderated
from resistpath.errors import UserError
from resistpath.io.prepared import Prepared, read_prepared
from resistpath.io.resources import catalogue
from resistpath.io.tables import read_table
from resistpath.report import cohort_panels
from resistpath.score.gseapy_backend import prerank
from resistpath.steps import differential as step


def run(*words: object) -> int:
    return main(["--quiet", *(str(w) for w in words)])


@pytest.fixture(scope="module")
def qc(repository):
    """Input and output of tests/qc/moderated_figures.R (R 4.2.2, limma 3.54.1, DESeq2 1.38.3)."""
    folder = repository / "tests" / "qc"

    def read(name, index):
        return pd.read_csv(folder / name, sep="\t", index_col=index, comment="#")

    table = read("moderated_input.tsv", "patient")
    design = pd.DataFrame({"intercept": 1.0}, index=table.index)
    return {
        "values": table.drop(columns=["responder", "purity"]),
        "sheet": table[["responder", "purity"]],
        "design": design.join(table[["responder", "purity"]].astype(float)),
        "genes": read("moderated_genes.tsv", "gene"),
        "figures": read("moderated_figures.tsv", "figure")["value"],
        "reads": read("moderated_reads.tsv", "gene").T,
        "reads_genes": read("moderated_reads_genes.tsv", "gene"),
    }


def compared(qc) -> differential.Arms:
    return differential.Arms(qc["design"], ("purity",))


def test_moderated_t_equals_limma(qc):
    table, prior = moderated.moderated_t(qc["values"], qc["design"], "responder")
    for column in ("estimate", "low", "high", "statistic", "p"):
        np.testing.assert_allclose(table[column], qc["genes"][column], rtol=1e-9, atol=1e-12)
    assert prior.df == pytest.approx(qc["figures"]["prior_df"], rel=1e-9)
    assert prior.variance == pytest.approx(qc["figures"]["prior_variance"], rel=1e-9)


def test_variances_without_excess_spread_share_one(qc):
    even = np.tile([0.9, 1.0, 1.1], 20)
    prior = moderated.fit_prior(even, 11)
    assert prior.df == qc["figures"]["even_prior_df"] == np.inf
    assert prior.variance == pytest.approx(qc["figures"]["even_prior_variance"], rel=1e-12)
    x = pd.DataFrame({"a": [1.0, 2, 4, 4, 5, 8], "b": [8.0, 5, 4, 4, 2, 1]})
    design = pd.DataFrame({"one": 1.0, "responder": [0.0, 0, 0, 1, 1, 1]})
    table, _ = moderated.moderated_t(x, design, "responder")
    assert table.loc["a", "se"] == table.loc["b", "se"]


def test_correlation_of_a_set_widens_its_test_as_in_camera(qc):
    """limma's camera reads moderated t as z by an approximation (Hill), ours exactly."""
    table, _ = moderated.moderated_t(qc["values"], qc["design"], "responder")
    scores = enrichment.as_normal(table.rename_axis("gene").reset_index())
    rest = moderated.standard_residuals(qc["values"], qc["design"])
    names = list(qc["values"].columns)
    sets = {
        "first": names[:10],
        "mixed": [names[i - 1] for i in (5, 20, 25, 40, 50)],
        "last": names[40:],
    }
    found = enrichment.correlated_test(scores, rest, sets, df=11)
    for name, row in found.iterrows():
        assert row["correlation"] == pytest.approx(qc["figures"][f"correlation_{name}"], rel=1e-9)
        assert row["p"] == pytest.approx(qc["figures"][f"camera_{name}"], rel=2e-3)
    alone = enrichment.correlated_test(scores, rest * 0, sets, df=11)
    assert alone.loc["first", "p"] < found.loc["first", "p"]


def test_reads_are_tested_as_by_deseq2(qc):
    """PyDESeq2 fits by other optimisers than DESeq2: the statistic agrees to 1 %."""
    table, facts = differential.negative_binomial(qc["reads"], compared(qc))
    assert facts["genes_left_out"] == 200 - len(table)
    assert (facts["outlier_genes"], facts["not_converged"]) == (0, 0)
    got = table.set_index("gene").sort_index()
    want = qc["reads_genes"].loc[got.index]
    np.testing.assert_allclose(got["mean"], want["mean"], rtol=1e-6)
    assert (got["statistic"] - want["statistic"]).abs().max() < 0.05
    assert (got["log2_fold_change"] - want["estimate"]).abs().max() < 0.01
    assert (got["statistic"] - want["statistic"]).abs().median() < 1e-3
    assert (got.loc[[f"G{i:03d}" for i in range(1, 16)], "statistic"] > 0).all()


def test_order_of_genes_and_patients_changes_no_bit(qc):
    turned = differential.Arms(qc["design"], ("purity",))
    for fit, values in (
        (differential.linear, qc["values"]),
        (differential.negative_binomial, qc["reads"].iloc[:, :60]),
    ):
        once, _ = fit(values, turned)
        again, _ = fit(values.iloc[::-1, ::-1], turned)
        pd.testing.assert_frame_equal(once, again, check_exact=True)


def test_reads_must_be_whole():
    x = pd.DataFrame({"a": [1.0, 2.00001], "b": [0.0, 7.0]})
    assert differential.are_whole(x)
    for bad in (0.4, -1.0, np.nan):
        assert not differential.are_whole(x.assign(b=[0.0, bad]))
    prepared = Prepared(x, pd.DataFrame(), {}, x + 0.5)
    assert step.choose("auto", prepared, 9)[0] == "limma"
    assert "estimates" in step.choose("auto", prepared, 9)[1]
    whole = Prepared(x, pd.DataFrame(), {}, x)
    assert step.choose("auto", whole, 9)[0] == "pydeseq2"
    assert step.choose("auto", whole, 201) == ("limma", "more than 200 patients")
    assert step.choose("pydeseq2", whole, 201)[0] == "pydeseq2"
    assert step.choose("auto", Prepared(x, pd.DataFrame(), {}), 9)[0] == "limma"
    with pytest.raises(UserError, match="whole numbers"):
        step.choose("pydeseq2", prepared, 9)


def test_arms_say_why_nothing_can_be_compared():
    patients = [f"P{i}" for i in range(12)]
    y = pd.Series([True] * 6 + [False] * 6, index=patients)
    sheet = pd.DataFrame({"batch": ["a"] * 6 + ["b"] * 6, "age": range(12)}, index=patients)
    free = differential.arms(y, sheet, ["age", "site"])
    assert not free.absent
    assert free.adjusted_for == ("age",)
    assert free.dropped == {"site": "not in the sample sheet"}
    assert list(free.columns.columns) == ["intercept", "responder", "age"]
    assert free.sizes == (6, 6)
    tied = differential.arms(y, sheet, ["batch"])
    assert tied.absent == "response cannot be told from batch"
    assert tied.sizes == (0, 0)
    few = differential.arms(y.iloc[:8], sheet, [])
    assert few.absent.startswith("6 responders and 2 non-responders")
    none = differential.arms(pd.Series(dtype=bool), sheet, [])
    assert none.absent.startswith("0 responders and 0 non-responders")
    gap = sheet.assign(age=[None, *range(11)])
    assert differential.arms(y, gap, ["age"]).incomplete == ("P0",)


def test_prerank_keeps_names_and_orders_ties_by_name():
    """gseapy 1.3.1 puts names in capitals where lists differ in case, and may turn ties."""
    genes = [f"c{i}orf" for i in range(40)] + ["CD8A", "GZMA", "PRF1"]
    statistic = pd.Series([*np.linspace(1, -2, 40), 3.0, 3.0, 3.0], index=genes)
    sets = {"top": ["PRF1", "GZMA", "CD8A", "c0orf", "ABSENT"], "end": ["c38orf", "c39orf"]}
    found = prerank(statistic, sets, permutations=100)
    assert found.loc["top", "Lead_genes"] == "CD8A;GZMA;PRF1;c0orf"
    assert found.loc["end", "Lead_genes"] == "c39orf;c38orf"
    again = prerank(statistic.iloc[::-1], sets, permutations=100)
    pd.testing.assert_frame_equal(found, again, check_exact=True)


def test_a_ranking_leaves_out_untested_genes_and_counts_ties():
    table = pd.DataFrame(
        {
            "gene": ["b", "a", "c", "d"],
            "statistic": [1.0, 1.0, 9.0, 2.0],
            "p": [0.3, 0.3, np.nan, 0.05],
        }
    )
    ranked, ties = enrichment.ranking(table)
    assert list(ranked.index) == ["d", "a", "b"]
    assert ties == 2
    scores = enrichment.as_normal(table.assign(statistic=[1.0, -1.0, 9.0, 2.0]))
    assert scores["a"] == -scores["b"]
    assert scores["d"] == pytest.approx(1.959964, abs=1e-6)


def test_tables_of_a_cohort(finished):
    """Responders of this cohort are the tumours with the most CD8A, CXCL9, GZMA and PRF1."""
    out = finished / "comparison"
    facts = json.loads((out / "differential.json").read_text())
    genes, sets = read_table(out / "differential.tsv"), read_table(out / "prerank.tsv")
    assert (facts["method"], facts["responders"], facts["non_responders"]) == ("limma", 11, 12)
    assert list(genes.columns) == list(differential.COLUMNS)
    assert list(sets.columns) == list(enrichment.COLUMNS)
    assert len(genes) == facts["genes"] > 10_000
    top = genes.set_index("gene")
    assert (top.loc[["CD8A", "GZMA", "PRF1"], "statistic"] > 3).all()
    assert (top["low"] <= top["high"]).all()
    assert genes["p"].is_monotonic_increasing
    by_set = sets.set_index(["readout", "side"]).sort_index()
    gep = by_set.loc[("GEP18_UNWEIGHTED", "up")]
    assert gep["higher_in"] == "responders"
    assert gep["nes"] > 1.5
    assert gep["q_correlated"] < 0.1
    assert gep["correlation"] > 0.3
    ends = set()
    for _, row in sets.dropna(subset="nes").iterrows():
        leading = row["leading_genes"].split(", ")
        assert len(leading) == row["n_leading"]
        sizes = np.sign(row["nes"]) * top.loc[leading, "statistic"]
        assert list(sizes) == sorted(sizes, reverse=True)
        assert (row["higher_in"] == "responders") == (row["nes"] > 0) == (row["es"] > 0)
        ends.add(row["higher_in"])
    assert ends == {"responders", "non-responders"}
    small = by_set.loc[("CYT_ROONEY2", "up")]
    assert np.isnan(small["nes"])
    assert small["note"] == "not tested: 2 genes ranked, fewer than 5"
    assert facts["sets"] == sets["nes"].notna().sum() > 70
    assert sets["p"].min() == 1 / facts["permutations"]
    assert sets["nes"].abs().dropna().is_monotonic_decreasing
    assert ("AXL_MITF_TIROSH", "down") in by_set.index


def test_the_step_gives_the_same_bytes_again(finished, tmp_path):
    folder = tmp_path / "again" / "mine"
    shutil.copytree(finished, folder)
    before = {name: (folder / "comparison" / name).read_bytes() for name in step.OUTPUTS}
    assert run("differential", folder, "--permutations", 100) == 0
    assert before == {name: (folder / "comparison" / name).read_bytes() for name in step.OUTPUTS}


def test_a_cohort_without_both_outcomes_gives_empty_tables_with_a_reason(finished, tmp_path):
    folder = tmp_path / "mine"
    shutil.copytree(finished, folder, ignore=shutil.ignore_patterns("reports", "comparison"))
    for words, reason in (
        (["--timepoint", "post"], "0 responders and 0 non-responders"),
        (["--method", "none"], "switched off"),
    ):
        assert run("differential", folder, *words) == 0
        out = folder / "comparison"
        assert json.loads((out / "differential.json").read_text())["absent"].startswith(reason)
        assert list(read_table(out / "differential.tsv").columns) == list(differential.COLUMNS)
        assert list(read_table(out / "prerank.tsv").columns) == list(enrichment.COLUMNS)
    assert run("differential", folder, "--timepoint", "later") == 2


def test_reads_of_a_cohort_go_to_pydeseq2_and_the_linear_model_beside(finished, tmp_path):
    """Reads made up from the TPM of 300 genes; the rest of the folder as it is."""
    folder = tmp_path / "mine"
    shutil.copytree(finished, folder, ignore=shutil.ignore_patterns("reports", "comparison"))
    path = folder / "prepared.h5ad"
    data = anndata.read_h5ad(path)
    members = [g for g in catalogue().readout("HALLMARK_IFNA").genes_up if g in data.var_names]
    first = [*members, "CD8A", "GZMA", "PRF1"]
    others = [g for g in data.var_names if g not in first]
    data = data[:, [*first, *others[::60]]].copy()
    data.layers["counts"] = np.rint(20 * (2.0 ** data.X.astype(np.float64) - 1))
    data.write_h5ad(path)
    (folder / ".sha256" / path.name).unlink()
    words = ("--method", "auto", "--permutations", 100)
    assert run("differential", folder, *words) == 0
    facts = json.loads((folder / "comparison" / "differential.json").read_text())
    assert (facts["method"], facts["not_converged"]) == ("pydeseq2", 0)
    assert facts["genes"] + facts["genes_left_out"] == data.n_vars
    assert facts["genes_found"] > 0 < facts["genes_found_linear"]
    genes = read_table(folder / "comparison" / "differential.tsv").set_index("gene")
    assert (genes.loc[["CD8A", "GZMA", "PRF1"], "q"] < 0.1).all()
    sets = read_table(folder / "comparison" / "prerank.tsv").set_index("readout")
    assert sets.loc["HALLMARK_IFNA", "n_ranked"] > 80
    record = cohort_panels.differential_record(sets.reset_index(), facts, {})
    assert record["genes_found_linear"] == facts["genes_found_linear"]
    assert record["method"].startswith("PyDESeq2")


def test_several_samples_of_a_patient_count_once(finished, monkeypatch):
    """Reads of a patient's samples are summed, other values averaged."""
    prepared = read_prepared(finished / "prepared.h5ad")
    prepared.obs["timepoint"] = "pre"
    counts = (2.0 ** prepared.values.astype(float)).round()
    given = Prepared(prepared.values, prepared.obs, {}, counts)
    selection = step.samples.select(given.obs)
    seen = {}

    def stop(values, compared, *, level):
        seen["values"], seen["patients"] = values, compared.columns.index
        return pd.DataFrame(columns=list(differential.COLUMNS)), {"notes": []}

    monkeypatch.setattr(step.genes, "negative_binomial", stop)
    who, _ = step.arms(given.obs, selection, [])
    step.rank_genes(given, selection, who, method="auto", level=0.95, wanted=())
    several = {p: s for p, s in selection.groups.items() if len(s) == 2 and p in seen["patients"]}
    assert len(several) > 3
    for patient, two in several.items():
        expected = counts[list(two)].sum(axis=1)
        np.testing.assert_allclose(seen["values"].loc[patient], expected)
    assert len(seen["patients"]) == len(set(seen["patients"]))
