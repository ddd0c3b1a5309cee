"""Which labels look wrong: predictions that never saw the product they predict, beside the given labels.

Every product is predicted by a linear classifier that was fitted on the other folds (ridge regression over stored vectors,
solved from their products, so that a million take minutes); products of one picture are in one fold. The scores are
cleanlab's: self-confidence, the probability of the given label, and the normalised margin to the most probable other one
(Northcutt, Jiang and Chuang 2021, "Confident learning"). These queues are for fixing labels, never for estimating.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from core.audit.plan import all_labels
from core.catalog.cohort import path_text
from core.catalog.info import DatasetInfo
from core.catalog.products import Products
from core.duplicates import finding
from core.duplicates.detectors import DETECTORS
from core.embeddings.store import EmbeddingSet, open_set, preferred, sets, unit
from core.errors import EmbeddingError, UsageError
from core.progress import Progress, no_progress
from core.storage import load_array, storage_errors

Queue = Literal["margin", "confidence", "disagreement", "conflicts"]
QUEUES: dict[Queue, str] = {
    "margin": "another class is more probable than the given one by the most (cleanlab's normalised margin)",
    "confidence": "the given label has the least probability (cleanlab's self-confidence)",
    "disagreement": "the model predicts another class, the surest first",
    "conflicts": "one picture, or a duplicate of it, with different labels, the least probable label first",
}
FOLDS = 5
TOP = 5  # most probable classes that are stored
BLOCK = 8_192  # rows read at once
STRENGTH = 1.0  # of the ridge, times the mean squared length of the vectors
SCALES = (2.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0)  # of the scores, before the softmax
VERSION = 1


@dataclass(frozen=True)
class Suspicion:
    """Out-of-fold predictions of a dataset of n products."""

    labels: tuple[str, ...]  # as `path_text` gives them
    given: NDArray[np.int32]  # (n,) position of the given label; -1 for none
    known: NDArray[np.bool_]  # (n,) has vectors and a label
    top: NDArray[np.int32]  # (n, TOP) most probable classes, best first
    probabilities: NDArray[np.float32]  # (n, TOP)
    confidence: NDArray[np.float32]  # (n,) probability of the given label
    margin: NDArray[np.float32]  # (n,) (that, minus the greatest of the others, plus 1) / 2
    vectors: tuple[str, ...]  # sets that were read
    accuracy: float  # share of products whose given label is predicted

    def likeliest(self, row: int) -> tuple[str, ...]:
        """The most probable classes of a product, best first; none where it has no vectors."""
        return tuple(self.labels[code] for code in self.top[row]) if self.known[row] else ()

    def queue(self, kind: Queue, products: Products) -> NDArray[np.int64]:
        """row_ids, the most suspicious first.

        Raises:
            UsageError: there is no such queue.
        """
        if kind not in get_args(Queue):
            raise UsageError(f"No queue {kind!r}. Queues: {', '.join(QUEUES)}.")
        if kind == "conflicts":
            rows = conflicting(products)
            return rows[np.argsort(np.where(self.known, self.confidence, 1)[rows], kind="stable")]
        rows = np.flatnonzero(self.known)
        if kind == "disagreement":
            rows = rows[self.top[rows, 0] != self.given[rows]]
            return rows[np.argsort(-self.probabilities[rows, 0], kind="stable")]
        score = self.margin if kind == "margin" else self.confidence
        return rows[np.argsort(score[rows], kind="stable")]


def quality(
    probabilities: NDArray[np.floating], given: NDArray[np.integer[Any]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """cleanlab's scores of label quality: low is suspicious.

    Args:
        probabilities: (m, c).
        given: (m,) the given label of each.

    Returns:
        (m,) self-confidence and (m,) normalised margin, both in [0, 1].
    """
    rows = np.arange(len(given))
    mine = np.asarray(probabilities, float)[rows, given]
    others = np.array(probabilities, float)
    others[rows, given] = -1
    return mine, (mine - others.max(axis=1) + 1) / 2


def conflicting(products: Products) -> NDArray[np.int64]:
    """Products whose picture is also listed under another label: the same file, or a duplicate found by a precise detector.

    Duplicates are those that `vitrine duplicates` or a preparation found, at the detectors' own thresholds.
    """
    found = products.table(
        "SELECT row_id FROM cohort WHERE image IS NOT NULL AND image_id IN (SELECT image_id FROM cohort "
        "WHERE image IS NOT NULL AND category IS NOT NULL GROUP BY image_id HAVING count(DISTINCT category_path) > 1)"
    )
    conflict = np.zeros(len(products), bool)
    conflict[np.asarray(found.column("row_id"), np.int64)] = True
    coded = products.columns.category
    label = np.where(np.array([bool(path) for path in coded.values])[coded.codes], coded.codes, -1)
    for kind in DETECTORS:
        if kind.precise and kind.of == "picture" and (pairs := finding.load(products.info, kind.key)):
            conflict |= _differ(pairs, pairs.within(kind.default), label)
    return np.flatnonzero(conflict & (label >= 0)).astype(np.int64)


def _differ(pairs: finding.Found, near: slice, label: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """(n,) the products that have another label than one of their duplicates; -1 is no label."""
    units = int(pairs.unit.max(initial=-1)) + 1
    inside = (pairs.unit >= 0) & (label >= 0)
    least, most = np.full(units, np.iinfo(np.int64).max), np.full(units, -1)
    np.minimum.at(least, pairs.unit[inside], label[inside])
    np.maximum.at(most, pairs.unit[inside], label[inside])
    differ = (most >= 0) & (least < most)
    a, b = pairs.unit[pairs.a[near]], pairs.unit[pairs.b[near]]
    both = (most[a] >= 0) & (most[b] >= 0)
    other = both & (np.minimum(least[a], least[b]) < np.maximum(most[a], most[b]))
    differ[a[other]] = differ[b[other]] = True
    return inside & differ[pairs.unit]


def compute(products: Products, progress: Progress = no_progress) -> Suspicion:
    """Predict every product out of its fold, and keep it with the dataset.

    Raises:
        EmbeddingError: the dataset has no vectors; the text says what to run.
        UsageError: it has fewer than two classes.
    """
    used = _vectors(products.info)
    labels = all_labels(products)
    if len(labels) < 2:
        raise UsageError(f"{products.info.name} has fewer than two classes: there is nothing to predict.")
    coded = products.columns.category
    place = {label: at for at, label in enumerate(labels)}
    code = np.array([place.get(path_text(path), -1) if path else -1 for path in coded.values], np.int32)
    given = code[coded.codes].astype(np.int32)
    known = (given >= 0) & np.logical_or.reduce([one.present for one in used])
    folds = _folds(products)
    weights = _fit(used, given, known, folds, len(labels), progress)
    scale = _scale(used, given, known, folds, weights)
    n = len(given)
    top, chances = np.zeros((n, TOP), np.int32), np.zeros((n, TOP), np.float32)
    confidence, margin = np.ones(n, np.float32), np.ones(n, np.float32)
    keep = min(TOP, len(labels))
    for start in range(0, n, BLOCK):
        here = slice(start, min(n, start + BLOCK))
        found = _softmax(_scores(used, here, folds, weights) * scale)
        best = np.argsort(-found, axis=1)[:, :keep]
        top[here, :keep], chances[here, :keep] = best, np.take_along_axis(found, best, axis=1)
        mine, gap = quality(found, np.maximum(given[here], 0))
        confidence[here], margin[here] = np.where(known[here], mine, 1), np.where(known[here], gap, 1)
        progress(here.stop, n, "Comparing labels with predictions")
    right = float((top[known, 0] == given[known]).mean()) if known.any() else 0.0
    made = Suspicion(
        labels,
        given,
        known,
        top[:, :keep],
        chances[:, :keep],
        confidence,
        margin,
        tuple(one.name for one in used),
        right,
    )
    _keep(products.info, made)
    return made


def load(info: DatasetInfo) -> Suspicion | None:
    """What was kept; None where there is nothing, or it is of an earlier import."""
    folder = _folder(info)
    try:
        said = json.loads((folder / "suspicion.json").read_text(encoding="utf-8"))
        if said["fingerprint"] != info.fingerprint or said["version"] != VERSION:
            return None
        arrays = {name: load_array(folder / f"{name}.npy") for name in ARRAYS}
        if any(len(one) != info.rows for one in arrays.values()):
            return None
        return Suspicion(
            labels=tuple(said["labels"]),
            vectors=tuple(said["vectors"]),
            accuracy=float(said["accuracy"]),
            **arrays,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


ARRAYS = ("given", "known", "top", "probabilities", "confidence", "margin")


def _folder(info: DatasetInfo) -> Path:
    return info.folder / "suspicion"


def _keep(info: DatasetInfo, made: Suspicion) -> None:
    folder = _folder(info)
    with storage_errors(info.folder):
        folder.mkdir(exist_ok=True)
        (folder / "suspicion.json").unlink(missing_ok=True)  # a killed writer leaves nothing that is read
        for name in ARRAYS:
            new = folder / f"{name}.new.npy"
            np.save(new, getattr(made, name), allow_pickle=False)
            new.replace(folder / f"{name}.npy")
        said = {
            "version": VERSION, "fingerprint": info.fingerprint, "labels": made.labels, "vectors": made.vectors,
            "accuracy": made.accuracy,
        }  # fmt: skip
        new = folder / "suspicion.json.new"
        new.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
        new.replace(folder / "suspicion.json")


def _vectors(info: DatasetInfo) -> list[EmbeddingSet]:
    """The preferred set of pictures and of texts, or one made elsewhere.

    Raises:
        EmbeddingError: there is none.
    """
    found = preferred(sets(info))
    used = []
    for towers in (("image",), ("text",)):
        name = next((name for name, described in found if described.tower in towers), "")
        if name:
            used.append(open_set(info, name))
    if not used and found:
        used.append(open_set(info, found[0][0]))
    if not used:
        raise EmbeddingError(
            f"{info.name} has no vectors to predict labels from. Compute them: vitrine prepare {info.name}"
        )
    return used


def _folds(products: Products) -> NDArray[np.int8]:
    """(n,) the fold of each product: one for all listings of a picture."""
    table = products.table(
        "SELECT hash(coalesce(image_id, row_id::varchar)) % ? AS fold FROM cohort ORDER BY row_id",
        values=[FOLDS],
    )
    return np.asarray(table.column("fold")).astype(np.int8)


def _block(used: list[EmbeddingSet], here: slice) -> NDArray[np.float32]:
    """(m, d + 1) the vectors side by side, zeros where one is absent, and a 1 for the intercept."""
    parts = [unit(np.where(one.present[here, None], one.vectors[here], 0))[0] for one in used]
    return np.concatenate([*parts, np.ones((len(parts[0]), 1), np.float32)], axis=1)


def _fit(
    used: list[EmbeddingSet],
    given: NDArray[np.int32],
    known: NDArray[np.bool_],
    folds: NDArray[np.int8],
    classes: int,
    progress: Progress,
) -> list[NDArray[np.float32]]:
    """Of each fold the (d + 1, c) weights that were fitted on the others."""
    d = sum(one.vectors.shape[1] for one in used) + 1
    gram = np.zeros((FOLDS, d, d))
    target = np.zeros((FOLDS, d, classes))
    for start in range(0, len(given), BLOCK):
        here = slice(start, min(len(given), start + BLOCK))
        block = _block(used, here)
        for fold in range(FOLDS):
            mine = np.flatnonzero((folds[here] == fold) & known[here])
            some = block[mine]
            gram[fold] += some.T @ some
            for code, sums in _by_class(some, given[here][mine]):
                target[fold][:, code] += sums
        progress(here.stop, len(given), "Fitting on the other folds")
    everything, all_targets = gram.sum(axis=0), target.sum(axis=0)
    found = []
    for fold in range(FOLDS):
        left = everything - gram[fold]
        ridge = np.full(d, STRENGTH)
        ridge[-1] = 1e-6  # the intercept is free
        found.append(np.linalg.solve(left + np.diag(ridge), all_targets - target[fold]).astype(np.float32))
    return found


def _by_class(some: NDArray[np.float32], codes: NDArray[np.int32]) -> list[tuple[int, NDArray[np.float32]]]:
    order = np.argsort(codes, kind="stable")
    codes = codes[order]
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]]) if len(codes) else np.zeros(0, np.int64)
    sums = np.add.reduceat(some[order], starts, axis=0) if len(starts) else np.zeros((0, some.shape[1]))
    return [(int(codes[start]), one) for start, one in zip(starts, sums, strict=True)]


def _scores(
    used: list[EmbeddingSet], here: slice, folds: NDArray[np.int8], weights: list[NDArray[np.float32]]
) -> NDArray[np.float32]:
    block = _block(used, here)
    found = np.empty((len(block), weights[0].shape[1]), np.float32)
    for fold in range(FOLDS):
        mine = np.flatnonzero(folds[here] == fold)
        found[mine] = block[mine] @ weights[fold]
    return found


def _scale(
    used: list[EmbeddingSet],
    given: NDArray[np.int32],
    known: NDArray[np.bool_],
    folds: NDArray[np.int8],
    weights: list[NDArray[np.float32]],
) -> float:
    """The factor under which the given labels are the most probable, on the first products."""
    here = slice(0, min(len(given), 2 * BLOCK))
    scores = _scores(used, here, folds, weights)
    rows = np.flatnonzero(known[here])
    if not len(rows):
        return SCALES[0]
    mine = given[here][rows]

    def likelihood(scale: float) -> float:
        found = _softmax(scores[rows] * scale)
        return float(np.log(np.maximum(found[np.arange(len(rows)), mine], 1e-12)).mean())

    return max(SCALES, key=likelihood)


def _softmax(scores: NDArray[np.floating]) -> NDArray[np.floating]:
    found = np.exp(scores - scores.max(axis=1, keepdims=True))
    return found / found.sum(axis=1, keepdims=True)
