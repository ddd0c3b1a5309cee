"""The sub-classes of a dataset, or of each source in it, with their titles."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.catalog.products import Products
from core.errors import UsageError
from core.labels.similarity import CHARACTERS

SOURCES = ("geo", "language", "split", "label_source")  # columns that can tell one source from another
TITLES = 4_000  # of a sub-class, read; 22,000 characters are seldom more than 600
SHOWN = 6  # products of a sub-class that are shown
MOST = 2_000  # sub-classes of a dataset


@dataclass(frozen=True)
class SubClass:
    """A class of the second level of one source; of a flat dataset, a class."""

    dataset: str
    source: str  # the dataset's name, or a value of the column that tells sources apart
    first: str  # its class of the first level; empty in a flat dataset
    name: str
    products: int = 0
    titles: int = 0
    text: str = field(default="", repr=False)  # titles joined by a space, 22,000 characters at most
    rows: tuple[int, ...] = ()  # row_ids of a few products, those with a picture first

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from all others."""
        return self.source, self.first, self.name

    @property
    def title(self) -> str:
        """First level and name."""
        return f"{self.first} > {self.name}" if self.first else self.name


def sub_classes(products: Products, by: str = "") -> list[SubClass]:
    """The sub-classes of a dataset, by first level and name.

    Args:
        by: a column of `SOURCES`: its values are the sources; empty: the dataset is one source.

    Raises:
        UsageError: no such column, no product has a category, or there are too many sub-classes.
    """
    if by and by not in SOURCES:
        raise UsageError(f"There is no column of sources {by!r}. Columns: {', '.join(SOURCES)}.")
    name = products.info.name
    source = f"coalesce({by}, 'unknown')" if by else "?"
    found = products.table(
        f"""
        SELECT source, first, sub, count(*) AS products, count(title) AS titles,
          list(title ORDER BY row_id) FILTER (title IS NOT NULL AND place <= {TITLES}) AS some,
          list(row_id ORDER BY shown) FILTER (shown <= {SHOWN}) AS rows
        FROM (
          SELECT *, row_number() OVER (PARTITION BY source, first, sub, title IS NULL ORDER BY row_id) AS place,
            row_number() OVER (PARTITION BY source, first, sub ORDER BY image IS NULL, row_id) AS shown
          FROM (
            SELECT row_id, image, nullif(trim(name), '') AS title, {source} AS source,
              CASE WHEN len(category_path) > 1 THEN category_path[1] ELSE '' END AS first,
              CASE WHEN len(category_path) > 1 THEN category_path[2] ELSE category_path[1] END AS sub
            FROM cohort WHERE len(category_path) > 0
          )
        )
        GROUP BY ALL ORDER BY source, first, sub
        """,  # noqa: S608 (by is one of SOURCES)
        values=[] if by else [name],
    )
    if not found.num_rows:
        raise UsageError(f"No product of {name} has a category, so that there is nothing to align.")
    if found.num_rows > MOST:
        raise UsageError(f"{name} has {found.num_rows:,} sub-classes; at most {MOST:,} are compared.")
    made = []
    for row in found.to_pylist():
        text = " ".join(row["some"] or ())[:CHARACTERS]
        made.append(
            SubClass(
                name,
                row["source"],
                row["first"],
                row["sub"],
                row["products"],
                row["titles"],
                text,
                tuple(row["rows"]),
            )
        )
    return made
