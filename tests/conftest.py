"""Fixtures shared by the tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = REPOSITORY.parent / "shared"


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real cohorts and outputs of the original tools; present in CI, not on a user's machine."""
    if not (SHARED / "oracle").is_dir():
        pytest.skip("the folder of real cohorts and reference outputs is not here")
    return SHARED


@pytest.fixture(scope="session")
def demo_values() -> pd.DataFrame:
    """The demo cohort as prepared: genes x samples, log2(TPM+1)."""
    from resistpath import normalise, read_expression

    e = read_expression(REPOSITORY / "resources" / "demo" / "expression.tsv.gz")
    return normalise(e).values.astype(np.float32)


@pytest.fixture(scope="session")
def demo_obs() -> pd.DataFrame:
    from resistpath.io.tables import read_sample_sheet

    return read_sample_sheet(REPOSITORY / "resources" / "demo" / "samples.tsv")


@pytest.fixture
def small() -> pd.DataFrame:
    """Forty genes x six samples without ties."""
    rng = np.random.default_rng(7)
    return pd.DataFrame(
        rng.gamma(2.0, 2.0, (40, 6)),
        index=[f"G{i:02d}" for i in range(40)],
        columns=[f"S{i}" for i in range(6)],
    )
