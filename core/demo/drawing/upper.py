"""The upper half of clothes: bodies with a neckline, sleeves, collars, and fronts that open.

Everything is symmetric about x = 0; measures are half widths in drawing coordinates.
"""

# outlines are formatted as tables of points:
# fmt: off

from __future__ import annotations

from dataclasses import dataclass, field
from math import cos, radians, sin
from random import Random

from core.demo.drawing import cloth as cloths
from core.demo.drawing.cloth import RGB, Cloth
from core.demo.drawing.curves import Point, between, flipped, mirrored
from core.demo.drawing.motifs import CHILD, GROWN, motif
from core.demo.drawing.pen import Fold, Part, Pen
from core.demo.drawing.scene import hanger, words


@dataclass(frozen=True)
class Cut:
    """The measures of an upper garment."""

    neck: float = 24  # half width of the neckline
    shoulder: float = 60
    slope: float = 15  # drop from neck to shoulder
    chest: float = 55
    waist: float = 48
    hem: float = 55
    top: float = -98
    armhole: float = 46  # drop from shoulder to armpit
    length: float = 190  # from top to hem
    depth: float = 20  # of the neckline at the front
    neckline: str = "crew"  # crew, v, boat, square, heart
    hem_curve: float = 3  # how far the hem's middle hangs below its sides

    @property
    def bottom(self) -> float:
        return self.top + self.length

    @property
    def armpit(self) -> float:
        return self.top + self.slope + self.armhole


@dataclass
class Garment:
    cut: Cut
    body: Part
    sleeves: list[Part] = field(default_factory=list)


def woman(rng: Random, **changes: object) -> Cut:
    fit = rng.uniform(-2, 5)
    base: dict[str, object] = {
        "neck": rng.uniform(24, 29), "shoulder": 56 + fit * 0.5, "chest": 52 + fit, "waist": 44 + fit * 1.6,
        "hem": 53 + fit, "top": -96, "length": rng.uniform(178, 198), "depth": rng.uniform(20, 32),
    }
    return Cut(**{**base, **changes})  # type: ignore[arg-type]


def man(rng: Random, **changes: object) -> Cut:
    fit = rng.uniform(-2, 3)
    base: dict[str, object] = {
        "neck": rng.uniform(22, 25), "shoulder": 71 + fit, "chest": 63 + fit, "waist": 61 + fit,
        "hem": 62 + fit,
        "top": -106, "length": rng.uniform(204, 218), "depth": rng.uniform(15, 19), "slope": 17,
        "armhole": 52,
    }
    return Cut(**{**base, **changes})  # type: ignore[arg-type]


def child(rng: Random, **changes: object) -> Cut:
    base: dict[str, object] = {
        "neck": rng.uniform(24, 27), "shoulder": 60, "chest": 57, "waist": 58, "hem": 61, "top": -78,
        "length": rng.uniform(146, 156), "depth": rng.uniform(14, 18), "slope": 13, "armhole": 42,
    }
    return Cut(**{**base, **changes})  # type: ignore[arg-type]


def neckline(c: Cut) -> list[Point]:
    """From the middle of the front up to the neck point."""
    low, side = c.top + c.depth, (c.neck, c.top, 1)
    if c.neckline == "v":
        return [(0, low, 1), (c.neck * 0.62, c.top + c.depth * 0.42), side]
    if c.neckline == "square":
        return [(0, low), (c.neck * 0.94, low, 1), side]
    if c.neckline == "heart":
        return [(0, low, 1), (c.neck * 0.5, low - 11), (c.neck * 0.97, low - 9, 1), side]
    if c.neckline == "boat":
        return [(0, low), (c.neck * 0.7, c.top + c.depth * 0.72), side]
    return [(0, low), (c.neck * 0.55, c.top + c.depth * 0.83), (c.neck * 0.93, c.top + c.depth * 0.33), side]


def outer(c: Cut) -> list[Point]:
    """From the shoulder down the side to the middle of the hem."""
    return [
        (c.shoulder, c.top + c.slope, 1),
        (c.chest - 4, c.top + c.slope + c.armhole * 0.6),
        (c.chest, c.armpit, 1),
        (c.waist, c.armpit + (c.bottom - c.armpit) * 0.42),
        (c.hem, c.bottom - 2, 1),
        (0, c.bottom + c.hem_curve),
    ]


