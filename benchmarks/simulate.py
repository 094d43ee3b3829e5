"""A large cohort to measure on: reads drawn around the profiles of the demo tumours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from resistpath import normalise, read_expression
from resistpath.api import gene_lengths

DEMO = Path(__file__).resolve().parents[1] / "resources" / "demo" / "expression.tsv.gz"


def read_counts(samples: int, genes: int = 20_000, seed: int = 1) -> pd.DataFrame:
    """Simulate reads, genes x samples: each sample mixes two demo tumours, with Poisson noise.

    Rows beyond the coding genes of the demo are genes of no known name, as annotations have them.
    """
    rng = np.random.default_rng(seed)
    expression = normalise(read_expression(DEMO), to="tpm").values
    names = list(expression.index[:genes])
    rate = expression.to_numpy()[: len(names)] * gene_lengths().reindex(names).to_numpy()[:, None]
    rate = np.vstack([rate, rng.gamma(0.3, np.median(rate), (genes - len(names), rate.shape[1]))])
    names += [f"RP11-{i}.1" for i in range(genes - len(names))]
    out = np.empty((genes, samples), dtype=np.int32)
    for j in range(samples):
        a, b = rng.choice(rate.shape[1], 2, replace=False)
        share = rng.uniform(0.2, 0.8)
        mixed = share * rate[:, a] + (1 - share) * rate[:, b]
        depth = rng.uniform(2e7, 6e7)
        out[:, j] = rng.poisson(mixed * rng.lognormal(0, 0.3, genes) / mixed.sum() * depth)
    columns = [f"T{j:05d}" for j in range(samples)]
    return pd.DataFrame(out, index=pd.Index(names, name="gene"), columns=columns)
