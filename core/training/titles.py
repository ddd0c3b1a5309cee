"""Display names of networks, from the configuration of a preset or a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FUSIONS = {"tfn": "Tensor fusion (TFN)", "lmf": "Low-rank fusion (LMF)"}
PICTURES = {
    "resnet": "Residual network",
    "resnext50_32x4d": "ResNeXt-50",
    "vgg19": "VGG-19",
    "inception_v3": "Inception v3",
}
TITLES = {
    "embracenet": "EmbraceNet",
    "ngrams": "TF-IDF, logistic regression",
    "clip": "CLIP",
    "probe": "Linear probe",
}


def title_of(architecture: str, model: Mapping[str, Any]) -> str:
    """The display name of a network.

    Args:
        model: the configuration of the architecture, as in config.json.

    >>> title_of("single", {"text": {"hidden": 8, "bidirectional": True}, "image": None})
    'BiLSTM'
    """
    if architecture == "fusion":
        return FUSIONS.get(str(model.get("fusion")), "Tensor fusion")
    if architecture == "contrastive":
        return f"CLIP by pairs, variant {model['variant']}" if model.get("variant") else "CLIP by pairs"
    if architecture == "single":
        text, image = model.get("text"), model.get("image")
        if isinstance(image, Mapping):
            name = str(image.get("architecture"))
            return PICTURES.get(name, name)
        if isinstance(text, Mapping) and "bidirectional" in text:
            return "BiLSTM" if text["bidirectional"] else "LSTM"
        return "mT5 encoder"
    return TITLES.get(architecture, architecture)
