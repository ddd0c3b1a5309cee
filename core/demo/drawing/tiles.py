"""Repeating squares that cloth is sampled from: textures (weave) and patterns (print).

Every tile is 256 pixels square at twice the picture's resolution and repeats without a seam. A texture
is a relief around 128; a pattern is one mask for each ink printed on the ground colour.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

SIDE = 256
Relief = NDArray[np.uint8]
Ink = Image.Image  # mode L, SIDE x SIDE

_V, _U = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)


def _noise(seed: int, blur_u: float, blur_v: float) -> NDArray[np.float32]:
    """Gaussian noise smoothed around the edges, with deviation 1."""
    field = np.fft.rfft2(np.random.default_rng(seed).standard_normal((SIDE, SIDE)))
    fu, fv = np.fft.rfftfreq(SIDE)[None, :], np.fft.fftfreq(SIDE)[:, None]
    field *= np.exp(-2 * (pi * fu * blur_u) ** 2 - 2 * (pi * fv * blur_v) ** 2)
    out = np.fft.irfft2(field, s=(SIDE, SIDE))
    return ((out - out.mean()) / out.std()).astype(np.float32)


def _relief(field: NDArray[np.floating], amount: float) -> Relief:
    return np.clip(128 + field * amount, 0, 255).astype(np.uint8)


def _knit(column: int) -> NDArray[np.float32]:
    """Rows of V-shaped stitches, `column` pixels wide."""
    across = (_U % column) / column
    slant = np.abs(across - 0.5) * 2  # 0 in the middle of a V, 1 between two columns
    down = ((_V - slant * column * 0.55) % (column * 0.8)) / (column * 0.8)
    stitch = np.sin(pi * down) ** 0.8 * (0.35 + 0.65 * np.sin(pi * np.clip((1 - slant) * 1.15, 0, 1)))
    groove = np.exp(-(((slant - 1) / 0.16) ** 2)) + 0.6 * np.exp(-((slant / 0.12) ** 2))
    return (stitch - 0.5 - 0.7 * groove).astype(np.float32)


def _cable() -> NDArray[np.float32]:
    """Twisted ropes between ribs of plain stitches."""
    across = (_U % 64) / 64
    phase = 2 * pi * _V / 64
    rope = np.zeros_like(_U)
    for turn in (0.0, pi):
        centre = 0.5 + 0.13 * np.sin(phase + turn)
        depth = 0.6 + 0.4 * np.cos(phase + turn)
        rope = np.maximum(rope, depth * np.exp(-(((across - centre) / 0.1) ** 2)))
    side = np.exp(-(((across - 0.16) / 0.05) ** 2)) + np.exp(-(((across - 0.84) / 0.05) ** 2))
    return (1.5 * rope - 0.9 * side - 0.3 + 0.35 * _knit(8)).astype(np.float32)


def _rib() -> NDArray[np.float32]:
    return (np.sin(2 * pi * _U / 8) * 0.9 + 0.25 * np.sin(2 * pi * _V / 4)).astype(np.float32)


@cache
def texture(name: str, pale: bool = False) -> Relief:
    """The relief of a material, one of TEXTURES; half as deep for pale colours, on which shading is more visible."""
    relief = TEXTURES[name]()
    return (relief // 2 + 64).astype(np.uint8) if pale else relief


TEXTURES = {
    "knit": lambda: _relief(_knit(8), 26),
    "chunky": lambda: _relief(_knit(16), 30),
    "cable": lambda: _relief(_cable(), 30),
    "rib": lambda: _relief(_rib(), 22),
    "twill": lambda: _relief(
        np.sin(2 * pi * (_U + _V) / 4) * 0.8 + _noise(1, 0.7, 3) * 0.8 + _noise(2, 9, 14) * 0.25, 6
    ),
    "grain": lambda: _relief(-np.abs(_noise(3, 2.0, 2.0)) + 0.7, 4),
    "weave": lambda: _relief(_noise(4, 0.9, 3) + _noise(5, 3, 0.9), 1.1),
    "felt": lambda: _relief(_noise(6, 1.2, 2.2) + 0.35 * _noise(7, 5, 5), 4.5),
    "fleece": lambda: _relief(_noise(8, 2.0, 2.0) + 0.2 * _noise(9, 4, 4), 6.5),
    "canvas": lambda: _relief(
        np.sign(np.sin(2 * pi * _U / 8) * np.sin(2 * pi * _V / 8)) * 0.7 + _noise(10, 1, 1) * 0.5, 7
    ),
    "straw": lambda: _relief(
        np.sin(2 * pi * _V / 8) * 0.8
        + np.sin(2 * pi * (_U + 8 * ((_V // 8) % 2)) / 16) * 0.8
        + _noise(11, 3, 1) * 0.4,
        20,
    ),
    "suede": lambda: _relief(_noise(12, 1, 1) + 0.5 * _noise(13, 8, 8), 3),
}


@cache
def drape(variant: int) -> NDArray[np.float32]:
    """Slow waves of hanging cloth (deviation 1) at half the picture's resolution, longer than wide."""
    return _noise(100 + variant, 6, 22) * 0.75 + _noise(200 + variant, 10, 10) * 0.5


