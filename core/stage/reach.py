"""The address by which phones reach this machine, tried for real."""

from __future__ import annotations

import ipaddress
import socket
import time
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

import psutil
import segno

TRY_S = 0.5  # for a connection to ourselves
PHONE = "/phone"


@dataclass(frozen=True)
class Reach:
    """Where phones find their page.

    Attributes:
        address: of the phones' page; empty where phones cannot reach it.
        why: what to do where they cannot.
    """

    address: str
    why: str = ""


def reach(scheme: str, host: str, port: int, now: float | None = None) -> Reach:
    """The address for phones, from the one that the presenter's browser used; tried again every ten seconds.

    Args:
        host: the name or address in the presenter's browser. One that is not this machine's own loopback is what phones
            use as well: the presenter sees the server through it.
    """
    return _reach(scheme, host, port, int((time.monotonic() if now is None else now) // 10))


@lru_cache(maxsize=8)
def _reach(scheme: str, host: str, port: int, _: int) -> Reach:
    usual = {"http": 80, "https": 443}.get(scheme)
    end = "" if port == usual else f":{port}"
    if not is_loopback(host):
        return Reach(f"{scheme}://{f'[{host}]' if ':' in host else host}{end}{PHONE}")
    own = addresses()
    if not own:
        return Reach("", "This machine is in no network. Open a hotspot, or join one.")
    for address in own:
        if _answers(address, port):
            return Reach(f"{scheme}://{address}{end}{PHONE}")
    return Reach("", f"The server answers this machine alone. Start it with: make run HOST=0.0.0.0 (phones will use {own[0]}).")  # fmt: skip


def is_loopback(host: str) -> bool:
    """
    >>> is_loopback("localhost"), is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("192.168.1.7")
    (True, True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in ("localhost", "")


def addresses() -> list[str]:
    """The IPv4 addresses of this machine in its networks, private ones first."""
    found = [
        ipaddress.IPv4Address(each.address)
        for name, there in psutil.net_if_addrs().items()
        if not name.startswith(("docker", "br-", "veth", "virbr"))
        for each in there
        if each.family == socket.AF_INET
    ]
    usable = [each for each in found if not (each.is_loopback or each.is_link_local or each.is_unspecified)]
    return [str(each) for each in sorted(usable, key=lambda each: (not each.is_private, each))]


def _answers(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), TRY_S):
            return True
    except OSError:
        return False


def code(text: str) -> bytes:
    """A QR code as SVG, black on white with its quiet zone, so that it is read on a dark page too."""
    out = BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", border=3, dark="#000", light="#fff", xmldecl=False, svgclass=None, lineclass=None, omitsize=True)  # fmt: skip
    return out.getvalue()
