"""How well an encoder finds a product's picture by its text: the protocols of the incorrect-pairs paper and FashionBERT.

Hundred: 100 held-out products x 100 trials, each text against the 100 pictures (Tagami et al. 2024, section 4.1, after
FashionBERT's). Same category: the own picture among 100 others of its category (Gao et al. 2020, arXiv:2005.09801).
Gallery: every picture of the split. Of all, ranks of the own picture, ties against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import UsageError
from core.evaluation.choice import ITEMS, OTHERS, TRIALS
from core.measures.intervals import bootstrap
from core.measures.ranks import own_ranks, rank_figures, sign_flip

QUERIES = 1_000  # FashionBERT's
FEWEST_OTHERS = 10  # a category with fewer is no question for Rank@10
GALLERY_KS = (1, 5, 10, 50)
BLOCK = 1_024  # queries compared with a gallery at a time
FIGURES = ("rank1", "rank5", "rank10", "map")


@dataclass(frozen=True)
class Held:
    """n held-out products that have both, in the dataset's order."""

    row_id: NDArray[np.int64]  # (n,)
    picture: NDArray[np.int64]  # (n,) number of its picture: products that share one have the same
    category: NDArray[np.int64]  # (n,) -1 without one
    language: NDArray[np.object_]  # (n,) None where nobody knows
    texts: NDArray[np.float32]  # (n, d) of length 1
    images: NDArray[np.float32]  # (n, d) of length 1

    def __len__(self) -> int:
        return len(self.row_id)


def draw_trials(
    picture: NDArray[np.int64], items: int = ITEMS, trials: int = TRIALS, seed: int = 0
) -> NDArray[np.int64]:
    """Which products each trial has: `items` without replacement, no two with the same picture.

    Args:
        picture: (n,) number of each product's picture.

    Returns:
        (trials, items) positions in n. The same for every encoder.

    Raises:
        UsageError: there are fewer pictures than a trial has.
    """
    order = np.argsort(picture, kind="stable")
    _, starts, sizes = np.unique(picture[order], return_index=True, return_counts=True)
    if not 2 <= items <= len(starts):
        raise UsageError(
            f"A trial has {items} products with different pictures; the split has {len(starts):,}. "
            + ("Give fewer: --items N." if len(starts) > 2 else "It needs a larger held-out split.")
        )
    rng = np.random.default_rng((seed, 100))
    drawn = np.empty((trials, items), np.int64)
    for trial in range(trials):
        chosen = rng.choice(len(starts), items, replace=False)
        drawn[trial] = order[starts[chosen] + rng.integers(0, sizes[chosen])]
    return drawn


def trial_ranks(held: Held, trials: NDArray[np.int64]) -> NDArray[np.int64]:
    """(trials, items) ranks of each product's own picture among its trial's."""
    own = np.arange(trials.shape[1])
    return np.stack([own_ranks(held.texts[chosen] @ held.images[chosen].T, own) for chosen in trials])


def spread_figures(ranks: NDArray[np.int64]) -> dict[str, Any]:
    """Mean over trials of each figure, and its standard deviation over them.

    Args:
        ranks: (trials, items).
    """
    each = [rank_figures(trial) for trial in ranks]
    values = {name: np.array([one[name] for one in each]) for name in FIGURES}
    spread = {name: float(value.std(ddof=1)) if len(value) > 1 else None for name, value in values.items()}
    return {**{name: float(value.mean()) for name, value in values.items()}, "deviation": spread}


