"""Pictures from the web, for tables whose image column holds addresses."""

from __future__ import annotations

import threading

from cachetools import TTLCache

from core.errors import ImageError
from core.outgoing import OutgoingError, RefusedError, get
from core.settings import settings

TIMEOUT_S = 10.0  # of one picture in all: its host's name, redirects, headers and bytes
FAILED_S = 60.0  # that an address is not asked again

_failed: TTLCache[str, str] = TTLCache(maxsize=10_000, ttl=FAILED_S)
_lock = threading.Lock()


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
    except RefusedError as error:
        raise ImageError(str(error)) from error  # nobody was asked
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
