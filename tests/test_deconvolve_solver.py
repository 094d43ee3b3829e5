"""The solvers under deconvolution: exact optima, and bits that no neighbour changes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from resistpath.deconvolve import algebra, robust_fit, solver
from resistpath.io.resources import deconvolution_tables

PROFILES = deconvolution_tables()["til10"].iloc[:, 3:].to_numpy(dtype=float)


def by_enumeration(a: np.ndarray, b: np.ndarray, limit: float | None) -> np.ndarray:
    """Solve by trying every set of free columns, with and without the sum held at its limit."""
    k = a.shape[1]
    best, at = np.inf, np.zeros(k)
    for size in range(k + 1):
        for free in itertools.combinations(range(k), size):
            for bound in (False, True) if limit is not None and size else (False,):
                part = a[:, free]
                if bound:
                    system = np.block(
                        [
                            [part.T @ part, np.ones((size, 1))],
                            [np.ones((1, size)), np.zeros((1, 1))],
                        ]
                    )
                    x = np.linalg.solve(system, np.append(part.T @ b, limit))[:size]
                else:
                    x = np.linalg.lstsq(part, b)[0] if size else np.zeros(0)
                feasible = (x >= 0).all() and (limit is None or x.sum() <= limit + 1e-12)
                value = ((part @ x - b) ** 2).sum()
                if feasible and value < best:
                    best, at = value, np.zeros(k)
                    at[list(free)] = x
    return at


@pytest.mark.parametrize("limit", [1.0, 0.4, None])
@pytest.mark.parametrize("seed", range(6))
def test_solver_equals_enumeration(limit: float | None, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = np.exp(rng.normal(0, 1.5, (12, 5)))
    a[:, 4] = a[:, 3] * (1 + 0.01 * rng.normal(size=12))  # nearly the same cell type
    b = a @ rng.normal(0.1, 0.3, (5, 9)) + rng.normal(0, 1, (12, 9))
    gram, cross = algebra.grams(a, b)
    found = solver.constrained(gram[0], cross[0], limit)
    expected = np.array([by_enumeration(a, b[:, i], limit) for i in range(9)])
    np.testing.assert_allclose(found, expected, atol=1e-8)
    warm = solver.constrained(gram[0], cross[0], limit, start=np.abs(rng.normal(size=(9, 5))))
    np.testing.assert_allclose(warm, expected, atol=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_solver_with_a_fixed_sum_equals_enumeration(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a = np.exp(rng.normal(0, 1.5, (12, 5)))
    b = a @ rng.normal(0.1, 0.3, (5, 9)) + rng.normal(0, 1, (12, 9))
    gram, cross = algebra.grams(a, b)
    found = solver.constrained(gram[0], cross[0], 0.7, exact=True)
    np.testing.assert_allclose(found.sum(axis=1), 0.7)
    # The same as a gene of overwhelming weight whose value is the sum.
    heavy = np.vstack([a, np.full((1, 5), 1e5)]), np.vstack([b, np.full((1, 9), 0.7e5)])
    expected = np.array([by_enumeration(heavy[0], heavy[1][:, i], None) for i in range(9)])
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_active_set_alone_finds_what_the_rounds_find(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the rounds of block pivoting the slow way must give the same bits."""
    rng = np.random.default_rng(0)
    b = PROFILES @ rng.dirichlet([0.3] * 10, 300).T * rng.uniform(0.2, 1.5, 300)
    b *= np.exp(rng.normal(0, 0.8, b.shape))
    gram, cross = algebra.grams(PROFILES, b)
    for limit in (1.0, 0.3, None):
        monkeypatch.setattr(solver, "ROUNDS", 6)
        quick = solver.constrained(gram[0], cross[0], limit)
        monkeypatch.setattr(solver, "ROUNDS", 0)
        np.testing.assert_array_equal(solver.constrained(gram[0], cross[0], limit), quick)


