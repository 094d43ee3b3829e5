"""ESTIMATE and the consensus markers: parity, worked examples, tables, what is said and refused.

Outputs of the original programs lie in ``../shared/oracle``, outside the repository; tests that
need them are skipped without them.
"""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from resistpath.deconvolve import estimate as estimate_module
from resistpath.deconvolve.result import Result
from resistpath.errors import UserError
from resistpath.io.resources import deconvolution_tables, gene_table

package = importlib.import_module("resistpath.deconvolve")

SHARED = Path(__file__).resolve().parents[2] / "shared"
TABLES = deconvolution_tables()
ESTIMATE, MARKERS = TABLES["estimate"], TABLES["consensus_markers"]
SCORES = ["StromalScore", "ImmuneScore", "ESTIMATEScore"]


def oracle(name: str) -> pd.DataFrame:
    path = SHARED / "oracle" / name
    if not path.exists():
        pytest.skip(f"no ../shared/oracle/{name}")
    return pd.read_csv(path, sep="\t", index_col=0)


def listed(name: str) -> list[str]:
    path = SHARED / "oracle" / "sets" / f"estimate_{name}.txt"
    if not path.exists():
        pytest.skip(f"no ../shared/oracle/sets/estimate_{name}.txt")
    return path.read_text().split()


def run(tpm: pd.DataFrame, method: str, **options: object) -> Result:
    return package.run(tpm, method, TABLES, **options)


@pytest.fixture(scope="module")
def tpm() -> pd.DataFrame:
    """All marker genes and two hundred more in nine samples, without ties."""
    rng = np.random.default_rng(4)
    genes = [*ESTIMATE["symbol"], *MARKERS["symbol"], *(f"G{i}" for i in range(200))]
    genes = list(dict.fromkeys(genes))
    values = np.exp(rng.normal(2, 2, (len(genes), 9)))
    return pd.DataFrame(values, genes, [f"s{i}" for i in range(9)])


# --- ESTIMATE -----------------------------------------------------------------------------------


@pytest.mark.parametrize("data", ["hugo", "racle"])
@pytest.mark.parametrize("symbols", ["current", "published"])
def test_estimate_equals_the_original_on_its_universe(data: str, symbols: str) -> None:
    """Estimate 1.0.13 (filterCommonGenes + estimateScore, log2(TPM+1)), platform affymetrix."""
    expected = oracle(f"{data}/estimate1.0.13__affymetrix.tsv").T
    found = run(
        oracle(f"{data}/input.tsv.gz"),
        "estimate",
        platform="affymetrix",
        universe=listed("common"),
        symbols=symbols,
    ).estimate
    np.testing.assert_allclose(found[SCORES], expected[SCORES], rtol=0, atol=1e-9)
    np.testing.assert_allclose(found["TumorPurity"], expected["TumorPurity"], rtol=0, atol=1e-12)


def test_estimate_without_the_list_orders_samples_alike_on_another_scale() -> None:
    """The list of common genes is GPL-2 only and not shipped; this is what lacking it costs.

    On 27 melanomas (19,961 protein-coding genes) the three scores correlate with the original's
    by 0.997 or more, but are 1.8 times steeper and 1,700 to 3,500 higher.
    """
    expected = oracle("hugo/estimate1.0.13__affymetrix.tsv").T
    found = run(oracle("hugo/input.tsv.gz"), "estimate").estimate
    for score in SCORES:
        fit = stats.linregress(expected[score], found[score])
        assert fit.rvalue > 0.997
        assert 1.7 < fit.slope < 1.9
        assert 1500 < fit.intercept < 4000
        assert stats.spearmanr(expected[score], found[score]).statistic > 0.99


def test_estimate_by_hand() -> None:
    """Six genes, no ties: ranks 1 to 6 are positions; a set of the two at 6 and 3."""
    ranks = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    genes = np.array([5, 2])
    w, q = ranks[genes] ** 0.25, ranks[genes]
    expected = (w @ q) / w.sum() - (21 - 9) / 4
    found = estimate_module._enrichment(w.sum(), (w * q).sum(), q.sum(), 2, 6)
    assert float(found) == pytest.approx(expected)


def test_estimate_equals_the_walk_it_abbreviates(tpm: pd.DataFrame) -> None:
    """The sum over the ranked list of the two cumulative shares' difference (Barbie 2009)."""
    found = run(tpm, "estimate").estimate
    for column, name in (("StromalScore", "stromal"), ("ImmuneScore", "immune")):
        genes = set(ESTIMATE["symbol"][ESTIMATE["set"] == name])
        ranked = tpm["s3"].rank().sort_values(ascending=False)
        inside = np.array([g in genes for g in ranked.index])
        weight = np.where(inside, ranked.to_numpy() ** 0.25, 0)
        hit, miss = np.cumsum(weight) / weight.sum(), np.cumsum(~inside) / (~inside).sum()
        assert found.loc["s3", column] == pytest.approx((hit - miss).sum())


