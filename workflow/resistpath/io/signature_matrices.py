"""Signature matrices of other tools, read as they are, and our own, written and read back.

================ =================================================================================
a table          genes x cell types, tab or comma, plain or gzip: CIBERSORT's ``LM22.txt``,
                 CIBERSORTx output, ABIS's ``sigmatrixRNAseq.txt``, or anything of that shape
EPIC as text     ``refProfiles``, ``refProfiles.var`` and ``sigGenes`` (and ``mRNA_cell``), written
                 from R one by one: a folder with one such group, or the beginning of their
                 names (``tables/TRef`` for ``tables/TRef.refProfiles.tsv`` ...)
EPIC as it comes ``TRef.rda`` or ``BRef.rda`` from the package's ``data`` folder, or any ``.rda`` or
                 ``.rds`` with such a list or with a matrix
our own          the table `write_signature` writes, with its ``.json``
================ =================================================================================

No matrix of LM22, EPIC or ABIS is shipped: their licences do not allow it.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from resistpath.deconvolve.profiles import Signature, checked
from resistpath.errors import UserError, some
from resistpath.identifiers import Names, resolve, texts, turn_table
from resistpath.io.files import need_file, replacing, write_text
from resistpath.io.r_data import SUFFIXES, read_r_data
from resistpath.io.resources import gene_table

UNITS = ("auto", "tpm", "relative")
ENDINGS = (".tsv", ".txt", ".csv", ".tab", ".gz")
# What a file of EPIC's tables is, by its name without ending; the first that fits counts.
ROLES = (
    ("variability", re.compile(r"ref_?profiles?[._-]?var", re.I)),
    ("profiles", re.compile(r"ref_?profiles?", re.I)),
    ("markers", re.compile(r"sig_?genes?", re.I)),
    ("mrna", re.compile(r"mrna_?(?:per_?)?cell", re.I)),
)
# CIBERSORT's matrix holds microarray intensities.
LM22_TYPES = {"Plasma cells", "T cells follicular helper", "Mast cells activated", "Macrophages M0"}


def read_signature(path: Path | str, *, unit: str = "auto", name: str | None = None) -> Signature:
    """Read a signature matrix in any of the forms above.

    Parameters
    ----------
    path
        A file, a folder, or the beginning of the names of EPIC's tables.
    unit
        ``"tpm"``, ``"relative"`` where the profiles share no scale with samples in TPM (microarray
        intensities), or ``"auto"``: relative for LM22, else what a ``.json`` beside it says, else
        TPM.
    name
        What to call it; by default the name of the file or folder.

    Returns
    -------
    Signature
        Genes as printed, with their current and former symbols from the gene table. Genes that
        occur twice count by their median, as in EPIC.

    Raises
    ------
    UserError
        If there is no such file, it cannot be read, or the profiles cannot be used.
    """
    path = Path(path)
    if unit not in UNITS:
        raise UserError(f"unit is {unit!r}", do=f"use one of {', '.join(UNITS)}")
    if path.is_file() and path.suffix.lower() in SUFFIXES:
        found, files = _from_r(path), [path]
    elif path.is_file():
        found, files = {"profiles": _numbers(path), **_sidecar(path)}, [path]
    else:
        files = _epic_files(path)
        found = _from_text(files, path)
    profiles = _once(found.pop("profiles"))
    if found.get("variability") is not None:
        found["variability"] = _once(found["variability"])
    found["markers"] = tuple(dict.fromkeys(found.get("markers", ())))
    if unit != "auto":
        found["unit"] = unit
    elif {re.sub(r"[._]", " ", str(c)) for c in profiles.columns} >= LM22_TYPES:
        found["unit"] = "relative"
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    provenance = {"files": ", ".join(file.name for file in files), "sha256": digest}
    signature = Signature(
        profiles, **{"name": path.name, **found, **({"name": name} if name else {})}
    )
    signature = replace(signature, provenance={**signature.provenance, **provenance})
    return with_symbols(checked(signature))


def signature_files(path: Path | str) -> list[Path]:
    """List the files `read_signature` reads, for whoever must know when one has changed.

    Raises
    ------
    UserError
        If there is no such signature matrix.
    """
    path = Path(path)
    if not path.is_file():
        return _epic_files(path)
    beside = (_beside(path), path.with_suffix(f".var{path.suffix}"))
    return [path, *(file for file in beside if file.is_file())]


def with_symbols(signature: Signature) -> Signature:
    """Return the signature with current and former symbols of its genes from the gene table."""
    names = _names()
    genes = signature.genes
    rows = resolve(texts(genes), names, "symbol").row
    symbol = names.table["symbol"].to_numpy(dtype=object)
    former = names.table["previous"].to_numpy(dtype=object)
    sole = set(names.former.index)
    out = []
    for gene, row in zip(genes, rows, strict=True):
        current = str(symbol[row]) if row >= 0 else gene
        others = str(former[row]).split("|") if row >= 0 else []
        known = [n for n in (gene, *others) if n != current and (n in sole or n == gene)]
        out.append((gene, current, "|".join(dict.fromkeys(known))))
    return replace(
        signature, symbols=pd.DataFrame(out, columns=["gene", "symbol", "other_symbols"])
    )


def write_signature(path: Path | str, signature: Signature) -> None:
    """Write a signature as a table that other tools read too, and what else is known as ``.json``.

    The variability goes into a second table, ``.var`` before the ending.
    """
    path = Path(path)
    tables = [(path, signature.profiles)]
    if signature.variability is not None:
        tables.append((path.with_suffix(f".var{path.suffix}"), signature.variability))
    for target, table in tables:
        with replacing(target) as temporary:
            table.rename_axis("gene").to_csv(temporary, sep="\t", lineterminator="\n")
    more = {
        "name": signature.name,
        "unit": signature.unit,
        "scale": signature.scale,
        "markers": list(signature.markers),
        "mrna": {str(k): float(v) for k, v in signature.mrna.items()},
        "provenance": {str(k): str(v) for k, v in signature.provenance.items()},
    }
    write_text(_beside(path), json.dumps(more, indent=1, ensure_ascii=False) + "\n")


@cache
def _names() -> Names:
    return turn_table(gene_table())


def _beside(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".gz").rsplit(".", 1)[0] + ".json")


def _sidecar(path: Path) -> dict[str, Any]:
    """Read what stands beside a table we wrote."""
    beside = _beside(path)
    if not beside.is_file():
        return {}
    try:
        found = json.loads(beside.read_text(encoding="utf-8"))
        out: dict[str, Any] = {
            "name": str(found["name"]),
            "unit": str(found["unit"]),
            "scale": str(found["scale"]),
            "markers": tuple(str(g) for g in found["markers"]),
            "mrna": {str(k): float(v) for k, v in found["mrna"].items()},
            "provenance": {str(k): str(v) for k, v in found["provenance"].items()},
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            "the description of the signature cannot be read",
            where=str(beside),
            do="build the signature anew, or remove this file",
        ) from error
    variability = path.with_suffix(f".var{path.suffix}")
    if variability.is_file():
        out["variability"] = _numbers(variability)
    return out


def _epic_files(path: Path) -> list[Path]:
    """Find the files of one group of EPIC's tables."""
    folder, start = (path, "") if path.is_dir() else (path.parent, path.name)
    if not folder.is_dir():
        raise UserError("no such signature matrix", where=str(path), do="check the path")
    files = [f for f in sorted(folder.iterdir()) if f.is_file() and f.name.startswith(start)]
    by_role: dict[str, list[Path]] = {}
    for file in files:
        role = _role(file)
        if role:
            by_role.setdefault(role, []).append(file)
    if "profiles" not in by_role:
        raise UserError(
            "no such signature matrix, and no files called refProfiles either",
            where=str(path),
            do="give a table of genes x cell types, or EPIC's tables",
        )
    several = [f.name for found in by_role.values() if len(found) > 1 for f in found]
    if several:
        raise UserError(
            f"several files have one role: {some(several)}",
            where=str(path),
            do="name the group by the beginning of its files' names, for example FOLDER/TRef",
        )
    return [found[0] for found in by_role.values()]


