"""The published figures of the translation baseline: GLAMI-1M, supplementary, tables 5 to 7."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from core.languages.pairs import PAPER

SOURCE = "Kosar et al. 2022, GLAMI-1M, supplementary"
DOUBT = (
    "Tables 5 (training) and 6 (test) are identical in print. Three pairs of countries with a count there (gr-tr, si-tr, "
    "lv-tr) have no BLEU in table 7, and the mean weighted by these counts is 2.05, not the printed 1.87: the printed counts "
    "are probably those of the training set, and those of the test set are unpublished."
)
BLEU_DOUBT = (
    "Table 7 is a mean of unsmoothed sentence BLEU on words split at spaces. Its code cut texts at 32 tokens and references "
    "not, tagged every source as English, and asked for Estonian where Spanish was meant."
)

_COUNTS = (
    (4669, 1249, 977, 2712, 1797, 1986, 784, 1877, 1022, 723, 10, 1148),
    (2231, 635, 3882, 2366, 2526, 722, 2557, 1024, 485, 31, 1485),
    (766, 1417, 1276, 1748, 416, 731, 644, 238, 214, 370),
    (825, 1901, 1231, 648, 1317, 444, 234, 5, 461),
    (5458, 2232, 1076, 3137, 1937, 613, 730, 1188),
    (3235, 1416, 6880, 2983, 1086, 548, 3297),
    (1174, 3319, 3408, 933, 0, 2095),
    (860, 381, 710, 322, 1099),
    (5640, 5538, 10, 9176),
    (1968, 9, 1737),
    (5, 5085),
    (4,),
)  # fmt: skip

_BLEU = """
- 7.30 .63 .79 2.26 .91 1.38 .45 2.36 .47 .17 .00 .07
6.68 - 1.53 2.57 3.48 1.28 2.27 .06 2.86 4.49 .00 .00 .35
.57 2.49 - 5.87 4.20 .02 4.58 .47 2.21 1.33 .49 2.40 .17
1.70 4.48 3.86 - 8.46 2.32 1.59 .20 6.44 .78 .00 nan .03
2.35 3.80 4.92 9.96 - 1.78 2.91 .56 3.88 .23 .00 1.32 .12
2.67 2.86 1.42 6.00 5.36 - 7.35 .34 8.89 4.37 1.98 2.01 .23
2.18 2.38 3.63 2.02 1.89 .83 - .36 1.71 2.24 .09 .00 .17
.11 .07 .27 .45 .35 .08 .22 - .00 .16 .26 1.64 .03
2.56 3.64 2.29 3.93 3.30 4.23 2.13 .00 - .34 .01 .00 .05
.51 .42 .81 .84 1.04 .28 2.51 .08 .29 - .72 nan .15
.06 .00 .14 .26 .00 .08 .00 .12 .00 .16 - nan .05
.00 .00 2.36 nan .64 .88 .00 2.24 .00 nan nan - .00
.15 .32 .01 .02 .09 .04 .06 .00 .06 .13 .10 .00 -
"""


def published_counts() -> NDArray[np.int64]:
    """(13, 13) symmetric, in the order of PAPER: table 5, and the same in print table 6."""
    table = np.zeros((len(PAPER), len(PAPER)), np.int64)
    for row, values in enumerate(_COUNTS):
        table[row, row + 1 :] = values
    return table + table.T


def published_bleu() -> NDArray[np.float64]:
    """(13, 13) percent, rows are sources, in the order of PAPER; NaN on the diagonal and where none is printed."""
    rows = [line.split() for line in _BLEU.strip().splitlines()]
    return np.array([[math.nan if value in ("-", "nan") else float(value) for value in row] for row in rows])
