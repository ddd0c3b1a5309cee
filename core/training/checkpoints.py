"""Read and write weights and training states as safetensors, atomically and without pickles."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ModelError
from core.storage import storage_errors

if TYPE_CHECKING:
    from torch import Tensor, nn, optim

PICKLES = (
    b"PK\x03\x04",
    b"\x80\x02",
    b"\x80\x03",
    b"\x80\x04",
    b"\x80\x05",
)  # of torch.save, and plain pickles


def write_tensors(path: Path, tensors: dict[str, Tensor], notes: dict[str, Any]) -> None:
    """Write tensors and JSON notes as one safetensors file, all or nothing.

    Raises:
        StorageError: the folder cannot be written, or the disk is full.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with storage_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
            save_file(kept, temporary, metadata={"notes": json.dumps(notes, sort_keys=True)})
            temporary.replace(path)
        except SafetensorError as error:  # has the errno only in its message
            if number := re.search(r"os error (\d+)", str(error)):
                raise OSError(int(number[1]), os.strerror(int(number[1]))) from error
            raise
        finally:
            temporary.unlink(missing_ok=True)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and notes of a safetensors file.

    Raises:
        ModelError: the file is missing, a pickle, truncated, or not safetensors.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with path.open("rb") as file:
            head = file.read(9)
    except OSError as error:
        raise ModelError(f"There are no weights at {path} ({error.strerror}).") from error
    # A safetensors file starts with its header's length, of which 1,152 looks like a pickle; byte 8 starts the header.
    if head.startswith(PICKLES) and head[8:] != b"{":
        raise ModelError(
            f"{path} is a pickle, which can run arbitrary code when loaded: Vitrine does not open it. "
            "Weights are safetensors files."
        )
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            notes = json.loads((file.metadata() or {}).get("notes", "{}"))
            if not isinstance(notes, dict):
                raise ValueError(f"its metadata is {type(notes).__name__} instead of an object")
    except (SafetensorError, OSError, ValueError, RecursionError, OverflowError) as error:
        raise ModelError(
            f"{path} is truncated or is not a safetensors file ({error}). Train or download it again."
        ) from error
    return tensors, notes


def load_weights(model: nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    """Load weights into a model; names and shapes must match exactly.

    Raises:
        ModelError: names or shapes differ.
    """
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    given = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if wanted != given:
        differ = sorted(name for name in wanted.keys() | given.keys() if wanted.get(name) != given.get(name))
        first = differ[0]
        raise ModelError(
            f"The weights in {path} are of another model: {len(differ)} tensors differ, first {first} "
            f"(needed {wanted.get(first, 'none')}, found {given.get(first, 'none')})."
        )
    model.load_state_dict(tensors)


def weights_digest(path: Path) -> str:
    """Twelve hexadecimal digits of a digest of the weights."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def optimizer_tensors(model: nn.Module, optimizer: optim.Optimizer) -> dict[str, Tensor]:
    """An optimiser's state by parameter name: `exp_avg.fusion.weight` and so on."""
    import torch

    found = {}
    for name, parameter in model.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            found[f"{key}.{name}"] = torch.as_tensor(value)
    return found


def load_optimizer(model: nn.Module, optimizer: optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """The inverse of `optimizer_tensors`."""
    for name, parameter in model.named_parameters():
        state = {
            key.removesuffix(f".{name}"): value
            for key, value in tensors.items()
            if key.endswith(f".{name}") and "." not in key.removesuffix(f".{name}")
        }
        if state:
            optimizer.state[parameter] = {
                key: value.clone() if value.dim() == 0 else value.to(parameter.device, copy=True)
                for key, value in state.items()
            }
