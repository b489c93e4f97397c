#!/usr/bin/env python3
"""Arrays as NumPy saves them: writes *.npy beside this file.

    python3 tests/golden/npy/make_npy.py

The committed files are of NumPy 2.4.6. tests/io/npy_test.cpp knows their values.
"""

from pathlib import Path

import numpy as np

ARRAYS = {
    "f4": np.array([[1.5, -2.25, 0.1], [3e38, -0.0, 1e-40]], "<f4"),
    "f8": np.array(0.0634921, "<f8"),
    "i4": np.array([-2147483648, 7], "<i4"),
    "i8": np.array(6),
    "u1": np.arange(250, 256, dtype="|u1").reshape(1, 2, 3),
    "b1": np.array([True, False, True]),
    "text": np.array("0.0634921"),
    "texts": np.array([["", "a"], ["Fröhlich 😀", "bc"]]),
    "empty": np.zeros((0, 3), "<f4"),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big_endian": np.array([1.0, 2.0], ">f8"),
    "structured": np.array([(1, 2.0)], [("a", "<i4"), ("b", "<f8")]),
}


def main():
    here = Path(__file__).parent
    for name, array in ARRAYS.items():
        np.save(here / f"{name}.npy", array)
    for major in (2, 3):
        with open(here / f"version_{major}.npy", "wb") as file:
            np.lib.format.write_array(file, np.array([major, 0.5]), version=(major, 0))


if __name__ == "__main__":
    main()
