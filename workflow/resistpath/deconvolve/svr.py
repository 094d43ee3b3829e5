r"""ν-support-vector regression on any signature (Schölkopf 2000; as used by Newman 2015).

Signature and sample are standardised (the signature over all its numbers, the sample over the
signature's genes) and a linear ν-SVR is fitted for ν = 0.25, 0.5 and 0.75 with cost 1; the fit with
the smallest root mean square error counts. Negative coefficients are set to zero and the rest is
divided by its sum: fractions of the cell types in the signature, with nothing said of other cells.

A robust second opinion to least squares, a thousand times slower. Standardising leaves no absolute
scale, so these fractions compare cell types within a sample; a tumour with twice as many immune
cells of the same mixture gets the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from resistpath.deconvolve.algebra import Floats, row_sums
from resistpath.deconvolve.fitted import Fitted, Labels, assemble, diagnose
from resistpath.deconvolve.names import vocabulary
from resistpath.deconvolve.problem import pose
from resistpath.deconvolve.profiles import Signature, as_signature, content
from resistpath.deconvolve.result import Result

NU = (0.25, 0.5, 0.75)


def svr(
    tpm: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    *,
    signature: Signature | pd.DataFrame | None = None,
    scale_mrna: bool = False,
    symbols: str = "current",
    interval: bool = True,
) -> Result:
    """Estimate relative cell fractions by ν-support-vector regression.

    Parameters
    ----------
    tpm
        Genes x samples, linear TPM; gene symbols.
    tables
        ``til10`` and ``til10_scaling`` if no signature is given.
    signature
        Genes x cell types, linear; TIL10 if left out.
    scale_mrna
        Correct for the mRNA content per cell where the signature has it.
    symbols
        ``"current"`` also finds genes by today's symbols and former ones, where the signature
        has them; ``"published"`` by the names it prints alone.
    interval
        Also give 90 % intervals (see `intervals`), with ν kept: twenty more fits per sample.

    Returns
    -------
    Result
        Fractions that sum to 1; missing where no coefficient is positive.
    """
    given = as_signature(signature, tables)
    problem = pose(tpm, given, symbols, "svr")
    mrna = content(given) if scale_mrna else dict.fromkeys(given.types, 1.0)
    per_cell = np.array([mrna[name] for name in given.types])
    profiles = problem.profiles
    centred = (profiles - profiles.mean()) / profiles.std(ddof=1)
    groups = problem.groups if interval else None
    n_groups = 0 if groups is None else int(groups.max()) + 1

    n_samples, n_types = len(problem.samples), len(given.types)
    whole = np.zeros((n_samples, n_types))
    repeats = np.zeros((n_groups, n_samples, n_types))
    explained = np.zeros_like(problem.mixture)
    standard = np.zeros_like(problem.mixture)
    for sample, column in enumerate(np.ascontiguousarray(problem.mixture.T)):
        spread = column.std(ddof=1)
        y = (column - column.mean()) / (spread if spread > 0 else 1.0)
        nu, whole[sample] = _best(centred, y)
        standard[:, sample], explained[:, sample] = y, _fitted(centred, whole[sample])
        for group in range(n_groups):
            keep = groups != group
            repeats[group, sample] = _coefficients(centred[keep], y[keep], nu)

    def fractions(raw: Floats) -> Floats:
        cells = np.maximum(0.0, raw) / per_cell
        amount = row_sums(cells)
        return np.asarray(cells / np.where(amount > 0, amount, np.nan)[:, None])

    amount = row_sums(np.maximum(0.0, whole) / per_cell)
    scale = np.where(amount > 0, amount, np.nan)[:, None] * per_cell
    words = vocabulary(given.types)
    return assemble(
        Fitted(
            fractions(whole),
            explained,
            replicates=[fractions(r) for r in repeats],
            free=whole / scale,
            free_replicates=[r / scale for r in repeats],
        ),
        Labels(given.types, problem.samples, words.sums, words.cells),
        diagnose(profiles, standard, explained, problem.samples, problem.candidates),
        problem.genes,
        {
            "": f"signature: {given.name}; relative to the cell types of the signature, which are"
            " taken for all"
        },
        limited_as="",
    )


def _best(profiles: Floats, y: Floats) -> tuple[float, Floats]:
    """Fit with each ν; return the ν and coefficients of the smallest error."""
    fits = [(nu, _coefficients(profiles, y, nu)) for nu in NU]
    errors = [float(((_fitted(profiles, raw) - y) ** 2).sum()) for _, raw in fits]
    return fits[int(np.argmin(errors))]


def _fitted(profiles: Floats, raw: Floats) -> Floats:
    """Reconstruct a sample from non-negative coefficients that sum to 1."""
    weight = np.maximum(0.0, raw)
    whole = weight.sum()
    out = np.zeros(len(profiles))
    for column, share in zip(profiles.T, weight / (whole if whole > 0 else 1.0), strict=True):
        out += column * share
    return out


def _coefficients(profiles: Floats, y: Floats, nu: float) -> Floats:
    from sklearn.svm import NuSVR

    model: Any = NuSVR(kernel="linear", nu=nu, C=1.0)
    model.fit(profiles, y)
    # By numpy on one sample's support vectors, in their order.
    out = np.zeros(profiles.shape[1])
    for vector, weight in zip(model.support_vectors_, model.dual_coef_[0], strict=True):
        out += weight * vector
    return out
