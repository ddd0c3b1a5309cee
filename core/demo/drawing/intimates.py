"""Underwear, swimwear, nightwear, socks and baby clothes."""

# outlines are formatted as tables of points:
# fmt: off

from __future__ import annotations

from random import Random

from core.demo.drawing import cloth as cloths
from core.demo.drawing import scene, upper
from core.demo.drawing.bottoms import Legs, leg_folds, outline, waistband
from core.demo.drawing.cloth import Cloth, luminance, mixed, scaled
from core.demo.drawing.curves import Point, band, flipped, mirrored, rectangle, shifted, turned
from core.demo.drawing.motifs import CHILD, motif
from core.demo.drawing.pen import Fold, Part, Pen
from core.demo.looks import Look


def _edging(cloth: Cloth, rng: Random) -> Cloth:
    light = mixed(cloth.rgb, (255, 255, 255), 0.35) if luminance(cloth.rgb) < 0.7 else scaled(cloth.rgb, 0.86)
    return cloth.dyed(light).finished(opacity=1.0,
        drape=0.0) if rng.random() < 0.6 else cloth.plain().finished(opacity=1.0, drape=0.0)


def _solid(cloth: Cloth) -> Cloth:
    return cloth.finished(opacity=max(0.88, cloth.finish.opacity), drape=0.1)


def _cup(pen: Pen, cloth: Cloth, edging: Cloth, s: int, lace: bool, y: float = 0, k: float = 1.0) -> Part:
    shape: list[Point] = [(s * 4 * k, y + 6, 1), (s * 20 * k, y - 18), (s * 46 * k, y - 46 * k, 1),
        (s * 66 * k, y - 18), (s * 72 * k, y + 10, 1),
                          (s * 56 * k, y + 36 * k), (s * 30 * k, y + 40 * k), (s * 9 * k, y + 26 * k)]
    folds: list[Fold] = [(s * 64 * k, y + 14, s * 50, y + 6, s * 36 * k, y + 2, 5)]
    cup = pen.part(shape, _solid(cloth), puff=1.5, shadow=0.25, folds=folds,
        fades=[(s * 32 * k, y - 6, 20, 18, 12)], bulge=-6)
    top: list[Point] = [(s * 4 * k, y + 6), (s * 20 * k, y - 18), (s * 46 * k, y - 45 * k)]
    pen.part(band(top, [6 if lace else 3.4]), edging, puff=0.6, inside=cup)
    if lace:
        pen.dots([(s * (5 + t * 40) * k, y + 2 - t * 48 * k) for t in (0.05, 0.2, 0.35, 0.5, 0.65, 0.8,
            0.95)], 3.2, edging.rgb, 0.9)
        pen.dots([(s * (8 + t * 38) * k, y + 6 - t * 46 * k) for t in (0.05, 0.2, 0.35, 0.5, 0.65, 0.8,
            0.95)], 0.9, scaled(edging.rgb, 0.6), 0.7)
    pen.seams([[(s * 38 * k, y - 34 * k), (s * 35 * k, y), (s * 36 * k, y + 40 * k)]], inside=cup, alpha=0.25)
    return cup


