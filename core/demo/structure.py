"""Plan the rows of the built-in dataset: classes, countries, labels and duplicates, before drawing.

`plan(items, seed)` determines everything that Vitrine can find in the dataset, with its ground truth. The parameters,
each with its source, are in parameters.py.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from core.demo import tree, words
from core.demo.looks import KINDS, Look
from core.demo.parameters import (
    COLOUR_WEIGHTS,
    COUNTRIES,
    DUPLICATES,
    HUES,
    LEFT_IN,
    MAX_ITEMS,
    PLAIN_SHARE,
    POPULARITY,
    QUALITIES,
    Structure,
)
from core.errors import UsageError


@dataclass(frozen=True)
class Plan:
    """The rows to write, train first, and the products they show.

    `rows` has one row per catalog row, without the texts; its `product` is an index into `products`.
    """

    rows: pd.DataFrame
    products: list[words.Product]


def check(items: int, seed: int) -> None:
    """Validate the arguments.

    Raises:
        UsageError: items is not in 1..MAX_ITEMS, or the seed is negative.
    """
    if not 1 <= items <= MAX_ITEMS:
        raise UsageError(f"items is {items:,}; expected 1 to {MAX_ITEMS:,}.")
    if not 0 <= seed < 2**63:
        raise UsageError(f"seed is {seed}; expected 0 to 2^63 - 1.")


def plan(items: int, seed: int, structure: Structure | None = None) -> Plan:
    """Plan a dataset of `items` rows; the same arguments give the same plan.

    Raises:
        UsageError: see `check`.
    """
    check(items, seed)
    structure = structure or Structure()
    rng = np.random.default_rng(seed)
    test = min(items - 1, max(1, round(items * structure.test_share)))
    cells = _cells(items - test, test, structure, rng)
    rows = pd.concat(cells, ignore_index=True)
    _twins(rows, structure, rng)
    _products(rows, structure, rng)
    products = _things(rows, rng)
    _copies(rows, products, structure, rng)
    _texts(rows, products, structure, rng)
    _labels(rows, structure, rng)
    _numbers(rows, products, rng)
    return Plan(rows, products)


def tail_weights(classes: int, tail: tuple[tuple[float, float], ...]) -> NDArray[np.float64]:
    """The share of each class, from the most to the least frequent, interpolated from the curve `tail`."""
    ranks, heights = np.array(tail).T
    weights = np.exp(np.interp(np.linspace(0, 1, classes), ranks, np.log(heights)))
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def allot(total: int, weights: NDArray[np.float64], least: int) -> NDArray[np.int64]:
    """Integers that sum to `total`, proportional to `weights`, each at least `least` if possible.

    >>> allot(10, np.array([0.9, 0.09, 0.01]), 1)
    array([8, 1, 1])
    """
    least = min(least, total // len(weights))
    quota = weights / weights.sum() * total
    counts = np.maximum(np.floor(quota), least).astype(np.int64)
    missing = total - int(counts.sum())
    if missing >= 0:
        counts[np.argsort(np.floor(quota) - quota, kind="stable")[:missing]] += 1
    for _ in range(-missing):  # taken from the largest
        counts[np.argmax(counts)] -= 1
    return counts


def _cells(train: int, test: int, structure: Structure, rng: Generator) -> list[pd.DataFrame]:
    """The true category and the country of every row; each split is shuffled."""
    weights = tail_weights(len(POPULARITY), structure.tail)
    branches = [tree.leaves()[slug].path[:2] for slug in POPULARITY]
    shift = {
        branch: rng.normal(0, structure.branch_taste, len(COUNTRIES)) for branch in dict.fromkeys(branches)
    }
    leaf_shift = rng.normal(0, structure.leaf_taste, (len(POPULARITY), len(COUNTRIES)))
    taste = np.exp(np.stack([shift[branch] for branch in branches]) + leaf_shift)  # (classes, countries)
    jitter = np.exp(rng.normal(0, structure.test_class_jitter, len(weights)))
    splits = (
        ("train", allot(train, weights, structure.least_train), structure.train_countries),
        ("test", allot(test, weights * jitter, structure.least_test), structure.test_countries),
    )
    frames = []
    for split, counts, shares in splits:
        chances = _fit(taste, counts, np.array([shares[country] for country in COUNTRIES]))
        kinds = np.repeat(np.arange(len(counts)), counts)
        draw = rng.random((len(kinds), 1))
        countries = (draw > np.cumsum(chances, axis=1)[kinds]).sum(axis=1).clip(max=len(COUNTRIES) - 1)
        order = rng.permutation(len(kinds))
        frames.append(
            pd.DataFrame(
                {
                    "split": split,
                    "geo": np.array(COUNTRIES)[countries[order]],
                    "kind": np.array(POPULARITY)[kinds[order]],
                }
            )
        )
    return frames


def _fit(
    taste: NDArray[np.float64], counts: NDArray[np.int64], shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Probabilities (classes, countries) with rows that sum to 1 and the overall country distribution `shares`."""
    table = taste * counts[:, None]
    for _ in range(50):
        table *= (shares / shares.sum() * counts.sum() / np.maximum(table.sum(axis=0), 1e-12))[None, :]
        table *= (counts / np.maximum(table.sum(axis=1), 1e-12))[:, None]
    ones = np.maximum(table.sum(axis=1, keepdims=True), 1e-12)
    return np.asarray(table / ones, dtype=np.float64)


