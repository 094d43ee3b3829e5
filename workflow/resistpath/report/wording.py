"""The sentences of a page, written from its records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from resistpath.report.text import (
    limit_text,
    listed,
    number_text,
    words,
)

if TYPE_CHECKING:
    from resistpath.mechanisms.catalogue import Mechanism

Record = Mapping[str, Any]

VERDICTS = ("high", "typical", "low", "inconclusive", "not assessable")
READINGS = ("consistent with resistance", "not seen", "cannot say", "context only")
RESISTANCE = READINGS[0]

TIME_POINTS = {
    "pre": "before treatment",
    "on": "on treatment",
    "progression": "at progression",
    "post": "after treatment",
}
METHOD_NAMES = {
    "ssgsea": "ssGSEA",
    "mcpcounter": "MCP-counter",
    "quantiseq": "quanTIseq",
    "estimate": "ESTIMATE",
    "consensus_markers": "consensus markers",
    "epic": "EPIC",
    "least_squares": "least squares",
    "svr": "ν-SVR",
}
_METHOD_WORDS = {
    "ssgsea": "ssGSEA: rank-weighted enrichment of the set within the sample, α = 0.25, not divided"
    " by a cohort's range (Barbie 2009)",
    "singscore": "singscore: mean rank of the set within the sample, between its theoretical"
    " smallest and largest value (Foroutan 2018)",
    "mean": "mean: mean log2(TPM + 1) of the genes",
    "weighted": "weighted: sum of the published weights times log expression",
    "gene": "gene: log2(TPM + 1) of one gene",
    "fraction": "fraction: share of all cells, by the method named beside it",
    "ratio": "ratio: difference of two mean log expressions",
    "zscore": "zscore: mean z-score against the reference's means and standard deviations",
    "mcpcounter": "MCP-counter: mean log2 expression of marker genes; a score, not a fraction"
    " (Becht 2016)",
    "quantiseq": "quanTIseq: constrained least squares on the TIL10 profiles; fractions of all"
    " cells, the rest called other (Finotello 2019)",
    "estimate": "ESTIMATE: stromal and immune scores; no purity is derived from them"
    " (Yoshihara 2013)",
    "consensus_markers": "consensus markers: mean over up to three published panels of the mean"
    " log2 expression of their markers; a score, not a fraction (Danaher 2017, Combes 2022)",
    "epic": "EPIC: weighted constrained least squares on reference profiles; fractions of all cells"
    " (Racle 2017)",
    "least_squares": "least squares: non-negative fit on a signature matrix",
    "svr": "ν-SVR: support vector fit on a signature matrix; fractions of the cell types in it"
    " (Newman 2015)",
}


def reference_label(reference: Mapping[str, Any]) -> str:
    """Name of a reference with its size, as it stands at the head of every column.

    >>> reference_label({"name": "TCGA-SKCM", "n": 472})
    'TCGA-SKCM (n = 472)'
    """
    n = reference["n"]
    return f"{reference['name']} (n = {'unknown' if n is None else number_text(n)})"


FEW_TUMOURS = 50


def coarse_reference(reference: Mapping[str, Any]) -> str:
    """Say how coarse the percentiles of a small reference are; nothing of a larger one.

    >>> coarse_reference({"n": 20})
    'One tumour more or less is 5 percentile points; the intervals allow for it.'
    >>> coarse_reference({"n": 472})
    ''
    """
    n = reference["n"]
    if n is None or n >= FEW_TUMOURS:
        return ""
    step = number_text(100 / n)
    return f"One tumour more or less is {step} percentile points; the intervals allow for it."


def gate_words(metric: Record) -> str:
    """Say what was measured and what was required.

    >>> gate_words({"label": "Genes", "value": 3120.0, "unit": "", "threshold": "≥ 5000",
    ...             "note": "shallow library", "status": "fail"})
    'Genes: 3,120, required ≥ 5,000; shallow library'
    """
    value = metric["value"]
    shown = number_text(value) if isinstance(value, (int, float)) else words(value, "no value")
    unit = f" {metric['unit']}" if metric["unit"] else ""
    word = "usual" if metric["status"] == "warn" else "required"
    limit = f", {word} {limit_text(metric['threshold'])}" if metric["threshold"] else ""
    note = f"; {metric['note']}" if metric["note"] else ""
    return f"{metric['label']}: {shown}{unit}{limit}{note}"


def reported(mechanism: Mechanism) -> str:
    """Say in which direction, view and time points a mechanism is read for resistance."""
    if mechanism.resistance_direction == "context":
        return "no direction by itself"
    return f"{mechanism.resistance_direction} {mechanism.read}, {_when(mechanism)}"


def no_reading(mechanism: Mechanism) -> str:
    """Say why a level is context here: no direction, or none at this time point."""
    if mechanism.resistance_direction == "context":
        return "no direction by itself: a level, not a sign of resistance"
    return f"read for resistance {_when(mechanism)}"


def _when(mechanism: Mechanism) -> str:
    points = mechanism.resistance_timepoints.split(",")
    if points == ["any"]:
        return "at any time point"
    return f"{listed(TIME_POINTS.get(p, p) for p in points)} only"


def method_name(name: str) -> str:
    """Write a method as its authors do; what follows a colon is its signature matrix.

    >>> method_name("mcpcounter"), method_name("svr:LM22")
    ('MCP-counter', 'ν-SVR with LM22')
    """
    method, _, matrix = name.partition(":")
    return METHOD_NAMES.get(method, method) + (f" with {matrix}" if matrix else "")


def _method_words(name: str) -> str:
    """Describe a method; what follows a colon is the signature matrix it was given."""
    method, _, matrix = name.partition(":")
    return _METHOD_WORDS.get(method, method) + (f"; matrix {matrix}" if matrix else "")


def methods(
    reference: Record, parameters: list[dict[str, Any]], used: Iterable[str]
) -> dict[str, Any]:
    """Say how the numbers were made, in words, with every parameter.

    Parameters
    ----------
    reference
        Record with the reference's name and size.
    parameters
        Names and values of the thresholds.
    used
        Methods of the readouts and cell tables shown.
    """
    return {
        "paragraphs": [
            {
                "about": "Readouts",
                "text": "A readout is one number per sample, computed from that sample alone unless"
                " a remark says otherwise. Its interval comes from resampling the genes of its"
                " set. Coverage is the share of a"
                " set's genes that were measured.",
            },
            {
                "about": "Percentiles",
                "text": "A percentile is the mid-rank of the sample's value among the values of"
                f" {reference_label(reference)}; ties count half. The 90 % interval joins the"
                " uncertainty of the readout with that of a reference of this size. Samples outside"
                " the reference do not change it. A sample that was measured by another protocol or"
                " pipeline than the reference is shifted by that too, which the interval does not"
                " hold: between public cohorts of one disease mechanisms stood 10 to 35 points off"
                " in the median.",
            },
            {
                "about": "Raw and residual",
                "text": "The raw percentile places the readout itself. The residual percentile"
                " places what is left of it after the reference's regression on the T-cell-inflamed"
                " score. Most published resistance signatures rise with T-cell infiltration, so the"
                " raw value alone can point the wrong way.",
            },
            {
                "about": "Mechanisms",
                "text": "The readouts of a mechanism are turned so that high means more of it,"
                " taken as normal scores of their percentiles, and averaged with the catalogue's"
                " weights. The mean is scaled by its spread in the reference. The intervals are"
                " joined with the correlation of the readouts' errors: by common genes, and by the"
                " readouts' correlation in the reference.",
            },
            {
                "about": "Verdicts",
                "text": "High: the whole 90 % interval lies at or above the upper threshold. Low:"
                " it lies at or below the lower one. Typical: it lies between them, or is narrow"
                " and covers 50. Inconclusive: none of these, or the sample fits the reference"
                " poorly. Not assessable: fewer than half of the readouts could be used, the"
                " reference is too small, or the sample failed its quality gate.",
            },
            {
                "about": "Readings",
                "text": "A reading joins the verdict with the direction in which the mechanism is"
                " reported to act at this time point. Consistent with resistance: the verdict lies"
                " in that direction. Not seen: it does not. Cannot say: the verdict is inconclusive"
                " or not assessable. Context only: no direction is established, or none for this"
                " time point, so the level is no evidence for or against resistance.",
            },
            {
                "about": "Evidence grades",
                "text": "They grade what is known of a mechanism, not this sample. A: its readouts"
                " were replicated in cohorts treated with checkpoint inhibitors. B: supported in"
                " such cohorts, not consistently. C: exploratory.",
            },
        ],
        "methods": [{"method": name, "text": _method_words(name)} for name in dict.fromkeys(used)],
        "parameters": parameters,
    }
