"""What the earlier steps left in a cohort folder, as `report` reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from resistpath.errors import UserError
from resistpath.io.prepared import Prepared, read_prepared
from resistpath.io.resources import catalogue
from resistpath.io.tables import read_table
from resistpath.mechanisms.catalogue import Catalogue
from resistpath.mechanisms.verdict import Thresholds
from resistpath.reference import Reference, members
from resistpath.steps.reference import Chosen

TABLES = (
    "quality",
    "scores",
    "fractions",
    "fractions.fit",
    "mechanisms",
    "readouts",
    "fit",
    "rules",
    "phenotype",
)
NOT_BY_SAMPLE = ("pairs", "patterns")
"""Tables of `assess` by patient; no sample's page may depend on its company."""
ELSEWHERE = "mechanisms.references"
"""Places of the samples in further references."""
COHORT_TABLES = ("quality.cohort", "confounding", "fractions.cohort_concordance")


@dataclass(frozen=True)
class Results:
    """Everything the earlier steps left in a cohort folder."""

    prepared: Prepared
    reference: Reference
    tables: dict[str, pd.DataFrame]
    together: dict[str, pd.DataFrame]
    elsewhere: pd.DataFrame
    stands_in: str
    book: Catalogue
    thresholds: Thresholds
    signatures: Path | None

    @property
    def samples(self) -> list[str]:
        """Samples in the matrix's order."""
        return [str(s) for s in self.prepared.values.columns]

    def part(self, samples: Sequence[str]) -> Results:
        """The same of some samples."""
        wanted = list(samples)
        if wanted == self.samples:
            return self
        obs = self.prepared.obs.loc[wanted]
        reads = self.prepared.counts
        prepared = replace(
            self.prepared,
            values=self.prepared.values[wanted],
            obs=obs,
            counts=None if reads is None else reads[wanted],
        )
        tables = {k: t[t["sample"].isin(wanted)] for k, t in self.tables.items()}
        elsewhere = self.elsewhere[self.elsewhere["sample"].astype(str).isin(wanted)]
        return replace(self, prepared=prepared, tables=tables, elsewhere=elsewhere)

    @cached_property
    def members(self) -> np.ndarray:
        """Where each sample stands among the reference's own, -1 where it is not one of them."""
        return members(self.prepared.values, self.reference)


def load_results(
    folder: Path, chosen: Chosen, thresholds: Thresholds, signatures: Path | None
) -> Results:
    """Read everything, and refuse tables of other samples than the matrix's."""
    tables = {name: read_table(folder / f"{name}.tsv") for name in TABLES}
    for name in ("quality", "readouts", "fit"):
        tables[name] = truth(tables[name])
    together = {
        name: read_table(folder / f"{name}.tsv") for name in (*COHORT_TABLES, *NOT_BY_SAMPLE)
    }
    book = catalogue(signatures)
    key_genes = [g.gene for g in book.key_genes]
    results = Results(
        read_prepared(folder / "prepared.h5ad", counts=key_genes),
        chosen.reference,
        tables,
        together,
        read_table(folder / f"{ELSEWHERE}.tsv"),
        chosen.stands_in,
        book,
        thresholds,
        signatures,
    )
    for name, table in tables.items():
        if set(table["sample"].astype(str)) != set(results.samples):
            raise UserError(
                f"{name}.tsv and prepared.h5ad hold different samples",
                where=str(folder),
                do="run the steps again from prepare",
            )
        table["sample"] = table["sample"].astype(str)
    return results


def truth(table: pd.DataFrame) -> pd.DataFrame:
    """Turn the yes and no of truth columns back into values; missing stays None."""
    for name in ("passed", "assessable", "fits"):
        if name in table:
            words = {"yes": True, "no": False}
            table[name] = pd.Series([words.get(x) for x in table[name]], dtype=object)
    return table
