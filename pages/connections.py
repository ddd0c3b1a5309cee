"""Connections that do not finish asking are closed: uvicorn waits for the rest of a request's head for ever."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S = 20.0  # from a connection's beginning, or a request's first byte, to the end of its head

_timers: dict[H11Protocol, asyncio.TimerHandle] = {}


def bound_heads() -> None:
    """Have uvicorn close a connection whose request's head is not whole in time.

    uvicorn has no option for it, a middleware sees whole heads only, and Streamlit makes the server: so the three methods
    in which a connection begins, hears and ends are wrapped. Of uvicorn's protocols it is h11's that is installed.
    """
    if hasattr(H11Protocol.data_received, "bounded"):
        return
    made, heard, lost = H11Protocol.connection_made, H11Protocol.data_received, H11Protocol.connection_lost

    def connection_made(self: H11Protocol, transport: Any) -> None:
        made(self, transport)
        _wait(self)

    def data_received(self: H11Protocol, data: bytes) -> None:
        heard(self, data)
        if self.conn.their_state is not h11.IDLE or not self.conn.trailing_data[0]:
            _forget(self)  # a head is whole, or none has begun
        elif self not in _timers:
            _wait(self)

    def connection_lost(self: H11Protocol, error: Exception | None) -> None:
        _forget(self)
        lost(self, error)

    data_received.bounded = True  # type: ignore[attr-defined]
    for method in (connection_made, data_received, connection_lost):
        setattr(H11Protocol, method.__name__, method)


def _wait(protocol: H11Protocol) -> None:
    _timers[protocol] = protocol.loop.call_later(HEAD_S, _close, protocol)


def _forget(protocol: H11Protocol) -> None:
    if timer := _timers.pop(protocol, None):
        timer.cancel()


def _close(protocol: H11Protocol) -> None:
    _timers.pop(protocol, None)
    protocol.transport.close()
