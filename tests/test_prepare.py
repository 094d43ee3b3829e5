"""What `prepare` leaves behind, over the ways a cohort can come in."""

from __future__ import annotations

import anndata
import numpy as np
import pandas as pd
import pytest

from resistpath.cli import main
from resistpath.errors import UserError
from resistpath.io.fetch.collector import Outcome
from resistpath.io.prepared import preparing, read_prepared, read_sheet
from resistpath.io.readers import FORMATS
from resistpath.io.resources import gene_names
from resistpath.io.tables import file_annotation, read_table
from resistpath.quality import Gates

SAMPLES = list("abcdefghij")


@pytest.fixture(scope="module")
def counts():
    """Reads of 4,000 coding genes, a retired symbol, a spreadsheet's date and XIST."""
    names = gene_names()
    genes = list(names.table.loc[names.table["coding"], "symbol"][:4000])
    genes += ["XIST", "7-Mar", "C10orf54", "no such gene"]
    rng = np.random.default_rng(5)
    level = rng.lognormal(4, 2, (len(genes), 1)) * rng.lognormal(0, 0.5, (len(genes), 10))
    index = pd.Index(genes, name="gene")
    return pd.DataFrame(rng.poisson(level), index=index, columns=SAMPLES)


def prepare(folder, *words):
    assert main(["--quiet", "prepare", str(folder), *map(str, words)]) == 0
    return read_prepared(folder / "prepared.h5ad", counts=True)


def written(tmp_path, frame, name="m.tsv"):
    frame.to_csv(tmp_path / name, sep="\t")
    return tmp_path / name


def test_every_row_is_accounted_for(counts, tmp_path):
    matrix = written(tmp_path, counts)
    found = prepare(tmp_path / "out", "--expression", matrix)
    rows = read_table(tmp_path / "out" / "genes.tsv").set_index("input_id")
    assert rows.index.tolist() == counts.index.tolist()
    assert rows.loc["7-Mar", ["symbol", "action"]].tolist() == ["MARCHF7", "renamed"]
    assert "spreadsheet date" in rows.loc["7-Mar", "reason"]
    assert rows.loc["C10orf54", "symbol"] == "VSIR"
    assert rows.loc["no such gene", "reason"] == "unknown identifier"
    assert rows.loc["XIST", "reason"].startswith("not protein-coding")
    kept = rows.loc[rows["action"] != "dropped", "symbol"]
    assert set(kept) == set(found.values.index)
    assert found.preparation["n_dropped"] == (rows["action"] == "dropped").sum()
    np.testing.assert_array_equal(found.counts.loc["VSIR"], counts.loc["C10orf54"])
    np.testing.assert_allclose((np.exp2(found.values.astype(float)) - 1).sum(), 1e6, rtol=1e-4)


def test_a_sample_alone_is_prepared_to_the_same_bits(counts, tmp_path, monkeypatch):
    whole = prepare(tmp_path / "whole", "--expression", written(tmp_path, counts))
    quality = read_table(tmp_path / "whole" / "quality.tsv")
    for block in (1, 3, 64):
        monkeypatch.setattr("resistpath.expression.BLOCK_SAMPLES", block)
        some = counts[["h", "b"]].sample(frac=1, random_state=block)
        part = prepare(tmp_path / f"part{block}", "--expression", written(tmp_path, some, "p.tsv"))
        for s in some:
            assert part.values[s].to_numpy().tobytes() == whole.values[s].to_numpy().tobytes()
        rows = read_table(tmp_path / f"part{block}" / "quality.tsv")
        pd.testing.assert_frame_equal(
            rows[rows["sample"] == "b"].reset_index(drop=True),
            quality[quality["sample"] == "b"].reset_index(drop=True),
            check_exact=True,
        )
        assert part.preparation["units_how"] == whole.preparation["units_how"]


def test_reads_beyond_float32_are_kept_exactly(counts, tmp_path, monkeypatch):
    monkeypatch.setattr("resistpath.expression.BLOCK_SAMPLES", 3)
    many = counts.astype(np.int64)
    many.iloc[0, 7] = 2**24 + 1
    for frame, dtype in ((counts, np.float32), (many, np.float64)):
        out = tmp_path / dtype.__name__
        found = prepare(out, "--expression", written(tmp_path, frame))
        np.testing.assert_array_equal(found.counts.loc["VSIR"], frame.loc["C10orf54"])
        first = found.counts.index[0]
        assert found.counts.loc[first].tolist() == frame.loc[first].tolist()
        layers = anndata.read_h5ad(out / "prepared.h5ad").layers
        assert (list(layers), layers["counts"].dtype) == (["counts"], dtype)


