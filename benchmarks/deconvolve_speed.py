"""CPU time and memory of deconvolution, each tool in turn within one run.

    python benchmarks/deconvolve_speed.py [--samples 10000] [--rounds 3]

Simulated mixtures of the ten TIL10 cell types with log-normal noise, 170 genes. Compared are

- the plain constrained fit (``A'A``, ``A'b`` and the active set) with a loop of
  `scipy.optimize.nnls`, once without a limit on the sum, as nnls has none, and once with sums of at
  most 1;
- whole methods, from a table of TPM to a table of fractions with diagnostics, with the R package
  quantiseqr on the same table, where Rscript finds it (`R_LIBS` may say where); else with the 9-26
  ms per sample it took for whole transcriptomes elsewhere. R's clock runs while its function does,
  not while it starts or reads the table.

Figures are CPU microseconds per sample: the median over rounds, and for ratios the median of the
ratios within rounds, because the machine's speed varies between them.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from resistpath.deconvolve import run, solver
from resistpath.deconvolve.algebra import grams
from resistpath.io.resources import deconvolution_tables

QUANTISEQR = (9_000.0, 26_000.0)  # CPU us per sample, at 2,000 and at 500 samples


QUANTISEQR_CODE = """
options(warn = -1)
if (!suppressPackageStartupMessages(require(quantiseqr, quietly = TRUE))) quit(status = 0)
given <- commandArgs(trailingOnly = TRUE)
x <- as.matrix(read.delim(given[1], row.names = 1, check.names = FALSE))
for (method in c("lsei", "huber")) {
  taken <- system.time(suppressMessages(run_quantiseq(x, signature_matrix = "TIL10",
    is_arraydata = FALSE, is_tumordata = TRUE, scale_mRNA = TRUE, method = method)))
  cat(method, sum(taken[c("user.self", "sys.self")]), "\\n")
}
"""


def quantiseqr(table: Path, n: int) -> dict[str, float]:
    """CPU microseconds per sample of quantiseqr by method; empty where it is not installed."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return {}
    done = subprocess.run(  # noqa: S603 - our own words
        [rscript, "-e", QUANTISEQR_CODE, str(table)], capture_output=True, text=True, check=True
    )
    pairs = (line.split() for line in done.stdout.splitlines())
    return {method: float(seconds) / n * 1e6 for method, seconds in pairs}


def cpu(work: Callable[[], object], n: int) -> float:
    """CPU microseconds per sample."""
    start = time.process_time()
    work()
    return (time.process_time() - start) / n * 1e6


def mixtures(n: int) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Signature, genes x samples, and the same as a table of TPM."""
    table = deconvolution_tables()["til10"]
    signature = table.iloc[:, 3:].to_numpy(dtype=float)
    rng = np.random.default_rng(0)
    shares = rng.dirichlet([0.5] * 10 + [5.0], n)[:, :10]
    values = (signature @ shares.T) * np.exp(rng.normal(0, 0.5, (len(signature), n)))
    names = [f"s{i}" for i in range(n)]
    frame = pd.DataFrame(values, table["gene"], names)
    frame.loc["FILLER"] = np.maximum(0, 1e6 - frame.sum())
    return signature, values, frame


def main() -> None:
    """Run everything and print one line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    n = args.samples
    signature, values, frame = mixtures(n)
    rows = np.ascontiguousarray(values.T)
    tables = deconvolution_tables()

    def plain(limit: float | None) -> None:
        gram, cross = grams(signature, values)
        solver.constrained(gram[0], cross[0], limit)

    def method(name: str, **options: object) -> Callable[[], object]:
        return lambda: run(frame, name, tables, **options)

    printed = {"symbols": "published"}
    work: dict[str, Callable[[], object]] = {
        "scipy nnls, a loop": lambda: [nnls(signature, row) for row in rows],
        "plain fit, x >= 0": lambda: plain(None),
        "plain fit, sum <= 1": lambda: plain(1.0),
        "least_squares": method("least_squares", interval=False),
        "least_squares with intervals": method("least_squares"),
        "quantiseq": method("quantiseq", interval=False, **printed),
        "quantiseq with intervals": method("quantiseq", **printed),
        "quantiseq huber": method("quantiseq", interval=False, robust="huber", **printed),
    }
    times: dict[str, list[float]] = {label: [] for label in work}
    theirs: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "tpm.tsv"
        frame.to_csv(table, sep="\t", float_format="%.6g")
        for _ in range(args.rounds):
            for label, call in work.items():
                times[label].append(cpu(call, n))
            for name, taken in quantiseqr(table, n).items():
                theirs.setdefault(name, []).append(taken)
    loop = np.array(times["scipy nnls, a loop"])
    out = [
        f"{n:,} samples, {len(signature)} genes, {signature.shape[1]} cell types; CPU per sample"
    ]
    for label, taken in times.items():
        line = f"{label:<30} {np.median(taken):9.1f} us"
        if label.startswith("plain"):
            line += f"   {np.median(loop / np.array(taken)):6.1f} times less than the nnls loop"
        elif label.startswith("quantiseq"):
            low, high = (q / np.median(taken) for q in QUANTISEQR)
            line += f"   {low:6.0f} to {high:.0f} times less than quantiseqr's 9 to 26 ms"
            own = theirs.get("huber" if "huber" in label else "lsei")
            if own:
                ratio = np.median(np.array(own) / np.array(taken))
                line += f"; {ratio:.0f} times less than its {np.median(own):,.0f} us here"
        out.append(line)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    out.append(f"peak memory of this process: {peak:,.0f} MB")
    sys.stdout.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
