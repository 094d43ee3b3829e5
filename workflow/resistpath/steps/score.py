"""score: every readout of the catalogue in every sample."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from resistpath.errors import UserError
from resistpath.io.prepared import read_prepared
from resistpath.io.resources import catalogue
from resistpath.io.tables import write_table
from resistpath.score import METHODS, score_long
from resistpath.score.data import ScoreData
from resistpath.steps import Progress, silent


def score(
    folder: Path,
    *,
    methods: Sequence[str],
    signatures: Path | None = None,
    say: Progress = silent,
) -> None:
    """Score every readout of the catalogue; write ``scores.tsv`` and ``scores.wide.tsv``.

    Each readout is scored by its own method; gene sets are also scored by each of `methods`.
    `signatures` holds gene sets of the user, which join the catalogue.
    """
    for name in methods:
        if name not in METHODS:
            raise UserError(
                f"there is no scoring method {name!r}",
                where="score.methods",
                do=f"choose from {', '.join(METHODS)}",
            )
    data = ScoreData(read_prepared(folder / "prepared.h5ad").values)
    book = catalogue(signatures)
    own = {r.readout: r.method for r in book.readouts}
    frames, wide = [], {}
    for gene_set in book.gene_sets():
        method = own[gene_set.name]
        others = () if method in ("gene", "ratio") else methods
        tables = [score_long(data, gene_set, m) for m in dict.fromkeys([method, *others])]
        wide[gene_set.name] = tables[0]["score"].to_numpy()
        frames += tables
    say(f"{len(wide)} readouts in {len(data.samples)} samples")
    write_table(folder / "scores.tsv", pd.concat(frames, ignore_index=True))
    write_table(folder / "scores.wide.tsv", pd.DataFrame({"sample": data.samples} | wide))
