"""reference: a prepared cohort becomes a frozen reference; packs are checked and shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from resistpath.errors import UserError, some
from resistpath.io.packs import FORMAT, find_pack, read_reference, write_reference
from resistpath.io.prepared import Prepared, read_prepared
from resistpath.io.resources import catalogue, catalogue_files, gene_table, resource
from resistpath.io.tables import read_table
from resistpath.mechanisms.evidence import examine
from resistpath.mechanisms.measure import CellTables, plain_scores
from resistpath.mechanisms.summary import NOISE, difference_sd, pairs, summarise
from resistpath.mechanisms.verdict import Thresholds
from resistpath.provenance import VERSION, file_sha256
from resistpath.quality import failed_gates
from resistpath.reference import MINIMUM_SAMPLES, Reference, build_reference
from resistpath.steps import Progress, silent
from resistpath.steps.deconvolve import read_cells

BIOPSY_NOISE = "biopsy_noise"
"""Key of a reference's facts: standard deviation of the difference between two biopsies of one
patient without treatment in between, on the normal-score axis, by ``"KIND:ID VIEW"``."""
FEWEST_PAIRS = 5
"""Pairs below which their standard deviation (off by a third at five) is not used for others."""
_FROM_PREPARATION = ("format", "units", "gene_id", "expression_sha256", "samples_sha256")


def parse_where(words: Sequence[str]) -> dict[str, list[str]]:
    """Conditions such as ``response_binary=R`` or ``stage=I,II``; all must hold.

    Examples
    --------
    >>> parse_where(["response_binary=R", "stage=I,II"])
    {'response_binary': ['R'], 'stage': ['I', 'II']}
    """
    out: dict[str, list[str]] = {}
    for word in words:
        column, _, values = word.partition("=")
        wanted = [v.strip() for v in values.split(",") if v.strip()]
        if not column.strip() or not wanted or column.strip() in out:
            raise UserError(
                f"{word!r} is no condition, or its column comes twice",
                where="--where",
                do="write COLUMN=VALUE or COLUMN=VALUE,VALUE",
            )
        out[column.strip()] = wanted
    return out


def build(
    folder: Path,
    *,
    name: str,
    out: Path,
    cancer_type: str = "",
    where: Mapping[str, Sequence[str]] | None = None,
    source: str = "",
    licence: str = "",
    release: str = "1",
    force: bool = False,
    say: Progress = silent,
) -> None:
    """Make a reference pack of a prepared, deconvolved cohort's pre-treatment tumours.

    Parameters
    ----------
    where
        Columns of the sample sheet and the values wanted there.
    source, licence, release
        For people to read: where the cohort came from, under what licence, which issue of the
        pack this is.
    force
        Replace a pack with other contents.
    """
    prepared = read_prepared(folder / "prepared.h5ad")
    cells = read_cells(folder)
    failed = failed_gates(read_table(folder / "quality.tsv"))
    disease = cancer_type or _only(prepared.obs, "cancer_type")
    reference = build_reference(
        name, disease, prepared.values, cells.values, prepared.obs, failed, where
    )
    provenance = {
        "release": release,
        "source": source or "not stated",
        "licence": licence or "not stated",
        "cohort": prepared.preparation.get("cohort"),
        **{k: prepared.preparation.get(k) for k in _FROM_PREPARATION},
        "resistpath": VERSION,
        **_tables(),
    }
    usable = [s for s in prepared.values.columns if s not in failed]
    repeated = pairs(prepared.obs, usable)
    statistics = summarise(reference, catalogue(), prepared.values, cells.values, repeated)
    noise = _biopsy_noise(reference, prepared, cells, repeated["biopsy"])
    made = Reference(
        reference.name,
        reference.cancer_type,
        reference.values,
        reference.fractions,
        reference.info | {"provenance": provenance, BIOPSY_NOISE: noise},
        statistics,
    )
    among_results = out.resolve().parent == folder.resolve()
    digest = write_reference(out, made, force=force, sealed=among_results)
    say(f"{made.n} samples; {len(made.info['left_out'])} left out")
    say("; ".join(_noise_words(made)))
    if made.n < MINIMUM_SAMPLES:
        say(f"fewer than {MINIMUM_SAMPLES} samples: no verdict is given against it")
    say(f"{out.name}: {out.stat().st_size / 1e6:.1f} MB, sha256 {digest[:12]}")


def _biopsy_noise(
    reference: Reference, prepared: Prepared, cells: CellTables, groups: list[list[str]]
) -> dict[str, float]:
    """Noise of two biopsies in normal scores of the reference; empty with too few pairs."""
    if sum(len(g) - 1 for g in groups) < FEWEST_PAIRS:
        return {}
    wanted = sorted({s for g in groups for s in g})
    tables = (cells.values, cells.half, cells.below_limit)
    some_cells = CellTables(*(t.reindex(wanted) for t in tables))
    values, obs = prepared.values[wanted], prepared.obs.loc[wanted]
    places = examine(values, some_cells, obs, {}, reference, catalogue(), Thresholds()).standings
    out = {}
    for kind, item in places.items:
        for view in ("raw", "residual"):
            z = pd.DataFrame({"z": places.of(f"{kind}:{item}", view).z}, index=wanted)
            known = [g for g in groups if z.loc[g, "z"].notna().all()]
            sd, n = difference_sd(z, known)
            if n >= FEWEST_PAIRS:
                out[f"{kind}:{item} {view}"] = float(sd["z"])
    return out


def _tables() -> dict[str, str]:
    """Digests of the shipped tables a pack's readouts come from."""
    deciding = ("readouts", "signature_genes")
    return {
        **{f"catalogue_{p.stem}": file_sha256(p) for p in catalogue_files() if p.stem in deciding},
        "gene_table": file_sha256(resource("genes.tsv.gz")),
    }


