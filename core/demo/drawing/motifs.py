"""The print on a chest: small pictures in one to three inks, drawn once and stamped often."""

from __future__ import annotations

from functools import lru_cache
from math import cos, pi, sin

from PIL import Image, ImageDraw

from core.demo.drawing import tiles
from core.demo.drawing.cloth import RGB
from core.demo.drawing.scene import font

GROWN = ("star", "heart", "sun", "mountain", "palm", "word", "number", "circle", "wave", "flower", "box")
CHILD = ("star", "heart", "cat", "bear", "rocket", "dinosaur", "number", "flower", "rainbow", "car")
_WORDS = ("VITRINE", "hello", "PARIS", "OCEAN", "bonjour", "ROMA", "SUNDAY", "amour", "CLUB")


@lru_cache(maxsize=512)
def motif(name: str, side: int, inks: tuple[RGB, ...], variant: int) -> Image.Image:
    """An RGBA sprite `side` pixels square."""
    k = side * 4 / 100
    image = Image.new("RGBA", (side * 4, side * 4), (*inks[0], 0))
    _Plate(ImageDraw.Draw(image), k, inks, variant).print(name)
    return image.reduce(4)


class _Plate:
    """Draws in a square of 100 x 100."""

    def __init__(self, draw: ImageDraw.ImageDraw, k: float, inks: tuple[RGB, ...], variant: int) -> None:
        self.draw, self.k, self.inks, self.variant = draw, k, inks, variant

    def print(self, name: str) -> None:
        getattr(self, name)()

    def ink(self, n: int) -> RGB:
        return self.inks[n % len(self.inks)]

    def oval(self, x: float, y: float, rx: float, ry: float, n: int = 0) -> None:
        k = self.k
        self.draw.ellipse(((x - rx) * k, (y - ry) * k, (x + rx) * k, (y + ry) * k), fill=self.ink(n))

    def poly(self, points: list[tuple[float, float]], n: int = 0) -> None:
        self.draw.polygon([(x * self.k, y * self.k) for x, y in points], fill=self.ink(n))

    def bar(
        self, left: float, top: float, right: float, bottom: float, n: int = 0, radius: float = 0
    ) -> None:
        k = self.k
        self.draw.rounded_rectangle((left * k, top * k, right * k, bottom * k), radius * k, fill=self.ink(n))

    def text(self, x: float, y: float, text: str, size: float, n: int = 0) -> None:
        self.draw.text(
            (x * self.k, y * self.k),
            text,
            font=font(max(6, int(size * self.k))),
            fill=self.ink(n),
            anchor="mm",
            stroke_width=int(self.k * 0.8),
            stroke_fill=self.ink(n),
        )

    def star(self) -> None:
        self.poly(tiles.star(50, 52, 46, -pi / 2))
        if self.variant % 2:
            self.poly(tiles.star(50, 52, 26, -pi / 2), 1)

    def heart(self) -> None:
        self.poly(tiles.heart(50, 48, 42))

    def sun(self) -> None:
        self.oval(50, 50, 44, 44, 1)
        for n in range(5):
            self.bar(0, 52 + n * 10, 100, 55 + n * 10 + n * 0.8, 0)
        self.poly([(0, 84), (26, 52), (44, 72), (60, 56), (100, 84)], 2)

    def mountain(self) -> None:
        self.oval(66, 30, 15, 15, 1)
        self.poly([(2, 82), (36, 24), (56, 58), (66, 46), (98, 82)])
        self.poly([(36, 24), (26, 41), (34, 38), (38, 44), (46, 41)], 2)
        self.text(50, 93, "OUTDOOR", 13)

    def palm(self) -> None:
        self.oval(56, 42, 34, 34, 1)
        self.poly([(46, 92), (52, 92), (54, 44), (50, 42)])
        for a in (-2.8, -2.2, -1.5, -0.8, -0.2, 0.3, 2.8):
            self.poly(
                [
                    (51, 42),
                    (51 + cos(a) * 20 - 5 * sin(a), 38 + sin(a) * 22),
                    (51 + cos(a) * 38, 46 + sin(a) * 26),
                ]
            )
        self.bar(22, 91, 80, 95, 0, 2)

    def word(self) -> None:
        text = _WORDS[self.variant % len(_WORDS)]
        self.text(50, 46, text, min(34, 150 / len(text)))
        if self.variant % 2:
            self.bar(18, 66, 82, 69, 1)

    def number(self) -> None:
        self.text(50, 50, str((7, 23, 84, 96, 10, 68)[self.variant % 6]), 68)

    def circle(self) -> None:
        self.oval(50, 50, 44, 44)
        self.oval(50, 50, 36, 36, 1)
        self.text(50, 50, ("V", "&", "NYC", "A")[self.variant % 4], 30)

    def wave(self) -> None:
        for n in range(4):
            y = 28 + n * 14
            top = [(x * 4.0, y + 6 * sin(x * 0.75 + n)) for x in range(26)]
            self.poly([*top, *[(x, v + 6) for x, v in reversed(top)]], n % 2)

    def flower(self) -> None:
        for n in range(6):
            a = n * pi / 3
            self.oval(50 + 26 * cos(a), 50 + 26 * sin(a), 20, 20)
        self.oval(50, 50, 15, 15, 1)

    def box(self) -> None:
        self.bar(4, 26, 96, 72, 0, 3)
        self.text(50, 49, _WORDS[self.variant % len(_WORDS)], 17, 1)

    def cat(self) -> None:
        self.poly([(16, 12), (46, 34), (18, 56)])
        self.poly([(84, 12), (54, 34), (82, 56)])
        self.oval(50, 56, 38, 34)
        self._face(1)

    def bear(self) -> None:
        self.oval(22, 24, 16, 16)
        self.oval(78, 24, 16, 16)
        self.oval(50, 54, 38, 36)
        self.oval(50, 66, 18, 14, 1)
        self._face(2)

    def _face(self, n: int) -> None:
        self.oval(36, 50, 5, 6, n)
        self.oval(64, 50, 5, 6, n)
        self.oval(50, 63, 5, 4, n)

    def rocket(self) -> None:
        self.poly([(50, 2), (66, 26), (68, 70), (32, 70), (34, 26)])
        self.poly([(32, 52), (14, 80), (34, 72)], 1)
        self.poly([(68, 52), (86, 80), (66, 72)], 1)
        self.poly([(38, 72), (62, 72), (50, 98)], 2)
        self.oval(50, 36, 10, 10, 1)

    def dinosaur(self) -> None:
        self.oval(46, 64, 30, 20)
        self.poly([(60, 60), (66, 18), (84, 18), (76, 70)])
        self.oval(79, 22, 17, 12)
        self.poly([(22, 56), (0, 80), (34, 78)])
        self.bar(28, 72, 38, 94, 0, 3)
        self.bar(54, 72, 64, 94, 0, 3)
        for x, y in ((24, 46), (36, 40), (48, 38), (58, 30)):
            self.poly([(x - 7, y + 8), (x, y - 7), (x + 7, y + 8)], 1)
        self.oval(84, 19, 3, 3, 1)

    def rainbow(self) -> None:
        for n, r in enumerate((46, 36, 26)):
            self.oval(50, 66, r, r, n)
        k = self.k
        self.draw.ellipse((34 * k, 50 * k, 66 * k, 82 * k), fill=(0, 0, 0, 0))
        self.draw.rectangle((0, 66 * k, 100 * k, 120 * k), fill=(0, 0, 0, 0))
        self.oval(12, 70, 12, 9, 1)
        self.oval(88, 70, 12, 9, 1)

    def car(self) -> None:
        self.bar(6, 46, 94, 72, 0, 8)
        self.bar(26, 26, 74, 52, 0, 10)
        self.bar(32, 32, 48, 46, 1, 3)
        self.bar(52, 32, 68, 46, 1, 3)
        for x in (28, 72):
            self.oval(x, 74, 12, 12, 2)
            self.oval(x, 74, 5, 5, 1)
