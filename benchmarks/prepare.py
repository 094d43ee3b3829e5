"""Time and memory of `prepare` on a large TSV.gz, against decompressing and parsing it once.

    python benchmarks/prepare.py [--samples 1000] [--runs 3]

    python benchmarks/prepare.py --unit tpm

Each measure is a process of its own; runs of the kinds alternate. Time is given twice: of the
work alone, after the imports, and of the whole process. Memory is the highest resident size less
that after the imports.
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
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

GENES = 20_000


def _reset_peak() -> None:
    """Forget the peak of the imports (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def measure(kind: str, path: Path) -> dict[str, float]:
    """Run one kind of reading in this process."""
    if kind == "prepare":
        import h5py  # noqa: F401 - a job pays its imports, the measure is of the work
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
        prepare(Path(tempfile.mkdtemp(dir=path.parent)), path, cohort="large", threads=2)
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


def run(kind: str, path: Path) -> dict[str, float]:
    """Measure one kind in a process of its own, and that process as a whole."""
    words = [sys.executable, __file__, "--measure", kind, "--path", str(path)]
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(words, check=True, capture_output=True, text=True)  # noqa: S603
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return json.loads(done.stdout) | {
        "whole_wall": time.perf_counter() - start,
        "whole_cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    }


def cohort(samples: int, unit: str) -> pd.DataFrame:
    """Simulate read counts, or their TPM with four decimals; genes x samples."""
    from simulate import read_counts

    from resistpath.api import gene_lengths

    table = read_counts(samples, GENES)
    if unit == "counts":
        return table
    rate = table.div(gene_lengths().reindex(table.index).fillna(1000.0), axis=0)
    return (rate / rate.sum() * 1e6).round(4)


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
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "matrix.tsv.gz"
        table = cohort(args.samples, args.unit)
        table.to_csv(path, sep="\t", compression={"method": "gzip", "compresslevel": 6})
        del table
        found: dict[str, list[dict[str, float]]] = {k: [] for k in ("prepare", "pandas", "pyarrow")}
        for _ in range(args.runs):
            for kind, results in found.items():
                results.append(run(kind, path))
    middle = {
        kind: {key: statistics.median(r[key] for r in results) for key in results[0]}
        for kind, results in found.items()
    }
    float32 = args.samples * GENES * 4 / 2**20
    base = middle["pandas"]
    print(f"{args.unit}, {args.samples:,} samples x {GENES:,} genes; ratios are to pandas")
    print()
    print(
        "| what | wall s, imported | ratio | wall s, whole process | ratio | CPU s, imported"
        " | ratio | CPU s, whole process | ratio | MB over imports | / float32 matrix |"
    )
    print("|---" * 11 + "|")
    for kind, m in middle.items():
        times = " | ".join(
            f"{m[key]:.2f} | {m[key] / base[key]:.2f}"
            for key in ("wall", "whole_wall", "cpu", "whole_cpu")
        )
        print(f"| {kind} | {times} | {m['mb']:.0f} | {m['mb'] / float32:.2f} |")


if __name__ == "__main__":
    main()
