"""Do percentiles and intervals keep what they promise? See below.

    python benchmarks/calibration.py [uniform] [coverage] [--data FOLDER] [--draws N] [--out FOLDER]

``uniform``: each tumour of a reference placed among the others; Kolmogorov-Smirnov against the
uniform distribution, share of high and low. The raw percentile of one readout is uniform then by
construction, so a second table places one random half of the tumours in the other.

``coverage``: what the 90 % interval is an interval *for* is the percentile a tumour would have if
the set's genes and the reference's tumours were other draws from where they came from. Nobody
knows that figure for a real set, so it is had in two ways.

- ``bootstrap``: genes and reference tumours are drawn with replacement, as many as there are; a
  gene drawn twice becomes two rows. The truth is the percentile with every gene once and every
  tumour once. The tumours placed are never in the reference. For readouts each set's genes are
  drawn by themselves; for mechanisms the genes of all sets at once, so that what sets share they
  gain or lose together (sets of fewer than 5 genes stay whole, their mechanisms do not count). A
  drawn set of m genes shows (m - 1)/m of the variance that drawing it has, so that even a perfect
  interval covers less than it says: 82 % with 3 genes, 87 % with 7.
- ``halves``: genes and reference tumours are cut into random halves, so that a tumour gets two
  percentiles which share neither genes nor reference. Both intervals together must cover a
  difference of zero: |z1 - z2| within the root of the sum of squares of the facing distances.
  Genes of all sets are cut at once; a set with fewer than 3 genes in a half stays whole and does
  not count, nor does its mechanism.

Written is one table per part; the summary on the screen is that of benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from calibration_cohorts import (
    DEFINITE,
    SHARED,
    Cohort,
    demo,
    prepared,
    reference_of,
    verdicts,
)
from scipy import special, stats

from resistpath.io.resources import catalogue
from resistpath.io.tables import write_table
from resistpath.mechanisms.records import Catalogue, Readout

FEWEST_IN_HALF = 3
FEWEST_TO_DRAW = 5
READOUT_VIEWS = {"raw": "percentile", "residual": "residual_percentile"}


def uniform(c: Cohort, name: str, seed: int) -> Iterator[dict[str, object]]:
    """KS p of percentiles by readout and mechanism: among the others, and half in half."""
    book, rng = catalogue(), np.random.default_rng(seed)
    reference = reference_of(c)
    members = list(reference.values.columns)
    shuffled = rng.permutation(members)
    half = list(shuffled[: len(members) // 2])
    rest = [s for s in members if s not in half]
    ways = {
        "among the others": (members, reference),
        "half in half": (rest, reference_of(c.part(half))),
    }
    for way, (samples, ref) in ways.items():
        mechanisms, readouts = verdicts(c.part(samples), ref, book)
        for kind, table in (("readout", readouts), ("mechanism", mechanisms)):
            for item, rows in table.groupby(kind, sort=False):
                for view, column in READOUT_VIEWS.items():
                    p = rows[column].dropna().to_numpy() / 100
                    if len(p) < 10:
                        continue
                    share = {}
                    if kind == "mechanism":
                        words = rows["verdict" if view == "raw" else "residual_verdict"]
                        share = {w: float((words == w).mean()) for w in (*DEFINITE, "inconclusive")}
                    yield {
                        "cohort": name,
                        "way": way,
                        "kind": kind,
                        "item": item,
                        "view": view,
                        "n": len(p),
                        "reference_n": ref.n,
                        "ks_p": _ks(p, ref.n, way),
                        **share,
                    }


def _ks(p: np.ndarray, n: int, way: str) -> float:
    """KS p against uniform; half in half, against what two samples of a distribution give."""
    if way == "among the others":
        return float(stats.kstest(p, "uniform").pvalue)
    # Percentiles in a reference of n share its luck: the two-sample test knows that.
    grid = (np.arange(n) + 0.5) / n
    return float(stats.ks_2samp(p, grid).pvalue)


# --- coverage ------------------------------------------------------------------------------------


def _drawn(genes: tuple[str, ...], measured: set[str], rng: np.random.Generator) -> list[str]:
    """As many genes with replacement; the second copy of G is called G@2."""
    have = [g for g in genes if g in measured]
    seen: Counter[str] = Counter()
    out = []
    for g in rng.choice(have, len(have)) if have else ():
        seen[g] += 1
        out.append(str(g) if seen[g] == 1 else f"{g}@{seen[g]}")
    return out


def bootstrap_book(book: Catalogue, measured: set[str], rng: np.random.Generator) -> Catalogue:
    """The catalogue with the genes of every set drawn with replacement."""
    drawn = [
        replace(
            r,
            genes_up=tuple(_drawn(r.genes_up, measured, rng)),
            genes_down=tuple(_drawn(r.genes_down, measured, rng)),
        )
        if r.signatures
        else r
        for r in book.readouts
    ]
    return replace(book, readouts=tuple(drawn))


def joint_book(book: Catalogue, measured: set[str], rng: np.random.Generator) -> Catalogue:
    """The catalogue with the genes of all sets drawn at once, with replacement."""
    sets = [r for r in book.readouts if r.signatures and _fewest(r, measured) >= FEWEST_TO_DRAW]
    union = sorted({g for r in sets for g in r.genes_up + r.genes_down} & measured)
    times = dict(
        zip(union, rng.multinomial(len(union), [1 / len(union)] * len(union)), strict=True)
    )

    def drawn(genes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(g if k == 0 else f"{g}@{k + 1}" for g in genes for k in range(times.get(g, 0)))

    names = {r.readout for r in sets}
    readouts = tuple(
        replace(r, genes_up=drawn(r.genes_up), genes_down=drawn(r.genes_down))
        if r.readout in names
        else r
        for r in book.readouts
    )
    return replace(book, readouts=readouts)


def _fewest(r: Readout, measured: set[str]) -> int:
    """Genes on the smaller side of a readout's set."""
    sides = [len(measured & set(genes)) for genes in (r.genes_up, r.genes_down) if genes]
    return min(sides, default=0)


