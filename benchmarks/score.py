"""Cost of scoring, against gseapy, decoupler and against itself, in one interleaved run.

``python benchmarks/score.py [--samples 1000] [--rounds 3]`` prints the table of
benchmarks/README.md. Each round runs every contestant once, in a process of its own that has
first scored a few samples (imports, machine code); of the rounds the median is kept. The memory
figure is the growth of the process's peak over what it held with the matrix in place.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from statistics import median

import numpy as np
import pandas as pd

GENES, SETS, THREADS = 20_000, 100, 2
SHARED = ("ulm", "aucell", "gsva")
"""Methods that decoupler has too; compared where it is installed."""
RANK_METHODS = ("ssgsea", "singscore", "u_statistic", "aucell", "rank_z")

Sets = dict[str, list[str]]
Work = Callable[[pd.DataFrame, Sets], object]


def cohort(samples: int) -> pd.DataFrame:
    """Genes x samples, float32 as read from prepared.h5ad, one value in seven zero."""
    rng = np.random.default_rng(1)
    rows = np.empty((samples, GENES), dtype=np.float32)
    for row in rows:
        row[:] = np.maximum(rng.gamma(1.5, 2.0, GENES) - 0.8, 0)
    names = [f"G{i:05d}" for i in range(GENES)]
    return pd.DataFrame(rows.T, index=names, columns=[f"S{i:05d}" for i in range(samples)])


def gene_sets() -> Sets:
    """A hundred sets of 15 to 200 genes."""
    rng = np.random.default_rng(2)
    names = [f"G{i:05d}" for i in range(GENES)]
    sizes = rng.integers(15, 201, SETS)
    return {f"set{i}": list(rng.choice(names, n, replace=False)) for i, n in enumerate(sizes)}


def plain(*methods: str) -> Work:
    """Scores alone."""

    def work(values: pd.DataFrame, sets: Sets) -> object:
        from resistpath.methods import as_gene_sets
        from resistpath.score import METHODS
        from resistpath.score.data import ScoreData
        from resistpath.score.run import scores_of

        data = ScoreData(values)
        index = data.index(as_gene_sets(sets))
        return scores_of(data, index, {m: METHODS[m] for m in methods}, threads=THREADS)

    return work


def detailed(values: pd.DataFrame, sets: Sets) -> object:
    """Scores with interval and null."""
    from resistpath.methods import as_gene_sets
    from resistpath.score import METHODS
    from resistpath.score.data import ScoreData
    from resistpath.score.run import details_of

    data = ScoreData(values)
    index = data.index(as_gene_sets(sets))
    bins = pd.Series(np.arange(GENES) % 10, index=values.index)
    chosen = {"ssgsea": METHODS["ssgsea"]}
    return details_of(data, {"ssgsea": index}, chosen, data.background(bins), threads=THREADS)


def public(method: str) -> Work:
    """The public function, with its checks."""

    def work(values: pd.DataFrame, sets: Sets) -> object:
        from resistpath import score

        return score(values, sets, method, threads=THREADS)

    return work


def by_decoupler(method: str) -> Work:
    """A method of decoupler as its documentation calls it, on samples x genes."""

    def work(values: pd.DataFrame, sets: Sets) -> object:
        import decoupler

        rows = [(name, gene, 1.0) for name, genes in sets.items() for gene in genes]
        net = pd.DataFrame(rows, columns=["source", "target", "weight"])
        return getattr(decoupler.mt, method)(values.T, net)

    return work


def by_gseapy(values: pd.DataFrame, sets: Sets) -> object:
    """gseapy.ssgsea as its documentation calls it."""
    import gseapy

    return gseapy.ssgsea(
        data=values,
        gene_sets=sets,
        outdir=None,
        sample_norm_method="rank",
        correl_norm_type="rank",
        weight=0.25,
        min_size=1,
        max_size=2000,
        permutation_num=0,
        no_plot=True,
        threads=THREADS,
        seed=1,
    )


CONTESTANTS: dict[str, Work] = {
    "ssgsea": plain("ssgsea"),
    "ssgsea, public function": public("ssgsea"),
    "five rank methods": plain(*RANK_METHODS),
    "ssgsea with interval and null": detailed,
    "gseapy.ssgsea": by_gseapy,
}
for shared in SHARED if find_spec("decoupler") else ():
    CONTESTANTS[f"{shared}, public function"] = public(shared)
    CONTESTANTS[f"decoupler.mt.{shared}"] = by_decoupler(shared)


def peak_mb() -> float:
    """Largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(name: str, samples: int) -> dict[str, float]:
    """Run one contestant in this process."""
    values, sets = cohort(samples), gene_sets()
    CONTESTANTS[name](values.iloc[:, :3], sets)
    before = peak_mb()
    wall, cpu = time.perf_counter(), time.process_time()
    CONTESTANTS[name](values, sets)
    return {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "extra_mb": peak_mb() - before,
        "matrix_mb": samples * GENES * 4 / 2**20,
    }


def in_own_process(name: str, samples: int) -> dict[str, float]:
    """Measure in a fresh process, so that peaks do not add up."""
    words = [sys.executable, __file__, "--only", name, "--samples", str(samples)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)  # noqa: S603
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def run(samples: int, large: int, rounds: int) -> None:
    """Print the table."""
    plan = [(name, samples) for name in CONTESTANTS] + [("ssgsea", large)]
    seen: dict[tuple[str, int], list[dict[str, float]]] = {key: [] for key in plan}
    for _ in range(rounds):
        for key in plan:
            seen[key].append(in_own_process(*key))
    table = {
        key: {field: median(r[field] for r in runs) for field in runs[0]}
        for key, runs in seen.items()
    }
    print("| what | samples | CPU s | wall s | memory over the matrix | CPU ratio to ssgsea |")
    print("|---|---|---|---|---|---|")
    unit = table["ssgsea", samples]["cpu"]
    for (name, n), row in table.items():
        memory = f"{row['extra_mb']:.0f} MB ({row['extra_mb'] / row['matrix_mb']:.2f}x)"
        print(
            f"| {name} | {n:,} | {row['cpu']:.2f} | {row['wall']:.2f} | {memory}"
            f" | {row['cpu'] / unit:.2f} |"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--large", type=int, default=10_500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=list(CONTESTANTS))
    given = parser.parse_args()
    if given.only:
        print(json.dumps(measure(given.only, given.samples)))
    else:
        run(given.samples, given.large, given.rounds)
