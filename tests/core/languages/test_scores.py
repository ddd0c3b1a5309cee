"""BLEU and chrF: sacrebleu's own, the published macro by hand; the plainest translators."""

from __future__ import annotations

import math

import pytest
from sacrebleu.metrics import BLEU, CHRF

from core.errors import UsageError
from core.languages.lexicon import Lexicon
from core.languages.scores import published_bleu, score

SAID = [
    "the cat sat on the mat today",
    "a b c d e f",
    "a red dress with long sleeves.",
    "hello",
    "",
    "x y z w",
]
WANTED = [
    "the cat sat on a mat today",
    "a b c d x f",
    "a red dress with long sleeves",
    "hello there",
    "some text",
    "",
]


def test_corpus_scores_are_those_of_sacrebleu() -> None:
    made = score(SAID, WANTED, repeats=50)
    assert made.bleu == pytest.approx(BLEU().corpus_score(SAID, [WANTED]).score, abs=1e-12)
    assert made.chrf == pytest.approx(CHRF().corpus_score(SAID, [WANTED]).score, abs=1e-12)
    assert made.bleu_interval[0] <= made.bleu <= made.bleu_interval[1] and made.n == 6
    assert score(SAID, WANTED, repeats=50) == made
    chinese = score(["红色连衣裙 XL"], ["红色连衣裙 XXL"], "zh", repeats=0)
    assert chinese.bleu > 40 and math.isnan(chinese.bleu_interval[0])


def test_the_published_macro_is_unsmoothed_sentence_bleu() -> None:
    """The reference implementation's formula, which sacrebleu has without smoothing and tokenisation."""
    plain = BLEU(tokenize="none", smooth_method="none", effective_order=False)
    for said, wanted in zip(SAID, WANTED, strict=True):
        theirs = plain.sentence_score(said, [wanted]).score / 100
        assert published_bleu(said, wanted) == pytest.approx(theirs, abs=1e-9)
    # by hand: 6/7, 4/6, 2/5, 1/4 of the n-grams match, lengths are equal
    assert published_bleu(SAID[0], WANTED[0]) == pytest.approx(
        (6 / 7 * 4 / 6 * 2 / 5 * 1 / 4) ** 0.25, abs=1e-12
    )
    # five words of eight, all match: the brevity penalty alone
    assert published_bleu("a b c d e", "a b c d e f g h") == pytest.approx(math.exp(1 - 8 / 5), abs=1e-12)
    assert published_bleu("a b c", "a b c") == 0  # no four words in a row
    assert published_bleu("a b c d c", "a b c d.") == 0  # punctuation stays glued
    macro = 100 * sum(published_bleu(*pair) for pair in zip(SAID, WANTED, strict=True)) / len(SAID)
    assert score(SAID, WANTED, repeats=20).macro == pytest.approx(macro, abs=1e-9)


def test_nothing_to_score() -> None:
    with pytest.raises(UsageError, match="no pairs"):
        score([], [])
    with pytest.raises(UsageError, match="2 translations cannot be compared with 1"):
        score(["a", "b"], ["a"])


def test_a_lexicon_translates_word_by_word() -> None:
    known = Lexicon(
        [
            ("Červené šaty Olmo 4107.", "Red dress Olmo 4107."),
            ("modré šaty", "blue dress"),
            ("červené boty", "red shoes"),
        ]
        * 2
    )
    assert known.translate("Červené šaty, Olmo 99") == "Red dress, Olmo 99"
    assert Lexicon([]).translate("Šaty 😀") == "Šaty 😀"
