"""Every other trainer: a few steps on the toy dataset, and an answer from what it wrote."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.catalog.build import import_dataset
from core.catalog.products import Products
from core.catalog.splits import product_frame
from core.embeddings.encoders import IMAGE_ENCODERS, TEXT_ENCODERS, WordConfig
from core.errors import TrainingError
from core.evaluation.evaluate import evaluate
from core.models.fusion import FusionConfig
from core.models.loading import classify
from core.models.registry import ARCHITECTURES, models
from core.models.single import SingleConfig
from core.sources.reading import ReadOptions
from tests.toy import TOY, import_toy, picture, write_toy
from trainers import embracenet, fusion, ngrams, single
from trainers.recipe import Recipe
from trainers.runner import run

WORDS = WordConfig(vocabulary=200, tokens=6, vector=8, hidden=8)
IMAGE = TOY.model.image
QUICK = replace(TOY, epochs=40, validation_share=0.0)


def quick(architecture: str, model: object) -> Recipe:
    return replace(QUICK, architecture=architecture, model=model)


FAMILY = {
    "tfn": quick("fusion", FusionConfig("tfn", WORDS, IMAGE, 8, 8, 16, dropout=0.0)),
    "lmf": quick("fusion", FusionConfig("lmf", WORDS, IMAGE, 8, 8, rank=2, dropout=0.0)),
    "lstm": quick("single", SingleConfig(WORDS)),
    "bilstm": quick("single", SingleConfig(replace(WORDS, bidirectional=True))),
    "resnet": replace(quick("single", SingleConfig(image=IMAGE)), epochs=8),
}
ARGUMENTS = ["--dataset", "toy", "--cpu", "--precision", "no", "--workers", "1", "--json"]


@pytest.fixture
def toy(home: Path, tmp_path: Path) -> Path:
    import_toy(tmp_path)
    return home


@pytest.mark.parametrize("name", FAMILY)
def test_a_member_of_the_family_trains_and_answers(toy: Path, name: str) -> None:
    result = run(
        FAMILY[name].architecture, {name: FAMILY[name]}, [*ARGUMENTS, "--out", str(toy / "runs" / name)]
    )
    best = max(figures["top1"] for figures in result["test"].values())
    assert best > 0.8, result
    spec = models()[0]
    image = picture("bags") if "image" in spec.inputs else None
    answer = classify(name, image, "kabelka" if "text" in spec.inputs else None)
    assert answer.labels[0][0] == "bags"


def test_tfidf(toy: Path) -> None:
    result = run("ngrams", ngrams.PRESETS, [*ARGUMENTS, "--out", str(toy / "runs" / "tfidf")], ngrams.fit)
    assert result["test"]["text"]["top1"] > 0.9
    answer = classify("tfidf", picture("bags"), "klobouk")
    assert answer.labels[0][0] == "hats"
    assert answer.notes == ["This model reads no pictures: only the text was used."]


def test_a_dataset_without_splits_is_parted(home: Path, tmp_path: Path) -> None:
    source = write_toy(tmp_path / "source")
    table = (source / "GLAMI-1M-train.csv").read_text()
    (source / "table.csv").write_text(table)
    import_dataset(
        "table", [str(source / "table.csv")], "bare", ReadOptions(columns={"category": "category_name"})
    )
    products = Products.open("bare")
    train, test = (set(product_frame(products, (split,)).item_id) for split in ("train", "test"))
    assert train and test and not train & test and len(train | test) == len(products)
    result = run("ngrams", ngrams.PRESETS, ["--dataset", "bare", "--json"], ngrams.fit)
    assert evaluate(result["run"])["n"] == result["test"]["text"]["n"]


def test_every_preset_names_a_known_architecture() -> None:
    for module in (embracenet, fusion, single, ngrams):
        for recipe in module.PRESETS.values():
            assert recipe.architecture in ARCHITECTURES


def paper_sized(preset: Recipe) -> Recipe:
    """The published widths and layers, with a small vocabulary and two products a step."""
    text = preset.model.text
    if text is not None:
        text = replace(text, vocabulary=300)
    training = replace(preset.training, batch_size=2)
    return replace(preset, model=replace(preset.model, text=text), training=training, validations=0)


@pytest.mark.parametrize(
    ("module", "preset"),
    [(embracenet, "glami-paper"), (fusion, "tfn-mep3m-paper"), (fusion, "lmf-mep3m-paper")],
)
def test_a_paper_sized_model_makes_one_real_step(
    home: Path, tmp_path: Path, module: object, preset: str
) -> None:
    import_dataset("glami", [str(write_toy(tmp_path / "source", n=13))], "toy")
    recipe = paper_sized(module.PRESETS[preset])  # type: ignore[attr-defined]
    out = home / "runs" / preset
    result = run(
        recipe.architecture,
        {preset: recipe},
        [*ARGUMENTS, "--steps", "1", "--random-weights", "--out", str(out)],
    )
    assert result["step"] == 1 and result["test"]["both"]["n"] == 3


def test_published_weights_are_asked_for(toy: Path) -> None:
    with pytest.raises(TrainingError, match=r"hf download google/mt5-small .* --text-weights DIR"):
        run("embracenet", embracenet.PRESETS, ["--dataset", "toy", "--preset", "glami-paper"])


def test_published_weights_from_a_folder(toy: Path, tmp_path: Path) -> None:
    import sentencepiece
    import torch
    from transformers import MT5Config, MT5EncoderModel

    from core.embeddings.encoders import ImageEncoder
    from core.training.checkpoints import read_tensors, write_tensors

    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["taška kabelka Alba", "klobouk čepice", "boty tenisky Alba"] * 20),
        model_prefix=str(tmp_path / "spiece"), vocab_size=26, pad_id=0, eos_id=1, unk_id=2, bos_id=-1,
        minloglevel=2, hard_vocab_limit=False,
    )  # fmt: skip
    sizes = {"vocab_size": 26, "d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2}
    mt5 = MT5EncoderModel(MT5Config(**sizes, feed_forward_proj="gated-gelu"))
    tensors = {
        name: tensor.clone() for name, tensor in mt5.state_dict().items() if "embed_tokens" not in name
    }
    write_tensors(tmp_path / "model.safetensors", tensors, {})
    image = ImageEncoder(IMAGE)
    write_tensors(
        tmp_path / "image.safetensors",
        {**image.network.state_dict(), "fc.weight": torch.zeros(1_000, 8), "fc.bias": torch.zeros(1_000)},
        {},
    )
    text = replace(TOY.model.text, vocabulary=26, frozen=True)
    recipe = replace(TOY, model=replace(TOY.model, text=text), pretrained=("text", "image"))
    given = ["--text-weights", str(tmp_path), "--image-weights", str(tmp_path / "image.safetensors")]
    result = run("embracenet", {"p": recipe}, [*ARGUMENTS, "--steps", "30", *given])
    trained, _ = read_tensors(Path(result["run"]) / "model.safetensors")
    assert torch.equal(trained["text.encoder.embed_tokens.weight"], mt5.state_dict()["shared.weight"])
    name = "block.0.layer.0.SelfAttention.q.weight"
    assert torch.equal(trained[f"text.encoder.{name}"], mt5.encoder.state_dict()[name])
    assert result["test"]["text"]["top1"] > 0.5
    assert classify(Path(result["run"]).name, None, "boty " * 300).notes


def test_the_published_sizes() -> None:
    mt5, resnext = TEXT_ENCODERS["mt5-small"], IMAGE_ENCODERS["resnext50-32x4d"]
    assert (mt5.vocabulary, mt5.tokens, mt5.d_model, mt5.layers, mt5.heads, mt5.d_ff) == (
        250_112, 32, 512, 8, 6, 1_024,
    )  # fmt: skip
    assert (resnext.height_px, resnext.width_px, resnext.mean, resnext.deviation) == (298, 228, 0.0, 1.0)
    glami = embracenet.PRESETS["glami-paper"]
    assert glami.model.width == 512 and glami.epochs == 2 and glami.training.batch_size == 64


def test_pictures_by_the_bundled_network_are_looked_at_once(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--image-weights imagenet`: the network stays as it came, its features lie beside the dataset, and the run's
    probabilities have temperatures."""
    from core.embeddings.encoders import ImageEncoder
    from core.models.classifier import Classifier
    from core.models.embracenet import EmbraceNetConfig
    from core.models.explain import explanation
    from trainers import runner

    monkeypatch.setattr(runner, "FEWEST_TO_CALIBRATE", 2)
    seen: list[int] = []
    forward = ImageEncoder.forward
    monkeypatch.setattr(
        ImageEncoder, "forward", lambda self, pixels: (seen.append(len(pixels)), forward(self, pixels))[1]
    )
    image = replace(
        IMAGE_ENCODERS["imagenet-lite0"],
        height_px=64,
        width_px=64,
        stored_height_px=72,
        stored_width_px=72,
        views=2,
    )
    lite = replace(
        QUICK, architecture="embracenet", model=EmbraceNetConfig(text=WORDS, image=image, width=16),
        epochs=6, validation_share=0.2, augment=True, pretrained=("image",),
    )  # fmt: skip
    out = toy / "runs" / "lite"
    arguments = [*ARGUMENTS, "--image-weights", "imagenet", "--out", str(out)]
    result = run("embracenet", {"lite": lite}, arguments)
    products = Products.open("toy")
    pictures = int(
        products.frame("SELECT count(DISTINCT image_id) AS n FROM cohort WHERE image IS NOT NULL").n[0]
    )
    training = [count for count in seen if count]
    assert sum(training) >= 2 * pictures  # two views of each, then the test products
    kept = sorted((products.info.folder / "features").glob("picture-*.npy"))
    assert len(kept) == 2
    model = Classifier.load(out)
    assert set(model.temperatures) == {"both", "text", "picture"}
    assert result["test"]["picture"]["top1"] > 0.5
    assert explanation(model, picture("bags"), "kabelka").heat is not None
    with pytest.raises(TrainingError, match="--image-weights imagenet"):
        run("embracenet", {"lite": lite}, [*ARGUMENTS, "--out", str(toy / "runs" / "bare")])
