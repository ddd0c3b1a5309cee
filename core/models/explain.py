"""Explanations of a prediction: Grad-CAM, word importance, contributions of modalities, counterfactuals."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.embeddings.tokens import TEXT_CHARACTERS
from core.embeddings.words import CHINESE
from core.images.pictures import open_picture
from core.models.classifier import Classifier, memory_errors
from core.models.data import product_text
from core.models.encoder_heat import encoder_heat
from core.models.inputs import IMAGE, TEXT, Inputs
from core.models.network import ProductNetwork
from core.models.ngrams import NgramClassifier

WORDS = 64  # largest number of words to occlude in a text
READ_AS = {IMAGE: "picture", TEXT: "text"}
HEADS = ("pre_logits", "global_pool")  # modules after the last convolution in timm's networks

Adjust = Callable[[NDArray[np.float32]], NDArray[np.float32]]  # (n, classes) probabilities to others


@dataclass(frozen=True)
class WordImportance:
    """One word of a text, and its importance for the prediction."""

    start: int  # offset in the text
    end: int
    weight: float  # positive: supports the prediction. See `Explanation.exact`
    without: float | None = None  # probability of the prediction without it


@dataclass(frozen=True)
class Counterfactual:
    """A counterfactual: the prediction for a modified input."""

    what: str
    label: str  # predicted class
    probability: float
    kept: float  # probability of the original prediction
    text: str = ""  # the modified text


@dataclass(frozen=True)
class Explanation:
    """The explanation of a prediction. Parts that a network does not support are empty; `missing` has the reason."""

    label: str  # the explained class
    probability: float
    heat: NDArray[np.float32] | None = None  # (h, w) in [0, 1] over the whole picture
    text: str = ""  # of the product, as far as the model reads text
    read: int = 0  # number of characters that were read
    words: list[WordImportance] = field(default_factory=list)
    exact: bool = (
        False  # weights are additive contributions to the logit's margin over the mean, not occlusion effects
    )
    filled: dict[str, float] = field(default_factory=dict)  # EmbraceNet: fraction of components by modality
    shares: dict[str, float] = field(
        default_factory=dict
    )  # EmbraceNet: fraction of the margin; negative: against the class
    changed: list[Counterfactual] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class OtherText:
    """A text that replaces the product's own."""

    what: str  # "with a Greek text of the same product"
    name: str
    description: str


