"""How many verdicts move when the matrix changes and the tumour does not? See below.

    python benchmarks/stability.py [depth] [matrix] [across] [--data FOLDER] [--out FOLDER]

``depth``: counts thinned to half by binomial draws, placed in the same reference (that of the full
counts); two cohorts have fewer than 20 tumours, and there the limit is set to 8 for this purpose.
``matrix``: a tenth of the genes dropped from the sample; a constant added to TPM; FPKM in place of
TPM. The reference is the unchanged cohort's own. In both parts samples are renamed, before and
after, so that none counts as one of the reference's and only the change is seen. ``across``:
pre-treatment melanomas of each cohort in the reference of each other one; distance of the median
percentile from 50, and share of mechanisms whose percentiles pass a two-sample KS at 0.01.

Written is one table per part; the summary on the screen is that of benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from calibration_cohorts import (
    DEFINITE,
    SHARED,
    Cohort,
    T,
    cohort,
    prepared,
    read,
    reference_of,
    renamed,
    stranger,
    verdicts,
)
from scipy import stats

import resistpath as rp
from resistpath.io.resources import catalogue
from resistpath.io.tables import write_table
from resistpath.normalise import log2_plus_one
from resistpath.reference import fit_to_reference

COUNTS = ("riaz_gse91061_counts", "cho_gse126044_counts", "tcga_stad_counts_ensembl")
MELANOMA = ("gide_prjeb23709_pd1", "liu_2019_pd1", "riaz_gse91061_counts", "hugo_gse78220")
TPM = ("gide_prjeb23709_pd1", "hugo_gse78220", "liu_2019_pd1")


def changed(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, object]:
    """How verdicts moved between two tables of the same samples."""
    both = before.merge(after, on=["sample", "mechanism"], suffixes=("", "_after"))
    out: dict[str, object] = {"samples": both["sample"].nunique()}
    for view, column, p in (
        ("raw", "verdict", "percentile"),
        ("residual", "residual_verdict", "residual_percentile"),
    ):
        rows = both[
            (both[column] != "not assessable") | (both[f"{column}_after"] != "not assessable")
        ]
        a, b = rows[column], rows[f"{column}_after"]
        definite = a.isin(DEFINITE) & b.isin(DEFINITE)
        moved = (rows[p] - rows[f"{p}_after"]).abs()
        out |= {
            f"{view}_n": len(rows),
            f"{view}_classes_changed": float((a != b).mean()),
            f"{view}_high_low_flips": float(
                ((a == "high") & (b == "low") | (a == "low") & (b == "high")).mean()
            ),
            f"{view}_definite_changed": float((definite & (a != b)).sum() / max(1, definite.sum())),
            f"{view}_definite_changed_of_all": float((definite & (a != b)).mean()),
            f"{view}_definite_n": int(definite.sum()),
            f"{view}_median_move": float(moved.median()),
            f"{view}_p95_move": float(moved.quantile(0.95)),
        }
    return out


def thin(values: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Half of the reads, each kept with probability one half."""
    counts = values.round().astype(np.int64).to_numpy()
    return pd.DataFrame(rng.binomial(counts, 0.5).astype(np.float64), values.index, values.columns)


def depth(data: Path, seed: int) -> Iterator[dict[str, object]]:
    """Verdicts of full and of thinned counts in the reference of the full ones."""
    for name in COUNTS:
        e, obs = read(data / name)
        if e.units.startswith("log2"):
            e = replace(e, values=np.exp2(e.values) - 1, units="counts")
        full = cohort(rp.normalise(e).values, obs)
        thinned = replace(e, values=thin(e.values, np.random.default_rng(seed)))
        half = cohort(rp.normalise(thinned).values, obs)
        ref, book = reference_of(full), catalogue()
        few = replace(T, min_reference=8)
        before, after = (verdicts(stranger(x), ref, book, few)[0] for x in (full, half))
        yield {
            "cohort": name,
            "change": "half depth",
            "reference_n": ref.n,
            **changed(before, after),
        }


def _fpkm_twin(data: Path) -> Cohort:
    e, obs = read(data / "hugo_gse78220_fpkm")
    c = cohort(rp.normalise(replace(e, units="fpkm")).values, obs)
    named = {s: s.replace("Pt27A", "Pt27") for s in c.values.columns}
    kept = [s for s in c.values.columns if named[s] != "Pt27B"]
    return renamed(c.part(kept), named)


