"""Which sub-classes of two sources are one: the published rule, and one by vectors, as candidates for a person to decide.

Source: MEP-3M (2021), section 3.1: sub-classes of one first-level class are merged if their names are equal, or if
S_label >= .50 and S_content > .75, where .75 is about the mean S_content of equal names: it is computed anew here.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from core.catalog.products import Products
from core.embeddings.loading import loaded_encoder
from core.errors import UsageError
from core.labels.similarity import by_characters, cosines, normal, s_content, s_label
from core.labels.subclasses import SubClass, sub_classes
from core.progress import Progress, no_progress

LABEL, CONTENT = 0.50, 0.75  # as published
CHARACTERS = "characters"  # the vectors that need no model
MOST_PAIRS = 300_000
TITLES = 100  # of a sub-class, given to an encoder
TITLE_CHARACTERS = 300
# MEP-3M (2021), Table 3: sub-class name of one shop, of the other, S_label, S_content, new name.
TABLE_3: tuple[tuple[str, str, float, float, str], ...] = (
    ("儿童餐具", "儿童餐具", 1.00, 0.929, "儿童餐具"),
    ("孕妈奶粉", "孕妈奶粉", 1.00, 0.898, "孕妈奶粉"),
    ("空调", "空调", 1.00, 0.870, "空调"),
    ("骑行装备", "骑行装备", 1.00, 0.768, "骑行装备"),
    ("洗澡用具", "洗澡用具", 1.00, 0.705, "洗澡用具"),
    ("婴幼奶粉", "婴幼儿奶粉", 0.89, 0.960, "婴幼儿奶粉"),
    ("婴儿湿巾", "湿巾", 0.67, 0.907, "湿巾"),
    ("咖啡/奶茶", "咖啡", 0.57, 0.854, "咖啡/奶茶"),
    ("饮料", "饮料饮品", 0.67, 0.849, "饮料饮品"),
    ("办公文具", "办公文仪", 0.75, 0.756, "办公文仪"),
)
Encode = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True)
class Pair:
    """Two sub-classes of one first-level class."""

    a: SubClass
    b: SubClass
    s_label: float
    s_content: float | None  # None where one has no titles
    s_vectors: float  # mean cosine of the vectors of names and of titles, in [-1, 1]
    published: bool = False  # merged by the published rule
    modern: bool = False  # each is the nearest of the other by vectors

    @property
    def equal(self) -> bool:
        """The names are equal, character by character."""
        return self.a.name == self.b.name

    @property
    def alike(self) -> bool:
        """The names differ in case, width or spaces alone."""
        return not self.equal and normal(self.a.name) == normal(self.b.name)

    @property
    def item(self) -> int:
        """Its number in the log of answers, from both names in either order: 62 bits."""
        told = "\0".join(part for key in sorted((self.a.key, self.b.key)) for part in key).encode(
            "utf-8", "replace"
        )
        return int.from_bytes(hashlib.blake2b(told, digest_size=8).digest(), "big") >> 2


@dataclass(frozen=True)
class Alignment:
    """All that two sources' sub-classes say about each other."""

    datasets: tuple[str, ...]  # one or two
    fingerprints: tuple[str, ...]
    by: str
    encoder: str
    classes: tuple[SubClass, ...]
    pairs: tuple[Pair, ...]  # the likeliest first
    content: float  # the threshold of S_content in force
    mean_equal: float | None  # mean S_content of equal names; None without such a pair
    equal: int  # pairs of equal names with titles
    alone: tuple[str, ...]  # classes of the first level that one side lacks

    @property
    def task(self) -> str:
        """Its name in the log of answers: decisions are of these rows."""
        return f"align/{'/'.join(sorted(self.fingerprints))}/{self.by or 'all'}"

    def candidates(self) -> tuple[Pair, ...]:
        """What a person should decide on: what a rule joins, and what is close to it."""
        return tuple(
            pair for pair in self.pairs
            if pair.published or pair.modern or pair.alike or pair.s_label >= LABEL or (pair.s_content or 0) > self.content
        )  # fmt: skip


def align(
    a: str,
    b: str = "",
    by: str = "",
    encoder: str = CHARACTERS,
    content: float | None = None,
    any_class: bool = False,
    progress: Progress = no_progress,
) -> Alignment:
    """Compare the sub-classes of two datasets, or of two sources in one; without `by`, all those of one dataset.

    Args:
        by: a column that tells the sources of one dataset apart.
        encoder: of the vectors: `characters`, or an encoder of texts.
        content: the threshold of S_content; by default the mean over equal names, or .75 without any.
        any_class: compare sub-classes of different first-level classes, too.

    Raises:
        UsageError: both are the same, they share no first-level class, or there are too many pairs.
    """
    if b and (b == a or by):
        raise UsageError("Give two different datasets, or one with --by.")
    opened = [Products.open(name) for name in (a, b) if name]
    progress(0, 3, "Reading titles")
    classes = [sub for products in opened for sub in sub_classes(products, by)]
    infos = [products.info for products in opened]
    return compared(
        classes, by=by, encoder=encoder, content=content, any_class=any_class, within=not (b or by),
        datasets=tuple(one.name for one in infos), fingerprints=tuple(one.fingerprint for one in infos), progress=progress,
    )  # fmt: skip


