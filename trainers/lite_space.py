"""The space of the bundled CLIP: a projection of the published network's features, and where classes lie in it.

Roots of features (Arandjelovic and Zisserman 2012) are projected onto the axes along which pictures and ImageNet's
classes differ most, so that likeness stays the published network's. Nothing here is trained step by step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from core.demo.looks import COLOURS
from core.embeddings import colours
from trainers.imagenet import published
from trainers.vocabulary import unit

STEEP = 4.0  # deviations above the mean at which a class's own features are taken to lie
GAIN = 1.2  # how much longer than 1 the axes become along which kinds of products differ
SHRINK = 0.3  # of a covariance towards a multiple of the identity

# English words beside the lexicon's, sRGB; the lexicon's eighteen are in core.demo.looks.
MORE_COLOURS = {
    "maroon": (110, 20, 35), "wine": (100, 20, 40), "olive": (105, 105, 55), "charcoal": (60, 62, 66),
    "cream": (245, 235, 210), "ivory": (250, 245, 228), "off white": (240, 238, 228), "tan": (190, 145, 100),
    "camel": (190, 150, 105), "coffee": (90, 62, 45), "teal": (20, 120, 125), "aqua": (110, 205, 210),
    "peach": (248, 190, 150), "coral": (245, 120, 100), "rust": (175, 75, 40), "mustard": (212, 165, 45),
    "lime": (165, 215, 60), "mint": (165, 225, 195), "lavender": (190, 165, 220), "violet": (125, 75, 175),
    "magenta": (205, 40, 130), "fuchsia": (215, 45, 135), "rose": (230, 130, 150), "sky blue": (140, 190, 230),
    "light blue": (150, 190, 225), "dark blue": (30, 45, 95), "navy blue": (30, 42, 84), "royal blue": (45, 80, 180),
    "indigo": (55, 55, 120), "bronze": (150, 105, 60), "copper": (175, 105, 70), "gray": (140, 143, 148),
    "light grey": (195, 197, 200), "dark green": (25, 80, 50), "dark brown": (75, 48, 35), "nude": (228, 195, 170),
    "skin": (228, 190, 160), "steel": (165, 170, 178), "grey melange": (165, 166, 170), "dark grey": (75, 77, 82),
}  # fmt: skip


@dataclass(frozen=True)
class Space:
    """How pictures' features become vectors, and where what has a name lies."""

    mean: NDArray[np.float32]  # (features,) of roots
    axes: NDArray[np.float32]  # (d, features)
    colour_mean: NDArray[np.float32]  # (PROTOTYPES,)
    classes: NDArray[np.float32]  # (CLASSES, d) of length 1: along them the last layer's logits rise

    def meaning(self, features: NDArray[np.floating]) -> NDArray[np.float32]:
        """(n, d) of length 1 of the network's features."""
        return unit((np.sqrt(np.clip(features.astype(np.float32), 0, None)) - self.mean) @ self.axes.T)

    def colour(self, histograms: NDArray[np.floating]) -> NDArray[np.float32]:
        """(n, PROTOTYPES) of length 1."""
        return unit(np.sqrt(np.clip(histograms.astype(np.float32), 0, None)) - self.colour_mean)


def class_weights(roots_mean: NDArray[np.float32], deviation: NDArray[np.float32]) -> NDArray[np.float32]:
    """(CLASSES, features) how the last layer's logits rise with the roots of features, less their mean over classes.

    A logit is w.f. With f = r^2 it rises from the mean root m to a class's own root r by w (r + m) for each unit of r; these
    lie STEEP deviations above the mean.
    """
    weight = published(head=True)["classifier.weight"].numpy()
    rise = 2 * roots_mean + STEEP * deviation
    return ((weight - weight.mean(axis=0)) * rise).astype(np.float32)