def matrix(data: Path, seed: int) -> Iterator[dict[str, object]]:
    """Verdicts before and after a change of the matrix, in the reference of the unchanged."""
    book = catalogue()
    for name in TPM:
        e, obs = read(data / name)
        normal = rp.normalise(e).values
        c = cohort(normal, obs)
        ref = reference_of(c)
        before = verdicts(stranger(c), ref, book)[0]

        def row(change: str, other: Cohort) -> dict[str, object]:
            after = verdicts(stranger(other), ref, book)[0]  # noqa: B023 - called at once
            return {
                "cohort": name,  # noqa: B023
                "change": change,
                "reference_n": ref.n,  # noqa: B023
                **changed(before, after),  # noqa: B023
            }

        for k in range(3):
            rng = np.random.default_rng([seed, k])
            kept = normal.index[rng.random(len(normal)) >= 0.1]
            tpm = np.exp2(normal.loc[kept]) - 1
            again = log2_plus_one(tpm / tpm.sum() * 1e6)
            yield row(f"10 % of genes dropped, draw {k + 1}", cohort(again, obs))
        for offset in (0.01, 0.1, 1.0):
            tpm = np.exp2(normal) - 1 + offset
            yield row(f"TPM + {offset:g}", cohort(log2_plus_one(tpm / tpm.sum() * 1e6), obs))
        if name == "hugo_gse78220":
            twin = _fpkm_twin(data)
            yield row("FPKM in the reference of TPM", twin)
            own = verdicts(stranger(twin), reference_of(twin), book)[0]
            yield {
                "cohort": name,
                "change": "FPKM in its own reference",
                "reference_n": ref.n,
                **changed(before, own),
            }
            foreign = reference_of(prepared(data / "gide_prjeb23709_pd1"), "Gide")
            first, second = (verdicts(stranger(x), foreign, book)[0] for x in (c, twin))
            yield {
                "cohort": name,
                "change": "FPKM and TPM, both in Gide",
                "reference_n": foreign.n,
                **changed(first, second),
            }


def across(data: Path, seed: int) -> Iterator[dict[str, object]]:
    """Percentiles of the tumours of one study in the reference of another."""
    cohorts = {name: prepared(data / name) for name in MELANOMA}
    cohorts["hugo_gse78220_fpkm"] = _fpkm_twin(data)
    for home in MELANOMA:
        reference = reference_of(cohorts[home])
        for name, c in cohorts.items():
            if name == home:
                continue
            pre = [s for s in c.values.columns if c.obs.loc[s, "timepoint"] == "pre"]
            mechanisms = verdicts(stranger(c.part(pre)), reference, catalogue())[0]
            fits = fit_to_reference(c.values[pre], reference)["fits"]
            out: dict[str, object] = {
                "cohort": name,
                "reference": home,
                "samples": len(pre),
                "fit": float(fits.mean()),
            }
            grid = (np.arange(reference.n) + 0.5) / reference.n
            for view, column in (("raw", "percentile"), ("residual", "residual_percentile")):
                groups = [g[column].dropna().to_numpy() for _, g in mechanisms.groupby("mechanism")]
                groups = [p for p in groups if len(p) >= 10]
                off = [abs(float(np.median(p)) - 50) for p in groups]
                out[f"{view}_median_off"] = float(np.median(off))
                out[f"{view}_ks_above_01"] = float(
                    np.mean([stats.ks_2samp(p / 100, grid).pvalue > 0.01 for p in groups])
                )
            yield out


def main() -> None:
    """Run the parts named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=[], help="depth, matrix, across")
    parser.add_argument("--data", type=Path, default=SHARED / "data")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "stability")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    todo: dict[str, Callable[[Path, int], Iterator[dict[str, object]]]] = {
        "depth": depth,
        "matrix": matrix,
        "across": across,
    }
    for part in args.parts or todo:
        table = pd.DataFrame(todo[part](args.data, args.seed))
        write_table(args.out / f"{part}.tsv", table)
        print(f"== {part}")
        print(table.round(3).T.to_string())


if __name__ == "__main__":
    main()
