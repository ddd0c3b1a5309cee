"""Identity of a visitor: the role given by a cookie, a bearer token or an OIDC provider."""

from __future__ import annotations

import fnmatch
import hashlib
import hmac
import json
import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from cachetools import TTLCache
from itsdangerous import BadSignature, URLSafeTimedSerializer
from streamlit.auth_util import get_cookie_with_chunks, get_origin_from_redirect_uri, get_secrets_auth_section
from streamlit.runtime.secrets import secrets_singleton
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from core import passphrases
from core.passphrases import ROLES, Passphrases

COOKIE = "vitrine_role"
SECONDS = 12 * 60 * 60  # until one has to sign in again
SALT = "vitrine sign-in"
_BEARERS: TTLCache[bytes, tuple[str, str | None]] = TTLCache(
    256, 300
)  # tokens that were right: role and mark
_KEY = secrets.token_bytes(32)


def asked() -> bool:
    """Does this server ask for a sign-in?

    Raises:
        UsageError: it should, and its passphrases cannot be read.
    """
    return passphrases.load() is not None or bool(providers())


def providers() -> dict[str, str]:
    """The OIDC providers of `.streamlit/secrets.toml`: name in Streamlit and name for people."""
    section = get_secrets_auth_section().to_dict()
    found = {"default": "your account"} if section.get("client_id") else {}
    return found | {
        name: name.capitalize()
        for name, each in section.items()
        if isinstance(each, dict) and "client_id" in each
    }


def cookie_for(role: str, known: Passphrases) -> str:
    """The cookie of a visitor who signed in with this role."""
    return str(_serializer(known).dumps([role, known.mark(role)]))


def role_of(cookies: Mapping[str, str], authorization: str | None = None) -> str | None:
    """The role of a request; None where it has none.

    Raises:
        UsageError: the passphrases cannot be read.
    """
    known = passphrases.load()
    if known is not None:
        if (value := cookies.get(COOKIE)) and (role := _signed(value, known)):
            return role
        if authorization and (role := _remembered(authorization, known)):
            return role
    return _by_provider(cookies) if USER_COOKIE_NAME in cookies and providers() else None


def token_of(authorization: str | None) -> str | None:
    """The passphrase that a program sends as `Authorization: Bearer ...`."""
    kind, _, token = (authorization or "").partition(" ")
    return token.strip() if kind.lower() == "bearer" and token.strip() else None


def remember(token: str, role: str, known: Passphrases) -> None:
    """A program asks often, and scrypt is slow on purpose: a token that was right is known for five minutes."""
    _BEARERS[_digest(token)] = (role, known.mark(role))


def _remembered(authorization: str, known: Passphrases) -> str | None:
    token = token_of(authorization)
    role, mark = _BEARERS.get(_digest(token), ("", None)) if token else ("", None)
    return role if mark is not None and mark == known.mark(role) else None


def _digest(token: str) -> bytes:
    return hmac.digest(_KEY, token.encode("utf-8", "surrogatepass"), hashlib.sha256)


def _serializer(known: Passphrases) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(known.secret, salt=SALT, signer_kwargs={"digest_method": hashlib.sha256})


def _signed(value: str, known: Passphrases) -> str | None:
    """The role of a cookie that we signed, that is not too old, and whose passphrase is still the same."""
    try:
        role, mark = _serializer(known).loads(value, max_age=SECONDS)
    except (BadSignature, ValueError, TypeError):
        return None
    current = known.mark(role) if isinstance(role, str) else None
    return (
        role if current is not None and isinstance(mark, str) and hmac.compare_digest(mark, current) else None
    )


def _by_provider(cookies: Mapping[str, str]) -> str | None:
    """The role of an address that an OIDC provider vouches for, by [roles] of secrets.toml; None where it names none."""
    address = person(cookies)
    return role_of_address(address, secrets_singleton.get("roles", {})) if address else None


def person(cookies: Mapping[str, str]) -> str | None:
    """The address that an OIDC provider vouches for; None without one, as for a sign-in by passphrase."""
    if USER_COOKIE_NAME not in cookies or not providers():
        return None
    secret = get_cookie_secret()
    try:
        raw = get_cookie_with_chunks(
            lambda name: decode_signed_value(secret, name, cookies[name]) if name in cookies else None,
            USER_COOKIE_NAME,
        )
        user = json.loads(raw) if raw else {}
    except (ValueError, TypeError, KeyError):
        return None
    if not isinstance(user, dict) or not user.get("is_logged_in"):
        return None
    if user.get("origin") != get_origin_from_redirect_uri() or user.get("email_verified") is False:
        return None
    return str(user.get("email") or "").strip().lower() or None


def role_of_address(address: str, rules: Mapping[str, Any]) -> str | None:
    """The highest role whose patterns fit: owner = ["me@example.org"], visitor = ["*@example.org"]."""
    for role in reversed(ROLES):
        patterns = rules.get(role, ())
        if isinstance(patterns, str) or not isinstance(patterns, Sequence):
            logging.getLogger("vitrine").warning("secrets.toml: roles.%s is no list of addresses", role)
            continue
        if any(fnmatch.fnmatchcase(address, str(pattern).strip().lower()) for pattern in patterns):
            return role
    return None
