"""The command line: verbs, messages, exit codes, and nothing half-written."""

from __future__ import annotations

import gzip
import json
import os
import re

import numpy as np
import pandas as pd
import pytest

from resistpath.cli import main
from resistpath.io.files import SEALS, file_names, replacing
from resistpath.io.readers import read_source
from resistpath.io.resources import catalogue
from resistpath.io.tables import read_sample_sheet, read_table, write_table

HOSTILE = [
    "../escape",
    '<b>&"bold"</b>',
    "<script>alert(1)</script>",
    "javascript:alert(1)",
    "' onmouseover='alert(1)",
    "=HYPERLINK(1)",
    "@SUM(1)",
    "+1+cmd",
    "-x",
    "אבג.exe",
    "/etc/passwd",
    "C:\\con",
    "{{ 7 * 7 }}",
    "Ω≈ç√ 名前",
    "x" * 300,
]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory, repository):
    """Thirty demo tumours under their public symbols, through all verbs."""
    folder = tmp_path_factory.mktemp("cohort")
    demo = repository / "resources" / "demo"
    x = pd.read_csv(demo / "expression.tsv.gz", sep="\t", index_col=0).iloc[:, :30]
    names = [*HOSTILE, *x.columns[len(HOSTILE) :]]
    x.columns = names
    x.to_csv(folder / "x.tsv.gz", sep="\t")
    obs = pd.read_csv(demo / "samples.tsv", sep="\t", dtype=str).iloc[:30].assign(sample=names)
    # Every column a sheet may hold, but those with words of their own.
    free = obs.columns.difference(["sample", "timepoint", "cancer_type"])
    obs.loc[: len(HOSTILE) - 1, free] = [[text] * len(free) for text in HOSTILE]
    obs["patient"] = names
    for i, text in enumerate(HOSTILE):
        obs[text] = f"\u202e{text} {i}"
    obs.to_csv(folder / "s.tsv", sep="\t", index=False)
    out = folder / "results" / "mine"
    for words in (
        ["prepare", out, "--expression", folder / "x.tsv.gz", "--samples", folder / "s.tsv"],
        ["score", out],
        ["deconvolve", out],
        ["reference", "build", out, "--name", "thirty"],
        ["assess", out, "--reference", out / "reference.npz"],
        ["report", out, "--reference", out / "reference.npz"],
    ):
        assert main([str(w) for w in words]) == 0
    return out


def test_all_files_of_the_contract_are_there(cohort):
    expected = {
        "prepared.h5ad",
        "quality.tsv",
        "quality.cohort.tsv",
        "confounding.tsv",
        "genes.tsv",
        "scores.tsv",
        "scores.wide.tsv",
        "fractions.tsv",
        "fractions.fit.tsv",
        "fractions.cohort_concordance.tsv",
        "reference.npz",
        "mechanisms.tsv",
        "readouts.tsv",
        "mechanisms.references.tsv",
        "readouts.references.tsv",
        "rules.tsv",
        "phenotype.tsv",
        "fit.tsv",
        "pairs.tsv",
        "patterns.tsv",
        "reports",
        "patients",
        "index.html",
        "cohort.h5ad",
        "lims.csv",
        "multiqc",
        "ro-crate-metadata.json",
        "manifest.json",
    }
    assert {p.name for p in cohort.iterdir()} == expected | {SEALS}
    assert not list(cohort.rglob("*.part*"))


def test_hostile_sample_names_stay_inside_and_are_escaped(cohort):
    pages = sorted(p.name for p in (cohort / "reports").iterdir())
    assert len(pages) == 60
    assert not (cohort / "escape.html").exists()
    assert not any("/" in p or "<" in p for p in pages)
    text = "".join(p.read_text() for p in (cohort / "reports").glob("*.html"))
    assert "<b>&" not in text + (cohort / "index.html").read_text()
    assert "<script>alert" not in text + (cohort / "index.html").read_text()
    assert not re.search(r'href="(?!#|\./|data:,|https://)', text)
    assert not re.search(r"<[a-z][^<>]*\sonmouseover", text)
    assert "49" not in re.findall(r"<h1>.*?</h1>", text)
    records = [json.loads(p.read_text()) for p in (cohort / "reports").glob("*.json")]
    assert set(HOSTILE) <= {r["sample"] for r in records}
    for r in records:
        cells = {s["column"]: s["value"] for s in r["sheet"]}
        assert {text.replace("/", "\u2215") for text in HOSTILE} <= cells.keys()
        if r["sample"] in HOSTILE:
            assert cells["histology"] == r["sample"]


