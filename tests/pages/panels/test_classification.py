"""The panel over HTTP, as gradio_client and an MCP client use it."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.models.cards import card
from core.models.classifier import Classification
from core.models.priors import priors_from_counts
from core.models.registry import TRAIN_COMMAND, models
from pages.panels import classification, product_classifier
from pages.panels import classification_view as view
from pages.panels.classification import build
from pages.panels.classification_events import NO_MODEL, Backend, Events
from pages.panels.examples import product_examples
from tests.served import serve
from tests.toy import picture

WHOLE = Backend(
    models, product_classifier.classify, product_classifier.explain, card, product_classifier.examples,
    product_classifier.countries, product_classifier.languages, product_classifier.warm, product_classifier.fitting,
)  # fmt: skip


@pytest.fixture(scope="module")
def address(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_HOME", str(trained))
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("gradio")))
        yield from serve(build(WHOLE))


@pytest.fixture(scope="module")
def client(address: str) -> Client:
    return Client(address, verbose=False)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(picture("hats"))
    return path


def ask(client: Client, image: Path | None = None, **texts: str) -> tuple[dict[str, Any], str]:
    found = client.predict(image=handle_file(image) if image else None, api_name="/classify", **texts)
    return found  # type: ignore[no-any-return]


def test_a_picture_a_name_or_both(client: Client, photo: Path) -> None:
    both, note = ask(client, photo, name="čepice", description="Alba")
    assert both["label"] == "hats" and note == ""
    assert sum(entry["confidence"] for entry in both["confidences"]) == pytest.approx(1, abs=1e-5)
    assert ask(client, photo)[0]["label"] == "hats"
    assert ask(client, name="boty")[0]["label"] == "shoes"
    assert ask(client, description="boty", model="toy-run")[0]["label"] == "shoes"


def test_it_answers_within_two_seconds(client: Client, photo: Path) -> None:
    ask(client, photo)
    started = time.monotonic()
    ask(client, photo, name="čepice")
    assert time.monotonic() - started < 2


def test_errors_are_told(client: Client, tmp_path: Path) -> None:
    with pytest.raises(AppError, match="nothing to classify"):
        ask(client)
    for content in (b"this is text", b"", picture("bags")[:150]):
        path = tmp_path / "photo.jpg"
        path.write_bytes(content)
        with pytest.raises(AppError, match="not a picture"):
            ask(client, path)
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(wide_png(30_000, 30_000))
    with pytest.raises(AppError, match="too large"):
        ask(client, bomb)
    with pytest.raises(AppError, match="no model named 'absent'"):
        ask(client, name="boty", model="absent")


def wide_png(width: int, height: int) -> bytes:
    """The head of a PNG of that size, and nothing else."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def test_a_hundred_thousand_characters_are_cut(client: Client) -> None:
    answer, note = ask(client, description="boty " * 20_000)
    assert answer["label"] == "shoes" and note.startswith("Only the first")


def test_one_event_is_public_and_described(client: Client) -> None:
    api = client.view_api(return_format="dict", print_info=False)
    assert list(api["named_endpoints"]) == ["/classify"]
    parameters = api["named_endpoints"]["/classify"]["parameters"]
    assert [p["parameter_name"] for p in parameters] == ["image", "name", "description", "model", "country"]
    assert all(p["parameter_has_default"] for p in parameters)


