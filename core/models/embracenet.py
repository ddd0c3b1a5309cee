"""EmbraceNet, and GLAMI's product classifier built on it.

Source: Choi and Lee 2019, "EmbraceNet: A robust deep learning architecture for multimodal
classification"; the reference code idearibosome/embracenet; GLAMI-1M (BMVC 2022), section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from core.embeddings.encoders import ImageConfig, TextConfig, WordConfig
from core.models.inputs import Inputs
from core.models.network import ProductNetwork, encoder_configs

Dropout = Literal["none", "batch", "glami", "every"]  # of modalities, in training


class EmbraceNet(nn.Module):
    """Fuses M modalities of any widths into one vector of C components.

    Docking brings each modality to C components, d_k = relu(W_k x_k + b_k). Embracement then takes
    each component of each sample from one modality, drawn at random in every pass, in training and inference.
    """

    def __init__(self, input_widths: Sequence[int], width: int = 256, bypass_docking: bool = False) -> None:
        """
        Args:
            input_widths: n_k of each modality, in order.
            width: C, components of the fused vector (GLAMI: 512).
            bypass_docking: inputs are (n, C) already and are taken as they are, without relu.
        """
        super().__init__()
        self.width = width
        self.modalities = len(input_widths)
        self.docking = nn.ModuleList(
            nn.Identity() if bypass_docking else nn.Sequential(nn.Linear(n_k, width), nn.ReLU())
            for n_k in input_widths
        )

    def dock(self, inputs: Sequence[Tensor]) -> Tensor:
        """(n, M, C) docked modalities from M tensors of (n, n_k)."""
        if len(inputs) != self.modalities:
            raise ValueError(f"{len(inputs)} inputs for {self.modalities} modalities")
        return torch.stack([dock(x) for dock, x in zip(self.docking, inputs, strict=True)], dim=1)

    def forward(
        self,
        inputs: Sequence[Tensor],
        availabilities: Tensor | None = None,
        selection_probabilities: Tensor | None = None,
        draws: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """One random pass: e[b, c] = d_r[b, c] with r[b, c] ~ q[b].

        Gradients reach only the entries drawn.

        Args:
            inputs: M tensors of (n, n_k).
            availabilities: (n, M), 1 where the sample has the modality; all ones if absent.
            selection_probabilities: (n, M) or (M,), need not sum to one; all ones if absent.
            draws: (n, C) int64 modality of each component, instead of drawing.

        Raises:
            ValueError: a sample has no modality that can be drawn.
        """
        docked = self.dock(inputs)
        if draws is None:
            q = self.probabilities(docked, availabilities, selection_probabilities)
            draws = torch.multinomial(q, self.width, replacement=True, generator=generator)
        return docked.gather(1, draws[:, None, :]).squeeze(1)

    def expected(
        self,
        inputs: Sequence[Tensor],
        availabilities: Tensor | None = None,
        selection_probabilities: Tensor | None = None,
    ) -> Tensor:
        """The expectation over draws, e = sum_k q_k d_k: deterministic; our variant, not in the paper."""
        docked = self.dock(inputs)
        q = self.probabilities(docked, availabilities, selection_probabilities)
        return (q[..., None] * docked).sum(dim=1)

    @staticmethod
    def probabilities(docked: Tensor, availabilities: Tensor | None, selection: Tensor | None) -> Tensor:
        """(n, M) probabilities q of each modality: selection * availability, normalised per row.

        Raises:
            ValueError: a row's sum is zero.
        """
        q = torch.ones(docked.shape[:2], device=docked.device)
        if availabilities is not None:
            q = q * availabilities.to(q)
        if selection is not None:
            q = q * selection.to(q)
        total = q.sum(dim=1, keepdim=True)
        empty = (total.squeeze(1) <= 0).nonzero().flatten().tolist()
        if empty:
            raise ValueError(f"no modality is available in row {', '.join(map(str, empty[:5]))} of the batch")
        return q / total


def one_modality_each(n: int, modalities: int, generator: torch.Generator | None = None) -> Tensor:
    """(n, M) availabilities with exactly one modality per sample, uniformly chosen (as in the official example)."""
    chosen = torch.randint(modalities, (n,), generator=generator)
    return nn.functional.one_hot(chosen, modalities).float()


def one_modality_for_all(n: int, modalities: int, generator: torch.Generator | None = None) -> Tensor:
    """GLAMI's variant: one modality for the whole batch, round(U * (M - 1)).

    With three modalities the middle one is twice as likely as its neighbours (1/4, 1/2, 1/4).
    """
    uniform = torch.rand(1, generator=generator, dtype=torch.float64).item()
    chosen = torch.full((n,), round(uniform * (modalities - 1)))
    return nn.functional.one_hot(chosen, modalities).float()


@dataclass(frozen=True)
class EmbraceNetConfig:
    """GLAMI's classifier: a text encoder and a picture encoder, docked, embraced, one linear layer."""

    text: TextConfig | WordConfig | None = field(default_factory=TextConfig)
    image: ImageConfig | None = field(default_factory=ImageConfig)
    sources: int = 0  # number of label sources, a one-hot third modality; 0: none
    width: int = 256
    dropout: float = 0.0  # of the encoders' features
    modality_dropout: Dropout = "none"
    pattern_weights: tuple[float, ...] = ()  # of `every`: all modalities, then each alone; equal if empty
    label_smoothing: float = 0.0


