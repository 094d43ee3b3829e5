"""Gene sets of a user: what a file says, and what its genes are called today.

A table has one row per set (columns `set` and `genes`, the genes parted by commas, and
`genes_down` for those that lower the score) or one row per gene (`set`, `gene` and, where some
lower the score, `role`, or a `weight` whose sign says so). A GMT line is a name, a description
and the genes. Nothing here reads a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import pandas as pd

from resistpath.errors import UserError, some
from resistpath.mechanisms.rows import is_missing

SET_COLUMNS: Final = (
    *("mechanism", "method", "sign", "readout_weight", "stated_direction", "paper", "doi"),
    *("table", "licence", "caveats", "replications", "failed_replications", "note", "name"),
)
"""Columns that describe a set; all may be left out."""
MECHANISM_COLUMNS: Final = (
    *("mechanism_name", "axis", "resistance_direction", "read", "resistance_timepoints"),
    *("definition", "rna_shows", "rna_cannot_show", "timepoint_note", "evidence"),
    *("evidence_against", "sources", "evidence_grade", "diseases"),
)
"""Columns that describe a mechanism the catalogue does not have."""
NAMES: Final[dict[str, tuple[str, ...]]] = {
    "set": ("gene_set", "geneset", "signature", "term", "source", "pathway", "readout"),
    "genes": ("genes_up", "up", "members"),
    "genes_down": ("down",),
    "gene": ("target", "symbol", "gene_symbol", "genesymbol"),
    "role": (),
    "weight": ("gene_weight", "mor"),
    "stated_direction": ("direction",),
    "name": ("label",),
    "licence": ("license",),
}
"""Columns and other headers they are understood under."""
UP: Final = {"up", "+", "+1", "1", "positive"}
DOWN: Final = {"down", "dn", "-", "-1", "−", "−1", "negative"}
SHORT_DIRECTIONS: Final = {
    "resistance": "high = resistance",
    "sensitivity": "high = sensitivity",
    "response": "high = sensitivity",
}
_QUOTES: Final = "'\"`´‘’“”[](){}"


@dataclass(frozen=True)
class UserSet:
    """One gene set as a user wrote it.

    Attributes
    ----------
    name
        As written.
    line
        Line of the file it begins on.
    up, down
        Gene names as written, repeats included; `down` genes lower the score.
    fields
        Cells of `SET_COLUMNS` and `MECHANISM_COLUMNS` that are filled.
    notes
        What was done to read it.
    """

    name: str
    line: int
    up: tuple[str, ...]
    down: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def identifier(self) -> str:
        """Name with letters, digits and underscores only: its id in the catalogue."""
        return re.sub(r"[^A-Za-z0-9]+", "_", self.name).strip("_")


@dataclass(frozen=True)
class UserFile:
    """All sets of a file, and the headers that were not understood."""

    where: str
    sets: tuple[UserSet, ...]
    unknown_columns: tuple[str, ...] = ()

    def names(self) -> list[str]:
        """Every gene name in the file once, in order."""
        return list(dict.fromkeys(g for s in self.sets for g in (*s.up, *s.down)))


def _genes(cell: str) -> tuple[list[str], list[str]]:
    """Gene names of a cell, and what had to be cleaned."""
    parts = [p for p in re.split(r"[,;|\s]+", cell) if p]
    out, cleaned = [], []
    for part in parts:
        bare = part.strip(_QUOTES)
        if bare != part:
            cleaned.append(part)
        if bare:
            out.append(bare)
    notes = []
    if cleaned and re.match(r"\s*[\[({]", cell):
        notes.append("the genes were written as a program's list; brackets and quotes removed")
    elif cleaned:
        notes.append(f"quotes or brackets removed: {some(cleaned)}")
    return out, notes


def from_gmt(lines: Iterable[tuple[int, str]], where: str) -> UserFile:
    """Sets of a GMT file: name, description and genes, parted by tabs.

    Parameters
    ----------
    lines
        Numbers and texts of the lines that are not empty.
    where
        The file, for messages.
    """
    sets = []
    for number, text in lines:
        cells = text.split("\t")
        if len(cells) < 2 or not cells[0].strip():
            raise UserError(
                "this line of a GMT file has no name, description and genes parted by tabs",
                where=f"{where}, line {number}",
                do="export it anew, or give a table with the columns set and genes",
            )
        genes, notes = _genes(",".join(cells[2:]))
        if len(cells) == 3 and len(genes) > 1:
            notes.append("the genes stood in one cell; parted at commas and blanks")
        about = cells[1].strip()
        fields = {} if about.lower() in ("", "na", "-") else {"note": about}
        sets.append(UserSet(cells[0].strip(), number, tuple(genes), (), fields, tuple(notes)))
    if not sets:
        raise UserError("no gene sets", where=where, do="each line needs name, description, genes")
    return UserFile(where, tuple(sets))


def from_table(frame: pd.DataFrame, where: str) -> UserFile:
    """Sets of a table whose cells are text and whose index holds the lines' numbers."""
    frame, unknown = _known_columns(frame, where)
    if "set" not in frame or not {"genes", "gene"} & set(frame.columns):
        raise UserError(
            f"no columns 'set' and 'genes' among {some(frame.columns, 12)}",
            where=where,
            do="give one row per set (set, genes) or one row per gene (set, gene)",
        )
    if {"genes", "gene"} <= set(frame.columns):
        raise UserError(
            "there are both a column 'genes' and a column 'gene'", where=where, do="keep one"
        )
    rows = [
        (number, {str(c): str(v).strip() for c, v in row.items() if not is_missing(v)})
        for number, row in zip(map(int, frame.index), frame.to_dict("records"), strict=True)
    ]
    rows = [(number, row) for number, row in rows if row]
    nameless = [number for number, row in rows if "set" not in row]
    if nameless:
        raise UserError(
            f"column 'set' is empty in line {some(nameless)}", where=where, do="fill it in"
        )
    if not rows:
        raise UserError("no gene sets", where=where, do="the table has a header only")
    sets = _wide(rows) if "genes" in frame else _long(rows, where)
    return UserFile(where, tuple(sets), unknown)


