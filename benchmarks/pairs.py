"""Paired biopsies before and on nivolumab (Riaz 2017): what moves, how surely, and in whom.

    python benchmarks/pairs.py [--data FOLDER] [--out TABLE.tsv]

The cohort is prepared as the workflow does it (counts to log2(TPM+1)) and placed in its own
pre-treatment tumours. Printed: how many patients have paired rows; whether the change of
T-cell inflammation is larger in responders (Mann-Whitney, exact p where there are no ties), as
published; what share of changes is called, in pairs of time points and between two libraries of
one biopsy; and the patterns met. The data are not part of the project (see ``../shared/data``).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import mannwhitneyu, wilcoxon

from resistpath.api import normalise, read_expression
from resistpath.io.resources import catalogue
from resistpath.mechanisms.evidence import Assessment, examine
from resistpath.mechanisms.measure import CellTables
from resistpath.mechanisms.pairs import change, level_at
from resistpath.mechanisms.verdict import Thresholds
from resistpath.reference import build_reference
from resistpath.steps.assess import all_tables

COHORT = "riaz_gse91061_counts"
HERE = Path(__file__).resolve().parent
ITEMS = (
    ("mechanism", "ifng_signalling"),
    ("mechanism", "cytolytic_activity"),
    ("readout", "GEP18_UNWEIGHTED"),
    ("mechanism", "cd8_t_effector"),
    ("mechanism", "tls_b_cell"),
    ("mechanism", "mhc1_antigen_presentation"),
    ("mechanism", "proliferation"),
)


def assessed(folder: Path) -> tuple[Assessment, pd.DataFrame, dict[str, pd.DataFrame]]:
    """Assessment, sheet and tables of the cohort, placed in its own pre-treatment tumours."""
    values = normalise(read_expression(folder / "matrix.tsv.gz")).values.astype(np.float32)
    sheet = pd.read_csv(folder / "samples.tsv", sep="\t", index_col="sample_id")
    sheet = sheet.reindex(values.columns).rename(columns={"patient_id": "patient"})
    none = pd.DataFrame(index=values.columns)
    cells = CellTables(none, none, none)
    reference = build_reference(COHORT, "melanoma", values, none, sheet, {})
    thresholds = Thresholds()
    found = examine(values, cells, sheet, {}, reference, catalogue(), thresholds)
    return found, sheet, all_tables(found, sheet, reference, thresholds)


def by_response(pairs: pd.DataFrame, response: pd.Series[str]) -> pd.DataFrame:
    """Change of each item in responders (CR, PR), against PD and against SD or PD together."""
    out = []
    for kind, item in ITEMS:
        rows = pairs[
            (pairs["kind"] == kind) & (pairs["item"] == item) & (pairs["view"] == "raw")
        ].set_index("patient")["delta"]
        said = response.reindex(rows.index)
        r, rest = rows[said.isin(["CR", "PR"])], rows[said.isin(["SD", "PD"])]
        row: dict[str, object] = {"item": item, "R": r.median(), "p within R": wilcoxon(r).pvalue}
        for name, group in (("PD", rows[said == "PD"]), ("SD or PD", rest)):
            test = mannwhitneyu(r, group, alternative="two-sided")
            row |= {
                f"{name}": group.median(),
                f"AUC against {name}": test.statistic / (len(r) * len(group)),
                f"p against {name}": test.pvalue,
            }
        out.append(row | {"n": f"{len(r)}, {(said == 'PD').sum()}, {(said == 'SD').sum()}"})
    return pd.DataFrame(out)


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared" / "data")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    folder = args.data / COHORT
    if not folder.is_dir():
        print(f"{folder}: no such folder", file=sys.stderr)
        return 2
    found, sheet, tables = assessed(folder)
    pairs = tables["pairs"]
    print(f"patients with paired rows: {pairs['patient'].nunique()}; rows: {len(pairs)}")
    print(f"samples whose changes are not called: {found.standings.doubtful}")
    response = sheet.groupby("patient")["response"].agg(
        lambda x: x.iloc[0] if len(set(x.fillna(""))) == 1 else None
    )
    result = by_response(pairs, response)
    print(result.round(3).to_string(index=False))
    if args.out:
        result.to_csv(args.out, sep="\t", index=False)

    called = pairs[pairs["outcome"] != "cannot say"]
    share = called["outcome"].isin(["up", "down"]).groupby([called["kind"], called["view"]]).mean()
    print("share of changes called up or down, without biopsy noise:")
    print(share.round(2).to_string())
    twin = sheet.index[sheet["replicate_of_patient_timepoint"].astype(str) == "True"]
    twins = sheet[sheet["patient"].isin(sheet.loc[twin, "patient"]) & (sheet["timepoint"] == "on")]
    places = [int(found.standings.samples.get_loc(s)) for s in twins.index]
    print(f"two libraries of one biopsy: {', '.join(twins.index)}")
    words = []
    for kind, item in found.standings.items:
        for view in ("raw", "residual"):
            standing = found.standings.of(f"{kind}:{item}", view)
            a, b = (level_at(standing, [i], found.standings.samples, {}) for i in places[:2])
            words.append((kind, view, change(a, b, None, 0.9).outcome))
    print(pd.DataFrame(words, columns=["kind", "view", "outcome"]).value_counts().to_string())

    patterns = tables["patterns"].merge(
        response.rename("response"), left_on="patient", right_index=True
    )
    print(patterns.groupby(["pattern", "outcome"]).size().unstack(fill_value=0).to_string())
    print(pd.crosstab(patterns["response"].fillna("unknown"), patterns["outcome"]).to_string())
    rules = tables["rules"]
    print(rules.groupby(["rule", "outcome"]).size().unstack(fill_value=0).to_string())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