def test_estimate_interval_is_the_jackknife_over_genes(tpm: pd.DataFrame) -> None:
    whole = run(tpm, "estimate")
    scores = []
    stromal = ESTIMATE.index[ESTIMATE["set"] == "stromal"]
    for gene in stromal:
        less = {**TABLES, "estimate": ESTIMATE.drop(index=gene).reset_index(drop=True)}
        found = package.run(tpm[["s1"]], "estimate", less, interval=False).estimate
        scores.append(found.loc["s1", "StromalScore"])
    n = len(scores)
    se = np.sqrt((n - 1) / n * ((np.array(scores) - np.mean(scores)) ** 2).sum())
    half = stats.t.ppf(0.95, n - 1) * se
    assert whole.high.loc["s1", "StromalScore"] - whole.estimate.loc["s1", "StromalScore"] == (
        pytest.approx(half)
    )
    separate = whole.high[SCORES] - whole.estimate[SCORES]
    assert (separate["ESTIMATEScore"] > separate["StromalScore"]).all()


def test_purity_is_given_for_affymetrix_on_the_original_universe_only(tpm: pd.DataFrame) -> None:
    rnaseq = run(tpm, "estimate")
    assert list(rnaseq.estimate.columns) == SCORES
    assert "Affymetrix arrays only" in rnaseq.notes["ESTIMATEScore"]
    few = run(tpm, "estimate", platform="affymetrix", universe=list(tpm.index))
    assert "TumorPurity" not in few.estimate
    assert "10,412 genes" in few.notes["ESTIMATEScore"]
    rng = np.random.default_rng(0)
    more = pd.DataFrame(
        rng.lognormal(2, 2, (10412 - len(tpm), 9)),
        [f"X{i}" for i in range(10412 - len(tpm))],
        tpm.columns,
    )
    full = pd.concat([tpm, more])
    result = run(full, "estimate", platform="affymetrix", universe=list(full.index))
    score = result.estimate["ESTIMATEScore"]
    expected = np.cos(0.6049872018 + 0.0001467884 * score)
    np.testing.assert_allclose(result.estimate["TumorPurity"], expected)
    assert (result.low["TumorPurity"] < result.estimate["TumorPurity"]).all()
    assert (result.high["TumorPurity"] > result.estimate["TumorPurity"]).all()
    table = package.deconvolve_long(
        full, "estimate", TABLES, platform="affymetrix", universe=list(full.index)
    )
    kinds = table.drop_duplicates("cell_type").set_index("cell_type")["kind"].to_dict()
    assert kinds["tumour_purity"] == "fraction"
    assert kinds["leukocyte"] == "score"
    assert np.isnan(estimate_module.purity(pd.Series([9000.0]))).all()  # cosine below zero


def test_estimate_does_not_depend_on_order_even_with_ties(tpm: pd.DataFrame) -> None:
    tied = tpm.round(0)
    expected = run(tied, "estimate")
    mixed = tied.sample(frac=1, random_state=1).sample(frac=1, axis=1, random_state=2)
    found = run(mixed, "estimate")
    for part in ("estimate", "low", "high"):
        frame = getattr(found, part).loc[tied.columns]
        pd.testing.assert_frame_equal(
            frame, getattr(expected, part), check_exact=True, check_names=False
        )
    alone = run(tied[["s4"]], "estimate").estimate
    pd.testing.assert_frame_equal(alone, expected.estimate.loc[["s4"]], check_exact=True)


def test_estimate_finds_renamed_genes(tpm: pd.DataFrame) -> None:
    former = tpm.rename(index={"CCN4": "WISP1", "FYB1": "FYB"})
    assert run(former, "estimate").genes["used"].all()
    printed = run(tpm, "estimate", symbols="published").genes
    missing = set(printed["gene"][~printed["used"]])
    assert missing == {"WISP1", "GPR124", "LPPR4", "TXNDC3", "ODZ4", "FYB"}


def test_estimate_refuses(tpm: pd.DataFrame) -> None:
    with pytest.raises(UserError, match="knows no platform 'illumina'"):
        run(tpm, "estimate", platform="illumina")
    with pytest.raises(UserError, match="universe is one text"):
        run(tpm, "estimate", universe="CD8A")
    with pytest.raises(UserError, match="genes of the universe are not among the rows"):
        run(tpm, "estimate", universe=[*tpm.index[:10], *map(str, range(100))])
    with pytest.raises(UserError, match="estimate found 0 of its 282"):
        run(tpm.iloc[-200:], "estimate")


def test_estimate_lists_are_those_of_the_paper() -> None:
    for name in ("stromal", "immune"):
        own = ESTIMATE["gene"][ESTIMATE["set"] == name]
        assert len(own) == 141
        assert own.is_unique
    assert set(ESTIMATE["symbol"]) <= set(gene_table()["symbol"])
    for name in ("stromal", "immune"):
        assert set(ESTIMATE["gene"][ESTIMATE["set"] == name]) == set(listed(name))


