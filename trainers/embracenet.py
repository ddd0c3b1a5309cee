"""Train EmbraceNet over a text encoder and a picture encoder: python -m trainers.embracenet --dataset N."""

from __future__ import annotations

from core.embeddings.encoders import IMAGE_ENCODERS, TEXT_ENCODERS, ImageConfig, TextConfig, WordConfig
from core.models.embracenet import EmbraceNetConfig
from core.training.loop import TrainConfig
from trainers.recipe import Recipe
from trainers.runner import main

PRESETS = {
    # For a laptop: from scratch, within five minutes on two cores for 4,500 products.
    "tiny": Recipe(
        architecture="embracenet",
        model=EmbraceNetConfig(
            text=TextConfig(),
            image=ImageConfig(),
            dropout=0.1,
            modality_dropout="every",
            pattern_weights=(1.0, 1.0, 3.0),  # pictures are the hardest to learn
            label_smoothing=0.1,
        ),
        training=TrainConfig(learning_rate=3e-3, clip_norm=5.0),
        epochs=24,
        validation_share=0.05,
        augment=True,
    ),
    # The bundled model: the frozen published image network (--image-weights imagenet) with precomputed features of
    # three views, and a word-based text encoder, the cheapest one.
    "lite": Recipe(
        architecture="embracenet",
        model=EmbraceNetConfig(
            text=WordConfig(bidirectional=True),
            image=IMAGE_ENCODERS["imagenet-lite0"],
            width=384,
            dropout=0.3,
            modality_dropout="every",
            pattern_weights=(1.0, 1.0, 2.0),
            label_smoothing=0.1,
        ),
        training=TrainConfig(learning_rate=2e-3, clip_norm=5.0, batch_size=128),
        epochs=20,
        validation_share=0.1,
        augment=True,
        pretrained=("image",),
    ),
    # GLAMI's train.py: Adam 1e-3, batch 64, two epochs, no validation, no augmentation. The text encoder is
    # frozen, the image encoder is trained. Without the label source as third modality, as in Table 6
    # ("Text+Image").
    "glami-paper": Recipe(
        architecture="embracenet",
        model=EmbraceNetConfig(
            text=TEXT_ENCODERS["mt5-small"], image=IMAGE_ENCODERS["resnext50-32x4d"], width=512
        ),
        training=TrainConfig(optimizer="adam", learning_rate=1e-3, schedule="constant", batch_size=64),
        epochs=2,
        validations=0,
        pretrained=("text", "image"),
    ),
}

if __name__ == "__main__":
    main("embracenet", PRESETS)
