"""Which kind of identifier a matrix uses, and what each identifier stands for under it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from resistpath.errors import UserError, some
from resistpath.identifiers.dates import recover
from resistpath.identifiers.hints import hint, refuse_foreign, refuse_mouse
from resistpath.identifiers.names import MISSING, UNKNOWN, Answers, Names, as_names, texts

GENE_ID_KINDS = ("symbol", "entrez", "ensembl", "symbol|entrez", "ensembl|symbol")

_ENSG = r"ENSG(R?)0*(\d+)(?:\.\d+)?(_PAR_Y)?"
_ENSG_FORM = r"ENSGR?\d+(?:\.\d+)?(?:_PAR_Y)?"
_ENTREZ_FORM = r"\d+(?:\.0+)?"
_NUMBERED = r"^(.+?)(?:_(\d+)| \((\d+)\))$"  # TP53_7157, TP53 (7157)
_NUMBERED_FORM = r".+?(?:_\d+| \(\d+\))"


def _by_symbol(ids: pd.Series, names: Names) -> Answers:
    """Resolve symbols: as written, then with hyphens for R's dots, then in any case."""
    out = Answers.empty(len(ids))
    out.settle(ids.map(names.symbol), "kept", "approved symbol")
    ids = out.open(ids)
    out.refuse(ids[ids.str.lower().isin(MISSING)], "no identifier")
    _undo_dates(out, out.open(ids), names)
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
    _refuse_rest(out, ids)
    return out


def _undo_dates(out: Answers, ids: pd.Series, names: Names) -> None:
    """Recover symbols that a spreadsheet turned into dates, or say that it did."""
    likely = ids[ids.str.contains(r"^\d{1,2}[-/. ]|^\d{4}[-/.]|^[A-Za-zä]{3,9}[-/. ]+\d|^\d{5}$")]
    found = [recover(text, names.dates) for text in likely]
    rows = pd.Series([r for r, _ in found], index=likely.index, dtype=float)
    words = pd.Series([w for _, w in found], index=likely.index, dtype=object)
    out.settle(rows[rows >= 0], "renamed", words)
    out.refuse(likely[words != ""], words)


def _refuse_rest(out: Answers, ids: pd.Series) -> None:
    rest = out.open(ids)
    reasons = hint(rest)
    out.refuse(rest, reasons.where(reasons != "", UNKNOWN))


def _by_ensembl(ids: pd.Series, names: Names) -> Answers:
    """Resolve Ensembl gene ids with or without version, and GENCODE's PAR_Y copies."""
    parts = ids.str.upper().str.extract(rf"^{_ENSG}$")
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
    out.refuse(ids[ids.str.lower().isin(MISSING)], "no identifier")
    older = bare.map(rows[1])
    gene = older.map(names.table["symbol"]).replace("", "an unnamed gene")
    out.settle(bare.map(rows[0]), "kept", words + note)
    out.settle(older, "renamed", f"former or alternate {words} of " + gene + note)
    _refuse_rest(out, ids)
    return out


def _by_symbol_entrez(ids: pd.Series, names: Names) -> Answers:
    """Resolve ``SYMBOL|Entrez`` by the Entrez id, and by the symbol where that is unknown.

    ``SYMBOL_Entrez`` and ``SYMBOL (Entrez)`` count only if both parts name one gene: a symbol
    may itself end in a number.
    """
    barred = ids.str.contains("|", regex=False)
    parts = ids.str.extract(r"^\s*(.*?)\s*\|\s*([^|]*?)\s*$")
    other = ids.str.extract(_NUMBERED)
    empty = pd.Series("", index=ids.index)
    symbol = parts[0].where(barred, other[0]).where(barred | other[0].notna(), ids)
    number = other[1].where(other[1].notna(), other[2])
    number = parts[1].where(barred, number.where(number.notna(), empty))
    symbol, number = symbol.where(symbol.notna(), ids), number.where(number.notna(), empty)
    first, second = _by_entrez(number, names), _by_symbol(symbol, names)
    loose = (~barred & other[0].notna()).to_numpy()
    apart = loose & ((first.row != second.row) | (first.row < 0))
    out = _first_of(first, second, "Entrez id", names)
    out.row[apart], out.action[apart] = -1, "dropped"
    out.reason[apart] = "symbol and number do not name one gene"
    return out


def _by_ensembl_symbol(ids: pd.Series, names: Names) -> Answers:
    """Resolve an Ensembl id written beside a symbol, in either order, by the Ensembl id.

    ``ENSG00000141510.18|TP53``, ``TP53|ENSG00000141510``, ``ENSG00000141510_TP53``.
    """
    gene = ids.str.extract(rf"((?i:{_ENSG_FORM}))")[0]
    gene = gene.where(gene.notna(), "")
    rest = [text.replace(part, "", 1) for text, part in zip(ids, gene, strict=True)]
    symbol = pd.Series(rest, index=ids.index, dtype=object).str.strip("|_;:,() ")
    return _first_of(_by_ensembl(gene, names), _by_symbol(symbol, names), "Ensembl id", names)


