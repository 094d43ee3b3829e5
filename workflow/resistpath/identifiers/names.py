"""The gene table turned round: from every kind of name to the gene it stands for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

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
    """The gene table turned round: from each kind of name to the table row it stands for."""

    table: pd.DataFrame
    symbol: pd.Series
    former: pd.Series
    former_text: pd.Series
    ambiguous: pd.Series
    symbol_upper: pd.Series
    former_upper: pd.Series
    ensembl: pd.Series
    ensembl_other: pd.Series
    entrez: pd.Series
    entrez_other: pd.Series
    dates: pd.DataFrame


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
    out = pd.DataFrame({c: table.get(c, "") for c in text}, index=table.index)
    out = out.fillna("").astype(str)
    out["length"] = pd.to_numeric(table["length"], errors="coerce")
    out["coding"] = (out["biotype"] == "protein_coding") & (out["length"] > 0)
    out["coding"] &= out["symbol"] != ""
    return out.reset_index(drop=True)


def _rows_of(table: pd.DataFrame, column: str) -> pd.Series:
    """Map each name in a column to its row; a name that two rows own is refused."""
    items = table[column][table[column] != ""]
    if column.endswith("_other"):
        items = items.str.split("|").explode()
    if items.duplicated().any():
        twice = some(sorted(items[items.duplicated()].unique()))
        raise UserError(f"the gene table repeats {column} {twice}", do="rebuild the table")
    return pd.Series(items.index, index=pd.Index(items))


def _former(table: pd.DataFrame) -> pd.DataFrame:
    """Every claim on a retired name or alias: name, row, text; approved symbols are not open."""
    parts = []
    for column, words in (("previous", "previous symbol of "), ("alias", "alias of ")):
        names = table[column][table[column] != ""].str.split("|").explode()
        text = words + table["symbol"].loc[names.index]
        parts.append(
            pd.DataFrame({"name": names.to_numpy(), "row": names.index, "text": text.to_numpy()})
        )
    claims = pd.concat(parts, ignore_index=True)
    claims = claims[(claims["name"] != "") & ~claims["name"].isin(table["symbol"])]
    return claims.drop_duplicates(["name", "row"])


def _unique(frame: pd.DataFrame, key: str) -> pd.DataFrame:
    """Rows of `frame` whose `key` occurs once, indexed by it."""
    return frame[~frame[key].duplicated(keep=False)].set_index(key)


def turn_table(table: pd.DataFrame) -> Names:
    """Build every look-up the gene table offers."""
    table = clean_table(table)
    symbol = _rows_of(table, "symbol")
    claims = _former(table)
    sole = _unique(claims, "name")
    several = claims[claims["name"].duplicated(keep=False)].sort_values(["name", "row"])
    texts = several.groupby("name")["text"].agg(" and ".join)
    upper = pd.DataFrame({"name": symbol.index.str.upper(), "row": symbol.to_numpy()})
    claims = claims.assign(name=claims["name"].str.upper()).drop_duplicates(["name", "row"])
    claims = claims[~claims["name"].isin(upper["name"])]
    return Names(
        table=table,
        symbol=symbol,
        former=sole["row"],
        former_text=sole["text"],
        ambiguous="ambiguous: " + texts,
        symbol_upper=_unique(upper, "name")["row"],
        former_upper=_unique(claims, "name")["row"],
        ensembl=_rows_of(table, "ensembl"),
        ensembl_other=_rows_of(table, "ensembl_other"),
        entrez=_rows_of(table, "entrez"),
        entrez_other=_rows_of(table, "entrez_other"),
        dates=dated_names(table),
    )


def as_names(table: pd.DataFrame | Names) -> Names:
    """Turn the gene table round unless that was done already."""
    return table if isinstance(table, Names) else turn_table(table)


def texts(ids: Iterable[object]) -> pd.Series:
    """Return identifiers as text without blanks around them."""
    return pd.Series(["" if i is None else str(i).strip() for i in ids], dtype=object)
