"""The sign-in of a server in a room: what stands in front of every door, and the page that asks for a passphrase.

Nothing of it is there until a role has a passphrase (`vitrine passphrase`) or `.streamlit/secrets.toml` names an OIDC
provider. The page stands outside Streamlit, so that nobody runs a page before they are known.
"""

from __future__ import annotations

import asyncio
import html
import ipaddress
import logging
import time
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import anyio.to_thread
from cachetools import LRUCache
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from streamlit.errors import Error as StreamlitError
from streamlit.user_info import generate_login_redirect_url

from core import passphrases
from core.errors import UsageError
from core.passphrases import MOST_CHARACTERS, Passphrases
from core.settings import ASSETS
from pages import access, identity

AT_ONCE = 10  # wrong passphrases that one address may try one after another
EVERY_S = 10.0  # then one in this time
ADDRESSES = 10_000  # that are remembered
WAITING = 16  # attempts that wait for their hash; more are sent away
BODY_BYTES = 4_096
BODY_S = 10.0
UNKNOWN = "The sign-in cannot be checked. Whoever serves Vitrine finds the reason in its log."
TOO_MANY = "Too many attempts. Wait a minute, then try again."
PAGE = (ASSETS / "sign-in.html").read_text(encoding="utf-8")


class Attempts:
    """How often an address may still be wrong: some times at once, then now and then."""

    def __init__(self) -> None:
        self._left: LRUCache[str, tuple[float, float]] = LRUCache(ADDRESSES)

    def take(self, address: str) -> bool:
        """Count an attempt before it is made, so that many at a time are many."""
        left, since = self._left.get(address, (float(AT_ONCE), 0.0))
        now = time.monotonic()
        left = min(float(AT_ONCE), left + (now - since) / EVERY_S) if since else left
        self._left[address] = (max(0.0, left - 1), now) if left >= 1 else (left, now)
        return left >= 1

    def right(self, address: str) -> None:
        """It was right: what was wrong before counts no longer."""
        self._left.pop(address, None)


attempts = Attempts()
_hashing: asyncio.Semaphore | None = None
_waiting = 0


async def _try(passphrase: str, address: str, known: Passphrases) -> tuple[str | None, bool]:
    """The role with this passphrase, and whether it was looked at at all. One hash at a time: each takes 32 MB."""
    global _hashing, _waiting
    if _waiting >= WAITING or not attempts.take(address):
        return None, False
    _hashing = _hashing or asyncio.Semaphore(1)
    _waiting += 1
    try:
        async with _hashing:
            role = await anyio.to_thread.run_sync(known.role_of, passphrase)
    finally:
        _waiting -= 1
    if role:
        attempts.right(address)
    else:
        logging.getLogger("vitrine").warning("a wrong passphrase from %s", address)
    return role, True


def address_of(connection: HTTPConnection) -> str:
    """Who attempts are counted for: an address, of IPv6 the network, since one has as many addresses as one wants."""
    host = connection.client.host if connection.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 6 and not address.is_loopback:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return host


