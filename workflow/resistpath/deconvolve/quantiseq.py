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
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from resistpath.deconvolve import intervals, robust_fit, solver
from resistpath.deconvolve.celltypes import COMBINED, REMARKS, of
from resistpath.deconvolve.result import Result
from resistpath.deconvolve.rows import Rows, as_of_2017, find, need, require_half, text
from resistpath.deconvolve.solver import Floats
from resistpath.errors import UserError, some

FEW_TREGS = 0.02
CD4, TREGS, OTHER = "T.cells.CD4", "Tregs", "Other"
FITS = ("lsei", *robust_fit.WEIGHTS)
KEYS = ("gene", "symbol", "other_symbols")
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
        names, dropped = labels, pd.DataFrame(columns=["row", "becomes", "fate"], dtype=str)
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
    groups = intervals.groups_of(used)
    if robust == "lsei":
        fitted = _constrained(profiles, mixture, groups, types, content)
        columns = [*types, OTHER]
    else:
        fitted = _robust(profiles, mixture, groups, content, robust)
        columns = types

    parts = {
        key: [columns.index(name) for name in members]
        for key, members in COMBINED["quantiseq"].items()
    }
    everything = [*columns, *parts]
    estimate = _with_sums(fitted.estimate, parts)
    low = high = np.full(estimate.shape, np.nan)
    if interval:
        replicates = [_with_sums(r, parts) for r in fitted.replicates]
        half = intervals.half_width(estimate, replicates)
        # A fraction held at zero does not move when genes leave. How far it could have been from
        # zero is read from the fit without constraints.
        reach = intervals.half_width(
            _with_sums(fitted.free, parts), [_with_sums(r, parts) for r in fitted.free_replicates]
        )
        low = np.clip(estimate - half, 0.0, 1.0)
        high = np.clip(np.maximum(estimate + half, reach), 0.0, 1.0)

    notes = {}
    for column in everything:
        cell = of("quantiseq", column)
        notes[column] = REMARKS.get(("quantiseq", cell.id), "")
        if column in parts:
            labels_of = [of("quantiseq", columns[p]).label for p in parts[column]]
            notes[column] = "sum of: " + "; ".join(labels_of)
    if array:
        notes[""] = f"depends on the cohort: quantile-normalised over {len(sums)} samples"
    own = len(columns)
    return Result(
        estimate=pd.DataFrame(estimate[:, :own], rows.samples, columns),
        combined=pd.DataFrame(estimate[:, own:], rows.samples, list(parts)),
        low=pd.DataFrame(low, rows.samples, everything),
        high=pd.DataFrame(high, rows.samples, everything),
        fit=_fit(profiles, mixture, fitted, rows.samples, candidates),
        genes=genes,
        dropped=dropped,
        notes={column: note for column, note in notes.items() if note},
    )


@dataclass(frozen=True)
class _Fitted:
    """A fit and its repeats without each group of genes.

    Attributes
    ----------
    estimate, replicates
        Fractions.
    free, free_replicates
        Without constraints, brought to the scale of the fractions.
    explained
        Genes x samples: what the fit makes of the mixture.
    """

    estimate: Floats
    replicates: list[Floats]
    free: Floats
    free_replicates: list[Floats]
    explained: Floats


def _constrained(
    profiles: Floats,
    mixture: Floats,
    groups: npt.NDArray[np.intp],
    types: list[str],
    content: Floats,
) -> _Fitted:
    grams, crosses = solver.grams(profiles, mixture, groups)
    gram, cross = _sum(grams), _sum(crosses)
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
        return fractions / solver.total(fractions)[:, None], shares, without

    estimate, shares, without = solve(gram, cross)
    whole = solver.total(shares)
    cells = solver.total(shares / content)
    some_left = cells > 0
    scale = np.where(some_left, whole, 1.0) / np.where(some_left, cells, _mean(1 / content))

    def free(gram: Floats, cross: Floats) -> Floats:
        x = solver.apply(solver.invert(gram[None])[0], cross) / content * scale[:, None]
        return np.hstack([x, np.zeros((len(x), 1))])

    leave = [(gram - g, cross - c) for g, c in zip(grams, crosses, strict=True)]
    return _Fitted(
        estimate=estimate,
        replicates=[solve(g, c, (shares, without))[0] for g, c in leave],
        free=free(gram, cross),
        free_replicates=[free(g, c) for g, c in leave],
        explained=solver.apply(profiles, shares).T,
    )


def _fractions(shares: Floats, content: Floats) -> Floats:
    """Turn shares of mRNA into shares of cells with the same sum, and append what is left of 1."""
    cells = shares / content
    whole, amount = solver.total(shares), solver.total(cells)
    cells *= (whole / np.where(amount > 0, amount, 1.0))[:, None]
    return np.hstack([cells, np.maximum(0.0, 1.0 - solver.total(cells))[:, None]])


def _few_tregs(fractions: Floats, without_cd4: Floats, cd4: int, tregs: int) -> None:
    """Share out CD4 and regulatory T cells where the latter are few; changes `fractions`."""
    few = fractions[:, tregs] < FEW_TREGS
    new = (fractions[few, tregs] + without_cd4[few]) / 2
    fractions[few, tregs] = new
    fractions[few, cd4] = np.maximum(0.0, fractions[few, cd4] - (without_cd4[few] + new) / 2)


def _robust(
    profiles: Floats, mixture: Floats, groups: npt.NDArray[np.intp], content: Floats, kind: str
) -> _Fitted:
    fit = robust_fit.regress(profiles, mixture, kind)

    def fractions(slopes: Floats) -> Floats:
        cells = np.maximum(0.0, slopes) / content
        amount = solver.total(cells)
        # Without any positive slope there is nothing to say.
        return np.asarray(cells / np.where(amount > 0, amount, np.nan)[:, None])

    amount = solver.total(np.maximum(0.0, fit.slopes) / content)
    scale = np.where(amount > 0, amount, np.nan)[:, None] * content
    repeats = robust_fit.without_groups(profiles, mixture, fit, groups)
    return _Fitted(
        estimate=fractions(fit.slopes),
        replicates=[fractions(r) for r in repeats],
        free=fit.slopes / scale,
        free_replicates=[r / scale for r in repeats],
        explained=(solver.apply(profiles, fit.slopes) + fit.intercept[:, None]).T,
    )


def _sum(parts: Floats) -> Floats:
    """Sum over the first axis in a fixed order."""
    out: Floats = np.zeros(parts.shape[1:])
    for part in parts:
        out += part
    return out


def _mean(values: Floats) -> float:
    return float(values.sum() / len(values))


def _with_sums(values: Floats, parts: Mapping[str, list[int]]) -> Floats:
    """Append the sums of columns to the columns."""
    sums = [solver.total(values[:, columns])[:, None] for columns in parts.values()]
    return np.hstack([values, *sums])


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


def _fit(
    profiles: Floats, mixture: Floats, fitted: _Fitted, samples: pd.Index[str], candidates: int
) -> pd.DataFrame:
    n_genes = len(profiles)
    x, y = fitted.explained, mixture
    dx, dy = x - _sum(x) / n_genes, y - _sum(y) / n_genes
    spread = np.sqrt(_sum(dx * dx) * _sum(dy * dy))
    size = _sum(y * y)
    return pd.DataFrame(
        {
            "n_genes": n_genes,
            "n_signature": candidates,
            "coverage": n_genes / candidates,
            "correlation": _sum(dx * dy) / np.where(spread > 0, spread, np.nan),
            "residual": np.sqrt(_sum((x - y) ** 2) / np.where(size > 0, size, np.nan)),
        },
        index=samples,
    )
