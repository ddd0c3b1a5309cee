"""The two towers that a contrastive training begins from, and how a batch goes through them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from core.embeddings.clip import CONFIG, WEIGHTS, encoder, hub_folder
from core.errors import ModelError, UsageError
from core.training.checkpoints import load_weights, read_tensors
from trainers.clip import PRESETS, configuration, open_towers, train_tokenizer

SCRATCH = "scratch"
TOKENIZER_FILES = ("*.json", "*.txt", "*.model")
LARGEST_FILE = 64 * 2**20  # of a tokenizer
SIGLIP_SCALE, SIGLIP_BIAS = 10.0, -10.0  # Zhai et al. 2023, section 3.2


@dataclass(frozen=True)
class Batch:
    """n correct pairs, and the texts of their partners where there are any."""

    pictures: Tensor  # (n, 3, height, width) uint8, or (n, d) vectors of a frozen tower
    texts: Tensor  # (n, tokens) token numbers or (n, width) before the head; twice as many with the partners' after them
    present: Tensor  # (n,) false where a pair has no partner
    positive: Tensor  # (n,) w^p
    negative: Tensor  # (n,) w^n

    def to(self, device: torch.device) -> Batch:
        return Batch(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))


class Towers(nn.Module):
    """A CLIP whose picture tower may be frozen: then it is given the vectors and never runs.

    Batch normalisation keeps the statistics that it was loaded with, so that parts of a batch give what the whole
    gives; from scratch it learns them.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        clip: Any,
        mean: Sequence[float],
        deviation: Sequence[float],
        frozen: bool,
        chunk: int = 0,
        sigmoid: bool = False,
        learns_statistics: bool = False,
        head: bool = False,
    ) -> None:
        """
        Args:
            mean, deviation: of pixels in [0, 1], a channel each.
            chunk: pictures or texts encoded at a time; the activations of others are computed again in the backward
                pass, which gives the same gradient in less memory (gradient caching: Gao et al. 2021, arXiv:2101.06983).
                0 encodes all at once.
            sigmoid: SigLIP's loss, which has a bias and begins at its own scale.
            head: of the text tower only the last projection is trained: texts are given as what comes before it.

        Raises:
            UsageError: statistics of a batch would be of chunks.
        """
        super().__init__()
        self.clip, self.frozen, self.chunk, self.learns_statistics = clip, frozen, chunk, learns_statistics
        if frozen:
            clip.visual.requires_grad_(False)
        self.projects = head
        if head:
            text_head(clip)
            for name, parameter in clip.named_parameters():
                if not name.startswith("visual.") and name != "logit_scale":
                    parameter.requires_grad_("text_projection" in name)
        self.norms = [m for m in clip.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        if self.norms and learns_statistics and chunk:
            raise UsageError(
                "The picture tower normalises over its batch, which chunks would change: leave out --chunk, or begin from "
                "trained weights."
            )
        self.register_buffer("mean", torch.tensor(mean)[:, None, None] * 255, persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation)[:, None, None] * 255, persistent=False)
        self.bias = nn.Parameter(torch.tensor(SIGLIP_BIAS)) if sigmoid else None
        if sigmoid:
            clip.logit_scale.data.fill_(float(torch.tensor(SIGLIP_SCALE).log()))

    def train(self, mode: bool = True) -> Towers:
        super().train(mode)
        if not self.learns_statistics:
            for norm in self.norms:
                norm.eval()
        return self

    def forward(self, pictures: Tensor, texts: Tensor) -> tuple[Tensor, Tensor]:
        """(n, d) and (m, d) of length 1."""
        seen = pictures if self.frozen else self._parts(self._pixels, pictures)
        read = (
            self._parts(self.clip.encode_text, texts)
            if not self.projects
            else projected(text_head(self.clip), texts)
        )
        return nn.functional.normalize(seen.float(), dim=-1), nn.functional.normalize(read.float(), dim=-1)

    def _pixels(self, pictures: Tensor) -> Tensor:
        scaled = (pictures.float() - self.mean) / self.deviation
        found: Tensor = self.clip.encode_image(scaled.contiguous(memory_format=torch.channels_last))
        return found

    def _parts(self, encode: Callable[[Tensor], Tensor], given: Tensor) -> Tensor:
        if not self.chunk or len(given) <= self.chunk or not torch.is_grad_enabled():
            return encode(given)
        from torch.utils.checkpoint import checkpoint

        parts = [checkpoint(encode, part, use_reentrant=False) for part in given.split(self.chunk)]
        return torch.cat(parts)

    @property
    def scale(self) -> Tensor:
        """What cosines are multiplied with, of a loss that has a temperature."""
        found: Tensor = self.clip.logit_scale.exp().clamp(max=100.0)
        return found


