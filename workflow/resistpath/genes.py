"""Identifier harmonisation: from the ids of a matrix to current HGNC symbols, nothing lost.

A gene is kept if its biotype in the gene table (see `identifiers`) is ``protein_coding`` and it
has a symbol and a length.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from resistpath.errors import UserError, some
from resistpath.expression import count_missing, samples_by_genes
from resistpath.identifiers import (
    GENE_ID_KINDS,
    Answers,
    Names,
    as_names,
    detect,
    detect_gene_id,
    refuse_foreign,
    refuse_mouse,
    resolve,
    texts,
    use_ensembl,
)

__all__ = [
    "GENE_ID_KINDS",
    "MERGES",
    "GeneMap",
    "Harmonised",
    "current_symbols",
    "detect_gene_id",
    "harmonise",
    "harmonise_all",
    "lengths",
    "map_genes",
    "universe",
]

MERGES = {
    "sum": "summed",
    "mean": "averaged",
    "max": "maximum taken",
    "max_mean": "the row with the highest mean over the cohort kept",
}
_NOT_USABLE = {
    "protein_coding": "protein-coding, but its length is not known",
    "protein_coding_unnamed": "protein-coding, but without an approved symbol",
}


@dataclass(frozen=True)
class Harmonised:
    """A matrix by current symbol, and what was left outside it.

    Attributes
    ----------
    matrix
        Genes x samples in the table's order; index named ``gene``.
    report
        One row per input row, see `harmonise`.
    kind
        The kind of identifier read.
    biotypes
        Biotype x samples: sums of the input over the known genes of each biotype, and over
        ``unknown`` rows. Their shares need a linear scale.
    others
        Symbol x samples: genes asked for by `also` that are in the input.
    """

    matrix: pd.DataFrame
    report: pd.DataFrame
    kind: str
    biotypes: pd.DataFrame
    others: pd.DataFrame

    def per_million(self, symbol: str) -> pd.Series | None:
        """One of `others` in parts per million of the whole input, or None if it is not there."""
        if symbol not in self.others.index:
            return None
        total = samples_by_genes(self.biotypes).sum(axis=1)
        part = self.others.loc[symbol].to_numpy(dtype=np.float64)
        out = np.divide(part, total, out=np.zeros(len(total)), where=total > 0)
        return pd.Series(out * 1e6, index=self.others.columns, name=symbol)


@dataclass(frozen=True)
class _Groups:
    """Which input rows are joined: the first row of each group, and groups of several by size."""

    first: npt.NDArray[np.int64]
    several: tuple[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]], ...]

    @classmethod
    def of(cls, number: npt.NDArray[np.int64]) -> _Groups:
        """Groups of rows with the same number, in its order; negative ones are left out."""
        used = np.flatnonzero(number >= 0)
        used = used[np.argsort(number[used], kind="stable")]
        _, start, size = np.unique(number[used], return_index=True, return_counts=True)
        several = []
        for n in np.unique(size[size > 1]):
            which = np.flatnonzero(size == n)
            several.append((which, used[start[which][None, :] + np.arange(n)[:, None]]))
        return cls(used[start], tuple(several))

    def join(self, rows: npt.NDArray[np.float64], merge: str) -> npt.NDArray[np.float64]:
        """Samples x groups from samples x rows; the result does not depend on their order."""
        out = rows.take(self.first, axis=1)
        for which, members in self.several:
            # Sorted per sample, then added one by one: the same sum whatever the order of the
            # rows and the number of samples.
            parts = np.sort([rows.take(one, axis=1) for one in members], axis=0)
            total = parts[-1] if merge == "max" else parts[0].copy()
            if merge in ("sum", "mean"):
                for part in parts[1:]:
                    total += part
            out[:, which] = total / len(members) if merge == "mean" else total
        return out


@dataclass(frozen=True)
class GeneMap:
    """What every row of a matrix stands for: decided once, applied to any block of its samples.

    Attributes
    ----------
    kind
        The kind of identifier read.
    genes
        Current symbols of the genes kept, in the table's order; index named ``gene``.
    report
        One row per input row, in input order: `input_id`, `symbol` (missing if dropped), `action`
        (``kept``, ``renamed``, ``merged``, ``dropped``) and `reason`.
    """

    kind: str
    genes: pd.Index
    report: pd.DataFrame
    _groups: _Groups
    _biotypes: tuple[_Groups, npt.NDArray[np.object_]]
    _others: tuple[_Groups, pd.Index]
    _merge: str

    def apply(self, values: pd.DataFrame) -> Harmonised:
        """Bring linear values, genes x samples with the rows of the map, to current symbols."""
        rows, samples = samples_by_genes(values), values.columns
        others, symbols = self._others
        return Harmonised(
            pd.DataFrame(self._groups.join(rows, self._merge).T, self.genes, samples),
            self.report,
            self.kind,
            _biotype_sums(rows, *self._biotypes, samples),
            pd.DataFrame(others.join(rows, "sum").T, symbols, samples),
        )


def map_genes(
    values: pd.DataFrame,
    table: pd.DataFrame | Names,
    gene_id: str = "auto",
    merge: str = "sum",
    also: Iterable[str] = ("XIST",),
) -> GeneMap:
    """Decide what every row of a matrix stands for.

    Rows that resolve to one gene are joined, because the reads of a gene are split between its
    identifiers. A row with a missing value is dropped whole, so genes can depend on which
    samples are given only through missing values; every value depends on its own sample alone.
    The exception is ``merge="max_mean"``, for microarrays: which probe stands for a gene then
    depends on the cohort.

    Parameters
    ----------
    values
        Genes x samples, with the original identifiers (may repeat) as index. Only missing values
        matter here, and with ``merge="max_mean"`` the means.
    table
        The gene table, or what `identifiers.turn_table` made of it, to turn it only once.
    gene_id
        ``"auto"`` or one of `GENE_ID_KINDS`.
    merge
        ``"sum"`` (right for linear abundances), ``"mean"`` or ``"max"``, per sample, or
        ``"max_mean"``: of several probes the one with the highest mean over the samples given
        (right for arrays, on any scale).
    also
        Current symbols of genes that are not protein-coding to return beside the matrix.

    Raises
    ------
    UserError
        If the identifiers cannot be told apart, are not of human genes, or none is known.
    """
    names, found, kind = _resolve(values, table, gene_id, merge)
    number, biotypes = _by_biotype(texts(values.index), found.row, names.table)
    others = _others(also, found, names)
    _drop_unusable(found, names.table, values)
    if not (found.row >= 0).any():
        raise UserError(
            f"no row is a known protein-coding gene when read as {kind},"
            f" for example {some(texts(values.index)[:3], 3)}",
            where="gene_id",
            do="check gene_id, and that genes are in rows",
        )
    symbol = names.table["symbol"]
    if merge == "max_mean":
        _drop_lower_probes(values, found, symbol)
    kept = np.unique(found.row[found.row >= 0])
    place = np.full(len(symbol) + 1, -1, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    return GeneMap(
        kind,
        pd.Index(symbol.to_numpy(dtype=object)[kept], name="gene"),
        _report(values.index, found, symbol, merge),
        _Groups.of(place[found.row]),
        (_Groups.of(number), biotypes),
        others,
        merge,
    )


def harmonise(
    values: pd.DataFrame, table: pd.DataFrame | Names, gene_id: str = "auto", merge: str = "sum"
) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Bring a linear matrix to current symbols of protein-coding genes; see `map_genes`.

    Returns
    -------
    matrix, report, kind
        Genes x samples in the table's order (index named ``gene``); one row per input row, see
        `GeneMap`; the kind of identifier read.
    """
    whole = harmonise_all(values, table, gene_id, merge, also=())
    return whole.matrix, whole.report, whole.kind


