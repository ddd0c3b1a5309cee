"""Train EmbraceNet over a text encoder and a picture encoder: python -m trainers.embracenet --dataset N."""

from __future__ import annotations

from core.embeddings.encoders import ImageConfig, TextConfig
from core.models.embracenet import EmbraceNetConfig
from core.training import TrainConfig
from trainers.recipe import Recipe, main

PRESETS = {
    # For a laptop: everything from scratch, within five minutes on two cores for 4,500 products.
    "tiny": Recipe(
        architecture="embracenet",
        model=EmbraceNetConfig(
            text=TextConfig(),
            image=ImageConfig(),
            dropout=0.1,
            modality_dropout="every",
            label_smoothing=0.1,
        ),
        training=TrainConfig(learning_rate=3e-3, clip_norm=5.0),
        epochs=24,
        validation_share=0.05,
        augment=True,
    ),
}


if __name__ == "__main__":
    main("embracenet", PRESETS)
