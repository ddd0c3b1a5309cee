"""EmbraceNet against what is worked out by hand and by plain loops."""

from __future__ import annotations

import pytest
import torch

from core.models.embracenet import EmbraceNet, one_modality_each, one_modality_for_all


@pytest.fixture
def fusion() -> EmbraceNet:
    torch.manual_seed(0)
    return EmbraceNet([3, 5], width=4)


def docked_by_hand(fusion: EmbraceNet, inputs: list[torch.Tensor]) -> list[list[list[float]]]:
    """d_k = relu(W_k x_k + b_k), one number at a time: [modality][sample][component]."""
    found = []
    for dock, x in zip(fusion.docking, inputs, strict=True):
        weight, bias = dock[0].weight.detach(), dock[0].bias.detach()
        found.append(
            [
                [
                    max(
                        0.0,
                        sum(float(weight[c, i]) * float(row[i]) for i in range(len(row))) + float(bias[c]),
                    )
                    for c in range(len(bias))
                ]
                for row in x
            ]
        )
    return found


def test_a_given_draw_gives_the_component_of_the_modality_drawn(fusion: EmbraceNet) -> None:
    inputs = [torch.randn(2, 3), torch.randn(2, 5)]
    draws = torch.tensor([[0, 1, 1, 0], [1, 1, 0, 0]])
    docked = docked_by_hand(fusion, inputs)
    expected = [[docked[int(draws[b, c])][b][c] for c in range(4)] for b in range(2)]
    assert torch.allclose(fusion(inputs, draws=draws), torch.tensor(expected), atol=1e-6)


def test_expected_is_the_mean_weighted_by_the_chances(fusion: EmbraceNet) -> None:
    inputs = [torch.randn(2, 3), torch.randn(2, 5)]
    available = torch.tensor([[1.0, 1.0], [0.0, 1.0]])
    text, image = docked_by_hand(fusion, inputs)
    first = [0.75 * text[0][c] + 0.25 * image[0][c] for c in range(4)]
    found = fusion.expected(inputs, available, torch.tensor([3.0, 1.0]))
    assert torch.allclose(found, torch.tensor([first, image[1]]), atol=1e-6)


def test_expected_is_what_many_passes_come_to(fusion: EmbraceNet) -> None:
    inputs = [torch.randn(1, 3).repeat(20_000, 1), torch.randn(1, 5).repeat(20_000, 1)]
    passes = fusion(inputs, generator=torch.Generator().manual_seed(1))
    mean = fusion.expected(inputs)[0]
    assert torch.allclose(passes.mean(0), mean, atol=0.02)


def test_draws_differ_between_samples_components_and_passes(fusion: EmbraceNet) -> None:
    bypass = EmbraceNet([64, 64], width=64, bypass_docking=True)
    inputs = [torch.zeros(8, 64), torch.ones(8, 64)]
    generator = torch.Generator().manual_seed(0)
    first, second = bypass(inputs, generator=generator), bypass(inputs, generator=generator)
    assert not torch.equal(first, second)
    assert not torch.equal(first[0], first[1])
    assert 0.35 < first.mean() < 0.65
    bypass.eval()  # there is no switch: it goes on drawing
    assert not torch.equal(bypass(inputs, generator=generator), first)


def test_a_modality_that_is_not_available_is_never_drawn() -> None:
    bypass = EmbraceNet([32, 32, 32], width=32, bypass_docking=True)
    inputs = [torch.full((4, 32), float(k)) for k in range(3)]
    available = torch.tensor([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1]], dtype=torch.float32)
    fused = bypass(inputs, available)
    assert fused[0].unique().tolist() == [0]
    assert fused[1].unique().tolist() == [1]
    assert fused[2].unique().tolist() == [2]
    assert fused[3].unique().tolist() == [0, 2]


def test_selection_probabilities_decide_how_often() -> None:
    bypass = EmbraceNet([4, 4], width=4, bypass_docking=True)
    inputs = [torch.zeros(10_000, 4), torch.ones(10_000, 4)]
    fused = bypass(inputs, None, torch.tensor([1.0, 4.0]), generator=torch.Generator().manual_seed(0))
    assert fused.mean() == pytest.approx(0.8, abs=0.01)


def test_gradients_reach_the_drawn_entries_alone() -> None:
    bypass = EmbraceNet([3, 3], width=3, bypass_docking=True)
    text = torch.ones(2, 3, requires_grad=True)
    image = torch.ones(2, 3, requires_grad=True)
    draws = torch.tensor([[0, 1, 1], [0, 0, 0]])
    weights = torch.tensor([[2.0, 3.0, 5.0], [7.0, 11.0, 13.0]])
    (bypass([text, image], draws=draws) * weights).sum().backward()
    assert text.grad is not None and image.grad is not None
    assert text.grad.tolist() == [[2, 0, 0], [7, 11, 13]]
    assert image.grad.tolist() == [[0, 3, 5], [0, 0, 0]]


def test_gradients_of_docking_are_those_worked_out_by_hand(fusion: EmbraceNet) -> None:
    inputs = [torch.randn(1, 3), torch.randn(1, 5)]
    draws = torch.tensor([[0, 1, 0, 1]])
    fusion(inputs, draws=draws).sum().backward()
    weight = fusion.docking[0][0].weight
    live = (inputs[0] @ weight.T + fusion.docking[0][0].bias > 0)[0]
    for c in range(4):
        expected = inputs[0][0] if draws[0, c] == 0 and live[c] else torch.zeros(3)
        assert torch.allclose(weight.grad[c], expected)


def test_a_row_with_nothing_available_is_said(fusion: EmbraceNet) -> None:
    inputs = [torch.randn(2, 3), torch.randn(2, 5)]
    with pytest.raises(ValueError, match="no modality is available in row 1"):
        fusion(inputs, torch.tensor([[1.0, 0.0], [0.0, 0.0]]))
    with pytest.raises(ValueError, match="row 0"):
        fusion.expected(inputs, torch.tensor([[0.0, 1.0], [1.0, 1.0]]), torch.tensor([1.0, 0.0]))


def test_modality_dropout_as_published() -> None:
    generator = torch.Generator().manual_seed(0)
    each = one_modality_each(3_000, 3, generator)
    assert each.sum(1).unique().tolist() == [1]
    assert each.mean(0).tolist() == pytest.approx([1 / 3] * 3, abs=0.03)
    # GLAMI's rounds, so that the middle of three is twice as likely, and it is one choice for the batch.
    drawn = torch.stack([one_modality_for_all(2, 3, generator) for _ in range(3_000)])
    assert torch.equal(drawn[:, 0], drawn[:, 1])
    assert drawn[:, 0].mean(0).tolist() == pytest.approx([0.25, 0.5, 0.25], abs=0.03)