def harmonise_all(
    values: pd.DataFrame,
    table: pd.DataFrame | Names,
    gene_id: str = "auto",
    merge: str = "sum",
    also: Iterable[str] = ("XIST",),
) -> Harmonised:
    """Harmonise as `harmonise` does, and keep what quality control reads outside the matrix."""
    return map_genes(values, table, gene_id, merge, also).apply(values)


def _resolve(
    values: pd.DataFrame, table: pd.DataFrame | Names, gene_id: str, merge: str
) -> tuple[Names, Answers, str]:
    """What each row stands for, in a gene table turned round, and the kind of identifier."""
    for word, value, known in (
        ("gene_id", gene_id, ("auto", *GENE_ID_KINDS)),
        ("merge", merge, tuple(MERGES)),
    ):
        if value not in known:
            raise UserError(f"{value!r} is not one of {', '.join(known)}", where=word)
    names = as_names(table)
    ids = texts(values.index)
    if gene_id == "auto":
        kind, found = detect(ids, names)
    else:
        refuse_foreign(ids)
        kind, found = gene_id, resolve(ids, names, gene_id)
    if kind == "symbol":
        refuse_mouse(ids, pd.Series(found.action == "kept"))
        use_ensembl(found, ids, names)
    return names, found, kind


def _others(also: Iterable[str], found: Answers, names: Names) -> tuple[_Groups, pd.Index]:
    """Rows of genes that are wanted beside the protein-coding ones, and which are there."""
    wanted = names.symbol.reindex(pd.Index(list(dict.fromkeys(also)))).dropna().astype(np.int64)
    there = wanted[wanted.isin(found.row)]
    number = np.full(len(found.row), -1, dtype=np.int64)
    for i, row in enumerate(there):
        number[found.row == row] = i
    return _Groups.of(number), pd.Index(there.index, name="gene", dtype=object)


