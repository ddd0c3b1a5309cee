"""Balance by hand-worked numbers."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import TrainingError
from core.models.single import SingleClassifier, SingleConfig
from core.training.balance import ClassSampler, log_shares
from core.training.loop import Part, TrainConfig
from core.training.runs import RunConfig
from tests.toy import TOY, import_toy, train_toy
from trainers import ngrams
from trainers.products import Batches
from trainers.runner import run


def test_the_adjusted_loss_by_hand() -> None:
    labels = np.array([0, 0, 0, 1])
    network = SingleClassifier(SingleConfig(image=TOY.model.image), 2)
    logits = torch.tensor([[1.0, 0.0]])
    plain = network.cross_entropy(logits, torch.tensor([1]))
    assert float(plain) == pytest.approx(math.log(math.e + 1))
    network.log_shares.copy_(torch.from_numpy(log_shares(labels, 2)))
    adjusted = network.cross_entropy(logits, torch.tensor([1]))  # shares 3/4 and 1/4
    assert float(adjusted) == pytest.approx(-math.log(0.25 / (0.75 * math.e + 0.25)))
    counts = torch.log(torch.tensor([3.0, 1.0]))  # balanced softmax raises by log n: the same loss
    same = torch.nn.functional.cross_entropy(logits + counts, torch.tensor([1]))
    assert float(adjusted) == pytest.approx(float(same))
    assert "log_shares" not in network.state_dict()


def test_a_class_without_products_stays_finite() -> None:
    found = log_shares(np.array([0, 2]), 3)
    assert found.tolist() == pytest.approx([math.log(0.5), math.log(1e-12), math.log(0.5)], abs=1e-5)
    half = log_shares(np.array([0, 2]), 3, tau=0.5)
    assert half[0] == pytest.approx(math.log(0.5) / 2)


def test_classes_are_drawn_alike() -> None:
    labels = np.array([0] * 90 + [1] * 9 + [3])
    sampler = ClassSampler(np.arange(100) + 1_000, labels)
    drawn = sampler.draw(6_000, np.random.default_rng(0)) - 1_000
    counts = np.bincount(labels[drawn], minlength=4)
    assert counts[2] == 0 and np.allclose(counts[[0, 1, 3]], 2_000, atol=150)
    assert set(drawn[labels[drawn] == 1]) == set(range(90, 99))  # every product of a class can come
    assert np.array_equal(drawn + 1_000, sampler.draw(6_000, np.random.default_rng(0)))


class Few:
    labels = np.array([0] * 20 + [1] * 2)

    def prefetch(self, positions: np.ndarray) -> None:
        return

    def inputs(self, positions: np.ndarray, drawn: object = None) -> np.ndarray:
        return positions


@pytest.mark.parametrize("balance", ["none", "sampling"])
def test_the_same_step_has_the_same_batch(balance: str) -> None:
    config = TrainConfig(steps=40, batch_size=8)
    batches = Batches(Few(), np.arange(22), config, False, balance)  # type: ignore[arg-type]
    whole = [batches(step, Part(0, 1))[0] for step in range(40)]
    again = Batches(Few(), np.arange(22), config, False, balance)  # type: ignore[arg-type]
    assert np.array_equal(again(17, Part(0, 1))[0], whole[17])  # type: ignore[arg-type]
    halves = [again(17, Part(index, 2))[0] for index in range(2)]
    assert np.array_equal(np.concatenate(halves), whole[17])  # type: ignore[arg-type]
    share = np.mean(Few.labels[np.concatenate(whole)] == 1)  # type: ignore[arg-type]
    assert share == pytest.approx(0.5 if balance == "sampling" else 2 / 22, abs=0.1)


@pytest.mark.parametrize("balance", ["loss", "sampling"])
def test_a_balanced_run_trains(home: Path, tmp_path: Path, balance: str) -> None:
    import_toy(tmp_path)
    result = train_toy(home / "runs" / balance, "--balance", balance, "--steps", "4")
    assert result["ended"] == "done"
    assert RunConfig.read(home / "runs" / balance).balance == balance
    with pytest.raises(TrainingError, match="leave it out for TF-IDF"):
        run("ngrams", ngrams.PRESETS, ["--dataset", "toy", "--balance", balance], ngrams.fit)
