"""A cohort: filters that select products, as a URL, as SQL and in words; the same on every page, panel and command."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from core.errors import UsageError

SEPARATOR = " > "  # between the levels of a category path in a URL; a backslash escapes it
TEXT_CHARACTERS = 500
CORNERS = 200  # of an area, at most
QUERY_CHARACTERS = 32_768  # of all filters of a link together
VALUES = 1_000  # of one filter
LEVELS = 32  # of a category path
WORDS = 40  # of a search text
DECIMALS = 4  # of a corner: a map is 2 wide, so that this is finer than a pixel
FAR = 100.0  # greatest distance of a corner from a map's centre
MAP = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
NONE = "(none)"  # stands for NULL in a filter and in a URL

# Filters that select values of the column of the same name.
CHOICES = ("split", "geo", "language", "label_source", "label_kind")


@dataclass(frozen=True)
class Cohort:
    """Products of one dataset. Filters of different kinds are joined by AND, values of one kind by OR."""

    dataset: str
    split: tuple[str, ...] = ()
    geo: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    category: tuple[tuple[str, ...], ...] = ()  # paths from the root; a path holds everything below it
    label_source: tuple[str, ...] = ()
    label_kind: tuple[str, ...] = ()
    text: str = ""  # every word occurs in the name or the description, in any case
    picture: bool | None = None  # True: has one; False: has none
    item_id: tuple[str, ...] = ()
    image_id: tuple[str, ...] = ()
    map: str = ""  # the map of the area; set only with an area
    area: tuple[
        tuple[float, float], ...
    ] = ()  # corners of a polygon; products that lie inside (even-odd rule)
    fingerprint: str | None = None  # of the dataset; None for the current one

    def __post_init__(self) -> None:
        """
        Raises:
            UsageError: a filter has too many values, levels or words, or the area cannot be: too few or too
                many corners, no numbers, or of no map.
        """
        for column in (*CHOICES, "category", "item_id", "image_id"):
            if len(values := getattr(self, column)) > VALUES:
                raise UsageError(
                    f"The filter {column} has {len(values):,} values; at most {VALUES:,} are allowed."
                )
        if (deepest := max(map(len, self.category), default=0)) > LEVELS:
            raise UsageError(f"A category path has {deepest:,} levels; at most {LEVELS} are allowed.")
        if (words := len(set(self.text.split()))) > WORDS:
            raise UsageError(f"The search text has {words:,} words; at most {WORDS} are allowed.")
        if self.area:
            object.__setattr__(self, "area", _corners(self.map, self.area))
        else:
            object.__setattr__(self, "map", "")

    def where(self) -> tuple[str, list[Any]]:
        """The SQL condition over the tables `products`, `search` and `area` of `Products`, and its bound values."""
        conditions: list[str] = []
        values: list[Any] = []
        for column in (*CHOICES, "item_id", "image_id"):
            if chosen := getattr(self, column):
                missing = f" OR {column} IS NULL" if NONE in chosen else ""
                conditions.append(f"({column} IN ({', '.join('?' * len(chosen))}){missing})")
                values += chosen
        if self.category:
            below = []  # one condition per length, not per level: DuckDB's time grows faster than their number
            for length, paths in sorted(by_length(self.category).items()):
                if length == 0:  # everything
                    below.append("true")
                    continue
                below.append(f"category_path[1:{length}] IN ({', '.join('?' * len(paths))})")
                values += [list(path) for path in paths]
            conditions.append(f"({' OR '.join(below)})")
        if words := list(dict.fromkeys(fold(self.text).split())):
            contained = " AND ".join(["contains(text, ?)"] * len(words))
            conditions.append(f"row_id IN (SELECT row_id FROM search WHERE {contained})")  # noqa: S608
            values += words
        if self.picture is not None:
            conditions.append(f"image IS {'NOT ' if self.picture else ''}NULL")
        if self.area:
            conditions.append("row_id IN (SELECT row_id FROM area)")
        return " AND ".join(conditions) or "true", values

    def is_whole(self) -> bool:
        """Whether it selects the whole dataset."""
        return self == Cohort(self.dataset, fingerprint=self.fingerprint)

    def looked_for(self) -> Cohort:
        """Its filters that only SQL answers: the text and the ids."""
        return Cohort("", text=" ".join(self.text.split()), item_id=self.item_id, image_id=self.image_id)

    def with_(self, **changes: Any) -> Cohort:
        """The same cohort with some filters changed."""
        return replace(self, **changes)

    def to_query(self) -> dict[str, list[str]]:
        """The query parameters; filters that are not set are absent.

        >>> Cohort("demo", geo=("cz",), category=(("Women", "Shoes"),)).to_query()
        {'dataset': ['demo'], 'geo': ['cz'], 'category': ['Women > Shoes']}
        """
        query: dict[str, list[str]] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "category":
                value = [path_text(path) for path in value]
            elif field.name == "picture":
                value = [] if value is None else ["yes" if value else "no"]
            elif field.name == "area":
                value = [area_text(value)] if value else []
            elif isinstance(value, str):
                value = [value] if value else []
            if value:
                query[field.name] = list(value)
        return query

    @classmethod
    def from_query(cls, query: Mapping[str, Sequence[str]], dataset: str | None = None) -> Cohort:
        """A cohort from query parameters; other parameters are ignored.

        Raises:
            UsageError: no dataset is named, or a value is invalid.
        """
        given = sum(len(value) for field in fields(cls) for value in query.get(field.name, ()))
        if given > QUERY_CHARACTERS:
            raise UsageError(
                f"The filters of the link have {given:,} characters; at most {QUERY_CHARACTERS:,} are allowed."
            )
        name = dataset or (query.get("dataset") or [""])[0]
        if not name:
            raise UsageError("The link names no dataset. Choose one.")
        picture = (query.get("picture") or [""])[0]
        if picture not in ("", "yes", "no"):
            raise UsageError(f"picture={picture} in the link: expected yes or no.")
        text = (query.get("text") or [""])[0].replace("\0", "")
        if len(text) > TEXT_CHARACTERS:
            raise UsageError(f"The search text is longer than {TEXT_CHARACTERS} characters.")
        area = area_from_text((query.get("area") or [""])[0])
        chosen = {
            column: tuple(dict.fromkeys(query.get(column, ())))
            for column in (*CHOICES, "item_id", "image_id")
        }
        return cls(
            dataset=name,
            category=tuple(path_from_text(path) for path in dict.fromkeys(query.get("category", ())) if path),
            text=text,
            picture={"": None, "yes": True, "no": False}[picture],
            map=(query.get("map") or [""])[0] if area else "",
            area=area,
            fingerprint=(query.get("fingerprint") or [""])[0] or None,
            **chosen,
        )

    def describe(self) -> str:
        """In words, for a chart's caption or a file's name.

        >>> Cohort("demo", split=("train",), geo=("cz", "sk"), text="red dress").describe()
        'split train; geo cz, sk; text "red dress"'
        """
        parts = [
            f"{column.replace('_', ' ')} {', '.join(getattr(self, column))}"
            for column in CHOICES
            if getattr(self, column)
        ]
        if self.category:
            parts.append("category " + ", ".join(path_text(path) for path in self.category))
        if self.text:
            parts.append(f'text "{self.text}"')
        if self.picture is not None:
            parts.append("with a picture" if self.picture else "without a picture")
        if self.area:
            parts.append(f"{len(self.area)}-corner area of the map {self.map}")
        for column in ("item_id", "image_id"):
            if chosen := getattr(self, column):
                parts.append(f"{len(chosen)} selected by {column}")
        return "; ".join(parts) or "all products"


def by_length(paths: Sequence[tuple[str, ...]]) -> dict[int, list[tuple[str, ...]]]:
    """The distinct paths by their number of levels.

    >>> by_length([("Women",), ("Women", "Shoes"), ("Men",)])
    {1: [('Women',), ('Men',)], 2: [('Women', 'Shoes')]}
    """
    found: dict[int, list[tuple[str, ...]]] = {}
    for path in dict.fromkeys(paths):
        found.setdefault(len(path), []).append(path)
    return found


def _corners(map_: str, area: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """The corners of an area, validated and rounded as in a link."""
    if not MAP.fullmatch(map_):
        raise UsageError(
            f"An area needs the name of its map; {map_!r} is not one. Draw the area on the Map page."
        )
    if not 3 <= len(area) <= CORNERS:
        raise UsageError(f"The area has {len(area):,} corners; 3 to {CORNERS} are allowed.")
    for corner in area:
        if len(corner) != 2 or not all(math.isfinite(value) and abs(value) <= FAR for value in corner):
            raise UsageError(
                f"The area has a corner {corner}: expected two numbers from -{FAR:g} to {FAR:g}."
            )
    return tuple((round(float(x), DECIMALS) + 0.0, round(float(y), DECIMALS) + 0.0) for x, y in area)


def area_text(area: Sequence[tuple[float, float]]) -> str:
    """
    >>> area_text(((0.0, 0.25), (1.0, -0.5), (0.1234, 1.0)))
    '0,0.25;1,-0.5;0.1234,1'
    """
    return ";".join(
        ",".join(f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".") for value in corner) for corner in area
    )


def area_from_text(text: str) -> tuple[tuple[float, float], ...]:
    """The inverse of `area_text`; `Cohort` checks the number of corners.

    Raises:
        UsageError: these are no numbers.
    """
    if len(text) > 64 * CORNERS:
        raise UsageError(f"The area in the link is too long: {CORNERS} corners are allowed.")
    try:
        corners = [tuple(float(value) for value in corner.split(",")) for corner in text.split(";") if corner]
    except ValueError as error:
        raise UsageError(f"The area in the link ({text[:40]}) is not of the form x,y;x,y;x,y.") from error
    return tuple(corners)  # type: ignore[arg-type]  # `Cohort` looks at how many numbers each has


def fold(text: str) -> str:
    """Case-folded text, also for Greek and Turkish.

    >>> fold("ΛΌΓΟΣ") == fold("λόγος"), fold("ISPARTA İzmir") == fold("ısparta izmir")
    (True, True)
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFC", text).casefold()
    return folded.replace("i\u0307", "i").replace(
        "ı", "i"
    )  # a capital I with a dot folds to i and a dot above


