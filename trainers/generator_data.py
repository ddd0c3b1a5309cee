"""Pictures and captions that a generator is trained on, prepared once into the run's folder.

Pictures keep their shape and are centred on white, as GLAMI-1M's script does. A drawn product also has captions in other
languages, from the lexicon; text vectors are computed once, since the text encoder is frozen.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.demo import words
from core.errors import ImageError, TrainingError
from core.generation.texts import AT_ONCE, TextReader
from core.images.pictures import Pictures, decode
from core.storage import storage_errors
from trainers.captions import query
from trainers.pairs import looks_of

CAPTIONS = 5  # of a product; the first is its own name


@dataclass(frozen=True)
class Prepared:
    """Memory-mapped arrays of n products with m captions each."""

    pictures: NDArray[np.uint8]  # (n, size, size, 3)
    tokens: NDArray[np.float16]  # (n * m, length, width)
    masks: NDArray[np.bool_]  # (n * m, length)

    def __len__(self) -> int:
        return len(self.pictures)


def padded(picture: Image.Image, size: int) -> Image.Image:
    """The picture in the middle of a white square of `size` pixels, at its full height or width."""
    scale = size / max(picture.size)
    shape = max(1, int(picture.width * scale)), max(1, int(picture.height * scale))
    square = Image.new("RGB", (size, size), "white")
    square.paste(
        picture.convert("RGB").resize(shape, Image.Resampling.BICUBIC, reducing_gap=3),
        ((size - shape[0]) // 2, (size - shape[1]) // 2),
    )
    return square


def prepare(datasets: Sequence[str], size: int, reader: TextReader, folder: Path, seed: int) -> Prepared:
    """Read the training products of the datasets, unless `folder` has them already.

    Raises:
        TrainingError: there are no pictures.
        StorageError: the folder cannot be written.
    """
    names = ("pictures", "tokens", "masks")
    if not all((folder / f"{name}.npy").exists() for name in names):
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            _write(datasets, size, reader, folder, seed)
    return Prepared(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in names))


def _write(datasets: Sequence[str], size: int, reader: TextReader, folder: Path, seed: int) -> None:
    dice = random.Random(seed)
    pictures: list[NDArray[np.uint8]] = []
    captions: list[str] = []
    for name in datasets:
        products = Products.open(name)
        looks, files = looks_of(products), Pictures(products.info)
        frame = products.frame(
            "SELECT item_id, image_id, geo, name, category FROM cohort WHERE image IS NOT NULL ORDER BY row_id",
            Cohort(name, split=("train",)),
        )
        for done, row in enumerate(frame.itertuples(index=False), start=1):
            try:
                picture = padded(decode(files.read(str(row.image_id)), 2 * size), size)
            except ImageError:
                continue
            own = str(row.name or row.category or "")
            look = looks.get((str(row.item_id), str(row.geo), str(row.image_id)))
            sections = dice.sample(words.SECTIONS, CAPTIONS - 1)
            others = [own if look is None else query(look, section, dice) for section in sections]
            pictures.append(np.asarray(picture))
            captions += [own, *others]
            if done % 1_000 == 0 or done == len(frame):
                print(f"Reading pictures: {done:,} of {len(frame):,}", file=sys.stderr, flush=True)
    if len(pictures) < 2:
        raise TrainingError("There are no pictures to train on.")
    tokens, masks = zip(
        *(reader(captions[at : at + AT_ONCE]) for at in range(0, len(captions), AT_ONCE)), strict=True
    )
    np.save(folder / "tokens.npy", np.concatenate([part.half().numpy() for part in tokens]))
    np.save(folder / "masks.npy", np.concatenate([part.numpy() for part in masks]))
    np.save(folder / "pictures.npy", np.stack(pictures))  # last: its presence says that all are there