class EmbraceNetClassifier(ProductNetwork):
    """Products to log-probabilities of their classes."""

    INFERENCES = ("expected", "sampled", "ensemble")

    def __init__(self, config: EmbraceNetConfig, classes: int) -> None:
        super().__init__(config, classes, config.sources)
        self.dropout = nn.Dropout(config.dropout)
        self.fusion = EmbraceNet([self.widths[modality] for modality in self.used], config.width)
        self.head = nn.Linear(config.width, classes)

    def features(self, inputs: Inputs) -> list[Tensor]:
        """(n, n_k) of each modality used, with dropout."""
        return [self.dropout(x) for x in super().features(inputs)]

    def logits(self, features: list[Tensor], available: Tensor) -> Tensor:
        """(n, classes) of the deterministic expectation."""
        return self.head(self.fusion.expected(features, available))

    def contributions(self, inputs: Inputs) -> Tensor:
        """(n, M, classes) contribution of each modality to each logit of the expectation.

        The head is linear in the fused vector and that is a sum over modalities, so that these and the
        head's bias add up to the logits exactly.
        """
        docked = self.fusion.dock(self.features(inputs))
        q = self.fusion.probabilities(docked, self.availabilities(inputs), None)
        return (q[..., None] * docked) @ self.head.weight.T

    def forward(
        self,
        inputs: Inputs,
        inference: str = "sampled",
        passes: int = 1,
        generator: torch.Generator | None = None,
        labels: Tensor | None = None,
        draws: Tensor | None = None,
    ) -> Tensor:
        """(n, classes) log-probabilities; with `labels`, the training loss instead (see `loss`).

        Args:
            inference: `sampled` is one random pass, as published; `ensemble` is the mean of the
                log-probabilities of `passes` of them (normalised again), as the official example's
                ensemble_repeats; `expected` is deterministic, ours.
            draws: for `sampled`, as in EmbraceNet.forward.

        Raises:
            ValueError: a product has none of the modalities.
        """
        if labels is not None:
            return self.loss(inputs, labels, generator)
        features, available = self.features(inputs), self.availabilities(inputs)
        if inference == "expected":
            return self.logits(features, available).float().log_softmax(-1)
        if inference == "sampled":
            passes = 1
        total = torch.zeros((), device=available.device)
        for _ in range(passes):
            fused = self.fusion(features, available, draws=draws, generator=generator)
            total = total + self.head(fused).float().log_softmax(-1)
        return (total / passes).log_softmax(-1)

    def loss(self, inputs: Inputs, labels: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Mean cross-entropy of a batch under the configured modality dropout.

        `every` looks at each product once with all its modalities and once with each alone, from the
        same features: what modality dropout does on average, without its noise.
        """
        features, available = self.features(inputs), self.availabilities(inputs)
        n, modalities = available.shape
        patterns, weights = [available], [1.0]
        dropout = self.config.modality_dropout
        if dropout == "every" and modalities > 1:
            patterns += [
                available * nn.functional.one_hot(torch.tensor(k), modalities).to(available)
                for k in range(modalities)
            ]
            weights = list(self.config.pattern_weights) or [1.0] * len(patterns)
        elif dropout in ("batch", "glami") and torch.rand(1, generator=generator).item() >= 0.5:
            # Both draws are per batch. In the published code the drawn modality REPLACES the availabilities, so that a
            # missing one can be switched on. Here it multiplies them: products without it are not used.
            chosen = one_modality_each if dropout == "batch" else one_modality_for_all
            patterns = [chosen(n, modalities, generator).to(available) * available]
        losses, counted = [], 0.0
        for pattern, weight in zip(patterns, weights, strict=True):
            rows = pattern.sum(1) > 0
            if not bool(rows.any()):
                continue
            fused = self.fusion([x[rows] for x in features], pattern[rows], generator=generator)
            loss = self.cross_entropy(self.head(fused), labels[rows])
            losses.append(weight * loss)
            counted += weight
        if not losses:
            raise ValueError("no product of the batch has any of the modalities")
        return torch.stack(losses).sum() / counted


def build(config: dict[str, Any], classes: int) -> EmbraceNetClassifier:
    """Build the network from config.json.

    Raises:
        TypeError: it says something else.
    """
    made = encoder_configs(config)
    made["pattern_weights"] = tuple(made.get("pattern_weights", ()))
    return EmbraceNetClassifier(EmbraceNetConfig(**made), classes)
