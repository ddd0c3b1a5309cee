"""Table 1 of the incorrect-pairs paper, as data: cited, never measured here."""

from __future__ import annotations

from dataclasses import dataclass

PAPER = "Tagami et al. 2024 (WSCG), table 1"
EI_CLIP = "Ma et al. 2022 (EI-CLIP, CVPR), as cited in table 1"
FASHION_GEN = "Fashion-gen, 32,213 of 67,666 pairs"
AMAZON = "Amazon Review Data 2018, 30% of 431,492 pairs"
ON = (FASHION_GEN, AMAZON)


@dataclass(frozen=True)
class CitedRow:
    """One column of the paper's table; fractions in [0, 1], absent where the paper has none."""

    variant: str  # as core.training.contrastive.VARIANTS calls it; empty for what is no variant of ours
    model: str
    data: str
    figures: dict[str, float]
    source: str = PAPER


_MODELS = {
    "1": "(1) CLIP as released",
    "2": "(2) fine-tuned on correct pairs only",
    "3": "(3) and random incorrect pairs",
    "4": "(4) incorrect pairs of similarity 0.8 or less",
    "5": "(5) incorrect pairs of similarity 0.2 or less",
    "6": "(6) as (5), weighted",
    "ours": "Ours: clusters, least similar, weighted",
    "7": "(7) EI-CLIP",
    "8": "(8) OpenFashionCLIP",
}
_VALUES: dict[str, dict[str, tuple[float, ...]]] = {
    FASHION_GEN: {
        "1": (44, 81, 94, 0.60), "2": (60, 93, 100, 0.73), "3": (47, 87, 95, 0.64), "4": (65, 92, 99, 0.77),
        "5": (64, 95, 99, 0.78), "6": (65, 96, 100, 0.78), "ours": (71, 95, 97, 0.81), "7": (40, 71, 84),
        "8": (54, 83, 88, 0.65),
    },
    AMAZON: {
        "1": (59, 80, 85, 0.67), "2": (59, 81, 89, 0.68), "3": (62, 83, 89, 0.70), "4": (64, 83, 89, 0.72),
        "5": (67, 82, 87, 0.73), "6": (71, 84, 89, 0.77), "ours": (72, 84, 90, 0.78), "7": (23.7, 49.4, 61.6),
        "8": (56, 78, 84, 0.66),
    },
}  # fmt: skip


def _row(name: str, data: str, values: tuple[float, ...]) -> CitedRow:
    shares = {
        key: round(value / 100, 4) for key, value in zip(("rank1", "rank5", "rank10"), values, strict=False)
    }
    figures = shares | ({"map": values[3]} if len(values) > 3 else {})
    own = {"7": "", "8": "openfashionclip"}.get(name, name)
    return CitedRow(own, _MODELS[name], data, figures, EI_CLIP if name == "7" else PAPER)


CITED = tuple(_row(name, data, values) for data in ON for name, values in _VALUES[data].items())

NOTE = (
    "The paper's (2) may be our 2a, the correct pairs alone, or 2b, CLIP's own loss: it does not say. It reports one run a "
    "method, in whole percents, and does not say whether its 100 items were held out."
)
