"""Every gene of a sample, small enough to stand in its page, and the genes that lead a readout."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from resistpath.reference import midrank_percentile
from resistpath.report.text import words

if TYPE_CHECKING:
    from resistpath.mechanisms.catalogue import Readout

Record = dict[str, Any]

ENCODING = (
    "symbols and values are base64 of zlib streams. symbols: UTF-8 text of sorted names, each begun"
    " by a control character: its code less 1 is how many characters the name shares with the one"
    " before. values: two planes of one byte per gene: 10 x log2(TPM + 1), then the percentile in"
    " whole numbers, 0 for below 1 and 100 for above 99; 255 is missing in both."
)
_MISSING = 255
_LONGEST_PREFIX = 30
_NAME = re.compile("([\x01-\x1f])([^\x01-\x1f]*)")
MOST_LEADING, MOST_AGAINST = 5, 2
AGAINST = 25.0
"""A gene speaks against its readout from this many percentile points beyond the middle."""


def places(
    reference: pd.DataFrame, values: pd.DataFrame, inside: np.ndarray | None = None
) -> np.ndarray:
    """Mid-rank percentiles of every gene, genes x samples; NaN for genes the reference lacks.

    Parameters
    ----------
    reference, values
        Genes x samples, log2(TPM+1).
    inside
        Where each sample stands in the reference, see `resistpath.reference.members`.
    """
    out = np.full(values.shape, np.nan)
    at = reference.index.get_indexer(values.index)
    ref, own = reference.to_numpy(), values.to_numpy()
    for row, where in enumerate(at):
        if where >= 0:
            out[row] = midrank_percentile(ref[where], own[row], inside)
    out[~np.isfinite(own)] = np.nan
    return out


@dataclass(frozen=True)
class GeneNames:
    """Names of the genes of a cohort, packed once for all its pages."""

    names: tuple[str, ...]
    order: np.ndarray
    rows: Mapping[str, int]
    packed: str
    _of_readouts: dict[str, tuple[list[str], np.ndarray, np.ndarray]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @classmethod
    def of(cls, genes: Iterable[object]) -> GeneNames:
        """Sort and pack gene names; their order in the matrix is kept in `order`."""
        given = [words(gene) for gene in genes]
        order = np.array(sorted(range(len(given)), key=given.__getitem__), dtype=int)
        names = tuple(given[i] for i in order)
        return cls(names, order, {name: i for i, name in enumerate(given)}, _pack(_front(names)))

    def of_readout(self, entry: Readout) -> tuple[list[str], np.ndarray, np.ndarray]:
        """Measured genes of a readout: names, rows of the matrix, and 1 up or -1 down."""
        found = self._of_readouts.get(entry.readout)
        if found is None:
            sides = ((1, entry.genes_up), (-1, entry.genes_down))
            known = [(g, self.rows[g], s) for s, genes in sides for g in genes if g in self.rows]
            found = (
                [name for name, _, _ in known],
                np.array([row for _, row, _ in known], dtype=int),
                np.array([side for _, _, side in known], dtype=int),
            )
            self._of_readouts[entry.readout] = found
        return found


@dataclass(frozen=True)
class SampleGenes:
    """Levels and places of one sample's genes, in the order of the matrix.

    Attributes
    ----------
    names
        Names of the genes.
    level
        log2(TPM+1).
    percentile
        Place in the reference, 0 to 100; NaN where there is none.
    """

    names: GeneNames
    level: np.ndarray
    percentile: np.ndarray

    def record(self) -> Record:
        """Every gene, packed; `unpacked` reads it back."""
        order = self.names.order
        level, percentile = self.level[order], self.percentile[order]
        tenths = np.where(np.isfinite(level), np.clip(np.rint(level * 10), 0, 254), _MISSING)
        place = np.clip(np.rint(percentile), 1, 99)
        place = np.where(percentile < 1, 0, np.where(percentile > 99, 100, place))
        place = np.where(np.isfinite(percentile), place, _MISSING)
        planes = np.concatenate([tenths, place]).astype(np.uint8)
        return {
            "n": len(level),
            "n_placed": int(np.isfinite(percentile).sum()),
            "encoding": ENCODING,
            "symbols": self.names.packed,
            "values": _pack(planes.tobytes()),
        }


def unpacked(record: Mapping[str, Any]) -> dict[str, Record]:
    """Read back what `SampleGenes.record` packed: level and percentile by gene.

    >>> genes = SampleGenes(GeneNames.of(["B", "AB", "AA"]), np.array([1.234, 0.0, 9.0]),
    ...                     np.array([99.7, 50.4, np.nan]))
    >>> unpacked(genes.record())["B"]
    {'log2_tpm': 1.2, 'percentile': 100}
    """
    names, previous = [], ""
    symbols = zlib.decompress(base64.b64decode(record["symbols"])).decode("utf-8")
    for shared, rest in _NAME.findall(symbols):
        previous = previous[: ord(shared) - 1] + rest
        names.append(previous)
    planes = np.frombuffer(zlib.decompress(base64.b64decode(record["values"])), dtype=np.uint8)
    level, place = planes.reshape(2, -1).tolist()
    return {
        name: {
            "log2_tpm": None if level[i] == _MISSING else level[i] / 10,
            "percentile": None if place[i] == _MISSING else place[i],
        }
        for i, name in enumerate(names)
    }


def _pack(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 9)).decode("ascii")


def _front(names: Sequence[str]) -> bytes:
    """Write each name as how much of the one before it repeats, and the rest."""
    parts, previous = [], ""
    for name in names:
        shared = 0
        for a, b in zip(previous[:_LONGEST_PREFIX], name, strict=False):
            if a != b or not a.isascii():
                break
            shared += 1
        parts.append(chr(1 + shared) + name[shared:])
        previous = name
    return "".join(parts).encode("utf-8")


def leading(entry: Readout, percentile: float | None, genes: SampleGenes | None) -> Record | None:
    """Genes of a readout that lie furthest to the side its own percentile lies on.

    Parameters
    ----------
    entry
        The readout; genes of its down side count inverted.
    percentile
        Place of the readout itself in the reference.
    genes
        Levels and places of the sample's genes.

    Returns
    -------
    dict
        ``side`` ("high" or "low"), ``genes`` and ``against`` (up to five and two, each with gene,
        inverted, log2_tpm and percentile), and how many of the ``placed`` genes lie on the
        readout's side of the middle, ``agreeing``. None without a percentile or genes.
    """
    if genes is None or percentile is None:
        return None
    names, rows, sides = genes.names.of_readout(entry)
    place = genes.percentile[rows]
    towards = 1 if percentile >= 50 else -1
    pull = sides * towards * (place - 50)
    placed = np.flatnonzero(np.isfinite(pull))
    if not len(placed):
        return None
    order = placed[np.argsort(-pull[placed], kind="stable")]

    def described(i: int) -> Record:
        return {
            "gene": words(names[i]),
            "inverted": bool(sides[i] < 0),
            "log2_tpm": float(genes.level[rows[i]]),
            "percentile": float(place[i]),
        }

    return {
        "side": "high" if towards > 0 else "low",
        "placed": len(placed),
        "agreeing": int((pull[placed] > 0).sum()),
        "genes": [described(i) for i in order[:MOST_LEADING] if pull[i] > 0],
        "against": [described(i) for i in order[::-1][:MOST_AGAINST] if pull[i] <= -AGAINST],
    }
