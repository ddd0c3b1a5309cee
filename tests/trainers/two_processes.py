"""Run by torch's launcher in test_two_processes: trains a small network and writes its weights."""

import sys
from pathlib import Path

import torch
from accelerate import PartialState
from torch import nn

from core.training.loop import Part, TrainConfig, fit

CONFIG = TrainConfig(steps=12, batch_size=8, learning_rate=0.01, save_every=4)


def network() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 3))


def batch_at(step: int, part: Part) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(step)
    x = torch.randn(8, 1, 8, 8, generator=generator)
    return x[part.slice(8)], torch.randint(3, (8,), generator=generator)[part.slice(8)]


def loss_fn(model: nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


if __name__ == "__main__":
    fit(network(), loss_fn, batch_at, CONFIG, Path(sys.argv[1]), cpu=True)
    state = PartialState()
    (Path(sys.argv[1]) / f"process-{state.process_index}-of-{state.num_processes}").touch()
    state.wait_for_everyone()  # none leaves while another still talks to it
    state.destroy_process_group()
