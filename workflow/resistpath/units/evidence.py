"""What the values of one sample say about its unit; nothing here looks at a second sample."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from resistpath.units.quantity import BASES, LOG_MAXIMUM
from resistpath.units.steps import NO_STEP, WHOLE, Floats, Step, find_step, rounding

MILLION = (0.98e6, 1.0005e6)
"""Whole numbers that add up to this are rounded TPM; so shallow a library is rare."""
EXACT = (0.999e6, 1.0005e6)
"""A sum within these limits is a million: evidence for TPM or CPM, and for the base."""
LENGTH_TOTAL = 1.1e6
"""TPM and FPKM add up to no more."""
CPM_TOTAL = 2.5e6
"""CPM add up to no more, even after scaling between samples."""
COVERAGE_TOTAL = 1.5e9
"""No library has so many reads; recount3's sums of base coverage do."""
FLOOR_SHARE = 0.01
"""A minimum shared by this share of a sample's values is what an unexpressed gene has."""
TRANSCRIPTOME = 5000
"""With fewer rows than this a matrix is a panel, whose sums say little."""
ARRAY_MAXIMUM = 2.0**20
FEWEST_WHOLE = 20
"""So many positive values must be whole before they are believed to be counts."""
LEGIBLE = 0.03
"""Where rounding in the file exceeds this, whole numbers cannot be told."""

COVERAGE = (
    "its whole numbers add up to {:.3g}, more than any library has reads: sums of base coverage,"
    " as recount3 gives them, to be divided by the read length"
)

STRONG, FAIR, WEAK = 3, 2, 1


@dataclass(frozen=True)
class Reading:
    """One way to read a sample, and how well the values support it.

    Attributes
    ----------
    quantity, log, offset
        As in `Units`; an offset of None fits any up to `limit`.
    grade
        3: the values have a mark of this reading; 2: they fit; 1: they do not contradict it.
    merit
        Among readings of the best grade those well below the highest merit (0 to 1) are chance.
    total
        Sum over genes on the linear scale.
    why
        The evidence, as one clause.
    """

    quantity: str
    log: str = ""
    offset: float | None = 0.0
    limit: float = 0.0
    grade: int = FAIR
    merit: float = 0.0
    total: float = 0.0
    why: str = ""

    def __str__(self) -> str:
        plus = f"+{self.offset:g}" if self.offset else "+?" if self.offset is None else ""
        return f"{self.log}({self.quantity}{plus})" if self.log else self.quantity


@dataclass(frozen=True)
class SampleEvidence:
    """The figures of one sample and the readings they leave open.

    `empty` marks a sample without expression, which fits every unit. Without readings, `why`
    says what is wrong.
    """

    n: int
    missing: int
    minimum: float
    maximum: float
    floor_share: float
    negative_share: float
    total: float
    whole_share: float
    step: float
    readings: tuple[Reading, ...]
    why: str = ""
    empty: bool = False


def read_sample(values: Floats) -> SampleEvidence:
    """Read one sample; `values` may hold NaN."""
    known = ~np.isnan(values)
    x = values if known.all() else values[known]
    whole = bool((np.rint(x) == x).all())
    if not whole or x.max(initial=0) < LOG_MAXIMUM:
        # For the search for a step, and because sums must not depend on the order of the genes;
        # those of whole numbers do not.
        x = np.sort(x)
    if len(x) == 0:
        nan = float("nan")
        return SampleEvidence(
            0, len(values), nan, nan, nan, nan, nan, nan, nan, (), "it holds no value at all"
        )
    low, high, total = float(x.min()), float(x.max()), float(x.sum())
    whole = whole and low >= 0 and int(np.count_nonzero(x)) >= FEWEST_WHOLE
    floor = np.count_nonzero(x <= low + 1e-6 * max(1.0, abs(low))) / len(x)
    base = SampleEvidence(
        n=len(x),
        missing=len(values) - len(x),
        minimum=low,
        maximum=high,
        floor_share=floor,
        negative_share=np.count_nonzero(x < 0) / len(x) if low < 0 else 0.0,
        total=total,
        whole_share=1.0 if whole else _whole(x[x > 0], np.zeros(1)) if low >= 0 else 0.0,
        step=float("nan"),
        readings=(),
    )
    if low == high:
        why = "" if low == 0 else f"all its values are {low:g}"
        return replace(base, empty=low == 0, why=why)
    why = ""
    if low >= 0 and high >= LOG_MAXIMUM:
        if whole:
            found = [(WHOLE, reading) for reading in _whole_numbers(total)]
        else:
            found = list(_quantities(x, np.full(1, rounding(x)), logged=False))
        if not found:
            why = COVERAGE.format(base.total)
    elif low < 0 and base.floor_share < FLOOR_SHARE:
        found, why = _without_floor(x, base)
    elif low < 0 and abs(low + high) < 1e-6:
        found = [_relative("values cut at both ends")]
    else:
        found, why = _logarithms(x, base)
    best = max(((r.grade, r.merit) for _, r in found), default=(0, 0.0))
    kept = [(s, r) for s, r in found if r.grade == best[0] and r.merit >= best[1] - 0.2]
    return replace(
        base,
        readings=tuple(r for _, r in kept),
        why=why,
        total=kept[0][1].total if kept else base.total,
        step=kept[0][0].size if kept else base.step,
    )