# --- patterns ---------------------------------------------------------------------------------------


def _bands(pixels: list[tuple[int, int]], period: int) -> Ink:
    """Horizontal stripes: (start, thickness) of each within a period that divides SIDE."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    for start, thickness in pixels:
        mask[((_V - start) % period) < thickness] = 255
    return _softened(Image.fromarray(mask))


def _softened(mask: Image.Image) -> Image.Image:
    """Blurred by one picture pixel across the tile's edges, so that sampling it does not jag."""
    wide = Image.new("L", (SIDE + 8, SIDE + 8))
    for dx in (-SIDE + 4, 4, SIDE + 4):
        for dy in (-SIDE + 4, 4, SIDE + 4):
            wide.paste(mask, (dx, dy))
    return wide.filter(ImageFilter.GaussianBlur(0.9)).crop((4, 4, SIDE + 4, SIDE + 4))


class _Sheet:
    """A mask that is drawn at twice the tile's size and around its edges."""

    def __init__(self) -> None:
        self.mask = Image.new("L", (SIDE * 2, SIDE * 2))
        self.draw = ImageDraw.Draw(self.mask)

    def polygon(self, points: list[tuple[float, float]], fill: int = 255) -> None:
        for dx in (-SIDE, 0, SIDE):
            for dy in (-SIDE, 0, SIDE):
                self.draw.polygon([((x + dx) * 2, (y + dy) * 2) for x, y in points], fill=fill)

    def disc(self, x: float, y: float, r: float, fill: int = 255) -> None:
        self.oval(x, y, r, r, 0, fill)

    def oval(self, x: float, y: float, rx: float, ry: float, angle: float, fill: int = 255) -> None:
        c, s = cos(angle), sin(angle)
        around = [(cos(k * pi / 9), sin(k * pi / 9)) for k in range(18)]
        self.polygon([(x + c * u * rx - s * v * ry, y + s * u * rx + c * v * ry) for u, v in around], fill)

    def ink(self) -> Ink:
        return _softened(self.mask.reduce(2))


def _scattered(seed: int, count: int, apart: float) -> list[tuple[float, float, float]]:
    """Places (x, y, angle) at least `apart` from one another around the tile's edges."""
    rng = np.random.default_rng(seed)
    places: list[tuple[float, float, float]] = []
    for _ in range(count * 30):
        x, y, angle = rng.uniform(0, SIDE, 3)
        close = any(
            min(abs(x - a), SIDE - abs(x - a)) ** 2 + min(abs(y - b), SIDE - abs(y - b)) ** 2 < apart**2
            for a, b, _ in places
        )
        if not close:
            places.append((float(x), float(y), float(angle / SIDE * 2 * pi)))
        if len(places) == count:
            break
    return places


def _stripes(variant: int) -> tuple[Ink, ...]:
    made: tuple[Callable[[], tuple[Ink, ...]], ...] = (
        lambda: (_bands([(0, 16)], 32),),
        lambda: (_bands([(0, 8)], 32),),
        lambda: (_bands([(0, 32)], 64),),
        lambda: (_bands([(0, 5)], 16),),
        lambda: (_bands([(0, 22)], 64), _bands([(30, 6)], 64)),
        lambda: (_bands([(0, 14)], 128), _bands([(20, 40)], 128)),
        lambda: (_bands([(0, 3)], 32),),
    )
    return made[variant % len(made)]()


def _checks(variant: int) -> tuple[Ink, ...]:
    def crossed(pixels: list[tuple[int, int]], period: int, share: float = 0.5) -> Ink:
        level = np.asarray(_bands(pixels, period)).astype(np.float32)
        return Image.fromarray(np.clip(level * share + level.T * share, 0, 255).astype(np.uint8))

    def argyle() -> tuple[Ink, ...]:
        diamonds = _Sheet()
        for x, y in ((32, 32), (96, 96), (160, 32), (224, 96), (32, 160), (96, 224), (160, 160), (224, 224)):
            diamonds.polygon([(x - 30, y), (x, y - 44), (x + 30, y), (x, y + 44)])
        mask = np.zeros((SIDE, SIDE), np.uint8)
        mask[(np.abs((_U + _V) % 64 - 32) < 1.6) | (np.abs((_U - _V) % 64 - 32) < 1.6)] = 255
        return diamonds.ink(), _softened(Image.fromarray(mask))

    made: tuple[Callable[[], tuple[Ink, ...]], ...] = (
        lambda: (crossed([(0, 16)], 32),),
        lambda: (crossed([(0, 32)], 64),),
        lambda: (crossed([(0, 26), (34, 6)], 64, 0.45), crossed([(48, 4)], 64, 0.7)),
        lambda: (crossed([(0, 4)], 64, 0.8),),
        lambda: (crossed([(0, 40)], 128, 0.5), crossed([(58, 5), (68, 5), (100, 5)], 128, 0.6)),
        argyle,
    )
    return made[variant % len(made)]()


