"""Precomputed features of a frozen text encoder, memory-mapped.

GLAMI's classifier reads 32 x 512 numbers per text from a frozen mT5; computing them at every step would dominate the
training time. They are stored in `features/<key>/` of the dataset's folder, in float16; the key is a digest of weights,
tokenizer and length. Like vectors, they are written in chunks that survive a kill.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.catalog.products import Products
from core.embeddings.chunks import product_text
from core.embeddings.encoders import TextEncoder
from core.embeddings.store import Description, folder_of, writing
from core.embeddings.tokenizers import AnyTokenizer
from core.errors import EmbeddingError, StorageError
from core.progress import Progress, no_progress
from core.storage import load_array

CHUNK, BATCH = 2_048, 64  # texts per chunk, and per forward pass
UNDER = "features"
LARGEST = 6e4  # of float16


def key_of(encoder: TextEncoder, tokenizer_file: Path) -> str:
    """Twelve hexadecimal digits: a digest of weights, tokenizer and number of tokens."""
    digest = hashlib.sha256(str(encoder.config.tokens).encode())
    for name, tensor in sorted(encoder.state_dict().items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensor.detach().float().cpu().numpy()).data)
    digest.update(tokenizer_file.read_bytes())
    return digest.hexdigest()[:12]


def open_features(products: Products, key: str) -> NDArray[np.float16] | None:
    """(n, width) by row_id, memory-mapped; None if they are missing or of another version of the dataset."""
    folder = folder_of(products.info, f"text-{key}", UNDER)
    try:
        described = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
        features = load_array(folder / "vectors.npy")
    except (OSError, ValueError):
        return None
    if described.get("fingerprint") != products.info.fingerprint or features.dtype != np.float16:
        return None
    return features if features.shape == (len(products), described.get("dimensions")) else None


def text_features(
    products: Products,
    encoder: TextEncoder,
    tokenizer: AnyTokenizer,
    key: str,
    progress: Progress = no_progress,
) -> NDArray[np.float16]:
    """(n, width) features of all texts of a dataset, by row_id; continues an interrupted computation.

    Raises:
        StorageError: the disk has not enough free space.
        EmbeddingError: another process computes features of this dataset, or a value exceeds float16.
    """
    if (found := open_features(products, key)) is not None:
        return found
    rows, width = len(products), encoder.width
    name = f"text-{key}"
    room(products, name, rows * width * 2)
    plan = Description(
        encoder="text encoder of a classifier", tower="text", dimensions=width,
        fingerprint=products.info.fingerprint, rows=rows, weights=key,
        preprocessing=asdict(encoder.config), normalised=False,
    )  # fmt: skip
    chunks = -(-rows // CHUNK)
    with writing(products.info, name, plan, chunks, under=UNDER) as writer:
        for chunk in writer.missing():
            at = np.arange(chunk * CHUNK, min((chunk + 1) * CHUNK, rows))
            texts = texts_of(products, at)
            writer.write(chunk, at, encoded(encoder, tokenizer, texts), np.array([bool(t) for t in texts]))
            progress(int(at[-1]) + 1, rows, "Encoding texts")
    found = open_features(products, key)
    if found is None:
        raise EmbeddingError(f"The text features of {products.info.name} could not be read after writing.")
    return found


def texts_of(products: Products, rows: NDArray[np.int64]) -> list[str]:
    """The texts of consecutive rows; empty if a product has none."""
    frame = products.frame(
        "SELECT name, description FROM cohort WHERE row_id BETWEEN ? AND ? ORDER BY row_id",
        values=[int(rows[0]), int(rows[-1])],
    )
    pairs = zip(frame.name, frame.description, strict=True)
    found = (product_text(*(part if isinstance(part, str) else None for part in pair)) for pair in pairs)
    return [text if text.strip() else "" for text in found]


def encoded(encoder: TextEncoder, tokenizer: AnyTokenizer, texts: Sequence[str]) -> NDArray[np.float32]:
    """(n, width), zeros for an empty text.

    Raises:
        EmbeddingError: a value exceeds float16.
    """
    device = next(encoder.parameters()).device
    found = np.zeros((len(texts), encoder.width), np.float32)
    filled = np.array([row for row, text in enumerate(texts) if text], np.int64)
    was: Any = encoder.training
    encoder.eval()
    with torch.inference_mode():
        for start in range(0, len(filled), BATCH):
            rows = filled[start : start + BATCH]
            numbers, mask = tokenizer.encode([texts[row] for row in rows], encoder.config.tokens)
            made = encoder(torch.from_numpy(numbers).to(device), torch.from_numpy(mask).to(device))
            found[rows] = made.float().cpu().numpy()
    encoder.train(was)
    if not np.isfinite(found).all() or np.abs(found).max(initial=0) > LARGEST:
        raise EmbeddingError("The text encoder's features overflow float16. Train with --no-text-features.")
    return found


def room(products: Products, name: str, size_bytes: int) -> None:
    """
    Raises:
        StorageError: the features do not fit on the disk; already written parts count as free.
    """
    aside = folder_of(products.info, name, UNDER).with_name(f".writing-{name}") / "vectors.npy"
    free = shutil.disk_usage(products.info.folder).free
    free += aside.stat().st_blocks * 512 if aside.exists() else 0
    if size_bytes > free:
        raise StorageError(
            f"The text features of {products.info.name} take {size_bytes >> 30} GB, and {free >> 30} GB are free. "
            "Free some space, or compute them at every step with --no-text-features."
        )
