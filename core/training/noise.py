"""The loss of a batch in which some labels are a machine's: weighted, or corrected by a transition matrix."""

from __future__ import annotations

from torch import Tensor, nn

TINY = 1e-12


def noisy_cross_entropy(
    logits: Tensor,
    labels: Tensor,
    trusted: Tensor,
    machine_weight: float = 1.0,
    transition: Tensor | None = None,
    smoothing: float = 0.0,
) -> Tensor:
    """The weighted mean over a batch of the cross-entropy with trusted labels and with a machine's.

    Args:
        logits: (n, classes).
        labels: (n,) class numbers.
        trusted: (n,) 1 where a person gave the label, 0 where a machine did.
        machine_weight: of a machine's labels; a trusted one has 1.
        transition: (classes, classes) p(machine says j | class i): a machine's label then costs -log (T^T p)_label.
        smoothing: of the labels; those with a transition have none.

    Source: Patrini et al. 2017, "Making deep neural networks robust to label noise: a loss correction approach", forward.
    """
    losses = nn.functional.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="none")
    trusted = trusted.bool()
    if transition is not None:
        said = (logits.softmax(-1) * transition.T[labels]).sum(-1)  # (n,) p(its label)
        losses = losses.where(trusted, -said.clamp_min(TINY).log())
    weights = trusted.to(losses) + (~trusted).to(losses) * machine_weight
    return (losses * weights).sum() / weights.sum().clamp_min(TINY)
