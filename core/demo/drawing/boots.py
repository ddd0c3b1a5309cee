"""Boots, from the side with the toe to the right."""

# outlines are formatted as tables of points:
# fmt: off

from __future__ import annotations

from random import Random

from core.demo.drawing import cloth as cloths
from core.demo.drawing.cloth import RGB, Cloth, luminance, mixed, scaled
from core.demo.drawing.curves import Point, band, ellipse, rectangle
from core.demo.drawing.pen import Fold, Pen
from core.demo.drawing.shoes import pair
from core.demo.looks import Look


def _twins(pen: Pen, rng: Random, one: object, ground: float, zoom: float, apart: float) -> None:
    """Tall boots stand side by side, the far one a step behind."""
    mirror = rng.random() < 0.5
    side = -1 if mirror else 1
    assert callable(one)
    for dx, dy, k in ((apart, -10.0, 0.96), (-apart, 4.0, 1.0)):
        pen.place(zoom=zoom * k, shift=(side * dx, dy), mirror=mirror)
        pen.shadow(18, ground + 1, 62, 8, 0.45)
        one()


def _sole(pen: Pen, floor: float, thick: float, heel: float, rgb: RGB, tread: bool, left: float,
        right: float) -> None:
    rubber = cloths.of(rgb, "rubber").finished(gloss=0.25)
    y = floor - heel
    shape: list[Point] = [(left, y - thick, 1), (left - 2, y, 1), (left + 30, y + 1),
        (left + 52, y + heel * 0.4), (left + 62, floor, 1), (right - 12, floor, 1),
        (right + 2, floor - thick * 0.7),
                          (right + 1, floor - thick - 2, 1), ((left + right) / 2, floor - thick),
        (left + 40, y - thick + 2)]
    part = pen.part(shape, rubber, puff=0.8, shadow=0.15)
    if tread:
        pen.lines([[(x, floor - 4), (x, floor)] for x in range(int(left) + 66, int(right) - 6, 9)],
            (10, 10, 12), 3, 0.7, inside=part)
    if heel > 3:
        pen.part([(left - 2, y - 1, 1), (left + 33, y, 1), (left + 30, floor, 1), (left, floor, 1)], rubber,
            puff=0.8)
    pen.lines([[(left, y - thick + 2), (left + 40, y - thick + 4), ((left + right) / 2, floor - thick + 2),
        (right, floor - thick)]], (240, 220, 180), 0.8, 0.5, dash=2.2)


