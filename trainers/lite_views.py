"""What the published picture network makes of several views of each picture, and their colours: computed once, kept with
the dataset.

View 0 is the picture as it is asked about later; others are turned, cropped and lit differently. The network is
frozen, so that training on these costs a thousandth of training on pixels.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from core.catalog.info import DatasetInfo
from core.embeddings import colours
from core.embeddings.augment import draw_views, random_views
from core.embeddings.inference import quickened
from core.embeddings.pixels import DECODED, PixelCache
from core.storage import storage_errors
from trainers.imagenet import ARCHITECTURE, SIZE_PX, bundled

STORED_PX = 176  # of the pixels that views are cut from
BATCH = 16  # pictures at a time; a view's random numbers are drawn by batch
FOLDER = "features"
WIDTH = 1_280


def network() -> torch.nn.Module:
    """The published network without its last layer, as it answers on this machine."""
    import timm

    made = timm.create_model(ARCHITECTURE, pretrained=False, num_classes=0)
    made.load_state_dict(bundled())
    return quickened(made.eval())


def cache(info: DatasetInfo, image_ids: Sequence[str], workers: int | None = None) -> PixelCache:
    """The pictures at STORED_PX, decoded where they were not yet."""
    found = PixelCache(info, STORED_PX, STORED_PX)
    found.fill(
        list(image_ids),
        workers,
        lambda done, total, what: print(f"{what} {done} of {total}", file=sys.stderr),
    )
    return found


def kept_at(info: DatasetInfo, view: int) -> Path:
    return info.folder / FOLDER / f"lite0-colours-{SIZE_PX}-{info.fingerprint}-{view}.npy"


def features(
    info: DatasetInfo, views: int, workers: int | None = None
) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """(views, pictures, WIDTH) and (views, pictures, colours.PROTOTYPES), in the order of `pictures.parquet`; zeros
    where a picture is broken.

    Raises:
        ModelError: the bundled network is missing.
        StorageError: the disk is full or cannot be written.
    """
    found, trunk, pixels = [], None, None
    for view in range(views):
        path = kept_at(info, view)
        if not path.exists():
            if trunk is None or pixels is None:
                trunk, pixels = network(), PixelCache(info, STORED_PX, STORED_PX)
                pixels = cache(info, list(pixels.row_of), workers)
            made = _view(trunk, pixels, view)
            with storage_errors(path.parent):
                path.parent.mkdir(parents=True, exist_ok=True)
                temporary = path.with_name(f".{path.stem}.{os.getpid()}.npy")
                np.save(temporary, made)
                temporary.replace(path)
            print(f"{info.name}: view {view + 1} of {views}", file=sys.stderr, flush=True)
        found.append(np.load(path, allow_pickle=False))
    every = np.stack(found)
    return every[..., :WIDTH], every[..., WIDTH:]


def seen(pixels: PixelCache, view: int) -> Iterator[tuple[int, torch.Tensor]]:
    """Where each batch begins, and its pictures' view in [-1, 1], (n, 3, SIZE_PX, SIZE_PX)."""
    for at in range(0, len(pixels.state), BATCH):
        given = torch.from_numpy(np.ascontiguousarray(pixels.pixels[at : at + BATCH].transpose(0, 3, 1, 2)))
        if view:
            drawn = draw_views(len(given), torch.Generator().manual_seed(view * 1_000_003 + at))
            made = random_views(given, drawn, SIZE_PX, SIZE_PX)
        else:
            made = torch.nn.functional.interpolate(
                given.float(), (SIZE_PX, SIZE_PX), mode="bilinear", antialias=True
            )
        yield at, made / 127.5 - 1


def _view(trunk: torch.nn.Module, pixels: PixelCache, view: int) -> NDArray[np.float16]:
    made = np.zeros((len(pixels.state), WIDTH + colours.PROTOTYPES), np.float16)
    with torch.inference_mode():
        for at, given in seen(pixels, view):
            made[at : at + len(given), :WIDTH] = trunk(given).numpy()
            made[at : at + len(given), WIDTH:] = colours.histogram((given + 1) / 2).numpy()
    made[pixels.state != DECODED] = 0
    return made
