"""Jewellery and watches."""

# outlines are formatted as tables of points:
# fmt: off

from __future__ import annotations

from math import cos, pi, sin
from random import Random

from core.demo.drawing import cloth as cloths
from core.demo.drawing.cloth import RGB, Cloth, luminance, scaled
from core.demo.drawing.curves import Point, ellipse, flipped, mirrored, rectangle, resampled, smooth
from core.demo.drawing.pen import Pen
from core.demo.looks import Look

_GEMS: tuple[RGB, ...] = ((214, 232, 246), (40, 90, 200), (200, 30, 60), (30, 150, 100), (130, 60, 170),
    (240, 180, 60), (236, 170, 190))


def gem(pen: Pen, x: float, y: float, r: float, rgb: RGB, metal: Cloth | None = None) -> None:
    """A cut stone: facets around a bright table, perhaps in a metal setting."""
    if metal is not None:
        pen.part(ellipse(x, y, r + 2.6, r + 2.6), metal, puff=0.9, shadow=0.3)
    stone = cloths.of(rgb, "glass").finished(opacity=1.0)
    pen.part(ellipse(x, y, r, r), stone, puff=0.7)
    if r < 4:
        pen.dots([(x - r * 0.3, y - r * 0.35)], r * 0.35, (255, 255, 255), 0.9)
        return
    rim = [(x + r * cos(k * pi / 4), y + r * sin(k * pi / 4)) for k in range(8)]
    table = [(x + r * 0.55 * cos((k + 0.5) * pi / 4),
        y + r * 0.55 * sin((k + 0.5) * pi / 4)) for k in range(8)]
    for k in range(8):
        light = (0.5, 0.62, 0.9, 1.3, 1.5, 1.45, 1.2, 0.75)[k]
        face: list[Point] = [(*rim[k], 1), (*rim[(k + 1) % 8], 1), (*table[k], 1)]
        pen.part(face, stone.shaded(light) if light < 1 else cloths.of(cloths.mixed(rgb, (255, 255, 255),
            light - 1), "glass"), puff=0.0)
    pen.part([(*p, 1) for p in table], cloths.of(cloths.mixed(rgb, (255, 255, 255), 0.4), "glass"), puff=0.2)
    pen.lines([[(*p, 1) for p in [*table, table[0]]]], (255, 255, 255), 0.8, 0.7)
    pen.dots([(x - r * 0.25, y - r * 0.25)], r * 0.16, (255, 255, 255), 0.95)


def pearl(pen: Pen, x: float, y: float, r: float) -> None:
    pen.part(ellipse(x, y, r, r), cloths.of((240, 232, 222), "rubber").finished(gloss=0.9, power=14.0),
        puff=1.2, shadow=0.35)


