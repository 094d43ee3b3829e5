r"""quanTIseq: fractions of ten immune cell types, and of all other cells (Finotello 2019).

The TIL10 signature *A* (TPM of 170 genes in ten cell types) explains a sample's TPM *b* as
:math:`A m`, with mRNA shares :math:`m \ge 0, \sum m \le 1` by least squares. Division by the mRNA
content per cell *s* turns shares into cell fractions with the same sum,
:math:`f_c = \frac{m_c / s_c}{\sum m_k / s_k} \sum m_k`, and what they leave of 1 is "Other".

CD4 and regulatory T cells resemble each other. Where the fraction *r* of Tregs is below 0.02, the
fit is repeated without CD4 T cells (giving *r'*), Tregs become :math:`u = (r + r')/2`, CD4 T cells
lose :math:`(r' + u)/2` but not below zero, and all fractions are divided by their sum.

Values agree with the authors' program and with the R package quantiseqr 1.11.0; see the tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from resistpath.deconvolve import intervals, robust_fit, solver
from resistpath.deconvolve.algebra import (
    Floats,
    Whole,
    apply,
    grams,
    invert,
    row_sums,
    sum_first,
    times,
)
from resistpath.deconvolve.celltypes import COMBINED, REMARKS, of
from resistpath.deconvolve.fitted import Fitted, Labels, assemble, diagnose
from resistpath.deconvolve.profiles import KEYS
from resistpath.deconvolve.result import Result, no_rows
from resistpath.deconvolve.rows import Rows, as_of_2017, find, need, require_half, text
from resistpath.errors import UserError, some

FEW_TREGS = 0.02
CD4, TREGS, OTHER = "T.cells.CD4", "Tregs", "Other"
FITS = ("lsei", *robust_fit.WEIGHTS)
SYMBOLS = ("quantiseqr", "current", "published")


def quantiseq(
    tpm: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    *,
    tumour: bool = True,
    array: bool = False,
    scale_mrna: bool = True,
    robust: str = "lsei",
    remove_genes: str | Sequence[str] = "default",
    symbols: str = "quantiseqr",
    interval: bool = True,
) -> Result:
    """Estimate cell fractions by quanTIseq.

    Parameters
    ----------
    tpm
        Genes x samples, linear TPM; gene symbols.
    tables
        ``til10``, ``til10_scaling``, ``til10_removed`` and, for ``symbols="quantiseqr"``,
        ``hgnc_2017``.
    tumour
        Leave out the 17 signature genes that tumours express.
    array
        Treat the values as microarray intensities, as the original does: noisy genes stay in, and
        the samples given are quantile-normalised together. **With it a sample's fractions depend
        on the other samples.**
    scale_mrna
        Correct for the mRNA content per cell.
    robust
        ``"lsei"``, constrained least squares, or ``"huber"``, ``"hampel"``, ``"bisquare"``: robust
        regression, whose fractions sum to 1 without "Other".
    remove_genes
        ``"default"``, the 17 signature genes that are noisy in RNA-seq (none for arrays);
        ``"none"``; or a list of genes.
    symbols
        ``"quantiseqr"`` does to gene symbols what the R package does: approved symbols of
        2017-04-18 stay, some previous ones are renamed, all other rows are dropped, and the rest
        is scaled to a million again. The other two drop nothing: ``"current"`` finds the signature
        genes by their symbols of today or former ones, ``"published"`` by those printed alone.
    interval
        Also give 90 % intervals (see `intervals`).

    Returns
    -------
    Result
        Fractions of all cells in the sample.
    """
    for option, value, known in (("symbols", symbols, SYMBOLS), ("robust", robust, FITS)):
        if value not in known:
            raise UserError(
                f"quantiseq knows no {option} {value!r}", do=f"use one of {', '.join(known)}"
            )
    signature = need(tables, "til10", KEYS)
    types = [c for c in signature.columns if c not in KEYS]
    content = _content(tables, types) if scale_mrna else np.ones(len(types))
    left_out = _left_out(signature, tables, tumour, array, remove_genes)

    labels = [str(gene) for gene in tpm.index]
    if symbols == "quantiseqr":
        table = need(tables, "hgnc_2017", ("symbol", "becomes"))
        names, dropped = as_of_2017(labels, table)
        wanted = text(signature["gene"])
    else:
        names, dropped = labels, no_rows()
        wanted = find(signature, labels) if symbols == "current" else text(signature["gene"])
    rows = Rows(tpm, names)
    if array:
        rows = rows.quantile_normalised()
    genes = _genes(signature, wanted, left_out, rows)
    used = np.flatnonzero(genes["used"])
    candidates = sum(not reason for reason in left_out)
    require_half(len(used), candidates, "quantiseq")

    sums = rows.sums()
    if (sums <= 0).any():
        raise UserError(f"no known gene is expressed in {some(rows.samples[sums <= 0])}")
    mixture = np.array([rows.value(wanted[gene]) for gene in used]) * 1e6 / sums
    profiles = signature[types].to_numpy(dtype=np.float64)[used]
    groups = intervals.groups_of(used) if interval else None
    if robust == "lsei":
        fitted = _constrained(profiles, mixture, groups, types, content)
        columns = [*types, OTHER]
    else:
        fitted = _robust(profiles, mixture, groups, content, robust)
        columns = types
    notes = _notes(columns)
    if array:
        notes[""] = f"depends on the cohort: quantile-normalised over {len(sums)} samples"
    return assemble(
        fitted,
        Labels(columns, rows.samples, COMBINED["quantiseq"]),
        diagnose(profiles, mixture, fitted.explained, rows.samples, candidates),
        genes,
        notes,
        dropped,
    )


def _notes(columns: Sequence[str]) -> dict[str, str]:
    notes = {}
    for column in columns:
        notes[column] = REMARKS.get(("quantiseq", of("quantiseq", column).id), "")
    for wider, members in COMBINED["quantiseq"].items():
        notes[wider] = "sum of: " + "; ".join(of("quantiseq", name).label for name in members)
    return notes


def _constrained(
    profiles: Floats, mixture: Floats, groups: Whole | None, types: list[str], content: Floats
) -> Fitted:
    parts, crosses = grams(profiles, mixture, groups)
    gram, cross = sum_first(parts), sum_first(crosses)
    pair = CD4 in types and TREGS in types
    others = [i for i, name in enumerate(types) if name != CD4]

    def solve(
        gram: Floats, cross: Floats, near: tuple[Floats, Floats] | None = None
    ) -> tuple[Floats, Floats, Floats]:
        first, second = near or (None, None)
        shares = solver.constrained(gram, cross, start=first)
        without = np.zeros_like(shares[:, others])
        fractions = _fractions(shares, content)
        if pair:
            without = solver.constrained(
                gram[np.ix_(others, others)], np.ascontiguousarray(cross[:, others]), start=second
            )
            tregs = _fractions(without, content[others])[:, others.index(types.index(TREGS))]
            _few_tregs(fractions, tregs, types.index(CD4), types.index(TREGS))
        return fractions / row_sums(fractions)[:, None], shares, without

    estimate, shares, without = solve(gram, cross)
    whole = row_sums(shares)
    cells = row_sums(shares / content)
    some_left = cells > 0
    scale = np.where(some_left, whole, 1.0) / np.where(some_left, cells, _mean(1 / content))

    def free(gram: Floats, cross: Floats) -> Floats:
        x = apply(invert(gram[None])[0], cross) / content * scale[:, None]
        return np.hstack([x, np.zeros((len(x), 1))])

    explained = times(profiles, np.ascontiguousarray(shares.T))
    if groups is None:
        return Fitted(estimate, explained)
    leave = [(gram - g, cross - c) for g, c in zip(parts, crosses, strict=True)]
    return Fitted(
        estimate,
        explained,
        replicates=[solve(g, c, (shares, without))[0] for g, c in leave],
        free=free(gram, cross),
        free_replicates=[free(g, c) for g, c in leave],
    )


def _fractions(shares: Floats, content: Floats) -> Floats:
    """Turn shares of mRNA into shares of cells with the same sum, and append what is left of 1."""
    cells = shares / content
    whole, amount = row_sums(shares), row_sums(cells)
    cells *= (whole / np.where(amount > 0, amount, 1.0))[:, None]
    return np.hstack([cells, np.maximum(0.0, 1.0 - row_sums(cells))[:, None]])


def _few_tregs(fractions: Floats, without_cd4: Floats, cd4: int, tregs: int) -> None:
    """Share out CD4 and regulatory T cells where the latter are few; changes `fractions`."""
    few = fractions[:, tregs] < FEW_TREGS
    new = (fractions[few, tregs] + without_cd4[few]) / 2
    fractions[few, tregs] = new
    fractions[few, cd4] = np.maximum(0.0, fractions[few, cd4] - (without_cd4[few] + new) / 2)


def _robust(
    profiles: Floats, mixture: Floats, groups: Whole | None, content: Floats, kind: str
) -> Fitted:
    fit = robust_fit.regress(profiles, mixture, kind)

    def fractions(slopes: Floats) -> Floats:
        cells = np.maximum(0.0, slopes) / content
        amount = row_sums(cells)
        # Without any positive slope there is nothing to say.
        return np.asarray(cells / np.where(amount > 0, amount, np.nan)[:, None])

    amount = row_sums(np.maximum(0.0, fit.slopes) / content)
    scale = np.where(amount > 0, amount, np.nan)[:, None] * content
    repeats = []
    if groups is not None:
        repeats = robust_fit.without_groups(profiles, mixture, fit, groups, kind)
    return Fitted(
        fractions(fit.slopes),
        times(profiles, np.ascontiguousarray(fit.slopes.T)) + fit.intercept,
        replicates=[fractions(r) for r in repeats],
        free=fit.slopes / scale,
        free_replicates=[r / scale for r in repeats],
    )


def _mean(values: Floats) -> float:
    return float(values.sum() / len(values))


def _content(tables: Mapping[str, pd.DataFrame], types: list[str]) -> Floats:
    table = need(tables, "til10_scaling", ("cell_type", "mrna"))
    content = dict(zip(text(table["cell_type"]), table["mrna"], strict=True))
    return np.array([float(content[name]) for name in types])


def _left_out(
    signature: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    tumour: bool,
    array: bool,
    remove_genes: str | Sequence[str],
) -> list[str]:
    """Say for each signature gene why it is left out; an empty text if it is not."""
    if isinstance(remove_genes, str) and remove_genes not in ("default", "none"):
        raise UserError(
            f"remove_genes is {remove_genes!r}", do="use default, none or a list of genes"
        )
    table = need(tables, "til10_removed", ("gene", "list"))
    listed: dict[str, set[str]] = {"noisy": set(), "tumour": set()}
    for gene, name in zip(text(table["gene"]), text(table["list"]), strict=True):
        listed[name].add(gene)
    asked = set() if isinstance(remove_genes, str) else set(remove_genes)
    unknown = asked - {*text(signature["gene"]), *text(signature["symbol"])}
    if unknown:
        raise UserError(
            f"genes to remove are not in the signature: {some(sorted(unknown))}",
            do="take them off the list",
        )
    reasons = []
    for gene, symbol in zip(text(signature["gene"]), text(signature["symbol"]), strict=True):
        if gene in asked or symbol in asked:
            reasons.append("left out: asked for")
        elif remove_genes == "default" and not array and gene in listed["noisy"]:
            reasons.append("left out: noisy in RNA-seq")
        elif tumour and gene in listed["tumour"]:
            reasons.append("left out: expressed by tumours")
        else:
            reasons.append("")
    return reasons


def _genes(
    signature: pd.DataFrame, wanted: list[str], left_out: list[str], rows: Rows
) -> pd.DataFrame:
    there = [name in rows for name in wanted]
    return pd.DataFrame(
        {
            "gene": text(signature["gene"]),
            "row": [rows.label(name) for name in wanted],
            "used": [here and not why for here, why in zip(there, left_out, strict=True)],
            "fate": [
                why or ("used" if here else "missing")
                for here, why in zip(there, left_out, strict=True)
            ],
        }
    )
