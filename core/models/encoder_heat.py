"""Heat maps of models that read an encoder's vectors: which places of a picture moved its vector towards a class."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from core.embeddings.clip import Encoder
from core.models.inputs import Inputs

POOL = "global_pool"  # what reads the last convolution's map, in timm's networks


def encoder_heat(
    coder: Encoder, network: nn.Module, inputs: Inputs, image: Image.Image, target: int
) -> NDArray[np.float32] | None:
    """Grad-CAM of the encoder's last convolution, of the lead of a class's logit over the mean logit.

    Args:
        network: reads vectors; gives log-probabilities.
        inputs: the product, with its vectors, on the network's device.
        image: its picture.

    Returns:
        (h, w) over the whole picture, largest 1, all 0 where nothing spoke for the class; None for encoders without
        such a map (transformers).

    Source: Selvaraju et al. 2017, "Grad-CAM", equations 1 and 2, arXiv:1610.02391.
    """
    pool = next(
        (module for name, module in coder.model.named_modules() if name.rpartition(".")[2] == POOL), None
    )
    if pool is None:
        return None
    maps: list[Tensor] = []

    def keep(_: nn.Module, given: tuple[Tensor, ...]) -> tuple[Any, ...]:
        maps.append(given[0].detach().requires_grad_())  # what comes before needs no gradient
        return (maps[0], *given[1:])

    hook = pool.register_forward_pre_hook(keep)
    pixels = np.array(coder.preprocessing.pixels(image))[None]
    try:
        with torch.enable_grad():
            vector = coder.model.encode_image(coder.scaled(pixels))
            logs = network(replace(inputs, image_vectors=vector.float().to(inputs.available.device)))
            lead = logs[0, target] - logs[0].mean()
            (gradient,) = torch.autograd.grad(lead, maps[0])
    finally:
        hook.remove()
    if maps[0].dim() != 4:
        return None
    heat = (gradient.mean(dim=(2, 3), keepdim=True) * maps[0].detach()).sum(dim=1).relu()[0].float()
    largest = heat.max()
    return (heat / largest if largest > 0 else heat).cpu().numpy()
