from __future__ import annotations

from pathlib import Path

import pytest

from core.embeddings.tokens import Tokenizer, train_tokenizer
from core.errors import ModelError

TEXTS = ["Dámské šaty červené", "Dámské boty", "Γυναικείο φόρεμα", "Рокля", "Elbise", "连衣裙 红色"] * 5


def test_the_same_texts_give_the_same_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        train_tokenizer(TEXTS, 120, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_texts_become_numbers_with_an_end_mark_and_padding(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(TEXTS, 120, tmp_path / "tokenizer.json")
    numbers, mask = tokenizer.encode(["dámské ŠATY", "", "連衣裙 🙂 " * 40], 8)
    assert numbers.shape == mask.shape == (3, 8)
    first = numbers[0][mask[0]]
    assert first[-1] == 2 and not numbers[0][~mask[0]].any()
    assert numbers[1].tolist() == [2] + [0] * 7
    assert mask[2].all() and numbers[2][-1] == 2
    assert (tokenizer.encode(["DÁMSKÉ šaty"], 8)[0] == numbers[:1]).all()


def test_how_much_is_read(tmp_path: Path) -> None:
    tokenizer = train_tokenizer(TEXTS, 120, tmp_path / "tokenizer.json")
    assert tokenizer.reads("boty", 8) == 4
    long = "boty " * 1_000
    assert 8 < tokenizer.reads(long, 8) < 60
    assert "".join(tokenizer.pieces("dámské boty", 8)) == "dámskéboty"


def test_a_file_that_is_no_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    for path in (tmp_path / "x.json", tmp_path / "absent.json"):
        with pytest.raises(ModelError, match="is not a tokenizer"):
            Tokenizer(path)
