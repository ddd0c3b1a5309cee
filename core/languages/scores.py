"""How close translations are to their references: corpus BLEU, chrF, and the published macro of sentence BLEU.

Sources: Papineni et al. 2002 (BLEU); Post 2018, arXiv:1804.08771 (sacreBLEU: tokenisation 13a, and its signature); Popovic
2015 (chrF); pytorch-ignite 0.4.9, `Bleu()`, which the reference implementation of GLAMI-1M's supplementary used.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UsageError
from core.measures.intervals import bootstrap

ORDERS = 4  # of n-grams
REPEATS = 1_000  # of the bootstrap
Interval = tuple[float, float]


@dataclass(frozen=True)
class Scores:
    """Of n translations; percent, each with its 95% bootstrap interval over pairs."""

    n: int
    bleu: float
    bleu_interval: Interval
    chrf: float
    chrf_interval: Interval
    macro: float  # the published measure
    macro_interval: Interval


def published_bleu(translation: str, reference: str) -> float:
    """Unsmoothed sentence BLEU-4 on words split at spaces, a fraction: 0 as soon as an order has no match.

    Source: pytorch-ignite 0.4.9, `ignite.metrics.Bleu(ngram=4, smooth="no_smooth")` of one sentence.

    >>> round(published_bleu("a b c d e", "a b c d f"), 6)  # (4/5 * 3/4 * 2/3 * 1/2) ** (1/4)
    0.66874
    >>> published_bleu("a b c", "a b c")  # no four words in a row
    0.0
    """
    said, wanted = translation.split(), reference.split()
    logs = []
    for order in range(1, ORDERS + 1):
        counts, allowed = (
            Counter(zip(*(words[start:] for start in range(order)), strict=False)) for words in (said, wanted)
        )
        matches = sum((counts & allowed).values())
        if not matches:
            return 0.0
        logs.append(math.log(matches / counts.total()))
    penalty = math.exp(1 - len(wanted) / len(said)) if len(said) < len(wanted) else 1.0
    return penalty * math.exp(math.fsum(logs) / ORDERS)


def score(
    translations: Sequence[str],
    references: Sequence[str],
    target: str = "",
    repeats: int = REPEATS,
    seed: int = 0,
) -> Scores:
    """All three measures of translations into one language.

    Args:
        target: language of the references; Chinese is split into characters.

    Raises:
        UsageError: the numbers of texts differ, or there are none.
    """
    if len(translations) != len(references):
        raise UsageError(
            f"{len(translations):,} translations cannot be compared with {len(references):,} references."
        )
    if not translations:
        raise UsageError("There are no pairs to score.")
    from sacrebleu.metrics import BLEU, CHRF

    bleu = _corpus(
        BLEU(tokenize="zh" if target.startswith("zh") else "13a", force=True),
        translations,
        references,
        repeats,
        seed,
    )
    chrf = _corpus(CHRF(), translations, references, repeats, seed)
    macro = 100 * np.array([published_bleu(*pair) for pair in zip(translations, references, strict=True)])
    interval = bootstrap(macro, repeats, seed=seed) if repeats else (math.nan, math.nan)
    return Scores(len(translations), *bleu, *chrf, float(macro.mean()), interval)


def sentence_chrf(translation: str, reference: str) -> float:
    """chrF of one text, percent: it orders single pairs, where BLEU is 0 too often."""
    from sacrebleu.metrics import CHRF

    return float(CHRF().sentence_score(translation, [reference]).score)


def _corpus(
    metric: Any, translations: Sequence[str], references: Sequence[str], repeats: int, seed: int
) -> tuple[float, Interval]:
    """A corpus score and its interval: sums of each sentence's counts, drawn again."""
    score = float(metric.corpus_score(list(translations), [list(references)]).score)
    if not repeats:
        return score, (math.nan, math.nan)
    counted: NDArray[Any] = np.array(
        metric._extract_corpus_statistics(list(translations), [list(references)])
    )
    rng = np.random.default_rng(seed)
    drawn = [
        metric._compute_score_from_stats(
            counted[rng.integers(0, len(counted), len(counted))].sum(axis=0).tolist()
        ).score
        for _ in range(repeats)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return score, (float(low), float(high))
