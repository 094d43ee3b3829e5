"""Does each readout point the way it is read? AUC for response, raw and given T-cell inflammation.

    python benchmarks/directions.py [--data FOLDER] [--out FOLDER] [--page]

Pre-treatment tumours of public cohorts treated with checkpoint inhibitors, one per patient. Each
readout of the catalogue is scored by its own method, one sample at a time; fractions are left
out. The residual is what an ordinary least-squares line on the T-cell-inflamed readout leaves
within the cohort. AUC above 0.5: the score, as it is and not turned by its sign, is higher in
responders. Intervals are DeLong's at 95 %, on the logit scale per cohort; those of residuals take
the line as given. Pooled: mean over cohorts weighted by R x NR / (R + NR), its variance from the
cohorts' own. A readout counts in a cohort if 60 % of its genes are measured and its mechanism may
be read in that disease.

Written are ``direction_check.tsv`` (pooled, as shipped in ``resources/catalogue``) and
``directions.tsv`` (per cohort); the summary on the screen compares with the figures of
``../shared/reference/direction_check.tsv``. The data are not part of the project.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

import resistpath as rp
from resistpath.cohort.auc import areas
from resistpath.io.resources import catalogue
from resistpath.io.tables import write_table
from resistpath.mechanisms.records import Catalogue

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
LEAST_COVERAGE = 0.6
Z95 = 1.959963984540054

# Cohort -> name of the same cohort in the earlier check, if it was there.
COHORTS = {
    "hugo_gse78220": "Hugo",
    "gide_prjeb23709_pd1": "",
    "liu_2019_pd1": "Liu",
    "riaz_gse91061_counts": "Riaz",
    "vanallen_2015_ctla4": "Van_Allen",
    "nathanson_2017_ctla4": "Nathanson",
    "miao_2018_ccrcc": "Miao",
    "snyder_2017_urothelial": "",
    "imvigor210_bladder_1768genes": "Mariathasan",
    "padron_2022_pdac": "Padron",
    "jung_2019_nsclc_male": "",
    "limagne_2022_nsclc": "",
    "ravi_2023_nsclc_combo": "",
    "cho_gse126044_counts": "",
    "thibaudin_2023_crc_female": "",
}
LEFT_OUT = {
    "hugo_gse78220_fpkm": "the biopsies of hugo_gse78220 again",
    "zhao_2019_gbm": "time points are assumed, not stated",
    "tcga_skcm_ipi": "time points are not stated",
    "chen_2016_nanostring": "548 genes",
}


def tumours(data: Path, cohort: str) -> tuple[pd.Series, str]:
    """Response (True: responder) of one pre-treatment tumour per patient, and the disease."""
    sheet = pd.read_csv(data / cohort / "samples.tsv", sep="\t", dtype=str)
    sheet = sheet.set_index("sample_id").sort_index()
    keep = sheet["timepoint"].eq("pre") & sheet["response_binary"].isin(["R", "NR"])
    if "preservation" in sheet:  # Cho: every fixed sample is a non-responder
        keep &= sheet["preservation"].eq("fresh")
    kept = sheet[keep]
    kept = kept[~kept["patient_id"].duplicated()]
    return kept["response_binary"].eq("R"), str(kept["cancer_type"].iloc[0])


def scores(values: pd.DataFrame, book: Catalogue) -> tuple[pd.DataFrame, dict[str, float]]:
    """Readouts by their own methods, samples x readouts, and the coverage of each."""
    tables = []
    for method in dict.fromkeys(r.method for r in book.readouts):
        if sets := book.gene_sets(method):
            tables.append(rp.score(values, sets, method))
    coverage = {
        s.name: len(set(s.genes) & set(values.index)) / len(set(s.genes)) for s in book.gene_sets()
    }
    return pd.concat(tables, axis=1), coverage


def residual(score: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """What a straight line on `axis` leaves of a score."""
    centred = axis - axis.mean()
    slope = centred @ (score - score.mean()) / (centred @ centred)
    left: np.ndarray = score - score.mean() - slope * centred
    return left


def cohort_table(data: Path, cohort: str, book: Catalogue) -> pd.DataFrame:
    """One row per readout that is covered in a cohort and may be read in its disease."""
    responder, disease = tumours(data, cohort)
    expression = rp.read_expression(data / cohort / "matrix.tsv.gz")
    values = rp.normalise(expression).values[list(responder.index)]
    table, coverage = scores(values, book)
    varies = table.max() > table.min()
    bound = {m.mechanism for m in book.mechanisms if m.unreadable_in(disease)}
    names = [
        r.readout
        for r in book.readouts
        if coverage.get(r.readout, 0) >= LEAST_COVERAGE
        and varies[r.readout]
        and r.mechanism not in bound
    ]
    axis = table[book.inflammation].to_numpy()
    left = pd.DataFrame(
        {n: residual(table[n].to_numpy(), axis) for n in names if n != book.inflammation}
    )
    raw, given = areas(table[names], responder), areas(left, responder)
    out = pd.DataFrame({"cohort": cohort, "readout": names})
    out["n_R"], out["n_NR"] = int(responder.sum()), int((~responder).sum())
    out["coverage"] = [coverage[n] for n in names]
    for view, found in (("raw", raw), ("residual", given)):
        for column in ("auc", "low", "high"):
            out[f"{view}_{column}"] = found[column].reindex(names).to_numpy()
        # Where the groups are fully separated DeLong's variance is zero: the score interval's.
        implied = (found["high"] - found["low"]) / (2 * Z95)
        se = found["se"].where(found["interval"] != "score", implied)
        out[f"{view}_se"] = se.reindex(names).to_numpy()
    return out


def pooled(rows: pd.DataFrame, view: str) -> dict[str, float]:
    """Weighted mean of the cohorts' AUC with its interval, and how many lie above 0.5."""
    rows = rows.dropna(subset=[f"{view}_auc"])
    if rows.empty:
        return {f"{view}_{name}": np.nan for name in ("auc", "low", "high", "above")}
    weight = rows["n_R"] * rows["n_NR"] / (rows["n_R"] + rows["n_NR"])
    weight = weight / weight.sum()
    auc = float(weight @ rows[f"{view}_auc"])
    half = Z95 * float(np.sqrt(weight**2 @ rows[f"{view}_se"] ** 2))
    return {
        f"{view}_auc": auc,
        f"{view}_low": max(auc - half, 0.0),
        f"{view}_high": min(auc + half, 1.0),
        f"{view}_above": int((rows[f"{view}_auc"] > 0.5).sum()),
    }


