"""The unit of a matrix: the reading that all its samples share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from resistpath.errors import UserError, some
from resistpath.expression import over_sample_blocks, samples_by_genes
from resistpath.units.evidence import Reading, SampleEvidence, read_sample
from resistpath.units.quantity import PER_LENGTH, Units

DO = "set units for this cohort, for example units = {}"
_SAME = (("cpm", "normalised_counts"), ("normalised_counts", "estimated_counts"))
"""Readings from which the same TPM follow; the first is reported."""


def detect_units(values: pd.DataFrame) -> Units:
    """Read the unit from the values of a genes x samples matrix; see `read_units`."""
    return read_units(values)[0]


def read_units(values: pd.DataFrame, threads: int = 1) -> tuple[Units, pd.DataFrame]:
    """Read the unit from the values, and say on what evidence.

    Each sample is read alone (see `evidence`), so it has the same readings in any company. What
    all samples have in common decides; nothing is decided by a vote, and what stays open is an
    error. A sample alone can therefore be refused where its cohort is read, but never be read
    as something else.

    1. A largest value below 40 means a logarithm. Its offset is that of the lowest value where
       that is repeated (the value of an unexpressed gene), or 1 where it is 0. Bases 2, e and 10
       are tried: whole numbers, steps of one read, a sum of a million or an offset such as 0.001
       mark the right one.
    2. Whole numbers are counts, unless they add up to a million (rounded TPM).
    3. Multiples of one number are scaled counts (CPM, RSEM normalised, TMM), because dividing by
       gene length leaves no common step.
    4. Other values that add up to a million or less are TPM or FPKM, which are the same after
       rescaling.

    Parameters
    ----------
    values
        Genes x samples, as read; NaN allowed.
    threads
        Samples are read by so many threads; no result depends on it.

    Returns
    -------
    units, evidence
        The unit, and one row per sample: sample, n_values, missing, minimum, maximum,
        floor_share, negative_share, total, whole_share, step, reading, why.

    Raises
    ------
    UserError
        If samples disagree or the values fit two units; it names both and the key ``units``.
    """
    blocks = over_sample_blocks(values, _read_samples, threads)
    found = [evidence for block in blocks for evidence in block]
    names = [str(c) for c in values.columns]
    unread = [name for name, e in zip(names, found, strict=True) if not e.readings and not e.empty]
    if unread:
        first = found[names.index(unread[0])]
        raise UserError(
            f"the unit of {len(unread)} of {len(names)} samples cannot be read ({some(unread)});"
            f" {unread[0]}: {first.why}",
            where="units",
            do="correct the values, or " + DO.format("log2(tpm+1)"),
        )
    reading = _common(names, found)
    return _units(reading), _table(names, found)


def _read_samples(values: pd.DataFrame) -> list[SampleEvidence]:
    return [read_sample(x) for x in samples_by_genes(values)]


def _common(names: Sequence[str], found: Sequence[SampleEvidence]) -> Reading:
    """Return the one reading that fits every sample."""
    sets = [e.readings for e in found if not e.empty]
    if not sets:
        raise UserError("all values are zero", where="units", do="give a matrix with expression")
    common = list(dict.fromkeys(sets[0]))
    for readings in sets[1:]:
        common = [m for a in common for b in readings if (m := _meet(a, b))]
    common = [r for r in common if not any(_same(s, r) for s in common if s.quantity != r.quantity)]
    if not common:
        raise _disagreement(names, found)
    if len(common) > 1 or common[0].offset is None:
        raise _ambiguity(common)
    return common[0]


def _meet(a: Reading, b: Reading) -> Reading | None:
    """Return the reading that fits both samples, if there is one."""
    if (a.quantity, a.log) != (b.quantity, b.log):
        return None
    if a.offset is None and b.offset is None:
        return a if a.limit <= b.limit else b
    if a.offset is None or b.offset is None:
        fixed, free = (b, a) if a.offset is None else (a, b)
        return fixed if (fixed.offset or 0.0) <= free.limit * (1 + 1e-3) else None
    return a if abs(a.offset - b.offset) <= 2e-3 * max(a.offset, b.offset) else None


def _same(kept: Reading, other: Reading) -> bool:
    return (kept.quantity, other.quantity) in _SAME and kept.log == other.log


def _disagreement(names: Sequence[str], found: Sequence[SampleEvidence]) -> UserError:
    votes = Counter(_words(e.readings) for e in found if not e.empty)
    (most, n), *rest = votes.most_common()
    few = [
        name
        for name, e in zip(names, found, strict=True)
        if not e.empty and _words(e.readings) != most
    ]
    others = "; ".join(f"{count} as {words}" for words, count in rest[:3])
    return UserError(
        f"samples differ in unit: {n} read as {most}, {others}; the fewer are {some(few)}",
        where="units",
        do="bring all samples to one unit, or set units if one unit fits all",
    )


def _ambiguity(common: Sequence[Reading]) -> UserError:
    open_offset = [r for r in common if r.offset is None]
    if open_offset and len({(r.quantity, r.log) for r in common}) == 1:
        r = common[0]
        written = (f"{r.log}({r.quantity})", f"{r.log}({r.quantity}+1)")
        return UserError(
            "no sample shows the value of an unexpressed gene, so the offset is open:"
            f" {written[0]} or {written[1]}",
            where="units",
            do=DO.format(written[1]),
        )
    words = [str(replace(r, offset=1.0) if r.offset is None else r) for r in common]
    why = dict.fromkeys(r.why for r in common)
    evidence = "; ".join(
        why if len(why) == 1 else (f"{w}: {r.why}" for w, r in zip(words, common, strict=True))
    )
    return UserError(
        f"the values could be {' or '.join(words)} ({evidence})",
        where="units",
        do=DO.format(words[0]),
    )


def _words(readings: Sequence[Reading]) -> str:
    return " or ".join(dict.fromkeys(str(r) for r in readings))


def _units(reading: Reading) -> Units:
    """Say the reading of the whole matrix; the figures behind it stand sample by sample."""
    offset = reading.offset or 0.0
    how = "read from the values"
    if reading.quantity == "relative":
        return Units("relative", how=f"{how}: centred or z-scored, {reading.why}")
    if reading.log:
        how += f": logarithmic, an unexpressed gene has {reading.log}({offset:g})"
    if reading.quantity in PER_LENGTH:
        how += "; TPM or FPKM, the same after rescaling"
    if reading.quantity == "cpm":
        how += "; gene length is still in them (if tags of CAGE or of 3' ends: units = tpm)"
    return Units(reading.quantity, reading.log, offset, how)


def _table(names: Sequence[str], found: Sequence[SampleEvidence]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "sample": names,
            "n_values": [e.n for e in found],
            "missing": [e.missing for e in found],
            "minimum": [e.minimum for e in found],
            "maximum": [e.maximum for e in found],
            "floor_share": [e.floor_share for e in found],
            "negative_share": [e.negative_share for e in found],
            "total": [e.total for e in found],
            "whole_share": [e.whole_share for e in found],
            "step": [e.step for e in found],
            "reading": ["no expression" if e.empty else _words(e.readings) for e in found],
            "why": ["" if e.empty else e.readings[0].why for e in found],
        }
    )
