"""The choices of an evaluation, except the model."""

from __future__ import annotations

from dataclasses import dataclass

from core.catalog.info import DatasetInfo
from core.errors import UsageError

ITEMS, TRIALS, OTHERS = (
    100,
    100,
    100,
)  # of retrieval: products of a trial, trials, others of the same category

CHOICES: dict[str, tuple[str, ...]] = {
    "split": ("test", "validation", "train"),
    "sees": ("both", "picture", "text"),
    "labels": ("all", "human"),
    "inference": ("expected", "sampled", "ensemble", "published", "normalised"),
    "ties": ("glami", "fair"),
    "among": ("all", "dataset"),
}


def splits(info: DatasetInfo) -> list[str]:
    """The splits of a dataset that can be evaluated; one without a training split is divided 8:2 by its ids."""
    if "train" not in info.splits:
        return ["test", "train"]
    return [split for split in CHOICES["split"] if split in info.splits]


@dataclass(frozen=True)
class Choice:
    """The choices of one evaluation."""

    dataset: str
    split: str = "test"
    sees: str = "both"
    labels: str = "all"  # or `human`: products with human labels
    inference: str = "expected"
    ties: str = "glami"
    among: str = "all"  # candidate classes: all of the model, or those of the dataset

    def __post_init__(self) -> None:
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise UsageError(f"{getattr(self, name)!r} is not one of: {', '.join(known)} ({name}).")

    def options(self) -> list[str]:
        """The options of `vitrine evaluate MODEL` that differ from the defaults."""
        found = ["--dataset", self.dataset]
        for name in ("split", "sees", "inference", "ties", "among"):
            if getattr(self, name) != CHOICES[name][0]:
                found += [f"--{name}", getattr(self, name)]
        return found + (["--human-only"] if self.labels == "human" else [])

    def stem(self) -> str:
        return ".".join((self.dataset, *(getattr(self, name) for name in CHOICES)))


@dataclass(frozen=True)
class RetrievalChoice:
    """What the protocols of retrieval draw; the same choice draws the same trials for every encoder."""

    split: str = "test"
    items: int = ITEMS
    trials: int = TRIALS
    others: int = OTHERS
    seed: int = 0

    def __post_init__(self) -> None:
        if self.split not in CHOICES["split"]:
            raise UsageError(f"{self.split!r} is not one of the splits: {', '.join(CHOICES['split'])}.")
        for name, value in (("items", self.items), ("trials", self.trials), ("others", self.others)):
            if not 1 <= value <= 10_000:
                raise UsageError(f"{name} is {value}; expected 1 to 10,000.")
        if not 0 <= self.seed < 2**32:
            raise UsageError(f"seed is {self.seed}; expected 0 to {2**32 - 1:,}.")