def _drop_lower_probes(values: pd.DataFrame, found: Answers, symbol: pd.Series) -> None:
    """Of the rows of one gene keep the one with the highest mean; whatever the order of rows."""
    kept = np.flatnonzero(found.row >= 0)
    groups = pd.Series(kept).groupby(found.row[kept]).agg(list)
    groups = groups[groups.map(len) > 1]
    data = values.loc[:, sorted(values.columns, key=str)].to_numpy(dtype=np.float64)
    for members in groups:
        gene = symbol.iloc[found.row[members[0]]]
        mean = {i: float(np.sort(data[i]).mean()) for i in members}
        best = max(members, key=lambda i: (mean[i], tuple(data[i])))
        found.reason[best] += f"; highest mean of {len(members)} rows"
        for i in members:
            if i != best:
                found.row[i], found.action[i] = -1, "dropped"
                found.reason[i] += f"; another row of {gene} has the higher mean"


def _by_biotype(
    ids: pd.Series, rows: npt.NDArray[np.int64], table: pd.DataFrame
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.object_]]:
    """Number the genes and unknown identifiers behind the rows, biotype by biotype.

    Returns the number of each row, and the biotype of each number: an order of the input that
    does not depend on that of its rows.
    """
    biotype = table["biotype"].to_numpy(dtype=object)[rows]
    biotype[rows < 0] = "unknown"
    key = np.where(rows < 0, ids.to_numpy(dtype=object), "")
    frame = pd.DataFrame({"biotype": biotype, "row": rows, "key": key})
    groups = frame.groupby(["biotype", "row", "key"], sort=True)
    first = groups.head(1).sort_values(["biotype", "row", "key"])
    number = np.asarray(groups.ngroup(), dtype=np.int64)
    return number, np.asarray(first["biotype"], dtype=object)


def _biotype_sums(
    rows: npt.NDArray[np.float64],
    groups: _Groups,
    biotypes: npt.NDArray[np.object_],
    samples: pd.Index,
) -> pd.DataFrame:
    """Sums over the rows of each biotype, the same whatever the order of the rows."""
    holes = np.isnan(rows)
    whole = groups.join(np.where(holes, 0.0, rows) if holes.any() else rows, "sum")
    names, starts = np.unique(biotypes, return_index=True)
    ends = [*starts[1:], len(biotypes)]
    sums = [
        np.ascontiguousarray(whole[:, a:b]).sum(axis=1) for a, b in zip(starts, ends, strict=True)
    ]
    return pd.DataFrame(np.array(sums), pd.Index(names, name="biotype"), samples)


def _drop_unusable(found: Answers, table: pd.DataFrame, values: pd.DataFrame) -> None:
    """Drop, with a reason, known genes that are not protein-coding and rows with missing values."""
    known = found.row >= 0
    other = known.copy()
    other[known] = ~table["coding"].to_numpy()[found.row[known]]
    biotypes = table["biotype"].to_numpy(dtype=object)[found.row[other]]
    found.reason[other] = [
        _NOT_USABLE.get(biotype, f"not protein-coding ({biotype})") for biotype in biotypes
    ]
    missing = count_missing(values)[0]
    holes = known & ~other & (missing > 0)
    words = [f"missing values in {n} sample{'s' if n > 1 else ''}" for n in missing[holes]]
    found.reason[holes] = words
    found.action[other | holes] = "dropped"
    found.row[other | holes] = -1


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


def universe(table: pd.DataFrame | Names) -> pd.DataFrame:
    """Protein-coding genes that a matrix can hold: symbol, ensembl, entrez; the table's order."""
    table = as_names(table).table
    coding = table.loc[table["coding"], ["symbol", "ensembl", "entrez"]]
    return coding.reset_index(drop=True)


def lengths(table: pd.DataFrame | Names) -> pd.Series:
    """Merged-exon length in bases of each protein-coding gene, in the table's order."""
    table = as_names(table).table
    coding = table[table["coding"]]
    index = pd.Index(coding["symbol"], name="gene")
    return pd.Series(coding["length"].to_numpy(dtype=np.float64), index=index, name="length")


def current_symbols(genes: Iterable[str], table: pd.DataFrame | Names) -> pd.DataFrame:
    """Look up published gene symbols.

    Returns
    -------
    DataFrame
        One row per input: `published`, `symbol` (missing if unknown or ambiguous), `how`.
    """
    return translate(genes, table, "symbol")


def translate(genes: Iterable[str], table: pd.DataFrame | Names, kind: str) -> pd.DataFrame:
    """Look up gene identifiers of one kind; returns what `current_symbols` does."""
    names = as_names(table)
    published = texts(genes)
    found = resolve(published, names, kind)
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