def with_copies(values: pd.DataFrame, book: Catalogue) -> pd.DataFrame:
    """Append a row for every copy of a gene that a drawn set holds."""
    copies = sorted({g for r in book.readouts for g in r.genes_up + r.genes_down if "@" in g})
    rows = values.loc[[g.split("@")[0] for g in copies]].set_axis(copies)
    return pd.concat([values, rows])


def bootstrap(c: Cohort, draws: int, placed: int, seed: int) -> Iterator[pd.DataFrame]:
    """Intervals from drawn genes and drawn tumours, beside the percentile of all."""
    book = catalogue()
    measured = set(c.values.index)
    whole = _mechanisms(book, lambda r: _fewest(r, measured) >= FEWEST_TO_DRAW)
    for draw in range(draws):
        for kind, draw_genes in (("readout", bootstrap_book), ("mechanism", joint_book)):
            rng = np.random.default_rng([seed, draw])
            order = list(rng.permutation(c.values.columns))
            test, pool = order[:placed], order[placed:]
            drawn_book = draw_genes(book, measured, rng)
            wide = replace(c, values=with_copies(c.values, drawn_book))
            every = reference_of(wide.part(pool))
            chosen = wide.part(list(rng.choice(pool, len(pool))))
            names = [f"R{i}" for i in range(len(pool))]
            drawn = replace(
                every,
                values=chosen.values.set_axis(names, axis=1),
                fractions=chosen.cells.values.set_axis(names),
            )
            truth, found = (
                verdicts(wide.part(test), every, book),
                verdicts(wide.part(test), drawn, drawn_book),
            )
            rows = _covered(truth, found)
            counts = (rows["kind"] == kind) & ((kind == "readout") | rows["item"].isin(whole))
            yield rows[counts].assign(draw=draw)


def _mechanisms(book: Catalogue, holds: Callable[[Readout], bool]) -> set[str]:
    """Mechanisms of whose readouts all hold."""
    return {
        m.mechanism
        for m in book.mechanisms
        if all(r.signatures and holds(r) for r in book.readouts_of(m.mechanism))
    }


