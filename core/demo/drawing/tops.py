"""T-shirts, tank tops, blouses, shirts and polo shirts."""

# outlines are formatted as tables of points:
# fmt: off

from __future__ import annotations

from random import Random

from core.demo.drawing import scene, upper
from core.demo.drawing.cloth import Cloth, contrasting, luminance, mixed
from core.demo.drawing.curves import Point, flipped, mirrored
from core.demo.drawing.pen import Pen
from core.demo.looks import Look


def _body_below(pen: Pen, look: Look, rng: Random, woman: bool, chance: float, top: float) -> bool:
    """Sometimes draw a mannequin under the garment."""
    if look.material != "sheer" and rng.random() > chance:
        return False
    scene.torso(pen, scene.skin(rng), woman, top)
    return True


def _chest(pen: Pen, look: Look, cloth: Cloth) -> Cloth:
    """A print goes on the chest, not all over."""
    return cloth.plain() if look.pattern == "print" else cloth


def womens_t_shirts(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    c = upper.woman(rng, neckline=rng.choices(("crew", "v", "boat"), (4, 3, 2))[0])
    if c.neckline == "boat":
        c = upper.woman(rng, neckline="boat", neck=34, depth=13)
    if c.neckline == "v":
        c = upper.woman(rng, neckline="v", depth=rng.uniform(36, 46))
    base = _chest(pen, look, cloth)
    if not _body_below(pen, look, rng, True, 0.25, c.top + 9):
        upper.perhaps_hang(pen, c, rng)
        upper.back_neck(pen, c, base)
    long = rng.random() < 0.15
    if long:
        upper.sleeve(pen, c, base, rng, length=rng.uniform(130, 142), width=10, angle=12)
    else:
        upper.sleeve(pen, c, base, rng, length=rng.uniform(20, 36), width=rng.uniform(17, 20),
            angle=rng.uniform(26, 36))
    body = upper.front(pen, c, base, rng)
    upper.armhole_seams(pen, c, body)
    upper.crew_band(pen, c, base, 4)
    upper.hem_seam(pen, c, body)
    if look.pattern == "print":
        upper.chest_print(pen, rng, body, cloth, c.top + c.depth + 38, rng.uniform(46, 62))


def mens_t_shirts(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    v = rng.random() < 0.2
    c = upper.man(rng, neckline="v" if v else "crew", **({"depth": 32} if v else {}))
    base = _chest(pen, look, cloth)
    if not _body_below(pen, look, rng, False, 0.2, c.top + 13):
        upper.perhaps_hang(pen, c, rng)
        upper.back_neck(pen, c, base)
    upper.sleeve(pen, c, base, rng, length=rng.uniform(44, 52), width=rng.uniform(21, 24),
        angle=rng.uniform(24, 32))
    body = upper.front(pen, c, base, rng)
    upper.armhole_seams(pen, c, body)
    trim = cloth.dyed(contrasting(cloth.rgb)) if rng.random() < 0.15 else base
    upper.crew_band(pen, c, trim, 6)
    upper.hem_seam(pen, c, body)
    if look.pattern == "print":
        upper.chest_print(pen, rng, body, cloth, c.top + c.depth + 46, rng.uniform(58, 78))
    elif look.pattern == "plain" and rng.random() < 0.4:
        left = c.chest * 0.45
        upper.chest_label(pen, rng.choice(("vitrine", "V", "V/84")), left, c.armpit - 4,
            contrasting(cloth.rgb))


def boys_t_shirts(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    c = upper.child(rng)
    base = _chest(pen, look, cloth)
    trim = cloth.dyed(rng.choice(((226, 62, 76), (46, 96, 176), (250, 200, 70), (250, 248, 242),
        (40, 44, 70))))
    ringer = rng.random() < 0.55
    upper.perhaps_hang(pen, c, rng)
    upper.back_neck(pen, c, base)
    upper.sleeve(pen, c, trim if ringer and look.pattern != "stripes" and rng.random() < 0.6 else base, rng,
                 length=rng.uniform(34, 42), width=21, angle=rng.uniform(36, 46))
    body = upper.front(pen, c, base, rng, loose=0.9)
    upper.armhole_seams(pen, c, body)
    upper.crew_band(pen, c, trim if ringer else base, 7)
    upper.hem_seam(pen, c, body)
    if look.pattern != "stripes" or rng.random() < 0.3:
        upper.chest_print(pen, rng, body, cloth, c.top + 74, rng.uniform(66, 78), children=True)


def womens_tank_tops(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    thin = rng.random() < 0.5
    base = _chest(pen, look, cloth)
    worn = _body_below(pen, look, rng, True, 0.35, -87)
    top, w = -92.0, rng.uniform(45, 52)
    bottom = rng.uniform(72, 96)
    strap = 3.2 if thin else rng.uniform(9, 15)
    x = rng.uniform(29, 33)
    bust = -46.0 if thin else -52.0
    low = rng.uniform(-44, -34)
    half: list[Point] = [
        (0, low), (x - strap * 0.7, bust, 1), (x - strap / 2, top, 1), (x + strap / 2, top - 0.5, 1),
        (x + strap * 0.8, bust - 4), (w, -24, 1), (w - 8, 14), (w + 4, bottom, 1), (0, bottom + 4),
    ]
    if not worn:
        back = mirrored([(0, -50), (x - 2, -58), (x - strap / 2, top, 1), (x + strap / 2, top, 1),
            (w - 4, -26, 1), (0, 0)])
        pen.part(back, base.shaded(0.68), puff=0.2, shadow=0.15)
    cut = upper.Cut(chest=w, waist=w - 8, hem=w + 4, top=-92, length=bottom + 92, slope=10, armhole=58)
    body = pen.part(mirrored(half), base, folds=upper.body_folds(rng, cut), shadow=0.2, bulge=5)
    edge = [(0, low), (x - strap * 0.7, bust, 1), (x - strap / 2, top)]
    side = [(x + strap / 2, top), (x + strap * 0.8, bust - 4), (w, -24)]
    inset = [[(px, py + 2.5, *r) for px, py, *r in line] for line in (edge, side)]
    if not thin:
        pen.seams([*inset, *[flipped(line) for line in inset]], inside=body, alpha=0.3)
    upper.hem_seam(pen, cut, body)
    if thin and rng.random() < 0.4:
        trim = mixed(base.rgb, (255, 255, 255), 0.35) if luminance(base.rgb) < 0.6 else mixed(base.rgb,
            (90, 70, 60), 0.25)
        line = [*flipped(edge[:2])[::-1], *edge[1:2]]
        pen.lines([[(px, py + 2, *r) for px, py, *r in line]], trim, 4, 0.7, inside=body)
    if look.pattern == "print":
        upper.chest_print(pen, rng, body, cloth, 2, rng.uniform(44, 56))


def womens_blouses_and_shirts(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    style = rng.choices(("shirt", "bow", "stand"), (4, 2, 2))[0]
    c = upper.woman(rng, neck=21, depth=34 if style != "stand" else 26, neckline="v",
        hem_curve=rng.choice((3, 10, -4)),
                    length=rng.uniform(182, 200), waist=rng.uniform(46, 54), hem=rng.uniform(54, 60))
    if not _body_below(pen, look, rng, True, 0.2, c.top + 9):
        upper.perhaps_hang(pen, c, rng)
        upper.back_neck(pen, c, cloth, label=style == "shirt")
    short = rng.random() < 0.2
    if short:
        upper.sleeve(pen, c, cloth, rng, length=44, width=17, full=6, angle=24, cuff="turned")
    else:
        upper.sleeve(pen, c, cloth, rng, length=rng.uniform(130, 144), width=rng.uniform(9, 11),
            angle=rng.uniform(9, 15),
                     full=rng.uniform(3, 10), cuff="shirt")
    body = upper.front(pen, c, cloth, rng, loose=1.15)
    upper.armhole_seams(pen, c, body)
    throat = c.top + c.depth
    pen.seams([[(-4, throat - 3), (-4, c.bottom + 12)], [(4, throat - 3), (4, c.bottom + 12)]], inside=body,
        alpha=0.3)
    pearl = (246, 242, 234) if luminance(cloth.rgb) < 0.8 else (196, 188, 176)
    upper.buttons_down(pen, throat + 8, c.bottom - 16, 6, pearl)
    if style == "shirt":
        upper.shirt_collar(pen, c, cloth, spread=rng.uniform(22, 28), drop=rng.uniform(24, 30), open_=20)
        if rng.random() < 0.3:
            _pocket(pen, cloth, 27, c.armpit - 6, 20, 24)
    elif style == "stand":
        ring = mirrored([(0, throat - 1, 1), (c.neck * 0.7, c.top + c.depth * 0.42), (c.neck + 1, c.top - 6),
                         (c.neck + 4, c.top + 1), (c.neck * 0.85, c.top + c.depth * 0.5), (0, throat + 7, 1)])
        pen.part(ring[: len(ring)], cloth, puff=0.5, drape=0, shadow=0.15)
        ruffle = [[(s * (7 + 2 * (k % 2)), throat + 4 + k * 9) for k in range(9)] for s in (-1, 1)]
        pen.lines(ruffle, mixed(cloth.rgb, (20, 20, 30), 0.3), 1.2, 0.5)
    else:
        _bow(pen, cloth, throat)


def _bow(pen: Pen, cloth: Cloth, y: float) -> None:
    """A pussy bow at the throat with hanging ends."""
    collar = [(-22, y - 34), (-12, y - 18), (0, y - 2), (12, y - 18), (22, y - 34), (25, y - 30),
        (15, y - 10), (0, y + 5),
              (-15, y - 10), (-25, y - 30)]
    pen.part(collar, cloth, puff=0.7, drape=0, shadow=0.2)
    for s in (-1, 1):
        tail = [(0, y), (s * 7, y + 4), (s * 13, y + 52, 1), (s * 2, y + 56, 1), (s * -1, y + 8)]
        pen.part(tail, cloth, puff=0.6, shadow=0.28, folds=[(s * 2, y + 5, s * 5, y + 20, s * 8, y + 50, 4)],
            grain=-s * 12)
    for s in (-1, 1):
        loop = [(0, y - 4), (s * 14, y - 13), (s * 27, y - 8), (s * 26, y + 7), (s * 12, y + 7), (0, y + 5)]
        pen.part(loop, cloth, puff=0.8, shadow=0.28, folds=[(s * 2, y, s * 10, y - 3, s * 20, y - 1, 5)],
            grain=s * 60)
    pen.part([(-6, y - 5), (5, y - 6), (6, y + 6), (-5, y + 7)], cloth, puff=0.8, shadow=0.25)


def _pocket(pen: Pen, cloth: Cloth, x: float, y: float, width: float, height: float) -> None:
    w = width / 2
    outline = [(x - w, y, 1), (x + w, y, 1), (x + w, y + height - 5, 1), (x, y + height, 1),
        (x - w, y + height - 5, 1)]
    pocket = pen.part(outline, cloth, puff=0.25, shadow=0.12, drape=0.4)
    pen.seams([[(x - w, y + 4), (x + w, y + 4)]], inside=pocket, alpha=0.3)


def mens_shirts(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    c = upper.man(rng, neck=22, depth=20, neckline="v", hem_curve=rng.choice((8, 12, 3)),
        length=rng.uniform(208, 222))
    upper.perhaps_hang(pen, c, rng, 0.2)
    upper.back_neck(pen, c, cloth)
    if rng.random() < 0.25:
        upper.sleeve(pen, c, cloth, rng, length=54, width=22, angle=24, cuff="turned")
    else:
        upper.sleeve(pen, c, cloth, rng, length=rng.uniform(150, 160), width=12.5, angle=rng.uniform(8, 11),
            cuff="shirt")
    body = upper.front(pen, c, cloth, rng)
    upper.armhole_seams(pen, c, body)
    throat = c.top + c.depth
    pen.part([(-5.5, throat - 6, 1), (5.5, throat - 6, 1), (5.5, c.bottom + 20, 1), (-5.5, c.bottom + 20, 1)],
             cloth, inside=body, puff=0.25, shadow=0.1, drape=0.5)
    denim = look.material == "denim"
    white = (186, 150, 100) if denim else (248, 246, 240) if luminance(cloth.rgb) < 0.75 else (200, 196, 188)
    upper.buttons_down(pen, throat + 6, c.bottom - 16, 7, white, 1.9)
    upper.shirt_collar(pen, c, cloth, spread=rng.uniform(20, 27), drop=rng.uniform(29, 34),
        open_=rng.choice((0.0, 3.0)))
    pockets = (1, -1) if denim else (1,)
    for s in pockets:
        if denim or rng.random() < 0.6:
            _pocket(pen, cloth, s * 33, c.armpit - 12, 27, 32)
    if denim:
        pen.seams([[(-c.shoulder, c.top + 30), (-20, c.top + 36)],
            [(c.shoulder, c.top + 30), (20, c.top + 36)]], inside=body)


def mens_polo_shirts(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    c = upper.man(rng, neck=22, depth=22, neckline="v")
    upper.back_neck(pen, c, cloth)
    contrast = rng.random() < 0.4
    trim = cloth.dyed(rng.choice(((248, 246, 242), (30, 36, 66), (180, 40,
        50)))) if contrast else cloth.plain()
    upper.sleeve(pen, c, cloth, rng, length=rng.uniform(44, 52), width=21, angle=rng.uniform(22, 30),
        cuff="rib", cuff_cloth=trim)
    body = upper.front(pen, c, cloth, rng)
    upper.armhole_seams(pen, c, body)
    throat, end = c.top + 16, c.top + 66
    pen.part([(-7, throat, 1), (7, throat, 1), (7, end, 1), (-7, end, 1)], cloth.plain(), inside=body,
        puff=0.3, shadow=0.14)
    pen.seams([[(-7, throat), (-7, end), (7, end), (7, throat)]], alpha=0.35)
    pearl = (246, 244, 238) if luminance(cloth.rgb) < 0.75 else (150, 146, 140)
    upper.buttons_down(pen, throat + 17, end - 9, 3 if rng.random() < 0.6 else 2, pearl, 2.1)
    upper.shirt_collar(pen, c, trim if contrast else cloth.plain().textured("rib", 1.2),
        spread=rng.uniform(25, 29), drop=31)
    upper.hem_seam(pen, c, body)
    if rng.random() < 0.7:
        pen.buttons([(33, c.armpit - 6)], 2.6, contrasting(cloth.rgb))
