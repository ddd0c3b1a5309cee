"""Heat maps through an encoder: they lie where the picture's vector is made, for probes and prompts alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from core.catalog.products import Products
from core.embeddings.clip import encoder
from core.embeddings.loading import load_encoder
from core.models.encoder_heat import encoder_heat
from core.models.probe import ProbeConfig, ProbeNetwork
from core.models.zero_shot import ZeroShotNetwork, encoded_product
from tests.likeness import picture, products

__all__ = ["products"]


def half(colour: tuple[int, int, int]) -> Image.Image:
    """Grey, and its right half of a colour."""
    image = Image.new("RGB", (160, 160), (128, 128, 128))
    image.paste(colour, (80, 0, 160, 160))
    return image


def test_the_heat_is_the_gradient_through_the_encoder(clip_folder: Path) -> None:
    coder = load_encoder(encoder(str(clip_folder)), "cpu")
    image = half((220, 20, 20))
    inputs, _ = encoded_product(coder, image, None, None)
    torch.manual_seed(0)
    probe = ProbeNetwork(ProbeConfig(image="x", image_width=coder.dimensions), 3)
    prompted = ZeroShotNetwork(coder.encode_texts(["red", "blue dress", "zelená"]), coder.scale)
    for network in (probe, prompted):
        heats = [encoder_heat(coder, network, inputs, image, target) for target in range(3)]
        assert all(heat is not None and heat.ndim == 2 and np.isfinite(heat).all() for heat in heats)
        assert any(heat.max() == 1 for heat in heats)  # type: ignore[union-attr]
        assert not all(np.array_equal(heat, heats[0]) for heat in heats)  # another class, another reason
    before = coder.encode_pictures([image])
    np.testing.assert_array_equal(before, coder.encode_pictures([image]))  # nothing stays hooked


def test_an_encoder_without_maps_has_no_heat(clip_folder: Path) -> None:
    coder = load_encoder(encoder(str(clip_folder)), "cpu")
    image = half((20, 20, 220))
    inputs, _ = encoded_product(coder, image, None, None)
    network = ProbeNetwork(ProbeConfig(image="x", image_width=coder.dimensions), 2)

    class Blind:
        model = torch.nn.Sequential(torch.nn.Linear(2, 2))

    assert encoder_heat(Blind(), network, inputs, image, 0) is None  # type: ignore[arg-type]


def test_a_zero_shot_answer_is_explained(products: Products, clip_folder: Path) -> None:
    from core.models.explain import explanation
    from core.models.zero_shot import ZeroShotClassifier

    coder = load_encoder(encoder(str(clip_folder)), "cpu")
    told = explanation(ZeroShotClassifier("zero-shot-toy@shop", coder, products, "plain"), picture("red"))
    assert told.heat is not None and told.heat.ndim == 2
    assert "This model has no heat map." not in told.missing
