"""What an identifier stands for: symbols past and present, Ensembl and Entrez ids.

The gene table (``resources/genes.tsv.gz``) is an argument of every function: one row per gene
with columns `ensembl`, `symbol`, `previous`, `alias`, `entrez`, `biotype`, `length` and,
optionally, `ensembl_other` and `entrez_other`; lists are joined by ``|``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from resistpath.errors import UserError, some

GENE_ID_KINDS = ("symbol", "entrez", "ensembl", "symbol|entrez")

_MISSING = frozenset(("", "?", "-", "--", "---", "na", "n/a", "nan", "none", "null", "<na>"))
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|mrz|mär|mai|okt|dez)"
)
_DATE = (  # 1-Mar, 01.Mar.2001, Mar-01, 2001-03-01 00:00:00, 3/1/2001
    rf"\d{{1,2}}[-/. ]+{_MONTH}\.?(?:[-/. ]+\d{{2,4}})?|{_MONTH}[-/. ]+\d{{2}}(?:\d{{2}})?"
    r"|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[ t]\d{1,2}:\d{2}(?::\d{2})?)?"
    r"|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}"
)
_DAMAGED = "looks like a date (spreadsheet damage)"
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
    )


def _by_symbol(ids: pd.Series, names: Names) -> Answers:
    """Resolve symbols: as written, then with hyphens for R's dots, then in any case."""
    out = Answers.empty(len(ids))
    out.settle(ids.map(names.symbol), "kept", "approved symbol")
    ids = out.open(ids)
    out.refuse(ids[ids.str.lower().isin(_MISSING)], "no identifier")
    out.refuse(ids[ids.str.fullmatch(_DATE, case=False)], _DAMAGED)
    out.settle(ids.map(names.former), "renamed", ids.map(names.former_text))
    out.refuse(ids[ids.isin(names.ambiguous.index)], ids.map(names.ambiguous))
    ids = out.open(ids)
    hyphens = ids.str.replace(".", "-", regex=False)
    capitals = hyphens.str.upper()
    symbol = names.table["symbol"]
    for rows, before, after in (
        (hyphens.map(names.symbol), "symbol of ", " with dots for hyphens"),
        (hyphens.map(names.former), "former symbol of ", " with dots for hyphens"),
        (capitals.map(names.symbol_upper), "symbol of ", " in other case"),
        (capitals.map(names.former_upper), "former symbol of ", " in other case"),
    ):
        out.settle(rows, "renamed", before + rows.map(symbol) + after)
    out.refuse(ids, UNKNOWN)
    return out


def _by_ensembl(ids: pd.Series, names: Names) -> Answers:
    """Resolve Ensembl gene ids with or without version, and GENCODE's PAR_Y copies."""
    parts = ids.str.upper().str.extract(r"^ENSG(R?)0*(\d+)(?:\.\d+)?(_PAR_Y)?$")
    bare = ("ENSG" + parts[1].str.zfill(11)).where(parts[1].notna(), "")
    copy = (parts[0] == "R") | parts[2].notna()
    note = copy.map({True: " (PAR_Y copy)", False: ""})
    return _by_number(ids, bare, (names.ensembl, names.ensembl_other), "Ensembl id", note, names)


def _by_entrez(ids: pd.Series, names: Names) -> Answers:
    """Resolve NCBI Gene ids, written as whole numbers or with a decimal zero."""
    bare = ids.str.extract(r"^(\d+)(?:\.0+)?$")[0].fillna("")
    note = pd.Series("", index=ids.index)
    return _by_number(ids, bare, (names.entrez, names.entrez_other), "Entrez id", note, names)


def _by_number(
    ids: pd.Series,
    bare: pd.Series,
    rows: tuple[pd.Series, pd.Series],
    words: str,
    note: pd.Series,
    names: Names,
) -> Answers:
    """Resolve `bare` identifiers, first as current ones, then as former or alternate ones."""
    out = Answers.empty(len(ids))
    out.refuse(ids[ids.str.lower().isin(_MISSING)], "no identifier")
    older = bare.map(rows[1])
    gene = older.map(names.table["symbol"]).replace("", "an unnamed gene")
    out.settle(bare.map(rows[0]), "kept", words + note)
    out.settle(older, "renamed", f"former or alternate {words} of " + gene + note)
    out.refuse(ids, UNKNOWN)
    return out


