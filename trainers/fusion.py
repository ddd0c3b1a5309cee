"""Train tensor fusion (TFN) or its low-rank form (LMF): python -m trainers.fusion --preset tfn-tiny --dataset N."""

from __future__ import annotations

from core.embeddings.encoders import IMAGE_ENCODERS, ImageConfig, WordConfig
from core.models.fusion import FusionConfig
from core.training.loop import TrainConfig
from trainers.recipe import Recipe
from trainers.runner import main

TINY = TrainConfig(learning_rate=3e-3, clip_norm=5.0)
# MEP-3M: Adam 1e-3 halved every 2 epochs, batch 64. Epochs, encoders and sizes are not published.
MEP3M = TrainConfig(optimizer="adam", learning_rate=1e-3, schedule="halve", batch_size=64)
MEP3M_WORDS = WordConfig(vocabulary=100_000, tokens=32, vector=300, hidden=256, bidirectional=True)


def tiny(fusion: str) -> Recipe:
    return Recipe(
        architecture="fusion",
        model=FusionConfig(
            fusion=fusion,  # type: ignore[arg-type]
            text=WordConfig(bidirectional=True),
            image=ImageConfig(),
            label_smoothing=0.1,
            modality_dropout=0.5,  # ours: without it, predictions from a picture alone are at chance
        ),
        training=TINY,
        epochs=24,
        validation_share=0.05,
        augment=True,
    )


def published(fusion: str) -> Recipe:
    return Recipe(
        architecture="fusion",
        model=FusionConfig(
            fusion=fusion,  # type: ignore[arg-type]
            text=MEP3M_WORDS,
            image=IMAGE_ENCODERS["inception-v3"],
            picture_hidden=128,
            text_out=128,
        ),
        training=MEP3M,
        epochs=8,
        halve_epochs=2,
        pretrained=("image",),
        validation_share=0.01,
    )


PRESETS = {
    "tfn-tiny": tiny("tfn"),
    "lmf-tiny": tiny("lmf"),
    "tfn-mep3m-paper": published("tfn"),
    "lmf-mep3m-paper": published("lmf"),
}

if __name__ == "__main__":
    main("fusion", PRESETS)
