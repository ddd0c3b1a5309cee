"""Explanations of networks whose reasons are known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from core.embeddings.encoders import ImageConfig, WordConfig
from core.embeddings.ngrams import train_ngrams
from core.embeddings.tokenizers import open_tokenizer
from core.errors import ModelError
from core.models.classifier import Classifier
from core.models.data import InputConfig
from core.models.explain import HEADS, OtherText, explanation, picture_heat, word_importances, word_spans
from core.models.fusion import FusionClassifier, FusionConfig
from core.models.inputs import TEXT
from core.models.loading import loaded
from core.models.network import ProductNetwork
from core.models.ngrams import NgramClassifier, NgramConfig, NgramText
from core.models.single import SingleClassifier, SingleConfig
from core.training.runs import RunConfig
from tests.toy import picture

SMALL = ImageConfig(
    height_px=32, width_px=24, stored_height_px=32, stored_width_px=24, channels=(4, 4, 4, 4)
)  # fmt: skip


def classifier_of(network: Any, tokenizer: Any = None, classes: int = 2) -> Classifier:
    """A network in its place, without a run."""
    names = [f"class {number}" for number in range(classes)]
    config = RunConfig("single", {}, {}, names, "toy", "", "MIT", "toy")
    network.eval()
    input_config = InputConfig(names, network.config.text, network.config.image, tokenizer)
    return Classifier(config, network, input_config, Path())


def words(folder: Path, *known: str) -> Any:
    (folder / "words.json").write_text(json.dumps({"words": ["<pad>", "<unk>", *known]}).replace('": ', '":'))
    return open_tokenizer(folder / "words.json")


class RedAndGreen(nn.Module):
    """Two maps, a quarter of the picture's size: how red and how green each place is."""

    def __init__(self) -> None:
        super().__init__()
        self.global_pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())

    def forward(self, pixels: Tensor) -> Tensor:
        maps = nn.functional.avg_pool2d(pixels, 4).relu()[:, :2]
        return self.global_pool(maps)  # type: ignore[no-any-return]


def red_or_green() -> Classifier:
    network = SingleClassifier(SingleConfig(image=SMALL), 2)
    assert network.image is not None
    network.image.network, network.widths[1] = RedAndGreen(), 2
    network.head = nn.Sequential(nn.Linear(2, 2, bias=False))
    network.head[0].weight.data = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
    return classifier_of(network)


def test_the_heat_is_where_the_class_is_decided() -> None:
    seen = np.zeros((32, 24, 3), np.uint8)
    seen[4:12, 16:24, 0] = 255  # red, in the second and third row of the map, the last two columns
    seen[24:32, 0:4, 1] = 200  # less green, below at the left
    classifier = red_or_green()
    inputs, _ = classifier.inputs_of(Image.fromarray(seen))
    red, green = (picture_heat(classifier.network, inputs, target) for target in (0, 1))
    assert red is not None and green is not None and red.shape == (8, 6)
    expected = np.zeros((8, 6), np.float32)
    expected[1:3, 4:6] = 1
    assert np.allclose(red, expected)
    assert np.argwhere(green == 1).tolist() == [[6, 0], [7, 0]] and green[:6].max() == 0
    told = explanation(classifier, picture_bytes(seen))
    assert told.label == "class 0" and told.heat is not None and told.words == [] and told.changed == []


def picture_bytes(pixels: np.ndarray) -> bytes:
    import io

    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def test_nothing_that_speaks_for_it_is_no_heat() -> None:
    classifier = red_or_green()
    inputs, _ = classifier.inputs_of(Image.new("RGB", (24, 32), "blue"))
    heat = picture_heat(classifier.network, inputs, 0)
    assert heat is not None and heat.max() == 0


@pytest.mark.parametrize("name", ["resnext50_32x4d", "vgg19", "inception_v3"])
def test_published_networks_have_the_place_that_is_looked_at(name: str) -> None:
    import timm

    with torch.device("meta"):
        network = timm.create_model(name, pretrained=False, num_classes=0)
    assert any(isinstance(getattr(network, head, None), nn.Module) for head in HEADS)


def test_hooks_are_taken_away_and_weights_untouched(toy_home: Path) -> None:
    classifier = loaded("toy-run")
    before = classifier.classify(picture("hats"), "taška").labels
    told = explanation(classifier, picture("hats"), "taška")
    assert told.heat is not None and told.heat.shape == (1, 1)  # 32 x 24 px, halved five times
    assert classifier.classify(picture("hats"), "taška").labels == before
    assert all(parameter.grad is None for parameter in classifier.network.parameters())


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", []), ("  a\n bc ", ["a", "bc"]), ("红色连衣裙", ["红色", "连衣裙"])],
)
def test_words(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in word_spans(text)] == expected


