"""Reference packs on disk: a zip of plain arrays and one page of JSON, no pickled objects.

Values are stored without loss as float32, the four bytes of each number apart from one another
(`_planes`). A pack to be passed on is compressed by LZMA: 5.3 MB for 95 tumours of 19,085 genes,
against 6.1 by deflate and 9.3 plain. Among the results of a cohort it stays plain, because LZMA
takes 40 CPU s to write 1,000 tumours, and 4 each time they are read.
A matrix of 16-bit ranks would be a third of it, but means, ratios, single genes and any set of
the user's own need the levels themselves.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from resistpath.errors import UserError, some
from resistpath.io.files import need_file, replacing
from resistpath.io.resources import shipped_packs
from resistpath.reference import Reference, Statistics

FORMAT = "resistpath reference 2"
PAGE = "pack.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_TABLES = ("genes", "readouts", "lines", "correlation", "residual_correlation", "noise")


def _planes(values: np.ndarray) -> np.ndarray:
    """First bytes of all numbers, then the second ones, ...: alike bytes compress better."""
    plain = np.ascontiguousarray(values, dtype="<f4")
    return np.ascontiguousarray(plain.view(np.uint8).reshape(*plain.shape, 4).transpose(2, 0, 1))


def _joined(planes: np.ndarray) -> np.ndarray:
    if planes.dtype != np.uint8 or planes.ndim != 3 or len(planes) != 4:
        raise ValueError("values.bytes has another shape")
    numbers = np.ascontiguousarray(planes.transpose(1, 2, 0)).view("<f4")[..., 0]
    return numbers.astype(np.float32, copy=False)


def _frame_arrays(name: str, frame: pd.DataFrame) -> dict[str, np.ndarray]:
    return {
        f"{name}.values": np.ascontiguousarray(frame.to_numpy()),
        f"{name}.rows": frame.index.to_numpy(dtype=str),
        f"{name}.columns": frame.columns.to_numpy(dtype=str),
    }


def _arrays(reference: Reference) -> dict[str, np.ndarray]:
    arrays = {
        "values.bytes": _planes(reference.values.to_numpy(dtype=np.float32)),
        "values.rows": reference.values.index.to_numpy(dtype=str),
        "values.columns": reference.values.columns.to_numpy(dtype=str),
        **_frame_arrays("fractions", reference.fractions.astype(np.float64)),
    }
    if reference.statistics is not None:
        for name in _TABLES:
            arrays |= _frame_arrays(f"statistics.{name}", getattr(reference.statistics, name))
    return arrays


def contents_digest(page: dict[str, Any], arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 over the page without its digest and every array: name, type, shape and bytes."""
    digest = hashlib.sha256()
    rest = {k: v for k, v in page.items() if k != "sha256"}
    digest.update(json.dumps(rest, sort_keys=True, ensure_ascii=False).encode())
    for name in sorted(arrays):
        a = arrays[name]
        digest.update(f"\0{name}\0{a.dtype.str}\0{a.shape}\0".encode())
        plain = np.ascontiguousarray(a)
        digest.update(plain.data if a.dtype == np.uint8 else plain.tobytes())
    return digest.hexdigest()


def write_reference(
    path: Path, reference: Reference, *, force: bool = False, sealed: bool = False
) -> str:
    """Write a pack and return its digest; the same reference gives the same bytes.

    A pack is never changed: if `path` holds the same contents it is left alone, if it holds
    others it is replaced only with `force`. A `sealed` one, as among the results of a cohort, is
    not compressed, and is made again if it is damaged; any other says by its own digest that it is.
    """
    arrays = _arrays(reference)
    page: dict[str, Any] = {
        "format": FORMAT,
        "name": reference.name,
        "cancer_type": reference.cancer_type,
        "info": reference.info,
    }
    page["sha256"] = contents_digest(page, arrays)
    if path.exists() and not force:
        if read_reference(path).digest == page["sha256"]:
            return str(page["sha256"])
        raise UserError(
            "a pack with other contents is already there",
            where=str(path),
            do="write it under another name, or replace it by --force",
        )
    kind = zipfile.ZIP_STORED if sealed else zipfile.ZIP_LZMA
    with replacing(path, sealed=sealed) as temporary, zipfile.ZipFile(temporary, "w", kind) as pack:
        content = json.dumps(page, ensure_ascii=False, indent=1).encode()
        with _entry(pack, PAGE, len(content)) as stream:
            stream.write(content)
        for name, array in arrays.items():
            with _entry(pack, f"{name}.npy", array.nbytes) as stream:
                np.lib.format.write_array(stream, array, allow_pickle=False)
    return str(page["sha256"])


