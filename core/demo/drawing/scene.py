"""The surroundings of a product in a shop's picture: background, mannequin, hanger, sticker, watermark."""

# outlines are formatted as tables of points:
# fmt: off

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from math import cos, pi, sin
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.demo.drawing import cloth as cloths
from core.demo.drawing.cloth import RGB
from core.demo.drawing.curves import mirrored
from core.demo.drawing.pen import Part, Pen

# --- backgrounds ------------------------------------------------------------------------------------

_TINTS: tuple[RGB, ...] = (
    (246, 226, 214), (240, 218, 206), (238, 230, 214), (226, 234, 228), (222, 230, 240), (244, 222, 226),
    (232, 226, 240), (250, 234, 200),
)
_BRIGHT: tuple[RGB, ...] = ((250, 250, 250), (248, 247, 244), (246, 248, 250), (250, 247, 246))
_GREYS: tuple[RGB, ...] = ((224, 225, 227), (206, 208, 211), (232, 230, 227), (190, 194, 200))
_WOODS: tuple[RGB, ...] = ((206, 176, 138), (222, 204, 180), (164, 124, 90), (232, 226, 218))


def background(size: tuple[int, int], rng: Random, standing: bool) -> Image.Image:
    """Mostly the white of shops; `standing` products may be on a floor before a wall."""
    kind = rng.choices(("white", "bright", "grey", "tint", "wood", "room"), (38, 22, 14, 14, 6, 6))[0]
    if kind == "room" and not standing:
        kind = "bright"
    if kind == "wood" and standing:
        kind = "room"
    variants = {"white": 2, "bright": 4, "grey": 4, "tint": len(_TINTS), "wood": len(_WOODS), "room": 4}
    return _background(size, kind, rng.randrange(variants[kind])).copy()


@lru_cache(maxsize=64)
def _background(size: tuple[int, int], kind: str, variant: int) -> Image.Image:
    width, height = size
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    away = np.sqrt((x + 0.15) ** 2 + (y + 0.1) ** 2)
    level: NDArray[np.floating]
    rgb: RGB
    if kind == "white":
        level, rgb = np.ones((height, width)), ((251, 251, 251), (255, 255, 255))[variant]
    elif kind == "bright":
        level, rgb = 1 - 0.035 * away**2 - 0.012 * y, _BRIGHT[variant]
    elif kind == "grey":
        level, rgb = 1.02 - 0.09 * away**1.6, _GREYS[variant]
    elif kind == "tint":
        level, rgb = 1.02 - 0.055 * away**1.5, _TINTS[variant]
    elif kind == "wood":
        return _wood(size, _WOODS[variant], variant)
    else:
        wall, floor = ((238, 236, 232), (214, 198, 178)), ((226, 230, 234), (206, 208, 212))
        pairs = (wall, floor, ((240, 226, 216), (222, 200, 184)), ((216, 224, 220), (190, 196, 190)))
        upper, lower = pairs[variant]
        share = np.clip((y - 0.42) * 14, 0, 1)[..., None]
        mix = np.array(upper, np.float32) * (1 - share) + np.array(lower, np.float32) * share
        out = mix * (1.02 - 0.06 * away - 0.05 * np.exp(-(((y - 0.45) / 0.1) ** 2)))[..., None]
        return Image.fromarray(np.clip(out, 0, 255).astype(np.uint8))
    noise = np.random.default_rng(variant).normal(0, 0.35, (height, width, 1)).astype(np.float32)
    out = np.array(rgb, np.float32) * level[..., None] + noise  # the noise keeps gradients from banding
    return Image.fromarray(np.clip(out, 0, 255).astype(np.uint8))


