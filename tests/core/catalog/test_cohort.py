"""A cohort is the same in a URL, in SQL and in words."""

from __future__ import annotations

import random
from urllib.parse import parse_qs, urlencode

import pytest

from core.catalog.cohort import NONE, TEXT_CHARACTERS, Cohort, fold, path_from_text, path_text
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
            map=rng.choice(["", "clip-tiny", "a.b_c"]) or "m",
            area=rng.choice([(), tuple((rng.uniform(-1, 1), rng.uniform(-1e-5, 2)) for _ in range(rng.randint(3, 200)))]),
        )  # fmt: skip
        cohort = cohort.with_(category=tuple(path for path in cohort.category if path))
        url = urlencode(cohort.to_query(), doseq=True)
        assert Cohort.from_query(parse_qs(url)) == cohort


def test_links_that_cannot_be():
    for query, says in (
        ({}, "names no dataset"),
        ({"dataset": ["demo"], "picture": ["maybe"]}, "expected yes or no"),
        ({"dataset": ["demo"], "text": ["x" * (TEXT_CHARACTERS + 1)]}, "longer than"),
        ({"dataset": ["demo"], "area": ["0,0;0,1;1,1"]}, "name of its map"),
        ({"dataset": ["demo"], "category": [">" * 15_000]}, "15,001 levels"),
        ({"dataset": ["demo"], "category": [f"a > {n}" for n in range(1_001)]}, "1,001 values"),
        ({"dataset": ["demo"], "item_id": [str(n) for n in range(1_001)]}, "1,001 values"),
        ({"dataset": ["demo"], "geo": ["x" * 40_000]}, "40,004 characters"),
        ({"dataset": ["demo"], "text": [" ".join(map(str, range(41)))]}, "41 words"),
        *(
            ({"dataset": ["demo"], "map": [map_], "area": [area]}, says)
            for map_, area, says in (
                ("../v", "0,0;0,1;1,1", "name of its map"),
                ("v", "0,0;0,1", "2 corners; 3 to 200"),
                ("v", ";".join(["0,0"] * 201), "201 corners"),
                ("v", "0,0;" * 5_000, "too long"),
                ("v", "0,0;0,1;1", "two numbers"),
                ("v", "0,0;0,1;1,1,1", "two numbers"),
                ("v", "0,0;0,1;nan,1", "two numbers"),
                ("v", "0,0;0,1;inf,1", "two numbers"),
                ("v", "0,0;0,1;1e9,1", "two numbers"),
                ("v", "0,0;0,1;x,1", "not of the form"),
            )
        ),
    ):
        with pytest.raises(UsageError, match=says):
            Cohort.from_query(query)
    assert Cohort.from_query({"dataset": ["demo"], "page": ["7"], "unknown": ["x"]}) == Cohort("demo")


def test_an_area_is_part_of_its_map():
    area = ((0.0, 0.12345678), (1.0, -0.00001), (0.5, 1.0))
    cohort = Cohort("demo", map="clip-tiny", area=area)
    assert cohort.area == ((0.0, 0.1235), (1.0, 0.0), (0.5, 1.0))  # as a link holds it
    assert cohort.to_query()["area"] == ["0,0.1235;1,0;0.5,1"]
    assert cohort.describe() == "3-corner area of the map clip-tiny"
    assert not cohort.is_whole()
    assert cohort.with_(area=()) == Cohort("demo") == Cohort("demo", map="clip-tiny")
    assert Cohort.from_query({"dataset": ["demo"], "map": ["clip-tiny"]}) == Cohort("demo")


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
