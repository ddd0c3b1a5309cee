"""Run a page of a server over its socket, as a browser does, and see what it shows: nothing of Streamlit is imported.

A handful of fields of Streamlit's messages are read by their numbers; a test compares them with the installed version.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

# BackMsg.rerun_script, its query_string and page_name
RERUN, QUERY, PAGE = 11, 1, 4
# ForwardMsg.delta, .script_finished, .navigation
DELTA, FINISHED, NAVIGATION = 5, 6, 23
# Delta.new_element, Element.exception, Element.alert, Alert.body, Alert.format and its ERROR
ELEMENT, EXCEPTION, ALERT, BODY, FORMAT, ERROR = 3, 8, 30, 1, 2, 1
# Navigation.app_pages, AppPage.url_pathname
APP_PAGES, PATHNAME = 2, 6
MESSAGE_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Ran:
    """What a page did.

    Attributes:
        seconds: until it was drawn.
        errors: what it showed in red.
        pages: the app's pages by their part of the address; empty for the first one.
    """

    seconds: float
    errors: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()


def run(url: str, page: str, query: str = "", wait_s: float = 60.0) -> Ran:
    """
    Args:
        url: of the server, such as http://127.0.0.1:8501.
        page: its part of the address; empty for the first one.

    Raises:
        OSError: the server cannot be reached, closes the socket or says nothing for too long.
    """
    from websockets.exceptions import WebSocketException
    from websockets.sync.client import connect
    from websockets.typing import Origin

    started = time.monotonic()
    errors: list[str] = []
    pages: tuple[str, ...] = ()
    try:
        with connect(
            url.replace("http", "ws", 1) + "/_stcore/stream", origin=Origin(url), max_size=MESSAGE_BYTES,
            open_timeout=wait_s, close_timeout=1,
        ) as socket:  # fmt: skip
            socket.send(_field(RERUN, _field(QUERY, query.encode()) + _field(PAGE, page.encode())))
            while True:
                data = socket.recv(timeout=wait_s)
                if not isinstance(data, bytes):
                    continue
                for number, value in fields(data):
                    if number == FINISHED:
                        return Ran(time.monotonic() - started, tuple(errors), pages)
                    if number == NAVIGATION and isinstance(value, bytes):
                        pages = tuple(_pathname(one) for known, one in fields(value) if known == APP_PAGES and isinstance(one, bytes))  # fmt: skip
                    if number == DELTA and isinstance(value, bytes):
                        errors += _red(value)
    except (WebSocketException, TimeoutError) as error:
        raise OSError(f"no answer on the socket: {error or type(error).__name__}") from error


def _red(delta: bytes) -> Iterator[str]:
    """What an element says in red: an exception, or an error that a page shows."""
    for number, element in fields(delta):
        if number != ELEMENT or not isinstance(element, bytes):
            continue
        for kind, value in fields(element):
            if kind == EXCEPTION:
                yield "it broke"
            elif kind == ALERT and isinstance(value, bytes):
                said = dict(fields(value))
                body = said.get(BODY, b"")
                if said.get(FORMAT) == ERROR and isinstance(body, bytes):
                    yield body.decode("utf-8", "replace").replace("\\", "")[:200]


def _pathname(page: bytes) -> str:
    value = dict(fields(page)).get(PATHNAME, b"")
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def _field(number: int, value: bytes) -> bytes:
    """A length-delimited field of a protocol buffer."""
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    """
    >>> _varint(300).hex()
    'ac02'
    """
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Numbers and values of a message's fields: whole numbers, or bytes.

    >>> list(fields(bytes.fromhex("08ac021202c3a9")))
    [(1, 300), (2, b'\\xc3\\xa9')]
    """
    at = 0
    while at < len(data):
        key, at = _read(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _read(data, at)
            yield key >> 3, value
        else:
            size, at = _read(data, at) if kind == 2 else ({1: 8, 5: 4}.get(kind, len(data)), at)
            yield key >> 3, data[at : at + size]
            at += size


def _read(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    return value, at
