"""The commands, as a shell runs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from core.catalog.products import Products
from core.commands.app import app
from core.errors import VitrineError
from tests.likeness import picture


@pytest.fixture
def run() -> Callable[..., Any]:
    def call(*arguments: str) -> Any:
        result = CliRunner().invoke(app, [*arguments, "--json"])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return call


def test_embed_then_search(
    products: Products, clip_folder: Path, tmp_path: Path, run: Callable[..., Any]
) -> None:
    report = run("embed", "shop", "--encoder", str(clip_folder), "--workers", "1", "--device", "cpu")
    assert report["present"] == 54
    assert [entry["name"] for entry in run("embeddings", "list", "shop")] == ["toy-clip"]
    found = run("search", "shop", "--text", "červené šaty", "-k", "7", "--where", "geo = 'cz'")
    assert len(found) == 7 and {"item_id", "image_id", "score"} <= set(found[0])
    scores = [hit["score"] for hit in found]
    assert scores == sorted(scores, reverse=True)
    assert all(int(hit["item_id"][1:]) % 2 for hit in found)
    (tmp_path / "red.jpg").write_bytes(picture("red"))
    mixed = run(
        *("search", "shop", "--image", str(tmp_path / "red.jpg"), "--item", "i3", "--without", "mikina"),
        *("--weight", "2", "--weight", "1", "--weight", "1", "--how", "both"),
    )
    assert len(mixed) == 10 and len(mixed[0]["similarities"]) == 3
    assert run("search", "shop", "--text", "x", "--where", "false") == []
    told = CliRunner().invoke(app, ["search", "shop", "--text", "x", "--where", "false"]).output
    assert "No product of shop matches --where false" in told


def test_import_and_index(products: Products, tmp_path: Path, run: Callable[..., Any]) -> None:
    np.save(tmp_path / "mine.npy", np.random.default_rng(0).standard_normal((60, 8)).astype(np.float32))
    report = run("embeddings", "import", "shop", str(tmp_path / "mine.npy"))
    assert (report["name"], report["present"]) == ("mine", 60)
    assert run("index", "shop")["words"] == 60
    assert len(run("search", "shop", "--item", "i3")) == 10


def test_encoders_have_licence_and_size(run: Callable[..., Any]) -> None:
    found = run("encoders")
    assert all(entry["licence"] and entry["size_mb"] for entry in found)


@pytest.mark.parametrize(
    "arguments",
    [
        ("search", "shop"),
        ("search", "shop", "--text", "x"),
        ("search", "shop", "--text", ""),
        ("search", "shop", "--item", "nobody"),
        ("search", "shop", "--image", "/nowhere.jpg"),
        ("search", "shop", "--text", "x", "--weight", "1", "--weight", "2"),
        ("search", "shop", "--text", "x", "--how", "magic"),
        ("search", "nobody", "--text", "x"),
        ("embed", "shop", "--tower", "sound"),
        ("embed", "shop", "--encoder", "nobody"),
        ("embed", "nobody"),
        ("embeddings", "import", "shop", "/nowhere.npy"),
        ("embeddings", "import", "shop", "/nowhere.npy", "--by", "name"),
        ("weights", "fetch", "clip-tiny"),
    ],
)
def test_bad_input_is_one_clear_line(
    products: Products, run: Callable[..., Any], arguments: tuple[str, ...]
) -> None:
    with pytest.raises(VitrineError) as caught:
        run(*arguments)
    assert "\n" not in str(caught.value)