def _role(file: Path) -> str:
    bare = file.name
    while any(bare.lower().endswith(e) for e in ENDINGS):
        bare = bare.rsplit(".", 1)[0]
    return next((role for role, pattern in ROLES if pattern.search(bare)), "")


def _from_text(files: list[Path], where: Path) -> dict[str, Any]:
    at = {_role(file): file for file in files}
    out: dict[str, Any] = {"profiles": _numbers(at["profiles"])}
    if "variability" in at:
        out["variability"] = _numbers(at["variability"])
    if "markers" in at:
        genes = [row[-1] for row in _cells(at["markers"]) if row[-1]]
        known = set(map(str, out["profiles"].index))
        out["markers"] = genes[1:] if genes and genes[0] not in known else genes
    if "mrna" in at:
        out["mrna"] = _named_numbers(at["mrna"])
    out["name"] = where.name
    return out


def _from_r(path: Path) -> dict[str, Any]:
    objects = read_r_data(path)
    for name, value in objects.items():
        if isinstance(value, dict) and "refProfiles" in value:
            out: dict[str, Any] = {"profiles": value["refProfiles"], "name": name or path.stem}
            out["variability"] = value.get("refProfiles.var")
            out["markers"] = [str(gene) for gene in value.get("sigGenes", [])]
            mrna = next((v for k, v in objects.items() if k.startswith("mRNA_cell")), None)
            mrna = value.get("mRNA_cell", mrna)
            if isinstance(mrna, pd.Series):
                out["mrna"] = {str(k): float(v) for k, v in mrna.items()}
            return out
    tables = {k: v for k, v in objects.items() if isinstance(v, pd.DataFrame)}
    if len(tables) != 1:
        raise UserError(
            f"the file holds {some(objects) or 'nothing'}, not one matrix or one EPIC reference",
            where=str(path),
            do="save the signature matrix alone",
        )
    name, table = next(iter(tables.items()))
    return {"profiles": table, "name": name or path.stem}


