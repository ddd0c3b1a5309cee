"""The one notion of "these products": small, a URL, and the same on every page, panel and command."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from core.errors import UsageError

SEPARATOR = " > "  # between the levels of a category path in a URL; a backslash escapes it
TEXT_CHARACTERS = 500
NONE = "(none)"  # stands for NULL in a filter and in a URL

# Filters that are a choice of values of a column of the same name.
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
    fingerprint: str | None = None  # of the dataset this was made from; None is whichever is there

    def where(self) -> tuple[str, list[Any]]:
        """A SQL condition over the tables `products` and `search` of `Products`, and the values to bind in it."""
        conditions: list[str] = []
        values: list[Any] = []
        for column in (*CHOICES, "item_id", "image_id"):
            if chosen := getattr(self, column):
                missing = f" OR {column} IS NULL" if NONE in chosen else ""
                conditions.append(f"({column} IN ({', '.join('?' * len(chosen))}){missing})")
                values += chosen
        if self.category:
            below = []
            for path in self.category:
                below.append(
                    " AND ".join(
                        ["true", *(f"category_path[{level}] = ?" for level in range(1, len(path) + 1))]
                    )
                )
                values += path
            conditions.append(f"({' OR '.join(below)})")
        if words := fold(self.text).split():
            contained = " AND ".join(["contains(text, ?)"] * len(words))
            conditions.append(f"row_id IN (SELECT row_id FROM search WHERE {contained})")  # noqa: S608
            values += words
        if self.picture is not None:
            conditions.append(f"image IS {'NOT ' if self.picture else ''}NULL")
        return " AND ".join(conditions) or "true", values

    def is_whole(self) -> bool:
        """Is it the whole dataset?"""
        return self == Cohort(self.dataset, fingerprint=self.fingerprint)

    def with_(self, **changes: Any) -> Cohort:
        """The same cohort with some filters changed."""
        return replace(self, **changes)

    def to_query(self) -> dict[str, list[str]]:
        """As parameters of a URL; filters that are not set are absent.

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
            elif isinstance(value, str):
                value = [value] if value else []
            if value:
                query[field.name] = list(value)
        return query

    @classmethod
    def from_query(cls, query: Mapping[str, Sequence[str]], dataset: str | None = None) -> Cohort:
        """From parameters of a URL; parameters of other parts of a page are left alone.

        Raises:
            UsageError: no dataset is named, or a value cannot be.
        """
        name = dataset or (query.get("dataset") or [""])[0]
        if not name:
            raise UsageError("The link names no dataset. Choose one.")
        picture = (query.get("picture") or [""])[0]
        if picture not in ("", "yes", "no"):
            raise UsageError(f"picture={picture} in the link: it is yes or no.")
        text = (query.get("text") or [""])[0].replace("\0", "")
        if len(text) > TEXT_CHARACTERS:
            raise UsageError(f"The text to look for is longer than {TEXT_CHARACTERS} characters.")
        chosen = {
            column: tuple(dict.fromkeys(query.get(column, ())))
            for column in (*CHOICES, "item_id", "image_id")
        }
        return cls(
            dataset=name,
            category=tuple(path_from_text(path) for path in dict.fromkeys(query.get("category", ())) if path),
            text=text,
            picture={"": None, "yes": True, "no": False}[picture],
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
        for column in ("item_id", "image_id"):
            if chosen := getattr(self, column):
                parts.append(f"{len(chosen)} chosen by {column}")
        return "; ".join(parts) or "all products"


def fold(text: str) -> str:
    """Text in which what differs only in case is the same, as Greek and Turkish have it, too.

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
