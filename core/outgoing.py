"""HTTP client for all outgoing requests: pictures, remote archives, weights.

An untrusted table must not make the server send requests into its own network (SSRF). Every address is checked when it is
connected to, after name resolution, including redirects. One deadline covers name resolution to the last byte. Requests
run in a separate event loop, so that a slow response does not block the server.
"""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import os
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote_to_bytes
from weakref import WeakValueDictionary

import httpcore
import httpx

from core.errors import VitrineError
from core.settings import settings

AT_ONCE = 32  # concurrent requests
PER_HOST = 8  # concurrent requests per host, so that a slow one does not use all
REDIRECTS = 3
MOVED = (301, 302, 303, 307, 308)
NAMES_AT_ONCE = 8  # concurrent name resolutions
SILENT_S = 60.0  # between two parts of a response
KEPT_S = 15.0  # keep-alive of a connection

# IPv6 networks with embedded IPv4 addresses, or that lead into the local network. Only 2000::/3 is allocated; of NAT64,
# only the well-known prefix may map to a public address.
UNICAST = ipaddress.IPv6Network("2000::/3")
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
SPECIAL = tuple(
    ipaddress.ip_network(network)
    for network in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
ISATAP = (0x00005EFE, 0x02005EFE)  # the third quarter of an address with an embedded IPv4 address


class OutgoingError(VitrineError):
    """A request failed."""


class RefusedError(OutgoingError):
    """A request that is not allowed."""


class LateError(OutgoingError):
    """A request timed out."""


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    reason: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes  # up to the limit
    more: bool  # whether the body is longer


def get(
    url: str,
    seconds: float,
    most: int,
    headers: Mapping[str, str] | None = None,
    statuses: Iterable[int] = (200,),
    sink: Callable[[Answer, bytes], None] | None = None,
) -> Answer:
    """Send a GET request and wait for the response. Thread-safe.

    Args:
        url: http or https.
        seconds: deadline for name resolution, connection, redirects, headers and body together.
        most: bytes of the body to read.
        headers: of the request.
        statuses: statuses for which the body is read.
        sink: called with each part of the body and the head of the response, instead of storing the body. May raise.

    Raises:
        RefusedError: not an HTTP(S) URL, or the address is not public.
        LateError: the deadline passed.
        OutgoingError: the server does not respond, or there are too many redirects.
    """
    opener = _opener()
    asking = _get(opener, url, seconds, most, headers or {}, frozenset(statuses), sink)
    return asyncio.run_coroutine_threadsafe(asking, opener.loop).result()


def is_public(address: str) -> bool:
    """Whether an IP address is public: neither private nor an embedding of another address.

    >>> [is_public(each) for each in ("1.1.1.1", "10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::ffff:8.8.8.8")]
    [True, False, False, False, True]
    """
    known = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(known, ipaddress.IPv6Address):
        number = int(known)
        if known in NAT64 or known in MAPPED:
            return is_public(str(ipaddress.IPv4Address(number & 0xFFFFFFFF)))
        if known not in UNICAST or number >> 32 & 0xFFFFFFFF in ISATAP:
            return False
    return known.is_global and not known.is_multicast and not any(known in network for network in SPECIAL)


@contextmanager
def checked_names() -> Iterator[None]:
    """Check every address that this process resolves, for libraries with their own HTTP clients.

    The hubs' libraries use three HTTP clients, all of which connect to the result of `socket.getaddrinfo`, also after
    redirects. This applies to the whole process: use it in commands, not in a server.

    Raises:
        RefusedError: at name resolution, if an address is private and VITRINE_PRIVATE_URLS is not set.
    """
    real = socket.getaddrinfo

    def checked(host: Any, *given: Any, **options: Any) -> Any:
        found = real(host, *given, **options)
        _allowed(str(host), found)
        return found

    socket.getaddrinfo = checked
    try:
        yield
    finally:
        socket.getaddrinfo = real


def _allowed(host: str, found: Iterable[tuple[Any, ...]]) -> list[str]:
    """The addresses of a host, in the order of name resolution."""
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    if not settings().private_urls and not all(map(is_public, addresses)):
        raise RefusedError(f"{host} is a private address. VITRINE_PRIVATE_URLS=1 allows such addresses.")
    return addresses


class _Checked(httpcore.AsyncNetworkBackend):
    """Connects to the checked address, since resolving the name again may give another one."""

    def __init__(self) -> None:
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.AsyncNetworkStream:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        error: Exception = OSError("the name has no address")
        for address in _allowed(host, found):
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                error = failed
        raise error

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise RefusedError("Only http and https URLs are allowed.")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Opener:
    """The state shared by the requests of a process."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.set_default_executor(ThreadPoolExecutor(NAMES_AT_ONCE, "vitrine-names"))
        threading.Thread(target=self.loop.run_forever, name="vitrine-outgoing", daemon=True).start()
        self.pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_connections=AT_ONCE,
            max_keepalive_connections=PER_HOST,
            keepalive_expiry=KEPT_S,
            network_backend=_Checked(),
        )
        self.running = asyncio.Semaphore(AT_ONCE)
        self._hosts: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    def host(self, name: str) -> asyncio.Semaphore:
        """The semaphore of a host; removed when unused."""
        found = self._hosts.get(name)
        if found is None:
            found = self._hosts[name] = asyncio.Semaphore(PER_HOST)
        return found


_openers: dict[int, _Opener] = {}  # by process id: threads do not survive a fork
_lock = threading.Lock()
os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


def _opener() -> _Opener:
    with _lock:
        if os.getpid() not in _openers:
            _openers[os.getpid()] = _Opener()
        return _openers[os.getpid()]


async def _get(
    opener: _Opener,
    url: str,
    seconds: float,
    most: int,
    headers: Mapping[str, str],
    statuses: frozenset[int],
    sink: Callable[[Answer, bytes], None] | None,
) -> Answer:
    try:
        async with asyncio.timeout(seconds):
            for _ in range(REDIRECTS + 1):
                answer, there = await _once(opener, url, most, headers, statuses, sink)
                if there is None:
                    return answer
                url = there
    except TimeoutError as error:
        raise LateError(f"{url} takes longer than {seconds:.0f} seconds.") from error
    except (
        httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpcore.UnsupportedProtocol,
        httpx.InvalidURL, OSError, ValueError,
    ) as error:  # fmt: skip
        raise OutgoingError(f"{url} does not answer: {error or type(error).__name__}.") from error
    raise OutgoingError(f"{url} redirects too often.")


async def _once(
    opener: _Opener,
    url: str,
    most: int,
    headers: Mapping[str, str],
    statuses: frozenset[int],
    sink: Callable[[Answer, bytes], None] | None,
) -> tuple[Answer, str | None]:
    """One response, and the URL of its redirect."""
    parts = httpx.URL(url)
    if parts.scheme not in ("http", "https") or not parts.host:
        raise RefusedError(f"{url} is not an http(s) address.")
    sent = {"Host": parts.netloc.decode("ascii"), "Accept": "*/*", "Accept-Encoding": "identity", **headers}
    if parts.userinfo:
        sent["Authorization"] = "Basic " + base64.b64encode(unquote_to_bytes(parts.userinfo)).decode()
    asked = httpcore.URL(scheme=parts.raw_scheme, host=parts.raw_host, port=parts.port, target=parts.raw_path)
    async with (
        opener.host(parts.host),
        opener.running,
        opener.pool.stream(
            "GET", asked, headers=list(sent.items()), extensions={"timeout": {"read": SILENT_S}}
        ) as response,
    ):
        told = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        status = response.status
        leads = str(parts.join(told["location"])) if status in MOVED and "location" in told else None
        reason = response.extensions.get("reason_phrase", b"").decode("ascii", "replace")
        head = Answer(status, reason, told, b"", False)
        body, size = bytearray(), 0
        if status in statuses:
            async for chunk in response.aiter_stream():
                chunk = chunk[: max(0, most + 1 - size)]
                size += len(chunk)
                if sink is None:
                    body += chunk
                else:
                    sink(head, chunk[: max(0, most + len(chunk) - size)])
                if size > most:
                    break
        return replace(head, body=bytes(body[:most]), more=size > most), leads
