"""Charts of the remedies for labels: what each changed in the experiments, and how a dataset's machine labels err."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.catalog.cohort import path_from_text
from core.labels.machine_report import MachineReport
from core.labels.prior_shift import METHODS
from core.schema import COUNTRY_OF_GEO
from core.settings import ASSETS
from core.statistics import theme
from core.statistics.display import Display, bar_height, bar_names

if TYPE_CHECKING:
    import plotly.graph_objects as go

RESULTS = ASSETS / "labels" / "remedies.json"
PARTS = {"shift": "Prior shift", "tail": "Long tail", "noise": "Noisy labels"}
COMMAND = "python -m benchmarks.labels"
REFERENCES = ("calibration alone", "true priors")  # no remedies: what they are compared with
NAMES = {  # short, for a phone
    "logit-adjustment": "logit adjustment", "sampling": "balanced sampling", "post-hoc": "post-hoc adjustment",
    "crt": "last layer again (cRT)", "tau-norm": "tau-normalisation", "scales": "learned scales",
    "human only": "human labels alone", "weights, 0.5": "machine weight 0.5", "weights": "weight by validation",
    "finetune": "fine-tuning on human", "forward": "forward correction", "drop": "suspicious dropped",
    "relabel": "suspicious relabelled", "training counts of the country": "the country's counts",
    "em, not calibrated": "EM, not calibrated", "true priors": "true (reference)",
}  # fmt: skip
FIGURES = ("top1", "balanced", "head", "middle", "tail")


def names_of(remedies: Iterable[str]) -> list[str]:
    """What remedies are called on a chart.

    >>> names_of(["crt", "em"])
    ['last layer again (cRT)', 'EM']
    """
    return [NAMES.get(remedy, remedy.upper() if remedy in METHODS else remedy) for remedy in remedies]


@lru_cache(maxsize=1)
def results() -> dict[str, Any]:
    """What benchmarks/labels.py measured; `datasets` is empty where there is nothing."""
    try:
        return dict(json.loads(RESULTS.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {"datasets": []}


def means(dataset: dict[str, Any]) -> pd.DataFrame:
    """One row a remedy: part, remedy, the mean of each figure over seeds, and of its change beside plain training with its
    range over seeds (`<figure>_change`, `_low`, `_high`)."""
    rows = pd.DataFrame(dataset["rows"])
    plain = rows[rows.remedy == "plain"].set_index("seed")
    found = []
    for (part, remedy), own in rows.groupby(["part", "remedy"], sort=False):
        row: dict[str, Any] = {"part": part, "remedy": remedy}
        for figure in FIGURES:
            values = own.set_index("seed")[figure].astype(float)
            change = values - plain[figure].astype(float)
            row |= {
                figure: values.mean(), f"{figure}_change": change.mean(), f"{figure}_low": change.min(),
                f"{figure}_high": change.max(),
            }  # fmt: skip
        if "prior_error" in own:
            row["prior_error"] = own["prior_error"].mean()
        found.append(row)
    return pd.DataFrame(found)


def changes(dataset: dict[str, Any], part: str) -> Display:
    """What each remedy of a part changed in top-1 and in balanced accuracy, beside plain training."""
    table = means(dataset)
    plain = table[table.part == "plain"].iloc[0]
    own = table[table.part == part].reset_index(drop=True)
    seeds = len({row["seed"] for row in dataset["rows"]})
    shown = f"{dataset['name']}: {dataset['products']['test']:,} test products, right labels · {seeds} seeds"
    tried = own[~own.remedy.isin(REFERENCES)]
    sure = tried[tried.top1_low > 0]
    rare = int((tried.balanced_low > 0).sum())
    found = (
        f"{' and '.join(names_of(sure.remedy))} raised top-1 with every seed"
        if 0 < len(sure) <= 2
        else f"{len(sure) or 'none'} of {len(tried)} raised top-1 with every seed"
    )
    title = f"{PARTS[part]}: {found}, {rare} balanced accuracy"
    explanation = (
        f"Change beside plain training (top-1 {100 * plain.top1:.1f}%, balanced {100 * plain.balanced:.1f}%), in points: the mean, "
        "with the range over seeds as a line. Balanced accuracy counts every class alike."
    )
    names = bar_names(names_of(own.remedy))

    def draw() -> go.Figure:
        import plotly.graph_objects as go

        figure = go.Figure()
        figure.add_vline(x=0, line={"color": theme.GREY, "width": 1})
        for key, said, colour, symbol in (
            ("top1", "top-1", theme.BLUE, "circle"),
            ("balanced", "balanced accuracy", theme.ORANGE, "diamond"),
        ):
            middle = 100 * own[f"{key}_change"]
            figure.add_scatter(
                x=middle, y=names, mode="markers", name=said, marker={"size": 10, "color": colour, "symbol": symbol},
                error_x={"type": "data", "symmetric": False, "array": 100 * own[f"{key}_high"] - middle,
                         "arrayminus": middle - 100 * own[f"{key}_low"], "thickness": 1.4, "width": 3, "color": colour},
                hovertemplate=f"%{{y}}: %{{x:+.1f}} points of {said}<extra></extra>",
            )  # fmt: skip
        figure.update_layout(
            height=bar_height(len(own), 160), yaxis={"autorange": "reversed", "type": "category", "dtick": 1},
            xaxis={"title": {"text": "points beside plain training"}, "tickformat": "+.0f"},
        )  # fmt: skip
        return figure

    columns = ["remedy", *FIGURES, *(["prior_error"] if part == "shift" else [])]
    percents = pd.concat([table[table.part == "plain"], own])[columns].round(4)
    return Display(f"remedies-{part}", PARTS[part], title, explanation, shown, percents, draw, source=COMMAND)


def planted(dataset: dict[str, Any]) -> Display:
    """The estimated share of wrong machine labels of each country beside the planted one."""
    said = dataset["confusion"]
    table = pd.DataFrame([row for row in said["countries"] if row["country"]])
    shown = f"{dataset['name']}: {dataset['machine']:,} machine labels, {100 * dataset['machine_wrong']:.0f}% planted wrong"
    title = f"{said['covered']} of {said['intervals']} intervals hold the planted share; largest difference {100 * said['largest_difference']:.0f} points"
    explanation = (
        "A classifier that learned from human labels says what the machine-labelled products of a country are; the share that is "
        "not what the machine calls it is estimated without looking at the truth. Diamonds are the truth."
    )
    return _shares(
        "planted",
        "Machine labels, estimated and planted",
        title,
        explanation,
        shown,
        table.rename(columns={"estimated": "wrong"}),
    )


def by_country(name: str, report: MachineReport) -> Display:
    """The estimated share of wrong machine labels of each country of a dataset."""
    whole = report.countries[-1]
    table = pd.DataFrame(report.countries[:-1] or [whole])
    title = f"{100 * whole['wrong']:.0f}% of the machine labels are estimated to be wrong ({100 * whole['low']:.0f} to {100 * whole['high']:.0f})"
    shown = f"{name}: {report.machine:,} machine labels beside {report.human:,} human ones"
    explanation = (
        "Estimated from what products look like, by a classifier that learned from human labels alone; no product has both labels. "
        "Lines are 95% bootstrap intervals. A random audit measures the same without a model."
    )
    return _shares("machine-labels", "Machine labels by country", title, explanation, shown, table)


def _shares(
    name: str, heading: str, title: str, explanation: str, shown: str, table: pd.DataFrame
) -> Display:
    table = table.sort_values("wrong", ascending=False, ignore_index=True)
    labels = [
        f"{label} · {n:,}"
        for label, n in zip(
            bar_names([COUNTRY_OF_GEO.get(code, code) or "all" for code in table.country], 24),
            table.n,
            strict=True,
        )
    ]

    def draw() -> go.Figure:
        import plotly.graph_objects as go

        figure = go.Figure()
        figure.add_scatter(
            x=table.wrong, y=labels, mode="markers", name="estimated", marker={"size": 11, "color": theme.BLUE},
            error_x={"type": "data", "symmetric": False, "array": table.high - table.wrong,
                     "arrayminus": table.wrong - table.low, "thickness": 1.6, "width": 4, "color": theme.GREY},
            hovertemplate="%{y}: %{x:.1%} estimated<extra></extra>",
        )  # fmt: skip
        if "planted" in table:
            figure.add_scatter(
                x=table.planted, y=labels, mode="markers", name="planted",
                marker={"symbol": "diamond-open", "size": 10, "color": theme.ORANGE, "line": {"width": 1.8}},
                hovertemplate="%{y}: %{x:.1%} planted<extra></extra>",
            )  # fmt: skip
        figure.update_layout(
            height=bar_height(len(table), 150), yaxis={"autorange": "reversed", "type": "category", "dtick": 1},
            xaxis={"title": {"text": "share of machine labels that are wrong"}, "tickformat": ".0%", "rangemode": "tozero"},
        )  # fmt: skip
        return figure

    return Display(name, heading, title, explanation, shown, table, draw)


def confused(report: MachineReport) -> pd.DataFrame:
    """The most frequent confusions of a dataset's machine labels: machine says, is rather, share, products."""
    rows = [
        {
            "machine says": path_from_text(row["machine"])[-1], "is rather": path_from_text(row["label"])[-1],
            "share": row["share"], "products": int(np.rint(row["n"])),
        }
        for row in report.confused
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["machine says", "is rather", "share", "products"])
