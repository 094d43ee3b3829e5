"""Mixtures of known cells, outputs of the original programs, and the tables behind both."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from resistpath.deconvolve.result import Result
from resistpath.io.resources import deconvolution_tables

package = importlib.import_module("resistpath.deconvolve")  # not the function of that name

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
TABLES = deconvolution_tables()
TIL10 = TABLES["til10"]
TYPES = list(TIL10.columns[3:])
PROFILES = TIL10[TYPES].to_numpy(dtype=float)
CONTENT = TABLES["til10_scaling"].set_index("cell_type")["mrna"].astype(float)[TYPES].to_numpy()


@functools.cache
def oracle(name: str) -> pd.DataFrame:
    path = SHARED / "oracle" / name
    if not path.exists():
        pytest.skip(f"no ../shared/oracle/{name}")
    return pd.read_csv(path, sep="\t", index_col=0)


def mixtures(fractions: np.ndarray, noise: float = 0.0, seed: int = 1) -> pd.DataFrame:
    """TPM of mixtures with known cell fractions; one more gene holds the rest of the million."""
    shares = fractions * CONTENT
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1e-300)
    shares *= fractions.sum(axis=1, keepdims=True)
    values = shares @ PROFILES.T
    values *= np.exp(np.random.default_rng(seed).normal(0, noise, values.shape))
    frame = pd.DataFrame(values.T, TIL10["gene"], [f"s{i}" for i in range(len(fractions))])
    frame.loc["FILLER"] = 1e6 - frame.sum()
    return frame


def drawn_fractions() -> np.ndarray:
    """Twelve samples x ten cell types; the rest of each is none of them."""
    drawn = np.random.default_rng(7).dirichlet([1.0] * 10 + [5.0], size=12)[:, :10]
    drawn[:, TYPES.index("Tregs")] = np.maximum(drawn[:, TYPES.index("Tregs")], 0.03)
    return drawn


def cohort(tpm: pd.DataFrame) -> pd.DataFrame:
    """The mixtures with MCP-counter's markers, a withdrawn symbol and two names of one gene."""
    rng = np.random.default_rng(4)
    markers = [g for g in TABLES["mcpcounter"]["symbol"] if g not in tpm.index]
    more = [*markers, "AARSL", "AARS2", "A12M1", "A12M2", "NOT_A_GENE"]
    extra = pd.DataFrame(np.exp(rng.normal(1, 2, (len(more), tpm.shape[1]))), more, tpm.columns)
    return pd.concat([tpm, extra])


def run(tpm: pd.DataFrame, method: str = "quantiseq", **options: object) -> Result:
    if method == "quantiseq":
        options.setdefault("symbols", "published")
    return package.run(tpm, method, TABLES, **options)
