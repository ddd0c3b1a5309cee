"""`vitrine import --dry-run`: what would be read, and what was taken for what."""

from __future__ import annotations

from collections.abc import Sequence

from core.catalog.preview import Preview, preview
from core.commands.console import say
from core.images.previews import thumbnails
from core.progress import Progress
from core.sources.reading import ReadOptions

FIELDS = ("item_id", "split", "category", "name", "description", "image")  # that are printed
WIDTH = 28  # characters of a field


def dry_run(
    source: str,
    paths: Sequence[str],
    options: ReadOptions,
    progress: Progress,
    as_json: bool,
    pictures: bool = False,
) -> None:
    """Print a preview. `pictures` adds thumbnails to the JSON."""
    found = preview(source, paths, options, progress)
    answer = found.as_dict()
    if pictures:
        answer["thumbnails"] = thumbnails(found)
    say(answer, as_json, _text(found))


def _text(found: Preview) -> str:
    lines = [f"Nothing was imported. Read: {'all' if found.whole else 'the first'} {found.rows:,} rows."]
    if found.encoding:
        how = f", delimiter {found.delimiter!r}" if found.delimiter else ""
        lines.append(f"  encoding {found.encoding}{how}")
    if found.columns:
        lines.append("  columns: " + ", ".join(f"{ours}={theirs}" for ours, theirs in found.columns.items()))
        rest = [name for name in found.names if name not in found.columns.values()]
        lines.append(f"  kept beside: {', '.join(rest)}") if rest else None
    lines += [f"  rejected {count:,}: {reason}" for reason, count in found.rejected.items()]
    lines += [f"  note: {warning}" for warning in found.warnings]
    shown = [field for field in FIELDS if any(product[field] for product in found.products)]
    cells = [[_short(product[field]) for field in shown] for product in found.products]
    widths = [max(len(cell) for cell in column) for column in zip(shown, *cells, strict=True)]
    for row in (shown, *cells):
        lines.append(
            "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    return "\n".join(lines)


def _short(text: str | None) -> str:
    line = " ".join((text or "").split())
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"
