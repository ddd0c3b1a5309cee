"""Jackets, coats and suits."""

# outlines are formatted as tables of points:
# fmt: off

from __future__ import annotations

from random import Random

from core.demo.drawing import cloth as cloths
from core.demo.drawing import upper
from core.demo.drawing.cloth import Cloth, contrasting, luminance, mixed, scaled
from core.demo.drawing.curves import Point, flipped, mirrored, rectangle
from core.demo.drawing.pen import Fold, Part, Pen
from core.demo.looks import Look

_BRASS = (190, 150, 92)
_STEEL = (196, 198, 204)


def _stitches(pen: Pen, paths: list[list[Point]], inside: Part | None,
        rgb: cloths.RGB = (214, 168, 104)) -> None:
    pen.lines(paths, rgb, 0.8, 0.85, dash=2.2, inside=inside)


def _denim_jacket(pen: Pen, cloth: Cloth, rng: Random, c: upper.Cut) -> None:
    upper.perhaps_hang(pen, c, rng)
    upper.back_neck(pen, c, cloth)
    upper.sleeve(pen, c, cloth, rng, length=c.length * 0.84, width=13, full=3, angle=12, cuff="turned")
    washes = ((-24.0, c.armpit + 10, 15.0, 34.0, 18.0), (24.0, c.armpit + 10, 15.0, 34.0, 18.0))
    body = upper.front(pen, c, cloth, rng, fades=washes)
    upper.armhole_seams(pen, c, body)
    yoke: list[Point] = [(7, c.top + 42), (c.chest, c.top + 38)]
    inner: list[Point] = [(12, c.top + 60), (16, c.bottom - 12)]
    out: list[Point] = [(37, c.top + 60), (29, c.bottom - 12)]
    hem: list[Point] = [(-c.hem - 5, c.bottom - 13), (c.hem + 5, c.bottom - 13)]
    lines = [line for one in (yoke, inner, out) for line in (one, flipped(one))]
    pen.seams([*lines, hem, [(-6, c.top + 20), (-6, c.bottom)], [(6, c.top + 20), (6, c.bottom)]],
        inside=body, alpha=0.5)
    _stitches(pen, [[(x + 1.6, y + 1.6) for x, y, *_ in line] for line in [*lines, hem]], body)
    for s in (1, -1):
        x = s * 26
        pen.part([(x - 13, c.top + 40, 1), (x + 13, c.top + 40, 1), (x + 12, c.top + 52, 1),
            (x, c.top + 59, 1), (x - 12, c.top + 52, 1)],
                 cloth, puff=0.4, shadow=0.25, drape=0)
        pen.buttons([(x, c.top + 53)], 2, _BRASS)
    upper.buttons_down(pen, c.top + 34, c.bottom - 6, 6, _BRASS, 2.3)
    upper.shirt_collar(pen, c, cloth, spread=27, drop=32, open_=10)


