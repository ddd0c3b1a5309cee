"""Passphrases of a server with a sign-in: hashes in one file, checked in constant time.

The file is `passphrases.toml` in VITRINE_HOME, or that of VITRINE_PASSPHRASES. Without the file there is no sign-in.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from core.errors import UsageError
from core.settings import settings
from core.storage import storage_errors

ROLES = ("visitor", "annotator", "owner")  # each has the rights of those before it, and more
FEWEST_CHARACTERS = 12
MOST_CHARACTERS = 256
COST, BLOCK, PARALLEL = 2**15, 8, 1  # of scrypt: 32 MB and about 0.1 s per hash


@dataclass(frozen=True)
class Passphrases:
    """The content of the file."""

    secret: str = field(repr=False)  # signs the cookies
    hashes: Mapping[str, str] = field(repr=False)  # by role

    def role_of(self, passphrase: str) -> str | None:
        """The role with this passphrase, or None. All hashes are computed, for constant time."""
        given = _normal(passphrase)
        found = None
        for role, kept in self.hashes.items():
            salt, digest = _parts(kept)
            if hmac.compare_digest(_scrypt(given, salt), digest):
                found = role
        return found

    def mark(self, role: str) -> str | None:
        """A digest that changes with a role's passphrase; None if the role has none."""
        kept = self.hashes.get(role)
        return None if kept is None else hashlib.sha256(kept.encode()).hexdigest()[:16]


def file() -> Path:
    return settings().passphrases or settings().home / "passphrases.toml"


def load() -> Passphrases | None:
    """The current content of the file; None if there is none, and so no sign-in.

    Raises:
        UsageError: the file is invalid, or that of VITRINE_PASSPHRASES is missing. All access must then be denied.
    """
    path = file()
    try:
        status = path.stat()
    except FileNotFoundError:
        if settings().passphrases:
            raise UsageError(f"VITRINE_PASSPHRASES names {path}, which is not there.") from None
        return None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    return _read(path, status.st_mtime_ns, status.st_size, status.st_ino)


@lru_cache(maxsize=4)
def _read(path: Path, modified: int, size: int, number: int) -> Passphrases:
    try:
        with path.open("rb") as opened:
            found = tomllib.load(opened)
        hashes = {role: str(found[role]) for role in ROLES if role in found}
        for kept in hashes.values():
            _parts(kept)
        if not hashes or len(str(found["secret"])) < 32:
            raise ValueError("no role has a passphrase, or the secret is short")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, UnicodeError) as error:
        raise UsageError(f"{path} is damaged ({error}). Delete it and run `vitrine passphrase`.") from None
    return Passphrases(str(found["secret"]), hashes)


def keep(role: str, passphrase: str | None) -> Path:
    """Set or remove the passphrase of a role; sessions with the old one end.

    Returns:
        The file, readable only by its owner; deleted if no passphrase is left.

    Raises:
        UsageError: there is no such role, or the passphrase is too short or too long.
        StorageError: the file cannot be written.
    """
    if role not in ROLES:
        raise UsageError(f"There is no role {role!r}; there are {', '.join(ROLES)}.")
    path = file()
    try:
        before = load()
    except UsageError:
        if path.exists():
            raise
        before = None
    hashes = dict(before.hashes) if before else {}
    if passphrase is None:
        hashes.pop(role, None)
    else:
        given = _normal(passphrase)
        if not FEWEST_CHARACTERS <= len(given) <= MOST_CHARACTERS:
            raise UsageError(
                f"A passphrase has {FEWEST_CHARACTERS} to {MOST_CHARACTERS} characters; this one has {len(given)}."
            )
        if before and (taken := before.role_of(given)) not in (None, role):
            raise UsageError(f"This is the passphrase of {taken} already; give {role} another one.")
        salt = secrets.token_bytes(16)
        hashes[role] = f"scrypt:{_text(salt)}:{_text(_scrypt(given, salt))}"
    with storage_errors(path.parent):
        if not hashes:
            path.unlink(missing_ok=True)
            return path
        lines = [
            "# Made by `vitrine passphrase`: hashes, and the secret that signs cookies. Nobody else may read it.",
            f'secret = "{before.secret if before else secrets.token_hex(32)}"',
            *(f'{role} = "{kept}"' for role, kept in hashes.items()),
        ]
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write("\n".join(lines) + "\n")
        aside.replace(path)
    return path


def _normal(passphrase: str) -> str:
    """Normalise a passphrase: Unicode form, and white space of a copied text."""
    return unicodedata.normalize("NFKC", passphrase).strip()


def _scrypt(passphrase: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        passphrase.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=COST,
        r=BLOCK,
        p=PARALLEL,
        maxmem=64 * 2**20,
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _parts(kept: str) -> tuple[bytes, bytes]:
    """Salt and digest of a line of the file.

    Raises:
        ValueError: the line is not valid.
    """
    try:
        kind, salt, digest = kept.split(":")
        parts = base64.b64decode(salt, validate=True), base64.b64decode(digest, validate=True)
    except (ValueError, binascii.Error):
        raise ValueError("a line is not a scrypt hash") from None
    if kind != "scrypt" or len(parts[0]) < 16 or len(parts[1]) != 64:
        raise ValueError("a line is not a scrypt hash")
    return parts
