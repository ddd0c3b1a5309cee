"""How near two things are by chance: what a cosine means, in words.

A cosine alone says little: with one encoder unrelated pictures lie at 0.2, with another at 0.7. What random pairs of a
set of vectors have is drawn once and stored beside the vectors; a result that is no nearer than one random pair in twenty
is "nothing like it", however high it ranks.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.catalog.products import Products
from core.embeddings.clip import Encoder
from core.embeddings.store import EmbeddingSet, unit

FILE = "random_pairs.json"
SHARES = (0.9, 0.75, 0.5, 0.35, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)  # of random pairs
UNLIKE = 0.05  # of random pairs that are as near: a result is "nothing like it" from here
WORDS = ((0.002, "very similar"), (0.01, "similar"), (UNLIKE, "somewhat similar"))
NOTHING = "nothing like it"
PAIRS = 20_000  # that are drawn
TEXTS = 96  # names that are encoded, each beside PAIRS / TEXTS pictures
FEWEST = 20  # vectors: random pairs of fewer say nothing


@dataclass(frozen=True)
class RandomPairs:
    """Cosines that the given shares of random pairs reach, `SHARES` long; None where they are not known."""

    weights: str  # digest of the weights that made the vectors
    created: str  # of the vectors
    own: tuple[float, ...] | None  # two products' vectors
    texts: tuple[float, ...] | None = None  # one product's name, another's vector

    def share(self, cosine: float, kind: str) -> float | None:
        """The share of random pairs that are as near as this, or nearer; SHARES[-1] for anything rarer.

        Args:
            kind: `texts` where a text was compared with pictures, else `own`.

        Returns:
            None where random pairs are not known.
        """
        limits = self.texts if kind == "texts" else self.own
        if limits is None:
            return None
        rising = np.array(limits)  # ascending, as shares fall
        logs = np.interp(cosine, rising, np.log(SHARES), left=0.0)
        return float(np.exp(logs))


def in_words(share: float | None) -> str:
    """What a share of random pairs means to a reader; empty where it is not known.

    >>> in_words(0.3), in_words(0.03), in_words(0.004), in_words(0.001), in_words(None)
    ('nothing like it', 'somewhat similar', 'similar', 'very similar', '')
    """
    if share is None:
        return ""
    return next((said for most, said in WORDS if share <= most and share < UNLIKE), NOTHING)


def is_nothing(shares: Sequence[float | None]) -> bool:
    """Is a result unlike every part of a query that can be judged? False where none can.

    >>> is_nothing([0.3, None]), is_nothing([0.3, 0.01]), is_nothing([None])
    (True, False, False)
    """
    known = [share for share in shares if share is not None]
    return bool(known) and min(known) >= UNLIKE


def limits(cosines: NDArray[np.floating]) -> tuple[float, ...]:
    """The cosine that each of SHARES reaches, ascending.

    Args:
        cosines: (m,) of random pairs, at least one.
    """
    return tuple(float(round(q, 5)) for q in np.quantile(cosines, 1 - np.array(SHARES)))


def own_pairs(found: EmbeddingSet, pairs: int = PAIRS) -> tuple[float, ...] | None:
    """Limits of pairs of different vectors of a set; None where it has fewer than FEWEST.

    The same for the same set: the pairs are drawn with a seed.
    """
    there = np.flatnonzero(found.present)
    if len(there) < FEWEST:
        return None
    drawn = np.random.default_rng(0)
    sides = [np.sort(drawn.choice(there, min(pairs, 4 * len(there)))) for _ in range(2)]
    first, second = (unit(np.asarray(found.vectors[side], np.float32))[0] for side in sides)
    cosines = np.einsum("ij,ij->i", first, second[drawn.permutation(len(second))])
    cosines = cosines[cosines < 0.9999]  # a product beside itself, or two with one picture
    return limits(cosines) if len(cosines) >= FEWEST else None


def text_pairs(found: EmbeddingSet, products: Products, coder: Encoder) -> tuple[float, ...] | None:
    """Limits of one product's name beside another's vector; None where fewer than FEWEST have both."""
    there = np.flatnonzero(found.present)
    if len(there) < FEWEST:
        return None
    rows = there[np.unique(np.linspace(0, len(there) - 1, TEXTS).astype(np.int64))]
    frame = products.frame(
        "SELECT row_id, coalesce(nullif(trim(name), ''), description) AS said FROM cohort "
        "WHERE list_contains(?, row_id) ORDER BY row_id",
        values=[rows.tolist()],
    )
    texts = {
        int(row): said
        for row, said in zip(frame.row_id, frame.said, strict=True)
        if isinstance(said, str) and said.strip()
    }
    if len(texts) < FEWEST:
        return None
    drawn = np.random.default_rng(1)
    beside = np.sort(drawn.choice(there, min(len(there), PAIRS // TEXTS), replace=False))
    vectors = coder.encode_texts(list(texts.values()))
    cosines = vectors @ unit(np.asarray(found.vectors[beside], np.float32))[0].T
    other = np.array(list(texts))[:, None] != beside[None]
    return limits(cosines[other])


def random_pairs(
    found: EmbeddingSet, products: Products, coder: Callable[[], Encoder] | None = None
) -> RandomPairs:
    """What is stored beside a set of vectors; drawn and stored first where it is not there.

    Args:
        coder: gives the encoder of the set, to compare names as well; asked only where these are missing.
            None leaves them out.

    Raises:
        ModelError: the encoder cannot be loaded.
    """
    path, described = found.folder / FILE, found.description
    known = _read(path)
    if known is None or (known.weights, known.created) != (described.weights, described.created):
        known = RandomPairs(described.weights, described.created, own_pairs(found))
        _write(path, known)
    if coder is not None and known.texts is None and known.own is not None:
        known = RandomPairs(known.weights, known.created, known.own, text_pairs(found, products, coder()))
        _write(path, known)
    return known


def _read(path: Path) -> RandomPairs | None:
    """None where there is none, or one that does not hold what it should."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        sides = [told[side] and tuple(float(x) for x in told[side]) for side in ("own", "texts")]
        if any(side and (len(side) != len(SHARES) or not np.isfinite(side).all()) for side in sides):
            return None
        return RandomPairs(str(told["weights"]), str(told["created"]), sides[0] or None, sides[1] or None)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(path: Path, pairs: RandomPairs) -> None:
    """Where the folder cannot be written, they are drawn again next time."""
    temporary = path.with_name(f".{FILE}.{os.getpid()}")
    with suppress(OSError):
        temporary.write_text(json.dumps(asdict(pairs)) + "\n", encoding="utf-8")
        temporary.replace(path)