def _first_of(first: Answers, second: Answers, word: str, names: Names) -> Answers:
    """Join two answers to one identifier: the number decides, and says if the symbol differs."""
    use = (first.row < 0) & ((second.row >= 0) | (second.reason != "no identifier"))
    for mine, other in ((first.row, second.row), (first.action, second.action)):
        mine[use] = other[use]
    first.reason[use] = second.reason[use] + np.where(second.row[use] >= 0, f", {word} unknown", "")
    differ = ~use & (first.row >= 0) & (second.row >= 0) & (first.row != second.row)
    symbol = names.table["symbol"].to_numpy(dtype=object)
    first.reason[differ] = (
        first.reason[differ] + "; the symbol beside it is that of " + symbol[second.row[differ]]
    )
    return first


_RESOLVERS = {
    "symbol": _by_symbol,
    "entrez": _by_entrez,
    "ensembl": _by_ensembl,
    "symbol|entrez": _by_symbol_entrez,
    "ensembl|symbol": _by_ensembl_symbol,
}


def _fitting(ids: pd.Series) -> dict[str, pd.Series]:
    """Which identifiers have the form of each kind; each has that of one or of none."""
    barred = ids.str.contains("|", regex=False)
    bare = ids.str.fullmatch(_ENSG_FORM, case=False)
    ensembl = ids.str.contains(rf"(?:^|[|_;:( ]){_ENSG_FORM}", case=False) & ~bare
    ensembl &= ~ids.str.match("ENST", case=False)
    numbered = (barred | ids.str.fullmatch(_NUMBERED_FORM)) & ~ensembl
    single = ~barred & ~ensembl
    return {
        "symbol": single & ~numbered,
        "entrez": single & ids.str.fullmatch(_ENTREZ_FORM),
        "ensembl": single & bare,
        "symbol|entrez": numbered,
        "ensembl|symbol": ensembl,
    }


def resolve(ids: pd.Series, names: Names, kind: str) -> Answers:
    """Resolve identifiers of one kind, each distinct one once."""
    codes, distinct = pd.factorize(ids)
    found = _RESOLVERS[kind](pd.Series(distinct, dtype=object), names)
    return Answers(found.row[codes], found.action[codes], found.reason[codes])


def use_ensembl(found: Answers, ids: pd.Series, names: Names) -> None:
    """Resolve the Ensembl ids that stand in a matrix of symbols for genes without one."""
    rest = ids[found.reason == UNKNOWN]
    rest = rest[rest.str.match("ENSG", case=False)]
    if not len(rest):
        return
    other = _by_ensembl(rest.reset_index(drop=True), names)
    at = rest.index.to_numpy()
    found.row[at], found.action[at], found.reason[at] = other.row, other.action, other.reason


def detect_gene_id(ids: pd.Index, table: pd.DataFrame | Names) -> tuple[str, dict[str, float]]:
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
    given, names = texts(ids), as_names(table)
    kind, _ = detect(given, names)
    return kind, _shares(given, names)


def detect(ids: pd.Series, names: Names) -> tuple[str, Answers]:
    """Kind of identifier, and what each id stands for under that kind."""
    if len(ids) == 0:
        raise UserError("there are no gene identifiers", where="gene_id")
    nameless = int(ids.str.lower().isin(MISSING).sum())
    if nameless > 0.5 * len(ids):
        raise UserError(
            f"{nameless} of {len(ids)} rows have no identifier",
            where="gene_id",
            do="write the genes in the first column",
        )
    found = {  # identifiers of another form are read in the same way
        kind: (resolve(ids, names, kind), fitting)
        for kind, fitting in _fitting(ids).items()
        if fitting.mean() > 0.5
    }
    likely = [
        k for k, (answers, form) in found.items() if (answers.row[form] >= 0).sum() > 0.5 * len(ids)
    ]
    if len(likely) != 1:
        refuse_foreign(ids)
        refuse_mouse(ids, ids.isin(names.symbol.index))
        what = "could be of several kinds" if likely else "are of no known kind"
        shares = _shares(ids, names)
        listed = ", ".join(f"{100 * share:.0f} % as {kind}" for kind, share in shares.items())
        raise UserError(
            f"the gene identifiers {what} (found: {listed}), for example {some(ids[:3], 3)}",
            where="gene_id",
            do=f"set gene_id to one of {', '.join(GENE_ID_KINDS)}, or give human gene identifiers",
        )
    return likely[0], found[likely[0]][0]


def _shares(ids: pd.Series, names: Names) -> dict[str, float]:
    """Share of the identifiers that have the form of each kind and are in the table."""
    return {
        kind: float((resolve(ids[fitting], names, kind).row >= 0).sum() / len(ids))
        for kind, fitting in _fitting(ids).items()
    }
