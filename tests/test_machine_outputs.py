"""Files for other programs: LIMS, MultiQC, scanpy, RO-Crate, Snakemake's report."""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from resistpath.cli import main
from resistpath.io import lims, multiqc, ro_crate
from resistpath.io.files import SEALS
from resistpath.io.resources import catalogue
from resistpath.io.tables import read_table
from resistpath.provenance import file_sha256
from resistpath.steps import machine

# ------------------------------------------------------------------ LIMS


@pytest.fixture(scope="module")
def rows(finished: Path) -> list[dict[str, str]]:
    with open(finished / "lims.csv", encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle, strict=True))


def test_one_row_per_sample_in_rfc_4180(finished, rows):
    text = (finished / "lims.csv").read_bytes().decode("utf-8")
    assert text.endswith("\r\n")
    assert text.count("\r\n") == text.count("\n") == text.count("\r") == 31
    samples = list(read_table(finished / "phenotype.tsv")["sample"])
    assert [r["sample"].removeprefix("'") for r in rows] == [" ".join(s.split()) for s in samples]
    assert len({len(r) for r in rows}) == 1
    assert not any(None in r or None in r.values() for r in rows)


def test_no_cell_is_a_formula(rows):
    for row in rows:
        for value in row.values():
            if value.startswith(("=", "+", "-", "@", "\t", "\r")):
                float(value)
    assert sum(r["sample"].startswith("'") for r in rows) == 2


@pytest.mark.parametrize("start", ["=1+1", "+1", "-cmd|' /C calc'!A0", "@SUM(A1)", " =1", "\t=1"])
def test_formula_cells_are_neutralised(start):
    assert lims.cell(start).startswith("'")


def test_numbers_of_the_csv_are_those_of_the_tables(finished, rows):
    table = read_table(finished / "mechanisms.tsv").set_index(["sample", "mechanism"])
    samples = list(read_table(finished / "phenotype.tsv")["sample"])
    for sample, row in zip(samples, rows, strict=True):
        for mechanism in (m.mechanism for m in catalogue().mechanisms):
            known = table.loc[(sample, mechanism)]
            for key in machine.CSV_EACH:
                value = row[f"{mechanism}.{key}"]
                if isinstance(known[key], float):
                    assert (value == "" and math.isnan(known[key])) or float(value) == known[key]
                else:
                    assert value == known[key]
        assert row["reference"] == "thirty"
        assert row["use"] == "research use only"
        assert row["quality"] == "passed"


# ------------------------------------------------------------------ MultiQC

PLOTS = {"table", "heatmap", "bargraph", "generalstats"}


def test_multiqc_files_follow_its_format(finished):
    """Keys of MultiQC's custom content, as its 1.35 reads them (checked by running it)."""
    seen = {}
    for name in machine.MULTIQC:
        assert name.endswith("_mqc.json")
        record = json.loads((finished / name).read_text(encoding="utf-8"))
        assert f"{record['id']}_mqc.json" == Path(name).name
        assert record["plot_type"] in PLOTS
        assert record["data"]
        for values in record["data"].values():
            assert all(isinstance(v, (int, float)) and math.isfinite(v) for v in values.values())
        if record["plot_type"] != "generalstats":
            assert record["pconfig"]["id"] != record["id"]
            assert "Research use only" in record["parent_description"]
            assert record["section_name"]
            assert record["description"]
        seen[record["id"]] = record
    # MultiQC puts names of rows into its page unescaped.
    samples = {multiqc.row_name(s): s for s in read_table(finished / "phenotype.tsv")["sample"]}
    assert "‹script›alert(1)‹/script›" in samples
    assert not any("<" in (finished / n).read_text(encoding="utf-8") for n in machine.MULTIQC)
    for key in ("general", "quality", "percentiles", "residuals"):
        assert set(seen[f"resistpath_{key}"]["data"]) == set(samples)
    wide = read_table(finished / "mechanisms.tsv").set_index(["sample", "mechanism"])
    names = {m.name: m.mechanism for m in catalogue().page("one")}
    for sample, values in seen["resistpath_percentiles"]["data"].items():
        for name, value in values.items():
            assert value == wide.loc[(samples[sample], names[name]), "percentile"]
    for values in seen["resistpath_verdicts"]["data"].values():
        assert sum(values.values()) == 30