def text_head(clip: Any) -> Any:
    """The module that holds the text tower's last projection.

    Raises:
        UsageError: the tower ends otherwise.
    """
    holder = clip.text if hasattr(clip, "text") else clip
    if not isinstance(getattr(holder, "text_projection", None), nn.Parameter | nn.Linear):
        raise UsageError(
            "Its text tower has no last projection that could be trained alone: leave out --train-text head."
        )
    return holder


def projected(holder: Any, pooled: Tensor) -> Tensor:
    """(n, d) of what comes before the last projection."""
    last = holder.text_projection
    found: Tensor = last(pooled) if isinstance(last, nn.Linear) else pooled @ last
    return found


@torch.no_grad()
def pooled(clip: Any, numbers: Tensor) -> Tensor:
    """(n, width) of a text tower before its last projection: the same at every step where that alone is trained."""
    holder = text_head(clip)
    last = holder.text_projection
    holder.text_projection = None
    try:
        found: Tensor = clip.encode_text(numbers)
    finally:
        holder.text_projection = last
    return found


def lay_out(start: str, folder: Path, texts: Sequence[str]) -> Path | None:
    """Write the configuration and tokenizer of a start into a run's model folder.

    Args:
        start: `scratch`, or an encoder: of the list, a run, or a folder in open_clip's layout.
        texts: a tokenizer is learnt from, for `scratch`.

    Returns:
        The file of the first weights; None for random ones.

    Raises:
        ModelError: there is no such encoder, its weights are not here, or they are no safetensors.
        UsageError: it reads no texts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if start == SCRATCH:
        preset = PRESETS["tiny"]
        train_tokenizer(texts, preset.vocabulary, preset.tokens, folder)
        size = len(json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"])
        described = configuration(replace(preset, vocabulary=size))
        (folder / CONFIG).write_text(json.dumps(described, indent=2) + "\n")
        return None
    spec = encoder(start)
    if not spec.takes_texts:
        raise UsageError(spec.wordless())
    source = spec.folder or hub_folder(spec)
    for pattern in TOKENIZER_FILES:
        for path in sorted(source.glob(pattern)):
            if path.name != CONFIG and path.stat().st_size <= LARGEST_FILE:
                shutil.copyfile(path, folder / path.name)
    try:
        described = json.loads((source / CONFIG).read_text(encoding="utf-8"))
        described["model_cfg"]["vision_cfg"].pop("timm_model_pretrained", None)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{source / CONFIG} is not a configuration of open_clip: {error!r}.") from error
    (folder / CONFIG).write_text(json.dumps(described, indent=2) + "\n")
    return source / WEIGHTS


def open_start(folder: Path, weights: Path | None) -> tuple[Any, Any, dict[str, Any]]:
    """The model of a run's folder with its first weights, its tokenizer, and how it takes pictures.

    Raises:
        ModelError: the weights are missing, a pickle, or of another model.
    """
    try:
        clip, tokenizer = open_towers(folder)
    except Exception as error:  # whatever open_clip, timm or transformers raise
        raise ModelError(f"{folder} cannot be opened as a model of open_clip: {error}") from error
    if weights is not None:
        tensors, _ = read_tensors(weights)
        load_weights(clip, tensors, weights)
    return clip, tokenizer, dict(clip.visual.preprocess_cfg)
