"""What a trainer's preset decides: the network, how it is trained, what it begins with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.training.loop import TrainConfig


@dataclass(frozen=True)
class Recipe:
    """One preset of a trainer."""

    architecture: str
    model: Any  # the architecture's own configuration, a dataclass with `text` and `image`
    training: TrainConfig  # steps are set from epochs and the dataset's size
    epochs: float
    validation_share: float = 0.0  # of the human-labelled, where the dataset has no validation split
    validations: int = 6  # over the whole training
    augment: bool = False
    pretrained: tuple[str, ...] = ()  # the encoders that begin from published weights: text, image
    halve_epochs: float = 0.0  # between halvings of the learning rate, where the schedule halves it
