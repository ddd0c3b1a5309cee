"""The picture files of the built-in dataset: drawings, doctored where the plan says so, as JPEG or PNG.

Drawing is most of the work, so it is spread over the processors; the files come back in the order of the
tasks, and only a few at a time are held.
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
CHUNK = 16  # pictures a process draws between two reports
HUE_REACH, LEAST_SATURATION = 28, 45  # of 255: what belongs to the colour that is replaced
ALONE = 48  # fewer pictures than this are drawn here: starting processes takes longer


@dataclass(frozen=True)
class Task:
    """One picture file to make."""

    look: Look
    quality: int  # of the JPEG
    change: str = ""  # how it differs from the drawing: one of parameters.DUPLICATES, or not at all
    colour: str = ""  # what a recoloured picture is turned into
    size: tuple[int, int] = SIZE  # width, height; another shape than the drawing's is filled at the edges
    format: str = "JPEG"  # or PNG


def render(task: Task, draw: Draw) -> bytes:
    """The picture file of a task; the same task gives the same bytes."""
    picture = draw(task.look, size=_drawn_size(task.size)).convert("RGB")
    picture = _reshaped(_changed(picture, task), task.size)
    buffer = io.BytesIO()
    if task.format == "PNG":
        picture.save(buffer, "PNG")
    else:
        picture.save(buffer, "JPEG", quality=task.quality)
    return buffer.getvalue()


def render_all(tasks: Iterable[Task], count: int, draw: Draw | None = None) -> Generator[bytes, None, None]:
    """The picture files of `count` tasks, in their order.

    Args:
        tasks: looked at as the drawing goes on, never all at once.
        count: how many tasks there are; a few are drawn in this process.
        draw: a function at the top level of a module, so that other processes find it; by default Vitrine's
            own drawings.

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
    """Keep `waiting` chunks in work, and give out the oldest when it is done."""
    rest = iter(tasks)
    queue: deque[Future[list[bytes]]] = deque()
    while True:
        while len(queue) < waiting and (chunk := list(itertools.islice(rest, CHUNK))):
            queue.append(pool.submit(_render_chunk, chunk, draw))
        if not queue:
            return
        yield from queue.popleft().result()


def _start() -> None:
    """In a drawing process: leave Ctrl-C to the one that gathers the pictures."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _render_chunk(tasks: list[Task], draw: Draw | None) -> list[bytes]:
    own = draw or _vitrines()
    return [render(task, own) for task in tasks]


def _vitrines() -> Draw:
    drawing = importlib.import_module("core.demo.drawing")  # only when something is drawn
    draw: Draw = drawing.draw
    return draw


def _drawn_size(size: tuple[int, int]) -> tuple[int, int]:
    """What to draw for a picture of `size`: GLAMI's shape, and larger only where the picture is."""
    if size == SIZE or max(size) <= SIZE[1]:
        return SIZE
    height = max(size)
    return round(height * SIZE[0] / SIZE[1]), height


def _changed(picture: Image.Image, task: Task) -> Image.Image:
    """The picture as another shop shows it."""
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
    """The picture with everything of the old colour's hue in the new colour, light and shadow kept."""
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
    """The picture in another shape: its edges are drawn out to a square, then it is scaled."""
    if picture.size == size:
        return picture
    side = max(picture.size)
    across, down = side - picture.width, side - picture.height
    edges = ((down // 2, down - down // 2), (across // 2, across - across // 2), (0, 0))
    square = Image.fromarray(np.pad(np.asarray(picture), edges, mode="edge"))
    return square.resize(size, Image.Resampling.LANCZOS)
