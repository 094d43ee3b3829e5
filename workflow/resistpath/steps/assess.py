"""assess: each sample's place in the reference and its verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from resistpath.io.prepared import read_prepared
from resistpath.io.resources import catalogue
from resistpath.io.tables import read_table, write_table
from resistpath.mechanisms.evidence import assess as assess_samples
from resistpath.mechanisms.others import beside
from resistpath.mechanisms.verdict import Thresholds
from resistpath.quality import failed_gates
from resistpath.reference import fit_to_reference
from resistpath.steps import Progress, silent
from resistpath.steps.deconvolve import read_cells
from resistpath.steps.reference import choose


def assess(
    folder: Path,
    references: Sequence[str | Path],
    *,
    thresholds: Thresholds,
    signatures: Path | None = None,
    say: Progress = silent,
) -> None:
    """Place samples in references; write ``mechanisms.tsv``, ``readouts.tsv`` and the others'.

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
    mechanisms, readouts = assess_samples(*given, first.reference, book, thresholds)
    if first.stands_in:
        say(f"{first.reference.name} {first.stands_in}")
    others = [beside(mechanisms, readouts, None)]
    for chosen in further:
        pack = chosen.reference
        placed = assess_samples(*given, pack, book, thresholds)
        fits = fit_to_reference(prepared.values, pack)["fits"]
        others.append(beside(*placed, fits, pack.cancer_type, chosen.stands_in))
        say(f"also placed in {pack.name} {chosen.stands_in}".rstrip())
    words = mechanisms["verdict"].value_counts()
    say("verdicts: " + ", ".join(f"{n} {word}" for word, n in words.items()))
    write_table(folder / "mechanisms.tsv", mechanisms)
    write_table(folder / "readouts.tsv", readouts)
    for i, name in enumerate(("mechanisms", "readouts")):
        table = pd.concat([other[i] for other in others[1:]] or [others[0][i]], ignore_index=True)
        write_table(folder / f"{name}.references.tsv", table)
