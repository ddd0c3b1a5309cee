"""Precomputed features of a frozen image encoder for some views of each picture, memory-mapped.

They are stored in `features/` of the dataset's folder, one file per view, named by a digest of the encoder's weights and
input size.
"""

from __future__ import annotations

import copy
import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.catalog.info import DatasetInfo
from core.embeddings.augment import draw_views, random_views
from core.embeddings.encoders import ImageEncoder
from core.embeddings.inference import quickened
from core.embeddings.pixels import DECODED, PixelCache
from core.progress import Progress, no_progress
from core.storage import storage_errors

BATCH = 32  # pictures per forward pass; random numbers of a view are drawn per batch
UNDER = "features"


def key_of(encoder: ImageEncoder) -> str:
    """Twelve hexadecimal digits: a digest of the weights and the input size."""
    digest = hashlib.sha256(repr(encoder.config).encode())
    for name, tensor in sorted(encoder.state_dict().items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensor.detach().float().cpu().numpy()).data)
    return digest.hexdigest()[:12]


def file_of(info: DatasetInfo, key: str, view: int) -> Path:
    return info.folder / UNDER / f"picture-{key}-{info.fingerprint}-{view}.npy"


def picture_features(
    info: DatasetInfo, encoder: ImageEncoder, workers: int | None = None, progress: Progress = no_progress
) -> list[NDArray[np.float16]]:
    """(pictures, width) of each view, in the order of `pictures.parquet`; zeros for unreadable pictures.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    key, found, quick = key_of(encoder), [], None
    config = encoder.config
    for view in range(config.views):
        path = file_of(info, key, view)
        if not path.exists():
            pixels = PixelCache(info, config.stored_height_px, config.stored_width_px)
            pixels.fill(list(pixels.row_of), workers, progress)
            if quick is None:
                quick = copy.deepcopy(encoder).eval()
                quick.network = quickened(quick.network)
            with storage_errors(path.parent):
                path.parent.mkdir(parents=True, exist_ok=True)
                temporary = path.with_name(f".{path.stem}.{os.getpid()}.npy")
                np.save(temporary, _view(quick, pixels, view, progress))
                temporary.replace(path)
        found.append(np.load(path, mmap_mode="r", allow_pickle=False))
    return found


def _view(encoder: Any, pixels: PixelCache, view: int, progress: Progress) -> NDArray[np.float16]:
    size = encoder.config.height_px, encoder.config.width_px
    made = np.zeros((len(pixels.state), encoder.width), np.float16)
    with torch.inference_mode():
        for at in range(0, len(made), BATCH):
            given = torch.from_numpy(
                np.ascontiguousarray(pixels.pixels[at : at + BATCH].transpose(0, 3, 1, 2))
            )
            seen = given
            if view:
                drawn = draw_views(len(given), torch.Generator().manual_seed(view * 1_000_003 + at))
                seen = random_views(given, drawn, *size)
            made[at : at + BATCH] = encoder(seen).numpy()
            progress(min(at + BATCH, len(made)), len(made), f"Computing picture features, view {view + 1}")
    made[pixels.state != DECODED] = 0
    return made
