"""Partner selection against a direct version, and what must hold for any input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.errors import PairsError, UsageError
from core.pairs import selection
from core.pairs.selection import (
    cosine,
    draw_clusters,
    least_similar,
    least_similar_once,
    partners_below,
    random_partners,
)
from core.pairs.weights import share, weights


def direct(features, image_cluster, text_cluster, chosen):
    """One anchor at a time, every similarity by itself."""
    found = []
    for k, anchor in enumerate(features):
        best = (np.inf, -1)
        for j, other in enumerate(features):
            allowed = image_cluster[j] == chosen[k] != image_cluster[k] and text_cluster[j] != text_cluster[k]
            if allowed:
                similar = anchor @ other / (np.linalg.norm(anchor) * np.linalg.norm(other))
                best = min(best, (round(float(similar), 12), j))
        found.append(best[1])
    return np.array(found)


@pytest.mark.parametrize("block", [7, 64, 8_192])
def test_partners_equal_those_of_the_direct_version(monkeypatch, block):
    monkeypatch.setattr(selection, "CANDIDATES", block)
    monkeypatch.setattr(selection, "ANCHORS", block)
    rng = np.random.default_rng(0)
    features = rng.normal(size=(300, 16)).astype(np.float16)
    features[100:140] = features[60:100]  # shared pictures: the first of equals is taken
    image, text = rng.integers(0, 5, 300), rng.integers(0, 4, 300)
    image[100:140] = image[60:100]
    chosen, redraws = draw_clusters(image, text, seed=3)
    assert (redraws == 0).all() and (chosen != image).all()
    found = least_similar(features, image, text, chosen)
    expected = direct(features.astype(np.float64), image, text, chosen)
    np.testing.assert_array_equal(found.partner, expected)
    anchors = features.astype(np.float64) / np.linalg.norm(features.astype(np.float64), axis=1, keepdims=True)
    np.testing.assert_allclose(found.similarity, (anchors * anchors[expected]).sum(axis=1), atol=1e-12)


groups = st.integers(0, 3)
inputs = st.integers(2, 25).flatmap(
    lambda n: st.tuples(
        arrays(np.float32, (n, 3), elements=st.sampled_from([-2.0, -1.0, 0.0, 0.5, 3.0])),
        arrays(np.int64, n, elements=groups),
        arrays(np.int64, n, elements=groups),
        st.integers(0, 5),
    )
)


@settings(max_examples=150, deadline=None)
@given(inputs)
def test_a_partner_is_of_other_clusters_and_the_least_similar_of_the_allowed(given_inputs):
    features, image, text, seed = given_inputs
    if len(set(image.tolist())) < 2:
        with pytest.raises(PairsError, match="one cluster"):
            draw_clusters(image, text, seed)
        return
    chosen, redraws = draw_clusters(image, text, seed)
    found = least_similar(features, image, text, chosen)
    for k, j in enumerate(found.partner):
        other = (image != image[k]) & (text != text[k])
        assert (j >= 0) == other.any()  # dropped only where no cluster at all has a candidate
        if j < 0:
            assert chosen[k] == image[k] and np.isnan(found.similarity[k])
            continue
        assert image[j] == chosen[k] != image[k] and text[j] != text[k]
        allowed = np.flatnonzero(other & (image == chosen[k]))
        all_of_them = cosine(features, np.full(len(allowed), k), allowed)
        assert found.similarity[k] == pytest.approx(all_of_them.min(), abs=1e-11)
        assert -1 <= found.similarity[k] <= 1
    assert (redraws[found.partner >= 0] < len(set(image.tolist())) - 1).all()


def test_a_cluster_whose_members_all_have_one_text_is_drawn_in_vain_and_others_evenly():
    rng = np.random.default_rng(0)
    image = np.repeat([0, 1, 2, 3], 500)
    text = np.where(image == 1, 7, rng.integers(0, 3, 2_000))
    text[:500] = 7  # of the anchors' cluster, whose partners cannot be in cluster 1
    chosen, redraws = draw_clusters(image, text, seed=1)
    times = np.bincount(chosen[:500], minlength=4)
    assert times[0] == times[1] == 0 and abs(times[2] - 250) < 60
    assert abs((redraws[:500] > 0).mean() - 1 / 3) < 0.08
    assert (redraws[1_000:] == 0).all()
    again = draw_clusters(image, text, seed=1)
    assert (again[0] == chosen).all() and (draw_clusters(image, text, seed=2)[0] != chosen).any()


def test_each_partner_once():
    rng = np.random.default_rng(0)
    features, image, text = rng.normal(size=(200, 8)), rng.integers(0, 4, 200), rng.integers(0, 4, 200)
    found = least_similar_once(features, image, text, seed=0)
    there = found.partner >= 0
    assert there.sum() > 190 and len(np.unique(found.partner[there])) == there.sum()
    own, other = np.flatnonzero(there), found.partner[there]
    assert (image[own] != image[other]).all() and (text[own] != text[other]).all()
    hubs = least_similar(features, image, text, draw_clusters(image, text, 0)[0])
    assert len(np.unique(hubs.partner)) < there.sum()
    with pytest.raises(UsageError, match="50,000"):
        least_similar_once(np.zeros((50_001, 1), np.float16), image, text, 0)


def test_random_partners_are_any_other_product():
    found = random_partners(np.eye(4), seed=0)
    assert (found.partner != np.arange(4)).all()
    many = np.array([random_partners(np.eye(4), seed).partner[1] for seed in range(600)])
    assert np.abs(np.bincount(many, minlength=4) - [200, 0, 200, 200]).max() < 45
    with pytest.raises(PairsError, match="second product"):
        random_partners(np.eye(1), 0)


@pytest.mark.parametrize("tries", [0, 256])
def test_partners_below_a_threshold_are_drawn_evenly_or_are_the_least_similar(monkeypatch, tries):
    monkeypatch.setattr(selection, "TRIES", tries)
    monkeypatch.setattr(selection, "CANDIDATES", 3)
    angles = np.radians([0, 10, 80, 85, 90])
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found = partners_below(features, 0.2, seed=0)
    assert found.fallback.tolist() == [False, False, False, False, False]
    assert set(found.partner[:2]) <= {2, 3, 4} and set(found.partner[2:]) <= {0, 1}
    many = np.array([partners_below(features, 0.2, seed).partner[0] for seed in range(400)])
    assert np.abs(np.bincount(many, minlength=5)[2:] - 400 / 3).max() < 45
    none = partners_below(features, -0.5, seed=0)
    assert none.fallback.all() and none.partner.tolist() == [4, 4, 0, 0, 0]
    assert partners_below(np.ones((3, 2)), 1.0, seed=0).fallback.sum() == 0  # similarity exactly 1


def test_weights_of_exact_similarities():
    positive, negative = weights(np.array([-1.0, 0.0, 1.0]))
    np.testing.assert_allclose(positive, [1e-6, 0.5, 1 - 1e-6], rtol=1e-6)
    np.testing.assert_allclose(negative, [1 - 1e-6, 0.5, 1e-6], rtol=1e-3)
    assert np.isfinite(np.log(share(np.array([-1.0, 1.0, 1.0000001])))).all()
    assert cosine(np.array([[3.0, 4], [3, 4], [-6, -8]]), np.array([0, 0]), np.array([1, 2])).tolist() == [
        1.0,
        -1.0,
    ]
