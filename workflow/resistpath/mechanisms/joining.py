"""Gene sets of a user beside those of the catalogue, as readouts and mechanisms like any other.

They carry the tier ``user`` and the words "user's own" in their names, which every report shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal, cast

import pandas as pd

from resistpath.errors import UserError, some
from resistpath.mechanisms.catalogue import (
    AXES,
    DIRECTIONS,
    GRADES,
    READS,
    SMALLEST_RANK_SET,
    STATED,
    timepoints_of,
)
from resistpath.mechanisms.diseases import diseases_of
from resistpath.mechanisms.overlap import clusters
from resistpath.mechanisms.records import (
    Catalogue,
    Direction,
    Mechanism,
    Readout,
    ReadoutMethod,
    Signature,
)
from resistpath.mechanisms.rows import Row
from resistpath.mechanisms.user_sets import (
    MECHANISM_COLUMNS,
    SET_COLUMNS,
    Member,
    UserFile,
    UserSet,
    look_up,
)

TIER: Final = "user"
OWN: Final = "user's own"
METHODS: Final = ("ssgsea", "singscore", "mean", "gene", "ratio")
_UNSAID: Final = "Not stated by the user."


def join(book: Catalogue, file: UserFile, known: pd.DataFrame, *, read_from: str = "") -> Catalogue:
    """Add a user's sets to the catalogue.

    Parameters
    ----------
    book
        The shipped catalogue.
    file
        The user's sets.
    known
        What each gene name stands for; see `resistpath.mechanisms.user_sets.look_up`.
    read_from
        Name and digest of the file, for the record of each set.

    Returns
    -------
    Catalogue
        With the user's readouts, signatures and new mechanisms after the shipped ones. Clusters
        are joined where the new readouts share genes; none that was known is split.

    Raises
    ------
    UserError
        If a column is unknown, a name is taken, a set has no gene left, a word is outside its
        vocabulary, or a new mechanism lacks its axis or direction.
    """
    if file.unknown_columns:
        raise UserError(
            f"has unknown columns {some(file.unknown_columns, 20)}",
            where=file.where,
            do="rename or remove them; docs/signatures.md lists the columns",
        )
    refuse_taken_names(file.sets, book, file.where)
    added = new_mechanisms(file.sets, book, file.where)
    mechanisms = {m.mechanism for m in (*book.mechanisms, *added)}
    readouts, signatures = [], []
    for entry, found in zip(file.sets, look_up(file.sets, known), strict=True):
        readout, signature = records_of(entry, found, mechanisms, file.where, read_from)
        readouts.append(readout)
        signatures.append(signature)
    every = (*book.readouts, *readouts)
    return replace(
        book,
        mechanisms=_clustered((*book.mechanisms, *added), every),
        readouts=every,
        signatures=(*book.signatures, *signatures),
    )


def refuse_taken_names(sets: Iterable[UserSet], book: Catalogue, where: str) -> None:
    """Refuse ids that occur twice or belong to the catalogue."""
    taken = {r.readout: "the catalogue" for r in book.readouts}
    taken |= {s.signature: "the catalogue" for s in book.signatures}
    for entry in sets:
        place = _place(entry, where)
        if not entry.identifier:
            raise UserError("the set has no name", where=place, do="use letters or digits")
        if (owner := taken.get(entry.identifier)) is not None:
            raise UserError(
                f"the name {entry.name!r} is taken by {owner}", where=place, do="rename the set"
            )
        taken[entry.identifier] = f"the set in line {entry.line}"


def _place(entry: UserSet, where: str) -> str:
    return f"{where}, line {entry.line} ({entry.name})"


def _row(entry: UserSet, cells: Mapping[str, str | None], where: str) -> Row:
    blank: dict[str, object] = dict.fromkeys((*SET_COLUMNS, *MECHANISM_COLUMNS))
    return Row(where, entry.line, blank | dict(cells) | {"set": entry.name}, "set")


def records_of(
    entry: UserSet,
    found: Sequence[Member],
    mechanisms: Iterable[str],
    where: str,
    read_from: str = "",
) -> tuple[Readout, Signature]:
    """Make one set a readout, and a signature of the same id that says where it comes from."""
    row = _row(entry, entry.fields, where)
    up = tuple(m.symbol for m in found if m.symbol and m.role == "up")
    down = tuple(m.symbol for m in found if m.symbol and m.role == "down")
    if not up:
        raise UserError(
            f"none of its {len(entry.up)} genes is known" if entry.up else "the set has no genes",
            where=row.where,
            do="give current symbols of protein-coding genes",
        )
    both = [gene for gene in up if gene in down]
    if both:
        raise UserError(f"genes count both up and down: {some(both)}", where=row.where)
    mechanism = row.optional("mechanism")
    if mechanism is not None and mechanism not in mechanisms:
        raise UserError(f"there is no mechanism {mechanism!r}", where=row.where)
    method = row.word("method", METHODS) if row.optional("method") else default_method(up, down)
    _check_method(method, up, down, row.where)
    sign = row.number("sign") if row.optional("sign") else 1.0
    if sign not in (1, -1):
        raise UserError(f"sign is {sign:g}", where=row.where, do="use +1 or -1")
    weight = row.number("readout_weight") if row.optional("readout_weight") else 1.0
    if weight <= 0:
        raise UserError(f"weight is {weight:g}", where=row.where, do="use a number above zero")
    name = row.optional("name") or entry.name
    inputs, lower = entry.identifier, None
    if method in ("gene", "ratio"):
        inputs, lower = "|".join(up), "|".join(down) or None
    readout = Readout(
        readout=entry.identifier,
        mechanism=mechanism,
        name=f"{name} ({OWN})",
        method=cast(ReadoutMethod, method),
        up=inputs,
        down=lower,
        sign=int(sign),
        weight=weight,
        note=" ".join(filter(None, ["A set of the user.", row.optional("note"), _left_out(found)])),
        genes_up=up,
        genes_down=down,
    )
    return readout, _signature(entry, found, name, row, read_from)


def default_method(up: Sequence[str], down: Sequence[str]) -> str:
    """Choose as the catalogue does: mean of a few genes, ranks of more, both sides by singscore."""
    small = len(up) + len(down) < SMALLEST_RANK_SET
    if down:
        return "ratio" if small else "singscore"
    return "gene" if len(up) == 1 else "mean" if small else "ssgsea"


def _check_method(method: str, up: Sequence[str], down: Sequence[str], where: str) -> None:
    if method == "gene" and (len(up) != 1 or down):
        raise UserError(f"method 'gene' was given {len(up) + len(down)} genes", where=where)
    if method in ("mean", "ssgsea") and down:
        raise UserError(
            f"{len(down)} genes lower the score, which {method!r} cannot do",
            where=where,
            do="use 'singscore' or 'ratio'",
        )
    if method == "ratio" and not down:
        raise UserError("method 'ratio' was given no genes that lower the score", where=where)
    if method in ("ssgsea", "singscore") and len(up) + len(down) < SMALLEST_RANK_SET:
        raise UserError(
            f"{len(up) + len(down)} genes are too few for {method!r}",
            where=where,
            do=f"use 'ratio' or 'mean' below {SMALLEST_RANK_SET} genes",
        )


def _left_out(found: Sequence[Member]) -> str:
    lost = [f"{m.published} ({m.why})" for m in found if not m.symbol and m.status != "repeated"]
    return f"Left out: {some(lost, 20)}." if lost else ""


def _signature(
    entry: UserSet, found: Sequence[Member], name: str, row: Row, read_from: str
) -> Signature:
    kept = [m for m in found if m.symbol]
    stated = row.word("stated_direction", STATED) if row.optional("stated_direction") else "context"
    caveats = [row.optional("caveats"), _left_out(found), "Not verified by resistpath."]
    return Signature(
        signature=entry.identifier,
        name=f"{name} ({OWN})",
        stated_direction=stated,
        paper=row.optional("paper") or _UNSAID,
        doi=row.optional("doi") or _UNSAID,
        table=row.optional("table") or "file of the user",
        read_from=read_from or where_of(row),
        licence=row.optional("licence") or "the user's own",
        tier=TIER,
        derivation="single source",
        n_published=len({m.published for m in found}),
        n_current=len(kept),
        caveats=" ".join(filter(None, caveats)),
        replications=row.optional("replications") or _UNSAID,
        failed_replications=row.optional("failed_replications") or _UNSAID,
        up=tuple(m.symbol for m in kept if m.symbol and m.role == "up"),
        down=tuple(m.symbol for m in kept if m.symbol and m.role == "down"),
        renamed=tuple(
            (m.published, m.symbol) for m in kept if m.symbol and m.symbol != m.published
        ),
    )


def where_of(row: Row) -> str:
    """File and line of a row."""
    return row.where.split(" (")[0]


# ------------------------------------------------------------------ mechanisms


def new_mechanisms(sets: Iterable[UserSet], book: Catalogue, where: str) -> tuple[Mechanism, ...]:
    """Mechanisms the sets name and the catalogue does not have, in order of appearance."""
    known = {m.mechanism for m in book.mechanisms}
    unseen = {n.mechanism for n in book.not_assessed if n.mechanism}
    about: dict[str, tuple[UserSet, dict[str, str | None]]] = {}
    for entry in sets:
        mechanism = entry.fields.get("mechanism")
        said = {c: entry.fields[c] for c in MECHANISM_COLUMNS if c in entry.fields}
        place = _place(entry, where)
        if mechanism is None or mechanism in known:
            if said:
                owner = f"mechanism {mechanism!r} is the catalogue's" if mechanism else "no id"
                raise UserError(
                    f"column {next(iter(said))!r} describes a mechanism, but {owner}",
                    where=place,
                    do="leave it empty, or give column 'mechanism' an id of your own",
                )
            continue
        if mechanism in unseen:
            raise UserError(
                f"mechanism {mechanism!r} cannot be seen in tumour RNA",
                where=place,
                do="give it another id",
            )
        cells = about.setdefault(mechanism, (entry, {}))[1]
        for column, value in said.items():
            if cells.setdefault(column, value) != value:
                raise UserError(
                    f"mechanism {mechanism!r} has {column} {cells[column]!r} above and"
                    f" {value!r} here",
                    where=place,
                    do="describe a mechanism once",
                )
    return tuple(
        _mechanism(entry, mechanism, cells, where) for mechanism, (entry, cells) in about.items()
    )


def _mechanism(
    entry: UserSet, mechanism: str, cells: Mapping[str, str | None], where: str
) -> Mechanism:
    row = _row(entry, {**cells, "mechanism": mechanism}, where)
    missing = [c for c in ("axis", "resistance_direction") if row.optional(c) is None]
    if missing:
        raise UserError(
            f"mechanism {mechanism!r} is not in the catalogue, and its {some(missing)} not given",
            where=row.where,
            do="name one of `resistpath signatures list`, or fill in axis and resistance_direction",
        )
    default = {
        "read": "residual",
        "resistance_timepoints": "any",
        "evidence_grade": "C",
        "diseases": "any",
    }
    row = _row(entry, {**default, **cells, "mechanism": mechanism}, where)

    def said(column: str) -> str:
        return row.optional(column) or _UNSAID

    sources = row.optional("sources")
    return Mechanism(
        mechanism=row.identifier("mechanism"),
        name=f"{row.optional('mechanism_name') or mechanism} ({OWN})",
        axis=row.word("axis", AXES),
        resistance_direction=cast(Direction, row.word("resistance_direction", DIRECTIONS)),
        read=cast(Literal["raw", "residual"], row.word("read", READS)),
        resistance_timepoints=",".join(timepoints_of(row)),
        definition=said("definition"),
        rna_shows=said("rna_shows"),
        rna_cannot_show=said("rna_cannot_show"),
        timepoint_note=said("timepoint_note"),
        evidence=said("evidence"),
        evidence_against=said("evidence_against"),
        sources=row.parts("sources", ";") if sources else (),
        evidence_grade=row.word("evidence_grade", GRADES),
        page="more",
        diseases=diseases_of(row),
        cluster=None,
    )


def _clustered(
    mechanisms: Sequence[Mechanism], readouts: Sequence[Readout]
) -> tuple[Mechanism, ...]:
    """Give each mechanism its cluster: what shares genes now, or did without the user's sets."""
    groups = {name: set(group) for name, group in clusters(readouts).items()}
    for entry in mechanisms:
        stated = {
            m.mechanism
            for m in mechanisms
            if m is entry or (entry.cluster is not None and m.cluster == entry.cluster)
        }
        joined = set().union(*(groups.get(name, {name}) for name in stated))
        for name in joined:
            groups[name] = joined
    names = {}
    for entry in mechanisms:
        group = frozenset(groups[entry.mechanism])
        if group not in names:
            shipped = dict.fromkeys(
                m.cluster for m in mechanisms if m.mechanism in group and m.cluster is not None
            )
            names[group] = "_and_".join(shipped) or f"with_{entry.mechanism}"
    return tuple(
        replace(m, cluster=names[g] if len(g) > 1 else None)
        for m in mechanisms
        for g in [frozenset(groups[m.mechanism])]
    )
