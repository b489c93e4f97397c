#!/usr/bin/env python3
"""The concordance correlation coefficient and its gradient in exact arithmetic: writes ccc.csv.

    python3 tests/golden/losses/make_ccc.py

Needs Python alone (written by 3.11). Predictions x and labels y of row i follow from integers, and
are exact in double; the tests compute the same (tests/loss/ccc_test.cpp):

    u = (7919 i + 13) mod 1009 - 504,   v = (104729 i + 7) mod 997 - 498
    x = offset_x + slope_x u / 1024,    y = offset_y + (slope_y u + noise v) / 1024

A masked case leaves out the rows with i mod 7 = 3. gradient_first, _middle and _last are dccc/dx of
the rows 0, n // 2 and n - 1 (0 where masked); gradient_y is dccc/dy of row 0. Results are rounded
once.
"""

import csv
from fractions import Fraction
from pathlib import Path

EPSILON = 1e-7
COLUMNS = ("n", "offset_x", "slope_x", "offset_y", "slope_y", "noise", "masked")
RESULTS = ("ccc", "gradient_first", "gradient_middle", "gradient_last", "gradient_y")
LARGE = 2**30


def cases():
    for n in (2, 3, 48, 1009, 1_000_000):
        yield n, 0, 1, 0, 2, 1, 0
        yield n, LARGE, 1, LARGE, 1, 1, 0
        yield n, LARGE, 1, LARGE - 3, -1, 1, 0
    for n in (48, 1009, 1_000_000):
        yield n, 0, 1, 0, 1, 1, 1
        yield n, LARGE, 2, LARGE + 1, 1, 3, 1
    for n in (2, 48, 1_000_000):
        yield n, 5, 0, 5, 1, 1, 0  # constant predictions
        yield n, LARGE, 0, LARGE + 1, 1, 1, 0
        yield n, 5, 1, 5, 0, 0, 0  # constant labels
        yield n, 5, 0, 7, 0, 0, 0  # both
        yield n, 5, 0, 5, 0, 0, 0  # the same constant
        yield n, LARGE, 1, LARGE, 1, 0, 0  # perfect
    yield 1_000_000, 0, 1, LARGE, 1, 1, 0  # nothing but distance


def ccc(n, offset_x, slope_x, offset_y, slope_y, noise, masked):
    def pair(i):  # in units of 1 / 1024
        u, v = (7919 * i + 13) % 1009 - 504, (104729 * i + 7) % 997 - 498
        return 1024 * offset_x + slope_x * u, 1024 * offset_y + slope_y * u + noise * v

    def counts(i):
        return not masked or i % 7 != 3

    pairs = [pair(i) for i in range(n) if counts(i)]
    rows = len(pairs)
    mean_x, mean_y = (Fraction(sum(column), rows) for column in zip(*pairs))
    xx = Fraction(sum(x * x for x, _ in pairs), rows) - mean_x**2
    yy = Fraction(sum(y * y for _, y in pairs), rows) - mean_y**2
    xy = Fraction(sum(x * y for x, y in pairs), rows) - mean_x * mean_y
    denominator = xx + yy + (mean_x - mean_y) ** 2 + Fraction(EPSILON) * 1024**2
    value = 2 * xy / denominator

    def gradient(i, of_y=False):
        x, y = pair(i)
        if of_y:
            slope = (x - mean_x) - value * (y - mean_x)
        else:
            slope = (y - mean_y) - value * (x - mean_y)
        return 1024 * 2 * slope / (rows * denominator) if counts(i) else Fraction(0)

    return value, gradient(0), gradient(n // 2), gradient(n - 1), gradient(0, of_y=True)


def main():
    out = Path(__file__).resolve().parent / "ccc.csv"
    with open(out, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS + RESULTS)
        for case in cases():
            writer.writerow(case + tuple(repr(float(result)) for result in ccc(*case)))
    print(f"{out.stat().st_size} bytes -> {out}")


if __name__ == "__main__":
    main()
