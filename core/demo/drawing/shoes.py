"""Low shoes, from the side with the toe to the right or from above."""

# outlines are formatted as tables of points:
# fmt: off

from __future__ import annotations

from collections.abc import Callable
from random import Random

from core.demo.drawing import cloth as cloths
from core.demo.drawing.cloth import RGB, Cloth, contrasting, luminance, mixed, scaled
from core.demo.drawing.curves import Point, band, between, ellipse, flipped, rectangle
from core.demo.drawing.pen import Fold, Part, Pen
from core.demo.looks import Look

_GROUND = 44.0


def pair(pen: Pen, rng: Random, one: Callable[[], None], single: float = 0.3, rise: float = 40,
        ground: float = _GROUND) -> None:
    """The shoe, and mostly its twin behind it."""
    mirror = rng.random() < 0.5
    turn = rng.uniform(-3, 3)
    if rng.random() < single:
        pen.place(turn=turn, zoom=rng.uniform(1.0, 1.06), shift=(0, 12), mirror=mirror)
        pen.shadow(0, ground + 1, 104, 9, 0.45)
        one()
        return
    dx = 15.0
    side = -1 if mirror else 1
    pen.place(turn=turn, zoom=0.86, shift=(side * dx * 0.8, 8 - rise), mirror=mirror)
    pen.shadow(0, ground + 1, 104, 8, 0.35)
    one()
    pen.place(turn=turn, zoom=0.93, shift=(-side * dx * 0.6, 20 + rise * 0.4), mirror=mirror)
    pen.shadow(0, ground + 1, 104, 9, 0.45)
    one()


def from_above(pen: Pen, rng: Random, one: Callable[[int], None]) -> None:
    """Left and right shoe side by side, toes up or a little turned."""
    spread = rng.uniform(44, 47)
    swing = rng.choice((0.0, 5.0, -5.0)) if rng.random() < 0.5 else 0
    lean = rng.choice((0.0, 0.0, 14.0))
    for s in (-1, 1):
        pen.place(turn=s * swing + lean, zoom=rng.uniform(0.99, 1.0), shift=(s * spread, s * lean * 0.7))
        one(s)


# --- sneakers ---------------------------------------------------------------------------------------


_HER_ACCENTS: tuple[RGB, ...] = ((248, 246, 242), (236, 120, 90), (90, 160, 200), (240, 170, 190),
    (60, 60, 68), (212, 175, 85))
_HIS_ACCENTS: tuple[RGB, ...] = ((248, 246, 242), (40, 44, 52), (200, 48, 50), (60, 110, 190), (236, 130, 50),
    (150, 154, 160))


