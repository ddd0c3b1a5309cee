"""Figures against what is counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from core.metrics import average_precision, classification_report, f1, top_k_hits


def test_top_k_without_ties_is_the_same_for_both_rules() -> None:
    rng = np.random.default_rng(0)
    probabilities, labels = rng.random((200, 7)), rng.integers(0, 7, 200)
    for k in (1, 3, 5, 7):
        by_hand = [labels[i] in np.argsort(-probabilities[i])[:k] for i in range(200)]
        for ties in ("glami", "fair"):
            assert top_k_hits(probabilities, labels, k, ties).tolist() == by_hand


def test_glami_breaks_ties_as_an_ascending_argsort_reversed() -> None:
    rng = np.random.default_rng(1)
    probabilities = rng.integers(0, 3, (300, 6)) / 3
    labels = rng.integers(0, 6, 300)
    for k in (1, 2, 5):
        published = [labels[i] in np.argsort(probabilities[i], kind="stable")[::-1][:k] for i in range(300)]
        assert top_k_hits(probabilities, labels, k, "glami").tolist() == published


def test_fair_ties_are_the_chance_of_a_hit() -> None:
    probabilities = np.array([[0.2, 0.2, 0.2, 0.4]])
    labels = np.array([0])
    assert top_k_hits(probabilities, labels, 1).item() == 0
    assert top_k_hits(probabilities, labels, 2).item() == pytest.approx(1 / 3)
    assert top_k_hits(probabilities, labels, 3).item() == pytest.approx(2 / 3)
    assert top_k_hits(probabilities, labels, 4).item() == 1


def test_a_class_that_was_not_trained_is_a_miss() -> None:
    assert top_k_hits(np.array([[0.9, 0.1]]), np.array([-1]), 2).tolist() == [0]


def test_bad_shapes_are_said() -> None:
    with pytest.raises(ValueError, match="2 labels"):
        top_k_hits(np.zeros((1, 2)), np.array([0, 1]), 1)
    with pytest.raises(ValueError, match="k is 0"):
        top_k_hits(np.zeros((1, 2)), np.array([0]), 0)


def test_f1_by_hand() -> None:
    labels, predictions = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    # class 0: precision 1, recall 2/3, F1 .8; class 1: precision 1/2, recall 1, F1 2/3
    assert f1(labels, predictions, "macro") == pytest.approx((0.8 + 2 / 3) / 2)
    assert f1(labels, predictions, "weighted") == pytest.approx((3 * 0.8 + 2 / 3) / 4)


def test_average_precision_by_hand() -> None:
    labels = np.array([0, 1, 0])
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.5, 0.5]])
    # class 0 ranks right, wrong, right: (1 + 2/3) / 2; class 1 ranks wrong, right, wrong: 1/2
    assert average_precision(labels, probabilities) == pytest.approx(((1 + 2 / 3) / 2 + 0.5) / 2)
    assert average_precision(labels, probabilities, "weighted") == pytest.approx(
        (2 * (1 + 2 / 3) / 2 + 0.5) / 3
    )


def test_the_report_holds_every_figure() -> None:
    labels = np.array([0, 1, 2, -1])
    report = classification_report(
        np.eye(3)[[0, 1, 1, 2]], labels, ["cz", "cz", "sk", None], ["admin", "admin", "unknown", "unknown"]
    )
    assert report["top1"] == 0.5 and report["n"] == 4 and report["unknown_classes"] == 1
    assert report["per_geo"] == {
        "(none)": {"top1": 0.0, "top5": 0.0, "n": 1},
        "cz": {"top1": 1.0, "top5": 1.0, "n": 2},
        "sk": {"top1": 0.0, "top5": 1.0, "n": 1},
    }
    assert report["per_label_source"]["admin"]["top1"] == 1.0
    assert 0 < report["f1_macro"] < 1 and 0 < report["ap_macro"] < 1
