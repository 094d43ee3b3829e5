"""How well do known scores and the mechanisms tell responders, on every cohort at hand.

    python benchmarks/response.py --out FOLDER [--cohorts SHEET] [--only NAME ...]

Per cohort, one pre-treatment tumour per patient: area under the curve with DeLong interval,
exact or permutation p, Benjamini-Hochberg over the cohort, minimum detectable area; labels of
the study, and CR/PR against SD/PD where the words are there. Published areas stand beside, with
what their difference means; cells of the leakage register are marked. Over cohorts: random
effects (REML, Hartung-Knapp), prediction interval, leave one cohort out, strata by cancer and
therapy, patients that stand in two cohorts counted once.

Writes ``cohorts.tsv`` (who counts), ``response.tsv``, ``pooled.tsv``, ``leave_one_out.tsv`` and
``shared.tsv``; prints the table of ``benchmarks/README.md``.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from response_cohorts import Scored, read_all, recist

import resistpath as rp
from resistpath.cohort import duplicates, leakage, meta, samples
from resistpath.cohort.auc import areas
from resistpath.cohort.multiplicity import benjamini_hochberg
from resistpath.cohort.permutation import permutation_p
from resistpath.cohort.power import minimum_detectable
from resistpath.io.resources import (
    catalogue,
    leakage_register,
    pair_sets,
    score_table,
    weighted_sets,
)
from resistpath.methods import GeneSet
from resistpath.score import PANELS

HERE = Path(__file__).parent
MIN_COVERAGE = 0.6
FEWEST = 3
"""Patients the smaller group needs for a row in the pooled table."""
NAMED = ("GEP18 weighted", "GEP18 mean", "CYT", "IFNG6", "CD8", "PD-L1", "Pan-F-TBRS")
REGISTERED = {
    "GEP18 weighted": "GEP18_UNWEIGHTED",
    "GEP18 mean": "GEP18_UNWEIGHTED",
    "IFNG6": "IFNG6_AYERS",
    "Pan-F-TBRS": "PANFTBRS_MARIATHASAN19",
}


def named_scores(values: pd.DataFrame, *, panel: bool) -> pd.DataFrame:
    """Patients x the scores the field compares with; left out below 60 % of the genes."""
    book = catalogue()
    ((gep, keepers),) = (w for w in weighted_sets() if w[0].name.startswith("GEP18"))
    means = {
        "GEP18 mean": gep.up,
        "CYT": ("GZMA", "PRF1"),
        "IFNG6": book.readout("IFNG6_AYERS").gene_set.up,
        "CD8": ("CD8A", "CD8B"),
        "PD-L1": ("CD274",),
        "Pan-F-TBRS": book.readout("PANFTBRS_MARIATHASAN19").gene_set.up,
    }
    measured = {name: [g for g in genes if g in values.index] for name, genes in means.items()}
    out = {
        name: values.loc[genes].mean()
        for name, genes in measured.items()
        if len(genes) >= MIN_COVERAGE * len(means[name])
    }
    found = [g for g in keepers if g in values.index]
    if found and len(measured["GEP18 mean"]) >= MIN_COVERAGE * len(gep.up):
        table = rp.score(values, [gep], "weighted", housekeeping=found)
        out["GEP18 weighted"] = table[gep.name]
    (impres,) = pair_sets()
    both = [p for p in impres.pairs if all(g in values.index for g in p)]
    if len(both) >= MIN_COVERAGE * len(impres.pairs):
        out["IMPRES"] = rp.score(values, [GeneSet("IMPRES", pairs=tuple(both))], "pairs")["IMPRES"]
    if not panel:
        long = PANELS["ips"].func(values, score_table("immunophenoscore"))
        out["IPS"] = long[long["readout"] == "AZ"].set_index("sample")["score"]
    order = [*NAMED, "IMPRES", "IPS"]
    return pd.DataFrame({name: out[name] for name in order if name in out})


def rows(cohort: Scored, labels: str, y: pd.Series) -> pd.DataFrame:
    """One row per score, mechanism and view."""
    known = list(y.index)
    scores = named_scores(cohort.values, panel=cohort.panel)
    tables = [
        ("score", "raw", scores),
        ("mechanism", "raw", cohort.mechanisms),
        ("mechanism", "residual", cohort.residuals(cohort.mechanisms)),
    ]
    parts = []
    for kind, view, table in tables:
        used = table.loc[known].dropna(axis=1, how="all")
        part = areas(used, y.to_numpy())
        part["p_perm"] = permutation_p(used, y.to_numpy())["p"]
        parts.append(part.assign(kind=kind, view=view, score=part.index))
    out = pd.concat(parts, ignore_index=True)
    out["q"] = benjamini_hochberg(out["p_perm"])
    m = int(y.sum())
    out["min_detectable_auc"] = minimum_detectable(m, len(y) - m)
    e = cohort.entry
    return out.assign(cohort=e.cohort, cancer=e.cancer, therapy=e.therapy, labels=labels)


def published(table: pd.DataFrame) -> pd.DataFrame:
    """Add published areas, and whether the difference exceeds what sampling gives ours."""
    known = pd.read_csv(HERE / "response_published.tsv", sep="\t")
    known = known.rename(columns={"auc": "published", "n": "published_n"})
    known = known.groupby(["cohort", "score", "labels"], as_index=False).first()
    out = table.merge(
        known[["cohort", "score", "labels", "published", "published_n"]],
        on=["cohort", "score", "labels"],
        how="left",
    )
    inside = (out["low"] <= out["published"]) & (out["published"] <= out["high"])
    out["within"] = np.where(out["published"].isna(), "", np.where(inside, "yes", "no"))
    return out


def marked(table: pd.DataFrame) -> pd.DataFrame:
    """Add the use of the cohort in the making of the score, for mechanisms by their readouts."""
    book, register = catalogue(), leakage_register()
    parts = {name: {REGISTERED.get(name, name)} for name in table["score"].unique()}
    for m in book.mechanisms:
        sets = book.readouts_of(m.mechanism)
        parts[m.mechanism] = {s for r in sets for s in r.signatures}
    every = set().union(*parts.values())
    marks = leakage.marks(register, every, dict.fromkeys(table["cohort"].unique(), ""))
    use = {(r.score, r.cohort): r.use for r in marks.itertuples()}
    order = list(leakage.USES)

    def worst(score: str, cohort: str) -> str:
        found = [use[key] for s in parts[score] if (key := (s, cohort)) in use]
        return min(found, key=order.index, default="")

    table["leakage"] = [worst(s, c) for s, c in zip(table["score"], table["cohort"], strict=True)]
    return table


def pooled(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Random-effects areas per score over all cohorts and per stratum; and without each cohort."""
    small = np.minimum(table["n_positive"], table["n"] - table["n_positive"]) < FEWEST
    table = table[~small & table["auc"].notna()]
    strata = [("all", "all", table)]
    strata += [
        (by, str(value), part) for by in ("cancer", "therapy") for value, part in table.groupby(by)
    ]
    out, without = [], []
    for by, value, part in strata:
        for (kind, view, score), group in part.groupby(["kind", "view", "score"], sort=False):
            if len(group) < 2:
                continue
            m = group["n_positive"].to_numpy()
            y, v = meta.logit_area(group["auc"], group["se"], m, group["n"].to_numpy() - m)
            got = asdict(meta.pool(y, v))
            for name in ("effect", "low", "high", "predict_low", "predict_high"):
                got["auc" if name == "effect" else name] = float(1 / (1 + np.exp(-got[name])))
            head = {"stratum": by, "value": value, "kind": kind, "view": view, "score": score}
            out.append(head | {"n": int(group["n"].sum()), "R": int(m.sum())} | got)
            if by == "all":
                left = meta.leave_one_out(list(group["cohort"]), y, v)
                left["auc"] = 1 / (1 + np.exp(-left["effect"]))
                without.append(left.assign(**head))
    return pd.DataFrame(out), pd.concat(without, ignore_index=True)


