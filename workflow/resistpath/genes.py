"""Identifier harmonisation: from the ids of a matrix to current HGNC symbols, nothing lost.

A gene is kept if its biotype in the gene table (see `identifiers`) is ``protein_coding`` and it
has a symbol and a length.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from resistpath.errors import UserError, some
from resistpath.identifiers import (
    GENE_ID_KINDS,
    Answers,
    clean_table,
    detect,
    detect_gene_id,
    refuse_mouse,
    resolve,
    texts,
    turn_table,
    use_ensembl,
)

__all__ = ["GENE_ID_KINDS", "MERGES", "current_symbols", "detect_gene_id", "harmonise", "lengths"]

MERGES = {"sum": "summed", "mean": "averaged", "max": "maximum taken"}


def harmonise(
    values: pd.DataFrame, table: pd.DataFrame, gene_id: str = "auto", merge: str = "sum"
) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Bring a matrix to current symbols of protein-coding genes and say what became of each row.

    Rows that resolve to one gene are joined, because the reads of a gene are split between its
    identifiers. A row with a missing value is dropped whole, so genes can depend on which
    samples are given only through missing values; every value depends on its own sample alone.

    Parameters
    ----------
    values
        Linear abundances, genes x samples, with the original identifiers (may repeat) as index.
    table
        The gene table.
    gene_id
        ``"auto"`` or one of `GENE_ID_KINDS`.
    merge
        ``"sum"`` (right for linear abundances), ``"mean"`` or ``"max"``, per sample.

    Returns
    -------
    matrix, report, kind
        Genes x samples in the table's order (index named ``gene``); one row per input row, in
        input order, with `input_id`, `symbol` (missing if dropped), `action` (``kept``,
        ``renamed``, ``merged``, ``dropped``) and `reason`; the kind of identifier read.

    Raises
    ------
    UserError
        If the identifiers cannot be told apart, look like mouse symbols, or none is known.
    """
    for word, value, known in (
        ("gene_id", gene_id, ("auto", *GENE_ID_KINDS)),
        ("merge", merge, tuple(MERGES)),
    ):
        if value not in known:
            raise UserError(f"{value!r} is not one of {', '.join(known)}", where=word)
    names = turn_table(table)
    ids = texts(values.index)
    if gene_id == "auto":
        kind, _, found = detect(ids, names)
    else:
        kind, found = gene_id, resolve(ids, names, gene_id)
    if kind == "symbol":
        refuse_mouse(ids, found)
        use_ensembl(found, ids, names)
    _drop_unusable(found, names.table, values)
    if not (found.row >= 0).any():
        raise UserError(
            f"no row is a known protein-coding gene when read as {kind},"
            f" for example {some(ids[:3], 3)}",
            where="gene_id",
            do="check gene_id, and that genes are in rows",
        )
    matrix = _merge(values, found.row, names.table["symbol"], merge)
    return matrix, _report(values.index, found, names.table["symbol"], merge), kind


def _drop_unusable(found: Answers, table: pd.DataFrame, values: pd.DataFrame) -> None:
    """Drop, with a reason, known genes that are not protein-coding and rows with missing values."""
    reasons = "not protein-coding (" + table["biotype"] + ")"
    lacking = table["biotype"].eq("protein_coding")
    reasons[lacking] = "protein-coding, but its length is not known"
    reasons[table["biotype"].eq("protein_coding_unnamed")] = (
        "protein-coding, but without an approved symbol"
    )
    known = found.row >= 0
    other = known.copy()
    other[known] = ~table["coding"].to_numpy()[found.row[known]]
    found.reason[other] = reasons.to_numpy()[found.row[other]]
    missing = values.isna().to_numpy().sum(axis=1)
    holes = known & ~other & (missing > 0)
    words = [f"missing values in {n} sample{'s' if n > 1 else ''}" for n in missing[holes]]
    found.reason[holes] = words
    found.action[other | holes] = "dropped"
    found.row[other | holes] = -1


def _merge(
    values: pd.DataFrame, rows: npt.NDArray[np.int64], symbol: pd.Series, merge: str
) -> pd.DataFrame:
    """Join the input rows of each gene; the result does not depend on their order."""
    used = np.flatnonzero(rows >= 0)
    used = used[np.argsort(rows[used], kind="stable")]
    genes, start, size = np.unique(rows[used], return_index=True, return_counts=True)
    data = values.to_numpy(dtype=np.float64)
    out = data[used[start]]
    for n in np.unique(size[size > 1]):
        which = np.flatnonzero(size == n)
        # Sorted per sample, then added one by one: the same sum whatever the order of the rows
        # and the number of samples.
        parts = np.sort(data[used[start[which][None, :] + np.arange(n)[:, None]]], axis=0)
        total = parts[-1] if merge == "max" else parts[0].copy()
        if merge != "max":
            for part in parts[1:]:
                total += part
        out[which] = total / n if merge == "mean" else total
    index = pd.Index(symbol.to_numpy()[genes], name="gene")
    return pd.DataFrame(out, index=index, columns=values.columns)


def _report(ids: pd.Index, found: Answers, symbol: pd.Series, merge: str) -> pd.DataFrame:
    """One row per input row, in input order."""
    kept = found.row >= 0
    size = np.bincount(found.row[kept], minlength=len(symbol))[found.row]
    shared = kept & (size > 1)
    ending = np.where(size == 2, " other row", " other rows").astype(object)
    count = (size - 1).astype(str).astype(object)
    reason = found.reason.copy()
    reason[shared] = (reason + f"; {MERGES[merge]} with " + count + ending)[shared]
    names = symbol.to_numpy(dtype=object)[found.row]
    return pd.DataFrame(
        {
            "input_id": [str(i) for i in ids],
            "symbol": np.where(kept, names, np.nan),
            "action": np.where(shared, "merged", found.action),
            "reason": reason,
        }
    )


def lengths(table: pd.DataFrame) -> pd.Series:
    """Merged-exon length in bases of each protein-coding gene, in the table's order."""
    table = clean_table(table)
    coding = table[table["coding"]]
    index = pd.Index(coding["symbol"], name="gene")
    return pd.Series(coding["length"].to_numpy(dtype=np.float64), index=index, name="length")


def current_symbols(genes: Iterable[str], table: pd.DataFrame) -> pd.DataFrame:
    """Look up published gene symbols.

    Returns
    -------
    DataFrame
        One row per input: `published`, `symbol` (missing if unknown or ambiguous), `how`.
    """
    names = turn_table(table)
    published = texts(genes)
    found = resolve(published, names, "symbol")
    known = found.row >= 0
    coding = names.table["coding"].to_numpy()[found.row]
    biotype = names.table["biotype"].to_numpy(dtype=object)[found.row]
    note = np.where(known & ~coding, "; not protein-coding (" + biotype + ")", "")
    symbol = names.table["symbol"].to_numpy(dtype=object)[found.row]
    return pd.DataFrame(
        {
            "published": published,
            "symbol": np.where(known, symbol, np.nan),
            "how": found.reason + note.astype(object),
        }
    )