def space_of(
    sets: list[NDArray[np.float16]],
    histograms: list[NDArray[np.float16]],
    dimensions: int,
    classes: float = 1.0,
) -> Space:
    """
    Args:
        sets: (n, features) of each set of pictures; each counts alike.
        histograms: (n, PROTOTYPES) of the same.
        classes: how much the axes of ImageNet's classes count beside those of the pictures.
    """
    roots = [np.sqrt(np.clip(x.astype(np.float32), 0, None)) for x in sets]
    mean = np.mean([x.mean(axis=0) for x in roots], axis=0)
    spread = sum(np.cov(x.T) / np.trace(np.cov(x.T)) for x in roots) / len(roots)
    deviation = np.sqrt(np.mean([x.var(axis=0) for x in roots], axis=0))
    weights = class_weights(mean, deviation)
    between = weights.T @ weights
    total = spread + classes * between / np.trace(between)
    _, vectors = np.linalg.eigh(total)
    axes = np.ascontiguousarray(vectors[:, ::-1][:, :dimensions].T)
    axes *= np.where(axes.sum(axis=1, keepdims=True) < 0, -1, 1)  # eigenvectors have no sign of their own
    roots_of_shares = [np.sqrt(np.clip(x.astype(np.float32), 0, None)).mean(axis=0) for x in histograms]
    return Space(
        mean.astype(np.float32),
        axes.astype(np.float32),
        np.mean(roots_of_shares, axis=0).astype(np.float32),
        unit(weights @ axes.T),
    )


def stretched(space: Space, kinds: NDArray[np.float32]) -> tuple[Space, NDArray[np.float32]]:
    """The space with longer axes where kinds of products differ, and what turns a direction of the old one.

    With P the projection onto what `kinds` span, a picture m becomes T m, T = I + GAIN P, and a direction t becomes T^-1 t: what
    is near to a word stays so, what is near to a picture is more often of its kind.

    Args:
        kinds: (k, d) of length 1.
    """
    _, values, rows = np.linalg.svd(kinds, full_matrices=False)
    spanned = rows[values > 1e-3 * values[0]]
    project = spanned.T @ spanned
    turn = np.eye(project.shape[0]) - GAIN / (1 + GAIN) * project
    axes = space.axes + GAIN * project.astype(np.float32) @ space.axes
    turn = turn.astype(np.float32)
    return replace(space, axes=axes.astype(np.float32), classes=unit(space.classes @ turn)), turn


def turned(
    directions: Mapping[str, NDArray[np.float32]], turn: NDArray[np.float32]
) -> dict[str, NDArray[np.float32]]:
    return {name: unit(row @ turn) for name, row in directions.items()}


def discriminants(
    meaning: NDArray[np.float32], labels: list[str], beside: NDArray[np.float32]
) -> dict[str, NDArray[np.float32]]:
    """Category -> (d,) of length 1: linear discriminants of photos, among each other and other pictures.

    Args:
        meaning: (n, d) of labelled photos.
        labels: (n,) their categories; "" for none.
        beside: (m, d) of pictures of anything, so that a category differs from them too.
    """
    named = np.array(labels)
    kinds = sorted(set(labels) - {""})
    means = {kind: meaning[named == kind].mean(axis=0) for kind in kinds}
    within = np.concatenate(
        [meaning[named == kind] - means[kind] for kind in kinds] + [beside - beside.mean(axis=0)]
    )
    covariance = np.cov(within.T)
    level = np.trace(covariance) / len(covariance)
    inverse = np.linalg.inv((1 - SHRINK) * covariance + SHRINK * level * np.eye(len(covariance)))
    middle = 0.5 * np.mean(list(means.values()), axis=0) + 0.5 * beside.mean(axis=0)
    return {kind: unit(inverse @ (mean - middle)) for kind, mean in means.items()}


def colour_directions(space: Space) -> dict[str, NDArray[np.float32]]:
    """Colour's name -> (PROTOTYPES,) of length 1: of its shades under light and in shadow."""
    drawn = np.random.default_rng(0)
    found = {}
    for name, rgb in {**COLOURS, **MORE_COLOURS}.items():
        shades = np.array(rgb)[None] * drawn.uniform(0.6, 1.12, (400, 1)) + drawn.normal(0, 6, (400, 3))
        points = colours.lab(torch.tensor(np.clip(shades, 0, 255) / 255, dtype=torch.float32))
        share = colours.shares(points).mean(dim=0).numpy()
        found[name] = space.colour(share[None])[0]
    return found
