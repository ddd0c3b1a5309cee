"""What a report holds: counts, figures that say something, samples, labels, duplicates, models; and its links."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.errors import UsageError
from core.progress import Progress, no_progress
from core.reports.copies import Copies, copies
from core.reports.findings import Finding, findings
from core.reports.models import ModelFigures, model_figures
from core.reports.samples import Album, ClassSamples, class_samples
from core.sources.values import NO_CATEGORY
from core.statistics.counts import NONE, crosstab, splits
from core.statistics.summary import plain_values

URL = "http://localhost:8501"  # where `make run` serves
ADDRESS = re.compile(
    r"https?://[A-Za-z0-9.\-]+(:\d{1,5})?(/[A-Za-z0-9._~/-]*)?|https?://\[[0-9A-Fa-f:]+\](:\d{1,5})?/?"
)
MOST_VALUES = 20  # of a column, beside its count
COUNTED = {
    "geo": "Countries",
    "language": "Languages",
    "label_source": "Label sources",
    "label_kind": "Labels by",
}


@dataclass(frozen=True)
class Report:
    """A first look at a cohort.

    Attributes:
        rows, of: products of the cohort, and of the dataset.
        counts: by column, the products of each value, most frequent first; `none` where there is none.
        classes_left_out: smaller categories that are not shown.
        broken: pictures that were to be shown and cannot be opened.
        url: of the server that the links lead to.
        written: the time, UTC.
    """

    dataset: str
    source: str
    licence: str
    fingerprint: str
    cohort: Cohort
    rows: int
    of: int
    splits: dict[str, int]
    counts: dict[str, dict[str, int]]
    categories: int
    with_picture: int
    rejected: dict[str, int]
    warnings: tuple[str, ...]
    found: tuple[Finding, ...]
    classes: tuple[ClassSamples, ...]
    classes_left_out: int
    copies: tuple[Copies, ...]
    models: tuple[ModelFigures, ...]
    broken: int
    url: str
    written: str

    @property
    def labelled(self) -> bool:
        """Has any of these products a category?"""
        return any(entry.path not in ((), (NO_CATEGORY,)) for entry in self.classes)

    def link(self, page: str, **more: str) -> str:
        """The address of a page that shows the same products. A condition in SQL has no place in it."""
        return f"{self.url}/{page}?{urlencode({**_query(self.cohort), **more}, doseq=True)}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON: everything but the pictures."""
        shown = [finding for finding in self.found if finding.says_something]
        return plain_values(
            {
                "dataset": self.dataset, "source": self.source, "licence": self.licence, "fingerprint": self.fingerprint,
                "filter": self.cohort.describe(), "written": self.written, "rows": self.rows, "of": self.of,
                "splits": self.splits, "counts": self.counts, "categories": self.categories,
                "with_picture": self.with_picture, "rejected": self.rejected, "warnings": list(self.warnings),
                "figures": [
                    {
                        "name": finding.display.name, "heading": finding.display.heading, "title": finding.display.title,
                        "notes": list(finding.display.notes), "link": self.link("statistics", subject=finding.subject),
                    }
                    for finding in shown
                ],
                "unremarkable": [
                    {"name": one.display.name, "title": one.display.cannot or one.display.title}
                    for one in self.found if not one.says_something
                ],
                "classes": [
                    {"category": list(entry.path), "products": entry.products, "samples": [one.row_id for one in entry.samples]}
                    for entry in self.classes
                ],
                "classes_left_out": self.classes_left_out,
                "duplicates": [one.as_dict() for one in self.copies],
                "models": [one.as_dict() for one in self.models],
            }
        )  # fmt: skip


def _query(cohort: Cohort) -> dict[str, Sequence[str]]:
    return {key: value for key, value in cohort.to_query().items() if key != "condition"}


def check_url(url: str) -> str:
    """The address of a server, without a slash at its end.

    Raises:
        UsageError: it is none.
    """
    if len(url) > 200 or not ADDRESS.fullmatch(url):
        raise UsageError(f"--url {url[:80]}: expected the address of a Vitrine server, such as {URL}.")
    return url.rstrip("/")


def report(
    products: Products, cohort: Cohort | None = None, url: str = URL, progress: Progress = no_progress
) -> Report:
    """Look at a cohort. Nothing is made that takes long: vectors, duplicates and evaluations are read where they are there.

    Raises:
        UsageError: the cohort has no product, or the address is none.
    """
    info = products.info
    cohort = cohort or Cohort(info.name)
    address = check_url(url)
    rows = products.count(cohort)
    if not rows:
        raise UsageError(
            f"No product of {info.name} matches {cohort.describe()}. A report needs one at least."
        )
    found = findings(products, cohort, progress)
    album = Album(info)
    duplicates = copies(products, cohort, album)
    classes, more = class_samples(products, cohort, album, progress)
    progress(0, 0, "Reading evaluations")
    counted = products.frame(
        "SELECT count(DISTINCT category_path) AS categories, count(image) AS pictures FROM cohort", cohort
    ).iloc[0]
    return Report(
        info.name, info.source, info.licence, info.fingerprint, cohort, rows, info.rows, splits(products, cohort),
        {column: _counted(products, cohort, column) for column in COUNTED}, int(counted["categories"]),
        int(counted["pictures"]), info.rejected, tuple(info.warnings), tuple(found), tuple(classes), more,
        tuple(duplicates), tuple(model_figures(products, cohort)), album.broken, address,
        datetime.now(UTC).isoformat(timespec="minutes"),
    )  # fmt: skip


def _counted(products: Products, cohort: Cohort, column: str) -> dict[str, int]:
    """Products of each value of a column; empty where no product has one."""
    table = crosstab(products, cohort, column, "split").sum(axis=1)
    found = {str(value): int(count) for value, count in table.items()}
    return {} if set(found) <= {NONE} else found