def _sneaker(pen: Pen, look: Look, cloth: Cloth, rng: Random, woman: bool) -> None:
    canvas = look.material == "canvas"
    runner = look.material == "polyester"
    high = rng.random() < (0.5 if canvas else 0.12)
    platform = woman and rng.random() < 0.5
    thick = rng.uniform(23, 28) if platform else rng.uniform(15, 19) + (0 if woman else 3)
    sole: RGB = rng.choices(((248, 247, 244), (226, 206, 176), (44, 44, 48)), (6, 1, 0 if canvas else 1))[0]
    accent: RGB = rng.choice(_HER_ACCENTS if woman else _HIS_ACCENTS)
    if abs(luminance(accent) - luminance(cloth.rgb)) < 0.12:
        accent = (248, 246, 242) if luminance(cloth.rgb) < 0.6 else (70, 72, 80)
    lace: RGB = (250, 250, 248) if luminance(cloth.rgb) < 0.85 or rng.random() < 0.7 else (60, 60, 66)
    decor = rng.choice((_bars, _swoosh, _panel, _panel))
    top = -84.0 if high else -33.0 if woman else -41.0
    upper_y = _GROUND - thick + 3

    def one() -> None:
        rubber = cloths.of(sole, "matt").finished(gloss=0.2, contrast=1.0)
        wave = 5.0 if runner else 0.0
        hollow: list[Point] = [(-86, top + 4), (-66, top - 5), (-34, top - 6), (-24, top + 10),
            (-44, top + 22), (-76, top + 18)]
        pen.part(hollow, cloths.of(mixed(cloth.rgb, (60, 60, 64), 0.6), "matt"), puff=0.2, tone=-20)
        tongue: list[Point] = [(-44, top + 6), (-38, top - 14), (-24, top - 15), (-14, top - 4), (14, -14, 1),
            (-10, 0, 1)]
        pen.part(tongue, cloth.shaded(0.92), puff=0.7)
        body_outline: list[Point] = [
            (-90, upper_y, 1), (-95, 4), (-90, top + 14), (-85, top, 1), (-66, top + 12),
            (-42, top + 10 if high else top + 13), (-32, top + 2, 1),
            (-8, -30 if high else -29), (26, -8), (52, 0), (80, 3 if woman else 0), (95, 16),
            (97, upper_y, 1),
        ]
        folds: list[Fold] = [(34, -4, 40, 6, 42, 16, 5), (46, 0, 52, 8, 52, 18, 4)]
        body = pen.part(body_outline, cloth, puff=1.15, folds=folds, shadow=0.1)
        second = cloth.dyed(accent)
        if canvas:
            cap: list[Point] = [(62, -4, 1), (82, -2), (100, 12), (102, upper_y + 4, 1), (60, upper_y + 4, 1),
                (56, 14)]
            pen.part(cap, cloths.of((248, 247, 243), "rubber").finished(gloss=0.3), inside=body, puff=0.9)
            if high:
                pen.dots([(-52, -34)], 12, (248, 247, 243))
                pen.dots([(-52, -34)], 10, scaled(cloth.rgb, 0.85))
                pen.dots([(-52, -34)], 4, (248, 247, 243))
        else:
            toe: list[Point] = [(66, -6, 1), (54, 14), (40, upper_y + 4, 1), (104, upper_y + 4, 1), (100, -6)]
            pen.part(toe, cloth.shaded(0.88), inside=body, puff=0.6)
            heel: list[Point] = [(-100, top - 4, 1), (-78, top + 4), (-70, 0), (-56, upper_y + 4, 1),
                (-100, upper_y + 4, 1)]
            pen.part(heel, second if runner or rng_heel else cloth.shaded(0.88), inside=body, puff=0.7)
            pen.seams([[(66, -4), (54, 14), (40, upper_y)], [(-79, top + 6), (-70, 0), (-56, upper_y)]],
                inside=body)
        stay: list[Point] = [(-34, top + 2), (-12, -24), (30, -5), (28, 8), (-4, -2), (-40, top + 26)]
        pen.part(stay, cloth.shaded(0.9 if canvas else 0.86), inside=body, puff=0.6)
        if not canvas or decor is _panel:
            decor(pen, body, second, upper_y, top)
        collar: list[Point] = [(-86, top + 1), (-66, top + 13), (-42, top + 12), (-31, top + 2)]
        pen.part(band(collar, [7]), cloth.shaded(0.8), puff=0.9, inside=body)
        steps = 7 if high else 5
        start, end = (-27.0, top + 8), (25.0, -5.0)
        ties: list[list[Point]] = []
        for k in range(steps):
            x, y = between(start, end, k / (steps - 1))
            ties.append([(x - 7, y + 7), (x + 3, y - 3), (x + 9, y - 4)])
        pen.lines([[(x + 0.6, y + 1.4) for x, y in line] for line in ties], (20, 20, 26), 3.6, 0.35)
        pen.lines(ties, lace, 3.2)
        pen.lines([[(-27, top + 5), (-12, top + 14), (-4, top + 24)],
            [(-27, top + 5), (-36, top + 14), (-32, top + 26)]], lace, 2)
        base: list[Point] = [
            (-92, upper_y - 3 - wave, 1), (-98 - wave * 0.6, _GROUND - 5), (-92, _GROUND, 1),
            (84, _GROUND, 1), (98, _GROUND - 7 - wave), (101, upper_y - 4, 1),
            (70, upper_y + 1), (0, upper_y + 2), (-50, upper_y - wave * 0.5),
        ]
        bottom = pen.part(base, rubber, puff=0.9, shadow=0.12)
        pen.lines([[(-100, _GROUND - 5), (0, _GROUND - 4), (104, _GROUND - 7)]], scaled(sole, 0.7), 1, 0.5,
            inside=bottom)
        if canvas:
            pen.lines([[(-100, upper_y + 4), (0, upper_y + 6), (104, upper_y + 1)]],
                accent if luminance(accent) < 0.8 else cloth.rgb, 1.6, 0.9, inside=bottom)
        pen.lines([[(-92, _GROUND - 1), (84, _GROUND - 1)]], (60, 50, 46), 2.2, 0.6, inside=bottom)

    rng_heel = rng.random() < 0.5
    pair(pen, rng, one, rise=52 if high else 44)


