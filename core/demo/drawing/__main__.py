"""Draw a contact sheet of every kind with a few variants, to review changes.

python -m core.demo.drawing sheet.jpg [--columns 4] [--seed 0] [--width 96] [--kinds shoes,boots]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw

from core.demo.drawing import DRAWERS, draw
from core.demo.drawing.scene import font
from core.demo.looks import KINDS, Look

_GAP, _LABEL = 4, 15  # pixels around a picture, and height of a kind's caption
_BLOCKS = 4  # kinds side by side


def variants(kind: str, count: int, seed: int) -> list[Look]:
    """Looks of one kind that cycle through its patterns and materials."""
    options, rng = KINDS[kind], Random(f"{kind} {seed}")
    colours = rng.sample(options.colours, len(options.colours))
    return [
        Look(
            kind,
            colours[n % len(colours)],
            options.patterns[n % len(options.patterns)],
            options.materials[n % len(options.materials)],
            rng.randrange(10**9),
        )
        for n in range(count)
    ]


def contact_sheet(kinds: list[str], columns: int, width: int, seed: int) -> Image.Image:
    """Labelled rows of one kind each, in blocks side by side."""
    height = round(width * 298 / 228)
    block_width, block_height = columns * (width + _GAP) + 3 * _GAP, height + _GAP + _LABEL
    rows = -(-len(kinds) // _BLOCKS)
    sheet = Image.new("RGB", (_BLOCKS * block_width, rows * block_height + _GAP), (236, 236, 238))
    pen = ImageDraw.Draw(sheet)
    for n, kind in enumerate(kinds):
        left, top = (n // rows) * block_width + _GAP, (n % rows) * block_height
        pen.text((left + 2, top + 1), kind, fill=(40, 40, 46), font=font(11))
        for column, look in enumerate(variants(kind, columns, seed)):
            picture = draw(look).resize((width, height), Image.Resampling.LANCZOS)
            sheet.paste(picture, (left + column * (width + _GAP), top + _LABEL))
    return sheet


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m core.demo.drawing", description="Draw a contact sheet.")
    parser.add_argument("out", type=Path, help="the sheet's file: .jpg, .png or .webp")
    parser.add_argument("--columns", type=int, default=4, help="pictures a kind")
    parser.add_argument("--width", type=int, default=96, help="pixels of a picture")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", default="", help="parts of kinds' names, by commas; all without it")
    given = parser.parse_args()
    wanted = given.kinds.split(",")
    kinds = [kind for kind in DRAWERS if any(part in kind for part in wanted)]
    sheet = contact_sheet(kinds, given.columns, given.width, given.seed)
    sheet.save(given.out, quality=84, optimize=True)


if __name__ == "__main__":
    main()