def _wood(size: tuple[int, int], rgb: RGB, seed: int) -> Image.Image:
    width, height = size
    rng = np.random.default_rng(seed)
    out = np.empty((height, width), np.float32)
    planks = 5
    edges = np.linspace(0, width, planks + 1).astype(int)
    y = np.arange(height, dtype=np.float32)[:, None]
    for left, right in pairwise(edges.tolist()):
        x = np.arange(right - left, dtype=np.float32)[None, :]
        bend = 6 * np.sin(y / rng.uniform(60, 110) + rng.uniform(0, 6))
        rings = np.sin((x + bend) * rng.uniform(0.35, 0.6) + 1.5 * np.sin(y / 47 + rng.uniform(0, 6)))
        plank = rng.uniform(0.93, 1.03) + 0.035 * rings + rng.normal(0, 0.012, (1, right - left))
        plank[:, 0] *= 0.72
        out[:, left:right] = plank
    return Image.fromarray(np.clip(np.array(rgb, np.float32) * out[..., None], 0, 255).astype(np.uint8))


# --- mannequins and hangers -------------------------------------------------------------------------

SKINS: tuple[RGB, ...] = ((238, 234, 228), (226, 214, 200), (232, 204, 180), (206, 164, 132), (150, 106, 80),
                          (214, 216, 220))


def skin(rng: Random) -> cloths.Cloth:
    return cloths.of(rng.choice(SKINS), "skin")


def torso(pen: Pen, body: cloths.Cloth, woman: bool = True, top: float = -92, width: float = 1.0) -> Part:
    """A headless mannequin from its neck to its hips; `top` is the height of its shoulders."""
    if woman:
        half = [
            (0, top - 40), (13, top - 40, 1), (13.5, top - 22), (19, top - 10), (40, top - 2), (55, top + 8),
            (59, top + 26), (52, top + 44), (52, top + 62), (47, top + 84), (40, top + 112), (46, top + 140),
            (56, top + 172), (58, top + 196), (54, top + 214, 1), (0, top + 216),
        ]
    else:
        half = [
            (0, top - 40), (17, top - 40, 1), (18, top - 22), (26, top - 10), (54, top), (70, top + 10),
            (74, top + 30), (64, top + 52), (62, top + 78), (55, top + 120), (53, top + 150), (57, top + 185),
            (56, top + 214, 1), (0, top + 216),
        ]
    half = [(x * (width if y > top - 15 else (1 + width) / 2), y, *rest) for x, y, *rest in half]
    part = pen.part(mirrored(half), body, puff=1.2, shadow=0.12)
    pen.part([(-13, top - 40), (0, top - 43.5), (13, top - 40), (0, top - 36.5)], body.shaded(0.86), puff=0.3)
    if woman and width == 1:
        pen.part([(-50, top + 30), (-26, top + 22), (-2, top + 36), (-6, top + 66), (-27, top + 76),
                  (-48, top + 64)], body, puff=0.45, inside=part, soften=3.5)
        pen.part([(50, top + 30), (26, top + 22), (2, top + 36), (6, top + 66), (27, top + 76),
                  (48, top + 64)], body, puff=0.45, inside=part, soften=3.5)
    return part


def hips(pen: Pen, body: cloths.Cloth, waist: float = -96, woman: bool = True) -> Part:
    """A form from the waist to above the knees, cut flat."""
    w, h = (38, 55) if woman else (46, 52)
    half = [
        (0, waist), (w, waist, 1), (w + 3, waist + 22), (h, waist + 62), (h + 1, waist + 90),
        (h - 4, waist + 140), (h - 10, waist + 190), (4, waist + 192, 1), (2.5, waist + 120),
        (0, waist + 98, 1),
    ]
    part = pen.part(mirrored(half), body, puff=1.2, shadow=0.12)
    pen.part([(-w, waist), (0, waist - 5), (w, waist), (0, waist + 5)], body.shaded(0.88), puff=0.3)
    return part


def hanger(pen: Pen, rng: Random, top: float, half: float, drop: float) -> None:
    """A hanger whose bar meets the shoulders at (+-half, top + drop)."""
    metal = (150, 152, 158)
    pen.lines([[(0, top - 4), (0, top - 14), (5, top - 20), (5, top - 28), (-2, top - 31), (-7, top - 25)]],
        metal, 2.2)
    bar = [(-half, top + drop), (-half * 0.5, top + drop * 0.35), (0, top - 5),
        (half * 0.5, top + drop * 0.35),
           (half, top + drop)]
    colour = rng.choice(((178, 132, 88), (214, 180, 140), (60, 50, 46), (240, 240, 238)))
    pen.lines([bar], cloths.scaled(colour, 0.7), 5.6)
    pen.lines([bar], colour, 4.2)
    pen.lines([[(x, y - 1) for x, y in bar]], (255, 255, 255), 1.0, 0.45)


