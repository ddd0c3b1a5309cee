"""Checkpoints that their authors publish as a pickle, converted once to safetensors by whoever has the file.

This is the only place that opens one: with torch's `weights_only`, which builds tensors and runs no code of the file, and
its tensors have to be those of the network by name and shape.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.embeddings.clip import CONFIG, WEIGHTS, EncoderSpec
from core.errors import ModelError
from core.storage import storage_errors
from core.training.checkpoints import load_weights, write_tensors

if TYPE_CHECKING:
    from torch import Tensor

KEY = "CLIP"  # of the network in OpenFashionCLIP's checkpoint
LARGEST_BYTES = 4 * 2**30
# CLIP's own, as open_clip's ViT-B-32 without a tag has it: the authors load that and replace the weights.
PREPROCESSING = {
    "mean": [0.48145466, 0.4578275, 0.40821073],
    "std": [0.26862954, 0.26130258, 0.27577711],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}


def convert(spec: EncoderSpec, file: Path, network: dict[str, Any] | None = None) -> Path:
    """Write a checkpoint in open_clip's layout, where the list of encoders looks for it.

    Args:
        file: the authors' checkpoint, a dictionary whose `CLIP` is the network's state.
        network: open_clip's configuration; None is that of the spec's model.

    Returns:
        The folder.

    Raises:
        ModelError: the encoder needs no conversion, or the file is missing, no checkpoint, or of another network.
        StorageError: the folder cannot be written.
    """
    import open_clip

    if spec.weights != "converted" or spec.folder is None:
        raise ModelError(f"{spec.name} needs no conversion.")
    state = state_in(read_checkpoint(file, spec.name), KEY, file, spec.name)
    described = network or open_clip.get_model_config(spec.model)
    model = open_clip.CLIP(**{**described, "output_dict": False})
    tensors = {name: tensor.float() for name, tensor in state.items()}
    load_weights(model, tensors, file)
    target = spec.folder
    aside = target.with_name(f".{target.name}")
    with storage_errors(target.parent):
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        config = {"model_cfg": described, "preprocess_cfg": PREPROCESSING}
        (aside / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        write_tensors(aside / WEIGHTS, tensors, {"from": file.name})
        shutil.rmtree(target, ignore_errors=True)
        aside.rename(target)
    return target


def read_checkpoint(file: Path, what: str, known: Sequence[Any] = ()) -> Any:
    """What a checkpoint holds, read without running code of it.

    Args:
        what: the name of what it should be, for messages.
        known: classes that it may hold beside tensors, or (class, name in the file), as torch's safe_globals.

    Raises:
        ModelError: it is missing, too large, or needs code to be read.
    """
    import torch

    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise ModelError(f"{file} is larger than {LARGEST_BYTES >> 30} GB: no checkpoint of {what}.")
        with torch.serialization.safe_globals(list(known)):
            return torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelError(f"There is no checkpoint at {file} ({error.strerror}).") from error
    except ModelError:
        raise
    except Exception as error:  # whatever torch, pickle or zipfile raise on a file that anybody may have made
        raise ModelError(
            f"{file} cannot be read as weights alone, without running its code: {str(error).splitlines()[0][:160]}"
        ) from error


def state_in(found: Any, key: str, file: Path, what: str) -> dict[str, Tensor]:
    """The tensors under a key of a checkpoint.

    Raises:
        ModelError: there are none.
    """
    import torch

    state = found.get(key) if isinstance(found, dict) else None
    if not isinstance(state, dict) or not all(isinstance(x, torch.Tensor) for x in state.values()):
        raise ModelError(f"{file} has no tensors under {key!r}: it is no checkpoint of {what}.")
    return {str(name): tensor for name, tensor in state.items()}
