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
from core.models.inputs import IMAGE, TEXT, Inputs
from core.models.network import ProductNetwork
from core.models.ngrams import NgramClassifier

WORDS = 64  # left out one by one, of one text
READ_AS = {IMAGE: "picture", TEXT: "text"}
HEADS = ("pre_logits", "global_pool")  # what reads the last convolution's map, in timm's networks

Adjust = Callable[[NDArray[np.float32]], NDArray[np.float32]]  # (n, classes) probabilities to others


@dataclass(frozen=True)
class WordImportance:
    """One word of a text, and its importance for the prediction."""

    start: int  # where it stands in the text
    end: int
    weight: float  # positive: supports the prediction. See `Explanation.exact`
    without: float | None = None  # probability of the answer without it


@dataclass(frozen=True)
class Counterfactual:
    """What would have been said of the product with something else given."""

    what: str
    label: str  # the likeliest class then
    probability: float
    kept: float  # what is left of the probability of the answer that was given
    text: str = ""  # that was tried


@dataclass(frozen=True)
class Explanation:
    """What decided about one product. What a network cannot tell is empty, and `missing` says why."""

    label: str  # the answer that is explained
    probability: float
    heat: NDArray[np.float32] | None = None  # (h, w) in [0, 1] over the whole picture
    text: str = ""  # that was given, as far as a model looks at all
    read: int = 0  # characters of it that were read
    words: list[WordImportance] = field(default_factory=list)
    exact: bool = (
        False  # weights are what a word adds to the logit's lead over the mean, not what its loss changes
    )
    filled: dict[str, float] = field(default_factory=dict)  # EmbraceNet: share of components by modality
    shares: dict[str, float] = field(
        default_factory=dict
    )  # EmbraceNet: of the lead; below 0 it spoke against
    changed: list[Counterfactual] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class OtherText:
    """A text to be put in the place of the product's own."""

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
    """What decided about one product.

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
    """Grad-CAM of the last convolution: which places of the picture spoke for a class.

    relu(sum_k a_k A_k), a_k being the mean over places of the class' logit's gradient by the map A_k.
    The picture was stretched to the network's size, so that the map is stretched back over the whole of it.

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
        maps.append(given[0].detach().requires_grad_())  # what comes before needs no gradient
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
    """Where each word begins and ends: runs without a space, in Chinese what jieba calls a word.

    >>> word_spans("Red  dress")
    [(0, 3), (5, 10)]
    """
    if CHINESE.search(text):
        import jieba

        return [(start, end) for word, start, end in jieba.tokenize(text) if word.strip()]
    return [found.span() for found in re.finditer(r"\S+", text)]


def read_of(classifier: Classifier, text: str) -> str:
    """The part of a text that a model reads."""
    config, tokenizer = classifier.readings.text, classifier.readings.tokenizer
    if config is None or tokenizer is None:
        return ""
    return text[: min(tokenizer.reads(text, config.tokens), TEXT_CHARACTERS)]


def word_importances(classifier: Classifier, text: str, inputs: Inputs, target: int) -> list[WordImportance]:
    """The importance of each word of a text for a class; empty for models without it.

    Networks are asked again without each of the first WORDS words, in one batch: a word's weight is by how
    much the logarithm of the class' probability falls. TF-IDF's are exact, and are not asked again.

    Args:
        text: what is read of the text.
        inputs: one product, with that text.
    """
    spans, network = word_spans(text), classifier.network
    tokenizer, config = classifier.readings.tokenizer, classifier.readings.text
    if tokenizer is None or config is None or not spans:
        return []
    if isinstance(network, NgramClassifier):
        numbers, _ = tokenizer.encode([text[start:end] for start, end in spans], config.tokens)
        weights = ngram_weights(network, numbers, target)
        return [WordImportance(*span, float(weight)) for span, weight in zip(spans, weights, strict=True)]
    if not isinstance(network, ProductNetwork):
        return []
    spans = spans[:WORDS]
    ends = [start for start, _ in spans[1:]] + [len(text)]  # the space after a word goes with it
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
    """(n, classes) log-probabilities of one product with n texts; its picture is looked at once."""
    network, device, n = classifier.network, classifier.device, len(numbers)
    with memory_errors(), classifier.lock, torch.inference_mode():
        one = inputs.to(device)
        features = [x.expand(n, *x.shape[1:]) for x in network.features(one)]
        # A text of which nothing is left is still read, as an empty one.
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
    """(words,) what each word adds to the lead of a class' logit over the mean logit, exactly.

    The logit is linear in a text's n-grams, and each n-gram lies in one word. All words' and the lead of the
    biases add up to the lead.

    Args:
        numbers: (words, tokens) n-grams of each word alone, 0 where there is none.
    """
    left, kept = network.config.text.tokens, np.zeros_like(numbers)
    for row, word in enumerate(numbers):  # the text was cut after so many n-grams
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
    """Of an EmbraceNet: the share of fused components that each modality fills, and of a class' lead that it brought.

    Components are drawn by chance, so that the first is the same for every product that has the same
    modalities. The second is of the lead of the class' logit over the mean logit, without the bias; below 0 a
    modality spoke against the class. Both sum to 1, and are empty for other networks, or where there is no lead.
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
    """The answers without the picture, without the text, and with other texts, as far as they can be asked for."""
    asked: list[tuple[str, Inputs, str]] = []
    has_text, has_picture = bool(inputs.available[0, TEXT]), bool(inputs.available[0, IMAGE])
    if has_text and has_picture:
        asked = [
            ("without the picture", inputs.without(IMAGE), ""),
            ("without the text", inputs.without(TEXT), ""),
        ]
    tokenizer, config = classifier.readings.tokenizer, classifier.readings.text
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
