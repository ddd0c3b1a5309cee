"""How often a label audit's 95% intervals contain the truth: python -m benchmarks.audit_coverage [--draws 600] [--size 400]

Samples of the built-in dataset's 6,000 rows, whose wrong labels are known, by every stratification and allocation. Prints
Markdown: coverage of Wilson's and of Clopper and Pearson's interval, of the difference of human and machine labels, and
the mean half-width of Wilson's.
"""

from __future__ import annotations

import argparse

import numpy as np

from core.audit.plan import allocate
from core.audit.shares import difference, share
from core.demo import structure

STRATA = {"none": (), "kind": ("label_kind",), "source": ("label_source",), "country": ("geo",)}
STRATA["kind and country"] = ("label_kind", "geo")
PARTS = (
    ("source", "proportional", "geo", "cz"),
    ("none", "proportional", "label_kind", "machine"),
    ("country", "equal", "label_kind", "machine"),
)


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=600)
    parser.add_argument("--size", type=int, default=400)
    given = parser.parse_args()
    truth = structure.plan(6_000, 0).rows
    right, machine = ~truth["wrong_label"].to_numpy(), (truth["label_kind"] == "machine").to_numpy()
    print("| strata | allocation | part | Wilson | Clopper-Pearson | human minus machine | half-width |")
    print("|---|---|---|---|---|---|---|")
    rows = [(name, how, "", "") for name in STRATA for how in ("proportional", "equal", "neyman")]
    for name, how, column, value in [row for row in rows if row[0] != "none" or row[1] == "equal"] + list(
        PARTS
    ):
        by = list(STRATA[name])
        names = truth[by].agg(" ".join, axis=1) if by else np.zeros(len(truth))
        where = np.unique(names, return_inverse=True)[1]
        sizes = np.bincount(where)
        rates = np.bincount(where, right) / sizes
        weights = {
            "proportional": sizes,
            "equal": np.ones(len(sizes)),
            "neyman": sizes * np.sqrt(rates * (1 - rates) + 1e-3),
        }
        counts = np.array(allocate(weights[how].tolist(), sizes.tolist(), given.size))
        of = [np.flatnonzero(where == at) for at in range(len(sizes))]
        inside = (truth[column] == value).to_numpy() if column else np.ones(len(truth), bool)
        true, apart = right[inside].mean(), right[~machine].mean() - right[machine].mean()
        rng, found = np.random.default_rng(1), np.zeros((given.draws, 4))
        for draw in range(given.draws):
            drawn = [rng.choice(some, n, replace=False) for some, n in zip(of, counts, strict=True)]

            def of_part(
                part: np.ndarray, drawn: list[np.ndarray] = drawn, sizes: np.ndarray = sizes, counts: np.ndarray = counts
            ):  # fmt: skip
                mine = [part[some].sum() for some in drawn]
                return share(sizes, counts, mine, [(right & part)[some].sum() for some in drawn])

            one = of_part(inside)
            sides = difference(of_part(~machine), of_part(machine))
            found[draw] = (
                one.low <= true <= one.high,
                one.exact_low <= true <= one.exact_high,
                sides is None or sides["low"] <= apart <= sides["high"],
                (one.high - one.low) / 2,
            )
        wilson, exact, gap, half = found.mean(0)
        print(
            f"| {name} | {how if by else ''} | {value} | {wilson:.1%} | {exact:.1%} | {gap:.1%} | {100 * half:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
