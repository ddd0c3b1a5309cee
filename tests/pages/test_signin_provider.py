"""A sign-in by an OIDC provider, from the page to the role: the provider is a small one of the test, its tokens are real."""

from __future__ import annotations

import html
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import streamlit as st
import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.runtime.secrets import secrets_singleton
from streamlit.web.server.starlette.starlette_auth_routes import create_auth_routes

from pages import identity, signin

SELF = "http://testserver"
KEY = RSAKey.generate_key(2048, {"kid": "test", "use": "sig", "alg": "RS256"})


class Provider:
    """Vouches for whoever is set, without asking."""

    def __init__(self) -> None:
        self.user: dict[str, Any] = {}
        self.nonce, self.url = "", ""
        routes = [
            Route("/.well-known/openid-configuration", self.describe),
            Route("/authorize", self.authorize),
            Route("/token", self.token, methods=["POST"]),
            Route("/keys", lambda _: JSONResponse({"keys": [KEY.as_dict(private=False)]})),
        ]
        self.app = Starlette(routes=routes)

    def describe(self, _: Request) -> JSONResponse:
        ends = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return JSONResponse(
            {
                "issuer": self.url,
                **{name: f"{self.url}/{path}" for name, path in ends.items()},
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    def authorize(self, request: Request) -> RedirectResponse:
        asked = request.query_params
        self.nonce = asked["nonce"]
        return RedirectResponse(f"{asked['redirect_uri']}?code=once&state={asked['state']}", 302)

    def token(self, _: Request) -> JSONResponse:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": "vitrine",
            "sub": "1",
            "iat": now,
            "exp": now + 60,
            "nonce": self.nonce,
        }
        signed = jwt.encode({"alg": "RS256", "kid": "test"}, {**claims, **self.user}, KEY)
        return JSONResponse({"access_token": "x", "token_type": "Bearer", "id_token": signed})


@pytest.fixture
def provider(tmp_path: Path, home: Path) -> Iterator[Provider]:
    made = Provider()
    server = uvicorn.Server(uvicorn.Config(made.app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.02)
    made.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(
        f"""
        [auth]
        redirect_uri = "{SELF}/oauth2callback"
        cookie_secret = "a secret of the test, long enough for it"
        [auth.museum]
        client_id = "vitrine"
        client_secret = "between both"
        server_metadata_url = "{made.url}/.well-known/openid-configuration"
        [roles]
        annotator = ["*@museum.example"]
        """,
        encoding="utf-8",
    )
    before = st.config.get_option("secrets.files")
    st.config.set_option("secrets.files", [str(secrets)])
    secrets_singleton._reset()
    yield made
    st.config.set_option("secrets.files", before)
    secrets_singleton._reset()
    server.should_exit = True
    thread.join(10)


def behind(_: Request) -> PlainTextResponse:
    return PlainTextResponse("behind the door")


@pytest.mark.parametrize(
    ("user", "role"),
    [
        ({"email": "Ana@museum.example", "email_verified": True}, "annotator"),
        ({"email": "ana@museum.example", "email_verified": False}, None),
        ({"email": "ana@elsewhere.example", "email_verified": True}, None),
        ({"name": "ana@museum.example"}, None),
    ],
)
def test_a_provider_vouches_for_an_address(
    provider: Provider, user: dict[str, Any], role: str | None
) -> None:
    provider.user = user
    app = Starlette(
        routes=[*signin.ROUTES, *create_auth_routes(""), Route("/{path:path}", behind)],
        middleware=[Middleware(signin.SignIn), Middleware(SessionMiddleware, secret_key="of the test")],
    )
    client = TestClient(app, base_url=SELF, follow_redirects=False)
    assert identity.providers() == {"museum": "Museum"}
    assert client.get("/browse").status_code == 401
    page = client.get("/sign-in").text
    assert "Sign in with Museum" in page and "passphrase" not in page
    link = re.search(r'href="(/auth/login[^"]+)"', page)
    assert link is not None
    there = client.get(html.unescape(link[1])).headers["location"]
    assert there.startswith(provider.url)
    back = httpx.get(there).headers["location"]
    assert client.get(back.removeprefix(SELF)).headers["location"] == "/"
    answer = client.get("/browse")
    assert answer.status_code == (200 if role else 401)
    assert identity.role_of(client.cookies) == role
    assert client.get("/_stcore/metrics").status_code == (403 if role else 401)
    assert client.get("/sign-out").headers["location"] == "/auth/logout"
    client.get("/auth/logout")
    assert client.get("/browse").status_code == 401