def womens_ankle_boots(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    style = rng.choice(("chelsea", "zip", "lace"))
    heel = rng.uniform(22, 48) if style != "lace" or rng.random() < 0.5 else 6.0
    floor = 74.0
    slim = heel > 36
    edge: RGB = rng.choice(((38, 32, 30), (38, 32, 30), (130, 92, 60)))
    smooth = cloth.finished(drape=0.3)
    elastic = cloths.of(scaled(cloth.rgb, 0.55) if luminance(cloth.rgb) > 0.25 else (66, 66, 70),
        "knit").textured("rib", 1.0)

    def one() -> None:
        y = floor - heel
        if slim:
            pen.part([(-66, y - 12, 1), (-60, floor, 1), (-42, floor, 1), (-30, y + 4, 1)],
                cloths.of(edge, "leather"), puff=0.9)
        else:
            pen.part([(-68, y - 8, 1), (-66, floor, 1), (-34, floor, 1), (-28, y + 4, 1)],
                cloths.of(edge, "leather"), puff=0.8)
        shaft = -76.0
        pen.part([(-60, shaft), (-30, shaft - 6), (2, shaft), (-28, shaft + 6)],
            cloths.of(scaled(cloth.rgb, 0.4), "matt"), puff=0.2)
        shape: list[Point] = [(-62, shaft, 1), (-30, shaft + 5), (2, shaft + 1, 1), (3, -36), (10, -14),
            (38, 8 + heel * 0.1), (72, floor - 42), (94, floor - 24), (98, floor - 6, 1), (40, floor - 4),
            (0, (y + floor) / 2 - 6),
                              (-30, y - 2), (-68, y - 4, 1), (-70, y - 30), (-60, y - 60)]
        folds: list[Fold] = [(8, -12, -6, -2, -24, 0, 7), (12, -8, 2, 6, -14, 12, 6),
            (44, 14, 46, 26, 38, 36, 5), (-60, -10, -46, -4, -30, -6, 6)]
        body = pen.part(shape, smooth, folds=folds, puff=1.2, shadow=0.12,
            fades=[(72, floor - 30, 14, 6, 16)])
        if style == "chelsea":
            gore: list[Point] = [(-38, shaft - 2, 1), (-12, shaft - 2, 1), (-14, -30), (-24, -14, 1),
                (-36, -32)]
            pen.part(gore, elastic, inside=body, puff=0.4)
            pen.part(band([(-60, shaft - 8), (-54, shaft - 16), (-50, shaft - 4)], [4]), smooth, puff=0.7)
            pen.seams([[(-24, -14), (-18, 20), (-14, y - 6)]], inside=body, alpha=0.35)
        elif style == "zip":
            line: list[Point] = [(-26, shaft + 2), (-24, -20), (-18, y - 20)]
            pen.lines([line], (14, 12, 14), 3.4, 0.7, inside=body)
            pen.lines([line], (206, 180, 120), 2, 1, dash=1.8, inside=body)
            if rng_strap:
                pen.part(band([(-68, -8), (-30, -2), (14, -16)], [8]), smooth.shaded(0.85), puff=0.8,
                    shadow=0.25, inside=body)
                pen.part(rectangle(-20, -11, -6, 4, 2), cloths.of((212, 180, 100), "metal"),
                    holes=[rectangle(-16.5, -7.5, -9.5, 0.5)], puff=0.5)
        else:
            _laces(pen, (-4.0, shaft + 10), (30.0, 0.0), 7, scaled(cloth.rgb,
                0.5) if luminance(cloth.rgb) > 0.3 else (90, 86, 84))
        pen.part([(34, floor - 7), (70, floor - 6), (101, floor - 8, 1), (100, floor - 2), (90, floor, 1),
            (26, floor, 1), (-8, (y + floor) / 2), (-40, y + 3), (-68, y, 1), (-68, y - 5, 1), (-30, y - 3),
            (0, (y + floor) / 2 - 8)],
                 cloths.of(edge, "leather"), puff=0.6)

    rng_strap = rng.random() < 0.5
    pair(pen, rng, one, single=0.4, rise=30, ground=floor)


def _laces(pen: Pen, start: tuple[float, float], end: tuple[float, float], count: int, rgb: RGB) -> None:
    rows: list[list[Point]] = []
    eyes: list[Point] = []
    for k in range(count):
        t = k / (count - 1)
        x, y = start[0] + (end[0] - start[0]) * t, start[1] + (end[1] - start[1]) * t
        rows.append([(x - 12, y + 5), (x - 2, y), (x + 4, y + 1)])
        eyes.append((x - 12, y + 5))
    pen.lines([[(a, b + 1.4) for a, b in row] for row in rows], (10, 10, 14), 3, 0.4)
    pen.lines(rows, rgb, 2.6)
    pen.buttons(eyes, 1.8, (200, 184, 140))
    x, y = start
    pen.lines([[(x - 2, y), (x - 14, y + 12), (x - 10, y + 26)], [(x - 2, y), (x + 10, y + 10),
        (x + 8, y + 24)]], rgb, 2)


def mens_ankle_boots(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    floor = 72.0
    work = rng.random() < 0.65
    edge: RGB = rng.choice(((44, 36, 32), (30, 30, 32), (170, 120, 70), (236, 226, 206)))
    lace: RGB = rng.choice(((200, 160, 96), (60, 44, 36), (230, 224, 210)))
    padded = cloths.of(mixed(cloth.rgb, (30, 26, 24), 0.55), "leather")
    smooth = cloth.finished(drape=0.35)

    def one() -> None:
        shaft = -72.0
        pen.part([(-70, shaft), (-34, shaft - 8), (0, shaft - 2), (-30, shaft + 8)],
            cloths.of((60, 48, 40), "matt"), puff=0.2)
        if work:
            pen.part([(-24, shaft + 6), (-14, shaft - 16), (6, shaft - 14), (26, 0, 1), (0, 10, 1)],
                smooth.shaded(0.86), puff=0.8)
        shape: list[Point] = [(-74, shaft + 2, 1), (-40, shaft + 8), (-4, shaft + 1, 1), (2, -40), (16, -14),
            (44, 4), (78, 10), (98, 26), (101, floor - 16, 1), (0, floor - 14), (-76, floor - 14, 1),
            (-80, 20), (-74, -30)]
        folds: list[Fold] = [(14, -14, -4, -6, -26, -6, 7), (20, -6, 6, 8, -12, 12, 6),
            (50, 8, 54, 20, 48, 34, 6), (60, 10, 66, 22, 62, 34, 5), (-74, -14, -60, -8, -44, -12, 6)]
        body = pen.part(shape, smooth, folds=folds, puff=1.2, shadow=0.12, fades=[(82, 24, 12, 8, 14)])
        if work:
            pen.part([(-80, shaft - 4, 1), (0, shaft - 4, 1), (0, shaft + 14, 1), (-80, shaft + 14, 1)],
                padded, inside=body, puff=0.9)
            pen.seams([[(58, 0), (64, 22), (60, floor)], [(-50, floor), (-46, 10), (-72, 0)],
                [(26, -4), (10, 20), (-46, 16)]], inside=body, alpha=0.5)
            pen.lines([[(61, 0), (67, 22), (63, floor)], [(-47, floor), (-43, 13), (-70, 3)]],
                (230, 200, 140), 0.8, 0.7, dash=2, inside=body)
            _laces(pen, (0.0, shaft + 8), (32.0, -4.0), 7, lace)
        else:
            gore: list[Point] = [(-50, shaft - 2, 1), (-20, shaft - 2, 1), (-22, -26), (-34, -8, 1),
                (-46, -28)]
            pen.part(gore, cloths.of((44, 42, 44) if luminance(cloth.rgb) > 0.2 else (80, 78, 80),
                "knit").textured("rib"), inside=body, puff=0.4)
            pen.part(band([(-72, shaft - 6), (-66, shaft - 15), (-60, shaft - 2)], [4]), smooth, puff=0.7)
            pen.seams([[(-34, -8), (-26, 30), (-24, floor)]], inside=body, alpha=0.4)
        _sole(pen, floor, 13 if work else 8, 8 if work else 10, edge, work, -78, 101)

    pair(pen, rng, one, single=0.35, rise=26, ground=floor)


def womens_boots(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    """Tall boots of soft leather: a slim foot, a heel, a zip or a buckle."""
    floor = 116.0
    heel = rng.choice((8.0, 26.0, 42.0))
    top = rng.uniform(-122, -100)
    buckle = rng.random() < 0.45
    edge: RGB = (40, 33, 30)
    gold = cloths.of((212, 180, 100), "metal")
    smooth = cloth.finished(drape=0.6)

    def one() -> None:
        y = floor - heel
        pen.part([(-36, top), (-4, top - 8), (32, top - 2), (0, top + 7)],
            cloths.of(mixed(cloth.rgb, (30, 24, 22), 0.7), "matt"), puff=0.2)
        if heel > 10:
            w = 13 if heel > 36 else 24
            pen.part([(-36, y - 10, 1), (-32, floor, 1), (-32 + w, floor, 1), (-2, y + 2, 1)],
                cloths.of(edge, "leather"), puff=0.9)
        shape: list[Point] = [(-38, top + 1, 1), (-2, top + 7), (34, top, 1), (32, -60), (24, 0), (18, 46),
            (24, 66), (46, floor - 32), (66, floor - 18), (70, floor - 5, 1), (30, floor - 5),
            (8, (y + floor) / 2 - 6), (-10, y - 3),
                              (-38, y - 5, 1), (-40, y - 30), (-30, 40), (-36, -10), (-41, -60)]
        folds: list[Fold] = [(20, 50, 4, 56, -14, 54, 7), (20, 60, 8, 70, -8, 74, 6),
            (-30, 40, -16, 46, 0, 42, 6), (-34, 20, -20, 26, -4, 24, 5), (24, 20, 12, 28, -4, 30, 5)]
        body = pen.part(shape, smooth, folds=folds, puff=1.25, shadow=0.12,
            fades=[(-4, -50, 8, 60, 12), (48, floor - 24, 10, 5, 14)])
        pen.part([(-44, top - 6, 1), (38, top - 6, 1), (38, top + 12, 1), (-44, top + 12, 1)],
            smooth.shaded(0.9), inside=body, puff=0.4, like=body, tone=-10)
        pen.seams([[(-42, top + 12), (0, top + 18), (36, top + 12)]], inside=body, alpha=0.4)
        if buckle:
            for yy in (52.0, top + 30):
                pen.part(band([(-44, yy), (-6, yy + 5), (36, yy - 2)], [7]), smooth.shaded(0.82), inside=body,
                    puff=0.8, shadow=0.2)
                pen.part(rectangle(-10, yy - 2, 3, yy + 11, 2), gold,
                    holes=[rectangle(-6.5, yy + 1.5, -0.5, yy + 7.5)], puff=0.5)
        else:
            zip_: list[Point] = [(-14, top + 14), (-12, -20), (-12, y - 20)]
            pen.lines([zip_], (14, 12, 14), 3, 0.6, inside=body)
            pen.lines([zip_], (206, 186, 130), 1.6, 1, dash=1.7, inside=body)
        pen.part([(30, floor - 6), (72, floor - 7, 1), (70, floor - 1), (60, floor, 1), (24, floor, 1),
            (4, (y + floor) / 2), (-14, y + 3), (-38, y, 1), (-38, y - 6, 1), (-10, y - 4),
            (8, (y + floor) / 2 - 7)],
                 cloths.of(edge, "leather"), puff=0.6)

    _twins(pen, rng, one, floor, rng.uniform(0.95, 1.0), rng.uniform(24, 30))


def womens_wellingtons(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    """Rubber boots: wide straight shaft, thick sole with a tread, high gloss, a loop and a strap."""
    floor = 104.0
    top = rng.uniform(-106, -60)
    gloss = cloth.finished(gloss=0.7, power=16.0)
    sole: RGB = rng.choice(((36, 36, 40), (240, 236, 226), scaled(cloth.rgb, 0.5)))
    band_cloth = cloths.of(rng.choice((scaled(cloth.rgb, 0.62), sole)), "rubber")
    strap = rng.random() < 0.6

    def one() -> None:
        pen.part(ellipse(-2, top, 39, 10), cloths.of(rng_lining, "cotton").shaded(0.7), puff=0.2)
        shape: list[Point] = [(-42, top, 1), (-2, top + 10), (38, top, 1), (34, -20), (31, 30), (36, 50),
            (58, 64), (74, 78), (78, floor - 12, 1), (20, floor - 10), (-44, floor - 12, 1), (-46, 60),
            (-39, 24), (-41, -20)]
        folds: list[Fold] = [(30, 34, 12, 42, -10, 38, 5), (-40, 34, -26, 40, -10, 36, 5)]
        body = pen.part(shape, gloss, folds=folds, puff=1.35, shadow=0.12,
            fades=[(-18, (top + 20) / 2, 5, 50, 34), (58, 74, 9, 5, 34), (-24, 74, 6, 9, 18)])
        rim: list[Point] = [(-44, top + 1), (-2, top + 12), (40, top + 1)]
        pen.part(band(rim, [11]), band_cloth, inside=body, puff=0.9)
        toe: list[Point] = [(52, 52, 1), (46, 74), (52, floor, 1), (90, floor, 1), (90, 52, 1)]
        pen.part(toe, band_cloth, inside=body, puff=0.8, like=body, tone=2) if sole_toe else None
        pen.part([(-48, 58, 1), (-20, 62), (-16, floor, 1), (-50, floor, 1)], band_cloth, inside=body,
            like=body) if sole_toe else None
        if strap:
            pen.part(band([(14, top + 22), (30, top + 20), (42, top + 22)], [9]), band_cloth, puff=0.8,
                shadow=0.25)
            pen.part(rectangle(18, top + 15, 28, top + 28, 2), cloths.of((206, 208, 212), "metal"),
                holes=[rectangle(20.5, top + 18, 25.5, top + 25)], puff=0.5)
        _sole(pen, floor, 13, 5, sole, True, -47, 80)

    sole_toe = rng.random() < 0.5 and look.pattern == "plain"
    rng_lining: RGB = rng.choice(((226, 220, 210), (190, 60, 60), (90, 92, 98)))
    _twins(pen, rng, one, floor, rng.uniform(0.93, 1.0), rng.uniform(25, 29))
