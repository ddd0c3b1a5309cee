"""Draw the sample of an audit: strata, allocation, inclusion probabilities, gold items, overlap, anchoring arm.

Source: Cochran 1977, Sampling Techniques, chapters 4 and 5.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.audit.records import STRATIFY_BY, Allocation, Item, Plan, StratifyBy, Stratum
from core.catalog.cohort import NONE, Cohort, path_text
from core.catalog.products import Products
from core.errors import UsageError

MOST = 100_000  # products of one sample
STRATA = 500
LEAST = 2  # products of a stratum, so that its spread can be estimated
LABELS = 20_000
BETWEEN = " · "


@dataclass(frozen=True)
class Wish:
    """What a sample is asked to be. `size` or `half_width` or `fixed` decides how large."""

    name: str = ""
    by: tuple[StratifyBy, ...] = ()
    level: int = 1  # of the category path
    allocation: Allocation = "proportional"
    size: int | None = None
    half_width: float | None = None  # of the 95% interval, a fraction
    each: bool = False  # every stratum is to have this half-width
    guess: float = 0.9  # the accuracy that is expected
    fixed: Mapping[str, int] = field(default_factory=dict)  # stratum -> products
    pilot: Mapping[str, float] = field(default_factory=dict)  # stratum -> accuracy, for Neyman's allocation
    seed: int = 0
    overlap: float = 0.0
    reviewers: int = 2
    anchoring: float = 0.0
    gold: Mapping[int, str] = field(default_factory=dict)  # row_id -> right label
    gold_share: float = 0.08  # gold items, of the sample's size
    by_whom: str = ""

    def check(self) -> None:
        """
        Raises:
            UsageError: it contradicts itself, or a share is no share.
        """
        if unknown := [one for one in self.by if one not in STRATIFY_BY]:
            raise UsageError(f"No strata by {unknown[0]}. Strata: {', '.join(STRATIFY_BY)}.")
        for name in ("overlap", "anchoring", "gold_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{name} is {getattr(self, name)}; expected a share from 0 to 1.")
        if not 2 <= self.reviewers <= 20:
            raise UsageError(f"An item of the overlap is seen by 2 to 20 people, not {self.reviewers}.")
        if not 0 < self.guess < 1:
            raise UsageError("The expected accuracy is a fraction between 0 and 1, such as 0.9.")
        if not 0 <= self.seed < 2**63:
            raise UsageError("The seed is a whole number from 0.")
        given = sum((self.size is not None, self.half_width is not None, bool(self.fixed)))
        if given != 1 or bool(self.fixed) != (self.allocation == "fixed"):
            raise UsageError(
                "Give one of: a size, a wanted half-width, or (allocation fixed) a size for each stratum."
            )
        if self.half_width is not None and not 0.001 <= self.half_width < 0.5:
            raise UsageError(
                "The half-width is a fraction from 0.001 to 0.5: 0.03 means plus and minus 3 points."
            )
        if self.size is not None and not 1 <= self.size <= MOST:
            raise UsageError(f"A sample has 1 to {MOST:,} products, not {self.size:,}.")


def sample_size(
    half_width: float, guess: float = 0.9, frame: int | None = None, confidence: float = 0.95
) -> int:
    """Products to review so that Wilson's interval reaches at most `half_width` to each side.

    Args:
        guess: the accuracy that is expected; 0.5 is the most careful.
        frame: products that there are; a sample of a small frame needs fewer.

    >>> sample_size(0.05, 0.90), sample_size(0.02, 0.90), sample_size(0.05, 0.95), sample_size(0.02, 0.95)
    (141, 868, 83, 469)
    >>> sample_size(0.02, 0.90, frame=2_000)
    605
    """
    low, high = 1, 2
    while _reach(high, guess, confidence) > half_width:
        high *= 2
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _reach(middle, guess, confidence) <= half_width else (middle + 1, high)
    if frame is None:
        return low
    return max(1, min(frame, int(np.ceil(low * frame / (low + frame - 1) - 1e-9))))


def _reach(n: int, guess: float, confidence: float) -> float:
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    return z / (1 + z * z / n) * float(np.sqrt(guess * (1 - guess) / n + z * z / (4 * n * n)))


def allocate(weights: Sequence[float], sizes: Sequence[int], n: int) -> list[int]:
    """Divide n over strata in proportion to weights: at least LEAST each where there are so many, at most all.

    >>> allocate([900, 90, 10], [900, 90, 10], 100)
    [89, 9, 2]
    >>> allocate([1, 1, 1], [900, 90, 10], 100)
    [45, 45, 10]
    """
    weight, size = np.asarray(weights, float), np.asarray(sizes, np.int64)
    least = np.minimum(size, LEAST)
    if least.sum() > n:
        raise UsageError(
            f"A sample of {n:,} is too small for {len(size):,} strata: each needs at least {LEAST} products. "
            f"Ask for {int(least.sum()):,} or more, or for fewer strata."
        )
    n = min(n, int(size.sum()))
    low, high = 0.0, 1.0
    fit = lambda factor: np.clip(weight * factor, least, size)  # noqa: E731
    if not weight.sum():
        weight = size.astype(float)
    while fit(high).sum() < n and high < 1e12:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if fit(middle).sum() < n else (low, middle)
    ideal = fit(high)
    found = np.floor(ideal + 1e-9).astype(np.int64)
    for place in np.argsort(-(ideal - found), kind="stable"):
        if found.sum() >= n:
            break
        found[place] += found[place] < size[place]
    return [int(one) for one in found]


def draw(products: Products, cohort: Cohort, wish: Wish) -> tuple[Plan, list[Item]]:
    """A plan and its items, drawn at random; the same wish gives the same sample of the same dataset.

    Raises:
        UsageError: the wish cannot be fulfilled; the text says why.
    """
    wish.check()
    notes: list[str] = []
    rows, without = _frame(products, cohort)
    if without:
        notes.append(f"{without:,} products without a category are not in the frame.")
    names, where = strata_of(products, rows, wish.by, wish.level)
    if len(names) > STRATA:
        raise UsageError(f"That makes {len(names):,} strata; at most {STRATA} are allowed.")
    sizes = np.bincount(where, minlength=len(names)).tolist()
    counts = _counts(wish, names, sizes, notes)
    rng = np.random.default_rng(wish.seed)
    chosen: list[tuple[int, int, float]] = []  # row_id, stratum, inclusion
    for place, count in enumerate(counts):
        inside = rows[where == place]
        picked = rng.choice(inside, size=count, replace=False)
        chosen += [(int(row), place, count / len(inside)) for row in picked]
    order = rng.permutation(len(chosen))
    chosen = [chosen[at] for at in order]
    gold = _gold(wish, {row for row, _, _ in chosen}, len(chosen), len(products), rng, notes)
    items = _items(products, wish, chosen, gold, rng)
    labels = all_labels(products)
    plan = Plan(
        plan=new_id(products.info.name),
        name=wish.name or f"Labels of {products.info.name}",
        dataset=products.info.name,
        fingerprint=products.info.fingerprint,
        cohort=cohort.to_query(),
        frame=len(rows),
        by=wish.by,
        strata=tuple(Stratum(*one) for one in zip(names, sizes, counts, strict=True)),
        allocation=wish.allocation,
        size=len(chosen),
        seed=wish.seed,
        labels=labels,
        half_width=wish.half_width,
        guess=wish.guess,
        level=wish.level,
        overlap=wish.overlap,
        reviewers=wish.reviewers,
        anchoring=wish.anchoring,
        gold=len(gold),
        notes=tuple(notes),
        created_by=wish.by_whom,
    )
    return plan, items


def new_id(dataset: str) -> str:
    """An id that no other plan has; it can stand in an address and a file's name."""
    return f"{re.sub(r'[^a-z0-9]+', '-', dataset.lower()).strip('-')[:40] or 'audit'}-{secrets.token_hex(4)}"


