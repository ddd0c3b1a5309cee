"""Dresses, evening dresses, girls' dresses and jumpsuits."""

# outlines are formatted as tables of points:
# fmt: off

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from core.demo.drawing import cloth as cloths
from core.demo.drawing import scene, upper
from core.demo.drawing.bottoms import Legs, leg_folds
from core.demo.drawing.cloth import Cloth, contrasting, luminance, scaled
from core.demo.drawing.curves import Point, flipped, mirrored
from core.demo.drawing.motifs import CHILD, motif
from core.demo.drawing.pen import Fold, Part, Pen
from core.demo.looks import Look


@dataclass(frozen=True)
class Gown:
    """Half widths and heights of a dress from its shoulders to its hem."""

    top: float = -118
    shoulder: float = 46
    neck: float = 22
    depth: float = 30
    bust: float = 40
    waist: float = 31
    waist_y: float = -30
    hem: float = 64
    bottom: float = 116
    neckline: str = "crew"
    straps: float = 0  # width of the straps; 0 for a bodice with shoulders
    strapless: bool = False

    def cut(self) -> upper.Cut:
        return upper.Cut(neck=self.neck, shoulder=self.shoulder, slope=11, chest=self.bust, waist=self.waist,
            top=self.top,
                         hem=self.waist, armhole=37, length=self.waist_y - self.top, depth=self.depth,
            neckline=self.neckline)


def _bodice_top(g: Gown) -> list[Point]:
    """From the middle of the neckline to the armpit."""
    pit = g.top + 50
    if g.strapless:
        return [(0, pit - 4, 1), (g.bust * 0.5, pit - 14), (g.bust - 1, pit - 6, 1)]
    if g.straps:
        x, s = g.bust * 0.58, g.straps / 2
        low = g.top + g.depth
        corner: tuple[int, ...] = (1,) if g.neckline in ("v", "heart") else ()
        return [(0, low, *corner), (x - s, low - 12 if g.neckline == "v" else low - 3, 1), (x - s, g.top, 1),
            (x + s, g.top, 1),
                (x + s + 1.5, pit - 18), (g.bust - 1, pit, 1)]
    c = g.cut()
    return [*upper.neckline(c), (g.shoulder, c.top + c.slope, 1), (g.bust - 3, c.armpit - 16),
        (g.bust, c.armpit, 1)]


def _dress(pen: Pen, g: Gown, cloth: Cloth, rng: Random, *, gathers: int, seam: bool = True,
        skirt_hold: float = 0.35) -> Part:
    """Bodice and skirt; gathers are the folds that fall from the waist."""
    span = g.bottom - g.waist_y
    skirt = mirrored([
        (0, g.waist_y - 3), (g.waist, g.waist_y - 2, 1), (g.waist + (g.hem - g.waist) * skirt_hold + 4,
        g.waist_y + span * 0.3),
        (g.hem, g.bottom - 7, 1), (g.hem * 0.5, g.bottom - 0.5), (0, g.bottom + 1),
    ])
    folds: list[Fold] = []
    for k in range(gathers):
        t = (k + 0.5) / gathers * 2 - 1 + rng.uniform(-0.05, 0.05)
        short = rng.uniform(0.05, 0.3)
        folds.append((t * g.hem, g.bottom + 6, t * g.hem * 0.78, g.waist_y + span * 0.5, t * g.waist,
            g.waist_y + span * short, rng.uniform(7, 12)))
    pen.part(skirt, cloth, folds=folds, shadow=0.22, puff=0.8, bulge=10)
    bodice = mirrored([*_bodice_top(g), (g.waist + 1, g.waist_y - 14), (g.waist, g.waist_y, 1),
        (0, g.waist_y + 2)])
    pulls: list[Fold] = []
    for s in (-1, 1):
        pulls.append((s * (g.bust - 2), g.top + 54, s * g.bust * 0.7, g.top + 62, s * 12, g.top + 66, 5))
        pulls.append((s * g.waist, g.waist_y - 4, s * 20, g.waist_y - 8, s * 6, g.waist_y - 16, 5))
        pulls.append((s * g.bust * 0.5, g.waist_y, s * g.bust * 0.5, g.waist_y - 14, s * g.bust * 0.55,
            g.top + 66, 4))
    glow = tuple((s * g.bust * 0.45, g.top + 58, 13.0, 12.0, 9.0) for s in (-1, 1))
    body = pen.part(bodice, cloth, folds=pulls, puff=0.9, bulge=3, fades=glow, shadow=0.1)
    if seam:
        pen.seams([[(-g.waist, g.waist_y), (0, g.waist_y + 2), (g.waist, g.waist_y)]], alpha=0.4)
    return body


