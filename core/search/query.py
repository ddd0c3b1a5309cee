"""Search by texts, pictures and products, with positive and negative weights; shared by the command, the page
and the panel share.

Several parts are standardised before they are added: texts are generally less similar to
pictures than pictures are, so each part's similarities are scaled by their deviation over the dataset.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.catalog.products import Products
from core.embeddings.clip import Encoder, encoder
from core.embeddings.loading import load_encoder
from core.embeddings.store import PICTURES_ALONE, open_set, preferred, sets
from core.errors import EmbeddingError, UsageError
from core.images.pictures import decode
from core.search.index import Index
from core.search.lexical import Lexical
from core.search.significance import RandomPairs, in_words, is_nothing, random_pairs

How = Literal["likeness", "words", "both"]
HOWS: tuple[How, ...] = ("likeness", "words", "both")
DEPTH = 480  # of each list that is fused, and of the pages of results
RANK_CONSTANT = 60  # Cormack, Clarke and Buettcher 2009: reciprocal rank fusion
PARTS = 12  # of one query
MAX_WEIGHT = 10.0
FIRST = 10  # results that must all be like nothing for a search to have found nothing
NOTHING_FOUND = (
    "There is nothing like it here: even the first results are no more similar to the query than random pairs of "
    "products are to each other."
)
AWAY = 0.5  # default weight of negative parts; at 1 they also remove wanted results


@dataclass(frozen=True)
class Part:
    """One part of a query."""

    kind: Literal["text", "image", "product"]
    text: str = ""  # the text; for an image or a product its name
    image: bytes | None = None  # the uploaded file
    row: int | None = None  # of a product
    weight: float = 1.0  # negative: unlike this

    def __post_init__(self) -> None:
        if not np.isfinite(self.weight) or self.weight == 0 or abs(self.weight) > MAX_WEIGHT:
            raise UsageError(
                f"A weight is {self.weight}; expected -{MAX_WEIGHT:g} to {MAX_WEIGHT:g} and not 0. Negative parts have negative weights."
            )


@dataclass(frozen=True)
class Hit:
    """One result."""

    row_id: int
    score: float  # see Answer.meaning
    similarities: tuple[float | None, ...]  # cosine with each part; None if found by words only
    by: tuple[str, ...]  # likeness, words
    chances: tuple[float | None, ...] = ()  # share of random pairs as near as each part; see significance

    @property
    def nothing(self) -> bool:
        """It was found by likeness alone, and is no more similar to any wanted part than random pairs are."""
        return "words" not in self.by and is_nothing(self.chances)

    @property
    def likeness(self) -> str:
        """How similar it is to the part that it is nearest to, in words; empty where that is not known."""
        known = [share for share in self.chances if share is not None]
        return in_words(min(known)) if known else ""


@dataclass(frozen=True)
class Answer:
    """The results of a search, best first."""

    hits: list[Hit]
    meaning: str  # of the scores, in words
    allowed: int  # products that pass the filter
    exact: bool = True
    recall: float | None = None  # recall@10, if the approximate index was used
    seconds: float = 0.0
    notes: tuple[str, ...] = field(default=())


class Searcher:
    """Search in one dataset with one set of vectors. Thread-safe."""

    def __init__(
        self,
        products: Products,
        name: str | None = None,
        load: Callable[[str], Encoder] = lambda known: load_encoder(encoder(known)),
    ) -> None:
        """
        Args:
            name: of the vectors; None for the newest that texts can be compared with.
            load: loads an encoder by name, on first use.

        Raises:
            EmbeddingError: there are no vectors, or they are stale or broken.
        """
        self.products = products
        self.name = name or default_set(products)
        self._index = Index(open_set(products.info, self.name)) if self.name else None
        self._load = load
        self._encoder: Encoder | None = None
        self._words: Lexical | None = None
        self._pairs: dict[bool, RandomPairs] = {}  # with names' or without
        self._lock = threading.Lock()

    @property
    def index(self) -> Index:
        """
        Raises:
            EmbeddingError: the dataset has no vectors.
        """
        if self._index is None:
            open_set(self.products.info, "clip-tiny")  # says what to run
            raise EmbeddingError(
                f"The vectors of {self.products.info.name} have just been replaced. Search again."
            )
        return self._index

    @property
    def takes_texts(self) -> bool:
        """Whether texts and pictures can be encoded, which imported vectors do not allow."""
        return self._index is not None and self._index.set.description.tower != "imported"

    @property
    def pictures_alone(self) -> bool:
        """Are the vectors of an encoder that reads no texts?"""
        return self._index is not None and self._index.set.description.encoder in PICTURES_ALONE

    def encoder(self) -> Encoder:
        """
        Raises:
            EmbeddingError: the vectors were imported, or computed with other weights.
            ModelError: the weights are not here.
        """
        described = self.index.set.description
        if not self.takes_texts:
            raise EmbeddingError(
                f"The vectors {self.name} were imported, and Vitrine has no encoder for them that could embed a text or a "
                f"picture. Search by a product, or compute other vectors: vitrine embed {self.products.info.name}"
            )
        with self._lock:
            if self._encoder is None:
                loaded = self._load(described.encoder)
                open_set(self.products.info, self.name or "", loaded.weights)
                self._encoder = loaded
            return self._encoder

    def words(self) -> Lexical:
        with self._lock:
            if self._words is None:
                self._words = Lexical(self.products)
            return self._words

    def search(
        self,
        parts: Sequence[Part],
        k: int = 24,
        mask: NDArray[np.bool_] | None = None,
        how: How = "likeness",
    ) -> Answer:
        """The k best products.

        Args:
            mask: (n,) true where a product may be found; None for all.
            how: by vectors, by words, or both fused.

        Where the vectors are of an encoder that reads no texts, words alone are looked for in names and descriptions,
        and a note says so.

        Raises:
            UsageError: the query is empty, has too many parts, or only negative ones.
            EmbeddingError, ModelError: the vectors or the encoder are not there or do not fit.
            ImageError: a picture cannot be opened.
        """
        parts = [part for part in parts if part.kind != "text" or part.text.strip()]
        if how not in HOWS:
            raise UsageError(f"Search by {how!r} is not known: {', '.join(HOWS)}.")
        if not any(part.weight > 0 for part in parts):
            raise UsageError("The query is empty: give some words, a picture or a product.")
        if len(parts) > PARTS:
            raise UsageError(f"The query has {len(parts)} parts; {PARTS} at most.")
        if how != "likeness" and not any(part.kind == "text" and part.weight > 0 for part in parts):
            how = "likeness"  # the query has no words
        notes: list[str] = []
        if how != "words" and self.pictures_alone and any(part.kind == "text" for part in parts):
            why = encoder(self.index.set.description.encoder).wordless()
            if how == "likeness" or any(part.kind != "text" for part in parts):
                raise EmbeddingError(why)
            how = "words"
            notes.append(f"Only names and descriptions were searched. {why}")
        allowed = len(self.products) if mask is None else int(np.count_nonzero(mask))
        if not allowed:
            return Answer([], "nothing to compare with", 0)
        if how != "words" and any(part.kind != "product" for part in parts):
            self.encoder()  # loaded once, and not counted as searching
        started = time.perf_counter()
        by_words = self._by_words(parts, max(k, DEPTH), mask, how, notes) if how != "likeness" else []
        if how == "words":
            hits = [Hit(row, score, (None,) * len(parts), ("words",)) for row, score in by_words[:k]]
            answer = Answer(hits, "BM25 of the words", allowed)
        else:
            answer = self._by_likeness(parts, k if how == "likeness" else max(k, DEPTH), mask, allowed)
            notes.extend(self._unlearnt(parts))
            if how == "both":
                answer = self._fused(answer, by_words, parts, k)
            if answer.hits and all(hit.nothing for hit in answer.hits[:FIRST]):
                notes.append(NOTHING_FOUND)
        seconds = time.perf_counter() - started
        return Answer(
            answer.hits, answer.meaning, allowed, answer.exact, answer.recall, round(seconds, 4), tuple(notes)
        )

    def _by_words(
        self, parts: Sequence[Part], k: int, mask: NDArray[np.bool_] | None, how: How, notes: list[str]
    ) -> list[tuple[int, float]]:
        wanted = " ".join(part.text for part in parts if part.kind == "text" and part.weight > 0)
        unwanted = " ".join(part.text for part in parts if part.kind == "text" and part.weight < 0)
        try:
            found = self.words().search(wanted, k, mask, unwanted)
        except EmbeddingError as error:
            if how == "words":
                raise
            notes.append(str(error))
            return []
        if not found.every:
            if how == "both":  # a product with only some of the words is no better than a similar picture
                return []
            if len(found.rows):
                notes.append("No product has all of these words; the results have some of them.")
        return list(zip(found.rows.tolist(), found.scores.tolist(), strict=True))

    def _unlearnt(self, parts: Sequence[Part]) -> list[str]:
        """A note on scripts that the encoder was not trained on."""
        texts = [part.text for part in parts if part.kind == "text"]
        spec = self.encoder().spec if texts else None
        found = dict.fromkeys(filter(None, (spec.untrained_scripts(text) for text in texts))) if spec else ()
        return [
            f"The encoder was not trained on {signs}; results for them are unreliable." for signs in found
        ]

    def vectors(self, parts: Sequence[Part]) -> NDArray[np.float32]:
        """(p, d) of length 1, one a part.

        Raises:
            EmbeddingError: a product has no vector, or texts cannot be encoded.
            ImageError: a picture cannot be opened.
        """
        found = np.zeros((len(parts), self.index.d), np.float32)
        for position, part in enumerate(parts):
            if part.kind == "product":
                row = -1 if part.row is None else part.row
                if not 0 <= row < self.index.n or not self.index.set.present[row]:
                    raise EmbeddingError(
                        f"The product {part.text or row} has no vector in {self.name}: its picture is missing or broken."
                    )
                found[position] = self.index.set.vectors[row]
            elif part.kind == "image":
                coder = self.encoder()
                image = decode(part.image or b"", coder.preprocessing.decode_px)
                found[position] = coder.encode_pictures([image])[0]
            else:
                coder = self.encoder()
                found[position] = coder.encode_texts([coder.spec.phrase(part.text)])[0]
        return found

    def _by_likeness(
        self, parts: Sequence[Part], k: int, mask: NDArray[np.bool_] | None, allowed: int
    ) -> Answer:
        vectors = self.vectors(parts)
        own = [part.row for part in parts if part.kind == "product" and part.row is not None]
        if len(parts) == 1:
            query, offset, meaning = (
                vectors[0] * np.float32(np.sign(parts[0].weight)),
                0.0,
                "cosine similarity",
            )
        else:
            weights = np.array([part.weight for part in parts])
            spreads = np.array([self.index.spread(vector) for vector in vectors])  # (p, 2)
            factors = weights / spreads[:, 1] / np.abs(weights).sum()
            query = (factors[:, None] * vectors).sum(axis=0)
            offset = float((factors * spreads[:, 0]).sum())
            meaning = "combined similarity to all parts, standardised over the dataset"
        found = self.index.search(query, min(k + len(own), self.index.n), mask)
        keep = ~np.isin(found.rows, own)
        rows, scores = found.rows[keep][:k], found.scores[keep][:k] - offset
        near = np.asarray(self.index.set.vectors[rows], np.float32) @ vectors.T  # (m, p)
        pairs = self.random_pairs(parts)
        hits = [
            Hit(
                int(row),
                float(score),
                tuple(map(float, each)),
                ("likeness",),
                self._chances(pairs, parts, each),
            )
            for row, score, each in zip(rows, scores, near, strict=True)
        ]
        recall = None if found.exact or not self.index.approximate else self.index.approximate.recall_at_10
        return Answer(hits, meaning, allowed, found.exact, recall)

    def random_pairs(self, parts: Sequence[Part] = ()) -> RandomPairs:
        """What random pairs of the vectors have; of names and pictures too where a part is a text.

        Raises:
            EmbeddingError: there are no vectors.
            ModelError: the encoder cannot be loaded.
        """
        crossed = self.index.set.description.tower == "image" and any(part.kind == "text" for part in parts)
        if crossed not in self._pairs:
            self._pairs[crossed] = random_pairs(
                self.index.set, self.products, self.encoder if crossed else None
            )
        return self._pairs[crossed]

    def _chances(
        self, pairs: RandomPairs, parts: Sequence[Part], cosines: NDArray[np.float32]
    ) -> tuple[float | None, ...]:
        """Of each wanted part; None for others, and where a picture is compared with texts."""
        image = self.index.set.description.tower != "text"
        return tuple(
            None
            if part.weight < 0 or (part.kind == "image" and not image)
            else pairs.share(float(cosine), "texts" if image and part.kind == "text" else "own")
            for part, cosine in zip(parts, cosines, strict=True)
        )

    def _fused(
        self, likeness: Answer, by_words: list[tuple[int, float]], parts: Sequence[Part], k: int
    ) -> Answer:
        """Reciprocal rank fusion of both lists."""
        if not by_words:
            return Answer(
                likeness.hits[:k], likeness.meaning, likeness.allowed, likeness.exact, likeness.recall
            )
        near = {hit.row_id: hit for hit in likeness.hits}
        said = {row for row, _ in by_words}
        none = (None,) * len(parts)
        hits = []
        for row, score in fuse([hit.row_id for hit in likeness.hits], [row for row, _ in by_words])[:k]:
            by = (*(("likeness",) if row in near else ()), *(("words",) if row in said else ()))
            alike = near.get(row)
            hits.append(
                Hit(row, score, alike.similarities if alike else none, by, alike.chances if alike else none)
            )
        meaning = "reciprocal rank fusion of similarity and words"
        return Answer(hits, meaning, likeness.allowed, likeness.exact, likeness.recall)


def default_set(products: Products) -> str | None:
    """The newest set of picture vectors with an encoder, else the newest set."""
    ranked = preferred(sets(products.info))
    return ranked[0][0] if ranked else None


def fuse(*rankings: Sequence[int]) -> list[tuple[int, float]]:
    """Reciprocal rank fusion of lists of row numbers: rows with their scores, best first.

    >>> [row for row, _ in fuse([1, 2, 3], [3, 1])]
    [1, 3, 2]
    """
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, row in enumerate(ranking, 1):
            scores[row] = scores.get(row, 0.0) + 1 / (RANK_CONSTANT + rank)
    return sorted(scores.items(), key=lambda entry: (-entry[1], entry[0]))
