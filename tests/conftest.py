"""Fixtures shared by the tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

# Tools with assertions of their own fail as legibly as tests do.
pytest.register_assert_rewrite(
    "catalogue_tools", "deconvolve_tools", "quality_tools", "report_tools", "standing_tools"
)

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


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    '=HYPERLINK("http://x")',
    "../../etc/passwd",
    "عينة-٧",
    "n" * 300,
    '+1, "two"',
)


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """A cohort after every step: 30 demo tumours with made-up outcomes and hostile names.

    24 patients, six of them with a second sample on treatment; responders are the tumours with
    the most T-cell signal, so that T-cell readouts follow response by construction.
    """
    from resistpath.cli import main

    folder = tmp_path_factory.mktemp("finished")
    x = pd.read_csv(REPOSITORY / "resources" / "demo" / "expression.tsv.gz", sep="\t", index_col=0)
    x = x.iloc[:, :30].copy()
    names = [*HOSTILE, *(f"S{i:02d}" for i in range(len(HOSTILE), 30))]
    x.columns = names
    x.to_csv(folder / "x.tsv", sep="\t")
    signal = np.log2(x.loc[["CD8A", "CXCL9", "GZMA", "PRF1"]] + 1).sum()
    high = (signal > signal.median()).to_numpy()
    sheet = pd.DataFrame({"sample": names})
    sheet["patient"] = [*(f"P{i:02d}" for i in range(24)), *(f"P{i:02d}" for i in range(6))]
    # Those with two samples are strangers too: their pages bear the patient's name.
    sheet.loc[:5, "patient"] = sheet.loc[24:, "patient"] = HOSTILE[:6]
    sheet["timepoint"] = ["pre"] * 24 + ["on"] * 6
    sheet["response_binary"] = np.where(high, "R", "NR")
    sheet.loc[24:, "response_binary"] = sheet["response_binary"].iloc[:6].to_numpy()
    sheet.loc[20, "response_binary"] = ""
    sheet["survival_time"] = [100 + 37 * (i % 11) + 400 * high[i % 24] for i in range(30)]
    sheet["survival_event"] = [int(i % 3 > 0) for i in range(30)]
    sheet["age"] = [40.5 + i % 24 for i in range(30)]
    sheet["centre"] = [HOSTILE[i % 3] for i in range(30)]
    sheet.to_csv(folder / "s.tsv", sep="\t", index=False)
    out = folder / "results" / "mine"
    for words in (
        [
            *("prepare", out, "--expression", folder / "x.tsv", "--samples", folder / "s.tsv"),
            *("--cohort", '</script><b>"=1'),
        ],
        ["score", out],
        ["deconvolve", out],
        ["reference", "build", out, "--name", "thirty"],
        ["assess", out, "--reference", out / "reference.npz"],
        ["compare", out],
        ["differential", out, "--permutations", 100],
        ["report", out, "--reference", out / "reference.npz", "--by-workflow"],
    ):
        assert main(["--quiet", *(str(w) for w in words)]) == 0
    return out
