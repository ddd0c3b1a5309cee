"""Losses of contrastive training, as functions of given similarities and weights, and the variants that use them.

Source: Tagami, Kobayashi, Akizuki, Hashimoto 2024, "Automatic Data Generation of Incorrect Image-Text Pairs for Effective
Contrastive Learning of CLIP Model" (WSCG), equations 1 to 5; Radford et al. 2021, arXiv:2103.00020; Zhai et al. 2023,
arXiv:2303.15343. The paper leaves much open: our reading of it, and why, is in docs/reference/methods.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from core.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

EDGE = 1e-6  # a matched share stays this far from 0 and 1, so that its logarithm is finite
Loss = Literal["none", "pairs", "pairs-literal", "in-batch", "siglip"]
Negatives = Literal["none", "random", "threshold", "clusters"]


@dataclass(frozen=True)
class Variant:
    """One of the methods that the paper compares, or one of ours beside them."""

    name: str
    title: str
    loss: Loss
    negatives: Negatives = "none"  # where incorrect pairs come from
    threshold: float | None = None  # the highest picture similarity of a partner, of `threshold`
    weighted: bool = False

    @property
    def in_batch(self) -> bool:
        """Does a pair's loss depend on the other pairs of its batch?"""
        return self.loss in ("in-batch", "siglip")


VARIANTS = (
    Variant("1", "(1) CLIP as it is", "none"),
    Variant("2a", "(2a) correct pairs alone", "pairs"),
    Variant("2b", "(2b) in-batch InfoNCE", "in-batch"),
    Variant("3", "(3) random incorrect pairs", "pairs", "random"),
    Variant("4", "(4) partners of similarity 0.8 or less", "pairs", "threshold", 0.8),
    Variant("5", "(5) partners of similarity 0.2 or less", "pairs", "threshold", 0.2),
    Variant("6", "(6) as (5), weighted", "pairs", "threshold", 0.2, weighted=True),
    Variant("ours", "Ours: other clusters, least similar, weighted", "pairs", "clusters", weighted=True),
    Variant("ours-literal", "Ours, weights inside the logarithm", "pairs-literal", "clusters", weighted=True),
    Variant("siglip", "SigLIP's sigmoid loss", "siglip"),
)


def matched(cosine: Tensor) -> Tensor:
    """A cosine in [-1, 1] as a share in (0, 1): (1 + x) / 2, EDGE away from both ends.

    The paper takes logarithms of cosines, which are not defined at 0 and below; this map keeps their order, and is the
    one that weights are made by (core.pairs.weights).
    """
    return ((1 + cosine) / 2).clamp(EDGE, 1 - EDGE)


def correct_loss(similarity: Tensor, weights: Tensor | None = None) -> Tensor:
    """L_p = -mean w^p log m(s^p) (equation 4, the weight outside of the logarithm).

    Args:
        similarity: (n,) cosines of pictures and their own texts.
        weights: (n,) w^p; None is 1 for all.
    """
    terms = matched(similarity).log()
    return -(terms if weights is None else weights * terms).mean()


def incorrect_loss(
    similarity: Tensor, weights: Tensor | None = None, present: Tensor | None = None
) -> Tensor:
    """L_n = -mean w^n log(1 - m(s^n)) (equation 5, the weight outside of the logarithm).

    Args:
        similarity: (n,) cosines of pictures and their partners' texts.
        weights: (n,) w^n; None is 1 for all.
        present: (n,) false where there is no partner, whose term is 0; the mean is over all n.
    """
    terms = (1 - matched(similarity)).log()
    terms = terms if weights is None else weights * terms
    if present is not None:
        terms = terms.masked_fill(~present, 0.0)
    return -terms.mean()


