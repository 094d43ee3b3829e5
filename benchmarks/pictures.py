"""Draw benchmarks/whole_way.svg from benchmarks/whole_way.json, which whole_way.py writes.

python benchmarks/pictures.py
"""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from whole_way import USUAL, Times, with_draws

HERE = Path(__file__).parent
STEPS = {
    "prepare": "#4477aa",
    "score": "#66ccee",
    "reference": "#88ddcc",
    "assess": "#228833",
    "deconvolve": "#ccbb44",
    "compare": "#ee8866",
    "differential": "#ee6677",
    "report": "#aa3377",
    "Snakemake": "#bbbbbb",
}
"""Colours that readers with colour blindness tell apart, in the order of the workflow."""


def totals(axes: Axes, told: dict[int, dict[str, Times]]) -> None:
    """CPU seconds of both pipelines against the number of tumours."""
    sizes = list(told)
    mine = [sum(told[n]["ours"].values()) for n in sizes]
    axes.set_xscale("log")
    axes.plot(sizes, mine, "o-", color="#222222", label="resistpath")
    axes.set_xticks(sizes, [f"{n:,}" for n in sizes])
    sizes = [n for n in sizes if told[n]["other"]]
    for wanted, style, what in ((0, "s--", "one pass"), (USUAL, "D-", f"{USUAL} resamples")):
        seconds = [with_draws(told[n]["other"], int(told[n]["resamples"]), wanted) for n in sizes]
        label = f"pandas, gseapy, plotly: {what}"
        (line,) = axes.plot(sizes, seconds, style, color="#cc3311", fillstyle="none", label=label)
        for n, y in zip(sizes, seconds, strict=True):
            if wanted <= int(told[n]["resamples"]):
                axes.plot(n, y, style[0], color=line.get_color())
    axes.set(yscale="log", xlabel="tumours", ylabel="CPU seconds")
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=8)
    axes.set_title("Whole way (filled: measured; hollow: derived)", fontsize=10)


def shares(axes: Axes, told: dict[int, dict[str, Times]]) -> None:
    """Share of each step in resistpath's CPU time."""
    left = np.zeros(len(told))
    names = []
    for n, figures in told.items():
        pages = f"\n{figures['named']} pages" if figures["named"] else ""
        names.append(f"{n:,} tumours{pages}\n{sum(figures['ours'].values()):,.0f} s")
    for step, colour in STEPS.items():
        width = np.array(
            [100 * f["ours"].get(step, 0) / sum(f["ours"].values()) for f in told.values()]
        )
        axes.barh(names, width, left=left, color=colour, label=step)
        left += width
    axes.invert_yaxis()
    axes.set(xlim=(0, 100), xlabel="share of CPU time, %")
    axes.legend(
        ncols=3, frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.45, -0.16)
    )
    axes.set_title("Where resistpath's time goes", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)


def main() -> None:
    """Read the figures, draw both panels."""
    mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "resistpath", "font.size": 9}
    read = json.loads((HERE / "whole_way.json").read_text("utf-8"))
    told = {int(n): read[n] for n in sorted(read, key=int)}
    figure, (one, two) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    totals(one, told)
    shares(two, told)
    figure.savefig(HERE / "whole_way.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