def _twins(rows: pd.DataFrame, structure: Structure, rng: Generator) -> None:
    """Join women's and men's train rows into unisex items: one item_id, one picture, both labels correct."""
    places: dict[str, list[int]] = {}
    train = rows["split"] == "train"
    for kind, group in rows[train].groupby("kind"):
        twin = tree.counterpart(str(kind))
        if twin and len(group) >= 5:
            places[str(kind)] = list(rng.permutation(group.index.to_numpy()))
    pairs = [kind for kind in places if kind.startswith("womens-") and tree.counterpart(kind) in places]
    twin_of, geo = np.full(len(rows), -1), rows["geo"].to_numpy(dtype=object).copy()
    sizes = np.array([min(len(places[kind]), len(places[_twin(kind)])) for kind in pairs], dtype=float)
    wanted = round(int(train.sum()) * structure.unisex)
    draws = rng.choice(len(pairs), size=wanted, p=sizes / sizes.sum()) if pairs else ()
    for choice in draws:
        mine, other = places[pairs[choice]], places[_twin(pairs[choice])]
        if len(mine) > 3 and len(other) > 3:
            first, second = mine.pop(), other.pop()
            twin_of[second], geo[second] = first, geo[first]
    rows["twin"] = twin_of  # the row with the same item, or -1
    rows["geo"] = geo


def _twin(kind: str) -> str:
    twin = tree.counterpart(kind)
    assert twin is not None
    return twin


def _products(rows: pd.DataFrame, structure: Structure, rng: Generator) -> None:
    """Number the products: rows of one class and split that show the same product share a number."""
    product = np.full(len(rows), -1)
    taken = set(rows.index[rows["twin"] >= 0]) | set(rows.loc[rows["twin"] >= 0, "twin"])
    number = 0
    for (split, _), group in rows.groupby(["split", "kind"], sort=False):
        shared = structure.train_shared if split == "train" else structure.test_shared
        apart = rows["geo"].isin(structure.apart)
        places = [place for place in rng.permutation(group.index.to_numpy()) if place not in taken]
        alone = [place for place in places if apart[place]]
        free = [place for place in places if not apart[place]]
        while free:
            shops = 1
            if rng.random() < shared:
                shops = 1 + int(rng.geometric(1 - structure.more_shops))
            for _ in range(min(shops, structure.most_shops, len(free))):
                product[free.pop()] = number
            number += 1
        for place in alone:
            product[place] = number
            number += 1
    twin_of = rows["twin"].to_numpy()
    for second in np.flatnonzero(twin_of >= 0):
        product[[twin_of[second], second]] = number
        number += 1
    rows["product"] = product


def _things(rows: pd.DataFrame, rng: Generator) -> list[words.Product]:
    """A look, a brand and a model number for every product."""
    count = int(rows["product"].max()) + 1
    first_rows = rows.drop_duplicates("product").sort_values("product")
    twins = set(rows.loc[rows["twin"] >= 0, "product"])
    seeds = rng.integers(0, 2**31, size=(count, 2))
    products = []
    for number, kind in enumerate(first_rows["kind"]):
        dice = random.Random(int(seeds[number, 0]))
        look = look_of(str(kind), int(seeds[number, 1]), dice)
        products.append(words.product(look, dice, unisex=number in twins))
    return products


def look_of(kind: str, seed: int, rng: random.Random) -> Look:
    """A random look of a kind, with realistic colours and patterns."""
    options = KINDS[kind]
    weights = [COLOUR_WEIGHTS.get(colour, 1.0) for colour in options.colours]
    colour = rng.choices(options.colours, weights)[0]
    pattern = rng.choice(options.patterns)
    if "plain" in options.patterns and rng.random() < PLAIN_SHARE:
        pattern = "plain"
    return Look(kind, colour, pattern, rng.choice(options.materials), seed)


