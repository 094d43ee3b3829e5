"""Time and memory of `prepare` on a large TSV.gz, against decompressing and parsing it once.

    python benchmarks/prepare.py [--samples 1000] [--runs 3]

Each measure is a process of its own; runs of the two alternate. CPU seconds are those of the
process; memory is the highest resident size less that after the imports.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GENES = 20_000


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _reset_peak() -> None:
    """Forget the peak of the imports (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def measure(kind: str, path: Path) -> dict[str, float]:
    """Run one kind of reading in this process."""
    if kind == "prepare":
        import anndata  # noqa: F401 - a job pays its imports, the measure is of the work
        import h5py  # noqa: F401
        import pyarrow.csv  # noqa: F401

        from resistpath.steps.prepare import prepare
    elif kind == "pandas":
        import pandas as pd
    else:
        import pyarrow.csv as pc
    start, cpu = time.perf_counter(), time.process_time()
    _reset_peak()
    before = int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20
    if kind == "prepare":
        prepare(path.parent / "out", path, cohort="large")
    elif kind == "pandas":
        pd.read_csv(path, sep="\t", index_col=0)
    else:
        pc.read_csv(path, parse_options=pc.ParseOptions(delimiter="\t"))
    peak = int(
        next(
            line.split()[1]
            for line in Path("/proc/self/status").read_text().splitlines()
            if line.startswith("VmHWM")
        )
    )
    return {
        "wall": time.perf_counter() - start,
        "cpu": time.process_time() - cpu,
        "mb": peak / 1024 - before,
    }


def main() -> None:
    """Make the cohort, run each kind several times in turn, print the medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--measure", choices=["prepare", "pandas", "pyarrow"])
    parser.add_argument("--path", type=Path)
    parser.add_argument("--unit", choices=["counts", "tpm"], default="counts")
    args = parser.parse_args()
    if args.measure:
        print(json.dumps(measure(args.measure, args.path)))
        return
    from simulate import read_counts

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "counts.tsv.gz"
        table = read_counts(args.samples, GENES)
        if args.unit == "tpm":
            table = (table / table.sum() * 1e6).round(4)
        table.to_csv(path, sep="\t", compression={"method": "gzip", "compresslevel": 6})
        found: dict[str, list[dict[str, float]]] = {k: [] for k in ("prepare", "pandas", "pyarrow")}
        for _ in range(args.runs):
            for kind, results in found.items():
                words = [sys.executable, __file__, "--measure", kind, "--path", str(path)]
                done = subprocess.run(words, check=True, capture_output=True, text=True)  # noqa: S603
                results.append(json.loads(done.stdout))
    middle = {
        kind: {key: statistics.median(r[key] for r in results) for key in results[0]}
        for kind, results in found.items()
    }
    float32 = args.samples * GENES * 4 / 2**20
    print("| what | CPU s | wall s | MB over imports | CPU / pandas | MB / float32 matrix |")
    print("|---|---|---|---|---|---|")
    for kind, m in middle.items():
        print(
            f"| {kind} | {m['cpu']:.1f} | {m['wall']:.1f} | {m['mb']:.0f} |"
            f" {m['cpu'] / middle['pandas']['cpu']:.2f} | {m['mb'] / float32:.2f} |"
        )


if __name__ == "__main__":
    main()