def _numbers(path: Path) -> pd.DataFrame:
    """Read a table of genes x cell types; the header may be one field short, as R writes it."""
    header, *rows = _cells(path) or [[]]
    wide = {len(row) for row in rows}
    if len(wide) != 1 or (n := wide.pop()) - len(header) not in (0, 1) or n < 2:
        raise UserError(
            "the rows are not all as long as the header",
            where=str(path),
            do="give a table of genes x cell types, tab- or comma-separated",
        )
    columns = header if n > len(header) else header[1:]
    try:
        cells = [["nan" if cell == "NA" else cell for cell in row[1:]] for row in rows]
        values = np.array(cells, dtype=np.float64)
    except ValueError as error:
        raise UserError(
            f"a cell is no number ({error})",
            where=str(path),
            do="keep genes in the first column and numbers in all others",
        ) from error
    return pd.DataFrame(values, [row[0] for row in rows], columns)


def _cells(path: Path) -> list[list[str]]:
    """Read the cells of a text file, plain or gzip, whatever separates them."""
    data = need_file(path, "signature matrix").read_bytes()
    try:
        text = (gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data).decode("utf-8-sig")
    except (UnicodeDecodeError, OSError, EOFError, zlib.error) as error:
        raise UserError(
            f"this is not UTF-8 text ({error})",
            where=str(path),
            do="export the table as tab-separated text",
        ) from error
    first = text.split("\n", 1)[0]
    separator = "\t" if "\t" in first else "," if "," in first else " "
    rows = csv.reader(text.splitlines(), delimiter=separator)
    return [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]


def _named_numbers(path: Path) -> Mapping[str, float]:
    out = {}
    for row in _cells(path):
        try:
            out[row[0]] = float(row[-1])
        except ValueError:
            if out:  # the first row may be a header
                raise UserError(f"{row[-1]!r} is no number", where=str(path)) from None
    return out


def _once(table: pd.DataFrame) -> pd.DataFrame:
    """Join rows of one gene by their median; drop rows without a name or with missing values."""
    table = table.set_axis([str(g).strip() for g in table.index])
    table = table[(table.index != "") & np.isfinite(table.to_numpy(dtype=float)).all(axis=1)]
    if table.index.has_duplicates:
        table = table.groupby(level=0, sort=False).median()
    return table
