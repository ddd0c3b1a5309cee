"""The sign-in: who may open which door, with which role, and how a passphrase may not be guessed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from core import passphrases
from core.errors import UsageError
from core.passphrases import ROLES
from pages import access, identity, signin
from tests.core.commands.test_app import core
from tests.pages.conftest import Open

PROJECT = Path(__file__).resolve().parents[2]
WORDS = {role: f"{role} of the summer fair" for role in ROLES}
PAGE = {"accept": "text/html,*/*"}


async def _echo(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            await socket.send_bytes(await socket.receive_bytes())
    except WebSocketDisconnect:
        pass


def _behind(request: object) -> PlainTextResponse:
    return PlainTextResponse("behind the door", headers={"cache-control": "public, max-age=60"})


@pytest.fixture
def client(home: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setattr(passphrases, "COST", 2**6)
    monkeypatch.setattr(signin, "attempts", signin.Attempts())
    routes = [*signin.ROUTES, WebSocketRoute("/_stcore/stream", _echo), Route("/{path:path}", _behind)]
    return TestClient(
        Starlette(routes=routes, middleware=[Middleware(signin.SignIn)]), follow_redirects=False
    )


@pytest.fixture
def asking(client: TestClient) -> TestClient:
    """A server whose three roles have a passphrase."""
    for role, words in WORDS.items():
        passphrases.keep(role, words)
    return client


def enter(client: TestClient, words: str, there: str = "/", **headers: str) -> object:
    return client.post("/sign-in", data={"passphrase": words, "next": there}, headers=headers)


def test_without_a_passphrase_nobody_is_asked(client: TestClient) -> None:
    assert client.get("/browse").text == "behind the door"
    assert client.get("/_stcore/metrics").text == "behind the door"
    assert client.get("/sign-in").status_code == 303


@pytest.mark.parametrize("role", ["", *ROLES])
def test_every_door_opens_to_whom_the_table_says(asking: TestClient, role: str) -> None:
    if role:
        assert enter(asking, WORDS[role]).status_code == 303  # type: ignore[attr-defined]
    for pattern, right in access.DOORS:
        path = pattern.rstrip("$") if pattern.endswith("$") else pattern + "x"
        if path in ("/sign-in", "/sign-out", "/_stcore/stream"):
            continue
        answer = asking.get(path)
        if access.allows(role, right):
            assert answer.text == "behind the door", path
            assert right is access.OPEN or "public" not in answer.headers["cache-control"]
        else:
            assert answer.status_code == (403 if role else 401), path
            assert "behind" not in answer.text


def test_a_browser_is_led_to_the_page_and_back(asking: TestClient) -> None:
    led = asking.get("/browse?dataset=demo&geo=cz", headers=PAGE)
    assert led.status_code == 303
    shown = asking.get(led.headers["location"])
    assert 'value="/browse?dataset=demo&amp;geo=cz"' in shown.text and "<script" not in shown.text
    answer = enter(asking, WORDS["visitor"], "/browse?dataset=demo&geo=cz")
    assert answer.headers["location"] == "/browse?dataset=demo&geo=cz"  # type: ignore[attr-defined]
    kept = answer.headers["set-cookie"].lower()  # type: ignore[attr-defined]
    assert "httponly" in kept and "samesite=lax" in kept and WORDS["visitor"] not in kept
    assert asking.get("/sign-out").headers["location"] == "/sign-in"
    assert asking.get("/browse").status_code == 401


@pytest.mark.parametrize(
    "there",
    ["//evil.example", "https://evil.example", "/\\evil.example", "/x\r\nset-cookie: a=b", "/sign-out"],
)
def test_the_page_leads_to_no_other_server(asking: TestClient, there: str) -> None:
    answer = enter(asking, WORDS["visitor"], there)
    assert answer.headers["location"] == "/"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("words", "status"), [("", 400), ("wrong wrong wrong", 403), ("x" * 300, 400), ("x" * 9_000, 413)]
)
def test_what_is_not_the_passphrase_gives_nothing(asking: TestClient, words: str, status: int) -> None:
    answer = enter(asking, words)
    assert answer.status_code == status and "set-cookie" not in answer.headers  # type: ignore[attr-defined]


def test_guessing_is_slowed_down_for_the_one_who_guesses(
    asking: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = [enter(asking, f"guess number {number:05}").status_code for number in range(signin.AT_ONCE + 2)]  # type: ignore[attr-defined]
    assert said == [403] * signin.AT_ONCE + [429] * 2
    assert enter(asking, WORDS["owner"]).status_code == 429  # type: ignore[attr-defined]
    bearer = {"authorization": f"Bearer {WORDS['owner']}"}
    assert asking.get("/browse", headers=bearer).status_code == 429  # the other way in counts, too
    monkeypatch.setattr(signin, "address_of", lambda _: "192.0.2.7")
    assert enter(asking, WORDS["owner"]).status_code == 303  # type: ignore[attr-defined]


def test_a_form_of_another_site_is_refused(asking: TestClient) -> None:
    assert enter(asking, WORDS["owner"], origin="https://evil.example").status_code == 403  # type: ignore[attr-defined]
    assert enter(asking, WORDS["owner"], origin="null").status_code == 403  # type: ignore[attr-defined]
    assert enter(asking, WORDS["owner"], origin="http://testserver").status_code == 303  # type: ignore[attr-defined]


def test_a_cookie_is_of_no_use_once_it_is_changed_old_or_taken_back(
    asking: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(asking, WORDS["visitor"])
    signed = asking.cookies[identity.COOKIE]
    body, rest = signed.split(".", 1)
    known = passphrases.load()
    assert known is not None
    forged = identity._serializer(known).dumps(["owner", known.mark("owner")]).split(".", 1)[0]
    for value in (f"{forged}.{rest}", body, signed[:-1], "", "null", "." * 50):
        asking.cookies.clear()
        assert asking.get("/browse", headers={"cookie": f"{identity.COOKIE}={value}"}).status_code == 401
    good = {"cookie": f"{identity.COOKIE}={signed}"}
    assert asking.get("/browse", headers=good).status_code == 200
    with monkeypatch.context() as patch:
        patch.setattr(identity, "SECONDS", -1)
        assert asking.get("/browse", headers=good).status_code == 401
    passphrases.keep("visitor", "another one for tomorrow")
    assert asking.get("/browse", headers=good).status_code == 401


def test_a_socket_opens_only_to_a_role_and_closes_with_it(asking: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), asking.websocket_connect("/_stcore/stream"):
        pass
    enter(asking, WORDS["annotator"])
    with asking.websocket_connect("/_stcore/stream") as socket:
        socket.send_bytes(b"one")
        assert socket.receive_bytes() == b"one"
        passphrases.keep("annotator", None)
        socket.send_bytes(b"two")
        with pytest.raises(WebSocketDisconnect):
            socket.receive_bytes()


def test_a_program_brings_the_passphrase_with_each_request(
    asking: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for token in (WORDS["visitor"], f"  {WORDS['visitor']} "):
        answer = asking.get("/panels/x", headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 200
    with monkeypatch.context() as patch:
        patch.setattr(passphrases.Passphrases, "role_of", lambda *_: pytest.fail("it was hashed again"))
        again = asking.get("/panels/x", headers={"authorization": f"Bearer {WORDS['visitor']}"})
    assert again.status_code == 200
    assert asking.get("/panels/x", headers={"authorization": "Bearer wrong wrong wrong"}).status_code == 401
    assert asking.get("/panels/x", headers={"authorization": "Basic eA=="}).status_code == 401


def test_passphrases_that_cannot_be_read_let_nobody_in(
    client: TestClient, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir()
    (home / "passphrases.toml").write_text('secret = "x"\nowner = "letmein"\n')
    assert client.get("/browse").status_code == client.get("/sign-in").status_code == 503
    assert client.get("/healthz").status_code == 200
    monkeypatch.setenv("VITRINE_PASSPHRASES", str(home / "nowhere.toml"))
    assert client.get("/browse").status_code == 503 and "nowhere" not in client.get("/browse").text


def test_what_is_kept_is_a_hash_that_only_its_owner_reads(home: Path) -> None:
    made = json.loads(core("passphrase", "annotator", "--make", "--json").stdout)
    kept = home / "passphrases.toml"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert made["passphrase"] not in kept.read_text() and made["roles"] == ["annotator"]
    known = passphrases.load()
    assert known is not None and known.role_of(f" {made['passphrase']}\n") == "annotator"
    assert known.role_of(made["passphrase"] + "x") is None
    for role, words, why in (
        ("owner", "short", "12 to 256"),
        ("owner", made["passphrase"], "already"),
        ("king", "long enough for it", "no role"),
    ):
        with pytest.raises(UsageError, match=why):
            passphrases.keep(role, words)
    passphrases.keep("annotator", None)
    assert not kept.exists() and passphrases.load() is None


def test_a_page_asks_the_table_too(home: Path, open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "asked", lambda: True)
    shown = {}
    for role in ROLES:
        monkeypatch.setattr(identity, "role_of", lambda *_, role=role: role)
        page = open_page("home.py")
        shown[role] = [each.label for each in page.text_input]
        assert any(f"Signed in as {role}." in caption.value for caption in page.caption)
    assert not shown["visitor"] and not shown["annotator"] and shown["owner"]
    monkeypatch.setattr(identity, "role_of", lambda *_: None)
    assert "Sign in again" in open_page("home.py").info[0].value


def test_the_documented_table_is_the_one_in_the_code() -> None:
    assert access.table() in (PROJECT / "docs" / "reference" / "security.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("address", "role"),
    [
        ("me@fair.example", "owner"),
        ("ana@lab.example", "annotator"),
        ("x@lab.example.evil", None),
        ("", None),
    ],
)
def test_an_address_has_the_highest_role_that_names_it(address: str, role: str | None) -> None:
    rules = {"owner": ["Me@fair.example"], "annotator": ["*@lab.example", "me@fair.example"], "visitor": "*"}
    assert identity.role_of_address(address, rules) == role
