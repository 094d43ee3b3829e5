"""The whole way, from TSV.gz to sample reports, against a straightforward pipeline.

    pip install plotly
    nice python benchmarks/whole_way.py [--samples 1000] [--resamples 2] [--folder build/whole]

Ours is the workflow as it is typed: ``snakemake --cores 2`` on one cohort sheet. The other is what
one writes in an afternoon with pandas, gseapy, scipy, plotly and scanpy: the same matrix, the same
gene sets, the same kinds of output. Each runs in a process of its own; CPU seconds are those of the
process and all it starts.

Every score of ours has an interval (genes resampled) and its place among random sets. gseapy has
neither, so the other pipeline scores `--resamples` resampled and as many random copies of every
set, the usual way being a hundred of each; what a hundred cost is derived from that and said to be
so. It has no counterpart to leave-one-out places, residuals, verdicts, rules, phenotype and checks
of quality.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CORES, USUAL = 2, 100
DRAWS = ("resampled sets", "random sets")
KINDS = {
    "reading": ("prepare",),
    "ranking": ("score", "reference", "assess"),
    "rendering": ("report", "pages"),
}
"""Steps by what most of their time goes to: units, genes and quality are told while reading;
scores, random sets, and places in the reference are made of ranks."""
Times = dict[str, float]


def cpu_seconds() -> float:
    """CPU time of this process and of all that it has started and that have ended."""
    return sum(os.times()[:4])


@contextmanager
def timed(times: Times, name: str) -> Iterator[None]:
    """Add the CPU time of the block to `times`."""
    before = cpu_seconds()
    yield
    times[name] = times.get(name, 0.0) + cpu_seconds() - before


def straightforward(path: Path, out: Path, resamples: int) -> Times:
    """Run the other pipeline in this process; CPU seconds by stage."""
    times: Times = {}
    with timed(times, "imports"):
        import gseapy
        import numpy as np
        import pandas as pd

        from resistpath.api import gene_lengths
        from resistpath.io.resources import catalogue, deconvolution_tables
    book = catalogue()
    sets = {s.name: list(s.up) for s in book.gene_sets() if len(s.up) > 1}
    with timed(times, "read and normalise"):
        counts = pd.read_csv(path, sep="\t", index_col=0)
        lengths = gene_lengths().reindex(counts.index).dropna()
        rate = counts.loc[lengths.index].div(lengths, axis=0)
        tpm = rate.div(rate.sum()) * 1e6
        log = np.log2(tpm + 1)

    def ssgsea(gene_sets: dict[str, list[str]]) -> pd.DataFrame:
        found = gseapy.ssgsea(
            data=log,
            gene_sets=gene_sets,
            outdir=None,
            min_size=1,
            max_size=20_000,
            threads=CORES,
            no_plot=True,
        )
        return found.res2d.pivot(index="Name", columns="Term", values="ES").astype(float)

    with timed(times, "scores"):
        scores = ssgsea(sets)
        ranks = log.rank()
        singscore = pd.DataFrame({k: ranks.reindex(g).mean() / len(log) for k, g in sets.items()})
        means = pd.DataFrame({k: log.reindex(g).mean() for k, g in sets.items()})
    rng = np.random.default_rng(1)
    draws = []
    for _ in range(resamples):
        with timed(times, "resampled sets"):
            again = {k: sorted(set(rng.choice(g, len(g)))) for k, g in sets.items()}
            draws.append(ssgsea(again))
        with timed(times, "random sets"):
            ssgsea({k: list(rng.choice(log.index, len(g))) for k, g in sets.items()})
    spread = (sum((d - scores) ** 2 for d in draws) / len(draws)) ** 0.5
    with timed(times, "deconvolution"):
        from scipy.optimize import nnls

        profiles = deconvolution_tables()["til10"].set_index("symbol").iloc[:, 2:]
        profiles = profiles[profiles.index.isin(tpm.index)].astype(float)
        mixtures, signature = tpm.loc[profiles.index], profiles.to_numpy()
        found = {s: nnls(signature, mixtures[s].to_numpy())[0] for s in mixtures}
        fractions = pd.DataFrame(found, index=profiles.columns).T
    with timed(times, "percentiles"):
        from scipy.stats import percentileofscore

        places = scores.apply(lambda c: [percentileofscore(c, x, "mean") for x in c])
    with timed(times, "sample reports"):
        pages(out / "reports", scores, spread, places, fractions)
    with timed(times, "cohort page and h5ad"):
        cohort(out, log, scores, places, singscore, means)
    return times


def pages(folder: Path, scores: Any, spread: Any, places: Any, fractions: Any) -> None:
    """One page per sample: places with intervals, each distribution, the cells, the table."""
    import pandas as pd
    import plotly.graph_objects as go

    folder.mkdir(parents=True, exist_ok=True)
    names = list(scores)
    boxes = [go.Box(x=places[name], name=name, boxpoints=False) for name in names]
    for sample in scores.index:
        here = places.loc[sample]
        error = {"type": "data", "array": spread.loc[sample]}
        dots = go.Figure(go.Scatter(x=scores.loc[sample], y=names, error_x=error, mode="markers"))
        strips = go.Figure([*boxes, go.Scatter(x=here, y=names, mode="markers")])
        cells = go.Figure(go.Bar(x=fractions.columns, y=fractions.loc[sample]))
        table = pd.DataFrame(
            {"score": scores.loc[sample], "spread": spread.loc[sample], "percentile": here}
        )
        parts = [
            figure.to_html(full_html=False, include_plotlyjs="directory" if not i else False)
            for i, figure in enumerate((dots, strips, cells))
        ]
        (folder / f"{sample}.html").write_text("".join([*parts, table.to_html()]), encoding="utf-8")


def cohort(out: Path, log: Any, scores: Any, places: Any, singscore: Any, means: Any) -> None:
    """Heat map and embedding, and everything as h5ad."""
    import anndata
    import plotly.express as px
    import scanpy

    data = anndata.AnnData(log.T)
    for name, table in {"ssgsea": scores, "singscore": singscore, "mean": means}.items():
        data.obsm[name] = table.reindex(data.obs_names)
    data.write_h5ad(out / "cohort.h5ad")
    scanpy.pp.pca(data)
    scanpy.pp.neighbors(data)
    scanpy.tl.umap(data)
    umap = px.scatter(x=data.obsm["X_umap"][:, 0], y=data.obsm["X_umap"][:, 1])
    heat = px.imshow(places.T)
    (out / "index.html").write_text(heat.to_html() + umap.to_html(), encoding="utf-8")


def ours(folder: Path, path: Path, sheet: Path, named: int = 0) -> Times:
    """Run the workflow on one cohort; CPU seconds by step and of Snakemake itself.

    Bash tells at its end what a job took, with all processes it started. If `named`, only the
    first so many samples get a page.
    """
    cohorts, only = folder / "cohorts.tsv", folder / "only.txt"
    names = [line.split("\t")[0] for line in sheet.read_text("utf-8").splitlines()[1:]]
    only.write_text("\n".join(names[:named]) + "\n", encoding="utf-8")
    row = f"whole\t{path}\t{sheet}\t{only if named else ''}"
    cohorts.write_text(f"cohort\texpression\tsamples\treports\n{row}\n", encoding="utf-8")
    told, startup = folder / "told.txt", folder / "startup.sh"
    told.write_text("", encoding="utf-8")
    tell = '{ echo "$BASH_EXECUTION_STRING" | tr "\\n" " "; echo; times; }'
    startup.write_text(f"trap '{tell} >> {told}' EXIT\n", encoding="utf-8")
    words = [
        *(sys.executable, "-m", "snakemake", "--cores", str(CORES), "--quiet", "all"),
        *("--snakefile", ROOT / "Snakefile", "--configfile", ROOT / "config" / "config.yaml"),
        *("--forceall", "--config", f"cohorts={cohorts}", "results=ours"),
    ]
    before = cpu_seconds()
    environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow"), "BASH_ENV": str(startup)}
    subprocess.run(list(map(str, words)), cwd=folder, env=environment, check=True)  # noqa: S603
    whole = cpu_seconds() - before
    times: Times = {}
    lines = told.read_text(encoding="utf-8").splitlines()
    for command, *spent in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        verbs = re.findall(r"[ ;]resistpath ([a-z]+) ", command)
        if verbs:
            parts = re.findall(r"(\d+)m([\d.]+)s", " ".join(spent))
            seconds = sum(60 * int(minutes) + float(rest) for minutes, rest in parts)
            times[verbs[-1]] = times.get(verbs[-1], 0.0) + seconds
    return times | {"Snakemake": whole - sum(times.values())}


def main() -> None:
    """Run both on the same matrix and print where the time goes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=2, help="at least 1")
    parser.add_argument("--folder", type=Path, default=Path("build/whole"))
    parser.add_argument("--named", type=int, default=0, help="pages of the first so many samples")
    parser.add_argument("--alone", action="store_true", help="without the other pipeline")
    parser.add_argument("--record", type=Path, help="JSON to add the figures to, for pictures.py")
    parser.add_argument("--straightforward", nargs=2, type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.straightforward:
        path, out = args.straightforward
        print(json.dumps(straightforward(path, out, args.resamples)))
        return
    from scale import make_cohort

    folder = args.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"counts_{args.samples}.tsv.gz"
    if not path.is_file():
        make_cohort(path, args.samples)
    begun = time.perf_counter()
    mine = ours(folder, path, folder / f"sheet_{args.samples}.tsv", args.named)
    wall, other = {"ours": time.perf_counter() - begun}, dict[str, float]()
    table("resistpath", args.samples, mine)
    if not args.alone:
        words = [sys.executable, __file__, "--straightforward", path, folder / "other"]
        words += ["--resamples", args.resamples]
        begun = time.perf_counter()
        done = subprocess.run(list(map(str, words)), check=True, stdout=subprocess.PIPE)  # noqa: S603
        wall["other"] = time.perf_counter() - begun
        other = json.loads(done.stdout.splitlines()[-1])
        table("pandas, gseapy, plotly", args.samples, other)
        compare(args.resamples, mine, other)
    print("wall:", ", ".join(f"{name} {seconds:.0f} s" for name, seconds in wall.items()))
    if args.record:
        told = json.loads(args.record.read_text("utf-8")) if args.record.is_file() else {}
        figures = {"resamples": args.resamples, "named": args.named}
        figures |= {"ours": mine, "other": other, "wall": wall}
        told[str(args.samples)] = figures
        args.record.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def with_draws(other: Times, resamples: int, wanted: int) -> float:
    """CPU seconds of the other pipeline with so many resampled and random sets."""
    draws = sum(other.get(name, 0.0) for name in DRAWS)
    return sum(other.values()) + (wanted / max(resamples, 1) - 1) * draws


def table(name: str, samples: int, times: Times) -> None:
    """Print what each step took, and the share of each kind of work."""
    total = sum(times.values())
    print(f"\n{name}, {samples:,} samples: {total:.0f} CPU s\n")
    print("| step | CPU s | share |\n|---|---|---|")
    for step, seconds in times.items():
        print(f"| {step} | {seconds:.1f} | {seconds / total:.0%} |")
    print()
    kinds = {k: sum(times.get(s, 0.0) for s in steps) for k, steps in KINDS.items()}
    if all(kinds.values()):
        kinds["all else"] = total - sum(kinds.values())
        print(", ".join(f"{kind} {seconds / total:.0%}" for kind, seconds in kinds.items()))


def compare(resamples: int, mine: Times, other: Times) -> None:
    """Print the ratio of CPU times without, with the measured and with the usual resamples."""
    for wanted in sorted({0, resamples, USUAL}):
        times = with_draws(other, resamples, wanted) / sum(mine.values())
        how = "derived" if wanted > resamples else "measured"
        print(f"with {wanted} resampled and random sets: {times:.1f} times ours ({how})")


if __name__ == "__main__":
    main()
