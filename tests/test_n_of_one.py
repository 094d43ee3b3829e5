"""A sample's report is the same bytes alone, in company, in any order, blocks and threads."""

from __future__ import annotations

import pandas as pd
import pytest

from resistpath import expression
from resistpath.io.packs import find_pack
from resistpath.mechanisms.verdict import Thresholds
from resistpath.quality import Gates
from resistpath.steps import deconvolve as deconvolve_step
from resistpath.steps import sample_data, sample_pages
from resistpath.steps.assess import assess
from resistpath.steps.prepare import prepare
from resistpath.steps.report import report
from resistpath.steps.score import score


@pytest.fixture(scope="module")
def others(tmp_path_factory, repository):
    """A second reference, so that places beside the primary one are compared too."""
    from dataclasses import replace

    from resistpath.io.packs import read_reference, write_reference

    whole = read_reference(find_pack("cptac_ucec"))
    kept = whole.values.columns[1:61]
    half = replace(
        whole, name="sixty", values=whole.values[kept], fractions=whole.fractions.loc[kept]
    )
    path = tmp_path_factory.mktemp("packs") / "sixty.npz"
    write_reference(path, half)
    return path


@pytest.fixture(scope="module")
def reports(tmp_path_factory, repository, others):
    demo = repository / "resources" / "demo"
    x = pd.read_csv(demo / "expression.tsv.gz", sep="\t", index_col=0, dtype=str)
    sheet = pd.read_csv(demo / "samples.tsv", sep="\t", dtype=str, keep_default_na=False)
    sheet = sheet.set_index("sample")

    def run(samples, threads, block):
        folder = tmp_path_factory.mktemp("n1") / "cohort"
        matrix, table = folder.parent / "x.tsv", folder.parent / "s.tsv"
        x[samples].to_csv(matrix, sep="\t")
        sheet.loc[samples].to_csv(table, sep="\t")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(expression, "BLOCK_SAMPLES", block)
            patch.setattr(deconvolve_step, "BLOCK", block)
            for module in (sample_pages, sample_data):
                patch.setattr(module, "BLOCK", block)
            patch.setattr(sample_data, "GENES_BLOCK", 2 * block)
            prepare(folder, matrix, cohort="demo", gates=Gates(), samples=table)
            deconvolve_step.deconvolve(folder, methods=["quantiseq", "estimate"])
            score(folder, methods=["ssgsea"], network=None, threads=threads)
            references = ["cptac_ucec", others]
            assess(folder, references, thresholds=Thresholds())
            report(folder, references, thresholds=Thresholds(), threads=threads)
        return {p.name: p.read_bytes() for p in sorted((folder / "reports").iterdir())}

    three = list(x.columns[:3])
    return three, {
        "together": run(three, 1, 16),
        "reversed, two threads, blocks of one": run(three[::-1], 2, 1),
        "alone": run(three[:1], 1, 16),
    }


def test_reports_are_equal_byte_for_byte(reports):
    samples, runs = reports
    together = runs.pop("together")
    assert set(together) == {f"{s}.{kind}" for s in samples for kind in ("html", "json")}
    for way, files in runs.items():
        assert files, way
        for name, content in files.items():
            assert content == together[name], f"{name} differs when run {way}"


def test_reports_name_the_other_reference(reports):
    samples, runs = reports
    page = runs["alone"][f"{samples[0]}.html"].decode()
    assert "Also placed in:" in page
    assert "sixty" in page