def _copies(rows: pd.DataFrame, products: list[words.Product], structure: Structure, rng: Generator) -> None:
    """Make some products near-duplicates of another of their class, by picture or by text."""
    count = len(products)
    first = rows.drop_duplicates("product").set_index("product").sort_index()
    size = rows["product"].value_counts().reindex(range(count)).to_numpy()
    in_train = (first["split"] == "train").to_numpy()
    kinds, geos = first["kind"].to_numpy(), first["geo"].to_numpy()
    unisex = np.array([product.unisex for product in products], dtype=bool)
    duplicate = np.full(count, "", dtype=object)
    of = np.full(count, -1)
    text_of = np.full(count, -1)
    sources = in_train & ~unisex  # rows that may be copied

    def choose(candidates: NDArray[np.bool_], share: float, total: int) -> NDArray[np.int64]:
        places = rng.permutation(np.flatnonzero(candidates))
        return np.asarray(places[: round(share * total)], dtype=np.int64)

    train_copies = choose(sources, structure.near_duplicates, int(in_train.sum()))
    test_copies = choose(~in_train, structure.split_duplicates, int((~in_train).sum()))
    sources[train_copies] = False  # a copy is never copied again
    hued = np.array([bool(_other_hues(product.look)) for product in products], dtype=bool)
    pools = {kind: np.flatnonzero(sources & (kinds == kind)) for kind in np.unique(kinds)}
    hued_pools = {kind: pool[hued[pool]] for kind, pool in pools.items()}
    for number in (*train_copies, *test_copies):
        how = DUPLICATES[int(rng.integers(len(DUPLICATES)))]
        pool = (hued_pools if how == "recoloured" else pools)[kinds[number]]
        if len(pool):
            of[number], duplicate[number] = pool[int(rng.integers(len(pool)))], how
            products[number] = _copied(products[number], products[of[number]], how, rng)

    pictured = (of >= 0) | np.isin(np.arange(count), of)
    single = (size == 1) & ~pictured & ~unisex
    tests, trains = int((~in_train).sum()), int(in_train.sum())
    across = choose(single & ~in_train, structure.split_texts, tests)
    single[across] = False
    within = np.concatenate(
        [
            choose(single & in_train, structure.train_same_texts, trains),
            choose(single & ~in_train, structure.test_same_texts, tests),
        ]
    )
    single[within] = False  # the remaining rows may be copied
    set_across = set(across)
    cells: dict[tuple[bool, str, str], list[int]] = {}
    for number in np.flatnonzero(single):
        cells.setdefault((bool(in_train[number]), kinds[number], geos[number]), []).append(int(number))
    for number in (*across, *within):
        from_train = bool(in_train[number]) or number in set_across
        cell = cells.get((from_train, kinds[number], geos[number]), [])
        if cell:
            source = cell[int(rng.integers(len(cell)))]
            text_of[number] = source
            look = dataclasses.replace(products[source].look, seed=products[number].look.seed)
            products[number] = dataclasses.replace(products[source], look=look)
    rows["duplicate"] = duplicate[rows["product"]]
    rows["duplicate_product"] = of[rows["product"]]
    rows["text_product"] = text_of[rows["product"]]


def _other_hues(look: Look) -> list[str]:
    """Target colours for recoloured pictures of a look."""
    if look.colour not in HUES:
        return []
    return [colour for colour in KINDS[look.kind].colours if colour in HUES and colour != look.colour]


def _copied(own: words.Product, source: words.Product, how: str, rng: Generator) -> words.Product:
    """The product `own` with a picture derived from that of `source`; another shop may change its brand."""
    look = source.look
    if how == "recoloured":
        others = _other_hues(look)
        look = dataclasses.replace(look, colour=others[int(rng.integers(len(others)))])
    if rng.random() < 0.5:
        return dataclasses.replace(source, look=look)
    return dataclasses.replace(own, look=look)


