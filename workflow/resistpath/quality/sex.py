"""Whether the sample's sex genes fit the sex in the sample sheet."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from resistpath.quality.gates import Floats, Gates, Metric, rows

Y_GENES = ("RPS4Y1", "DDX3Y", "KDM5D", "EIF1AY", "USP9Y", "UTY")
Y_FIGURES = ("y_clear", "y_other", "y_third")
CLEAR = Y_GENES[:2]
"""Reads of their X-linked relatives are not counted for these two."""
_WORDS = {
    **dict.fromkeys(("f", "female", "w", "woman", "weiblich", "femme"), "female"),
    **dict.fromkeys(("m", "male", "man", "männlich", "homme"), "male"),
}


def y_levels(array: Floats, places: npt.NDArray[np.intp]) -> tuple[Floats, Floats, Floats]:
    """log2(TPM+1) of Y-linked genes per sample: highest of `CLEAR`, of the others, third of all.

    Samples x genes and the position of each of `Y_GENES`, -1 for one that is not there.

    The others reach 4 in total-RNA libraries of women (reads of KDM5C, EIF1AX, USP9X), and some
    capture kits have no probes for the clear ones, so that neither group decides alone.
    """
    level = np.log2(array.take(places, axis=1) + 1)
    level[:, places < 0] = np.nan
    clear, other = level[:, : len(CLEAR)], level[:, len(CLEAR) :]
    third = np.sort(np.nan_to_num(level), axis=1)[:, -3]
    return _highest(clear), _highest(other), third


def _highest(level: Floats) -> Floats:
    out = np.where(np.isnan(level), -np.inf, level).max(axis=1)
    return np.where(np.isfinite(out), out, np.nan)


def annotated_sex(values: pd.Series) -> pd.Series:
    """``female``, ``male`` or "" for what a sample sheet says."""
    words = values.map(lambda v: "" if v is None or v is np.nan else str(v).strip().lower())
    return words.map(lambda w: _WORDS.get(w, ""))


def sex_rows(figures: pd.DataFrame, sex: pd.Series, gates: Gates) -> pd.DataFrame:
    """One row per sample; value is the higher of RPS4Y1 and DDX3Y.

    Only what contradicts is marked: Y-linked expression in a woman, none in a man. The latter is
    also what a tumour that lost its Y chromosome shows, unless XIST is there as well.
    """
    clear, other, third = (figures[name].to_numpy() for name in Y_FIGURES)
    said = annotated_sex(sex.reindex(figures.index))
    present = (clear >= gates.y_present) & (third >= 1)
    absent = (clear < gates.y_absent) & ~(other >= gates.y_absent + 0.5)
    inactive = np.full(len(clear), np.nan)
    if "xist" in figures:
        inactive = np.log2(figures["xist"].to_numpy() + 1)
    judged = [
        ("RPS4Y1 and DDX3Y are not measured", "info")
        if np.isnan(y)
        else _judge(bool(has), bool(lacks), float(x), word, gates)
        for y, has, lacks, x, word in zip(clear, present, absent, inactive, said, strict=True)
    ]
    metric = Metric("sex_expression", "RPS4Y1 or DDX3Y, the higher", "log2(TPM+1)")
    return rows(metric, figures.index, clear, [j[0] for j in judged], [j[1] for j in judged])


def _judge(present: bool, absent: bool, xist: float, word: str, gates: Gates) -> tuple[str, str]:
    """Sentence and status for one sample."""
    female = xist >= gates.xist_present
    if not word:
        seen = "that of a man" if present else "that of a woman, or of a tumour without its Y"
        known = present or absent
        return f"sex not annotated; expression is {seen}" if known else "sex not annotated", "info"
    if word == "female" and present:
        return "annotated as female, but the Y chromosome is expressed: samples mixed up?", "warn"
    if word == "male" and absent and female:
        return "annotated as male, but XIST is expressed and the Y chromosome not", "warn"
    if word == "male" and absent:
        unclear = "not in the matrix" if np.isnan(xist) else "not expressed either"
        note = "annotated as male without Y expression: Y lost by the tumour, or mixed up"
        return f"{note} (XIST is {unclear})", "warn"
    if present and female:
        return "both XIST and the Y chromosome are expressed: two people's cells, or XXY", "info"
    if not present and not absent:
        return "Y expression is too low or too unlike to tell", "info"
    return "", "pass"