def test_no_table_holds_a_cell_a_spreadsheet_would_compute(cohort):
    tables = sorted(cohort.rglob("*.tsv"))
    assert len(tables) > 8
    seen = set()
    for path in tables:
        for line in path.read_text(encoding="utf-8").splitlines()[1:]:
            for cell in line.split("\t"):
                assert not re.match(r"\s*([=+@]|-(?![\d.]|$))", cell), (path.name, cell)
                seen.add(cell)
    assert {"'=HYPERLINK(1)", "'@SUM(1)", "'+1+cmd", "'-x"} <= seen
    assert set(HOSTILE) <= set(read_table(cohort / "mechanisms.tsv")["sample"])


def test_pages_load_nothing_and_say_research_use_only(cohort):
    for page in [cohort / "index.html", *(cohort / "reports").glob("*.html")]:
        text = page.read_text()
        assert "Research use only" in text
        assert 'src="http' not in text
        assert not re.search(r"<link[^>]*http", text)
        assert "@import" not in text


def test_numbers_on_a_page_are_those_of_the_tables(cohort):
    mechanisms = read_table(cohort / "mechanisms.tsv").set_index(["sample", "mechanism"])
    for path in (cohort / "reports").glob("*.json"):
        record = json.loads(path.read_text())
        for entry in [*record["mechanisms"], *record["further_mechanisms"]]:
            row = mechanisms.loc[(record["sample"], entry["mechanism"])]
            assert entry["raw"]["verdict"] == row["verdict"]
            for name in ("percentile", "low", "high"):
                if np.isnan(row[name]):
                    assert entry["raw"][name] is None
                else:
                    assert entry["raw"][name] == row[name]


def test_the_cohort_opens_in_scanpy(cohort):
    anndata = pytest.importorskip("anndata")
    data = anndata.read_h5ad(cohort / "cohort.h5ad")
    scores = read_table(cohort / "scores.wide.tsv").set_index("sample")
    pd.testing.assert_frame_equal(
        data.obsm["scores"][scores.columns], scores, check_names=False, check_exact=True
    )
    assert json.loads(data.uns["provenance"])["reference"]["name"] == "thirty"


def test_the_manifest_lists_every_output_with_its_digest(cohort):
    from resistpath.provenance import file_sha256

    manifest = json.loads((cohort / "manifest.json").read_text())
    listed = manifest["outputs"]
    whole = (p for p in cohort.rglob("*") if p.is_file() and SEALS not in p.parts)
    files = {str(p.relative_to(cohort)) for p in whole}
    assert set(listed) == files - {"manifest.json", "ro-crate-metadata.json"}
    assert listed["scores.tsv"] == file_sha256(cohort / "scores.tsv")


def test_the_same_input_gives_the_same_bytes(cohort, tmp_path):
    again = tmp_path / "mine"
    source = cohort.parents[1]
    for words in (
        ["prepare", again, "--expression", source / "x.tsv.gz", "--samples", source / "s.tsv"],
        ["score", again],
        ["deconvolve", again],
        ["reference", "build", again, "--name", "thirty"],
        ["assess", again, "--reference", again / "reference.npz"],
        ["report", again, "--reference", again / "reference.npz"],
    ):
        assert main([str(w) for w in words]) == 0
    first = json.loads((cohort / "manifest.json").read_text())["outputs"]
    second = json.loads((again / "manifest.json").read_text())["outputs"]
    assert first == second


def test_one_sample_against_a_pack_gives_the_same_rows_as_in_its_cohort(cohort, tmp_path):
    source, alone = cohort.parents[1], tmp_path / "alone"
    x = pd.read_csv(source / "x.tsv.gz", sep="\t", index_col=0)
    sample = x.columns[7]
    x[[sample]].to_csv(tmp_path / "x.tsv", sep="\t")
    for words in (
        ["prepare", alone, "--expression", tmp_path / "x.tsv", "--samples", source / "s.tsv"],
        ["score", alone],
        ["deconvolve", alone],
        ["assess", alone, "--reference", cohort / "reference.npz"],
    ):
        assert main([str(w) for w in words]) == 0
    for name in ("scores", "fractions", "mechanisms", "readouts"):
        whole = read_table(cohort / f"{name}.tsv")
        rows = whole[whole["sample"] == sample].reset_index(drop=True)
        few = read_table(alone / f"{name}.tsv").astype(rows.dtypes)
        pd.testing.assert_frame_equal(few, rows, check_exact=True)


def fails(capsys, *words):
    """Run a verb that must end in one sentence and status 2, and return the sentence."""
    assert main([str(w) for w in words]) == 2
    out, err = capsys.readouterr()
    lines = [line for line in err.splitlines() if not line.startswith("prepare: ")]
    assert out == ""
    assert len(lines) == 1, err
    assert "Traceback" not in err
    return lines[0]


_SYMBOLS = [g for g in catalogue().readout("HALLMARK_IFNA").genes_up if g not in ("GZMA", "PRF1")]


