"""The language that each country's texts are in, against the one that is expected there."""

from __future__ import annotations

import pandas as pd

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.languages.pairs import order_of
from core.schema import LANGUAGE_OF_GEO
from core.statistics.counts import NONE
from core.statistics.languages import UNDECIDED, detected


def used(products: Products, cohort: Cohort | None = None) -> pd.DataFrame:
    """Of a fixed sample of at most 10,000 texts, name and description together.

    Returns:
        One row per country: country, expected, texts, as_expected, other, undecided, others (the three most frequent, as
        text: "en 12, sk 3"), `example`, a row_id of the most frequent other.
    """
    found = detected(products, cohort)
    rows = []
    for geo in order_of([geo for geo in found["geo"].unique() if geo != NONE]):
        here = found[found["geo"] == geo]
        declared = here.groupby("language")["n"].sum().idxmax()
        expected = LANGUAGE_OF_GEO.get(geo) or str(declared).partition("-")[0]
        by_language = here.groupby("detected").agg(n=("n", "sum"), example=("example", "first"))
        other = by_language.drop([expected, UNDECIDED], errors="ignore").sort_values("n", ascending=False)
        count = by_language["n"]
        rows.append(
            {
                "country": geo, "expected": expected, "texts": int(count.sum()),
                "as_expected": int(count.get(expected, 0)), "other": int(other["n"].sum()),
                "undecided": int(count.get(UNDECIDED, 0)),
                "others": ", ".join(f"{language} {n:,}" for language, n in other["n"].head(3).items()),
                "example": int(other["example"].iloc[0]) if len(other) else None,
            }
        )  # fmt: skip
    columns = ["country", "expected", "texts", "as_expected", "other", "undecided", "others", "example"]
    return pd.DataFrame(rows, columns=columns)
