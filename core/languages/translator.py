"""Translating texts with a folder of M2M100, NLLB or MarianMT, by transformers.

Two ways. `right`: every source is tagged with its own language, and whole texts are translated, sentence by sentence.
`published`: what GLAMI-1M's supplementary did (docs/reference/methods.md): sources and translations are cut at 32 tokens,
every source is tagged as English, and where Spanish is meant Estonian is asked for.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from core.errors import ModelError
from core.settings import ASSETS

Mode = Literal["right", "published"]
MODES: tuple[Mode, ...] = get_args(Mode)
PUBLISHED_TOKENS = 32  # of a source and of a translation
CHUNK_TOKENS = 128  # of a sentence, at most; longer ones are split between words
BATCH_TOKENS = {"cpu": 2_048, "cuda": 16_384}  # of a batch, with its padding
COPY = "copy"  # the source unchanged: what every model must beat
BUNDLED = ASSETS / "models" / "translation-tiny"
LEARNED = "learned_languages"  # of a config.json: those of M2M100's hundred that it was trained on
FAMILIES = {"m2m_100": "M2M100 or NLLB", "marian": "MarianMT"}

_SENTENCE = re.compile(r"(?<=[.!?…。！？])\s+")
_LETTER = re.compile(r"[^\W\d_]")
NLLB = {
    "cs": "ces_Latn", "sk": "slk_Latn", "ro": "ron_Latn", "el": "ell_Grek", "hu": "hun_Latn", "bg": "bul_Cyrl",
    "hr": "hrv_Latn", "es": "spa_Latn", "lt": "lit_Latn", "sl": "slv_Latn", "lv": "lvs_Latn", "tr": "tur_Latn",
    "et": "est_Latn", "en": "eng_Latn", "zh": "zho_Hans", "de": "deu_Latn", "fr": "fra_Latn", "it": "ita_Latn",
    "pl": "pol_Latn", "pt": "por_Latn", "ru": "rus_Cyrl", "uk": "ukr_Cyrl", "ja": "jpn_Jpan", "ko": "kor_Hang",
}  # fmt: skip


class Translator(Protocol):
    """What translates."""

    name: str
    digest: str  # of its weights

    def check(self, source: str, target: str, mode: Mode) -> None:
        """
        Raises:
            ModelError: it does not know one of the languages.
        """

    def translate(self, texts: Sequence[str], source: str, target: str, mode: Mode) -> list[str]:
        """One translation per text, in order. An empty text, and one without a letter, stays as it is."""


class Copy:
    """The source unchanged."""

    name = digest = COPY

    def check(self, source: str, target: str, mode: Mode) -> None:
        """It knows all languages."""

    def translate(self, texts: Sequence[str], source: str, target: str, mode: Mode) -> list[str]:
        return list(texts)


def open_translator(model: str, cpu: bool = False) -> Translator:
    """A translator by its folder, by the name of a model on the hub that was downloaded, `tiny`, or `copy`.

    Raises:
        ModelError: there is none, it is of another kind, or its folder is incomplete.
    """
    return Copy() if model == COPY else Network(_folder(model), model, cpu)


def bundled() -> str:
    """The name of the translator that comes with Vitrine; empty where it has none."""
    return "tiny" if (BUNDLED / "config.json").exists() else ""


def bundled_languages() -> frozenset[str]:
    """The languages that the bundled translator learned; none where there is none."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        return frozenset(json.loads((BUNDLED / "config.json").read_text(encoding="utf-8"))[LEARNED])
    return frozenset()


def _folder(model: str) -> Path:
    if model == "tiny" and bundled():
        return BUNDLED
    path = Path(model).expanduser()
    if path.is_dir():
        return path
    if path.is_absolute() or model.startswith(".") or not re.fullmatch(r"[\w.-]+/[\w.-]+", model):
        raise ModelError(f"There is no folder of a translator at {model}.")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, local_files_only=True))
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError) as error:
        raise ModelError(
            f"{model} is not on this machine. Download it where there is a network: "
            f"HF_HUB_OFFLINE=0 hf download {model}"
        ) from error