def show(table: pd.DataFrame, summary: pd.DataFrame) -> None:
    """Print cohorts x scores as Markdown."""
    main = table[(table["kind"] == "score") & (table["labels"] == "study")]
    names = [*NAMED, "IMPRES", "IPS"]
    print("| cohort (R/NR) | detectable | " + " | ".join(names) + " |")
    print("|" + "---|" * (len(names) + 2))
    for cohort, part in main.groupby("cohort", sort=False):
        by = part.set_index("score")
        first = part.iloc[0]
        m = int(first["n_positive"])
        cells = []
        for name in names:
            if name not in by.index:
                cells.append("–")
                continue
            r = by.loc[name]
            star = {"": ""}.get(r["leakage"], "†")
            cells.append(f"{r['auc']:.2f} ({r['low']:.2f}–{r['high']:.2f}){star}")
        size = f"{first['min_detectable_auc']:.2f}"
        print(f"| {cohort} ({m}/{int(first['n']) - m}) | {size} | " + " | ".join(cells) + " |")
    whole = summary[(summary["stratum"] == "all") & (summary["kind"] == "score")]
    by = whole.set_index("score")
    for title, a, b in (("pooled", "low", "high"), ("prediction", "predict_low", "predict_high")):
        cells = [
            f"{by.loc[n, 'auc']:.2f} ({by.loc[n, a]:.2f}–{by.loc[n, b]:.2f})"
            if title == "pooled"
            else f"{by.loc[n, a]:.2f}–{by.loc[n, b]:.2f}"
            for n in names
        ]
        print(f"| **{title}** | | " + " | ".join(cells) + " |")
    print("| I² | | " + " | ".join(f"{by.loc[n, 'i2']:.0f} %" for n in names) + " |")


