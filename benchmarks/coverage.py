"""How often 95% intervals hold the true figure, with the class sizes of the demo's test split.

    python -m benchmarks.coverage [--trials 60] [--bootstrap-only]

Classifiers are drawn: an accuracy for each class, and what its mistakes go to. Their true top-1 and F1 are those of the
drawn probabilities; a trial draws predictions for the 628 products and asks each interval.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.evaluation.predictions import intervals
from core.measures.intervals import bootstrap, paired_difference, wilson

# Test products of each of the 74 classes of `vitrine demo` (6,000 items, seed 0); they sum to 628.
DEMO = (
    145, 54, 42, 29, 25, 24, 17, 17, 17, 15, 15, 14, 14, 14, 13, 13, 12, 12, 10, 9, 8, *[6] * 5, 5, 4, *[3] * 7,
    *[2] * 10, *[1] * 29,
)  # fmt: skip
WORLDS = (
    (0.9, 4),
    (0.9, 20),
    (0.75, 30),
    (0.7, 3),
    (0.5, 4),
)  # mean and concentration of the classes' accuracies
TIED = 0.1  # share of products whose two likeliest classes are equally likely, of fair ties
SMOOTHINGS = (0.0, 0.25, 0.5, 1.0, 2.0)
Pairs = NDArray[np.int64]  # (C, C) products of each class (row) said to be of each (column)
Drawn = dict[str, tuple[float, float]]  # macro and weighted: low, high


def world(
    sizes: NDArray[np.int64], mean: float, concentration: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """(C, C) the chance that a product of each class is said to be of each."""
    accuracy = rng.beta(mean * concentration, (1 - mean) * concentration, len(sizes))
    wrong = rng.gamma(0.3, size=(len(sizes), len(sizes))) * sizes
    np.fill_diagonal(wrong, 0)
    chances = (1 - accuracy)[:, None] * wrong / wrong.sum(axis=1, keepdims=True)
    np.fill_diagonal(chances, accuracy)
    return chances


def f1_of(
    right: NDArray[np.float64], n: NDArray[np.int64], predicted: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Macro and weighted F1; the classes are the last axis."""
    f1 = 2 * right / (n + predicted)
    return {"macro": f1.mean(axis=-1), "weighted": f1 @ n / n.sum()}


def resampled(pairs: Pairs, smoothing: float, repeats: int, rng: np.random.Generator) -> Drawn:
    """F1's percentile interval from rows of `pairs` drawn anew.

    Args:
        smoothing: 0 draws each class's products with replacement. More is a Dirichlet posterior whose prior holds so
            many products a class, right as often as all products are, wrong as all mistakes are.
    """
    n, all_right = pairs.sum(axis=1), np.trace(pairs) / pairs.sum()
    mistakes = pairs.sum(axis=0) - np.diag(pairs) + n / n.sum()
    right, predicted = np.zeros((repeats, len(n))), np.zeros((repeats, len(n)))
    for c, row in enumerate(pairs):
        if smoothing:
            prior = smoothing * (1 - all_right) * mistakes / (mistakes.sum() - mistakes[c])
            prior[c] = smoothing * all_right
            share = rng.gamma(row + prior, size=(repeats, len(n)))
            drawn = n[c] * share / share.sum(axis=1, keepdims=True)
        else:
            drawn = rng.multinomial(n[c], row / n[c], size=repeats)
        right[:, c] = drawn[:, c]
        predicted += drawn
    found = f1_of(right, n, predicted)
    return {name: (float(low), float(high)) for name, (low, high) in (
        (name, np.quantile(values, (0.025, 0.975))) for name, values in found.items())}  # fmt: skip


def coverage(
    mean: float,
    concentration: float,
    trials: int,
    smoothings: tuple[float, ...] = SMOOTHINGS,
    seed: int = 0,
) -> dict[str, float]:
    """Share of trials in which each interval holds the true figure."""
    sizes, rng = np.array(DEMO), np.random.default_rng(seed)
    hits: dict[str, list[bool]] = {}

    def ask(name: str, ends: tuple[float, float], true: float) -> None:
        hits.setdefault(name, []).append(ends[0] <= true <= ends[1])

    for _ in range(trials):
        one, other = (world(sizes, mean, concentration, rng) for _ in range(2))
        pairs = np.stack([rng.multinomial(n, row) for n, row in zip(sizes, one, strict=True)])
        second = rng.random(sizes.sum()) < np.repeat(np.diag(other), sizes)
        first = np.concatenate([np.arange(n) < pairs[c, c] for c, n in enumerate(sizes)])
        top1, top1_other = (float(np.diag(chances) @ sizes / sizes.sum()) for chances in (one, other))
        ask("top-1, Wilson", wilson(int(first.sum()), len(first)), top1)
        ask("top-1, bootstrap", bootstrap(first.astype(np.float64), repeats=300), top1)
        # Hits that are shares: the mean over five random passes, and fair ties of two for a tenth of the products.
        accuracy = np.repeat(np.diag(one), sizes)
        each = rng.beta(np.maximum(2 * accuracy, 1e-9), np.maximum(2 * (1 - accuracy), 1e-9))
        passes = rng.binomial(5, each) / 5
        tied = rng.random(len(first)) < TIED
        fair = np.where(tied, 0.5, first)
        for kind, values, mean_hit in (
            ("five passes", passes, top1), ("fair ties", fair, (1 - TIED) * top1 + TIED * 0.5)
        ):  # fmt: skip
            found = intervals(values, 1.0)
            ask(f"top-1 of {kind}, Wilson", (found["top1_interval"][0], found["top1_interval"][1]), mean_hit)
            ask(
                f"top-1 of {kind}, bootstrap",
                (found["top1_bootstrap"][0], found["top1_bootstrap"][1]),
                mean_hit,
            )
        apart = int((first & ~second).sum()), int((~first & second).sum())
        ask("difference of two top-1", paired_difference(*apart, len(first)), top1 - top1_other)
        true = f1_of(np.diag(one) * sizes, sizes, sizes @ one)
        for smoothing in smoothings:
            how = f"Dirichlet, {smoothing:g} more a class" if smoothing else "bootstrap within classes"
            for average, ends in resampled(pairs, smoothing, 200, rng).items():
                ask(f"F1 {average}, {how}", ends, float(true[average]))
    return {name: float(np.mean(held)) for name, held in hits.items()}


def main(say: Callable[[str], None] = print) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument(
        "--bootstrap-only", action="store_true", help="leave out the Dirichlet intervals, which take long"
    )
    given = parser.parse_args()
    trials, smoothings = given.trials, (0.0,) if given.bootstrap_only else SMOOTHINGS
    found = [coverage(mean, concentration, trials, smoothings) for mean, concentration in WORLDS]
    say("| interval | " + " | ".join(f"accuracies {mean:g} ({c})" for mean, c in WORLDS) + " |")
    say("| --- |" + " --- |" * len(WORLDS))
    for name in found[0]:
        say(f"| {name} | " + " | ".join(f"{100 * one[name]:.0f}%" for one in found) + " |")


if __name__ == "__main__":
    main()
