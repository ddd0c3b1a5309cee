"""The retrieval panel over HTTP, as gradio_client and an MCP client use it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from core.catalog.build import import_dataset
from core.embeddings.clip import encoder
from core.embeddings.embed import embed
from core.settings import settings
from pages.panels import gallery_search, retrieval
from pages.panels.retrieval_events import Backend, Events
from tests.likeness import picture, write_clip, write_products
from tests.pages.panels.test_classification import serve


@pytest.fixture(scope="module")
def address(clip_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("retrieval")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VITRINE_HOME", str(folder / "home"))
        patch.setenv("GRADIO_TEMP_DIR", str(folder / "gradio"))
        patch.setenv("GRADIO_ALLOWED_PATHS", str(folder / "home" / "uploads"))
        import_dataset("table", [str(write_products(folder / "source"))], "shop")
        embed("shop", encoder(str(clip_folder)), workers=1, device="cpu")
        embed("shop", encoder(str(write_clip(folder / "other-clip", seed=1))), workers=1, device="cpu")
        assert settings().home == folder / "home"
        yield from serve(retrieval.build(Backend(gallery_search.galleries, gallery_search.search)))


def test_a_sentence_finds_ten(address: str) -> None:
    shown, found = Client(address, verbose=False).predict(text="červené šaty", api_name="/search")
    assert len(found) == 10 and {"item_id", "image_id", "score"} <= set(found[0])
    assert len(shown) >= 5 and Path(shown[0]["image"]).exists()


def test_a_picture_with_filters(address: str, tmp_path: Path) -> None:
    (tmp_path / "red.jpg").write_bytes(picture("red"))
    _, found = Client(address, verbose=False).predict(
        image=handle_file(tmp_path / "red.jpg"),
        countries=["cz"],
        categories=["Clothes > red"],
        api_name="/search",
    )
    assert found and all(int(hit["item_id"][1:]) % 6 == 3 for hit in found)


def test_it_opens_with_what_the_address_asks(address: str) -> None:
    events = Events(
        Backend(gallery_search.galleries, gallery_search.search, picture=gallery_search.question_picture)
    )
    opened = events.on_open("?dataset=shop&geo=cz&split=train&q=boty&without=mikina")
    countries, question, filters = opened[3].value, opened[7:10], opened[10]
    assert (countries, question) == (["cz"], ("boty", None, "mikina"))
    _, found = events.on_begin(*question, countries, [], opened[0].value, filters)
    assert found and all(int(hit["item_id"][1:]) % 2 for hit in found)  # odd rows: cz, train
    *_, text, liked, _, _, _ = events.on_open("?dataset=shop&like=30")
    assert text == "" and Path(liked).exists()
    assert "no dataset named 'nobody'" in events.on_open("?dataset=nobody")[1].value
    assert events.on_begin("", None, "", [], [], None, "") == (None, None)


def test_models_side_by_side_with_the_right_ones_framed(address: str) -> None:
    """A sentence that is a product's own name has that product as its answer."""
    client = Client(address, verbose=False)
    asked = {
        "text": "Červené šaty s proužky 3",
        "gallery": "shop / toy-clip",
        "others": ["shop / other-clip"],
    }
    html, data = client.predict(**asked, api_name="/compare")
    assert [one["gallery"] for one in data] == ["shop / toy-clip", "shop / other-clip"]
    assert all(len(one["products"]) == 10 and not one["error"] for one in data)
    assert html.count("<section") == 2 and html.count("<li") == 20
    right = [each for one in data for each in one["products"] if each.get("right")]
    assert {each["item_id"] for each in right} <= {"i3"} and html.count('class="vr-right"') == len(right)
    filtered = client.predict(**asked, countries=["cz"], without="mikina", api_name="/compare")[1]
    assert all(each["country"] == "cz" for one in filtered for each in one["products"])
    assert client.predict(text="x", api_name="/compare")[1] == []  # no others: nothing to compare
    many = [f"shop / {n}" for n in range(9)]
    for others, says in ((["shop / nobody"], "cannot be searched"), (many, "4 at most")):
        with pytest.raises(AppError, match=says):
            client.predict(text="x", others=others, api_name="/compare")


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "The query is empty"),
        ({"text": "x", "gallery": "nobody / toy-clip"}, "no dataset named"),
        ({"text": "x", "gallery": "nonsense"}, "cannot be searched"),
        ({"text": "x", "countries": ["zz"]}, "no country 'zz'. It has: "),
        ({"text": "x", "categories": ["red"]}, "no category 'red'"),
        ({"text": "x", "filters": "picture=perhaps"}, "expected yes or no"),
    ],
)
def test_what_cannot_be_is_said(address: str, asked: dict[str, Any], says: str) -> None:
    with pytest.raises(AppError, match=says):
        Client(address, verbose=False).predict(**asked, api_name="/search")


def test_over_mcp(address: str) -> None:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async def ask() -> str:
        async with (
            streamablehttp_client(f"{address}/gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = [tool.name for tool in (await session.list_tools()).tools]
            assert set(tools) == {"search_products", "compare_models"}
            asked = {"text": "červené šaty", "countries": ["cz"], "gallery": "shop / toy-clip"}
            answer = await session.call_tool("search_products", asked)
            assert not answer.isError, answer
            return json.dumps([part.model_dump(mode="json") for part in answer.content])

    assert "item_id" in asyncio.run(asyncio.wait_for(ask(), 60))
