"""Two pictures of a whole cohort: principal components and UMAP of its expression.

Both depend on which samples there are: they show which samples of this cohort are alike, and
place nobody in a reference. Distances between groups in UMAP mean nothing [1]_.

References
----------
.. [1] Chari and Pachter 2023, PLoS Comput Biol 19:e1011288, doi:10.1371/journal.pcbi.1011288
"""

from __future__ import annotations

import warnings
from typing import Final

import numpy as np
import pandas as pd

FEWEST: Final = 10
"""Fewest samples that are embedded: below, neighbours say little."""
GENES: Final = 2000
COMPONENTS: Final = 50
NEIGHBOURS: Final = 15
SEED: Final = 0
COLUMNS: Final = ("sample", "pc1", "pc2", "umap1", "umap2")


def embed(values: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, float | int]]:
    """Embed samples by scanpy: highly variable genes, PCA, exact neighbours, UMAP.

    Parameters
    ----------
    values
        Genes x samples, log2(TPM+1), as many samples as `FEWEST` or more.

    Returns
    -------
    table, facts
        `COLUMNS`, one row per sample in the order given; and the shares of variance of the two
        components among the chosen genes (0 to 1), the numbers of samples, genes, components and
        neighbours. The seed is fixed, linear algebra keeps to one thread and samples are taken in
        the order of their names, so that neither their order nor the number of cores changes a
        bit.
    """
    if values.shape[1] < FEWEST:
        raise ValueError(f"{values.shape[1]} samples, at least {FEWEST} are embedded")
    with warnings.catch_warnings():
        # Deprecations inside the libraries, on each other; and UMAP's word that a seed costs
        # threads, which is wanted.
        warnings.simplefilter("ignore")
        return _embed(values)


def _embed(values: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, float | int]]:
    import anndata
    import scanpy
    from threadpoolctl import threadpool_limits

    _keep_compiled()
    order = sorted(range(values.shape[1]), key=lambda i: str(values.columns[i]))
    samples = values.columns[order]
    matrix = values.to_numpy(dtype=np.float32).T[order]  # one copy: the matrix may be large
    varies = matrix.max(axis=0) > matrix.min(axis=0)
    data = anndata.AnnData(
        matrix if varies.all() else matrix[:, varies],
        obs=pd.DataFrame(index=samples.map(str)),
        var=pd.DataFrame(index=values.index[varies].map(str)),
        uns={"log1p": {"base": 2}},
    )
    del matrix
    n = data.n_obs
    with threadpool_limits(limits=1):
        scanpy.pp.highly_variable_genes(data, n_top_genes=min(GENES, data.n_vars), flavor="seurat")
        data = data[:, data.var["highly_variable"]].copy()
        components = min(COMPONENTS, n - 1, data.n_vars - 1)
        neighbours = min(NEIGHBOURS, n - 1)
        scanpy.pp.pca(data, n_comps=components, svd_solver="arpack", random_state=SEED)
        scanpy.pp.neighbors(data, n_neighbors=neighbours, transformer="sklearn", random_state=SEED)
        scanpy.tl.umap(data, random_state=SEED)
    places = np.hstack([data.obsm["X_pca"][:, :2], data.obsm["X_umap"]]).astype(np.float64)
    table = pd.DataFrame(places, index=samples, columns=list(COLUMNS[1:]))
    shares = data.uns["pca"]["variance_ratio"].astype(np.float64)
    facts: dict[str, float | int] = {
        "pc1": float(shares[0]),
        "pc2": float(shares[1]),
        "n": n,
        "genes": int(data.n_vars),
        "components": components,
        "neighbours": neighbours,
    }
    return table.loc[values.columns].rename_axis("sample").reset_index(), facts


def _keep_compiled() -> None:
    """Have numba keep UMAP's kernels on disk: otherwise each job compiles them for 4 s."""
    from umap.umap_ import compute_membership_strengths, smooth_knn_dist

    for kernel in (smooth_knn_dist, compute_membership_strengths):
        kernel.enable_caching()