def earrings(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    """A pair, mirrored, perhaps on the shop's card."""
    style = rng.choice((_hoop, _drop, _stud, _pearl_drop, _leaf))
    stone = rng.choice(_GEMS)
    r = rng.uniform(30, 38)
    if rng.random() < 0.25:
        pen.place(turn=rng.uniform(-3, 3))
        board = cloths.of(rng.choice(((250, 248, 244), (40, 40, 44), (236, 214, 204))), "matt")
        pen.part(rectangle(-94, -104, 94, 112, 6), board, puff=0.3, shadow=0.35)
    lean = rng.uniform(-6, 6)
    for s in (-1, 1):
        pen.place(turn=s * lean, zoom=1.12, shift=(s * 46, 0), mirror=s > 0)
        style(pen, cloth, stone, r)


def _hook(pen: Pen, cloth: Cloth) -> None:
    hook: list[Point] = [(0, -52), (0, -76), (-7, -88), (-15, -78), (-15, -60)]
    pen.lines([[(a + 1.2, b + 2) for a, b in hook]], (30, 28, 34), 2, 0.25, blur=0.8)
    pen.lines([hook], scaled(cloth.rgb, 0.75), 2.4)
    pen.lines([[(a - 0.5, b) for a, b in hook]], (255, 252, 240), 0.9, 0.7)


def _hoop(pen: Pen, cloth: Cloth, stone: RGB, r: float) -> None:
    hole = ellipse(0, 6, r - 6, r * 1.12 - 6)
    pen.part(ellipse(0, 6, r, r * 1.12), cloth, holes=[hole], puff=1, shadow=0.4)
    pen.part(rectangle(-4, -r - 4, 4, -r + 8, 3), cloth, puff=1, shadow=0.2)
    if r < 34:
        turns = [pi * (0.2 + 0.1 * k) for k in range(7)]
        stones: list[Point] = [((r - 3) * cos(a), 6 + (r * 1.12 - 3) * sin(a)) for a in turns]
        pen.dots(stones, 2.4, (246, 250, 255))


def _drop(pen: Pen, cloth: Cloth, stone: RGB, r: float) -> None:
    _hook(pen, cloth)
    gem(pen, 0, -44, 7, stone, cloth)
    pen.lines([[(0, -34), (0, -14)]], cloth.rgb, 2.2)
    drop: list[Point] = [(0, -20, 1), (11, 10), (17, 32), (0, 50), (-17, 32), (-11, 10)]
    pen.part(drop, cloth, puff=1, shadow=0.4)
    glass = cloths.of(stone, "glass").finished(opacity=1.0, gloss=1.1)
    pen.part([(x * 0.74, 18 + (y - 18) * 0.74, *q) for x, y, *q in drop], glass, puff=1.4)
    pen.dots([(-5, 22)], 3, (255, 255, 255), 0.8)


def _stud(pen: Pen, cloth: Cloth, stone: RGB, r: float) -> None:
    gem(pen, 0, 0, 18, stone, cloth)
    claws: list[Point] = [(19 * cos(a), 19 * sin(a)) for a in (pi * 0.25, pi * 0.75, pi * 1.25, pi * 1.75)]
    pen.dots(claws, 3, cloths.mixed(cloth.rgb, (255, 255, 255), 0.3))


def _pearl_drop(pen: Pen, cloth: Cloth, stone: RGB, r: float) -> None:
    pen.part(ellipse(0, -34, 8, 8), cloth, puff=1.1, shadow=0.3)
    pen.lines([[(0, -28), (0, 0)]], cloth.rgb, 2.4)
    pearl(pen, 0, 18, 19)
    pen.part(ellipse(0, 0, 6, 4), cloth, puff=1)


def _leaf(pen: Pen, cloth: Cloth, stone: RGB, r: float) -> None:
    _hook(pen, cloth)
    pen.part(ellipse(0, -48, 4, 4), cloth, puff=1)
    for k in range(5):
        y, w = -36 + k * 19, 9 + 5 * (k % 3)
        for side in (-1, 1):
            blade: list[Point] = [(0, y + 10), (side * w * 0.6, y - 4), (side * (w + 6), y - 10),
                (side * w * 0.8, y + 8)]
            pen.part(blade, cloth, puff=0.9, shadow=0.2)
    pen.lines([[(0, -46), (0, 52)]], scaled(cloth.rgb, 0.8), 2)


def _chain(pen: Pen, line: list[Point], cloth: Cloth, step: float, size: float) -> None:
    """Links along a line."""
    places = resampled(smooth(line, closed=False), step)
    centres: list[Point] = [(float(x), float(y)) for x, y in places]
    pen.lines([[(x + 1, y + 2.2) for x, y in centres]], (30, 26, 30), size, 0.22, blur=1.0)
    pen.dots(centres, size * 0.62, scaled(cloth.rgb, 0.62))
    pen.dots([(x - 0.3, y - 0.4) for x, y in centres], size * 0.46, cloth.rgb)
    pen.dots([(x - 0.5, y - 0.7) for x, y in centres[::2]], size * 0.22, (255, 253, 244), 0.9)


def necklaces(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    """On a bust of velvet, or hanging free."""
    bust = rng.random() < 0.6
    style = rng.choice(("pendant", "pearls", "heart", "bar", "layers", "statement"))
    pen.place(zoom=1.02)
    if bust:
        velvet = cloths.of(rng.choice(((44, 44, 50), (236, 232, 226), (214, 204, 194), (84, 34, 46))),
            "suede")
        half: list[Point] = [(0, -136), (24, -134, 1), (26, -104), (34, -82), (66, -62), (88, -36), (84, 30),
            (60, 86), (30, 116, 1), (0, 119)]
        pen.shadow(0, 122, 58, 8, 0.4)
        pen.part(mirrored(half), velvet, puff=1.3, shadow=0.15, fades=[(-20, -10, 34, 50, 9)])
        pen.part([(-24, -134), (0, -129), (24, -134), (0, -139)],
            velvet.shaded(1.15 if luminance(velvet.rgb) < 0.5 else 0.9), puff=0.3)
        line: list[Point] = [(-27, -98), (-38, -66), (-30, -22), (0, 6), (30, -22), (38, -66), (27, -98)]
    else:
        line = [(-44, -122), (-58, -70), (-40, -12), (0, 26), (40, -12), (58, -70), (44, -122)]
    low = line[3][1]
    if style == "pearls":
        places = resampled(smooth(line, closed=False), 10.5)
        for x, y in places:
            pearl(pen, float(x), float(y), 5.6)
        return
    _chain(pen, line, cloth, 3.4 if style != "statement" else 5.4, 3.0 if style != "statement" else 5.4)
    if style == "layers":
        second: list[Point] = [(x * 1.08, y + (34 if k == 3 else 24 if k in (2, 4) else 2)) for k,
            (x, y, *_) in enumerate(line)]
        _chain(pen, second, cloth, 3.2, 2.6)
        gem(pen, 0, low + 40, 7, rng.choice(_GEMS), cloth)
        pen.part(ellipse(0, low + 5, 6, 6), cloth, puff=1, shadow=0.3)
    elif style == "heart":
        heart: list[Point] = [(0, low + 10, 1), (9, low + 1), (19, low + 6), (16, low + 22), (0, low + 38, 1),
            (-16, low + 22), (-19, low + 6), (-9, low + 1)]
        pen.part(heart, cloth, puff=1.2, shadow=0.35)
    elif style == "bar":
        pen.part(rectangle(-26, low - 1, 26, low + 6, 3), cloth, puff=0.9, shadow=0.35)
    elif style == "statement":
        for k in range(-3, 4):
            y = low - abs(k) ** 1.5 * 6 + 8
            gem(pen, k * 13.5, y, 6.2 if k else 9, rng.choice(_GEMS[1:]) if k % 2 else _GEMS[0], cloth)
    else:
        pen.part(ellipse(0, low + 4, 4, 4), cloth, holes=[ellipse(0, low + 4, 2, 2)], puff=0.8)
        gem(pen, 0, low + 22, rng.uniform(11, 15), rng.choice(_GEMS), cloth)


def rings(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    """Seen standing, the stone on top."""
    style = rng.choice(("solitaire", "solitaire", "halo", "band", "trio"))
    stone = rng.choice(_GEMS)
    wide = rng.uniform(6, 10) if style != "band" else 17.0
    pen.place(turn=rng.uniform(-14, 14), zoom=rng.uniform(1.08, 1.2), shift=(0, 14))
    pen.shadow(6, 70, 52, 8, 0.4)
    rx, ry = 54.0, 58.0
    inner = cloth.shaded(0.7)
    pen.part(ellipse(3, 10, rx - 1, ry - 1), inner, holes=[ellipse(5, 10, rx - wide, ry - wide + 1)],
        puff=0.7)
    pen.part(ellipse(0, 10, rx, ry), cloth, holes=[ellipse(0.5, 10.5, rx - wide, ry - wide)], puff=1.1,
        shadow=0.15)
    top = 10 - ry
    if style == "band":
        for k in range(11):
            a = pi * (1.16 + 0.068 * k)
            gem(pen, (rx - 8.5) * cos(a), 10 + (ry - 8.5) * sin(a), 3.8, (226, 238, 248))
        return
    if style == "trio":
        for dx, r in ((-21.0, 8.5), (21.0, 8.5), (0.0, 13.0)):
            gem(pen, dx, top - (4 if dx else 8) + abs(dx) * 0.25, r, stone if not dx else (226, 238, 248),
                cloth)
        return
    for s in (-1, 1):
        pen.part([(s * 20, top + 10), (s * 6, top + 4), (s * 8, top - 8), (s * 15, top - 14),
            (s * 13, top - 2)], cloth, puff=1, shadow=0.1)
    r = rng.uniform(15, 19)
    y = top - 14
    if style == "halo":
        pen.part(ellipse(0, y, r + 7, r + 7), cloth, puff=0.8, shadow=0.3)
        for k in range(16):
            a = k * pi / 8
            pen.dots([((r + 3.5) * cos(a), y + (r + 3.5) * sin(a))], 2.9, (236, 244, 252))
            pen.dots([((r + 3.5) * cos(a) - 0.8, y + (r + 3.5) * sin(a) - 0.8)], 1.1, (255, 255, 255))
        gem(pen, 0, y, r, stone)
    else:
        gem(pen, 0, y, r, stone, cloth)
        for k in range(4):
            a = pi / 4 + k * pi / 2
            pen.dots([((r + 1) * cos(a), y + (r + 1) * sin(a))], 2.6,
                cloths.mixed(cloth.rgb, (255, 255, 255), 0.35))


def bracelets(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    """A ring lying down, wider than high; bangles, beads, links with charms, or braided leather."""
    precious = look.colour in ("gold", "silver")
    metal = cloths.of(cloth.rgb if precious else rng.choice(((212, 178, 96), (196, 198, 204))), "metal")
    pen.place(turn=rng.uniform(-10, 10), zoom=rng.uniform(1.0, 1.08), mirror=rng.random() < 0.5)
    high = rng.uniform(42, 54)
    pen.shadow(4, high + 8, _WRIST * 0.9, 11, 0.35)
    if look.material == "leather":
        _braid(pen, cloths.of((96, 62, 42), "leather") if precious else cloth, metal, high)
        return
    made = cloth if precious else cloths.of(cloth.rgb, "metal")
    rng.choice((_bangles, _beads, _charms, _cuff))(pen, made, metal, high, rng)


_WRIST = 80.0  # half width of a bracelet


def _on(a: float, high: float, k: float = 1.0, dy: float = 0.0) -> Point:
    """A point on the bracelet, by its angle."""
    return (_WRIST * k * cos(a), high * k * sin(a) + dy)


def _bangles(pen: Pen, made: Cloth, metal: Cloth, high: float, rng: Random) -> None:
    count = rng.choice((1, 3, 4))
    wide = 12.0 if count == 1 else 6.0
    for k in range(count):
        dy = 14.0 - k * 10 if count > 1 else 0.0
        hole = ellipse(0, dy - 1, _WRIST - wide, high - wide * 0.8)
        pen.part(ellipse(0, dy, _WRIST, high), made, holes=[hole], puff=1, shadow=0.3)


def _cuff(pen: Pen, made: Cloth, metal: Cloth, high: float, rng: Random) -> None:
    back = [_on(pi * t, high) for t in (1.0, 1.2, 1.4)]
    for line in (back, flipped(back)):
        pen.part([*line, *[(x, y + 26, *q) for x, y, *q in reversed(line)]], made.shaded(0.6), puff=0.5)
    front = [_on(pi * t, high) for t in (1.0, 0.85, 0.65, 0.5, 0.35, 0.15, 0.0)]
    pen.part([*front, *[(x, y + 30, *q) for x, y, *q in reversed(front)]], made, puff=1.2, shadow=0.3)
    gem(pen, 0, high + 15, 9, rng.choice(_GEMS), metal)


def _beads(pen: Pen, made: Cloth, metal: Cloth, high: float, rng: Random) -> None:
    colours: list[RGB] = [rng.choice(_GEMS), rng.choice(((240, 232, 222), (60, 60, 66), (180, 120, 90)))]
    for k in sorted(range(26), key=lambda k: sin(k * 2 * pi / 26)):  # the near ones last
        x, y = _on(k * 2 * pi / 26, high)
        bead = metal if k % 3 == 0 else cloths.of(colours[k % 2], "rubber")
        pen.part(ellipse(x, y, 9, 9), bead, puff=1.3, shadow=0.3)


def _charms(pen: Pen, made: Cloth, metal: Cloth, high: float, rng: Random) -> None:
    ring = [_on(k * pi / 8, high) for k in range(17)]
    pen.lines([[(x + 1.5, y + 3) for x, y, *_ in ring]], (30, 26, 30), 6, 0.3, blur=1.2)
    links: list[Point] = [(float(x), float(y)) for x, y in resampled(smooth(ring, closed=False), 7.5)]
    pen.dots(links, 5.2, scaled(made.rgb, 0.6))
    pen.dots([(x - 0.6, y - 0.8) for x, y in links], 4.0, made.rgb)
    pen.dots([(x - 1.4, y - 1.6) for x, y in links], 1.5, (255, 253, 244), 0.9)
    pen.dots([(x + 0.6, y + 0.4) for x, y in links[::2]], 1.5, scaled(made.rgb, 0.45))
    for k, t in enumerate((0.72, 0.58, 0.42, 0.28)):
        x, y = _on(pi * t, high)
        pen.lines([[(x, y), (x, y + 12)]], made.rgb, 2)
        if k % 2:
            gem(pen, x, y + 20, 7.5, rng.choice(_GEMS), metal)
            continue
        heart: list[Point] = [(x, y + 14, 1), (x + 6, y + 9), (x + 11, y + 14), (x, y + 32, 1),
            (x - 11, y + 14), (x - 6, y + 9)]
        pen.part(heart, metal, puff=1.1, shadow=0.35)


def _braid(pen: Pen, hide: Cloth, metal: Cloth, high: float) -> None:
    for k, (dy, w) in enumerate(((-6.0, 8.0), (4.0, 9.0), (13.0, 7.0))):
        hole = ellipse(0, dy - 1, _WRIST - w, high - w * 0.85)
        pen.part(ellipse(0, dy, _WRIST, high), hide.shaded(0.9 + 0.1 * (k % 2)), holes=[hole], puff=1,
            shadow=0.3)
    marks: list[list[Point]] = []
    for k in range(26):
        x, y = _on(pi * (0.06 + k * 0.034), high, 0.95, 4)
        marks.append([(x - 4, y - 3), (x + 4, y + 3)])
    pen.lines(marks, (14, 10, 10), 1.6, 0.5)
    pen.part(rectangle(-13, high - 9, 13, high + 17, 4), metal, puff=0.9, shadow=0.35)
    pen.lines([[(-8, high + 4), (8, high + 4)]], (60, 50, 40), 1, 0.5)


def watches(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    leather = look.material == "leather" or look.colour in ("brown", "navy", "white")
    case = cloths.of((212, 178, 96) if look.colour == "gold" or (leather and rng.random() < 0.4) else (198,
        200, 206), "metal")
    if look.colour == "black" and not leather:
        case = cloth
    strap_rgb: RGB = cloth.rgb
    if leather and look.colour in ("gold", "silver"):
        strap_rgb = rng.choice(((96, 62, 42), (36, 34, 36), (150, 100, 66)))
    strap = cloths.of(strap_rgb, "leather") if leather else case
    r = rng.uniform(40, 52)
    w = r * 0.56
    pen.place(turn=rng.choice((0.0, rng.uniform(-22, 22))), zoom=rng.uniform(0.98, 1.04), mirror=False)
    for s in (-1, 1):
        end = s * 126.0
        shape: list[Point] = [(-w, s * (r - 6), 1), (w, s * (r - 6), 1), (w * 0.84, s * 86),
            (w * 0.76, end, 1), (0, end + s * 6), (-w * 0.76, end, 1), (-w * 0.84, s * 86)]
        part = pen.part(shape, strap, puff=0.9, shadow=0.4)
        if leather:
            pen.lines([[(x, s * (r + 3)), (x * 0.8, s * 120)] for x in (-w + 4, w - 4)],
                cloths.contrasting(strap_rgb), 1.1, 0.85, dash=3, inside=part)
            if s == 1:
                pen.dots([(0, y) for y in (70, 82, 94, 106, 118)], 2.2, (20, 16, 14), 0.85)
        else:
            y = r + 4
            rows: list[list[Point]] = []
            while y < 128:
                rows.append([(-w, s * y), (w, s * y)])
                y += 9.5
            pen.lines(rows, (20, 18, 20), 1.4, 0.6, inside=part)
            pen.lines([[(a, b + 1.6) for a, b in row] for row in rows], (255, 255, 255), 1.2, 0.5,
                inside=part)
            pen.lines([[(x, s * r), (x * 0.8, s * 130)] for x in (-w * 0.4, w * 0.4)], (20, 18, 20), 1.2,
                0.45, inside=part)
    pen.part(rectangle(r - 2, -6, r + 8, 6, 2), case, puff=1, shadow=0.3)
    square = rng.random() < 0.2
    rim = rectangle(-r, -r, r, r, 13) if square else ellipse(0, 0, r, r)
    pen.part(rim, case, puff=0.9, shadow=0.4)
    dial: RGB = rng.choice(((248, 248, 246), (30, 32, 38), (28, 44, 84), (244, 236, 220), (30, 70, 60),
        (240, 214, 208)))
    face = cloths.of(dial, "matt").finished(gloss=0.2)
    pen.part(rectangle(-r + 7, -r + 7, r - 7, r - 7, 9) if square else ellipse(0, 0, r - 7, r - 7), face,
        puff=-0.5, tone=2)
    ink: RGB = (40, 40, 46) if luminance(dial) > 0.5 else (240, 240, 240)
    ticks: list[list[Point]] = []
    for k in range(12):
        a = k * pi / 6
        inner = (r - 17) if k % 3 else (r - 20)
        ticks.append([((r - 11) * cos(a), (r - 11) * sin(a)), (inner * cos(a), inner * sin(a))])
    pen.lines(ticks, ink, 2.2)
    if rng.random() < 0.4:
        for x, y in ((-12.0, 0.0), (12.0, 0.0), (0.0, 13.0)):
            pen.dots([(x, y)], 6.5, scaled(dial, 0.82) if luminance(dial) > 0.5 else cloths.mixed(dial,
                (255, 255, 255), 0.2))
    hands: list[list[Point]] = [[(0, 0), ((r - 26) * cos(-2.6), (r - 26) * sin(-2.6))],
        [(0, 0), ((r - 16) * cos(-0.55), (r - 16) * sin(-0.55))]]
    pen.lines([[(x + 1, y + 1.5) for x, y in hand] for hand in hands], (10, 10, 14), 3, 0.3)
    pen.lines(hands, ink, 3)
    pen.lines([[(0, 8), (4, r * -0.62)]], (200, 50, 50), 1.1)
    pen.dots([(0, 0)], 3, case.rgb)
    glare: list[Point] = [(-r * 0.62, -r * 0.1), (-r * 0.5, -r * 0.5), (-r * 0.1, -r * 0.66),
        (r * 0.1, -r * 0.62), (-r * 0.3, -r * 0.3)]
    pen.part(glare, cloths.of((255, 255, 255), "glass").finished(opacity=0.25), puff=0.0, soften=2.0)
