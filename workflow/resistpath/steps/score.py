"""score: every readout of the catalogue in every sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from resistpath.errors import UserError
from resistpath.io.networks import read_network
from resistpath.io.prepared import read_prepared
from resistpath.io.resources import (
    catalogue,
    pair_sets,
    score_table,
    typical_expression,
    weighted_sets,
)
from resistpath.io.tables import write_table
from resistpath.methods import GeneSet
from resistpath.score import METHODS, PANELS, score_cohort, score_long
from resistpath.score.data import ScoreData
from resistpath.steps import Progress, silent

LINEAR_MODELS = ("ulm", "mlm")


def score(
    folder: Path,
    *,
    methods: Sequence[str],
    network: Path | None = None,
    signatures: Path | None = None,
    threads: int = 1,
    say: Progress = silent,
) -> None:
    """Score every readout of the catalogue; write ``scores.tsv`` and ``scores.wide.tsv``.

    Each readout is scored by its own method; gene sets are also scored by each of `methods`.
    Methods that depend on the cohort write ``scores.cohort.tsv`` instead, which no later step
    reads. `network` holds the weighted sources of ``ulm``, ``mlm`` and ``weighted``,
    `signatures` gene sets of the user, which join the catalogue.
    """
    chosen = _known(methods)
    prepared = read_prepared(folder / "prepared.h5ad")
    data = ScoreData(prepared.values)
    book = catalogue(signatures)
    sources = [] if network is None else read_network(network)
    own = {r.readout: r.method for r in book.readouts}
    every = book.gene_sets()
    sets = [s for s in every if own[s.name] not in ("gene", "ratio")]

    jobs: dict[str, list[GeneSet]] = {}
    for gene_set in every:
        jobs.setdefault(own[gene_set.name], []).append(gene_set)
    for name in chosen:
        if name in PANELS or METHODS[name].cohort_dependent:
            continue
        jobs[name] = _sets_for(name, jobs.get(name, []), sets, sources)

    background = data.background(typical_expression())
    tables = [score_long(data, jobs, background, threads=threads)]
    if "weighted" in chosen:
        for gene_set, keepers in weighted_sets():
            options = {"weighted": {"housekeeping": keepers}}
            tables.append(
                score_long(data, {"weighted": [gene_set]}, background, options, threads=threads)
            )
    if "ips" in chosen:
        tables.append(PANELS["ips"].func(prepared.values, _ips_table()))
    long = pd.concat([t for t in tables if len(t)], ignore_index=True)
    say(f"{len(every)} readouts in {len(data.samples)} samples")
    write_table(folder / "scores.tsv", long)
    write_table(folder / "scores.wide.tsv", _wide(long, data, own, every))
    _write_cohort(folder / "scores.cohort.tsv", data, sets, chosen, threads)


def _known(methods: Sequence[str]) -> list[str]:
    """Return the methods without repeats; all of them must score sets."""
    offered = [n for n in (*METHODS, *PANELS) if n not in ("gene", "ratio")]
    for name in methods:
        if name not in offered:
            raise UserError(
                f"there is no scoring method {name!r} for gene sets",
                where="score.methods",
                do=f"choose from {', '.join(offered)}",
            )
    return list(dict.fromkeys(methods))


def _sets_for(
    name: str, own: list[GeneSet], sets: list[GeneSet], sources: list[GeneSet]
) -> list[GeneSet]:
    """Sets a chosen method scores: those of its readouts, and all others it can read."""
    if METHODS[name].takes == "pairs":
        return [*own, *pair_sets()]
    if name in LINEAR_MODELS and not sources:
        raise UserError(
            f"{name} needs a network of sources and targets",
            where="score.network",
            do="give a table with the columns source, target and weight",
        )
    if METHODS[name].takes == "weights":
        return [*own, *sources]
    names = {s.name for s in own}
    return [*own, *(s for s in sets if s.name not in names)]


def _ips_table() -> pd.DataFrame:
    return score_table("immunophenoscore")


def _wide(
    long: pd.DataFrame, data: ScoreData, own: Mapping[str, str], every: list[GeneSet]
) -> pd.DataFrame:
    """Samples x readouts, each by its own method, in the catalogue's order."""
    mine = long[long["method"] == long["readout"].map(own)]
    by_name = dict(list(mine.groupby("readout", sort=False)["score"]))
    columns = {s.name: by_name[s.name].to_numpy() for s in every}
    return pd.DataFrame({"sample": data.samples} | columns)


def _write_cohort(
    path: Path, data: ScoreData, sets: list[GeneSet], chosen: list[str], threads: int
) -> None:
    """Write scores that change with the other samples, apart from those that do not."""
    names = [n for n in chosen if n in METHODS and METHODS[n].cohort_dependent]
    if names:
        write_table(path, score_cohort(data, sets, names, threads=threads))
    else:
        # Left from an earlier configuration, it would pass for a result of this one.
        path.unlink(missing_ok=True)
