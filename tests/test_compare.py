"""Verbs compare and meta, from cohort folders to tables."""

from __future__ import annotations

import json
import shutil

import anndata
import numpy as np
import pandas as pd
import pytest

from resistpath.cli import main
from resistpath.cohort import meta, paired, response, samples
from resistpath.io.tables import read_table
from resistpath.steps import compare as step
from resistpath.steps.meta import _hazards, pooled

N = 30


def run(*words: object) -> int:
    return main(["--quiet", *(str(w) for w in words)])


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory, repository):
    """Two cohorts of thirty demo tumours with made-up outcomes; six tumours stand in both.

    Responders are the tumours with the highest GZMA, so that T-cell readouts follow response by
    construction. In `first` the last six samples are on-treatment samples of the first six
    patients, and the batch is aligned with response.
    """
    folder = tmp_path_factory.mktemp("compare")
    demo = repository / "resources" / "demo" / "expression.tsv.gz"
    x = pd.read_csv(demo, sep="\t", index_col=0)
    for name, columns in {"first": slice(0, N), "second": slice(N - 12, 2 * N - 12)}.items():
        part = x.iloc[:, columns].copy()
        part.columns = [f"{name}{i:02d}" for i in range(N)]
        part.to_csv(folder / f"{name}.tsv", sep="\t")
        sheet = pd.DataFrame({"sample": part.columns})
        high = part.loc["GZMA"] > part.loc["GZMA"].median()
        sheet["response_binary"] = np.where(high, "R", "NR")
        sheet["treatment"] = "anti-PD-1"
        if name == "first":
            sheet["patient"] = [f"P{i:02d}" for i in range(N - 6)] + [f"P{i:02d}" for i in range(6)]
            sheet["timepoint"] = ["pre"] * (N - 6) + ["on"] * 6
            sheet.loc[N - 6 :, "response_binary"] = sheet["response_binary"].iloc[:6].to_numpy()
            sheet["batch"] = np.where(sheet["response_binary"] == "R", "b1", "b2")
        sheet.to_csv(folder / f"{name}.sheet.tsv", sep="\t", index=False)
        out = folder / "results" / name
        for words in (
            [
                *("prepare", out, "--expression", folder / f"{name}.tsv"),
                *("--samples", folder / f"{name}.sheet.tsv", "--cancer-type", "endometrial"),
            ],
            ["score", out],
            ["deconvolve", out],
            ["reference", "build", out, "--name", name],
            ["assess", out, "--reference", out / "reference.npz"],
            ["compare", out],
        ):
            assert run(*words) == 0
    return folder / "results"


def test_response_is_read_from_one_sample_per_patient(cohorts):
    out = cohorts / "first" / "comparison"
    table = read_table(out / "response.tsv")
    assert list(table.columns) == [*response.COLUMNS, "leakage"]
    assert set(table["kind"]) == {"readout", "mechanism"}
    assert (table["n"] + table["n_missing"] == N - 6).all()
    summary = json.loads((out / "summary.json").read_text())
    assert summary["patients"] == N - 6
    assert summary["responders"] + summary["non_responders"] == N - 6
    assert set(summary["left_out"].values()) == {"time point on"}
    rows = table.set_index(["name", "view"]).sort_index()
    assert rows.loc[("CYT_ROONEY2", "raw"), "auc"] > 0.8
    assert rows.loc[("CYT_ROONEY2", "raw"), "p_perm"] < 0.01
    assert rows.loc[("CYT_ROONEY2", "residual"), "auc"] < rows.loc[("CYT_ROONEY2", "raw"), "auc"]
    assert ("GEP18_UNWEIGHTED", "residual") not in rows.index


def test_a_batch_aligned_with_response_is_said_in_every_row(cohorts, capsys):
    table = read_table(cohorts / "first" / "comparison" / "response.tsv")
    assert table["note"].str.contains("batch aligned with response").all()
    assert "inflammation" in set(table["adjusted_for"].str.split(", ").explode())
    other = read_table(cohorts / "second" / "comparison" / "response.tsv")
    assert not other["note"].fillna("").str.contains("aligned").any()


