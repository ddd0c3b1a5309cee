"""An audit in sentences that a paper could print, and what one has to know to read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.audit.records import Plan

FEW = 30  # answers, below which a share says little


def percent(value: float | None, digits: int = 1) -> str:
    """
    >>> percent(0.8312)
    '83.1%'
    """
    return "unknown" if value is None else f"{100 * value:.{digits}f}%"


def interval(of: Mapping[str, Any]) -> str:
    """
    >>> interval({"estimate": 0.831, "low": 0.796, "high": 0.862})
    '83.1% (79.6 to 86.2)'
    """
    if of.get("estimate") is None:
        return "unknown: nobody has answered"
    return f"{percent(of['estimate'])} ({100 * of['low']:.1f} to {100 * of['high']:.1f})"


def points(of: Mapping[str, float]) -> str:
    """
    >>> points({"estimate": 0.12, "low": 0.05, "high": 0.19})
    '12.0 points (5.0 to 19.0)'
    """
    return f"{100 * of['estimate']:.1f} points ({100 * of['low']:.1f} to {100 * of['high']:.1f})"


def in_words(found: Mapping[str, Any]) -> list[str]:
    """The findings, a sentence each; intervals are 95%."""
    usable = found["reviewed"] - found["verdicts"]["unsure"]
    if not usable:
        return [f"Nobody has judged any of the {found['drawn']:,} products that were drawn."]
    said = [
        f"Labels are right {interval(found['accuracy'])} of the time: {usable:,} products were judged, a random sample of "
        f"{found['frame']:,}."
    ]
    kinds = found["by"]["label_kind"]
    for kind in ("machine", "human"):
        if kind in kinds and len(kinds) > 1:
            said.append(f"{kind.capitalize()} labels are right {interval(kinds[kind])} of the time.")
    if between := found["human_minus_machine"]:
        sure = "" if between["low"] > 0 or between["high"] < 0 else "; the audit cannot say which are better"
        said.append(f"Human labels minus machine labels: {points(between)}{sure}.")
    if found["verdicts"]["ambiguous"]:
        said.append(
            f"{found['verdicts']['ambiguous']:,} of the products judged are ambiguous or disputed. They count as right above; counted as wrong, "
            f"{interval(found['accuracy_strict'])} are right."
        )
    later = found["accuracy"]
    if later["anytime_low"] is not None:
        said.append(
            f"If you look while people review, read this interval instead, which holds at every moment: "
            f"{100 * later['anytime_low']:.1f} to {100 * later['anytime_high']:.1f}%."
        )
    if pairs := found["confusion"]["pairs"]:
        first = pairs[0]
        said.append(
            f"The most frequent error: {first['given']} that is {first['true']}, {interval({**first, 'estimate': first['share']})} "
            "of all products."
        )
    said += _people(found)
    if more := found["more"]:
        said.append(_stop(more))
    return said


def _people(found: Mapping[str, Any]) -> list[str]:
    said = []
    both = found["agreement"]["answers"]
    if both["items"]:
        alpha = f", Krippendorff's alpha {both['alpha']['estimate']:.2f}" if both["alpha"] else ""
        said.append(
            f"Two people agree whether a label is right on {percent(both['raw']['estimate'])} of the {both['items']:,} products "
            f"that two or more saw{alpha}."
        )
    else:
        said.append("No product was seen by two people, so that nobody knows how far they would agree.")
    if anchored := found["anchoring"]:
        effect = anchored["effect"]
        sure = (
            "the label leads people"
            if effect["low"] > 0
            else f"no effect is shown; one below about {100 * anchored['detectable']:.0f} points would not be noticed"
        )
        said.append(
            f"The share that is called right if the label is shown from the beginning, minus that if people choose blind: "
            f"{points(effect)}: {sure}."
        )
    return said


def _stop(more: Mapping[str, Any]) -> str:
    wanted, now = 100 * more["wanted"], 100 * more["now"]
    if not more["more"]:
        return f"The interval reaches {now:.1f} points to each side, as wanted ({wanted:.1f}): you may stop."
    left = f" {more['left']:,} of the plan are left." if more["left"] >= more["more"] else (
        f" The plan has only {max(0, more['left']):,} left: draw another one with more products."
    )  # fmt: skip
    return (
        f"The interval reaches {now:.1f} points to each side; {wanted:.1f} are wanted: about {more['more']:,} more products."
        + left
    )


def caveats(found: Mapping[str, Any], plan: Plan) -> list[str]:
    """What weakens the statement."""
    said = list(plan.notes)
    usable = found["reviewed"] - found["verdicts"]["unsure"]
    if 0 < usable < plan.size:
        said.append(
            f"{plan.size - usable:,} of {plan.size:,} products have no verdict yet; the estimate takes those that have one as a "
            "random part of their stratum."
        )
    empty = [name for name, one in found["by"]["stratum"].items() if not one["n"]]
    if empty and usable:
        said.append(
            f"Nothing was judged in {', '.join(empty[:5])}: their labels could all be right or all wrong, and the "
            "interval of the whole is wider for it."
        )
    if found["verdicts"]["unsure"]:
        said.append(
            f"Left out, since nobody could tell: {found['verdicts']['unsure']:,}. If these products are the difficult ones, labels are "
            "worse than estimated."
        )
    few = [
        name
        for column in ("label_kind", "label_source", "geo")
        for name, one in found["by"][column].items()
        if 0 < one["n"] < FEW
    ]
    if few:
        said.append(
            f"Fewer than {FEW} answers on {', '.join(dict.fromkeys(few))}: read their intervals, not their shares."
        )
    if usable and plan.anchoring == 1:
        said.append(
            "Every label was shown before it was judged, which makes people agree with it: this is an upper bound."
        )
    weak = [one["who"] for one in found["annotators"] if one["gold"]["n"] >= 5 and one["gold"]["high"] < 0.9]
    if weak:
        said.append(
            f"{', '.join(weak)} often disagreed with the known answers: their judgements need a second look."
        )
    if usable and not found["agreement"]["answers"]["items"]:
        said.append("One person's errors cannot be seen without a second one: give the plan an overlap.")
    return said