# --- consensus markers --------------------------------------------------------------------------


def test_consensus_by_hand(tpm: pd.DataFrame) -> None:
    """Tregs: three panels; the mean of their means, whatever their lengths."""
    log = np.log2(tpm + 1)
    own = MARKERS[MARKERS["cell_type"] == "treg"]
    assert own.groupby("panel").size().to_dict() == {"cells": 6, "combes": 9, "danaher": 1}
    panels = {p: log.loc[g["symbol"]] for p, g in own.groupby("panel")}
    mean = sum(x.mean() for x in panels.values()) / 3
    result = run(tpm, "consensus_markers")
    np.testing.assert_allclose(result.estimate["treg"], mean)
    freedom = 5 + 8 + 0
    pooled = sum(((x - x.mean()) ** 2).sum() for x in panels.values()) / freedom
    half = stats.t.ppf(0.95, freedom) * np.sqrt(pooled * (1 / 6 + 1 / 9 + 1) / 9)
    np.testing.assert_allclose(result.high["treg"] - result.estimate["treg"], half)
    assert "Danaher 2017 and Combes 2022 and single cells" in result.notes["treg"]
    assert result.high["leukocyte"].isna().all()  # one gene


def test_consensus_of_one_panel(tpm: pd.DataFrame) -> None:
    result = run(tpm, "consensus_markers", panel="danaher")
    expected = np.log2(tpm.loc[["CD8A", "CD8B"]] + 1).mean()
    np.testing.assert_allclose(result.estimate["t_cd8"], expected)
    assert "endothelial" not in result.estimate
    with pytest.raises(UserError, match="knows no panel 'bindea'"):
        run(tpm, "consensus_markers", panel="bindea")


def test_consensus_says_what_is_missing(tpm: pd.DataFrame) -> None:
    result = run(tpm.drop(index=["CD8A", "TBX21", "PTPRC"]), "consensus_markers")
    listed_ = int((MARKERS["cell_type"] == "t_cd8").sum())
    lost = int(((MARKERS["cell_type"] == "t_cd8") & (MARKERS["symbol"] == "CD8A")).sum())
    assert f"{listed_ - lost} of {listed_} markers measured" in result.notes["t_cd8"]
    assert result.estimate["leukocyte"].isna().all()
    assert result.notes["leukocyte"] == "0 of 1 markers measured"


def test_consensus_table_is_whole() -> None:
    assert not MARKERS.duplicated(["panel", "cell_type", "symbol"]).any()
    assert set(MARKERS["symbol"]) <= set(gene_table()["symbol"])
    vocabulary = importlib.import_module("resistpath.deconvolve.celltypes").CELL_TYPES
    assert set(MARKERS["cell_type"]) <= set(vocabulary)
    assert MARKERS["reference"].str.contains("PMID").all()
    assert set(MARKERS["panel"]) == {"danaher", "combes", "cells"}
    # Granule genes of marrow precursors, which mature neutrophils have switched off.
    neutrophil = set(MARKERS["symbol"][MARKERS["cell_type"] == "neutrophil"])
    assert not neutrophil & {"ELANE", "MPO", "PRTN3", "AZU1"}


def test_danaher_agrees_with_a_second_reading() -> None:
    path = SHARED / "reference" / "signature_matrices" / "danaher_markers.tsv"
    if not path.exists():
        pytest.skip("no ../shared/reference/signature_matrices/danaher_markers.tsv")
    second = pd.read_csv(path, sep="\t")
    ours = MARKERS[MARKERS["panel"] == "danaher"]
    mine = {frozenset(g["gene"]) for _, g in ours.groupby("cell_type")}
    theirs = {frozenset(g["gene"]) for _, g in second.groupby("cell_type")}
    assert mine == theirs


def test_panels_agree_with_a_second_copy() -> None:
    """The copy in ../shared lost ten genes; the package itself (immuno-compass 2.5.3) has them."""
    path = SHARED / "reference" / "signature_matrices" / "compass_cell_and_pathway_markers.tsv"
    if not path.exists():
        pytest.skip("no ../shared/reference/signature_matrices")
    second = pd.read_csv(path, sep="\t").groupby("set")["gene"].agg(set)
    ours = MARKERS[MARKERS["panel"] != "danaher"].groupby("set")["gene"].agg(set)
    assert set(ours.index) <= set(second.index)
    assert all(second[name] <= genes for name, genes in ours.items())
    lost = {gene for name, genes in ours.items() for gene in genes - second[name]}
    assert lost == {
        *("ADORA3", "CCL14", "CCL4", "CD177", "CD24", "FAM156A", "MRC1", "PCAT19", "PMCH"),
        "TRGC2",
    }