def _covered(
    truth: tuple[pd.DataFrame, pd.DataFrame], found: tuple[pd.DataFrame, pd.DataFrame]
) -> pd.DataFrame:
    frames = []
    for kind, t, f, low, high in (
        ("mechanism", truth[0], found[0], "low", "high"),
        ("readout", truth[1], found[1], "percentile_low", "percentile_high"),
    ):
        both = t.merge(f, on=["sample", kind], suffixes=("_true", ""))
        for view, p, lo, hi in (
            ("raw", "percentile", low, high),
            ("residual", "residual_percentile", "residual_low", "residual_high"),
        ):
            rows = both[both[f"{p}_true"].notna() & both[p].notna()]
            frames.append(
                pd.DataFrame(
                    {
                        "sample": rows["sample"],
                        "kind": kind,
                        "item": rows[kind],
                        "view": view,
                        "covered": (rows[lo] <= rows[f"{p}_true"])
                        & (rows[f"{p}_true"] <= rows[hi]),
                        "width": rows[hi] - rows[lo],
                        "true": rows[f"{p}_true"],
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)


def half_books(
    book: Catalogue, measured: set[str], rng: np.random.Generator
) -> tuple[Catalogue, Catalogue, set[str]]:
    """Two catalogues whose sets share no gene, and the readouts that were cut."""
    union = sorted({g for r in book.readouts for g in r.genes_up + r.genes_down} & measured)
    first = {g for g, one in zip(union, rng.random(len(union)) < 0.5, strict=True) if one}
    halves_ = (first, set(union) - first)
    out: tuple[list[Readout], list[Readout]] = ([], [])
    cut = set()
    for r in book.readouts:
        parts = [
            replace(
                r,
                genes_up=tuple(g for g in r.genes_up if g in half),
                genes_down=tuple(g for g in r.genes_down if g in half),
            )
            for half in halves_
        ]
        sides = [p.genes_up for p in parts] + [p.genes_down for p in parts if r.genes_down]
        if r.signatures and min(map(len, sides)) >= FEWEST_IN_HALF:
            cut.add(r.readout)
        else:
            parts = [r, r]
        for readouts, part in zip(out, parts, strict=True):
            readouts.append(part)
    one, two = (replace(book, readouts=tuple(readouts)) for readouts in out)
    return one, two, cut


def halves(c: Cohort, draws: int, placed: int, seed: int) -> Iterator[pd.DataFrame]:
    """Two percentiles of a tumour without a gene or a reference tumour in common."""
    book = catalogue()
    measured = set(c.values.index)
    for draw in range(draws):
        rng = np.random.default_rng([seed, draw])
        order = list(rng.permutation(c.values.columns))
        test, pool = order[:placed], order[placed:]
        middle = len(pool) // 2
        one, two, cut = half_books(book, measured, rng)
        tables = [
            verdicts(c.part(test), reference_of(c.part(part)), b)
            for part, b in ((pool[:middle], one), (pool[middle:], two))
        ]
        yield _agree(tables, cut, book).assign(draw=draw)


def _agree(
    tables: Sequence[tuple[pd.DataFrame, pd.DataFrame]], cut: set[str], book: Catalogue
) -> pd.DataFrame:
    whole = _mechanisms(book, lambda r: r.readout in cut)
    frames = []
    for at, kind, low, high, counted in (
        (0, "mechanism", "low", "high", whole),
        (1, "readout", "percentile_low", "percentile_high", cut),
    ):
        both = tables[0][at].merge(tables[1][at], on=["sample", kind], suffixes=("_1", "_2"))
        both = both[both[kind].isin(counted)]
        for view, p, lo, hi in (
            ("raw", "percentile", low, high),
            ("residual", "residual_percentile", "residual_low", "residual_high"),
        ):
            rows = both[both[f"{p}_1"].notna() & both[f"{p}_2"].notna()]
            z = [_z(rows[f"{p}_{k}"]) for k in (1, 2)]
            down = [z[k] - _z(rows[f"{lo}_{k + 1}"]) for k in (0, 1)]
            up = [_z(rows[f"{hi}_{k + 1}"]) - z[k] for k in (0, 1)]
            first_above = z[0] > z[1]
            reach = np.where(first_above, np.hypot(down[0], up[1]), np.hypot(up[0], down[1]))
            frames.append(
                pd.DataFrame(
                    {
                        "sample": rows["sample"],
                        "kind": kind,
                        "item": rows[kind],
                        "view": view,
                        "covered": np.abs(z[0] - z[1]) <= reach,
                        "width": rows[f"{hi}_1"] - rows[f"{lo}_1"],
                        "true": (rows[f"{p}_1"] + rows[f"{p}_2"]) / 2,
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)


def _z(percentile: pd.Series) -> np.ndarray:
    return np.asarray(special.ndtri(np.clip(percentile.to_numpy() / 100, 1e-3, 1 - 1e-3)))


def set_sizes(measured: set[str]) -> pd.Series:
    """Genes of each readout; a mechanism has the size of its smallest set."""
    book = catalogue()
    sizes = {
        r.readout: len(measured & {*r.genes_up, *r.genes_down}) if r.signatures else 1
        for r in book.readouts
    }
    for m in book.mechanisms:
        own = [sizes[r.readout] for r in book.readouts_of(m.mechanism)]
        if own:
            sizes[m.mechanism] = min(own)
    return pd.Series(sizes)


def summarise_coverage(table: pd.DataFrame) -> pd.DataFrame:
    """Coverage by way, kind, view and size of the set."""
    edges, labels = [0, 1, 4, 9, 19, 49, 10_000], ["1", "2-4", "5-9", "10-19", "20-49", "50+"]
    size = pd.cut(table["size"], edges, labels=labels)
    tables = [
        table.assign(genes=genes).groupby(["way", "kind", "view", "genes"], observed=True)
        for genes in ("all", size)
    ]
    frames = [
        rows.agg(
            coverage=("covered", "mean"), width=("width", "median"), n=("covered", "size")
        ).reset_index()
        for rows in tables
    ]
    return pd.concat([f.astype({"genes": str}) for f in frames], ignore_index=True)


def main() -> None:
    """Run the parts named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=[], help="uniform, coverage")
    parser.add_argument("--data", type=Path, default=SHARED / "data")
    parser.add_argument("--draws", type=int, default=30)
    parser.add_argument("--placed", type=int, default=15, help="tumours placed in each draw")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "calibration")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    todo: dict[str, tuple[Callable[[], pd.DataFrame], Callable[[pd.DataFrame], pd.DataFrame]]] = {
        "uniform": (lambda: pd.DataFrame(_uniform_rows(args.data, args.seed)), _summarise_uniform),
        "coverage": (lambda: _coverage_rows(args), summarise_coverage),
    }
    for part in args.parts or todo:
        run, summarise = todo[part]
        table = run()
        write_table(args.out / f"{part}.tsv", table)
        print(f"== {part}")
        print(summarise(table).round(3).to_string(index=False))


def _uniform_rows(data: Path, seed: int) -> Iterator[dict[str, object]]:
    yield from uniform(demo(), "demo", seed)
    for name in ("gide_prjeb23709_pd1", "liu_2019_pd1"):
        if (data / name).is_dir():
            yield from uniform(prepared(data / name), name, seed)


def _summarise_uniform(table: pd.DataFrame) -> pd.DataFrame:
    rows = table.groupby(["cohort", "way", "kind", "view"], sort=False)
    out = rows.agg(
        items=("item", "size"),
        ks_above_01=("ks_p", lambda p: float((p > 0.01).mean())),
        most_high=("high", "max"),
        most_low=("low", "max"),
        inconclusive=("inconclusive", "mean"),
    )
    return out.reset_index()


def _coverage_rows(args: argparse.Namespace) -> pd.DataFrame:
    c = demo()
    sizes = set_sizes(set(c.values.index))
    frames = []
    for way, run in (("bootstrap", bootstrap), ("halves", halves)):
        found = list(run(c, args.draws, args.placed, args.seed))
        frames.append(pd.concat(found, ignore_index=True).assign(way=way))
    table = pd.concat(frames, ignore_index=True)
    return table.assign(size=table["item"].map(sizes))


if __name__ == "__main__":
    main()