def all_labels(products: Products) -> tuple[str, ...]:
    """Every class of a dataset, sorted; an annotator may choose any of them.

    Raises:
        UsageError: there are too many to choose from.
    """
    found = sorted(path_text(path) for path, _ in products.categories() if path)
    if len(found) > LABELS:
        raise UsageError(f"The dataset has {len(found):,} classes; an audit offers at most {LABELS:,}.")
    return tuple(found)


def _frame(products: Products, cohort: Cohort) -> tuple[NDArray[np.int64], int]:
    mask = products.mask(cohort)
    labelled = products.columns.category.where(bool)
    rows = np.flatnonzero(mask & labelled)
    if not len(rows):
        raise UsageError("No product with a category is in this cohort: there is nothing to audit.")
    return rows, int((mask & ~labelled).sum())


def strata_of(
    products: Products, rows: NDArray[np.int64], by: Sequence[StratifyBy], level: int = 1
) -> tuple[list[str], NDArray[np.int64]]:
    """The strata's names, and the stratum of each row; strata without products do not exist.

    Returns:
        s names, sorted; (m,) positions in them.
    """
    if not by:
        return ["all"], np.zeros(len(rows), np.int64)
    codes = []
    values: list[list[str]] = []
    for column in by:
        if column == "category":
            coded = products.columns.category
            texts = [path_text(path[:level]) or NONE for path in coded.values]
        else:
            coded = products.columns.choices[column]
            texts = [NONE if value is None else str(value) for value in coded.values]
        distinct = sorted(set(texts))
        renamed = np.array([distinct.index(text) for text in texts], np.int64)
        codes.append(renamed[coded.codes[rows]])
        values.append(distinct)
    found, where = np.unique(np.stack(codes), axis=1, return_inverse=True)
    names = [
        BETWEEN.join(values[column][code] for column, code in enumerate(one)) for one in found.T.tolist()
    ]
    return names, where.reshape(-1).astype(np.int64)


