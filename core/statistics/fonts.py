"""Find a font that covers a text: shipped with the app, or installed on this computer."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.settings import ASSETS, settings

SHIPPED = ASSETS / "fonts"
SUFFIXES = (".ttf", ".otf", ".ttc", ".woff2")
MOST_FILES = 400  # largest number of installed fonts to check
PREFERRED = (
    "inter",
    "noto",
    "dejavusans.",
    "source",
    "wqy",
    "liberation",
)  # preferred for legibility


def _system() -> list[Path]:
    home = Path.home()
    if sys.platform == "darwin":
        return [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts"]
    if sys.platform == "win32":
        return [Path("C:/Windows/Fonts")]
    return [
        Path("/usr/share/fonts"),
        Path("/usr/local/share/fonts"),
        home / ".local/share/fonts",
        home / ".fonts",
    ]


@dataclass(frozen=True)
class Font:
    """The best font for a text."""

    path: Path | None  # None: no font was found
    missing: frozenset[str]  # characters of the text that it cannot draw

    @property
    def says(self) -> str:
        """A sentence about scripts that cannot be drawn; empty if there are none."""
        if not self.missing:
            return ""
        return (
            f"No font covers {', '.join(scripts(self.missing))}: words in it are not drawn. "
            f"Add such a font to {SHIPPED.relative_to(ASSETS.parent)} or install one."
        )


def scripts(characters: Iterable[str]) -> list[str]:
    """The scripts of characters, by the first word of their Unicode names.

    >>> scripts("пж中")
    ['Cyrillic', 'Han']
    """
    names = {unicodedata.name(character, "UNKNOWN").split()[0].split("-")[0] for character in characters}
    return sorted({"CJK": "Han"}.get(name, name.capitalize()) for name in names)


def font_for(text: Iterable[str]) -> Font:
    """The font that covers most characters of `text`; shipped fonts are preferred.

    Args:
        text: one or several strings; white space and control characters are ignored.
    """
    wanted = frozenset(
        character
        for part in text
        for character in part
        if not character.isspace() and character.isprintable()
    )
    return _best(wanted, tuple(font_files()))


@lru_cache(maxsize=64)
def _best(wanted: frozenset[str], files: tuple[Path, ...]) -> Font:
    codes = frozenset(map(ord, wanted))
    best, lacking = None, codes
    for path in files:
        without = codes - covered(path)
        if best is None or len(without) < len(lacking):
            best, lacking = path, without
        if not lacking:
            break
    return Font(best, frozenset(map(chr, lacking)))


def font_files() -> list[Path]:
    """Font files by preference: shipped, then installed."""
    shipped = sorted(path for path in SHIPPED.glob("**/*") if path.suffix.lower() in SUFFIXES)
    found: list[Path] = []
    for folder in _system():
        if folder.is_dir():
            found += [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES]

    def order(path: Path) -> tuple[int, bool, str]:
        name = path.name.lower()
        place = next(
            (index for index, start in enumerate(PREFERRED) if name.startswith(start)), len(PREFERRED)
        )
        return place, "regular" not in name and name != "dejavusans.ttf", name

    return [*sorted(shipped, key=order), *sorted(found, key=order)[:MOST_FILES]]


@lru_cache(maxsize=MOST_FILES)
def covered(path: Path) -> frozenset[int]:
    """The code points of a font; empty if the file cannot be read."""
    from fontTools.ttLib import TTFont, TTLibError

    try:
        with TTFont(path, fontNumber=0, lazy=True) as font:
            return frozenset(font.getBestCmap() or ())
    except (TTLibError, OSError, AssertionError, KeyError, ValueError):
        return frozenset()


def drawable_file(path: Path) -> Path:
    """The font uncompressed, cached in the data folder: WOFF2 would be decompressed for every drawn size."""
    if path.suffix.lower() != ".woff2":
        return path
    from fontTools.ttLib import TTFont

    unpacked = settings().home / ".fonts" / f"{path.stem}-{path.stat().st_size}.ttf"
    if not unpacked.exists():
        temporary = unpacked.with_suffix(f".{os.getpid()}")
        try:
            unpacked.parent.mkdir(parents=True, exist_ok=True)
            with TTFont(path) as font:
                font.flavor = None
                font.save(temporary)
            temporary.replace(unpacked)
        except OSError:  # without the cache it is only slower
            return path
    return unpacked
