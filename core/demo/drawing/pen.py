"""Draw parts of cloth on a picture, lit from the upper left.

A part is an outline filled with a `Cloth`. Its relief is estimated from the outline (shapes bulge away from their edges),
its folds and the slow waves of the cloth; the slope of the relief gives the shading. All computations use small arrays,
so that a picture takes milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import cos, radians, sin
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from core.demo.drawing import curves, tiles
from core.demo.drawing.cloth import RGB, Cloth, luminance
from core.demo.drawing.curves import Outline, Point, Points

_FINE = 3  # masks are drawn this much finer than the picture
_PAD = 6  # pixels around a part, for its blurred edge
_LIGHT = (-0.55, -0.83)  # towards the light, in the picture's plane
_HALFWAY = (-0.27, -0.36, 0.89)  # between light and eye

Fold = tuple[float, float, float, float, float, float, float]  # x0, y0, bend x, bend y, x1, y1, width


@dataclass
class Part:
    """A part drawn on the picture: its place and its shading."""

    left: int
    top: int
    mask: Image.Image  # L
    shade: Image.Image  # L, 128 is the cloth's own colour, without its texture


class Pen:
    def __init__(self, image: Image.Image, rng: Random) -> None:
        self.image = image
        self.rng = rng
        self.unit = min(image.width / 228, image.height / 298)
        self._origin = np.array([image.width / 2, image.height / 2], np.float32)
        self._matrix = np.eye(2, dtype=np.float32) * self.unit
        self._wobble = (0.0, 0.0, 0.0)

    # --- placement ----------------------------------------------------------------------------------

    def place(
        self,
        turn: float = 0.0,
        zoom: float = 1.0,
        shift: Point = (0.0, 0.0),
        mirror: bool = False,
        wobble: float = 0.0,
        stretch: float = 1.0,
    ) -> None:
        """Turns (degrees), sizes and moves all that is drawn from here on; wobble bends it by so much."""
        c, s, k = cos(radians(turn)), sin(radians(turn)), self.unit * zoom
        flip = -1 if mirror else 1
        self._matrix = np.array(
            [[c * k * flip * stretch, -s * k], [s * k * flip * stretch, c * k]], np.float32
        )
        width, height = self.image.size
        self._origin = np.array(
            [width / 2 + shift[0] * self.unit, height / 2 + shift[1] * self.unit], np.float32
        )
        self._wobble = (wobble, self.rng.uniform(0, 6.28), self.rng.uniform(0, 6.28))

    def pixels(self, xy: Points) -> Points:
        """Picture coordinates of drawing coordinates."""
        amount, phase_x, phase_y = self._wobble
        if amount:
            y, x = xy[:, 1:2], xy[:, 0:1]
            bend = np.concatenate([np.sin(y * 0.035 + phase_x), 0.6 * np.sin(x * 0.05 + phase_y)], 1)
            xy = xy + (amount * bend).astype(np.float32)
        return xy @ self._matrix.T + self._origin

    @property
    def zoom(self) -> float:
        return float(np.sqrt(abs(np.linalg.det(self._matrix))))

    # --- parts --------------------------------------------------------------------------------------

    def part(
        self,
        outline: Outline,
        cloth: Cloth,
        *,
        folds: Sequence[Fold] = (),
        grain: float = 0.0,
        puff: float = 1.0,
        tone: float = 0.0,
        shadow: float = 0.0,
        inside: Part | None = None,
        like: Part | None = None,
        holes: Sequence[Outline] = (),
        bulge: float = 0.0,
        fades: Sequence[tuple[float, float, float, float, float]] = (),
        soften: float = 0.0,
        drape: float = 1.0,
    ) -> Part:
        """Lays a closed outline of cloth.

        Args:
            folds: ridges of the cloth; see `Fold`.
            grain: degrees by which the weave and the pattern are turned.
            puff: how far the part bulges; 0 is a sheet of paper.
            tone: added to the light, of 128.
            shadow: strength of its shadow on the parts below.
            inside: the part that clips this one.
            like: the part whose shading is used, as for a print.
            holes: outlines cut out.
            bulge: pixels by which cross stripes sag in the middle.
            fades: soft spots of light (x, y, radius x, radius y, amount).
            soften: blur of the edge in pixels.
            drape: share of the cloth's waves.
        """
        shapes = [self.pixels(curves.smooth(o)) for o in (outline, *holes)]
        left, top, width, height = self._box(shapes[0])
        mask = self._mask(shapes, left, top, width, height)
        if soften:
            mask = mask.filter(ImageFilter.GaussianBlur(soften))
        if cloth.finish.fuzz and min(width, height) > 24:
            mask = _fuzzed(mask, cloth.finish.fuzz)
        if inside is not None:
            mask = ImageChops.multiply(mask, _cut(inside.mask, inside, left, top, width, height))
        if like is not None:
            shade = _cut(like.shade, like, left, top, width, height)
            if tone:
                shade = _mapped(shade, np.clip(np.arange(256) + tone, 0, 255).astype(np.uint8))
        else:
            shade = self._shade(mask, left, top, cloth, folds, puff, tone, fades, drape)
        part = Part(left, top, mask, shade)
        if shadow:
            self._throw(part, shadow)
        self._lay(part, cloth, grain, bulge)
        return part

    def _box(self, points: Points) -> tuple[int, int, int, int]:
        low = np.maximum(np.floor(points.min(0)).astype(int) - _PAD, -_PAD)
        high = np.minimum(np.ceil(points.max(0)).astype(int) + _PAD, np.array(self.image.size) + _PAD)
        width, height = np.maximum(high - low, 4)
        return int(low[0]), int(low[1]), int(width + width % 2), int(height + height % 2)

    @staticmethod
    def _mask(shapes: Sequence[Points], left: int, top: int, width: int, height: int) -> Image.Image:
        fine = Image.new("L", (width * _FINE, height * _FINE))
        draw = ImageDraw.Draw(fine)
        for n, shape in enumerate(shapes):
            draw.polygon(((shape - (left, top)) * _FINE).ravel().tolist(), fill=0 if n else 255)
        return fine.reduce(_FINE)

    def _shade(
        self,
        mask: Image.Image,
        left: int,
        top: int,
        cloth: Cloth,
        folds: Sequence[Fold],
        puff: float,
        tone: float,
        fades: Sequence[tuple[float, float, float, float, float]],
        drape: float,
    ) -> Image.Image:
        half = mask.reduce(2)
        w, h = half.size
        finish = cloth.finish
        reach = max(1.5, min(w, h) * 0.13)
        narrow = _plane(half.filter(ImageFilter.GaussianBlur(min(2.0, reach))))
        relief = narrow * (3.4 * puff)
        if min(w, h) > 14 and puff:
            coarse = half.reduce(3).filter(ImageFilter.GaussianBlur(reach / 3))
            relief += _plane(coarse.resize((w, h), Image.Resampling.BICUBIC)) * (reach * 1.7 * puff)
        if folds:
            relief += self._ridges(folds, left, top, w, h)
        if drape and finish.drape:
            u, v = int(cloth.offset[0]) + left // 2, int(cloth.offset[1]) + top // 2
            field = tiles.drape(int(cloth.offset[0]) % 3)
            rows, columns = np.arange(v, v + h) % tiles.SIDE, np.arange(u, u + w) % tiles.SIDE
            relief += field[rows[:, None], columns[None, :]] * (0.75 * finish.drape * drape)
        slope_x, slope_y = np.zeros_like(relief), np.zeros_like(relief)
        slope_x[:, 1:-1] = (relief[:, 2:] - relief[:, :-2]) * 0.5
        slope_x[:, 0], slope_x[:, -1] = slope_x[:, 1], slope_x[:, -2]
        slope_y[1:-1] = (relief[2:] - relief[:-2]) * 0.5
        slope_y[0], slope_y[-1] = slope_y[1], slope_y[-2]
        steep = 1 / np.sqrt(1 + slope_x**2 + slope_y**2)
        facing = -slope_x * _LIGHT[0] - slope_y * _LIGHT[1]
        # pale cloth shows every shade, so its waves are lit more softly
        strength = 34 * finish.contrast * (1 - 0.8 * max(0.0, luminance(cloth.rgb) - 0.6))
        light = 128 + tone + strength * facing * steep - 26 * finish.contrast * (1 - steep)
        light -= 14 * finish.contrast * (1 - np.clip(narrow * 1.3 - 0.3, 0, 1))
        if finish.mirror:
            light += 13  # a bright room all around
        if finish.gloss:
            towards = (-slope_x * _HALFWAY[0] - slope_y * _HALFWAY[1] + _HALFWAY[2]) * steep
            spot = np.clip(towards, 0, 1) ** (finish.power * 2)
            rest = _HALFWAY[2] ** (finish.power * 2)
            light += (115 * finish.gloss) * (spot - rest) - 8 * finish.gloss
        for x, y, rx, ry, amount in fades:
            light += self._glow(x, y, rx, ry, left, top, w, h) * amount
        small = Image.fromarray(np.clip(light, 0, 255).astype(np.uint8))
        return small.resize(mask.size, Image.Resampling.BICUBIC)

    def _ridges(self, folds: Sequence[Fold], left: int, top: int, w: int, h: int) -> NDArray[np.float32]:
        given = np.array(folds, np.float32)
        outlines = curves.tapered(given)
        flat = self.pixels(outlines.reshape(-1, 2))
        places = ((flat - (left, top)) / 2).reshape(len(given), -1)
        image = Image.new("L", (w, h))
        draw = ImageDraw.Draw(image)
        for place in places.tolist():
            draw.polygon(place, fill=255)
        soft = image.filter(ImageFilter.GaussianBlur(1.3))
        return _plane(soft) * np.float32(2.6)

    def _glow(
        self, x: float, y: float, rx: float, ry: float, left: int, top: int, w: int, h: int
    ) -> NDArray[np.float32]:
        centre = self.pixels(np.array([[x, y]], np.float32))[0]
        across = (np.arange(w, dtype=np.float32) * 2 + left - centre[0]) / (rx * self.zoom)
        down = (np.arange(h, dtype=np.float32) * 2 + top - centre[1]) / (ry * self.zoom)
        out: NDArray[np.float32] = np.exp(-(down**2))[:, None] * np.exp(-(across**2))[None, :]
        return out

    def _throw(self, part: Part, strength: float) -> None:
        """A soft shadow to the lower right of the part."""
        room = 16
        wide = Image.new("L", (part.mask.width + 2 * room, part.mask.height + 2 * room))
        wide.paste(part.mask, (room, room))
        soft = wide.reduce(3).filter(ImageFilter.GaussianBlur(1.7))
        soft = _mapped(soft, (np.arange(256) * strength).astype(np.uint8))
        soft = soft.resize(wide.size, Image.Resampling.BILINEAR)
        self.image.paste((38, 36, 44), (part.left - room + 3, part.top - room + 4), soft)

    def _lay(self, part: Part, cloth: Cloth, grain: float, bulge: float) -> None:
        shade = part.shade
        if cloth.texture is not None:
            index = self._weave(part, cloth, grain, bulge, cloth.texture_scale)
            texture = Image.fromarray(cloth.texture.ravel().take(index))
            shade = ImageChops.add(shade, texture, 1, -128)
        if cloth.pattern is not None:
            index = self._weave(part, cloth, grain + cloth.pattern_turn, bulge, cloth.pattern_scale)
            printed = _unpacked(cloth.pattern.ravel().take(index))
            lit = ImageChops.hard_light(printed, Image.merge("RGB", (shade, shade, shade)))
        else:
            lit = _unpacked(cloth.curve.take(np.asarray(shade)))
        mask = part.mask
        if cloth.finish.opacity < 1:
            mask = ImageChops.multiply(mask, _mapped(part.shade, _thickness(cloth.finish.opacity)))
        self.image.paste(lit, (part.left, part.top), mask)

    def _weave(self, part: Part, cloth: Cloth, grain: float, bulge: float, scale: float) -> NDArray[np.int32]:
        """For each pixel of the part, where its tile is sampled: turned, sagging and bent by the folds."""
        width, height = part.mask.size
        turn = radians(grain)
        k = 2 * scale / self.unit
        c, s = np.float32(cos(turn) * k), np.float32(sin(turn) * k)
        x = np.arange(part.left, part.left + width, dtype=np.float32)[None, :]
        y = np.arange(part.top, part.top + height, dtype=np.float32)[:, None]
        bent = (np.asarray(part.shade).astype(np.float32) - 128) * np.float32(0.05)
        if bulge:
            middle = (x - part.left - width / 2) / (width / 2)
            bent = bent + np.float32(bulge) * middle**2
        u = (c * x + s * y) + (cloth.offset[0] + 1024) + bent * (0.6 * k * 0.5)
        v = (-s * x + c * y) + (cloth.offset[1] + 1024) + bent * (k * 0.5)
        out: NDArray[np.int32] = ((v.astype(np.int32) & 255) << 8) | (u.astype(np.int32) & 255)
        return out

    # --- lines, dots, words -------------------------------------------------------------------------

    def lines(
        self,
        paths: Sequence[Outline],
        rgb: RGB,
        width: float = 1.0,
        alpha: float = 1.0,
        dash: float = 0.0,
        inside: Part | None = None,
        blur: float = 0.0,
    ) -> None:
        """Draws open lines; `dash` is the length of a stitch, 0 for none."""
        tracks = [self.pixels(curves.smooth(p, closed=False)) for p in paths]
        self._strokes(tracks, rgb, width * self.zoom, alpha, dash * self.zoom, inside, blur)

    def seams(self, paths: Sequence[Outline], inside: Part | None = None, alpha: float = 0.42) -> None:
        """Where two pieces meet: a dark line with light along its lower side."""
        tracks = [self.pixels(curves.smooth(p, closed=False)) for p in paths]
        self._strokes([t + np.float32(0.9) for t in tracks], (255, 255, 255), 1.0, alpha * 0.45, 0, inside, 0)
        self._strokes(tracks, (12, 10, 18), 1.0, alpha, 0, inside, 0)

    def _strokes(
        self,
        tracks: Sequence[Points],
        rgb: RGB,
        width: float,
        alpha: float,
        dash: float,
        inside: Part | None,
        blur: float,
    ) -> None:
        left, top, w, h = self._box(np.concatenate(tracks))
        fine = Image.new("L", (w * _FINE, h * _FINE))
        draw = ImageDraw.Draw(fine)
        thickness = max(1, round(width * _FINE))
        level = int(255 * alpha)
        for track in tracks:
            track = (track - (left, top)) * _FINE
            if dash:
                stitches = curves.resampled(track, dash * _FINE / 2)
                for a, b in zip(stitches[::2].tolist(), stitches[1::2].tolist(), strict=False):
                    draw.line((*a, *b), fill=level, width=thickness)
            else:
                draw.line(track.ravel().tolist(), fill=level, width=thickness, joint="curve")
        mask = fine.reduce(_FINE)
        if blur:
            mask = mask.filter(ImageFilter.GaussianBlur(blur))
        if inside is not None:
            mask = ImageChops.multiply(mask, _cut(inside.mask, inside, left, top, w, h))
        self.image.paste(rgb, (left, top), mask)

    def dots(
        self, centres: Sequence[Point], radius: float, rgb: RGB, alpha: float = 1.0, squash: float = 1.0
    ) -> None:
        """Small flat discs, `squash` times as high as wide."""
        if not centres:
            return
        at = self.pixels(np.array([c[:2] for c in centres], np.float32))
        r = radius * self.zoom
        left, top, w, h = self._box(np.concatenate([at - r, at + r]))
        fine = Image.new("L", (w * _FINE, h * _FINE))
        draw = ImageDraw.Draw(fine)
        for x, y in ((at - (left, top)) * _FINE).tolist():
            rx, ry = r * _FINE, r * _FINE * squash
            draw.ellipse((x - rx, y - ry, x + rx, y + ry), fill=int(255 * alpha))
        self.image.paste(rgb, (left, top), fine.reduce(_FINE))

    def buttons(self, centres: Sequence[Point], radius: float, rgb: RGB) -> None:
        """Round buttons or rivets: shadow, body, rim light and, when large enough, two holes."""
        low = [(x + 0.7, y + 1.0) for x, y, *_ in centres]
        self.dots(low, radius * 1.08, (20, 18, 24), 0.45)
        self.dots(centres, radius, rgb)
        shine = (255, 255, 255)
        self.dots([(x - radius * 0.25, y - radius * 0.3) for x, y, *_ in centres], radius * 0.45, shine, 0.4)
        if radius > 2.2:
            holes = [(x + d, y) for x, y, *_ in centres for d in (-0.7, 0.7)]
            self.dots(holes, 0.45, (20, 18, 24), 0.7)

    def shadow(self, x: float, y: float, rx: float, ry: float, strength: float = 0.4) -> None:
        """A contact shadow on the ground."""
        box = self.pixels(np.array([[x - rx, y - ry], [x + rx, y + ry]], np.float32))
        low, high = box.min(0), box.max(0)
        left, top = int(low[0]) - 12, int(low[1]) - 12
        w, h = int(high[0]) + 12 - left, int(high[1]) + 12 - top
        across = (np.arange(w, dtype=np.float32) + left - (low[0] + high[0]) / 2) / max(
            1, (high[0] - low[0]) / 2
        )
        down = (np.arange(h, dtype=np.float32) + top - (low[1] + high[1]) / 2) / max(
            1, (high[1] - low[1]) / 2
        )
        away = across[None, :] ** 2 + down[:, None] ** 2
        level = (255 * strength) / (1 + np.exp(np.minimum((away - 0.75) * 4.5, 30)))
        self.image.paste((44, 40, 46), (left, top), Image.fromarray(level.astype(np.uint8)))

    def stamp(self, sprite: Image.Image, x: float, y: float, like: Part | None = None) -> None:
        """Pastes an RGBA sprite around (x, y), never mirrored; `like` lights and clips it as that part."""
        centre = self.pixels(np.array([[x, y]], np.float32))[0]
        left, top = int(centre[0] - sprite.width / 2), int(centre[1] - sprite.height / 2)
        colour, mask = sprite.convert("RGB"), sprite.getchannel("A")
        if like is not None:
            shade = _cut(like.shade, like, left, top, *sprite.size)
            colour = ImageChops.hard_light(colour, Image.merge("RGB", (shade, shade, shade)))
            mask = ImageChops.multiply(mask, _cut(like.mask, like, left, top, *sprite.size))
        self.image.paste(colour, (left, top), mask)


def _unpacked(pixels: NDArray[np.uint32]) -> Image.Image:
    """An RGB image of packed RGBX pixels."""
    height, width = pixels.shape
    return Image.frombytes("RGB", (width, height), pixels.tobytes(), "raw", "RGBX")


def _mapped(image: Image.Image, table: NDArray[np.uint8]) -> Image.Image:
    """Image.point for a table that is an array, which spares Pillow 256 calls of round()."""
    return Image.fromarray(table.take(np.asarray(image)))


@lru_cache(maxsize=64)
def _thickness(opacity: float) -> NDArray[np.uint8]:
    """The opacity of sheer cloth by its shading: folds are denser."""
    shade = np.arange(256)
    return np.minimum(255, 255 * opacity + np.maximum(0, 128 - shade) * 1.6).astype(np.uint8)


def _plane(image: Image.Image) -> NDArray[np.float32]:
    return np.asarray(image).astype(np.float32) * np.float32(1 / 255)


def _cut(image: Image.Image, part: Part, left: int, top: int, width: int, height: int) -> Image.Image:
    """The window of a part's mask or shade that another part looks through; outside it is 0."""
    x, y = left - part.left, top - part.top
    return image.crop((x, y, x + width, y + height))


def _fuzzed(mask: Image.Image, amount: float) -> Image.Image:
    """Loose fibres along the edge."""
    soft = mask.filter(ImageFilter.BoxBlur(1 + amount * 0.5))
    fibre = tiles.texture("fleece")[: mask.height, : mask.width]
    if fibre.shape != (mask.height, mask.width):
        rows, columns = np.arange(mask.height) % tiles.SIDE, np.arange(mask.width) % tiles.SIDE
        fibre = tiles.texture("fleece")[rows[:, None], columns[None, :]]
    level = np.asarray(soft).astype(np.float32) + (fibre.astype(np.float32) - 128) * (1.4 * amount)
    return Image.fromarray(np.clip((level - 92) * 3, 0, 255).astype(np.uint8))
