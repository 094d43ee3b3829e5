"""Tables of a cohort: who counts, response raw and residual, pairs, shared patients."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from resistpath.cohort import duplicates, paired, residual, response, samples

# --- who stands for a patient --------------------------------------------------------------------

SHEET = pd.DataFrame(
    {
        "patient": ["a", "a", "a", "b", "b", "", "c", "d"],
        "timepoint": ["pre", "pre", "on", "pre", "on", None, "progression", "pre"],
        "response_binary": ["R", "R", "R", "NR", "NR", "NR", "R", ""],
        "batch": ["x", "y", "x", "x", "x", "y", "y", "x"],
    },
    index=["s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8"],
)


def test_one_patient_counts_once_and_the_rest_is_listed():
    got = samples.select(SHEET, failed={"s4": "too few genes"}, present=set(SHEET.index) - {"s8"})
    assert got.groups == {"a": ("s1", "s2"), "s6": ("s6",)}
    assert got.left_out == {
        "s3": "time point on",
        "s4": "fails quality: too few genes",
        "s5": "time point on",
        "s7": "time point progression",
        "s8": "no readouts",
    }
    assert got.counts == {
        "patients": 2,
        "samples": 3,
        "patients_with_several": 1,
        "left_out": 5,
    }
    first = samples.select(SHEET, rule="first")
    assert first.groups["a"] == ("s1",)
    assert first.left_out["s2"] == "patient a is already there with s1"


def test_replicates_are_averaged_over_what_they_have():
    values = pd.DataFrame(
        {"u": np.arange(8.0), "v": [1.0, np.nan, 0, 0, 0, 0, 0, 0]}, index=SHEET.index
    )
    got = samples.represent(samples.select(SHEET), values)
    assert got.loc["a"].tolist() == [0.5, 1.0]
    assert list(got.index) == ["a", "b", "d", "s6"]


def test_columns_on_which_samples_of_a_patient_disagree_become_missing():
    table, conflicts = samples.patient_sheet(samples.select(SHEET), SHEET)
    assert pd.isna(table.loc["a", "batch"])
    assert table.loc["a", "response_binary"] == "R"
    assert conflicts == {"batch": 1}
    assert samples.responders(table).to_dict() == {"a": True, "b": False, "s6": False}


# --- residuals -----------------------------------------------------------------------------------


def test_residuals_as_numpy_and_empty_for_the_score_itself():
    rng = np.random.default_rng(0)
    names = [f"p{i:02d}" for i in range(20)]
    x = pd.Series(rng.normal(size=20), index=names)
    table = pd.DataFrame({"r": 3 * x + rng.normal(size=20), "x": 2 * x + 1}, index=names)
    table.loc["p03", "r"] = np.nan
    got = residual.residuals_in_cohort(table, x)
    seen = table["r"].notna()
    slope, start = np.polyfit(x[seen], table["r"][seen], 1)
    np.testing.assert_allclose(got["r"][seen], (table["r"] - slope * x - start)[seen], atol=1e-12)
    assert np.isnan(got["r"]["p03"])
    assert got["x"].isna().all()


# --- response ------------------------------------------------------------------------------------


def cohort(n: int = 90, seed: int = 0) -> tuple[pd.DataFrame, pd.Series, pd.Series, pd.DataFrame]:
    """Readouts of which `true` follows response, `tracks` inflammation, the rest nothing."""
    rng = np.random.default_rng(seed)
    names = [f"p{i:03d}" for i in range(n)]
    y = pd.Series(rng.permutation(np.arange(n) < n // 3), index=names)
    inflamed = pd.Series(rng.normal(size=n) + 1.4 * y, index=names)
    table = pd.DataFrame(rng.normal(size=(n, 12)), index=names).add_prefix("none")
    table["tracks"] = inflamed + 0.8 * rng.normal(size=n)
    table["true"] = rng.normal(size=n) + 2.0 * y
    sheet = pd.DataFrame({"site": rng.choice(["u", "v"], n)}, index=names)
    return table, y, inflamed, sheet


@pytest.fixture(scope="module")
def association() -> pd.DataFrame:
    table, y, inflamed, sheet = cohort()
    rest = residual.residuals_in_cohort(table, inflamed)
    got = response.response_table(table, rest, y, sheet, covariates=["site"], inflammation=inflamed)
    return response.with_q(got).set_index(["name", "view"])


def test_table_has_the_columns_and_both_views(association):
    assert [*association.reset_index().columns[2:]] == [
        c for c in response.COLUMNS if c not in ("name", "view")
    ]
    assert len(association) == 28
    assert (association["n"] == 90).all()
    assert (association["n_responders"] == 30).all()
    assert association["q"].notna().all()
    assert (association["q"] >= association["p_perm"]).all()


def test_readout_that_only_tracks_inflammation_loses_it_in_the_residual(association):
    raw, rest = association.loc[("tracks", "raw")], association.loc[("tracks", "residual")]
    assert raw["q"] < 0.05
    assert rest["p_perm"] > 0.05
    assert rest["low"] < 0.5 < rest["high"]
    assert raw["difference"] == pytest.approx(rest["auc"] - raw["auc"])
    assert raw["difference_p"] < 0.05
    assert raw["or_low"] < 1 < raw["or_high"]
    assert raw["adjusted_for"] == "site, inflammation"
    assert rest["adjusted_for"] == "site"


def test_planted_readout_is_found_in_both_views(association):
    for view in ("raw", "residual"):
        row = association.loc[("true", view)]
        assert row["q"] < 0.01
        assert row["low"] > 0.6
        assert row["or_low"] > 1


def test_table_does_not_depend_on_the_order_of_patients():
    table, y, inflamed, sheet = cohort(30)
    rest = residual.residuals_in_cohort(table, inflamed)
    order = np.random.default_rng(1).permutation(30)
    one = response.response_table(table, rest, y, sheet, covariates=["site"])
    two = response.response_table(
        table.iloc[order], rest.iloc[order], y.iloc[order[::-1]], sheet.iloc[order]
    )
    shared = ["auc", "low", "high", "p_perm", "hedges_g", "difference_p", "min_detectable_auc"]
    pd.testing.assert_frame_equal(one[shared], two[shared], check_exact=True)


def test_small_cohort_says_so():
    table, y, inflamed, sheet = cohort(30)
    five = [*y.index[y][:2], *y.index[~y][:3]]
    got = response.response_table(
        table.loc[five], residual.residuals_in_cohort(table.loc[five], inflamed), y, sheet
    )
    assert got["note"].str.contains("no result can reach p < 0.05").all()
    assert got["min_detectable_auc"].isna().all()
    assert got["or_note"].str.contains("not fitted").all()
    ten = response.response_table(table, table.iloc[:, :0], y.iloc[:18], sheet)
    assert ten["note"].str.contains("few").all()
    assert set(ten["view"]) == {"raw"}


def test_permuted_labels_give_no_findings_and_planted_ones_are_found():
    # The small twin of benchmarks/response_calibration.py.
    found, planted = 0, 0
    for seed in range(25):
        table, y, _, sheet = cohort(45, seed)
        # `tracks` follows inflammation, which follows response: not null, and not counted here.
        null = table.drop(columns=["true", "tracks"])
        got = response.response_table(null, null.iloc[:, :0], y, sheet)
        found += int((response.with_q(got)["q"] < 0.1).sum())
        got = response.response_table(table[["true"]], table.iloc[:, :0], y, sheet)
        planted += int(got["p_perm"].iloc[0] < 0.05)
    assert found / (25 * 12) <= 0.05
    # Two standard deviations apart: AUC 0.92, power above 0.99 at 15 against 30.
    assert planted >= 24


# --- pairs ---------------------------------------------------------------------------------------


def longitudinal(shift: float = 1.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(3)
    rows = []
    for i in range(16):
        for when in ("pre", "on"):
            rows.append((f"P{i:02d}", when, "R" if i % 2 else "NR"))
    rows += [("P00", "pre", "NR"), ("P90", "pre", "R"), ("P91", "on", "R")]
    sheet = pd.DataFrame(rows, columns=["patient", "timepoint", "response_binary"])
    sheet.index = [f"s{i:02d}" for i in range(len(sheet))]
    up = (sheet["timepoint"] == "on") & (sheet["response_binary"] == "R")
    values = pd.DataFrame(rng.normal(0, 0.3, (len(sheet), 2)), sheet.index, ["moves", "still"])
    values["moves"] += shift * up
    return values, sheet


def test_pairs_take_the_patient_as_unit():
    values, sheet = longitudinal()
    before, after, left = paired.changes(values, sheet)
    assert len(before) == 16
    assert before.loc["P00", "still"] == pytest.approx(values.loc[["s00", "s32"], "still"].mean())
    assert left == {
        "s33": "patient P90 has no sample on",
        "s34": "patient P91 has no sample pre",
    }
    y = samples.responders(samples.patient_sheet(samples.select(sheet), sheet)[0])
    got = paired.paired_table(before, after, y).set_index("readout")
    assert list(got.reset_index().columns) == list(paired.COLUMNS)
    assert got.loc["moves", "interaction_auc"] > 0.9
    assert got.loc["moves", "interaction_q"] < 0.01
    assert got.loc["moves", "q"] < 0.05
    assert got.loc["still", "low"] < 0 < got.loc["still", "high"]
    assert got.loc["still", "interaction_low"] < 0.5 < got.loc["still", "interaction_high"]
    assert (got["n_pairs"] == 16).all()
    assert (got["n_responders"] == 8).all()


def test_few_pairs_say_what_they_can_show():
    values, sheet = longitudinal()
    part = sheet[sheet["patient"].isin(["P01", "P02", "P03"])]
    before, after, _ = paired.changes(values.loc[part.index], part)
    got = paired.paired_table(before, after)
    assert got["note"].str.contains("smallest possible p is 0.25").all()
    assert (got["p"] >= 0.25).all()
    assert got["interaction_p"].isna().all()


def test_no_pairs_give_an_empty_table_not_an_error():
    values, sheet = longitudinal()
    only = sheet[sheet["timepoint"] == "pre"]
    before, after, left = paired.changes(values.loc[only.index], only)
    got = paired.paired_table(before, after)
    assert (got["n_pairs"] == 0).all()
    assert got["p"].isna().all()
    assert set(left) == set(only.index)


def test_a_patients_change_is_held_against_noise():
    before = pd.DataFrame({"r": [0.0, 0.0, 0.0], "u": [1.0, 1.0, 1.0]}, index=list("abc"))
    after = pd.DataFrame({"r": [1.0, -0.5, -1.0], "u": [2.0, 2.0, np.nan]}, index=list("abc"))
    got = paired.patient_changes(before, after, {"r": 0.4}).set_index(["patient", "readout"])
    assert got.loc[("a", "r"), "call"] == "up"
    assert got.loc[("b", "r"), "call"] == "within noise"
    assert got.loc[("c", "r"), "call"] == "down"
    assert got.loc[("a", "u"), "call"] == "noise unknown"
    assert ("c", "u") not in got.index


# --- shared patients -----------------------------------------------------------------------------


def two_cohorts(shared: int, seed: int = 0) -> tuple[dict[str, pd.DataFrame], dict[str, pd.Series]]:
    rng = np.random.default_rng(seed)
    genes = [f"G{i:03d}" for i in range(600)]
    axes = rng.normal(size=(600, 3))

    def tumours(n: int) -> np.ndarray:
        return axes @ rng.normal(size=(3, n)) + rng.normal(size=(600, n))

    first, second = tumours(20), tumours(18)
    second[:, :shared] = first[:, :shared]
    # Another platform: its own level and gain for each gene, and noise.
    second = second * rng.uniform(0.5, 2, (600, 1)) + rng.normal(4, 2, (600, 1))
    second += rng.normal(0, 0.3, second.shape)
    cohorts = {
        "one": pd.DataFrame(first, genes, [f"a{i}" for i in range(20)]),
        "two": pd.DataFrame(second, genes, [f"b{i}" for i in range(18)]),
    }
    patients = {
        "one": pd.Series([f"Pt{i}" for i in range(20)], cohorts["one"].columns),
        "two": pd.Series([f"Pt{i + 5}" for i in range(18)], cohorts["two"].columns),
    }
    return cohorts, patients


@pytest.mark.parametrize("shared", [0, 1, 6])
def test_shared_patients_are_found_by_profile_whatever_their_names(shared):
    # Names such as Pt7 stand in both cohorts for different people.
    got = duplicates.shared_patients(*two_cohorts(shared))
    assert list(got["sample_a"]) == [f"a{i}" for i in range(shared)]
    assert list(got["sample_b"]) == [f"b{i}" for i in range(shared)]
    assert list(got.columns) == list(duplicates.COLUMNS)


def test_telling_names_count_without_a_profile():
    cohorts, patients = two_cohorts(0)
    patients["one"].iloc[3] = patients["two"].iloc[8] = "TCGA-OR-A5J1"
    got = duplicates.shared_patients(cohorts, patients)
    assert got[["sample_a", "sample_b", "found_by"]].to_numpy().tolist() == [["a3", "b8", "name"]]


def test_shared_patients_are_kept_in_the_larger_cohort_only():
    got = duplicates.shared_patients(*two_cohorts(2))
    assert duplicates.count_once(got, {"one": 20, "two": 18}) == {
        "two": {"Pt5": "is Pt0 of one", "Pt6": "is Pt1 of one"}
    }
    assert set(duplicates.count_once(got, {"one": 5, "two": 18})) == {"one"}


def read_shared(shared, name: str) -> tuple[pd.DataFrame, pd.Series]:
    folder = shared / "data" / name
    values = pd.read_csv(folder / "matrix.tsv.gz", sep="\t", index_col=0)
    values = values[~values.index.duplicated()]
    if "fpkm" in name:
        values = np.log2(values + 1)
    sheet = pd.read_csv(folder / "samples.tsv", sep="\t", index_col="sample_id", dtype=str)
    return values, sheet["patient_id"].reindex(values.columns)


def test_two_quantifications_of_hugo_are_one_cohort_and_gide_is_another(shared):
    names = ["hugo_gse78220", "hugo_gse78220_fpkm", "gide_prjeb23709_pd1"]
    loaded = {name: read_shared(shared, name) for name in names}
    got = duplicates.shared_patients(
        {n: v for n, (v, _) in loaded.items()}, {n: p for n, (_, p) in loaded.items()}
    )
    assert set(got["cohort_a"]) == {"hugo_gse78220"}
    assert set(got["cohort_b"]) == {"hugo_gse78220_fpkm"}
    assert len(got) == 27
    assert got["same_name"].all()
    assert got["correlation"].min() > 0.8


def test_patients_of_snyder_are_found_in_the_panel_of_imvigor210(shared):
    # Snyder 2017 describes trial patients of one hospital, in these data under other names. What
    # confirms a pair does not take part in finding it: sex and survival, here within ten days
    # for those who died (two exports of the clinical data round differently).
    names = ["imvigor210_bladder_1768genes", "snyder_2017_urothelial"]
    loaded = {name: read_shared(shared, name) for name in names}
    got = duplicates.shared_patients(
        {n: v for n, (v, _) in loaded.items()}, {n: p for n, (_, p) in loaded.items()}
    )
    sheets = [
        pd.read_csv(shared / "data" / n / "samples.tsv", sep="\t", index_col="sample_id")
        for n in names
    ]
    assert len(got) == 8
    for row in got.itertuples():
        a, b = sheets[0].loc[row.sample_a], sheets[1].loc[row.sample_b]
        assert a["sex"] == b["sex"]
        assert a["os_event"] == b["os_event"]
        if a["os_event"] == 1:
            assert abs(a["os_time"] - b["os_time"]) < 1 / 3