Found = list[tuple[Step, Reading]]


def _relative(why: str) -> tuple[Step, Reading]:
    return NO_STEP, Reading("relative", offset=0.0, grade=STRONG, why=why)


def _without_floor(x: Floats, figures: SampleEvidence) -> tuple[Found, str]:
    """Negative values, the lowest of them not repeated."""
    zeros = float(np.mean(x == 0))
    if zeros >= FLOOR_SHARE and figures.negative_share < 0.05:
        n = int((x < 0).sum())
        return [], (
            f"{n} of its values {'is' if n == 1 else 'are'} negative (lowest {x.min():.4g}) where"
            f" {zeros:.0%} are 0, which neither abundances nor their logarithms can be"
        )
    if x.max() >= LOG_MAXIMUM:
        return [], f"it holds negative values (lowest {x.min():.4g}) beside {x.max():.4g}"
    centred = figures.negative_share >= 0.3 and np.mean(np.exp2(x)) < 4
    if centred:
        return [
            _relative(f"{figures.negative_share:.0%} of values negative, without a common floor")
        ], ""
    return _logarithms(x, figures)


def _logarithms(x: Floats, figures: SampleEvidence) -> tuple[Found, str]:
    """Every base, and the offsets that the lowest value can stand for under it."""
    raw_noise = max(rounding(x), 2e-7 * max(abs(figures.minimum), abs(figures.maximum)))
    raised = figures.minimum > 0 and figures.floor_share >= FLOOR_SHARE
    found: Found = []
    for name, base in BASES.items():
        power = np.power(base, x)
        noise = power * (np.log(base) * raw_noise)
        for offset, nice, free in _offsets(figures, base):
            linear = power - offset
            linear[linear < 1e-5 * offset] = 0.0
            for step, reading in _quantities(linear, noise, logged=True):
                grade = reading.grade if nice else min(reading.grade, FAIR)
                if nice and offset < 1 and not free and reading.grade == FAIR:
                    grade = STRONG
                if raised and grade < STRONG:
                    continue
                reading = replace(reading, log=name, offset=offset, grade=grade)
                if reading.quantity == "intensity":
                    reading = replace(reading, offset=0.0)
                elif free:
                    reading = replace(reading, offset=None, limit=float(base**figures.minimum))
                found.append((step, reading))
    if found:
        return found, ""
    if raised:
        return [], (
            f"{figures.floor_share:.0%} of its values are {figures.minimum:.4g}, as after a"
            " variance-stabilising transformation (DESeq2 vst, rlog), which cannot be undone"
        )
    return [], (
        f"its values run from {figures.minimum:.3g} to {figures.maximum:.3g}: too small for a"
        " linear scale, and no logarithm makes abundances of them"
    )


def _offsets(figures: SampleEvidence, base: float) -> Iterator[tuple[float, bool, bool]]:
    """Offsets the lowest value can stand for: number, is it a usual one, is it only a try.

    A sample without zeros does not show its offset; readings with such a try stay open.
    """
    low, repeated = figures.minimum, figures.floor_share >= FLOOR_SHARE
    if abs(low) < 1e-9:
        yield 1.0, True, False
    elif not repeated:
        yield (1.0 if low > 0 else 0.0), True, True
    else:
        exact = float(base**low)
        short = float(f"{exact:.1g}")
        close = abs(short / exact - 1) < 2e-3
        round_number = close and f"{short:e}"[0] in "125"
        power_of_two = base == 2 and abs(low - round(low)) < 1e-9
        yield (short if round_number else exact), round_number or power_of_two, False
        if low > 0:
            yield 1.0, True, False


