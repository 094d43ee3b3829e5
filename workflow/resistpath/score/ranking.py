"""Ranks by radix sort: no comparison, one pass over the bits of every value (see `kernels`)."""

from __future__ import annotations

import numpy as np


def rank_float32(bits, place, ordered, doubled, low, position):  # type: ignore[no-untyped-def]
    """Rank each row; see `rank_float64`. Key and gene share one word, sorted in three passes."""
    rows, n = bits.shape
    one = np.empty(n, dtype=np.uint64)
    two = np.empty(n, dtype=np.uint64)
    count = np.empty((3, 2048), dtype=np.int32)
    for i in range(rows):
        count[:] = 0
        for j in range(n):
            b = np.uint32(bits[i, j])
            if b == np.uint32(0x80000000):
                b = np.uint32(0)
            key = ~b if b >> np.uint32(31) else b | np.uint32(0x80000000)
            key = np.uint32(key)
            count[0, key & np.uint32(2047)] += 1
            count[1, (key >> np.uint32(11)) & np.uint32(2047)] += 1
            count[2, key >> np.uint32(22)] += 1
            one[j] = (np.uint64(key) << np.uint64(32)) | np.uint64(place[j])
        for step in range(3):
            before = np.int32(0)
            for digit in range(2048):
                here = count[step, digit]
                count[step, digit] = before
                before += here
            shift = np.uint64(32 + 11 * step)
            for j in range(n):
                word = one[j]
                d = np.int64((word >> shift) & np.uint64(2047))
                two[count[step, d]] = word
                count[step, d] += 1
            one, two = two, one
        j = 0
        while j < n:
            key64 = one[j] >> np.uint64(32)
            end = j + 1
            while end < n and one[end] >> np.uint64(32) == key64:
                end += 1
            for k in range(j, end):
                g = np.int64(one[k] & np.uint64(0xFFFFFFFF))
                doubled[i, g] = j + 1 + end
                low[i, g] = j + 1
                if ordered:
                    position[i, g] = end - (k - j)
            j = end


def rank_float64(bits, place, ordered, doubled, low, position):  # type: ignore[no-untyped-def]
    """Rank each row of a matrix by the bits of its floats.

    Bits of floats, negative ones inverted and the sign bit turned, sort as the floats do; a
    stable radix sort puts them in order without comparing. -0 counts as 0. The results stand
    in the order of names: twice the average rank, the lowest rank of ties, and the place from
    the bottom with ties in the order of the rows, the first one topmost (if `ordered`).
    """
    rows, n = bits.shape
    key1 = np.empty(n, dtype=np.uint64)
    key2 = np.empty(n, dtype=np.uint64)
    gene1 = np.empty(n, dtype=np.int32)
    gene2 = np.empty(n, dtype=np.int32)
    count = np.empty((6, 2048), dtype=np.int32)
    top = np.uint64(0x8000000000000000)
    for i in range(rows):
        count[:] = 0
        for j in range(n):
            b = np.uint64(bits[i, j])
            if b == top:
                b = np.uint64(0)
            key = ~b if b >> np.uint64(63) else b | top
            key1[j] = key
            gene1[j] = place[j]
            for step in range(6):
                count[step, np.int64((key >> np.uint64(11 * step)) & np.uint64(2047))] += 1
        for step in range(6):
            before = np.int32(0)
            for digit in range(2048):
                here = count[step, digit]
                count[step, digit] = before
                before += here
            shift = np.uint64(11 * step)
            for j in range(n):
                d = np.int64((key1[j] >> shift) & np.uint64(2047))
                to = count[step, d]
                key2[to] = key1[j]
                gene2[to] = gene1[j]
                count[step, d] = to + 1
            key1, key2 = key2, key1
            gene1, gene2 = gene2, gene1
        j = 0
        while j < n:
            end = j + 1
            while end < n and key1[end] == key1[j]:
                end += 1
            for k in range(j, end):
                doubled[i, gene1[k]] = j + 1 + end
                low[i, gene1[k]] = j + 1
                if ordered:
                    position[i, gene1[k]] = end - (k - j)
            j = end