def unchanged(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    return probabilities


def explanation(
    classifier: Classifier,
    image: bytes | Path | None = None,
    name: str | None = None,
    description: str | None = None,
    others: Sequence[OtherText] = (),
    adjust: Adjust = unchanged,
) -> Explanation:
    """Explain the prediction for a product.

    Args:
        others: texts that are tried instead of the product's own.
        adjust: what is done to the network's probabilities before they are shown.

    Raises:
        UsageError, ImageError: as `Classifier.classify`.
        ModelError: the accelerator's memory is exhausted.
    """
    picture = open_picture(image) if image is not None else None
    inputs, _ = classifier.inputs_of(picture, name, description)
    answer = adjust(classifier.predict(inputs))[0]
    target = int(answer.argmax())
    text = product_text((name or "").strip(), (description or "").strip())
    network, device = classifier.network, classifier.device
    found: dict[str, Any] = {}
    missing = []
    if bool(inputs.available[0, IMAGE]):
        with memory_errors(), classifier.lock:
            found["heat"] = picture_heat(network, inputs.to(device), target)
            coder = classifier.picture_encoder()
            if coder is not None and picture is not None:
                found["heat"] = encoder_heat(coder, network, inputs.to(device), picture, target)
        if found["heat"] is None:
            missing.append("This model has no heat map.")
    if bool(inputs.available[0, TEXT]):
        found["text"], found["read"] = text[:TEXT_CHARACTERS], len(read_of(classifier, text))
        found["exact"] = isinstance(network, NgramClassifier)
        found["words"] = word_importances(classifier, text[: found["read"]], inputs, target)
        if not found["words"]:
            missing.append("This model has no word importance.")
    with memory_errors(), classifier.lock:
        found["filled"], found["shares"] = modality_shares(network, inputs.to(device), target)
    return Explanation(
        label=classifier.config.classes[target],
        probability=float(answer[target]),
        changed=counterfactuals(classifier, inputs, target, others, adjust),
        missing=missing,
        **found,
    )


def picture_heat(network: nn.Module, inputs: Inputs, target: int) -> NDArray[np.float32] | None:
    """Grad-CAM of the last convolution: the regions of a picture that support a class.

    relu(sum_k a_k A_k), where a_k is the spatial mean of the gradient of the class's logit with respect to map A_k.
    The map is resized to the whole picture.

    Args:
        inputs: one product with a picture.

    Returns:
        (h, w) of the last convolution, largest 1, all 0 where nothing spoke for it; None for networks
        without such a map.

    Source: Selvaraju et al. 2017, "Grad-CAM", equations 1 and 2, arXiv:1610.02391.
    """
    encoder = getattr(network, "image", None)
    inner = getattr(encoder, "network", None)
    head = next((getattr(inner, name) for name in HEADS if hasattr(inner, name)), None)
    if not isinstance(network, ProductNetwork) or not isinstance(head, nn.Module):
        return None
    maps: list[Tensor] = []

    def keep(_: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor]:
        maps.append(given[0].detach().requires_grad_())  # earlier layers need no gradient
        return (maps[0],)

    hook = head.register_forward_pre_hook(keep)
    try:
        with torch.enable_grad():
            logits = network.logits(network.features(inputs), network.availabilities(inputs))
            (gradient,) = torch.autograd.grad(logits[0, target], maps[0])
    finally:
        hook.remove()
    heat = (gradient.mean(dim=(2, 3), keepdim=True) * maps[0].detach()).sum(dim=1).relu()[0].float()
    largest = heat.max()
    return (heat / largest if largest > 0 else heat).cpu().numpy()


def word_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each word: separated by white space, in Chinese segmented by jieba.

    >>> word_spans("Red  dress")
    [(0, 3), (5, 10)]
    """
    if CHINESE.search(text):
        import jieba

        return [(start, end) for word, start, end in jieba.tokenize(text) if word.strip()]
    return [found.span() for found in re.finditer(r"\S+", text)]


def read_of(classifier: Classifier, text: str) -> str:
    """The part of a text that a model reads."""
    config, tokenizer = classifier.input_config.text, classifier.input_config.tokenizer
    if config is None or tokenizer is None:
        return ""
    return text[: min(tokenizer.reads(text, config.tokens), TEXT_CHARACTERS)]


def word_importances(classifier: Classifier, text: str, inputs: Inputs, target: int) -> list[WordImportance]:
    """The importance of each word of a text for a class; empty for models without it.

    Each of the first WORDS words is occluded, in one batch; its weight is the decrease of the log-probability of the
    class. For TF-IDF weights are exact and need no occlusion.

    Args:
        text: what is read of the text.
        inputs: one product, with that text.
    """
    spans, network = word_spans(text), classifier.network
    tokenizer, config = classifier.input_config.tokenizer, classifier.input_config.text
    if tokenizer is None or config is None or not spans:
        return []
    if isinstance(network, NgramClassifier):
        numbers, _ = tokenizer.encode([text[start:end] for start, end in spans], config.tokens)
        weights = ngram_weights(network, numbers, target)
        return [WordImportance(*span, float(weight)) for span, weight in zip(spans, weights, strict=True)]
    if not isinstance(network, ProductNetwork):
        return []
    spans = spans[:WORDS]
    ends = [start for start, _ in spans[1:]] + [len(text)]  # includes the following space
    numbers, mask = tokenizer.encode(
        [text, *(text[: span[0]] + text[end:] for span, end in zip(spans, ends, strict=True))],
        config.tokens,
    )
    logs = _logs_of_texts(classifier, inputs, numbers, mask)[:, target]
    return [
        WordImportance(*span, float(logs[0] - log), float(np.exp(log)))
        for span, log in zip(spans, logs[1:], strict=True)
    ]


def _logs_of_texts(
    classifier: Classifier, inputs: Inputs, numbers: NDArray[np.int64], mask: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """(n, classes) log-probabilities of one product with n texts; its picture is encoded once."""
    network, device, n = classifier.network, classifier.device, len(numbers)
    with memory_errors(), classifier.lock, torch.inference_mode():
        one = inputs.to(device)
        features = [x.expand(n, *x.shape[1:]) for x in network.features(one)]
        # A text without remaining words is an empty text, not a missing one.
        available = torch.tensor([[True, False, False]], device=device).expand(n, 3)
        read = Inputs(
            available,
            torch.from_numpy(numbers).to(device),
            torch.from_numpy(mask).to(device),
            one.pixels.expand(n, *one.pixels.shape[1:]),
            one.source.expand(n),
        )
        at = network.used.index(TEXT)
        features[at] = network.features(read)[at]
        logits = network.logits(features, network.availabilities(one).expand(n, -1))
        return np.asarray(logits.float().log_softmax(-1).cpu().numpy())


def ngram_weights(network: NgramClassifier, numbers: NDArray[np.int64], target: int) -> NDArray[np.float64]:
    """(words,) exact contribution of each word to the margin of a class's logit over the mean logit.

    The logit is linear in a text's n-grams, and each n-gram is within one word. The contributions and the margin of the
    biases sum to the margin.

    Args:
        numbers: (words, tokens) n-grams of each word alone, 0 where there is none.
    """
    left, kept = network.config.text.tokens, np.zeros_like(numbers)
    for row, word in enumerate(numbers):  # the text is truncated after so many n-grams
        many = min(int((word > 0).sum()), left)
        kept[row, :many] = word[:many]
        left -= many
    idf = network.idf.detach().cpu().double().numpy()
    weight = network.head.weight.detach().cpu().double().numpy()
    lead = weight[target] - weight.mean(axis=0)
    counts = np.bincount(kept[kept > 0], minlength=len(idf))
    length = float(np.linalg.norm(counts * idf)) or 1.0
    return np.where(kept > 0, (idf * lead)[kept], 0).sum(axis=1) / length


def modality_shares(network: Any, inputs: Inputs, target: int) -> tuple[dict[str, float], dict[str, float]]:
    """EmbraceNet: the fraction of fused components by modality, and of a class's margin by modality.

    The first depends only on the available modalities, since components are drawn at random. The second is of the
    margin of the class's logit over the mean logit, without the bias; negative: against the class. Both sum to 1, and
    are empty for other networks or without a margin.
    """
    if not hasattr(network, "contributions"):
        return {}, {}
    with torch.inference_mode():
        parts = network.contributions(inputs)[0].float().cpu()  # (M, classes)
    named = {
        row: READ_AS[modality]
        for row, modality in enumerate(network.used)
        if modality in READ_AS and bool(inputs.available[0, modality])
    }
    filled = {side: 1 / len(named) for side in named.values()}
    lead = parts[:, target] - parts.mean(dim=1)
    total = float(lead.sum())
    shares = {side: float(lead[row]) / total for row, side in named.items()} if total > 0 else {}
    return filled, shares


def counterfactuals(
    classifier: Classifier,
    inputs: Inputs,
    target: int,
    others: Sequence[OtherText] = (),
    adjust: Adjust = unchanged,
) -> list[Counterfactual]:
    """The predictions without the picture, without the text, and with other texts, as far as supported."""
    asked: list[tuple[str, Inputs, str]] = []
    has_text, has_picture = bool(inputs.available[0, TEXT]), bool(inputs.available[0, IMAGE])
    if has_text and has_picture:
        asked = [
            ("without the picture", inputs.without(IMAGE), ""),
            ("without the text", inputs.without(TEXT), ""),
        ]
    tokenizer, config = classifier.input_config.tokenizer, classifier.input_config.text
    for other in others:
        text = product_text(other.name, other.description)
        if tokenizer is None or config is None or not text.strip():
            continue
        numbers, mask = tokenizer.encode([text], config.tokens)
        available = inputs.available.clone()
        available[:, TEXT] = True
        read = torch.from_numpy(numbers), torch.from_numpy(mask)
        asked.append((other.what, Inputs(available, *read, inputs.pixels, inputs.source), text))
    found = []
    for what, changed, text in asked:
        probabilities = adjust(classifier.predict(changed))[0]
        first = int(probabilities.argmax())
        found.append(
            Counterfactual(
                what,
                classifier.config.classes[first],
                float(probabilities[first]),
                float(probabilities[target]),
                text,
            )
        )
    return found