def pooled_table(cohorts: pd.DataFrame, book: Catalogue) -> pd.DataFrame:
    """One row per readout, as the catalogue ships it."""
    out = []
    for entry in book.readouts:
        rows = cohorts[cohorts["readout"] == entry.readout]
        if rows.empty:
            continue
        figures = pooled(rows, "raw") | pooled(rows, "residual")
        sizes = {"n_cohorts": len(rows), "n_R": rows["n_R"].sum(), "n_NR": rows["n_NR"].sum()}
        rounded = {k: v if k.endswith("above") else round(v, 3) for k, v in figures.items()}
        out.append({"readout": entry.readout, **sizes, **rounded})
    return pd.DataFrame(out).astype({"raw_above": "Int64", "residual_above": "Int64"})


def page(book: Catalogue) -> str:
    """Turn the table that the catalogue ships into the one of benchmarks/README.md."""
    lines = [
        "| readout | read before treatment | cohorts | R / NR | raw AUC | residual AUC | against |",
        "|---|---|---|---|---|---|---|",
    ]
    for entry in book.readouts:
        if (check := book.direction_check(entry.readout)) is None:
            continue
        views = [
            "–" if view is None else f"{view[0]:.2f} ({view[1]:.2f}–{view[2]:.2f})"
            for view in (check.raw, check.residual)
        ]
        direction = book.directions_of(entry.readout)["read"].removeprefix("high = ")
        cells = [
            *(entry.readout, direction, str(check.n_cohorts)),
            *(f"{check.n_responders} / {check.n_others}", *views),
            " and ".join(book.points_against(entry.readout)),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def agreement(table: pd.DataFrame, earlier: pd.DataFrame, what: str) -> list[str]:
    """Lines that hold pooled figures against those of the earlier check."""
    both = table[table["readout"].isin(earlier.index)].set_index("readout")
    lines = []
    for view, column in (
        ("raw", "weighted_mean_AUC_for_response"),
        ("residual", "weighted_mean_AUC_residual_on_GEP"),
    ):
        pair = pd.DataFrame({"here": both[f"{view}_auc"], "there": earlier[column]}).dropna()
        same = np.sign(pair["here"] - 0.5) == np.sign(pair["there"] - 0.5)
        r = pair.corr().iloc[0, 1]
        gap = (pair["here"] - pair["there"]).abs().mean()
        lines.append(
            f"{what}, {view}: {same.sum()} of {len(pair)} on the same side of 0.5, r = {r:.2f},"
            f" mean difference {gap:.3f}; other side: {', '.join(pair.index[~same]) or 'none'}"
        )
    return lines


def compare(cohorts: pd.DataFrame, book: Catalogue, earlier: pd.DataFrame) -> list[str]:
    """Lines that hold the figures here against the earlier check: pooled, then cohort by cohort."""
    earlier = earlier.set_index("signature_id")
    shared = cohorts[cohorts["cohort"].map(COHORTS) != ""]
    lines = agreement(pooled_table(cohorts, book), earlier, "all cohorts")
    lines += agreement(pooled_table(shared, book), earlier, "its eight cohorts")
    for cohort, rows in shared.groupby("cohort", sort=False):
        here = rows.set_index("readout")["raw_auc"]
        pair = pd.DataFrame({"here": here, "there": earlier[COHORTS[str(cohort)]]}).dropna()
        r, gap = pair.corr().iloc[0, 1], (pair["here"] - pair["there"]).abs().mean()
        lines.append(f"{cohort}, raw: {len(pair)} readouts, r = {r:.2f}, difference {gap:.3f}")
    return lines


def main() -> None:
    """Run the check and write its two tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED / "data")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "directions")
    parser.add_argument("--page", action="store_true", help="print the shipped table and stop")
    args = parser.parse_args()
    book = catalogue()
    if args.page:
        print(page(book), end="")
        return
    parts = []
    for cohort in COHORTS:
        part = cohort_table(args.data, cohort, book)
        parts.append(part)
        print(f"{cohort}: {part['n_R'][0]} R, {part['n_NR'][0]} NR, {len(part)} readouts")
    cohorts = pd.concat(parts, ignore_index=True)
    table = pooled_table(cohorts, book)
    write_table(args.out / "direction_check.tsv", table)
    write_table(args.out / "directions.tsv", cohorts.round(4))
    earlier = pd.read_csv(SHARED / "reference" / "direction_check.tsv", sep="\t")
    print("\n".join(compare(cohorts, book, earlier)))


if __name__ == "__main__":
    main()
