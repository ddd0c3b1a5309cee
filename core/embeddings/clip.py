"""Encoders that put pictures and texts into one space, through open_clip: bundled, from a hub, from a folder.

The list is to be read: describing an encoder costs nothing; `core.embeddings.loading` loads one. Nothing here asks the
network unless weights are fetched on purpose (`vitrine weights fetch NAME`).
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.embeddings.seen import Seen, SeenDataset, read_seen
from core.embeddings.store import PICTURES_ALONE, unit
from core.errors import ModelError
from core.settings import ASSETS, settings
from core.training.runs import ENCODER_WEIGHTS, RUN_MODEL, RUN_NAME, run_folders, runs_folder

if TYPE_CHECKING:
    from torch import Tensor

QUERY_CHARACTERS = 2_000  # of one text that are read: more than any tokenizer here keeps
TEXTS, PICTURES = 256, 64  # encoded at a time
CONFIG, WEIGHTS = "open_clip_config.json", ENCODER_WEIGHTS
LITE = "clip_lite.json"  # in its place, a folder of core.embeddings.lite_clip


@dataclass(frozen=True)
class EncoderSpec:
    """One encoder as a person chooses it."""

    name: str
    title: str
    weights: Literal["bundled", "hub", "folder", "run", "converted"]
    model: str  # open_clip's name of the architecture, or the folder of a bundled one, of a run or of yours
    tag: str  # open_clip's name of the weights; empty for a folder
    dimensions: int
    licence: str
    size_mb: int
    languages: str
    trained_on: str
    scripts: tuple[str, ...] = ()  # it learnt, by Unicode's names of their letters; empty where nobody knows
    web: tuple[
        str, ...
    ] = ()  # collections of the web's captions that it was trained on; none of their classes is known
    keeps_lengths: bool = (
        False  # its text tower was trained to give vectors of a right length, as GLAMI's M-CLIP
    )
    prompt: str = "{}"  # what its authors say every text in

    def seen(self) -> Seen | None:
        """What it was trained on, to be compared with a dataset; None where nothing says it.

        Raises:
            ModelError: the file that says it is damaged.
        """
        if self.folder is not None:
            return read_seen(self.folder)
        return Seen(tuple(SeenDataset(name) for name in self.web)) if self.web else None

    @property
    def takes_texts(self) -> bool:
        """Are there texts that its pictures can be compared with?"""
        return self.name not in PICTURES_ALONE

    def wordless(self) -> str:
        """Why it can do nothing with a text, and what can."""
        return (
            f"{self.name} compares pictures alone: it cannot be asked with words. Search by a picture or a product, "
            "or by words with vectors of an encoder that reads texts: vitrine embed NAME"
        )

    @property
    def folder(self) -> Path | None:
        if self.weights == "converted":
            return settings().home / "encoders" / self.name
        return None if self.weights == "hub" else Path(self.model)

    def phrase(self, text: str) -> str:
        """A text of a query or a product, as the encoder was taught to read one."""
        return self.prompt.replace("{}", text)

    def untrained_scripts(self, text: str) -> str | None:
        """In what most of a text is written, where the encoder never learnt it: its vector says nothing then.

        >>> ENCODERS[0].untrained_scripts("लाल कपड़े"), ENCODERS[0].untrained_scripts("👗"), ENCODERS[0].untrained_scripts("šaty 👗")
        ('Devanagari letters', 'pictographs', None)
        """
        given = unicodedata.normalize("NFKC", text[:QUERY_CHARACTERS])
        signs = [sign for sign in given if sign.isalpha() or unicodedata.category(sign) == "So"]
        if not signs or not self.scripts:
            return None
        written = Counter(unicodedata.name(sign, "?").split()[0] if sign.isalpha() else "" for sign in signs)
        script = written.most_common(1)[0][0]
        if script in self.scripts:
            return None
        return f"{script.capitalize()} letters" if script else "pictographs"


CLIP_TINY = ASSETS / "models" / "clip-tiny"

# Sizes are of the downloaded weights. Recall of the multilingual ones: docs/guide/search.md.
ENCODERS: list[EncoderSpec] = [
    EncoderSpec(
        "clip-tiny",
        "CLIP tiny (bundled)",
        "bundled",
        str(CLIP_TINY),
        "",
        256,
        "MIT",
        11,
        "the 13 of GLAMI, English, Chinese",
        "Vitrine's drawn products and CC0 photos of clothes (see its README)",
        ("LATIN", "GREEK", "CYRILLIC", "CJK"),
    ),
    EncoderSpec(
        "clip-lite",
        "CLIP lite (bundled)",
        "bundled",
        str(ASSETS / "models" / "clip-lite"),
        "",
        495,
        "MIT; picture network Apache-2.0",
        16,
        "the 13 of GLAMI, English, Chinese",
        "ImageNet-1k (its picture network), CC0 photos of clothes, Vitrine's drawn products (see its README)",
        ("LATIN", "GREEK", "CYRILLIC", "CJK"),
    ),
    EncoderSpec(
        "imagenet-lite0",
        "EfficientNet-Lite0, ImageNet (bundled)",
        "bundled",
        str(ASSETS / "models" / "imagenet-lite0"),
        "",
        1_280,
        "Apache-2.0",
        7,
        "none: pictures alone",
        "ImageNet-1k: 1.28 million photos of a thousand kinds of things",
    ),
    EncoderSpec(
        "xlm-roberta-base-ViT-B-32",
        "CLIP ViT-B/32, XLM-R base",
        "hub",
        "xlm-roberta-base-ViT-B-32",
        "laion5b_s13b_b90k",
        512,
        "MIT",
        1_464,
        "about 100",
        "LAION-5B",
        web=("LAION-5B",),
    ),
    EncoderSpec(
        "ViT-B-32-SigLIP2-256",
        "SigLIP 2 ViT-B/32, 256 px",
        "hub",
        "ViT-B-32-SigLIP2-256",
        "webli",
        768,
        "Apache-2.0",
        1_508,
        "over 100",
        "WebLI",
        web=("WebLI",),
    ),
    EncoderSpec(
        "ViT-B-16-SigLIP2-256",
        "SigLIP 2 ViT-B/16, 256 px",
        "hub",
        "ViT-B-16-SigLIP2-256",
        "webli",
        768,
        "Apache-2.0",
        1_501,
        "over 100",
        "WebLI",
        web=("WebLI",),
    ),
    EncoderSpec(
        "nllb-clip-base-siglip",
        "NLLB-CLIP base, SigLIP",
        "hub",
        "nllb-clip-base-siglip",
        "v1",
        768,
        "CC-BY-NC-4.0",
        2_030,
        "201",
        "LAION COCO in 201 languages",
        web=("LAION COCO in 201 languages",),
    ),
    EncoderSpec(
        "ViT-B-32",
        "OpenAI CLIP ViT-B/32",
        "hub",
        "ViT-B-32",
        "openai",
        512,
        "MIT",
        605,
        "English",
        "400 million pairs of the web",
        ("LATIN",),
        web=("400 million pairs of the web",),
    ),
    EncoderSpec(
        "openfashionclip",
        "OpenFashionCLIP ViT-B/32",
        "converted",
        "ViT-B-32",
        "https://github.com/aimagelab/open-fashion-clip/releases/download/open-fashion-clip/finetuned_clip.pt",
        512,
        "CC-BY-NC-4.0",
        605,
        "English",
        "public collections of fashion pictures (Cartella et al. 2023)",
        ("LATIN",),
        web=("public collections of fashion pictures",),
        prompt="a photo of a {}",
    ),
]


def run_encoders() -> list[EncoderSpec]:
    """Every run that trained an encoder to its end, newest first; those that cannot be read are passed over."""
    found = []
    for folder in run_folders():
        if (folder / RUN_MODEL / WEIGHTS).is_file() and (folder / RUN_MODEL / CONFIG).is_file():
            with suppress(ModelError):
                found.append(_of_run(folder))
    return found


def encoder(name: str) -> EncoderSpec:
    """An encoder of the list, a run by its name, `MODEL/TAG` of open_clip, or a folder in open_clip's layout.

    Raises:
        ModelError: it is none of these.
    """
    for spec in ENCODERS:
        if spec.name == name:
            return spec
    if RUN_NAME.fullmatch(name) and (runs_folder() / name / RUN_MODEL / CONFIG).is_file():
        return _of_run(runs_folder() / name)
    path = Path(name).expanduser()
    if (path / CONFIG).is_file() or (path / LITE).is_file():
        return _of_folder(path.resolve())
    model, slash, tag = name.rpartition("/")
    if slash and re.fullmatch(r"[\w.-]+", model) and re.fullmatch(r"[\w.-]+", tag) and not path.exists():
        return EncoderSpec(
            f"{model}.{tag}", f"{model}, {tag}", "hub", model, tag, 0, "see its card", 0, "see its card", tag
        )
    known = ", ".join(spec.name for spec in ENCODERS)
    raise ModelError(
        f"There is no encoder {name!r}. Encoders: {known}; or write a run's name, MODEL/TAG of open_clip, "
        f"or a folder that holds {CONFIG}."
    )


def _of_run(folder: Path) -> EncoderSpec:
    """An encoder that was trained here, called as its run."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        model = config.get("model") if isinstance(config.get("model"), dict) else {}
        on = config.get("datasets") or [config.get("dataset")]
        trained = ", ".join(str(name) for name in on if name)
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ModelError(f"The run {folder.name} cannot be read: {error!r}.") from error
    spec = _of_folder(folder / RUN_MODEL)
    start = next((one for one in ENCODERS if one.name == model.get("start")), None)
    return replace(
        spec,
        name=folder.name,
        title=folder.name,
        weights="run",
        licence=str(config.get("licence") or (start.licence if start else "your own")),
        languages=start.languages if start else "its own",
        trained_on=f"{trained}, from {start.title}" if start else trained,
        scripts=start.scripts if start else (),
    )


