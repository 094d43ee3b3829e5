"""Cost of the report step on a simulated cohort: pages, documents, time.

``python benchmarks/report.py [--samples 1000] [--threads 2] [--folder FOLDER]`` prepares a cohort
drawn around the demo tumours (kept in FOLDER for the next run), then times the verb ``report`` in
a process of its own, alone and shared by several processes, and compares the bytes of both.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from simulate import read_counts


def command(*words: object) -> None:
    """Run a verb."""
    subprocess.run(  # noqa: S603
        [sys.executable, "-m", "resistpath", "--quiet", *map(str, words)], check=True
    )


def cohort(folder: Path, samples: int) -> Path:
    """Everything before the reports, unless it is there already."""
    out = folder / f"results-{samples}"
    if (out / "mechanisms.tsv").exists():
        return out
    folder.mkdir(parents=True, exist_ok=True)
    reads = read_counts(samples)
    table, sheet = folder / "reads.tsv", folder / "samples.tsv"
    reads.to_csv(table, sep="\t")
    rows = (f"{name}\tP{i}\tpre\n" for i, name in enumerate(reads.columns))
    sheet.write_text("sample\tpatient\ttimepoint\n" + "".join(rows), encoding="utf-8")
    command("prepare", out, "--cohort", "simulated", "--expression", table, "--samples", sheet)
    command("score", out, "--threads", 2)
    command("deconvolve", out)
    command("reference", "build", out, "--name", "simulated", "--cancer-type", "simulated")
    command("assess", out, "--reference", out / "reference.npz")
    return out


def timed(out: Path, threads: int) -> tuple[float, float, float]:
    """Seconds of wall time, seconds of CPU and peak memory (MB) of one run."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command("report", out, "--reference", out / "reference.npz", "--threads", threads)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, after.ru_maxrss / 1024


def digest(out: Path) -> str:
    """One digest of all sample reports."""
    whole = hashlib.sha256()
    for path in sorted((out / "reports").iterdir()):
        whole.update(path.name.encode() + path.read_bytes())
    return whole.hexdigest()[:12]


def main() -> None:
    """Print the table of benchmarks/README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "report-bench")
    args = parser.parse_args()
    out = cohort(args.folder, args.samples)
    print("| processes | wall s | CPU s | peak MB of one process | digest |\n|---|---|---|---|---|")
    for threads in dict.fromkeys((1, args.threads)):
        wall, cpu, peak = timed(out, threads)
        print(f"| {threads} | {wall:.1f} | {cpu:.1f} | {peak:.0f} | {digest(out)} |", flush=True)
    for kind in ("html", "json"):
        sizes = [path.stat().st_size / 1000 for path in (out / "reports").glob(f"*.{kind}")]
        print(
            f"{kind}: {len(sizes)} files, median {median(sizes):.0f} kB, largest {max(sizes):.0f}"
        )


if __name__ == "__main__":
    main()