def _texts(rows: pd.DataFrame, products: list[words.Product], structure: Structure, rng: Generator) -> None:
    """Set the parameters of each row's texts: seed, language, omissions."""
    count = len(rows)
    by_product = rng.integers(0, 2**31, size=len(products))
    own = rng.integers(0, 2**31, size=count)
    parallel = rng.random(len(products)) < structure.parallel
    number = rows["product"].to_numpy()
    rows["text_seed"] = np.where(parallel[number], by_product[number], own)
    unisex = np.array([product.unisex for product in products], dtype=bool)[number]
    rows["omits_kind"] = (rng.random(count) < structure.omits_kind) | unisex  # nouns are gendered
    draw = rng.random(count)
    rows["description_is"] = np.select(
        [draw < structure.empty_description, draw < structure.empty_description + structure.repeated_name],
        ["empty", "name"],
        "usual",
    )
    foreign = rng.random(count) < structure.other_language
    english = rng.random(count) < 0.5
    home = rows["geo"].to_numpy()
    left_in = np.array([LEFT_IN[country] for country in home])
    rows["text_in"] = np.where(foreign, np.where(english, "en", left_in), home)
    source = np.arange(count)  # the row with the same texts
    first = rows.drop_duplicates("product").set_index("product").index
    first_row = pd.Series(rows.drop_duplicates("product").index, index=first)
    copied = rows["text_product"].to_numpy()
    source[copied >= 0] = first_row.reindex(copied[copied >= 0]).to_numpy()
    second = rows["twin"].to_numpy()
    source[second >= 0] = second[second >= 0]  # one item has one text
    for column in ("text_seed", "omits_kind", "description_is", "text_in"):
        rows[column] = rows[column].to_numpy()[source]
    rows["text_row"] = source


def _labels(rows: pd.DataFrame, structure: Structure, rng: Generator) -> None:
    """Set each row's label source and label, which is usually correct."""
    rows["label_source"] = ""
    for split, shares in (("train", structure.train_sources), ("test", structure.test_sources)):
        places = rows.index[rows["split"] == split]
        counts = allot(len(places), np.array(list(shares.values())), 0)
        rows.loc[places, "label_source"] = rng.permutation(np.repeat(np.array(list(shares)), counts))
    rows["label_kind"] = np.where(rows["label_source"].isin(["", "combined-tag"]), "machine", "human")

    error = rows["geo"].map(structure.country_error).to_numpy(dtype=float) ** structure.country_contrast
    keeps = ~rows.duplicated(
        ["split", "kind"]
    ).to_numpy()  # one correct row per class, so that no class is lost
    unisex = rows.index.isin(rows.loc[rows["twin"] >= 0, "twin"]) | (rows["twin"] >= 0).to_numpy()
    chance = np.zeros(len(rows))
    for kind, base in (("machine", structure.machine_wrong), ("human", structure.human_wrong)):
        mine = (rows["label_kind"] == kind).to_numpy()
        may = mine & ~keeps & ~unisex
        if may.any():
            chance[may] = base * error[may] / error[may].sum() * mine.sum()
    wrong = rng.random(len(rows)) < chance
    sizes = rows["kind"].value_counts()
    labels = rows["kind"].to_numpy(dtype=object).copy()
    chances: dict[str, tuple[list[str], NDArray[np.float64]]] = {}
    for place in np.flatnonzero(wrong):
        right = str(labels[place])
        if right not in chances:
            chances[right] = _mistakes(right, lambda slug: float(sizes.get(slug, 0)))
        others, weights = chances[right]
        labels[place] = others[int(rng.choice(len(others), p=weights))]
    rows["label"] = labels
    rows["wrong_label"] = rows["label"] != rows["kind"]


def _mistakes(right: str, size: Callable[[str], float]) -> tuple[list[str], NDArray[np.float64]]:
    """The confusion distribution of `right`: by closeness in the tree and by frequency.

    Wrong labels are thus rare in rare classes, and the labels have the long tail of the ground truth.
    """
    close = tree.neighbours(right)
    weights = np.array([near * (size(slug) + 0.5) for slug, near in close.items()])
    return list(close), weights / weights.sum()


def _numbers(rows: pd.DataFrame, products: list[words.Product], rng: Generator) -> None:
    """item_id, image_id, and each picture's JPEG quality."""
    items = rng.permutation(len(rows)) + 1
    second = rows["twin"].to_numpy()
    items[second >= 0] = items[second[second >= 0]]
    rows["item_id"] = items
    images = rng.permutation(len(products)) + 1
    number = rows["product"].to_numpy()
    rows["image_id"] = images[number]
    of = rows["duplicate_product"].to_numpy()
    rows["duplicate_of"] = np.where(of >= 0, images[of], -1)
    rows["quality"] = np.array(QUALITIES)[rng.integers(len(QUALITIES), size=len(products))][number]
    rows["text_of"] = np.where(rows["text_product"] >= 0, items[rows["text_row"]], -1)
    rows["unisex"] = np.array([product.unisex for product in products])[number]
