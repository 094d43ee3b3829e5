r"""Intervals from leaving out signature genes: how far a value hangs on which genes were chosen.

The signature genes are dealt into 20 fixed groups (gene *i* of the table into group *i* mod 20,
whether measured or not), and each sample is solved again without each group. With
:math:`\hat\theta` the estimate, :math:`\hat\theta_{(k)}` the estimate without group *k*, and *m*
groups that hold a gene,

.. math:: s^2 = \frac{m-1}{m} \sum_k (\hat\theta_{(k)} - \hat\theta)^2, \qquad
          \hat\theta \pm t_{m-1,\,0.95}\; s,

cut to the range of the value (delete-a-group jackknife; Kott 2001). A fraction held at zero by its
constraint may not move at all; so its upper end is at least :math:`t\, s` of the same fit without
constraints. Nothing is random and nothing comes from other samples.

What it covers: noise and misfit that differ from gene to gene. What it cannot see: anything that
moves all genes of a cell type together, such as a tumour that expresses the signature's genes
throughout, a wrong mRNA content per cell, or a cell type the signature lacks. On simulated mixtures
with gene-wise noise of 10-60 % it covers the truth 88-91 % of the time over all cell types, but
"Other" only 45-87 %, least where the tumour itself expresses signature genes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from resistpath.deconvolve.solver import Floats

GROUPS = 20
LEVEL = 0.90


def groups_of(positions: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Deal genes into groups by their place in the published table; groups are numbered densely."""
    return np.unique(positions % GROUPS, return_inverse=True)[1].astype(np.intp)


def quantile(freedom: float) -> float:
    """Student's t quantile that leaves (1 - LEVEL) / 2 above it."""
    return float(stdtrit(freedom, (1 + LEVEL) / 2))


def half_width(estimate: Floats, replicates: list[Floats]) -> Floats:
    """Half the width of the jackknife interval, element by element."""
    n = len(replicates)
    squares = np.zeros_like(estimate)
    for replicate in replicates:
        squares += (replicate - estimate) ** 2
    return np.asarray(quantile(n - 1) * np.sqrt((n - 1) / n * squares))
