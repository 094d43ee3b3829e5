r"""Immune phenotype of a tumour from two coordinates: inflamed, excluded or desert.

Pathologists tell three phenotypes apart by where T cells stand: among the tumour cells
(inflamed), held in the stroma (excluded), or nowhere (desert) [1]_ [2]_. There is no agreed
border between them, even under the microscope [3]_, and bulk RNA does not see position at all.
What it sees is how much T-cell signal and how much stromal TGF-β signal there is; the second
marked excluded tumours in urothelial cancer [2]_. So the coordinates are the result, and the
phenotype is a reading of them with its probability.

x is the normal score of the T-cell-inflamed readout, y that of the TGF-β response of fibroblasts,
both in the reference. The borders are not fitted to anything: **desert** where the T-cell signal
lies in the reference's lowest third (three phenotypes, and no frequencies known beforehand), for a
desert is defined by the lack of T cells whatever the stroma; of the others **inflamed** where the
T-cell signal stands higher in the reference than the stromal one, **excluded** where it stands
lower. The probability of each region is its mass under a bivariate normal around the point, with
the standard deviations of the two intervals and the readouts' correlation in the reference. It
says how much of the *measurement's* uncertainty lies in the region, not how often a pathologist
would agree (``benchmarks/README.md`` has the figures).

References
----------
.. [1] Chen and Mellman 2017, Nature 541:321, doi:10.1038/nature21349
.. [2] Mariathasan et al. 2018, Nature 554:544, doi:10.1038/nature25501
.. [3] Tiwari et al. 2023, Front Immunol 14:1084887, doi:10.3389/fimmu.2023.1084887
.. [4] Owen 1956, Ann Math Stat 27:1075, doi:10.1214/aoms/1177728074
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

import numpy as np
import pandas as pd
from scipy import special

PHENOTYPES: Final = ("inflamed", "excluded", "desert")
CANNOT_SAY: Final = "cannot say"
LEAST: Final = 0.8
"""Least probability of a region for a label without reserve."""
T_CELLS: Final = "GEP18_UNWEIGHTED"
"""Readout of the first coordinate."""
STROMA: Final = "PANFTBRS_MARIATHASAN19"
"""Readout of the second coordinate: TGF-β response of fibroblasts."""
DESERT: Final = 1 / 3
"""Share of the reference with so little T-cell signal that it reads as desert."""
COLUMNS: Final = (
    "sample",
    "phenotype",
    *(f"p_{name}" for name in PHENOTYPES),
    *("x", "x_low", "x_high", "y", "y_low", "y_high", "reason"),
)


def bivariate_normal(h: np.ndarray, k: np.ndarray, rho: np.ndarray) -> np.ndarray:
    """P(X <= h, Y <= k) of standard normals with correlation `rho`, by Owen's T [4]_.

    Examples
    --------
    >>> float(bivariate_normal(np.array(0.0), np.array(0.0), np.array(0.5))).__round__(6)
    0.333333
    """
    h, k, rho = np.broadcast_arrays(*(np.asarray(x, dtype=np.float64) for x in (h, k, rho)))
    # Owen's formula divides by h and k; so near zero the function is flat to 1e-12.
    h = np.where(np.abs(h) < 1e-12, 1e-12, h)
    k = np.where(np.abs(k) < 1e-12, 1e-12, k)
    left = np.sqrt(1 - rho**2)
    out = (special.ndtr(h) + special.ndtr(k)) / 2
    out = out - special.owens_t(h, (k / h - rho) / left) - special.owens_t(k, (h / k - rho) / left)
    return np.asarray(np.clip(out - np.where(h * k < 0, 0.5, 0.0), 0.0, 1.0))


def region_probabilities(
    x: np.ndarray, y: np.ndarray, sd_x: np.ndarray, sd_y: np.ndarray, rho: float
) -> np.ndarray:
    r"""Mass of the three regions under a bivariate normal around each point.

    With :math:`b = \Phi^{-1}(1/3)` and D = X − Y: desert is :math:`P(X < b)`, inflamed
    :math:`P(X \ge b, D \ge 0)`, and excluded what is left.

    Returns
    -------
    numpy.ndarray
        Points x (inflamed, excluded, desert); rows sum to 1.
    """
    border = float(special.ndtri(DESERT))
    desert = special.ndtr((border - x) / sd_x)
    cov = rho * sd_x * sd_y
    sd_d = np.sqrt(np.maximum(sd_x**2 + sd_y**2 - 2 * cov, 1e-12))
    rho_d = np.clip((sd_x**2 - cov) / (sd_x * sd_d), -0.999999, 0.999999)
    inflamed = bivariate_normal((x - border) / sd_x, (x - y) / sd_d, rho_d)
    inflamed = np.minimum(inflamed, 1 - desert)
    return np.column_stack([inflamed, 1 - desert - inflamed, desert])


def label(probabilities: np.ndarray) -> str:
    """Name a phenotype where its probability allows it, else the ones it lies between.

    Examples
    --------
    >>> label(np.array([0.9, 0.06, 0.04])), label(np.array([0.6, 0.35, 0.05]))
    ('inflamed', 'between inflamed and excluded')
    >>> label(np.array([0.4, 0.3, 0.3]))
    'between all three'
    """
    order = np.argsort(-probabilities, kind="stable")
    first, second = (PHENOTYPES[i] for i in order[:2])
    if probabilities[order[0]] >= LEAST:
        return first
    if probabilities[order[:2]].sum() >= LEAST:
        return f"between {first} and {second}"
    return "between all three"


class Coordinate(Protocol):
    """Samples on one axis of the reference: normal scores and percentiles with their intervals."""

    @property
    def z(self) -> np.ndarray:
        """Normal scores, NaN where a sample has no place."""

    @property
    def lower(self) -> np.ndarray:
        """Distance from z to the lower end of its interval."""

    @property
    def upper(self) -> np.ndarray:
        """Distance from z to the upper end of its interval."""

    @property
    def percentile(self) -> np.ndarray:
        """Percentile, 0 to 100."""

    @property
    def low(self) -> np.ndarray:
        """Lower end of the percentile's interval."""

    @property
    def high(self) -> np.ndarray:
        """Upper end of the percentile's interval."""


