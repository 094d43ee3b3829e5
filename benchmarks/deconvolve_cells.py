"""Signatures built from single cells, on mixtures of cells they have not seen.

    python benchmarks/deconvolve_cells.py [--data FOLDER] [--repeats 10]

Held out: half of the cells of each type of the HNSCC set (Puram 2017, 20 cells of each of 9 types,
labelled by its authors) make the signature, the other half the mixtures. Another tumour: all HNSCC
cells make the signature, cells of melanomas (Tirosh 2016) the mixtures; those were labelled by a
classifier, so their labels are themselves estimates.

Mixtures are 200 cells, their fractions drawn from a flat Dirichlet. Per cell type: Pearson, root
mean square error and bias, mean over the repeats, and the lowest Pearson. The sets are not part of
the project (see ``../shared/data/reference``).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd

from resistpath.deconvolve import run
from resistpath.deconvolve.profiles import Signature
from resistpath.deconvolve.signature import build_signature

ROOT = Path(__file__).resolve().parents[1]
UNITS = "log2_tpm10"
FEWEST = 4
T_CELLS = ("CD4 T cell", "CD8 T cell", "reg. T cell")


def read(folder: Path, name: str) -> Any:
    """Cells x genes with their types; unlabelled cells and small types left out."""
    values = pd.read_csv(folder / f"chetah_{name}_scrna.tsv.gz", sep="\t", index_col=0).T
    labels = pd.read_csv(folder / f"chetah_{name}_scrna.cells.tsv", sep="\t", index_col=0)
    labels = labels.loc[values.index]
    size = labels["cell_type"].value_counts()
    good = [t for t, n in size.items() if n >= FEWEST and not t.startswith(("Node", "Unass"))]
    keep = labels["cell_type"].isin(good).to_numpy()
    return anndata.AnnData(
        values.to_numpy(dtype=float)[keep],
        obs=labels[keep],
        var=pd.DataFrame(index=values.columns),
    )


def mix(
    cells: Any, types: list[str], rng: np.random.Generator, n: int = 100, size: int = 200
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw mixtures: TPM genes x samples, and the fractions of the cells drawn."""
    linear = 10 * (np.exp2(cells.X) - 1)
    linear = linear / linear.sum(axis=1, keepdims=True) * 1e6
    labels = cells.obs["cell_type"].to_numpy()
    values, fractions = [], []
    for shares in rng.dirichlet(np.ones(len(types)), n):
        count = np.round(shares * size).astype(int)
        drawn = [
            rng.choice(np.flatnonzero(labels == t), k) for t, k in zip(types, count, strict=True)
        ]
        total = linear[np.concatenate(drawn)].sum(axis=0)
        values.append(total / total.sum() * 1e6)
        fractions.append(count / count.sum())
    names = [f"m{i}" for i in range(n)]
    return (
        pd.DataFrame(np.array(values).T, cells.var_names, names),
        pd.DataFrame(fractions, names, types),
    )


def figures(signature: Signature, tpm: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Pearson, error and bias per cell type, and of all T cells together."""
    found = run(tpm, "least_squares", {}, signature=signature, interval=False).estimate
    estimate, truth = found[list(truth.columns)].copy(), truth.copy()
    together = [t for t in T_CELLS if t in truth]
    if len(together) > 1:
        estimate["T cells"] = estimate[together].sum(axis=1)
        truth["T cells"] = truth[together].sum(axis=1)
    off = estimate - truth
    return pd.DataFrame(
        {
            "pearson": [np.corrcoef(estimate[t], truth[t])[0, 1] for t in truth],
            "rmse": np.sqrt((off**2).mean()),
            "bias": off.mean(),
        }
    )


def halves(cells: Any, rng: np.random.Generator) -> tuple[Any, Any]:
    """Split the cells of each type into two halves."""
    labels = cells.obs["cell_type"].to_numpy()
    first = np.zeros(len(labels), dtype=bool)
    for cell in np.unique(labels):
        own = rng.permutation(np.flatnonzero(labels == cell))
        first[own[: len(own) // 2]] = True
    return cells[first].copy(), cells[~first].copy()


def main() -> None:
    """Print a table per task."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    folder = ROOT.parent / "shared" / "data" / "reference"
    parser.add_argument("--data", type=Path, default=folder)
    parser.add_argument("--repeats", type=int, default=10)
    args = parser.parse_args()
    hnscc, melanoma = (read(args.data, name) for name in ("hnscc", "melanoma"))
    whole = build_signature(hnscc, units=UNITS).signature
    found: dict[str, list[pd.DataFrame]] = {}
    for seed in range(args.repeats):
        rng = np.random.default_rng(seed)
        build, held_out = halves(hnscc, rng)
        half = build_signature(build, units=UNITS).signature
        tasks = {"held out, HNSCC": (half, held_out), "another tumour, melanoma": (whole, melanoma)}
        for task, (signature, cells) in tasks.items():
            present = set(cells.obs["cell_type"])
            types = [t for t in signature.types if t in present]
            found.setdefault(task, []).append(figures(signature, *mix(cells, types, rng)))
    for task, tables in found.items():
        mean = pd.concat(tables).groupby(level=0, sort=False).mean()
        mean["lowest_pearson"] = pd.concat(tables)["pearson"].groupby(level=0).min()
        sys.stdout.write(f"\n{task}\n{mean.round(3).to_string()}\n")


if __name__ == "__main__":
    main()
