"""Addresses of the review page."""

from __future__ import annotations

from urllib.parse import quote


def url(plan: str, who: str = "") -> str:
    """The address of a plan's review page, for one annotator or for anybody who enters a name.

    >>> url("shop-1a2b", "Ada L.")
    '/review/shop-1a2b?who=Ada%20L.'
    """
    return f"/review/{quote(plan, safe='')}" + (f"?who={quote(who)}" if who else "")
