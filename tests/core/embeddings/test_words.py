from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.embeddings.encoders import WordConfig, WordEncoder
from core.embeddings.ngrams import NgramTokenizer, ngrams, train_ngrams
from core.embeddings.tokenizers import open_tokenizer
from core.embeddings.tokens import train_tokenizer
from core.embeddings.words import WordTokenizer, split_words, train_words
from core.errors import ModelError

TEXTS = ["červené boty", "modré boty", "červené šaty", "孕妇配方奶粉 800克", "妈妈配方奶粉"] * 4


def test_chinese_is_cut_into_words() -> None:
    words = [word for word, _ in split_words("孕妇配方奶粉800克，Anmum")]
    assert "奶粉" in words and "anmum" in words and "，" not in words


def test_word_vectors_are_learnt_alike_each_time(tmp_path: Path) -> None:
    first, vectors = train_words(TEXTS, 50, 12, 0, tmp_path / "a.json")
    _, again = train_words(TEXTS, 50, 12, 0, tmp_path / "b.json")
    assert torch.equal(vectors, again) and vectors.shape == (len(first), 12)
    assert not vectors[:2].any() and vectors[2:].abs().sum(1).min() > 0
    assert first.words[:2] == ["<pad>", "<unk>"] and "奶粉" in first.words
    numbers, mask = first.encode(["boty neznámé", ""], 4)
    assert numbers[0].tolist() == [first.words.index("boty"), 1, 0, 0]
    assert mask.tolist() == [[True, True, False, False], [False] * 4]
    assert first.reads("boty " * 50, 4) == 19


def test_padding_does_not_change_an_lstm() -> None:
    torch.manual_seed(0)
    encoder = WordEncoder(WordConfig(vocabulary=9, tokens=6, vector=4, hidden=3, bidirectional=True))
    numbers = torch.tensor([[3, 4, 0, 0, 0, 0], [5, 6, 7, 8, 3, 2]])
    both = encoder(numbers, numbers > 0)
    alone = encoder(numbers[:1, :2], numbers[:1, :2] > 0)
    assert both.shape == (2, 6)
    assert torch.allclose(both[0], alone[0], atol=1e-6)
    reference, (last, _) = encoder.lstm(encoder.vectors(numbers[1:]))
    assert torch.allclose(both[1], torch.cat([last[0, 0], last[1, 0]]), atol=1e-6)
    assert torch.allclose(both[1, :3], reference[0, -1, :3], atol=1e-6)


def test_ngrams_are_those_of_scikit_learn(tmp_path: Path) -> None:
    from sklearn.feature_extraction.text import CountVectorizer

    analyze = CountVectorizer(analyzer="char_wb", ngram_range=(2, 4)).build_analyzer()
    for text in ("Red DRESS 12", "a", "", "šaty 连衣裙"):
        assert sorted(ngrams(text)) == sorted(analyze(text))
    tokenizer = train_ngrams(TEXTS, 100, tmp_path / "n.json")
    numbers, mask = tokenizer.encode(["boty", "xyz"], 8)
    assert numbers.shape == (2, 8) and not mask[1].any()
    assert tokenizer.reads("boty " * 100, 30) < 30


def test_each_file_opens_as_what_wrote_it(tmp_path: Path) -> None:
    train_words(TEXTS, 50, 12, 0, tmp_path / "words")
    train_ngrams(TEXTS, 50, tmp_path / "ngrams")
    train_tokenizer(TEXTS, 50, tmp_path / "pieces")
    assert isinstance(open_tokenizer(tmp_path / "words"), WordTokenizer)
    assert isinstance(open_tokenizer(tmp_path / "ngrams"), NgramTokenizer)
    assert len(open_tokenizer(tmp_path / "pieces")) <= 50
    with pytest.raises(ModelError, match="is not a tokenizer"):
        open_tokenizer(tmp_path / "absent")
