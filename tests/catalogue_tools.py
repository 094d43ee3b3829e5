"""The shipped tables of the catalogue as text, and what is asked of them often."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from resistpath.mechanisms.catalogue import COLUMNS

RESOURCES = Path(__file__).resolve().parents[1] / "resources"


def read_tables():
    """Read the shipped tables as a user's spreadsheet would hold them: text and NA."""
    return {
        name.removesuffix(".tsv"): pd.read_csv(
            RESOURCES / "catalogue" / name,
            sep="\t",
            dtype=str,
            na_values=["NA"],
            keep_default_na=False,
        )
        for name in COLUMNS
    }


def genes_of(catalogue, readout):
    entry = catalogue.readout(readout)
    return set(entry.genes_up + entry.genes_down)
