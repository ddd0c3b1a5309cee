"""Addresses of the review page."""

from __future__ import annotations

from urllib.parse import quote


def url(plan: str, who: str = "") -> str:
    """Where a plan is reviewed, by somebody or by whoever gives a name there.

    >>> url("shop-1a2b", "Ada L.")
    '/review/shop-1a2b?who=Ada%20L.'
    """
    return f"/review/{quote(plan, safe='')}" + (f"?who={quote(who)}" if who else "")
