"""The HTML of the generation panel; everything typed is escaped."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from PIL import Image
from PIL.PngImagePlugin import PngInfo

HINT = '<p class="gen-hint">Type a phrase and press Draw. The picture emerges step by step.</p>'
CSS = """
.gen-row { display: grid; grid-template-columns: repeat(auto-fill, minmax(132px, 1fr)); gap: 14px; }
.gen-row.four { grid-template-columns: repeat(auto-fill, minmax(min(220px, 45%), 1fr)); }
.gen-row figure { margin: 0; }
.gen-row img { width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: 8px; background: #fff; display: block; }
.gen-row figcaption { font-size: 14px; line-height: 1.4; margin-top: 4px; overflow-wrap: anywhere; }
.gen-row .near { display: flex; gap: 6px; margin-top: 6px; }
.gen-row .near img { width: 50%; border-radius: 4px; }
.gen-said { margin: 0 0 10px; font-size: 15px; }
.gen-hint { opacity: .75; font-size: 16px; }
"""


@dataclass(frozen=True)
class Tile:
    """One picture as it is shown."""

    source: str  # a data URL
    caption: str
    download: str = ""  # name of the file; empty while it emerges
    near: Sequence[tuple[str, str]] = ()  # address and words of the nearest training pictures


def png(picture: Image.Image, note: PngInfo | None = None) -> str:
    """A data URL: the picture never lies on the server's disk."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", pnginfo=note)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def grid(tiles: Sequence[Tile], says: str, wide: bool = True) -> str:
    """The pictures, under one line of words."""
    cells = "".join(_cell(tile) for tile in tiles)
    return (
        f'<p class="gen-said">{escape(says)}</p><div class="gen-row{" four" if wide else ""}">{cells}</div>'
    )


def refusal(says: str) -> str:
    return f'<p class="gen-said" role="alert">{escape(says)}</p>'


def near_address(dataset: str, image_id: str) -> str:
    return f"/images/{quote(dataset, safe='')}/{quote(image_id, safe='')}?w=160"


def _cell(tile: Tile) -> str:
    caption = escape(tile.caption)
    image = f'<img src="{tile.source}" alt="Generated picture: {caption}">'
    link = (
        f' <a href="{tile.source}" download="{escape(tile.download)}">Download PNG</a>'
        if tile.download
        else ""
    )
    near = "".join(
        f'<img src="{escape(address)}" alt="{escape(words)}" title="{escape(words)}">'
        for address, words in tile.near
    )
    beside = f'<div>Nearest training pictures</div><div class="near">{near}</div>' if near else ""
    return f"<figure>{image}<figcaption>{caption}{link}{beside}</figcaption></figure>"