def _by_both(ids: pd.Series, names: Names) -> Answers:
    """Resolve ``SYMBOL|Entrez`` by its Entrez id, and by its symbol where that is unknown."""
    parts = ids.str.extract(r"^\s*(.*?)\s*\|\s*([^|]*?)\s*$")
    out = _by_entrez(parts[1].fillna(""), names)
    second = _by_symbol(parts[0].fillna(ids), names)
    use = (out.row < 0) & ((second.row >= 0) | (second.reason != "no identifier"))
    for mine, other in ((out.row, second.row), (out.action, second.action)):
        mine[use] = other[use]
    out.reason[use] = second.reason[use] + np.where(second.row[use] >= 0, ", Entrez id unknown", "")
    return out


_RESOLVERS = {
    "symbol": _by_symbol,
    "entrez": _by_entrez,
    "ensembl": _by_ensembl,
    "symbol|entrez": _by_both,
}


def texts(ids: Iterable[object]) -> pd.Series:
    """Return identifiers as text without blanks around them."""
    return pd.Series(["" if i is None else str(i).strip() for i in ids], dtype=object)


def resolve(ids: pd.Series, names: Names, kind: str) -> Answers:
    """Resolve identifiers of one kind, each distinct one once."""
    codes, distinct = pd.factorize(ids)
    found = _RESOLVERS[kind](pd.Series(distinct, dtype=object), names)
    return Answers(found.row[codes], found.action[codes], found.reason[codes])


def use_ensembl(found: Answers, ids: pd.Series, names: Names) -> None:
    """Resolve the Ensembl ids that stand in a matrix of symbols for genes without one."""
    rest = ids[(found.reason == UNKNOWN) & ids.str.match("ENSG", case=False).to_numpy()]
    other = _by_ensembl(rest.reset_index(drop=True), names)
    at = rest.index.to_numpy()
    found.row[at], found.action[at], found.reason[at] = other.row, other.action, other.reason


def detect_gene_id(ids: pd.Index, table: pd.DataFrame) -> tuple[str, dict[str, float]]:
    """Tell which kind of identifier a matrix uses.

    Parameters
    ----------
    ids
        Identifiers as they stand in the matrix; may repeat.
    table
        The gene table.

    Returns
    -------
    kind, evidence
        One of `GENE_ID_KINDS`, and the share of `ids` in the table under each reading (0 to 1).

    Raises
    ------
    UserError
        If no reading, or more than one, explains more than half of the ids.

    Examples
    --------
    >>> table = pd.DataFrame({"ensembl": ["ENSG00000141510"], "symbol": ["TP53"], "alias": ["p53"],
    ...     "previous": [""], "entrez": ["7157"], "biotype": ["protein_coding"], "length": [2591]})
    >>> detect_gene_id(pd.Index(["ENSG00000141510.18"]), table)[0]
    'ensembl'
    """
    kind, shares, _ = detect(texts(ids), turn_table(table))
    return kind, shares


def detect(ids: pd.Series, names: Names) -> tuple[str, dict[str, float], Answers]:
    """Kind of identifier, the evidence, and what each id stands for under that kind."""
    if len(ids) == 0:
        raise UserError("there are no gene identifiers", where="gene_id")
    paired = ids.str.contains("|", regex=False)
    answers, shares = {}, dict.fromkeys(GENE_ID_KINDS, 0.0)
    for kind in GENE_ID_KINDS:
        fitting = (paired == (kind == "symbol|entrez")).to_numpy()
        if fitting.any():
            answers[kind] = resolve(ids, names, kind)
            shares[kind] = float(((answers[kind].row >= 0) & fitting).mean())
    likely = [kind for kind, share in shares.items() if share > 0.5]
    if len(likely) != 1:
        what = "could be of several kinds" if likely else "are of no known kind"
        listed = ", ".join(f"{100 * share:.0f} % as {kind}" for kind, share in shares.items())
        raise UserError(
            f"the gene identifiers {what} (found: {listed}), for example {some(ids[:3], 3)}",
            where="gene_id",
            do=f"set gene_id to one of {', '.join(GENE_ID_KINDS)}, or give human gene identifiers",
        )
    return likely[0], shares, answers[likely[0]]


def refuse_mouse(ids: pd.Series, found: Answers) -> None:
    """Stop if most identifiers are human symbols only when their case is ignored: Cd8a, Trp53."""
    other_case = pd.Series(found.reason).str.endswith("in other case")
    mouse = other_case & ids.str.fullmatch(r"[A-Z][a-z].*|.*\dRik")
    if mouse.mean() > 0.5:
        raise UserError(
            f"the gene symbols look like those of a mouse, for example {some(ids[mouse][:3], 3)}",
            where="gene_id",
            do="give human genes: convert by a table of orthologues, not by letter case",
        )