def phenotypes(
    samples: pd.Index,
    x: Coordinate,
    y: Coordinate,
    rho: float,
    barred: Mapping[str, str],
    doubtful: Mapping[str, str],
    *,
    level: float = 0.90,
) -> pd.DataFrame:
    """Give each sample its coordinates, the probability of each phenotype and a label.

    Parameters
    ----------
    samples
        Samples, in the order of the coordinates.
    x, y
        Positions of `T_CELLS` and `STROMA` in the reference.
    rho
        Correlation of the two readouts in the reference.
    barred, doubtful
        Samples of which nothing is said, and samples whose coordinates are shown without a label
        and probabilities, each with the reason.
    level
        Confidence level of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per sample with `COLUMNS`; coordinates and their ends are percentiles.
    """
    width = 2 * float(special.ndtri(0.5 + level / 2))
    sd_x, sd_y = (np.maximum((axis.lower + axis.upper) / width, 1e-6) for axis in (x, y))
    known = np.isfinite(x.z) & np.isfinite(y.z) & np.isfinite(rho)
    known &= np.array([str(s) not in barred for s in samples], dtype=bool)
    p = np.full((len(known), 3), np.nan)
    p[known] = region_probabilities(
        x.z[known], y.z[known], sd_x[known], sd_y[known], float(np.clip(rho, -0.99, 0.99))
    )
    words, reasons = [], []
    for sample, row, ok in zip(map(str, samples), p, known, strict=True):
        sure = ok and sample not in doubtful
        words.append(label(row) if sure else CANNOT_SAY)
        why = doubtful.get(sample) if ok else barred.get(sample, "a coordinate is missing")
        reasons.append(why or _reason(row))
    p[[str(s) in doubtful for s in samples]] = np.nan  # they would be surer than the reference
    table: dict[str, object] = {"sample": samples, "phenotype": words}
    table |= {f"p_{name}": p[:, i] for i, name in enumerate(PHENOTYPES)}
    for name, axis in (("x", x), ("y", y)):
        for column, values in (("", axis.percentile), ("_low", axis.low), ("_high", axis.high)):
            table[name + column] = np.where(known, values, np.nan)
    table["reason"] = reasons
    return pd.DataFrame(table)[list(COLUMNS)]


def _reason(probabilities: np.ndarray) -> str:
    best = int(np.argmax(probabilities))
    share = "over 99%" if probabilities[best] > 0.99 else f"{probabilities[best]:.0%}"
    chance = f"{share} of the uncertainty lies in the region '{PHENOTYPES[best]}'"
    if probabilities[best] >= LEAST:
        return chance
    return f"{chance}, at least {LEAST:.0%} are needed for a label"
