"""The gene table turned round: from every kind of name to the gene it stands for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from resistpath.errors import UserError, some
from resistpath.identifiers.dates import dated_names

MISSING = frozenset(("", "?", "-", "--", "---", "na", "n/a", "nan", "none", "null", "<na>"))
UNKNOWN = "unknown identifier"

Objects = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Names:
    """The gene table turned round: from each kind of name to the table row it stands for.

    Each look-up is made when it is first asked for.
    """

    table: pd.DataFrame

    @cached_property
    def symbol(self) -> pd.Series:
        """Approved symbols."""
        return _rows_of(self.table, "symbol")

    @cached_property
    def symbol_upper(self) -> pd.Series:
        """Approved symbols in capitals, where that leaves them apart."""
        return _sole(_capitals(self.symbol.index), self.symbol.to_numpy())

    @cached_property
    def _claims(self) -> pd.DataFrame:
        return _former(self.table)

    @cached_property
    def former(self) -> pd.Series:
        """Previous symbols and aliases that one gene claims."""
        return _sole(self._claims["name"], self._claims["row"])

    @cached_property
    def former_text(self) -> pd.Series:
        """What each of `former` was to its gene, in words."""
        return _sole(self._claims["name"], self._claims["text"])

    @cached_property
    def former_upper(self) -> pd.Series:
        """Previous symbols and aliases in capitals, those of approved symbols left out."""
        upper = self._claims[["row"]].assign(name=_capitals(self._claims["name"]).to_numpy())
        upper = upper.drop_duplicates(["name", "row"])
        upper = upper[~upper["name"].isin(_capitals(self.symbol.index))]
        return _sole(upper["name"], upper["row"])

    @cached_property
    def ambiguous(self) -> pd.Series:
        """Previous symbols and aliases that several genes claim, and which, in words."""
        claims = self._claims
        several = claims[claims["name"].duplicated(keep=False)].sort_values("row", kind="stable")
        words: dict[str, str] = {}
        for name, text in zip(several["name"], several["text"], strict=True):
            words[name] = f"{words[name]} and {text}" if name in words else f"ambiguous: {text}"
        return pd.Series(words, dtype=object)

    @cached_property
    def ensembl(self) -> pd.Series:
        """Current Ensembl ids."""
        return _rows_of(self.table, "ensembl")

    @cached_property
    def ensembl_other(self) -> pd.Series:
        """Former and alternate Ensembl ids."""
        return _rows_of(self.table, "ensembl_other")

    @cached_property
    def entrez(self) -> pd.Series:
        """Current Entrez ids."""
        return _rows_of(self.table, "entrez")

    @cached_property
    def entrez_other(self) -> pd.Series:
        """Former Entrez ids."""
        return _rows_of(self.table, "entrez_other")

    @cached_property
    def dates(self) -> pd.DataFrame:
        """Names that a spreadsheet takes for days; see `dates.dated_names`."""
        return dated_names(self.table)


@dataclass(frozen=True)
class Answers:
    """What each identifier stands for: table row (-1 for none), action, reason ("" = open)."""

    row: npt.NDArray[np.int64]
    action: Objects
    reason: Objects

    @classmethod
    def empty(cls, n: int) -> Answers:
        """Answers for n identifiers, all open."""
        action = np.full(n, "dropped", dtype=object)
        return cls(np.full(n, -1, dtype=np.int64), action, np.full(n, "", dtype=object))

    def open(self, ids: pd.Series) -> pd.Series:
        """Those of `ids` (indexed by position) that have no answer yet."""
        still: pd.Series = ids[self.reason[ids.index] == ""]
        return still

    def settle(self, rows: pd.Series, action: str, reason: str | pd.Series) -> None:
        """Answer the open identifiers for which `rows` (indexed by position) has a table row."""
        rows = self.open(rows.dropna())
        at = rows.index.to_numpy()
        self.row[at] = rows.to_numpy().astype(np.int64)
        self.action[at] = action
        self.reason[at] = reason if isinstance(reason, str) else reason.loc[at].to_numpy()

    def refuse(self, ids: pd.Series, reason: str | pd.Series) -> None:
        """Close the open ones of `ids` (indexed by position) without a gene."""
        at = self.open(ids).index.to_numpy()
        self.reason[at] = reason if isinstance(reason, str) else reason.loc[at].to_numpy()


def clean_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return the gene table with text columns free of missing values and a `coding` column."""
    needed = ("ensembl", "symbol", "previous", "alias", "entrez", "biotype", "length")
    lacking = [c for c in needed if c not in table.columns]
    if lacking:
        raise UserError(f"the gene table lacks {some(lacking)}", do="rebuild the table")
    text = [c for c in (*needed, "ensembl_other", "entrez_other") if c != "length"]
    out = pd.DataFrame({c: _as_text(table.get(c)) for c in text}, index=table.index)
    out["length"] = pd.to_numeric(table["length"], errors="coerce")
    out["coding"] = (out["biotype"] == "protein_coding") & (out["length"] > 0)
    out["coding"] &= out["symbol"] != ""
    return out.reset_index(drop=True)


