"""Part of compare: the cohort's samples as points, for the cohort page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from resistpath.cohort.embedding import COLUMNS, FEWEST, embed
from resistpath.io.files import write_json
from resistpath.io.prepared import read_prepared
from resistpath.io.tables import read_table, write_table
from resistpath.quality import failed_gates
from resistpath.steps import Progress, silent

OUTPUTS = ("embedding.tsv", "embedding.json")


def write_embedding(folder: Path, *, wanted: bool = True, say: Progress = silent) -> None:
    """Write ``comparison/embedding.tsv`` and what was done, ``comparison/embedding.json``.

    Samples that failed quality take no part. The table is empty, and the reason given, below
    ten samples or where no embedding is `wanted`.
    """
    table, facts = pd.DataFrame(columns=list(COLUMNS)), dict[str, Any]()
    if not wanted:
        facts["absent"] = "switched off (report.embedding)"
    else:
        failed = failed_gates(read_table(folder / "quality.tsv"))
        values = read_prepared(folder / "prepared.h5ad").values
        if failed:
            values = values[[s for s in values.columns if str(s) not in failed]]
        if (n := values.shape[1]) < FEWEST:
            facts["absent"] = f"{n} samples passed quality, at least {FEWEST} are embedded"
        else:
            table, facts = embed(values)
            say(f"{n} samples embedded on {facts['genes']} genes")
    write_table(folder / "comparison" / OUTPUTS[0], table)
    write_json(folder / "comparison" / OUTPUTS[1], facts)
