"""A leaderboard as CSV, JSON, Markdown and LaTeX."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pandas as pd

from core.benchmark.leaderboard import Board, Row, published
from core.benchmark.ranking import spoken
from core.benchmark.truth import PARTS, Truth
from core.catalog.spreadsheets import frame_csv
from core.errors import BenchmarkError

FIGURES = {
    "top1": "Top-1", "top5": "Top-5", "balanced": "Balanced", "f1_macro": "F1 macro", "f1_weighted": "F1 weighted",
    "ap_macro": "AP macro", "ap_weighted": "AP weighted", "ap_micro": "AP micro", "calibration_error": "Calibration error",
}  # fmt: skip
ENDINGS = {"csv": "text/csv", "json": "application/json", "md": "text/markdown", "tex": "text/x-tex"}


def rows(truth: Truth, board: Board) -> list[dict[str, Any]]:
    """Every row of the leaderboard as plain values; those of papers come last and have no rank.

    Returns:
        origin (measured or published), name, rank ("2 to 4", empty without one), n, the FIGURES, top1_low, top1_high,
        human, machine, head, middle, tail, the card, notes, data.
    """
    found = []
    for row in board.rows:
        report, one = row.report, row.submission
        low, high = report.get("top1_interval") or (None, None)
        found.append({
            "origin": "measured", "rank": spoken(row.first, row.last or row.first) if row.first else "", "name": one.name,
            **{key: report.get(key) for key in FIGURES}, "top1_low": low, "top1_high": high,
            **{name: report.get("per_kind", {}).get(name, {}).get("top1") for name in ("human", "machine")},
            **{name: report.get("per_part", {}).get(name, {}).get("top1") for name in PARTS},
            **_corrected(row), "n": report["n"], **asdict(one.card), "submitted": one.created,
            "notes": "; ".join([*one.notes, *([row.why] if row.why else [])]), "data": truth.task.title,
        })  # fmt: skip
    for table in published(truth):
        for paper in table.rows:
            figures = {"top1": paper.figures["top1"], "top5": paper.figures.get("top5")}
            found.append({
                "origin": "published", "rank": "", "name": paper.model, **dict.fromkeys(FIGURES), **figures,
                "inputs": paper.sees.replace("both", "picture and text"), "training_data": paper.trained_on,
                "paper": table.source, "data": table.data, "notes": table.note,
            })  # fmt: skip
    return found


def _corrected(row: Row) -> dict[str, Any]:
    """Accuracy against right labels and the ranks that carry it, where an audit tells."""
    value, low, high = row.corrected or (None, None, None)
    ranks = spoken(*row.corrected_ranks) if row.corrected_ranks else ""
    return {"corrected": value, "corrected_low": low, "corrected_high": high, "corrected_rank": ranks}


def export(truth: Truth, board: Board, kind: str) -> str:
    """The whole leaderboard as a text.

    Args:
        kind: one of ENDINGS.

    Raises:
        BenchmarkError: it is none of them.
    """
    made: dict[str, Callable[[Truth, Board], str]] = {
        "csv": _csv,
        "json": _json,
        "md": _markdown,
        "tex": _latex,
    }
    if kind not in made:
        raise BenchmarkError(f"{kind!r} is not one of the formats: {', '.join(made)}.")
    return made[kind](truth, board)


def _csv(truth: Truth, board: Board) -> str:
    return frame_csv(pd.DataFrame(rows(truth, board))).decode("utf-8")


def _json(truth: Truth, board: Board) -> str:
    per_country = {row.submission.name: row.report.get("per_geo", {}) for row in board.rows}
    said = {
        "task": asdict(truth.task), "fingerprint": truth.info.fingerprint, "products": board.products,
        "public_part": board.public, "rows": rows(truth, board), "per_country": per_country, "differences": _pairs(board),
    }  # fmt: skip
    return json.dumps(said, ensure_ascii=False, indent=1)


def _pairs(board: Board) -> list[dict[str, Any]]:
    """Every pair of ranked rows with its p values."""
    if board.compared is None or board.mcnemar is None:
        return []
    names = [board.rows[at].submission.name for at in board.ranked]
    return [
        {
            "first": names[i], "second": names[j], "difference": float(board.compared.difference[i, j]),
            "p": float(board.compared.p[i, j]), "p_mcnemar_holm": float(board.mcnemar[i, j]),
        }
        for i in range(len(names)) for j in range(i + 1, len(names))
    ]  # fmt: skip


COLUMNS = {"rank": "Rank", "name": "Model", "inputs": "Inputs", "training_data": "Trained on", **{key: FIGURES[key] for key in (
    "top1", "top5", "balanced", "f1_macro", "f1_weighted", "ap_macro")}, "data": "Products", "origin": "Origin"}  # fmt: skip
NUMBERS = set(FIGURES)


def _cells(truth: Truth, board: Board, escaped: Callable[[str], str]) -> list[list[str]]:
    return [[_cell(row.get(key), key, escaped) for key in COLUMNS] for row in rows(truth, board)]


def _cell(value: Any, key: str, escaped: Callable[[str], str]) -> str:
    if value is None or value == "":
        return "–" if key in NUMBERS else ""
    return f"{value:.3f}" if key in NUMBERS else escaped(str(value))


def _markdown(truth: Truth, board: Board) -> str:
    aligned = "|".join("--:" if key in NUMBERS else "---" for key in COLUMNS)
    lines = [f"| {' | '.join(COLUMNS.values())} |", f"|{aligned}|"]
    lines += [f"| {' | '.join(cells)} |" for cells in _cells(truth, board, markdown_text)]
    return "\n".join([*lines, "", markdown_text(NOTE), ""])


def _latex(truth: Truth, board: Board) -> str:
    aligned = "".join("r" if key in NUMBERS else "l" for key in COLUMNS)
    lines = [
        "% needs \\usepackage{booktabs}", f"\\begin{{tabular}}{{{aligned}}}", "\\toprule",
        " & ".join(map(latex_text, COLUMNS.values())) + r" \\", "\\midrule",
    ]  # fmt: skip
    before = ""
    for cells in _cells(truth, board, latex_text):
        if before == "measured" and cells[-1] == "published":
            lines.append("\\midrule")
        before = cells[-1]
        lines.append(" & ".join(cells).replace("–", "--") + r" \\")
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}", f"% {NOTE}", ""])


NOTE = (
    "Ranks are ranges that hold all at once with 95% confidence: paired bootstrap over products, corrected for all pairs. "
    "Published rows are the papers' own figures on their own test products and are not ranked."
)


def markdown_text(text: str) -> str:
    """Text that Markdown shows as it is.

    >>> markdown_text("a|b <i>*c*")
    'a\\\\|b &lt;i&gt;\\\\*c\\\\*'
    """
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join("\\" + mark if mark in "\\`*_{}[]|#~$" else mark for mark in safe)


def latex_text(text: str) -> str:
    """Text that LaTeX shows as it is.

    >>> latex_text("50% of A_B & {c}")
    '50\\\\% of A\\\\_B \\\\& \\\\{c\\\\}'
    """
    said = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
            ">": r"\textgreater{}"}  # fmt: skip
    return "".join(said.get(mark, "\\" + mark if mark in "#$%&_{}" else mark) for mark in text)
