"""assess: each sample's place in the reference and its verdicts."""

from __future__ import annotations

from pathlib import Path

from resistpath.io.packs import read_reference
from resistpath.io.prepared import read_prepared
from resistpath.io.resources import catalogue
from resistpath.io.tables import read_table, write_table
from resistpath.mechanisms.evidence import assess as assess_samples
from resistpath.mechanisms.verdict import Thresholds
from resistpath.quality import failed_gates
from resistpath.steps import Progress, silent
from resistpath.steps.deconvolve import read_cells


def assess(
    folder: Path,
    reference: Path,
    *,
    thresholds: Thresholds,
    signatures: Path | None = None,
    say: Progress = silent,
) -> None:
    """Place samples in a reference; write ``mechanisms.tsv`` and ``readouts.tsv``.

    `signatures` holds gene sets of the user, which join the catalogue.
    """
    prepared = read_prepared(folder / "prepared.h5ad")
    cells = read_cells(folder)
    failed = failed_gates(read_table(folder / "quality.tsv"))
    pack = read_reference(reference)
    book = catalogue(signatures)
    mechanisms, readouts = assess_samples(
        prepared.values, cells, prepared.obs, failed, pack, book, thresholds
    )
    words = mechanisms["verdict"].value_counts()
    say("verdicts: " + ", ".join(f"{n} {word}" for word, n in words.items()))
    write_table(folder / "mechanisms.tsv", mechanisms)
    write_table(folder / "readouts.tsv", readouts)
