"""Sweaters, cardigans and hoodies."""

# outlines are formatted as tables of points:
# fmt: off

from __future__ import annotations

from random import Random

from core.demo.drawing import cloth as cloths
from core.demo.drawing import upper
from core.demo.drawing.cloth import Cloth, contrasting, luminance
from core.demo.drawing.curves import Point, flipped, mirrored
from core.demo.drawing.pen import Pen
from core.demo.looks import Look


def _turtleneck(pen: Pen, c: upper.Cut, cloth: Cloth, high: float) -> None:
    rib = cloth.plain().textured("rib", 0.9)
    n = c.neck
    half: list[Point] = [(0, c.top - high), (n - 5, c.top - high + 1.5, 1), (n - 3, c.top - high * 0.4),
        (n + 2, c.top + 2),
                         (n * 0.6, c.top + 11), (0, c.top + 14)]
    pen.part(mirrored(half), rib, puff=0.9, shadow=0.2, drape=0.3)
    fold: list[Point] = [(0, c.top - high + 5), (n - 5, c.top - high + 1, 1), (n - 2, c.top - high * 0.3, 1),
        (0, c.top - high * 0.1)]
    pen.part(mirrored(fold), rib, puff=0.8, shadow=0.35, drape=0.2)
    opening: list[Point] = [(0, c.top - high - 2), (n - 6, c.top - high + 2, 1), (0, c.top - high + 6)]
    pen.part(mirrored(opening), cloth.shaded(0.55), puff=0.1, drape=0)


