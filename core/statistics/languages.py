"""Detect script and language of texts by letters and function words, and compare with the declared language.

A script is that of most letters. Greek, Han, Kana, Hangul name their language; Cyrillic and Latin ones are told apart by
function words and by letters that few of the languages use. What these leave open, a model of character sequences decides
where it is sure (`language_model`). A text that neither can tell stays undecided: it is not guessed, and not held against
its declaration.

Source: Grefenstette 1995, "Comparing two language identification schemes" (function words against letters).
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pandas as pd

from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.statistics.cache import cached
from core.statistics.counts import NONE
from core.statistics.display import Display, bar_height, linked, nothing, percent, shown
from core.statistics.language_model import language_of
from core.statistics.stopwords import stop_words

if TYPE_CHECKING:
    import plotly.graph_objects as go

UNDECIDED = "undecided"
MOST_TEXTS = 10_000  # size of the fixed sample, if there are more
SCRIPTS = {
    "Latin": "A-Za-zÀ-ɏḀ-ỿ", "Greek": "Ͱ-Ͽἀ-῿", "Cyrillic": "Ѐ-ӿ", "Kana": "぀-ヿ", "Hangul": "가-힯",
    "Han": "㐀-䶿一-鿿", "Arabic": "؀-ۿ", "Hebrew": "֐-׿",
}  # fmt: skip
_SCRIPTS = {script: re.compile(f"[{letters}]") for script, letters in SCRIPTS.items()}
BY_SCRIPT = {"Greek": "el", "Kana": "ja", "Hangul": "ko", "Han": "zh", "Hebrew": "he", "Arabic": "ar"}

# Letters beyond a-z of each language's alphabet.
LETTERS = {
    "cs": "áčďéěíňóřšťúůýž", "sk": "áäčďéíĺľňóôŕšťúýž", "ro": "ăâîșțşţ", "sl": "čšž", "hu": "áéíóöőúüű", "hr": "čćđšž",
    "es": "áéíñóúü", "lt": "ąčęėįšųūž", "lv": "āčēģīķļņšūž", "tr": "çğıöşü", "et": "äõöüšž", "en": "",
}  # fmt: skip
CYRILLIC = {"bg": "абвгдежзийклмнопрстуфхцчшщъьюя", "ru": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"}
_USERS = Counter(letter for letters in LETTERS.values() for letter in letters)
_LATIN_WORD = re.compile(r"[^\W\d_]+")
MARGIN = 0.25  # least margin between the best and the second score, as a fraction


def script_of(text: str) -> str | None:
    """The most frequent script; None without letters.

    >>> script_of("Ризи Fjord"), script_of("800 x 600 %")
    ('Latin', None)
    """
    counts = {script: len(pattern.findall(text)) for script, pattern in _SCRIPTS.items()}
    best = max(counts, key=lambda script: counts[script])
    return best if counts[best] else None


def detect(text: str) -> str:
    """A BCP-47 language, or `undecided`.

    >>> detect("Šaty s krátkým rukávem a páskem"), detect("Το φόρεμα"), detect("Nike Air 90")
    ('cs', 'el', 'undecided')
    """
    counts = {script: len(pattern.findall(text)) for script, pattern in _SCRIPTS.items()}
    if counts["Kana"]:
        return "ja"
    # A brand in Latin letters does not make a Greek or Bulgarian name Latin.
    foreign = max((script for script in counts if script != "Latin"), key=lambda script: counts[script])
    if counts[foreign] * 3 >= counts["Latin"] and counts[foreign] >= 3:
        if foreign == "Cyrillic":
            return "ru" if re.search("[ыэё]", text.lower()) else "bg"
        return BY_SCRIPT[foreign]
    if not counts["Latin"]:
        return UNDECIDED
    read = _latin(text)
    return read if read != UNDECIDED else language_of(text, LETTERS) or UNDECIDED


def _latin(text: str) -> str:
    words = _LATIN_WORD.findall(text.lower())
    special = Counter(letter for word in words for letter in word if letter > "\x7f")
    scores = {}
    for language, letters in LETTERS.items():
        lists = stop_words()[language]
        own = [word for word in words if word in lists]
        score = sum(1.0 / _sharing(word) for word in own if len(word) > 1) + 0.25 * sum(
            len(word) == 1 for word in own
        )
        for letter, times in special.items():
            # A letter outside the alphabet weighs more than one inside.
            score += min(times, 3) * (1.0 / _USERS[letter] if letter in letters else -0.75)
        scores[language] = score
    ranked = sorted(scores, key=lambda language: -scores[language])
    first, second = scores[ranked[0]], scores[ranked[1]]
    if first < 0.3 or first - max(second, 0.0) < MARGIN * first:
        return UNDECIDED
    return ranked[0]


def _sharing(word: str) -> int:
    return sum(word in stop_words()[language] for language in LETTERS) or 1


def detected(products: Products, cohort: Cohort | None) -> pd.DataFrame:
    """The detected language of name and description together, for a fixed sample.

    Returns:
        `language` (declared), `geo`, `script`, `detected`, `n`, and `example`, a row_id.
    """

    def compute() -> pd.DataFrame:
        every = max(1, -(-products.count(cohort) // MOST_TEXTS))
        sample = f" AND hash(row_id) % {every} = 0" if every > 1 else ""
        sql = f"""SELECT row_id, coalesce(language, '{NONE}') AS language, coalesce(geo, '{NONE}') AS geo,
                  concat_ws(' ', name, description) AS text
                  FROM cohort WHERE (name IS NOT NULL OR description IS NOT NULL){sample} ORDER BY row_id"""
        texts = products.frame(sql, cohort)
        texts["script"] = [script_of(text) or NONE for text in texts["text"]]
        texts["detected"] = [detect(text) for text in texts["text"]]
        grouped = texts.groupby(["language", "geo", "script", "detected"], as_index=False)
        return grouped.agg(n=("row_id", "size"), example=("row_id", "first"))

    return cached(products, cohort, "languages", compute)


def declared(products: Products, cohort: Cohort | None = None) -> Display:
    """Detected language against the declared one, and the scripts in use."""
    name, heading = "languages", "Declared and detected language"
    explanation = (
        "Each row is a declared language, each column the language detected by letters and function words; "
        "off the diagonal are texts in another language than declared."
    )
    found = detected(products, cohort)
    rows = products.count(cohort)
    label = shown(products, cohort, rows)
    if not rows:
        return nothing(name, heading, explanation, label, "No products match the filter.")
    if found.empty:
        return nothing(name, heading, explanation, label, "None of these products has a text.")
    table = found.pivot_table(
        index="language", columns="detected", values="n", aggfunc="sum", fill_value=0
    ).astype("int64")
    order = [language for language in table.index if language in table.columns]
    rest = sorted(
        (column for column in table.columns if column not in order and column != UNDECIDED),
        key=lambda c: -table[c].sum(),
    )
    table = table[[*order, *rest, *([UNDECIDED] if UNDECIDED in table else [])]]
    total = int(found["n"].sum())
    decided = found[found["detected"] != UNDECIDED]
    stated = decided[decided["language"] != NONE]
    right = int(stated.loc[stated["language"] == stated["detected"], "n"].sum())
    read = int(stated["n"].sum())
    counted = found.groupby("script")["n"].sum().sort_values(ascending=False)
    scripts = {str(script): int(n) for script, n in counted.items()}
    values: dict[str, Any] = {
        "texts": total, "decided": int(decided["n"].sum()), "as_declared": right, "compared": read,
        "scripts": scripts,
    }  # fmt: skip
    in_scripts = (
        f"; scripts: {', '.join(f'{script} {percent(n / total)}' for script, n in values['scripts'].items())}"
    )
    if not read:
        title = (
            "No text could be identified" if decided.empty else "No language is declared to compare with"
        ) + in_scripts
    else:
        title = f"{percent(right / read)} of the identified texts match the declared language{in_scripts}"
    notes = [
        f"{percent(1 - values['decided'] / total)} of the texts are too short or too ambiguous to identify."
    ]
    if total < rows - 1 and rows > MOST_TEXTS:
        notes.append(f"A fixed sample of {total:,} texts is read.")
    output = found.rename(columns={"n": "texts", "example": "row_id of one"}).sort_values(
        "texts", ascending=False, ignore_index=True
    )

    def draw() -> go.Figure:
        import plotly.graph_objects as go

        shares = table.div(table.sum(axis=1), axis=0)
        links = [[linked(cohort, products, [{"language": (str(language),)} if language != NONE else None])[0]] * len(table.columns)
                 for language in table.index]  # fmt: skip
        figure = go.Figure()
        figure.add_heatmap(
            z=shares.to_numpy(), x=list(table.columns), y=list(table.index), zmin=0, zmax=1,
            text=[[f"{n:,}" for n in row] for row in table.to_numpy()], customdata=links,
            colorbar={"tickformat": ".0%", "title": {"text": "share"}},
            hovertemplate="declared %{y}, reads like %{x}: %{z:.1%} (%{text} texts)<extra></extra>",
        )  # fmt: skip
        figure.update_layout(
            height=bar_height(len(table), 150), xaxis={"title": {"text": "reads like"}, "type": "category"},
            yaxis={"title": {"text": "declared language"}, "autorange": "reversed", "type": "category", "dtick": 1},
        )  # fmt: skip
        return figure

    return Display(
        name, heading, title, explanation, label, output, draw, values, tuple(notes), "Grefenstette 1995"
    )