def _counts(wish: Wish, names: list[str], sizes: list[int], notes: list[str]) -> list[int]:
    """Products to draw of each stratum."""
    if wish.allocation == "fixed":
        return _fixed(wish.fixed, names, sizes, notes)
    if wish.half_width is not None and wish.each:
        return [sample_size(wish.half_width, wish.guess, size) for size in sizes]
    n = wish.size if wish.size is not None else sample_size(wish.half_width or 0.05, wish.guess, sum(sizes))
    if wish.half_width is not None:  # a sample this small still covers every stratum
        n = max(n, sum(min(LEAST, size) for size in sizes))
    if n > sum(sizes):
        notes.append(f"{n:,} products were asked for, but the frame has {sum(sizes):,}: all are taken.")
    weights = [1.0 if wish.allocation == "equal" else float(size) for size in sizes]
    if wish.allocation == "neyman":
        weights = _neyman(wish.pilot, names, sizes, notes)
    counts = allocate(weights, sizes, n)
    for name, size, count in zip(names, sizes, counts, strict=True):
        if count == size and sum(counts) < sum(sizes):
            notes.append(f"{name} has only {size:,} products: all are taken.")
    return counts


def _fixed(wanted: Mapping[str, int], names: list[str], sizes: list[int], notes: list[str]) -> list[int]:
    """
    Raises:
        UsageError: a stratum does not exist, or one has no number.
    """
    if unknown := sorted(set(wanted) - set(names)):
        raise UsageError(
            f"There is no stratum {unknown[0]!r} in this cohort, so that nothing can be drawn from it. "
            f"Strata: {', '.join(names[:20])}{', ...' if len(names) > 20 else ''}."
        )
    if left := [name for name in names if wanted.get(name, 0) < 1]:
        raise UsageError(
            f"Say how many to draw of {left[0]!r}: a stratum without a sample cannot be estimated."
        )
    for name, size in zip(names, sizes, strict=True):
        if wanted[name] > size:
            notes.append(f"{name}: {wanted[name]:,} were asked for, but there are {size:,}: all are taken.")
    counts = [min(wanted[name], size) for name, size in zip(names, sizes, strict=True)]
    if sum(counts) > MOST:
        raise UsageError(f"A sample has at most {MOST:,} products, not {sum(counts):,}.")
    return counts