def test_pairs_are_tested_and_listed(cohorts):
    out = cohorts / "first" / "comparison"
    table = read_table(out / "paired.tsv")
    assert list(table.columns) == ["kind", "view", *paired.COLUMNS]
    assert table["n_pairs"].max() == 6
    assert set(table["after"]) == {"on"}
    changes = read_table(out / "changes.tsv")
    assert set(changes["patient"]) == {f"P{i:02d}" for i in range(6)}
    assert set(changes["call"]) == {"noise unknown"}
    empty = read_table(cohorts / "second" / "comparison" / "paired.tsv")
    assert list(empty.columns) == list(table.columns)
    assert empty.empty
    assert read_table(cohorts / "first" / "comparison" / "survival.tsv").empty


def test_a_cohort_without_outcome_gives_empty_tables(cohorts, tmp_path):
    measures = step.read_measures(cohorts / "second")
    blank = measures.sheet.drop(columns="response_binary")
    nothing = step.Measures("x", blank, measures.values, {}, measures.expression)
    got = step.associate(nothing, step.select(nothing, "pre", "mean"), covariates=[], level=0.95)
    assert got.empty
    assert list(got.columns) == [*response.COLUMNS, "leakage"]


def test_an_unknown_time_point_is_a_user_error(cohorts, capsys):
    assert main(["compare", str(cohorts / "second"), "--timepoint", "later"]) == 2
    assert "use pre, on, progression, post" in capsys.readouterr().err


def test_leakage_is_marked_by_the_name_of_the_cohort(cohorts):
    from resistpath.io.resources import catalogue

    book = catalogue()
    readout = "IPRES_MAPKI_INDUCED_EMT"
    mechanism = book.readout(readout).mechanism
    hugo = step.uses(book, "hugo_gse78220")
    assert hugo["readout", readout] == hugo["mechanism", mechanism] == "selected"
    assert ("readout", "CYT_ROONEY2") not in hugo
    assert ("readout", readout) not in step.uses(book, "gide_2019")


@pytest.fixture(scope="module")
def together(cohorts):
    out = cohorts / "comparison"
    assert run("meta", cohorts / "first", cohorts / "second", "--out", out) == 0
    return out


def test_patients_in_both_cohorts_are_found_and_count_once(together):
    shared = read_table(together / "shared.tsv")
    # Samples 18 to 23 of `first` are 0 to 5 of `second`; 24 to 29 are on treatment, not compared.
    assert list(shared["sample_a"]) == [f"first{i}" for i in range(18, 24)]
    assert list(shared["sample_b"]) == [f"second{i:02d}" for i in range(6)]
    rows = read_table(together / "cohorts.tsv")
    auc = rows[rows["measure"] == "auc"].groupby("cohort")
    # `second` has more patients and keeps them.
    assert auc["given_up"].max().to_dict() == {"first": 6, "second": 0}
    assert auc["n"].max().to_dict() == {"first": N - 12, "second": N}


def test_pooled_rows_are_those_of_the_pure_function(together):
    table = read_table(together / "meta.tsv")
    rows = read_table(together / "cohorts.tsv").set_index(["kind", "name", "view"]).sort_index()
    one = table[(table["stratum"] == "all") & (table["name"] == "CYT_ROONEY2")].iloc[0]
    part = rows.loc[("readout", "CYT_ROONEY2", one["view"])]
    got = meta.pool(part["effect"], part["variance"])
    assert one["estimate"] == pytest.approx(1 / (1 + np.exp(-got.effect)), abs=1e-12)
    assert (one["k"], one["p"]) == (2, pytest.approx(got.p))
    assert set(table["stratum"]) == {"all", "cancer_type", "treatment"}
    assert (table["q"] >= table["p"] - 1e-12).all()


def test_cohorts_that_made_a_score_are_left_out_of_its_pool():
    rows = pd.DataFrame(
        {
            "cohort": ["a", "b", "c"],
            "measure": "auc",
            "kind": "readout",
            "name": "s",
            "view": "raw",
            "n": [20, 30, 40],
            "n_events": [8, 10, 12],
            "effect": [3.0, 0.1, 0.2],
            "variance": [0.2, 0.1, 0.1],
            "left_out": ["selected", "", ""],
            "cancer_type": "",
            "treatment": "",
        }
    )
    table, _ = pooled(rows)
    assert table["k"].tolist() == [2]
    assert table["cohorts"].tolist() == ["b, c"]
    assert table["left_out"].tolist() == ["a (selected)"]
    assert table["estimate"].iloc[0] == pytest.approx(1 / (1 + np.exp(-0.15)))


