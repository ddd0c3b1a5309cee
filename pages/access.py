"""Who may do what: one table of roles, one of doors. Pages, routes, panels and MCP tools all ask here.

Without a sign-in, whoever sits at the serving machine is an owner and everybody else a visitor. With one
(`vitrine passphrase`, or an OIDC provider in `.streamlit/secrets.toml`) everybody has the role they signed in with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import streamlit as st
from starlette.requests import HTTPConnection

from core.passphrases import ROLES
from core.stage import room
from pages import guard, identity
from pages.resources import visitor

VISITOR, ANNOTATOR, OWNER = ROLES
NOBODY = ""  # may open what is open to all; no role


@dataclass(frozen=True)
class Right:
    """Something that can be done, and the least role that may."""

    name: str
    least: str
    says: str
    closes: bool = False  # nobody may while the room is locked (core/stage/room.py)


OPEN = Right("enter", NOBODY, "See the sign-in page, its fonts, and whether the server is up")
LOOK = Right("look", VISITOR, "Open every page, see products, pictures, maps and figures, search")
ASK = Right(
    "ask", VISITOR, "Ask models: Classify, the panels, their API and MCP tools; upload a photo for it"
)
DOWNLOAD = Right("download", VISITOR, "Download products as CSV or Parquet")
JUDGE = Right(
    "judge", ANNOTATOR, "Review labels, and answer whether two products are duplicates, under a name", True
)
MANAGE = Right(
    "manage", OWNER, "Add and remove datasets, read files of the serving machine by their path", True
)
SUBMIT = Right("submit", ANNOTATOR, "Submit predictions to the benchmark", closes=True)
PLAN = Right("plan", OWNER, "Make label audits, assign annotators, close and open them again", True)
SAVE = Right("save", OWNER, "Save views on Home and tours, add them from a file, delete them", True)
COMPUTE = Right(
    "compute", OWNER, "Start what takes long: vectors, maps, duplicates, trainings, evaluations", True
)
WATCH = Right("watch", OWNER, "Read the server's own measurements, use Streamlit's agent interface", True)
PRESENT = Right(
    "present", OWNER, "Present: speaker notes, checks, hide and clear the wall, begin anew, lock the room"
)
SHOW = Right("show", OWNER, "Let a visitor's photo appear on the wall", True)
RIGHTS = (OPEN, LOOK, ASK, DOWNLOAD, JUDGE, SUBMIT, PLAN, MANAGE, SAVE, COMPUTE, WATCH, PRESENT, SHOW)

# Paths by the beginning of the address, with `$` where nothing may follow. The first that fits counts. A test walks the
# app: a route that fits only the last line, which is for Streamlit's pages, fails it.
DOORS: tuple[tuple[str, Right], ...] = (
    ("/healthz$", OPEN),
    ("/_stcore/health$", OPEN),
    ("/sign-in$", OPEN),
    ("/sign-out$", OPEN),
    ("/auth/login$", OPEN),  # to the OIDC provider and back
    ("/auth/logout$", OPEN),
    ("/oauth2callback$", OPEN),
    ("/fonts/", OPEN),
    ("/static/", OPEN),  # Streamlit's own scripts and styles
    ("/favicon.png$", OPEN),
    ("/images/", LOOK),
    ("/map-data/", LOOK),
    ("/map-view/", LOOK),
    ("/lit/", LOOK),
    ("/product/", LOOK),
    ("/download/", DOWNLOAD),
    ("/leaderboard/", LOOK),
    ("/submissions/", SUBMIT),
    ("/review/", JUDGE),
    ("/review-page", JUDGE),
    ("/stage", LOOK),  # the speaker's notes ask for more themselves, so do the deeds at the wall
    ("/wall/desk$", PRESENT),
    ("/wall/do$", PRESENT),
    ("/wall", LOOK),
    ("/phone", ASK),
    ("/panels/", ASK),
    ("/_stcore/stream$", LOOK),
    ("/_stcore/host-config$", LOOK),
    ("/_stcore/upload_file/", ASK),
    ("/_stcore/bidi-components/", LOOK),
    ("/media/", LOOK),
    ("/component/", LOOK),
    ("/_stcore/", WATCH),
    ("/", LOOK),
)
_DOORS = tuple((re.compile(re.escape(path).replace(r"\$", "$")), right) for path, right in DOORS)


def door(path: str) -> Right:
    """What one must be allowed to do to ask for this path."""
    return next((right for pattern, right in _DOORS if pattern.match(path)), WATCH)


def allows(role: str, right: Right) -> bool:
    """Whether a role has a right now. NOBODY is the role of a visitor without one."""
    if right.closes and room.locked():
        return False
    order = (NOBODY, *ROLES)
    return role in order and order.index(role) >= order.index(right.least)


def role() -> str:
    """The role of whom the page that runs now is drawn for."""
    if identity.asked():
        return identity.role_of(st.context.cookies, st.context.headers.get("Authorization")) or NOBODY
    return OWNER if visitor.is_local() else VISITOR


def role_of(request: HTTPConnection) -> str:
    """The role of a request's sender."""
    if identity.asked():
        return identity.role_of(request.cookies, request.headers.get("Authorization")) or NOBODY
    return OWNER if guard.marked_local(request.headers) else VISITOR


def person() -> str:
    """Who looks at the page that runs now: the address that an OIDC provider vouches for, else the role."""
    return (identity.person(st.context.cookies) if identity.asked() else None) or role()


def may(right: Right) -> bool:
    """Is the visitor of the page that runs now allowed to do it?"""
    return allows(role(), right)


def who(right: Right) -> str:
    """Who has the right, as part of a sentence."""
    if right.closes and room.locked():
        return "whoever opens the room again, on the page Present,"
    if not identity.asked():
        return "a visitor on the machine that serves Vitrine"
    return f"whoever signed in as {' or '.join(ROLES[ROLES.index(right.least) :])}"


def table() -> str:
    """Rights and roles as Markdown, as docs/reference/security.md shows them."""
    lines = [
        f"| | {' | '.join(('not signed in', *ROLES, 'in a locked room'))} |",
        "|---|" + ":-:|" * (len(ROLES) + 2),
    ]
    for right in RIGHTS:
        marks = ["yes" if allows(each, right) else "" for each in (NOBODY, *ROLES)]
        lines.append(f"| {right.says} | {' | '.join([*marks, 'nobody' if right.closes else 'the same'])} |")
    return "\n".join(lines)
