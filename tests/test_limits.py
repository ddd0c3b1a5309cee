"""The limits that docs/reference/security.md tells are those of the code."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from core import outgoing
from core.catalog import cohort, where
from core.images import web
from core.passphrases import FEWEST_CHARACTERS, MOST_CHARACTERS
from core.search.index import MAX_K
from core.settings import Settings
from core.sources import bounds
from core.stage import line, tours, wall
from pages import bodies, connections, downloads, identity, signin
from pages.components.shared import photos
from pages.panels import classification, served, uploads
from pages.stage import phone_routes

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "reference" / "security.md"
STREAMLIT = tomllib.loads((DOCUMENT.parents[2] / ".streamlit" / "config.toml").read_text())
MB, GB = 2**20, 2**30
LIMITS = {
    "A question to a product table": (
        f"{Settings.query_seconds:.0f} s, {Settings.query_bytes // GB} GB of memory a dataset",
        "`VITRINE_QUERY_SECONDS`, `VITRINE_QUERY_MB`",
    ),
    "All filters of a link": (f"{cohort.QUERY_CHARACTERS:,} characters", ""),
    "One filter of a link": (
        f"{cohort.VALUES:,} values; a category path {cohort.LEVELS} levels; a text {cohort.WORDS} words or "
        f"{cohort.TEXT_CHARACTERS} characters; an area {cohort.CORNERS} corners",
        "",
    ),
    "A search": (f"{MAX_K:,} products", ""),
    "A free `--where`": (f"{where.CHARACTERS:,} characters, and the bounds of a question", ""),
    "Downloads at once": (
        f"{Settings.downloads}, half of them to one address where `VITRINE_BEHIND_PROXY` is not set; who takes less than {downloads.PIECE // 1024} kB in {downloads.STALLED_S:.0f} s is let go",
        "`VITRINE_DOWNLOADS`",
    ),
    "A message on a page's socket": (f"{STREAMLIT['server']['maxMessageSize']} MB", ""),
    "The body of a request": (
        f"{bodies.OTHER_BYTES // MB} MB, with an upload {Settings.upload_bytes // MB} MB; {bodies.SILENT_S:.0f} s between two "
        f"pieces, {bodies.WHOLE_S:.0f} s in all",
        "",
    ),
    "The head of a request": (
        f"{connections.HEAD_S:.0f} s, from its first byte or the connection's beginning",
        "",
    ),
    "Uploads to the panels": (
        f"{Settings.uploads_bytes // GB} GB in all, {uploads.AGE_S / 3600:.0f} hour each; the oldest go first",
        "",
    ),
    "Photos that were searched with": (
        f"{photos.MAX_PHOTOS:,}; pictures that panels show {served.KEPT:,} of a kind",
        "",
    ),
    "A picture": (f"{Settings.image_bytes // MB} MB, {Settings.image_pixels // 10**6} million pixels", ""),
    "An import": (
        f"{Settings.import_bytes // GB} GB of memory; files that decompress to {bounds.GROWTH} times their size, {bounds.GROWTH_BYTES // GB} GB "
        "in any case",
        "`VITRINE_IMPORT_MB`",
    ),
    "One record of an import": (
        f"{bounds.RECORD_CHARACTERS // MB} million characters, {bounds.FIELD_CHARACTERS // MB} million in a field, {bounds.DEPTH} levels",
        "",
    ),
    "Thumbnails of a dataset": (f"{Settings.thumbnail_bytes // MB} MB on disk", ""),
    "Visitors that wait at a panel": (f"{classification.WAITING}", ""),
    "Phones that wait": (
        f"{line.WAITING}, one question each; {phone_routes.AHEAD} photos that arrive; dropped after {line.GONE_S:.0f} s without the page",
        "",
    ),
    "What phones asked": (
        f"in memory alone: {line.ANSWERS} answers of {line.KEPT_S:.0f} s, {wall.ENTRIES} on the wall with {wall.PHOTOS} photos",
        "",
    ),
    "A tour": (f"{tours.STOPS} views, {tours.FILE_BYTES // MB} MB; {tours.TOURS} of a dataset", ""),
    "Requests to other servers": (
        f"{outgoing.AT_ONCE} at once, {outgoing.PER_HOST} to one host, {outgoing.REDIRECTS} redirects; a picture "
        f"{web.TIMEOUT_S:.0f} s in all",
        "",
    ),
    "Pages that are open at once": (
        f"{Settings.sockets}, half of them from one address where `VITRINE_BEHIND_PROXY` is not set",
        "`VITRINE_SOCKETS`",
    ),
    "Wrong passphrases of one address": (
        f"{signin.AT_ONCE} one after another, then one each {signin.EVERY_S:.0f} s",
        "",
    ),
    "A passphrase": (f"{FEWEST_CHARACTERS} to {MOST_CHARACTERS} characters", ""),
    "A sign-in": (f"{identity.SECONDS // 3600} hours", ""),
}


@pytest.mark.parametrize("what", LIMITS)
def test_a_limit_is_told_as_it_is(what: str) -> None:
    row = f"| {' | '.join((what, *LIMITS[what]))} |"
    assert row in DOCUMENT.read_text(encoding="utf-8"), f"write into {DOCUMENT.name}: {row}"