def test_general_statistics_count_the_readings(finished):
    table = read_table(finished / "mechanisms.tsv")
    one = table[table["mechanism"].isin([m.mechanism for m in catalogue().page("one")])]
    counts = one[one["reading"] == "consistent with resistance"].groupby("sample").size()
    counts.index = counts.index.map(multiqc.row_name)
    record = json.loads((finished / machine.MULTIQC[0]).read_text(encoding="utf-8"))
    for sample, values in record["data"].items():
        assert values["consistent"] == counts.get(sample, 0)


# ------------------------------------------------------------------ scanpy


def test_the_h5ad_has_percentiles_phenotype_and_embedding(finished):
    import anndata

    data = anndata.read_h5ad(finished / "cohort.h5ad")
    table = read_table(finished / "mechanisms.tsv")
    for key, column in (
        ("percentiles", "percentile"),
        ("percentiles_low", "low"),
        ("residual_percentiles_high", "residual_high"),
    ):
        wide = table.pivot(index="sample", columns="mechanism", values=column)
        pd.testing.assert_frame_equal(
            data.obsm[key][wide.columns],
            wide.loc[data.obs_names],
            check_names=False,
            check_exact=True,
        )
    phenotype = read_table(finished / "phenotype.tsv").set_index("sample")
    assert list(data.obs["phenotype"].astype(str)) == list(phenotype["phenotype"])
    assert list(data.obsm["phenotype"]["x"]) == pytest.approx(list(phenotype["x"]), nan_ok=True)
    places = read_table(finished / "comparison" / "embedding.tsv")
    assert isinstance(data.obsm["X_umap"], np.ndarray)
    np.testing.assert_array_equal(data.obsm["X_umap"], places[["umap1", "umap2"]])
    np.testing.assert_array_equal(data.obsm["X_pca"], places[["pc1", "pc2"]])


# ------------------------------------------------------------------ RO-Crate


def crate(folder: Path) -> dict[str, dict[str, Any]]:
    record = json.loads((folder / ro_crate.NAME).read_text(encoding="utf-8"))
    assert record["@context"] == [ro_crate.CONTEXT, ro_crate.TERMS]
    entities = {e["@id"]: e for e in record["@graph"]}
    assert len(entities) == len(record["@graph"])
    return entities


def files_of(folder: Path) -> set[str]:
    """Paths inside, but for the seals beside the tables."""
    return {
        str(p.relative_to(folder))
        for p in folder.rglob("*")
        if p.is_file() and SEALS not in p.parts
    }


def references(value: Any) -> list[str]:
    """Every @id an entity points to."""
    if isinstance(value, list):
        return [r for v in value for r in references(v)]
    return [value["@id"]] if isinstance(value, dict) else []


def test_the_crate_has_what_the_profiles_require(finished):
    """RO-Crate 1.1, Process, Workflow and Workflow Run Crate: their MUSTs."""
    entities = crate(finished)
    descriptor, root = entities[ro_crate.NAME], entities["./"]
    assert descriptor["@type"] == "CreativeWork"
    assert descriptor["about"] == {"@id": "./"}
    assert "https://w3id.org/ro/crate/1.1" in references(descriptor["conformsTo"])
    assert root["@type"] == "Dataset"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", root["datePublished"])
    assert root["name"]
    assert root["description"]
    assert root["license"]
    assert set(references(root["conformsTo"])) == set(ro_crate.PROFILES)
    main_entity = entities[root["mainEntity"]["@id"]]
    assert main_entity["@type"] == ["File", "SoftwareSourceCode", "ComputationalWorkflow"]
    assert entities[main_entity["programmingLanguage"]["@id"]]["@type"] == "ComputerLanguage"
    actions = [e for e in entities.values() if e["@type"] == "CreateAction"]
    assert {a["@id"] for a in actions} == set(references(root["mentions"]))
    for action in actions:
        assert action["instrument"]["@id"] in entities
        assert references(action["object"])
        assert references(action["result"])
    assert main_entity["@id"] in {a["instrument"]["@id"] for a in actions}
    for entity in entities.values():
        for key, value in entity.items():
            for target in references(value):
                assert target in entities or target.startswith("http"), (entity["@id"], key)