def test_it_is_an_mcp_tool(address: str) -> None:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async def talk() -> tuple[Any, Any]:
        async with (
            streamablehttp_client(f"{address}/gradio_api/mcp/") as (reading, writing, _),
            ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            tools = await session.list_tools()
            return tools.tools, await session.call_tool(tools.tools[0].name, {"name": "kabelka"})

    tools, answer = asyncio.run(talk())
    assert len(tools) == 1 and tools[0].name.endswith("classify")
    assert "five most probable categories" in tools[0].description
    assert "bags" in json.dumps([content.model_dump(mode="json") for content in answer.content])


def test_the_page_opens(address: str) -> None:
    assert httpx.get(f"{address}/").status_code == 200


def event(name: str, backend: Backend = WHOLE) -> Any:
    """One of the panel's own handlers."""
    return next(fn.fn for fn in build(backend).fns.values() if getattr(fn.fn, "__name__", "") == name)


def test_models_answer_side_by_side_as_they_come(toy_home: Path, photo: Path) -> None:
    shown = list(event("on_answer")(str(photo), "boty", "", ["toy-run", "embracenet-tiny", "absent"], ""))
    assert len(shown) == 3
    assert [html.count("Reading…") for html, _ in shown] == [2, 1, 0]
    last = shown[-1][0]
    assert last.count('class="vc-first"') == 2 and "no model named &#x27;absent&#x27;" in last
    bundled = next(spec.title for spec in models() if spec.name == "embracenet-tiny")
    assert "EmbraceNet (toy) on toy" in last and bundled in last
    cancelled = classification._stopped(shown[0][0])
    assert "Reading…" not in cancelled and 'class="vc-first"' in cancelled


def test_what_decided_is_shown(toy_home: Path, photo: Path) -> None:
    told = list(event("on_explain")(str(photo), "klobouk", "", ["toy-run", "absent"], "", "cs", []))[-1]
    for part in (
        "Heat map",
        "Word importance",
        "Contribution of picture and text",
        "Counterfactuals",
        "Without the picture",
    ):
        assert part.lower() in told.lower()
    assert told.count("<h3>") == 1 and "data:image/webp;base64," in told
    assert "with a Czech text of another product of" in told
    assert list(event("on_explain")(None, "", "", ["toy-run"], "", "", []))[-1] == ""


def test_a_country_adjusts_the_answer(
    client: Client, toy_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, _ = ask(client, name="Alba")
    counts = {"cz": np.array([900, 50, 50]), "sk": np.array([50, 50, 900])}  # bags, hats, shoes
    monkeypatch.setattr(product_classifier, "_priors", lambda _: priors_from_counts(counts))
    found, note = ask(client, name="Alba", country="cz")
    assert "the class priors of 1,000 training products of Czechia" in note
    before, after = (
        {entry["label"]: entry["confidence"] for entry in answer["confidences"]} for answer in (plain, found)
    )
    assert after["bags"] > before["bags"] and sum(after.values()) == pytest.approx(1, abs=1e-5)
    assert "country was not used" in ask(client, name="Alba", country="<b>xx")[1]


def test_what_goes_with_a_model(toy_home: Path) -> None:
    cards, country, language, gallery, kept = event("on_models")(["toy-run"])
    assert "products of toy, all labels" in cards and "SHA-256" in cards and "Limits." in cards
    assert ("Czechia", "cz") in country.choices and ("Slovak", "sk") in language.choices
    assert len(kept) == len(gallery.value) > 0
    bundled = event("on_models")(["embracenet-tiny"])
    assert "93%" in bundled[0] and "drawings of one brand" in bundled[0]
    assert bundled[1].visible  # it keeps what it was trained on: the demo dataset need not be here
    assert not event("on_models")([])[1].visible


def test_it_opens_with_what_the_address_asks(toy_home: Path) -> None:
    events = Events(WHOLE)
    *_, kept, picture, name, description = events.on_open("?dataset=toy&geo=sk&model=toy-run")
    assert kept and (picture, name, description) == (str(kept[0].picture), kept[0].name, kept[0].description)
    own = {row["image_id"] for row in Products.open("toy").rows(Cohort("toy", geo=("sk",)), limit=100)}
    assert {example.image_id for example in kept} <= own
    shown = list(events.on_begin(picture, name, description, ["toy-run"], "", kept))[-1][0]
    assert "The label is <b>" in shown and "the model" in shown
    assert events.on_own(name, description, kept) == ("", "")
    assert events.on_own("my hat", "", kept) == ("my hat", "")

    row = Products.open("toy").rows(limit=1)[0]
    *_, kept, _, name, _ = events.on_open(f"?dataset=toy&product={row['item_id']}~{row['row_id']}")
    assert name == row["name"] and list(kept[0].category) == list(row["category_path"])
    *_, picture, name, _ = events.on_open("?dataset=toy&name=klobouk")
    assert (picture, name) == (None, "klobouk")
    opened = events.on_open("?dataset=nobody")
    assert "no dataset named 'nobody'" in opened[1].value
    assert list(events.on_begin(None, "", "", [], "", [])) == [(view.HINT, "")]


def test_words_of_visitors_and_models_are_text(toy_home: Path) -> None:
    evil = "<img src=x onerror=alert(1)> {{x}} ${1}"
    told = list(event("on_explain")(None, evil, evil, ["toy-run"], "", "", []))[-1]
    assert "<img" not in told and "&lt;img" in told

    def classify(*_: Any) -> Classification:
        return Classification([(evil, 0.9)], [evil])

    shown = list(event("on_answer", Backend(models, classify))(None, "a", "", ["toy-run"], ""))[-1][0]
    assert "<img" not in shown and shown.count("&lt;img") >= 3


def test_a_model_that_cannot_tell_says_so(toy_home: Path) -> None:
    told = list(
        event("on_explain", Backend(models, product_classifier.classify))(
            None, "a", "", ["toy-run"], "", "", []
        )
    )
    assert "available for this model" in told[-1]


def test_weights_that_went_bad_are_said_and_others_answer(
    toy_home: Path, photo: Path, tmp_path: Path
) -> None:
    """A pickle as weights, weights of other classes, a run deleted while it is open."""
    import shutil

    import torch

    from core.training.checkpoints import read_tensors, write_tensors

    runs = toy_home / "runs"
    for name in ("pickle", "other", "deleted"):
        shutil.copytree(runs / "toy-run", runs / name)
    try:
        torch.save({"head.weight": torch.zeros(1)}, runs / "pickle" / "model.safetensors")
        weights = runs / "other" / "model.safetensors"
        write_tensors(weights, read_tensors(weights)[0], {"classes": ["a", "b"]})
        asked = ["pickle", "other", "toy-run"]
        shown = list(event("on_answer")(str(photo), "", "", asked, ""))[-1][0]
        assert "is a pickle" in shown and "trained on another dataset" in shown and "hats" in shown
        assert "hats" in list(event("on_answer")(str(photo), "", "", ["deleted"], ""))[-1][0]
        shutil.rmtree(runs / "deleted")
        assert (
            "no model named &#x27;deleted&#x27;"
            in list(event("on_answer")(str(photo), "", "", ["deleted"], ""))[-1][0]
        )
    finally:
        for name in ("pickle", "other", "deleted"):
            shutil.rmtree(runs / name, ignore_errors=True)


def test_two_visitors_wait_in_line_and_one_cancels(
    toy_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The second is told its place; when it cancels, it is out, and the first is answered."""
    go = threading.Event()

    def slow(model: str, image: Path | None, name: str, *_: Any) -> Classification:
        if name == "slow":
            go.wait(20)
        return Classification([("hats", 1.0)], [name])

    running = serve(build(Backend(models, slow)))
    url = next(running)
    first, second = (Client(url, verbose=False) for _ in range(2))
    held = first.submit(name="slow", api_name="/classify")
    wait_until(lambda: held.status().code.name == "PROCESSING")
    waiting = second.submit(name="second", api_name="/classify")
    wait_until(lambda: waiting.status().rank is not None)
    assert waiting.status().code.name == "IN_QUEUE" and waiting.status().rank == 0
    waiting.cancel()
    go.set()
    assert held.result(timeout=20)[1] == "slow"
    assert ask(second, name="third")[1] == "third"
    next(running, None)


def wait_until(so: Any, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not so() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert so()


def test_examples_are_products_of_the_dataset(toy_home: Path) -> None:
    found = product_examples(n=4)
    assert len(found) == 4
    assert all(example.picture.exists() and example.picture.suffix == ".webp" for example in found)
    assert product_examples("absent") == []


def test_without_a_model_it_says_the_command(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    monkeypatch.setattr("core.models.registry.BUNDLED", ())
    running = serve(build(Backend(models, product_classifier.classify)))
    client = Client(next(running), verbose=False)
    with pytest.raises(AppError, match=r"No model is trained yet.*python -m trainers\.embracenet"):
        ask(client, name="boty")
    assert TRAIN_COMMAND in NO_MODEL
    next(running, None)