def path_text(path: Sequence[str]) -> str:
    """A category path as one line.

    >>> path_text(("Women", "Shoes > Boots"))
    'Women > Shoes \\\\> Boots'
    """
    return SEPARATOR.join(level.replace("\\", "\\\\").replace(">", "\\>") for level in path)


def brief_paths(paths: Sequence[Sequence[str]]) -> list[str]:
    """The leaf of each category; if several share it, also the nearest level above that distinguishes them.

    >>> brief_paths([("Men", "Tops", "Shirts"), ("Women", "Tops", "Shirts"), ("Bags", "Belts"), ()])
    ['Men › Shirts', 'Women › Shirts', 'Belts', '(none)']
    """
    different = {tuple(path) for path in paths if path}
    leaves = Counter(path[-1] for path in different)
    beside = Counter((path[-1], level) for path in different for level in set(path))
    names = []
    for path in paths:
        if not path:
            names.append(NONE)
            continue
        leaf = path[-1]
        above = [level for level in reversed(path[:-1]) if beside[leaf, level] == 1]
        if leaves[leaf] == 1:
            names.append(leaf)
        else:
            names.append(f"{above[0]} › {leaf}" if above else " › ".join(path))
    return names


def path_from_text(text: str) -> tuple[str, ...]:
    """The inverse of `path_text`."""
    levels, level, escaped = [], "", False
    for character in text:
        if escaped:
            level, escaped = level + character, False
        elif character == "\\":
            escaped = True
        elif character == ">":
            levels.append(level.removesuffix(" "))
            level = ""
        else:
            level += character
    levels.append(level)
    return tuple(part.removeprefix(" ") if index else part for index, part in enumerate(levels))