def _bars(pen: Pen, body: Part, cloth: Cloth, low: float, top: float) -> None:
    for k in range(3):
        x = -36 + k * 17
        bar: list[Point] = [(x, low + 3, 1), (x + 8, low + 3, 1), (x + 27, -13 + k * 5, 1),
            (x + 20, -16 + k * 5, 1)]
        pen.part(bar, cloth, inside=body, puff=0.4)


def _swoosh(pen: Pen, body: Part, cloth: Cloth, low: float, top: float) -> None:
    wave: list[Point] = [(-62, 6), (-40, 18), (0, 14), (30, -2), (8, 24), (-30, 32), (-56, 24)]
    pen.part(wave, cloth, inside=body, puff=0.4)


def _panel(pen: Pen, body: Part, cloth: Cloth, low: float, top: float) -> None:
    pen.seams([[(-70, 0), (-30, 8), (0, 26)], [(-40, top + 26), (-20, 8), (0, 26)]], inside=body)


def womens_sneakers(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    _sneaker(pen, look, cloth, rng, True)


def mens_sneakers(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    _sneaker(pen, look, cloth, rng, False)


# --- formal shoes and pumps -------------------------------------------------------------------------


def mens_formal_shoes(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    smooth = cloth.textured(None).finished(gloss=0.6, power=9.0) if cloth.finish.gloss else cloth
    style = rng.choice(("oxford", "derby", "loafer", "brogue"))
    lace = scaled(cloth.rgb, 0.5) if luminance(cloth.rgb) > 0.3 else (70, 66, 66)
    edge: RGB = rng.choice(((36, 30, 28), (60, 42, 32)))
    stitch = contrasting(cloth.rgb)

    def one() -> None:
        ground = _GROUND
        hollow: list[Point] = [(-86, -28), (-60, -36), (-30, -34), (-20, -22), (-50, -12), (-80, -16)]
        pen.part(hollow, cloths.of((190, 150, 110), "matt"), puff=0.2, tone=-34)
        if style != "loafer":
            pen.part([(-40, -30), (-26, -44), (-14, -40), (10, -10, 1), (-10, 0, 1)], smooth.shaded(0.85),
                puff=0.7)
        outline: list[Point] = [(-90, 32, 1), (-94, 8), (-88, -20), (-85, -32, 1), (-64, -22), (-40, -22),
            (-28, -34 if style != "loafer" else -20, 1),
                                (-2, -18), (26, -2), (60, 5), (88, 14), (102, 28), (102, 34, 1)]
        folds: list[Fold] = [(30, 0, 36, 10, 34, 20, 4), (40, 3, 47, 12, 46, 22, 4)]
        body = pen.part(outline, smooth, puff=1.2, folds=folds, shadow=0.1, fades=[(78, 14, 14, 6, 18)])
        if style in ("oxford", "brogue"):
            cap: list[Point] = [(58, -4, 1), (66, 14), (60, 40, 1), (110, 40, 1), (110, -4, 1)]
            pen.part(cap, smooth, inside=body, puff=0.8, tone=2)
            pen.seams([[(59, 2), (66, 14), (61, 36)], [(62, 2), (69, 14), (64, 36)]], inside=body, alpha=0.6)
        if style == "brogue":
            spots: list[Point] = [(63.5 + 0.15 * k * (7 - k), 4.0 + 4 * k) for k in range(8)]
            spots += [(76 + 4 * (k % 3), 18 + 4 * (k // 3)) for k in range(6)]
            pen.dots(spots, 0.9, (16, 12, 10), 0.8)
        if style == "loafer":
            strap: list[Point] = [(-14, -20), (4, -16), (14, 6), (2, 30, 1), (-22, 30, 1), (-10, 4)]
            pen.part(strap, smooth.shaded(0.9), inside=body, puff=0.8, shadow=0.15)
            pen.part([(0, -8), (12, -4), (10, 4), (-3, 0)], cloths.of((30, 26, 26), "matt"), inside=body,
                puff=0.1)
            pen.seams([[(8, -12), (50, 2), (84, 14), (70, 22), (30, 16)]], inside=body, alpha=0.5)
        else:
            stay: list[Point] = [(-34, -34), (-4, -20), (20, -5), (18, 6), (-6, 4), (-22, 12), (-42, -2)]
            pen.part(stay, smooth.shaded(0.92), inside=body, puff=0.6)
            pen.seams([[(19, 5), (-6, 3), (-22, 12), (-42, 0)]], inside=body, alpha=0.5)
            ties: list[list[Point]] = [[(-27 + 11 * k, -22 + 5.5 * k), (-19 + 11 * k, -31 + 6 * k),
                (-14 + 11 * k, -33 + 6.4 * k)] for k in range(4)]
            pen.lines(ties, lace, 2.6)
            pen.lines([[(-22, -30), (-6, -26), (2, -16)], [(-22, -30), (-38, -24), (-36, -12)]], lace, 1.8)
        pen.seams([[(-70, -24), (-66, 0), (-72, 32)]], inside=body, alpha=0.4)
        sole: list[Point] = [(-92, 30, 1), (-94, 36, 1), (-50, 38), (0, 38), (40, 42), (88, 42, 1), (106, 34),
            (104, 30, 1), (60, 33), (0, 32)]
        pen.part(sole, cloths.of(edge, "leather"), puff=0.7, shadow=0.15)
        pen.part([(-94, 35, 1), (-50, 37, 1), (-54, ground, 1), (-93, ground, 1)],
            cloths.of(scaled(edge, 0.8), "matt"), puff=0.7)
        pen.lines([[(-90, 32), (0, 34), (60, 35), (103, 32)]], stitch, 0.8, 0.7, dash=2)

    pair(pen, rng, one, rise=42)


def womens_pumps(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    smooth = cloth.textured(None).finished(gloss=0.65, power=10.0,
        drape=0.1) if rng.random() < 0.6 and cloth.finish.gloss else cloth.finished(drape=0.1)
    h = rng.uniform(62, 92)
    block = rng.random() < 0.3
    platform = rng.random() < 0.2
    ankle = rng.random() < 0.25
    red_sole = rng.random() < 0.2
    lining = cloths.of((226, 200, 172), "matt")
    sole_rgb = (186, 30, 40) if red_sole else (214, 186, 150) if luminance(cloth.rgb) > 0.4 else (70, 54, 46)
    floor = 58.0
    pointed = rng.random() < 0.6

    def one() -> None:
        seat = floor - h
        inner: list[Point] = [(-92, seat - 34), (-72, seat - 38), (-40, seat - 24), (0, seat + h * 0.3 - 8),
            (30, 4), (48, 14, 1), (10, 24), (-50, seat)]
        pen.part(inner, lining, puff=0.3, tone=-16)
        heel: list[Point]
        if block:
            heel = [(-90, seat - 4, 1), (-88, floor - 10), (-88, floor, 1), (-60, floor, 1),
                (-58, floor - 20), (-44, seat + 18, 1)]
        else:
            heel = [(-90, seat - 6, 1), (-84, seat + h * 0.45), (-81, floor, 1), (-74, floor, 1),
                (-72, seat + h * 0.5), (-56, seat + 16), (-46, seat + 12, 1)]
        pen.part(heel, smooth, puff=0.9)
        under: list[Point] = [(-60, seat + 10), (-30, seat + 26), (0, floor - 14), (24, floor - 1, 1),
            (90, floor, 1), (100, floor - 6), (40, floor - 10), (0, floor - 26), (-40, seat + 6)]
        pen.part(under, cloths.of(sole_rgb, "patent" if red_sole else "leather"), puff=0.7)
        if platform:
            pen.part([(14, floor - 12, 1), (10, floor, 1), (92, floor, 1), (102, floor - 10, 1)],
                smooth.shaded(0.8), puff=0.8)
        tip: list[Point] = [(103, floor - 7), (100, floor - 3, 1)] if pointed else [(94, floor - 18),
            (98, floor - 4, 1)]
        line: list[Point] = [(-93, seat - 36), (-72, seat - 26), (-42, seat - 8), (-8, seat + h * 0.3 + 2),
            (22, 10), (46, 12)]
        body: list[Point] = [(-93, seat - 36, 1), *line[1:5], (46, 12, 1), (62, 20), (80, floor - 24),
                             *tip, (40, floor - 2), (12, floor - 7), (-20, seat + h * 0.6), (-50, seat + 20),
            (-80, seat + 8, 1), (-98, seat - 12)]
        main = pen.part(body, smooth, puff=1.3, shadow=0.15, fades=[(66, 32, 16, 5, 16)])
        pen.lines([[(x, y + 1.5) for x, y in line]], scaled(cloth.rgb, 0.7), 1.4, 0.6, inside=main)
        if ankle:
            y = seat - 44
            pen.part(band([(-94, seat - 20), (-95, y), (-84, y - 6), (-62, y - 7), (-50, y - 2)], [6]),
                smooth.shaded(0.6), puff=0.6)
            pen.part(band([(-95, y - 2), (-88, y + 5), (-68, y + 7), (-52, y + 2), (-49, y - 3)], [6.5]),
                smooth, puff=0.9, shadow=0.2)
            pen.part(rectangle(-74, y + 1, -64, y + 12, 1), cloths.of((212, 180, 100), "metal"), puff=0.5)

    pair(pen, rng, one, single=0.45, rise=46, ground=floor)


def womens_ballerinas(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    """From above, with their bows: the deep round opening is what makes them ballerinas."""
    smooth = cloth.finished(drape=0.1)
    insole = cloths.of(rng.choice(((232, 210, 182), (214, 186, 150), (244, 236, 226))), "matt")
    bow = rng.random() < 0.75
    trim = cloth.plain().shaded(0.8) if rng.random() < 0.6 else cloth.dyed((34, 32, 36))
    pointed = rng.random() < 0.3

    def one(s: int) -> None:
        toe: list[Point] = [(-14.0, -84.0), (0.0, -106.0), (16.0, -84.0)] if pointed else [(-20.0, -86.0),
            (0.0, -100.0), (21.0, -86.0)]
        shape: list[Point] = [*toe, (34, -52), (33, -14), (25, 26), (27, 66), (19, 94), (0, 102), (-19, 94),
            (-26, 66), (-25, 26), (-30, -14), (-33, -52)]
        if s == 1:
            shape = flipped(shape)[::-1]
        pen.part(shape, smooth, puff=1.1, shadow=0.4, fades=[(0, -74, 16, 12, 14)])
        k = 1 if s == -1 else -1
        hole: list[Point] = [(0, -48), (k * 17, -40), (k * 24, -14), (k * 18, 26), (k * 20, 66), (k * 12, 88),
            (0, 93), (-k * 13, 88), (-k * 20, 66), (-k * 19, 26), (-k * 22, -14), (-k * 16, -40)]
        pen.part(hole, trim, puff=0.6, tone=-4)
        inner = [(x * 0.86, y * 0.955 + 1.5) for x, y in hole]
        deep = pen.part(inner, insole, puff=-0.7, tone=-8)
        pen.part([(k * (x + 7), y + 10) for x, y in [(-22, -60), (-2, -58), (0, 0), (-8, 90), (-26, 90)]],
            cloths.of((90, 70, 56), "matt"), inside=deep, puff=0, soften=4, like=deep, tone=-28)
        pen.dots([(0, 66)], 6, scaled(insole.rgb, 0.85), 0.6)
        if bow:
            y = -50.0
            for side in (-1, 1):
                pen.part([(0, y), (side * 8, y - 8), (side * 16, y - 5), (side * 15, y + 6),
                    (side * 7, y + 5)], trim, puff=0.9, shadow=0.35)
                pen.part([(0, y), (side * 5, y + 4), (side * 10, y + 15, 1), (side * 4, y + 16, 1)], trim,
                    puff=0.6, shadow=0.25)
            pen.part(ellipse(0, y, 4, 4), trim, puff=0.9, shadow=0.2)

    from_above(pen, rng, one)


def womens_sandals(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    style = rng.choice(("flat", "heel", "wedge", "platform"))
    h = {"flat": 6.0, "heel": rng.uniform(46, 66), "wedge": rng.uniform(34, 50), "platform": 40.0}[style]
    insole = cloths.of(rng.choice(((206, 168, 122), (224, 196, 160), (70, 54, 46))), "suede")
    cork = cloths.of((204, 166, 116), "canvas")
    count = rng.choice((1, 2, 3))
    gold = cloths.of((212, 180, 100), "metal")
    floor = 50.0
    smooth = cloth.finished(drape=0.1)

    def one() -> None:
        seat = floor - 8 - h
        ball = floor - (18 if style in ("platform", "wedge") else 8)
        far = smooth.shaded(0.72)
        # straps on the far side first
        pen.part(band([(-70, seat - 6), (-62, seat - 46), (-40, seat - 56), (-26, seat - 50)], [8]), far,
            puff=0.7)
        for k in range(count):
            x = (44 if count == 1 else 28) + k * 21
            w, high = (22, 15, 9)[count - 1], ball - 31 + k * 4
            pen.part(ellipse(x + 4, high + 3, w * 0.72, 5.5), far, puff=0.4)
        foot: list[Point] = [(-90, seat, 1), (-50, seat - 2), (-14, seat + (ball - seat) * 0.35),
            (26, ball - 3), (70, ball - 4), (100, ball - 3, 1)]
        low: list[Point] = [(102, ball + 5, 1), (60, ball + 5), (24, ball + 6),
            (-14, seat + (ball - seat) * 0.35 + 9), (-50, seat + 8), (-90, seat + 9, 1)]
        if style == "wedge":
            pen.part([(-90, seat + 5, 1), (-50, seat + 5), (-10, seat + (ball - seat) * 0.4 + 4),
                (26, ball + 1), (102, ball + 2, 1), (96, floor, 1), (-84, floor, 1)], cork, puff=0.9)
        elif style == "platform":
            pen.part([(-90, seat + 5, 1), (-50, seat + 6), (0, ball), (102, ball + 2, 1), (98, floor, 1),
                (10, floor, 1), (-10, floor - 10), (-44, floor, 1), (-88, floor, 1)], smooth.shaded(0.75),
                puff=0.9)
        elif style == "heel":
            pen.part([(-90, seat + 5, 1), (-84, floor, 1), (-66, floor, 1), (-56, seat + 18),
                (-44, seat + 8, 1)], smooth, puff=0.9)
        pen.part([*foot, *low], cloths.of(scaled(insole.rgb, 0.8), "leather"), puff=0.8)
        top: list[Point] = [(-88, seat + 1), (-50, seat - 4), (-14, seat + (ball - seat) * 0.33 - 2),
            (26, ball - 6), (70, ball - 8), (98, ball - 2), (60, ball + 1), (20, ball + 1),
            (-30, seat + (ball - seat) * 0.3 + 3)]
        pen.part(top, insole, puff=0.4)
        for k in range(count):
            x = (44 if count == 1 else 28) + k * 21
            w, high = (22, 15, 9)[count - 1], ball - 31 + k * 4
            strap: list[Point] = [(x - w + 2, ball + 4, 1), (x - w + 6, ball - 12),
                (x + 2 - w * 0.6, high, 1), (x + 6 + w * 0.7, high + 4, 1), (x + w + 4, ball - 8),
                (x + w + 3, ball + 4, 1)]
            pen.part(strap, smooth, puff=0.9, shadow=0.3)
        back: list[Point] = [(-93, seat + 6, 1), (-97, seat - 16), (-94, seat - 34, 1), (-84, seat - 30),
            (-76, seat - 12), (-52, seat + 6, 1)]
        pen.part(back, smooth, puff=0.9, shadow=0.15)
        pen.part(band([(-92, seat - 30), (-84, seat - 40), (-60, seat - 38), (-34, seat - 50),
            (-24, seat - 54)], [9.5]), smooth, puff=0.8, shadow=0.25)
        pen.part(rectangle(-58, seat - 44, -47, seat - 32, 2), gold,
            holes=[rectangle(-55.5, seat - 41, -49.5, seat - 35)], puff=0.5)
        if style == "flat" and count == 1:
            pen.part(band([(40, ball - 24), (10, ball - 44), (-20, seat - 48)], [7]), smooth, puff=0.8,
                shadow=0.25)
        if style != "flat":
            pen.part([(8, floor - 3, 1), (98, floor - 3, 1), (96, floor, 1), (10, floor, 1)],
                cloths.of((40, 34, 32), "matt"), puff=0.2) if style != "heel" else None

    pair(pen, rng, one, single=0.4, rise=44, ground=floor)


# --- slippers and flip-flops ------------------------------------------------------------------------


def slippers(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    """From above: a soft sole, a warm lining, and an upper over the toes."""
    lining = cloths.of(rng.choice(((246, 240, 228), (236, 226, 214), (214, 210, 206))), "fleece")
    sole = cloths.of(rng.choice(((90, 84, 80), (196, 160, 120), (60, 60, 66))), "matt")
    closed = rng.random() < 0.45
    charm = rng.random()

    def one(s: int) -> None:
        shape: list[Point] = [(-22, -92), (4, -102), (28, -88), (37, -50), (33, -6), (29, 40), (30, 76),
            (16, 98), (-10, 99), (-27, 80), (-28, 40), (-31, -6), (-35, -50)]
        if s == 1:
            shape = flipped(shape)[::-1]
        pen.part([(x * 1.05, y * 1.02 + 2) for x, y, *_ in shape], sole, puff=0.8, shadow=0.4)
        pen.part(shape, lining, puff=0.9)
        if closed:
            back: list[Point] = [(-34, 10, 1), (-30, 40), (-30, 78), (-14, 102), (14, 102), (30, 78),
                (30, 40), (34, 10, 1), (22, 14), (19, 60), (8, 80), (-8, 80), (-19, 60), (-22, 14)]
            pen.part(back, cloth, puff=1, shadow=0.2)
        vamp: list[Point] = [(-36, -40), (-26, -92), (4, -106), (30, -90), (40, -44), (37, -2, 1), (18, -14),
            (0, -18), (-18, -14), (-36, 0, 1)]
        if s == 1:
            vamp = flipped(vamp)[::-1]
        folds: list[Fold] = [(t * 16.0, -100, t * 18.0, -86, t * 16.0, -74, 6) for t in (-1, 0, 1)]
        pen.part(vamp, cloth, puff=1.4, shadow=0.4, folds=folds, bulge=-4)
        rim: list[Point] = [(-36, 0), (-18, -13), (0, -17), (18, -13), (37, -1)]
        pen.part(band(rim, [12]), lining.finished(fuzz=1.6), puff=1.3, shadow=0.25)
        if charm < 0.25:
            pen.part(ellipse(0, -52, 12, 12), lining.finished(fuzz=2.0), puff=1.4, shadow=0.3)
        elif charm < 0.45:
            for side in (-1, 1):
                pen.part([(0, -48), (side * 9, -57), (side * 18, -53), (side * 17, -42), (side * 8, -42)],
                    cloth.plain().shaded(0.8), puff=1, shadow=0.3)

    from_above(pen, rng, one)


def flip_flops(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    """From above: a rubber sole with a strap between the toes."""
    if luminance(cloth.rgb) > 0.6:
        strap_rgb: RGB = rng.choice(((40, 44, 60), (222, 70, 80), (60, 120, 170), (110, 78, 54)))
    else:
        strap_rgb = rng.choice(((246, 244, 238), (250, 206, 80), (30, 30, 34), (240, 150, 170)))
    strap = cloths.of(strap_rgb, "rubber")
    flat = cloth.finished(gloss=0.12, power=6.0)
    wide = rng.choice((7.0, 10.0, 13.0))

    def one(s: int) -> None:
        shape: list[Point] = [(-20, -94), (4, -103), (28, -90), (38, -52), (34, -8), (27, 40), (29, 74),
            (17, 97), (-8, 99), (-25, 82), (-26, 40), (-32, -8), (-36, -54)]
        plug: Point = (-3, -58)
        if s == 1:
            shape = flipped(shape)[::-1]
            plug = (3, -58)
        pen.part([(x + 1.5, y + 5) for x, y, *_ in shape], cloth.shaded(0.6), puff=0.6, shadow=0.45)
        sole = pen.part(shape, flat, puff=0.45, bulge=2)
        pen.lines([[(x * 0.9, y * 0.94) for x, y, *_ in [*shape, shape[0]]]], scaled(cloth.rgb, 0.7), 1.2,
            0.4, inside=sole)
        for side in (-1, 1):
            line: list[Point] = [(plug[0], plug[1] + 2), (side * 16, -34), (side * 30, 6), (side * 27, 24)]
            pen.part(band(line, [wide * 0.55, wide, wide * 1.05, wide * 0.8]), strap, puff=1.3, shadow=0.5)
        pen.part(ellipse(plug[0], plug[1], 5, 6), strap, puff=1.2, shadow=0.3)

    from_above(pen, rng, one)