class SignIn:
    """Middleware that refuses a request before it reaches a route it has no right to."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        right = access.door(scope["path"])
        connection = HTTPConnection(scope)
        try:
            asked = identity.asked()
            role, looked = await _role(connection) if asked and right is not access.OPEN else (None, True)
        except UsageError as error:
            logging.getLogger("vitrine").error("all sign-ins are refused: %s", error)
            if right is not access.OPEN or scope["path"] == "/sign-in":
                return await _refuse(scope, receive, send, PlainTextResponse(UNKNOWN, 503))
            asked, role, looked = True, None, True
        if not asked:
            return await self.app(scope, receive, send)
        if access.allows(role or access.NOBODY, right):
            if scope["type"] == "websocket":
                return await self.app(scope, _watched(connection, right, receive, send), send)
            return await self.app(scope, receive, send if right is access.OPEN else _private(send))
        if role:
            answer: Response = PlainTextResponse(
                f"This is for {right.least}s; you are signed in as {role}.", 403
            )
        elif not looked:
            answer = PlainTextResponse(TOO_MANY, 429, {"retry-after": "60"})
        elif _is_a_page(connection):
            there = scope["path"] + (
                f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
            )
            answer = RedirectResponse(
                f"/sign-in?next={quote(there, safe='/')}", 303, {"cache-control": "no-store"}
            )
        else:
            answer = PlainTextResponse(
                "Sign in first.", 401, {"www-authenticate": "Bearer", "cache-control": "no-store"}
            )
        return await _refuse(scope, receive, send, answer)


async def _role(connection: HTTPConnection) -> tuple[str | None, bool]:
    """The role of a request, and whether a token that came with it was looked at."""
    authorization = connection.headers.get("authorization")
    role = identity.role_of(connection.cookies, authorization)
    known = passphrases.load()
    token = identity.token_of(authorization)
    if role or known is None or token is None or len(token) > MOST_CHARACTERS:
        return role, True
    role, looked = await _try(token, address_of(connection), known)
    if role:
        identity.remember(token, role, known)
    return role, looked


def _is_a_page(connection: HTTPConnection) -> bool:
    """Does a person wait for it, who can be shown where to sign in?"""
    scope = connection.scope
    return bool(scope.get("method") == "GET" and "text/html" in connection.headers.get("accept", ""))


async def _refuse(scope: Any, receive: Any, send: Any, answer: Response) -> None:
    if scope["type"] == "websocket":
        await receive()  # the handshake; it is answered with 403
        await send({"type": "websocket.close", "code": 1008})
    else:
        await answer(scope, receive, send)


def _watched(connection: HTTPConnection, right: access.Right, receive: Any, send: Any) -> Any:
    """A socket lives long: each message is let through only while its sender still has the right."""

    async def receive_while_allowed() -> Any:
        message = await receive()
        if message["type"] != "websocket.receive":
            return message
        try:
            role = identity.role_of(connection.cookies, connection.headers.get("authorization"))
        except UsageError:
            role = None
        if access.allows(role or access.NOBODY, right):
            return message
        await send({"type": "websocket.close", "code": 1008})
        return {"type": "websocket.disconnect", "code": 1008}

    return receive_while_allowed


def _private(send: Any) -> Any:
    """Shared caches may not store responses to signed-in visitors."""

    async def send_private(message: Any) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                (name, value.replace(b"public", b"private") if name.lower() == b"cache-control" else value)
                for name, value in message["headers"]
            ]
        await send(message)

    return send_private


def _next(request: HTTPConnection, given: str | None = None) -> str:
    """Where to go after the sign-in: a path of this server, never another one."""
    there = given if given is not None else request.query_params.get("next", "/")
    plain = there.startswith("/") and not there.startswith(("//", "/\\", "/sign-"))
    return there if plain and len(there) <= 4_096 and there.isprintable() else "/"


def _page(there: str, said: str = "", status: int = 200) -> Response:
    """The page itself, without any script."""
    parts = []
    for name, title in identity.providers().items():
        try:
            address = generate_login_redirect_url(name)
        except StreamlitError as error:
            logging.getLogger("vitrine").error("no sign-in with %s: %s", name, error)
            continue
        parts.append(f'<a class="button" href="{html.escape(address)}">Sign in with {html.escape(title)}</a>')
    if passphrases.load() is not None:
        alert = f'<p class="said" role="alert" id="said">{html.escape(said)}</p>' if said else ""
        invalid = ' aria-invalid="true" aria-describedby="said"' if said else ""
        parts.append(
            '<form method="post" action="/sign-in">'
            f'<input type="hidden" name="next" value="{html.escape(there)}">'
            '<label for="passphrase">Passphrase</label>'
            f'<input id="passphrase" name="passphrase" type="password" maxlength="{MOST_CHARACTERS}" required autofocus '
            f'autocomplete="current-password"{invalid}>{alert}<button type="submit">Sign in</button></form>'
        )
    return HTMLResponse(
        PAGE.replace("<!-- ways -->", "\n".join(parts)), status, {"cache-control": "no-store"}
    )


async def sign_in(request: Request) -> Response:
    """GET shows the page; POST takes a passphrase and answers with a cookie."""
    known = passphrases.load()
    if known is None and not identity.providers():
        return RedirectResponse("/", 303)
    if request.method != "POST":
        return _page(_next(request))
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        return PlainTextResponse("This form was sent from another site.", 403)
    try:
        async with asyncio.timeout(BODY_S):
            fields = await _fields(request)
    except (TimeoutError, ClientDisconnect):
        return PlainTextResponse("The form did not arrive.", 408)
    if fields is None:
        return PlainTextResponse("The form is too long.", 413)
    there = _next(request, fields.get("next", "/"))
    given = fields.get("passphrase", "")
    if known is None or not given or len(given) > MOST_CHARACTERS:
        return _page(there, "Type the passphrase that you were given.", 400)
    role, looked = await _try(given, address_of(request), known)
    if not looked:
        return _page(there, TOO_MANY, 429)
    if role is None:
        return _page(there, "That is not the passphrase of this server.", 403)
    answer = RedirectResponse(there, 303, {"cache-control": "no-store"})
    answer.set_cookie(
        identity.COOKIE,
        identity.cookie_for(role, known),
        max_age=identity.SECONDS,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer


async def _fields(request: Request) -> dict[str, str] | None:
    """What a short form says; None where it is long."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            return None
    found = parse_qs(body.decode("utf-8", "replace"), max_num_fields=8) if body.count(b"&") < 8 else {}
    return {name: values[0] for name, values in found.items()}


async def sign_out(request: Request) -> Response:
    """Forget the cookie; who came by a provider is signed out there, too."""
    provider = any(name.startswith("_streamlit_user") for name in request.cookies)
    answer = RedirectResponse("/auth/logout" if provider else "/sign-in", 303, {"cache-control": "no-store"})
    answer.delete_cookie(identity.COOKIE, httponly=True, samesite="lax")
    return answer


ROUTES = [
    Route("/sign-in", sign_in, methods=["GET", "POST"]),
    Route("/sign-out", sign_out),
]