def _biker(pen: Pen, cloth: Cloth, rng: Random, c: upper.Cut) -> None:
    upper.perhaps_hang(pen, c, rng)
    upper.back_neck(pen, c, cloth)
    upper.sleeve(pen, c, cloth, rng, length=c.length * 0.82, width=12.5, full=3, angle=11, cuff="hem")
    body = upper.front(pen, c, cloth, rng, loose=1.2)
    upper.armhole_seams(pen, c, body, 0.5)
    pen.seams([[(-c.chest, c.bottom - 16), (c.hem + 2, c.bottom - 16)],
        [(-30, c.top + 30), (-34, c.bottom - 16)]], inside=body)
    zip_: list[Point] = [(-16, c.top + 50), (-9, c.top + 90), (-7, c.bottom)]
    pen.lines([zip_], (18, 17, 20), 4, 0.8, inside=body)
    pen.lines([zip_], _STEEL, 2.4, 1, dash=1.8, inside=body)
    for s in (1, -1):
        pocket: list[Point] = [(s * 40, c.bottom - 66), (s * 24, c.bottom - 36)]
        pen.lines([pocket], (18, 17, 20), 3.6, 0.8)
        pen.lines([pocket], _STEEL, 2.0, 1, dash=1.8)
    lapel: list[Point] = [(c.neck, c.top - 3, 1), (c.neck + 9, c.top + 14), (37, c.top + 40, 1),
        (20, c.top + 50), (-7, c.top + 96, 1), (6, c.top + 44)]
    other: list[Point] = [(-c.neck, c.top - 3, 1), (-c.neck - 8, c.top + 14), (-35, c.top + 36, 1),
        (-22, c.top + 50), (-15, c.top + 78, 1), (-8, c.top + 40)]
    pen.part(other, cloth, puff=0.6, shadow=0.3, drape=0)
    pen.part(lapel, cloth, puff=0.6, shadow=0.4, drape=0)
    collar: list[Point] = [(0, c.top - 8), (c.neck, c.top - 6, 1), (c.neck + 10, c.top + 10, 1),
        (22, c.top + 26, 1), (12, c.top + 10), (0, c.top + 3)]
    pen.part(mirrored(collar), cloth, puff=0.6, shadow=0.3, drape=0)
    pen.buttons([(32, c.top + 37), (-31, c.top + 33)], 1.7, _STEEL)
    for s in (1, -1):
        pen.seams([[(s * 46, c.top + 18), (s * 60, c.top + 22)]], alpha=0.4)


def _puffer(pen: Pen, cloth: Cloth, rng: Random, c: upper.Cut, hood: bool, vest: bool = False) -> None:
    """Quilted in tubes across; each tube bulges by itself."""
    if not vest:
        for s in (1, -1):
            (ax, ay), (cx, cy), (nx, ny) = upper.sleeve_line(c, c.length * 0.76, 12)
            cap: list[Point] = [(s * (c.shoulder - 16), c.top + c.slope - 4, 1),
                (s * (c.shoulder + 1), c.top + c.slope), (s * (c.shoulder + 15), c.top + c.slope + 13),
                                (s * (c.chest + 16), c.top + c.slope + 34, 1),
                (s * (c.chest - 10), c.armpit - 6, 1)]
            pen.part(cap, cloth, puff=1, shadow=0.15)
            for k in range(6):
                t0, t1 = k / 6 - 0.06, (k + 1) / 6
                w = 20 - 5 * t1
                x0, y0 = ax + (cx - ax) * t0, ay + (cy - ay) * t0
                x1, y1 = ax + (cx - ax) * t1, ay + (cy - ay) * t1
                tube: list[Point] = [(x0 + nx * w, y0 + ny * w, 1),
                    ((x0 + x1) / 2 + nx * (w + 3), (y0 + y1) / 2 + ny * (w + 3)),
                                     (x1 + nx * w, y1 + ny * w, 1), (x1 - nx * w, y1 - ny * w, 1),
                                     ((x0 + x1) / 2 - nx * (w + 3), (y0 + y1) / 2 - ny * (w + 3)),
                    (x0 - nx * w, y0 - ny * w, 1)]
                pen.part(tube if s == 1 else flipped(tube), cloth, puff=1.1, shadow=0.12 if k == 0 else 0,
                         folds=_crinkles(rng, s * (x0 + x1) / 2, (y0 + y1) / 2, w, 4))
            pen.part([(s * (cx + nx * 13), cy + ny * 13, 1), (s * (cx - nx * 13), cy - ny * 13, 1),
                (s * (cx - nx * 12 + 2), cy - ny * 12 + 9, 1),
                      (s * (cx + nx * 12 + 2), cy + ny * 12 + 9, 1)], cloth.shaded(0.75).textured("rib"),
                puff=0.6)
    tubes = max(5, round((c.length - 20) / 27))
    step = c.length / tubes
    for k in range(tubes):
        y0, y1 = c.top + k * step, c.top + (k + 1) * step + 1
        w0 = c.chest + 3
        if k == 0:
            outline = mirrored([(0, y0 + 6), (c.neck, c.top, 1), (c.shoulder, c.top + c.slope, 1),
                (w0 - 2, y1, 1), (0, y1 + 2)])
        else:
            outline = mirrored([(0, y0), (w0 - 3, y0 - 1, 1), (w0 + 2, (y0 + y1) / 2), (w0 - 3, y1 - 1, 1),
                (0, y1 + 2)])
        pen.part(outline, cloth, puff=1.2, shadow=0.14 if k == 0 else 0,
            folds=_crinkles(rng, 0, (y0 + y1) / 2, w0, 12), bulge=2)
    pen.part(mirrored([(0, c.bottom - 1), (c.chest, c.bottom - 2, 1), (c.chest - 2, c.bottom + 7, 1),
        (0, c.bottom + 9)]), cloth.shaded(0.8), puff=0.6)
    if hood:
        n = c.neck + 8
        shell: list[Point] = [(0, c.top - 34), (n * 0.85, c.top - 28), (n + 4, c.top - 6), (n, c.top + 12),
            (0, c.top + 26)]
        pen.part(mirrored(shell), cloth, puff=1.1, shadow=0.3, folds=_crinkles(rng, 0, c.top - 20, n, 6))
        inner: list[Point] = [(0, c.top - 24), (n * 0.62, c.top - 16), (n * 0.6, c.top + 4),
            (0, c.top + 18, 1)]
        pen.part(mirrored(inner), cloths.of(rng.choice(((60, 62, 70), (226, 204, 176), (236, 232, 226))),
            "fleece").shaded(0.8), puff=0.3, tone=-12)
    else:
        for k in range(2):
            y = c.top - 12 + k * 11
            pen.part(mirrored([(0, y), (c.neck + 1 + k * 3, y + 1, 1), (c.neck + 4 + k * 3, y + 6),
                (c.neck + 2 + k * 3, y + 12, 1), (0, y + 13)]), cloth, puff=1)
    upper.zip_line(pen, c.top + (18 if hood else -10), c.bottom + 6,
        _STEEL if luminance(cloth.rgb) < 0.7 else (90, 90, 96))
    for s in (1, -1):
        pen.lines([[(s * 40, c.bottom - 62), (s * 34, c.bottom - 34)]], (20, 20, 24), 2.2, 0.6)


