"""Handbags, clutches, backpacks, suitcases and wallets."""

# outlines are formatted as tables of points:
# fmt: off

from __future__ import annotations

from random import Random

from core.demo.drawing import cloth as cloths
from core.demo.drawing.cloth import RGB, Cloth, contrasting, luminance, scaled
from core.demo.drawing.curves import Point, band, ellipse, mirrored, rectangle
from core.demo.drawing.pen import Fold, Pen
from core.demo.drawing.scene import words
from core.demo.looks import Look

_GOLD: RGB = (212, 178, 96)
_STEEL: RGB = (200, 202, 208)


def _hardware(rng: Random) -> Cloth:
    return cloths.of(rng.choice((_GOLD, _GOLD, _STEEL)), "metal")


def womens_handbags(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    metal = _hardware(rng)
    trim = cloth.plain() if rng.random() < 0.5 else cloths.of(rng.choice(((116, 72, 44), (40, 34, 32),
        (196, 150, 104))), "leather")
    pen.shadow(0, 112, 88, 9, 0.45)
    style = rng.choice((_tote, _satchel, _chain_bag, _bucket, _hobo))
    style(pen, cloth.finished(drape=0.25), trim, metal, rng)


def _tote(pen: Pen, cloth: Cloth, trim: Cloth, metal: Cloth, rng: Random) -> None:
    w, top, bottom = rng.uniform(72, 80), -22.0, 110.0
    lift = rng.uniform(-122, -100)
    for colour, dy in ((trim.shaded(0.7), -8.0), (trim, 0.0)):
        if dy == 0:
            pen.part(mirrored([(0, top - 5), (w - 2, top - 5, 1), (w, top + 4, 1), (0, top + 8)]),
                cloth.shaded(0.5), puff=0.2)
            shape = mirrored([(0, top + 3), (w * 0.6, top + 1), (w, top - 2, 1), (w - 4, 40),
                (w - 9, bottom - 12), (w - 18, bottom, 1), (0, bottom + 2)])
            folds: list[Fold] = [(s * w * 0.5, top + 6, s * 40, top + 44, s * 34, top + 80, 7) for s in (-1,
                1)]
            body = pen.part(shape, cloth, folds=folds, puff=1.0, shadow=0.25, bulge=3)
            pen.seams([[(-w, top + 12), (0, top + 14), (w, top + 12)],
                [(-w, bottom - 26), (0, bottom - 23), (w, bottom - 26)]], inside=body, alpha=0.4)
        handle = band([(-34, top + 26 + dy), (-35, top - 20 + dy), (-26, lift + 16 + dy), (0, lift + dy),
            (26, lift + 16 + dy), (35, top - 20 + dy), (34, top + 26 + dy)], [6.5])
        pen.part(handle, colour, puff=1, shadow=0.25)
    for s in (-1, 1):
        pen.part(rectangle(s * 34 - 5, top + 18, s * 34 + 5, top + 32, 3), trim, puff=0.8, shadow=0.2)
        pen.buttons([(s * 34, top + 22), (s * 34, top + 28)], 1.6, metal.rgb)
    _charm(pen, rng, trim, metal, 34, top + 24)
    pen.stamp(words("VITRINE", max(6, round(7 * pen.unit)), metal.rgb), 0, top + 26)


def _satchel(pen: Pen, cloth: Cloth, trim: Cloth, metal: Cloth, rng: Random) -> None:
    _flapped(pen, cloth, trim, metal, rng, chain=False)


def _chain_bag(pen: Pen, cloth: Cloth, trim: Cloth, metal: Cloth, rng: Random) -> None:
    _flapped(pen, cloth, trim, metal, rng, chain=True)


def _flapped(pen: Pen, cloth: Cloth, trim: Cloth, metal: Cloth, rng: Random, chain: bool) -> None:
    stitch = contrasting(cloth.rgb)
    w, top, bottom = rng.uniform(78, 86), -12.0 if not chain else 4.0, 108.0
    if chain:
        swing: list[Point] = [(-w + 10, top + 8), (-60, -60), (-20, -118), (20, -118), (60, -60),
            (w - 10, top + 8)]
        pen.lines([[(x + 2, y + 3) for x, y in swing]], (40, 36, 40), 4, 0.25, blur=1.0)
        pen.lines([swing], scaled(metal.rgb, 0.6), 5)
        pen.lines([swing], metal.rgb, 4.4, 1, dash=5)
        pen.lines([[(x - 0.8, y - 0.8) for x, y in swing]], (255, 250, 230), 1.4, 0.8, dash=5)
    else:
        pen.part(band([(-36, top + 8), (-38, -44), (-24, -84), (0, -94), (24, -84), (38, -44), (36, top + 8)],
            [8.5]), trim, puff=1.1, shadow=0.3)
    shape = mirrored([(0, top), (w - 14, top + 1), (w - 4, top + 10), (w, 60), (w - 2, bottom - 8),
        (w - 10, bottom, 1), (0, bottom + 2)])
    body = pen.part(shape, cloth, puff=1.2, shadow=0.25)
    flap = mirrored([(0, top - 1), (w - 15, top), (w - 3, top + 10), (w - 2, top + 40),
        (w - 16, top + 62 if chain else top + 52), (0, top + 66 if chain else top + 48)])
    quilted = chain and rng.random() < 0.6
    lid = pen.part(flap, cloth, puff=1.0, shadow=0.35)
    if quilted:
        nets: list[list[Point]] = [[(x, top - 10), (x + d * 120, top + 110)] for x in range(-220, 221,
            20) for d in (-1, 1)]
        pen.seams(nets, inside=body, alpha=0.35)
    pen.lines([[(x * 0.95, top + (y - top) * 0.93, *r) for x, y, *r in flap[3:9]]], stitch, 0.9, 0.6,
        dash=2.2, inside=lid)
    y = top + (64 if chain else 50)
    pen.part(rectangle(-9, y - 9, 9, y + 8, 4), metal, puff=0.8, shadow=0.3)
    pen.part(rectangle(-4, y - 4, 4, y + 4, 2), metal.shaded(0.8), puff=0.6)
    if not chain:
        for s in (-1, 1):
            pen.part(ellipse(s * 36, top + 6, 6, 6), metal, holes=[ellipse(s * 36, top + 6, 3.4, 3.4)],
                puff=0.8, shadow=0.2)
        _charm(pen, rng, trim, metal, -36, top + 10)


def _hobo(pen: Pen, cloth: Cloth, trim: Cloth, metal: Cloth, rng: Random) -> None:
    strap: list[Point] = [(-62, 8), (-66, -40), (-44, -96), (0, -116), (44, -96), (66, -40), (62, 8)]
    pen.part(band(strap, [13, 11, 10, 10, 10, 11, 13]), trim, puff=1, shadow=0.3)
    shape = mirrored([(0, 18), (34, 12), (62, -10, 1), (72, -6), (86, 40), (82, 86), (56, 108), (0, 111)])
    folds: list[Fold] = [(s * 58, 0, s * 46, 40, s * 20, 60, 8) for s in (-1, 1)]
    folds += [(s * 64, 6, s * 66, 50, s * 50, 84, 8) for s in (-1, 1)]
    pen.part(mirrored([(0, 6), (40, 0), (64, -12, 1), (40, 24), (0, 28)]), cloth.shaded(0.55), puff=0.2)
    body = pen.part(shape, cloth, folds=folds, puff=1.25, shadow=0.25)
    pen.lines([[(-60, -4), (-30, 17), (0, 22), (30, 17), (60, -4)]], metal.rgb, 2.4, 1, dash=2, inside=body)
    for s in (-1, 1):
        pen.part(ellipse(s * 64, 0, 9, 9), metal, holes=[ellipse(s * 64, 0, 5.6, 5.6)], puff=0.8, shadow=0.25)


def _bucket(pen: Pen, cloth: Cloth, trim: Cloth, metal: Cloth, rng: Random) -> None:
    bottom = 108.0
    pen.part(band([(-52, -6), (-58, -70), (-30, -116), (0, -122), (30, -116), (58, -70), (52, -6)], [7]),
        trim, puff=1, shadow=0.3)
    shape = mirrored([(0, -14), (30, -18), (56, -16, 1), (62, 20), (72, 70), (70, 100), (60, bottom, 1),
        (0, bottom + 3)])
    folds: list[Fold] = [(t * 13.0, -14, t * 14.5, 10, t * 15.0, 34, 7) for t in range(-4, 5)]
    body = pen.part(shape, cloth, folds=folds, puff=1.25, shadow=0.25)
    pen.buttons([(x, -2) for x in range(-44, 45, 22)], 3.2, metal.rgb)
    pen.lines([[(-54, -2), (0, -1), (54, -2)]], trim.rgb, 3.2)
    for s in (-1, 1):
        pen.lines([[(0, -2), (s * 5, 20), (s * 4, 42)]], trim.rgb, 3)
        pen.part([(s * 4 - 4, 40), (s * 4 + 4, 40), (s * 4 + 6, 62, 1), (s * 4 - 6, 62, 1)], trim, puff=0.8,
            shadow=0.25)
    pen.part([(-90, 84, 1), (90, 84, 1), (90, 120, 1), (-90, 120, 1)], trim, inside=body, like=body)


def _charm(pen: Pen, rng: Random, trim: Cloth, metal: Cloth, x: float, y: float) -> None:
    if rng.random() < 0.5:
        return
    pen.lines([[(x, y), (x + 4, y + 14)]], metal.rgb, 1.6)
    pen.part([(x + 1, y + 14, 1), (x + 7, y + 13, 1), (x + 11, y + 40, 1), (x + 1, y + 41, 1)],
        trim.shaded(0.9), puff=0.8, shadow=0.35)
    pen.part(rectangle(x, y + 12, x + 8, y + 18, 2), metal, puff=0.7)


def clutches(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    """No handle: a small flat bag for the hand, closed by a flap, a frame or a zip."""
    style = rng.choice(("envelope", "frame", "box", "pouch"))
    metal = _hardware(rng)
    shiny = cloth.finished(drape=0.3)
    pen.place(turn=rng.uniform(-7, 7), zoom=rng.uniform(1.0, 1.08), mirror=rng.random() < 0.5)
    w, h = 90.0, rng.uniform(50, 58)
    if rng.random() < 0.4:
        chain: list[Point] = [(-80, -h + 12), (-92, -h - 34), (-40, -h - 60), (30, -h - 44), (60, -h - 64),
            (84, -h - 30), (80, -h + 12)]
        pen.lines([[(x + 2, y + 2.5) for x, y in chain]], (30, 28, 34), 2.6, 0.3, blur=0.8)
        pen.lines([chain], scaled(metal.rgb, 0.65), 2.6)
        pen.lines([chain], metal.rgb, 2.6, 1, dash=3.4)
    if style == "envelope":
        body = pen.part(rectangle(-w, -h, w, h, 5), shiny, puff=0.8, shadow=0.4)
        flap: list[Point] = [(-w - 1, -h + 2, 1), (-w + 5, -h - 1), (w - 5, -h - 1), (w + 1, -h + 2, 1),
            (w - 4, -h + 14), (5, h * 0.36), (0, h * 0.4), (-5, h * 0.36), (-w + 4, -h + 14)]
        pen.part(flap, shiny, puff=0.7, shadow=0.5, drape=0.5)
        pen.part(ellipse(0, h * 0.24, 6, 6), metal, puff=1.1, shadow=0.4)
    elif style == "frame":
        shape = mirrored([(0, -h), (w - 16, -h, 1), (w - 6, -h + 20), (w, 10), (w - 12, h), (0, h + 4)])
        folds: list[Fold] = [(t * 9.5, -h + 8, t * 10.5, -h + 34, t * 11.0, h - 22, 5) for t in range(-7, 8)]
        pen.part(shape, shiny, folds=folds, puff=1.3, shadow=0.4)
        pen.part(mirrored([(0, -h - 6), (w - 14, -h - 6, 1), (w - 12, -h + 5, 1), (0, -h + 5)]), metal,
            puff=1, shadow=0.3)
        for s in (-1, 1):
            pen.part(ellipse(s * 6, -h - 11, 7.5, 7.5), metal, puff=1.2, shadow=0.3)
    elif style == "box":
        pen.part(rectangle(-w, -h, w, h, 12), metal, puff=0.7, shadow=0.45)
        pen.part(rectangle(-w + 5, -h + 5, w - 5, h - 5, 9), shiny, puff=0.9, shadow=0.1)
        pen.lines([[(-w, -6), (0, -6), (w, -6)]], metal.rgb, 3)
        pen.lines([[(-w, -4), (0, -4), (w, -4)]], (40, 30, 20), 0.8, 0.6)
        pen.part(ellipse(0, -7, 9, 9), cloths.of((236, 238, 246), "glass").finished(opacity=1.0), puff=1.4,
            shadow=0.35)
        spark = [(rng.uniform(-w + 10, w - 10), rng.uniform(-h + 9, h - 9)) for _ in range(60)]
        if look.pattern == "plain":
            pen.dots(spark, 0.8, (255, 255, 255), 0.6)
    else:
        body = pen.part(rectangle(-w, -h + 6, w, h, 7), shiny, puff=1.0, shadow=0.4,
            folds=[(s * 60, -h + 10, s * 50, 0, s * 36, 20, 7) for s in (-1, 1)])
        pen.lines([[(-w + 4, -h + 14), (w - 4, -h + 14)]], (20, 18, 20), 4, 0.5)
        pen.lines([[(-w + 4, -h + 14), (w - 4, -h + 14)]], metal.rgb, 2.6, 1, dash=2)
        strap = band([(w - 8, -h + 14), (w + 4, -h + 40), (w - 10, -h + 86), (w - 24, -h + 78),
            (w - 8, -h + 20)], [5.5])
        pen.part(strap, shiny.plain().shaded(0.85), puff=1, shadow=0.35)
        pen.seams([[(-w, h - 8), (w, h - 8)]], inside=body, alpha=0.3)
        pen.stamp(words("V", max(8, round(15 * pen.unit)), metal.rgb), -w * 0.55, h * 0.45)


def backpacks(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    metal: RGB = rng.choice((_GOLD, _STEEL, (60, 60, 64)))
    trim = cloths.of(rng.choice(((44, 44, 50), (128, 84, 52), scaled(cloth.rgb, 0.6))),
        "leather" if look.material != "polyester" else "canvas")
    roll = rng.random() < 0.3 and look.material != "polyester"
    pen.shadow(0, 118, 78, 8, 0.4)
    for s in (-1, 1):
        strap: list[Point] = [(s * 24, -104), (s * 70, -92), (s * 88, -30), (s * 84, 40), (s * 66, 92)]
        pen.part(band(strap, [11, 15, 14, 10, 7]), trim, puff=1, shadow=0.2)
    pen.part(band([(-16, -104), (-14, -126), (0, -132), (14, -126), (16, -104)], [6]), trim, puff=1,
        shadow=0.2)
    shape = mirrored([(0, -116), (34, -112), (58, -92), (66, -52), (70, 40), (68, 96), (56, 116, 1),
        (0, 118)])
    folds: list[Fold] = [(s * 60, -40, s * 48, -20, s * 34, -16, 6) for s in (-1, 1)]
    folds += [(s * 66, 30, s * 60, 10, s * 62, -10, 6) for s in (-1, 1)]
    main = pen.part(shape, cloth.finished(drape=0.4), folds=folds, puff=1.3, shadow=0.25, bulge=4)
    for s in (-1, 1):  # side pockets
        side: list[Point] = [(s * 58, 40, 1), (s * 77, 36), (s * 79, 100), (s * 58, 112, 1)]
        pen.part(side, cloth.plain().shaded(0.8), puff=1, shadow=0.2)
    if roll:
        lid = mirrored([(0, -118), (40, -116), (66, -96), (70, -40), (60, -22), (0, -16)])
        pen.part(lid, cloth.finished(drape=0.4), puff=1.2, shadow=0.45)
        for s in (-1, 1):
            pen.part(band([(s * 30, -40), (s * 30, 0), (s * 30, 34)], [9]), trim, puff=0.8, shadow=0.35)
            pen.part(rectangle(s * 30 - 7, 4, s * 30 + 7, 18, 3), cloths.of(metal, "metal"),
                holes=[rectangle(s * 30 - 4, 7, s * 30 + 4, 15)], puff=0.6)
    else:
        arch: list[Point] = [(-62, 20), (-60, -50), (-50, -88), (-24, -104), (0, -107), (24, -104), (50, -88),
            (60, -50), (62, 20)]
        pen.lines([arch], (18, 18, 22), 5, 0.5, inside=main)
        pen.lines([arch], metal, 2.2, 0.95, dash=1.8, inside=main)
        pen.lines([[(50, -86), (55, -74)], [(49, -84), (51, -72)]], metal, 2.6)
        pen.part(rectangle(-13, -84, 13, -60, 4), trim, puff=0.6, shadow=0.25)
        pen.stamp(words("V", max(8, round(14 * pen.unit)), (245, 240,
            228) if luminance(trim.rgb) < 0.6 else (40, 40, 44)), 0, -72)
    pocket = mirrored([(0, 24), (44, 26), (52, 36), (54, 92), (44, 108), (0, 110)])
    front = pen.part(pocket, cloth.finished(drape=0.3), puff=1.1, shadow=0.4)
    y = 42.0
    pen.lines([[(-48, y - 4), (-40, y), (40, y), (48, y - 4)]], (18, 18, 22), 4.4, 0.5, inside=front)
    pen.lines([[(-48, y - 4), (-40, y), (40, y), (48, y - 4)]], metal, 2, 0.95, dash=1.8, inside=front)
    pen.part([(-2.5, y, 1), (2.5, y, 1), (3.5, y + 16, 1), (-3.5, y + 16, 1)], trim, puff=0.7, shadow=0.3)
    pen.part([(-80, 100, 1), (80, 100, 1), (80, 124, 1), (-80, 124, 1)], trim, inside=main, puff=0.5,
        shadow=0.0) if rng.random() < 0.4 else None


def suitcases(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    hard = rng.random() < 0.7
    metal = cloths.of((196, 198, 204), "metal")
    shell = cloth.finished(gloss=0.55 if hard else 0.1, power=10.0, drape=0.0)
    dark = cloths.of((44, 44, 48), "matt").finished(gloss=0.2)
    w, top, bottom = rng.uniform(58, 66), -62.0, 108.0
    handle_up = rng.random() < 0.75
    pen.place(turn=rng.gauss(0, 0.6), zoom=rng.uniform(1.0, 1.05), mirror=rng.random() < 0.5)
    pen.shadow(0, 121, 72, 8, 0.5)
    lift = -128.0 if handle_up else -78.0
    for s in (-1, 1):
        pen.part(rectangle(s * 20 - 2.4, lift + 6, s * 20 + 2.4, top + 6), metal, puff=1)
    pen.part(rectangle(-28, lift - 2, 28, lift + 9, 4), dark, puff=1.1, shadow=0.2)
    for s in (-1, 1):
        x = s * (w - 14)
        pen.part(rectangle(x - 8, bottom - 4, x + 8, bottom + 6, 2), dark, puff=0.8)
        pen.part(ellipse(x, bottom + 9, 6.5, 6.5), cloths.of((30, 30, 32), "rubber"), puff=1.2, shadow=0.2)
        pen.dots([(x, bottom + 9)], 2.4, (170, 172, 176))
    outline = rectangle(-w, top, w, bottom, 15)
    body = pen.part(outline, shell, puff=1.1, shadow=0.25, fades=[(-w * 0.6, 10, 9, 90, 14)])
    if hard:
        step = rng.choice((13.0, 17.0, 22.0))
        count = int(w / step)
        ribs: list[list[Point]] = [[(k * step, top + 16), (k * step, bottom - 16)] for k in range(-count,
            count + 1)]
        if rng.random() < 0.25:
            ribs = [[(-w + 12, y), (w - 12, y)] for y in range(int(top) + 20, int(bottom) - 14, 16)]
        pen.lines(ribs, (10, 10, 16), 2.6, 0.4, inside=body, blur=0.7)
        pen.lines([[(x - 2.6, y - 1) for x, y in rib] for rib in ribs], (255, 255, 255), 2.2, 0.3,
            inside=body, blur=0.6)
        pen.lines([[(-w, top + 20), (-w + 8, top + 4)]], (0, 0, 0), 1, 0.2)
    else:
        for y0, y1 in ((-44.0, 6.0), (18.0, 96.0)):
            pocket = pen.part(rectangle(-w + 9, y0, w - 9, y1, 9), shell, puff=0.9, shadow=0.3)
            pen.lines([[(-w + 14, y0 + 10), (w - 14, y0 + 10)]], (16, 16, 20), 4, 0.6, inside=pocket)
            pen.lines([[(-w + 14, y0 + 10), (w - 14, y0 + 10)]], metal.rgb, 1.8, 0.95, dash=1.8,
                inside=pocket)
    corner = cloth.shaded(0.7).finished(drape=0.0)
    for sx in (-1, 1):
        for y in (top, bottom):
            sy = 1 if y == top else -1
            guard: list[Point] = [(sx * (w + 2), y - sy * 2, 1), (sx * (w - 22), y - sy * 2, 1),
                (sx * (w - 14), y + sy * 14), (sx * (w + 2), y + sy * 22, 1)]
            pen.part(guard, corner, inside=body, puff=0.9, shadow=0.0)
    pen.part(band([(-17, top - 1), (-15, top - 9), (0, top - 11), (15, top - 9), (17, top - 1)], [6]), dark,
        puff=1, shadow=0.3)
    pen.part(rectangle(-11, top + 8, 11, top + 15, 2), metal, puff=0.6, shadow=0.2)
    pen.stamp(words("VITRINE", max(6, round(6 * pen.unit)), (250, 250,
        250) if luminance(cloth.rgb) < 0.6 else (60, 60, 64)), 0, top + 24)


def wallets(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    """Bi-fold, long, or open with cards and notes showing."""
    style = rng.choice(("open", "closed", "long"))
    hide = cloth.finished(drape=0.25)
    stitch = contrasting(cloth.rgb)
    metal = _hardware(rng)
    pen.place(turn=rng.uniform(-9, 9), zoom=rng.uniform(0.98, 1.05), mirror=rng.random() < 0.5)
    if style == "open":
        pen.part(rectangle(-92, -44, 92, 66, 7), hide.shaded(0.8), puff=0.7, shadow=0.45)
        for k, (rgb, dx) in enumerate((((150, 190, 150), 5), ((196, 170, 150), -3))):
            note = cloths.of(rgb, "matt")
            pen.part(rectangle(-84 + dx, -62 + 7 * k, 82 + dx, -20, 1), note, puff=0.1, shadow=0.15)
            pen.lines([[(-78 + dx, -57 + 7 * k), (76 + dx, -57 + 7 * k)]], scaled(rgb, 0.7), 1.2)
        pen.part(rectangle(-92, -38, 92, 66, 7), hide, puff=0.7, shadow=0.3)
        for k in range(3):
            y = -24 + 17 * k
            card: RGB = rng.choice(((236, 236, 240), (214, 176, 90), (70, 110, 180), (60, 60, 66),
                (190, 70, 70)))
            pen.part(rectangle(12, y, 80, y + 30, 4), cloths.of(card, "matt").finished(gloss=0.2), puff=0.2,
                shadow=0.25)
            pen.part([(6, y + 10, 1), (86, y + 10, 1), (86, y + 40, 1), (6, y + 40, 1)], hide, puff=0.25,
                shadow=0.3, drape=0)
        pen.part(rectangle(8, 42, 86, 61, 3), hide, puff=0.3, shadow=0.2)
        window = rectangle(-80, -18, -16, 44, 4)
        pen.part(window, hide.shaded(0.85), puff=0.3, shadow=0.15)
        pen.part(rectangle(-74, -10, -22, 38, 3), cloths.of((214, 222, 228), "glass"), puff=0.2)
        pen.lines([[(0, -38), (0, 66)]], (10, 8, 8), 2.6, 0.5, blur=0.6)
        pen.lines([[(-88, -34, 1), (-88, 62, 1), (88, 62, 1), (88, -34, 1)]], stitch, 1, 0.8, dash=2.4)
        return
    w, h = (66.0, 52.0) if style == "closed" else (94.0, 48.0)
    pen.part(rectangle(-w, -h + 4, w, h + 5, 7), hide.shaded(0.62), puff=0.6, shadow=0.5)
    for k, rgb in enumerate(((240, 236, 226), (226, 222, 212))):
        pen.part(rectangle(-w + 5, h - 6 + k * 2, w - 4, h + 2 + k * 1.5, 1), cloths.of(rgb, "matt"),
            puff=0.1)
    body = pen.part(rectangle(-w, -h, w, h, 8), hide, puff=0.85, shadow=0.2,
        folds=[(-w + 7, -h + 6, -w + 5, 0, -w + 7, h - 6, 5)] if style == "closed" else ())
    frame: list[Point] = [(-w + 5, -h + 5, 1), (w - 5, -h + 5, 1), (w - 5, h - 5, 1), (-w + 5, h - 5, 1),
        (-w + 5, -h + 5, 1)]
    pen.lines([frame], stitch, 1, 0.85, dash=2.6, inside=body)
    if style == "long":
        if rng.random() < 0.5:  # a zip around
            edge: list[Point] = [(-w + 1, -h + 9), (-w + 8, -h + 1), (w - 8, -h + 1), (w - 1, -h + 9),
                (w - 1, h - 8)]
            pen.lines([edge], metal.rgb, 3, 1, dash=1.8, inside=body)
            pen.part([(w - 4, h - 12, 1), (w + 3, h - 12, 1), (w + 5, h + 14), (w - 5, h + 14)],
                hide.shaded(0.85), puff=0.8, shadow=0.4)
        else:
            pen.part([(-w, -h, 1), (w, -h, 1), (w, 4), (w - 8, 10), (-w + 8, 10), (-w, 4)], hide, inside=None,
                puff=0.6, shadow=0.4)
            pen.part(ellipse(0, 2, 5.5, 5.5), metal, puff=1.1, shadow=0.3)
    else:
        tab: list[Point] = [(w - 24, -11, 1), (w + 5, -11, 1), (w + 6, 11, 1), (w - 24, 11, 1), (w - 30, 0)]
        if rng.random() < 0.6:
            pen.part(tab, hide.shaded(0.9), puff=0.7, shadow=0.4)
            pen.part(ellipse(w - 18, 0, 5, 5), metal, puff=1.1, shadow=0.25)
    pen.stamp(words("vitrine", max(6, round(8 * pen.unit)), scaled(cloth.rgb,
        0.55) if luminance(cloth.rgb) > 0.25 else (150, 146, 140)), -w * 0.5 if style == "closed" else 52,
        h - 18)