def same_category(
    held: Held, queries: int = QUERIES, others: int = OTHERS, seed: int = 0
) -> dict[str, Any] | None:
    """FashionBERT's protocol: the own picture and `others` drawn from the same category.

    A category with fewer pictures gives those that it has; `candidates` says how many there were on average, and `full`
    how many queries had all of them. None where no category has enough.
    """
    members: dict[int, NDArray[np.int64]] = {}
    for category in np.unique(held.category[held.category >= 0]):
        rows = np.flatnonzero(held.category == category)
        _, first = np.unique(held.picture[rows], return_index=True)
        if len(first) > FEWEST_OTHERS:
            members[int(category)] = rows[np.sort(first)]
    asked = np.flatnonzero(np.isin(held.category, list(members)))
    if not len(asked):
        return None
    rng = np.random.default_rng((seed, 101))
    asked = np.sort(rng.choice(asked, min(queries, len(asked)), replace=False))
    ranks, candidates = np.empty(len(asked), np.int64), np.empty(len(asked), np.int64)
    for at, query in enumerate(asked):
        there = members[int(held.category[query])]
        there = there[held.picture[there] != held.picture[query]]
        chosen = np.concatenate(([query], rng.choice(there, min(others, len(there)), replace=False)))
        similarity = held.texts[query][None] @ held.images[chosen].T
        ranks[at], candidates[at] = own_ranks(similarity, np.zeros(1, np.int64))[0], len(chosen)
    return {
        **rank_figures(ranks),
        "queries": len(asked),
        "candidates": float(candidates.mean()),
        "full": int((candidates == others + 1).sum()),
        "categories": len(members),
    }


def gallery_ranks(held: Held) -> NDArray[np.int64]:
    """(n,) ranks of the own picture among every different picture of the split."""
    _, first, own = np.unique(held.picture, return_index=True, return_inverse=True)
    pictures = held.images[first]
    blocks = [
        own_ranks(held.texts[at : at + BLOCK] @ pictures.T, own[at : at + BLOCK])
        for at in range(0, len(held), BLOCK)
    ]
    return np.concatenate(blocks)


def gallery_figures(held: Held) -> dict[str, Any]:
    """Recall@K over the whole split."""
    ranks = gallery_ranks(held)
    found = {f"recall{k}": float((ranks <= k).mean()) for k in GALLERY_KS}
    size = len(np.unique(held.picture))
    return found | {"map": float((1 / ranks).mean()), "median": float(np.median(ranks)), "pictures": size}


def mean_cosine(vectors: NDArray[np.floating]) -> float:
    """Of different products' vectors: near 1 where a training has made all of them equal.

    Args:
        vectors: (n, d) of length 1, n at least 2.
    """
    n, total = len(vectors), vectors.sum(axis=0, dtype=np.float64)
    return (float(total @ total) - n) / (n * (n - 1))


def by_language(
    held: Held, trials: NDArray[np.int64], ranks: NDArray[np.int64]
) -> dict[str, dict[str, float]]:
    """The hundred's figures over each language's queries; the pictures are of all languages."""
    spoken = pd.Series(held.language[trials.ravel()]).fillna("unknown").to_numpy()
    found = {}
    for language in sorted(set(spoken)):
        mine = ranks.ravel()[spoken == language]
        found[str(language)] = rank_figures(mine) | {"queries": float(len(mine))}
    return found


def compare(
    trials: NDArray[np.int64], first: NDArray[np.int64], second: NDArray[np.int64], products: int
) -> dict[str, Any]:
    """Two encoders on the same trials: differences of Rank@1 and mAP, first minus second.

    Trials of one split draw the same products again and again, so that the test over them says whether more trials of
    these products would agree; the one over products, whether other products would.

    Args:
        trials, first, second: (trials, items) positions, and ranks of both encoders.
        products: n, of which the positions are.

    Returns:
        Of each figure `difference`, `deviation` over trials, `better` (share of trials with a higher one), `p_trials`,
        `p_products` (sign-flip tests) and `interval` (95%, bootstrap over products).
    """
    found: dict[str, Any] = {}
    drawn = np.bincount(trials.ravel(), minlength=products)
    for name, value in (("rank1", lambda r: (r <= 1).astype(float)), ("map", lambda r: 1 / r)):
        differences = value(first) - value(second)
        by_trial = differences.mean(axis=1)
        sums = np.bincount(trials.ravel(), differences.ravel(), products)
        by_product = sums[drawn > 0] / drawn[drawn > 0]
        found[name] = {
            "difference": float(by_trial.mean()),
            "deviation": float(by_trial.std(ddof=1)) if len(by_trial) > 1 else None,
            "better": float((by_trial > 0).mean()),
            "p_trials": sign_flip(by_trial),
            "p_products": sign_flip(by_product),
            "interval": list(bootstrap(by_product)),
        }
    return found | {"products": int((drawn > 0).sum())}