def digest_of(folder: Path) -> str:
    """Twelve hexadecimal digits of a digest of a folder's weights.

    Raises:
        ModelError: it has no safetensors.
    """
    files = sorted(folder.glob("model*.safetensors"))
    if not files:
        raise ModelError(
            f"{folder} has no model.safetensors. Pickled weights are not opened: convert them first."
        )
    found = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            found.update(hashlib.file_digest(opened, "sha256").digest())
    return found.hexdigest()[:12]


class Network:
    """A network of transformers."""

    def __init__(self, folder: Path, name: str, cpu: bool = False) -> None:
        own = folder.parent.name if folder.name == "model" else folder.name  # of a run, the run's
        self.name = own if Path(name).expanduser().is_dir() else name
        self.kind = _kind(folder)
        self.digest = digest_of(folder)
        self.tokenizer, self.model = _open(folder)
        import torch

        self.device = "cuda" if torch.cuda.is_available() and not cpu else "cpu"
        self.model = self.model.to(
            self.device, torch.float16 if self.device == "cuda" else torch.float32
        ).eval()
        most = getattr(self.model.config, "max_position_embeddings", 512)
        self.longest = max(8, min(CHUNK_TOKENS, most - 2))
        self.batch_tokens = BATCH_TOKENS[self.device]
        languages = getattr(self.tokenizer, "lang_code_to_id", None) or {}
        learned = getattr(self.model.config, LEARNED, None)
        self._learned = frozenset(map(str, learned)) if isinstance(learned, list) else None
        self._marks = frozenset(languages.values()) | frozenset(self.tokenizer.all_special_ids)

    def check(self, source: str, target: str, mode: Mode) -> None:
        if self.kind == "marian":
            if (marks := self._marian_marks()) and _marian(target, marks) is None:
                raise ModelError(f"{self.name} does not translate into {target!r}.")
            return
        for language in dict.fromkeys(_asked(source, target, mode)):
            if self._code(language) is None:
                raise ModelError(f"{self.name} does not know the language {language!r}.")

    def translate(self, texts: Sequence[str], source: str, target: str, mode: Mode) -> list[str]:
        self.check(source, target, mode)
        tagged, wanted = _asked(source, target, mode)
        parts = [[] if not _LETTER.search(text) else self._parts(text, mode) for text in texts]
        flat = sorted({part for some in parts for part in some}, key=lambda part: (len(part), part))
        if self.kind == "m2m_100":
            self.tokenizer.src_lang = self._code(tagged)
        said: dict[str, str] = {}
        for batch in self._batches(flat):
            said.update(zip(batch, self._generate(batch, wanted, mode), strict=True))
        return [
            " ".join(said[part] for part in some) if some else text
            for text, some in zip(texts, parts, strict=True)
        ]

    def _parts(self, text: str, mode: Mode) -> list[str]:
        """What is translated at once: the whole text, which is cut, or its sentences."""
        if mode == "published":
            return [text]
        found = []
        for sentence in filter(None, map(str.strip, _SENTENCE.split(text))):
            words = sentence.split()
            while words:
                take = len(words)
                while take > 1 and self._length(" ".join(words[:take])) > self.longest:
                    take = max(1, take * self.longest // (self._length(" ".join(words[:take])) + 1))
                found.append(" ".join(words[:take]))
                words = words[take:]
        return found

    def _length(self, text: str) -> int:
        return len(self.tokenizer(text).input_ids)

    def _batches(self, parts: Sequence[str]) -> list[list[str]]:
        """Parts of about one length together, shortest first."""
        batches: list[list[str]] = []
        longest = 0
        for part in parts:
            longest = max(longest, min(self.longest, len(part)))  # characters: tokens are no more
            if not batches or longest * (len(batches[-1]) + 1) > self.batch_tokens:
                batches.append([])
                longest = min(self.longest, len(part))
            batches[-1].append(part)
        return batches

    def _generate(self, batch: Sequence[str], wanted: str, mode: Mode) -> list[str]:
        """
        Raises:
            ModelError: the memory is exhausted even by one text.
        """
        import torch

        try:
            return self._generated(batch, wanted, mode)
        except (torch.OutOfMemoryError, MemoryError) as error:
            if len(batch) == 1:
                raise ModelError(
                    f"The memory is exhausted by a text of {len(batch[0]):,} characters. What was translated is kept."
                ) from error
        if self.device == "cuda":
            torch.cuda.empty_cache()
        self.batch_tokens = max(self.longest, self.batch_tokens // 2)
        half = len(batch) // 2
        return [*self._generate(batch[:half], wanted, mode), *self._generate(batch[half:], wanted, mode)]

    def _generated(self, batch: Sequence[str], wanted: str, mode: Mode) -> list[str]:
        import torch

        cut = PUBLISHED_TOKENS if mode == "published" else self.longest
        given: dict[str, Any] = {}
        texts = list(batch)
        if self.kind == "m2m_100":
            given["forced_bos_token_id"] = self._number(wanted)
        elif marks := self._marian_marks():
            texts = [f"{_marian(wanted, marks)} {text}" for text in texts]
        read = self.tokenizer(texts, return_tensors="pt", padding=True, truncation=True, max_length=cut).to(
            self.device
        )
        read = {name: read[name] for name in ("input_ids", "attention_mask")}
        most = (
            PUBLISHED_TOKENS
            if mode == "published"
            else min(self.longest, int(1.6 * read["input_ids"].shape[1]) + 12)
        )
        with torch.inference_mode():
            numbers = self.model.generate(**read, **given, max_length=most, do_sample=False)
        return [
            self.tokenizer.decode([number for number in row if number not in self._marks]).strip()
            for row in numbers.tolist()
        ]

    def _code(self, language: str) -> str | None:
        """The model's own name of a language; None where it does not know it."""
        if self._learned is not None and language not in self._learned:
            return None
        known = getattr(self.tokenizer, "lang_code_to_id", None)
        if known is not None and language in known:
            return language
        code = NLLB.get(language, "")
        number = self.tokenizer.convert_tokens_to_ids(code) if code else None
        return code if number not in (None, self.tokenizer.unk_token_id) else None

    def _number(self, language: str) -> int:
        code = self._code(language)
        known = getattr(self.tokenizer, "lang_code_to_id", None) or {}
        return int(known[code] if code in known else self.tokenizer.convert_tokens_to_ids(code))

    def _marian_marks(self) -> list[str]:
        return list(getattr(self.tokenizer, "supported_language_codes", None) or ())


def _asked(source: str, target: str, mode: Mode) -> tuple[str, str]:
    """The languages that the model is told: in `published` those of the reference implementation."""
    return (source, target) if mode == "right" else ("en", "et" if target == "es" else target)


def _marian(language: str, marks: Sequence[str]) -> str | None:
    """The mark of a target language in a multilingual MarianMT: `>>ces<<`, `>>cs<<` or with a script behind."""
    codes = (language, NLLB.get(language, "---")[:3])
    return next((mark for mark in marks if mark.strip("<>").split("_")[0] in codes), None)


def _kind(folder: Path) -> str:
    try:
        said = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kind = said["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{folder} is no folder of a translator: its config.json cannot be read ({error})."
        ) from error
    if kind not in FAMILIES:
        raise ModelError(
            f"{folder} holds a model of kind {kind!r}; a translator is of {' or '.join(FAMILIES.values())}."
        )
    return str(kind)


def _open(folder: Path) -> tuple[Any, Any]:
    """Tokenizer and network, whole.

    Raises:
        ModelError: a file is missing, cut short, or of another model.
    """
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
        model, said = AutoModelForSeq2SeqLM.from_pretrained(
            str(folder),
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except Exception as error:  # whatever the library meets in files that anybody may have made
        line = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise ModelError(
            f"The translator in {folder} cannot be opened: {line} Is the folder complete?"
        ) from error
    if missing := sorted(said["missing_keys"]):
        raise ModelError(
            f"The translator in {folder} is incomplete: {len(missing)} tensors are missing, first {missing[0]}."
        )
    return tokenizer, model