def _only(obs: pd.DataFrame, column: str) -> str:
    words = sorted({str(x) for x in obs[column].dropna()}) if column in obs else []
    return " + ".join(words) if words else "unknown disease"


def _noise_words(reference: Reference) -> list[str]:
    if reference.statistics is None:
        return ["no statistics"]
    noise = reference.statistics.noise
    what = {
        "technical": "technical noise from {} pairs of libraries of one biopsy",
        "biopsy": "biopsy noise from {} pairs of pre-treatment biopsies of one patient",
    }
    none = {
        "technical": "no technical replicates, so technical noise is unknown",
        "biopsy": "no second pre-treatment biopsies, so biopsy noise is unknown",
    }
    counts = {kind: int(noise[f"{kind}_pairs"].max()) for kind in NOISE}
    return [(what[k].format(counts[k]) if counts[k] else none[k]) for k in NOISE]


def describe(reference: Reference) -> dict[str, Any]:
    """What a reference pack is, as plain values."""
    return {
        "name": reference.name,
        "cancer_type": reference.cancer_type,
        "n_samples": reference.n,
        "n_genes": len(reference.values),
        "sha256": reference.digest,
        **{k: v for k, v in reference.info.items() if k != BIOPSY_NOISE},
    }


@dataclass(frozen=True)
class Chosen:
    """A reference to place samples in, where it lies, and what to say if it stands in."""

    reference: Reference
    path: Path
    stands_in: str = ""


def choose(words: Sequence[str | Path], least: int) -> list[Chosen]:
    """References by what the user wrote, the first of which decides verdicts.

    Parameters
    ----------
    words
        Each a path or the name of a shipped pack; or several parted by ``|``, of which the
        first with enough samples is taken. Nothing else falls back on anything. A pack that
        comes twice, as when it stands in and is named besides, counts once.
    least
        Fewest samples for a verdict.

    Raises
    ------
    UserError
        If a pack is missing or damaged, or two have one name.
    """
    out: list[Chosen] = []
    for word in words:
        paths = [find_pack(w.strip()) for w in str(word).split("|")]
        said = ""
        for path in paths:
            reference = read_reference(path)
            if reference.n >= least:
                break
            said = said or f"{reference.name} has {reference.n} samples, at least {least} needed"
        if path == paths[0] or reference.n < least:
            path, reference, said = paths[0], read_reference(paths[0]), ""
        if path.resolve() not in [c.path.resolve() for c in out]:
            out.append(Chosen(reference, path, said and f"stands in: {said}"))
    names = [c.reference.name for c in out]
    if repeated := [n for n in names if names.count(n) > 1]:
        raise UserError(
            f"two references are called {repeated[0]!r}", do="name each once, or rename a pack"
        )
    return out


