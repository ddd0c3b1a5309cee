"""How fast products reach a classifier: Vitrine's loaders beside one that works as the published one.

    python -m benchmarks.training --dataset glami-mini [--items 256] [--size paper|tiny] [--network]

For each item of each epoch, GLAMI's loader reads one .npy of 32 x 512 text features and one JPEG, and resizes it
by scikit-image (to 298 x 228). Here it is run twice: with scikit-image, as published, and with Pillow in its place,
which is faster, so that the gain of not decoding again can be told from the gain of another library. Vitrine's
loader decodes each picture once: `first epoch` has that in it, `later epochs` read the mapped array, and both map
text features of the same size. `streamed` decodes at every epoch, as where the array would not fit.

All but `bytes` give float tensors of the same products' pictures and text features, ready for a network. The loaders' figures
are of the loaders alone: what a trainer gains depends on how long the network takes, which `--network` shows with
the tiny EmbraceNet. Items per second of processor time, children's included, in one process, so that a busy
machine changes them less.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from core.catalog.products import Products
from core.catalog.splits import product_frame
from core.embeddings.augment import draw_views, random_views
from core.embeddings.encoders import ImageConfig, TextConfig
from core.embeddings.pixels import PixelCache, decode_pictures, resized
from core.images.pictures import Pictures, decode
from core.models.embracenet import EmbraceNetClassifier, EmbraceNetConfig
from core.models.inputs import Inputs

BATCH, TOKENS, WIDTH = 64, 32, 512  # items; mT5-small's numbers a text
SIZES = {"paper": (298, 228), "tiny": (128, 96)}  # height, width

Batch = tuple[torch.Tensor, torch.Tensor]  # pixels (n, 3, h, w) in [0, 1]; text features (n, 16384)


def processor_s() -> float:
    """Of this process and of its children that have ended."""
    spent = os.times()
    return time.process_time() + spent.children_user + spent.children_system


def rate(work: Callable[[int], object], items: int, warm: bool = True) -> float:
    """Items per second of processor time, after one batch of warming up."""
    if warm:
        work(0)
    started = processor_s()
    for at in range(0, items, BATCH):
        work(at)
    return items / (processor_s() - started)


class Loaders:
    """The same items, delivered in each way."""

    def __init__(self, products: Products, items: int, size: tuple[int, int], folder: Path) -> None:
        self.products, self.size, self.folder = products, size, folder
        frame = product_frame(products, ("train",))
        self.ids: list[str] = frame.image_id[frame.image_id.notna()].tolist()[:items]
        self.pictures = Pictures(products.info)
        self.places = self.pictures.places(self.ids)
        shape = (len(self.ids), TOKENS * WIDTH)
        features = np.random.default_rng(0).standard_normal(shape, np.float32)
        for number, row in enumerate(features):
            np.save(folder / f"{number}.npy", row.reshape(TOKENS, WIDTH))
        np.save(folder / "all.npy", features.astype(np.float16))
        self.features = np.load(folder / "all.npy", mmap_mode="r")

    def published(self, at: int, skimage: bool) -> Batch:
        """One .npy and one picture an item, decoded and resized anew."""
        pixels, texts = [], []
        for number in range(at, min(at + BATCH, len(self.ids))):
            texts.append(np.load(self.folder / f"{number}.npy").reshape(-1))
            data = self.pictures.read_at(self.places[self.ids[number]])
            pixels.append(self._by_skimage(data) if skimage else self._by_pillow(data))
        whole = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2)
        return whole, torch.from_numpy(np.stack(texts))

    def _by_skimage(self, data: bytes) -> NDArray[np.float32]:
        from skimage import color, transform
        from skimage import io as skio

        picture = skio.imread(io.BytesIO(data))
        picture = color.gray2rgb(picture) if picture.ndim == 2 else picture[..., :3]
        found: NDArray[np.float32] = transform.resize(picture, self.size).astype(np.float32)
        return found

    def _by_pillow(self, data: bytes) -> NDArray[np.float32]:
        return resized(decode(data), *self.size).astype(np.float32) / 255

    def mapped(self, at: int, cache: PixelCache) -> Batch:
        """From the array of decoded pictures and the map of text features."""
        ids = self.ids[at : at + BATCH]
        return self._floats(cache.batch(cache.rows(ids)), at, len(ids))

    def handed_over(self, at: int, cache: PixelCache) -> Batch:
        """As the trainer really gets it: bytes and half floats, which the network scales on its own device."""
        ids = self.ids[at : at + BATCH]
        pixels = torch.from_numpy(cache.batch(cache.rows(ids))).permute(0, 3, 1, 2)
        return pixels, torch.from_numpy(np.array(self.features[at : at + len(ids)]))

    def streamed(self, at: int) -> Batch:
        """Decoded at every epoch, in the process that asks (worker processes share this work out)."""
        ids = self.ids[at : at + BATCH]
        return self._floats(decode_pictures(self.products.info, ids, *self.size)[0], at, len(ids))

    def _floats(self, pixels: NDArray[np.uint8], at: int, n: int) -> Batch:
        texts = torch.from_numpy(np.array(self.features[at : at + n])).float()
        return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255, texts


def loaders_alone(loaders: Loaders, items: int) -> dict[str, float]:
    """Items a second that each loader delivers, whatever the network then does."""
    home = loaders.products.info.folder
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=".benchmark-") as folder:
        copy = Path(folder) / home.name  # so that the first epoch finds nothing decoded
        copy.mkdir()
        for name in ("pictures.parquet", "dataset.json"):
            (copy / name).symlink_to(home / name)
        cache = PixelCache(replace(loaders.products.info, folder=copy), *loaders.size)

        def first(at: int) -> Batch:
            cache.fill(loaders.ids[at : at + BATCH], workers=1)
            return loaders.mapped(at, cache)

        return {
            "published, scikit-image": rate(lambda at: loaders.published(at, True), items),
            "published, Pillow instead": rate(lambda at: loaders.published(at, False), items),
            "Vitrine, first epoch": rate(first, items, warm=False),
            "Vitrine, later epochs": rate(lambda at: loaders.mapped(at, cache), items),
            "Vitrine, later epochs, bytes": rate(lambda at: loaders.handed_over(at, cache), items),
            "Vitrine, streamed": rate(loaders.streamed, items),
        }


def with_network(loaders: Loaders, items: int) -> dict[str, float]:
    """Items a second of training steps of the tiny EmbraceNet, where the network takes most of the time."""
    height, width = loaders.size
    image = ImageConfig(stored_height_px=height, stored_width_px=width)
    network = EmbraceNetClassifier(EmbraceNetConfig(TextConfig(tokens=TOKENS, d_model=WIDTH), image), 17)
    optimizer = torch.optim.AdamW(parameter for parameter in network.parameters())
    cache = PixelCache(loaders.products.info, height, width)
    cache.fill(loaders.ids, workers=1)

    def step(load: Callable[[int], Batch], at: int, views: bool = False) -> None:
        pixels, texts = load(at)
        n = len(pixels)
        pixels = pixels * 255
        if views:
            drawn = draw_views(n, torch.Generator().manual_seed(at))
            pixels = random_views(pixels, drawn, image.height_px, image.width_px)
        empty = torch.zeros(n, 1, dtype=torch.int64)
        inputs = Inputs(
            torch.tensor([[True, True, False]]).expand(n, 3), empty, empty.bool(), pixels, empty[:, 0], texts
        )
        optimizer.zero_grad()
        network(inputs, labels=torch.zeros(n, dtype=torch.int64)).backward()
        optimizer.step()

    return {
        "training, published loader": rate(lambda at: step(lambda a: loaders.published(a, True), at), items),
        "training, Vitrine": rate(lambda at: step(lambda a: loaders.mapped(a, cache), at), items),
        "training, Vitrine with views": rate(
            lambda at: step(lambda a: loaders.mapped(a, cache), at, True), items
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--items", type=int, default=256)
    parser.add_argument("--size", choices=tuple(SIZES), default="paper")
    parser.add_argument("--network", action="store_true", help="training steps too")
    arguments = parser.parse_args()
    items = max(BATCH, arguments.items // BATCH * BATCH)
    torch.set_num_threads(1)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        loaders = Loaders(Products.open(arguments.dataset), items, SIZES[arguments.size], Path(folder))
        figures = loaders_alone(loaders, items)
        if arguments.network:
            figures |= with_network(loaders, items)
    rounded = {name: round(figure, 1) for name, figure in figures.items()}
    load = os.getloadavg()[0]
    print(json.dumps({**rounded, "items": items, "load": round(load, 1), "wall_s": round(time.monotonic() - started)}, indent=1))  # fmt: skip


if __name__ == "__main__":
    main()
