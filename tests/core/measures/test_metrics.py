"""Figures against what is counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ModelError
from core.measures.metrics import (
    average_precision,
    class_precisions,
    classification_report,
    f1,
    per_class,
    top_k_hits,
)


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


def test_every_class_against_scikit_learn() -> None:
    from sklearn.metrics import average_precision_score, precision_recall_fscore_support

    rng = np.random.default_rng(3)
    labels = rng.integers(0, 6, 400)
    probabilities = rng.random((400, 7)) + 0.8 * np.eye(7)[labels]
    predictions = probabilities.argmax(axis=1)
    classes = [f"class {c}" for c in range(7)]
    rows = {
        row["label"]: row
        for row in per_class(labels, predictions, class_precisions(labels, probabilities), classes)
    }
    precision, recall, f1s, n = precision_recall_fscore_support(labels, predictions, labels=range(6))
    for c in range(6):
        row = rows[f"class {c}"]
        assert (row["precision"], row["recall"], row["f1"]) == pytest.approx(
            (precision[c], recall[c], f1s[c])
        )
        assert row["n"] == n[c] and row["ap"] == pytest.approx(
            average_precision_score(labels == c, probabilities[:, c])
        )
    absent = rows["class 6"]  # no product has it, some were said to
    assert absent["n"] == 0 and absent["predicted"] > 0 and absent["recall"] is None and absent["ap"] is None
    assert np.mean([row["f1"] for row in rows.values() if row["n"]]) == pytest.approx(
        f1(labels, predictions, "macro")
    )


def test_classes_that_nobody_has_or_says_are_left_out() -> None:
    rows = per_class(np.array([-1, 0]), np.array([1, 0]), np.array([1.0, np.nan, np.nan]), ["a", "b", "c"])
    assert [(row["label"], row["n"], row["predicted"]) for row in rows] == [("a", 1, 1), ("b", 0, 1)]
    assert per_class(np.array([], np.int64), np.array([], np.int64), np.array([np.nan]), ["a"]) == []


def test_products_of_an_untrained_class_count_alike_in_f1_and_ap() -> None:
    """Two of class 0, one of 1, one of no class that is taken for 0: F1 of 0 is 4 / (2 + 3), of 1 is 1; AP alike."""
    labels, probabilities = (
        np.array([0, 0, 1, -1]),
        np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3]]),
    )
    report = classification_report(probabilities, labels, [None] * 4, [None] * 4, classes=["a", "b"])
    assert report["f1_macro"] == pytest.approx((0.8 + 1) / 2)
    assert report["f1_macro"] == pytest.approx(np.mean([row["f1"] for row in report["per_class"]]))
    assert report["f1_weighted"] == pytest.approx((2 * 0.8 + 1) / 3)
    assert report["ap_macro"] == pytest.approx(((1 + 2 / 3) / 2 + 1) / 2)  # class 0 ranks right, wrong, right
    assert np.isnan(f1(np.array([-1]), np.array([0]), "macro"))


def test_probabilities_that_are_no_numbers_are_said() -> None:
    broken = np.array([[0.5, 0.5], [np.nan, 0.5]])
    with pytest.raises(ModelError, match=r"predicted NaN for 1 of 2 products"):
        classification_report(broken, np.array([0, 1]), [None] * 2, [None] * 2)


def test_the_rank_under_ties_is_that_of_the_prediction() -> None:
    import pandas as pd

    from core.evaluation.predictions import predictions_table

    columns = ("row_id", "item_id", "image_id", "geo", "label_source", "label")
    frame = pd.DataFrame({column: [0, 1, 2] for column in columns})
    tied = np.array([[0.4, 0.4, 0.2]] * 3)
    found = predictions_table(frame, np.array([0, 1, -1]), tied, ["a", "b", "c"])
    assert found["rank"].tolist() == [2, 1, 0] and found["correct"].tolist() == [False, True, False]
