"""What a country's shops sell, estimated from products whose labels nobody knows.

`Estimator` is fitted on labelled products that a classifier was not trained on: it calibrates the classifier and keeps its
confusions. `estimate` then needs a target's probabilities alone. The arithmetic is in core.measures.label_shift.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from core.errors import UsageError
from core.measures import bias_temperature, label_shift
from core.measures.bias_temperature import Calibration

Array = NDArray[np.float64]
Method = Literal["em", "em-map", "cm", "scm", "cm-l", "scm-l", "cm-m", "scm-m", "bbse"]
METHODS: dict[Method, str] = {
    "em-map": "EM with a prior of 100 products sold as those the model is calibrated on: steady with few products (ours)",
    "em": "maximum likelihood of the products (Saerens' EM)",
    "cm": "confusion matrix of decisions, inverted",
    "scm": "confusion matrix of probabilities, inverted",
    "cm-l": "confusion matrix of decisions, maximum likelihood",
    "scm-l": "confusion matrix of probabilities, maximum likelihood",
    "cm-m": "confusion matrix of decisions, with a Dirichlet prior",
    "scm-m": "confusion matrix of probabilities, with a Dirichlet prior",
    "bbse": "black-box shift estimation",
}
BELIEF = 100.0  # products that the prior of `em-map` is worth, as in core.models.priors
REPEATS = 200  # of the bootstrap
LARGEST = 20_000  # products of a target that are resampled; of more, these are drawn
FEWEST = 20  # labelled products, and products of a target, that an estimate needs


@dataclass(frozen=True)
class PriorEstimate:
    """Class priors of a target of n products."""

    method: Method
    prior: Array  # (classes,) sums to 1
    low: Array  # (classes,) of the 95% bootstrap interval
    high: Array
    n: int


@dataclass(frozen=True)
class Estimator:
    """A classifier's answers on labelled products, from which priors of others are estimated."""

    calibration: Calibration | None
    answers: Array  # (n, classes) calibrated probabilities of the labelled products
    labels: NDArray[np.int64]  # (n,)
    source: Array  # (classes,) the priors under which the calibrated classifier answers

    @classmethod
    def fit(
        cls,
        probabilities: NDArray[np.floating],
        labels: NDArray[np.int64],
        calibrate: bool = True,
        training: Array | None = None,
    ) -> Estimator:
        """
        Args:
            probabilities: (n, classes) of labelled products that the classifier was not trained on.
            labels: (n,) class numbers; products with a negative one are left out.
            calibrate: without, the answers are taken to be right under `training`.
            training: (classes,) priors of the classifier's training, needed without calibration; with it the labelled
                products' mean probabilities, close to their shares, are the priors, however the classifier was trained.

        Raises:
            UsageError: there are fewer than FEWEST labelled products, or of one class alone.
        """
        known = labels >= 0
        answers, labels = np.asarray(probabilities[known], np.float64), labels[known]
        if len(labels) < FEWEST or len(np.unique(labels)) < 2:
            raise UsageError(
                f"Priors cannot be estimated: {len(labels)} labelled products of {len(np.unique(labels))} classes that the "
                f"model was not trained on; at least {FEWEST} of two classes are needed."
            )
        shares = np.bincount(labels, minlength=answers.shape[1]) / len(labels)
        if not calibrate:
            return cls(None, answers, labels, shares if training is None else training)
        calibration = bias_temperature.fit(answers, labels)
        calibrated = calibration(answers)
        return cls(calibration, calibrated, labels, calibrated.mean(axis=0))

    def calibrated(self, probabilities: NDArray[np.floating]) -> Array:
        """(n, classes) of other products of the classifier."""
        if self.calibration is None:
            return np.asarray(probabilities, np.float64)
        return self.calibration(probabilities)

    def prior(
        self, method: Method, target: Array, seen: Array | None = None, start: Array | None = None
    ) -> Array:
        """(classes,) priors of a target.

        Args:
            target: (m, classes) calibrated probabilities.
            seen: (m,) weights of the products, summing to 1; equal if None.
            start: priors to begin with.
        """
        if method in ("em", "em-map"):
            return label_shift.em(target, self.source, seen, start, BELIEF if method == "em-map" else 0.0)
        soft = method.startswith("scm") or method == "bbse"
        labelled = self.answers if soft else label_shift.hard_decisions(self.answers)
        given = target if soft else label_shift.hard_decisions(target)
        mean = given.mean(axis=0) if seen is None else seen @ given
        if method == "bbse":
            return label_shift.bbse(labelled, self.labels, mean)
        matrix = label_shift.confusion(labelled, self.labels)
        if method in ("cm", "scm"):
            return label_shift.by_inverse(matrix, mean)
        if method.endswith("-l"):
            return label_shift.likeliest(matrix, mean, start)
        return label_shift.most_probable(matrix, mean, len(target), start=start)

    def estimate(
        self, method: Method, probabilities: NDArray[np.floating], repeats: int = REPEATS, seed: int = 0
    ) -> PriorEstimate:
        """Priors with 95% percentile intervals; target and labelled products are both resampled.

        Calibration is not fitted again for each resample, so that the intervals leave its uncertainty out.

        Args:
            probabilities: (m, classes) of the target's products, as the classifier gives them.

        Raises:
            UsageError: there is no such method, or there are fewer than FEWEST products.
        """
        if method not in get_args(Method):
            raise UsageError(f"No method {method!r}. Methods: {', '.join(METHODS)}.")
        if len(probabilities) < FEWEST:
            raise UsageError(
                f"Priors cannot be estimated from {len(probabilities)} products; at least {FEWEST} are needed."
            )
        target = self.calibrated(probabilities)
        found = self.prior(method, target)
        rng = np.random.default_rng(seed)
        some = target
        if len(target) > LARGEST:
            some = target[rng.choice(len(target), LARGEST, replace=False)]
        drawn = []
        for _ in range(repeats):
            rows = rng.integers(0, len(self.labels), len(self.labels))
            resampled = (
                self
                if method in ("em", "em-map")
                else Estimator(self.calibration, self.answers[rows], self.labels[rows], self.source)
            )
            seen = rng.multinomial(len(some), np.full(len(some), 1 / len(some))) / len(some)
            drawn.append(resampled.prior(method, some, seen, found))
        if not drawn:
            return PriorEstimate(method, found, found, found, len(target))
        low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
        if len(target) > LARGEST:  # intervals of a smaller draw are wider by this
            narrower = (LARGEST / len(target)) ** 0.5
            low, high = found + (low - found) * narrower, found + (high - found) * narrower
        return PriorEstimate(method, found, np.minimum(low, found), np.maximum(high, found), len(target))