def test_every_file_of_the_crate_is_there_with_its_digest(finished):
    entities = crate(finished)
    files = [e for e in entities.values() if "File" in e["@type"]]
    named = files_of(finished)
    inside = {n for n in named if not n.startswith(("reports/", "patients/"))}
    assert {e["@id"] for e in files} == inside - {ro_crate.NAME}
    for e in files:
        path = finished / e["@id"]
        assert e["sha256"] == file_sha256(path)
        assert int(e["contentSize"]) == path.stat().st_size
    folders = [e["@id"] for e in entities.values() if e["@type"] == "Dataset"]
    assert sorted(folders) == ["./", "patients/", "reports/"]
    assert set(references(entities["./"]["hasPart"])) == {
        *(e["@id"] for e in files),
        *(f for f in folders if f != "./"),
    }


def test_inputs_are_known_by_their_digests_and_no_path_leaks(finished):
    entities = crate(finished)
    assert entities["#expression"]["sha256"] == file_sha256(finished.parents[1] / "x.tsv")
    assert entities["#samples"]["sha256"] == file_sha256(finished.parents[1] / "s.tsv")
    text = (finished / ro_crate.NAME).read_text(encoding="utf-8")
    assert str(finished.parents[1]) not in text


def test_the_manifest_lists_all_but_itself_and_the_crate(finished):
    listed = json.loads((finished / "manifest.json").read_text())["outputs"]
    assert set(listed) == files_of(finished) - {"manifest.json", ro_crate.NAME}


@pytest.fixture(scope="module")
def by_hand(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same report, from the command line and against a pack elsewhere."""
    folder = tmp_path_factory.mktemp("hand") / "mine"
    shutil.copytree(finished, folder, ignore=shutil.ignore_patterns("workflow", "reference.npz"))
    pack = finished / "reference.npz"
    assert main(["--quiet", "report", str(folder), "--reference", str(pack)]) == 0
    return folder


def test_verbs_run_by_hand_claim_no_workflow(by_hand, finished):
    entities = crate(by_hand)
    assert "mainEntity" not in entities["./"]
    assert references(entities["./"]["conformsTo"]) == [f"{ro_crate.RUN}/process/0.5"]
    assert not (by_hand / "workflow").exists()
    assert entities["#reference"]["sha256"] == file_sha256(finished / "reference.npz")


def test_a_second_report_writes_the_same_bytes(by_hand, finished):
    first = json.loads((finished / "manifest.json").read_text())["outputs"]
    second = json.loads((by_hand / "manifest.json").read_text())["outputs"]
    assert {k: v for k, v in first.items() if not k.startswith("workflow/")} == second | {
        "reference.npz": first["reference.npz"]
    }


# ------------------------------------------------------------------ Snakemake's report


def test_captions_are_plain_restructured_text(repository):
    from docutils.core import publish_string

    captions = sorted((repository / "workflow" / "report").glob("*.rst"))
    text = "".join(p.read_text() for p in (repository / "workflow" / "rules").glob("*.smk"))
    text += (repository / "Snakefile").read_text()
    for path in captions:
        assert f"report/{path.name}" in text
        source = re.sub(r"\{\{.*?\}\}", "x", path.read_text(encoding="utf-8"))
        assert "Research use only" in source
        publish_string(source, settings_overrides={"halt_level": 2, "report_level": 5})
    marked = set(re.findall(r'caption="\.\./report/(\w+)\.rst"', text))
    assert marked | {"workflow"} == {p.stem for p in captions}