def test_the_word_that_decides_comes_first(tmp_path: Path) -> None:
    torch.manual_seed(0)
    tokenizer = words(tmp_path, "red", "dress", "new")
    network = SingleClassifier(SingleConfig(text=WordConfig(5, 6, 4, 3)), 2)
    classifier = classifier_of(network, tokenizer)
    optimizer = torch.optim.Adam(network.parameters(), 0.1)
    texts = ["red dress", "new dress new", "dress", "new red", "new", "red new dress"]
    numbers, mask = tokenizer.encode(texts, 6)
    batch, _ = classifier.inputs_of(None, "red")
    batch = type(batch)(
        batch.available.expand(6, 3), torch.from_numpy(numbers), torch.from_numpy(mask),
        batch.pixels.expand(6, 3, 1, 1), batch.source.expand(6),
    )  # fmt: skip
    labels = torch.tensor([1 if "red" in text else 0 for text in texts])
    for _ in range(60):
        loss = network(batch, labels=labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    told = explanation(classifier, None, "new dress", "red new")
    assert told.label == "class 1"
    first = max(told.words, key=lambda word: word.weight)
    assert told.text[first.start : first.end] == "red"
    assert first.without is not None and first.without < 0.3 < told.probability
    assert (
        explanation(classifier, None, "red").words[0].without is not None
    )  # nothing is left of the text then


def test_looking_at_the_picture_once_gives_what_asking_again_would(toy_home: Path, tmp_path: Path) -> None:
    tokenizer = words(tmp_path, "taška", "nová")
    text = WordConfig(4, 6, 4, 3)
    fused = FusionConfig(fusion="tfn", text=text, image=SMALL)
    low_rank = FusionConfig(fusion="lmf", text=text, image=SMALL)
    for classifier in (
        loaded("toy-run"),
        classifier_of(FusionClassifier(fused, 2), tokenizer),
        classifier_of(FusionClassifier(low_rank, 2), tokenizer),
    ):
        inputs, _ = classifier.inputs_of(Image.new("RGB", (30, 40), "green"), "nová taška Alba")
        found = word_importances(classifier, "nová taška Alba", inputs, 0)
        again, _ = classifier.inputs_of(Image.new("RGB", (30, 40), "green"), "nová Alba")
        assert found[1].without == pytest.approx(float(classifier.predict(again)[0, 0]), abs=1e-5)
        alone = word_importances(classifier, "nová", inputs.without(TEXT), 0)
        assert len(alone) == 1 and alone[0].without is not None


def test_tfidf_is_told_exactly(tmp_path: Path) -> None:
    texts = ["red dress", "red shoes", "blue dress", "blue shoes", "old boots"] * 3
    tokenizer = train_ngrams(texts, 200, tmp_path / "ngrams.json")
    network = NgramClassifier(NgramConfig(NgramText(200, 40)), 3)
    numbers, _ = tokenizer.encode(texts, 40)
    network.fit(numbers, np.array([0, 1, 0, 1, 2] * 3), 0)
    classifier = classifier_of(network, tokenizer, 3)
    told = explanation(classifier, None, "Red shoes", "blue zzz")
    assert told.exact and told.label == "class 1"
    assert [told.text[word.start : word.end] for word in told.words] == ["Red", "shoes", "blue", "zzz"]
    assert max(told.words, key=lambda word: word.weight) == told.words[1]
    inputs, _ = classifier.inputs_of(None, "Red shoes", "blue zzz")
    with torch.inference_mode():
        logs = network(inputs)[0].double()
    lead = float(logs[1] - logs.mean())
    bias = network.head.bias.detach().double()
    assert sum(word.weight for word in told.words) + float(bias[1] - bias.mean()) == pytest.approx(
        lead, abs=1e-5
    )


def test_what_would_have_been_said(toy_home: Path) -> None:
    classifier = loaded("toy-run")
    others = [OtherText("with another text", "boty", ""), OtherText("with none", "", "")]
    told = explanation(classifier, picture("hats"), "taška kabelka", others=others)
    assert [change.what for change in told.changed] == [
        "without the picture", "without the text", "with another text",
    ]  # fmt: skip
    alone = [classifier.classify(None, "taška kabelka"), classifier.classify(picture("hats"))]
    for change, asked in zip(told.changed, alone, strict=False):
        assert (change.label, change.probability) == (asked.labels[0][0], pytest.approx(asked.labels[0][1]))
        assert change.kept == pytest.approx(dict(asked.labels)[told.label])
    assert told.changed[0].label == "bags" and told.changed[1].label == "hats"
    assert told.changed[2].text == "boty"
    assert [change.what for change in explanation(classifier, None, "taška", others=others).changed] == [
        "with another text"
    ]


def test_how_much_each_input_brought(toy_home: Path) -> None:
    agreed = explanation(loaded("toy-run"), picture("bags"), "taška kabelka")
    assert agreed.filled == {"picture": 0.5, "text": 0.5}
    assert sum(agreed.shares.values()) == pytest.approx(1, abs=1e-5) and min(agreed.shares.values()) > 0
    assert explanation(loaded("toy-run"), None, "taška").filled == {"text": 1.0}


def test_an_adjusted_answer_is_what_is_explained(toy_home: Path) -> None:
    told = explanation(
        loaded("toy-run"), picture("hats"), adjust=lambda p: p * 0 + np.float32([0.6, 0.3, 0.1])
    )
    assert (told.label, told.probability) == ("bags", pytest.approx(0.6))


def test_a_network_that_tells_nothing_says_so(tmp_path: Path) -> None:
    class Closed(nn.Module):
        """Answers, and has nothing inside that could be looked at."""

        def __init__(self) -> None:
            super().__init__()
            self.config, self.used = SingleConfig(text=WordConfig(5, 6), image=SMALL), [0, 1]
            self.weight = nn.Parameter(torch.zeros(1))

        def forward(self, inputs: Any, **_: Any) -> Tensor:
            return torch.tensor([[0.9, 0.1]]).log().expand(len(inputs), 2)

    told = explanation(classifier_of(Closed(), words(tmp_path, "red")), picture("hats"), "red")
    assert told.heat is None and told.words == [] and told.shares == {}
    assert len(told.missing) == 2 and told.label == "class 0" and len(told.changed) == 2


def test_exhausted_memory_is_said_and_the_next_is_answered(
    toy_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = loaded("toy-run")

    def full(*_: Any, **__: Any) -> Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(ProductNetwork, "features", full)
        for ask in (classifier.classify, lambda *given: explanation(classifier, *given)):
            with pytest.raises(ModelError, match="memory is exhausted"):
                ask(picture("hats"), "taška")
    assert classifier.classify(picture("hats")).labels[0][0] == "hats"
