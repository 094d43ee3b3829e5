"""Batch correction: for comparisons within a cohort, never for a sample's own numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from resistpath.errors import UserError, some
from resistpath.expression import check_matrix


def remove_batch(values: pd.DataFrame, batch: pd.Series) -> pd.DataFrame:
    """Remove batch effects from a cohort by ComBat (Johnson et al. 2007), computed by scanpy.

    Every value depends on all samples given: for comparisons within a cohort only, never for a
    sample's own scores, percentiles or report. Where batch and response are aligned, the
    correction removes both; `quality.cohort_confounding` says whether they are.

    Parameters
    ----------
    values
        Genes x samples, logarithmic.
    batch
        Batch of each sample, by sample name.

    Returns
    -------
    pandas.DataFrame
        Genes x samples. Genes that are constant within a batch are returned as they are.
    """
    check_matrix(values, "matrix to correct")
    groups = batch.reindex(values.columns)
    if groups.isna().any():
        raise UserError(
            f"no batch for {some(values.columns[groups.isna()])}", where="batch", do="fill it in"
        )
    size = groups.value_counts()
    if len(size) < 2 or (size < 2).any():
        alone = some(size.index[size < 2])
        raise UserError(
            f"batches with one sample cannot be corrected: {alone}"
            if len(size) > 1
            else "there is only one batch",
            where="batch",
            do="join or leave out these batches" if len(size) > 1 else "leave the correction out",
        )
    from anndata import AnnData
    from scanpy.pp import combat  # type: ignore[import-untyped,unused-ignore]

    parts = [values.loc[:, (groups == g).to_numpy()] for g in size.index]
    varies = np.all([part.to_numpy().std(axis=1) > 0 for part in parts], axis=0)
    obs = pd.DataFrame({"batch": pd.Categorical(groups.astype(str))}, index=values.columns)
    corrected = combat(AnnData(values[varies].T.astype(np.float64), obs), inplace=False)
    out = values.astype(np.float64)
    out.loc[varies] = np.asarray(corrected).T
    return out