def main() -> None:
    """Run on all cohorts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cohorts", type=Path, help="cohort sheet; default: ../shared/data")
    parser.add_argument("--only", nargs="*", default=None, help="names of cohorts")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    cohorts = list(read_all(options.cohorts, options.only))
    outcome = {c.entry.cohort: samples.responders(c.sheet) for c in cohorts}
    shared = duplicates.shared_patients(
        {c.entry.cohort: c.values for c in cohorts},
        {c.entry.cohort: pd.Series(c.values.columns, c.values.columns) for c in cohorts},
    )
    give_up = duplicates.count_once(shared, {name: len(y) for name, y in outcome.items()})
    parts, once, who = [], [], []
    for c in cohorts:
        name = c.entry.cohort
        y = outcome[name]
        parts.append(rows(c, "study", y))
        again = [p for p in y.index if p in give_up.get(name, {})]
        once.append(rows(c, "study", y.drop(again)) if again else parts[-1])
        words = recist(c.sheet)
        if min(words.sum(), (~words).sum()) >= FEWEST:
            parts.append(rows(c, "recist", words))
        who.append(
            {"cohort": name, "R": int(y.sum()), "NR": int((~y).sum()), "given_up": len(again)}
            | c.selection.counts
            | {"genes": len(c.values), "panel": c.panel}
        )
        print(f"{name}: {len(y)} patients with an outcome", file=sys.stderr)
    table = marked(published(pd.concat(parts, ignore_index=True)))
    summary, without = pooled(pd.concat(once, ignore_index=True))
    for name, frame in {
        "cohorts": pd.DataFrame(who),
        "response": table,
        "pooled": summary,
        "leave_one_out": without,
        "shared": shared,
    }.items():
        frame.to_csv(options.out / f"{name}.tsv", sep="\t", index=False, na_rep="NA")
    show(table, summary)


if __name__ == "__main__":
    main()
