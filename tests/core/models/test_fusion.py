"""Tensor fusion and its low-rank form against plain loops, and against each other."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from core.embeddings.encoders import ImageConfig, WordConfig, WordEncoder
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


def test_three_modalities_are_numpys_outer_products() -> None:
    rng = np.random.default_rng(1)
    parts = [rng.normal(size=(5, width)) for width in (3, 2, 4)]
    found = tensor_fusion(*(torch.from_numpy(part) for part in parts))
    for row in range(5):
        audio, picture, text = ([1.0, *part[row]] for part in parts)
        outer = np.multiply.outer(np.multiply.outer(audio, picture), text)  # (4, 3, 5)
        np.testing.assert_allclose(found[row].numpy(), outer.ravel())
    nothing = torch.zeros(5, 0, dtype=torch.float64)  # a modality of no numbers is its 1 alone
    two = [torch.from_numpy(part) for part in parts[:2]]
    assert torch.equal(tensor_fusion(*two, nothing), tensor_fusion(*two))


def test_low_rank_fusion_of_three_is_the_dense_tensor_by_numpy() -> None:
    torch.manual_seed(1)
    fusion = LowRankFusion((3, 2, 4), rank=3, outputs=6, rank_weights="learned").double()
    parts = [torch.randn(5, width, dtype=torch.float64) for width in (3, 2, 4)]
    a, p, t = (factor.detach().numpy() for factor in fusion.factors)
    dense = np.einsum("r,rao,rpo,rto->apto", fusion.weights.detach().numpy()[0], a, p, t)
    ones = [np.concatenate([np.ones((5, 1)), part.numpy()], axis=1) for part in parts]
    expected = np.einsum("na,np,nt,apto->no", *ones, dense) + fusion.bias.detach().numpy()
    np.testing.assert_allclose(fusion(*parts).detach().numpy(), expected, atol=1e-12)


def test_the_network_around_the_fusion_is_numpys() -> None:
    """BatchNorm by its running figures, three layers of the picture, one of the text, two after the fusion, softmax."""
    torch.manual_seed(2)
    model = FusionClassifier(CONFIG, classes=3).double().eval()
    model.picture[0].running_mean.normal_()
    model.picture[0].running_var.uniform_(0.5, 2.0)
    x_text, x_image = (torch.randn(6, model.widths[m], dtype=torch.float64) for m in (0, 1))
    has = np.array([[1, 1], [1, 1], [1, 0], [0, 1], [1, 1], [1, 0]], np.float64)
    w = {name: tensor.detach().numpy() for name, tensor in model.state_dict().items()}

    def linear(x: np.ndarray, name: str) -> np.ndarray:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    picture = (x_image.numpy() - w["picture.0.running_mean"]) / np.sqrt(w["picture.0.running_var"] + 1e-5)
    picture = picture * w["picture.0.weight"] + w["picture.0.bias"]
    for layer in (2, 4, 6):
        picture = np.maximum(0, linear(picture, f"picture.{layer}"))
    text = linear(x_text.numpy(), "words.1")
    fused = np.stack([
        np.multiply.outer([1.0, *(seen * has[row, 1])], [1.0, *(read * has[row, 0])]).ravel()
        for row, (seen, read) in enumerate(zip(picture, text, strict=True))
    ])  # fmt: skip
    hidden = np.maximum(0, linear(np.maximum(0, linear(fused, "fusion.1")), "fusion.3"))
    found = model.logits([x_text, x_image], torch.from_numpy(has)).detach().numpy()
    np.testing.assert_allclose(found, linear(hidden, "fusion.5"), atol=1e-12)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_text_network_is_a_hand_written_lstm(bidirectional: bool) -> None:
    """Hochreiter and Schmidhuber's cell with a forget gate, over each text's own words and none of the padding."""
    torch.manual_seed(3)
    encoder = WordEncoder(WordConfig(20, 5, vector=4, hidden=3, bidirectional=bidirectional)).double()
    lengths = [5, 2, 1, 4]
    mask = np.arange(5)[None, :] < np.array(lengths)[:, None]
    numbers = np.random.default_rng(4).integers(1, 20, (4, 5)) * mask
    w = {name: tensor.detach().numpy() for name, tensor in encoder.state_dict().items()}

    def sigmoid(x: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-x))

    def last_state(words: np.ndarray, end: str) -> np.ndarray:
        h, c = np.zeros(3), np.zeros(3)
        for x in words:
            gates = w[f"lstm.weight_ih_l0{end}"] @ x + w[f"lstm.bias_ih_l0{end}"]
            gates = gates + w[f"lstm.weight_hh_l0{end}"] @ h + w[f"lstm.bias_hh_l0{end}"]
            enter, forget, candidate, out = np.split(gates, 4)
            c = sigmoid(forget) * c + sigmoid(enter) * np.tanh(candidate)
            h = sigmoid(out) * np.tanh(c)
        return h

    found = encoder(torch.from_numpy(numbers), torch.from_numpy(mask)).detach().numpy()
    for row, length in enumerate(lengths):
        words = w["vectors.weight"][numbers[row, :length]]
        expected = [last_state(words, "")] + ([last_state(words[::-1], "_reverse")] if bidirectional else [])
        np.testing.assert_allclose(found[row], np.concatenate(expected), atol=1e-12)


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
    with torch.backends.mkldnn.flags(
        enabled=False
    ):  # docs/development/LOG.md: it writes out of bounds on one thread
        model(products(), labels=torch.tensor([0, 1, 2, 0])).backward()
    still = [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert still == []


def test_both_modalities_are_needed() -> None:
    with pytest.raises(TypeError, match="needs a text and a picture"):
        FusionClassifier(FusionConfig(image=None), classes=3)
