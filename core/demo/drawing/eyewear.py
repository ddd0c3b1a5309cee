"""Glasses and sunglasses."""

# outlines are formatted as tables of points:
# fmt: off

from __future__ import annotations

from random import Random

from core.demo.drawing import cloth as cloths
from core.demo.drawing.cloth import RGB, Cloth, scaled
from core.demo.drawing.curves import Point, band, ellipse, flipped, rectangle
from core.demo.drawing.pen import Pen
from core.demo.looks import Look


def _lens(shape: str, s: int) -> list[Point]:
    """The right or left opening of the frame around (0, 0)."""
    forms: dict[str, list[Point]] = {
        "round": ellipse(0, 0, 33, 32),
        "square": rectangle(-36, -25, 36, 25, 13),
        "cat": [(-33, -18), (0, -25), (34, -30), (42, -27, 1), (36, 4), (16, 24), (-14, 25), (-31, 8)],
        "aviator": [(-27, -25), (6, -29), (34, -24), (40, -8), (32, 20), (12, 32), (-12, 28), (-29, 6)],
        "wayfarer": [(-34, -24), (0, -27), (40, -28, 1), (39, -8), (28, 23), (0, 27), (-24, 22), (-35, 0)],
    }
    form = forms[shape]
    return form if s == 1 else flipped(form)


def _glasses(pen: Pen, look: Look, cloth: Cloth, rng: Random, dark: bool) -> None:
    shape = rng.choice(("round", "square", "cat", "wayfarer", "aviator") if dark else ("round", "square",
        "cat", "wayfarer", "square"))
    metallic = look.colour in ("gold", "silver") or shape == "aviator"
    frame = cloths.of(cloth.rgb, "metal") if metallic else cloths.of(cloth.rgb, "patent").finished(gloss=0.5)
    thick = 3.0 if metallic else rng.uniform(6, 10) if dark else rng.uniform(4, 7)
    pen.place(turn=rng.uniform(-8, 8), zoom=rng.uniform(1.0, 1.06), shift=(0, rng.uniform(-8, 8)),
        mirror=rng.random() < 0.5)
    apart, y = 47.0, 0.0
    folded = rng.random() < 0.5
    pen.shadow(0, 34, 96, 8, 0.3)
    for s in (-1, 1):  # the arms, folded behind
        arm: list[Point] = [(s * (apart + 38), -22), (s * (apart + 42), -40), (s * 54, -58), (s * 10, -63),
            (s * -8, -58)] if folded else [
            (s * (apart + 39), -18), (s * (apart + 34), -52), (s * (apart + 18), -76),
            (s * (apart + 16), -84)]
        pen.lines([[(a + 2, b + 4) for a, b in arm]], (30, 28, 34), thick, 0.2, blur=1.4)
        pen.lines([arm], scaled(frame.rgb, 0.7), max(3.0, thick * 0.8))
        pen.lines([[(a, b - 1) for a, b in arm]], cloths.mixed(frame.rgb, (255, 255, 255), 0.5), 1.0, 0.5)
    tint: RGB = rng.choice(((34, 34, 40), (34, 34, 40), (70, 48, 36), (40, 60, 54), (50, 60, 96),
        (110, 60, 90)))
    for s in (-1, 1):
        hole = [(x + s * apart, b + y, *q) for x, b, *q in _lens(shape, s)]
        k = 1 + thick / 32
        rim = [(x * k + s * apart, b * k + y, *q) for x, b, *q in _lens(shape, s)]
        if dark:
            glass = cloths.of(tint, "glass").finished(opacity=0.97, gloss=0.5)
            lens = pen.part(hole, glass, puff=0.5, shadow=0.3, fades=[(s * apart, 22, 40, 22, 46),
                (s * apart - 14, -16, 10, 8, 20)])
        else:
            glass = cloths.of((222, 234, 242), "glass").finished(opacity=0.3, gloss=0.3)
            lens = pen.part(hole, glass, puff=0.2, shadow=0.06)
        pen.lines([[(s * apart - 22, 14), (s * apart + 4, -20)], [(s * apart - 12, 18),
            (s * apart + 10, -12)]], (255, 255, 255), 3.2 if dark else 4, 0.22 if dark else 0.75, inside=lens,
            blur=0.8)
        pen.part(rim, frame, holes=[hole], puff=0.9, shadow=0.3)
        pen.part(rectangle(s * (apart + 36) - 5, -24, s * (apart + 36) + 7, -16, 2), frame,
            puff=0.8) if not metallic else None
    gap = apart - (33 if shape == "round" else 34)
    bridge: list[Point] = [(-gap - 2, -8), (0, -14), (gap + 2, -8)]
    pen.part(band(bridge, [max(3.4, thick * 0.8)]), frame, puff=0.9, shadow=0.15)
    if shape == "aviator":
        pen.part(band([(-26, -26), (0, -28), (26, -26)], [3]), frame, puff=0.8)
    if metallic:
        for s in (-1, 1):
            pen.dots([(s * 12, 8)], 3.4, (236, 230, 220), 0.85, 1.4)


def sunglasses(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    _glasses(pen, look, cloth, rng, True)


def glasses(pen: Pen, look: Look, cloth: Cloth, rng: Random) -> None:
    _glasses(pen, look, cloth, rng, False)