def _crinkles(rng: Random, x: float, y: float, w: float, count: int) -> list[Fold]:
    folds: list[Fold] = []
    for _ in range(count):
        a = x + rng.uniform(-0.9, 0.9) * w
        side = rng.choice((-1, 1))
        folds.append((a, y + side * 12, a + rng.uniform(-2, 2), y + side * 5, a + rng.uniform(-3, 3), y,
            rng.uniform(3, 6)))
    return folds


def _bomber(pen: Pen, cloth: Cloth, rng: Random, c: upper.Cut) -> None:
    rib = cloth.shaded(0.8).textured("rib", 0.9)
    upper.back_neck(pen, c, cloth)
    upper.sleeve(pen, c, cloth, rng, length=c.length * 0.8, width=13, full=6, angle=12, cuff="rib",
        cuff_cloth=rib)
    body = upper.front(pen, c, cloth, rng, loose=1.4)
    upper.armhole_seams(pen, c, body, 0.5)
    upper.hem_rib(pen, c, body, rib, 17)
    upper.crew_band(pen, c, rib, 9)
    upper.zip_line(pen, c.top + c.depth + 2, c.bottom, rng.choice((_BRASS, _STEEL)))
    for s in (1, -1):
        pen.seams([[(s * 42, c.bottom - 70), (s * 30, c.bottom - 34)],
            [(s * 38, c.bottom - 71), (s * 26, c.bottom - 36)]])