def test_bad_input_ends_in_one_sentence_and_leaves_nothing(tmp_path, capsys):
    x, s, out = tmp_path / "x.tsv", tmp_path / "s.tsv", tmp_path / "out"
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        rng.integers(0, 500, (50, 3)), index=[f"XX{i}" for i in range(50)], columns=list("abc")
    )

    def prepare(*more):
        message = fails(capsys, "prepare", out, "--expression", x, *more)
        assert not out.exists()
        return message

    assert "no such expression matrix" in prepare()
    x.write_text("")
    assert "is empty" in prepare()
    x.write_text("one column only\nA\nB\n")
    assert "no tab, comma or semicolon" in prepare()
    x.write_text("gene\ta\tb\nTP53\t1\n")
    assert "the header has 3 fields and the first row 2" in prepare()
    x.write_text("gene\ta\ta\nTP53\t1\t2\nPTEN\t2\t3\n")
    assert "sample names occur twice: a" in prepare()
    x.write_text("gene\ta\tb\nTP53\t1\toops\nPTEN\t2\t3\n")
    assert (
        "sample 'b' holds 1 values that are not numbers, first 'oops' for gene 'TP53'" in prepare()
    )
    frame.to_csv(x, sep="\t")
    assert "is not a unit" in prepare("--units", "furlongs")
    assert "gene_id: the gene identifiers are of no known kind" in prepare("--units", "counts")
    frame.index = [*catalogue().readout("CYT_ROONEY2").genes_up, *_SYMBOLS[:48]]
    frame.to_csv(x, sep="\t")
    s.write_text("name\tage\na\t3\n")
    assert "no column 'sample'" in prepare("--units", "counts", "--samples", s)
    s.write_text("sample\ttimepoint\na\tbefore\n")
    assert "column timepoint holds before" in prepare("--units", "counts", "--samples", s)
    s.write_text("sample\tage\nz\t3\n")
    assert "no sample of the sheet (z) is a column" in prepare("--units", "counts", "--samples", s)
    whole = gzip.compress(frame.to_csv(sep="\t").encode())
    (tmp_path / "x.tsv.gz").write_bytes(whole[: len(whole) // 2])
    x = tmp_path / "x.tsv.gz"
    assert "damaged or truncated" in prepare()


def test_steps_say_what_they_miss(tmp_path, capsys, cohort):
    assert "run resistpath prepare first" in fails(capsys, "score", tmp_path)
    (tmp_path / "prepared.h5ad").write_bytes(b"junk")
    assert "not a cohort prepared by resistpath" in fails(capsys, "score", tmp_path)
    assert "no such reference pack" in fails(
        capsys, "assess", cohort, "--reference", tmp_path / "no.npz"
    )
    assert "there is no scoring method 'guess'" in fails(
        capsys, "score", cohort, "--methods", "guess"
    )
    assert "there is no signature" in fails(capsys, "signatures", "show", "NOPE")


def test_signatures_can_be_listed(capsys):
    assert main(["signatures", "list"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    rows = [line for line in lines if not line.startswith("!")]
    at = head.index("readout")
    assert all(line[at - 1] == " " and line[at] != " " for line in rows)  # columns are aligned
    assert len(rows) == len(catalogue().readouts) + 6
    assert main(["signatures", "list", "--mechanism", "treg", "--json"]) == 0
    records = json.loads(capsys.readouterr().out)
    assert [r["readout"] for r in records] == ["TREG_ZHANG9", "TREG_COMBES9", "QUANTISEQ_TREGS"]
    assert records[0]["points_against"] == ["read"]
    assert main(["signatures", "list", "--axis", "host", "--json"]) == 0
    host = json.loads(capsys.readouterr().out)
    assert {r["mechanism"] for r in host if r["method"] == "not assessed"} == {
        *("host_microbiome", "host_hla_genotype", "host_tmb_msi_neoantigen"),
        *("host_ctdna_blood_counts", "host_prior_treatment_steroids", "host_body_age_sex"),
    }
    assert "there is no axis 'outer'" in fails(capsys, "signatures", "list", "--axis", "outer")
    assert "no mechanism 'x'" in fails(capsys, "signatures", "list", "--mechanism", "x")


def test_a_signature_is_shown_with_everything_known(capsys):
    assert main(["signatures", "show", "PANFTBRS_MARIATHASAN19"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for words in (
        *("Mariathasan 2018 Nature", "10.1038/nature25501", "CC BY 3.0", "tier A", "two sources"),
        *("19 genes now of 19 published", "CCN2 (CTGF)", "RFLNB (FAM101B)", "tumour-extrinsic"),
        *(
            "TGF-β exclusion (tgf_beta)",
            "ssgsea of PANFTBRS_MARIATHASAN19, sign +1",
            "high = resist",
        ),
        *(
            "time-point note",
            "overlap cluster none",
            "failed replications",
            "AUC for response in 14",
        ),
    ):
        assert words in text, words
    assert main(["signatures", "show", "CYT_ROONEY2", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert sorted(record["up"]) == ["GZMA", "PRF1"]
    assert record["doi"] == "10.1016/j.cell.2014.12.033"
    (readout,) = record["readouts"]
    assert readout["cluster"] == "t_cells"
    assert "cd8_t_effector" in readout["cluster_members"]
    assert readout["direction_check"]["n_cohorts"] == 15


def test_other_ids_are_shown_too(capsys):
    for name, words in (
        ("PTEN_SINGLE", "gene of PTEN, sign -1"),  # a readout without a signature
        ("JERBY_RES", "JERBY_RES_DOWN: Immune resistance programme, down"),  # a pair
        ("hypoxia", "resistance direction high"),  # a mechanism
        ("host_microbiome", "not assessed"),
    ):
        assert main(["signatures", "show", name]) == 0
        assert words in " ".join(capsys.readouterr().out.split())


def test_every_verb_has_help(capsys):
    for verb in (
        ["fetch"],
        ["prepare"],
        ["score"],
        ["deconvolve"],
        ["reference", "build"],
        ["reference", "show"],
        ["assess"],
        ["report"],
        ["signature", "build"],
        ["signature", "show"],
        ["signatures", "list"],
        ["signatures", "show"],
        ["signatures", "check"],
    ):
        with pytest.raises(SystemExit) as stop:
            main([*verb, "--help"])
        assert stop.value.code == 0
        assert "usage: resistpath" in capsys.readouterr().out


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text("old")

    def stopped():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        stopped()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["t.tsv"]


def test_tables_are_read_back_exactly(tmp_path):
    table = pd.DataFrame(
        {
            "x": [0.1, 1 / 3, np.nan, 1e-300],
            "word": ["NA?", "", "β", "a"],
            "ok": [True, False, None, True],
        }
    )
    write_table(tmp_path / "t.tsv", table)
    back = read_table(tmp_path / "t.tsv")
    np.testing.assert_array_equal(back["x"], table["x"])
    assert list(back["word"]) == ["NA?", "", "β", "a"]
    assert list(back["ok"].fillna("-")) == ["yes", "no", "-", "yes"]


@pytest.mark.parametrize("suffix", ["tsv", "csv", "tsv.gz"])
def test_matrices_are_read_in_each_form(tmp_path, suffix):
    frame = pd.DataFrame({"s 1": [1.5, np.nan], "s2": [0.1, 2.0]}, index=["TP53", "PTEN"])
    path = tmp_path / f"m.{suffix}"
    frame.to_csv(path, sep="," if "csv" in suffix else "\t", index_label="gene", na_rep="NA")
    pd.testing.assert_frame_equal(
        read_source(path).values, frame, check_names=False, check_exact=True
    )


def test_a_header_as_r_writes_it_is_understood(tmp_path):
    path = tmp_path / "m.tsv"
    path.write_text("a\tb\nTP53\t1\t2\nPTEN\t3\t4\n")
    assert read_source(path).values.loc["PTEN", "b"] == 4


def test_sample_sheets_know_two_other_names(tmp_path):
    path = tmp_path / "s.csv"
    path.write_text("sample_id,patient_id,timepoint\na,p1,pre\nb,p1,\n")
    sheet = read_sample_sheet(path)
    assert list(sheet["patient"]) == ["p1", "p1"]
    assert sheet["timepoint"]["b"] is None


def test_file_names_are_safe_and_distinct():
    names = file_names(["a", "A", "a/b", "a-b", "..", "index", "x" * 200, "é"])
    lower = [n.lower() for n in names.values()]
    assert len(set(lower)) == len(lower)
    assert all(
        set(n) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
        for n in lower
    )
    assert not any(n.startswith(".") for n in lower)


def test_run_hands_the_sheet_to_snakemake(tmp_path, repository, capfd):
    demo = repository / "resources" / "demo"
    sheet = tmp_path / "cohorts.tsv"
    sheet.write_text(
        f"cohort\texpression\tsamples\nmine\t{demo / 'expression.tsv.gz'}\t{demo / 'samples.tsv'}\n"
    )
    words = [str(sheet), "--results", str(tmp_path / "r"), "--cores", "1"]
    assert main(["run", *words, "--", "--dry-run", "--directory", str(tmp_path)]) == 0
    said = capfd.readouterr()
    assert "This was a dry-run" in said.out + said.err
    assert f"{tmp_path / 'r'}/mine/manifest.json" in said.out + said.err
