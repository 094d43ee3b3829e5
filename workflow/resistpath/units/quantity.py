"""What a unit is, and what can and cannot be had from values in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from resistpath.errors import UserError, some

QUANTITIES = {
    "counts": "read counts",
    "estimated_counts": "read counts shared out between genes, not whole (RSEM expected_count,"
    " Salmon NumReads, kallisto est_counts)",
    "normalised_counts": "read counts scaled between samples, not divided by gene length"
    " (RSEM normalised, upper quartile, TMM, DESeq2)",
    "cpm": "counts per million, not divided by gene length",
    "tpm": "transcripts per million",
    "fpkm": "fragments per kilobase and million, or other values already divided by gene length",
    "intensity": "intensities of a microarray or a probe panel",
    "relative": "centred or z-scored values",
}
PER_LENGTH = ("tpm", "fpkm")
READS = ("counts", "estimated_counts")
"""Quantities whose sum over genes is a number of reads."""
NEEDS = {
    "counts": "reads per gene",
    "tpm": "abundances in transcripts per million",
    "log2_tpm": "log2(TPM+1)",
    "log2_cpm": "log2(CPM+1)",
    "linear": "abundances on a linear scale",
    "any": "the order of the genes within a sample",
}

_ALIASES = {
    "rsem": "normalised_counts",
    "normalized_counts": "normalised_counts",
    "norm_count": "normalised_counts",
    "rpkm": "fpkm",
    "expected_count": "estimated_counts",
    "expected_counts": "estimated_counts",
    "count": "counts",
    "rma": "intensity",
    "intensities": "intensity",
    **dict.fromkeys(("zscore", "zscores", "z_score", "centred", "centered"), "relative"),
}
BASES = {"log2": 2.0, "ln": float(np.e), "log10": 10.0}
LOG_MAXIMUM = 40.0
"""No log2 expression value reaches this; almost every linear sample does."""
ZERO = 1e-5
"""After undoing a logarithm, values below this share of the offset are rounding: zero."""


@dataclass(frozen=True)
class Units:
    """A quantity and the logarithm taken of it: ``log(quantity + offset)``.

    Attributes
    ----------
    quantity
        A key of `QUANTITIES`.
    log
        ``""``, ``"log2"``, ``"ln"`` or ``"log10"``.
    offset
        Added before the logarithm.
    how
        How this was decided, as one clause for the report.
    """

    quantity: str
    log: str = ""
    offset: float = 0.0
    how: str = "as given in the cohort sheet"

    def __str__(self) -> str:
        plus = f"+{self.offset:g}" if self.offset else ""
        return f"{self.log}({self.quantity}{plus})" if self.log else self.quantity

    def linear(self, values: pd.DataFrame) -> pd.DataFrame:
        """Undo the logarithm; values that rounding left at or below zero become zero.

        Missing values stay missing. Centred and z-scored values have no linear scale: a
        `UserError`.
        """
        require(self, "linear")
        if not self.log:
            return values
        raw = np.power(BASES[self.log], values.to_numpy(dtype=np.float64))
        raw -= self.offset
        raw[raw < ZERO * self.offset] = 0.0
        return pd.DataFrame(raw, index=values.index, columns=values.columns)


def parse_units(text: str) -> Units:
    """Read a unit such as ``counts``, ``tpm`` or ``log2(tpm+0.001)``.

    Examples
    --------
    >>> str(parse_units("log2(TPM+1)"))
    'log2(tpm+1)'
    >>> parse_units("rsem").quantity
    'normalised_counts'
    >>> parse_units("z-score").quantity
    'relative'
    """
    match = re.fullmatch(
        r"(?:(log2|ln|log10)\()?\s*([a-z_]+)\s*(?:\+\s*([0-9.]+(?:e-?[0-9]+)?)\s*)?(\))?",
        text.strip().lower().replace("z-score", "zscore").replace("estimated counts", "count"),
    )
    if match and bool(match[1]) == bool(match[4]) and (match[1] or not match[3]):
        quantity = _ALIASES.get(match[2], match[2])
        if quantity in QUANTITIES:
            try:
                return Units(quantity, match[1] or "", float(match[3] or 0))
            except ValueError:  # a second decimal point
                pass
    raise UserError(
        f"{text!r} is not a unit",
        where="units",
        do=f"use auto, one of {', '.join(QUANTITIES)}, or a logarithm such as log2(tpm+1)",
    )


LARGEST = 1e12
"""No library has so many reads and no sum of a million so large a part."""


def check_units(values: pd.DataFrame, units: Units) -> None:
    """Refuse values that cannot be in the stated unit."""
    if units.quantity == "relative":
        return
    array = values.to_numpy(dtype=np.float64)
    if not units.log and np.nanmin(array) < 0:
        samples = values.columns[np.flatnonzero((array < 0).any(axis=0))]
        raise UserError(
            f"{units} cannot be negative, but {len(samples)} samples hold negative values:"
            f" {some(samples)}",
            where="units",
            do="if this is a log scale, say so, for example units = log2(tpm+1)",
        )
    top = LOG_MAXIMUM * np.log(2) / np.log(BASES[units.log]) if units.log else LARGEST
    if np.nanmax(array) > top:
        raise UserError(
            f"the largest value is {np.nanmax(array):g}, too large for {units}",
            where="units",
            do="give the linear unit, for example tpm or counts" if units.log else "check the file",
        )
    if units.log and units.offset:
        _check_floor(float(np.nanmin(array)), units)
    if not units.log:
        _check_linear(values, units)


def _check_floor(lowest: float, units: Units) -> None:
    """Nothing lies below the logarithm of the offset."""
    floor = np.log(units.offset) / np.log(BASES[units.log])
    if lowest < floor - 2e-3 * max(1.0, abs(floor)):
        raise UserError(
            f"the smallest value is {lowest:.4g}, below the logarithm of {units.offset:g}, which"
            f" {units} has for an unexpressed gene",
            where="units",
            do="check the offset; values that were centred or batch-corrected are not abundances",
        )


def _check_linear(values: pd.DataFrame, units: Units) -> None:
    """Counts are whole, and TPM add up to no more than a million."""
    array = values.to_numpy(dtype=np.float64)
    if units.quantity == "counts":
        positive = (array > 0).sum(axis=0)
        whole = (np.abs(array - np.round(array)) <= 0.01) & (array > 0)
        off = whole.sum(axis=0) < 0.99 * positive
        what = "counts are whole numbers, but {} samples hold mostly others: {}"
        do = "for reads shared between genes units = estimated_counts; else name the unit"
    elif units.quantity in ("tpm", "cpm"):
        off = np.nansum(array, axis=0) > 1.2e6
        what = f"{units.quantity} add up to a million, but those of {{}} samples to more: {{}}"
        do = "set units to what the values are, for example counts, or auto"
    else:
        return
    if off.any():
        raise UserError(
            what.format(int(off.sum()), some(values.columns[off])), where="units", do=do
        )


def require(units: Units, need: str) -> None:
    """Refuse, in words, what cannot be had from values in `units`.

    What arrays allow: their probes differ in affinity, so a gene's intensity says nothing about
    its abundance beside other genes. No TPM, so no deconvolution of TPM and no place in a
    reference of RNA-seq. Methods that read only the order of genes within a sample (`need`
    ``"any"``) may score log intensities, for comparison with arrays of the same platform.

    Parameters
    ----------
    units
        What the values are.
    need
        A key of `NEEDS`.

    Raises
    ------
    UserError
        If no arithmetic leads from `units` to `need`.

    Examples
    --------
    >>> require(parse_units("counts"), "tpm")
    >>> require(parse_units("zscore"), "tpm")
    Traceback (most recent call last):
    ...
    resistpath.errors.UserError: units: transcripts per million cannot be had from ...
    """
    if need not in NEEDS:
        raise UserError(f"{need!r} is not one of {', '.join(NEEDS)}", where="need")
    obstacle, do = _obstacle(units.quantity, need)
    if obstacle:
        wanted = NEEDS[need].removeprefix("abundances in ")
        raise UserError(f"{wanted} cannot be had from {obstacle}", where="units", do=do)


def _obstacle(quantity: str, need: str) -> tuple[str, str]:
    """Why `need` cannot be had from `quantity`, and what to do; empty if it can."""
    if need == "any":
        return "", ""
    if quantity == "relative":
        return (
            f"{QUANTITIES[quantity]}: each gene's level was taken away",
            "give counts, TPM or their logarithm, before centring",
        )
    if quantity == "intensity" and need != "linear":
        return (
            f"{QUANTITIES[quantity]}: probes differ in affinity, so genes of one sample cannot be"
            " compared as abundances",
            "give RNA-seq, or score the log intensities with a rank method from Python, against"
            " samples of the same platform",
        )
    if need == "counts" and quantity not in READS:
        return f"{quantity}: the number of reads is lost", "give raw counts"
    if need == "log2_cpm" and quantity in PER_LENGTH:
        return f"{quantity}, which is already divided by gene length", "normalise to log2_tpm"
    return "", ""
