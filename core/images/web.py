"""Pictures from the web, for tables whose image column holds addresses."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from contextlib import closing
from urllib.parse import SplitResult, urljoin, urlsplit

import httpx
from cachetools import TTLCache

from core.errors import ImageError
from core.settings import settings

TIMEOUT_S = 10.0  # of one picture in all, redirects included
REDIRECTS = 3
FAILED_S = 60.0  # that an address is not asked again

_failed: TTLCache[str, str] = TTLCache(maxsize=10_000, ttl=FAILED_S)
_lock = threading.Lock()


class _Refused(ImageError):
    """An address that is not asked at all."""


def fetch(url: str) -> bytes:
    """A picture from the web, bounded in bytes, time and redirects, and never from this machine or its network.

    An address that failed is not asked again for a minute: a page of them would hold every visitor up.

    Raises:
        ImageError: the address is private, does not answer, or sends too much.
    """
    with _lock:
        if url in _failed:
            raise ImageError(_failed[url])
    try:
        return _fetch(url)
    except _Refused:
        raise  # nobody was asked
    except ImageError as error:
        with _lock:
            _failed[url] = str(error)
        raise


def _fetch(url: str) -> bytes:
    deadline = time.monotonic() + TIMEOUT_S
    try:
        with httpx.Client(timeout=TIMEOUT_S / 2, headers={"Accept-Encoding": "identity"}) as client:
            for _ in range(REDIRECTS + 1):
                with closing(client.send(_request(client, url), stream=True)) as response:
                    if not response.has_redirect_location:
                        return _body(response.raise_for_status(), url, deadline)
                    url = urljoin(url, response.headers["location"])
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise ImageError(f"{url} does not answer: {error or type(error).__name__}.") from error
    raise ImageError(f"{url} redirects too often.")


def _body(response: httpx.Response, url: str, deadline: float) -> bytes:
    data = bytearray()
    for chunk in response.iter_raw():
        data += chunk
        if len(data) > (most := settings().image_bytes):
            raise ImageError(f"The picture {url} is larger than Vitrine opens ({most >> 20} MB).")
        if time.monotonic() > deadline:
            raise ImageError(f"{url} takes longer than {TIMEOUT_S:.0f} seconds.")
    return bytes(data)


def _request(client: httpx.Client, url: str) -> httpx.Request:
    """A request to the very address that was checked: a name that is asked again may answer otherwise."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _Refused(f"{url} is no http(s) address.")
    if settings().private_urls:
        return client.build_request("GET", url)
    address = _public_address(parts, url)
    host = httpx.URL(url).netloc.decode("ascii").rpartition("@")[2]
    return client.build_request(
        "GET",
        httpx.URL(url).copy_with(host=address),
        headers={"Host": host},
        extensions={"sni_hostname": parts.hostname},  # the certificate is the name's
    )


def _public_address(parts: SplitResult, url: str) -> str:
    """A table from outside must not make the server knock at doors of its own network."""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = [
        str(address[0]) for *_, address in socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    ]
    for address in found:
        known = ipaddress.ip_address(address.split("%")[0])
        known = getattr(known, "ipv4_mapped", None) or known
        if not known.is_global or known.is_multicast:
            raise _Refused(f"{url} is a private address. VITRINE_PRIVATE_URLS=1 allows such pictures.")
    return found[0]