def _known_columns(frame: pd.DataFrame, where: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Bring headers to the names used here; also those that mean nothing here."""
    wanted = {*NAMES, *SET_COLUMNS, *MECHANISM_COLUMNS}
    also = {other: name for name, others in NAMES.items() for other in others}
    plain = {c: re.sub(r"[\s.-]+", "_", str(c).strip().lower()) for c in frame.columns}
    named: dict[str, str] = {}
    for column, name in plain.items():
        if name in wanted:
            named[column] = name
    for column, name in plain.items():  # a column's own name goes before other words for it
        if column not in named and also.get(name) not in {None, *named.values()}:
            named[column] = also[name]
    twice = [n for n in dict.fromkeys(named.values()) if list(named.values()).count(n) > 1]
    if twice:
        raise UserError(f"columns occur twice: {some(twice)}", where=where, do="keep one")
    unknown = tuple(str(c) for c in frame.columns if c not in named)
    out = frame[list(named)].rename(columns=named)
    if "stated_direction" in out and "role" not in out and "gene" in out:
        words = {str(w).strip().lower() for w in out["stated_direction"] if not is_missing(w)}
        if words and words <= UP | DOWN:
            out = out.rename(columns={"stated_direction": "role"})
    return out, unknown


def _fields(row: Mapping[str, str]) -> dict[str, str]:
    found = {c: row[c] for c in (*SET_COLUMNS, *MECHANISM_COLUMNS) if c in row}
    if (word := found.get("stated_direction", "").lower()) in SHORT_DIRECTIONS:
        found["stated_direction"] = SHORT_DIRECTIONS[word]
    return found


def _wide(rows: Sequence[tuple[int, dict[str, str]]]) -> list[UserSet]:
    sets = []
    for number, row in rows:
        up, notes = _genes(row.get("genes", ""))
        down, more = _genes(row.get("genes_down", ""))
        fields = _fields(row)
        if "weight" in row:
            fields.setdefault("readout_weight", row["weight"])
        sets.append(
            UserSet(row["set"], number, tuple(up), tuple(down), fields, tuple(notes + more))
        )
    return sets


def _long(rows: Sequence[tuple[int, dict[str, str]]], where: str) -> list[UserSet]:
    """Sets of a table with one row per gene."""
    groups: dict[str, list[tuple[int, dict[str, str]]]] = {}
    for number, row in rows:
        groups.setdefault(row["set"], []).append((number, row))
    sets = []
    for name, members in groups.items():
        sides: dict[str, list[str]] = {"up": [], "down": []}
        notes: list[str] = []
        sizes: set[float] = set()
        for number, row in members:
            side, size = _side(row, f"{where}, line {number} ({name})")
            genes, cleaned = _genes(row.get("gene", ""))
            sides[side] += genes
            notes += cleaned
            sizes.add(size)
        if len(sizes) > 1:
            notes.append("only the signs of the weights are used, not their sizes")
        fields: dict[str, str] = {}
        for number, row in members:
            for column, value in _fields(row).items():
                if fields.setdefault(column, value) != value:
                    raise UserError(
                        f"column {column!r} is {value!r} here and {fields[column]!r} above",
                        where=f"{where}, line {number} ({name})",
                        do="give one value per set",
                    )
        up, down = tuple(sides["up"]), tuple(sides["down"])
        sets.append(UserSet(name, members[0][0], up, down, fields, tuple(dict.fromkeys(notes))))
    return sets


def _side(row: Mapping[str, str], where: str) -> tuple[str, float]:
    """Whether a gene raises or lowers the score, and the size of its weight."""
    role = row.get("role", "").lower()
    size, sign = 1.0, ""
    if "weight" in row:
        try:
            weight = float(row["weight"].replace("−", "-"))
        except ValueError:
            weight = 0.0
        if not weight or weight != weight:
            raise UserError(
                f"weight is {row['weight']!r}", where=where, do="use a number other than zero"
            )
        size, sign = abs(weight), "up" if weight > 0 else "down"
    if role and role not in UP | DOWN:
        raise UserError(f"role is {row['role']!r}", where=where, do="use up or down")
    said = "up" if role in UP else "down" if role in DOWN else ""
    if said and sign and said != sign:
        raise UserError(
            f"role is {row['role']!r} and weight is {row['weight']}", where=where, do="keep one"
        )
    return said or sign or "up", size


# ------------------------------------------------------------------ what the names stand for


@dataclass(frozen=True)
class Member:
    """What became of one gene name.

    Attributes
    ----------
    published, symbol
        As written and as it is called today; None if it is left out.
    role
        ``"up"`` or ``"down"``.
    status
        ``"current"``, ``"renamed"``, ``"spreadsheet date"`` (undone), ``"repeated"``,
        ``"ambiguous"``, ``"unknown"``, ``"damaged date"`` or ``"not protein-coding"``.
    why
        In words.
    """

    published: str
    symbol: str | None
    role: str
    status: str
    why: str


def look_up(sets: Iterable[UserSet], known: pd.DataFrame) -> list[tuple[Member, ...]]:
    """Look up the genes of sets.

    Parameters
    ----------
    sets
        The sets of a user.
    known
        Indexed by the name as written: `symbol`, missing if there is none, and `how`, as
        `resistpath.genes.current_symbols` gives them.

    Returns
    -------
    list
        Per set, what became of each of its names.
    """
    meanings = {
        str(name): (symbol if isinstance(symbol, str) else None, str(how))
        for name, symbol, how in zip(known.index, known["symbol"], known["how"], strict=True)
    }
    return [_members(entry, meanings) for entry in sets]


def _members(entry: UserSet, meanings: Mapping[str, tuple[str | None, str]]) -> tuple[Member, ...]:
    out: list[Member] = []
    for role, names in (("up", entry.up), ("down", entry.down)):
        first: dict[str, str] = {}
        for name in names:
            symbol, how = meanings[name]
            status = _status(symbol, how)
            if symbol is None or status == "not protein-coding":
                out.append(Member(name, None, role, status, how))
            elif symbol in first:
                why = (
                    "listed twice"
                    if first[symbol] == name
                    else f"is {symbol}, as {first[symbol]} is"
                )
                out.append(Member(name, None, role, "repeated", why))
            else:
                first[symbol] = name
                out.append(Member(name, symbol, role, status, how))
    return tuple(out)


def _status(symbol: str | None, how: str) -> str:
    if symbol is None:
        if "date" in how:
            return "damaged date"
        return "ambiguous" if how.startswith("ambiguous") else "unknown"
    if "not protein-coding" in how:
        return "not protein-coding"
    if how.startswith("spreadsheet date"):
        return "spreadsheet date"
    return "current" if how == "approved symbol" else "renamed"
