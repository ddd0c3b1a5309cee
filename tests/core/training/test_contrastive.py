"""Contrastive losses against numbers worked by hand, and the gradient of the loss as it is printed."""

from __future__ import annotations

from math import exp, log

import pytest
import torch

from core.errors import UsageError
from core.training.contrastive import (
    EDGE,
    VARIANTS,
    correct_loss,
    in_batch_loss,
    incorrect_loss,
    pairs_loss,
    siglip_loss,
    variant,
)

# Two pairs: s^p = .6 and 0, so m = .8 and .5; s^n = -.5 and .2, so 1 - m = .75 and .4.
CORRECT, INCORRECT = torch.tensor([0.6, 0.0]), torch.tensor([-0.5, 0.2])
WEIGHTS = torch.tensor([0.5, 0.2]), torch.tensor([0.5, 0.8])  # of partners whose pictures have S = 0 and -.6


def test_losses_are_what_a_hand_computes() -> None:
    def loss(name: str, **more: float) -> float:
        return float(pairs_loss(variant(name), CORRECT, INCORRECT, WEIGHTS, **more))

    right, wrong = -(log(0.8) + log(0.5)) / 2, -(log(0.75) + log(0.4)) / 2
    assert loss("2a") == pytest.approx(right)
    for unweighted in ("3", "4", "5"):
        assert loss(unweighted) == pytest.approx(right + wrong)
        assert loss(unweighted, alpha=2.0, beta=0.5) == pytest.approx(2 * right + wrong / 2)
    weighted = -(0.5 * log(0.8) + 0.2 * log(0.5)) / 2 - (0.5 * log(0.75) + 0.8 * log(0.4)) / 2
    assert loss("6") == pytest.approx(weighted) and loss("ours") == pytest.approx(weighted)
    inside = -(log(0.5 * 0.8) + log(0.2 * 0.5)) / 2 - (log(0.5 * 0.75) + log(0.8 * 0.4)) / 2
    assert loss("ours-literal") == pytest.approx(inside)
    similarity = torch.tensor([[0.5, 0.1], [0.3, 0.2]])
    by_picture = -log(exp(5) / (exp(5) + exp(1))) - log(exp(2) / (exp(3) + exp(2)))
    by_text = -log(exp(5) / (exp(5) + exp(3))) - log(exp(2) / (exp(1) + exp(2)))
    assert float(in_batch_loss(similarity, 10.0)) == pytest.approx((by_picture + by_text) / 4)
    questions = [log(1 + exp(-x)) for x in (5 - 2, -(1 - 2), -(3 - 2), 2 - 2)]
    assert float(siglip_loss(similarity, 10.0, -2.0)) == pytest.approx(sum(questions) / 2)


def test_the_printed_loss_has_the_gradient_of_the_unweighted_one() -> None:
    """Why weights stand outside of the logarithm: inside, they change the loss and nothing that is learnt."""
    generator = torch.Generator().manual_seed(3)
    towers = torch.randn(2, 32, 8, generator=generator, dtype=torch.float64, requires_grad=True)
    share = torch.rand(32, generator=generator, dtype=torch.float64) * 0.98 + 0.01
    present = torch.arange(32) % 7 > 0

    def gradient(name: str) -> torch.Tensor:
        pictures, texts = torch.nn.functional.normalize(towers, dim=-1)
        correct, incorrect = (pictures * texts).sum(-1), (pictures * texts.roll(5, 0)).sum(-1)
        weights = share, (1 - share).masked_fill(~present, 0.0)
        loss = pairs_loss(variant(name), correct, incorrect, weights, present, alpha=1.5, beta=0.7)
        return torch.autograd.grad(loss, towers)[0]

    torch.testing.assert_close(gradient("ours-literal"), gradient("5"), rtol=1e-12, atol=1e-15)
    assert float((gradient("ours") - gradient("5")).abs().max()) > 1e-3


def test_the_ends_of_the_scale_and_missing_partners() -> None:
    ends = torch.tensor([1.0, -1.0])
    for value in (correct_loss(ends), incorrect_loss(ends)):
        assert float(value) == pytest.approx(-log(EDGE) / 2, rel=1e-3)
    alone = torch.tensor([False, True])
    assert float(incorrect_loss(INCORRECT, present=alone)) == pytest.approx(-log(0.4) / 2)
    one = torch.tensor([[0.3]])  # a batch of one has nothing to compare with
    assert float(in_batch_loss(one, 10.0)) == 0.0 and float(siglip_loss(one, 10.0, -3.0)) == pytest.approx(
        log(2)
    )
    with pytest.raises(ValueError, match="incorrect pairs"):
        pairs_loss(variant("ours"), CORRECT)
    with pytest.raises(UsageError, match="ours-literal"):
        variant("7")
    assert len({one.name for one in VARIANTS}) == len(VARIANTS)
