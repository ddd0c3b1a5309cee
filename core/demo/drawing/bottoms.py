"""Trousers, jeans, leggings, tights, shorts and skirts."""

# outlines are formatted as tables of points:
# fmt: off

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from core.demo.drawing import cloth as cloths
from core.demo.drawing import scene
from core.demo.drawing.cloth import Cloth, contrasting, luminance, mixed, scaled
from core.demo.drawing.curves import Point, flipped, mirrored, rectangle
from core.demo.drawing.motifs import CHILD, motif
from core.demo.drawing.pen import Fold, Part, Pen
from core.demo.looks import Look

_THREAD = (218, 170, 100)


@dataclass(frozen=True)
class Legs:
    """Measures of trousers: half widths, and heights from the waist down."""

    waist: float = 34
    hip: float = 45
    crotch: float = 62  # below the waist
    length: float = 232
    top: float = -116
    thigh: float = 22  # half width of one leg
    knee: float = 16
    ankle: float = 12
    apart: float = 22  # of the ankle's middle from x = 0

    @property
    def bottom(self) -> float:
        return self.top + self.length

    @property
    def fork(self) -> float:
        return self.top + self.crotch


def outline(g: Legs) -> list[Point]:
    knee_y = g.fork + (g.bottom - g.fork) * 0.45
    middle = (g.hip - g.thigh + g.apart) / 2 + 1
    return mirrored([
        (0, g.top + 2), (g.waist, g.top, 1), (g.hip - 2, g.top + g.crotch * 0.5), (g.hip, g.fork),
        (middle + g.knee, knee_y), (g.apart + g.ankle, g.bottom, 1), (g.apart, g.bottom + 1.5),
        (g.apart - g.ankle, g.bottom, 1), (middle - g.knee, knee_y), (2.4, g.fork + 9), (0, g.fork, 1),
    ])


def leg_folds(rng: Random, g: Legs, amount: float = 1.0) -> list[Fold]:
    folds: list[Fold] = []
    for s in (-1, 1):
        for _ in range(3):  # from the fork over the thigh
            y = g.fork + rng.uniform(-8, 6)
            folds.append((s * 2, y, s * 14, y + rng.uniform(-4, 10), s * rng.uniform(22, 36),
                y + rng.uniform(-14, 12), 5 * amount))
        long = g.bottom - g.fork
        for _ in range(int(5 * amount) if long > 90 else 2):  # behind the knee and at the ankle
            y = g.fork + long * rng.choice((0.42, 0.5, 0.88, 0.94)) + rng.uniform(-6, 6)
            x = s * (g.apart + rng.choice((-1, 1)) * g.knee * 0.9)
            folds.append((x, y, s * g.apart, y + rng.uniform(0, 6), s * (g.apart + rng.uniform(-6, 6)),
                y + rng.uniform(4, 10), 4.5 * amount))
        folds.append((s * g.hip * 0.72, g.fork + 4, s * (g.apart + 4), g.fork + long * 0.4, s * g.apart,
            g.fork + long * 0.8, 7 * amount))
    return folds


def waistband(pen: Pen, g: Legs, part: Part, cloth: Cloth, deep: float = 10, elastic: bool = False) -> None:
    band: list[Point] = [(0, g.top + 1), (g.waist + 4, g.top - 2, 1), (g.waist + 4, g.top + deep - 2, 1),
        (0, g.top + deep)]
    made = cloth.plain().textured("rib", 0.9) if elastic else cloth
    pen.part(mirrored(band), made, inside=part, puff=0.5, drape=0, tone=-3)
    pen.seams([[(-g.waist - 4, g.top + deep - 2), (0, g.top + deep), (g.waist + 4, g.top + deep - 2)]],
        inside=part)


def _inside_waist(pen: Pen, g: Legs, cloth: Cloth) -> None:
    back = mirrored([(0, g.top - 4), (g.waist * 0.8, g.top - 3), (g.waist, g.top, 1), (0, g.top + 8)])
    pen.part(back, cloth.shaded(0.62), puff=0.2, drape=0.2)


