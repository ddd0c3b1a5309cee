"""Documents are true to the code where a program can tell: links, commands, columns, sources."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from core.schema import PRODUCTS
from core.sources import SOURCES

PROJECT = Path(__file__).resolve().parents[1]
DOCUMENTS = [PROJECT / "README.md", PROJECT / "CHANGELOG.md", *sorted((PROJECT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(
    r"`((?:app\.py|\.streamlit/|(?:core|pages|trainers|assets|benchmarks|docs|tests)/)[\w./-]*)`"
)


def anchors(document: Path) -> set[str]:
    """Anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(document: Path) -> Iterator[str]:
    for link in LINK.findall(document.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = document.parent / path if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield f"{document.relative_to(PROJECT)}: {link}"


def test_every_relative_link_leads_somewhere() -> None:
    assert len(DOCUMENTS) > 10
    assert [link for document in DOCUMENTS for link in broken_links(document)] == []


def test_the_documents_name_files_that_exist() -> None:
    """Not the log and the changelog: they tell of what was."""
    current = [path for path in DOCUMENTS if path.name not in ("LOG.md", "CHANGELOG.md")]
    missing = [
        f"{document.relative_to(PROJECT)}: {named}"
        for document in current
        for named in PATH.findall(document.read_text(encoding="utf-8"))
        if not (PROJECT / named).exists()
    ]
    assert missing == []


def test_the_reference_of_commands_is_current() -> None:
    written = subprocess.run(
        [sys.executable, "-m", "core.commands.reference", "--print"],
        cwd=PROJECT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    on_disk = (PROJECT / "docs/reference/commands.md").read_text(encoding="utf-8")
    assert written == on_disk, "run: python -m core.commands.reference"


def test_the_reference_of_formats_is_complete() -> None:
    text = (PROJECT / "docs/reference/formats.md").read_text(encoding="utf-8")
    assert [name for name in PRODUCTS.names if f"`{name}`" not in text] == []
    assert [spec.name for spec in SOURCES if f"| `{spec.name}` |" not in text] == []
