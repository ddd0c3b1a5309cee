"""Generating the incorrect pairs of a dataset: vectors, clusters, partners, weights; stored until anything changes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.catalog.info import DatasetInfo
from core.catalog.map_files import vectors_digest
from core.catalog.products import Products
from core.embeddings.clip import ENCODERS, encoder
from core.embeddings.embed import embed
from core.embeddings.store import EmbeddingSet, open_set
from core.errors import PairsError, UsageError
from core.pairs import table as stored
from core.pairs.clusters import cluster, typical
from core.pairs.selection import (
    Selected,
    cosine,
    draw_clusters,
    least_similar,
    least_similar_once,
    partners_below,
    random_partners,
)
from core.pairs.table import Counts, Described, PairSettings, PairTable
from core.pairs.weights import weights
from core.progress import Progress, no_progress
from core.search.neighbours import different
from core.storage import alone, holder, storage_errors

TYPICAL = 12  # products of a cluster that are shown
# On two cores without a GPU (docs/development/results.md).
CLUSTERED_PER_S, COMPARED_PER_S, EMBEDDED_PER_S = 5_000, 1e8, 300


@dataclass(frozen=True)
class Inputs:
    """The products that pairs are made of, and their vectors."""

    rows: NDArray[np.int64]  # (K,) row_ids with both vectors, ascending
    left_out: int  # other products of the split
    image: EmbeddingSet
    text: EmbeddingSet
    image_mark: NDArray[np.int64]  # (K,) the same for the same vector
    text_mark: NDArray[np.int64]


@dataclass(frozen=True)
class Clusters:
    """Clusters of K products by one kind of vectors."""

    labels: NDArray[np.int32]  # (K,); -1 where the method has no clusters
    typical: tuple[tuple[int, ...], ...] = ()  # of each cluster the row_ids nearest to its centre

    def sizes(self) -> tuple[int, ...]:
        return tuple(np.bincount(self.labels[self.labels >= 0]).tolist())


def default_settings(info: DatasetInfo) -> PairSettings:
    """The paper's method on the training products, where there are any."""
    return PairSettings(split="train" if "train" in info.splits else "")


def pairs(
    dataset: str,
    settings: PairSettings | None = None,
    again: bool = False,
    progress: Progress = no_progress,
) -> PairTable:
    """The incorrect pairs of a dataset: those that are stored, else generated and stored.

    Vectors of an encoder that are not there are computed first.

    Args:
        again: generate them even if they are stored.

    Raises:
        UnknownDatasetError: there is no such dataset.
        UsageError: a setting is out of range.
        EmbeddingError: vectors are missing and cannot be computed, or outdated.
        PairsError: there are too few products or no partners, or another process is generating pairs.
        StorageError: the folder cannot be written.
    """
    products = Products.open(dataset)
    info = products.info
    settings = (settings or default_settings(info)).check()
    if not again:
        try:
            return stored.load(info, settings.name)
        except PairsError:
            pass
    with storage_errors(info.folder), _alone(info):
        table = generate(products, settings, progress)
        stored.save(info, table)
    return table


def generate(products: Products, settings: PairSettings, progress: Progress = no_progress) -> PairTable:
    """Generate pairs without storing them; see `pairs` for the errors."""
    info = products.info
    seconds: dict[str, float] = {}
    with _timed(seconds, "vectors"):
        for name in (settings.image_vectors, settings.text_vectors):
            compute_vectors(info, name, progress)
        progress(0, 0, "Reading vectors")
        found = read_inputs(products, settings)
    rows, count = found.rows, len(found.rows)
    image = text = Clusters(np.full(count, -1, np.int32))
    if settings.method == "clusters":
        with _timed(seconds, "clusters"):
            progress(0, 0, "Clustering pictures")
            image = _clusters(found.image, rows, found.image_mark, settings, "pictures")
            progress(0, 0, "Clustering texts")
            text = _clusters(found.text, rows, found.text_mark, settings, "texts")
    features = found.image.vectors if count == info.rows else found.image.vectors[rows]
    with _timed(seconds, "partners"):
        chosen = _select(features, image.labels, text.labels, settings, progress)
    if not (chosen.partner >= 0).any():
        raise PairsError(
            f"No product of {info.name} has a candidate: in every cluster of pictures all texts are in one cluster. "
            "Ask for more clusters, or take other vectors of the texts."
        )
    return _table(info, settings, found, image, text, chosen, seconds)