def _neyman(pilot: Mapping[str, float], names: list[str], sizes: list[int], notes: list[str]) -> list[float]:
    """Weights that give the smallest variance of the whole (Neyman 1934)."""
    if not pilot:
        raise UsageError("Neyman's allocation needs a pilot: an audit that measured these strata before.")
    middle = float(np.mean(list(pilot.values())))
    if unknown := [name for name in names if name not in pilot]:
        notes.append(f"The pilot has no answer on {', '.join(unknown[:5])}: its mean was assumed there.")
    rates = [pilot.get(name, middle) for name in names]
    return [size * float(np.sqrt(rate * (1 - rate))) for size, rate in zip(sizes, rates, strict=True)]


def _gold(
    wish: Wish, sampled: set[int], size: int, rows: int, rng: np.random.Generator, notes: list[str]
) -> list[int]:
    """Rows of the gold items that are added."""
    for row in wish.gold:
        if not 0 <= row < rows:
            raise UsageError(f"A gold item names row {row}, which the dataset does not have.")
    free = sorted(set(wish.gold) - sampled)
    wanted = round(size * wish.gold_share) if wish.gold else 0
    if len(free) < wanted:
        notes.append(
            f"{wanted} gold items were asked for; {len(free)} with a known answer are not in the sample."
        )
    if not free:
        return []
    return [int(row) for row in rng.choice(free, size=min(wanted, len(free)), replace=False)]


def _items(
    products: Products,
    wish: Wish,
    chosen: Sequence[tuple[int, int, float]],
    gold: Sequence[int],
    rng: np.random.Generator,
) -> list[Item]:
    """The items in the sample's order, gold items mixed in."""
    known = set(all_labels(products)) if wish.gold else set()
    for label in wish.gold.values():
        if label not in known:
            raise UsageError(f"A gold item has the label {label!r}, which the dataset does not have.")
    n = len(chosen)
    twice = set(rng.permutation(n)[: round(n * wish.overlap)].tolist())
    shown = set(rng.permutation(n)[: round(n * wish.anchoring)].tolist())
    drawn = [
        (row, stratum, inclusion, at in shown, wish.reviewers if at in twice else 1)
        for at, (row, stratum, inclusion) in enumerate(chosen)
    ]
    mixed: list[tuple[int, int | None, float | None, bool, int]] = [
        *drawn,
        *((row, None, None, bool(rng.random() < wish.anchoring), 1) for row in gold),
    ]
    if gold:
        mixed = [mixed[at] for at in rng.permutation(len(mixed))]
    found = described(products, [row for row, *_ in mixed])
    return [
        Item(
            at,
            **found[at],
            stratum=stratum,
            inclusion=inclusion,
            shown=seen,
            reviewers=people,
            gold=wish.gold.get(row),
        )
        for at, (row, stratum, inclusion, seen, people) in enumerate(mixed)
    ]


def described(products: Products, rows: Sequence[int]) -> list[dict[str, Any]]:
    """What an item says of its product, in the given order."""
    return [
        {
            "row_id": one["row_id"],
            "item_id": one["item_id"],
            "image_id": one["image_id"],
            "label": path_text(one["category_path"]),
            **{key: one[key] for key in ("label_source", "label_kind", "geo", "split")},
        }
        for one in products.by_row(rows)
    ]
