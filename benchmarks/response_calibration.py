"""Are the tests of response calibrated: permuted labels give few findings, planted effects show.

    python benchmarks/response_calibration.py [--cohorts SHEET] [--only NAME ...] [--runs 200]

Per cohort, all catalogue readouts and mechanisms, raw and residual, as `compare` tests them
(area, permutation p, Benjamini-Hochberg over the cohort's whole table).

1. Labels permuted: share of tests with q < 0.1, share of runs with any such test, share of tests
   with p < 0.05, and how often the 95 % DeLong interval leaves out 0.5 (logit, plain, score).
2. A readout planted: the cohort's own readouts, labels permuted, and one column drawn so that
   its true area is the minimum detectable one (stated power 80 %) and at 90 % power: share of runs
   in which it is found at p < 0.05.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from response_cohorts import Scored, read_all
from scipy.special import ndtri

from resistpath.cohort import samples
from resistpath.cohort.auc import areas
from resistpath.cohort.multiplicity import benjamini_hochberg
from resistpath.cohort.permutation import permutation_p
from resistpath.cohort.power import minimum_detectable

DEFAULT = ["riaz_gse91061_counts", "gide_prjeb23709_pd1", "liu_2019_pd1"]


def tested(cohort: Scored) -> tuple[pd.DataFrame, np.ndarray]:
    """Patients x everything that is tested, and the outcome."""
    y = samples.responders(cohort.sheet)
    tables = [cohort.readouts, cohort.mechanisms]
    tables += [cohort.residuals(t).dropna(axis=1, how="all") for t in tables]
    table = pd.concat([t.loc[y.index] for t in tables], axis=1)
    return table.dropna(axis=1, how="all"), y.to_numpy()


def null_runs(table: pd.DataFrame, y: np.ndarray, runs: int, seed: int) -> dict[str, float]:
    """Findings under permuted labels."""
    rng = np.random.default_rng(seed)
    found, any_found, low_p = [], [], []
    outside: dict[str, list[float]] = {"logit": [], "plain": [], "score": []}
    for _ in range(runs):
        labels = rng.permutation(y)
        p = permutation_p(table, labels)["p"].to_numpy()
        q = benjamini_hochberg(p)
        found.append((q < 0.1).mean())
        any_found.append(bool((q < 0.1).any()))
        low_p.append((p < 0.05).mean())
        for kind in outside:
            a = areas(table, labels, interval=kind)
            outside[kind].append(((a["low"] > 0.5) | (a["high"] < 0.5)).mean())
    figures = {
        "share_q_below_0.1": float(np.mean(found)),
        "runs_with_any": float(np.mean(any_found)),
        "share_p_below_0.05": float(np.mean(low_p)),
    }
    return figures | {f"interval_misses_{k}": float(np.mean(v)) for k, v in outside.items()}


def planted_runs(y: np.ndarray, power: float, runs: int, seed: int) -> tuple[float, float]:
    """Area that has `power` at these group sizes, and how often it is found."""
    rng = np.random.default_rng(seed)
    m = int(y.sum())
    area = minimum_detectable(m, len(y) - m, power_of=power)
    x = rng.normal(size=(len(y), runs))
    x[y] += np.sqrt(2) * ndtri(area)
    return area, float((permutation_p(x, y)["p"] < 0.05).mean())


def main() -> None:
    """Print one row per cohort."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohorts", type=Path, help="cohort sheet; default: ../shared/data")
    parser.add_argument("--only", nargs="*", default=None, help="names of cohorts")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    only = options.only or (None if options.cohorts else DEFAULT)
    rows = []
    for cohort in read_all(options.cohorts, only):
        table, y = tested(cohort)
        row = {"cohort": cohort.entry.cohort, "R": int(y.sum()), "NR": int((~y).sum())}
        row |= {"tests": table.shape[1]}
        row |= null_runs(table, y, options.runs, options.seed)
        for power in (0.8, 0.9):
            area, found = planted_runs(y, power, 5 * options.runs, options.seed)
            row |= {f"area_{power:g}": area, f"found_{power:g}": found}
        rows.append(row)
        print(pd.Series(row).to_string(), "\n", file=sys.stderr)
    pd.DataFrame(rows).to_csv(sys.stdout, sep="\t", index=False, float_format="%.4f")


if __name__ == "__main__":
    main()
