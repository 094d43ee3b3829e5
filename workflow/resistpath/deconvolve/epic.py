r"""EPIC: fractions of cell types with reference profiles, and of all other cells (Racle 2017).

Samples and reference profiles are both scaled to a million over the genes they share. On the
marker genes, shares of mRNA :math:`m \ge 0, \sum m \le 1` minimise

.. math:: \sum_g w_g \Big( \sum_c a_{gc} m_c - b_g \Big)^2, \qquad
          w_g = \sum_c \frac{a_{gc}}{v_{gc} + 10^{-12}},

with the profiles *a* and their variability *v* on that scale; weights are capped at a hundred times
their median. Shares of cells are :math:`f_c \propto m_c / s_c` with the mRNA per cell *s*, "other
cells" (:math:`1 - \sum m`) among them.

Written from the paper and from what the program returns, not from its source. EPIC's profiles come
under a licence that forbids passing them on, so nothing of them is here: bring the tables of your
own copy (see `resistpath.io.signature_matrices`). The optimum found here is exact; EPIC's own
simplex search stops near it (its fractions lie within 0.002 of the optimum on two melanoma cohorts,
and 0.34 away where CD4 and CD8 T cells change places).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from resistpath.deconvolve.algebra import Floats
from resistpath.deconvolve.fitted import Labels, assemble, diagnose
from resistpath.deconvolve.least_squares import Cells, fit_shares
from resistpath.deconvolve.names import vocabulary
from resistpath.deconvolve.problem import Problem, pose
from resistpath.deconvolve.profiles import Signature, as_signature, content
from resistpath.deconvolve.result import Result
from resistpath.errors import UserError

OTHER = "otherCells"
# mRNA per cell relative to each other, as measured in Racle 2017 (CC BY 4.0); macrophages like
# monocytes, and 0.4 for all cells without a measurement, are that paper's assumptions.
MRNA_PER_CELL = {
    "Bcells": 0.4016,
    "Macrophages": 1.4196,
    "Monocytes": 1.4196,
    "Neutrophils": 0.1300,
    "NKcells": 0.4396,
    "Tcells": 0.3952,
    "CD4_Tcells": 0.3952,
    "CD8_Tcells": 0.3952,
    "Thelper": 0.3952,
    "Treg": 0.3952,
    "otherCells": 0.4,
    "default": 0.4,
}
# The cell types of EPIC's tumour reference: what the DREAM challenge's limits were found with.
TUMOUR_REFERENCE = {
    "Bcells",
    "CAFs",
    "CD4_Tcells",
    "CD8_Tcells",
    "Endothelial",
    "Macrophages",
    "NKcells",
}


def epic(
    tpm: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    *,
    signature: Signature | pd.DataFrame | None = None,
    other_cells: bool = True,
    scale_mrna: bool = True,
    symbols: str = "published",
    interval: bool = True,
) -> Result:
    """Estimate cell fractions by EPIC's weighted constrained fit.

    Parameters
    ----------
    tpm
        Genes x samples, linear TPM of all genes; gene symbols.
    tables
        Not used: EPIC's tables are not shipped.
    signature
        Profiles of all genes with their variability and marker genes. Without variability all
        genes weigh the same, without marker genes all genes count.
    other_cells
        Let cells without a profile take part; otherwise the cell types given sum to 1.
    scale_mrna
        Correct for the mRNA content per cell: the signature's, else that of Racle 2017.
    symbols
        ``"published"`` finds genes by the names the tables print, as EPIC does; ``"current"``
        also by today's symbols and former ones, where the signature has them.
    interval
        Also give 90 % intervals (see `intervals`).

    Returns
    -------
    Result
        Fractions of all cells in the sample.
    """
    if signature is None:
        raise UserError(
            "epic needs reference profiles, whose licence does not let them be shipped",
            do="give the tables of your own copy of EPIC as the signature, or use quantiseq",
        )
    given = as_signature(signature, tables)
    problem = pose(tpm, given, symbols, "epic", shared=True)
    mrna = dict.fromkeys([*given.types, OTHER], 1.0)
    if scale_mrna:
        source = {**MRNA_PER_CELL, **given.mrna}
        known = Signature(given.profiles, name=given.name, mrna=source)
        mrna = {**content(known), OTHER: source[OTHER]}
    per_cell = np.array([mrna[name] for name in given.types])
    fitted = fit_shares(
        problem.profiles,
        problem.mixture,
        problem.groups if interval else None,
        Cells(per_cell, other_cells, mrna[OTHER]),
        limit=1.0,
        exact=not other_cells,
        weights=weights(given, problem),
    )
    columns = [*given.types, OTHER] if other_cells else given.types
    words = vocabulary(columns)
    fit = diagnose(
        problem.profiles, problem.mixture, fitted.explained, problem.samples, problem.candidates
    )
    notes = {"": f"signature: {given.name}"}
    if given.variability is None:
        notes[""] += "; all genes weigh the same, as their variability was not given"
    return assemble(
        fitted,
        Labels(columns, problem.samples, words.sums, words.cells),
        fit,
        problem.genes,
        notes,
        limited_as="epic" if set(given.types) == TUMOUR_REFERENCE else "",
    )


def weights(signature: Signature, problem: Problem) -> Floats:
    """Weigh each gene used by how well its level is known; see the module's page."""
    if signature.variability is None:
        return np.ones(len(problem.used))
    spread = signature.variability.to_numpy(dtype=np.float64)[problem.used] * problem.scale
    weight = np.zeros(len(problem.used))
    for a, v in zip(problem.profiles.T, spread.T, strict=True):
        weight += a / (v + 1e-12)
    return np.minimum(weight, 100 * np.median(weight[weight > 0]))
