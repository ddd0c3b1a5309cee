"""The bundled encoder of pictures alone: quick and the same as its network, and clear about words."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import timm
import torch

from core.catalog.products import Products
from core.embeddings.clip import encoder
from core.embeddings.embed import embed
from core.embeddings.inference import fold, quickened
from core.embeddings.loading import load_encoder
from core.embeddings.store import Description, preferred
from core.errors import EmbeddingError, ModelError, UsageError
from core.models.registry import models, zero_shot_spec
from core.search.query import Part, Searcher
from core.settings import ASSETS
from core.training.checkpoints import read_tensors
from tests.likeness import picture

NAME = "imagenet-lite0"


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    made = timm.create_model("tf_efficientnet_lite0", num_classes=0)
    made.load_state_dict(read_tensors(ASSETS / "models" / NAME / "model.safetensors")[0])
    return made.eval()


def test_folding_changes_nothing_but_rounding(network: torch.nn.Module) -> None:
    pixels = torch.rand(2, 3, 96, 96) * 2 - 1
    with torch.inference_mode():
        before, folded = network(pixels), fold(copy.deepcopy(network))(pixels)
        quick = quickened(copy.deepcopy(network))(pixels)
    torch.testing.assert_close(folded, before, atol=1e-4, rtol=1e-4)
    assert torch.cosine_similarity(quick, before).min() > 0.98  # noise is harder than photos
    assert not any(
        isinstance(layer, torch.nn.BatchNorm2d) for layer in fold(copy.deepcopy(network)).modules()
    )


def test_it_finds_by_pictures_and_says_that_it_reads_no_words(products: Products) -> None:
    embed("shop", encoder(NAME), workers=1, device="cpu")
    searcher = Searcher(products)
    red = Part("image", image=picture("red"))
    assert len(searcher.search([red], 5).hits) == 5 and searcher.encoder().dimensions == 1_280
    for parts, how in (([Part("text", "mikina")], "likeness"), ([Part("text", "mikina"), red], "both")):
        with pytest.raises(EmbeddingError, match="compares pictures alone"):
            searcher.search(parts, how=how)  # type: ignore[arg-type]
    found = searcher.search([Part("text", "zelena mikina")], 5, how="both")
    assert found.hits and all(hit.by == ("words",) for hit in found.hits)
    assert "Only names and descriptions were searched" in found.notes[0]
    with pytest.raises(UsageError, match="compares pictures alone"):
        embed("shop", encoder(NAME), "text")
    with pytest.raises(ModelError, match="compares pictures alone"):
        zero_shot_spec(NAME, "shop")
    assert not [spec for spec in models() if NAME in spec.name]


def test_sets_that_words_can_be_compared_with_come_first() -> None:
    def made(name: str, tower: str) -> tuple[str, Description]:
        return name, Description(name, tower, 4, "", 9)  # type: ignore[arg-type]

    given = [
        made(NAME, "image"),
        made("mine", "imported"),
        made("clip-tiny", "text"),
        made("clip-tiny", "image"),
    ]
    assert [found.tower for _, found in preferred(given)] == ["image", "text", "image", "imported"]


def test_its_vectors_are_the_networks(network: torch.nn.Module) -> None:
    coder = load_encoder(encoder(NAME), "cpu")
    pixels = np.random.default_rng(0).integers(0, 255, (2, 160, 160, 3), dtype=np.uint8)
    with torch.inference_mode():
        wanted = network(torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1).numpy()
    cosines = (coder.encode_pixels(pixels) * wanted).sum(1) / np.linalg.norm(wanted, axis=1)
    assert cosines.min() > 0.98  # noise is harder than photos