def literal_loss(
    correct: Tensor,
    incorrect: Tensor,
    positive: Tensor,
    negative: Tensor,
    present: Tensor | None = None,
    alpha: float = 1.0,
    beta: float = 1.0,
) -> Tensor:
    """alpha L_p + beta L_n with the weights inside the logarithms, as equations 4 and 5 are printed.

    log(w s) is log w + log s, and w does not depend on what is trained: its gradient is that of the unweighted loss.

    Args:
        correct, incorrect: (n,) cosines s^p and s^n; positive, negative: (n,) weights w^p and w^n.
        present: (n,) false where there is no partner.
    """
    if present is not None:
        negative = negative.masked_fill(
            ~present, 1.0
        )  # the weight of no pair is 0, whose logarithm has no gradient
    right = (positive * matched(correct)).log()
    wrong = (negative * (1 - matched(incorrect))).log()
    if present is not None:
        wrong = wrong.masked_fill(~present, 0.0)
    return -(alpha * right.mean() + beta * wrong.mean())


def pairs_loss(
    variant: Variant,
    correct: Tensor,
    incorrect: Tensor | None = None,
    weights: tuple[Tensor, Tensor] | None = None,
    present: Tensor | None = None,
    alpha: float = 1.0,
    beta: float = 1.0,
) -> Tensor:
    """A variant's loss of n correct pairs and their incorrect ones (equation 3).

    Args:
        correct: (n,) cosines of pictures and their own texts.
        incorrect: (n,) cosines of pictures and their partners' texts; None where the variant has no incorrect pairs.
        weights: (n,) w^p and (n,) w^n of `core.pairs.weights`; used where the variant is weighted.
        present: (n,) false where a picture has no partner; None is true for all.

    Raises:
        ValueError: what the variant needs is not given, or it is not of pairs.
    """
    if variant.loss not in ("pairs", "pairs-literal"):
        raise ValueError(f"variant {variant.name} is not a loss of single pairs")
    if variant.negatives == "none":
        return alpha * correct_loss(correct)
    if incorrect is None or (variant.weighted and weights is None):
        raise ValueError(
            f"variant {variant.name} needs incorrect pairs, and where it is weighted their weights"
        )
    if not variant.weighted or weights is None:
        return alpha * correct_loss(correct) + beta * incorrect_loss(incorrect, None, present)
    if variant.loss == "pairs-literal":
        return literal_loss(correct, incorrect, *weights, present, alpha, beta)
    return alpha * correct_loss(correct, weights[0]) + beta * incorrect_loss(incorrect, weights[1], present)


def in_batch_loss(similarity: Tensor, scale: Tensor | float) -> Tensor:
    """CLIP's: each picture's own text among the batch's texts, and the other way round.

    Args:
        similarity: (n, n) cosines, pictures by texts; the diagonal is the correct pairs.
        scale: what cosines are multiplied with, the inverse of the temperature.
    """
    import torch
    from torch.nn.functional import cross_entropy

    logits = scale * similarity
    own = torch.arange(len(logits), device=logits.device)
    return (cross_entropy(logits, own) + cross_entropy(logits.T, own)) / 2


def siglip_loss(similarity: Tensor, scale: Tensor | float, bias: Tensor | float) -> Tensor:
    """SigLIP's: every picture and text of the batch is a yes or no question (Zhai et al. 2023, algorithm 1).

    Args:
        similarity: (n, n) cosines; scale, bias: logits are scale x cosine + bias.

    Returns:
        The sum over all pairs by n, as published.
    """
    import torch
    from torch.nn.functional import logsigmoid

    logits = scale * similarity + bias
    signs = 2 * torch.eye(len(logits), device=logits.device, dtype=logits.dtype) - 1
    return -logsigmoid(signs * logits).sum() / len(logits)


def variant(name: str) -> Variant:
    """
    Raises:
        UsageError: there is no such variant.
    """
    for one in VARIANTS:
        if one.name == name:
            return one
    raise UsageError(f"There is no variant {name!r}: {', '.join(one.name for one in VARIANTS)}.")
