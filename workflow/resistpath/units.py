"""What unit an expression matrix is in: said by the user, or read from the values."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from resistpath.errors import UserError, some

QUANTITIES = {
    "counts": "read counts",
    "normalised_counts": "read counts scaled between samples, not divided by gene length"
    " (RSEM normalised, upper quartile, TMM)",
    "cpm": "counts per million",
    "tpm": "transcripts per million",
    "fpkm": "fragments per kilobase and million",
}
PER_LENGTH = ("tpm", "fpkm")
_ALIASES = {"rsem": "normalised_counts", "rpkm": "fpkm", "normalized_counts": "normalised_counts"}
_BASES = {"log2": 2.0, "ln": float(np.e), "log10": 10.0}

LOG_MAXIMUM = 40.0
"""No log2 expression value reaches this; almost every linear sample does."""
COUNT_TOTAL = 2e6
"""Column sums above this are counts: TPM sum to 10^6 and FPKM to less."""
LENGTH_TOTAL = 1.1e6
"""Column sums below this fit TPM or FPKM."""
FLOOR_SHARE = 0.01
"""A minimum shared by this share of a log matrix is its zero."""


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
        """Undo the logarithm; values below zero by rounding become zero.

        Missing values stay missing.
        """
        if not self.log:
            return values
        raw = np.power(_BASES[self.log], values.to_numpy(dtype=np.float64)) - self.offset
        return pd.DataFrame(np.where(raw < 0, 0.0, raw), index=values.index, columns=values.columns)


def parse_units(text: str) -> Units:
    """Read a unit such as ``counts``, ``tpm`` or ``log2(tpm+0.001)``.

    Examples
    --------
    >>> str(parse_units("log2(TPM+1)"))
    'log2(tpm+1)'
    >>> parse_units("rsem").quantity
    'normalised_counts'
    """
    match = re.fullmatch(
        r"(?:(log2|ln|log10)\()?\s*([a-z_]+)\s*(?:\+\s*([0-9.eE-]+)\s*)?(\))?",
        text.strip().lower(),
    )
    if match and bool(match[1]) == bool(match[4]) and (match[1] or not match[3]):
        quantity = _ALIASES.get(match[2], match[2])
        if quantity in QUANTITIES:
            return Units(quantity, match[1] or "", float(match[3] or 0))
    raise UserError(
        f"{text!r} is not a unit",
        where="units",
        do=f"use auto, one of {', '.join(QUANTITIES)}, or a logarithm such as log2(tpm+1)",
    )


def check_units(values: pd.DataFrame, units: Units) -> None:
    """Refuse values that cannot be in the stated unit."""
    array = values.to_numpy(dtype=np.float64)
    if not units.log and np.nanmin(array) < 0:
        samples = values.columns[np.flatnonzero((array < 0).any(axis=0))]
        raise UserError(
            f"{units} cannot be negative, but {len(samples)} samples hold negative values:"
            f" {some(samples)}",
            where="units",
            do="if this is a log scale, say so, for example units = log2(tpm+1)",
        )
    if units.log and np.nanmax(array) > LOG_MAXIMUM * np.log(2) / np.log(_BASES[units.log]):
        raise UserError(
            f"the largest value is {np.nanmax(array):g}, too large for {units}",
            where="units",
            do="give the linear unit, for example tpm or counts",
        )


def detect_units(values: pd.DataFrame) -> Units:
    """Read the unit from the values of a genes x samples matrix.

    Every rule looks at each sample alone; samples that disagree are an error, not a vote.

    1. A sample whose maximum is below `LOG_MAXIMUM` is on a log scale. Its offset is
       ``2**minimum`` if the minimum is negative and repeated (the value of an unexpressed
       gene), 1 if it is zero. Negative values without such a floor are centred or scaled data,
       from which no abundance can be had back.
    2. Whole numbers are counts.
    3. Otherwise the sum over genes decides: above `COUNT_TOTAL` counts scaled between
       samples, below `LENGTH_TOTAL` TPM or FPKM, which are the same after rescaling.

    Raises
    ------
    UserError
        If samples disagree or the values fit two units.
    """
    array = values.to_numpy(dtype=np.float64)
    silent = values.columns[np.flatnonzero((np.nan_to_num(array) == 0).all(axis=0))]
    if len(silent):
        raise UserError(
            f"every value of {some(silent)} is zero or missing",
            where="units",
            do="remove empty samples from the matrix",
        )
    top = np.nanmax(array, axis=0)
    logged = top < LOG_MAXIMUM
    if logged.any() and not logged.all():
        few = values.columns[logged if logged.sum() <= (~logged).sum() else ~logged]
        raise UserError(
            f"{int(logged.sum())} samples look logarithmic (maximum below {LOG_MAXIMUM:g}) and"
            f" {int((~logged).sum())} linear; the fewer are {some(few)}",
            where="units",
            do="bring all samples to one unit; a matrix has one",
        )
    if logged.all():
        log, offset, floor = "log2", *_offset(values)
        linear = Units("tpm", log, offset).linear(values).to_numpy()
        prefix = f"logarithmic (largest value {np.nanmax(array):.3g}); {floor}; "
    else:
        if np.nanmin(array) < 0:
            check_units(values, Units("tpm"))
        log, offset, linear, prefix = "", 0.0, array, ""
    quantity, how = _quantity(linear, values.columns)
    return Units(quantity, log, offset, "read from the values: " + prefix + how)


def _offset(values: pd.DataFrame) -> tuple[float, str]:
    array = values.to_numpy(dtype=np.float64)
    minimum = float(np.nanmin(array))
    share = float(np.mean(np.isclose(array, minimum, atol=1e-4)))
    if abs(minimum) < 1e-9:
        return 1.0, f"smallest value 0, which log2(x+1) gives for x = 0 ({share:.0%} of values)"
    if share < FLOOR_SHARE and minimum < 0:
        raise UserError(
            f"values run from {minimum:.3g} to {np.nanmax(array):.3g} without a common floor:"
            " either centred or z-scored data, from which abundance cannot be recovered,"
            " or a log scale without its zeros",
            where="units",
            do="give uncentred values, or name the log scale, for example units = log2(tpm+0.001)",
        )
    if minimum > 0:
        return 1.0, f"smallest value {minimum:.3g}; offset taken as 1"
    offset = float(f"{2**minimum:.3g}")
    return offset, f"floor {minimum:.4g} = log2({offset:g}), {share:.0%} of values"


def _quantity(linear: np.ndarray, names: pd.Index) -> tuple[str, str]:
    total = np.nansum(linear, axis=0)
    positive = np.where(linear > 0, linear, np.nan)
    whole = np.nanmean(
        np.where(np.isnan(positive), np.nan, np.abs(positive - np.round(positive)) < 1e-2), axis=0
    )
    sums = f"sums over genes {total.min():.3g} to {total.max():.3g}"
    if (whole > 0.99).all():
        return "counts", f"whole numbers ({whole.min():.0%}), {sums}"
    if (total > COUNT_TOTAL).all():
        return "normalised_counts", f"fractional values, {sums}: too large for TPM or FPKM"
    if (total < LENGTH_TOTAL).all():
        return "tpm", f"fractional values, {sums}: TPM or FPKM, the same after rescaling"
    odd = names[(total >= LENGTH_TOTAL) & (total <= COUNT_TOTAL)]
    odd = odd if len(odd) else names[total < LENGTH_TOTAL]
    raise UserError(
        f"{sums}: these fit neither TPM (up to 1e6) nor counts (above 2e6) for {some(odd)}",
        where="units",
        do="set units to tpm, fpkm, counts or normalised_counts for this cohort",
    )
