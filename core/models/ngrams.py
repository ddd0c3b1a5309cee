"""TF-IDF of character n-grams and logistic regression: a baseline for texts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.models.inputs import IMAGE, SOURCE, TEXT, Inputs

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression


@dataclass(frozen=True)
class NgramText:
    vocabulary: int = 30_000  # n-grams
    tokens: int = 1_024  # largest number of n-grams of a text


@dataclass(frozen=True)
class NgramConfig:
    text: NgramText = field(default_factory=NgramText)
    image: None = None
    strength: float = 10.0  # C of the logistic regression: higher is less regularised


class NgramClassifier(nn.Module):
    """log softmax(W tfidf(x) + b), tfidf = counts * idf, scaled to length 1."""

    def __init__(self, config: NgramConfig, classes: int) -> None:
        super().__init__()
        self.config, self.used = config, [TEXT]
        self.widths = {TEXT: config.text.vocabulary, IMAGE: 0, SOURCE: 0}
        self.idf = nn.Parameter(torch.ones(config.text.vocabulary), requires_grad=False)
        self.head = nn.Linear(config.text.vocabulary, classes)

    def forward(self, inputs: Inputs, inference: str = "expected", **_: Any) -> Tensor:
        """(n, classes) log-probabilities."""
        counts = torch.zeros(len(inputs), self.config.text.vocabulary, device=inputs.numbers.device)
        counts.scatter_add_(1, inputs.numbers, inputs.mask.float())
        return self.head(nn.functional.normalize(counts * self.idf)).log_softmax(-1)

    def fit(self, numbers: NDArray[np.int64], labels: NDArray[np.int64], seed: int) -> None:
        """Set idf and weights by scikit-learn from (n, tokens) n-gram numbers; 0 is padding."""
        from sklearn.feature_extraction.text import TfidfTransformer
        from sklearn.linear_model import LogisticRegression

        counts = count_matrix(numbers, self.config.text.vocabulary)
        weigh = TfidfTransformer().fit(counts)
        regression = LogisticRegression(C=self.config.strength, max_iter=300, random_state=seed)
        regression.fit(weigh.transform(counts), labels)
        set_head(self.head, regression)
        with torch.no_grad():
            self.idf.copy_(torch.from_numpy(weigh.idf_.astype(np.float32)))

    def features(self, numbers: NDArray[np.int64]) -> csr_matrix:
        """(n, vocabulary) tfidf of (n, tokens) n-gram numbers, as the head is given it."""
        from scipy.sparse import diags
        from sklearn.preprocessing import normalize

        weighed = count_matrix(numbers, self.config.text.vocabulary) @ diags(
            self.idf.numpy().astype(np.float64)
        )
        return normalize(weighed).tocsr()


def set_head(head: nn.Linear, regression: LogisticRegression) -> None:
    """Copy the coefficients of scikit-learn to a linear layer; classes without products get a very low bias."""
    weight = np.zeros(tuple(head.weight.shape), np.float32)
    bias = np.full(len(weight), -30.0, np.float32)
    found = regression.classes_
    if len(found) == 2:  # binary: one row of weights for both classes
        weight[found], bias[found] = [-regression.coef_[0] / 2, regression.coef_[0] / 2], 0
        bias[found] = [-regression.intercept_[0] / 2, regression.intercept_[0] / 2]
    else:
        weight[found], bias[found] = regression.coef_, regression.intercept_
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(weight))
        head.bias.copy_(torch.from_numpy(bias))


def count_matrix(numbers: NDArray[np.int64], vocabulary: int) -> csr_matrix:
    """(n, vocabulary) counts of n-grams."""
    from scipy.sparse import csr_matrix

    rows, _ = np.nonzero(numbers)
    kept = numbers[numbers > 0]
    return csr_matrix((np.ones(len(kept), np.float32), (rows, kept)), shape=(len(numbers), vocabulary))


def build(config: dict[str, Any], classes: int) -> NgramClassifier:
    """Build the network from config.json.

    Raises:
        TypeError: it says something else.
    """
    made = NgramConfig(**{**config, "text": NgramText(**config["text"])})
    return NgramClassifier(made, classes)