def womens_sweaters(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    style = rng.choices(("crew", "v", "turtle", "boat"), (3, 2, 3, 1))[0]
    loose = rng.uniform(0, 12)
    c = upper.woman(rng, chest=54 + loose, waist=50 + loose, hem=49 + loose, shoulder=58 + loose * 0.6,
        depth=9 if style == "turtle" else 22,
                    length=rng.uniform(158, 188), hem_curve=4)
    if style == "v":
        c = upper.woman(rng, neckline="v", depth=44, chest=c.chest, waist=c.waist, hem=c.hem,
            shoulder=c.shoulder, length=c.length)
    elif style == "boat":
        c = upper.woman(rng, neckline="boat", neck=36, depth=14, chest=c.chest, waist=c.waist, hem=c.hem,
                        shoulder=c.shoulder, length=c.length)
    base = cloth.plain() if look.pattern == "print" else cloth
    if style != "turtle":
        upper.back_neck(pen, c, base)
    upper.sleeve(pen, c, base, rng, length=rng.uniform(134, 146), width=11.5, full=rng.uniform(4, 9),
        angle=rng.uniform(9, 14), cuff="rib")
    body = upper.front(pen, c, base, rng, loose=1.2)
    upper.armhole_seams(pen, c, body, 0.3)
    upper.hem_rib(pen, c, body, cloth, 16)
    if style == "turtle":
        _turtleneck(pen, c, cloth, 20)
    else:
        upper.crew_band(pen, c, cloth, 7)
    if look.pattern == "print":
        upper.chest_print(pen, rng, body, cloth, c.top + c.depth + 50, 60)


def mens_sweaters(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    style = rng.choices(("crew", "v", "zip"), (3, 3, 2))[0]
    c = upper.man(rng, depth={"v": 48, "zip": 9}.get(style, 20), neckline="v" if style == "v" else "crew",
        length=rng.uniform(196, 208), hem=62)
    if style == "v" and rng.random() < 0.6:
        shirt = cloths.of((244, 245, 248), "cotton")
        pen.part(mirrored([(0, c.top - 8), (c.neck, c.top, 1), (c.neck * 0.8, c.top + 30), (0, c.top + 56)]),
            shirt, puff=0.2)
        pen.lines([[(0, c.top + 10), (0, c.top + 50)]], (120, 124, 134), 0.8, 0.7)
        upper.buttons_down(pen, c.top + 22, c.top + 36, 2, (214, 214, 218), 1.4)
        worn = upper.Cut(neck=c.neck, top=c.top, depth=10)
    else:
        upper.back_neck(pen, c, cloth)
        worn = None
    upper.sleeve(pen, c, cloth, rng, length=rng.uniform(148, 156), width=13, full=3, angle=rng.uniform(8, 12),
        cuff="rib")
    body = upper.front(pen, c, cloth, rng, loose=1.2)
    upper.armhole_seams(pen, c, body, 0.3)
    upper.hem_rib(pen, c, body, cloth, 17)
    if style == "zip":
        _turtleneck(pen, c, cloth, 18)
        upper.zip_line(pen, c.top - 14, c.top + 50)
    else:
        upper.crew_band(pen, c, cloth, 7)
    if worn:
        upper.shirt_collar(pen, worn, cloths.of((248, 249, 252), "cotton"), spread=20, drop=26)


def womens_cardigans(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    long = rng.random() < 0.4
    open_ = rng.random() < 0.55
    c = upper.woman(rng, length=rng.uniform(208, 222) if long else rng.uniform(164, 184),
        top=-104 if long else -90,
                    depth=78, chest=55, waist=52, hem=57)
    band = cloth.plain().textured("rib", 0.8)
    gap = rng.uniform(12, 20) if open_ else 4.0
    if open_:
        shirt = cloths.of(rng.choice(((246, 246, 244), (226, 220, 214), (90, 92, 100))), "cotton")
        if rng.random() < 0.5:
            low = [(0, c.top + 30), (c.neck, c.top + 2, 1), (40, -40), (40, c.bottom - 14, 1),
                (0, c.bottom - 12)]
            pen.part(mirrored(low), shirt, puff=0.5, folds=upper.body_folds(rng, c))
        else:
            pen.part(mirrored([(0, c.top + 4), (c.neck, c.top, 1), (44, -30), (44, c.bottom - 3, 1),
                (0, c.bottom - 4)]),
                     cloth.shaded(0.6), puff=0.2)
    else:
        upper.perhaps_hang(pen, c, rng)
        upper.back_neck(pen, c, cloth)
    upper.sleeve(pen, c, cloth, rng, length=rng.uniform(138, 148), width=11, full=rng.uniform(3, 8),
        angle=rng.uniform(9, 13), cuff="rib")
    edge: list[Point] = [(c.neck, c.top, 1), (c.neck * 0.8, c.top + 30), (gap, c.top + c.depth),
        (gap, c.bottom - 40)]
    left, right = upper.panels(pen, c, edge, cloth, rng, hem_x=gap, loose=1.2)
    for body in (left, right):
        upper.hem_rib(pen, c, body, cloth, 14)
        upper.armhole_seams(pen, c, body, 0.3)
    w = 9.0
    strip: list[Point] = [(c.neck + 5, c.top, 1), (c.neck * 0.8 + w, c.top + 32),
        (gap + w - 4, c.top + c.depth), (gap + w - 4, c.bottom + 2, 1),
                          (gap - 5, c.bottom + 3, 1), (gap - 5, c.top + c.depth),
        (c.neck * 0.8 - 2, c.top + 30), (c.neck - 3, c.top - 3, 1)]
    pen.part(flipped(strip), band, puff=0.6, shadow=0.15, drape=0.2)
    pen.part(strip, band, puff=0.6, shadow=0.25, drape=0.2)
    colour = rng.choice(((110, 80, 56), (240, 236, 226), contrasting(cloth.rgb)))
    upper.buttons_down(pen, c.top + c.depth + 8, c.bottom - 10, 5 if long else 6, colour, 3.0, gap)
    back = mirrored([(0, c.top + 1), (c.neck - 2, c.top - 4, 1), (c.neck + 4, c.top + 1, 1), (0, c.top + 10)])
    pen.part(back, band, puff=0.5, drape=0)
    if rng.random() < 0.5:
        for s in (1, -1):
            x, y = s * 35, c.bottom - 58
            pen.part([(x - 13, y, 1), (x + 13, y, 1), (x + 13, y + 32, 1), (x - 13, y + 32, 1)], cloth,
                puff=0.3, shadow=0.15, drape=0.3)
            pen.part([(x - 13.5, y, 1), (x + 13.5, y, 1), (x + 13.5, y + 7, 1), (x - 13.5, y + 7, 1)], band,
                puff=0.5, drape=0)


def _hood(pen: Pen, c: upper.Cut, cloth: Cloth, lining: Cloth, high: float) -> None:
    """A hood fallen open: its outside, then the lining's dark hollow."""
    n = c.neck + 6
    outside: list[Point] = [(0, c.top - high), (n * 0.8, c.top - high * 0.85), (n + 5, c.top - high * 0.3),
        (n + 4, c.top + 8),
                            (n * 0.55, c.top + 26), (0, c.top + 36)]
    pen.part(mirrored(outside), cloth.plain(), puff=1, shadow=0.25,
             folds=[(-n, c.top, -n * 0.7, c.top - high * 0.5, -8, c.top - high * 0.9, 5),
        (n, c.top, n * 0.7, c.top - high * 0.5, 8, c.top - high * 0.9, 5)])
    hollow: list[Point] = [(0, c.top - high + 9), (n * 0.6, c.top - high * 0.7),
        (n * 0.72, c.top - high * 0.2), (n * 0.5, c.top + 9), (0, c.top + 24, 1)]
    pen.part(mirrored(hollow), lining.shaded(0.62), puff=0.25, tone=-14, drape=0.4)


def _kangaroo(pen: Pen, c: upper.Cut, cloth: Cloth, split: bool) -> None:
    top, low = c.bottom - 70, c.bottom - 20
    half: list[Point] = [(0, top), (c.hem * 0.42, top, 1), (c.hem * 0.7, low - 14, 1), (c.hem * 0.72, low, 1),
        (0, low + 2)]
    if split:
        for s in (1, -1):
            side: list[Point] = [(s * 4, top, 1), (s * c.hem * 0.42, top, 1), (s * c.hem * 0.72, low - 14, 1),
                                 (s * c.hem * 0.72, low, 1), (s * 4, low + 1, 1)]
            pen.part(side, cloth.plain(), puff=0.4, shadow=0.2, drape=0.5)
    else:
        pocket = pen.part(mirrored(half), cloth.plain(), puff=0.4, shadow=0.2, drape=0.5)
        slant: list[Point] = [(c.hem * 0.42 - 3, top), (c.hem * 0.7 - 4, low - 14)]
        pen.seams([slant, flipped(slant)], inside=pocket, alpha=0.4)


def _hoodie(pen: Pen, look: Look, cloth: Cloth, rng: Random, c: upper.Cut, woman: bool) -> None:
    base = cloth.plain() if look.pattern == "print" else cloth
    fleece = look.material == "fleece"
    zipped = look.pattern != "print" and rng.random() < 0.5
    lining = cloths.of((236, 232, 224), "fleece") if rng.random() < 0.25 else cloth.dyed(cloth.rgb)
    upper.sleeve(pen, c, base, rng, length=rng.uniform(136, 144) if woman else rng.uniform(146, 154),
        width=12 if woman else 14,
                 full=5, angle=rng.uniform(9, 14) if woman else rng.uniform(6, 8), cuff="rib")
    body = upper.front(pen, c, base, rng, loose=1.3)
    upper.armhole_seams(pen, c, body)
    upper.hem_rib(pen, c, body, cloth, 17)
    _kangaroo(pen, c, base, zipped)
    if zipped:
        upper.zip_line(pen, c.top + 24, c.bottom, rng.choice(((200, 202, 208), (40, 40, 44),
            (214, 176, 100))))
    _hood(pen, c, base, lining, 32 if woman else 34)
    cord = (244, 242, 236) if luminance(cloth.rgb) < 0.7 else (90, 90, 96)
    for s in (1, -1):
        line: list[Point] = [(s * 9, c.top + 24), (s * 10, c.top + 44),
            (s * rng.uniform(9, 13), c.top + rng.uniform(62, 74))]
        pen.lines([[(x + 0.8, y + 1) for x, y in line]], (20, 18, 24), 2, 0.35)
        pen.lines([line], cord, 1.8)
    if look.pattern == "print":
        upper.chest_print(pen, rng, body, cloth, c.top + 82, 58)
    if fleece and not zipped and look.pattern == "plain" and rng.random() < 0.5:
        upper.chest_label(pen, "vitrine", 26, c.top + 52, contrasting(cloth.rgb))


def womens_hoodies(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    c = upper.woman(rng, top=-84, length=rng.uniform(152, 180), shoulder=53, chest=51, waist=44, hem=48,
        neck=21, depth=26, hem_curve=5)
    _hoodie(pen, look, cloth, rng, c, True)


def mens_hoodies(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    c = upper.man(rng, top=-90, length=rng.uniform(194, 206), shoulder=73, chest=66, waist=66, hem=65,
        neck=22, depth=26)
    _hoodie(pen, look, cloth, rng, c, False)
