"""The bundled encoder of pictures and texts: a published picture network, colours, and a small reader of words.

A picture's vector is the published network's features, projected, beside the directions of its colours; a text's is what
`TextTower` makes of its pieces. Neither half needs the other to be loaded, and both are compared by cosine.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.embeddings import colours
from core.embeddings.clip import LITE, QUERY_CHARACTERS, Encoder, EncoderSpec, Preprocessing
from core.embeddings.inference import quickened
from core.errors import ModelError
from core.settings import ASSETS
from core.training.checkpoints import load_weights, read_tensors

TRUNK = "visual.trunk."
PUBLISHED = ASSETS / "models" / "imagenet-lite0" / "model.safetensors"
CONFIG, WEIGHTS, TOKENIZER = LITE, "model.safetensors", "tokenizer.json"


@dataclass(frozen=True)
class LiteConfig:
    """Sizes of both halves."""

    architecture: str = "tf_efficientnet_lite0"
    features: int = 1_280  # of the picture network
    size: int = 160  # pixels each way
    meaning: int = 448  # numbers of a vector that say what a thing is; the others say its colours
    colour: float = 0.2  # length of a picture's colours, its meaning's being the rest of 1
    vocabulary: int = 16_000
    width: int = 224  # of a piece
    tokens: int = 48  # read of a text

    @property
    def dimensions(self) -> int:
        return self.meaning + colours.PROTOTYPES


class PictureTower(nn.Module):
    """(n, 3, size, size) pixels in [-1, 1] to (n, d) of length 1."""

    def __init__(self, config: LiteConfig) -> None:
        super().__init__()
        import timm

        self.config = config
        self.trunk: nn.Module = timm.create_model(config.architecture, pretrained=False, num_classes=0)
        self.project = nn.Linear(config.features, config.meaning)
        self.colour_mean: Tensor
        self.register_buffer("colour_mean", torch.zeros(colours.PROTOTYPES))

    def forward(self, pixels: Tensor) -> Tensor:
        return self.joined(self.trunk(pixels), colours.histogram((pixels + 1) / 2))

    def joined(self, features: Tensor, found: Tensor) -> Tensor:
        """(n, d) of length 1.

        Args:
            features: (n, features) of the trunk, 0 or more.
            found: (n, PROTOTYPES) from `colours.histogram`.
        """
        meaning = nn.functional.normalize(self.project(features.clamp(min=0).sqrt()), dim=-1)
        colour = colours.direction(found, self.colour_mean)
        share = self.config.colour
        return torch.cat([(1 - share**2) ** 0.5 * meaning, share * colour], dim=-1)


class TextTower(nn.Module):
    """(n, tokens) numbers of pieces to (n, d): the sum of what each piece points at, so that what says nothing adds nothing."""

    def __init__(self, config: LiteConfig) -> None:
        super().__init__()
        self.pieces = nn.Embedding(config.vocabulary, config.width, padding_idx=0)
        self.outer = nn.Linear(config.width, config.dimensions, bias=False)

    def forward(self, numbers: Tensor) -> Tensor:
        found: Tensor = self.outer(self.pieces(numbers).sum(dim=1))
        return found


class LiteClip(nn.Module):
    """Both towers, named as open_clip names them."""

    def __init__(self, config: LiteConfig) -> None:
        super().__init__()
        self.config = config
        self.visual, self.text = PictureTower(config), TextTower(config)
        self.logit_scale = nn.Parameter(torch.tensor(float(np.log(20.0))), requires_grad=False)

    def encode_image(self, pixels: Tensor) -> Tensor:
        found: Tensor = self.visual(pixels)
        return found

    def encode_text(self, numbers: Tensor) -> Tensor:
        found: Tensor = self.text(numbers)
        return found


class Pieces:
    """A tokenizer's file as what makes numbers of texts."""

    def __init__(self, path: Path, tokens: int) -> None:
        """
        Raises:
            ModelError: it is missing or no tokenizer.
        """
        import tokenizers

        if not path.is_file():
            raise ModelError(f"There is no {path}.")
        try:
            self.inner = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # tokenizers raises nothing narrower
            raise ModelError(f"{path} is no tokenizer: {error}") from error
        self.inner.enable_truncation(tokens)
        self.inner.enable_padding()

    def __call__(self, texts: Sequence[str]) -> Tensor:
        """(n, tokens of the longest) int64, 0 where a text has ended."""
        return torch.tensor([found.ids for found in self.inner.encode_batch(list(texts))])

    def reads(self, text: str) -> int:
        """Characters up to where the last piece that is read ends; all where it is read whole."""
        found = self.inner.encode(text)
        return int(found.offsets[-2][1]) if found.overflowing else len(text)


class LiteEncoder(Encoder):
    """See `Encoder`; loaded from CONFIG, WEIGHTS and TOKENIZER of a folder."""

    at_once = 16  # maps of more do not stay in a processor's cache

    def __init__(self, spec: EncoderSpec, device: str | None = None) -> None:
        """
        Raises:
            ModelError: the folder's files are missing, cut short, or of another network.
        """
        self.spec = spec
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        folder = spec.folder or Path()
        config = read_config(folder)
        self.model = LiteClip(config)
        load_weights(self.model, tensors_of(folder), folder / WEIGHTS)
        self.tokenizer = Pieces(folder / TOKENIZER, config.tokens)
        self.model = self.model.eval().to(self.device)
        self.weights = self.digest()
        if self.device == "cpu":
            self.model.visual.trunk = quickened(self.model.visual.trunk)
        self.preprocessing = Preprocessing(config.size, config.size, "squash", "bilinear")
        self._mean = torch.full((3, 1, 1), 127.5, device=self.device)
        self._deviation = self._mean
        self._width = config.dimensions

    @property
    def dimensions(self) -> int:
        return self._width

    def reads(self, text: str) -> int:
        """How many characters of a text make its vector; what comes after them changes nothing."""
        return self.tokenizer.reads(text[:QUERY_CHARACTERS])


def tensors_of(folder: Path) -> dict[str, Tensor]:
    """The tensors of an encoder, with the published picture network's from where these lie once for all.

    Raises:
        ModelError: a file is missing or cut short.
    """
    tensors, _ = read_tensors(folder / WEIGHTS)
    if not any(name.startswith(TRUNK) for name in tensors):
        shared, _ = read_tensors(PUBLISHED)
        tensors |= {TRUNK + name: tensor for name, tensor in shared.items()}
    return tensors


def read_config(folder: Path) -> LiteConfig:
    """
    Raises:
        ModelError: it is missing, or describes another network.
    """
    try:
        described: dict[str, Any] = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        return LiteConfig(**described)
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"{folder / CONFIG} describes no encoder of Vitrine's: {error!r}.") from error


def write_config(folder: Path, config: LiteConfig) -> None:
    """See `core.storage.storage_errors` for what the caller sees of a full disk."""
    (folder / CONFIG).write_text(json.dumps(asdict(config), indent=2) + "\n", encoding="utf-8")
