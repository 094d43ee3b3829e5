"""Immune phenotype from bulk RNA against pathologists, on IMvigor210.

    python benchmarks/phenotype.py [--data FOLDER] [--draws N] [--out TABLE.tsv]

195 bladder tumours with the pathologists' desert, excluded or inflamed, but only 1,768 genes, so
that the gate for gene coverage fails and the functions are called directly. The reference is the
cohort itself. For each score: area under the ROC curve of each phenotype against the other two,
and Hand and Till's M, the mean over pairs of phenotypes (2001, doi:10.1023/A:1010920819831), with
bootstrap intervals over patients; for M also the difference from CD8A alone in the same draws.
A single score has one direction, so it stands for its phenotypes in the order desert, excluded,
inflamed: one against the rest it is turned round for desert, and M is the mean of its pairwise
areas in that order.

The TGF-β set was published with these very patients (Mariathasan 2018), so its part is not an
independent test. The data are not part of the project (see ``../shared/data``).
"""

from __future__ import annotations

import argparse
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from resistpath.api import linear_symbols, read_expression
from resistpath.cohort.phenotype import PHENOTYPES, STROMA, T_CELLS
from resistpath.io.resources import catalogue
from resistpath.mechanisms.evidence import Assessment, examine
from resistpath.mechanisms.measure import CellTables
from resistpath.mechanisms.verdict import Thresholds
from resistpath.reference import build_reference
from resistpath.steps.assess import all_tables

COHORT = "imvigor210_bladder_1768genes"
ORDER = ("desert", "excluded", "inflamed")
HERE = Path(__file__).resolve().parent


def area(scores: np.ndarray, positive: np.ndarray) -> float:
    """Area under the ROC curve, ties counted half."""
    m, n = int(positive.sum()), int((~positive).sum())
    if not m or not n:
        return float("nan")
    return float((rankdata(scores)[positive].sum() - m * (m + 1) / 2) / (m * n))


def one_against_rest(score: pd.DataFrame, truth: np.ndarray) -> dict[str, float]:
    """Area of each phenotype's own score against the other two phenotypes."""
    return {name: area(score[name].to_numpy(), truth == name) for name in PHENOTYPES}


def hand_till(score: pd.DataFrame, truth: np.ndarray) -> float:
    """Mean over pairs of phenotypes of the two areas that tell them apart."""
    out = []
    for a, b in combinations(PHENOTYPES, 2):
        rows = (truth == a) | (truth == b)
        first = area(score[a].to_numpy()[rows], truth[rows] == a)
        second = area(score[b].to_numpy()[rows], truth[rows] == b)
        out.append((first + second) / 2)
    return float(np.mean(out))


def ordered(values: np.ndarray) -> pd.DataFrame:
    """One score as one score per phenotype, in the order desert, excluded, inflamed."""
    return pd.DataFrame({"inflamed": values, "excluded": values, "desert": -values})


def ordered_m(values: np.ndarray, truth: np.ndarray) -> float:
    """Mean pairwise area of one score in the order desert, excluded, inflamed."""
    out = []
    for low, high in combinations(ORDER, 2):
        rows = (truth == low) | (truth == high)
        out.append(area(values[rows], truth[rows] == high))
    return float(np.mean(out))


def assessed(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, Assessment, pd.DataFrame]:
    """Values, phenotypes, assessment and sheet of the cohort, placed in itself."""
    linear, _, _ = linear_symbols(read_expression(folder / "matrix.tsv.gz"))
    values = np.log2(linear + 1)
    sheet = pd.read_csv(folder / "samples.tsv", sep="\t", index_col="sample_id")
    sheet = sheet.reindex(values.columns).rename(columns={"patient_id": "patient"})
    none = pd.DataFrame(index=values.columns)
    cells = CellTables(none, none, none)
    reference = build_reference(COHORT, "urothelial carcinoma", values, none, sheet, {})
    # 8 of the 19 genes of the TGF-β set are on the panel, under the gate of 60 %.
    thresholds = Thresholds(min_coverage=0.4)
    found = examine(values, cells, sheet, {}, reference, catalogue(), thresholds)
    table = all_tables(found, sheet, reference, thresholds)["phenotype"].set_index("sample")
    return values, table, found, sheet


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared" / "data")
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    folder = args.data / COHORT
    if not folder.is_dir():
        print(f"{folder}: no such folder", file=sys.stderr)
        return 2
    values, table, found, sheet = assessed(folder)
    known = sheet["Immune.phenotype"].isin(PHENOTYPES).to_numpy()
    print(f"labelled, but not read: {int((known & table['p_desert'].isna().to_numpy()).sum())}")
    known &= table["p_desert"].notna().to_numpy()
    truth = sheet["Immune.phenotype"].to_numpy(dtype=object)[known]
    table = table[known]
    print(
        f"{known.sum()} of {len(sheet)} samples have a label:",
        dict(pd.Series(truth).value_counts()),
    )
    for name in (T_CELLS, STROMA):
        m = found.standings.measured[name]
        print(f"{name}: {m.coverage:.0%} of its genes, {m.n_genes} measured")
    print(f"correlation of the coordinates: {found.standings.correlation(T_CELLS, STROMA):.2f}")

    p = table[[f"p_{name}" for name in PHENOTYPES]].set_axis(list(PHENOTYPES), axis=1)
    single = {
        "CD8A": values.loc["CD8A"].to_numpy()[known],
        "T-cell coordinate": table["x"].to_numpy(),
        "stromal coordinate": table["y"].to_numpy(),
    }
    scores = {"probabilities": p} | {name: ordered(v) for name, v in single.items()}

    def m_of(name: str, rows: np.ndarray) -> float:
        if name in single:
            return ordered_m(single[name][rows], truth[rows])
        return hand_till(p.iloc[rows], truth[rows])

    everything = np.arange(len(truth))
    rng = np.random.default_rng(0)
    draws = [rng.integers(0, len(truth), len(truth)) for _ in range(args.draws)]
    base = np.array([m_of("CD8A", rows) for rows in draws])
    out = []
    for name, score in scores.items():
        row: dict[str, object] = {"score": name}
        own = one_against_rest(score, truth)
        drawn = pd.DataFrame([one_against_rest(score.iloc[r], truth[r]) for r in draws])
        for k in PHENOTYPES:
            low, high = np.quantile(drawn[k], [0.025, 0.975])
            row[k] = f"{own[k]:.2f} ({low:.2f}–{high:.2f})"
        ms = np.array([m_of(name, rows) for rows in draws])
        low, high = np.quantile(ms, [0.025, 0.975])
        row["M"] = f"{m_of(name, everything):.3f} ({low:.3f}–{high:.3f})"
        low, high = np.quantile(ms - base, [0.025, 0.975])
        difference = m_of(name, everything) - m_of("CD8A", everything)
        row["M minus CD8A"] = f"{difference:+.3f} ({low:+.3f} to {high:+.3f})"
        out.append(row)
    result = pd.DataFrame(out)
    print(result.to_string(index=False))
    print(pd.crosstab(table["phenotype"], truth).to_string())
    best = p.to_numpy().argmax(axis=1)
    right = np.array(PHENOTYPES, dtype=object)[best] == truth
    sure = table["phenotype"].isin(PHENOTYPES).to_numpy()
    print(
        f"most probable phenotype is the pathologist's: {right.mean():.0%};"
        f" where a label is given ({sure.sum()}): {right[sure].mean():.0%}"
    )
    print("mean coordinates by label:")
    print(table.groupby(truth)[["x", "y"]].mean().round(0).to_string())
    if args.out:
        result.to_csv(args.out, sep="\t", index=False)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
