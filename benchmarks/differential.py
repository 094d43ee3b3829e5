"""What the differential view finds where there is nothing: the response of a cohort shuffled.

    python benchmarks/differential.py results/gide results/riaz [--runs 40] [--method auto]

Each folder is a prepared cohort (`resistpath prepare`). Response is shuffled among its patients
of the time point before treatment; everything else is as `resistpath differential` does it,
without covariates. Prints a row for the real response and one for each shuffle, then their means:
genes with q < 0.1 and share with p < 0.05; sets with q < 0.1 and share with p < 0.05 by prerank
and by the test that counts the correlation of a set's genes in.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from resistpath.cohort import samples
from resistpath.cohort.differential import RESPONDER, Arms
from resistpath.io.prepared import Prepared, read_prepared
from resistpath.io.resources import catalogue
from resistpath.io.tables import read_table
from resistpath.quality import failed_gates
from resistpath.steps import differential as step


def figures(
    cohort: str, prepared: Prepared, selection: samples.Selection, compared: Arms, method: str
) -> dict[str, float]:
    """What is found with the outcomes of `compared`."""
    book = catalogue()
    wanted = {g for s in book.gene_sets() for g in s.genes}
    ranked = step.rank_genes(
        prepared, selection, compared, method=method, level=0.95, wanted=wanted
    )
    sets, _ = step.rank_sets(ranked, book, cohort, permutations=1000, smallest=5, seed=1)
    sets = sets.dropna(subset="nes")
    return {
        "genes_found": ranked.facts["genes_found"],
        "genes_found_linear": ranked.facts.get("genes_found_linear", np.nan),
        "genes_p": float((ranked.genes["p"] < 0.05).mean()),
        "sets": len(sets),
        "prerank_found": int((sets["q"] < 0.1).sum()),
        "prerank_p": float((sets["p"] < 0.05).mean()),
        "correlated_found": int((sets["q_correlated"] < 0.1).sum()),
        "correlated_p": float((sets["p_correlated"] < 0.05).mean()),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--method", default="auto", choices=step.METHODS[:-1])
    args = parser.parse_args()
    for folder in args.folders:
        prepared = read_prepared(folder / "prepared.h5ad", counts=args.method != "limma")
        failed = failed_gates(read_table(folder / "quality.tsv"))
        selection = samples.select(prepared.obs, failed=failed)
        compared, _ = step.arms(prepared.obs, selection, [])
        rng = np.random.default_rng(0)
        rows = [figures(folder.name, prepared, selection, compared, args.method)]
        print(folder.name, compared.sizes, args.method, "real response:", rows[0], flush=True)
        for _ in range(args.runs):
            columns = compared.columns.copy()
            columns[RESPONDER] = rng.permutation(columns[RESPONDER].to_numpy())
            shuffled = replace(compared, columns=columns)
            rows.append(figures(folder.name, prepared, selection, shuffled, args.method))
            print(rows[-1], flush=True)
        table = pd.DataFrame(rows[1:])
        print("mean", table.mean().round(4).to_dict())
        print("range", table.agg(["min", "max"]).round(4).to_dict("list"))
        print("runs with any", (table.filter(like="found") > 0).mean().to_dict(), flush=True)


if __name__ == "__main__":
    main()
