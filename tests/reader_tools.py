"""Files as formats have them, and what every reader must return."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from resistpath.errors import UserError
from resistpath.io.readers import read_source

GENES = ["TP53", "CD8A", "PDCD1", "B2M", "GAPDH"]
ENSEMBL = [
    "ENSG00000141510.18",
    "ENSG00000153563.16",
    "ENSG00000188389.11",
    "ENSG00000166710.20",
    "ENSG00000111640.15",
]
SAMPLES = ["P1", "P2", "P3"]


def same(source, frame):
    pd.testing.assert_frame_equal(
        source.values, frame, check_exact=True, check_names=False, check_index_type=False
    )
    assert source.values.to_numpy().dtype == np.float64


def put(folder, name, text):
    """Write text and return its path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def tsv(frame, **options):
    """The frame as tab-separated text."""
    return frame.to_csv(sep="\t", index_label="gene", na_rep="NA", **options)


def refused(path, *words, **options):
    """The sentence a path is refused with, which must hold the words."""
    with pytest.raises(UserError) as stop:
        read_source(path, **options)
    message = str(stop.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message
    return message