def compared(
    classes: Sequence[SubClass],
    *,
    by: str = "",
    encoder: str = CHARACTERS,
    content: float | None = None,
    any_class: bool = False,
    within: bool = False,
    datasets: tuple[str, ...] = (),
    fingerprints: tuple[str, ...] = (),
    progress: Progress = no_progress,
) -> Alignment:
    """`align` of sub-classes that were read already.

    Args:
        within: compare those of one source with each other, too.
    """
    if content is not None and not 0 <= content <= 1:
        raise UsageError("The threshold of S_content is between 0 and 1.")
    places, alone = _places(classes, any_class, within)
    progress(1, 3, "Comparing words of titles")
    contents = _contents(classes, places)
    progress(2, 3, "Comparing vectors")
    vectors = _vectors(classes, places, encoder)
    progress(3, 3, "Applying the rules")
    pairs = [
        Pair(classes[i], classes[j], s_label(classes[i].name, classes[j].name), contents.get((i, j)), value)
        for (i, j), value in zip(places, vectors, strict=True)
    ]
    same = [pair.s_content for pair in pairs if pair.equal and pair.s_content is not None]
    mean = float(np.mean(same)) if same else None
    threshold = content if content is not None else mean if mean is not None else CONTENT
    judged = _nearest([_published(pair, threshold) for pair in pairs])
    judged.sort(key=lambda pair: (-(pair.published + pair.modern), -_likeness(pair), pair.a.key, pair.b.key))
    return Alignment(
        datasets, fingerprints, by, encoder, tuple(classes), tuple(judged), threshold, mean, len(same), alone
    )


def _places(
    classes: Sequence[SubClass], any_class: bool, within: bool
) -> tuple[list[tuple[int, int]], tuple[str, ...]]:
    """Which pairs are compared, and the classes of the first level that only one source has."""
    groups: dict[str, list[int]] = defaultdict(list)
    sources: dict[str, set[str]] = defaultdict(set)
    for place, sub in enumerate(classes):
        groups["" if any_class else normal(sub.first)].append(place)
        sources[normal(sub.first)].add(sub.source)
    every = {sub.source for sub in classes}
    if not within and len(every) < 2:
        raise UsageError("There is one source only: nothing to compare it with.")
    several = any(len({classes[place].source for place in members}) > 1 for members in groups.values())
    if not within and not several:
        raise UsageError(
            "The sources have no first-level class in common, and the rule compares sub-classes of one first-level class. "
            "Compare all with all: --any-class."
        )
    count = sum(len(members) * (len(members) - 1) // 2 for members in groups.values())
    if count > MOST_PAIRS:
        raise UsageError(f"{count:,} pairs of sub-classes are too many; at most {MOST_PAIRS:,} are compared.")
    pairs = [
        (i, j) for members in groups.values() for i, j in product(members, members)
        if i < j and (within or classes[i].source != classes[j].source)
    ]  # fmt: skip
    if within:
        return pairs, ()
    return pairs, tuple(
        sorted({sub.first for sub in classes if len(sources[normal(sub.first)]) < len(every)})
    )


def _contents(classes: Sequence[SubClass], places: Sequence[tuple[int, int]]) -> dict[tuple[int, int], float]:
    """S_content of the pairs with titles on both sides."""
    texts = [sub.text for sub in classes]
    firsts = sorted({i for i, _ in places})
    seconds = sorted({j for _, j in places})
    found = s_content([texts[i] for i in firsts], [texts[j] for j in seconds])
    row, column = {i: at for at, i in enumerate(firsts)}, {j: at for at, j in enumerate(seconds)}
    return {(i, j): min(1.0, float(found[row[i], column[j]])) for i, j in places if texts[i] and texts[j]}


def _vectors(classes: Sequence[SubClass], places: Sequence[tuple[int, int]], encoder: str) -> list[float]:
    """The mean of two cosines: of the names, and of the titles after the mean of all is taken away, since what all titles
    share says nothing."""
    names = [sub.name for sub in classes]
    if encoder == CHARACTERS:
        of_names, of_titles = by_characters(names), by_characters([sub.text for sub in classes])
    else:
        encode = loaded_encoder(encoder).encode_texts
        of_names = np.asarray(encode(names), np.float64)
        of_titles = np.stack([_mean(sub, encode, of_names.shape[1]) for sub in classes])
    name, title = cosines(of_names), cosines(of_titles, centred=True)
    there = [bool(sub.text) for sub in classes]
    return [float((name[i, j] + title[i, j]) / 2 if there[i] and there[j] else name[i, j]) for i, j in places]


def _mean(sub: SubClass, encode: Encode, dimensions: int) -> NDArray[np.float64]:
    """The mean vector of pieces of a sub-class's titles."""
    pieces = [sub.text[at : at + TITLE_CHARACTERS] for at in range(0, len(sub.text), TITLE_CHARACTERS)]
    if not pieces:
        return np.zeros(dimensions)
    return np.asarray(encode(pieces[:TITLES]), np.float64).mean(axis=0)


def _published(pair: Pair, content: float) -> Pair:
    joined = pair.equal or (pair.s_label >= LABEL and pair.s_content is not None and pair.s_content > content)
    return replace(pair, published=joined)


def _nearest(pairs: Sequence[Pair]) -> list[Pair]:
    """Mark the pairs in which each is the other's nearest of that source and more alike than not; equal names need not be."""
    best: dict[tuple[tuple[str, str, str], str], float] = {}
    for pair in pairs:
        for own, other in ((pair.a, pair.b), (pair.b, pair.a)):
            place = own.key, other.source
            best[place] = max(best.get(place, -1.0), pair.s_vectors)
    return [
        replace(
            pair,
            modern=pair.equal
            or pair.alike
            or (
                pair.s_vectors > 0
                and pair.s_vectors >= best[pair.a.key, pair.b.source]
                and pair.s_vectors >= best[pair.b.key, pair.a.source]
            ),
        )
        for pair in pairs
    ]


def _likeness(pair: Pair) -> float:
    return pair.s_label + (pair.s_content or 0.0) + pair.s_vectors