def plan(info: DatasetInfo, settings: PairSettings) -> dict[str, Any]:
    """What `pairs` would do: name, title, settings, there (generated already), missing_vectors, seconds."""
    missing = missing_vectors(info, settings)
    rows = info.splits.get(settings.split, 0) if settings.split else info.rows
    try:
        stored.load(info, settings.name)
        there = True
    except PairsError:
        there = False
    return {
        "name": settings.name,
        "title": settings.title,
        "settings": asdict(settings),
        "there": there,
        "missing_vectors": missing,
        "seconds": 0.0 if there else round(seconds_for(rows, info.rows * len(missing)), 1),
    }


def seconds_for(rows: int, to_embed: int = 0) -> float:
    """About how long it takes on two cores: every product is compared with the members of one cluster.

    Args:
        rows: products that get a partner; to_embed: pictures and texts without vectors.
    """
    return 4 + rows / CLUSTERED_PER_S + rows * (rows / 10) / COMPARED_PER_S + to_embed / EMBEDDED_PER_S


def in_progress(info: DatasetInfo) -> str | None:
    """The process that is generating pairs of the dataset, if any."""
    return holder(info.folder / "pairs" / ".lock")


def missing_vectors(info: DatasetInfo, settings: PairSettings) -> list[str]:
    """The sets of vectors that would be computed first."""
    names = (settings.image_vectors, settings.text_vectors)
    return [name for name in names if vectors_digest(info, name) is None]


def compute_vectors(info: DatasetInfo, name: str, progress: Progress = no_progress) -> None:
    """Compute a set of vectors that is not there, if its name is one of the list of encoders.

    Raises:
        EmbeddingError: it cannot be computed, or another process is computing vectors.
    """
    known = name.removesuffix(".text")
    if missing_vectors(info, PairSettings(image_vectors=name, text_vectors=name)) and known in {
        spec.name for spec in ENCODERS
    }:
        embed(info.name, encoder(known), "image" if known == name else "text", progress=progress)


def read_inputs(products: Products, settings: PairSettings) -> Inputs:
    """The vectors, and the products of the split that have both.

    Raises:
        EmbeddingError: a set of vectors is missing, outdated or broken.
        UsageError: vectors of texts are given as those of pictures or the reverse, or there is no such split.
        PairsError: no product has both.
    """
    info = products.info
    image, text = open_set(info, settings.image_vectors), open_set(info, settings.text_vectors)
    if image.description.tower == "text" or text.description.tower == "image":
        raise UsageError(
            f"{image.name} must be vectors of pictures and {text.name} vectors of texts; they are of "
            f"{image.description.tower} and {text.description.tower}."
        )
    inside = np.ones(info.rows, bool)
    if settings.split:
        if settings.split not in info.splits:
            raise UsageError(f"{info.name} has no split {settings.split!r}; it has {', '.join(info.splits)}.")
        frame = products.frame(
            "SELECT row_id FROM cohort WHERE split = ? ORDER BY row_id", values=[settings.split]
        )
        inside[:] = False
        inside[frame.row_id.to_numpy(np.int64)] = True
    image_mark, text_mark = (different(one.vectors, one.present)[1] for one in (image, text))
    rows = np.flatnonzero(inside & (image_mark >= 0) & (text_mark >= 0))
    if len(rows) < 2:
        pictures, texts = (int((inside & (mark >= 0)).sum()) for mark in (image_mark, text_mark))
        raise PairsError(
            f"Pairs need two products with a picture and a text; of {int(inside.sum()):,} products of {info.name} "
            f"{pictures:,} have a vector of the picture, {texts:,} of the text, {len(rows):,} both."
        )
    return Inputs(rows, int(inside.sum()) - len(rows), image, text, image_mark[rows], text_mark[rows])


