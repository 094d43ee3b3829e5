"""How much mechanisms share: readouts with common genes must not be counted as two findings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from typing import Final

from resistpath.errors import UserError, some
from resistpath.mechanisms.records import Mechanism, Readout

CLUSTER_SHARE: Final = 0.30
"""Share of the smaller set, on average over the readouts, that makes two mechanisms one cluster."""
ALONE: Final = "none"
"""Cluster of a mechanism that shares genes with no other."""


def overlap(one: Readout, other: Readout) -> float:
    """Shared genes over the genes of the smaller set; 0 if fewer than two genes are shared.

    Genes that count down are genes like any other: a score that falls with a set tells the
    same story as one that rises with it.
    """
    return share({*one.genes_up, *one.genes_down}, {*other.genes_up, *other.genes_down})


def share(genes: Set[str], others: Set[str]) -> float:
    """Shared genes over the genes of the smaller set; 0 if fewer than two genes are shared."""
    return share_of(len(genes & others), len(genes), len(others))


def share_of(shared: int, size: int, other: int) -> float:
    """Shared genes over the smaller of two sizes; 0 if fewer than two genes are shared."""
    return shared / min(size, other) if shared > 1 else 0.0


def likeness(one: Sequence[Readout], other: Sequence[Readout]) -> float:
    """Mean over both mechanisms of each readout's largest overlap with the other mechanism."""
    if not one or not other:
        return 0.0
    forth = sum(max(overlap(a, b) for b in other) for a in one) / len(one)
    back = sum(max(overlap(a, b) for a in one) for b in other) / len(other)
    return (forth + back) / 2


def clusters(readouts: Iterable[Readout]) -> dict[str, frozenset[str]]:
    """Join mechanisms whose readouts share genes, directly or through a third one.

    Parameters
    ----------
    readouts
        Of all mechanisms; those of no mechanism and fractions are left out.

    Returns
    -------
    dict
        For each mechanism the members of its cluster, itself among them.
    """
    members: dict[str, list[Readout]] = {}
    for readout in readouts:
        if readout.mechanism is not None and readout.gene_set is not None:
            members.setdefault(readout.mechanism, []).append(readout)
    found = {name: frozenset({name}) for name in members}
    names = list(members)
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            if other in found[one] or likeness(members[one], members[other]) < CLUSTER_SHARE:
                continue
            joined = found[one] | found[other]
            found |= dict.fromkeys(joined, joined)
    return found


def check_clusters(mechanisms: Sequence[Mechanism], readouts: Sequence[Readout]) -> None:
    """Check that the clusters a table states are those of the genes."""
    groups = clusters(readouts)
    for entry in mechanisms:
        computed = groups.get(entry.mechanism, frozenset({entry.mechanism}))
        stated = {
            m.mechanism
            for m in mechanisms
            if m is entry or (entry.cluster is not None and m.cluster == entry.cluster)
        }
        if stated == computed and (entry.cluster is None) == (len(computed) == 1):
            continue
        others = sorted(computed - {entry.mechanism})
        raise UserError(
            f"mechanism {entry.mechanism!r} shares genes with"
            f" {some(others, 20) if others else 'no other mechanism'}, but its cluster is"
            f" {entry.cluster or ALONE!r} and holds {len(stated)} mechanisms",
            where="mechanisms.tsv",
            do=f"give a cluster one id, and {ALONE!r} to a mechanism that is alone",
        )
