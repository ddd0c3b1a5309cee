"""Who may reach the server: which names it answers to, which websites may ask, who counts as its local visitor.

A website that a visitor has open can make the visitor's browser send requests here, and can point a name of its own
at this machine (DNS rebinding), so that the browser takes its scripts for ours. The name in `Host` and the website in
`Origin` tell both apart; they are looked at before every route and every socket.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from core.settings import settings

LOCAL = "x-vitrine-local"  # a header of ours, which the pages read: "1" for the local visitor
PROXIED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
PORTS = {"http": 80, "https": 443}
POLICY_VIOLATION = 1008  # the code that closes a socket

FOREIGN_HOST = "This server does not answer to that name. Open it by its address, or start it with VITRINE_HOSTS set to the name."
FOREIGN_SITE = "Another website may not ask this server."


class Guard:
    """The middleware that turns away foreign names and foreign websites, and marks who is local."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = refused(headers, scope.get("method", "GET"))
        if refusal is None:
            known = [
                each for each in scope["headers"] if each[0].lower().replace(b"_", b"-") != LOCAL.encode()
            ]
            if is_local(scope.get("client"), headers):
                known.append((LOCAL.encode(), b"1"))
            await self.app({**scope, "headers": known}, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": refusal[1]})
        else:
            await PlainTextResponse(refusal[1], refusal[0])(scope, receive, send)


def refused(headers: Headers, method: str) -> tuple[int, str] | None:
    """Status and text for a request that is not answered; None for one that is.

    Programs send neither `Origin` nor `Sec-Fetch-Site`; browsers send the one with every socket and whatever changes
    something, the other with every request to https and to this machine.
    """
    hosts = headers.getlist("host")
    if len(hosts) != 1 or (host := _netloc(f"//{hosts[0]}")) is None:
        return 400, "A request names one host."
    if not _is_ours(host[0]):
        return 421, FOREIGN_HOST
    origins = headers.getlist("origin")
    if any(not _same(origin, hosts[0]) for origin in origins):
        return 403, FOREIGN_SITE
    site = headers.get("sec-fetch-site", "none")
    followed = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    if site not in ("none", "same-origin") and not (followed and method in ("GET", "HEAD")):
        return 403, FOREIGN_SITE
    return None


def is_local(client: tuple[str, int] | None, headers: Headers) -> bool:
    """Does the visitor sit at the serving machine? Not where that is unknown, or where a proxy may stand between.

    The name must be this machine's, too: a proxy that tells nothing of its visitors passes on what they asked for.
    """
    if client is None or settings().behind_proxy or any(name in headers for name in PROXIED):
        return False
    host = _netloc(f"//{headers.get('host', '')}")
    return host is not None and _is_loopback(client[0]) and (host[0] == "localhost" or _is_loopback(host[0]))


def marked_local(headers: Mapping[str, str]) -> bool:
    """Did the middleware mark the request with these headers as the local visitor's?"""
    return headers.get(LOCAL) == "1"


def _netloc(address: str) -> tuple[str, int | None] | None:
    """Name in lower case and port; None where there is anything else in it."""
    try:
        parts = urlsplit(address)
        name, port = parts.hostname, parts.port
    except ValueError:
        return None
    odd = parts.username is not None or parts.path or parts.query or parts.fragment
    return None if not name or odd else (name.removesuffix("."), port)


def _is_ours(name: str) -> bool:
    return name == "localhost" or _address(name) is not None or name in settings().hosts


def _same(origin: str, host: str) -> bool:
    """Is a website's origin the host that it asks?"""
    default = PORTS.get(origin.partition("://")[0].lower())
    site, asked = _netloc(origin), _netloc(f"//{host}")
    if site is None or asked is None or default is None:
        return False  # "null" is anybody
    return (site[0], site[1] or default) == (asked[0], asked[1] or default)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _is_loopback(name: str) -> bool:
    address = _address(name)
    return address is not None and (getattr(address, "ipv4_mapped", None) or address).is_loopback
