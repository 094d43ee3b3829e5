"""What is wrong with a user's gene sets, and what they share with those of the catalogue."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from resistpath.errors import UserError, some
from resistpath.mechanisms.joining import new_mechanisms, records_of, refuse_taken_names
from resistpath.mechanisms.overlap import CLUSTER_SHARE, share_of
from resistpath.mechanisms.records import Catalogue, Mechanism, Readout
from resistpath.mechanisms.user_sets import Member, UserFile, UserSet, look_up

LEAST_KNOWN: Final = 0.6
"""Share of known genes below which a set is doubtful; verdicts ask for the same coverage."""
MOST_SUGGESTIONS: Final = 40
FEW_LETTERS: Final = 3
EXPANDED_IMMUNE: Final = frozenset(
    {
        *("CD3D", "IDO1", "CIITA", "CD3E", "CCL5", "GZMK", "CD2", "HLA-DRA", "CXCL13", "IL2RG"),
        *("NKG7", "HLA-E", "CXCR6", "LAG3", "TAGAP", "CXCL10", "STAT1", "GZMB"),
    }
)
"""The other 18-gene list of Ayers 2017, which several packages ship as the T-cell-inflamed one."""


@dataclass(frozen=True)
class Overlap:
    """Genes a set shares with another.

    Attributes
    ----------
    readout, mechanism, cluster
        Of the other set; `mechanism` and `cluster` None if it has none.
    shared, size
        Shared genes, and genes of the other set.
    share
        Shared genes over the genes of the smaller set.
    """

    readout: str
    mechanism: str | None
    cluster: str | None
    shared: int
    size: int
    share: float


@dataclass(frozen=True)
class SetReport:
    """What became of one set.

    Attributes
    ----------
    name, identifier, line
        As written, as it would be called in the catalogue, and where.
    method, mechanism, sign, stated_direction
        As a run would take them; `method` None if it cannot be scored.
    members
        One per gene name.
    overlaps
        Sets of the catalogue, and of the same file, that share at least 30 % of the smaller set.
    problems
        Why it cannot join the catalogue; empty if it can.
    warnings, notes
        What to look at, and what was done.
    """

    name: str
    identifier: str
    line: int
    method: str | None
    mechanism: str | None
    sign: int
    stated_direction: str
    members: tuple[Member, ...]
    overlaps: tuple[Overlap, ...]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def usable(self) -> bool:
        """Whether it can join the catalogue as it stands."""
        return not self.problems

    @property
    def used(self) -> tuple[str, ...]:
        """Current symbols it is scored with."""
        return tuple(m.symbol for m in self.members if m.symbol)

    @property
    def listed(self) -> int:
        """Gene names in the file, repeats included."""
        return len(self.members)

    def count(self, *statuses: str) -> int:
        """Gene names with one of these statuses."""
        return sum(m.status in statuses for m in self.members)


def check_sets(
    file: UserFile, known: pd.DataFrame, book: Catalogue, symbols: Collection[str]
) -> tuple[SetReport, ...]:
    """Check every set of a file.

    Parameters
    ----------
    file
        The user's sets.
    known
        What each gene name stands for; see `resistpath.mechanisms.user_sets.look_up`.
    book
        The shipped catalogue.
    symbols
        Approved symbols of protein-coding genes, to suggest one for a name that is unknown.
    """
    found = look_up(file.sets, known)
    genes = [frozenset(m.symbol for m in f if m.symbol) for f in found]
    guesses = _suggestions(found, symbols)
    partners = _pairs(file.sets)
    others = _catalogue_sets(book) + [
        (s.identifier, None, None, g) for s, g in zip(file.sets, genes, strict=True)
    ]
    holders = _holders([other[3] for other in others])
    shipped = len(others) - len(genes)
    by_name = _by_name(file.sets)
    out = []
    for i, entry in enumerate(file.sets):
        readout, mechanism, problems = _join_alone(entry, found[i], file.where, book, by_name)
        overlaps = _overlaps(genes[i], others, holders, itself=shipped + i)
        out.append(
            SetReport(
                name=entry.name,
                identifier=entry.identifier,
                line=entry.line,
                method=readout.method if readout else None,
                mechanism=entry.fields.get("mechanism"),
                sign=readout.sign if readout else 1,
                stated_direction=entry.fields.get("stated_direction", "not stated"),
                members=found[i],
                overlaps=tuple(sorted(overlaps, key=lambda o: (-o.share, -o.shared, o.readout))),
                problems=tuple(problems),
                warnings=(
                    *_warnings(found[i], genes[i], guesses),
                    *_direction(entry, readout, mechanism),
                ),
                notes=(*entry.notes, *partners.get(entry.name, ())),
            )
        )
    return tuple(out)


def _join_alone(
    entry: UserSet,
    found: Sequence[Member],
    where: str,
    book: Catalogue,
    by_name: Mapping[str, Sequence[UserSet]],
) -> tuple[Readout | None, Mechanism | None, list[str]]:
    """Join one set to the catalogue; its mechanism; what stands in the way, if anything."""
    problems = []
    mechanisms = {m.mechanism: m for m in book.mechanisms}
    named = entry.fields.get("mechanism")
    same = by_name[f"id {entry.identifier}"]
    first = [] if same[0] is entry else [same[0]]
    about = [entry] if named is None else by_name[f"mechanism {named}"]
    try:
        refuse_taken_names([*first, entry], book, where)
    except UserError as error:
        problems.append(_said(error))
    try:
        added = new_mechanisms(about, book, where)
        mechanisms |= {m.mechanism: m for m in added}
    except UserError as error:
        problems.append(_said(error))
    try:
        # A mechanism that could not be made is said above, not again.
        readout = records_of(entry, found, {*mechanisms, named or ""}, where)[0]
    except UserError as error:
        return None, mechanisms.get(named or ""), [*problems, _said(error)]
    return readout, mechanisms.get(named or ""), problems


def _by_name(sets: Sequence[UserSet]) -> dict[str, list[UserSet]]:
    """Sets of one id, and sets of one mechanism, in the order of the file."""
    out: dict[str, list[UserSet]] = {}
    for entry in sets:
        out.setdefault(f"id {entry.identifier}", []).append(entry)
        out.setdefault(f"mechanism {entry.fields.get('mechanism')}", []).append(entry)
    return out


def _said(error: UserError) -> str:
    return f"{error.what}; {error.do}" if error.do else error.what


def _direction(entry: UserSet, readout: Readout | None, mechanism: Mechanism | None) -> list[str]:
    """Whether the stated direction is missing, or is not the one the mechanism gives the set."""
    if mechanism is None or readout is None:
        return []
    stated = entry.fields.get("stated_direction")
    if stated is None:
        return ["no stated direction: say whether high means resistance or sensitivity"]
    if mechanism.resistance_direction == "context" or not stated.startswith("high = "):
        return []
    rises = (mechanism.resistance_direction == "high") == (readout.sign > 0)
    read = "high = resistance" if rises else "high = sensitivity"
    if stated == read:
        return []
    return [
        f"stated {stated}, but under mechanism {mechanism.mechanism!r} with sign"
        f" {readout.sign:+d} it is read as {read}: turn the sign, or check the statement"
    ]


def _warnings(
    found: Sequence[Member], genes: frozenset[str], guesses: dict[str, list[str]]
) -> list[str]:
    names = [m.published for m in found]
    out = []
    letters = [n for n in names if len(n) == 1]
    if len(letters) >= FEW_LETTERS and len(letters) > len(names) / 2:
        word = "".join(letters)
        out.append(
            f"{len(letters)} of its names are single letters ({some(letters, 8)}): a text was"
            f" taken apart letter by letter; if it was {word}, write {word} as one name"
        )
    unique = len(set(names))
    if unique and len(genes) < LEAST_KNOWN * unique:
        out.append(
            f"only {len(genes)} of {unique} names are genes that can be scored: the score will"
            " be that of another set"
        )
    if lost := [m.published for m in found if m.status == "damaged date"]:
        out.append(f"a spreadsheet turned names into dates: {some(lost)}; restore them by hand")
    if undone := [m for m in found if m.status == "spreadsheet date"]:
        shown = some([f"{m.published} read as {m.symbol}" for m in undone])
        out.append(f"a spreadsheet turned names into dates: {shown}; check them")
    for name in dict.fromkeys(n for n in names if n in guesses):
        out.append(f"{name} is unknown; {' or '.join(guesses[name])} meant?")
    if len(genes & EXPANDED_IMMUNE) >= len(EXPANDED_IMMUNE) - 1 and len(genes) <= 20:
        out.append(
            "this is the expanded immune signature of Ayers 2017, not the T-cell-inflamed"
            " profile (GEP) of the same paper, under whose name several packages ship it"
        )
    return out


def _suggestions(
    found: Sequence[Sequence[Member]], symbols: Collection[str]
) -> dict[str, list[str]]:
    """Approved symbols that look like an unknown name."""
    unknown = dict.fromkeys(
        m.published for f in found for m in f if m.status == "unknown" and len(m.published) > 3
    )
    pool = sorted(symbols)
    close = {
        name: difflib.get_close_matches(name.upper(), pool, n=2, cutoff=0.79)
        for name in list(unknown)[:MOST_SUGGESTIONS]
    }
    return {name: options for name, options in close.items() if options}


def _pairs(sets: Sequence[UserSet]) -> dict[str, list[str]]:
    """Notes on sets whose names say that they are two halves of one."""
    ends = {"_UP": "_DN", "_DN": "_UP", "_DOWN": "_UP"}
    names = {s.name.upper(): s.name for s in sets}
    notes: dict[str, list[str]] = {}
    for entry in sets:
        upper = entry.name.upper()
        for end, other in ends.items():
            stem = upper.removesuffix(end)
            twin = next((names[t] for t in (stem + other, stem + "_DOWN") if t in names), None)
            if stem != upper and twin is not None and twin != entry.name and not entry.down:
                text = f"{entry.name} and {twin} look like two halves: as one row of a table"
                notes[entry.name] = [f"{text} (genes, genes_down) they are one signed set"]
    return notes


_Other = tuple[str, str | None, str | None, frozenset[str]]


def _catalogue_sets(book: Catalogue) -> list[_Other]:
    """Readout, mechanism, cluster and genes of every readout."""
    cluster = {m.mechanism: m.cluster for m in book.mechanisms}
    return [
        (
            r.readout,
            r.mechanism,
            cluster.get(r.mechanism) if r.mechanism else None,
            frozenset((*r.genes_up, *r.genes_down)),
        )
        for r in book.readouts
    ]


def _holders(sets: Sequence[frozenset[str]]) -> dict[str, list[int]]:
    """Positions of the sets that hold a gene."""
    holders: dict[str, list[int]] = {}
    for i, genes in enumerate(sets):
        for gene in genes:
            holders.setdefault(gene, []).append(i)
    return holders


def _overlaps(
    genes: frozenset[str],
    others: Sequence[_Other],
    holders: Mapping[str, Sequence[int]],
    itself: int,
) -> tuple[Overlap, ...]:
    """Sets that share at least `CLUSTER_SHARE` of the smaller one."""
    counts = Counter(i for gene in genes for i in holders[gene] if i != itself)
    out = []
    for i, shared in counts.items():
        readout, mechanism, cluster, theirs = others[i]
        if (part := share_of(shared, len(genes), len(theirs))) >= CLUSTER_SHARE:
            out.append(Overlap(readout, mechanism, cluster, shared, len(theirs), part))
    return tuple(out)
