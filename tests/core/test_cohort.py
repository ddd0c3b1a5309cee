"""A cohort is the same in a URL, in SQL and in words."""

from __future__ import annotations

import random
from urllib.parse import parse_qs, urlencode

import pytest

from core.cohort import NONE, TEXT_CHARACTERS, Cohort, fold, path_from_text, path_text
from core.errors import UsageError


def test_category_paths_survive_their_escapes():
    rng = random.Random(0)
    letters = ["\\", ">", " ", "a", "ž", " > ", "\\>", '"', "\u202e", "%", "&", "/"]
    for _ in range(5_000):
        path = tuple("".join(rng.choices(letters, k=rng.randint(0, 5))) for _ in range(rng.randint(1, 4)))
        assert path_from_text(path_text(path)) == path, path


def test_any_text_is_some_path():
    for text in ("", "\\", ">", ">>", " > ", "a\\", "a >b", "a> b"):
        path_text(path_from_text(text))


def test_a_cohort_survives_its_url():
    rng = random.Random(1)
    words = ["cz", "a b", "ž", "x&y=z", "<script>", NONE, "100%", "+", "\u202e"]

    def some() -> tuple[str, ...]:
        return tuple(dict.fromkeys(rng.choices(words, k=rng.randint(0, 3))))

    for _ in range(500):
        cohort = Cohort(
            "demo", split=some(), geo=some(), language=some(), label_source=some(), label_kind=some(), item_id=some(),
            image_id=some(), text=rng.choice(["", "red dress", " 50% ", "_"]), picture=rng.choice([None, True, False]),
            category=tuple(dict.fromkeys(some() for _ in range(rng.randint(0, 2)))), fingerprint=rng.choice([None, "ab"]),
        )  # fmt: skip
        cohort = cohort.with_(category=tuple(path for path in cohort.category if path))
        url = urlencode(cohort.to_query(), doseq=True)
        assert Cohort.from_query(parse_qs(url)) == cohort


def test_links_that_cannot_be():
    for query, says in (
        ({}, "names no dataset"),
        ({"dataset": ["demo"], "picture": ["maybe"]}, "it is yes or no"),
        ({"dataset": ["demo"], "text": ["x" * (TEXT_CHARACTERS + 1)]}, "longer than"),
    ):
        with pytest.raises(UsageError, match=says):
            Cohort.from_query(query)
    assert Cohort.from_query({"dataset": ["demo"], "page": ["7"], "unknown": ["x"]}) == Cohort("demo")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ŠATY", "šaty"),
        ("ΦΟΡΕΜΑ ΛΌΓΟΣ", "φορεμα λόγος"),
        ("ΛΌΓΟΣ", "λόγοσ"),
        ("ISPARTA", "ısparta"),
        ("İZMİR", "izmir"),
        ("ПАНТАЛОН", "панталон"),
        ("e\u0301", "É"),
        ("STRASSE", "straße"),
    ],
)
def test_case_makes_no_difference(one, other):
    assert fold(one) == fold(other)
    assert fold(fold(one)) == fold(one)


def test_letters_that_differ_in_more_than_case_stay_different():
    assert fold("šaty") != fold("saty")
    assert fold("50%") == "50%" and fold("a_b") == "a_b"