def _of_folder(path: Path) -> EncoderSpec:
    try:
        if (path / LITE).is_file():
            width = 0  # asked of the encoder itself
        else:
            described = json.loads((path / CONFIG).read_text(encoding="utf-8"))["model_cfg"]
            width = int(described["embed_dim"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path / CONFIG} is not a configuration of open_clip: {error!r}.") from error
    name = re.sub(r"[^A-Za-z0-9._-]", "-", path.name).strip(".-") or "folder"
    return EncoderSpec(
        name, path.name, "folder", str(path), "", width, "your own", 0, "its own", "its own data"
    )


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes pixels; the part that needs no torch, so that worker processes stay small."""

    height_px: int
    width_px: int
    resize_mode: Literal["shortest", "longest", "squash"]
    interpolation: Literal["bilinear", "bicubic"]
    fill: int = 0

    def pixels(self, image: Image.Image) -> NDArray[np.uint8]:
        """(height, width, 3), as open_clip's transform gives before it scales."""
        resample = Image.Resampling.BICUBIC if self.interpolation == "bicubic" else Image.Resampling.BILINEAR
        if self.resize_mode == "squash":
            return np.asarray(image.resize((self.width_px, self.height_px), resample), np.uint8)
        ratios = self.height_px / image.height, self.width_px / image.width
        ratio = max(ratios) if self.resize_mode == "shortest" else min(ratios)
        shrunk = max(1, round(image.width * ratio)), max(1, round(image.height * ratio))
        image = image.resize(shrunk, resample)
        canvas = Image.new("RGB", (self.width_px, self.height_px), (self.fill,) * 3)
        left, top = round((self.width_px - shrunk[0]) / 2), round((self.height_px - shrunk[1]) / 2)
        canvas.paste(image, (left, top))
        return np.asarray(canvas, np.uint8)

    @property
    def decode_px(self) -> int:
        """The width that a JPEG is decoded at, at least: twice what is needed, so that little is lost."""
        return 2 * max(self.height_px, self.width_px)


class Encoder:
    """A loaded encoder: pictures and texts to (n, d) float32 of length 1."""

    at_once = PICTURES  # pictures that are encoded at a time

    def __init__(self, spec: EncoderSpec, device: str | None = None) -> None:
        import open_clip
        import torch

        from core.embeddings.inference import quickened

        self.spec = spec
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        with _quiet():
            try:
                if spec.folder is not None:
                    if spec.weights == "converted" and not spec.folder.exists():
                        raise ModelError(why_missing(spec, FileNotFoundError()))
                    _check_folder(spec.folder)
                    name = f"local-dir:{spec.folder}"
                    self.model = open_clip.create_model(name, require_pretrained=True)
                    self.tokenizer = open_clip.get_tokenizer(name)
                else:
                    _check_cached(spec)
                    self.model = open_clip.create_model(spec.model, spec.tag, require_pretrained=True)
                    self.tokenizer = open_clip.get_tokenizer(spec.model)
            except ModelError:
                raise
            except Exception as error:  # whatever the hub, transformers or safetensors raise
                raise ModelError(why_missing(spec, error)) from error
        self.model = self.model.eval().to(self.device)
        if self.device == "cpu":
            self.model.visual.to(memory_format=torch.channels_last)
            if hasattr(self.model.visual, "trunk"):  # timm's
                self.weights = self.digest()  # of the tensors as they are on disk
                self.model.visual.trunk = quickened(self.model.visual.trunk)
        wanted = self.model.visual.preprocess_cfg
        height, width = wanted["size"] if not isinstance(wanted["size"], int) else (wanted["size"],) * 2
        self.preprocessing = Preprocessing(
            int(height), int(width), wanted["resize_mode"], wanted["interpolation"], int(wanted["fill_color"])
        )
        self._mean = torch.tensor(wanted["mean"], device=self.device)[:, None, None] * 255
        self._deviation = torch.tensor(wanted["std"], device=self.device)[:, None, None] * 255

    @property
    def dimensions(self) -> int:
        return int(self.encode_texts([""]).shape[1]) if not self.spec.dimensions else self.spec.dimensions

    @cached_property
    def weights(self) -> str:
        """Twelve digits that name the weights: of the tensors themselves, wherever they came from."""
        return self.digest()

    def digest(self) -> str:
        digest = hashlib.sha256()
        for name, tensor in sorted(self.model.state_dict().items()):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(tensor.detach().float().cpu().numpy()).data)
        return digest.hexdigest()[:12]

    def encode_pixels(self, pixels: NDArray[np.uint8], raw: bool = False) -> NDArray[np.float32]:
        """
        Args:
            pixels: (n, height, width, 3) from `preprocessing`.
            raw: of the length that the model gives them, as GLAMI adds them.
        """
        found = []
        for start in range(0, len(pixels), self.at_once):
            scaled = self.scaled(pixels[start : start + self.at_once])
            found.append(self._vectors(lambda given=scaled: self.model.encode_image(given), raw))
        return np.concatenate(found) if found else np.zeros((0, self.dimensions), np.float32)

    def scaled(self, pixels: NDArray[np.uint8]) -> Tensor:
        """(n, 3, height, width) as the model wants them, on its device, of pixels from `preprocessing`."""
        import torch

        batch = torch.from_numpy(np.ascontiguousarray(pixels)).to(self.device)
        return (batch.permute(0, 3, 1, 2).float() - self._mean) / self._deviation

    def encode_pictures(self, images: Sequence[Image.Image]) -> NDArray[np.float32]:
        """(n, d) of decoded pictures."""
        if not images:
            return np.zeros((0, self.dimensions), np.float32)
        return self.encode_pixels(np.stack([self.preprocessing.pixels(image) for image in images]))

    def encode_texts(self, texts: Sequence[str], raw: bool = False) -> NDArray[np.float32]:
        """(n, d); of each text the first QUERY_CHARACTERS are read; `raw` as in encode_pixels."""
        found = []
        for start in range(0, len(texts), TEXTS):
            cut = [readable(text) for text in texts[start : start + TEXTS]]
            numbers = self.tokenizer(cut).to(self.device)
            found.append(self._vectors(lambda given=numbers: self.model.encode_text(given), raw))
        return np.concatenate(found) if found else np.zeros((0, self.dimensions), np.float32)

    def reads(self, text: str) -> int:
        """How many characters of a text make its vector; what comes after them changes nothing."""
        whole = self.tokenizer([readable(text)])

        def same(other: str) -> bool:
            return bool((self.tokenizer([readable(other)]) == whole).all())

        if not same(f"{text} a"):  # there was room for more
            return len(text)
        return bisect_left(range(min(len(text), QUERY_CHARACTERS)), True, key=lambda n: same(text[:n]))

    @property
    def scale(self) -> float:
        """What the model multiplies cosines with before it compares them by softmax."""
        return float(self.model.logit_scale.detach().exp())

    def _vectors(self, encode: Any, raw: bool) -> NDArray[np.float32]:
        import torch

        with torch.inference_mode():
            given: Tensor = encode()
        found: NDArray[np.float32] = given.float().cpu().numpy()
        return found if raw else unit(found)[0]