def test_hazard_ratios_too_count_a_shared_patient_once(cohorts, tmp_path):
    """Follow-up: two of the six shared patients lack it in `second`, so `first` keeps them."""
    folders = []
    for name in ("first", "second"):
        folder = tmp_path / name
        shutil.copytree(cohorts / name, folder)
        path = folder / "prepared.h5ad"
        data = anndata.read_h5ad(path)
        n = data.n_obs
        data.obs["survival_time"] = [str(30 + 17 * (i % 13)) for i in range(n)]
        data.obs["survival_event"] = [str(int(i % 3 > 0)) for i in range(n)]
        if name == "second":
            data.obs.loc[data.obs_names[:2], "survival_time"] = ""
        data.write_h5ad(path)
        (folder / ".sha256" / path.name).unlink()
        assert run("compare", folder, "--no-embedding") == 0
        folders.append(folder)
    assert run("meta", *folders, "--out", tmp_path / "out") == 0
    rows = read_table(tmp_path / "out" / "cohorts.tsv")
    hazards = rows[rows["measure"] == "hazard_ratio"].groupby("cohort")
    assert hazards["n"].max().to_dict() == {"first": N - 6 - 4, "second": N - 2}
    assert hazards["given_up"].max().to_dict() == {"first": 4, "second": 0}
    alone = read_table(folders[0] / "comparison" / "survival.tsv")
    assert alone["n"].max() == N - 6


def test_hazard_ratios_are_pooled_with_the_error_they_have_at_any_level():
    """half width = z se, so that the level of the interval changes no variance."""
    head = {"kind": "readout", "name": "s", "view": "raw", "n": 50, "n_events": 20}
    for level, z in ((0.95, 1.959964), (0.90, 1.644854)):
        low, high = np.exp([0.3 - z * 0.2, 0.3 + z * 0.2])
        table = pd.DataFrame([head | {"hazard_ratio": np.exp(0.3), "low": low, "high": high}])
        assert _hazards(table, level)["variance"].iloc[0] == pytest.approx(0.04, rel=1e-6)


def test_a_set_of_the_users_is_marked_as_not_in_the_register():
    rows = [("readout", "MINE"), ("mechanism", "mine"), ("readout", "CYT_ROONEY2")]
    rows.append(("readout", "IPRES_MAPKI_INDUCED_EMT"))
    marks = step.leakage_marks(rows, "hugo_gse78220")
    assert marks == ["own set: not in the register"] * 2 + ["", "selected"]


def test_one_folder_twice_is_refused(cohorts, capsys):
    folder = str(cohorts / "first")
    assert main(["meta", folder, folder, "--out", str(cohorts / "no")]) == 2
    assert "give each folder once" in capsys.readouterr().err
    assert not (cohorts / "no").exists()


def test_survival_of_patients_is_joined_to_their_measures():
    rng = np.random.default_rng(0)
    names = [f"s{i:02d}" for i in range(60)]
    risk = pd.DataFrame({"bad": rng.normal(size=60), "none": rng.normal(size=60)}, index=names)
    time = rng.exponential(10 * np.exp(-risk["bad"]))
    sheet = pd.DataFrame(
        {"survival_time": time.round(2).astype(str), "survival_event": "1"}, index=names
    )
    sheet.loc[names[:3], "survival_time"] = None
    keys = [(kind, view) for kind in ("readout", "mechanism") for view in ("raw", "residual")]
    measures = step.Measures("x", sheet, dict.fromkeys(keys, risk), {}, risk.T)
    got = step.survive(measures, samples.select(sheet), covariates=["batch"], level=0.95)
    assert list(got.columns) == list(step.SURVIVAL)
    assert (got["n"] == 57).all()
    rows = got.set_index(["kind", "view", "name"])
    assert rows.loc[("readout", "raw", "bad"), "low"] > 1.5
    assert (
        rows.loc[("readout", "raw", "none"), "low"]
        < 1
        < rows.loc[("readout", "raw", "none"), "high"]
    )


def test_preservation_is_named_where_all_ffpe_samples_are_non_responders(shared):
    path = shared / "data" / "cho_gse126044_counts" / "samples.tsv"
    sheet = pd.read_csv(path, sep="\t", dtype=str).set_index("sample_id")
    assert "FFPE" in step.confounded(sheet)["preservation"]
