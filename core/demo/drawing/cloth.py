"""The material of a part of a picture: colour, pattern, texture and shading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.demo.drawing import tiles
from core.demo.looks import COLOURS, Look

RGB = tuple[int, int, int]


@dataclass(frozen=True)
class Finish:
    """The shading of a material; amounts are relative to smooth cotton at 1."""

    textures: tuple[str, ...] = ()
    contrast: float = 1.0  # light and shade on the form
    drape: float = 1.0  # waves of the loose cloth
    gloss: float = 0.0  # strength of the highlight
    power: float = 8.0  # its sharpness
    opacity: float = 1.0
    fuzz: float = 0.0  # roughness of the edge, in pixels
    mirror: bool = False  # reflects a bright room as metal does


FINISHES = {
    "cotton": Finish(("weave",)),
    "knit": Finish(("knit", "chunky", "cable", "rib"), contrast=0.95, drape=0.55, fuzz=0.5),
    "denim": Finish(("twill",), contrast=0.95, drape=0.75),
    "leather": Finish(("grain",), contrast=1.05, drape=0.6, gloss=0.42, power=9),
    "satin": Finish((), contrast=1.35, drape=1.5, gloss=0.45, power=5),
    "sheer": Finish((), contrast=0.85, drape=1.1, opacity=0.66),
    "wool": Finish(("felt",), contrast=0.9, drape=0.55, fuzz=0.7),
    "fleece": Finish(("fleece",), contrast=0.9, drape=0.5, fuzz=1.3),
    "polyester": Finish((), contrast=1.1, drape=0.9, gloss=0.16, power=6),
    "canvas": Finish(("canvas",), contrast=0.95, drape=0.4),
    "rubber": Finish((), contrast=1.1, drape=0.1, gloss=0.75, power=22),
    "straw": Finish(("straw",), contrast=1.0, drape=0.2),
    "metal": Finish((), contrast=1.7, drape=0.0, gloss=0.8, power=9, mirror=True),
    # trimmings and packaging
    "matt": Finish((), contrast=0.8, drape=0.0),
    "skin": Finish((), contrast=0.75, drape=0.0, gloss=0.12, power=5),
    "patent": Finish((), contrast=1.15, drape=0.15, gloss=0.85, power=16),
    "suede": Finish(("suede",), contrast=0.9, drape=0.3, fuzz=0.3),
    "wood": Finish((), contrast=1.0, drape=0.0, gloss=0.3, power=8),
    "glass": Finish((), contrast=0.7, drape=0.0, gloss=0.9, power=18, opacity=0.8),
}


@dataclass(frozen=True, eq=False)
class Cloth:
    """A material in one colour with at most one pattern."""

    rgb: RGB
    finish: Finish
    curve: NDArray[np.uint32]  # 256 packed RGBX pixels: the colour under every strength of light
    texture: tiles.Relief | None = None
    texture_scale: float = 1.0
    pattern: NDArray[np.uint32] | None = None  # a tile of packed RGBX pixels
    pattern_scale: float = 1.0
    pattern_turn: float = 0.0  # degrees against the grain
    offset: tuple[float, float] = (0.0, 0.0)
    palette: tuple[RGB, ...] = ()

    def dyed(self, rgb: RGB) -> Cloth:
        """The same material in another colour, plain."""
        return replace(self, rgb=rgb, curve=shading(rgb, self.finish.mirror), pattern=None)

    def shaded(self, factor: float) -> Cloth:
        """The same material, plain, lighter above 1 and darker below."""
        return self.dyed(scaled(self.rgb, factor))

    def plain(self) -> Cloth:
        return replace(self, pattern=None)

    def textured(self, name: str | None, scale: float = 1.0) -> Cloth:
        texture = tiles.texture(name, luminance(self.rgb) > 0.78) if name else None
        return replace(self, texture=texture, texture_scale=scale)

    def finished(self, **changes: float) -> Cloth:
        return replace(self, finish=replace(self.finish, **changes))  # type: ignore[arg-type]


def scaled(rgb: RGB, factor: float) -> RGB:
    if factor > 1:
        return mixed(rgb, (255, 255, 255), factor - 1)
    return (int(rgb[0] * factor), int(rgb[1] * factor), int(rgb[2] * factor))


def mixed(a: RGB, b: RGB, share: float) -> RGB:
    r, g, bl = (int(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return (r, g, bl)


def luminance(rgb: RGB) -> float:
    return (0.3 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2]) / 255


def contrasting(rgb: RGB) -> RGB:
    """A thread or trim that can be seen on the colour."""
    return scaled(rgb, 0.62) if luminance(rgb) > 0.5 else mixed(rgb, (255, 250, 240), 0.4)


_SHADE = np.arange(256, dtype=np.float32)
_MIRROR_AT = (0, 60, 100, 128, 150, 166, 182, 205, 230, 255)
_MIRROR_DARK = (0.22, 0.45, 0.82, 1.0, 1.06, 1.0, 0.78, 1.0, 1.0, 1.0)
_MIRROR_WHITE = (0.0, 0.0, 0.0, 0.05, 0.4, 0.85, 0.12, 0.45, 0.9, 1.0)


@lru_cache(maxsize=4096)
def shading(rgb: RGB, mirror: bool = False) -> NDArray[np.uint32]:
    """The colour under every strength of light (128 is lit cloth), as 256 packed RGBX pixels.

    Shadows have the hue of the colour and highlights approach white, so that folds are visible on black and shadows on
    white; the tones of a mirror alternate, as in reflections.
    """
    if mirror:
        dark = np.interp(_SHADE, _MIRROR_AT, _MIRROR_DARK)
        white = np.interp(_SHADE, _MIRROR_AT, _MIRROR_WHITE)
        channels = [c * dark + (255 - c * dark) * white for c in rgb]
    else:
        low = np.clip(_SHADE / 128, 0, 1)
        high = np.clip((_SHADE - 128) / 127, 0, 1)
        lift = 0.75 + 0.25 * luminance(rgb)
        tint = (1.12, 1.06, 0.94)  # bluish shadows, as in daylight
        channels = [
            c * low ** (1.05 * t) + (255 - c) * high**1.15 * lift for c, t in zip(rgb, tint, strict=True)
        ]
    packed = np.full((256, 4), 255, np.uint8)
    packed[:, :3] = np.clip(np.stack(channels, 1), 0, 255)
    return packed.view(np.uint32).reshape(256)


def of(rgb: RGB, material: str) -> Cloth:
    """A plain material that is not the product's own: lining, sole, hanger, mannequin."""
    finish = FINISHES[material]
    cloth = Cloth(rgb, finish, shading(rgb, finish.mirror))
    return cloth.textured(finish.textures[0]) if finish.textures else cloth


