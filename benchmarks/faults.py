"""Kill the workflow over its whole run, type the same command again, compare every byte.

    nice python benchmarks/faults.py [--points 30] [--folder build/faults]

A cohort of 20 demo tumours runs once undisturbed. Then, at `--points` moments spread evenly over
the time that took, one of three things is killed with SIGKILL: the workflow alone (its running
jobs go on as orphans), the step it is running, or everything at once (a machine that loses power).
The same command follows, without a further option, and must end with the files of the undisturbed
run, byte for byte; of manifest.json without the key `created`.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import psutil

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "resources" / "demo"
KINDS = ("workflow", "job", "everything")


def make_cohort(folder: Path, samples: int = 20) -> None:
    """Write a working directory: a cohort sheet and the first `samples` tumours of the demo."""
    folder.mkdir(parents=True, exist_ok=True)
    values = pd.read_csv(DEMO / "expression.tsv.gz", sep="\t", index_col=0).iloc[:, :samples]
    values.to_csv(folder / "x.tsv", sep="\t")
    sheet = pd.read_csv(DEMO / "samples.tsv", sep="\t", dtype=str, keep_default_na=False)
    sheet[sheet["sample"].isin(values.columns)].to_csv(folder / "s.tsv", sep="\t", index=False)
    (folder / "cohorts.tsv").write_text("cohort\texpression\tsamples\nfew\tx.tsv\ts.tsv\n")


def command(*words: str, cores: int = 2) -> list[str]:
    """The command a user types in the folder of `make_cohort`."""
    return [
        *(sys.executable, "-m", "snakemake", "--cores", str(cores)),
        *("--snakefile", str(ROOT / "Snakefile")),
        *("--configfile", str(ROOT / "config" / "config.yaml")),
        *words,
        *("--config", "cohorts=cohorts.tsv"),
    ]


def start(folder: Path, *words: str, **options: int) -> subprocess.Popen[str]:
    """Start the command in `folder`; what it says goes to a file there."""
    with open(folder / "said.txt", "a", encoding="utf-8") as said:
        return subprocess.Popen(  # noqa: S603
            command(*words, **options),
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT / "workflow")},
            stdout=said,
            stderr=subprocess.STDOUT,
            text=True,
        )


def digests(results: Path) -> dict[str, str]:
    """SHA-256 of every result; logs, timings and the time of day are not results.

    The manifest carries the time, and so does the crate, whose profile wants it dated; the crate
    also holds the manifest's digest.
    """
    found = {}
    for path in sorted(p for p in results.rglob("*") if p.is_file()):
        if {"logs", "benchmarks"} & set(path.relative_to(results).parts):
            continue
        content = path.read_bytes()
        if path.name == "manifest.json":
            manifest = json.loads(content)
            del manifest["created"]
            content = json.dumps(manifest).encode()
        if path.name == "ro-crate-metadata.json":
            dated = (path.parent / "manifest.json").read_bytes()
            for word in (json.loads(dated)["created"], hashlib.sha256(dated).hexdigest()):
                content = content.replace(word.encode(), b"")
        found[str(path.relative_to(results))] = hashlib.sha256(content).hexdigest()
    return found


def steps_of(workflow: subprocess.Popen[str]) -> list[psutil.Process]:
    """Interpreters running a step for this workflow."""
    try:
        children = psutil.Process(workflow.pid).children(recursive=True)
        return [p for p in children if p.cmdline()[1:3] == ["-m", "resistpath"]]
    except psutil.NoSuchProcess:
        return []


def kill(workflow: subprocess.Popen[str], kind: str) -> str:
    """Kill the workflow, a step it runs, or all of it; say what was running."""
    steps = steps_of(workflow)
    with contextlib.suppress(psutil.NoSuchProcess):
        running = "+".join(p.cmdline()[3] for p in steps) or "between steps"
        if kind == "job":
            for process in steps[:1]:
                process.kill()
            return running
        everything = psutil.Process(workflow.pid).children(recursive=True)
        workflow.send_signal(signal.SIGKILL)
        if kind == "everything":
            for process in everything:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        return running
    return "just ended"


@dataclass(frozen=True)
class Outcome:
    """What was killed when, and what the same command made of it."""

    kind: str
    after: float
    running: str
    first: int
    second: int
    different: tuple[str, ...]


def disturb(folder: Path, kind: str, after: float, wanted: dict[str, str]) -> Outcome:
    """Run in `folder`, kill after so many seconds, run again, and compare with `wanted`."""
    workflow = start(folder)
    try:
        workflow.wait(after)
        running = "ended before"
    except subprocess.TimeoutExpired:
        running = kill(workflow, kind)
    first = workflow.wait()
    second = start(folder).wait()
    found = digests(folder / "results")
    names = sorted(found.keys() | wanted.keys())
    different = tuple(n for n in names if found.get(n) != wanted.get(n))
    return Outcome(kind, after, running, first, second, different)


def main() -> None:
    """Kill at all points and print the table; exit 1 if anything was lost or different."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=30)
    parser.add_argument("--folder", type=Path, default=Path("build/faults"))
    args = parser.parse_args()
    whole = args.folder.resolve() / "undisturbed"
    make_cohort(whole)
    begun = time.perf_counter()
    if start(whole).wait():
        raise SystemExit(f"the undisturbed run failed: {whole / 'said.txt'}")
    length = time.perf_counter() - begun
    wanted = digests(whole / "results")
    print(f"undisturbed: {length:.0f} s, {len(wanted)} files\n")
    print("| killed | after s | running | exit | same command: exit | files that differ |")
    print("|---|---|---|---|---|---|", flush=True)
    outcomes = []
    for i in range(args.points):
        folder = args.folder.resolve() / f"point{i:02d}"
        make_cohort(folder)
        o = disturb(folder, KINDS[i % 3], length * (i + 0.5) / args.points, wanted)
        outcomes.append(o)
        row = (o.kind, f"{o.after:.1f}", o.running, o.first, o.second, len(o.different))
        print("| " + " | ".join(map(str, row)) + " |", flush=True)
    good = Counter(o.kind for o in outcomes if o.second == 0 and not o.different)
    print(f"\nidentical: {sum(good.values())} of {len(outcomes)} {dict(good)}")
    sys.exit(sum(good.values()) != len(outcomes))


if __name__ == "__main__":
    main()
