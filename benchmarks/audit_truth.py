"""An audit of glami-mini by reviewers who know its truth, and how many of the suspicious labels are really wrong.

    python -m benchmarks.audit_truth ../shared/data

Imports glami-mini into a temporary home. Prints the estimates of simulated audits beside the truth, and for every queue the
precision of its first 50, 100 and 200 products: with the MobileNet vectors beside the data, and with those of the bundled
encoders of pictures and texts.
"""

from __future__ import annotations

import argparse
import csv
import os
import tempfile
from pathlib import Path

from core.answers.log import Decision
from core.audit import suspicion
from core.audit.estimates import estimate
from core.audit.plan import Wish, draw
from core.audit.precision import precision
from core.audit.records import Audit, Item, Plan
from core.audit.words import interval
from core.catalog.build import import_dataset
from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.embeddings.imported import import_vectors

NAME = "glami-mini"


def right_labels(products: Products, path: Path) -> dict[int, str]:
    """row_id -> the right label."""
    with path.open(encoding="utf-8") as file:
        right = {(row["item_id"], row["split"]): row["category_name"] for row in csv.DictReader(file)}
    table = products.table("SELECT row_id, item_id, split FROM cohort")
    return {row["row_id"]: right[row["item_id"], row["split"]] for row in table.to_pylist()}


def answered(plan: Plan, items: list[Item], truth: dict[int, str]) -> Audit:
    """Everybody tells the truth."""
    answers = []
    for one in items:
        right = truth[one.row_id]
        ok = one.label == right
        answers.append(
            Decision(plan.plan, one.item, "truth", str(one.item), answer="right" if ok else "wrong", label=None if ok else right)
        )  # fmt: skip
    return Audit(plan, tuple(items), tuple(answers))


def audits(products: Products, truth: dict[int, str]) -> None:
    """Estimates beside the truth."""
    rows = products.table("SELECT row_id, category, label_kind FROM cohort").to_pylist()
    true = {
        kind: [row["category"] == truth[row["row_id"]] for row in rows if kind in ("all", row["label_kind"])]
        for kind in ("all", "human", "machine")
    }
    print("| 400 products | all | machine | human | human minus machine |\n|---|---|---|---|---|")
    share = {kind: sum(some) / len(some) for kind, some in true.items()}
    gap = 100 * (share["human"] - share["machine"])
    print(
        f"| truth | {100 * share['all']:.1f}% | {100 * share['machine']:.1f}% | {100 * share['human']:.1f}% | {gap:.1f} points |"
    )
    for allocation in ("proportional", "equal"):
        for seed in (0, 1):
            wish = Wish(by=("label_kind",), size=400, allocation=allocation, seed=seed)  # type: ignore[arg-type]
            found = estimate(answered(*draw(products, Cohort(NAME), wish), truth), repeats=2)
            kinds, between = found["by"]["label_kind"], found["human_minus_machine"]
            print(
                f"| {allocation}, seed {seed} | {interval(found['accuracy'])} | {interval(kinds['machine'])} | {interval(kinds['human'])} "
                f"| {100 * between['estimate']:.1f} ({100 * between['low']:.1f} to {100 * between['high']:.1f}) |"
            )


def queues(products: Products, truth: dict[int, str]) -> None:
    """The precision of every queue."""
    rows = products.table("SELECT row_id, category FROM cohort").to_pylist()
    wrong = {row["row_id"]: row["category"] != truth[row["row_id"]] for row in rows}
    found = suspicion.compute(products)
    print(
        f"\nVectors {', '.join(found.vectors)}; {100 * found.accuracy:.1f}% of given labels predicted, {sum(wrong.values())} wrong"
    )
    print("| queue | products | first 50 | first 100 | first 200 |\n|---|---|---|---|---|")
    for kind in suspicion.QUEUES:
        chosen = found.queue(kind, products).tolist()
        said = [
            f"{100 * one['precision']:.0f}% ({100 * one['low']:.0f} to {100 * one['high']:.0f})"
            if one["judged"]
            else ""
            for one in precision(chosen, wrong)
        ]
        print(f"| {kind} | {len(chosen):,} | {' | '.join(said)} |")


def main() -> None:
    """Both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="The folder of glami-mini.zip, its truth and its vectors.")
    parser.add_argument(
        "--embed", action="store_true", help="Also with the bundled encoder of pictures and texts."
    )
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["VITRINE_HOME"] = home
        import_dataset("glami", [str(chosen.data / "glami-mini.zip")], NAME)
        products = Products.open(NAME)
        truth = right_labels(products, chosen.data / "glami-mini-truth.csv")
        audits(products, truth)
        import_vectors(products, chosen.data / "glami-mini-mobilenet-v1.npz", "mobilenet")
        queues(products, truth)
        if chosen.embed:
            from core.embeddings.clip import encoder
            from core.embeddings.embed import embed

            for tower in ("image", "text"):
                embed(NAME, encoder("clip-tiny"), tower)  # type: ignore[arg-type]
            queues(products, truth)


if __name__ == "__main__":
    main()