def _quantities(linear: Floats, noise: Floats, *, logged: bool) -> Iterator[tuple[Step, Reading]]:
    """What linear values, ascending, can be: marks of counts first, then their sum."""
    total, top = float(linear.sum()), float(linear.max())
    if logged and not _plausible(total, top, len(linear)):
        return
    positive = linear > 0
    x = linear[positive]
    noise = noise[positive] if len(noise) > 1 else noise
    whole = _whole(x, noise)
    noise = np.broadcast_to(noise, x.shape)
    step = WHOLE if whole >= 0.99 and not logged else find_step(x, noise, logged=logged)

    def say(quantity: str, grade: int, why: str, merit: float = 0.0) -> tuple[Step, Reading]:
        return step, _reading(quantity, grade, why, total, merit)

    if whole >= 0.99 or (step.whole and step.full):
        yield from ((step, reading) for reading in _whole_numbers(total))
    elif (whole >= 0.3 or (step.whole and step.partial)) and total > LENGTH_TOTAL:
        share = max(whole, step.share if step.whole else 0.0)
        yield say("estimated_counts", STRONG, f"{share:.0%} whole numbers", share)
        if x[noise < LEGIBLE].max() < 300:  # or scaled by a factor that is almost one
            yield say("normalised_counts", STRONG, f"{share:.0%} whole numbers", share)
    elif step.full or (step.partial and not step.whole):
        words = "multiples" if step.full else f"for {step.share:.0%} multiples"
        words = f"low values are {words} of {step.size:.4g}, one read"
        if total <= CPM_TOTAL:
            yield say("cpm", STRONG, words, step.merit)
        if total > LENGTH_TOTAL:
            yield say("normalised_counts", STRONG, words, step.merit)
    elif total <= LENGTH_TOTAL:
        million = EXACT[0] <= total <= EXACT[1]
        why = "fractional values without steps of one read"
        yield say("tpm", STRONG if million else FAIR, why, float(million))
    else:
        why = "fractional values without steps of one read, too large for TPM"
        array = positive.all() and x.min() >= 1 and total > 2e6 and 5e3 < top <= ARRAY_MAXIMUM
        if array:
            yield say("intensity", FAIR if logged else WEAK, "no zeros, " + why)
        yield say("normalised_counts", WEAK, why)
        yield say("fpkm", WEAK, why)


def _reading(quantity: str, grade: int, why: str, total: float, merit: float) -> Reading:
    why = f"{why}, sum over genes {total:.4g}"
    return Reading(quantity, grade=grade, merit=merit, total=total, why=why)


def _whole_numbers(total: float) -> Iterator[Reading]:
    """What whole numbers with this sum can be."""
    if total > COVERAGE_TOTAL:
        return
    why, found = "whole numbers", ["counts"]
    if abs(total - 1e6) < 0.5 or total < MILLION[0]:
        found = ["counts", "tpm"]
    elif total <= MILLION[1]:
        why, found = "whole numbers that add up to a million", ["tpm"]
    yield from (_reading(quantity, STRONG, why, total, 1.0) for quantity in found)


def _plausible(total: float, top: float, n: int) -> bool:
    """Whether a sample whose logarithm was undone could be one of RNA."""
    if n < TRANSCRIPTOME:
        return 50 <= top <= 1e9
    return 300 <= top <= 1e9 and 2 * n <= total <= 1e10


def _whole(x: Floats, noise: Floats) -> float:
    """Share of whole numbers among positive values that rounding leaves legible.

    `noise` is one number for all or one for each.
    """
    if len(noise) > 1:
        x, noise = x[noise < LEGIBLE], noise[noise < LEGIBLE]
    if len(x) < FEWEST_WHOLE or not (noise < LEGIBLE).all():
        return 0.0
    return np.count_nonzero(np.abs(x - np.rint(x)) <= np.maximum(0.01, 1.5 * noise)) / len(x)
