"""Compare the statistics of the built-in dataset with the GLAMI-1M paper.

`python -m core.demo.measures 6000 100000` prints the table of docs/reference/demo-dataset.md. No pictures are drawn.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import pandas as pd

from core.demo import archive, structure

Table = pd.DataFrame


def table(items: int, seed: int = 0) -> Table:
    """The plan's rows with their names and descriptions."""
    plan = structure.plan(items, seed)
    rows = plan.rows.copy()
    rows["conflicting_labels"] = archive.truth(plan)["conflicting_labels"]
    rows[["name", "description"]] = [archive.texts(plan, row) for row in plan.rows.itertuples()]
    return rows


def _train(rows: Table) -> Table:
    return rows[rows["split"] == "train"]


def _test(rows: Table) -> Table:
    return rows[rows["split"] == "test"]


def _imbalance(rows: Table) -> str:
    counts = rows["label"].value_counts()
    return f"{counts.max():,} / {counts.min():,} = {counts.max() / counts.min():,.0f}"


def _share(part: pd.Series) -> str:
    return f"{100 * part.mean():.1f}%"


def _sources(rows: Table) -> str:
    shares = rows["label_source"].replace("", "NaN").value_counts(normalize=True)
    names = ("custom-tag", "admin", "NaN", "combined-tag", "quality-check")
    return " / ".join(f"{100 * shares.get(name, 0):.1f}" for name in names)


def _wrong(rows: Table, kind: str) -> str:
    return _share(rows.loc[rows["label_kind"] == kind, "wrong_label"])


def _wrong_by_country(rows: Table) -> str:
    machine = rows[rows["label_kind"] == "machine"]
    rates = machine.groupby("geo")["wrong_label"].mean().sort_values()
    return f"{rates.index[0]} {100 * rates.iloc[0]:.0f}% to {rates.index[-1]} {100 * rates.iloc[-1]:.0f}%"


def _country_shift(rows: Table) -> str:
    train, test = (part["geo"].value_counts(normalize=True) for part in (_train(rows), _test(rows)))
    ratio = (test / train).sort_values()
    moved = (test - train).abs().sum() / 2
    least, most = (f"{ratio.index[end]} x{ratio.iloc[end]:.2f}" for end in (0, -1))
    return f"{least} to {most}; {100 * moved:.0f}% moved"


def _length(column: pd.Series) -> str:
    lengths = column.str.len()
    low, high = lengths.quantile(0.05), lengths.quantile(0.95)
    return f"{lengths.median():.0f} ({low:.0f}–{high:.0f}, max {lengths.max():,})"


def _long(rows: Table) -> str:
    return _share(rows["description"].str.len() > 990)


def _classes(rows: Table) -> str:
    return f"{_train(rows)['label'].nunique()}, {_test(rows)['label'].nunique()}"


def _unique(rows: Table, column: str) -> str:
    return f"{rows[column].nunique() / len(rows):.3f}"


def _shown_twice(rows: Table) -> str:
    countries = rows.groupby("image_id")["geo"].nunique()
    return f"{100 * (countries > 1).mean():.1f}%"


def _conflicts(rows: Table) -> str:
    shared = rows.groupby("image_id").agg(rows=("geo", "size"), conflict=("conflicting_labels", "any"))
    return f"{100 * shared.loc[shared['rows'] > 1, 'conflict'].mean():.1f}%"


def _duplicates(rows: Table) -> str:
    return _share(rows.drop_duplicates("image_id")["duplicate"] != "")


def _texts_in_train(rows: Table) -> str:
    train = set(zip(_train(rows)["name"], _train(rows)["description"], strict=True))
    pairs = zip(_test(rows)["name"], _test(rows)["description"], strict=True)
    return _share(pd.Series([pair in train for pair in pairs]))


MEASURES: tuple[tuple[str, str, Callable[[Table], str]], ...] = (
    ("products, train + test", "992,528 + 116,004", lambda r: f"{len(_train(r)):,} + {len(_test(r)):,}"),
    ("largest / smallest class, train", "75,724 / 81 = 935", lambda r: _imbalance(_train(r))),
    ("largest / smallest class, test", "7,497 / 3 = 2,499", lambda r: _imbalance(_test(r))),
    ("classes in train, in test", "191, 191", _classes),
    ("name, characters: median (5–95%)", "38", lambda r: _length(r["name"])),
    ("description, characters: median (5–95%)", "150, to 4,000", lambda r: _length(r["description"])),
    ("descriptions over 990 characters", "a last bin of Figure 4", _long),
    ("custom-tag / admin / NaN / combined-tag / quality-check, train", "40.8 / 34.3 / 24.4 / 0.5 / 0.1",
     lambda r: _sources(_train(r))),
    ("the same, test", "54.3 / 45.7 / 0.0 / 0.0 / 0.1", lambda r: _sources(_test(r))),
    ("wrong labels, machine", "not given", lambda r: _wrong(r, "machine")),
    ("wrong labels, human", "not given", lambda r: _wrong(r, "human")),
    ("wrong machine labels by country", "not given", _wrong_by_country),
    ("share of a country, test beside train", "Figure 3, a picture", _country_shift),
    ("pictures a row, train", "0.89", lambda r: _unique(_train(r), "image_id")),
    ("pictures a row, test", "0.74", lambda r: _unique(_test(r), "image_id")),
    ("unique names a row, train", "0.76", lambda r: _unique(_train(r), "name")),
    ("unique names a row, test", "0.86", lambda r: _unique(_test(r), "name")),
    ("unique descriptions a row, train", "0.66", lambda r: _unique(_train(r), "description")),
    ("unique descriptions a row, test", "0.78", lambda r: _unique(_test(r), "description")),
    ("unique item_id a row, train", "not given", lambda r: _unique(_train(r), "item_id")),
    ("pictures shown in several countries", "not given", _shown_twice),
    ("shared pictures whose labels conflict", "not given", _conflicts),
    ("pictures made from another, train", "removed", lambda r: _duplicates(_train(r))),
    ("pictures made from one in train, test", "removed", lambda r: _duplicates(_test(r))),
    ("name and description both in train, test", "removed", _texts_in_train),
    ("texts in another language", "not given", lambda r: _share(r["text_in"] != r["geo"])),
)  # fmt: skip


def report(sizes: list[int], seed: int = 0) -> str:
    """The measures of datasets of these sizes, as a Markdown table."""
    tables = [table(items, seed) for items in sizes]
    lines = [
        "| measure | GLAMI-1M | " + " | ".join(f"{items:,} items" for items in sizes) + " |",
        "|---|---|" + "---|" * len(sizes),
    ]
    for name, paper, measure in MEASURES:
        lines.append(f"| {name} | {paper} | " + " | ".join(measure(rows) for rows in tables) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(report([int(items) for items in sys.argv[1:]] or [6_000]), end="")
