"""What an expression matrix is: genes x samples, one unit, one kind of gene identifier."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from resistpath.errors import UserError, some


@dataclass(frozen=True)
class Expression:
    """An expression matrix together with what is known about it.

    Attributes
    ----------
    values
        Genes x samples; float; index named ``gene``.
    units
        A unit string such as ``"counts"``, ``"tpm"`` or ``"log2(tpm+1)"`` (see `units`).
    gene_id
        ``"symbol"``, ``"entrez"``, ``"ensembl"`` or ``"symbol|entrez"``.
    report
        How unit and identifiers were decided, and everything dropped, renamed or merged:
        plain values and DataFrames, keyed by topic.
    """

    values: pd.DataFrame
    units: str
    gene_id: str
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def samples(self) -> list[str]:
        """Sample names in column order."""
        return [str(c) for c in self.values.columns]


def check_numeric(values: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return `values` as float64 or say which cells are not numbers.

    Raises
    ------
    UserError
        If a cell is text, a sample name occurs twice or is empty, or the matrix is empty.
    """
    if values.shape[0] < 2 or values.shape[1] < 1:
        raise UserError(
            f"the matrix has {values.shape[0]} genes and {values.shape[1]} samples",
            where=where,
            do="check the separator, and that genes are in rows and samples in columns",
        )
    names = pd.Index([str(c).strip() for c in values.columns])
    if names.has_duplicates:
        raise UserError(
            f"sample names occur twice: {some(names[names.duplicated()].unique())}",
            where=where,
            do="give each column its own name",
        )
    if (names == "").any():
        raise UserError("a column has no name", where=where, do="name every sample")
    out = {}
    for name, (_, column) in zip(names, values.items(), strict=True):
        numbers = pd.to_numeric(column, errors="coerce")
        bad = numbers.isna() & column.notna()
        if bad.any():
            gene, text = values.index[bad][0], column[bad].iloc[0]
            raise UserError(
                f"sample {name!r} holds {int(bad.sum())} values that are not numbers,"
                f" first {text!r} for gene {gene!r}",
                where=where,
                do="every cell after the gene column must be a number or NA",
            )
        out[name] = numbers.astype(np.float64)
    frame = pd.DataFrame(out, index=values.index)
    frame.index = frame.index.map(str)
    frame.index.name = "gene"
    infinite = np.isinf(frame.to_numpy())
    if infinite.any():
        raise UserError(
            f"{int(infinite.sum())} values are infinite, first in sample"
            f" {frame.columns[infinite.any(axis=0)][0]!r}",
            where=where,
            do="log2(0) is a usual cause: add an offset before taking the logarithm",
        )
    return frame