def _clusters(
    found: EmbeddingSet, rows: NDArray[np.int64], marks: NDArray[np.int64], settings: PairSettings, what: str
) -> Clusters:
    labels, centres = cluster(found.vectors, rows, settings.clusters, settings.seed, what)
    return Clusters(labels, typical(found.vectors, rows, labels, centres, marks, TYPICAL))


def _select(
    features: NDArray[np.floating],
    image_cluster: NDArray[np.int32],
    text_cluster: NDArray[np.int32],
    settings: PairSettings,
    progress: Progress,
) -> Selected:
    if settings.method == "random":
        return random_partners(features, settings.seed)
    if settings.method == "below":
        return partners_below(features, float(settings.threshold or 0), settings.seed, progress)
    if not settings.replacement:
        return least_similar_once(features, image_cluster, text_cluster, settings.seed, progress)
    chosen, redraws = draw_clusters(image_cluster, text_cluster, settings.seed)
    found = least_similar(features, image_cluster, text_cluster, chosen, progress)
    return replace(found, redraws=redraws)


def _table(
    info: DatasetInfo,
    settings: PairSettings,
    found: Inputs,
    image: Clusters,
    text: Clusters,
    chosen: Selected,
    seconds: dict[str, float],
) -> PairTable:
    paired = chosen.partner >= 0
    to = np.where(paired, chosen.partner, 0)
    times = np.bincount(chosen.partner[paired], minlength=1)
    positive, negative = weights(np.where(paired, chosen.similarity, 0))
    counts = Counts(
        anchors=len(found.rows),
        left_out=found.left_out,
        pairs=int(paired.sum()),
        dropped=int((~paired).sum()),
        redrawn=int((chosen.redraws[paired] > 0).sum()),
        fallback=int(chosen.fallback.sum()),
        partners=int((times > 0).sum()),
        most_used=int(times.max()),
        same_picture=int((found.image_mark == found.image_mark[to])[paired].sum()),
        same_text=int((found.text_mark == found.text_mark[to])[paired].sum()),
    )
    described = Described(
        name=settings.name,
        settings=settings,
        counts=counts,
        fingerprint=info.fingerprint,
        image_digest=stored.digest(info, settings.image_vectors) or "",
        text_digest=stored.digest(info, settings.text_vectors) or "",
        image_sizes=image.sizes(),
        text_sizes=text.sizes(),
        image_typical=image.typical,
        text_typical=text.typical,
        seconds=seconds,
        created=stored.now(),
    )
    return PairTable(
        described,
        row_id=found.rows,
        partner=np.where(paired, found.rows[to], -1),
        image_cluster=image.labels,
        text_cluster=text.labels,
        partner_image_cluster=np.where(paired, image.labels[to], -1).astype(np.int32),
        partner_text_cluster=np.where(paired, text.labels[to], -1).astype(np.int32),
        similarity=chosen.similarity.astype(np.float32),
        text_similarity=cosine(found.text.vectors, found.rows, np.where(paired, found.rows[to], -1)).astype(
            np.float32
        ),
        weight_positive=np.where(paired, positive, 1).astype(np.float32),
        weight_negative=np.where(paired, negative, 0).astype(np.float32),
        redraws=chosen.redraws,
        fallback=chosen.fallback,
    )


@contextmanager
def _timed(seconds: dict[str, float], what: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    seconds[what] = round(time.monotonic() - began, 2)


@contextmanager
def _alone(info: DatasetInfo) -> Iterator[None]:
    """One process per dataset."""
    if not info.folder.exists():
        raise PairsError(f"{info.name} was removed.")

    def busy(who: str) -> PairsError:
        return PairsError(
            f"Pairs of {info.name} are being generated already, by {who}. Wait until it is done."
        )

    with alone(info.folder / "pairs" / ".lock", busy):
        yield
