"""Reference packs on disk: a zip of plain arrays, no pickled objects."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from resistpath.errors import UserError
from resistpath.io.files import need_file, replacing
from resistpath.reference import Reference

FORMAT = "resistpath reference 1"


def write_reference(path: Path, reference: Reference) -> None:
    """Write a reference; the same reference gives the same bytes."""
    meta = {
        "format": FORMAT,
        "name": reference.name,
        "cancer_type": reference.cancer_type,
        "info": reference.info,
    }
    with replacing(path, sealed=True) as temporary, open(temporary, "wb") as handle:
        np.savez_compressed(
            handle,
            meta=np.array(json.dumps(meta, ensure_ascii=False)),
            values=np.ascontiguousarray(reference.values.to_numpy(dtype=np.float32)),
            genes=reference.values.index.to_numpy(dtype=str),
            samples=reference.values.columns.to_numpy(dtype=str),
            fractions=reference.fractions.to_numpy(dtype=np.float64),
            fraction_names=reference.fractions.columns.to_numpy(dtype=str),
        )


def read_reference(path: Path | str) -> Reference:
    """Read a reference written by `write_reference`."""
    path = need_file(path, "reference pack", do="build one with resistpath reference build")
    try:
        with np.load(path, allow_pickle=False) as pack:
            meta = json.loads(str(pack["meta"]))
            if meta.get("format") != FORMAT:
                raise KeyError(f"format {meta.get('format')!r}")
            samples = pd.Index(pack["samples"])
            return Reference(
                meta["name"],
                meta["cancer_type"],
                pd.DataFrame(
                    pack["values"], index=pd.Index(pack["genes"], name="gene"), columns=samples
                ),
                pd.DataFrame(
                    pack["fractions"], index=samples, columns=pd.Index(pack["fraction_names"])
                ),
                meta["info"],
            )
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise UserError(
            f"this is not a reference pack of resistpath ({error})",
            where=str(path),
            do="build it with resistpath reference build",
        ) from error
