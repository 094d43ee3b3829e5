"""The catalogue: mechanisms of resistance, their readouts and the signatures behind them.

The catalogue is data. `build_catalogue` turns its tables into frozen records and refuses
any table that contradicts itself or another one; it reads no files.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Final, Literal, cast

import pandas as pd

from resistpath.errors import UserError, some
from resistpath.mechanisms.directions import COLUMNS as DIRECTION_COLUMNS
from resistpath.mechanisms.directions import TABLE as DIRECTION_TABLE
from resistpath.mechanisms.directions import direction_checks
from resistpath.mechanisms.diseases import diseases_of
from resistpath.mechanisms.overlap import ALONE, check_clusters
from resistpath.mechanisms.records import (
    METHODS,
    SET_METHODS,
    Catalogue,
    Direction,
    KeyGene,
    Mechanism,
    NotAssessed,
    Readout,
    ReadoutMethod,
    Signature,
)
from resistpath.mechanisms.rows import Row, refuse_repeats, rows

__all__ = [
    "COLUMNS",
    "INFLAMMATION",
    "Catalogue",
    "KeyGene",
    "Mechanism",
    "NotAssessed",
    "Readout",
    "Signature",
    "build_catalogue",
]

INFLAMMATION: Final = "GEP18_UNWEIGHTED"
"""Id of the T-cell-inflamed readout, on which residuals are taken."""

AXES: Final = ("tumour-intrinsic", "tumour-extrinsic", "host")
DIRECTIONS: Final = ("high", "low", "context")
READS: Final = ("raw", "residual")
TIMEPOINTS: Final = ("pre", "on", "progression", "post")
GRADES: Final = ("A", "B", "C")
STATED: Final = ("high = resistance", "high = sensitivity", "context")
TIERS: Final = ("A", "B", "O")
DERIVATIONS: Final = ("single source", "two sources")
ROLES: Final = ("up", "down")
SMALLEST_RANK_SET: Final = 5
PAGES: Final = ("one", "more")
PAGE_ONE: Final = 14
"""Most mechanisms on page one."""

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "mechanisms.tsv": (
        "mechanism",
        "name",
        "axis",
        "resistance_direction",
        "read",
        "resistance_timepoints",
        "definition",
        "rna_shows",
        "rna_cannot_show",
        "timepoint_note",
        "evidence",
        "evidence_against",
        "sources",
        "evidence_grade",
        "page",
        "diseases",
        "cluster",
    ),
    "readouts.tsv": (
        "readout",
        "mechanism",
        "name",
        "method",
        "up",
        "down",
        "sign",
        "weight",
        "note",
    ),
    "signatures.tsv": (
        "signature",
        "name",
        "stated_direction",
        "paper",
        "doi",
        "table",
        "read_from",
        "licence",
        "tier",
        "derivation",
        "n_published",
        "n_current",
        "caveats",
        "replications",
        "failed_replications",
    ),
    "signature_genes.tsv": ("signature", "published", "symbol", "role"),
    "not_assessed.tsv": ("item", "why", "test_instead", "mechanism"),
    "key_genes.tsv": ("gene", "group", "why"),
    DIRECTION_TABLE: DIRECTION_COLUMNS,
}
"""Columns of each table, by file name."""


def build_catalogue(
    mechanisms: pd.DataFrame,
    readouts: pd.DataFrame,
    signatures: pd.DataFrame,
    signature_genes: pd.DataFrame,
    not_assessed: pd.DataFrame,
    key_genes: pd.DataFrame,
    direction_check: pd.DataFrame,
) -> Catalogue:
    """Turn the tables of the catalogue into records, after checking them.

    Parameters
    ----------
    mechanisms, readouts, signatures, signature_genes, not_assessed, key_genes, direction_check
        The tables, with the columns of `COLUMNS`; a missing cell is NaN, None or ``"NA"``.

    Returns
    -------
    Catalogue
        Records in the order of the tables.

    Raises
    ------
    UserError
        If a column is missing or unknown, a cell is empty, a word is outside its vocabulary,
        an id occurs twice or does not exist, a set has no genes or is too small for its
        method, a sign or weight makes no sense, the T-cell-inflamed readout would be read as a
        residual of itself, page one is too full, or the clusters are not those of the genes.
        The message names the table, the line and the id.
    """
    genes = _signature_genes(signature_genes)
    signature_records = _signatures(signatures, genes)
    by_id = {s.signature: s for s in signature_records}
    mechanism_records = _mechanisms(mechanisms)
    readout_records = _readouts(readouts, {m.mechanism for m in mechanism_records}, by_id)
    _check_mechanisms(mechanism_records, readout_records)
    return Catalogue(
        mechanisms=mechanism_records,
        readouts=readout_records,
        signatures=signature_records,
        not_assessed=_not_assessed(not_assessed),
        key_genes=_key_genes(key_genes),
        inflammation=INFLAMMATION,
        direction_checks=direction_checks(direction_check, {r.readout for r in readout_records}),
    )


def _lines(frame: pd.DataFrame, table: str) -> Iterator[Row]:
    return rows(frame, table, COLUMNS[table])


def _signature_genes(frame: pd.DataFrame) -> dict[str, list[tuple[str, str, str]]]:
    genes: dict[str, list[tuple[str, str, str]]] = {}
    for row in _lines(frame, "signature_genes.tsv"):
        entry = (row.text("published"), row.text("symbol"), row.word("role", ROLES))
        members = genes.setdefault(row.identifier("signature"), [])
        if entry[1] in {symbol for _, symbol, _ in members}:
            raise UserError(
                f"gene {entry[1]!r} occurs twice in the signature", where=row.where, do="keep one"
            )
        members.append(entry)
    return genes


def _signatures(
    frame: pd.DataFrame, genes: dict[str, list[tuple[str, str, str]]]
) -> tuple[Signature, ...]:
    table = "signatures.tsv"
    records = []
    for row in _lines(frame, table):
        signature = row.identifier("signature")
        members = genes.get(signature, [])
        n_published, n_current = row.count("n_published"), row.count("n_current")
        if not members:
            raise UserError("the signature has no genes in signature_genes.tsv", where=row.where)
        if n_current != len(members):
            raise UserError(
                f"n_current is {n_current}, but signature_genes.tsv lists {len(members)} genes",
                where=row.where,
            )
        if n_current > n_published:
            raise UserError(
                f"n_current is {n_current}, more than the {n_published} published", where=row.where
            )
        records.append(
            Signature(
                signature=signature,
                name=row.text("name"),
                stated_direction=row.word("stated_direction", STATED),
                paper=row.text("paper"),
                doi=row.text("doi"),
                table=row.text("table"),
                read_from=row.text("read_from"),
                licence=row.text("licence"),
                tier=row.word("tier", TIERS),
                derivation=row.word("derivation", DERIVATIONS),
                n_published=n_published,
                n_current=n_current,
                caveats=row.text("caveats"),
                replications=row.text("replications"),
                failed_replications=row.text("failed_replications"),
                up=tuple(symbol for _, symbol, role in members if role == "up"),
                down=tuple(symbol for _, symbol, role in members if role == "down"),
                renamed=tuple((old, new) for old, new, _ in members if old != new),
            )
        )
    refuse_repeats([s.signature for s in records], "ids occur twice:", table)
    orphans = [s for s in genes if s not in {r.signature for r in records}]
    if orphans:
        raise UserError(
            f"signatures are not in {table}: {some(orphans)}", where="signature_genes.tsv"
        )
    return tuple(records)


def _mechanisms(frame: pd.DataFrame) -> tuple[Mechanism, ...]:
    table = "mechanisms.tsv"
    records = []
    for row in _lines(frame, table):
        records.append(
            Mechanism(
                mechanism=row.identifier("mechanism"),
                name=row.text("name"),
                axis=row.word("axis", AXES),
                resistance_direction=cast(Direction, row.word("resistance_direction", DIRECTIONS)),
                read=cast(Literal["raw", "residual"], row.word("read", READS)),
                resistance_timepoints=",".join(timepoints_of(row)),
                definition=row.text("definition"),
                rna_shows=row.text("rna_shows"),
                rna_cannot_show=row.text("rna_cannot_show"),
                timepoint_note=row.text("timepoint_note"),
                evidence=row.text("evidence"),
                evidence_against=row.text("evidence_against"),
                sources=row.parts("sources", ";"),
                evidence_grade=row.word("evidence_grade", GRADES),
                page=cast(Literal["one", "more"], row.word("page", PAGES)),
                diseases=diseases_of(row),
                cluster=None if (c := row.identifier("cluster")) == ALONE else c,
            )
        )
    refuse_repeats([m.mechanism for m in records], "ids occur twice:", table)
    refuse_repeats([m.name for m in records], "names occur twice:", table)
    first = [m.mechanism for m in records if m.page == "one"]
    if len(first) > PAGE_ONE:
        raise UserError(
            f"{len(first)} mechanisms stand on page one, at most {PAGE_ONE} may",
            where=table,
            do="give the others 'more' in column 'page'",
        )
    return tuple(records)


def timepoints_of(row: Row) -> tuple[str, ...]:
    """Time points at which a direction holds, or ``any`` alone."""
    timepoints = row.parts("resistance_timepoints", ",")
    unknown = [t for t in timepoints if t not in TIMEPOINTS]
    if timepoints != ("any",) and unknown:
        raise UserError(
            f"column 'resistance_timepoints' holds {some(unknown)}",
            where=row.where,
            do=f"use 'any' alone, or a list out of {some(TIMEPOINTS)}",
        )
    return timepoints


def _readouts(
    frame: pd.DataFrame, mechanisms: Collection[str], signatures: dict[str, Signature]
) -> tuple[Readout, ...]:
    table = "readouts.tsv"
    records = []
    for row in _lines(frame, table):
        mechanism = row.optional("mechanism")
        if mechanism is not None and mechanism not in mechanisms:
            raise UserError(f"mechanism {mechanism!r} is not in mechanisms.tsv", where=row.where)
        method = cast(ReadoutMethod, row.word("method", METHODS))
        up, down = _readout_genes(row, method, signatures)
        sign, weight = row.number("sign"), row.number("weight")
        if sign not in (1, -1):
            raise UserError(f"sign is {sign:g}", where=row.where, do="use +1 or -1")
        if weight <= 0:
            raise UserError(f"weight is {weight:g}", where=row.where, do="use a number above zero")
        records.append(
            Readout(
                readout=row.identifier("readout"),
                mechanism=mechanism,
                name=row.text("name"),
                method=method,
                up=row.text("up"),
                down=row.optional("down"),
                sign=int(sign),
                weight=weight,
                note=row.text("note"),
                genes_up=up,
                genes_down=down,
            )
        )
    refuse_repeats([r.readout for r in records], "ids occur twice:", table)
    return tuple(records)


def _readout_genes(
    row: Row, method: str, signatures: dict[str, Signature]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Resolve the genes of a readout and check that they suit its method."""
    has_down = row.optional("down") is not None
    if method == "fraction":
        if not re.fullmatch(r"[A-Za-z0-9_]+:\S(.*\S)?", row.text("up")) or has_down:
            raise UserError(
                "a fraction needs 'method:cell_type' in column 'up' and NA in 'down'",
                where=row.where,
            )
        return (), ()
    if has_down != (method == "ratio") and method != "singscore":
        raise UserError(
            f"column 'down' is {'filled' if has_down else 'empty'} for method {method!r}",
            where=row.where,
            do="'ratio' needs it, 'singscore' may have it, every other method has NA",
        )
    if method in SET_METHODS:
        up, down = _from_signatures(row, method, signatures)
    else:
        up = row.parts("up", "|")
        down = row.parts("down", "|") if has_down else ()
        if method == "gene" and len(up) != 1:
            raise UserError(f"method 'gene' was given {len(up)} genes", where=row.where)
    both = [gene for gene in up if gene in down]
    if both:
        raise UserError(f"genes count both up and down: {some(both)}", where=row.where)
    return up, down


