"""What a sentence asks for among drawn products."""

from __future__ import annotations

from core.demo.meaning import wanted


def test_sentences_in_several_languages_name_kinds_colours_and_patterns() -> None:
    asked = {
        "Black and white striped sneaker.": (
            {"mens-sneakers", "womens-sneakers"},
            {"black", "white"},
            {"stripes"},
        ),
        "мъжка риза на карета": ({"mens-shirts"}, set(), {"checks"}),
        "červené šaty": ({"womens-dresses", "womens-evening-dresses", "girls-dresses"}, {"red"}, set()),
    }
    for text, expected in asked.items():
        found = wanted(text)
        assert found is not None
        assert (set(found.kinds), set(found.colours), set(found.patterns)) == expected
    look = {"kind": "mens-shirts", "colour": "blue", "pattern": "checks", "material": "cotton"}
    assert wanted("men's blue shirt").fits(look)  # type: ignore[union-attr]
    assert not wanted("men's red shirt").fits(look)  # type: ignore[union-attr]
    assert all(
        wanted(text) is None for text in ("", "something nice", "x" * 5_000, "<b>'; --", "women's red")
    )
