"""assess: each sample's place in the reference, its verdicts, rules and phenotype, and pairs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from resistpath.cohort.phenotype import STROMA, T_CELLS, phenotypes
from resistpath.io.prepared import read_prepared
from resistpath.io.resources import catalogue, patterns, rules
from resistpath.io.tables import read_table, write_table
from resistpath.mechanisms.catalogue import Catalogue
from resistpath.mechanisms.evidence import Assessment, examine
from resistpath.mechanisms.measure import CellTables
from resistpath.mechanisms.others import beside, empty
from resistpath.mechanisms.pairs import compare_pairs, find_pairs
from resistpath.mechanisms.patterns import read_patterns
from resistpath.mechanisms.rows import is_missing
from resistpath.mechanisms.rules import evaluate_rules
from resistpath.mechanisms.verdict import Thresholds
from resistpath.quality import failed_gates
from resistpath.reference import Reference
from resistpath.steps import Progress, silent
from resistpath.steps.deconvolve import read_cells
from resistpath.steps.reference import BIOPSY_NOISE, Chosen, choose

TABLES = ("mechanisms", "readouts", "fit", "rules", "phenotype", "pairs", "patterns")
ELSEWHERE = ("mechanisms.references", "readouts.references")


def assess(
    folder: Path,
    references: Sequence[str | Path],
    *,
    thresholds: Thresholds,
    signatures: Path | None = None,
    say: Progress = silent,
) -> None:
    """Place samples in references; write `TABLES` and `ELSEWHERE`.

    The first of `references` decides the verdicts; places in the further ones go to
    ``mechanisms.references.tsv`` and ``readouts.references.tsv``, which have no rows if there
    are none. `signatures` holds gene sets of the user, which join the catalogue.
    """
    prepared = read_prepared(folder / "prepared.h5ad")
    cells = read_cells(folder)
    failed = failed_gates(read_table(folder / "quality.tsv"))
    first, *further = choose(references, thresholds.min_reference)
    book = catalogue(signatures)
    given = (prepared.values, cells, prepared.obs, failed)
    found = examine(*given, first.reference, book, thresholds)
    tables = all_tables(found, prepared.obs, first.reference, thresholds)
    tables |= dict(zip(ELSEWHERE, _elsewhere(further, given, book, thresholds), strict=True))
    for chosen in (first, *further):
        if chosen.stands_in:
            say(f"{chosen.reference.name} {chosen.stands_in}")
    words = found.mechanisms["verdict"].value_counts()
    say("verdicts: " + ", ".join(f"{n} {word}" for word, n in words.items()))
    met = int((tables["rules"]["outcome"] == "met").sum())
    say(f"rules met: {met}; pairs of time points: {len(_pairs_of(tables['pairs']))}")
    for name in (*TABLES, *ELSEWHERE):
        write_table(folder / f"{name}.tsv", tables[name])


def _elsewhere(
    further: Sequence[Chosen],
    given: tuple[pd.DataFrame, CellTables, pd.DataFrame, dict[str, str]],
    book: Catalogue,
    thresholds: Thresholds,
) -> list[pd.DataFrame]:
    """Places in further references, mechanisms and readouts; without rows if there are none."""
    placed = []
    for chosen in further:
        pack = chosen.reference
        found = examine(*given, pack, book, thresholds)
        tables = (found.mechanisms, found.readouts)
        placed.append(beside(*tables, found.fit["fits"], pack.cancer_type, chosen.stands_in))
    if not placed:
        return list(empty())
    return [pd.concat(tables, ignore_index=True) for tables in zip(*placed, strict=True)]


def all_tables(
    found: Assessment, obs: pd.DataFrame, pack: Reference, thresholds: Thresholds
) -> dict[str, pd.DataFrame]:
    """The tables of this step by name."""
    places, level = found.standings, thresholds.level
    sheet = with_diseases(obs, pack.cancer_type)
    noise: dict[str, Any] = pack.info.get(BIOPSY_NOISE, {})
    pairs = find_pairs(places.samples, sheet)
    return {
        "mechanisms": found.mechanisms,
        "readouts": found.readouts,
        "fit": found.fit.rename_axis("sample").reset_index(),
        "rules": evaluate_rules(rules(), places, sheet["cancer_type"]),
        "phenotype": phenotypes(
            places.samples,
            places.of(f"readout:{T_CELLS}", "raw"),
            places.of(f"readout:{STROMA}", "raw"),
            places.correlation(T_CELLS, STROMA),
            places.barred,
            places.doubtful,
            level=level,
        ),
        "pairs": compare_pairs(pairs, places, noise, level),
        "patterns": read_patterns(patterns(), pairs, places, sheet, noise, level),
    }


def with_diseases(obs: pd.DataFrame, disease: str) -> pd.DataFrame:
    """Sample sheet in which a missing disease is that of the reference."""
    own = obs["cancer_type"] if "cancer_type" in obs else pd.Series(None, obs.index, object)
    return obs.assign(cancer_type=[disease if is_missing(d) else d for d in own])


def _pairs_of(table: pd.DataFrame) -> pd.DataFrame:
    return table[["patient", "from_timepoint", "to_timepoint"]].drop_duplicates()