# --- shops' additions -------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def font(size: int) -> ImageFont.FreeTypeFont:
    found = ImageFont.load_default(size)
    assert isinstance(found, ImageFont.FreeTypeFont)  # Pillow was built with FreeType
    return found


@lru_cache(maxsize=64)
def words(text: str, size: int, rgb: RGB, alpha: int = 255) -> Image.Image:
    """A line of text as a sprite."""
    left, top, right, bottom = font(size * 2).getbbox(text)
    sprite = Image.new("RGBA", (int(right - left) + 8, int(bottom - top) + 8), (*rgb, 0))
    ImageDraw.Draw(sprite).text((4 - left, 4 - top), text, font=font(size * 2), fill=(*rgb, alpha))
    return sprite.reduce(2)


@lru_cache(maxsize=32)
def sticker(text: str, rgb: RGB, shape: str, radius: int) -> Image.Image:
    """A shop's price sticker."""
    side = radius * 8
    image = Image.new("RGBA", (side, side), (*rgb, 0))
    draw = ImageDraw.Draw(image)
    middle = side / 2
    if shape == "round":
        draw.ellipse((4, 4, side - 4, side - 4), fill=(*rgb, 255))
    elif shape == "burst":
        reach = [(middle - 4) * (1 if k % 2 else 0.87) for k in range(32)]
        draw.polygon(
            [(middle + cos(k * pi / 16) * r, middle + sin(k * pi / 16) * r) for k, r in enumerate(reach)],
            fill=(*rgb, 255),
        )
    else:
        draw.rectangle((2, side * 0.26, side - 2, side * 0.74), fill=(*rgb, 255))
    ink = (255, 255, 255) if cloths.luminance(rgb) < 0.6 else (40, 36, 36)
    draw.text((middle, middle), text, font=font(int(side * (0.3 if len(text) < 4 else 0.26))), fill=ink,
        anchor="mm")
    return image.reduce(4)


_STICKERS: tuple[tuple[str, RGB, str], ...] = (
    ("-30%", (214, 36, 44), "round"), ("-50%", (214, 36, 44), "round"), ("-20%", (214, 36, 44), "round"),
    ("-40%", (30, 30, 34), "round"), ("NEW", (40, 120, 96), "round"), ("SALE", (214, 36, 44), "tag"),
    ("-15%", (248, 208, 60), "burst"), ("-60%", (236, 96, 32), "burst"), ("NEW", (34, 34, 38), "tag"),
)


def finish(image: Image.Image, rng: Random) -> None:
    """A sticker, a frame or a watermark on some pictures."""
    width, height = image.size
    unit = min(width / 228, height / 298)
    dice = rng.random()
    if dice < 0.07:
        text, rgb, shape = rng.choice(_STICKERS)
        sprite = sticker(text, rgb, shape, round(22 * unit))
        margin = round(7 * unit)
        x = margin if rng.random() < 0.5 else width - sprite.width - margin
        y = margin if rng.random() < 0.8 else height - sprite.height - margin
        image.paste(sprite, (x, y), sprite)
    elif dice < 0.1:
        rgb = rng.choice(((196, 160, 104), (40, 40, 44), (214, 36, 44), (200, 202, 206)))
        draw = ImageDraw.Draw(image)
        thick = max(1, round(rng.choice((1, 2, 4)) * unit))
        draw.rectangle((0, 0, width - 1, height - 1), outline=rgb, width=thick)
    elif dice < 0.14:
        sprite = words("V I T R I N E", max(6, round(9 * unit)), (120, 120, 124), 120)
        x = (width - sprite.width) // 2 if rng.random() < 0.6 else round(8 * unit)
        image.paste(sprite, (x, height - sprite.height - round(5 * unit)), sprite)
