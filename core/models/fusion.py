"""Tensor fusion (TFN) and its low-rank form (LMF), for a picture and a text.

Sources: Zadeh et al. 2017, "Tensor Fusion Network", and Liu et al. 2018, "Efficient Low-rank Multimodal
Fusion"; the code of Justin1904/TensorFusionNetworks and Justin1904/Low-rank-Multimodal-Fusion; their use
for products by MEP-3M (2021), whose sizes are not published.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from core.embeddings.encoders import ImageConfig, TextConfig, WordConfig
from core.models.inputs import IMAGE, TEXT
from core.models.network import ProductNetwork, encoder_configs


def with_one(z: Tensor) -> Tensor:
    """(n, d + 1): prepend 1 to each row, so that the tensor product includes the unimodal terms."""
    return torch.cat([z.new_ones(len(z), 1), z], dim=1)


def tensor_fusion(first: Tensor, *others: Tensor) -> Tensor:
    """[1; first] (x) [1; second] (x) ..., flattened row by row: (n, (d_1 + 1)(d_2 + 1)...).

    Args:
        first, others: (n, d_m), one a modality; the published order is sound, picture, text.
    """
    fused = with_one(first)
    for z in others:
        fused = torch.einsum("ni,nj->nij", fused, with_one(z)).flatten(1)
    return fused


class LowRankFusion(nn.Module):
    """h = sum_r w_r PROD_m [1; z_m] W_m^(r) + b, without computing the tensor."""

    def __init__(
        self, widths: Sequence[int], rank: int, outputs: int, rank_weights: Literal["learned", "one"]
    ) -> None:
        """
        Args:
            rank_weights: `learned`, as the code; `one` sums the ranks plainly, as the paper writes.
        """
        super().__init__()
        self.factors = nn.ParameterList(torch.empty(rank, d + 1, outputs) for d in widths)
        for factor in self.factors:
            nn.init.xavier_normal_(factor)  # of three dimensions: std sqrt(2 / ((d + 1 + rank) outputs))
        weights = torch.ones(1, rank)
        if rank_weights == "learned":
            nn.init.xavier_normal_(weights)
        self.weights = nn.Parameter(weights, requires_grad=rank_weights == "learned")
        self.bias = nn.Parameter(torch.zeros(1, outputs))

    def forward(self, *z: Tensor) -> Tensor:
        """(n, outputs) from one (n, d_m) per modality."""
        product: Tensor | None = None
        for factor, one in zip(self.factors, z, strict=True):
            projected = torch.einsum("nd,rdo->nro", with_one(one), factor)
            product = projected if product is None else product * projected
        assert product is not None
        return torch.einsum("r,nro->no", self.weights[0], product) + self.bias


class PictureSubnet(nn.Sequential):
    """BatchNorm, dropout, three Linear and relu of one width (the port's SubNet)."""

    def __init__(self, inputs: int, hidden: int, dropout: float) -> None:
        layers: list[nn.Module] = [nn.BatchNorm1d(inputs), nn.Dropout(dropout)]
        for width in (inputs, hidden, hidden):
            layers += [nn.Linear(width, hidden), nn.ReLU()]
        super().__init__(*layers)


@dataclass(frozen=True)
class FusionConfig:
    """Both fusions. The published sizes are for other tasks; these are ours, as MEP-3M gives none."""

    fusion: Literal["tfn", "lmf"] = "tfn"
    text: TextConfig | WordConfig | None = field(default_factory=WordConfig)
    image: ImageConfig | None = field(default_factory=ImageConfig)
    picture_hidden: int = 32
    text_out: int = 64
    post_hidden: int = 128  # of tfn's two layers after the fusion
    rank: int = 4  # of lmf
    rank_weights: Literal["learned", "one"] = "learned"
    dropout: float = 0.3
    label_smoothing: float = 0.0
    modality_dropout: float = (
        0.0  # probability of dropping one of two modalities in training; none in the papers
    )


class FusionClassifier(ProductNetwork):
    """Products to classes through TFN or LMF. A missing modality is zeros after its 1."""

    def __init__(self, config: FusionConfig, classes: int) -> None:
        """
        Raises:
            TypeError: the configuration lacks a modality.
        """
        super().__init__(config, classes)
        if self.used != [TEXT, IMAGE]:
            raise TypeError("tensor fusion needs a text and a picture encoder")
        self.picture = PictureSubnet(self.widths[IMAGE], config.picture_hidden, config.dropout)
        self.words = nn.Sequential(nn.Dropout(config.dropout), nn.Linear(self.widths[TEXT], config.text_out))
        if config.fusion == "lmf":
            sizes = config.picture_hidden, config.text_out
            self.fusion: nn.Module = LowRankFusion(sizes, config.rank, classes, config.rank_weights)
        else:
            fused = (config.picture_hidden + 1) * (config.text_out + 1)
            self.fusion = nn.Sequential(
                nn.Dropout(config.dropout),
                nn.Linear(fused, config.post_hidden),
                nn.ReLU(),
                nn.Linear(config.post_hidden, config.post_hidden),
                nn.ReLU(),
                nn.Linear(config.post_hidden, classes),
            )

    def logits(self, features: list[Tensor], available: Tensor) -> Tensor:
        """(n, classes)."""
        text, image = features
        if self.training and self.config.modality_dropout:
            available = self._dropped(available)
        z_text = self.words(text) * available[:, 0:1]
        z_image = self.picture(image) * available[:, 1:2]
        if self.config.fusion == "lmf":
            return self.fusion(z_image, z_text)
        return self.fusion(tensor_fusion(z_image, z_text))

    def _dropped(self, available: Tensor) -> Tensor:
        """Drop one of two available modalities, with equal probability, for some products."""
        kept = available.clone()
        loses = (torch.rand(len(kept)) < self.config.modality_dropout).to(kept.device) & (kept > 0).all(dim=1)
        which = torch.randint(kept.shape[1], (len(kept),)).to(kept.device)
        kept[loses, which[loses]] = 0
        return kept


def build(config: dict[str, Any], classes: int) -> FusionClassifier:
    """Build the network from config.json.

    Raises:
        TypeError: it says something else.
    """
    return FusionClassifier(FusionConfig(**encoder_configs(config)), classes)
