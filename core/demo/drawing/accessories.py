"""Belts, headwear, scarves, gloves, umbrellas and ties."""

# outlines are formatted as tables of points:
# fmt: off

from __future__ import annotations

from itertools import pairwise
from math import cos, pi, sin
from random import Random

from core.demo.drawing import cloth as cloths
from core.demo.drawing.cloth import RGB, Cloth, contrasting, luminance, mixed, scaled
from core.demo.drawing.curves import Point, band, ellipse, mirrored, rectangle
from core.demo.drawing.motifs import motif
from core.demo.drawing.pen import Fold, Pen
from core.demo.looks import Look


def mens_ties(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    """Knotted, or rolled loosely with the knot on top; the pattern runs slantwise."""
    pen.place(turn=rng.uniform(-4, 4), zoom=rng.uniform(1.0, 1.06), mirror=rng.random() < 0.5, wobble=0.6)
    lean = 45.0 if look.pattern == "stripes" else 0.0
    silk = cloth.finished(drape=0.3)
    wide = rng.uniform(19, 25)
    if rng.random() < 0.55:
        collar = cloths.of(rng.choice(((248, 249, 252), (220, 230, 246), (240, 236, 230))), "cotton")
        if rng.random() < 0.5:  # tied around a shirt's collar
            pen.part(mirrored([(0, -132), (40, -124), (54, -106), (84, -92), (92, -30), (80, 60, 1),
                (0, 70)]), collar, puff=0.8, shadow=0.15)
            pen.lines([[(0, -90), (0, 70)]], (150, 154, 164), 1, 0.5)
            shirt = True
        else:
            shirt = False
            loop: list[Point] = [(-9, -96), (-38, -116), (-30, -130), (0, -134), (30, -130), (38, -116),
                (9, -96)]
            pen.part(band(loop, [13, 12, 10, 10, 10, 12, 13]), silk, puff=0.9, shadow=0.25, grain=70)
        back: list[Point] = [(-6, -84, 1), (8, -84, 1), (15, 96), (5, 108, 1), (-5, 98)]
        pen.part(back, silk.shaded(0.75), puff=0.6, shadow=0.25)
        blade: list[Point] = [(-8, -84, 1), (8, -84, 1), (12, -30), (wide, 86, 1), (0, 126, 1),
            (-wide, 86, 1), (-12, -30)]
        pen.part(blade, silk, puff=0.8, shadow=0.35, grain=lean, folds=[(0, -84, 2, -60, 1, -30, 6),
            (-5, -84, -6, -66, -8, -46, 4)])
        pen.part([(-15, -106, 1), (15, -106, 1), (9, -82, 1), (-9, -82, 1)], silk, puff=1.1, shadow=0.3,
            grain=lean - 80)
        if shirt:
            for s in (1, -1):
                leaf: list[Point] = [(s * 6, -124), (s * 40, -128), (s * 46, -112), (s * 38, -74, 1),
                    (s * 2, -106, 1)]
                pen.part(leaf, collar, puff=0.5, shadow=0.35)
    else:  # folded once, both ends hanging
        back = [(14, -128, 1), (44, -128, 1), (44, 40), (30, 66, 1), (16, 40)]
        pen.part([(p[0], p[1], *p[2:]) for p in back], silk, puff=0.7, shadow=0.3, grain=lean)
        blade = [(-22, -128, 1), (26, -128, 1), (18, 20), (12, 92, 1), (-12, 126, 1), (-36, 92, 1), (-30, 10)]
        pen.part(blade, silk, puff=0.8, shadow=0.4, grain=lean)
        fold: list[Point] = [(-23, -130), (10, -136), (44, -130), (45, -122, 1), (10, -126), (-23, -122, 1)]
        pen.part(fold, silk, puff=1, shadow=0.2, grain=lean)


def _belt(pen: Pen, look: Look, cloth: Cloth, rng: Random, wide: float, metal_rgb: RGB, ornate: bool) -> None:
    """Coiled with its buckle in front, or laid in a curve."""
    strap = cloth.finished(drape=0.1)
    metal = cloths.of(metal_rgb, "metal")
    stitch = contrasting(cloth.rgb)
    pen.place(turn=rng.uniform(-5, 5), zoom=rng.uniform(0.95, 1.02), mirror=rng.random() < 0.5)
    if rng.random() < 0.6:  # coiled, seen from a little above
        inner = strap.shaded(0.62)
        y = 0.0
        for k in range(3):
            rx, ry, dy = 82 - k * 9, 42 - k * 8, -k * 1.5
            back: list[Point] = [(-rx, y + dy), (-rx * 0.7, y - ry * 0.72 + dy), (0, y - ry + dy),
                (rx * 0.7, y - ry * 0.72 + dy), (rx, y + dy)]
            pen.part([*back, *[(px, py + wide, *r) for px, py, *r in reversed(back)]],
                inner if k < 2 else strap.shaded(0.8), puff=0.4, shadow=0.2)
        for k in (2, 1, 0):
            rx, ry = 82 - k * 9, 42 - k * 8
            front: list[Point] = [(-rx, y), (-rx * 0.7, y + ry * 0.72), (0, y + ry),
                (rx * 0.7, y + ry * 0.72), (rx, y)]
            part = pen.part([*front, *[(px, py + wide, *r) for px, py, *r in reversed(front)]],
                strap if k == 0 else strap.shaded(0.75), puff=0.5, shadow=0.25)
            if k == 0:
                edges: list[list[Point]] = [[(px, py + d) for px, py in front] for d in (3.0, wide - 3.0)]
                pen.lines(edges, stitch, 1, 0.75, dash=3, inside=part)
        bx, by = -14.0, y + 41 + wide / 2
    else:  # a long S across the picture
        line: list[Point] = [(-92, 60), (-60, 10), (-20, 12), (10, 44), (50, 48), (86, 4), (70, -50),
            (24, -74), (-30, -74), (-72, -66)]
        part = pen.part(band(line, [wide]), strap, puff=0.45, shadow=0.4)
        for d in (-wide / 2 + 3, wide / 2 - 3):
            edge = band(line, [abs(d) * 2])
            half = len(line)
            pen.lines([edge[:half] if d > 0 else edge[half:]], stitch, 1, 0.7, dash=3, inside=part)
        holes: list[Point] = [(-88 + 8 * k, 54 - 12.5 * k + k * k * 0.6) for k in range(4)]
        pen.dots(holes, 2.0, (20, 16, 14), 0.9)
        bx, by = -76.0, -66.0
    h = wide / 2 + 7
    round_ = ornate and rng.random() < 0.5
    if round_:
        pen.part(ellipse(bx, by, h + 6, h + 4), metal, holes=[ellipse(bx, by, h - 3, h - 5)], puff=1,
            shadow=0.4)
    else:
        pen.part(rectangle(bx - h - 3, by - h, bx + h + 1, by + h, 5), metal,
            holes=[rectangle(bx - h + 3, by - h + 6, bx + h - 5, by + h - 6, 2)], puff=0.9, shadow=0.4)
    pen.lines([[(bx - h + 2, by), (bx + h, by)]], metal_rgb, 4)
    pen.lines([[(bx - h + 2, by - 1), (bx + h, by - 1)]], (255, 255, 250), 1.2, 0.6)
    keeper = bx + h + 16
    if ornate:
        pen.dots([(bx + h * cos(a * pi / 6), by + h * sin(a * pi / 6)) for a in range(12)], 1.2,
            (255, 255, 255), 0.8) if round_ else None
    pen.part(rectangle(keeper - 5, by - wide / 2 - 2 + (2 if by > 0 else -6), keeper + 5,
        by + wide / 2 + 2 + (0 if by > 0 else -6), 2), strap.shaded(0.85), puff=0.9, shadow=0.35)


def womens_belts(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    _belt(pen, look, cloth, rng, rng.choice((13.0, 17.0, 24.0)), rng.choice(((212, 178, 96), (212, 178, 96),
        (226, 180, 160))), True)


def mens_belts(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    _belt(pen, look, cloth, rng, rng.uniform(27, 32), rng.choice(((196, 198, 204), (150, 152, 158),
        (180, 150, 96))), False)


def hats(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    """A brim all around, a pinched or round crown, a ribbon."""
    pen.place(turn=rng.uniform(-9, 9), zoom=rng.uniform(1.0, 1.05), mirror=rng.random() < 0.5, shift=(0, 6))
    straw = look.material == "straw"
    wide = rng.choice((78.0, 92.0, 96.0))
    deep = 22.0 if wide < 80 else 30.0
    pinched = rng.random() < 0.6
    ribbon = cloths.of(rng.choice(((36, 34, 38), (120, 30, 44), (240, 236, 226), (60, 80, 120),
        (110, 76, 50))), "satin")
    y = 22.0
    droop = rng.uniform(0, 12)
    brim: list[Point] = [(-wide, y + droop), (-60, y - deep * 0.55), (0, y - deep * 0.75),
        (60, y - deep * 0.55), (wide, y + droop), (64, y + deep * 0.85), (0, y + deep * 1.1),
        (-64, y + deep * 0.85)]
    pen.part(brim, cloth, puff=0.7, shadow=0.45, bulge=8, folds=[(s * wide * 0.9, y + 4, s * 60, y + 14,
        s * 30, y + 20, 7) for s in (-1, 1)])
    top = y - rng.uniform(70, 86)
    w = 46.0
    if pinched:
        crown: list[Point] = [(-w, y + 2, 1), (-w + 3, top + 30), (-w + 12, top + 6), (-16, top - 3),
            (0, top + 6), (16, top - 3), (w - 12, top + 6), (w - 3, top + 30), (w, y + 2, 1), (24, y + 12),
            (-24, y + 12)]
        folds: list[Fold] = [(-18, top + 6, -10, top + 16, -4, top + 34, 11),
            (14, top + 4, 10, top + 16, 5, top + 34, 11), (-30, top + 12, -26, top + 26, -20, top + 34, 7),
            (30, top + 12, 26, top + 26, 20, top + 34, 7)]
    else:
        crown = [(-w, y + 2, 1), (-w + 3, top + 30), (-28, top + 2), (0, top - 4), (28, top + 2),
            (w - 3, top + 30), (w, y + 2, 1), (24, y + 12), (-24, y + 12)]
        folds = []
    pen.shadow(8, y + 8, w + 8, 12, 0.4)
    body = pen.part(crown, cloth, puff=1.4, folds=folds, bulge=6)
    stripe: list[Point] = [(-w - 2, y - 16, 1), (-24, y - 8), (0, y - 6), (24, y - 8), (w + 2, y - 16, 1),
        (w + 2, y + 2), (24, y + 12), (0, y + 14), (-24, y + 12), (-w - 2, y + 2)]
    pen.part(stripe, ribbon, inside=body, puff=0.6, shadow=0.1)
    if rng.random() < 0.6:
        x, by = w - 10, y - 6
        for dy in (-5, 5):
            pen.part([(x, by), (x + 8, by + dy - 5), (x + 14, by + dy * 1.6), (x + 8, by + dy + 4)], ribbon,
                puff=0.8, shadow=0.3)
        pen.part(rectangle(x - 4, by - 6, x + 3, by + 6, 2), ribbon, puff=0.9, shadow=0.25)
    if straw:
        pen.lines([[(-wide + 2, y + droop + 1), (-64, y + deep * 0.82), (0, y + deep * 1.06),
            (64, y + deep * 0.82), (wide - 2, y + droop + 1)]], scaled(cloth.rgb, 0.72), 2.2, 0.6)


def caps(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    """A baseball cap, three-quarter view, the peak to the right."""
    pen.place(turn=rng.uniform(-6, 4), zoom=rng.uniform(0.95, 1.01), mirror=rng.random() < 0.5, shift=(0, 4))
    base = cloth.plain() if look.pattern == "print" else cloth
    stiff = base.finished(drape=0.15)
    peak_cloth = stiff if rng.random() < 0.6 else cloth.dyed(rng.choice(((40, 42, 52), (226, 62, 76),
        (248, 246, 240), (40, 70, 130))))
    pen.shadow(6, 52, 92, 12, 0.35)
    dome: list[Point] = [(-80, 38, 1), (-86, 2), (-74, -38), (-40, -66), (-4, -72), (34, -58), (56, -26),
        (63, 10), (62, 34, 1), (0, 42)]
    body = pen.part(dome, stiff, puff=1.4, shadow=0.2, bulge=5)
    pen.part(band([(-82, 36), (-40, 41), (0, 42), (62, 33)], [9]), stiff, inside=body, puff=0.5, tone=-6)
    seam: list[list[Point]] = [[(-8, -70), (18, -40), (26, 24)], [(-8, -70), (-36, -44), (-44, 26)],
        [(-8, -70), (-66, -42), (-80, 4)], [(-8, -70), (44, -46), (58, 0)]]
    pen.seams(seam, inside=body, alpha=0.4)
    pen.buttons([(-8, -71)], 4.2, peak_cloth.rgb)
    pen.dots([(-2, -40), (-30, -44), (38, -34)], 1.8, scaled(cloth.rgb, 0.5), 0.8)
    peak: list[Point] = [(-22, 40, 1), (6, 27), (38, 19), (64, 22, 1), (86, 32), (105, 50), (104, 60),
        (84, 62), (48, 58), (10, 52)]
    pen.part([(x * 0.97, y + 5, *r) for x, y, *r in peak], stiff.shaded(0.4), puff=0.2)
    part = pen.part(peak, peak_cloth.finished(drape=0.1), puff=0.9, shadow=0.4, fades=[(44, 30, 30, 10, 10)])
    rows: list[list[Point]] = [[(-10 + k * 6, 44 + k * 1.2), (20 + k * 8, 34 + k * 3),
        (56 + k * 7, 28 + k * 5), (84 + k * 4, 40 + k * 4), (98, 56 + k)] for k in range(4)]
    pen.lines(rows, scaled(peak_cloth.rgb, 0.6) if luminance(peak_cloth.rgb) > 0.3 else (110, 110, 118), 0.8,
        0.6, dash=2, inside=part)
    ink = contrasting(cloth.rgb) if rng.random() < 0.5 else rng.choice(((248, 246, 240), (226, 62, 76),
        (250, 206, 80)))
    if abs(luminance(ink) - luminance(cloth.rgb)) < 0.2:
        ink = (248, 246, 240) if luminance(cloth.rgb) < 0.5 else (50, 52, 62)
    name = rng.choice(("star", "circle", "mountain", "word", "number", "palm", "wave"))
    if look.pattern == "print" or rng.random() < 0.5:
        pen.stamp(motif(name, round(34 * pen.unit), (ink, cloth.rgb, ink), rng.randrange(8)), 6, -14,
            like=body)


def beanies(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    pen.place(turn=rng.uniform(-7, 7), zoom=rng.uniform(1.0, 1.08), mirror=rng.random() < 0.5, shift=(0, 12),
        wobble=1.2)
    pom = rng.random() < 0.5
    tall = rng.uniform(-84, -70)
    dome: list[Point] = [(0, tall), (30, tall + 6), (58, tall + 38), (66, 0), (66, 34, 1), (0, 42)]
    folds: list[Fold] = [(t * 12.0, 30, t * 12.5, -20, t * 3.0, tall + 8, 7) for t in range(-5, 6)]
    pen.part(mirrored(dome), cloth, folds=folds, puff=1.5, shadow=0.35, bulge=-8)
    turn = cloth.plain().textured("rib", 0.6)
    if rng.random() < 0.35:
        turn = turn.dyed(contrasting(cloth.rgb))
    deep = rng.uniform(34, 42)
    cuff = mirrored([(0, 26), (40, 23), (68, 14, 1), (71, 14 + deep * 0.5), (68, 14 + deep, 1),
        (40, 23 + deep), (0, 27 + deep)])
    pen.part(cuff, turn, puff=1.1, shadow=0.4, drape=0.4)
    if pom:
        fur = cloths.of(rng.choice((cloth.rgb, (236, 230, 220), (120, 96, 80), (60, 58, 62))),
            "fleece").finished(fuzz=2.4)
        ball = [(cos(k * pi / 7) * (27 + 2.5 * (k % 2)),
            tall - 14 + sin(k * pi / 7) * (25 + 2.5 * (k % 2))) for k in range(14)]
        pen.part(ball, fur, puff=1.4, shadow=0.3)
    else:
        pen.part(ellipse(0, tall + 2, 8, 4), cloth.plain().shaded(0.85), puff=0.8)
        if rng.random() < 0.6:
            pen.part(rectangle(20, 34, 46, 52, 2), cloths.of(rng.choice(((126, 84, 52), (40, 40, 44),
                (230, 226, 216))), "leather"), puff=0.5, shadow=0.25)


def _fringe(pen: Pen, cloth: Cloth, x0: float, x1: float, y0: float, y1: float, length: float,
        rng: Random) -> None:
    count = max(4, int(abs(x1 - x0) / 3.4))
    strands: list[list[Point]] = []
    for k in range(count + 1):
        t = k / count
        x, y = x0 + (x1 - x0) * t, y0 + (y1 - y0) * t
        strands.append([(x, y - 2), (x + rng.uniform(-1, 1), y + length * 0.5),
            (x + rng.uniform(-2.5, 2.5), y + length * rng.uniform(0.9, 1.1))])
    pen.lines(strands, scaled(cloth.rgb, 0.7), 2.0, 0.9)
    pen.lines([[(x - 0.5, y) for x, y in s] for s in strands[::2]], cloth.rgb, 1.2, 0.9)


def scarves(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    pen.place(turn=rng.uniform(-3, 3), zoom=rng.uniform(1.0, 1.06), mirror=rng.random() < 0.5, wobble=1.4)
    soft = cloth.finished(opacity=max(0.86, cloth.finish.opacity), drape=0.8)
    style = rng.choice(("loop", "loop", "folded")) if look.material != "sheer" else rng.choice(("loop",
        "square"))
    if style == "square":
        pen.place(turn=rng.uniform(-6, 6), zoom=1.0)
        body = pen.part([(-84, -86, 1), (0, -82), (85, -84, 1), (82, 0), (84, 84, 1), (0, 82), (-85, 85, 1),
            (-82, 0)], soft, puff=0.25, shadow=0.35, drape=1.5)
        edge = scaled(cloth.rgb, 0.6) if luminance(cloth.rgb) > 0.4 else mixed(cloth.rgb, (255, 250, 240),
            0.5)
        pen.lines([[(-76, -77, 1), (77, -76, 1), (76, 76, 1), (-77, 77, 1), (-76, -77, 1)]], edge, 7, 0.85,
            inside=body)
        pen.part([(84, 84, 1), (84, 20, 1), (30, 62), (20, 84, 1)], soft.shaded(0.8), puff=0.6, shadow=0.4)
        return
    if style == "folded":
        fringe = look.material != "sheer"
        for k, (dx, low) in enumerate(((12.0, 96.0), (-8.0, 78.0))):
            w = 50.0
            shape = [(-w + dx, -112, 1), (w + dx, -112, 1), (w + dx + 2, 0), (w + dx, low, 1),
                (-w + dx, low, 1), (-w + dx - 2, 0)]
            if fringe:
                _fringe(pen, cloth, -w + dx + 2, w + dx - 2, low, low, 24, rng)
            pen.part(shape, soft, puff=0.6, shadow=0.35, tone=-8 if k == 0 else 0,
                     folds=[(dx + t * 20, low, dx + t * 18, 40, dx + t * 22, -40, 7) for t in (-1.6, 0.2,
                1.5)])
        pen.part([(-58, -110), (0, -120), (62, -110), (63, -96), (0, -102), (-58, -96)], soft, puff=1,
            shadow=0.25, grain=10)
        return
    ends = ((-26.0, 112.0, -9.0), (24.0, 92.0, 8.0))
    for x, low, lean in ends:
        w = 23.0
        if look.material != "sheer":
            _fringe(pen, cloth, x + lean - w - 3, x + lean + w + 3, low, low, 19, rng)
        tail: list[Point] = [(x - w + 6, -40, 1), (x + w - 6, -40, 1), (x + lean * 0.5 + w, 30),
            (x + lean + w + 4, low, 1), (x + lean - w - 4, low, 1), (x + lean * 0.5 - w, 30)]
        folds: list[Fold] = [(x + t * 8, -36, x + lean * 0.5 + t * 12, 20, x + lean + t * 14, low,
            7) for t in (-1, 0.1, 1)]
        pen.part(tail, soft, folds=folds, puff=0.8, shadow=0.35, grain=lean * 0.6)
    rings = ((-52.0, 60.0, 30.0), (-74.0, 66.0, 25.0)) if rng.random() < 0.7 else ((-60.0, 64.0, 36.0),)
    pen.part(ellipse(0, -84, 56, 20), soft.shaded(0.5), puff=0.3)
    for y, w, h in rings:
        roll: list[Point] = [(-w, y - 26), (-w * 0.6, y - 8), (0, y), (w * 0.6, y - 8), (w, y - 26),
            (w + 4, y - 4), (w * 0.62, y + h * 0.8), (0, y + h), (-w * 0.62, y + h * 0.8), (-w - 4, y - 4)]
        folds = [(-w * 0.95, y - 16 + 9 * k, 0, y + 14 + 7 * k, w * 0.95, y - 18 + 9 * k,
            6) for k in range(3)]
        pen.part(roll, soft, folds=folds, puff=1.2, shadow=0.45, bulge=14,
            grain=rng.choice((0, 90)) if look.pattern == "stripes" else 0)
    if rng.random() < 0.6:
        knot: list[Point] = [(-20, -36), (0, -48), (26, -36), (28, -10), (4, 2), (-20, -10)]
        pen.part(knot, soft, puff=1.3, shadow=0.4, folds=[(-14, -34, 0, -22, 18, -12, 6),
            (-12, -22, 0, -12, 12, -6, 5)], grain=60)


def gloves(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    knit = look.material == "knit"
    mitten = knit and rng.random() < 0.25
    rib = cloth.plain().textured("rib", 0.7) if knit else cloth.shaded(0.85)
    lining = cloths.of((236, 228, 216), "fleece")
    lean = rng.uniform(4, 9)
    for s, dx, dy in ((-1, -40.0, rng.uniform(-8, 0)), (1, 40.0, rng.uniform(0, 10))):
        pen.place(turn=s * lean, zoom=rng.uniform(1.05, 1.06), shift=(dx, dy), mirror=s > 0, wobble=0.5)
        thumb: list[Point] = [(20, 44), (30, 22), (42, -10), (50, -24), (59, -18), (56, 4), (44, 36),
            (28, 66)]
        pen.part(thumb, cloth, puff=1.3, shadow=0.35, grain=-25)
        if mitten:
            shape: list[Point] = [(-30, 70, 1), (-33, 10), (-32, -60), (-16, -94), (8, -96), (26, -66),
                (28, 0), (26, 70, 1)]
            pen.part(shape, cloth, puff=1.3, shadow=0.35)
        else:
            for x, top, w, tilt in ((-26.0, -58.0, 7.6, -5.0), (-9.5, -92.0, 8.2, -1.5),
                    (8.0, -98.0, 8.4, 1.5), (24.0, -82.0, 8.0, 5.0)):
                finger: list[Point] = [(x - w, 0, 1), (x - w + tilt * 0.6, top * 0.5),
                    (x - w + tilt + 1, top + 10), (x + tilt, top), (x + w + tilt - 1, top + 10),
                    (x + w + tilt * 0.6, top * 0.5), (x + w, 0, 1)]
                pen.part(finger, cloth, puff=1.3, shadow=0.3, grain=tilt)
            palm: list[Point] = [(-34, -14, 1), (-17, -22), (0, -24), (17, -24), (33, -16, 1), (35, 20),
                (28, 72, 1), (-28, 72, 1), (-35, 20)]
            pen.part(palm, cloth, puff=1.2, soften=0.6)
        if not knit:
            pen.seams([[(x, -12), (x * 0.9, 34)] for x in (-16, 0, 16)], alpha=0.45)
            pen.part(band([(-30, 66), (0, 69), (30, 66)], [7]), rib, puff=0.9, shadow=0.2)
            pen.buttons([(22, 66)], 3, (206, 180, 110))
            pen.part(mirrored([(0, 92), (31, 90, 1), (32, 102, 1), (0, 105)]), lining, puff=0.9)
            pen.part(mirrored([(0, 68), (29, 66, 1), (32, 94, 1), (0, 97)]), cloth, puff=0.9)
        else:
            pen.part(mirrored([(0, 64), (28, 62, 1), (32, 104, 1), (0, 107)]), rib, puff=1, shadow=0.25)


def umbrellas(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    """Open from the side, or furled."""
    wood = cloths.of(rng.choice(((150, 96, 56), (60, 44, 36), (40, 40, 44))), "wood")
    metal = (168, 170, 176)
    tight = cloth.finished(gloss=0.22, drape=0.15)
    if rng.random() < 0.22:  # furled
        pen.place(turn=rng.uniform(14, 26), zoom=1.02, mirror=rng.random() < 0.5)
        pen.lines([[(0, -128), (0, -108)]], metal, 3)
        pen.part([(-3, -112), (0, -116), (3, -112), (14, -20), (15, 44), (8, 58, 1), (-8, 58, 1), (-15, 44),
            (-14, -20)], tight, puff=0.8, tone=8, shadow=0.4,
                 folds=[(-2, -106, 6, -30, 10, 50, 6), (2, -106, -8, -20, -6, 52, 6)])
        pen.part(rectangle(-15, 20, 15, 27, 2), tight.shaded(0.7), puff=0.8, shadow=0.2)
        pen.part(band([(0, 56), (0, 96), (2, 116), (14, 126), (26, 120), (28, 106)], [7]), wood, puff=1.2,
            shadow=0.35)
        return
    pen.place(turn=rng.uniform(-16, 16), zoom=rng.uniform(0.98, 1.04), mirror=rng.random() < 0.5,
        shift=(0, 4))
    top, edge = -84.0, -8.0
    pen.part(rectangle(-2, top - 18, 2, top + 4), cloths.of(metal, "metal"), puff=1)
    pen.part(rectangle(-1.7, -30, 1.7, 92), cloths.of(metal, "metal"), puff=1, shadow=0.2)
    ribs = (-97.0, -66.0, -24.0, 24.0, 66.0, 97.0)
    under: list[Point] = [(-97, edge), (-60, edge - 22), (0, edge - 28), (60, edge - 22), (97, edge),
        (50, edge - 2), (0, edge + 2), (-50, edge - 2)]
    pen.part(under, tight.shaded(0.45), puff=0.2)
    pen.lines([[(0, edge + 34), (x * 0.6, edge - 8)] for x in (-80.0, -30.0, 30.0, 80.0)], metal, 1.2, 0.9)
    for a, b in pairwise(ribs):
        middle = (a + b) / 2
        lift = 9.0 if abs(middle) < 60 else 6.0

        def along(x: float, t: float) -> Point:
            return (x * sin(t * pi / 2) ** 0.92, top + (edge - top) * (1 - cos(t * pi / 2)))

        gore: list[Point] = [(0, top, 1), along(a, 0.35), along(a, 0.7), (*along(a, 1.0), 1),
            (middle, edge - lift), (*along(b, 1.0), 1), along(b, 0.7), along(b, 0.35)]
        pen.part(gore, tight, puff=0.5, tone=-abs(middle) * 0.08 + (16 if middle < 0 else 4),
            grain=middle * 0.3, shadow=0.0)
    pen.part(ellipse(0, top + 1, 5, 4), tight.shaded(0.7), puff=1)
    pen.part(band([(0, 84), (0, 100), (3, 116), (14, 124), (25, 118), (27, 104)], [7]), wood, puff=1.2,
        shadow=0.3)
