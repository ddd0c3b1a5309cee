"""Detect cropped and recoloured copies: candidates by edge histograms, verified after alignment.

Each picture's nearest neighbours by edges (`edge_histograms`) are aligned with it (`alignment`); pairs with a small
pixel difference are copies. A recoloured copy is one where a single affine change of colour, for all pixels that differ,
turns one picture into the other: different products of one shape also differ in folds and backgrounds. It is a
separate detector, since another colour may be another product. Both read one table,
`duplicates/copies.parquet`, written in parts that survive a kill.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from core.catalog.products import Products
from core.duplicates import hashing
from core.duplicates.alignment import aligned, as_tensor, blurred, edges, settle
from core.duplicates.detectors import NearPairs, gathered
from core.duplicates.edge_histograms import WAYS, EdgeIndex, edge_histograms
from core.duplicates.inputs import Detection, class_splits
from core.duplicates.pixels import SIDE_PX, PictureFiles, picture_files
from core.embeddings.pixels import PixelCache
from core.progress import Progress, no_progress

PART = 2_000  # pictures per part; a kill loses at most one part
BLOCK, PAIRS = 128, 32  # pictures, and pairs, at a time, to fit a CPU's cache
COARSE_STEPS, FINE_STEPS = 4, 5
COARSE_MOST = 16.0  # difference of the small pictures, of 255, above which a pair is rejected early
LEAST_EDGES = 0.95  # least correlation of edges: pale objects on white have small pixel differences anyway
LEAST_OVERLAP = 0.5  # of the picture; less is a detail
CHANGED, LEAST_CHANGED = 10.0, 0.03  # of 255, that another colour differs by at least; share of the picture
VERSION = "1"  # increase it when the result changes


def detect_copies(
    products: Products, key: str, most_difference: float, progress: Progress = no_progress
) -> Detection:
    """Run `cropped` or `recoloured`, down to its loosest threshold.

    Raises:
        DuplicatesError: there is no picture, or the pictures are on the web.
        StorageError: the decoded pictures cannot be stored.
    """
    files = picture_files(products, progress)
    near = NearPairs.none()
    if len(files.stand):
        table = compared(products, files, progress)
        a, b, difference = (table[name].to_numpy() for name in ("a", "b", key))
        taken = difference <= most_difference
        near = gathered(a[taken], b[taken], 255 - difference[taken])
    return Detection(key, files.code, files.picture, near, files.notes)


def compared(products: Products, files: PictureFiles, progress: Progress = no_progress) -> pa.Table:
    """Candidate pairs of files: a, b, and their difference as `cropped` and as `recoloured`, infinite if they are not
    copies. The caller holds the lock."""
    info = products.info
    path = hashing.folder_of(info) / "copies.parquet"
    stamp = f"{info.fingerprint}-{VERSION}"
    if hashing.stamp_of(path) == stamp:
        return pq.read_table(path)
    cache = PixelCache(info, SIDE_PX, SIDE_PX)
    cache.fill(files.ids, progress=progress)
    rows = cache.rows(files.ids)
    splits = class_splits(products, files.code, len(rows))
    splits[rows < 0] = False  # damaged since its hash was computed
    m = len(rows)
    shapes = [
        edge_histograms(_small(as_tensor(cache.pixels[rows[start : start + BLOCK]])))
        for start in range(0, m, BLOCK)
    ]
    index = EdgeIndex(np.concatenate(shapes), splits)
    parts = hashing.folder_of(info) / "copies.parts"
    parts.mkdir(exist_ok=True)
    made = []
    for start in range(0, m, PART):
        file = parts / f"{start // PART:06d}.parquet"
        if hashing.stamp_of(file) != stamp:
            tables = []
            for own in range(start, min(start + PART, m), BLOCK):
                tables.append(
                    _copies(cache.pixels, rows, index, np.arange(own, min(own + BLOCK, start + PART, m)))
                )
                progress(own, m, "Aligning pictures")
            hashing.write_stamped(file, pa.concat_tables(tables), stamp)
        made.append(pq.read_table(file))
    hashing.write_stamped(path, pa.concat_tables(made), stamp)
    for file in parts.glob("*"):
        file.unlink(missing_ok=True)
    parts.rmdir()
    return pq.read_table(path)


def _copies(
    pixels: NDArray[np.uint8], rows: NDArray[np.int64], index: EdgeIndex, own: NDArray[np.int64]
) -> pa.Table:
    """Compare some pictures with their nearest neighbours by edges: at small size, and at full size if promising."""
    own = own[rows[own] >= 0]
    large = as_tensor(pixels[rows[own]])
    query, other, way = index.near(own, _small(large))
    differences = []
    for start in range(0, len(query), PAIRS):
        some = slice(start, start + PAIRS)
        mirrored = torch.tensor([mirror for mirror, _ in WAYS])[way[some]].view(-1, 1, 1, 1)
        place = torch.tensor([[stretch, 0, stretch, 0] for _, stretch in WAYS])[way[some]]
        first = large[query[some]]
        first = torch.where(mirrored, first.flip(3), first)
        second = as_tensor(pixels[rows[other[some]]])
        small, small_second = _small(first), _small(second)
        place, _ = settle(edges(small), edges(small_second), place, COARSE_STEPS)
        alike = _difference(small, small_second, place)[0] <= COARSE_MOST
        difference = torch.full((2, len(first)), torch.inf)
        difference[0, alike] = cropped(first[alike], second[alike], place[alike])
        alike = recoloured(small, small_second) <= COARSE_MOST
        difference[1, alike] = recoloured(first[alike], second[alike])
        differences.append(difference.numpy())
    joined = np.concatenate([np.zeros((2, 0), np.float32), *differences], axis=1)
    return pa.table({"a": own[query], "b": other, "cropped": joined[0], "recoloured": joined[1]})


def cropped(first: torch.Tensor, second: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
    """(m,) root mean square difference of aligned pictures, 0 to 255; infinite if they cannot be aligned.

    Args:
        first, second: (m, 3, h, w), 0 to 255.
        place: (m, 4) about where the second one's frame lies in the first, as `laid` takes it.
    """
    place, agree = settle(edges(first), edges(second), place, FINE_STEPS)
    difference, overlap = _difference(first, second, place)
    return torch.where((agree >= LEAST_EDGES) & (overlap >= LEAST_OVERLAP), difference, torch.inf)


def recoloured(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """(m,) residual root mean square difference, 0 to 255, after recolouring the differing pixels.

    Recolouring is one affine map of red, green and blue for all differing pixels; infinite if almost none differ. The
    maximum of both directions, since any picture can be mapped to one of nearly one colour.

    Args:
        first, second: (m, 3, h, w), 0 to 255, of one frame.
    """
    return torch.maximum(_repainted(first, second), _repainted(second, first))


def _repainted(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    one, other = blurred(first).flatten(2), blurred(second).flatten(2)
    changed = ((one - other).abs().amax(1, keepdim=True) > CHANGED).float()
    colours = torch.cat([one / 255, torch.ones_like(changed)], 1)
    own = colours * changed
    least_squares = own @ colours.transpose(1, 2) + 1e-2 * torch.eye(4)
    turned = torch.linalg.solve(least_squares, own @ other.transpose(1, 2)).transpose(1, 2) @ colours
    left = torch.where(changed > 0, turned, one) - other
    return torch.where(changed.mean((1, 2)) >= LEAST_CHANGED, left.square().mean((1, 2)).sqrt(), torch.inf)


def _difference(
    first: torch.Tensor, second: torch.Tensor, place: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """(m,) root mean square difference in the overlap, and the overlap as a fraction of the second picture."""
    moved, inside = aligned(first, place)
    apart = (blurred(moved) - blurred(second)).square().mean(1, keepdim=True)
    count = inside.sum((1, 2, 3))
    return ((apart * inside).sum((1, 2, 3)) / count.clamp(min=1)).sqrt(), inside.mean((1, 2, 3))


def _small(pictures: torch.Tensor) -> torch.Tensor:
    """Half as wide and as high."""
    rows = pictures[:, :, ::2] + pictures[:, :, 1::2]
    return (rows[..., ::2] + rows[..., 1::2]) / 4
