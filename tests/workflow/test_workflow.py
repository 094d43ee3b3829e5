"""The workflow as users run it, on a small cohort made from the demo."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pandas as pd
import pytest


@pytest.fixture(scope="module")
def folder(tmp_path_factory, repository):
    """A working directory with a cohort of 24 tumours and a sheet with just the needed columns."""
    folder = tmp_path_factory.mktemp("with space")
    demo = repository / "resources" / "demo"
    x = pd.read_csv(demo / "expression.tsv.gz", sep="\t", index_col=0).iloc[:, :24]
    x.to_csv(folder / "x.tsv", sep="\t")
    s = pd.read_csv(demo / "samples.tsv", sep="\t", dtype=str, keep_default_na=False)
    s[s["sample"].isin(x.columns)].to_csv(folder / "s.tsv", sep="\t", index=False)
    (folder / "cohorts.tsv").write_text("cohort\texpression\tsamples\nfew\tx.tsv\ts.tsv\n")
    return folder


@pytest.fixture
def snakemake(folder, repository):
    def run(*words, results="results"):
        env = {**os.environ, "PYTHONPATH": str(repository / "workflow")}
        done = subprocess.run(  # noqa: S603
            [
                *(sys.executable, "-m", "snakemake", "--cores", "2"),
                *("--snakefile", str(repository / "Snakefile")),
                *("--configfile", str(repository / "config" / "config.yaml")),
                *words,
                *("--config", "cohorts=cohorts.tsv", f"results={results}"),
            ],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_the_workflow_runs_and_a_second_run_does_nothing(snakemake, folder):
    status, said = snakemake()
    assert status == 0, said
    results = folder / "results" / "few"
    assert len(list((results / "reports").glob("*.html"))) == 24
    assert (results / "manifest.json").is_file()
    rules = ("prepare", "score", "deconvolve", "reference", "assess", "compare", "differential")
    for rule in (*rules, "report"):
        assert (results / "logs" / f"{rule}.log").is_file()
        assert (results / "benchmarks" / f"{rule}.tsv").is_file()
    status, said = snakemake()
    assert status == 0
    assert "Nothing to be done" in said


def test_a_changed_threshold_reruns_verdicts_and_pages_only(snakemake, folder):
    if not (folder / "results").exists():
        snakemake()
    other = folder / "other.yaml"
    other.write_text("assess: {high: 80}\n")
    status, said = snakemake("--dry-run", "--configfile", str(other))
    assert status == 0, said
    planned = set(re.findall(r"^(?:local)?rule (\w+):", said, flags=re.MULTILINE))
    assert planned - {"all"} == {"assess", "compare", "report"}


def test_pages_in_several_jobs_are_the_same_bytes(snakemake, folder):
    results = folder / "results" / "few"
    if not results.exists():
        snakemake()
    before = {path.name: path.read_bytes() for path in (results / "reports").iterdir()}
    other = folder / "block.yaml"
    other.write_text("report: {block: 10}\n")
    status, said = snakemake("--configfile", str(other))
    assert status == 0, said
    ran = re.findall(r"^(?:local)?rule (\w+):", said, flags=re.MULTILINE)
    assert sorted(ran) == ["all", "pages", "pages", "pages", "report"]
    assert {path.name: path.read_bytes() for path in (results / "reports").iterdir()} == before
    assert not (results / "pages").exists()
    status, said = snakemake("--configfile", str(other))
    assert "Nothing to be done" in said


def test_a_list_of_samples_is_read_from_the_cohort_sheet(snakemake, folder):
    if not (folder / "results").exists():
        snakemake()
    (folder / "wanted.txt").write_text("S003\nS001\n")
    kept = (folder / "cohorts.tsv").read_text()
    sheet = "cohort\texpression\tsamples\treports\nfew\tx.tsv\ts.tsv\twanted.txt\n"
    (folder / "cohorts.tsv").write_text(sheet)
    try:
        status, said = snakemake()
    finally:
        (folder / "cohorts.tsv").write_text(kept)
    assert status == 0, said
    pages = sorted(p.name for p in (folder / "results" / "few" / "reports").glob("S*"))
    assert pages == ["S001.html", "S001.json", "S003.html", "S003.json"]


def test_several_references_reach_the_steps_in_the_order_of_the_sheet(snakemake, folder):
    sheet = folder / "cohorts.tsv"
    good = sheet.read_text()
    try:
        sheet.write_text(
            "cohort\texpression\tsamples\treference\n"
            "few\tx.tsv\ts.tsv\tself|cptac_ucec, cptac_ucec\n"
        )
        status, said = snakemake("--dry-run", "--printshellcmds", results="several")
        packs, _ = snakemake("--dry-run", "references", results="packs")
    finally:
        sheet.write_text(good)
    assert status == 0, said
    given = (
        r"--reference '?several/few/reference\.npz\|\S*cptac_ucec\.npz'? --reference \S*cptac_ucec"
    )
    assert len(re.findall(given, said)) == 2, said
    assert packs == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cohort\texpression\nfew\tnone.tsv\n", "none.tsv"),
        ("cohort\texpression\tcolour\nfew\tx.tsv\tred\n", "colour"),
        ("cohort\texpression\n../up\tx.tsv\n", "../up"),
        ("cohort\texpression\nfew\tx.tsv\nfew\tx.tsv\n", "listed twice"),
    ],
)
def test_a_bad_cohort_sheet_is_named(snakemake, folder, text, message):
    sheet = folder / "cohorts.tsv"
    good = sheet.read_text()
    try:
        sheet.write_text(text)
        status, said = snakemake("--dry-run", results="elsewhere")
    finally:
        sheet.write_text(good)
    assert status == 1
    assert message in said
    assert not (folder / "up").exists()


def test_a_failing_step_fails_the_run_and_says_why(snakemake, folder):
    """Rules pipe to tee, which must not hide the exit status of the command."""
    (folder / "broken.tsv").write_text("gene\ta\nTP53\toops\nPTEN\t1\n")
    sheet = folder / "cohorts.tsv"
    good = sheet.read_text()
    try:
        sheet.write_text("cohort\texpression\nbroken\tbroken.tsv\n")
        status, said = snakemake(results="failing")
    finally:
        sheet.write_text(good)
    assert status == 1
    assert "values that are not numbers, first 'oops' for gene 'TP53'" in said
    assert "Traceback" not in said
    assert not (folder / "failing" / "broken" / "prepared.h5ad").exists()


def test_an_unknown_setting_is_named(snakemake, folder):
    other = folder / "typo.yaml"
    other.write_text("asess: {high: 80}\n")
    status, said = snakemake("--dry-run", "--configfile", str(other))
    assert status == 1
    assert "asess" in said
