"""Immunophenoscore (Charoentong 2017): four classes of markers, read within one sample."""

from __future__ import annotations

import numpy as np
import pandas as pd

from resistpath.expression import check_matrix
from resistpath.methods import GeneSet, Method
from resistpath.score.data import ScoreData
from resistpath.score.intervals import half_width
from resistpath.score.run import scores_of
from resistpath.score.sample_z import METHOD as SAMPLE_Z

CLASSES = ("MHC", "EC", "SC", "CP")
READOUTS = (*CLASSES, "AZ", "IPS")


def ips_of(az: np.ndarray) -> np.ndarray:
    """Map the aggregate z score to 0-10: ``10/3 z`` rounded half to even, cut at both ends."""
    return np.clip(np.round(az * 10 / 3), 0, 10)


def immunophenoscore(values: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    r"""Immunophenoscore with its parts.

    Each marker or cell type is the mean z value of its genes among all genes of the sample,
    times its weight (1, or -1 for what inhibits). A class is the mean over its markers: MHC
    molecules (MHC), effector cells (EC), suppressor cells (SC), checkpoints (CP). AZ is the
    sum of the four, IPS its place from 0 to 10 (Charoentong et al. 2017,
    doi:10.1016/j.celrep.2016.12.019).

    Parameters
    ----------
    values
        Genes x samples, log2(TPM+1), all genes: the score depends on the universe.
    table
        Columns ``gene`` (as named in `values`), ``marker``, ``class`` and ``weight``.

    Returns
    -------
    pandas.DataFrame
        Long: sample, readout (`READOUTS`), method, score, se, low, high, coverage, n_genes,
        null_z. A class of which a marker is not measured at all is NaN, as are AZ and IPS
        then. Variances are those of a mean over a class's markers; the ends of the interval
        of IPS are those of AZ mapped.
    """
    check_matrix(values)
    data = ScoreData(values)
    weight = table["weight"].astype(float)
    markers = [
        (str(kind), float(weight[rows.index].mean()), GeneSet(str(name), tuple(rows["gene"])))
        for (kind, name), rows in table.groupby(["class", "marker"], sort=True)
    ]
    index = data.index(m[2] for m in markers)
    z = scores_of(data, index, {"sample_z": SAMPLE_Z})["sample_z"]
    z = z * np.array([m[1] for m in markers])
    score, variance, df, found, size = {}, {}, {}, {}, {}
    for kind in CLASSES:
        at = np.array([m[0] == kind for m in markers])
        n = int(at.sum())
        part = np.ascontiguousarray(z[:, at])
        score[kind] = part.sum(axis=1) / n
        away = part - score[kind][:, None]
        variance[kind] = (away**2).sum(axis=1) / (n * (n - 1))
        df[kind], found[kind] = n - 1, int(index.measured[at].sum())
        size[kind] = int(index.sizes[at].sum())
    for name in ("AZ", "IPS"):
        score[name] = score["MHC"] + score["EC"] + score["SC"] + score["CP"]
        variance[name] = variance["MHC"] + variance["EC"] + variance["SC"] + variance["CP"]
        for each in (df, found, size):
            each[name] = sum(each[kind] for kind in CLASSES)
    return pd.concat(
        [_rows(data, n, score[n], variance[n], df[n], found[n], size[n]) for n in READOUTS],
        ignore_index=True,
    )


def _rows(
    data: ScoreData,
    name: str,
    score: np.ndarray,
    variance: np.ndarray,
    df: int,
    found: int,
    size: int,
) -> pd.DataFrame:
    half = half_width(variance, df)
    ends = {"score": score, "low": score - half, "high": score + half}
    if name == "IPS":
        ends = {key: ips_of(end) for key, end in ends.items()}
    return pd.DataFrame(
        {
            "sample": data.samples.to_numpy(),
            "readout": name,
            "method": "ips",
            "score": ends["score"],
            "se": np.nan if name == "IPS" else np.sqrt(variance),
            "low": ends["low"],
            "high": ends["high"],
            "coverage": found / size,
            "n_genes": found,
            "null_z": np.nan,
        }
    )


METHOD = Method(
    name="ips",
    step="score",
    func=immunophenoscore,
    needs="log2_tpm",
    kind="score",
    range=(-np.inf, np.inf),
    cohort_dependent=False,
    reference="10.1016/j.celrep.2016.12.019",
    licence="BSD-3-Clause",
    description="Immunophenoscore: MHC, effector, suppressor and checkpoint markers; 0 to 10.",
    resources=("immunophenoscore",),
)
