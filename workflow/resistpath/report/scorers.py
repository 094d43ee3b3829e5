"""The same gene set by several scoring methods: where each of them places a sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from resistpath.mechanisms.catalogue import Catalogue
from resistpath.mechanisms.records import SET_METHODS
from resistpath.methods import Method
from resistpath.reference import Reference, members, midrank_percentile, shared_universe
from resistpath.report.composition import AGREE, DISAGREE
from resistpath.score.data import ScoreData
from resistpath.score.run import scores_of

Record = dict[str, Any]


def method_places(
    values: pd.DataFrame,
    reference: Reference,
    catalogue: Catalogue,
    methods: Mapping[str, Method],
    *,
    threads: int = 1,
) -> dict[str, pd.DataFrame]:
    """Place of every set readout in the reference, by each of several methods.

    Samples and reference are scored on the genes they share, as for the verdicts.

    Parameters
    ----------
    values
        Genes x samples, log2(TPM+1).
    methods
        Scoring methods of single samples that take genes without weights.

    Returns
    -------
    dict
        Per method samples x readouts, mid-rank percentiles, NaN where a score is missing in the
        sample or anywhere in the reference.
    """
    genes = shared_universe(values, reference)
    sets = [
        r.gene_set for r in catalogue.readouts if r.method in SET_METHODS and r.gene_set is not None
    ]
    own, ref = (ScoreData(frame.loc[genes]) for frame in (values, reference.values))
    index, ref_index = own.index(sets), ref.index(sets)
    own_scores = scores_of(own, index, methods, threads=threads)
    ref_scores = scores_of(ref, ref_index, methods, threads=threads)
    inside = members(values, reference)
    out = {}
    for name in methods:
        placed = np.full(own_scores[name].shape, np.nan)
        for i in range(len(sets)):
            mine, theirs = own_scores[name][:, i], ref_scores[name][:, i]
            if np.isfinite(theirs).all():
                placed[:, i] = midrank_percentile(theirs, mine, inside)
        out[name] = pd.DataFrame(placed, index=own.samples, columns=index.names)
    return out


def by_method(
    readout: str, own: str, found: Mapping[str, Mapping[str, float]] | None
) -> Record | None:
    """Compare the methods on one readout.

    Parameters
    ----------
    readout, own
        Its id, and the method it is read by.
    found
        Per method, the percentile of each readout in this sample.

    Returns
    -------
    dict
        ``places`` (method, percentile), the readout's own method first; ``difference``, largest
        less smallest percentile; and ``reading``: agree, differ or disagree. None with fewer than
        two methods.
    """
    if own not in SET_METHODS or not found:
        return None
    order: Sequence[str] = sorted(found, key=lambda name: name != own)  # keeps the rest as given
    placed = {name: float(found[name].get(readout, np.nan)) for name in order}
    placed = {name: place for name, place in placed.items() if np.isfinite(place)}
    if len(placed) < 2:
        return None
    difference = max(placed.values()) - min(placed.values())
    reading = "agree" if difference <= AGREE else "disagree" if difference > DISAGREE else "differ"
    return {
        "places": [{"method": name, "percentile": place} for name, place in placed.items()],
        "difference": difference,
        "reading": reading,
    }