def test_threads_change_no_byte(counts, tmp_path, monkeypatch):
    monkeypatch.setattr("resistpath.expression.BLOCK_SAMPLES", 3)
    matrix = written(tmp_path, counts, "m.tsv.gz")
    for threads in (1, 2, 5):
        words = ("--cohort", "x", "--expression", matrix, "--threads", threads)
        prepare(tmp_path / str(threads), *words)
    files = sorted(f for f in (tmp_path / "1").iterdir() if f.is_file())
    assert len(files) == 5
    for path in files:
        for threads in ("2", "5"):
            assert path.read_bytes() == (tmp_path / threads / path.name).read_bytes(), path.name


def test_quality_holds_the_evidence_of_the_unit(counts, tmp_path):
    prepare(tmp_path / "out", "--expression", written(tmp_path, counts))
    quality = read_table(tmp_path / "out" / "quality.tsv").set_index(["sample", "metric"])
    assert quality.loc[("c", "unit_step"), "note"].startswith("read as counts: whole numbers")
    assert quality.loc[("c", "unit_total"), "value"] == counts["c"].sum()
    assert quality.loc[("c", "gene_coverage"), "status"] == "fail"
    together = read_table(tmp_path / "out" / "quality.cohort.tsv")
    assert set(together["metric"]) == {"cohort_twin", "cohort_outlier", "cohort_library"}


def test_gates_from_the_command_line(counts, tmp_path, capsys):
    matrix = written(tmp_path, counts)
    gates = ("--gate", "min_gene_coverage=0.1", "--gate", "warn_gene_coverage=0.15")
    prepare(tmp_path / "out", "--expression", matrix, *gates)
    row = read_table(tmp_path / "out" / "quality.tsv").set_index("metric").loc["gene_coverage"]
    assert set(row["status"]) == {"pass"}
    words = ["prepare", str(tmp_path / "x"), "--expression", str(matrix), "--gate"]
    assert main([*words, "min_genes=3"]) == 2
    assert f"use {', '.join(vars(Gates()))}" in capsys.readouterr().err
    assert main([*words, "min_reads=many"]) == 2
    assert "'many' is not a number" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_response_that_follows_the_batch_is_marked(counts, tmp_path):
    sheet = pd.DataFrame(
        {"batch": ["1"] * 5 + ["2"] * 5, "response_binary": ["R"] * 5 + ["NR"] * 5},
        index=pd.Index(SAMPLES, name="sample"),
    )
    written(tmp_path, sheet, "s.tsv")
    words = ("--expression", written(tmp_path, counts), "--samples", tmp_path / "s.tsv")
    prepare(tmp_path / "out", *words)
    row = read_table(tmp_path / "out" / "confounding.tsv").iloc[0]
    assert (row["variable"], row["status"]) == ("batch", "warn")
    assert row["p"] == pytest.approx(2 / 252)  # 1 in 10 over 5, both ways round


def test_annotation_in_the_file_is_not_forced_into_our_words(counts, tmp_path):
    obs = pd.DataFrame(
        {"timepoint": ["Pre-treatment"] * 10, "gender": ["F"] * 10, "response_binary": ["R"] * 10},
        index=SAMPLES,
    )
    data = anndata.AnnData(counts.T.to_numpy(dtype=np.float32), obs=obs)
    data.var_names = counts.index
    data.write_h5ad(tmp_path / "m.h5ad")
    found = prepare(tmp_path / "out", "--expression", tmp_path / "m.h5ad")
    assert list(found.obs) == ["file_timepoint", "sex", "response_binary"]
    assert found.preparation["cohort_notes"] == [
        "Column timepoint of the annotation in the file holds Pre-treatment and was not"
        " interpreted; a sample sheet can say pre, on, progression, post."
    ]
    frame = pd.DataFrame({"timepoint": ["pre", None], "sex": ["M", "F"]})
    assert file_annotation(frame)[1] == []


def test_reads_shared_between_genes(counts, tmp_path):
    """RSEM and Salmon counts: not whole, and still a number of reads."""
    shared = counts + np.where(np.arange(len(counts)) % 2, 0.25, 0.0)[:, None]
    found = prepare(tmp_path / "out", "--expression", written(tmp_path, shared))
    assert found.preparation["units"] == "estimated_counts"
    assert found.counts is not None


def test_what_a_fetch_says_of_the_format_is_a_reader(repository):
    """Every `Outcome` of the sources names a format of the readers, or leaves it to the content."""
    import ast

    folder = repository / "workflow" / "resistpath" / "io" / "fetch"
    said = [
        node.args[1].value
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == Outcome.__name__
    ]
    assert len(said) >= 8
    assert set(said) <= {*FORMATS, "auto"}