def _dots(variant: int) -> tuple[Ink, ...]:
    sheet = _Sheet()
    if variant % 4 == 3:
        for x, y, angle in _scattered(31, 40, 26):
            sheet.disc(x, y, 5 + angle)
        return (sheet.ink(),)
    step, r = ((32, 7), (64, 17), (21.333, 4))[variant % 4]
    rows = round(SIDE / step)
    for row in range(rows):
        for column in range(rows):
            sheet.disc((column + 0.25 + 0.5 * (row % 2)) * step, (row + 0.5) * step, r)
    return (sheet.ink(),)


def _floral(variant: int) -> tuple[Ink, ...]:
    count, apart, size = ((16, 46, 21), (44, 29, 10), (8, 72, 34))[variant % 3]
    petals, hearts, leaves = _Sheet(), _Sheet(), _Sheet()
    for n, (x, y, angle) in enumerate(_scattered(40 + variant, count, apart)):
        r = size * (0.7 + 0.3 * ((n * 7) % 5) / 4)
        for k in range(5):
            a = angle + k * 2 * pi / 5
            petals.oval(x + cos(a) * r * 0.55, y + sin(a) * r * 0.55, r * 0.52, r * 0.36, a)
        hearts.disc(x, y, r * 0.27)
        for side in (-0.5, 0.5, 2.6):
            a = angle + pi / 5 + side
            leaves.oval(x + cos(a) * r * 1.3, y + sin(a) * r * 1.3, r * 0.46, r * 0.17, a)
    return petals.ink(), leaves.ink(), hearts.ink()


def star(x: float, y: float, r: float, angle: float) -> list[tuple[float, float]]:
    reach = [r if k % 2 == 0 else r * 0.42 for k in range(10)]
    return [
        (x + cos(angle + k * pi / 5) * reach[k], y + sin(angle + k * pi / 5) * reach[k]) for k in range(10)
    ]


def heart(x: float, y: float, r: float) -> list[tuple[float, float]]:
    turns = [k * pi / 12 for k in range(24)]
    return [
        (
            x + r * sin(t) ** 3,
            y - r * (13 * cos(t) - 5 * cos(2 * t) - 2 * cos(3 * t) - cos(4 * t)) / 16,
        )
        for t in turns
    ]


def _stars() -> tuple[Ink, ...]:
    sheet = _Sheet()
    for x, y, angle in _scattered(51, 20, 44):
        sheet.polygon(star(x, y, 17, angle))
    return (sheet.ink(),)


def _hearts() -> tuple[Ink, ...]:
    sheet = _Sheet()
    for x, y, _ in _scattered(52, 22, 42):
        sheet.polygon(heart(x, y, 13))
    return (sheet.ink(),)


def _leopard() -> tuple[Ink, ...]:
    """Rings around a lighter middle."""
    outer, inner = _Sheet(), _Sheet()
    for x, y, angle in _scattered(53, 46, 28):
        outer.oval(x, y, 12, 9.5, angle)
        inner.oval(x, y, 6.5, 5, angle)
    rings = np.asarray(outer.ink()).astype(np.int16) - np.asarray(inner.ink())
    return Image.fromarray(np.clip(rings, 0, 255).astype(np.uint8)), inner.ink()


def _camouflage() -> tuple[Ink, ...]:
    large, small = _noise(54, 13, 9) > 0.45, _noise(55, 12, 8) > 0.75
    return tuple(_softened(Image.fromarray(patch.astype(np.uint8) * 255)) for patch in (large, small))


def _zigzag() -> tuple[Ink, ...]:
    mask = ((_V + np.abs(_U % 32 - 16)) % 32 < 11).astype(np.uint8) * 255
    return (_softened(Image.fromarray(mask)),)


def _palms() -> tuple[Ink, ...]:
    sheet = _Sheet()
    for x, y, angle in _scattered(56, 9, 70):
        for k in range(-4, 5):
            a, reach = angle + k * 0.24, 34 - abs(k) * 3
            sheet.oval(x + cos(a) * reach * 0.6, y + sin(a) * reach * 0.6, reach * 0.6, 3.4, a)
    return (sheet.ink(),)


def _terrazzo() -> tuple[Ink, ...]:
    sheets = _Sheet(), _Sheet()
    for n, (x, y, angle) in enumerate(_scattered(57, 48, 28)):
        sheets[n % 2].oval(x, y, 12, 6, angle)
    return sheets[0].ink(), sheets[1].ink()


_PRINTS = (_stars, _hearts, _leopard, _camouflage, _zigzag, _palms, _terrazzo)


def _all_over(variant: int) -> tuple[Ink, ...]:
    return _PRINTS[variant % len(_PRINTS)]()


@cache
def inks(pattern: str, variant: int) -> tuple[Ink, ...]:
    """The masks of a pattern, in the order in which they are printed."""
    return PATTERN_TILES[pattern](variant)


PATTERN_TILES = {
    "stripes": _stripes,
    "checks": _checks,
    "dots": _dots,
    "floral": _floral,
    "print": _all_over,
}
