"""The products of a split with their labels: what predictions are scored against."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.catalog.cohort import Cohort, path_text
from core.catalog.info import DatasetInfo, info
from core.catalog.products import Products
from core.catalog.sealed import original
from core.catalog.splits import product_frame
from core.errors import BenchmarkError
from core.evaluation.choice import CHOICES

HEAD, TAIL = (
    100,
    20,
)  # training products: a class above is head, one below tail (Liu et al. 2019, OpenLongTail)
PARTS = ("head", "middle", "tail")
STORED = (
    "row_id",
    "prediction",
    "probability",
    "label_probability",
    "rank",
    "correct",
    "hit",
)  # of each product


@dataclass(frozen=True)
class Task:
    """What is predicted: a split of a dataset, all of it or the products with human labels."""

    dataset: str
    split: str = "test"
    labels: str = "all"  # or human

    def __post_init__(self) -> None:
        for name in ("split", "labels"):
            if getattr(self, name) not in CHOICES[name]:
                raise BenchmarkError(
                    f"{getattr(self, name)!r} is not one of: {', '.join(CHOICES[name])} ({name})."
                )

    @property
    def title(self) -> str:
        return f"{self.dataset}, {self.split} split" + (", human labels" if self.labels == "human" else "")


def truth_of(task: Task) -> Truth:
    """The products of a task with their labels, also where these are kept out of the dataset.

    Raises:
        BenchmarkError: see Truth.
        UnknownDatasetError: there is no such dataset.
    """
    return Truth(Products(original(info(task.dataset))), task)


class Truth:
    """The n products of a task, in the dataset's order.

    Attributes:
        frame: row_id, item_id, image_id, geo, label_source, label_kind, label (the category path as text).
        classes: (C,) every class of the dataset, sorted; a class number is a position here.
        labels: (n,) class numbers.
        groups: (C,) head, middle or tail, by the class's training products; empty without a training split.
    """

    def __init__(self, products: Products, task: Task) -> None:
        """
        Raises:
            BenchmarkError: the task has no product with a label.
        """
        self.products, self.task = products, task
        frame = product_frame(products, (task.split,), task.labels == "human")
        frame = frame[frame.label.notna()].reset_index(drop=True)
        if frame.empty:
            raise BenchmarkError(f"{task.title} has no product with a label, so that nothing can be scored.")
        columns = ["row_id", "item_id", "image_id", "geo", "label_source", "label_kind", "label"]
        self.frame = frame[columns]
        counted = products.categories()
        self.classes = sorted(path_text(path) for path, _ in counted)
        self.number_of = {name: number for number, name in enumerate(self.classes)}
        self.labels = np.asarray(frame.label.map(self.number_of), np.int64)

    @property
    def info(self) -> DatasetInfo:
        return self.products.info

    def __len__(self) -> int:
        return len(self.frame)

    @cached_property
    def groups(self) -> NDArray[np.str_] | None:
        """(C,) the group of each class; None without training products."""
        if "train" in self.info.splits:
            trained = {
                path_text(path): n
                for path, n in self.products.categories(Cohort(self.info.name, split=("train",)))
            }
        else:
            counted = product_frame(self.products, ("train",)).label.value_counts()
            trained = {str(name): int(n) for name, n in counted.items()}
        if not trained:
            return None
        counts = np.array([trained.get(name, 0) for name in self.classes])
        return np.where(counts > HEAD, PARTS[0], np.where(counts < TAIL, PARTS[2], PARTS[1]))

    def table(self, scored: pd.DataFrame) -> pd.DataFrame:
        """Stored predictions beside the products they are of."""
        return scored[[*STORED]].merge(self.frame, on="row_id", how="left", validate="one_to_one")
