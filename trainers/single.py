"""Train a classifier of one modality: python -m trainers.single --preset bilstm-tiny --dataset N."""

from __future__ import annotations

from core.embeddings.encoders import IMAGE_ENCODERS, ImageConfig, TextConfig, WordConfig
from core.models.single import SingleConfig
from core.training.loop import TrainConfig
from trainers.fusion import MEP3M, MEP3M_WORDS, TINY
from trainers.recipe import Recipe
from trainers.runner import main


def tiny(text: TextConfig | WordConfig | None = None, image: ImageConfig | None = None) -> Recipe:
    model = SingleConfig(text, image, dropout=0.2, label_smoothing=0.1)
    return Recipe("single", model, TINY, epochs=24, validation_share=0.05, augment=True)


def mep3m(text: TextConfig | WordConfig | None = None, image: ImageConfig | None = None) -> Recipe:
    """MEP-3M's baselines; epochs and sizes are not published."""
    return Recipe("single", SingleConfig(text, image), MEP3M, epochs=8, halve_epochs=2, validation_share=0.01)


PRESETS = {
    "bilstm-tiny": tiny(WordConfig(bidirectional=True)),
    "lstm-tiny": tiny(WordConfig()),
    "resnet-tiny": tiny(image=ImageConfig()),
    "mt5-tiny": tiny(TextConfig()),
    # GLAMI's fine-tuned ResNeXt: the settings of its EmbraceNet, as its own are not published.
    "resnext-glami-paper": Recipe(
        "single",
        SingleConfig(image=IMAGE_ENCODERS["resnext50-32x4d"]),
        TrainConfig(optimizer="adam", learning_rate=1e-3, schedule="constant", batch_size=64),
        epochs=2,
        validations=0,
        pretrained=("image",),
    ),
    "vgg19-mep3m-paper": mep3m(image=IMAGE_ENCODERS["vgg19"]),
    "inception-mep3m-paper": mep3m(image=IMAGE_ENCODERS["inception-v3"]),
    "lstm-mep3m-paper": mep3m(WordConfig(100_000, 32, 300, 256)),
    "bilstm-mep3m-paper": mep3m(MEP3M_WORDS),
}

if __name__ == "__main__":
    main("single", PRESETS)
