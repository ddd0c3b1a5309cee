"""The commands of label audits: `vitrine audit plan`, `estimate` and the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast
from urllib.parse import parse_qs

import typer

from core.catalog import corrections as catalog
from core.catalog.cohort import Cohort
from core.commands.console import Json, Lines, Name, say, watched
from core.errors import UsageError
from core.storage import storage_errors

if TYPE_CHECKING:
    from core.audit.records import Allocation, Plan, StratifyBy
    from core.audit.store import Store

audit = typer.Typer(help="Audit a dataset's labels: plan, review, estimate.", no_args_is_help=True)
PlanId = Annotated[str, typer.Argument(metavar="PLAN", help="The plan's id, from `vitrine audit list`.")]
ALLOCATIONS = ("proportional", "equal", "neyman", "fixed")


def _store() -> Store:
    """The store of this machine; SQLAlchemy is loaded when it is asked for."""
    from core.audit.store import Store

    return Store()


@audit.command()
def plan(
    name: Name,
    title: Annotated[str, typer.Option("--title", help="A title for people.")] = "",
    only: Annotated[
        str,
        typer.Option(
            "--cohort",
            metavar="QUERY",
            help="Only products of this cohort, as in an address: 'geo=cz&split=train'.",
        ),
    ] = "",
    by: Annotated[
        str,
        typer.Option(
            help="Strata: any of label_source, label_kind, geo, category, split, with commas between."
        ),
    ] = "",
    level: Annotated[int, typer.Option(help="Strata by category: levels of the path.")] = 1,
    allocation: Annotated[
        str, typer.Option(help="proportional, equal, neyman (with --pilot) or fixed (with --stratum).")
    ] = "",
    size: Annotated[int | None, typer.Option(help="Products to draw.")] = None,
    half_width: Annotated[
        float | None,
        typer.Option(help="Or: the wanted half-width of the interval, 0.03 for plus and minus 3 points."),
    ] = None,
    each: Annotated[bool, typer.Option("--each", help="Every stratum is to have this half-width.")] = False,
    guess: Annotated[float, typer.Option(help="The accuracy that is expected, for --half-width.")] = 0.9,
    stratum: Annotated[
        list[str],
        typer.Option(
            metavar="NAME=NUMBER", help="Products of a stratum, for a fixed allocation; repeatable."
        ),
    ] = [],  # noqa: B006
    pilot: Annotated[
        str,
        typer.Option(metavar="PLAN", help="An earlier audit with the same strata, for --allocation neyman."),
    ] = "",
    seed: Annotated[int, typer.Option(help="The same seed draws the same products.")] = 0,
    overlap: Annotated[float, typer.Option(help="Share of the products that --reviewers people see.")] = 0.1,
    reviewers: Annotated[int, typer.Option(help="People who see a product of the overlap.")] = 2,
    anchoring: Annotated[
        float, typer.Option(help="Share of the products shown with their label; the rest are blind.")
    ] = 0.1,
    gold: Annotated[
        Path | None,
        typer.Option(help="A CSV file with item_id or image_id and label: known answers to mix in."),
    ] = None,
    gold_share: Annotated[float, typer.Option(help="Gold items, as a share of the sample's size.")] = 0.08,
    annotators: Annotated[
        str, typer.Option(help="Who reviews, names with commas between; others can join later.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Draw a random sample of a dataset's labels to review."""
    from core.audit.gold import read_gold
    from core.audit.plan import Wish, draw
    from core.audit.precision import pilot_rates
    from core.catalog.products import Products

    chosen = allocation or ("fixed" if stratum else "neyman" if pilot else "proportional")
    if chosen not in ALLOCATIONS:
        raise UsageError(f"--allocation {chosen}: expected one of {', '.join(ALLOCATIONS)}.")
    if size is None and half_width is None and not stratum:
        half_width = 0.03
    store = _store()
    products = Products.open(name)
    wish = Wish(
        name=title, by=cast("tuple[StratifyBy, ...]", _names(by)), level=level, allocation=cast("Allocation", chosen), size=size,
        half_width=half_width, each=each, guess=guess, fixed=_fixed(stratum), seed=seed, overlap=overlap, reviewers=reviewers,
        anchoring=anchoring, gold_share=gold_share, gold=read_gold(products, gold) if gold else {},
        pilot=pilot_rates(store.audit(pilot)) if pilot else {},
    )  # fmt: skip
    cohort = Cohort.from_query(parse_qs(only, keep_blank_values=True), dataset=name)
    made, items = draw(products, cohort, wish)
    made = store.create_plan(made, items)
    dealt = store.assign(made.plan, people) if (people := _names(annotators)) else {}
    lines = [f"{made.plan}: {made.size:,} of {made.frame:,} products, {made.gold} gold items"]
    lines += [f"  {one.name}: {one.drawn:,} of {one.size:,}" for one in made.strata]
    lines += [f"  {who}: {count:,} items" for who, count in dealt.items()] + [
        f"  note: {note}" for note in made.notes
    ]
    lines.append(f"  next: review on the page Audit, then vitrine audit estimate {made.plan}")
    say(_described(made) | {"items": len(items), "assigned": dealt}, as_json, "\n".join(lines))


