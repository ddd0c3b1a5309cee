"""The settings of a trainer's preset: network, training, initial weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.training.loop import TrainConfig


@dataclass(frozen=True)
class Recipe:
    """One preset of a trainer."""

    architecture: str
    model: Any  # configuration of the architecture, a dataclass with `text` and `image`
    training: TrainConfig  # steps are set from epochs and the dataset's size
    epochs: float
    validation_share: float = 0.0  # of human-labelled products, if the dataset has no validation split
    validations: int = 6  # over the whole training
    augment: bool = False
    pretrained: tuple[str, ...] = ()  # modalities whose encoders start from published weights: text, image
    halve_epochs: float = 0.0  # between halvings of the learning rate, for schedule `halve`