def _inside(pen: Pen, g: Gown, cloth: Cloth, rng: Random) -> None:
    if g.strapless:
        back = [(0.0, g.top + 50.0), (g.bust - 1, g.top + 43, 1), (g.bust - 2, g.top + 54), (0, g.top + 60)]
    elif g.straps:
        x, s = g.bust * 0.58, g.straps / 2
        back = [(0, g.top + 34), (x - s - 2, g.top + 26), (x - s, g.top, 1), (x + s, g.top, 1),
            (g.bust - 2, g.top + 49, 1), (0, g.top + 62)]
    else:
        upper.perhaps_hang(pen, g.cut(), rng)
        upper.back_neck(pen, g.cut(), cloth)
        return
    pen.part(mirrored(back), cloth.shaded(0.64), puff=0.2, drape=0.3)


def womens_dresses(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    shape = rng.choices(("flared", "wrap", "sheath", "shirt", "slip"), (4, 2, 2, 2, 2))[0]
    if look.material == "knit":
        shape = "sheath"
    neckline = rng.choice(("crew", "v", "boat", "square"))
    hem = {"flared": rng.uniform(66, 84), "wrap": 58.0, "sheath": rng.uniform(38, 44), "shirt": 58.0,
        "slip": rng.uniform(50, 60)}[shape]
    bottom = rng.uniform(74, 120)
    g = Gown(neckline="v" if shape in ("wrap", "shirt") else neckline,
        depth={"boat": 12, "v": 36, "square": 28}.get(neckline, 22),
             neck=30 if neckline == "boat" else 22, hem=hem, bottom=bottom, waist=rng.uniform(29, 33))
    if shape in ("wrap", "shirt"):
        g = Gown(neckline="v", depth=46 if shape == "wrap" else 32, neck=19, hem=hem, bottom=bottom)
    elif shape == "slip" or (shape == "flared" and rng.random() < 0.35):
        g = Gown(neckline=rng.choice(("v", "crew", "heart")), depth=36,
            straps=3 if shape == "slip" else rng.uniform(4, 11), hem=hem, bottom=bottom)
    shift = (g.top + g.bottom) / 2
    g = Gown(**{**g.__dict__, "top": g.top - shift, "bottom": g.bottom - shift, "waist_y": g.waist_y - shift})
    worn = look.material == "sheer" or (shape not in ("sheath", "slip") and rng.random() < 0.25)
    if worn:
        scene.torso(pen, scene.skin(rng), True, g.top + 8, width=0.72)
    else:
        _inside(pen, g, cloth, rng)
    if not g.straps:
        _dress_sleeves(pen, g, cloth, rng, shirt=shape == "shirt", long=look.material == "knit")
    gathers = {"flared": 11, "wrap": 6, "sheath": 2, "shirt": 7, "slip": 5}[shape]
    _dress(pen, g, cloth, rng, gathers=gathers, seam=shape not in ("slip", "sheath"),
        skirt_hold=0.75 if shape == "sheath" else 0.4)
    _details(pen, g, cloth, rng, shape, ribbed=look.material == "knit")


def _dress_sleeves(pen: Pen, g: Gown, cloth: Cloth, rng: Random, shirt: bool, long: bool) -> None:
    length = rng.choice((40.0, 100.0)) if shirt else 108.0 if long else rng.choice((0.0, 22.0, 40.0, 108.0))
    if not length:
        return
    reaching = length > 60
    upper.sleeve(pen, g.cut(), cloth, rng, length=length, width=10 if reaching else 14,
        full=rng.uniform(0, 8),
                 angle=14 if reaching else 30, cuff="shirt" if shirt and reaching else "hem")


def _details(pen: Pen, g: Gown, cloth: Cloth, rng: Random, shape: str, ribbed: bool) -> None:
    """The closures and trimmings of a dress."""
    if shape == "wrap":
        cross: list[Point] = [(g.neck, g.top), (8, g.top + 34), (-g.waist + 4, g.waist_y)]
        pen.seams([cross, [(-g.waist + 6, g.waist_y + 2), (4, g.waist_y + 40), (10, g.bottom + 4)]],
            alpha=0.5)
        _tie(pen, cloth, -g.waist + 7, g.waist_y)
    elif shape == "shirt":
        upper.shirt_collar(pen, g.cut(), cloth, spread=23, drop=27, open_=16)
        pen.seams([[(-3.5, g.top + 30), (-3.5, g.bottom)], [(3.5, g.top + 30), (3.5, g.bottom)]], alpha=0.3)
        upper.buttons_down(pen, g.top + 38, g.bottom - 14, 9, (246, 242,
            234) if luminance(cloth.rgb) < 0.75 else (120, 110, 100))
        _belt(pen, cloth, g, rng)
    elif not g.straps:
        upper.crew_band(pen, g.cut(), cloth, 3, ribbed=ribbed)
        if shape == "flared" and rng.random() < 0.4:
            _belt(pen, cloth, g, rng)

def _tie(pen: Pen, cloth: Cloth, x: float, y: float) -> None:
    tie = cloth.plain()
    for s in (-1, 1):
        pen.part([(x, y), (x + s * 3, y + 3), (x + s * 8 + 2, y + 40, 1), (x + s * 4 - 1, y + 42, 1)], tie,
            puff=0.6, shadow=0.25)
        pen.part([(x, y), (x + s * 9, y - 7), (x + s * 15, y + 1), (x + s * 8, y + 6)], tie, puff=0.7,
            shadow=0.25)
    pen.part([(x - 4, y - 4), (x + 4, y - 4), (x + 4, y + 5), (x - 4, y + 5)], tie, puff=0.8, shadow=0.2)


def _belt(pen: Pen, cloth: Cloth, g: Gown, rng: Random) -> None:
    if rng.random() < 0.4:
        _tie(pen, cloth, rng.uniform(-8, 8), g.waist_y)
        return
    leather = cloths.of(rng.choice(((40, 36, 36), (150, 98, 60), scaled(cloth.rgb, 0.55))), "leather")
    pen.part(mirrored([(0, g.waist_y - 3), (g.waist + 1, g.waist_y - 4, 1), (g.waist + 1.5, g.waist_y + 3, 1),
        (0, g.waist_y + 5)]), leather, puff=0.7, shadow=0.2)
    y = g.waist_y + 0.5
    pen.part([(-6, y - 6, 1), (6, y - 6, 1), (6, y + 6, 1), (-6, y + 6, 1)],
        cloths.of((212, 175, 85), "metal"), puff=0.5,
             holes=[[(-3.5, y - 3, 1), (3.5, y - 3, 1), (3.5, y + 3, 1), (-3.5, y + 3, 1)]])


def womens_evening_dresses(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    shape = rng.choice(("mermaid", "ball", "column"))
    top_style = rng.choice(("strapless", "straps", "one"))
    hem = {"mermaid": 62.0, "ball": 88.0, "column": 50.0}[shape]
    g = Gown(top=-134, waist_y=-58, bottom=134, hem=hem, waist=25, bust=33, depth=42,
        straps=0 if top_style == "strapless" else 3,
             strapless=top_style == "strapless", neckline=rng.choice(("v", "heart")), shoulder=38)
    lit = cloth.finished(opacity=1.0, gloss=max(cloth.finish.gloss, 0.25))
    if rng.random() < 0.55:
        pen_skin = scene.skin(rng)
        neck = mirrored([(0, -146), (8, -146, 1), (8.5, -136), (13, -130), (34, -122), (42, -112), (40, -96),
            (33, -84), (0, -70)])
        pen.part(neck, pen_skin, puff=1.1, shadow=0.1)
    else:
        _inside(pen, g, lit, rng)
    if shape == "mermaid":
        span = g.bottom - g.waist_y
        half: list[Point] = [(0, g.waist_y - 3), (g.waist, g.waist_y - 2, 1), (36, g.waist_y + span * 0.2),
            (33, g.waist_y + span * 0.5),
                             (40, g.waist_y + span * 0.75), (hem, g.bottom - 6, 1), (0, g.bottom)]
        folds: list[Fold] = [(t * hem, g.bottom + 5, t * 30, g.bottom - 60, t * 18, g.waist_y + span * 0.5,
            9) for t in (-0.85, -0.5, -0.15, 0.2, 0.55, 0.85)]
        folds += [(-30, g.waist_y + 30, 0, g.waist_y + 40, 30, g.waist_y + 24, 6),
            (28, g.waist_y + 60, 0, g.waist_y + 70, -26, g.waist_y + 62, 5)]
        pen.part(mirrored(half), lit, folds=folds, shadow=0.22, puff=1, bulge=8)
    else:
        span = g.bottom - g.waist_y
        count = 13 if shape == "ball" else 7
        folds = [((k + 0.5) / count * 2 * hem - hem, g.bottom + 6, ((k + 0.5) / count * 2 - 1) * hem * 0.6,
            g.waist_y + span * 0.45,
                  ((k + 0.5) / count * 2 - 1) * g.waist, g.waist_y + rng.uniform(2, 40),
            rng.uniform(7, 13)) for k in range(count)]
        hold = 0.5 if shape == "ball" else 0.6
        half = [(0, g.waist_y - 3), (g.waist, g.waist_y - 2, 1), (g.waist + (hem - g.waist) * hold,
            g.waist_y + span * 0.3), (hem, g.bottom - 8, 1), (0, g.bottom + 1)]
        skirt = pen.part(mirrored(half), lit, folds=folds, shadow=0.22, puff=0.8, bulge=10)
        if shape == "column" and rng.random() < 0.6:
            slit: list[Point] = [(14, g.waist_y + 70, 1), (26, g.bottom + 8, 1), (10, g.bottom + 8, 1)]
            pen.part(slit, lit.shaded(0.45), inside=skirt, puff=0.2)
    bodice = mirrored([*_bodice_top(g), (g.waist + 1, g.waist_y - 14), (g.waist, g.waist_y, 1),
        (0, g.waist_y + 2)])
    ruching: list[Fold] = [(-g.bust, y, 0, y + 9, g.bust, y - 1, 4) for y in range(int(g.top + 56),
        int(g.waist_y), 7)] if rng.random() < 0.6 else []
    pen.part(bodice, lit, folds=ruching, puff=1, shadow=0.12, fades=[(s * 15, g.top + 56, 11, 10,
        12) for s in (-1, 1)])
    if rng.random() < 0.6:
        pen.part(mirrored([(0, g.waist_y - 4), (g.waist + 1, g.waist_y - 4, 1),
            (g.waist + 1, g.waist_y + 5, 1), (0, g.waist_y + 6)]), lit.plain().shaded(0.85), puff=0.8)
    sparkle = [(rng.gauss(0, g.bust * 0.45), g.top + rng.uniform(46, 82)) for _ in range(46)] + [
        (rng.gauss(0, hem * 0.4),
        rng.uniform(g.waist_y, g.bottom - 20)) for _ in range(50 if rng.random() < 0.5 else 0)]
    if look.pattern == "plain" and rng.random() < 0.7:
        pen.dots([p for p in sparkle if abs(p[0]) < 26], 0.75, (255, 255, 255), 0.75)


def girls_dresses(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    g = Gown(top=-84, shoulder=46, neck=24, depth=16, bust=43, waist=42, waist_y=-18, hem=rng.uniform(78, 88),
        bottom=82)
    base = cloth.plain() if look.pattern == "print" else cloth
    accent = cloth.dyed(rng.choice(((250, 246, 240), (240, 150, 178), (250, 206, 90), (226, 62, 76),
        (120, 190, 210))))
    upper.back_neck(pen, g.cut(), base)
    puffed = rng.random() < 0.65
    if puffed:
        for s in (1, -1):
            puff: list[Point] = [(s * 36, -76, 1), (s * 50, -82), (s * 66, -70), (s * 68, -54),
                (s * 60, -46, 1), (s * 40, -42, 1)]
            folds: list[Fold] = [(s * 44, -74, s * 54, -66, s * (50 + k * 6), -48 - k * 3,
                5) for k in range(3)]
            pen.part(puff, base, puff=1.2, folds=folds, shadow=0.2)
            pen.lines([[(s * 41, -43), (s * 61, -47)]], accent.rgb, 4)
    tier = rng.random() < 0.5
    _dress(pen, g, base, rng, gathers=13)
    if tier:
        ruffle = mirrored([(0, g.bottom - 20), (g.hem * 0.93, g.bottom - 25, 1), (g.hem + 5, g.bottom - 1, 1),
            (g.hem * 0.5, g.bottom + 7), (0, g.bottom + 9)])
        waves: list[Fold] = [(t * 7.0, g.bottom + 8, t * 6.7, g.bottom - 4, t * 6.4, g.bottom - 18,
            6) for t in range(-12, 13, 2)]
        pen.part(ruffle, accent if rng.random() < 0.5 else base, folds=waves, puff=0.6, shadow=0.25)
    if look.material == "denim":
        pen.lines([[(-42, g.waist_y + 3), (0, g.waist_y + 5), (42, g.waist_y + 3)]], (218, 170, 100), 0.9,
            0.9, dash=2.4)
        pen.buttons([(0, -60 + k * 13) for k in range(4)], 2.4, (198, 160, 104))
    collar: list[Point] = [(0, g.top + 15, 1), (13, g.top + 12), (22, g.top - 1, 1), (31, g.top + 5),
        (26, g.top + 22), (9, g.top + 28)]
    if rng.random() < 0.6:  # a Peter Pan collar
        for leaf in (collar, flipped(collar)):
            pen.part(leaf, accent.plain(), puff=0.5, shadow=0.25, drape=0)
    else:
        upper.crew_band(pen, g.cut(), accent, 4, ribbed=False)
    if rng.random() < 0.7:
        sash = mirrored([(0, g.waist_y - 5), (42.5, g.waist_y - 6, 1), (43, g.waist_y + 5, 1),
            (0, g.waist_y + 7)])
        pen.part(sash, accent, puff=0.7, shadow=0.2)
        _bow(pen, accent, rng.choice((0.0, 24.0)), g.waist_y + 1)
    if look.pattern == "print":
        seen = abs(luminance(accent.rgb) - luminance(cloth.rgb)) > 0.2
        inks = (accent.rgb if seen else contrasting(cloth.rgb), (240, 150, 60), (60, 60, 90))
        pen.stamp(motif(rng.choice(CHILD), round(48 * pen.unit), inks, 1), 0, 38)


def _bow(pen: Pen, cloth: Cloth, x: float, y: float) -> None:
    for s in (-1, 1):
        pen.part([(x, y), (x + s * 6, y + 4), (x + s * 14, y + 28, 1), (x + s * 4, y + 30, 1)], cloth,
            puff=0.6, shadow=0.2)
        pen.part([(x, y - 3), (x + s * 10, y - 11), (x + s * 20, y - 8), (x + s * 20, y + 7),
            (x + s * 10, y + 8), (x, y + 3)], cloth, puff=0.9, shadow=0.25)
    pen.part([(x - 4, y - 5), (x + 4, y - 5), (x + 4, y + 5), (x - 4, y + 5)], cloth, puff=0.9, shadow=0.2)


def womens_jumpsuits(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    wide = rng.random() < 0.5
    strappy = rng.random() < 0.45 and look.material != "denim"
    g = Gown(top=-132, waist_y=-50, waist=28, bust=37, neck=18, shoulder=42, depth=38, neckline="v",
        straps=5 if strappy else 0)
    legs = Legs(waist=28, hip=41, crotch=50, top=-51, length=184, thigh=20, knee=19 if wide else 14,
        ankle=23 if wide else 10, apart=26 if wide else 19)
    knee_y = legs.fork + 58
    middle = (legs.hip - legs.thigh + legs.apart) / 2 + 1
    half: list[Point] = [(0, -52), (28, -52, 1), (39, -24), (41, legs.fork), (middle + legs.knee, knee_y),
        (legs.apart + legs.ankle, legs.bottom, 1),
                         (legs.apart - legs.ankle, legs.bottom, 1), (middle - legs.knee, knee_y),
        (2.4, legs.fork + 9), (0, legs.fork, 1)]
    _inside(pen, g, cloth, rng)
    if not strappy:
        long = rng.random() < 0.5
        upper.sleeve(pen, g.cut(), cloth, rng, length=104 if long else 32, width=10 if long else 14, full=2,
            angle=13 if long else 26, cuff="shirt" if long else "turned")
    lower = pen.part(mirrored(half), cloth, folds=leg_folds(rng, legs), shadow=0.22, puff=0.9)
    bodice = mirrored([*_bodice_top(g), (g.waist + 2, g.waist_y - 14), (g.waist, g.waist_y, 1),
        (0, g.waist_y + 2)])
    cut = upper.Cut(chest=37, waist=28, hem=28, top=-132, length=82, armhole=37, slope=11)
    pen.part(bodice, cloth, folds=upper.body_folds(rng, cut)[:8], puff=0.9, shadow=0.1)
    slant: list[Point] = [(22, -46), (39, -14)]
    pen.seams([slant, flipped(slant), [(0, -50), (0, legs.fork)]], inside=lower, alpha=0.4)
    if look.material == "denim":
        upper.shirt_collar(pen, upper.Cut(neck=18, top=-132), cloth, spread=20, drop=24, open_=12)
        upper.buttons_down(pen, -96, -20, 6, (198, 160, 104), 2.2)
        for s in (1, -1):
            pen.part([(s * 20 - 9, -98, 1), (s * 20 + 9, -98, 1), (s * 20 + 9, -80, 1), (s * 20, -76, 1),
                (s * 20 - 9, -80, 1)], cloth, puff=0.4, shadow=0.2)
    _belt(pen, cloth, Gown(waist=28, waist_y=-50), rng)