def body_folds(rng: Random, c: Cut, loose: float = 1.0) -> list[Fold]:
    """Pulls from the armpits, waves at the waist, and hang towards the hem."""
    folds: list[Fold] = []
    span = c.bottom - c.armpit
    for side in (-1, 1):
        for _ in range(rng.randint(2, 3)):
            x, y = side * (c.chest - rng.uniform(0, 6)), c.armpit + rng.uniform(-6, 12)
            folds.append((x, y, x * 0.8, y + 14, side * rng.uniform(4, 30), y + rng.uniform(26, 50),
                          rng.uniform(4, 7) * loose))
        for _ in range(2):
            y = c.armpit + span * rng.uniform(0.3, 0.8)
            x = side * (c.waist + 1)
            folds.append((x, y, x * 0.7, y + rng.uniform(-3, 9), side * rng.uniform(10, 28),
                          y + rng.uniform(-4, 12), rng.uniform(3, 6) * loose))
    for _ in range(rng.randint(3, 5)):
        x = rng.uniform(-0.8, 0.8) * c.hem
        y = c.bottom
        folds.append((x, y, x * 0.95, y - span * 0.2, x * 0.8 + rng.uniform(-8, 8),
                      y - span * rng.uniform(0.25, 0.55), rng.uniform(4, 8) * loose))
    return folds


def perhaps_hang(pen: Pen, c: Cut, rng: Random, chance: float = 0.14) -> None:
    """Shows some garments on a hanger; only its hook and the bar in the neck will be seen."""
    if rng.random() < chance and c.top > -116:  # a higher hook would leave the picture
        hanger(pen, rng, c.top, c.shoulder - 4, c.slope + 2)


def back_neck(pen: Pen, c: Cut, cloth: Cloth, rise: float = 3, label: bool = True) -> None:
    """The inside of the back, seen through the neckline, with its label."""
    low = c.top + c.depth + 6
    half = [(0, c.top + rise + 3), (c.neck * 0.6, c.top + rise + 1), (c.neck + 1, c.top - 1, 1),
            (c.neck * 0.9, c.top + c.depth * 0.6), (0, low)]
    inside = pen.part(mirrored(half), cloth.shaded(0.66), puff=0.1, tone=-6, drape=0.3)
    pen.lines([[(-c.neck, c.top), (0, c.top + rise + 7), (c.neck, c.top)]], (20, 18, 24), 0.9, 0.3)
    if label and c.depth > 12:
        tag = (246, 244, 238) if cloths.luminance(cloth.rgb) < 0.75 else (70, 70, 78)
        pen.part([(-6, c.top + rise + 6, 1), (6, c.top + rise + 6, 1), (6, c.top + rise + 13, 1),
                  (-6, c.top + rise + 13, 1)], cloths.of(tag, "matt"), puff=0.1, inside=inside)


def front(pen: Pen, c: Cut, cloth: Cloth, rng: Random, *, loose: float = 1.0, shadow: float = 0.2,
          fades: tuple[tuple[float, float, float, float, float], ...] = ()) -> Part:
    outline = mirrored([*neckline(c), *outer(c)])
    return pen.part(
        outline, cloth, folds=body_folds(rng, c, loose), shadow=shadow, bulge=5, puff=0.9, fades=fades
    )


def sleeve_line(c: Cut, length: float, angle: float) -> tuple[Point, Point, Point]:
    """Middle of the armhole, middle of the cuff, and the outward unit across the sleeve (right side)."""
    x, y = (c.shoulder + c.chest) / 2 - 2, c.top + c.slope + c.armhole * 0.48
    d = (sin(radians(angle)), cos(radians(angle)))
    return (x, y), (x + d[0] * length, y + d[1] * length), (d[1], -d[0])


def sleeve(
    pen: Pen,
    c: Cut,
    cloth: Cloth,
    rng: Random,
    *,
    length: float,
    width: float,
    angle: float = 16,
    full: float = 0.0,
    cuff: str = "hem",
    cuff_cloth: Cloth | None = None,
    shadow: float = 0.2,
) -> list[Part]:
    """Both sleeves, to be laid before the body. `full` widens the lower half; cuff: hem, rib, shirt, none."""
    (ax, ay), (cx, cy), (nx, ny) = sleeve_line(c, length, angle)
    sx, sy = c.shoulder, c.top + c.slope
    mx, my = ax + (cx - ax) * 0.55, ay + (cy - ay) * 0.55
    w = width + full
    outline: list[Point] = [
        (sx - 14, sy - 1, 1), (sx - 1, sy + 0.5), (sx + 5, sy + 6), (mx + nx * w * 1.12, my + ny * w * 1.12),
        (cx + nx * width, cy + ny * width, 1), (cx - nx * width, cy - ny * width, 1),
        (mx - nx * w, my - ny * w), (c.chest + 1, c.armpit + 3, 1), (c.chest - 14, c.armpit - 4, 1),
    ]
    parts = []
    for side in (1, -1):
        folds = _sleeve_folds(rng, (ax, ay), (cx, cy), (nx, ny), w, length)
        here = outline if side == 1 else flipped(outline)
        if side == -1:
            folds = [(-f[0], f[1], -f[2], f[3], -f[4], f[5], f[6]) for f in folds]
        part = pen.part(here, cloth, folds=folds, grain=-side * angle, shadow=shadow)
        _cuff(pen, part, (cx, cy), (nx, ny), width, side, cuff, cuff_cloth or cloth, angle)
        parts.append(part)
    return parts


