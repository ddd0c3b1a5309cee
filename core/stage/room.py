"""The room: whether it is locked, and the code that opens it again.

In a locked room whoever comes to the laptop may look and ask, and change nothing. It is a file of VITRINE_HOME, so that a
server that restarts is as locked as before.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from functools import lru_cache
from pathlib import Path

from core.errors import StorageError, UsageError
from core.settings import settings
from core.storage import storage_errors

FILE = ".room.json"  # in VITRINE_HOME; no dataset can have that name
FEWEST, MOST = 4, 64  # characters of a code


def locked() -> bool:
    """Is the room locked? A file that cannot be read locks: what is broken opens nothing."""
    path = settings().home / FILE
    try:
        status = path.stat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return _read(path, status.st_mtime_ns, status.st_size, status.st_ino) is not None


def lock(code: str) -> None:
    """Lock the room until somebody gives this code.

    Raises:
        UsageError: the code is too short or long, or the room is locked already.
        StorageError: it cannot be written.
    """
    if locked():
        raise UsageError("The room is locked already.")
    if not FEWEST <= len(code) <= MOST:
        raise UsageError(f"A code has {FEWEST} to {MOST} characters.")
    salt = secrets.token_bytes(16)
    said = {"vitrine": "room", "salt": salt.hex(), "code": _hashed(code, salt).hex()}
    path = settings().home / FILE
    with storage_errors(settings().home):
        settings().home.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f"{FILE}.{os.getpid()}")
        aside.write_text(json.dumps(said), encoding="utf-8")
        aside.replace(path)


def unlock(code: str) -> bool:
    """Open the room with its code; False where it is wrong. A room that is open stays open.

    Raises:
        StorageError: the file cannot be removed, or is damaged.
    """
    path = settings().home / FILE
    try:
        status = path.stat()
    except FileNotFoundError:
        return True
    known = _read(path, status.st_mtime_ns, status.st_size, status.st_ino)
    if not known:
        raise StorageError(f"{path} is damaged. Open the room in a terminal: vitrine room --open")
    if not hmac.compare_digest(_hashed(code[: MOST + 1], known[0]), known[1]):
        return False
    open_()
    return True


def open_() -> None:
    """Open the room without its code: for whoever has a terminal of this machine.

    Raises:
        StorageError: the file cannot be removed.
    """
    with storage_errors(settings().home):
        (settings().home / FILE).unlink(missing_ok=True)


def _hashed(code: str, salt: bytes) -> bytes:
    return hashlib.scrypt(code.encode("utf-8", "surrogatepass"), salt=salt, n=2**14, r=8, p=1)


@lru_cache(maxsize=4)
def _read(path: Path, changed_ns: int, size: int, number: int) -> tuple[bytes, bytes] | tuple[()] | None:
    """Salt and hashed code; empty where they cannot be read, None where there is no file any more."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return bytes.fromhex(said["salt"]), bytes.fromhex(said["code"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return ()
