r"""Intervals from leaving out signature genes: how far a value hangs on which genes were chosen.

The signature genes are dealt into 20 fixed groups (gene *i* of the table into group *i* mod 20,
whether measured or not), and each sample is solved again without each group. With
:math:`\hat\theta` the estimate, :math:`d_k = \hat\theta_{(k)} - \hat\theta` its change without
group *k*, and *m* groups that hold a gene,

.. math:: s^2 = \frac{m-1}{m} \sum_k d_k^2, \qquad
          \nu = \frac{3 \left(\sum_k d_k^2\right)^2}{\sum_k d_k^4} - 1, \qquad
          \hat\theta \pm t_{\nu,\,0.95}\; s,

cut to the range of the value (delete-a-group jackknife; Kott 2001). The degrees of freedom are
Satterthwaite's, between 1 and *m* - 1: where one or two groups make the variance, as for cell types
with few strong genes, less is known of it and the interval is wider. A fraction held at zero by its
constraint may not move at all; so its upper end is at least as far from zero as half the interval
of the same fit without constraints is wide. Nothing is random and nothing comes from other samples.

What it covers: noise and misfit that differ from gene to gene. What it cannot see: anything that
moves all genes of a cell type together, such as a tumour that expresses the signature's genes
throughout, a wrong mRNA content per cell, or a cell type the signature lacks. On simulated spikes
with gene-wise noise of 10-80 % it covers the truth 90-95 % of the time over all cell types, and
85-92 % for the type spiked in; "Other" only 61-90 %, least where noise adds RNA.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from resistpath.deconvolve.algebra import Floats

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
    squares, fourths = np.zeros_like(estimate), np.zeros_like(estimate)
    for replicate in replicates:
        square = (replicate - estimate) ** 2
        squares += square
        fourths += square * square
    freedom = 3 * squares**2 / np.where(fourths > 0, fourths, 1.0) - 1
    t = stdtrit(np.clip(freedom, 1, n - 1), (1 + LEVEL) / 2)
    return np.asarray(t * np.sqrt((n - 1) / n * squares))