def _sleeve_folds(rng: Random, a: Point, b: Point, n: Point, w: float, length: float) -> list[Fold]:
    folds: list[Fold] = []
    count = 3 if length < 70 else 8
    for k in range(count):
        t = rng.uniform(0.1, 0.95) if k > 2 or length < 70 else 0.45 + 0.09 * k
        x, y = between(a, b, t)
        near, far = (-0.95, rng.uniform(0.2, 0.8)) if rng.random() < 0.65 else (1.0, rng.uniform(-0.6, 0.0))
        lean = rng.uniform(4, 14)
        folds.append((x + n[0] * w * near, y + n[1] * w * near, x, y + lean * 0.2, x + n[0] * w * far,
                      y + n[1] * w * far + lean, rng.uniform(3.5, 6.5)))
    return folds


def _cuff(pen: Pen, sleeve_part: Part, end: Point, n: Point, width: float, side: int, cuff: str, cloth: Cloth,
          angle: float) -> None:
    d = (-n[1], n[0])
    w = width + 1.5

    def at(across: float, back: float) -> Point:
        return (side * (end[0] + n[0] * across - d[0] * back), end[1] + n[1] * across - d[1] * back, 1)

    if cuff == "hem":
        pen.seams([[at(-w, 4), at(w, 4)]], inside=sleeve_part, alpha=0.3)
    elif cuff in ("rib", "shirt", "turned"):
        deep = {"rib": 15, "shirt": 14, "turned": 11}[cuff]
        outline = [at(-w, 0), at(w, 0), at(w + 0.5, deep), at(-w - 0.5, deep)]
        ribbed = cloth.plain().textured("rib", 1.1) if cuff == "rib" else cloth
        pen.part(outline, ribbed, grain=-side * angle, inside=sleeve_part, puff=0.6, tone=-4)
        pen.seams([[at(-w, deep), at(w, deep)]], inside=sleeve_part)
        if cuff == "shirt":
            pen.buttons([at(width * 0.3, deep / 2)], 1.7, (240, 238, 232))


def crew_band(pen: Pen, c: Cut, cloth: Cloth, width: float = 6, ribbed: bool = True) -> None:
    """The rib around a neckline, drawn on its edge."""
    inner = neckline(c)
    wide = [(x + (width if x > 1 else 0) * (0.25 if y > c.top + 1 else 0.9),
        y + width * (1 if y > c.top + 1 else 0.2),
             *rest) for x, y, *rest in inner]
    half = [*inner, *reversed(wide)]
    whole = [*half[: len(inner)], *reversed(wide)]
    ring = [*flipped(inner)[::-1][:-1], *whole[: len(inner)], *reversed(wide), *flipped(wide)[1:]]
    pen.part(ring, cloth.plain().textured("rib", 1.1) if ribbed else cloth, puff=0.5, tone=-3, drape=0)
    pen.lines([[*flipped(wide)[::-1][:-1], *wide]], (12, 10, 18), 0.9, 0.3)


def hem_rib(pen: Pen, c: Cut, body: Part, cloth: Cloth, deep: float = 16) -> None:
    y = c.bottom - deep
    w = c.hem + 8
    outline = [(-w, y, 1), (0, y + c.hem_curve + 2), (w, y, 1), (w, y + deep * 2, 1), (-w, y + deep * 2, 1)]
    pen.part(outline, cloth.plain().textured("rib", 1.1), inside=body, puff=0.5, tone=-5, drape=0.3)
    pen.seams([[(-w, y), (0, y + c.hem_curve + 2), (w, y)]], inside=body)


def hem_seam(pen: Pen, c: Cut, body: Part, alpha: float = 0.3) -> None:
    y = c.bottom - 6
    pen.seams([[(-c.hem - 4, y), (0, y + c.hem_curve + 1), (c.hem + 4, y)]], inside=body, alpha=alpha)


