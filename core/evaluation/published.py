"""Published results of the papers, as data, for comparison with evaluations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.statistics.papers import GLAMI, MEP

GLAMI_TEST = "GLAMI-1M test, 116,004 products"
GLAMI_SIZE = "mT5-small and ResNeXt-50"
MEP_TEST = "MEP-3M, a random fifth"


@dataclass(frozen=True)
class Published:
    """One row of a paper's table: fractions in [0, 1]; missing figures are absent."""

    model: str
    sees: str  # both, picture or text
    trained_on: str
    figures: dict[str, float]


@dataclass(frozen=True)
class PublishedTable:
    name: str
    heading: str
    source: str
    data: str  # that it was measured on
    rows: tuple[Published, ...]
    measures: tuple[str, ...]
    note: str = ""
    trained: bool = True  # on such products; else its models had never seen one


def _row(model: str, sees: str, trained_on: str, *values: float, keys: tuple[str, ...]) -> Published:
    return Published(model, sees, trained_on, dict(zip(keys, values, strict=True)))


_TOPS = ("top1", "top5")
_MEP = ("top1", "top5", "ap", "f1")
_ALL, _HUMAN = "all labels", "human labels"

TABLES = (
    PublishedTable(
        "glami-embracenet", "EmbraceNet by inputs and training labels", f"{GLAMI}, table 6", GLAMI_TEST,
        tuple(
            _row(model, sees, labels, *values, keys=_TOPS)
            for model, sees, labels, *values in (
                ("EmbraceNet", "both", _ALL, 0.697, 0.940), ("EmbraceNet", "both", _HUMAN, 0.694, 0.932),
                ("EmbraceNet", "picture", _ALL, 0.685, 0.948), ("EmbraceNet", "picture", _HUMAN, 0.679, 0.943),
                ("EmbraceNet", "text", _ALL, 0.593, 0.840), ("EmbraceNet", "text", _HUMAN, 0.613, 0.849),
                ("ResNeXt-50, fine-tuned", "picture", _ALL, 0.631, 0.935),
                ("ResNeXt-50, fine-tuned", "picture", _HUMAN, 0.642, 0.933),
            )
        ),
        _TOPS,
        "The published network uses mT5-small and ResNeXt-50; its inference is one random pass.",
    ),
    PublishedTable(
        "glami-zero-shot", "Zero-shot CLIP", f"{GLAMI}, supplementary table 3", GLAMI_TEST,
        tuple(
            _row("CLIP ViT-B/32 and M-CLIP", sees, "no product", *values, keys=_TOPS)
            for sees, *values in (("both", 0.323, 0.745), ("picture", 0.289, 0.718), ("text", 0.265, 0.585))
        ),
        _TOPS,
        "Each class is a sentence, “A photo of a …, a type of fashion product”.",
        trained=False,
    ),
    PublishedTable(
        "mep-fusion", "Chinese products by picture, by title, and fused", f"{MEP}, table 4", MEP_TEST,
        tuple(
            _row(model, sees, _ALL, *values, keys=_MEP)
            for model, sees, *values in (
                ("VGG-19", "picture", 0.7636, 0.9177, 0.3966, 0.7275),
                ("Inception-v3", "picture", 0.7948, 0.9427, 0.6326, 0.7493),
                ("LSTM", "text", 0.8913, 0.9833, 0.9200, 0.8796),
                ("Bi-LSTM", "text", 0.9068, 0.9870, 0.9309, 0.8931),
                ("TFN", "both", 0.9070, 0.9874, 0.9289, 0.8899),
                ("LMF", "both", 0.8922, 0.9819, 0.8924, 0.9125),
            )
        ),
        _MEP,
        "The paper does not say how AP and F1 are averaged; measured rows give macro AP and weighted F1. Its text says "
        "that both fusions beat the single inputs; by its table Bi-LSTM is above LMF in all but F1, and above TFN in AP and "
        "F1. LMF's AP and F1 are likely exchanged: LSTM, Bi-LSTM and TFN have a higher AP than F1.",
    ),
)  # fmt: skip

# GLAMI-1M, supplementary table 4: EmbraceNet, picture and text, trained on all labels. Top-1 and top-5.
PER_COUNTRY: dict[str, tuple[float, float]] = {
    "cz": (0.592, 0.905), "sk": (0.805, 0.967), "ro": (0.646, 0.924), "gr": (0.589, 0.911), "hu": (0.670, 0.941),
    "bg": (0.726, 0.961), "hr": (0.739, 0.956), "es": (0.626, 0.920), "lt": (0.685, 0.941), "si": (0.683, 0.946),
    "lv": (0.672, 0.922), "tr": (0.720, 0.932), "ee": (0.659, 0.928),
}  # fmt: skip
PER_COUNTRY_SOURCE = f"{GLAMI}, supplementary table 4"
PER_COUNTRY_DATA = f"EmbraceNet with {GLAMI_SIZE}, picture and text, on {GLAMI_TEST}"

MEASURED = {
    "top1": "top1",
    "top5": "top5",
    "ap": "ap_macro",
    "f1": "f1_weighted",
}  # a paper's word, a report's


def measured(report: dict[str, Any], table: PublishedTable) -> dict[str, float | None]:
    """The figures of an evaluation under the names of a paper's table."""
    return {measure: report.get(MEASURED[measure]) for measure in table.measures}
