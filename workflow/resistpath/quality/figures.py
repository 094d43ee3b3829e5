"""What is measured of each sample by its own values; `sample` judges it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from resistpath.expression import samples_by_genes
from resistpath.quality.gates import Floats
from resistpath.quality.sex import Y_FIGURES, Y_GENES, y_levels
from resistpath.quality.tissue import TISSUES, tissue_levels

TOP_GENES = 50
DETECTED_TPM = 1.0
RIBOSOMAL = re.compile(r"RP[LS]\d+[AXYL]?\d*|RPLP[012]|RPSA")
HAEMOGLOBIN = ("HBA1", "HBA2", "HBB", "HBD", "HBE1", "HBG1", "HBG2", "HBM", "HBQ1", "HBZ")
FEWEST_FOR_SLOPE = 100
"""Detected genes that a slope on length needs more than."""


class SampleFigures:
    """Measures samples of one list of genes, block by block.

    Where the genes of a family stand is found once. Sums are taken along a sample's own values
    in a fixed order, so that a sample's figures do not depend on its block.

    Parameters
    ----------
    genes
        Current symbols, in the order of the values.
    lengths
        Gene lengths in bases, for the slope of expression on length.
    """

    def __init__(
        self, genes: pd.Index, lengths: Mapping[str, float] | pd.Series | None = None
    ) -> None:
        names = [str(g) for g in genes]
        self.families: dict[str, npt.NDArray[np.intp]] = {
            "mitochondrial_share": _where(g.startswith("MT-") for g in names),
            "ribosomal_share": _where(
                g.startswith("RP") and RIBOSOMAL.fullmatch(g) is not None for g in names
            ),
            "haemoglobin_share": _where(g in HAEMOGLOBIN for g in names),
        }
        self._genes = genes
        self._size = None if lengths is None else _log_size(genes, lengths)
        self._y_genes = genes.get_indexer(pd.Index(Y_GENES))
        self._tissues = {name: genes.get_indexer(pd.Index(g)) for name, g in TISSUES.items()}

    def measure(
        self,
        tpm: pd.DataFrame,
        *,
        counts: pd.DataFrame | None = None,
        biotypes: pd.DataFrame | None = None,
        xist: pd.Series | None = None,
    ) -> pd.DataFrame:
        """Figures of each sample, samples x figures; NaN where there is nothing to measure.

        Parameters are those of `sample.sample_quality`.
        """
        array = samples_by_genes(tpm)
        total = array.sum(axis=1)
        out: dict[str, Floats] = {
            "genes_detected": np.count_nonzero(array >= DETECTED_TPM, axis=1).astype(np.float64),
            "top50_share": _share(np.array([_top(row) for row in array]), total),
            "zero_share": np.count_nonzero(array == 0, axis=1) / array.shape[1],
        }
        if counts is not None:
            out["reads"] = samples_by_genes(counts).sum(axis=1)
        for name, members in self.families.items():
            part = array.take(members, axis=1).sum(axis=1)
            out[name] = _share(part, total) if len(members) else np.full(len(array), np.nan)
        if biotypes is not None and "protein_coding" in biotypes.index:
            coding = samples_by_genes(biotypes.loc[["protein_coding"]])[:, 0]
            out["coding_share"] = _share(coding, samples_by_genes(biotypes).sum(axis=1))
        if self._size is not None:
            out["length_slope"] = _slopes(array, self._size)
        out |= dict(zip(Y_FIGURES, y_levels(array, self._y_genes), strict=True))
        if xist is not None:
            out["xist"] = xist.reindex(tpm.columns).to_numpy(dtype=np.float64)
        out |= tissue_levels(array, self._tissues)
        return pd.DataFrame(out, index=tpm.columns)


def length_slopes(tpm: pd.DataFrame, lengths: Mapping[str, float] | pd.Series) -> Floats:
    """Slope of log2(TPM) on log2(gene length) over genes at 1 TPM or more, per sample."""
    return _slopes(samples_by_genes(tpm), _log_size(tpm.index, lengths))


def _log_size(genes: pd.Index, lengths: Mapping[str, float] | pd.Series) -> Floats:
    return np.log2(pd.Series(lengths, dtype=float).reindex(genes).to_numpy())


def _slopes(array: Floats, size: Floats) -> Floats:
    out = np.full(len(array), np.nan)
    known = np.isfinite(size)
    for i, row in enumerate(array):
        use = (row >= DETECTED_TPM) & known
        x, y = size[use], row[use]
        if len(x) > FEWEST_FOR_SLOPE:
            np.log2(y, out=y)
            x -= x.mean()
            out[i] = (x * y).sum() / (x * x).sum()
    return out


def _where(members: object) -> npt.NDArray[np.intp]:
    return np.flatnonzero(np.fromiter(members, dtype=bool))  # type: ignore[call-overload]


def _share(part: Floats, whole: Floats) -> Floats:
    """Ratio of sums; 0 for a sample without expression."""
    return np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)


def _top(row: Floats) -> float:
    """Sum of the highest `TOP_GENES` values.

    They are looked for among the values above one that a sixteenth of the genes suggests.
    """
    few = row[::16]
    if len(few) > TOP_GENES:
        above = row[row >= np.partition(few, -16)[-16]]
        row = above if len(above) >= TOP_GENES else row
    n = min(TOP_GENES, len(row))
    return float(np.sort(np.partition(row, -n)[-n:]).sum())