@pytest.mark.parametrize("form", ["tsv.gz", "csv", "tsv.xz", "turned", "shuffled", "split"])
def test_the_same_matrix_written_otherwise(counts, tmp_path, form):
    """Compression, separator, orientation, order and rows of one gene change no bit."""
    expected = prepare(tmp_path / "expected", "--expression", written(tmp_path, counts))
    frame, name, separator = counts, f"x.{form}", "\t"
    if form == "csv":
        separator = ","
    elif form == "turned":
        frame, name = counts.T.rename_axis("sample"), "x.tsv"
    elif form == "shuffled":
        frame, name = counts.sample(frac=1, random_state=3)[SAMPLES[::-1]], "x.tsv"
    elif form == "split":
        half = counts // 2
        frame, name = pd.concat([half, counts - half]), "x.tsv"
    frame.to_csv(tmp_path / name, sep=separator)
    found = prepare(tmp_path / "found", "--expression", tmp_path / name)
    for s in SAMPLES:
        assert found.values[s].to_numpy().tobytes() == expected.values[s].to_numpy().tobytes()
        assert found.counts[s].to_numpy().tobytes() == expected.counts[s].to_numpy().tobytes()


SHEET = {
    "patient": ["p1", "p1", None, "7"],
    "age": [61.0, np.nan, 48.5, 70.0],
    "visits": [1, 2, 3, 4],
    "treated": [True, False, True, True],
    "site": pd.Categorical(["north", None, "south", "north"]),
    "dose": pd.array([1, None, 3, 4], dtype="Int64"),
    "day": pd.to_datetime(["2024-01-02", None, "2024-03-04", "2024-05-06"]),
    "on/off": ["on", "off", "", "on"],
}


def test_the_prepared_cohort_is_what_anndata_reads(tmp_path):
    """The file is written and read without anndata, whose import costs every job."""
    obs = pd.DataFrame(SHEET, index=pd.Index(["a", "b", "c", "d"], name="sample"))
    genes = pd.Index(["CD8A", "TP53"], name="gene")
    path = tmp_path / "prepared.h5ad"
    values = pd.DataFrame(np.arange(8.0).reshape(2, 4), genes, obs.index)
    with preparing(path, genes, obs, {"note": "µ"}, counts=True) as file:
        file.add(values.iloc[:, :3], 2 * values.iloc[:, :3])
        file.add(values.iloc[:, 3:], 2 * values.iloc[:, 3:])
    whole = anndata.read_h5ad(path)
    np.testing.assert_array_equal(whole.X, values.to_numpy().T)
    np.testing.assert_array_equal(whole.layers["counts"], 2 * values.to_numpy().T)
    assert (whole.obs_names.name, list(whole.var_names)) == ("sample", list(genes))
    assert (whole.uns["units"], whole.uns["preparation"]) == ("log2(tpm+1)", '{"note": "µ"}')
    found = read_prepared(path, counts=True)
    pd.testing.assert_frame_equal(found.values, values.astype(np.float32))
    pd.testing.assert_frame_equal(found.counts, 2 * values)
    assert found.preparation == {"note": "µ"}
    as_text = {
        "patient": ["p1", "p1", "", "7"],
        "site": ["north", "", "south", "north"],
        "day": ["2024-01-02 00:00:00", "", "2024-03-04 00:00:00", "2024-05-06 00:00:00"],
        "on∕off": ["on", "off", "", "on"],
    }
    for name in ("age", "visits", "treated", "dose"):
        assert whole.obs[name].dtype == found.obs[name].dtype
        np.testing.assert_array_equal(whole.obs[name], found.obs[name])
    for name, cells in as_text.items():
        assert whole.obs[name].tolist() == cells
        assert found.obs[name].tolist() == [cell or None for cell in cells]
    pd.testing.assert_frame_equal(read_sheet(path), found.obs)
    whole.write_h5ad(tmp_path / "again.h5ad")  # with categories in place of repeated texts
    again = read_prepared(tmp_path / "again.h5ad", counts=True)
    pd.testing.assert_frame_equal(again.obs, found.obs)
    pd.testing.assert_frame_equal(again.values, found.values)


def test_an_h5ad_of_another_make_is_no_prepared_cohort(tmp_path):
    anndata.AnnData(np.ones((2, 2), np.float32)).write_h5ad(tmp_path / "other.h5ad")
    with pytest.raises(UserError, match="not a cohort prepared by resistpath"):
        read_prepared(tmp_path / "other.h5ad")
