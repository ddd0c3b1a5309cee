"""Tensor fusion and its low-rank form against plain loops, and against each other."""

from __future__ import annotations

import math

import pytest
import torch

from core.embeddings.encoders import ImageConfig, WordConfig
from core.models.fusion import FusionClassifier, FusionConfig, LowRankFusion, tensor_fusion
from core.models.inputs import Inputs

CONFIG = FusionConfig(
    text=WordConfig(vocabulary=20, tokens=4, vector=6, hidden=5),
    image=ImageConfig(height_px=32, width_px=32, channels=(4, 4, 4, 4)),
    picture_hidden=3,
    text_out=2,
    post_hidden=8,
    dropout=0.0,
)


def products(n: int = 4) -> Inputs:
    torch.manual_seed(5)
    mask = torch.tensor([[True, True, True, False]]).repeat(n, 1)
    return Inputs(
        torch.ones(n, 3, dtype=torch.bool),
        torch.randint(1, 20, (n, 4)) * mask,
        mask,
        torch.randint(0, 256, (n, 3, 32, 32), dtype=torch.uint8),
        torch.zeros(n, dtype=torch.int64),
    )


def test_tensor_fusion_by_hand() -> None:
    fused = tensor_fusion(torch.tensor([[2.0, 3.0]]), torch.tensor([[5.0, 7.0, 11.0]]))
    # [1, 2, 3] (x) [1, 5, 7, 11], row by row
    assert fused.tolist() == [[1, 5, 7, 11, 2, 10, 14, 22, 3, 15, 21, 33]]


def test_tensor_fusion_gradients_by_hand() -> None:
    image = torch.tensor([[2.0]], requires_grad=True)
    text = torch.tensor([[5.0]], requires_grad=True)
    weights = torch.tensor([[1.0, 10.0, 100.0, 1_000.0]])  # of 1, t, i, it
    (tensor_fusion(image, text) * weights).sum().backward()
    assert image.grad is not None and text.grad is not None
    assert image.grad.item() == 100 + 1_000 * 5
    assert text.grad.item() == 10 + 1_000 * 2


@pytest.mark.parametrize("rank_weights", ["learned", "one"])
def test_low_rank_fusion_is_the_dense_tensor_it_stands_for(rank_weights: str) -> None:
    torch.manual_seed(0)
    fusion = LowRankFusion((2, 3), rank=4, outputs=5, rank_weights=rank_weights).double()  # type: ignore[arg-type]
    image = torch.randn(6, 2, dtype=torch.float64, requires_grad=True)
    text = torch.randn(6, 3, dtype=torch.float64)
    dense = torch.zeros(3 * 4, 5, dtype=torch.float64)
    for rank in range(4):
        for i in range(3):
            for j in range(4):
                for out in range(5):
                    dense[i * 4 + j, out] += (
                        fusion.weights[0, rank]
                        * fusion.factors[0][rank, i, out]
                        * fusion.factors[1][rank, j, out]
                    ).detach()
    expected = tensor_fusion(image, text) @ dense + fusion.bias.detach()
    found = fusion(image, text)
    assert torch.allclose(found, expected, atol=1e-12)
    (gradient,) = torch.autograd.grad(expected.square().sum(), image)
    (same,) = torch.autograd.grad(found.square().sum(), image)
    assert torch.allclose(gradient, same, atol=1e-10)
    assert fusion.weights.requires_grad == (rank_weights == "learned")


def test_low_rank_factors_start_as_the_published_code_starts_them() -> None:
    torch.manual_seed(0)
    fusion = LowRankFusion((64, 64), rank=4, outputs=599, rank_weights="learned")
    expected = math.sqrt(2 / ((65 + 4) * 599))
    assert fusion.factors[0].std().item() == pytest.approx(expected, rel=0.02)
    assert expected == pytest.approx(0.00696, abs=5e-6)


@pytest.mark.parametrize("fusion", ["tfn", "lmf"])
def test_a_missing_modality_adds_nothing(fusion: str) -> None:
    torch.manual_seed(0)
    model = FusionClassifier(FusionConfig(**{**vars(CONFIG), "fusion": fusion}), classes=3).eval()
    inputs = products()
    whole = model(inputs)
    assert torch.allclose(whole.exp().sum(1), torch.ones(4), atol=1e-5)
    text = model(inputs.without(1))
    changed = Inputs(inputs.available, inputs.numbers, inputs.mask, inputs.pixels.flip(0), inputs.source)
    assert torch.equal(model(changed.without(1)), text)
    assert not torch.allclose(text, whole)


@pytest.mark.parametrize("fusion", ["tfn", "lmf"])
def test_every_parameter_learns(fusion: str) -> None:
    torch.manual_seed(0)
    model = FusionClassifier(FusionConfig(**{**vars(CONFIG), "fusion": fusion}), classes=3)
    model(products(), labels=torch.tensor([0, 1, 2, 0])).backward()
    still = [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert still == []


def test_both_modalities_are_needed() -> None:
    with pytest.raises(TypeError, match="needs a text and a picture"):
        FusionClassifier(FusionConfig(image=None), classes=3)
