"""How often the 90 % intervals cover the truth, and what is called detectable, on simulated spikes.

    python benchmarks/deconvolve_coverage.py [--repeats 10]

One of the ten TIL10 cell types is spiked in at 0 to 30 %, each at eight levels; the other nine
share 5 to 40 % of the rest (Dirichlet 0.5); a tumour without signature genes has what is left.
Every gene of every sample is multiplied by log-normal noise (sd on the natural log scale). Robust
fits have no rest: they are compared with the fractions of the ten types among themselves.

A type spiked in below its published limit of detection should not be called detectable: the share
of those that were, and of those above twice the limit that were.
"""

from __future__ import annotations

import argparse
import itertools
import sys

import numpy as np
import pandas as pd

from resistpath.deconvolve import run
from resistpath.deconvolve.table import long_table
from resistpath.io.resources import deconvolution_tables

TABLES = deconvolution_tables()
TIL10 = TABLES["til10"]
TYPES = list(TIL10.columns[3:])
LEVELS = (0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3)
RUNS = (
    ("quantiseq", "quantiseq", {"symbols": "published"}),
    ("quantiseq, huber", "quantiseq", {"symbols": "published", "robust": "huber"}),
    ("least_squares", "least_squares", {"symbols": "published"}),
)


def spikes(noise: float, repeats: int, seed: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Mixtures, the fractions in them, and which type was spiked in."""
    rng = np.random.default_rng(seed)
    rows, spiked = [], []
    for column, level, _ in itertools.product(range(len(TYPES)), LEVELS, range(repeats)):
        others = rng.dirichlet([0.5] * (len(TYPES) - 1)) * rng.uniform(0.05, 0.4) * (1 - level)
        rows.append(np.insert(others, column, level))
        spiked.append(column)
    truth = np.array(rows)
    content = TABLES["til10_scaling"].set_index("cell_type")["mrna"].astype(float)[TYPES].to_numpy()
    mrna = truth * content
    mrna *= (truth.sum(axis=1) / mrna.sum(axis=1))[:, None]
    values = TIL10[TYPES].to_numpy(dtype=float) @ mrna.T
    values *= np.exp(rng.normal(0, noise, values.shape))
    names = [f"s{i}" for i in range(len(truth))]
    frame = pd.DataFrame(values, TIL10["gene"], names)
    frame.loc["REST"] = np.maximum(0, 1e6 - frame.sum())
    return frame, truth, np.array(spiked)


def detected(
    tpm: pd.DataFrame, truth: np.ndarray, method: str, options: dict[str, str]
) -> tuple[float, float]:
    """Share called detectable of values truly below the limit, and of those above twice it."""
    table = long_table(run(tpm, method, TABLES, **options), method, "fraction", TABLES)
    limited = table[table["limit"].notna()].set_index(["sample", "cell_type"])
    ids = {"B.cells": "b_cell", "T.cells.CD8": "t_cd8", "NK.cells": "nk", "Tregs": "treg"}
    ids |= {"Neutrophils": "neutrophil", "Monocytes": "monocyte"}
    below, above = [], []
    for name, cell in ids.items():
        rows = limited.xs(cell, level="cell_type").loc[list(tpm.columns)]
        share, limit = truth[:, TYPES.index(name)], rows["limit"].iloc[0]
        yes = rows["detectable"].eq("yes").to_numpy()
        below.append(yes[share < limit])
        above.append(yes[share >= 2 * limit])
    return float(np.concatenate(below).mean()), float(np.concatenate(above).mean())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=10)
    args = parser.parse_args()
    out = []
    for noise, (label, method, options) in itertools.product((0.1, 0.2, 0.3, 0.5), RUNS):
        tpm, truth, spiked = spikes(noise, args.repeats, seed=21)
        result = run(tpm, method, TABLES, **options)
        known = truth / truth.sum(axis=1, keepdims=True) if "robust" in options else truth
        low, high = (ends[TYPES].to_numpy() for ends in (result.low, result.high))
        covered = (low <= known) & (known <= high)
        own = np.arange(len(spiked)), spiked
        row = {
            "noise": noise,
            "run": label,
            "n": covered.size,
            "all types": covered.mean(),
            "type spiked in": covered[own][truth[own] > 0].mean(),
            "mean width": (high - low).mean(),
        }
        if label == "quantiseq":
            row["called below limit"], row["called above twice"] = detected(
                tpm, truth, method, options
            )
        out.append(row)
    text = pd.DataFrame(out).round(3).to_string(index=False, na_rep="")
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main()