def _jeans(pen: Pen, cloth: Cloth, rng: Random, g: Legs) -> Part:
    _inside_waist(pen, g, cloth)
    wash = rng.uniform(8, 30) if luminance(cloth.rgb) < 0.7 else 4
    middle = (g.apart + g.hip - g.thigh) / 2
    fades = tuple((s * (middle + 2), g.fork + 34, 11.0, 48.0, wash) for s in (-1, 1)) + tuple(
        (s * g.apart, g.fork + 105, 9.0, 20.0, wash * 0.5) for s in (-1, 1)
    )
    body = pen.part(outline(g), cloth, folds=leg_folds(rng, g), shadow=0.22,
        fades=fades if g.length > 120 else fades[:2], puff=0.95)
    stitch: cloths.RGB = _THREAD if luminance(cloth.rgb) < 0.75 else (190, 184, 172)
    waistband(pen, g, body, cloth, 11)
    pocket: list[Point] = [(13, g.top + 10), (17, g.top + 22), (g.hip + 1, g.top + 29)]
    seam: list[Point] = [(g.hip - 3.5, g.top + 40), (g.hip - 2.5, g.fork),
        (middle + g.knee - 2.5, g.fork + (g.bottom - g.fork) * 0.45),
                         (g.apart + g.ankle - 2, g.bottom)]
    fly: list[Point] = [(7, g.top + 10), (7, g.top + 30), (1, g.top + 42)]
    pen.seams([pocket, flipped(pocket), seam, flipped(seam), [(0, g.top + 8), (0.6, g.fork)]], inside=body,
        alpha=0.55)
    inner = [[(x + (1.8 if x > 0 else -1.8) * (1 if y < g.top + 32 else -1), y + 1.6) for x, y,
        *_ in line] for line in (pocket, flipped(pocket))]
    hems: list[list[Point]] = [[(s * (g.apart - g.ankle), g.bottom - 5),
        (s * (g.apart + g.ankle), g.bottom - 5)] for s in (-1, 1)]
    pen.lines([*inner, fly, *hems, [(-g.waist - 2, g.top + 2.5), (g.waist + 2, g.top + 2.5)],
        [(-g.waist - 3, g.top + 8), (g.waist + 3, g.top + 8)]],
              stitch, 0.9, 0.9, dash=2.4, inside=body)
    for x in (-g.waist * 0.62, g.waist * 0.62):
        pen.part(rectangle(x - 1.8, g.top - 1, x + 1.8, g.top + 13), cloth, puff=0.5, shadow=0.2, drape=0)
    pen.buttons([(0.5, g.top + 5.5)], 3.0, (198, 160, 104))
    pen.buttons([(14, g.top + 12), (-14, g.top + 12)], 1.0, (200, 150, 96))
    return body


