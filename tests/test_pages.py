"""Pages written in parts, for some samples only, and what they say of reads."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from resistpath.cli import main
from resistpath.io.files import file_names
from resistpath.io.prepared import read_prepared
from resistpath.mechanisms.verdict import Thresholds
from resistpath.steps import sample_data
from resistpath.steps.reference import choose
from resistpath.steps.results import load_results


def folder_bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def cohort(finished, tmp_path):
    """A copy of the finished cohort, without the reports."""
    out = tmp_path / finished.name
    shutil.copytree(finished, out, ignore=shutil.ignore_patterns("reports"))
    return out


def run(verb, cohort, *words):
    pack = cohort / "reference.npz"
    return main(["--quiet", verb, str(cohort), "--reference", str(pack), *map(str, words)])


def parts(cohort, n):
    """Write the pages in n parts; return their folders."""
    folders = [cohort / "pages" / f"{i}-of-{n}" for i in range(1, n + 1)]
    for folder in folders:
        assert run("pages", cohort, "--out", folder, "--part", folder.name) == 0
    return folders


@pytest.mark.parametrize("links", [True, False])
def test_parts_are_the_bytes_of_the_whole(finished, cohort, monkeypatch, links):
    monkeypatch.setattr("resistpath.steps.pages.TOGETHER", 7)

    def refused(*_):
        raise OSError

    if not links:
        monkeypatch.setattr(os, "link", refused)
    folders = parts(cohort, 4)
    assert [len(list(f.iterdir())) for f in folders] == [14, 16, 14, 16]
    assert run("report", cohort, "--made", *folders) == 0
    assert folder_bytes(cohort / "reports") == folder_bytes(finished / "reports")
    assert (cohort / "index.html").read_bytes() == (finished / "index.html").read_bytes()
    assert [len(list(f.iterdir())) for f in folders] == [14, 16, 14, 16]


def test_only_some_samples_get_a_page(finished, cohort, tmp_path):
    samples = list(read_prepared(cohort / "prepared.h5ad").values)
    chosen = [samples[20], samples[0], samples[7]]
    only = tmp_path / "only.txt"
    only.write_text("\n".join(chosen) + "\n\n", encoding="utf-8")
    assert run("report", cohort, "--only", only) == 0
    whole, found = folder_bytes(finished / "reports"), folder_bytes(cohort / "reports")
    names = file_names(samples)
    assert found.keys() == {f"{names[s]}.{kind}" for s in chosen for kind in ("html", "json")}
    assert all(whole[name] == content for name, content in found.items())
    page = (cohort / "index.html").read_text(encoding="utf-8")
    assert f"reports/{names[samples[7]]}.html" in page
    assert f"reports/{names[samples[8]]}.html" not in page
    assert names[samples[8]] in page
    manifest = json.loads((cohort / "manifest.json").read_text(encoding="utf-8"))
    assert sum(name.startswith("reports/") for name in manifest["outputs"]) == 6


@pytest.mark.parametrize(
    ("verb", "words", "said"),
    [
        ("pages", ["--out", "o", "--part", "4-of-3"], "there is no part 4 of 3"),
        ("pages", ["--out", "o", "--threads", "0"], "threads must be 1 or more"),
        ("pages", ["--out", "o", "--only", "some.txt"], "1 of 2 names are no sample"),
        ("pages", ["--out", "o", "--only", "none.txt"], "no such list of samples"),
        ("report", ["--made", "pages"], "60 pages were not written"),
    ],
)
def test_what_cannot_be_is_refused(cohort, monkeypatch, capsys, verb, words, said):
    monkeypatch.chdir(cohort)
    Path("some.txt").write_text("S10\nS99\n", encoding="utf-8")
    Path("pages").mkdir()
    assert run(verb, cohort, *words) == 2
    assert said in capsys.readouterr().err
    assert not Path("o").exists()
    assert not Path("reports").exists()


def test_a_part_is_two_numbers(cohort, capsys):
    with pytest.raises(SystemExit):
        run("pages", cohort, "--out", "o", "--part", "half")
    assert "'half' is not of the form 2-of-11" in capsys.readouterr().err


def test_key_genes_of_a_cohort_of_reads_are_flagged_by_their_reads(tmp_path):
    from resistpath.api import gene_lengths

    rng = np.random.default_rng(1)
    genes = gene_lengths().index
    level = rng.lognormal(4, 1, (len(genes), 1)) * np.ones((1, 25))
    reads = pd.DataFrame(rng.poisson(level), genes, [f"s{i}" for i in range(25)])
    reads.loc["B2M"] = [9, 10] * 12 + [9]
    reads.loc["HLA-A"] = 10_000
    reads.to_csv(tmp_path / "x.tsv.gz", sep="\t")
    out = tmp_path / "out"
    for words in (["prepare", out, "--expression", tmp_path / "x.tsv.gz"], ["score", out]):
        assert main(["--quiet", *map(str, words)]) == 0
    assert main(["--quiet", "deconvolve", str(out)]) == 0
    assert main(["--quiet", "reference", "build", str(out), "--name", "own"]) == 0
    assert run("assess", out) == 0
    chosen = choose([out / "reference.npz"], Thresholds().min_reference)[0]
    results = load_results(out, chosen, Thresholds(), None)
    flags = sample_data.key_genes(results).set_index(["gene", "sample"])["low_count"]
    assert flags["B2M"].tolist() == [True, False] * 12 + [True]
    assert not flags["HLA-A"].any()
    # Without reads the flag is one of TPM: ten reads of these two million are more than one.
    without = replace(results, prepared=replace(results.prepared, counts=None))
    assert not sample_data.key_genes(without).set_index("gene")["low_count"]["B2M"].any()