def _entry(pack: zipfile.ZipFile, name: str, size: int) -> IO[bytes]:
    """A file of the zip to write to, of about this size."""
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type, entry.file_size = pack.compression, size
    entry.create_system, entry.external_attr = 3, 0o644 << 16
    return pack.open(entry, "w")


# The last is what zipfile raises for a rare compression and for a password.
_DAMAGE = (zipfile.BadZipFile, lzma.LZMAError, RuntimeError)


def read_reference(path: Path | str) -> Reference:
    """Read a pack written by `write_reference`, and refuse it if its digest does not hold."""
    path = need_file(path, "reference pack", do="build one with resistpath reference build")
    try:
        page, arrays = _contents(path)
        found = contents_digest(page, arrays)
        if found != page["sha256"]:
            raise ValueError("its contents do not have the digest it states")
        return _reference(page, arrays)
    except (OSError, EOFError, KeyError, ValueError, *_DAMAGE) as error:
        raise UserError(
            f"this is not a reference pack of resistpath, or a damaged one ({error})",
            where=str(path),
            do="build it with resistpath reference build",
        ) from error


def _contents(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    with zipfile.ZipFile(path) as pack:
        names = pack.namelist()
        if PAGE not in names:
            raise KeyError(f"no {PAGE} in it")
        page = json.loads(pack.read(PAGE))
        if not isinstance(page, dict):
            raise ValueError(f"{PAGE} is no record")
        if page.get("format") != FORMAT:
            raise ValueError(f"format {page.get('format')!r}, not {FORMAT!r}")
        arrays = {}
        for name in names:
            if name != PAGE:
                with pack.open(name) as handle:
                    array = np.lib.format.read_array(handle, allow_pickle=False)
                arrays[name.removesuffix(".npy")] = array
    return page, arrays


def _frame(arrays: dict[str, np.ndarray], name: str) -> pd.DataFrame:
    return pd.DataFrame(
        arrays[f"{name}.values"],
        index=pd.Index(arrays[f"{name}.rows"]),
        columns=pd.Index(arrays[f"{name}.columns"]),
    )


def _reference(page: dict[str, Any], arrays: dict[str, np.ndarray]) -> Reference:
    values = pd.DataFrame(
        _joined(arrays.pop("values.bytes")),
        index=pd.Index(arrays["values.rows"], name="gene"),
        columns=pd.Index(arrays["values.columns"]),
    )
    statistics = None
    if "statistics.genes.values" in arrays:
        tables = {name: _frame(arrays, f"statistics.{name}") for name in _TABLES}
        statistics = Statistics(**tables)
    return Reference(
        page["name"],
        page["cancer_type"],
        values,
        _frame(arrays, "fractions"),
        page["info"],
        statistics,
        page["sha256"],
    )


def find_pack(word: str) -> Path:
    """Path of a pack: a shipped pack's name, or a path.

    Raises
    ------
    UserError
        If it is neither; the shipped ones are named.
    """
    packs = shipped_packs()
    if word in packs:
        return packs[word]
    path = Path(word)
    if not path.exists() and path.name == word and not path.suffix:
        raise UserError(
            f"there is no reference {word!r}",
            do=f"give the path of a pack, or a shipped one: {some(packs, 20)}",
        )
    return path