def _as_text(column: pd.Series | None) -> pd.Series | str:
    """A column as text, "" where it is missing."""
    if column is None:
        return ""
    if pd.api.types.infer_dtype(column, skipna=False) == "string":
        return column
    return column.fillna("").astype(str)


def _pairs(table: pd.DataFrame, column: str) -> tuple[Objects, npt.NDArray[np.int64]]:
    """Each name in a column of lists, and the table row that it stands in."""
    cells = table[column].to_numpy(dtype=object)
    filled = np.flatnonzero(cells != "")
    rows = np.repeat(filled, [cell.count("|") + 1 for cell in cells[filled]])
    names = "|".join(cells[filled]).split("|") if len(filled) else []
    return np.array(names, dtype=object), rows


def _rows_of(table: pd.DataFrame, column: str) -> pd.Series:
    """Map each name in a column to its row; a name that two rows own is refused."""
    if column.endswith("_other"):
        names, rows = _pairs(table, column)
    else:
        cells = table[column].to_numpy(dtype=object)
        rows = np.flatnonzero(cells != "")
        names = cells[rows]
    index = pd.Index(names, dtype=object)
    if index.has_duplicates:
        twice = some(sorted(index[index.duplicated()].unique()))
        raise UserError(f"the gene table repeats {column} {twice}", do="rebuild the table")
    return pd.Series(rows, index=index)


def _former(table: pd.DataFrame) -> pd.DataFrame:
    """Every claim on a retired name or alias: name, row, text; approved symbols are not open."""
    symbol = table["symbol"].to_numpy(dtype=object)
    parts = []
    for column, words in (("previous", "previous symbol of "), ("alias", "alias of ")):
        names, rows = _pairs(table, column)
        parts.append(pd.DataFrame({"name": names, "row": rows, "text": words + symbol[rows]}))
    claims = pd.concat(parts, ignore_index=True)
    claims = claims[(claims["name"] != "") & ~claims["name"].isin(table["symbol"])]
    return claims.drop_duplicates(["name", "row"])


def _capitals(names: Iterable[str]) -> pd.Series:
    """Names in capitals, all at once: one by one they take ten times as long."""
    text = "\n".join(names)
    return pd.Series(np.array(text.upper().split("\n") if text else [], dtype=object))


def _sole(names: pd.Series, values: Iterable[object]) -> pd.Series:
    """Values of the names that occur once, by name."""
    once = ~names.duplicated(keep=False).to_numpy()
    return pd.Series(np.asarray(values)[once], index=pd.Index(names[once], dtype=object))


def turn_table(table: pd.DataFrame) -> Names:
    """Clean the gene table and ready every look-up it offers."""
    return Names(clean_table(table))


def as_names(table: pd.DataFrame | Names) -> Names:
    """Turn the gene table round unless that was done already."""
    return table if isinstance(table, Names) else turn_table(table)


def texts(ids: Iterable[object]) -> pd.Series:
    """Return identifiers as text without blanks around them."""
    return pd.Series(np.array(["" if i is None else str(i).strip() for i in ids], dtype=object))