def woven(look: Look, rng: Random) -> Cloth:
    """The product's own cloth."""
    rgb = jittered(COLOURS[look.colour], rng)
    finish = FINISHES[look.material]
    cloth = Cloth(
        rgb,
        finish,
        shading(rgb, finish.mirror),
        offset=(rng.uniform(0, 256), rng.uniform(0, 256)),
    )
    if finish.textures:
        weights = (5, 3, 2, 2)[: len(finish.textures)]
        cloth = cloth.textured(rng.choices(finish.textures, weights)[0], rng.uniform(0.9, 1.1))
    if look.material == "leather" and rng.random() < 0.25:
        cloth = replace(cloth.textured("suede"), finish=FINISHES["suede"])
    if look.pattern == "plain":
        return cloth
    variant = rng.randrange(42)
    palette = _palette(rgb, look.pattern, rng)
    if look.kind in _FORMAL:
        thread = mixed(rgb, (255, 255, 255), 0.3) if luminance(rgb) < 0.5 else scaled(rgb, 0.72)
        palette = (thread, mixed(rgb, thread, 0.5), thread)
        printed = _printed(look.pattern, {"stripes": 6, "checks": 2}[look.pattern], rgb, palette)
        turn = 90.0 if look.pattern == "stripes" else 0.0
        return replace(cloth, pattern=printed, pattern_scale=1.4, pattern_turn=turn, palette=palette)
    return replace(
        cloth,
        pattern=_printed(look.pattern, variant, rgb, palette),
        pattern_scale=rng.uniform(0.85, 1.35),
        pattern_turn=_direction(look.pattern, rng),
        palette=palette,
    )