@pytest.mark.parametrize("size", [1, 7, 64])
def test_block_size_changes_no_bit(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    rng = np.random.default_rng(3)
    b = PROFILES @ rng.dirichlet([0.3] * 10, 200).T * np.exp(rng.normal(0, 0.8, (170, 200)))

    def solved() -> np.ndarray:
        gram, cross = algebra.grams(PROFILES, b)
        return solver.constrained(gram[0], cross[0])

    whole = solved()
    monkeypatch.setattr(algebra, "BLOCK", size)
    monkeypatch.setattr(solver, "BLOCK", size)
    monkeypatch.setattr(solver, "KEPT", 5)
    np.testing.assert_array_equal(solved(), whole)


def test_solution_is_exact() -> None:
    """Karush-Kuhn-Tucker conditions to rounding, for 2,000 samples of TIL10."""
    rng = np.random.default_rng(0)
    b = PROFILES @ rng.dirichlet([0.3] * 10, 2000).T * rng.uniform(0.2, 1.5, 2000)
    b *= np.exp(rng.normal(0, 0.5, b.shape))
    gram, cross = algebra.grams(PROFILES, b)
    x = solver.constrained(gram[0], cross[0])
    assert x.min() == 0.0
    assert x.sum(axis=1).max() <= 1 + 1e-15 * 10
    slope = cross[0] - x @ gram[0]
    size = np.abs(cross[0]).max(axis=1, keepdims=True)
    bound = x.sum(axis=1) > 1 - 1e-12
    assert 0.1 < bound.mean() < 0.9
    multiplier = np.where(bound, np.where(x > 0, slope, -np.inf).max(axis=1), 0.0)
    assert (multiplier >= -1e-12 * size[:, 0]).all()
    rest = (slope - multiplier[:, None]) / size
    assert np.abs(rest[x > 0]).max() < 1e-13
    assert rest[x == 0].max() < 1e-12


@pytest.mark.parametrize("apart", [0.0, 1e-9, 1e-7, 1e-5])
@pytest.mark.parametrize("limit", [1.0, None])
def test_cell_types_with_one_profile_do_not_stop_the_solver(
    apart: float, limit: float | None
) -> None:
    rng = np.random.default_rng(5)
    a = np.exp(rng.normal(0, 1, (50, 5)))
    a[:, 1] = a[:, 0] * (1 + apart * rng.normal(size=50))
    b = a @ rng.dirichlet([0.4] * 5, 200).T * np.exp(rng.normal(0, 0.3, (50, 200)))
    gram, cross = algebra.grams(a, b)
    x = solver.constrained(gram[0], cross[0], limit)
    gram, cross = algebra.grams(a[:, 1:], b)
    single = solver.constrained(gram[0], cross[0], limit)
    off = [np.linalg.norm(m @ y.T - b, axis=0) for m, y in ((a, x), (a[:, 1:], single))]
    assert (x >= 0).all()
    assert (off[0] <= off[1] * (1 + 1e-4)).all()


def test_inverse_of_positive_definite_matrices() -> None:
    rng = np.random.default_rng(2)
    a = rng.normal(size=(30, 20, 7)) * np.exp(rng.normal(0, 3, 7))
    stack = np.einsum("kgi,kgj->kij", a, a)
    np.testing.assert_allclose(
        algebra.invert(stack) @ stack, np.broadcast_to(np.eye(7), stack.shape), atol=1e-7
    )


@pytest.mark.parametrize("kind", sorted(robust_fit.WEIGHTS))
def test_robust_fit_equals_its_steps_one_sample_at_a_time(kind: str) -> None:
    """Least squares, then weights of residuals over MAD / 0.6745 until they move by < 1e-4."""
    rng = np.random.default_rng(8)
    a = np.exp(rng.normal(0, 1, (40, 4)))
    b = a @ rng.dirichlet([1.0] * 4, 6).T + rng.standard_t(2, (40, 6)) * 0.3
    fit = robust_fit.regress(a, b, kind)
    design = np.column_stack([np.ones(40), a])
    for sample in range(6):
        y = b[:, sample]
        rest = y - design @ np.linalg.lstsq(design, y)[0]
        for _ in range(1000):
            u = np.abs(rest) / (np.median(np.abs(rest)) / 0.6745)
            if kind == "huber":
                w = 1.345 / np.maximum(u, 1.345)
            elif kind == "bisquare":
                w = np.where(u < 4.685, (1 - (u / 4.685) ** 2) ** 2, 0)
            else:
                w = np.select(
                    [u <= 1.5, u <= 3.5, u < 8], [1.0, 1.5 / u, 1.5 * (8 - u) / (4.5 * u)], 0.0
                )
            root = np.sqrt(w)
            x = np.linalg.lstsq(design * root[:, None], y * root)[0]
            moved = np.linalg.norm(rest - (y - design @ x)) / np.linalg.norm(rest)
            rest = y - design @ x
            if moved <= 1e-4:
                break
        np.testing.assert_allclose(fit.slopes[sample], x[1:], atol=1e-12)
        np.testing.assert_allclose(fit.intercept[sample], x[0], atol=1e-12)


@pytest.mark.parametrize("kind", sorted(robust_fit.WEIGHTS))
def test_robust_fit_without_groups_is_a_fit_without_their_genes(kind: str) -> None:
    """A few steps from the whole fit's weights come near the fit started afresh."""
    rng = np.random.default_rng(4)
    a = np.exp(rng.normal(0, 1, (60, 4)))
    b = a @ rng.dirichlet([1.0] * 4, 5).T + rng.standard_t(3, (60, 5)) * 0.2
    groups = np.arange(60) % 6
    whole = robust_fit.regress(a, b, kind)
    off = []
    for group, found in enumerate(robust_fit.without_groups(a, b, whole, groups, kind)):
        keep = groups != group
        again = robust_fit.regress(a[keep], b[keep], kind).slopes
        off.append(np.abs(found - again).max() / np.abs(again - whole.slopes).max())
    assert np.median(off) < 0.05  # the biweight has several optima, and may go to another


def test_solutions_of_factorised_systems() -> None:
    rng = np.random.default_rng(2)
    a = rng.normal(size=(30, 20, 7)) * np.exp(rng.normal(0, 2, 7))
    stack = np.einsum("kgi,kgj->ijk", a, a)
    right = rng.normal(size=(7, 30))
    x = algebra.solve_last(algebra.factor_last(stack), right)
    np.testing.assert_allclose(np.einsum("ijk,jk->ik", stack, x), right, atol=1e-9)


def test_sums_by_row_do_not_see_other_rows() -> None:
    rng = np.random.default_rng(3)
    weights, rows = rng.random((50, 30)), rng.random((30, 8))
    whole = algebra.sums_by_row(weights, rows)
    np.testing.assert_allclose(whole, weights @ rows)
    np.testing.assert_array_equal(algebra.sums_by_row(weights[7:8], rows), whole[7:8])
    np.testing.assert_array_equal(algebra.sums_by_row(weights[::-1].copy(), rows), whole[::-1])
