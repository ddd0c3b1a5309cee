"""An audit on one page, as HTML that stands by itself and can be printed: plan, figures with intervals, method."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from core.audit.records import Plan
from core.audit.words import interval, percent

STYLE = """
:root { color-scheme: light dark; --ink: #1c1b19; --paper: #fff; --quiet: #6b675f; --line: #d9d5cc; --accent: #9a3324; }
@media (prefers-color-scheme: dark) { :root { --ink: #ece9e2; --paper: #191816; --quiet: #a39e93; --line: #3b3833; --accent: #e0806e; } }
@media print { :root { --ink: #000; --paper: #fff; --quiet: #444; --line: #bbb; --accent: #000; } body { margin: 0; } }
body { font: 15px/1.5 "Source Sans 3", system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 46rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 1.6rem 0 .4rem; }
p { margin: .35rem 0; } .quiet { color: var(--quiet); font-size: .9em; } .figure { font-size: 2.2rem; font-weight: 600; margin: .6rem 0 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; } th, td { text-align: left; padding: .2rem .6rem .2rem 0;
  border-bottom: 1px solid var(--line); vertical-align: top; } th { font-weight: 600; } td.n, th.n { text-align: right; }
.bar { position: relative; height: .7rem; min-width: 9rem; } .bar i { position: absolute; top: .3rem; height: 2px; background: var(--ink); }
.bar b { position: absolute; top: 0; width: 3px; height: .7rem; background: var(--accent); } .wide { overflow-x: auto; } td.i { white-space: nowrap; }
@media (max-width: 32rem) { .bar { min-width: 4.5rem; } th, td { padding-right: .4rem; } table { font-size: .92em; } }
"""
METHOD = (
    "Products were drawn at random within each stratum; every product's probability of being drawn is stored. Shares weight each "
    "stratum by its size (Horvitz and Thompson 1952; Cochran 1977). Intervals are 95%: Wilson's, for as many answers as a simple "
    "random sample would need to be as sure (Korn and Graubard 1998). The interval that holds at every moment is a confidence "
    "sequence for sampling without replacement (Waudby-Smith and Ramdas 2020). Differences: Newcombe 1998. A product's verdict is "
    "what most of its reviewers say."
)


def as_html(found: Mapping[str, Any], plan: Plan) -> str:
    """The report. All texts of the dataset are escaped; there is no script and no request to anywhere.

    Args:
        found: see `estimates.estimate`.
    """
    whole = found["accuracy"]
    parts = [
        f"<h1>{escape(plan.name)}</h1>",
        f'<p class="quiet">{escape(plan.dataset)} ({escape(plan.fingerprint)}), audit {escape(plan.plan)}, planned {escape(plan.created[:10])}'
        f"{', closed ' + escape(plan.closed[:10]) if plan.closed else ', still open'}</p>",
        f'<p class="figure">{percent(whole["estimate"])}</p><p class="quiet">of labels are right; 95% interval '
        f"{100 * whole['low']:.1f} to {100 * whole['high']:.1f}</p>",
        *_paragraphs(found["words"]),
    ]
    if found["caveats"]:
        parts += ["<h2>To be read with</h2>", *_paragraphs(found["caveats"])]
    parts += ["<h2>Plan</h2>", _plan(plan)]
    for column, title in (
        ("label_kind", "By kind of label"), ("label_source", "By label source"), ("geo", "By country"), ("stratum", "By stratum"),
    ):  # fmt: skip
        if len(found["by"][column]) > 1 and (column != "stratum" or len(plan.by) != 1):
            parts += [f"<h2>{title}</h2>", _shares(found["by"][column])]
    if pairs := found["confusion"]["pairs"]:
        parts += ["<h2>Most frequent errors</h2>", _pairs(pairs)]
    parts += ["<h2>Annotators</h2>", _annotators(found)]
    parts += ["<h2>Method</h2>", f"<p>{METHOD}</p>"]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(plan.name)}</title><style>{STYLE}</style></head><body>{''.join(parts)}</body></html>\n"
    )


def _paragraphs(lines: Iterable[str]) -> list[str]:
    return [f"<p>{escape(line)}</p>" for line in lines]


def _table(
    head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = (), whole: Sequence[int] = ()
) -> str:
    """Cells are HTML already; columns of numbers are aligned to the right, those of `whole` take one line."""
    mark = ['class="n"' if at in numbers else 'class="i"' if at in whole else "" for at in range(len(head))]
    top = "".join(f"<th {mark[at]}>{escape(text)}</th>" for at, text in enumerate(head))
    body = "".join(
        f"<tr>{''.join(f'<td {mark[at]}>{cell}</td>' for at, cell in enumerate(row))}</tr>" for row in rows
    )
    return f'<div class="wide"><table><tr>{top}</tr>{body}</table></div>'


def _plan(plan: Plan) -> str:
    cohort = "; ".join(
        f"{key} {', '.join(values)}" for key, values in plan.cohort.items() if key != "dataset"
    )
    rows = [
        ("Frame", f"{plan.frame:,} products{' (' + escape(cohort) + ')' if cohort else ''}"),
        ("Drawn", f"{plan.size:,}, seed {plan.seed}, {escape(plan.allocation)} allocation"),
        ("Strata", escape(", ".join(plan.by).replace("_", " ") or "none") + f" ({len(plan.strata)})"),
        ("Seen by several", f"{percent(plan.overlap, 0)} by {plan.reviewers} people"),
        ("Shown with the label", f"{percent(plan.anchoring, 0)}; the rest blind"),
        ("Gold items", f"{plan.gold}"),
    ]
    return _table(("", ""), rows)


def _shares(parts: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        (
            escape(name),
            escape(interval(one)),
            f"{one['n']:,}",
            "" if one["estimate"] is None else
            f'<div class="bar"><i style="left:{100 * one["low"]:.1f}%;width:{100 * (one["high"] - one["low"]):.1f}%"></i>'
            f'<b style="left:calc({100 * one["estimate"]:.1f}% - 1px)"></b></div>',
        )
        for name, one in parts.items()
    ]  # fmt: skip
    return _table(("", "right", "answers", "0 to 100%"), rows, (2,), (1,))


def _pairs(pairs: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (
            escape(one["given"]),
            escape(one["true"]),
            f"{one['n']:,}",
            escape(interval({**one, "estimate": one["share"]})),
        )
        for one in pairs[:10]
    ]
    return _table(("given label", "right label", "found", "of all products"), rows, (2,))


def _annotators(found: Mapping[str, Any]) -> str:
    rows = []
    for one in found["annotators"]:
        gold = one["gold"]
        rows.append(
            (
                escape(one["who"]),
                f"{one['answered']:,}",
                f"{gold['right']} of {gold['n']}" if gold["n"] else "none",
                percent(one["dawid_skene"]) if one["dawid_skene"] is not None else "",
                "" if one["median_ms"] is None else f"{one['median_ms'] / 1000:.1f} s",
            )
        )
    return _table(("", "answers", "right on gold items", "Dawid-Skene", "median time"), rows, (1, 4))
