"""`vitrine evaluate RUN --protocol pairs`: how well an encoder finds a product's picture by its text."""

from __future__ import annotations

from typing import Any

from core.catalog.info import info
from core.commands.console import say
from core.evaluation.choice import RetrievalChoice
from core.evaluation.published_retrieval import CITED, NOTE
from core.evaluation.retrieval import Measured, against, keep, measure
from core.progress import Progress

WIDTH = 44  # of a model's name in a table


def evaluate_pairs(
    run: str,
    others: list[str],
    dataset: str,
    choice: RetrievalChoice,
    store: bool,
    progress: Progress,
    as_json: bool,
) -> None:
    """Measure a run and what it is compared with, and print both beside the paper's table."""
    first = measure(run, dataset, choice, progress=progress)
    dataset = str(first.report["dataset"])
    beside = [measure(other, dataset, choice, progress=progress) for other in others]
    compared = against(first, beside)
    if store:
        for one in (first, *beside):
            keep(info(dataset), one.report)
    answer = {**first.report, "against": compared, "cited": [vars(row) for row in CITED]}
    say(answer, as_json, _text(first, beside, compared))


def _text(first: Measured, beside: list[Measured], compared: list[dict[str, Any]]) -> str:
    report = first.report
    left = "".join(f"; {count:,} left out: {reason}" for reason, count in report["left_out"].items())
    lines = [
        f"{report['dataset']}, {report['split']} split: {report['n']:,} products with picture and text{left}.",
        f"{report['trials']} trials of {report['items']} products, text to picture; ± is the deviation over trials.",
        "",
        f"{'measured here':<{WIDTH}} Rank@1        Rank@5        Rank@10       mAP",
        *(_measured(one.report) for one in (first, *beside)),
    ]
    lines += ["", f"{'whole split':<{WIDTH}} Recall@1  Recall@5  Recall@10  of"]
    for one in (first, *beside):
        gallery = one.report["gallery"]
        shares = "".join(f"{100 * gallery[f'recall{k}']:<10.1f}" for k in (1, 5, 10))
        lines.append(f"{one.report['run'][:WIDTH]:<{WIDTH}} {shares} {gallery['pictures']:,} pictures")
    lines += ["", "same category (FashionBERT)"]
    lines += [
        f"{one.report['run'][:WIDTH]:<{WIDTH}} {_same_category(one.report)}" for one in (first, *beside)
    ]
    for test in compared:
        m = test["map"]
        lines.append(
            f"mAP of {report['run']} minus {test['run']}: {m['difference']:+.3f}, 95% {m['interval'][0]:+.3f} to "
            f"{m['interval'][1]:+.3f} over {test['products']:,} products, p {m['p_products']:.4f}"
        )
    lines += ["", f"{'cited':<{WIDTH}} Rank@1  Rank@5  Rank@10  mAP   on"]
    for row in CITED:
        shares = "".join(f"{100 * row.figures[name]:<8.1f}" for name in ("rank1", "rank5", "rank10"))
        average = f"{row.figures['map']:.2f}" if "map" in row.figures else "-"
        lines.append(f"{row.model:<{WIDTH}} {shares} {average:<5} {row.data}")
    return "\n".join([*lines, NOTE])


def _measured(report: dict[str, Any]) -> str:
    hundred = report["hundred"]

    def cell(name: str, times: float, digits: int) -> str:
        spread = hundred["deviation"][name]
        around = "" if spread is None else f" ± {times * spread:.{digits}f}"
        return f"{times * hundred[name]:.{digits}f}{around}".ljust(13)

    cells = [cell(name, 100, 1) for name in ("rank1", "rank5", "rank10")] + [cell("map", 1, 3)]
    return f"{report['run'][:WIDTH]:<{WIDTH}} {' '.join(cells)}".rstrip()


def _same_category(report: dict[str, Any]) -> str:
    found = report["same_category"]
    if found is None:
        return "no category has enough pictures"
    return (
        f"Rank@1 {100 * found['rank1']:.1f}  Rank@5 {100 * found['rank5']:.1f}  Rank@10 {100 * found['rank10']:.1f}  "
        f"({found['queries']:,} queries, {found['candidates']:.0f} candidates on average)"
    )