@audit.command("list")
def list_(
    name: Annotated[str, typer.Argument(help="Only plans of this dataset.")] = "", as_json: Json = False
) -> None:
    """List the plans, the newest first."""
    store = _store()
    found = []
    for made in store.plans(name or None):
        work = store.work(made.plan)
        answered, assigned = sum(one.answered for one in work), sum(one.assigned for one in work)
        found.append(
            _described(made)
            | {"answered": answered, "assigned": assigned, "annotators": [one.who for one in work]}
        )
    lines = [
        f"{one['plan']}  {one['size']:>6,} products  {one['answered']:,} of {one['assigned']:,} answered"
        f"{'  queue' if one['queue'] else ''}{'  closed' if one['closed'] else ''}  {one['name']}"
        for one in found
    ]
    say(found, as_json, "\n".join(lines) or "No audits yet. See: vitrine audit plan --help")


@audit.command()
def assign(
    which: PlanId,
    annotators: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Everybody who reviews from now on.")
    ],
    as_json: Json = False,
) -> None:
    """Assign the items of a plan to these people; what is answered stays with whoever answered it."""
    dealt = _store().assign(which, annotators)
    say(dealt, as_json, "\n".join(f"{who}: {count:,} items" for who, count in dealt.items()))


@audit.command()
def estimate(which: PlanId, as_json: Json = False) -> None:
    """Estimate what the answers so far say, with 95% intervals."""
    from core.audit import estimates
    from core.audit.words import interval

    found = estimates.estimate(_store().audit(which))
    lines = [f"{found['name']} ({found['plan']})", *found["words"]]
    for column, parts in found["by"].items():
        if len(parts) > 1:
            lines.append(f"By {column.replace('_', ' ')}:")
            lines += [f"  {name:<24} {interval(one)}  n={one['n']:,}" for name, one in parts.items()]
    lines += [f"note: {caveat}" for caveat in found["caveats"]]
    say(found, as_json, "\n".join(lines))


@audit.command()
def close(
    which: PlanId,
    reopen: Annotated[bool, typer.Option("--reopen", help="Take answers again.")] = False,
    who: Annotated[str, typer.Option(help="Who says so.")] = "command line",
    as_json: Json = False,
) -> None:
    """Take no more answers."""
    store = _store()
    made = store.reopen(which, who) if reopen else store.close(which, who)
    say(_described(made), as_json, f"{made.plan} is {'closed' if made.closed else 'open'}.")


@audit.command()
def export(
    which: PlanId,
    target: Annotated[
        Path, typer.Argument(help="A .json file; a folder for Parquet or CSV; a .html file for the report.")
    ],
    csv: Annotated[bool, typer.Option("--csv", help="The folder's tables as CSV, not as Parquet.")] = False,
    as_json: Json = False,
) -> None:
    """Write a whole audit, to be imported elsewhere, or its one-page report."""
    from core.audit import estimates, exchange, report

    store = _store()
    if target.suffix == ".html":
        found = store.audit(which)
        text = report.as_html(estimates.estimate(found), found.plan)
        with storage_errors(target.parent):
            target.write_text(text, encoding="utf-8")
        written = [target]
    else:
        kind: exchange.Kind = "json" if target.suffix == ".json" else "csv" if csv else "parquet"
        written = exchange.export(store, which, target, kind)
    say([str(path) for path in written], as_json, "\n".join(map(str, written)))


@audit.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="What `vitrine audit export` wrote.")], as_json: Json = False
) -> None:
    """Store an exported audit in this database."""
    from core.audit.exchange import import_

    store = _store()
    made = import_(store, source)
    log = len(store.log(made.plan))
    say(
        _described(made) | {"entries": log},
        as_json,
        f"{made.plan}: {made.size:,} products, {log:,} entries of the log",
    )


@audit.command()
def corrections(
    which: PlanId,
    target: Annotated[Path, typer.Argument(help="The .json file to write.")],
    as_json: Json = False,
) -> None:
    """Write what reviewers corrected as a patch, for `apply` and `revert`."""
    from core.audit.patch import write_patch

    made = write_patch(_store().audit(which), target)
    say(made, as_json, f"{target}: {len(made['corrections']):,} corrections of {made['dataset']}")


