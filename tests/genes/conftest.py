"""A gene table of a few made-up genes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="module")
def small() -> pd.DataFrame:
    """A hand-made table: order of rows is the order of the result."""
    rows = [
        # ensembl, symbol, previous, alias, entrez, biotype, length, ensembl_other, entrez_other
        ("ENSG00000000010", "BBB", "OLDB|RETIRED", "b-b", "10", "protein_coding", 1000, "", "11"),
        (
            "ENSG00000000020",
            "AAA1",
            "AAA",
            "SHARED",
            "20",
            "protein_coding",
            2000,
            "ENSG00000000021",
            "",
        ),
        ("ENSG00000000030", "C-C", "", "SHARED|BBB", "30", "protein_coding", 500, "", ""),
        ("ENSG00000000040", "LNC1", "OLDLNC", "", "40", "lncRNA", np.nan, "", ""),
        ("ENSG00000000050", "RETIRED2", "", "", "", "protein_coding", np.nan, "", ""),
        ("ENSG00000000060", "", "", "", "", "protein_coding_unnamed", np.nan, "", ""),
        ("ENSG00000000070", "C1orf7", "", "", "70", "protein_coding", 700, "", ""),
    ]
    columns = [
        "ensembl",
        "symbol",
        "previous",
        "alias",
        "entrez",
        "biotype",
        "length",
        "ensembl_other",
        "entrez_other",
    ]
    return pd.DataFrame(rows, columns=columns)
