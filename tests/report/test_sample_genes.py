"""Every gene of a sample in its page, leading genes, and methods side by side."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from report_tools import Page, make_genes

from resistpath.mechanisms.catalogue import Catalogue
from resistpath.report import text
from resistpath.report.genes import GeneNames, SampleGenes, leading, unpacked
from resistpath.report.scorers import by_method

# ------------------------------------------------------------------ genes and methods


def test_every_gene_can_be_read_back_from_page_and_document(
    page: str, book: Catalogue, record: dict[str, Any]
) -> None:
    given = make_genes(book)
    found = unpacked(record["genes"])
    assert len(found) == record["genes"]["n"] == len(given.level)
    for i, name in enumerate(given.names.rows):
        assert abs(found[name]["log2_tpm"] - given.level[i]) <= 0.05 + 1e-9
        place = given.percentile[i]
        if np.isnan(place):
            assert found[name]["percentile"] is None
        else:
            shown = {0: "<1", 100: ">99"}.get(p := found[name]["percentile"], str(p))
            assert shown == text.percentile_text(place)
    held = json.loads(Page(page).all("script", id="gene-data")[0]["text"])
    assert held == {k: record["genes"][k] for k in ("n", "symbols", "values")}
    assert "/genes/n" in Page(page).numbers()


@pytest.mark.parametrize("names", [[], ["Ä", "Äb", "\U0001f9ec1", "\U0001f9ec2"], ["x" * 90] * 1])
def test_any_names_can_be_packed(names: list[str]) -> None:
    known = ["AB", "ABC", "x" * 89, *names]
    genes = SampleGenes(GeneNames.of(known), np.zeros(len(known)), np.full(len(known), np.nan))
    assert set(unpacked(genes.record())) == set(known)


def test_leading_genes_pull_the_readout_where_it_lies(
    page: str, book: Catalogue, record: dict[str, Any]
) -> None:
    genes = make_genes(book)
    where = dict(zip(genes.names.rows, genes.percentile, strict=True))
    seen = 0
    for m in record["mechanisms"]:
        for r in m["readouts"]:
            entry, led = book.readout(r["readout"]), r["leading"]
            known = [g for g in entry.genes_up + entry.genes_down if where.get(g, np.nan) >= 0]
            if r["raw"]["percentile"] is None or not known:
                assert led is None
                continue
            seen += 1
            towards = 1 if r["raw"]["percentile"] >= 50 else -1
            pull = {
                g: (where[g] - 50) * towards * (1 if g in entry.genes_up else -1) for g in known
            }
            assert led["placed"] == len(known)
            assert led["agreeing"] == sum(v > 0 for v in pull.values())
            named = [g["gene"] for g in led["genes"]]
            best = sorted((v for v in pull.values() if v > 0), reverse=True)[:5]
            assert [pull[g] for g in named] == best
            assert all(pull[g["gene"]] <= -25 for g in led["against"])
            for g in led["genes"] + led["against"]:
                assert g["percentile"] == where[g["gene"]]
                assert g["inverted"] == (g["gene"] in entry.genes_down)
    assert seen > 20
    numbers = Page(page).numbers()
    assert "/mechanisms/0/readouts/0/leading/genes/0/percentile" in numbers
    assert "/mechanisms/0/readouts/0/by_method/places/0/percentile" in numbers
    assert leading(book.readouts[0], None, genes) is None
    assert leading(book.readouts[0], 60.0, None) is None


def test_methods_are_compared_on_the_same_set() -> None:
    found = {"mean": {"X": 10.0}, "ssgsea": {"X": 62.0}, "singscore": {"X": float("nan")}}
    assert by_method("X", "ssgsea", found) == {
        "places": [
            {"method": "ssgsea", "percentile": 62.0},
            {"method": "mean", "percentile": 10.0},
        ],
        "difference": 52.0,
        "reading": "disagree",
    }
    assert by_method("X", "gene", found) is None
    assert by_method("X", "ssgsea", {"mean": {"X": 10.0}}) is None
