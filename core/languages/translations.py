"""Translations of a dataset's texts, stored with the model's digest: `translations/<from>-<to>-<mode>-<digest>/`.

`texts.jsonl` grows by one block of texts at a time and survives a kill; a second run translates only what is missing.
`translation.json` says what made them. Translations of an earlier version of the dataset are an error that says what to run.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from core.catalog.info import DatasetInfo
from core.catalog.products import Products
from core.errors import TranslationError, UsageError
from core.languages.pairs import Column, between
from core.languages.scores import Scores, score
from core.languages.translator import MODES, Mode, Translator
from core.progress import Progress, no_progress
from core.schema import LANGUAGE_OF_GEO
from core.storage import alone, append_line, storage_errors

BLOCK = 64  # texts that are written at once: the most that a kill can lose
LONGEST = 4_000  # characters of a text that are translated
BASELINES = ("copy", "lexicon")  # are shown nowhere as a translation
TEXTS, SAID = "texts.jsonl", "translation.json"


@dataclass(frozen=True)
class Described:
    """What translation.json says."""

    source: str  # country
    target: str
    source_language: str
    target_language: str
    model: str
    digest: str
    mode: Mode
    column: Column
    fingerprint: str  # of the dataset
    created: str = ""
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """Of the folder."""
        column = "" if self.column == "description" else f"-{self.column}"
        return f"{self.source}-{self.target}-{self.mode}{column}-{self.digest}"


@dataclass(frozen=True)
class Translation:
    """Translations by row_id."""

    described: Described
    texts: dict[int, str]


def language_of(products: Products, country: str) -> str:
    """The language of a country: GLAMI's, or that most of its products declare.

    Raises:
        UsageError: the dataset has no such country, or no language of it is known.
    """
    found = products.frame(
        "SELECT mode(language) AS language, count(*) AS n FROM cohort WHERE geo = ?", None, [country]
    ).iloc[0]
    if not found["n"]:
        have = ", ".join(products.facet("geo")) or "none"
        raise UsageError(f"{products.info.name} has no country {country!r} (there are: {have}).")
    language = LANGUAGE_OF_GEO.get(country) or (
        found["language"] if isinstance(found["language"], str) else ""
    )
    if not language:
        raise UsageError(f"The language of {country!r} is not known: its products declare none.")
    return str(language).partition("-")[0]


def describe(
    products: Products,
    source: str,
    target: str,
    model: Translator,
    mode: Mode,
    column: Column = "description",
) -> Described:
    """What a translation of these would be named.

    Raises:
        UsageError: a country is none, both are the same, or the mode is none.
        ModelError: the model does not know a language.
    """
    if source == target:
        raise UsageError(f"{source!r} cannot be translated into itself: choose two countries.")
    if mode not in MODES:
        raise UsageError(f"mode is {mode!r}; expected {' or '.join(MODES)}.")
    languages = language_of(products, source), language_of(products, target)
    model.check(*languages, mode)
    return Described(
        source, target, *languages, model.name, model.digest, mode, column, products.info.fingerprint
    )  # fmt: skip


def translate(
    products: Products,
    described: Described,
    model: Translator,
    rows: Sequence[int],
    progress: Progress = no_progress,
) -> Translation:
    """Translate the texts of these products, but for those that are there already.

    Raises:
        TranslationError: another process is at it, or what is there is of an earlier version of the dataset.
        ModelError: the memory is exhausted; what was translated is kept.
        StorageError: the folder cannot be written.
    """
    folder = products.info.folder / "translations" / described.name
    wanted = sorted(set(map(int, rows)))
    with storage_errors(products.info.folder):
        folder.mkdir(parents=True, exist_ok=True)
        with alone(
            folder / ".lock", lambda who: TranslationError(f"{described.name} is being translated by {who}.")
        ):
            there = _there(products.info, folder, described)
            missing = [row for row in wanted if row not in there]
            texts = _texts(products, missing, described.column)
            missing.sort(key=lambda row: len(texts[row]))
            started = time.monotonic()
            for start in range(0, len(missing), BLOCK):
                progress(
                    len(wanted) - len(missing) + start,
                    len(wanted),
                    f"{described.source} to {described.target}",
                )
                block = missing[start : start + BLOCK]
                said = model.translate(
                    [texts[row] for row in block],
                    described.source_language,
                    described.target_language,
                    described.mode,
                )
                lines = [
                    json.dumps([row, text], ensure_ascii=False) for row, text in zip(block, said, strict=True)
                ]
                append_line(folder / TEXTS, "\n".join(lines))
                there.update(zip(block, said, strict=True))
            if missing:
                _say(folder, described, time.monotonic() - started)
    return Translation(described, {row: there[row] for row in wanted})


def scored(
    translation: Translation, pairs: pd.DataFrame, every: bool = False, repeats: int = 1_000
) -> Scores | None:
    """Scores over the pairs of the two countries; None without any.

    Args:
        pairs: of `country_pairs`.
        every: the published count: empty, equal and other-language texts included.
    """
    frame = aligned(translation, pairs, every)
    if frame.empty:
        return None
    return score(
        frame["translation"].tolist(), frame["text_b"].tolist(), translation.described.target_language, repeats
    )  # fmt: skip


def aligned(translation: Translation, pairs: pd.DataFrame, every: bool = False) -> pd.DataFrame:
    """The pairs whose source is translated: `between`, with `translation`."""
    frame = between(pairs, translation.described.source, translation.described.target)
    if not every:
        frame = frame[frame["kind"] == "usable"]
    frame = frame.assign(translation=frame["row_a"].map(translation.texts))
    return frame[frame["translation"].notna()].reset_index(drop=True)


def listing(info: DatasetInfo) -> list[Translation]:
    """The translations that are there and current, newest first. Unreadable ones are left out."""
    found = []
    for path in (info.folder / "translations").glob(f"*/{SAID}"):
        with suppress(OSError, ValueError, TypeError, KeyError):
            described = _read(path)
            if described.fingerprint == info.fingerprint and described.name == path.parent.name:
                found.append(Translation(described, _lines(path.parent / TEXTS, info.rows)))
    return sorted(found, key=lambda one: (one.described.created, one.described.name), reverse=True)


def stamp(info: DatasetInfo) -> float:
    """Changes when a translation is added: for caches."""
    folder = info.folder / "translations"
    return max(
        (path.stat().st_mtime for path in [folder, *folder.glob(f"*/{TEXTS}")] if path.exists()), default=0.0
    )


def of_product(info: DatasetInfo, row: int) -> dict[str, tuple[str, str]]:
    """Stored translations of one product's description: (text, model) by target country, the newest of each; those in
    the published way are left out."""
    found: dict[str, tuple[str, str]] = {}
    for one in listing(info):
        said = one.described
        if (
            row in one.texts
            and said.mode == "right"
            and said.column == "description"
            and said.model != "copy"
        ):
            found.setdefault(said.target, (one.texts[row], said.model))
    return found


def remove(info: DatasetInfo, name: str) -> None:
    """Delete a translation by its folder's name.

    Raises:
        TranslationError: there is none.
    """
    folder = info.folder / "translations" / name
    if "/" in name or name.startswith(".") or not folder.is_dir():
        raise TranslationError(f"{info.name} has no translation {name!r}.")
    shutil.rmtree(folder)


def _there(info: DatasetInfo, folder: Path, described: Described) -> dict[int, str]:
    """What an earlier run translated; of an earlier version of the dataset, or of who knows what, nothing."""
    current = False
    with suppress(OSError, ValueError, TypeError, KeyError):
        current = _read(folder / SAID).fingerprint == described.fingerprint
    if not current:
        (folder / TEXTS).unlink(missing_ok=True)
        (folder / SAID).unlink(missing_ok=True)
        _say(folder, described, 0.0)
    return _lines(folder / TEXTS, info.rows)


def _lines(path: Path, rows: int) -> dict[int, str]:
    """The texts of a file whose last line a kill may have cut."""
    found: dict[int, str] = {}
    if not path.exists():
        return found
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        with suppress(ValueError, TypeError):
            row, text = json.loads(line)
            if isinstance(row, int) and isinstance(text, str) and 0 <= row < rows:
                found[row] = text
    return found


def _say(folder: Path, described: Described, seconds: float) -> None:
    with suppress(OSError, ValueError, TypeError, KeyError):
        seconds += _read(folder / SAID).seconds
    said: dict[str, Any] = asdict(described) | {
        "seconds": round(seconds, 2), "created": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }  # fmt: skip
    aside = folder / f".{SAID}.{os.getpid()}"
    aside.write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    aside.replace(folder / SAID)


def _read(path: Path) -> Described:
    said = json.loads(path.read_text(encoding="utf-8"))
    known = {field.name for field in fields(Described)}
    return Described(**{key: value for key, value in said.items() if key in known})


def _texts(products: Products, rows: Sequence[int], column: Column) -> dict[int, str]:
    sql = f"SELECT row_id, left(trim(coalesce({column}, '')), {LONGEST}) AS text FROM cohort WHERE row_id IN (SELECT unnest(?))"  # noqa: S608
    frame = products.frame(sql, None, [list(rows)])
    return dict(zip(frame["row_id"].tolist(), frame["text"].tolist(), strict=True))
