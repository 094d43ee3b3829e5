"""The records of the catalogue: what a mechanism, a readout and a signature are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from resistpath.errors import UserError, some
from resistpath.mechanisms.directions import DirectionCheck
from resistpath.mechanisms.diseases import unreadable
from resistpath.methods import GeneSet

Direction = Literal["high", "low", "context"]
ReadoutMethod = Literal["ssgsea", "singscore", "mean", "gene", "ratio", "fraction"]

METHODS: Final = ("ssgsea", "singscore", "mean", "gene", "ratio", "fraction")
SET_METHODS: Final = ("ssgsea", "singscore", "mean")


@dataclass(frozen=True)
class Signature:
    """A published gene set, with where it comes from and how it has fared.

    Attributes
    ----------
    signature
        Id.
    name
        What a reader sees.
    stated_direction
        ``"high = resistance"``, ``"high = sensitivity"`` or ``"context"``, as the source says.
    paper, doi, table
        Where it was published; `table` is ``"not seen"`` where the paper's table was not read.
    read_from
        The public file it was read in.
    licence
        Licence of that file.
    tier
        ``"A"`` permissive source, ``"B"`` facts re-keyed from the paper, ``"O"`` a panel that
        is not a published signature, ``"user"`` a set of the user.
    derivation
        Whether one or two public sources give the list.
    n_published, n_current
        Genes in the source, and genes left after renaming and exclusion.
    caveats
        What to beware of.
    replications, failed_replications
        Where its direction was seen again, and where it was looked for and not seen.
    up, down
        Current symbols; `down` genes lower the score.
    renamed
        Pairs of published and current symbol, where they differ.
    """

    signature: str
    name: str
    stated_direction: str
    paper: str
    doi: str
    table: str
    read_from: str
    licence: str
    tier: str
    derivation: str
    n_published: int
    n_current: int
    caveats: str
    replications: str
    failed_replications: str
    up: tuple[str, ...]
    down: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]

    @property
    def genes(self) -> tuple[str, ...]:
        """All genes of the signature, `up` first."""
        return self.up + self.down

    @property
    def replication(self) -> str:
        """Replications and failed replications in one text."""
        return f"{self.replications} Failed: {self.failed_replications}"


@dataclass(frozen=True)
class Readout:
    """One number per sample, and how it bears on a mechanism.

    Attributes
    ----------
    readout
        Id.
    mechanism
        Id of the mechanism, or None for a readout that only gives context.
    name
        What a reader sees.
    method
        ``"ssgsea"``, ``"singscore"`` or ``"mean"`` of a signature; ``"gene"``; ``"ratio"``
        (mean log2 of `up` minus mean log2 of `down`); ``"fraction"`` of a cell type.
    up, down
        As in the table: signature ids, gene symbols joined by ``|``, or ``method:cell_type``.
    sign
        Multiply by it so that high means more of the mechanism.
    weight
        Weight among the readouts of the mechanism.
    note
        What to know when reading it.
    genes_up, genes_down
        The genes it needs; empty for a fraction.
    """

    readout: str
    mechanism: str | None
    name: str
    method: ReadoutMethod
    up: str
    down: str | None
    sign: int
    weight: float
    note: str
    genes_up: tuple[str, ...]
    genes_down: tuple[str, ...]

    @property
    def signatures(self) -> tuple[str, ...]:
        """Ids of the signatures it is scored from."""
        if self.method not in SET_METHODS:
            return ()
        return (self.up,) if self.down is None else (self.up, self.down)

    @property
    def fraction(self) -> tuple[str, str] | None:
        """Deconvolution method and cell type, if it is a fraction."""
        if self.method != "fraction":
            return None
        method, cell_type = self.up.split(":", 1)
        return method, cell_type

    @property
    def gene_set(self) -> GeneSet | None:
        """Its genes under its own id, or None for a fraction."""
        if self.method == "fraction":
            return None
        return GeneSet(self.readout, self.genes_up, self.genes_down)


@dataclass(frozen=True)
class Mechanism:
    """A named way to resist immune checkpoint inhibition.

    Attributes
    ----------
    mechanism
        Id.
    name
        What a reader sees.
    axis
        ``"tumour-intrinsic"``, ``"tumour-extrinsic"`` or ``"host"``.
    resistance_direction
        Whether ``"high"`` or ``"low"`` means resistance; ``"context"`` if neither does alone.
    read
        The view read for resistance: ``"raw"``, or ``"residual"`` given T-cell inflammation.
    resistance_timepoints
        ``"any"``, or the time points at which the direction holds, parted by commas.
    definition, rna_shows, rna_cannot_show, timepoint_note
        For the report.
    evidence, evidence_against, sources, evidence_grade
        For the report; grades run from A (replicated in ICI cohorts) to C (exploratory).
    page
        ``"one"`` if shown on page one, ``"more"`` if after it.
    diseases
        Diseases in which it may be read at all; empty if in any.
    cluster
        Id of the mechanisms whose readouts share its genes, itself among them; None if alone.
    """

    mechanism: str
    name: str
    axis: str
    resistance_direction: Direction
    read: Literal["raw", "residual"]
    resistance_timepoints: str
    definition: str
    rna_shows: str
    rna_cannot_show: str
    timepoint_note: str
    evidence: str
    evidence_against: str
    sources: tuple[str, ...]
    evidence_grade: str
    page: Literal["one", "more"]
    diseases: tuple[str, ...]
    cluster: str | None

    def unreadable_in(self, disease: object) -> str | None:
        """Return why the mechanism may not be read in a disease, None if it may.

        Parameters
        ----------
        disease
            As a sample sheet writes it; missing counts as unknown, and an unknown disease is
            not one of those a mechanism is bound to.
        """
        return unreadable(self.diseases, disease) or None

    def direction_at(self, timepoint: str | None) -> Direction:
        """Direction that means resistance in a sample taken at `timepoint`.

        An unknown time point counts as none of those listed, so a direction that holds at
        progression only is ``"context"`` for a sample without a time point.
        """
        holds = self.resistance_timepoints
        if holds == "any" or (timepoint is not None and timepoint in holds.split(",")):
            return self.resistance_direction
        return "context"


@dataclass(frozen=True)
class NotAssessed:
    """Something tumour RNA cannot show, and the test that can.

    `mechanism` is the id of the host mechanism it stands for, if it is one.
    """

    item: str
    why: str
    test_instead: str
    mechanism: str | None = None


@dataclass(frozen=True)
class KeyGene:
    """A gene whose level is shown by itself."""

    gene: str
    group: str
    why: str


@dataclass(frozen=True)
class Catalogue:
    """All records, in the order of their tables.

    Attributes
    ----------
    mechanisms, readouts, signatures, not_assessed, key_genes
        The records.
    inflammation
        Id of the T-cell-inflamed readout, on which residuals are taken.
    direction_checks
        AUC for response of the readouts that could be checked.
    """

    mechanisms: tuple[Mechanism, ...]
    readouts: tuple[Readout, ...]
    signatures: tuple[Signature, ...]
    not_assessed: tuple[NotAssessed, ...]
    key_genes: tuple[KeyGene, ...]
    inflammation: str
    direction_checks: tuple[DirectionCheck, ...] = ()

    def mechanism(self, mechanism: str) -> Mechanism:
        """Return the mechanism with this id."""
        return _find(self.mechanisms, mechanism, lambda m: m.mechanism, "mechanism")

    def readout(self, readout: str) -> Readout:
        """Return the readout with this id."""
        return _find(self.readouts, readout, lambda r: r.readout, "readout")

    def signature(self, signature: str) -> Signature:
        """Return the signature with this id."""
        return _find(self.signatures, signature, lambda s: s.signature, "signature")

    def direction_check(self, readout: str) -> DirectionCheck | None:
        """AUC for response of a readout, None where it could not be checked."""
        return next((c for c in self.direction_checks if c.readout == readout), None)

    def directions_of(self, readout: str) -> dict[str, str]:
        """Directions of a readout's score as it is, before treatment, by who states them.

        ``"authors"`` of the signature, ``"read"`` here for its mechanism.
        """
        entry = self.readout(readout)
        read = "context"
        if entry.mechanism is not None:
            direction = self.mechanism(entry.mechanism).direction_at("pre")
            if direction != "context":
                rises = (direction == "high") == (entry.sign > 0)
                read = "high = resistance" if rises else "high = sensitivity"
        source = self.source_of(readout)
        return {"authors": source.stated_direction if source else "context", "read": read}

    def source_of(self, readout: str) -> Signature | None:
        """Signature a readout is scored from, the first of a pair, or the one of its own id."""
        wanted = (*self.readout(readout).signatures, readout)[0]
        return next((s for s in self.signatures if s.signature == wanted), None)

    def points_against(self, readout: str) -> tuple[str, ...]:
        """Whose direction a readout contradicts in the check, both raw and as a residual."""
        check = self.direction_check(readout)
        said = self.directions_of(readout)
        return tuple(who for who, text in said.items() if check and check.against(text))

    def page(self, page: str) -> tuple[Mechanism, ...]:
        """Mechanisms shown on page ``"one"``, or ``"more"`` for those after it."""
        return tuple(m for m in self.mechanisms if m.page == page)

    def cluster_of(self, mechanism: str) -> tuple[Mechanism, ...]:
        """Other mechanisms that share genes with this one, in page order."""
        entry = self.mechanism(mechanism)
        return tuple(
            m
            for m in self.mechanisms
            if entry.cluster is not None and m.cluster == entry.cluster and m is not entry
        )

    def readouts_of(self, mechanism: str) -> tuple[Readout, ...]:
        """Readouts of one mechanism."""
        self.mechanism(mechanism)
        return tuple(r for r in self.readouts if r.mechanism == mechanism)

    def context_readouts(self) -> tuple[Readout, ...]:
        """Readouts that belong to no mechanism."""
        return tuple(r for r in self.readouts if r.mechanism is None)

    def gene_sets(self, method: str | None = None) -> list[GeneSet]:
        """Gene sets the readouts need, each named by its readout.

        Parameters
        ----------
        method
            Restrict to readouts of this method. Fractions have no gene set.
        """
        if method is not None and method not in METHODS:
            raise UserError(
                f"no readout is made by the method {method!r}",
                do=f"choose among {some(METHODS, 9)}",
            )
        wanted = (r for r in self.readouts if method is None or r.method == method)
        return [r.gene_set for r in wanted if r.gene_set is not None]

    def fractions(self) -> tuple[tuple[str, str], ...]:
        """Deconvolution methods and cell types the readouts need."""
        return tuple(r.fraction for r in self.readouts if r.fraction is not None)

    def genes(self) -> tuple[str, ...]:
        """Every gene a readout or the list of key genes needs, sorted."""
        needed = {g for r in self.readouts for g in r.genes_up + r.genes_down}
        return tuple(sorted(needed | {k.gene for k in self.key_genes}))


_Record = TypeVar("_Record")


def _find(
    records: Sequence[_Record], wanted: str, key: Callable[[_Record], str], kind: str
) -> _Record:
    for record in records:
        if key(record) == wanted:
            return record
    raise UserError(
        f"the catalogue has no {kind} {wanted!r}", do=f"choose among {some(map(key, records), 60)}"
    )
