"""The rows of an expression matrix under the names a signature knows its genes by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from resistpath.deconvolve.algebra import Floats
from resistpath.errors import UserError

WITHDRAWN = "entry withdrawn"  # HGNC's words for such an entry


def text(column: pd.Series) -> list[str]:
    """Read a column as text; a missing cell is an empty text."""
    missing = column.isna().to_numpy()
    return ["" if gone else str(cell) for cell, gone in zip(column, missing, strict=True)]


def need(tables: object, name: str, columns: Sequence[str]) -> pd.DataFrame:
    """Take a table out of `tables` and check that it has its columns."""
    try:
        table: pd.DataFrame = tables[name]  # type: ignore[index]
    except KeyError:
        raise UserError(f"the table {name!r} was not given") from None
    lacking = [c for c in columns if c not in table.columns]
    if lacking:
        raise UserError(f"the table {name!r} lacks columns: {', '.join(lacking)}")
    return table


class Rows:
    """A matrix and a name for each of its rows; rows of one name are one gene, their median.

    Parameters
    ----------
    tpm
        Genes x samples.
    names
        One name per row; an empty one leaves the row out.
    """

    def __init__(self, tpm: pd.DataFrame, names: Sequence[str]) -> None:
        self.labels = [str(gene) for gene in tpm.index]
        self.samples = pd.Index([str(c) for c in tpm.columns], name="sample")
        self.values = tpm.to_numpy()
        self.at: dict[str, list[int]] = {}
        for row, name in enumerate(names):
            if name:
                self.at.setdefault(name, []).append(row)

    def __contains__(self, name: str) -> bool:
        return name in self.at

    def label(self, name: str) -> str:
        """Name the rows of a gene as the matrix has them."""
        return "|".join(self.labels[row] for row in self.at.get(name, []))

    def first(self, name: str) -> int:
        """Find the first row of a gene."""
        return self.at[name][0]

    def value(self, name: str) -> Floats:
        """Values of one gene in all samples."""
        rows = self.at[name]
        ranked = np.sort(self.values[rows].astype(np.float64), axis=0)
        return np.asarray((ranked[(len(rows) - 1) // 2] + ranked[len(rows) // 2]) / 2)

    def sums(self, genes: Sequence[str] | None = None) -> Floats:
        """Sum all genes, or those named, of each sample.

        Each sample is gathered in the order of the gene names and summed along memory by itself,
        so neither its neighbours nor the order of the rows can change a bit of the sum.
        """
        names = sorted(self.at if genes is None else genes)
        order = np.array([self.at[n][0] for n in names if len(self.at[n]) == 1], dtype=np.intp)
        out = np.empty(len(self.samples))
        for start in range(0, len(out), 64):
            block = self.values[:, start : start + 64].T.astype(np.float64, order="C")
            out[start : start + 64] = np.take(block, order, axis=1).sum(axis=1)
        for name in names:
            if len(self.at[name]) > 1:
                out += self.value(name)
        return out

    def quantile_normalised(self) -> Rows:
        """Quantile-normalise the genes over the samples."""
        names = sorted(self.at)
        values = quantile_normalise(np.array([self.value(name) for name in names]))
        return Rows(pd.DataFrame(values, [self.label(n) for n in names], self.samples), names)


def quantile_normalise(values: Floats) -> Floats:
    """Give all columns one distribution, the mean of their sorted values.

    Tied values take the mean of the one or two places in the middle of those they span, as
    preprocessCore has it.
    """
    mean = np.sort(values, axis=0).mean(axis=1)
    out = np.empty_like(values)
    for column in range(values.shape[1]):
        _, which, count = np.unique(values[:, column], return_inverse=True, return_counts=True)
        last = np.cumsum(count) - 1
        first = last - count + 1
        lower: npt.NDArray[np.intp] = (first + last) // 2
        upper: npt.NDArray[np.intp] = (first + last + 1) // 2
        out[:, column] = ((mean[lower] + mean[upper]) / 2)[which]
    return out


def find(signature: pd.DataFrame, labels: Sequence[str]) -> list[str]:
    """Name the row of each signature gene: its current symbol, else as published, else another.

    A published name counts only if it is the current symbol or one of the other ones: MCP-counter
    prints "C" for CAVIN2, and a row called C is not that gene.

    Returns an empty text for a gene that is not there.
    """
    here = set(labels)
    found = []
    columns = (text(signature[c]) for c in ("gene", "symbol", "other_symbols"))
    for published, symbol, others in zip(*columns, strict=True):
        former = others.split("|") if others else []
        names = [symbol, *(n for n in [published] if n in former), *former]
        found.append(next((name for name in names if name in here), ""))
    return found


def as_of_2017(labels: Sequence[str], table: pd.DataFrame) -> tuple[list[str], pd.DataFrame]:
    """Name each row as quantiseqr does, and list what became of all rows that did not just stay.

    An approved symbol of 2017-04-18 stays. A previous symbol takes the approved one unless the
    matrix holds that too. A withdrawn symbol is kept under the words of its entry, which makes one
    gene of all of them: it has no part in the signature, but one in the sum. All else is dropped.

    Returns
    -------
    names
        One per row; empty where the row is dropped.
    changed
        ``row``, ``becomes``, ``fate``.
    """
    symbols = pd.Index(text(table["symbol"]))
    becomes = np.array([*text(table["becomes"]), None], dtype=object)
    found = becomes[symbols.get_indexer(pd.Index(labels))]  # -1, not found, is the None at the end
    approved = {gene for gene, name in zip(labels, found, strict=True) if name == ""}
    names, changed = [], []
    for gene, name in zip(labels, found, strict=True):
        if name is None or name in approved:
            names.append("")
            fate = "unknown" if name is None else f"previous symbol of {name}, which is there too"
            changed.append((gene, "", f"dropped: {fate}"))
        else:
            names.append(name or gene)
            if name == WITHDRAWN:
                changed.append((gene, name, "withdrawn symbol: counted in the sum only"))
            elif name:
                changed.append((gene, name, "renamed"))
    return names, pd.DataFrame(changed, columns=["row", "becomes", "fate"])


class TooFewGenes(UserError):
    """A matrix that lacks a method's genes, such as a panel; other methods may still run on it.

    Parameters
    ----------
    found, wanted
        Genes of the method that the matrix holds, and that it needs.
    method
        Its name, for the message.
    """

    def __init__(self, found: int, wanted: int, method: str) -> None:
        self.found, self.wanted = found, wanted
        super().__init__(
            f"{method} found {found} of its {wanted} signature genes among the rows",
            do="give human gene symbols as row names, and all genes rather than a panel",
        )


def require_half(found: int, wanted: int, method: str) -> None:
    """Refuse a matrix that holds fewer than half of a method's genes."""
    if 2 * found < wanted:
        raise TooFewGenes(found, wanted, method)