_FORMAL = ("mens-suits",)  # only pinstripes and faint checks


def jittered(rgb: RGB, rng: Random) -> RGB:
    """A slight variation of the colour, as between dye lots and cameras."""
    light = rng.uniform(0.9, 1.07)
    r, g, b = (min(250, max(14, int(c * light + rng.uniform(-7, 7)))) for c in rgb)
    return (r, g, b)


def _direction(pattern: str, rng: Random) -> float:
    if pattern == "stripes":
        return rng.choices((0.0, 90.0, 45.0), (6, 3, 1))[0]
    if pattern == "checks":
        return rng.choices((0.0, 45.0), (4, 1))[0]
    return rng.uniform(-20, 20)


_BRIGHT: Sequence[RGB] = (
    (226, 62, 76), (246, 168, 60), (250, 214, 96), (82, 160, 110), (70, 140, 200), (236, 140, 170),
    (150, 96, 180), (64, 176, 176),
)  # fmt: skip
_PALE: Sequence[RGB] = ((250, 248, 242), (250, 240, 220), (240, 244, 250))
_DEEP: Sequence[RGB] = ((34, 40, 72), (40, 40, 44), (104, 34, 46), (36, 78, 66), (92, 62, 44))


def _palette(rgb: RGB, pattern: str, rng: Random) -> tuple[RGB, ...]:
    light = luminance(rgb) > 0.55
    if pattern in ("stripes", "checks", "dots"):
        main = rng.choice(_DEEP) if light and luminance(rgb) > 0.8 else rng.choice(_PALE)
        if 0.5 < luminance(rgb) <= 0.8 and rng.random() < 0.5:
            main = rng.choice(_DEEP)
        return main, rng.choice(_BRIGHT), rng.choice(_DEEP if light else _PALE)
    if pattern == "floral":
        petals = rng.choice([*_PALE, *_BRIGHT]) if not light else rng.choice([*_BRIGHT, *_BRIGHT, *_DEEP])
        if abs(luminance(petals) - luminance(rgb)) < 0.15:
            petals = _PALE[0] if not light else _DEEP[0]
        leaves = (54, 110, 74) if light else rng.choice([(120, 170, 110), (70, 140, 96), (230, 226, 200)])
        return petals, leaves, rng.choice([(250, 206, 80), (250, 240, 220), (190, 60, 70)])
    if rng.random() < 0.5:  # tone on tone
        return (
            (scaled(rgb, 0.55), scaled(rgb, 1.35), rgb)
            if light
            else (
                mixed(rgb, (255, 255, 255), 0.45),
                mixed(rgb, (0, 0, 0), 0.35),
                rgb,
            )
        )
    return (rng.choice(_DEEP if light else _PALE), rng.choice(_BRIGHT), rng.choice(_BRIGHT))


def _printed(pattern: str, variant: int, ground: RGB, palette: Sequence[RGB]) -> NDArray[np.uint32]:
    tile = Image.new("RGBX", (tiles.SIDE, tiles.SIDE), (*ground, 255))
    for ink, rgb in zip(tiles.inks(pattern, variant), palette, strict=False):
        tile.paste((*rgb, 255), (0, 0), ink)
    return np.asarray(tile).view(np.uint32).reshape(tiles.SIDE, tiles.SIDE)
