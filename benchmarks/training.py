"""How fast products reach a classifier: Vitrine's trainer beside a loader that works as the published one.

    python -m benchmarks.training --dataset glami-mini [--items 512]

The published loader reads one .npy of text features and decodes and resizes one picture an item, for every
epoch anew (by scikit-image; here by Pillow, which is faster, so that the comparison favours it). Both hand the same batches to the same network. Figures are items per second of processor time,
so that a busy machine changes them less.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.catalog import Products
from core.embeddings.augment import draw_views
from core.embeddings.encoders import ImageConfig, TextConfig
from core.embeddings.pixels import PixelCache, resized
from core.embeddings.tokens import train_tokenizer
from core.images import Pictures, decode
from core.models.data import ProductData, Readings, product_frame, product_text
from core.models.embracenet import EmbraceNetClassifier, EmbraceNetConfig
from core.models.inputs import Inputs

BATCH = 64


def rate(work: Callable[[int], Any], items: int) -> float:
    """Items per second of processor time, after one batch of warming up."""
    work(0)
    started = time.process_time()
    for at in range(0, items, BATCH):
        work(at)
    return items / (time.process_time() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--items", type=int, default=512)
    arguments = parser.parse_args()
    items = arguments.items // BATCH * BATCH
    torch.set_num_threads(1)
    products = Products.open(arguments.dataset)
    frame = product_frame(products, ("train",)).iloc[:items]
    pictures, image = Pictures(products.info), ImageConfig()
    height, width = image.stored_height_px, image.stored_width_px
    places = pictures.places(frame.image_id.tolist())
    ids = frame.image_id.tolist()

    with tempfile.TemporaryDirectory() as folder:
        texts = [product_text(*pair) for pair in zip(frame.name, frame.description, strict=True)]
        tokenizer = train_tokenizer(texts, 4_096, Path(folder) / "tokenizer.json")
        text = TextConfig(vocabulary=len(tokenizer))
        readings = Readings(tuple(sorted(set(frame.label))), text, image, tokenizer)
        PixelCache(products.info, height, width).fill(ids)
        data = ProductData(products, frame, readings, workers=1)
        for number in range(items):
            np.save(Path(folder) / f"{number}.npy", np.zeros((32, 512), np.float32))

        def published(at: int) -> Inputs:
            pixels = []
            for number in range(at, at + BATCH):
                np.load(Path(folder) / f"{number}.npy")
                pixels.append(resized(decode(pictures.read_at(places[ids[number]])), height, width))
            whole = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2)
            plain = data.inputs(np.arange(at, at + BATCH))
            return Inputs(plain.available, plain.numbers, plain.mask, whole, plain.source)

        def ours(at: int) -> Inputs:
            return data.inputs(np.arange(at, at + BATCH))

        def views(at: int) -> Inputs:
            return data.inputs(
                np.arange(at, at + BATCH), draw_views(BATCH, torch.Generator().manual_seed(at))
            )

        network = EmbraceNetClassifier(EmbraceNetConfig(text, image), len(readings.classes))
        optimizer = torch.optim.AdamW(network.parameters())

        def step(load: Callable[[int], Inputs], at: int) -> None:
            labels = torch.from_numpy(data.labels[at : at + BATCH])
            optimizer.zero_grad()
            network(load(at), labels=labels).backward()
            optimizer.step()

        figures = {
            "decode_per_core": rate(lambda at: [decode(pictures.read_at(places[i]), width) for i in ids[at : at + BATCH]], items),
            "published_loader": rate(published, items),
            "our_loader": rate(ours, items),
            "our_loader_with_views": rate(views, items),
            "training_published_loader": rate(lambda at: step(published, at), items),
            "training_our_loader": rate(lambda at: step(ours, at), items),
        }  # fmt: skip
    print(json.dumps({name: round(figure, 1) for name, figure in figures.items()}, indent=1))


if __name__ == "__main__":
    main()