@audit.command()
def apply(
    patch: Annotated[Path, typer.Argument(help="The file of corrections.")],
    to: Annotated[str, typer.Option(metavar="NAME", help="The dataset; default: the audited one.")] = "",
    as_json: Json = False,
) -> None:
    """Correct a dataset's labels; `revert` takes it back."""
    _change(patch, to, "apply", as_json)


@audit.command()
def revert(
    patch: Annotated[Path, typer.Argument(help="The file of corrections.")],
    to: Annotated[str, typer.Option(metavar="NAME", help="The dataset; default: the audited one.")] = "",
    as_json: Json = False,
) -> None:
    """Take corrections back: the labels and the fingerprint are those of before."""
    _change(patch, to, "revert", as_json)


def _change(patch: Path, to: str, how: str, as_json: bool) -> None:
    from core.audit.patch import read_patch

    name, dataset, changes = read_patch(patch)
    made = (catalog.apply if how == "apply" else catalog.revert)(to or dataset, name, changes)
    done = {"dataset": made.name, "products": len(changes), "fingerprint": made.fingerprint, "patch": name}
    what = "corrected" if how == "apply" else "as they were before"
    say(done, as_json, f"{made.name}: {len(changes):,} labels are {what}; fingerprint {made.fingerprint}")


@audit.command()
def queues(
    name: Name,
    again: Annotated[bool, typer.Option("--again", help="Predict again.")] = False,
    progress_lines: Lines = False,
    as_json: Json = False,
) -> None:
    """List what looks wrong, by queue, with the precision that people measured."""
    from core.audit import suspicion
    from core.audit.queues import overview
    from core.catalog.products import Products

    products = Products.open(name)
    with watched(progress_lines) as progress:
        kept = None if again else suspicion.load(products.info)
        made = kept or suspicion.compute(products, progress)
    found = overview(_store(), products, made)
    lines = [
        f"{name}: the model predicts {100 * made.accuracy:.1f}% of the given labels (vectors {', '.join(made.vectors)})"
    ]
    for one in found:
        lines.append(f"{one['queue']}: {one['products']:,} products; {one['says']}")
        lines += [f"  first {row['at']}: {row['says']}" for row in one["precision"]]
    say({"accuracy": made.accuracy, "vectors": made.vectors, "queues": found}, as_json, "\n".join(lines))


@audit.command()
def queue(
    name: Name,
    which: Annotated[
        str, typer.Argument(metavar="QUEUE", help="margin, confidence, disagreement or conflicts.")
    ],
    first: Annotated[int, typer.Option(help="The most suspicious products, so many.")] = 200,
    shown: Annotated[bool, typer.Option("--shown", help="Show the given label from the beginning.")] = False,
    seed: Annotated[int, typer.Option(help="Of the order.")] = 0,
    annotators: Annotated[str, typer.Option(help="Who reviews, names with commas between.")] = "",
    as_json: Json = False,
) -> None:
    """Plan a review of a queue's first products, for fixing labels; it estimates nothing of the dataset."""
    from core.audit import suspicion
    from core.audit.plan import Wish
    from core.audit.queues import queue_plan
    from core.catalog.products import Products

    if first < 1:
        raise UsageError("--first is a number from 1.")
    products = Products.open(name)
    made = suspicion.load(products.info) or suspicion.compute(products)
    rows = made.queue(cast(suspicion.Queue, which), products)[:first].tolist()
    plan_, items = queue_plan(products, which, rows, Wish(anchoring=float(shown), seed=seed))
    store = _store()
    plan_ = store.create_plan(plan_, items)
    dealt = store.assign(plan_.plan, people) if (people := _names(annotators)) else {}
    say(
        _described(plan_) | {"items": len(items), "assigned": dealt},
        as_json,
        f"{plan_.plan}: the first {len(items):,} products of {which}, in random order",
    )


def _described(made: Plan) -> dict[str, Any]:
    return {key: value for key, value in asdict(made).items() if key != "labels"}


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _fixed(given: Sequence[str]) -> dict[str, int]:
    """
    Raises:
        UsageError: a stratum has no number.
    """
    found = {}
    for entry in given:
        name, equals, number = entry.rpartition("=")
        if not equals or not number.isdecimal():
            raise UsageError(f"--stratum {entry}: write NAME=NUMBER, for example custom-tag=100.")
        found[name] = int(number)
    return found


def register(app: typer.Typer) -> None:
    """Put these commands on the app."""
    app.add_typer(audit, name="audit")