def womens_bras(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    edging = _edging(cloth, rng)
    worn = rng.random() < 0.3
    if worn:
        pen.place(turn=rng.gauss(0, 1), zoom=1.35, shift=(0, 26), mirror=rng.random() < 0.5)
        scene.torso(pen, scene.skin(rng), True, -92)
        pen.place(zoom=0.92, shift=(0, -8))
    else:
        pen.place(turn=rng.gauss(0, 2), zoom=rng.uniform(1.08, 1.2), shift=(0, 10), mirror=rng.random() < 0.5)
    lace = look.material != "cotton" or rng.random() < 0.4
    strap = cloth.plain().finished(opacity=1.0, drape=0.0).shaded(0.92)
    if not worn:  # the straps rise to a loop, as when laid flat
        for s in (1, -1):
            pen.part(band([(s * 66, -12), (s * 74, -60), (s * 60, -92), (s * 46, -62), (s * 46, -44)], [4.2]),
                strap, puff=0.6, shadow=0.25)
        back = mirrored([(0, 14), (40, 10), (74, 0, 1), (74, 20, 1), (40, 30), (0, 34)])
        pen.part(back, _solid(cloth).shaded(0.6), puff=0.3, shadow=0.2)
    else:
        for s in (1, -1):
            pen.part(band([(s * 46, -44), (s * 47, -72), (s * 44, -96)], [5]), strap, puff=0.6, shadow=0.2)
    wing: list[Point] = [(8, 16, 1), (60, 18), (78, -2, 1), (80, 22, 1), (58, 44), (8, 36, 1)]
    for part in (wing, flipped(wing)):
        pen.part(part, _solid(cloth), puff=0.6, shadow=0.15)
    for s in (-1, 1):
        _cup(pen, cloth, edging, s, lace)
    pen.part(mirrored([(0, 4), (7, 4, 1), (9, 26, 1), (0, 30)]), _solid(cloth), puff=0.6, shadow=0.15)
    pen.part(band([(-72, 40), (-30, 46), (0, 36), (30, 46), (72, 40)], [4.5]), edging, puff=0.6, shadow=0.15)
    _small_bow(pen, edging, 0, 8)
    for s in (1, -1):
        pen.part(rectangle(s * 46 - 4, -58, s * 46 + 4, -52, 1), cloths.of((212, 190, 130), "metal"),
            puff=0.4)


def _small_bow(pen: Pen, cloth: Cloth, x: float, y: float) -> None:
    for s in (-1, 1):
        pen.part([(x, y), (x + s * 5, y - 5), (x + s * 9, y - 2), (x + s * 8, y + 4), (x + s * 4, y + 3)],
            cloth, puff=0.8, shadow=0.3)
    pen.dots([(x, y)], 2, cloth.rgb)


def _briefs(pen: Pen, cloth: Cloth, edging: Cloth, rng: Random, y: float, half: float, high: float,
        cut_: float) -> Part:
    """`high` is the height at the side, `cut_` how far the leg opening rises."""
    w = half
    low = y + 78
    back = mirrored([(0, y - 5), (w - 3, y - 6, 1), (w - 1, y + high - 3, 1), (w * 0.62, y + high + 20),
        (14, low - 1, 1), (0, low + 3)])
    pen.part(back, _solid(cloth).shaded(0.62), puff=0.4, shadow=0.2)
    half_line: list[Point] = [(0, y + 9), (w * 0.6, y + 3), (w, y - 5, 1), (w + 2, y + high - 2, 1),
        (w * 0.6, y + high + 12 + cut_), (17, low - 8, 1), (0, low + 1)]
    folds: list[Fold] = [(s * w, y + 8, s * 40, y + 16, s * 18, y + 20, 5) for s in (-1, 1)]
    folds += [(s * 10, low - 4, s * 12, y + 50, s * 22, y + 36, 4) for s in (-1, 1)]
    front = pen.part(mirrored(half_line), _solid(cloth), folds=folds, shadow=0.22, puff=0.9, bulge=5)
    top: list[Point] = [(-w - 1, y - 4), (-w * 0.6, y + 4), (0, y + 10), (w * 0.6, y + 4), (w + 1, y - 4)]
    pen.part(band(top, [6.5]), edging, inside=front, puff=0.6)
    leg: list[Point] = [(w + 2, y + high - 3), (w * 0.6, y + high + 11 + cut_), (16, low - 9)]
    pen.lines([leg, flipped(leg)], edging.rgb, 3, 0.9, inside=front)
    pen.seams([[(-15, low - 22), (0, low - 19), (15, low - 22)]], inside=front, alpha=0.3)
    return front


def womens_panties(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    pen.place(turn=rng.gauss(0, 2), zoom=rng.uniform(1.2, 1.34), mirror=rng.random() < 0.5, wobble=0.8)
    edging = _edging(cloth, rng)
    style = rng.choice(("brief", "bikini", "thong"))
    high = {"brief": 30.0, "bikini": 13.0, "thong": 7.0}[style]
    y = -38.0
    if rng.random() < 0.3:
        pen.place(zoom=1.2, shift=(0, 24))
        scene.hips(pen, scene.skin(rng), waist=-116)
        pen.place(zoom=0.98, shift=(0, -18))
    front = _briefs(pen, cloth, edging, rng, y, 66, high, {"brief": 0.0, "bikini": -2.0,
        "thong": -8.0}[style])
    if look.material != "cotton":
        for s in (-1, 1):
            lace: list[Point] = [(s * 66, y + 1, 1), (s * 48, y + 6), (s * 34, y + 36),
                (s * 44, y + high + 16), (s * 68, y + high, 1)]
            pen.part(lace, edging.finished(opacity=0.7), inside=front, puff=0.2)
            pen.dots([(s * (44 + 7 * (k % 3)),
                y + 10 + 7 * (k // 3)) for k in range(9) if 7 * (k // 3) < high], 1.2,
                scaled(edging.rgb, 0.7), 0.6)
    _small_bow(pen, edging, 0, y + 11)


def mens_boxers(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    loose = rng.random() < 0.35
    pen.place(turn=rng.gauss(0, 1.6), zoom=rng.uniform(1.0, 1.12), mirror=rng.random() < 0.5, wobble=1)
    w = 62.0
    g = Legs(waist=w - 4, hip=w + (8 if loose else 2), crotch=96, top=-74,
        length=rng.uniform(134, 142) if loose else rng.uniform(120, 132), thigh=33, knee=33,
             ankle=34 if loose else 30, apart=37 if loose else 33)
    pen.part(mirrored([(0, g.top - 5), (w - 6, g.top - 4), (w - 4, g.top, 1), (0, g.top + 8)]),
        cloth.shaded(0.62), puff=0.2)
    body = pen.part(outline(g), cloth, folds=leg_folds(rng, g, 0.9), shadow=0.22, puff=0.9, bulge=4)
    elastic = cloth.dyed(rng.choice(((40, 40, 46), (246, 246, 244), (190, 40, 50),
        (40, 60, 110)))).textured("rib", 0.6)
    pen.part(mirrored([(0, g.top + 1), (w, g.top - 1, 1), (w, g.top + 15, 1), (0, g.top + 17)]), elastic,
        inside=body, puff=0.5, drape=0)
    ink = (246, 246, 244) if luminance(elastic.rgb) < 0.5 else (50, 50, 60)
    for x in (-40.0, 0.0, 40.0):
        upper.chest_label(pen, "VITRINE", x, g.top + 8.5, ink)
    if loose:
        pen.seams([[(0, g.top + 17), (0, g.fork)], [(6, g.top + 17), (6, g.fork - 24), (0, g.fork - 16)]],
            inside=body)
        pen.buttons([(3, g.top + 48)], 2.2, (244, 242, 236))
    else:
        pouch: list[Point] = [(18, g.top + 17), (24, g.top + 50), (14, g.fork - 6), (0, g.fork + 4)]
        pen.seams([pouch, flipped(pouch), [(12, g.top + 22), (-12, g.fork - 20)]], inside=body, alpha=0.45)
    hems: list[list[Point]] = [[(s * (g.apart - 34), g.bottom - 6),
        (s * (g.apart + 36), g.bottom - 6)] for s in (-1, 1)]
    pen.seams(hems, inside=body, alpha=0.4)


def mens_swim_shorts(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    long = rng.random() < 0.5
    g = Legs(waist=54, hip=66, crotch=82, top=-78, length=rng.uniform(160, 170) if long else rng.uniform(126,
        136), thigh=34, knee=34, ankle=33, apart=37)
    bright = cloth.finished(gloss=0.22, drape=1.1)
    pen.part(mirrored([(0, g.top - 5), (48, g.top - 4), (54, g.top, 1), (0, g.top + 10)]),
        cloths.of((238, 240, 242), "cotton").shaded(0.85), puff=0.2)
    body = pen.part(outline(g), bright, folds=leg_folds(rng, g, 1.2), shadow=0.22, puff=0.95, bulge=5)
    gathers: list[list[Point]] = [[(x, g.top + 2), (x * 1.02, g.top + 13)] for x in range(-52, 53, 6)]
    waistband(pen, g, body, cloth, 14)
    pen.lines(gathers, (16, 14, 22), 1, 0.28, inside=body)
    cord = rng.choice(((250, 248, 244), (250, 206, 70), (40, 40, 50)))
    for s in (-1, 1):
        end: list[Point] = [(s * 2, g.top + 8), (s * 14, g.top + 16), (s * 11, g.top + 46)]
        pen.lines([[(x + 1, y + 1.4) for x, y in end]], (20, 18, 24), 2.4, 0.4)
        pen.lines([end], cord, 2.4)
        loop: list[Point] = [(0, g.top + 8), (s * 10, g.top + 1), (s * 17, g.top + 8), (s * 8, g.top + 13),
            (0, g.top + 8)]
        pen.lines([loop], cord, 2.2)
    pen.seams([[(0, g.top + 14), (0, g.fork)], *[[(s * (g.hip - 4), g.top + 20),
        (s * (g.hip - 14), g.top + 58)] for s in (1, -1)]], inside=body)
    if look.pattern == "plain":
        light = mixed(cloth.rgb, (255, 255, 255), 0.8) if luminance(cloth.rgb) < 0.6 else (40, 70, 120)
        side: list[Point] = [(g.hip - 4, g.top + 16), (g.hip - 1, g.fork), (g.apart + g.ankle - 3, g.bottom)]
        pen.lines([side, flipped(side)], light, 6, 0.9, inside=body)
        pen.stamp(motif("wave", round(20 * pen.unit), (light, light), 0), 38, g.bottom - 20, like=body)


def womens_swimsuits(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    tight = cloth.finished(gloss=0.28, drape=0.15)
    low = rng.uniform(-58, -30)
    w = 42.0
    strap = rng.uniform(5, 11)
    leg_y = rng.uniform(44, 62)
    worn = rng.random() < 0.45
    if worn:
        scene.torso(pen, scene.skin(rng), True, -104)
        w = 51.0
    half: list[Point] = [(0, low), (20, -66), (27 - strap / 2, -106, 1), (27 + strap / 2, -106, 1),
        (32 + strap / 2, -74), (w, -48, 1), (w - 5, -14),
                         (w - 7, 8), (w + (4 if worn else 3), leg_y - 6, 1), (w * 0.62, leg_y + 24),
        (13, 98, 1), (0, 101)]
    if not worn:
        back = mirrored([(0, -16), (18, -44), (27 - strap / 2, -106, 1), (27 + strap / 2, -106, 1),
            (w - 6, -52, 1), (w - 12, -14), (w - 12, 20), (0, 60)])
        pen.part(back, tight.shaded(0.6), puff=0.3, shadow=0.15)
    folds: list[Fold] = [(s * w, y, s * 22, y + 4, s * 8, y + 9, 5) for s in (-1, 1) for y in (-10, 4,
        18)] if rng.random() < 0.5 else []
    body = pen.part(mirrored(half), tight, folds=folds, puff=1.2, shadow=0.22, bulge=6,
        fades=[(s * 19, -46, 14, 13, 10) for s in (-1, 1)])
    edge: list[Point] = [(0, low), (20, -66), (27 - strap / 2, -106)]
    leg: list[Point] = [(w + 3, leg_y - 6), (w * 0.62, leg_y + 24), (13, 98)]
    trim = rng.choice((scaled(cloth.rgb, 0.7), (250, 248, 242), (34, 38, 62)))
    pen.lines([[*flipped(edge)[::-1], *edge[1:]], leg, flipped(leg)], trim, 3, 0.85, inside=body)
    cup: list[Point] = [(w - 2, -40), (26, -26), (4, -34)]
    pen.seams([cup, flipped(cup)], inside=body, alpha=0.3)


def womens_bikinis(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    tight = cloth.finished(gloss=0.26, drape=0.1)
    style = rng.choice(("triangle", "triangle", "bandeau"))
    trim = cloth.plain().shaded(0.85)
    pen.place(turn=rng.gauss(0, 1.5), zoom=rng.uniform(1.05, 1.14), mirror=rng.random() < 0.5, wobble=0.7)
    cord = trim.rgb
    if style == "triangle":
        for s in (1, -1):
            pen.lines([[(s * 33, -96), (s * 26, -112), (s * 8, -126), (s * 3, -118)],
                [(s * 62, -54), (s * 84, -52), (s * 90, -40)]], cord, 2.4)
            cup: list[Point] = [(s * 5, -52, 1), (s * 22, -80), (s * 33, -98, 1), (s * 50, -80),
                (s * 64, -53, 1), (s * 34, -48)]
            part = pen.part(cup, tight, puff=1.4, shadow=0.25, folds=[(s * (16 + 9 * k), -49,
                s * (20 + 7 * k), -58, s * (26 + 4 * k), -72, 3.5) for k in range(4)])
            pen.lines([[(s * 5, -52), (s * 22, -80), (s * 33, -98)],
                [(s * 33, -98), (s * 50, -80), (s * 64, -53)]], cord, 2.4, 0.9, inside=part)
        pen.lines([[(-64, -52), (0, -50), (64, -52)]], cord, 2.6)
    else:
        shape = mirrored([(0, -78), (30, -88), (72, -84, 1), (73, -50, 1), (30, -46), (0, -52)])
        folds: list[Fold] = [(s * 4, -76 + 4 * k, s * 20, -76 + 5 * k, s * 44, -82 + 7 * k, 4) for s in (1,
            -1) for k in range(5)]
        pen.part(shape, tight, puff=1.2, shadow=0.25, folds=folds,
            fades=[(s * 36, -70, 18, 14, 10) for s in (-1, 1)])
        pen.part(rectangle(-6, -81, 6, -48, 3), trim, puff=0.9, shadow=0.2)
    pen_y = 22.0
    tied = rng.random() < 0.6
    _briefs(pen, tight, trim.finished(opacity=1.0), rng, pen_y, 56, 8 if tied else 14, -4)
    if tied:
        for s in (1, -1):
            x, y = s * 58, pen_y
            pen.lines([[(x, y), (x + s * 10, y - 8), (x + s * 14, y), (x, y + 2)],
                [(x, y), (x + s * 8, y + 14), (x + s * 6, y + 30)],
                [(x, y), (x + s * 2, y + 16), (x - s * 2, y + 28)]], cord, 2.4)
            pen.buttons([(x, y + 1)], 2.6, cord)


def womens_pyjamas(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    """A buttoned top and its trousers, side by side in height."""
    pen.place(turn=rng.gauss(0, 1.2), zoom=rng.uniform(0.98, 1.04), mirror=rng.random() < 0.5, wobble=1)
    short = rng.random() < 0.35
    g = Legs(waist=31, hip=45, crotch=46, top=4, length=60 if short else 132, thigh=23, knee=22,
        ankle=24 if short else 20, apart=25)
    if short:
        pen.place(zoom=1.12, shift=(0, 26), wobble=1)
    legs = pen.part(outline(g), cloth, folds=leg_folds(rng, g), shadow=0.22, puff=0.9)
    piping = (250, 248, 242) if luminance(cloth.rgb) < 0.7 else cloth.palette[0] if cloth.palette else (90,
        90, 110)
    hems: list[list[Point]] = [[(s * (g.apart - 26), g.bottom - 7),
        (s * (g.apart + 26), g.bottom - 7)] for s in (-1, 1)]
    pen.lines(hems, piping, 2, 0.9, inside=legs)
    c = upper.Cut(neck=18, shoulder=51, chest=48, waist=47, hem=51, top=-128, length=142, armhole=42,
        slope=12, depth=42, neckline="v")
    upper.back_neck(pen, c, cloth)
    if short:
        upper.sleeve(pen, c, cloth, rng, length=38, width=16, angle=30, cuff="turned")
    else:
        upper.sleeve(pen, c, cloth, rng, length=112, width=13, full=2, angle=20, cuff="turned")
    body = upper.front(pen, c, cloth, rng)
    upper.armhole_seams(pen, c, body)
    pen.lines([[(5, c.top + 36), (5, c.bottom + 4)]], piping, 1.6, 0.9, inside=body)
    upper.buttons_down(pen, c.top + 50, c.bottom - 14, 4, (250, 246, 238), 2.3)
    for s in (-1, 1):
        lapel: list[Point] = [(s * 16, c.top - 4, 1), (s * 24, c.top + 4), (s * 31, c.top + 22, 1),
            (s * 24, c.top + 25, 1), (s * 22, c.top + 31, 1), (s * 1, c.top + 46, 1), (s * 12, c.top + 20)]
        pen.part(lapel, cloth, puff=0.5, shadow=0.28, drape=0, grain=s * 20)
        pen.lines([[(p[0], p[1], 1) for p in lapel[2:6]], [(p[0], p[1]) for p in lapel[:3]]], piping, 1.7,
            0.95)
    pocket = rectangle(14, c.armpit + 2, 38, c.armpit + 28, 2)
    pen.part(pocket, cloth, puff=0.3, shadow=0.15)
    pen.lines([[(14, c.armpit + 6), (38, c.armpit + 6)]], piping, 1.8, 0.95)


def womens_bathrobes(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    c = upper.woman(rng, neck=20, top=-122, length=rng.uniform(226, 244), chest=55, waist=49,
        hem=rng.uniform(60, 66), shoulder=60, depth=70, armhole=50)
    upper.back_neck(pen, c, cloth, rise=5)
    upper.sleeve(pen, c, cloth, rng, length=rng.uniform(118, 130), width=18, full=1, angle=14, cuff="turned")
    waist_y = c.armpit + 46
    inner: list[Point] = [(c.neck, c.top, 1), (6, c.top + 50), (10, waist_y), (20, c.bottom - 30)]
    cross: list[Point] = [(c.neck, c.top, 1), (10, c.top + 46), (-14, waist_y), (-16, c.bottom - 60)]
    pen.part(flipped(upper.panel(c, inner, hem_x=2)), cloth, folds=upper.body_folds(rng, c), shadow=0.2)
    pen.part(upper.panel(c, cross, hem_x=-14), cloth, folds=upper.body_folds(rng, c), shadow=0.3)
    w = 15.0
    tone = 1.2 if luminance(cloth.rgb) < 0.6 else 0.88
    collar_cloth = cloth if rng.random() < 0.6 else cloth.plain().shaded(tone)
    left: list[Point] = [(-c.neck + 4, c.top - 6), (-c.neck - w * 0.5, c.top + 4),
        (-c.neck - w * 0.7, c.top + 30), (-14, c.top + 84), (8, waist_y - 4, 1),
                         (0, c.top + 76), (-8, c.top + 40), (-c.neck + 6, c.top + 10)]
    right: list[Point] = [(c.neck - 4, c.top - 6), (c.neck + w * 0.5, c.top + 4),
        (c.neck + w * 0.7, c.top + 30), (12, c.top + 84), (-9, waist_y, 1), (-16, waist_y, 1),
                          (0, c.top + 70), (9, c.top + 38), (c.neck - 6, c.top + 10)]
    pen.part(left, collar_cloth, puff=0.8, shadow=0.3, grain=20, drape=0.3)
    pen.part(right, collar_cloth, puff=0.8, shadow=0.35, grain=-20, drape=0.3)
    pen.part(mirrored([(0, c.top - 12), (c.neck - 2, c.top - 8), (c.neck + 4, c.top + 2), (0, c.top + 2)]),
        collar_cloth, puff=0.8)
    belt = cloth.plain().shaded(0.92)
    pen.part(mirrored([(0, waist_y), (c.waist + 3, waist_y - 2, 1), (c.waist + 4, waist_y + 12, 1),
        (0, waist_y + 14)]), belt, puff=0.8, shadow=0.3, drape=0.3)
    x = rng.uniform(-8, 4)
    for dx, long in ((-9, 62), (8, 54)):
        pen.part([(x - 4, waist_y + 8), (x + 5, waist_y + 8), (x + dx + 7, waist_y + long, 1),
            (x + dx - 6, waist_y + long + 2, 1)], belt, puff=0.8, shadow=0.3)
    for s in (-1, 1):
        pen.part([(x, waist_y + 4), (x + s * 10, waist_y - 6), (x + s * 22, waist_y),
            (x + s * 20, waist_y + 14), (x + s * 8, waist_y + 12)], belt, puff=0.9, shadow=0.3)
    pen.part(rectangle(x - 6, waist_y - 1, x + 6, waist_y + 14, 4), belt, puff=1, shadow=0.3)
    for s in (-1, 1):
        pocket = rectangle(s * 36 - 14, waist_y + 30, s * 36 + 14, waist_y + 64, 3)
        pen.part(pocket, cloth, puff=0.4, shadow=0.22, drape=0.4)
        pen.seams([[(s * 36 - 14, waist_y + 37), (s * 36 + 14, waist_y + 37)]], alpha=0.35)


def mens_socks(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    low = rng.random() < 0.2
    high = -30.0 if low else rng.uniform(-104, -84)
    rib = cloth.plain().textured("rib", 0.8)
    accent = cloth.plain().shaded(0.8)
    if cloth.palette and rng.random() < 0.6:
        accent = cloth.dyed(cloth.palette[0])
    tilt = rng.uniform(-3, 5)
    for k, (dx, dy) in enumerate(((18.0, -9.0), (-14.0, 9.0))):
        def at(points: list[Point], dx: float = dx, dy: float = dy, k: int = k) -> list[Point]:
            return turned(shifted(points, dx, dy), tilt + (6 if k == 0 else 0))

        sock: list[Point] = [(-34, high, 1), (6, high - 1, 1), (9, -20), (13, 26), (34, 48), (60, 66),
            (68, 82), (56, 94), (24, 92), (-12, 88), (-36, 76), (-42, 52), (-33, 14), (-32, -20)]
        folds: list[Fold] = [(12, 30, -4, 40, -20, 44, 6), (14, 36, 2, 52, -14, 60, 5),
            (-32, 0, -18, 6, 0, 4, 5), (-32, 20, -24, 30, -8, 34, 5), (8, 6, -2, 12, -14, 14, 4)]
        body = pen.part(at(sock), cloth, folds=[_turn_fold(f, dx, dy, tilt) for f in folds],
            shadow=0.28, puff=1, bulge=3)
        cuff = at([(-36, high - 2, 1), (9, high - 3, 1), (9, high + 20, 1), (-36, high + 20, 1)])
        pen.part(cuff, accent.textured("rib", 0.8) if accent.rgb != cloth.rgb else rib, inside=body, puff=0.6)
        pen.seams([at([(-36, high + 20), (9, high + 20)])], inside=body, alpha=0.3)
        heel = at([(-46, 40, 1), (-20, 52), (-14, 74), (-18, 96, 1), (-50, 96, 1)])
        toe = at([(74, 54, 1), (46, 56), (38, 76), (44, 100, 1), (80, 100, 1)])
        pen.part(heel, accent, inside=body, puff=0.7)
        pen.part(toe, accent, inside=body, puff=0.7)


def _turn_fold(f: Fold, dx: float, dy: float, degrees: float) -> Fold:
    points = turned(shifted([(f[0], f[1]), (f[2], f[3]), (f[4], f[5])], dx, dy), degrees)
    (x0, y0), (bx, by), (x1, y1) = (p[:2] for p in points)
    return (x0, y0, bx, by, x1, y1, f[6])


def baby_bodysuits(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    long = rng.random() < 0.45
    zoom = rng.uniform(0.92, 0.97) if long else rng.uniform(1.04, 1.12)
    pen.place(turn=rng.gauss(0, 2), zoom=zoom, shift=(0, 4), mirror=rng.random() < 0.5, wobble=1)
    base = cloth.plain() if look.pattern == "print" else cloth
    trim = cloth.dyed(rng.choice(((250, 248, 244), (246, 200, 120), (150, 200, 220), (240, 160, 180),
        (120, 160, 130))))
    c = upper.Cut(neck=27, shoulder=54, chest=53, waist=55, hem=57, top=-84, length=124, armhole=40, slope=10,
        depth=19)
    upper.back_neck(pen, c, base)
    upper.sleeve(pen, c, base, rng, length=92 if long else 34, width=15 if long else 19,
        angle=26 if long else 46, cuff="rib", cuff_cloth=trim)
    half: list[Point] = [*upper.neckline(c), (c.shoulder, c.top + c.slope, 1), (c.chest - 3, -52),
        (c.chest, c.armpit, 1), (55, 0), (60, 40, 1), (44, 60), (25, 76),
                         (22, 92, 1), (0, 94)]
    folds: list[Fold] = [(s * 54, y, s * 36, y + 4, s * 14, y + 8, 6) for s in (1, -1) for y in (-28, 6, 34)]
    folds += [(s * 20, 86, s * 24, 66, s * 34, 46, 6) for s in (1, -1)]
    body = pen.part(mirrored(half), base, folds=folds, shadow=0.22, puff=1, bulge=4)
    upper.armhole_seams(pen, c, body)
    leg: list[Point] = [(62, 40), (44, 61), (26, 76), (22, 94)]
    pen.lines([leg, flipped(leg)], trim.rgb, 9, 1, inside=body)
    pen.lines([[(x - 3.4, y - 3) for x, y in leg], flipped([(x - 3.4, y - 3) for x, y in leg])], (20, 18, 26),
        0.9, 0.3, inside=body)
    flap: list[Point] = [(-24, 78, 1), (24, 78, 1), (22, 95, 1), (-22, 95, 1)]
    pen.part(flap, trim, puff=0.5, shadow=0.15, drape=0)
    pen.buttons([(-14, 87), (0, 87), (14, 87)], 3.3, (226, 228, 232))
    for s in (1, -1):  # the overlapping shoulders of a baby's top
        lap: list[Point] = [(s * 27, c.top, 1), (s * 46, c.top + 6), (s * 50, c.top + 26)]
        pen.seams([lap], inside=body, alpha=0.45)
    upper.crew_band(pen, c, trim, 6)
    if look.pattern in ("print", "plain"):
        ink = (rng.choice(((222, 90, 100), (60, 130, 180), (240, 170, 70))), (250, 246, 238), (70, 66, 80))
        if luminance(cloth.rgb) < 0.55:
            ink = ((250, 240, 220), (240, 170, 90), (60, 60, 80))
        pen.stamp(motif(rng.choice(CHILD), round(50 * pen.unit), ink, rng.randrange(6)), 0, -10, like=body)
