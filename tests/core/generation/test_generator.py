"""The generator: its solver against an exact solution, its conditions, a folder of weights, bad requests, phrases, measures."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from core.commands.app import app
from core.demo.drawing import draw as drawn
from core.demo.looks import Look
from core.errors import ModelError, UsageError
from core.generation import measures, model
from core.generation.diffusion import alpha_sigma, cosine_log_snr, ddim
from core.generation.network import PRESETS, GeneratorConfig, Stage, likely, narrowed
from core.generation.phrases import hint, in_every_language
from core.generation.sampling import Drawing, draw, finished
from core.generation.solvers import FIRST, dpm_solver
from core.generation.texts import LiteReader, text_reader
from core.training.checkpoints import write_tensors

TINY = narrowed(PRESETS["tiny"], 16)


def write(folder: Path, config: GeneratorConfig = TINY) -> Path:
    """A generator of random weights."""
    torch.manual_seed(0)
    folder.mkdir()
    for name in model.STAGES:
        stage = Stage(config.stage(name), config.text_width, config.tokens)
        write_tensors(folder / f"{name}.safetensors", dict(stage.state_dict()), {})
    described = {
        "preset": "tiny",
        "datasets": {"demo": "f"},
        "steps": {"base": 1, "upsampler": 1},
        "model": asdict(config),
    }
    (folder / model.CONFIG).write_text(json.dumps(described))
    return folder


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> model.Generator:
    return model.load(write(tmp_path_factory.mktemp("generator") / "toy"), "cpu")


@pytest.fixture(scope="module")
def reader() -> LiteReader:
    return LiteReader(TINY.tokens)


def test_dpm_solver_approaches_the_exact_solution_faster_than_ddim() -> None:
    # Pictures that are normal with deviation 0.2: the noise is known, and the flow scales the start linearly.
    spread = 0.2

    def predict(picture: torch.Tensor, level: torch.Tensor) -> torch.Tensor:
        alpha, sigma = (part[:, None, None, None] for part in alpha_sigma(level))
        return sigma * picture / (alpha**2 * spread**2 + sigma**2)

    def scale(time: float) -> torch.Tensor:
        alpha, sigma = alpha_sigma(cosine_log_snr(torch.tensor(time, dtype=torch.float64)))
        return (alpha**2 * spread**2 + sigma**2).sqrt()

    start = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 0.5
    exact = start * scale(0) / scale(FIRST)
    errors = {n: float((list(dpm_solver(predict, start, n))[-1][0] - exact).abs().max()) for n in (20, 40)}
    plain = float((list(ddim(predict, start, 20))[-1][0] - exact).abs().max())
    assert errors[20] < plain / 2
    assert errors[40] < errors[20] / 2


def test_an_upsampler_begins_with_what_the_enlarged_picture_implies() -> None:
    # Independently: the posterior of a normal variable given two noisy views of it, by its covariances.
    log_snr, level, prior = torch.tensor([0.3]), torch.tensor([1.2]), 0.25
    picture, enlarged = torch.tensor(0.7), torch.tensor(-0.4)
    (alpha, sigma), (share, dirt) = (
        tuple(float(part) for part in alpha_sigma(each)) for each in (log_snr, level)
    )
    blurred, clean = 0.6**2, 0.6**2 + prior**2
    seen = np.array(
        [[alpha**2 * clean + sigma**2, alpha * share * blurred], [0, share**2 * blurred + dirt**2]]
    )
    seen[1, 0] = seen[0, 1]
    expected = np.array([alpha * clean, share * blurred]) @ np.linalg.solve(
        seen, [float(picture), float(enlarged)]
    )
    shape = (1, 3, 2, 2)
    found = likely(picture.expand(shape), log_snr, enlarged.expand(shape), level, prior)
    torch.testing.assert_close(found, torch.full(shape, float(expected)))


def test_masked_and_dropped_tokens_change_nothing() -> None:
    stage = Stage(TINY.base, TINY.text_width, TINY.tokens).eval()
    picture, level = torch.randn(1, 3, 32, 32), torch.tensor([0.5])
    tokens = torch.randn(2, 1, TINY.tokens, TINY.text_width)
    mask = torch.zeros(1, TINY.tokens, dtype=torch.bool)
    mask[:, :3] = True
    yes, no = torch.tensor([True]), torch.tensor([False])
    tokens[1, :, :3] = tokens[0, :, :3]
    with torch.no_grad():
        one, other = (stage(picture, level, each, mask, yes) for each in tokens)
        torch.testing.assert_close(one, other)
        one, other = (stage(picture, level, each, mask, no) for each in (tokens[0], tokens[0] + 1))
        torch.testing.assert_close(one, other)
        assert not torch.allclose(stage(picture, level, tokens[0], mask, yes), one)


def test_a_picture_depends_on_phrase_and_seed_and_not_on_its_neighbours(
    generator: model.Generator, reader: LiteReader
) -> None:
    asked = Drawing("red dress", seed=3, steps=2, count=2)
    steps = list(draw(generator, reader, asked))
    assert [step.stage for step in steps] == ["base", "base", "upsampler", "upsampler"]
    assert steps[0].pictures.shape == (2, 32, 32, 3)
    both = steps[-1].pictures
    assert both.shape == (2, 64, 64, 3)
    alone = finished(generator, reader, replace(asked, seed=4, count=1))
    assert np.abs(alone[0].astype(int) - both[1]).max() <= 1
    assert (
        np.abs(finished(generator, reader, replace(asked, phrase="blue boots")).astype(int) - both).max() > 1
    )


@pytest.mark.parametrize("sampler", ["ddim", "ancestral"])
def test_other_samplers_draw_in_both_modes(
    generator: model.Generator, reader: LiteReader, sampler: str
) -> None:
    asked = Drawing("Kleid", steps=2, count=1, sampler=sampler)
    one, other = (
        finished(generator, reader, replace(asked, mode=mode)) for mode in ("as-intended", "published")
    )  # type: ignore[arg-type]
    assert one.shape == other.shape == (1, 64, 64, 3)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"phrase": " \n"}, "Type what to draw"),
        ({"phrase": "x" * 10_000}, "10,000 characters"),
        ({"steps": 0}, "Steps must be from 1 to 500"),
        ({"steps": 5_000}, "not 5,000"),
        ({"guidance": -1.0}, "Guidance must be from 0"),
        ({"guidance": 100.0}, "Guidance must be from 0"),
        ({"guidance": float("nan")}, "Guidance must be from 0"),
        ({"sampler": "euler"}, "no sampler 'euler'"),
        ({"count": 1_000}, "Pictures must be from 1"),
    ],
)
def test_what_cannot_be_drawn_is_said(change: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        replace(Drawing("red dress"), **change).check()  # type: ignore[arg-type]


def test_weights_of_another_size_and_broken_configurations_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "toy")
    described = json.loads((folder / model.CONFIG).read_text())
    for model_of, says in (
        (asdict(narrowed(PRESETS["tiny"], 24)), "another model"),
        ({**described["model"], "base": {"size": 32}}, "no configuration"),
        (
            {**described["model"], "upsampler": {**described["model"]["upsampler"], "size": 100_000}},
            "not supported",
        ),
    ):
        (folder / model.CONFIG).write_text(json.dumps({**described, "model": model_of}))
        with pytest.raises(ModelError, match=says):
            model.load(folder, "cpu")
    with pytest.raises(ModelError, match="no generator"):
        model.folder_of("../elsewhere")
    with pytest.raises(ModelError, match="folder of its weights"):
        text_reader("mt5-small", 32)


def test_the_command_writes_pictures_that_say_what_they_are(tmp_path: Path) -> None:
    folder, out = write(tmp_path / "toy"), tmp_path / "a" / "dress.png"
    given = [
        "generate",
        "--text",
        "červené šaty",
        "--out",
        str(out),
        "--model",
        str(folder),
        "--steps",
        "1",
        "--count",
        "2",
    ]
    result = CliRunner().invoke(app, [*given, "--seed", "7", "--json"], catch_exceptions=False)
    files = json.loads(result.output)["files"]
    assert [Path(name).name for name in files] == ["dress-1.png", "dress-2.png"]
    says = json.loads(Image.open(files[1]).text["vitrine"])  # type: ignore[attr-defined]
    assert says["generated"] is True and says["seed"] == 8 and says["phrase"] == "červené šaty"


def test_a_phrase_is_translated_where_the_lexicon_knows_it() -> None:
    known = {one.language: one for one in in_every_language("red dress")}
    assert len(known) == 13 and all(one.translated for one in known.values())
    assert "šaty" in known["cs"].text and "vestido" in known["es"].text
    dark = {one.language: one.text for one in in_every_language("tmavě modré džíny")}
    assert "bleumarin" in dark["ro"] and "albastru" not in dark["ro"]
    assert "bleumarin" not in {one.language: one.text for one in in_every_language("modré džíny")}["ro"]
    assert not any(one.translated for one in in_every_language("quantum physics"))
    assert hint("quantum physics") and hint("dress") and not hint("red dress")


def test_measures_agree_with_what_is_known() -> None:
    dice = np.random.default_rng(0)
    one = dice.standard_normal((4_000, 3)).astype(np.float32)
    assert measures.frechet(one, one) == pytest.approx(0, abs=1e-6)
    assert measures.frechet(one, one * 2 + 3) == pytest.approx(
        3 * 9 + 3 * 1, rel=0.05
    )  # |m|^2 + sum (s1 - s2)^2
    few = one[:200]
    assert measures.precision_recall(few, few) == (1.0, 1.0)
    assert measures.precision_recall(few + 100, few) == (0.0, 0.0)
    unit = one / np.linalg.norm(one, axis=1, keepdims=True)
    copied = measures.novelty(unit[:100], unit[100:200], unit)
    assert copied.generated == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("colour", ["red", "blue", "green", "yellow", "black"])
def test_the_colour_of_a_drawing_is_seen(colour: str) -> None:
    picture = drawn(Look("womens-coats", colour, "plain", "wool", 3), size=(96, 96)).convert("RGB")
    seen = measures.main_colour(np.asarray(picture), ("red", "blue", "green", "yellow", "black"))
    assert seen == colour