def readable(text: str) -> str:
    """Within bounds, and without halves of characters, which no tokenizer takes."""
    return text[:QUERY_CHARACTERS].encode("utf-8", "ignore").decode("utf-8").replace("\0", " ")


def _check_folder(folder: Path) -> None:
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise ModelError(
                f"There is no {name} in {folder}. Weights are safetensors in open_clip's layout."
            )
    if pickles := [path.name for path in folder.glob("*") if path.suffix in (".bin", ".pt", ".pth", ".pkl")]:
        raise ModelError(
            f"{folder} holds a pickle ({pickles[0]}), which can run any code: Vitrine refuses it."
        )


def hub_folder(spec: EncoderSpec) -> Path:
    """Where the hub's cache on this machine has an encoder in open_clip's layout.

    Raises:
        ModelError: it has none.
    """
    import open_clip
    from huggingface_hub import try_to_load_from_cache

    repository = os.path.split(
        (open_clip.get_pretrained_cfg(spec.model, spec.tag) or {}).get("hf_hub") or ""
    )[0]
    found = try_to_load_from_cache(repository, CONFIG) if repository else None
    if not isinstance(found, str) or not (Path(found).parent / WEIGHTS).exists():
        raise ModelError(why_missing(spec, FileNotFoundError(repository or spec.tag)))
    return Path(found).parent


def _check_cached(spec: EncoderSpec) -> None:
    """Before open_clip builds the model and asks the network for what is not here.

    Raises:
        FileNotFoundError: the hub's cache has no safetensors of these weights.
    """
    import open_clip
    from huggingface_hub import try_to_load_from_cache

    if not open_clip.get_pretrained_cfg(spec.model, spec.tag):
        return  # open_clip says that it knows no such weights
    repository, names = published(spec)
    if not any(isinstance(try_to_load_from_cache(repository, name), str) for name in names):
        raise FileNotFoundError(repository or spec.tag)


def published(spec: EncoderSpec) -> tuple[str, list[str]]:
    """The hub's repository of a model's weights, and what the file may be called there; no names where there is none."""
    import open_clip

    known = open_clip.get_pretrained_cfg(spec.model, spec.tag) or {}
    repository, file = os.path.split(known.get("hf_hub") or "")
    own = str(Path(file or "open_clip_model").with_suffix(".safetensors"))
    return repository, list(dict.fromkeys([own, "open_clip_model.safetensors"])) if repository else []


def why_missing(spec: EncoderSpec, error: Exception) -> str:
    if spec.weights == "converted":
        return (
            f"The weights of {spec.name} are not on this machine. Its authors publish a pickle (licence {spec.licence}, "
            f"{spec.size_mb:,} MB), which is converted once: download {spec.tag} and run: vitrine weights convert {spec.name} FILE"
        )
    if spec.weights == "hub":
        size = f", {spec.size_mb:,} MB" if spec.size_mb else ""
        return (
            f"The weights of {spec.name} are not on this machine. Download them: "
            f"vitrine weights fetch {spec.name} (licence {spec.licence}{size}). ({type(error).__name__})"
        )
    return f"{spec.folder} cannot be opened as a model of open_clip: {error}"


@contextmanager
def _quiet() -> Iterator[None]:
    """open_clip logs each step of loading at level warning; errors still come as exceptions."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        yield
    finally:
        logging.disable(before)
