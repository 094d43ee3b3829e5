"""How time and memory of every step grow with the cohort: 1,000 and 10,500 samples.

    nice python benchmarks/scale.py [--samples 1000 10500] [--folder build/scale] [--report]

Reads of 20,000 genes are simulated once per size (TSV.gz; kept in the folder), then every step of
the workflow runs as the command it is, two threads where it takes them. Both sizes are read against
the same reference, built from the smaller cohort, as a cohort of that size would be; `reference
build` is measured on each. CPU seconds and peak resident memory are those of the step's process and
its children. Rendering pages is measured on the smallest cohort only, unless --report is given.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv

HERE = Path(__file__).resolve().parent
GENES = 20_000


def make_cohort(path: Path, samples: int) -> None:
    """Write simulated reads as TSV.gz; each file appears only when it is whole."""
    sys.path.insert(0, str(HERE))
    from simulate import read_counts

    counts = read_counts(samples, GENES)
    part = path.with_suffix(".part")
    with gzip.open(part, "wb", compresslevel=1) as out:
        for first in range(0, GENES, 1000):  # rows at a time: text takes five times the numbers
            block = pa.Table.from_pandas(counts.iloc[first : first + 1000].reset_index())
            options = pa.csv.WriteOptions(
                include_header=first == 0, delimiter="\t", quoting_style="none"
            )
            pa.csv.write_csv(block.replace_schema_metadata(None), out, options)
    part.replace(path)
    sheet = pd.DataFrame({"sample": counts.columns, "timepoint": "pre"})
    sheet["response_binary"] = np.where(np.arange(samples) % 3 == 0, "R", "NR")
    sheet.to_csv(path.with_name(f"sheet_{samples}.tsv"), sep="\t", index=False)


def measured(words: list[str]) -> dict[str, float]:
    """Run one command; CPU s, wall s and peak MB of it and what it started."""
    start = time.perf_counter()
    done = subprocess.Popen([sys.executable, "-m", "resistpath", *words])  # noqa: S603
    _, status, usage = os.wait4(done.pid, 0)
    done.returncode = os.waitstatus_to_exitcode(status)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: exit {done.returncode}")
    return {
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "wall_s": time.perf_counter() - start,
        "peak_mb": usage.ru_maxrss / 1024,
    }


def steps(folder: Path, samples: int, reference: Path, *, report: bool) -> dict[str, list[str]]:
    """The workflow's commands for one cohort, by step."""
    out = str(folder / f"results_{samples}")
    sheet = str(folder / f"sheet_{samples}.tsv")
    expression = str(folder / f"counts_{samples}.tsv.gz")
    against = ["--reference", str(reference)]
    prepare = ["prepare", out, "--cohort", f"c{samples}", "--expression", expression]
    words = {
        "prepare": [*prepare, "--samples", sheet, "--cancer-type", "simulated"],
        "score": ["score", out, "--threads", "2"],
        "deconvolve": ["deconvolve", out],
        "reference": ["reference", "build", out, "--name", f"c{samples}"],
        "assess": ["assess", out, *against],
        "compare": ["compare", out],
        "differential": ["differential", out],
    }
    return words | ({"report": ["report", out, *against]} if report else {})


def main() -> None:
    """Measure all sizes and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, nargs="+", default=[1000, 10500])
    parser.add_argument("--folder", type=Path, default=Path("build/scale"))
    parser.add_argument("--report", action="store_true", help="render pages of every size")
    args = parser.parse_args()
    folder = args.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    sizes = sorted(args.samples)
    found: dict[int, dict[str, dict[str, float]]] = {}
    for size in sizes:
        path = folder / f"counts_{size}.tsv.gz"
        if not path.is_file():
            make_cohort(path, size)
        reference = folder / f"results_{sizes[0]}" / "reference.npz"
        chosen = steps(folder, size, reference, report=args.report or size == sizes[0])
        found[size] = {}
        for name, words in chosen.items():
            found[size][name] = measured(words)
            print(size, name, {k: round(v, 1) for k, v in found[size][name].items()}, flush=True)
    (folder / "scale.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    table(found, sizes)


def table(found: dict[int, dict[str, dict[str, float]]], sizes: list[int]) -> None:
    """Print the figures as a Markdown table, with the ratio of the largest to the smallest."""
    small, large = sizes[0], sizes[-1]
    print(f"\n{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    heads = [f"{n:,}: CPU s | wall s | peak MB" for n in sizes]
    print(f"| step | {' | '.join(heads)} | CPU ratio |")
    print("|" + "---|" * (3 * len(sizes) + 2))
    for name in found[small]:
        cells = [found[n].get(name) for n in sizes]
        shown = [
            f"{c['cpu_s']:.1f} | {c['wall_s']:.1f} | {c['peak_mb']:,.0f}" if c else "– | – | –"
            for c in cells
        ]
        first, last = found[small][name], found[large].get(name)
        ratio = f"{last['cpu_s'] / first['cpu_s']:.1f}×" if last else "–"
        print(f"| {name} | {' | '.join(shown)} | {ratio} |")
    both = [name for name in found[small] if name in found[large]]
    total = {n: sum(found[n][name]["cpu_s"] for name in both) for n in sizes}
    wall = {n: sum(found[n][name]["wall_s"] for name in both) for n in sizes}
    print(f"\n{', '.join(both)}: {total[large] / total[small]:.1f}× CPU,", end=" ")
    print(f"{wall[large] / wall[small]:.1f}× wall for {large / small:.1f}× the samples")


if __name__ == "__main__":
    main()
