"""JSON files whose products are nested: inside one object, in the orientations of pandas, in COCO annotations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any

from core.sources.delimited import Record


def unwrapped(records: Iterator[Record], known: Callable[[list[str]], int]) -> Iterator[Record]:
    """The records; or, if there is a single one that contains records, those.

    Args:
        known: counts the known names among column names.
    """
    first = list(islice(records, 2))
    if len(first) == 1 and first[0][1] is not None:
        rows = rows_of(first[0][1], known)
        if rows is not None:
            return ((number, row, "", None) for number, row in enumerate(rows, 1))
    return chain(first, records)


def rows_of(value: dict[str, Any], known: Callable[[list[str]], int]) -> list[dict[str, Any]] | None:
    """The rows inside one object; None if the object is a row itself.

    >>> count = lambda names: sum(name in ("id", "title") for name in names)
    >>> rows_of({"total": 1, "products": [{"id": 1}]}, count)
    [{'id': 1}]
    >>> rows_of({"id": {"0": 1, "1": 2}, "title": {"0": "a", "1": "b"}}, count)
    [{'id': 1, 'title': 'a'}, {'id': 2, 'title': 'b'}]
    """
    names = [str(name) for name in value]
    if isinstance(value.get("images"), list) and isinstance(value.get("annotations"), list):
        return _coco(value)
    if (
        {"columns", "data"} <= set(names)
        and isinstance(value["data"], list)
        and isinstance(value["columns"], list)
    ):
        columns = [str(name) for name in value["columns"]]  # orient="split"
        return [dict(zip(columns, row, strict=False)) for row in value["data"] if isinstance(row, list)]
    inner = list(value.values())
    if inner and all(isinstance(part, dict) and part for part in inner):
        if known(names):  # orient="columns", the default of pandas
            keys = list(dict.fromkeys(key for part in inner for key in part))
            by_row = all(str(key).isdigit() for key in keys)
            return [{name: value[name].get(key) for name in value} for key in keys] if by_row else None
        if all(known([str(name) for name in part]) for part in inner):  # orient="index"
            return [{"key": key, **part} for key, part in value.items()]
    if known(names):
        return None
    lists = [
        part
        for part in inner
        if isinstance(part, list) and part and all(isinstance(row, dict) for row in part)
    ]
    if len(lists) == 1 and known([str(name) for name in lists[0][0]]):
        return lists[0]
    return None


def _coco(value: dict[str, Any]) -> list[dict[str, Any]]:
    """The images of a COCO annotation file, each with the category or caption of its first annotation."""
    names = {part.get("id"): part.get("name") for part in _objects(value.get("categories"))}
    of_image: dict[Any, dict[str, Any]] = {}
    for annotation in _objects(value["annotations"]):
        of_image.setdefault(annotation.get("image_id"), annotation)
    rows = []
    for image in _objects(value["images"]):
        annotation = of_image.get(image.get("id"), {})
        known = {"caption": annotation.get("caption"), "category": names.get(annotation.get("category_id"))}
        rows.append({**image, **{key: part for key, part in known.items() if part is not None}})
    return rows


def _objects(value: Any) -> list[dict[str, Any]]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []
