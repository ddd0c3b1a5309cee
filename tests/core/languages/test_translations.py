"""A real M2M100 folder with tiny random weights: loaded, translated with, scored; and every folder that is none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from core.catalog.info import info
from core.commands.app import app
from core.errors import ModelError, TranslationError, UsageError
from core.languages import translations
from core.languages.pairs import between, country_pairs
from core.languages.translator import Network, open_translator
from core.storage import alone
from tests.spoken import built_in, told
from trainers import translation as trainer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the trainer leaves after four steps, stopped and resumed between them."""
    out = tmp_path_factory.mktemp("translator") / "small"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "set_num_threads", lambda threads: None)
        trainer.main(["--preset", "toy", "--steps", "2", "--out", str(out), "--cpu"])
        half = load_file(out / "model" / "model.safetensors")
        trainer.main(["--preset", "toy", "--steps", "4", "--out", str(out), "--cpu", "--resume"])
    whole = load_file(out / "model" / "model.safetensors")
    assert half.keys() == whole.keys() and not torch.equal(
        half["model.shared.weight"], whole["model.shared.weight"]
    )
    return out / "model"


def test_load_translate_score(home: Path, tmp_path: Path, folder: Path) -> None:
    products = told(tmp_path)
    run = CliRunner()
    options = ["translate", "told", "--from", "cz", "--to", "sk", "--model", str(folder), "--cpu", "--json"]
    for mode in ("right", "published"):
        answer = run.invoke(app, [*options, "--mode", mode])
        (said,) = json.loads(answer.stdout)
        assert (said["source_language"], said["target_language"], said["mode"]) == ("cs", "sk", mode)
        assert said["texts"] == 4 and said["scores"]["n"] == 3 and said["scores_every_pair"]["n"] == 4
        assert 0 <= said["scores"]["bleu"] <= 100 and said["model"] == "small"
    there = translations.listing(products.info)
    assert {one.described.mode for one in there} == {"right", "published"}
    assert {one.described.digest for one in there} == {said["digest"]}
    row = next(iter(there[0].texts))
    assert translations.of_product(products.info, row).keys() == {"sk"}
    translations.remove(products.info, there[0].described.name)
    with pytest.raises(TranslationError, match="no translation"):
        translations.remove(products.info, there[0].described.name)


def test_languages_that_the_model_does_not_know_are_left_out(
    home: Path, tmp_path: Path, folder: Path
) -> None:
    told(tmp_path)
    run = CliRunner()
    options = ["translate", "told", "--model", str(folder), "--cpu"]
    said = run.invoke(app, [*options, "--from", "cz,hu", "--item", "i0"]).stdout
    assert "cz-sk  1 texts" in said and "left out: small does not know the language 'es'" in said
    error = run.invoke(app, [*options, "--from", "cz", "--to", "es"]).exception
    assert isinstance(error, ModelError)


def test_modes_and_odd_texts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_translator(str(folder), cpu=True)
    assert isinstance(model, Network)
    asked = []
    generate = model.model.generate

    def watched(**given: torch.Tensor) -> torch.Tensor:
        asked.append((given["input_ids"], given["forced_bos_token_id"], given["max_length"]))
        return generate(**given)

    monkeypatch.setattr(model.model, "generate", watched)
    long = "Bunda pro muže hřeje. " * 180
    texts = ["", "😀 😀", long, "x" * 4_000, "Bunda."]
    made = model.translate(texts, "cs", "sk", "right")
    assert made[:2] == texts[:2] and len(made) == 5
    code = model.tokenizer.get_lang_id
    assert all((numbers[:, 0] == code("cs")).all() and first == code("sk") for numbers, first, _ in asked)
    assert all(numbers.shape[1] <= 62 for numbers, _, _ in asked)
    assert sum(len(numbers) for numbers, _, _ in asked) == 3  # a sentence that repeats is translated once
    asked.clear()
    model.translate([long], "cs", "sk", "published")
    ((numbers, first, most),) = asked
    assert numbers[0, 0] == code("en") and first == code("sk") and numbers.shape[1] == most == 32
    for source, target, mode, language in (("el", "sk", "right", "el"), ("cs", "es", "published", "et")):
        with pytest.raises(ModelError, match=f"small does not know the language '{language}'"):
            model.translate(["Bunda."], source, target, mode)  # type: ignore[arg-type]


def test_the_bundled_translator_beats_copying(home: Path, tmp_path: Path) -> None:
    products = built_in(tmp_path, 1_500)
    pairs = country_pairs(products)
    rows = between(pairs, "cz", "hu")["row_a"].unique()[:12].tolist()
    scores = {}
    for name in ("tiny", "copy"):
        model = open_translator(name, cpu=True)
        made = translations.translate(
            products, translations.describe(products, "cz", "hu", model, "right"), model, rows
        )
        scores[name] = translations.scored(made, pairs, repeats=0)
    assert scores["tiny"] is not None and scores["copy"] is not None
    assert scores["tiny"].n >= 3 and scores["tiny"].chrf > scores["copy"].chrf + 15
    with pytest.raises(ModelError, match="tiny does not know the language 'el'"):
        open_translator("tiny").check("cs", "el", "right")


def test_memory_that_is_exhausted_halves_the_batch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Network(folder, str(folder), cpu=True)
    generated = model._generated

    def small(batch: list[str], wanted: str, mode: str) -> list[str]:
        if len(batch) > 1:
            raise torch.OutOfMemoryError("no memory")
        return generated(batch, wanted, mode)  # type: ignore[arg-type]

    monkeypatch.setattr(model, "_generated", small)
    texts = ["Bunda.", "Šaty jsou krátké.", "Boty."]
    assert len(model.translate(texts, "cs", "sk", "right")) == 3
    monkeypatch.setattr(model, "_generated", lambda *given: (_ for _ in ()).throw(MemoryError))
    with pytest.raises(ModelError, match="memory is exhausted by a text"):
        model.translate(texts, "cs", "sk", "right")


def test_a_killed_run_continues_and_two_exclude_each_other(
    home: Path, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    products = told(tmp_path)
    model = open_translator("copy")
    described = translations.describe(products, "cz", "sk", model, "right")
    monkeypatch.setattr(translations, "BLOCK", 2)
    monkeypatch.setattr(model, "translate", lambda texts, *given: [text.upper() for text in texts])
    made = translations.translate(products, described, model, [0, 4, 6, 7])
    place = products.info.folder / "translations" / described.name
    lines = (place / translations.TEXTS).read_text(encoding="utf-8")
    (place / translations.TEXTS).write_text(
        lines[:-25], encoding="utf-8"
    )  # killed while the last line was written
    asked: list[str] = []
    monkeypatch.setattr(
        model, "translate", lambda texts, *given: asked.extend(texts) or [text.upper() for text in texts]
    )
    again = translations.translate(products, described, model, [0, 4, 6, 7])
    assert again.texts == made.texts and len(asked) == 1
    scored = translations.scored(made, country_pairs(products))
    assert scored is not None and scored.n == 3
    with (
        alone(place / ".lock", lambda who: AssertionError(who)),
        pytest.raises(TranslationError, match="cz-sk-right-copy is being translated by process"),
    ):
        translations.translate(products, described, model, [0])
    said = json.loads((place / translations.SAID).read_text())
    (place / translations.SAID).write_text(json.dumps(said | {"fingerprint": "another"}))
    assert translations.listing(products.info) == []
    asked.clear()
    translations.translate(products, described, model, [0, 4])
    assert len(asked) == 2 and len(translations.listing(info("told"))) == 1


def test_folders_that_are_no_translator(home: Path, tmp_path: Path, folder: Path) -> None:
    cases = {
        "cut": "cannot be opened", "partial": "is incomplete: 1 tensors", "pickle": "no model.safetensors",
        "other": "kind 'bert'", "no-tokenizer": "cannot be opened", "empty": "config.json cannot be read",
    }  # fmt: skip
    for name in cases:
        shutil.copytree(folder, tmp_path / name)
    weights = tmp_path / "cut" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:2_000])
    tensors = load_file(folder / "model.safetensors")
    del tensors["model.encoder.layers.0.fc1.weight"]
    save_file(tensors, tmp_path / "partial" / "model.safetensors")
    (tmp_path / "pickle" / "model.safetensors").rename(tmp_path / "pickle" / "pytorch_model.bin")
    (tmp_path / "other" / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "no-tokenizer" / "sentencepiece.bpe.model").unlink()
    (tmp_path / "empty" / "config.json").write_text("[]")
    for name, says in cases.items():
        with pytest.raises(ModelError, match=says):
            open_translator(str(tmp_path / name), cpu=True)
    with pytest.raises(ModelError, match="no folder of a translator at /nowhere"):
        open_translator("/nowhere")
    with pytest.raises(ModelError, match=r"facebook/nothing is not on this machine.*hf download"):
        open_translator("facebook/nothing")


def test_what_cannot_be_translated(home: Path, tmp_path: Path) -> None:
    told(tmp_path)
    told(tmp_path, [("p", "", "Boty", "", "train")], "nowhere")
    told(tmp_path, [("p", "xx", "Boty", "Boty.", "train"), ("p", "cz", "Boty", "Boty.", "train")], "unknown")
    run = CliRunner()
    for given, says in (
        (
            ["told", "--from", "hu", "--to", "sk", "--model", "copy", "--cohort", "split=test"],
            "has no pair of hu and sk",
        ),
        (["told", "--from", "cz", "--to", "cz", "--model", "copy"], "into itself"),
        (["told", "--from", "de", "--model", "copy"], "no country de"),
        (
            ["told", "--from", "cz", "--to", "sk", "--mode", "wrong", "--model", "copy"],
            "expected right or published",
        ),
        (["nowhere", "--model", "copy"], "have no country"),
        (["unknown", "--from", "cz", "--to", "xx", "--model", "copy"], "language of 'xx' is not known"),
    ):
        error = run.invoke(app, ["translate", *given]).exception
        assert isinstance(error, UsageError) and says in str(error), (given, error)