def womens_jackets(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    c = upper.woman(rng, top=-80, length=rng.uniform(152, 168), depth=24, chest=54, waist=47, hem=52,
        shoulder=60, neck=23)
    if look.material == "denim":
        _denim_jacket(pen, cloth, rng, c)
    elif look.material == "leather":
        _biker(pen, cloth, rng, c)
    elif rng.random() < 0.6:
        _puffer(pen, cloth, rng, c, hood=rng.random() < 0.5)
    else:
        _bomber(pen, cloth, rng, c)


def mens_jackets(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    c = upper.man(rng, top=-92, length=rng.uniform(186, 200), depth=22, shoulder=72, chest=65, waist=63,
        hem=63, neck=24)
    if look.material == "denim":
        _denim_jacket(pen, cloth, rng, c)
    elif look.material == "leather":
        (_biker if rng.random() < 0.6 else _bomber)(pen, cloth, rng, c)
    elif rng.random() < 0.6:
        _puffer(pen, cloth, rng, c, hood=rng.random() < 0.5, vest=rng.random() < 0.15)
    else:
        _bomber(pen, cloth, rng, c)


def childrens_jackets(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    c = upper.child(rng, top=-62, length=136, neck=22, chest=58, shoulder=58)
    base = cloth if look.pattern != "plain" else cloth.plain()
    if rng.random() < 0.6:
        _puffer(pen, base, rng, c, hood=True)
        ears = rng.random() < 0.4
        if ears:
            for s in (1, -1):
                x, y = s * 22, c.top - 34
                pen.part([(x - 9, y + 6), (x - 6, y - 8), (x + 6, y - 8), (x + 9, y + 6), (x, y + 10)], base,
                    puff=1)
        return
    bright = rng.choice(((250, 206, 70), (226, 62, 76), (60, 150, 190), (80, 170, 110), (40, 50, 90)))
    second = cloth.dyed(bright)
    upper.sleeve(pen, c, second, rng, length=92, width=15, full=4, angle=22, cuff="turned")
    body = upper.front(pen, c, base, rng, loose=1.2)
    yoke: list[Point] = [(-80, c.top - 8, 1), (80, c.top - 8, 1), (80, c.top + 48, 1), (-80, c.top + 48, 1)]
    pen.part(yoke, second, inside=body, like=body)
    pen.lines([[(-80, c.top + 48), (80, c.top + 48)]], (240, 240, 240), 3, 0.9, inside=body)
    upper.armhole_seams(pen, c, body, 0.5)
    n = c.neck + 7
    pen.part(mirrored([(0, c.top - 34), (n * 0.85, c.top - 28), (n + 4, c.top - 4), (n, c.top + 12),
        (0, c.top + 28)]), second, puff=1, shadow=0.3)
    pen.part(mirrored([(0, c.top - 24), (n * 0.62, c.top - 16), (n * 0.6, c.top + 4), (0, c.top + 20, 1)]),
        second.shaded(0.6), puff=0.3, tone=-10)
    upper.zip_line(pen, c.top + 22, c.bottom)
    for s in (1, -1):
        pen.part(rectangle(s * 34 - 15, c.bottom - 44, s * 34 + 15, c.bottom - 16, 4), base, puff=0.5,
            shadow=0.25)
        pen.part(rectangle(s * 34 - 16, c.bottom - 46, s * 34 + 16, c.bottom - 36, 3), second, puff=0.5,
            shadow=0.2)


def womens_coats(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    c = upper.woman(rng, top=-116, length=rng.uniform(226, 240), depth=60, chest=52, waist=46,
        hem=rng.uniform(58, 68), shoulder=57,
                    neck=22, hem_curve=2)
    if look.material == "polyester" and rng.random() < 0.45:
        long = upper.woman(rng, top=-106, length=220, depth=24, chest=50, waist=48, hem=52, shoulder=55,
            neck=22)
        _puffer(pen, cloth, rng, long, hood=True)
        return
    double = rng.random() < 0.5
    belted = rng.random() < 0.45
    upper.back_neck(pen, c, cloth)
    upper.sleeve(pen, c, cloth, rng, length=rng.uniform(140, 150), width=13, full=2, angle=rng.uniform(8, 11),
        cuff="turned")
    gap = -9.0 if double else -4.0
    edge: list[Point] = [(c.neck, c.top, 1), (10, c.top + 40), (gap, c.top + 72, 1), (gap, c.bottom - 50)]
    left, right = upper.panels(pen, c, edge, cloth, rng, hem_x=gap, loose=1.3)
    for body in (left, right):
        upper.armhole_seams(pen, c, body, 0.4)
    _lapels(pen, c, cloth, c.top + 76, gap, wide=33)
    horn = rng.choice(((60, 44, 36), contrasting(cloth.rgb), (30, 30, 34)))
    y = c.top + 88
    spots = [(x, y + k * 26) for k in range(3) for x in ((-9.0, 17.0) if double else (4.0,))]
    pen.buttons(spots, 3.6, horn)
    for s in (1, -1):
        x, y = s * 36, c.top + 140
        pen.part([(x - 13, y, 1), (x + 13, y - s * 0.01, 1), (x + 13, y + 9, 1), (x - 13, y + 9, 1)], cloth,
            puff=0.5, shadow=0.25, drape=0)
    if belted:
        _belt(pen, cloth, c.armpit + (c.bottom - c.armpit) * 0.3, c.waist + 5, rng)


def _belt(pen: Pen, cloth: Cloth, y: float, half: float, rng: Random) -> None:
    belt = cloth.plain()
    pen.part(mirrored([(0, y), (half, y - 1, 1), (half + 1, y + 10, 1), (0, y + 12)]), belt, puff=0.8,
        shadow=0.25, drape=0.3)
    x = rng.uniform(-6, 10)
    for dx in (-6, 7):
        pen.part([(x - 3, y + 6), (x + 5, y + 5), (x + dx + 7, y + 48, 1), (x + dx - 4, y + 50, 1)], belt,
            puff=0.7, shadow=0.25)
    pen.part([(x - 7, y - 2), (x + 8, y - 2), (x + 8, y + 13), (x - 7, y + 13)], belt, puff=0.9, shadow=0.3)


def _lapels(pen: Pen, c: upper.Cut, cloth: Cloth, end: float, edge: float, wide: float) -> None:
    """Notched lapels and a collar; the right one lies on top and runs down to `end`."""
    for s in (-1, 1):
        tip = edge if s == 1 else -edge - (2 * edge if edge < 0 else 0) + 2 * edge
        lapel: list[Point] = [(s * (c.neck - 2), c.top + 6, 1), (s * (wide - 4), c.top + 27, 1),
            (s * wide, c.top + 34, 1), (s * 17, end - 20),
                              (tip, end, 1), (s * 9 if s == 1 else tip, end - 36)]
        pen.part(lapel, cloth, puff=0.5, shadow=0.32, drape=0, grain=s * 25)
        collar: list[Point] = [(s * (c.neck - 3), c.top - 5, 1), (s * (c.neck + 5), c.top - 1),
            (s * (c.neck + 9), c.top + 8),
                               (s * (wide + 1), c.top + 25, 1), (s * (wide - 8), c.top + 30, 1),
            (s * (c.neck - 6), c.top + 14)]
        pen.part(collar, cloth, puff=0.5, shadow=0.28, drape=0, grain=s * 35)
    pen.part(mirrored([(0, c.top - 8), (c.neck - 2, c.top - 6, 1), (c.neck + 1, c.top + 2, 1),
        (0, c.top + 4)]), cloth.plain().shaded(0.85), puff=0.4, drape=0)


def mens_suits(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    c = upper.man(rng, top=-118, length=158, depth=78, neck=20, shoulder=62, chest=53, waist=47, hem=54,
        armhole=46, slope=13, hem_curve=0)
    pen.place(turn=rng.gauss(0, 0.7), zoom=rng.uniform(0.87, 0.9), shift=(0, -15), wobble=0.5)
    leg: list[Point] = [(0, 30), (43, 30, 1), (43, 64), (37, 110), (32, 166, 1), (20, 168), (8, 166, 1),
        (5, 106), (2, 66, 1), (0, 62, 1)]
    legs = pen.part(mirrored(leg), cloth, shadow=0.2, folds=[(s * 2, 66, s * 14, 68, s * 30, 62,
        5) for s in (1, -1)])
    pen.lines([[(s * 23, 50), (s * 20, 166)] for s in (1, -1)], (10, 10, 14), 1.4, 0.3, inside=legs, blur=0.6)
    shirt = cloths.of(rng.choice(((248, 249, 252), (214, 226, 244), (244, 240, 236))), "cotton")
    pen.part(mirrored([(0, c.top - 6), (20, c.top - 2, 1), (28, c.top + 50), (14, c.top + 100),
        (0, c.top + 108)]), shirt, puff=0.3)
    if rng.random() < 0.8:
        tie = cloths.of(rng.choice(((120, 26, 44), (34, 46, 92), (40, 40, 46), (60, 96, 90), (150, 60, 40))),
            "satin")
        pen.part([(-6, c.top + 6, 1), (6, c.top + 6, 1), (4.5, c.top + 17, 1), (-4.5, c.top + 17, 1)], tie,
            puff=0.8)
        pen.part([(-4.5, c.top + 17, 1), (4.5, c.top + 17, 1), (9, c.top + 90), (0, c.top + 102, 1),
            (-9, c.top + 90)], tie, puff=0.7, shadow=0.25)
    upper.sleeve(pen, c, cloth, rng, length=142, width=13, full=1, angle=7, cuff="hem")
    edge: list[Point] = [(c.neck, c.top, 1), (22, c.top + 36), (-3, c.top + 88, 1), (-2, c.top + 118),
        (4, c.bottom - 14)]
    left, right = upper.panels(pen, c, edge, cloth, rng, hem_x=16, loose=0.7)
    for body in (left, right):
        upper.armhole_seams(pen, c, body, 0.5)
        pen.seams([[(-30, c.top + 66), (-32, c.bottom - 50)], [(30, c.top + 66), (32, c.bottom - 50)]],
            inside=body, alpha=0.2)
    neck = upper.Cut(neck=17, top=c.top + 1)
    upper.shirt_collar(pen, neck, shirt, spread=17, drop=23, stand=6)
    wide = 30.0
    for s in (-1, 1):
        lapel: list[Point] = [(s * 19, c.top - 1, 1), (s * (wide - 1), c.top + 26, 1),
            (s * (wide + 3), c.top + 32, 1), (s * 18, c.top + 66), (s * 1 - 4, c.top + 92, 1),
                              (s * 15, c.top + 50)]
        satin = cloths.of((26, 26, 30),
            "satin") if luminance(cloth.rgb) < 0.18 and cloth.pattern is None else cloth
        pen.part(lapel, satin, puff=0.5, shadow=0.35, drape=0, grain=s * 22)
        collar: list[Point] = [(s * 17, c.top - 6, 1), (s * 23, c.top - 2), (s * (wide + 2), c.top + 23, 1),
            (s * (wide - 7), c.top + 27, 1), (s * 17, c.top + 6)]
        pen.part(collar, cloth, puff=0.4, shadow=0.25, drape=0, grain=s * 30)
    horn = scaled(cloth.rgb, 0.5) if luminance(cloth.rgb) > 0.2 else mixed(cloth.rgb, (255, 255, 255), 0.25)
    pen.buttons([(1, c.top + 98), (2, c.top + 118)], 2.6, horn)
    pen.part([(25, c.armpit + 4, 1), (42, c.armpit + 1, 1), (42, c.armpit + 6, 1), (25, c.armpit + 9, 1)],
        cloth.plain(), puff=0.4, shadow=0.2, drape=0)
    if rng.random() < 0.5:
        pen.part([(27, c.armpit + 5, 1), (30, c.armpit - 6, 1), (34, c.armpit + 1), (38, c.armpit - 7, 1),
            (40, c.armpit + 3, 1)], shirt, puff=0.3)
    for s in (1, -1):
        pen.part([(s * 22, c.bottom - 46, 1), (s * 46, c.bottom - 49, 1), (s * 46, c.bottom - 41, 1),
            (s * 22, c.bottom - 38, 1)], cloth, puff=0.4, shadow=0.25, drape=0)
