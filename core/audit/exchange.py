"""A whole audit as files, and back: one JSON file, or a folder of Parquet or CSV tables beside plan.json.

What is imported is what was exported: the plan, its items, who got which, and the whole log with its undos. Numbers of
entries are those within the plan, so that an import into a database with other audits exports the same files again.

A spreadsheet computes a cell that begins with = + - @; in CSV such a text has an apostrophe before it, and one that has
apostrophes there already one more. NULL is an empty cell, an empty text that could be NULL \\E, and a text that begins with
a backslash has two.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from core.answers.log import Decision
from core.audit.records import Item, Plan
from core.audit.store import Store
from core.audit.tables import ANNOTATOR, ASSIGNED
from core.errors import SourceError, UsageError
from core.storage import storage_errors

FORMAT, VERSION = "vitrine-audit", 1
Kind = Literal["json", "csv", "parquet"]
BYTES = 512 * 2**20  # of one file
ROWS = 5_000_000  # of one table
COMPUTED = re.compile(r"^'*[=+\-@\t\r\n]")  # what a spreadsheet computes, or was saved from it
PLAIN = re.compile(r"^[+\-]?[0-9]+([.,][0-9]+)?$")
TABLES: dict[str, Mapping[str, Any]] = {
    "items": get_type_hints(Item),
    "annotators": {"who": str, "joined": str, "active": bool},
    "assignments": {"who": str, "item": int, "place": int},
    "log": {name: kind for name, kind in get_type_hints(Decision).items() if name != "task"},
}


def whole(store: Store, plan: str) -> dict[str, Any]:
    """An audit as JSON can hold it: format, version, plan, and the four TABLES as lists of records."""
    made = store.plan(plan)
    log = store.log(plan)
    number = {one.seq: at for at, one in enumerate(log, 1)}
    entries = [
        {key: value for key, value in asdict(one).items() if key != "task"}
        | {"seq": number[one.seq], "undoes": None if one.undoes is None else number[one.undoes]}
        for one in log
    ]
    who, mine = ANNOTATOR.c, ASSIGNED.c
    joined = sa.select(who.who, who.joined, who.active).where(who.plan == plan).order_by(who.joined, who.who)
    assigned = sa.select(mine.who, mine.item, mine.place).where(mine.plan == plan)
    with store.database.read() as connection:
        people = [dict(row._mapping) for row in connection.execute(joined)]
        dealt = [dict(row._mapping) for row in connection.execute(assigned.order_by(mine.who, mine.item))]
    return {
        "format": FORMAT,
        "version": VERSION,
        "plan": {"plan": made.plan, "closed": made.closed, **json.loads(made.document())},
        "items": [asdict(one) for one in store.items(plan)],
        "annotators": people,
        "assignments": dealt,
        "log": json.loads(json.dumps(entries)),
    }


def export(store: Store, plan: str, target: Path, kind: Kind) -> list[Path]:
    """Write an audit to a file (JSON) or a folder (CSV, Parquet); an export that is there is replaced.

    Raises:
        UnknownPlanError: there is no such plan.
        StorageError: it cannot be written.
    """
    found = whole(store, plan)
    with storage_errors(target.parent):
        if kind == "json":
            target.write_text(json.dumps(found, ensure_ascii=False, indent=1), encoding="utf-8")
            return [target]
        target.mkdir(parents=True, exist_ok=True)
        head = {key: found[key] for key in ("format", "version", "plan")} | {"tables": kind}
        (target / "plan.json").write_text(json.dumps(head, ensure_ascii=False, indent=1), encoding="utf-8")
        written = [target / "plan.json"]
        for name, columns in TABLES.items():
            path = target / f"{name}.{kind}"
            if kind == "csv":
                _write_csv(path, columns, found[name])
            else:
                pq.write_table(pa.Table.from_pylist(found[name], schema=_schema(columns)), path)
            written.append(path)
    return written


def import_(store: Store, source: Path) -> Plan:
    """Store an exported audit.

    Raises:
        SourceError: the files cannot be read.
        UsageError: they are no audit, contradict themselves, or the plan is there already; nothing was stored.
    """
    found = _read(source)
    if found.get("format") != FORMAT or found.get("version") != VERSION:
        raise UsageError(f"{source} is no audit that this version of Vitrine exported.")
    try:
        said = dict(found["plan"])
        plan = Plan.from_document(str(said.pop("plan")), said.pop("closed"), said)
        items = [Item(**_record(one, TABLES["items"])) for one in found["items"]]
        log = [Decision(task=plan.plan, **_record(one, TABLES["log"])) for one in found["log"]]
        people = [_record(one, TABLES["annotators"]) for one in found["annotators"]]
        dealt = [_record(one, TABLES["assignments"]) for one in found["assignments"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{source} is no whole audit ({type(error).__name__}: {error}).") from error
    if [one.item for one in items] != list(range(len(items))):
        raise UsageError(f"{source}: the items are not numbered 0 to {len(items) - 1}.")
    named = [*(one.item for one in log), *(int(one["item"]) for one in dealt)]
    if strange := [item for item in named if not 0 <= item < len(items)]:
        raise UsageError(f"{source}: item {strange[0]} is not in the plan.")
    if any(one.stratum is not None and not 0 <= one.stratum < len(plan.strata) for one in items):
        raise UsageError(f"{source}: an item is of a stratum that the plan does not have.")
    with store.database.write() as connection:
        store.create_in(connection, plan, items)
        for table, rows in ((ANNOTATOR, people), (ASSIGNED, dealt)):
            if rows:
                connection.execute(sa.insert(table), [{"plan": plan.plan, **row} for row in rows])
        store.log_.restore(connection, log)
    return store.plan(plan.plan)


def _read(source: Path) -> dict[str, Any]:
    try:
        head = source / "plan.json" if source.is_dir() else source
        if head.stat().st_size > BYTES:
            raise SourceError(f"{head} has more than {BYTES // 2**20} MB.")
        found = json.loads(head.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise UsageError(f"{source} is no audit.")
        if source.is_dir():
            kind = found.get("tables")
            if kind not in ("csv", "parquet"):
                raise UsageError(f"{head} does not say whether its tables are csv or parquet.")
            for name, columns in TABLES.items():
                path = source / f"{name}.{kind}"
                if path.stat().st_size > BYTES:
                    raise SourceError(f"{path} has more than {BYTES // 2**20} MB.")
                found[name] = _read_csv(path, columns) if kind == "csv" else _read_parquet(path)
        return found
    except (OSError, ValueError, RecursionError, csv.Error, pa.ArrowException) as error:
        raise SourceError(f"{source} cannot be read ({error}).") from error


def _read_parquet(path: Path) -> list[dict[str, Any]]:
    with pq.ParquetFile(path) as file:
        if file.metadata.num_rows > ROWS:
            raise SourceError(f"{path} has more than {ROWS:,} rows.")
        return list(file.read().to_pylist())


def _kind(hint: Any) -> tuple[type, bool]:
    """The type of a field, and whether it may be None; sequences are lists of texts."""
    optional = get_origin(hint) is UnionType and NoneType in get_args(hint)
    if optional:
        hint = next(one for one in get_args(hint) if one is not NoneType)
    if get_origin(hint) is Literal:
        return str, optional
    return (tuple if get_origin(hint) is tuple else hint), optional


def _record(given: Mapping[str, Any], columns: Mapping[str, Any]) -> dict[str, Any]:
    """A record with exactly these fields and types.

    Raises:
        ValueError: a field is missing or of another type.
    """
    found = {}
    for name, hint in columns.items():
        kind, optional = _kind(hint)
        value = given[name]
        if value is None and not optional:
            raise ValueError(f"{name} is missing")
        if kind is tuple and isinstance(value, list | tuple):
            value = tuple(str(one) for one in value)
        if kind is float and type(value) is int:
            value = float(value)
        if value is not None and type(value) is not kind:
            raise ValueError(f"{name} is {value!r}")
        found[name] = value
    return found


def _schema(columns: Mapping[str, Any]) -> pa.Schema:
    types = {
        str: pa.string(),
        int: pa.int64(),
        float: pa.float64(),
        bool: pa.bool_(),
        tuple: pa.list_(pa.string()),
    }
    return pa.schema([(name, types[_kind(hint)[0]]) for name, hint in columns.items()])


def _write_csv(path: Path, columns: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in rows:
            writer.writerow(_cell(row[name], hint) for name, hint in columns.items())


def _cell(value: Any, hint: Any) -> str:
    kind, optional = _kind(hint)
    if value is None:
        return ""
    if kind is not str:
        return json.dumps(value, ensure_ascii=False)
    text = "\\E" if value == "" and optional else f"\\{value}" if value.startswith("\\") else str(value)
    return f"'{text}" if COMPUTED.match(text) and not PLAIN.match(text) else text


def _read_csv(path: Path, columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    csv.field_size_limit(2**24)
    with path.open(encoding="utf-8-sig", newline="") as file:
        found: list[dict[str, Any]] = []
        for row in csv.DictReader(file):
            if len(found) >= ROWS:
                raise SourceError(f"{path} has more than {ROWS:,} rows.")
            found.append({name: _value(row[name], hint) for name, hint in columns.items()})
    return found


def _value(cell: str | None, hint: Any) -> Any:
    kind, optional = _kind(hint)
    if cell is None:
        raise ValueError("a row has too few cells")
    if kind is not str:
        return None if cell == "" else json.loads(cell)
    if cell == "" and optional:
        return None
    if cell.startswith("'") and COMPUTED.match(cell):
        cell = cell[1:]
    if cell == "\\E" and optional:
        return ""
    return cell[1:] if cell.startswith("\\") else cell


def same(first: Store, second: Store, plan: str) -> bool:
    """Whether two databases hold the same audit, to the last entry."""
    return whole(first, plan) == whole(second, plan)