def womens_jeans(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    shape = rng.choices(("skinny", "straight", "flared"), (4, 2, 2))[0]
    ankle, knee, apart = {"skinny": (9.0, 13.0, 19.0), "straight": (13.5, 15.0, 23.0),
        "flared": (20.0, 13.5, 26.0)}[shape]
    g = Legs(waist=rng.uniform(30, 33), hip=rng.uniform(43, 46), crotch=rng.uniform(56, 66), ankle=ankle,
        knee=knee, apart=apart, thigh=21)
    body = _jeans(pen, cloth, rng, g)
    if rng.random() < 0.2:
        for s, y in ((1, g.fork + 62), (-1, g.fork + 74)):
            tear: list[Point] = [(s * 14, y), (s * 26, y - 3), (s * 34, y + 1), (s * 25, y + 5)]
            pen.part(tear, cloths.of((206, 170, 146), "skin"), inside=body, puff=0.1)
            pen.lines([[(s * 14, y + 1), (s * 34, y)], [(s * 15, y + 3), (s * 33, y + 2.4)]], (240, 240, 240),
                0.8, 0.8, inside=body)


def mens_jeans(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    slim = rng.random() < 0.5
    g = Legs(waist=39, hip=47, crotch=rng.uniform(62, 68), thigh=24, knee=17 if slim else 20,
        ankle=13 if slim else 18, apart=25 if slim else 27)
    body = _jeans(pen, cloth, rng, g)
    if rng.random() < 0.35:
        leather = cloths.of(rng.choice(((92, 58, 36), (36, 32, 32))), "leather")
        pen.part([(-g.waist - 2, g.top + 1.5, 1), (g.waist + 2, g.top + 1.5, 1),
            (g.waist + 3, g.top + 8.5, 1), (-g.waist - 3, g.top + 8.5, 1)],
                 leather, inside=body, puff=0.6)
        pen.part(rectangle(-8, g.top + 0.5, 7, g.top + 10, 2), cloths.of((190, 192, 198), "metal"),
            holes=[rectangle(-5, g.top + 3, 4, g.top + 7.5)], puff=0.5, shadow=0.2)


def _creased(pen: Pen, cloth: Cloth, rng: Random, g: Legs, woman: bool) -> None:
    """Tailored trousers with a crease down each leg."""
    _inside_waist(pen, g, cloth)
    body = pen.part(outline(g), cloth, folds=leg_folds(rng, g, 0.8), shadow=0.22, puff=0.9)
    crease: list[Point] = [(g.waist * 0.5, g.top + 14), ((g.apart + g.hip - g.thigh) / 2, g.fork + 40),
        (g.apart, g.bottom)]
    pen.lines([crease, flipped(crease)], (255, 255, 255), 1.4, 0.22, inside=body, blur=0.6)
    pen.lines([[(x + 1.4, y) for x, y in line] for line in (crease, flipped(crease))], (10, 10, 16), 1.2,
        0.25, inside=body, blur=0.5)
    waistband(pen, g, body, cloth, 10)
    slant: list[Point] = [(g.waist * 0.72, g.top + 10), (g.hip - 1, g.top + 40)]
    pen.seams([slant, flipped(slant), [(0, g.top + 8), (0, g.fork)],
        [(6, g.top + 10), (6, g.top + 30), (0, g.top + 42)]], inside=body, alpha=0.5)
    for x in (-g.waist * 0.6, g.waist * 0.6):
        pen.part(rectangle(x - 1.5, g.top - 1, x + 1.5, g.top + 12), cloth.plain(), puff=0.4, shadow=0.2,
            drape=0)
    if woman and rng.random() < 0.4:
        belt = cloths.of(rng.choice(((40, 36, 36), (140, 92, 58))), "leather")
        pen.part(mirrored([(0, g.top + 3), (g.waist + 3, g.top + 1, 1), (g.waist + 4, g.top + 7, 1),
            (0, g.top + 9)]), belt, inside=body, puff=0.6)
        pen.part(rectangle(-6, g.top + 0.5, 6, g.top + 11, 2), cloths.of((212, 175, 85), "metal"),
            holes=[rectangle(-3.5, g.top + 3.2, 3.5, g.top + 8.4)], puff=0.5)
    else:
        pen.buttons([(2, g.top + 5.5)], 2.0, contrasting(cloth.rgb))


def womens_trousers(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    wide = rng.random() < 0.45
    g = Legs(waist=30, hip=44, crotch=64, ankle=24 if wide else 12, knee=20 if wide else 15.5,
        apart=28 if wide else 22, thigh=21,
             length=rng.uniform(224, 236) if wide else rng.uniform(208, 230))
    _creased(pen, cloth, rng, g, True)


def mens_trousers(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    g = Legs(waist=39, hip=47, crotch=66, thigh=24, knee=rng.uniform(17, 20), ankle=rng.uniform(13, 17),
        apart=26)
    if look.material == "cotton" and rng.random() < 0.4:  # cargo
        _creased(pen, cloth, rng, g, False)
        for s in (1, -1):
            x, y = s * 40, g.fork + 46
            pen.part(rectangle(x - 10, y, x + 10, y + 38, 2), cloth, puff=0.7, shadow=0.3)
            pen.part(rectangle(x - 11, y - 3, x + 11, y + 9, 2), cloth, puff=0.6, shadow=0.3)
            pen.buttons([(x, y + 6)], 1.6, contrasting(cloth.rgb))
        return
    _creased(pen, cloth, rng, g, False)


def childrens_trousers(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    g = Legs(waist=42, hip=50, crotch=62, thigh=25, knee=21, ankle=17, apart=27, length=178, top=-92)
    base = cloth
    if look.material == "denim":
        body = _jeans(pen, cloth, rng, g)
        turn = cloth.shaded(1.3)
        for s in (1, -1):
            pen.part(rectangle(s * g.apart - 18.5, g.bottom - 14, s * g.apart + 18.5, g.bottom + 2, 2), turn,
                puff=0.6, shadow=0.25)
    else:
        _inside_waist(pen, g, cloth)
        body = pen.part(outline(g), base, folds=leg_folds(rng, g, 0.9), shadow=0.22)
        waistband(pen, g, body, cloth, 14, elastic=True)
        for s in (1, -1):
            cuff = rectangle(s * g.apart - 18, g.bottom - 13, s * g.apart + 18, g.bottom + 2, 3)
            pen.part(cuff, cloth.plain().textured("rib", 0.9), puff=0.7, inside=None, tone=-3)
        cord = (250, 248, 242) if luminance(cloth.rgb) < 0.7 else (80, 80, 90)
        pen.lines([[(-3, g.top + 9), (-12, g.top + 18), (-9, g.top + 38)],
            [(3, g.top + 9), (11, g.top + 20), (9, g.top + 34)]], cord, 1.8)
    patch = cloth.dyed(rng.choice(((250, 206, 70), (226, 62, 76), (60, 150, 190), (250, 248, 242))))
    if rng.random() < 0.65:
        inks = (patch.rgb, (60, 60, 90), (250, 246, 236))
        pen.stamp(motif(rng.choice(CHILD), round(26 * pen.unit), inks, rng.randrange(6)), 29, g.fork + 48,
            like=body)


def womens_leggings(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    worn = rng.random() < 0.5
    g = Legs(waist=29, hip=40, crotch=68, thigh=18, knee=12, ankle=7, apart=17, length=rng.uniform(196, 222),
        top=-112)
    if worn:
        body_form = scene.skin(rng)
        feet: list[Point] = [(g.apart - 6, g.bottom - 10), (g.apart + 6, g.bottom - 10),
            (g.apart + 6, g.bottom + 8), (g.apart + 9, g.bottom + 18),
                             (g.apart, g.bottom + 21), (g.apart - 5, g.bottom + 14)]
        for part in (feet, flipped(feet)):
            pen.part(part, body_form, shadow=0.15)
    else:
        _inside_waist(pen, g, cloth)
    shiny = cloth.finished(gloss=0.3, power=5.0,
        drape=0.15) if look.material == "polyester" else cloth.finished(drape=0.2)
    body = pen.part(outline(g), shiny, folds=leg_folds(rng, g, 0.55), shadow=0.2, puff=1.25, bulge=6)
    waistband(pen, g, body, cloth, 17, elastic=False)
    if look.pattern == "plain" and rng.random() < 0.5:
        stripe: list[Point] = [(g.hip - 4, g.fork - 20), (g.hip - 3, g.fork),
            (g.apart + g.knee - 1, g.fork + 66), (g.apart + g.ankle - 1, g.bottom)]
        light = mixed(cloth.rgb, (255, 255, 255), 0.5) if luminance(cloth.rgb) < 0.6 else scaled(cloth.rgb,
            0.6)
        pen.lines([stripe, flipped(stripe)], light, 4.5, 0.85, inside=body)
    pen.seams([[(0, g.top + 16), (0, g.fork)]], inside=body, alpha=0.25)


def womens_tights(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    """Sheer legs with feet, over a form, one knee a little bent."""
    form = cloths.of(rng.choice(((232, 204, 184), (222, 188, 164), (206, 168, 140))), "skin")
    top, fork = -120.0, -52.0
    leg: list[Point] = [
        (0, top), (29, top, 1), (38, top + 34), (41, fork), (37, -6), (28, 30), (29, 56), (23, 92), (18, 112),
        (21, 124), (27, 133), (20, 137), (9, 131), (8, 116), (9, 92), (8, 56), (9, 26), (4, -20),
        (0, fork + 1, 1),
    ]
    shape = mirrored(leg)
    body = pen.part(shape, form, puff=1.25, shadow=0.15)
    sheer = cloth.finished(opacity=rng.choice((0.55, 0.72, 0.9)), gloss=0.2, power=6.0, drape=0.0)
    pen.part(shape, sheer, puff=1.25, inside=body)
    panty = mirrored([(0, top - 1), (31, top, 1), (42, top + 40), (42, fork - 2), (24, fork + 2),
        (4, fork + 13), (0, fork + 11)])
    pen.part(panty, cloth.plain().finished(opacity=1.0, drape=0.0), inside=body, puff=0.8, tone=-8)
    pen.part(mirrored([(0, top), (31, top - 1, 1), (32, top + 8, 1), (0, top + 9)]),
        cloth.plain().finished(opacity=1.0).textured("rib"), puff=0.5, inside=body)
    for s in (1, -1):
        toe: list[Point] = [(s * 8, 124), (s * 22, 124), (s * 28, 134), (s * 20, 138), (s * 8, 132)]
        pen.part(toe, cloth.plain().finished(opacity=0.8, drape=0.0), inside=body, puff=0.4, soften=1.0)
    if rng.random() < 0.35:
        pen.lines([[(24, -30), (20, 30), (19, 60), (15, 110)], [(-24, -30), (-20, 30), (-19, 60),
            (-15, 110)]], scaled(cloth.rgb, 0.5), 1.0, 0.6)


def _short_legs(pen: Pen, look: Look, cloth: Cloth, rng: Random, g: Legs, elastic: bool) -> Part:
    _inside_waist(pen, g, cloth)
    if look.material == "denim":
        body = _jeans(pen, cloth, rng, g)
        if rng.random() < 0.5:
            for s in (1, -1):
                x = s * g.apart
                pen.part(rectangle(x - g.ankle - 1, g.bottom - 10, x + g.ankle + 1, g.bottom + 2, 1),
                    cloth.shaded(1.25), puff=0.5, shadow=0.25)
        return body
    body = pen.part(outline(g), cloth, folds=leg_folds(rng, g, 1.1), shadow=0.22, puff=0.9)
    waistband(pen, g, body, cloth, 13, elastic=elastic)
    slant: list[Point] = [(g.waist * 0.75, g.top + 12), (g.hip, g.top + 42)]
    hems: list[list[Point]] = [[(s * (g.apart - g.ankle), g.bottom - 6),
        (s * (g.apart + g.ankle), g.bottom - 6)] for s in (-1, 1)]
    pen.seams([slant, flipped(slant), [(0, g.top + 12), (0, g.fork)], *hems], inside=body, alpha=0.4)
    if elastic:
        cord = (250, 248, 242) if luminance(cloth.rgb) < 0.7 else (90, 90, 100)
        pen.lines([[(-2, g.top + 8), (-9, g.top + 18), (-7, g.top + 38)],
            [(2, g.top + 8), (9, g.top + 20), (6, g.top + 34)]], cord, 1.8)
    else:
        pen.buttons([(1, g.top + 6)], 2.2, contrasting(cloth.rgb))
    return body


def womens_shorts(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    g = Legs(waist=44, hip=62, crotch=84, thigh=31, knee=31, ankle=rng.uniform(31, 36), apart=35,
        length=rng.uniform(118, 130), top=-64)
    _short_legs(pen, look, cloth, rng, g, look.material != "denim" and rng.random() < 0.6)


def mens_shorts(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    g = Legs(waist=52, hip=64, crotch=86, thigh=33, knee=31, ankle=30, apart=37, length=rng.uniform(178, 190),
        top=-92)
    body = _short_legs(pen, look, cloth, rng, g, look.material == "polyester")
    if look.material == "cotton" and rng.random() < 0.6:
        for s in (1, -1):
            x, y = s * 52, g.top + 96
            pen.part(rectangle(x - 13, y, x + 13, y + 42, 3), cloth, puff=0.6, shadow=0.3)
            pen.part(rectangle(x - 14, y - 3, x + 14, y + 11, 3), cloth, puff=0.5, shadow=0.3)
    elif look.material == "polyester" and look.pattern == "plain":
        light = mixed(cloth.rgb, (255, 255, 255), 0.7) if luminance(cloth.rgb) < 0.6 else scaled(cloth.rgb,
            0.5)
        stripe: list[Point] = [(g.hip - 5, g.top + 40), (g.hip - 1, g.fork),
            (g.apart + g.ankle - 3, g.bottom)]
        pen.lines([stripe, flipped(stripe)], light, 5, 0.9, inside=body)


def womens_skirts(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    style = {"denim": "straight", "leather": rng.choice(("straight", "flared"))}.get(
        look.material, rng.choice(("flared", "flared", "pleated", "straight", "maxi"))
    )
    length = {"straight": rng.uniform(116, 150), "flared": rng.uniform(112, 140),
        "pleated": rng.uniform(120, 170), "maxi": 218.0}[style]
    hem = {"straight": rng.uniform(44, 52), "flared": rng.uniform(82, 96), "pleated": 84.0,
        "maxi": 86.0}[style]
    top = -length / 2 - 8
    waist = 36.0 if style != "straight" else 38.0
    g = Legs(waist=waist, top=top, length=length)
    _inside_waist(pen, g, cloth)
    side: list[Point] = [(54, top + 46),
        (54, top + 80)] if style == "straight" else [(waist + (hem - waist) * 0.42, top + length * 0.36)]
    shape = mirrored([(0, top + 2), (waist, top, 1), *side,
        (hem, top + length - (3 if style == "straight" else 10), 1), (hem * 0.5, top + length - 1),
        (0, top + length + 1)])
    folds: list[Fold] = []
    count = {"straight": 4, "flared": 9, "pleated": 0, "maxi": 12}[style]
    for k in range(count):
        t = (k + 0.5) / count * 2 - 1 + rng.uniform(-0.06, 0.06)
        low = top + length + 6
        if style == "straight":
            folds.append((t * 50, top + rng.uniform(30, 60), t * 30, top + 55, t * 12,
                top + rng.uniform(50, 70), 5))
        else:
            folds.append((t * hem, low, t * hem * 0.75, top + length * 0.5, t * waist * 0.9, top + 16,
                rng.uniform(8, 13)))
    body = pen.part(shape, cloth, folds=folds, shadow=0.22, puff=0.8, bulge=6 if style == "straight" else 16)
    if style == "pleated":
        for k in range(-9, 10):
            t = k / 9.5
            line: list[Point] = [(t * waist, top + 9), (t * (waist + hem) * 0.55, top + length * 0.5),
                (t * hem, top + length + 3)]
            pen.lines([line], (14, 12, 20), 1.3, 0.4, inside=body, blur=0.5)
            pen.lines([[(x - 2.2, y) for x, y in line]], (255, 255, 255), 2.2, 0.2, inside=body, blur=0.7)
    waistband(pen, g, body, cloth, 10, elastic=style in ("flared", "maxi") and rng.random() < 0.4)
    if look.material == "denim":
        pocket: list[Point] = [(13, top + 10), (18, top + 24), (54, top + 30)]
        pen.seams([pocket, flipped(pocket), [(0, top + 10), (0, top + length)]], inside=body, alpha=0.5)
        low_y = top + length - 6
        pen.lines([[(-hem - 4, low_y), (hem + 4, low_y)], [(3, top + 10), (3, top + length)],
            [(15, top + 10), (20, top + 23), (54, top + 28)]],
                  _THREAD, 0.9, 0.9, dash=2.4, inside=body)
        upper_buttons = [(0.0, top + 6.0 + k * 22) for k in range(int(length / 24))]
        pen.buttons(upper_buttons, 2.4, (198, 160, 104))
    elif style == "straight" and rng.random() < 0.5:
        pen.lines([[(18, top + length + 2), (18, top + length - 38)]], (10, 8, 14), 1.8, 0.6, inside=body)
