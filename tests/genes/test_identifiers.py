"""What each identifier stands for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from genes_tools import fate, matrix

from resistpath.genes import harmonise


@pytest.mark.parametrize(
    ("written", "symbol", "action", "reason"),
    [
        ("BBB", "BBB", "kept", "approved symbol"),
        ("  BBB ", "BBB", "kept", "approved symbol"),
        ("AAA", "AAA1", "renamed", "previous symbol of AAA1"),
        ("b-b", "BBB", "renamed", "alias of BBB"),
        ("C.C", "C-C", "renamed", "symbol of C-C with dots for hyphens"),
        ("bbb", "BBB", "renamed", "symbol of BBB in other case"),
        ("oldb", "BBB", "renamed", "former symbol of BBB in other case"),
        ("C1ORF7", "C1orf7", "renamed", "symbol of C1orf7 in other case"),
        ("ENSG00000000020.3", "AAA1", "kept", "Ensembl id"),
        ("SHARED", None, "dropped", "ambiguous: alias of AAA1 and alias of C-C"),
        ("LNC1", None, "dropped", "not protein-coding (lncRNA)"),
        ("OLDLNC", None, "dropped", "not protein-coding (lncRNA)"),
        ("RETIRED2", None, "dropped", "protein-coding, but its length is not known"),
        ("NOSUCH", None, "dropped", "unknown identifier"),
        ("", None, "dropped", "no identifier"),
        (None, None, "dropped", "no identifier"),
        (np.nan, None, "dropped", "no identifier"),
        ("NA", None, "dropped", "no identifier"),
        ("?", None, "dropped", "no identifier"),
    ],
)
def test_symbol(
    small: pd.DataFrame, written: object, symbol: str | None, action: str, reason: str
) -> None:
    report = fate(small, [written, "C1orf7x", "C-C" if symbol != "C-C" else "BBB"])
    row = report.iloc[0]
    assert (row["action"], row["reason"]) == (action, reason)
    assert row["symbol"] == symbol if symbol else pd.isna(row["symbol"])


@pytest.mark.parametrize(
    "written",
    [
        *("1-Mar", "01-MAR", "2-Sep", "Mar-01", "Sep-2002", "1-Dec", "1. Mrz", "15-Sep-14"),
        *("2001-03-01", "2001-03-01 00:00:00", "3/1/2001", "01.03.2001", "March-01"),
    ],
)
def test_dates_are_named_as_such(small: pd.DataFrame, written: str) -> None:
    assert fate(small, [written, "BBB"])["reason"][0] == "looks like a date (spreadsheet damage)"


@pytest.mark.parametrize(
    ("written", "symbol", "action", "reason"),
    [
        ("ENSG00000000010", "BBB", "kept", "Ensembl id"),
        ("ENSG00000000010.18", "BBB", "kept", "Ensembl id"),
        ("ENSG00000000010.7_PAR_Y", "BBB", "kept", "Ensembl id (PAR_Y copy)"),
        ("ENSGR0000000010.7", "BBB", "kept", "Ensembl id (PAR_Y copy)"),
        ("ENSG00000000021.2", "AAA1", "renamed", "former or alternate Ensembl id of AAA1"),
        ("ENSG00000000040", None, "dropped", "not protein-coding (lncRNA)"),
        ("ENSG00000000060", None, "dropped", "protein-coding, but without an approved symbol"),
        (
            "ENSMUSG00000000010",
            None,
            "dropped",
            "Ensembl ids of mouse or rat: give human genes",
        ),
        ("BBB", None, "dropped", "unknown identifier"),
    ],
)
def test_ensembl(
    small: pd.DataFrame, written: str, symbol: str | None, action: str, reason: str
) -> None:
    row = fate(small, [written, "ENSG00000000030"], "ensembl").iloc[0]
    assert (row["action"], row["reason"]) == (action, reason)
    assert row["symbol"] == symbol if symbol else pd.isna(row["symbol"])


@pytest.mark.parametrize(
    ("kind", "written", "symbol", "action", "reason"),
    [
        ("entrez", 10, "BBB", "kept", "Entrez id"),
        ("entrez", "10.0", "BBB", "kept", "Entrez id"),
        ("entrez", 10.0, "BBB", "kept", "Entrez id"),
        ("entrez", "11", "BBB", "renamed", "former or alternate Entrez id of BBB"),
        ("entrez", "40", None, "dropped", "not protein-coding (lncRNA)"),
        ("entrez", "99", None, "dropped", "unknown identifier"),
        ("symbol|entrez", "OLDNAME|10", "BBB", "kept", "Entrez id"),
        ("symbol|entrez", "?|10", "BBB", "kept", "Entrez id"),
        (
            "symbol|entrez",
            "BBB|20",
            "AAA1",
            "kept",
            "Entrez id; the symbol beside it is that of BBB",
        ),
        ("symbol|entrez", "OLDB_10", "BBB", "kept", "Entrez id"),
        ("symbol|entrez", "BBB (10)", "BBB", "kept", "Entrez id"),
        (
            "symbol|entrez",
            "BBB_20",
            None,
            "dropped",
            "symbol and number do not name one gene",
        ),
        ("symbol|entrez", "BBB_99", None, "dropped", "symbol and number do not name one gene"),
        (
            "symbol|entrez",
            "AAA|99",
            "AAA1",
            "renamed",
            "previous symbol of AAA1, Entrez id unknown",
        ),
        ("symbol|entrez", "BBB|", "BBB", "kept", "approved symbol, Entrez id unknown"),
        ("symbol|entrez", "?|99", None, "dropped", "unknown identifier"),
        ("symbol|entrez", "?|?", None, "dropped", "no identifier"),
    ],
)
def test_entrez(
    small: pd.DataFrame, kind: str, written: object, symbol: str | None, action: str, reason: str
) -> None:
    row = fate(small, [written, {"entrez": "30"}.get(kind, "C-C|30")], kind).iloc[0]
    assert (row["action"], row["reason"]) == (action, reason)
    assert row["symbol"] == symbol if symbol else pd.isna(row["symbol"])


@pytest.mark.parametrize(
    ("written", "symbol", "action", "reason"),
    [
        ("ENSG00000000010.7|BBB", "BBB", "kept", "Ensembl id"),
        ("BBB|ENSG00000000010", "BBB", "kept", "Ensembl id"),
        ("ENSG00000000010_OLDB", "BBB", "kept", "Ensembl id"),
        ("ENSG00000000010.7_PAR_Y|BBB", "BBB", "kept", "Ensembl id (PAR_Y copy)"),
        (
            "ENSG00000000010|AAA1",
            "BBB",
            "kept",
            "Ensembl id; the symbol beside it is that of AAA1",
        ),
        (
            "ENSG00000009999|AAA",
            "AAA1",
            "renamed",
            "previous symbol of AAA1, Ensembl id unknown",
        ),
        ("ENSG00000000040|LNC1", None, "dropped", "not protein-coding (lncRNA)"),
        ("ENSG00000009999|NOSUCH", None, "dropped", "unknown identifier"),
    ],
)
def test_ensembl_beside_symbol(
    small: pd.DataFrame, written: str, symbol: str | None, action: str, reason: str
) -> None:
    row = fate(small, [written, "ENSG00000000030|C-C"], "ensembl|symbol").iloc[0]
    assert (row["action"], row["reason"]) == (action, reason)
    assert row["symbol"] == symbol if symbol else pd.isna(row["symbol"])


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("NM_000546.6", "RefSeq ids of transcripts: sum transcripts to genes first"),
        ("ENST00000269305.9", "Ensembl ids of transcripts: sum transcripts to genes first"),
        ("1007_s_at", "probes of a microarray: replace probes by gene symbols"),
        ("cg00000029", "methylation probes: give gene expression"),
    ],
)
def test_a_stray_row_of_another_kind_is_named(
    small: pd.DataFrame, written: str, reason: str
) -> None:
    row = fate(small, [written, "BBB", "AAA1"]).iloc[0]
    assert row["action"] == "dropped"
    assert row["reason"].startswith(reason)


def test_approved_symbol_wins_over_another_genes_alias(small: pd.DataFrame) -> None:
    # BBB is an alias of C-C, but the approved symbol of BBB.
    values, report, _ = harmonise(matrix(["BBB", "C-C"]), small)
    assert list(report["action"]) == ["kept", "kept"]
    assert values.loc["BBB", "s0"] == 1.0
