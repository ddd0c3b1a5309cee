"""Render the picture files of the built-in dataset: drawings, modified as planned, as JPEG or PNG.

Drawing takes most of the time and runs in several processes; files are returned in the order of the tasks, a few in
memory at a time.
"""

from __future__ import annotations

import colorsys
import importlib
import io
import itertools
import multiprocessing
import os
import random
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from core.demo.looks import COLOURS, Look
from core.errors import VitrineError

Colour = tuple[int, int, int]
Draw = Callable[..., Image.Image]  # draw(look, size=(width, height)), as core.demo.drawing.draw
SIZE = (228, 298)  # GLAMI-1M's width and height in pixels
CHUNK = 16  # pictures per task of a process
HUE_REACH, LEAST_SATURATION = 28, 45  # of 255: the pixels of the replaced colour
ALONE = 48  # fewer pictures are drawn in this process: starting others takes longer


@dataclass(frozen=True)
class Task:
    """A picture file to render."""

    look: Look
    quality: int  # of the JPEG
    change: str = ""  # modification: one of parameters.DUPLICATES, or empty
    colour: str = ""  # target colour of a recoloured picture
    size: tuple[int, int] = SIZE  # width, height; padded at the edges if the shape differs from the drawing's
    format: str = "JPEG"  # or PNG


def render(task: Task, draw: Draw) -> bytes:
    """Render a task; the same task gives the same bytes."""
    picture = draw(task.look, size=_drawn_size(task.size)).convert("RGB")
    picture = _reshaped(_changed(picture, task), task.size)
    buffer = io.BytesIO()
    if task.format == "PNG":
        picture.save(buffer, "PNG")
    else:
        picture.save(buffer, "JPEG", quality=task.quality)
    return buffer.getvalue()


def render_all(tasks: Iterable[Task], count: int, draw: Draw | None = None) -> Generator[bytes, None, None]:
    """Render `count` tasks, in their order.

    Args:
        tasks: consumed lazily.
        count: number of tasks; a few are drawn in this process.
        draw: a top-level function of a module, so that it can be pickled; default: Vitrine's own drawings.

    Raises:
        VitrineError: a process was killed.
    """
    workers = os.cpu_count() or 1
    if count <= ALONE or workers == 1:
        own = draw or _vitrines()
        yield from (render(task, own) for task in tasks)
        return
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _start)
    try:
        yield from _in_order(pool, tasks, draw, waiting=3 * workers)
    except BrokenProcessPool as error:
        raise VitrineError(
            "A drawing process was killed, probably because memory ran out. "
            "Close other programs, or use fewer items."
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _in_order(
    pool: ProcessPoolExecutor, tasks: Iterable[Task], draw: Draw | None, waiting: int
) -> Iterator[bytes]:
    """Run up to `waiting` chunks at a time and yield results in order."""
    rest = iter(tasks)
    queue: deque[Future[list[bytes]]] = deque()
    while True:
        while len(queue) < waiting and (chunk := list(itertools.islice(rest, CHUNK))):
            queue.append(pool.submit(_render_chunk, chunk, draw))
        if not queue:
            return
        yield from queue.popleft().result()


def _start() -> None:
    """Initialise a worker process: ignore Ctrl-C, which the parent handles."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _render_chunk(tasks: list[Task], draw: Draw | None) -> list[bytes]:
    own = draw or _vitrines()
    return [render(task, own) for task in tasks]


def _vitrines() -> Draw:
    drawing = importlib.import_module("core.demo.drawing")  # imported only to draw
    draw: Draw = drawing.draw
    return draw


def _drawn_size(size: tuple[int, int]) -> tuple[int, int]:
    """The size to draw for a picture of `size`: GLAMI's shape, enlarged only if the picture is larger."""
    if size == SIZE or max(size) <= SIZE[1]:
        return SIZE
    height = max(size)
    return round(height * SIZE[0] / SIZE[1]), height


def _changed(picture: Image.Image, task: Task) -> Image.Image:
    """Apply the modification of a task."""
    dice = random.Random(task.look.seed ^ task.quality)
    width, height = picture.size
    if task.change == "mirrored":
        return ImageOps.mirror(picture)
    if task.change == "cropped":
        left, upper, right, lower = (dice.uniform(0.02, 0.09) for _ in range(4))
        box = (width * left, height * upper, width * (1 - right), height * (1 - lower))
        return picture.resize((width, height), Image.Resampling.BICUBIC, box=box)
    if task.change == "recompressed":
        small = picture.resize((width * 2 // 3, height * 2 // 3), Image.Resampling.BILINEAR)
        buffer = io.BytesIO()
        small.save(buffer, "JPEG", quality=dice.randrange(30, 55))
        return Image.open(buffer).convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    if task.change == "recoloured":
        return _recoloured(picture, COLOURS[task.look.colour], COLOURS[task.colour])
    return picture


def _recoloured(picture: Image.Image, old: Colour, new: Colour) -> Image.Image:
    """Replace the old colour's hue by the new colour; light and shadow are preserved."""
    hsv = np.asarray(picture.convert("HSV")).astype(np.float32)
    (old_hue, *old_rest), (new_hue, *new_rest) = (
        [255 * part for part in colorsys.rgb_to_hsv(*(channel / 255 for channel in colour))]
        for colour in (old, new)
    )
    away = np.abs((hsv[..., 0] - old_hue + 128) % 256 - 128)
    ours = (away < HUE_REACH) & (hsv[..., 1] > LEAST_SATURATION)
    hsv[..., 0] = np.where(ours, (hsv[..., 0] + new_hue - old_hue) % 256, hsv[..., 0])
    for channel, (was, becomes) in enumerate(zip(old_rest, new_rest, strict=True), start=1):
        hsv[..., channel] = np.where(
            ours, (hsv[..., channel] * (becomes / was)).clip(0, 255), hsv[..., channel]
        )
    return Image.fromarray(hsv.astype(np.uint8), "HSV").convert("RGB")


def _reshaped(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Change the shape: pad to a square by repeating the edges, then scale."""
    if picture.size == size:
        return picture
    side = max(picture.size)
    across, down = side - picture.width, side - picture.height
    edges = ((down // 2, down - down // 2), (across // 2, across - across // 2), (0, 0))
    square = Image.fromarray(np.pad(np.asarray(picture), edges, mode="edge"))
    return square.resize(size, Image.Resampling.LANCZOS)