def show(path: Path) -> dict[str, Any]:
    """Everything a pack says of itself, as plain values; missing numbers are None."""
    reference = read_reference(path)
    record = {"format": FORMAT} | describe(reference) | {"noise": _noise_words(reference)}
    if reference.statistics is not None:
        s = reference.statistics
        spread = pd.DataFrame(
            {
                "median": s.readouts.median(),
                "p05": s.readouts.quantile(0.05),
                "p95": s.readouts.quantile(0.95),
            }
        )
        table = spread.join(s.lines).join(s.noise)
        record["readouts"] = {
            str(name): {k: _number(v) for k, v in row.items()} for name, row in table.iterrows()
        }
    record["samples"] = [str(x) for x in reference.values.columns]
    return record


def _number(value: float) -> float | int | None:
    if not np.isfinite(value):
        return None
    return int(value) if float(value).is_integer() else float(value)


def check(path: Path) -> list[dict[str, str]]:
    """Whether a pack is whole, and made with the tables of this version.

    Returns
    -------
    list of dict
        ``check``, ``outcome`` (``ok``, ``warning``, ``failed``) and ``detail``.

    Raises
    ------
    UserError
        If the file is no pack, or its contents are not those its digest was taken of.
    """
    reference = read_reference(path)
    rows = [("digest", "ok", reference.digest), *_matrix_checks(reference)]
    current = set(gene_table()["symbol"].dropna())
    stale = [g for g in reference.values.index if g not in current]
    rows.append(
        ("gene symbols", "warning", f"{len(stale)} are not current: {some(stale)}")
        if stale
        else ("gene symbols", "ok", f"all {len(reference.values):,} are current")
    )
    made_with = reference.info.get("provenance", {})
    other = sorted(k for k, v in _tables().items() if made_with.get(k) != v)
    rows.append(
        (
            "catalogue",
            "warning",
            f"other tables than this version's: {some(other, 9)}; its stored readouts are of"
            " theirs, percentiles are computed anew in any case",
        )
        if other
        else ("catalogue", "ok", "made with the tables of this version")
    )
    rows.append(_readout_check(reference, comparable=not other))
    least = MINIMUM_SAMPLES
    rows.append(
        ("size", "ok", f"{reference.n} samples")
        if reference.n >= least
        else ("size", "warning", f"{reference.n} samples; verdicts need at least {least}")
    )
    return [dict(zip(("check", "outcome", "detail"), row, strict=True)) for row in rows]


def _matrix_checks(reference: Reference) -> list[tuple[str, str, str]]:
    x = reference.values.to_numpy()
    twice = reference.values.index.has_duplicates or reference.values.columns.has_duplicates
    same = reference.fractions.index.equals(reference.values.columns)
    shape = f"{x.shape[0]:,} genes x {x.shape[1]} samples"
    whole = x.size > 0 and not twice and same
    finite = bool(np.isfinite(x).all()) and float(x.min(initial=0.0)) >= 0
    total = (np.exp2(x.astype(np.float64)) - 1).sum(axis=0)
    far = int((np.abs(total / 1e6 - 1) > 0.02).sum())
    return [
        ("shape", "ok" if whole else "failed", shape if whole else f"{shape}; names do not fit"),
        (
            ("values", "ok", "finite, none below zero")
            if finite
            else ("values", "failed", "some are not finite or below zero")
        ),
        (
            ("scale", "warning", f"{far} samples do not add up to a million")
            if far
            else ("scale", "ok", "log2(x+1), each sample's x adds up to a million")
        ),
    ]


def _readout_check(reference: Reference, *, comparable: bool) -> tuple[str, str, str]:
    if reference.statistics is None:
        return ("readouts", "failed", "the pack holds no statistics")
    if not comparable:
        return ("readouts", "ok", "not compared: made with other tables")
    stored = reference.statistics.readouts
    again = plain_scores(reference.values, reference.fractions, catalogue())
    if not stored.columns.equals(again.columns):
        return ("readouts", "failed", "others than the catalogue's")
    a, b = stored.to_numpy(), again.to_numpy()
    differ = ~np.isclose(a, b, rtol=1e-9, atol=1e-9, equal_nan=True)
    if differ.any():
        names = [str(c) for c in stored.columns[differ.any(axis=0)]]
        return ("readouts", "failed", f"scored anew, {len(names)} differ: {some(names)}")
    return ("readouts", "ok", f"{len(stored.columns)} scored anew, all equal")
