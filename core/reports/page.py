"""A report as one page of HTML: no script, no request, every text escaped by the template."""

from __future__ import annotations

import os
import shlex
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlencode

import jinja2
from markupsafe import Markup

from core.catalog.cohort import path_text
from core.errors import UsageError
from core.reports.copies import Copies
from core.reports.drawing import svg
from core.reports.models import ModelFigures
from core.reports.report import COUNTED, MOST_VALUES, URL, Report
from core.reports.samples import ClassSamples
from core.settings import ASSETS
from core.statistics.display import Display, percent

SEES = {"picture": "Picture", "text": "Text"}  # as the Evaluate page has them in its address


@lru_cache(maxsize=1)
def _template() -> jinja2.Template:
    surroundings = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ASSETS / "report"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return surroundings.get_template("report.html")


def page(report: Report) -> str:
    """The page, a few hundred kilobytes: pictures are inside it."""
    shown = [finding for finding in report.found if finding.says_something]
    cohort = report.cohort
    return _template().render(
        r=report,
        css=Markup((ASSETS / "report" / "report.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
        whole="all its products"
        if cohort.describe() == "all products"
        else f"its products with {cohort.describe()}",
        shown=shown,
        quiet=[finding for finding in report.found if not finding.says_something],
        drawn=[Markup(_chart(finding.display)) for finding in shown],  # noqa: S704 - svg() escapes all text
        titles=COUNTED,
        most=MOST_VALUES,
        first=lambda counts: list(counts.items())[:MOST_VALUES],
        percent=percent,
        sentence=sentence,
        leak=leak_sentence(report.copies, report.rows),
        model_sentence=model_sentence,
        model_link=lambda one: model_link(report, one),
        category_link=lambda entry: category_link(report, entry),
        condition=getattr(cohort, "condition", ""),
        command=command(report),
    )


def write(text: str, out: Path) -> None:
    """Write a page whole or not at all.

    Raises:
        UsageError: the file cannot be written.
    """
    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        try:
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(out)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            f"Cannot write to {out} ({error.strerror or error}). Choose another file with --out."
        ) from error


def check_out(out: Path) -> None:
    """
    Raises:
        UsageError: the file could not be written, which is better known before the work than after it.
    """
    if out.is_dir():
        raise UsageError(f"Cannot write to {out}: it is a folder. Choose another file with --out.")
    if not out.parent.is_dir() or not os.access(out.parent, os.W_OK):
        raise UsageError(f"Cannot write to {out}: there is no folder {out.parent} that can be written. Choose another file with --out.")  # fmt: skip


def _chart(display: Display) -> str:
    return svg(display.draw(), display.title) if display.draw else ""


def sentence(text: str) -> str:
    """A title as a sentence.

    >>> sentence("admin gave all labels"), sentence("Is it so?")
    ('admin gave all labels.', 'Is it so?')
    """
    text = text.strip()
    return text + ("" if text.endswith((".", "?", "!")) else ".")


def leak_sentence(found: tuple[Copies, ...], rows: int) -> str:
    """What the detectors found, in one sentence."""
    sure = [one for one in found if one.detector.precise]
    worst = max(sure, key=lambda one: one.leaking, default=None)
    if worst is None or not worst.leaking:
        inside = max((one.inside for one in sure), default=0)
        if not inside:
            return "None of these products has a duplicate, by any detector that was run and is not of candidates alone."
        return f"No duplicate lies in two splits; {inside:,} products ({percent(inside / rows)}) have one in their own split."
    parts = ", ".join(f"{count:,} in {split}" for split, count in worst.across.items() if count)
    return (
        f"{worst.leaking:,} products ({percent(worst.leaking / rows)}) have a duplicate in another split "
        f"({worst.detector.title}: {worst.means}): {parts}. A model that is trained on one of them has seen the other."
    )


def model_sentence(one: ModelFigures) -> str:
    """How a model fares, in a sentence or two."""
    text = (
        f"{one.model} names the category of {percent(one.top1)} of {one.products:,} products ({percent(one.low)} to "
        f"{percent(one.high)} at 95%), within its first five answers of {percent(one.top5)}."
    )
    if one.best and one.worst and one.best != one.worst:
        text += f" Best in {one.best[0]} ({percent(one.best[1])}), worst in {one.worst[0]} ({percent(one.worst[1])})."
    if one.confused:
        text += (
            " Most often confused: "
            + ", ".join(f"{a} taken for {b} ({n:,})" for a, b, n in one.confused)
            + "."
        )
    return text


def model_link(report: Report, one: ModelFigures) -> str:
    """The Evaluate page with this evaluation."""
    query = {"dataset": report.dataset, "model": one.model, "evaluated": one.choice["split"]}
    if one.choice["sees"] in SEES:
        query["sees"] = SEES[one.choice["sees"]]
    return f"{report.url}/evaluate?{urlencode(query)}"


def category_link(report: Report, entry: ClassSamples) -> str:
    """The Browse page with the products of one category."""
    query = {key: value for key, value in report.cohort.to_query().items() if key != "condition"}
    return f"{report.url}/browse?{urlencode({**query, 'category': [path_text(entry.path)]}, doseq=True)}"


def command(report: Report) -> str:
    """The command that makes this report again."""
    words = ["vitrine", "report", report.dataset]
    query = {key: value for key, value in report.cohort.to_query().items() if key not in ("dataset", "condition", "fingerprint")}  # fmt: skip
    if query:
        words += ["--cohort", urlencode(query, doseq=True)]
    if condition := getattr(report.cohort, "condition", ""):
        words += ["--where", condition]
    if report.url != URL:
        words += ["--url", report.url]
    return shlex.join(words)