def _from_signatures(
    row: Row, method: str, signatures: dict[str, Signature]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    names = [row.text("up")] + ([row.text("down")] if row.optional("down") is not None else [])
    unknown = [name for name in names if name not in signatures]
    if unknown:
        raise UserError(f"signatures are not in signatures.tsv: {some(unknown)}", where=row.where)
    first = signatures[names[0]]
    if not first.up:
        raise UserError(
            f"signature {first.signature!r} has no genes with role 'up'", where=row.where
        )
    if len(names) == 2:
        second = signatures[names[1]]
        if first.down or second.up:
            raise UserError(
                "of a pair of signatures the first must hold 'up' genes only, the second 'down'",
                where=row.where,
            )
        return first.up, second.down
    if first.down and method != "singscore":
        raise UserError(
            f"signature {first.signature!r} has genes with role 'down'",
            where=row.where,
            do="score it with 'singscore'",
        )
    if method != "mean" and len(first.up) < SMALLEST_RANK_SET:
        raise UserError(
            f"signature {first.signature!r} has {len(first.up)} genes, too few for {method!r}",
            where=row.where,
            do=f"use 'mean' below {SMALLEST_RANK_SET} genes",
        )
    return first.up, first.down


def _check_mechanisms(mechanisms: Sequence[Mechanism], readouts: Sequence[Readout]) -> None:
    """Check what only mechanisms and readouts together can show."""
    bare = [m.mechanism for m in mechanisms if m.mechanism not in {r.mechanism for r in readouts}]
    if bare:
        raise UserError(f"mechanisms have no readout: {some(bare)}", where="readouts.tsv")
    inflammation = next((r for r in readouts if r.readout == INFLAMMATION), None)
    if inflammation is None or inflammation.method == "fraction" or inflammation.sign != 1:
        raise UserError(
            f"the T-cell-inflamed readout {INFLAMMATION!r} is missing, a fraction or inverted",
            where="readouts.tsv",
            do="residuals are taken on it: give it a gene score with sign +1",
        )
    for mechanism in mechanisms:
        if mechanism.mechanism == inflammation.mechanism and mechanism.read != "raw":
            raise UserError(
                f"mechanism {mechanism.mechanism!r} is read as the residual of its own readout"
                f" {INFLAMMATION!r}",
                where="mechanisms.tsv",
                do="read it raw",
            )
    check_clusters(mechanisms, readouts)


def _not_assessed(frame: pd.DataFrame) -> tuple[NotAssessed, ...]:
    table = "not_assessed.tsv"
    records = tuple(
        NotAssessed(
            row.text("item"),
            row.text("why"),
            row.text("test_instead"),
            row.optional("mechanism"),
        )
        for row in _lines(frame, table)
    )
    refuse_repeats([r.item for r in records], "items occur twice:", table)
    return records


def _key_genes(frame: pd.DataFrame) -> tuple[KeyGene, ...]:
    table = "key_genes.tsv"
    records = tuple(
        KeyGene(row.text("gene"), row.text("group"), row.text("why"))
        for row in _lines(frame, table)
    )
    refuse_repeats([r.gene for r in records], "genes occur twice:", table)
    return records