def armhole_seams(pen: Pen, c: Cut, body: Part, alpha: float = 0.34) -> None:
    line: list[Point] = [(c.shoulder - 1, c.top + c.slope), (c.chest - 5, c.top + c.slope + c.armhole * 0.6),
                         (c.chest - 1, c.armpit)]
    pen.seams([line, flipped(line)], inside=body, alpha=alpha)


def chest_print(pen: Pen, rng: Random, body: Part, cloth: Cloth, y: float, side: float,
                children: bool = False) -> None:
    """A motif in the middle of the chest."""
    name = rng.choice(CHILD if children else GROWN)
    light = cloths.luminance(cloth.rgb) > 0.55
    first: tuple[RGB, ...] = ((38, 40, 58), (150, 34, 48), (30, 84, 110)) if light else ((248, 246, 240),
                                                                           (250, 220, 120), (240, 240, 244))
    if children:
        first = ((222, 70, 80), (50, 120, 190), (40, 130, 90)) if light else ((250, 214, 90), (250, 246, 236),
                                                                           (255, 170, 120))
    others: tuple[RGB, ...] = ((240, 150, 60), (240, 206, 90), (90, 170, 180), (226, 90, 100))
    inks = (rng.choice(first), rng.choice(others), (250, 248, 240) if light else (60, 60, 80))
    size = max(12, round(side * pen.unit))
    pen.stamp(motif(name, size, inks, rng.randrange(12)), 0, y, like=body)


def shirt_collar(pen: Pen, c: Cut, cloth: Cloth, spread: float = 20, drop: float = 24, stand: float = 7,
                 open_: float = 0.0) -> None:
    """A turned-down collar with two points, around the neck point; `open_` lowers the throat."""
    n = c.neck
    back = mirrored([(0, c.top - stand - 2), (n * 0.7, c.top - stand), (n, c.top + 1, 1), (0, c.top + 8)])
    pen.part(back, cloth.plain().shaded(0.78), puff=0.2, drape=0)
    leaf: list[Point] = [
        (n * 0.62, c.top - stand - 1), (n + 3, c.top - 1), (n + 4, c.top + 5, 1), (spread, c.top + drop, 1),
        (1.2, c.top + 13 + open_, 1), (n * 0.45, c.top + 5 + open_ * 0.3),
    ]
    for outline in (leaf, flipped(leaf)):
        pen.part(outline, cloth, puff=0.45, shadow=0.3, drape=0, grain=20 if outline is leaf else -20)


def buttons_down(pen: Pen, top: float, bottom: float, count: int, rgb: RGB, radius: float = 1.8,
                 x: float = 0) -> None:
    step = (bottom - top) / max(1, count - 1)
    pen.buttons([(x, top + n * step) for n in range(count)], radius, rgb)


def zip_line(pen: Pen, top: float, bottom: float, metal: RGB = (196, 198, 204), x: float = 0) -> None:
    pen.lines([[(x, top), (x, bottom)]], (30, 28, 32), 3.4, 0.55)
    pen.lines([[(x, top), (x, bottom)]], metal, 2.0, 0.95, dash=1.6)
    pen.part([(x - 1.6, top + 2, 1), (x + 1.6, top + 2, 1), (x + 2, top + 10), (x, top + 13),
        (x - 2, top + 10)],
             cloths.of(metal, "metal"), puff=0.6, shadow=0.2)


def chest_label(pen: Pen, text: str, x: float, y: float, rgb: RGB) -> None:
    pen.stamp(words(text, max(5, round(6 * pen.unit)), rgb), x, y)


def panel(c: Cut, edge: list[Point], *, hem_x: float) -> list[Point]:
    """A right front: its edge from the neck point down to the hem at hem_x, then up the side."""
    return [*edge, (hem_x, c.bottom + c.hem_curve, 1), (c.hem, c.bottom - 2, 1),
            (c.waist, c.armpit + (c.bottom - c.armpit) * 0.42), (c.chest, c.armpit, 1),
            (c.chest - 4, c.top + c.slope + c.armhole * 0.6), (c.shoulder, c.top + c.slope, 1)]


def panels(pen: Pen, c: Cut, edge: list[Point], cloth: Cloth, rng: Random, *, hem_x: float = 1,
           shadow: float = 0.2, loose: float = 1.0) -> tuple[Part, Part]:
    """Left and right fronts of something that opens; the right one lies on top."""
    outline = panel(c, edge, hem_x=hem_x)
    folds = body_folds(rng, c, loose)
    left = pen.part(flipped(outline), cloth, folds=folds, shadow=shadow, bulge=3, puff=0.85)
    right = pen.part(outline, cloth, folds=folds, shadow=shadow, bulge=3, puff=0.85)
    return left, right
