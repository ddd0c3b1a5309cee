"""Fetch pictures from the web, for tables whose image column has URLs."""

from __future__ import annotations

import threading

from cachetools import TTLCache

from core.errors import ImageError
from core.outgoing import OutgoingError, RefusedError, get
from core.settings import settings

TIMEOUT_S = 10.0  # for one picture: name resolution, redirects, headers and body
FAILED_S = 60.0  # before a failed URL is retried

_failed: TTLCache[str, str] = TTLCache(maxsize=10_000, ttl=FAILED_S)
_lock = threading.Lock()


def fetch(url: str) -> bytes:
    """Fetch a picture with limits on bytes, time and redirects, and never from private addresses.

    A URL that failed is not retried for a minute, since a page of failing URLs would delay every visitor.

    Raises:
        ImageError: the address is private, does not respond, or sends too many bytes.
    """
    with _lock:
        if url in _failed:
            raise ImageError(_failed[url])
    try:
        return _fetch(url)
    except RefusedError as error:
        raise ImageError(str(error)) from error  # no request was sent
    except (ImageError, OutgoingError) as error:
        with _lock:
            _failed[url] = str(error)
        raise ImageError(str(error)) from error


def _fetch(url: str) -> bytes:
    most = settings().image_bytes
    answer = get(url, TIMEOUT_S, most)
    if answer.status != 200:
        raise ImageError(f"{url} answers {answer.status} {answer.reason}.")
    if answer.more:
        raise ImageError(f"The picture {url} is larger than Vitrine opens ({most >> 20} MB).")
    return answer.body
