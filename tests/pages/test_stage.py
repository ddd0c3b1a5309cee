"""The routes of the stage: who may do what, what a photo becomes, and that nothing is shown unasked."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pillow_heif
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.catalog.build import import_dataset
from core.catalog.info import info, remove
from core.errors import ModelError
from core.evaluation.recorded import recorded
from core.settings import ASSETS
from core.stage import room, tours
from core.stage.line import Line
from core.stage.tours import Stop, Tour
from core.stage.wall import Wall
from pages import access, guard
from pages.panels.classification_events import Backend, Events
from pages.panels.examples import Example
from pages.resources import moment
from pages.stage import answers, phone_routes, tour_routes, wall_routes
from tests.pages.conftest import Open

FOUND: dict[str, Any] = {
    "dataset": "shop", "classes": [["womens-dresses", 0.9]], "like": [{"name": "Boots", "picture": "/images/shop/1"}], "nothing": False,
}  # fmt: skip


class Still(Line):
    """A line that works when it is told to, without a thread."""

    def start(self) -> None:
        pass


@pytest.fixture
def shop(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / "shop.csv").write_text("title,kind\nBoots,Shoes\nHat,Hats\n", encoding="utf-8")
    import_dataset("table", [str(tmp_path / "shop.csv")], "shop")
    for name, made in (("line", Still()), ("wall", Wall()), ("asks", moment.Asks())):
        monkeypatch.setattr(moment, name, made)
    monkeypatch.setattr(answers, "answer", lambda *_: FOUND)
    tours.save("shop", Tour("two", "Two <views>", (Stop("Hats", "browse", (("text", ("hat",)),), "a secret note"), Stop("x", "map", (("dataset", ("gone",)),)))))  # fmt: skip
    yield "shop"


def client(local: bool = True) -> TestClient:
    headers = {guard.LOCAL: "1"} if local else {}
    return TestClient(
        Starlette(routes=[*tour_routes.ROUTES, *phone_routes.ROUTES, *wall_routes.ROUTES]), headers=headers
    )


def jpeg(size: tuple[int, int], kind: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, kind, **options)
    return out.getvalue()


def asked(phone: TestClient, **options: Any) -> dict[str, Any]:
    """A question, its work done, and what the phone is told then."""
    phone.post("/phone/ask", **options)
    while moment.line.run_next():
        pass
    return phone.get("/phone/now?lang=cs").json()  # type: ignore[no-any-return]


def test_a_tour_is_told_with_its_notes_for_the_presenter_alone(shop: str) -> None:
    told = client().get("/stage/shop/two/told").json()
    assert [stop["address"] for stop in told["stops"]] == [
        "/browse?dataset=shop&text=hat",
        "/map?dataset=gone",
    ]
    assert told["stops"][0]["notes"] == "a secret note" and "gone" in told["stops"][1]["trouble"]
    stranger = client(local=False)
    assert "secret" not in stranger.get("/stage/shop/two/told").text
    assert stranger.get("/stage/shop/two/notes").status_code == 403
    page = stranger.get("/stage/shop/two")
    said = page.headers["content-security-policy"]
    assert "frame-src 'self'" in said and "frame-ancestors 'none'" in said and "unsafe" not in said
    assert "Two &lt;views&gt;" in page.text and "{" not in page.text.split("<body")[1].split(">")[0]
    for path in ("/stage/shop/none", "/stage/gone/two", "/stage/shop/..%2f..", "/stage/<script>/two"):
        assert stranger.get(path).status_code == 404
    remove("shop")
    assert "removed" in stranger.get("/stage/shop/two").text


@pytest.mark.parametrize("kind", ["heic", "48 megapixels", "portrait by EXIF", "screenshot", "jpeg"])
def test_any_photo_becomes_small_and_upright_without_its_exif(kind: str) -> None:
    if kind == "heic":
        data = io.BytesIO()
        pillow_heif.from_pillow(Image.new("RGB", (640, 480), "red")).save(data)
        found = answers.small(data.getvalue())
    elif kind == "portrait by EXIF":
        exif = Image.Exif()
        exif[0x0112] = 6
        exif[0x010E] = "where I live"
        found = answers.small(jpeg((640, 480), exif=exif))
    else:
        found = answers.small({
            "48 megapixels": lambda: jpeg((8000, 6000)), "screenshot": lambda: jpeg((1170, 2532), "PNG"), "jpeg": lambda: jpeg((64, 48))
        }[kind]())  # fmt: skip
    image = Image.open(io.BytesIO(found))
    assert max(image.size) <= answers.SIDE_PX and not image.getexif() and b"where" not in found
    assert (image.height > image.width) == (kind in ("portrait by EXIF", "screenshot"))


def test_a_phone_asks_is_answered_in_its_language_and_the_wall_shows_the_answer_alone(shop: str) -> None:
    phone = client(local=False)
    assert "frame-ancestors 'none'" in phone.get("/phone").headers["content-security-policy"]
    told = asked(phone, params={"word": "something rude"}, content=jpeg((300, 200)))
    assert told["state"] == "done" and told["answer"]["classes"] == [["dámské šaty", 0.9]] and told["offers"]
    wall = client(local=False).get("/wall/now").json()
    assert len(wall["entries"]) == 1 and "rude" not in str(wall) and not wall["entries"][0]["photo"]
    phone.get("/phone/now")
    assert len(moment.wall.entries()) == 1  # told again is not shown again


def test_no_photo_is_shown_before_the_presenter_lets_it_through(shop: str) -> None:
    phone, presenter, stranger = client(local=False), client(), client(local=False)
    asked(phone, content=jpeg((300, 200)))
    number = moment.wall.entries()[0].number
    assert phone.post("/phone/show?yes=1").json() == {"offered": True}
    for address in (f"/wall/photo/{number}", f"/wall/photo/{number}?desk=1"):
        assert stranger.get(address).status_code == 404
    assert stranger.post("/wall/do", json={"do": "let", "number": number}).status_code == 403
    assert "asks" not in stranger.get("/wall/now?desk=1").text
    room.lock("sesam")  # whoever stands at the laptop now is a visitor
    assert presenter.post("/wall/do", json={"do": "let", "number": number}).status_code == 403
    assert presenter.get(f"/wall/photo/{number}?desk=1").status_code == 404
    assert room.unlock("sesam")
    assert presenter.post("/wall/do", json={"do": "let", "number": number}).status_code == 200
    assert stranger.get(f"/wall/photo/{number}").headers["content-type"] == "image/jpeg"
    presenter.post("/wall/do", json={"do": "hide"})
    assert (
        stranger.get(f"/wall/photo/{number}").status_code == 404
        and stranger.get("/wall/now").json()["entries"] == []
    )
    presenter.post("/wall/do", json={"do": "reset"})
    assert moment.wall.entries() == [] and stranger.get("/stage-now").json()["resets"] == 1


def test_odd_questions_get_a_line(shop: str) -> None:
    phone = client(local=False)
    for options in (
        {"content": b"no photo"},
        {},
        {"params": {"word": "x" * 121}},
        {"params": {"word": "\0 \u202e"}},
    ):
        told = phone.post("/phone/ask", **options).json()  # type: ignore[arg-type]
        assert told["state"] == "failed" and "\n" not in told["error"]
    assert phone.get("/phone/now").json()["state"] == "none"
    assert phone.post("/phone/show?yes=1").json() == {"offered": False}
    for body in (b"", b"[" * 9_000, b"{}", b'{"do": "let", "number": 1e999}', b'{"do": [1]}'):
        assert client().post("/wall/do", content=body).status_code == 400


def test_thirty_visitors_at_once_have_places_and_the_rest_is_told_when_to_come_back(shop: str) -> None:
    phones = [client(local=False) for _ in range(45)]
    told = [
        phone.post("/phone/ask", params={"word": f"w{number}"}).json() for number, phone in enumerate(phones)
    ]
    assert [each["place"] for each in told[:40]] == list(range(40))
    assert {each["state"] for each in told[40:]} == {"full"} and all(
        each["seconds"] > 0 for each in told[40:]
    )


def test_a_locked_room_closes_what_changes_and_leaves_what_looks(home: Path) -> None:
    room.lock("sesam")
    open_, closed = (
        {right.name for right in access.RIGHTS if access.allows(access.OWNER, right) is allowed} for allowed in (True, False)
    )  # fmt: skip
    assert open_ == {"enter", "look", "ask", "download", "present"}
    assert closed == {"judge", "plan", "manage", "save", "compute", "watch", "show", "submit"}
    assert "opens the room" in access.who(access.MANAGE)


def test_the_dataset_that_is_asked_can_be_chosen(shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert answers.chosen() == info("shop")
    monkeypatch.setenv("VITRINE_STAGE", "gone")
    told = client(local=False).post("/phone/ask", params={"word": "hat"}).json()
    assert told["state"] == "failed" and "gone" in told["error"]


def test_the_page_of_the_presenter_lists_tours_and_locks_the_room(shop: str, open_page: Open) -> None:
    page = open_page("presenter.py")
    assert not page.exception and any("Two &lt;views&gt;" in each.proto.body for each in page.get("html"))
    assert any("1 cannot be shown" in caption.value for caption in page.caption)
    assert {"Edit", "Lock the room", "Try everything", "Begin anew"} <= {
        button.label for button in page.button
    }
    page.text_input[0].set_value("sesam")
    next(button for button in page.button if button.label == "Lock the room").click().run()
    assert room.locked() and not page.exception
    assert not {"Edit", "Add a tour from a file"} & {button.label for button in page.button}
    page.text_input[0].set_value("wrong")
    next(button for button in page.button if button.label == "Open the room").click().run()
    assert room.locked() and any("not the code" in error.value for error in page.error)
    page = open_page("browse.py")
    assert not {"Add to a tour", "Save this view"} & {button.label for button in page.button}
    room.open_()
    page = open_page("browse.py")
    assert "Add to a tour" in {button.label for button in page.button}
    next(button for button in page.button if button.label == "Add to a tour").click().run()
    assert not page.exception and any(
        text.label == "Line that the audience reads" for text in page.text_input
    )


def test_a_panel_whose_model_cannot_answer_shows_what_was_recorded_and_says_so(home: Path) -> None:
    (shipped,) = (ASSETS / "models" / "embracenet-tiny" / "evaluations").glob("demo.*.parquet")
    item = pd.read_parquet(shipped).item_id.iloc[0]
    earlier = recorded("demo", item)
    assert earlier is not None and earlier.labels[0][0] and recorded("demo", "no such item") is None

    def broken(*_: Any) -> Any:
        raise ModelError("The GPU's memory is exhausted.")

    spec = SimpleNamespace(name="m", title="Model", dataset="demo")
    backend = Backend(lambda: [spec], broken, recorded=recorded)  # type: ignore[list-item, return-value]
    example = Example(None, "Boots", "", "demo", "", ("Shoes",), item)
    *_, (html, _) = Events(backend).on_answer(None, "Boots", "", ["m"], "", [example])
    assert "Recorded</b> on" in html and "memory is exhausted" in html and earlier.made in html
    *_, (html, _) = Events(backend).on_answer(None, "My own boots", "", ["m"], "", [example])
    assert "Recorded" not in html and "Not classified" in html  # nothing was recorded of a visitor's own
