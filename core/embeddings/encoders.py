"""Text and image encoders, in the papers' sizes and tiny.

Both sizes share one interface: a text encoder takes token numbers and their mask, a picture encoder
takes uint8 pixels; each has the `width` of its output. Nothing is downloaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class TextConfig:
    """An mT5 encoder whose token vectors are masked and flattened, as GLAMI does (generate_embeddings)."""

    vocabulary: int = 4_096  # size of the tokenizer's vocabulary
    tokens: int = 32  # maximum length of a text
    d_model: int = 128
    d_kv: int = 32
    d_ff: int = 256
    layers: int = 2
    heads: int = 4
    dropout: float = 0.1
    frozen: bool = False  # True in GLAMI, with precomputed features; the tiny one is trained


@dataclass(frozen=True)
class WordConfig:
    """Word vectors and a recurrent network over them, as MEP-3M's LSTM and BiLSTM."""

    vocabulary: int = 4_096  # words; all others are the unknown word
    tokens: int = 32  # maximum number of words of a text
    vector: int = 100  # dimensions of a word vector (gensim word2vec on the training texts)
    hidden: int = 128  # hidden size, per direction
    bidirectional: bool = False
    frozen: bool = False  # the word vectors only


@dataclass(frozen=True)
class ImageConfig:
    """A residual network with average pooling, and its preprocessing."""

    architecture: Literal["resnet", "resnext50_32x4d", "vgg19", "inception_v3", "tf_efficientnet_lite0"] = (
        "resnet"
    )
    height_px: int = 96
    width_px: int = 72
    stored_height_px: int = 128  # of cached pixels: larger, for random crops and rotations
    stored_width_px: int = 96
    mean: float = 0.5  # of pixels in [0, 1]
    deviation: float = 0.25
    channels: tuple[int, ...] = (32, 64, 128, 256)  # of the stages of the tiny network
    blocks: tuple[int, ...] = (1, 1, 1, 1)
    frozen: bool = False  # features of a few views are precomputed; the network is not trained
    views: int = 3  # per picture, if frozen; the first is the picture itself


TEXT_ENCODERS = {
    "tiny": TextConfig(),
    "mt5-small": TextConfig(250_112, 32, 512, 64, 1_024, 8, 6, dropout=0.1, frozen=True),
}
IMAGE_ENCODERS = {
    "tiny": ImageConfig(),
    "imagenet-lite0": ImageConfig(
        "tf_efficientnet_lite0", 160, 160, 176, 176, mean=0.5, deviation=0.5, frozen=True
    ),
    # GLAMI uses pixels in [0, 1], not standardised by ImageNet's mean and deviation.
    "vgg19": ImageConfig("vgg19", 224, 224, 224, 224),
    "inception-v3": ImageConfig("inception_v3", 299, 299, 299, 299),
    "resnext50-32x4d": ImageConfig("resnext50_32x4d", 298, 228, 298, 228, mean=0.0, deviation=1.0),
}


class TextEncoder(nn.Module):
    """The encoder half of mT5: (n, tokens) numbers to (n, tokens * d_model), padding zeroed."""

    def __init__(self, config: TextConfig) -> None:
        super().__init__()
        from transformers import MT5Config, MT5EncoderModel

        self.config = config
        self.width = config.tokens * config.d_model
        self.encoder = MT5EncoderModel(
            MT5Config(
                vocab_size=config.vocabulary,
                d_model=config.d_model,
                d_kv=config.d_kv,
                d_ff=config.d_ff,
                num_layers=config.layers,
                num_heads=config.heads,
                dropout_rate=config.dropout,
                feed_forward_proj="gated-gelu",
            )
        ).encoder  # without the copy of the embedding in the surrounding model
        if config.frozen:
            self.requires_grad_(False)

    def train(self, mode: bool = True) -> TextEncoder:
        """A frozen encoder stays in evaluation mode, so that its features are constant."""
        return super().train(mode and not self.config.frozen)

    def forward(self, numbers: Tensor, mask: Tensor) -> Tensor:
        """
        Args:
            numbers: (n, tokens) int64.
            mask: (n, tokens) bool, false at padding.
        """
        hidden = self.encoder(input_ids=numbers, attention_mask=mask).last_hidden_state
        return (hidden * mask[..., None]).flatten(1)


class WordEncoder(nn.Module):
    """An LSTM over word vectors: (n, tokens) numbers to its last state, (n, hidden) or twice that."""

    def __init__(self, config: WordConfig) -> None:
        super().__init__()
        self.config = config
        self.width = config.hidden * (2 if config.bidirectional else 1)
        self.vectors = nn.Embedding(config.vocabulary, config.vector, padding_idx=0)
        self.vectors.weight.requires_grad_(not config.frozen)
        self.lstm = nn.LSTM(
            config.vector, config.hidden, batch_first=True, bidirectional=config.bidirectional
        )

    def forward(self, numbers: Tensor, mask: Tensor) -> Tensor:
        """
        Args:
            numbers: (n, tokens) int64.
            mask: (n, tokens) bool, false at padding, which comes last.
        """
        lengths = mask.sum(1).clamp(min=1).cpu()
        packed = nn.utils.rnn.pack_padded_sequence(
            self.vectors(numbers), lengths, batch_first=True, enforce_sorted=False
        )
        _, (last, _) = self.lstm(packed)  # (directions, n, hidden)
        return last.transpose(0, 1).flatten(1)


def text_encoder(config: TextConfig | WordConfig) -> TextEncoder | WordEncoder:
    return WordEncoder(config) if isinstance(config, WordConfig) else TextEncoder(config)


class ImageEncoder(nn.Module):
    """A residual network: (n, 3, height, width) uint8 pixels to (n, width) averaged features."""

    def __init__(self, config: ImageConfig) -> None:
        super().__init__()
        self.config = config
        if config.architecture == "resnet":
            from timm.models.resnet import BasicBlock, ResNet

            block: Any = BasicBlock  # timm's annotation says an instance
            self.network: nn.Module = ResNet(block, config.blocks, channels=config.channels, num_classes=0)
            self.width = config.channels[-1]
        else:
            self.network, self.width = _published(config.architecture)
        self.network = self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if config.frozen:
            self.requires_grad_(False)

    def train(self, mode: bool = True) -> ImageEncoder:
        """A frozen encoder stays in evaluation mode, so that its features are constant."""
        return super().train(mode and not self.config.frozen)

    def forward(self, pixels: Tensor) -> Tensor:
        """
        Args:
            pixels: (n, 3, height, width) uint8, or float in [0, 255] if augmented; resized if the
                size differs.
        """
        pixels, size = pixels.float(), (self.config.height_px, self.config.width_px)
        if pixels.shape[2:] != size:
            pixels = nn.functional.interpolate(pixels, size, mode="bilinear", antialias=True)
        scaled = (pixels / 255 - self.config.mean) / self.config.deviation
        features: Tensor = self.network(scaled.contiguous(memory_format=torch.channels_last))
        return features


def _published(architecture: str) -> tuple[nn.Module, int]:
    """A timm network without its last layer, with random weights, and the width of its features."""
    import timm

    network = timm.create_model(architecture, pretrained=False, num_classes=0)
    widths = {"resnext50_32x4d": 2_048, "vgg19": 4_096, "inception_v3": 2_048, "tf_efficientnet_lite0": 1_280}
    return network, widths[architecture]
