"""What the script of the cohort page draws from, as compact JSON.

Numbers are shortened to what a picture needs; the records and the tables hold them in full.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from resistpath.report import figures
from resistpath.report.links import page_link
from resistpath.report.plots.axes import MARKS
from resistpath.report.wording import READINGS, VERDICTS

Record = Mapping[str, Any]


def short(value: float | None, digits: int = 4) -> float | None:
    """Keep so many significant digits.

    >>> short(0.123456), short(1234567.0), short(None)
    (0.1235, 1235000.0, None)
    """
    return None if value is None else float(f"{value:.{digits}g}")


def tenth(values: Sequence[float | None]) -> list[float | None]:
    """Keep one decimal, as percentiles need.

    >>> tenth([12.345, None])
    [12.3, None]
    """
    return [None if v is None else round(v, 1) for v in values]


def page_data(content: Record) -> str:
    """Everything the script needs; samples are in the order of the heat map."""
    panels = content["panels"]
    data = {
        **_heat(content),
        "table": [s["sample"] for s in content["samples"]],
        "pages": [_link(s) for s in content["samples"]],
        "annotations": [_annotation(a) for a in content["annotations"]],
        "marks": MARKS,
        "phenotype": _phenotype(panels["phenotype"]),
        "embedding": _embedding(panels["embedding"]),
        "response": _response(panels["response"]),
        "pairs": _pairs(panels["pairs"]),
        "survival": _survival(panels["survival"]),
    }
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _link(sample: Record) -> str | None:
    return None if sample["link"] is None else page_link(sample["link"])


def _heat(content: Record) -> dict[str, Any]:
    """Return what the heat map says under the pointer."""
    heat = content["heat_map"]
    codes = {verdict: i for i, verdict in enumerate(VERDICTS)}
    samples = [content["samples"][i] for i in heat["samples"]]
    return {
        "cohort": content["cohort"],
        "samples": [s["sample"] for s in samples],
        "links": [_link(s) for s in samples],
        "order": heat["samples"],
        "mechanisms": [content["mechanisms"][i]["name"] for i in heat["mechanisms"]],
        "verdicts": VERDICTS,
        "readings": READINGS,
        "reading": [[READINGS.index(r) for r in row] for row in heat["readings"]],
        **{
            kind: {
                "percentile": [tenth(row) for row in heat[kind]["percentile"]],
                "verdict": [[codes.get(v, -1) for v in row] for row in heat[kind]["verdict"]],
            }
            for kind in ("raw", "residual")
        },
        "row": figures.HEAT_ROW,
    }


def _annotation(a: Record) -> dict[str, Any]:
    keys = ("column", "label", "kind", "levels", "counts", "minimum", "maximum")
    numbers = a["kind"] == "numbers"
    values = [short(v) for v in a["values"]] if numbers else a["values"]
    return {key: a[key] for key in keys if key in a} | {"values": values}


def _phenotype(record: Record | None) -> dict[str, Any] | None:
    if record is None:
        return None
    keys = ("x", "x_low", "x_high", "y", "y_low", "y_high")
    return {
        **{key: tenth([p[key] for p in record["points"]]) for key in keys},
        "label": [p["phenotype"] for p in record["points"]],
        **{
            key: [short(p[key], 3) for p in record["points"]]
            for key in ("p_inflamed", "p_excluded", "p_desert")
        },
    }


def _embedding(record: Record | None) -> dict[str, Any] | None:
    if record is None or record["absent"]:
        return None
    keys = ("pc1", "pc2", "umap1", "umap2")
    return {key: [short(p[key], 5) for p in record["points"]] for key in keys}


def _response(record: Record | None) -> dict[str, Any] | None:
    if record is None:
        return None
    keys = ("auc", "low", "high", "p_perm", "q")
    return {
        "level": record["level"],
        "bands": record["bands"],
        "rows": [
            {k: row[k] for k in ("kind", "label", "name", "view", "page")}
            | {k: short(row[k]) for k in keys}
            | {"n": row["n"], "n_responders": row["n_responders"]}
            | ({"curve": row["curve"]} if row["curve"] is not None else {})
            for row in record["rows"]
        ],
    }


def _pairs(record: Record | None) -> dict[str, Any] | None:
    if record is None:
        return None
    rows = []
    for row in record["rows"]:
        if (lines := row["lines"]) is not None:
            rows.append(
                {k: row[k] for k in ("label", "view", "before", "after", "n_pairs")}
                | {k: short(row[k]) for k in ("mean_delta", "low", "high", "p", "q")}
                | {
                    "patients": lines["patients"],
                    "responder": lines["responder"],
                    "from": tenth(lines["before"]),
                    "to": tenth(lines["after"]),
                }
            )
    return {"rows": rows, "level": record["level"]}


def _survival(record: Record | None) -> dict[str, Any] | None:
    if record is None:
        return None
    rows = []
    for row in record["rows"]:
        if (curve := row["curve"]) is not None:
            groups = [
                {
                    "group": g["group"],
                    "n": g["n"],
                    **{k: [short(v) for v in g[k]] for k in ("time", "survival", "low", "high")},
                    "censored": [short(v) for v in g["censored"]],
                    "last": g["last"],
                    "risk_time": [short(v) for v in g["risk_time"]],
                    "at_risk": g["at_risk"],
                }
                for g in curve["groups"]
            ]
            rows.append(
                {k: row[k] for k in ("label", "view", "n", "n_events")}
                | {k: short(row[k]) for k in ("hazard_ratio", "low", "high", "p", "q")}
                | {"median": short(curve["median"]), "groups": groups}
            )
    return {"rows": rows, "level": record["level"]}
