"""What the cohort page says about the cohort as a whole, as plain records.

All of it depends on which samples there are. Nothing here is a reading of resistance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from resistpath.report import wording
from resistpath.report.parts import records
from resistpath.report.text import number_text, plain, words

Record = dict[str, Any]

MOST_LEVELS = 8
FEW = 10
EMPTY: Record = {
    "phenotype": None,
    "embedding": None,
    "concordance": None,
    "response": None,
    "differential": None,
    "pairs": None,
    "survival": None,
}
"""A page without any of these panels."""


def colouring_columns(sheet: pd.DataFrame, columns: Sequence[str]) -> list[Record]:
    """Columns that can colour a sample: few levels, or numbers.

    Parameters
    ----------
    sheet
        One row per sample, in the order of the page's table.
    columns
        Its columns in the order of the table.

    Returns
    -------
    list
        column (its place among `columns`), label, kind ``levels`` (levels by frequency, values
        are places among them) or ``numbers`` (values, minimum, maximum); missing values None. A
        column with one value, or with many texts, is left out.
    """
    out: list[Record] = []
    for i, name in enumerate(columns):
        cells = [plain(v) for v in sheet[name]]
        cells = [None if v == "" else v for v in cells]
        texts = [None if v is None else words(v) for v in cells]
        counts: dict[str, int] = {}
        for text in texts:
            if text is not None:
                counts[text] = counts.get(text, 0) + 1
        head = {"column": i, "label": words(name), "n": sum(counts.values())}
        if 2 <= len(counts) <= MOST_LEVELS:
            levels = sorted(counts, key=lambda t: (-counts[t], t))
            codes = [None if t is None else levels.index(t) for t in texts]
            record = {"levels": levels, "counts": [counts[t] for t in levels], "values": codes}
            out.append(head | {"kind": "levels"} | record)
        elif len(counts) > MOST_LEVELS and (numbers := _numbers(texts)) is not None:
            known = [v for v in numbers if v is not None]
            record = {"values": numbers, "minimum": min(known), "maximum": max(known)}
            out.append(head | {"kind": "numbers"} | record)
    return out


def _numbers(texts: Sequence[str | None]) -> list[float | None] | None:
    """Texts as numbers, or None if one of them is none."""
    numbers: list[float | None] = []
    for text in texts:
        try:
            number = None if text is None else float(text)
        except ValueError:
            return None
        if number is not None and not math.isfinite(number):
            return None
        numbers.append(number)
    return numbers


def phenotype_record(table: pd.DataFrame, samples: Sequence[str]) -> Record | None:
    """Coordinates, label and probabilities of each sample, in the order of `samples`."""
    if not len(table):
        return None
    rows = {str(r["sample"]): r for r in records(table)}
    keys = ("x", "x_low", "x_high", "y", "y_low", "y_high")
    chances = ("p_inflamed", "p_excluded", "p_desert")
    points = []
    for sample in samples:
        row = rows.get(sample)
        blank = dict.fromkeys((*keys, *chances))
        label = words(row["phenotype"], "cannot say") if row else "cannot say"
        reason = words(row["reason"]) if row else "no record for this sample"
        picked = {k: row[k] for k in (*keys, *chances)} if row else blank
        points.append({"phenotype": label, "reason": reason, **picked})
    counts: dict[str, int] = {}
    for p in points:
        name = _either_way(p["phenotype"])
        counts[name] = counts.get(name, 0) + 1
    order = sorted(counts, key=lambda t: (t not in PHENOTYPES, -counts[t], t))
    return {
        "points": points,
        "counts": [{"phenotype": name, "n": counts[name]} for name in order],
        "n_placed": sum(p["x"] is not None and p["y"] is not None for p in points),
    }


PHENOTYPES = ("inflamed", "excluded", "desert")


def _either_way(phenotype: str) -> str:
    """Write a pair of phenotypes in one order, whichever is the likelier.

    >>> _either_way("between desert and inflamed")
    'between inflamed and desert'
    """
    pair = phenotype.removeprefix("between ").split(" and ")
    if not set(pair) <= set(PHENOTYPES) or len(pair) != 2:
        return phenotype
    return "between " + " and ".join(sorted(pair, key=PHENOTYPES.index))


def embedding_record(
    table: pd.DataFrame, facts: Mapping[str, Any], samples: Sequence[str]
) -> Record | None:
    """Places of each sample in PCA and UMAP; a sample without one has None."""
    if not len(table):
        absent = words(facts.get("absent"))
        return {"absent": absent} if absent else None
    rows = {str(r["sample"]): r for r in records(table)}
    keys = ("pc1", "pc2", "umap1", "umap2")
    blank = dict.fromkeys(keys)
    numbers = ("n", "genes", "components", "neighbours", "pc1", "pc2")
    return {
        "absent": "",
        "facts": {key: plain(facts[key]) for key in numbers},
        "points": [{k: rows[s][k] for k in keys} if s in rows else blank for s in samples],
    }


def concordance_record(table: pd.DataFrame) -> list[Record] | None:
    """Agreement of two deconvolution methods over the samples, one row per cell type and pair."""
    keys = ("n", "spearman", "mean_difference", "intervals_overlap")
    two = ("method_a", "method_b")
    rows = [
        {
            "label": words(r["label"]),
            "methods": " and ".join(wording.method_name(words(r[k])) for k in two),
            **{k: r[k] for k in keys},
        }
        for r in records(table)
    ]
    return rows or None


def names_of(catalogue: Any, kind: str) -> dict[str, str]:
    """Name of each mechanism, or of each readout, as a page writes it."""
    if kind == "mechanism":
        return {m.mechanism: words(m.name, m.mechanism) for m in catalogue.mechanisms}
    return {r.readout: words(r.name, r.readout) for r in catalogue.readouts}


AREA = ("n", "n_responders", "n_missing", "auc", "low", "high", "p_perm", "q")
AREA_MORE = ("odds_ratio", "or_low", "or_high", "min_detectable_auc")


def _together(rows: list[Record]) -> list[Record]:
    """Mechanisms before readouts, and the two views of one thing side by side."""
    first = {key: i for i, key in reversed(list(enumerate(_id(r) for r in rows)))}
    return sorted(rows, key=lambda r: (r.get("kind") == "readout", first[_id(r)]))


def _id(row: Record) -> tuple[Any, ...]:
    return row.get("kind"), row["name"], row.get("after")


def response_record(
    table: pd.DataFrame, curves: Mapping[tuple[str, str, str], str], bands: Record, about: Record
) -> Record | None:
    """Association with response: every row of response.tsv, and ROC curves of some.

    Parameters
    ----------
    table
        ``comparison/response.tsv`` with a column `label`.
    curves
        Steps of `resistpath.cohort.roc` by kind, name and view.
    bands
        Intervals of the shares by group size, see `resistpath.cohort.roc.shares`.
    about
        Level, time point, numbers of patients, and what is aligned with response.
    """
    if not len(table):
        return None
    rows = []
    for r in records(table):
        key = (str(r["kind"]), str(r["name"]), str(r["view"]))
        rows.append(
            {
                "kind": key[0],
                "name": words(r["name"]),
                "label": words(r["label"]),
                "page": words(r["page"]),
                "view": key[2],
                **{k: r[k] for k in (*AREA, *AREA_MORE)},
                "note": words(r["note"]),
                "leakage": words(r["leakage"]),
                "curve": curves.get(key),
            }
        )
    known = [r for r in rows if r["q"] is not None]
    return {
        **about,
        "rows": _together(rows),
        "n_found": sum(r["q"] < ALPHA for r in known),
        "bands": bands,
        "small": _small(about["responders"], about["non_responders"]),
    }


ALPHA = 0.1
"""False discovery rate below which a row is called found."""


def _small(one: int, two: int) -> str:
    if min(one, two) >= FEW:
        return ""
    return (
        f"Few patients: {number_text(one)} responders and {number_text(two)} non-responders."
        " Intervals are wide, and a missing association says little."
    )


CONTRAST = {
    "pydeseq2": "PyDESeq2 on read counts (negative binomial, Wald’s statistic)",
    "limma": "a linear model of log2(TPM + 1) with limma’s moderated t",
}
MOST_SETS = 12
MOST_LEADING = 8
SET = ("n_genes", "n_ranked", "nes", "p", "q", "correlation", "p_correlated", "q_correlated")


def differential_record(
    table: pd.DataFrame, facts: Mapping[str, Any], names: Mapping[str, str]
) -> Record | None:
    """Gene sets along the ranking of genes by response: the strongest of prerank.tsv.

    Parameters
    ----------
    table
        ``comparison/prerank.tsv``, the strongest set first.
    facts
        ``comparison/differential.json``.
    names
        Name of each readout.

    Returns
    -------
    dict or None
        None where the cohort has not both outcomes; `absent` where it has and nothing could be
        compared.
    """
    if facts.get("absent"):
        known = facts.get("responders_known"), facts.get("non_responders_known")
        return {"absent": words(facts["absent"])} if all(known) else None
    both = set(table.loc[table["side"] == "down", "readout"])
    rows = [
        {
            "name": words(r["readout"]),
            "label": words(names.get(str(r["readout"])), words(r["readout"])),
            "side": words(r["side"]) if r["readout"] in both else "",
            **{k: r[k] for k in SET},
            "higher_in": words(r["higher_in"]),
            "n_leading": r["n_leading"],
            "leading": words(r["leading_genes"]).split(", ")[:MOST_LEADING],
            "leakage": words(r["leakage"]),
        }
        for r in records(table[table["nes"].notna()].head(MOST_SETS))
    ]
    keys = ("timepoint", "responders", "non_responders", "genes", "genes_found", "permutations")
    return {
        "absent": "",
        **{k: facts[k] for k in (*keys, "sets", "sets_found")},
        "genes_found_linear": facts.get("genes_found_linear"),
        "method": CONTRAST[facts["method"]],
        "adjusted_for": ", ".join(facts["adjusted_for"]),
        "confounded": dict(facts["confounded"]),
        "rows": rows,
    }


PAIR = ("n_pairs", "n_up", "n_down", "median_before", "median_after", "mean_delta", "low", "high")
PAIR_MORE = ("p", "q", "n_responders", "interaction_auc", "interaction_low", "interaction_high")


def pairs_record(
    table: pd.DataFrame,
    lines: Mapping[tuple[str, str, str], Record],
    patterns: pd.DataFrame | None,
    patients: Mapping[str, str],
    level: float | None,
) -> Record | None:
    """Change between time points: rows of paired.tsv for mechanisms, and each patient's line.

    Parameters
    ----------
    table
        Rows on mechanisms of ``comparison/paired.tsv`` with columns `label` and `page`.
    lines
        By name, view and later time point: patients, before, after and outcome.
    patterns
        ``patterns.tsv``.
    patients
        File name of each patient's page, beside this one.
    level
        Confidence level of `table`.
    """
    rows = []
    for r in records(table):
        key = (str(r["readout"]), str(r["view"]), str(r["after"]))
        rows.append(
            {
                "name": key[0],
                "label": words(r["label"]),
                "page": words(r["page"]),
                "view": key[1],
                "before": wording.TIME_POINTS.get(str(r["before"]), words(r["before"])),
                "after": wording.TIME_POINTS.get(key[2], key[2]),
                **{k: r[k] for k in (*PAIR, *PAIR_MORE, "interaction_q")},
                "note": words(r["note"]),
                "lines": lines.get(key) if r["n_pairs"] else None,
            }
        )
    if not rows and not patients:
        return None
    return {
        "level": level,
        "rows": _together(rows),
        "patterns": _patterns(patterns),
        "patients": [
            {"patient": words(name, "unnamed patient"), "link": plain(link)}
            for name, link in patients.items()
        ],
    }


def _patterns(table: pd.DataFrame | None) -> list[Record]:
    """How many pairs have each outcome, by pattern and step."""
    if table is None or not len(table):
        return []
    out: dict[tuple[str, ...], Record] = {}
    for r in records(table):
        step = " to ".join(
            wording.TIME_POINTS.get(str(r[k]), words(r[k]))
            for k in ("from_timepoint", "to_timepoint")
        )
        row = out.setdefault((words(r["name"]), step), {"counts": {}})
        outcome = words(r["outcome"], "cannot say")
        row["counts"][outcome] = row["counts"].get(outcome, 0) + 1
    outcomes = sorted({o for row in out.values() for o in row["counts"]})
    return [
        {"name": name, "step": step, "counts": {o: row["counts"].get(o, 0) for o in outcomes}}
        for (name, step), row in out.items()
    ]


COX = ("n", "n_events", "hazard_ratio", "low", "high", "p", "q", "proportionality_p")


def survival_record(
    table: pd.DataFrame, curves: Mapping[tuple[str, str], Record], level: float
) -> Record | None:
    """Cox regressions of survival.tsv, and Kaplan-Meier curves of some mechanisms."""
    rows = [
        {
            "kind": words(r["kind"]),
            "name": words(r["name"]),
            "label": words(r["label"]),
            "page": words(r["page"]),
            "view": words(r["view"]),
            **{k: r[k] for k in COX},
            "adjusted_for": words(r["adjusted_for"]),
            "note": words(r["note"]),
            "curve": curves.get((str(r["name"]), str(r["view"])))
            if r["kind"] == "mechanism"
            else None,
        }
        for r in records(table)
    ]
    if not rows:
        return None
    few = max(r["n_events"] for r in rows) < FEW
    return {"level": level, "rows": _together(rows), "few_events": few}
