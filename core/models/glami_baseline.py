"""GLAMI's published classifier as a run of Vitrine: EmbraceNet over mT5-small, ResNeXt-50 and the label source.

The file is what torch.save wrote in the published training script: a dictionary with the state of the network under
`model_state_dict` (or that state alone) and, beside it, scikit-learn's binarisers of categories and label sources, of which
only their lists of names are read. Its text encoder is not in it, since GLAMI computed texts beforehand.

Source: glami/glami-1m, classification/embracenet_utils.py; idearibosome/embracenet. Tensors: docs/reference/methods.md.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from core.catalog.cohort import path_text
from core.catalog.products import Products
from core.embeddings.converted import read_checkpoint, state_in
from core.embeddings.encoders import IMAGE_ENCODERS, TEXT_ENCODERS, TextConfig, TextEncoder
from core.embeddings.pretrained import keep_pieces, load_text_weights
from core.errors import ModelError
from core.models.embracenet import EmbraceNetClassifier, EmbraceNetConfig
from core.storage import storage_errors
from core.training.checkpoints import load_weights, weights_digest, write_tensors
from core.training.runs import TOKENIZER, WEIGHTS, RunConfig, runs_folder

NAME = "glami-baseline"
STATE = "model_state_dict"
FILE_OF = {"image.network.": "pre_2.", "head.": "post."}  # the beginning of a tensor's name: ours, the file's
DOCKING = (
    "embracenet.docking_0.",
    "embracenet.docking_1.",
    "embracenet.docking_2.",
)  # text, picture, label source
LICENCE = "as GLAMI published it"


class Names:
    """A stand-in for scikit-learn's binariser: the attributes that were stored, without its code."""


_BINARISERS = [
    (Names, f"sklearn.preprocessing.{module}.{kind}")
    for module in ("_label", "label") for kind in ("LabelBinarizer", "MultiLabelBinarizer", "LabelEncoder")
]  # fmt: skip


def _arrays() -> list[Any]:
    """What NumPy's arrays of names are stored with."""
    rebuild = np.array([], object).__reduce__()[0]
    scalar = np.int64(1).__reduce__()[0]
    found: list[Any] = [
        np.ndarray,
        np.dtype,
        *{type(np.dtype(kind)) for kind in ("O", "U1", "i8", "i4", "f8")},
    ]
    for module in ("numpy.core.multiarray", "numpy._core.multiarray"):
        found += [(rebuild, f"{module}._reconstruct"), (scalar, f"{module}.scalar")]
    return found


@dataclass(frozen=True)
class Converted:
    """What became of a file."""

    name: str
    folder: Path
    notes: tuple[str, ...]


def convert(
    file: Path,
    dataset: str,
    name: str = NAME,
    text_folder: Path | None = None,
    keep_source: bool = False,
    text: TextConfig = TEXT_ENCODERS["mt5-small"],
) -> Converted:
    """Write the published weights as a run, which is then a model like any other.

    Args:
        dataset: an import of GLAMI-1M, whose categories are the classes.
        text_folder: mT5-small (model.safetensors, spiece.model); None leaves the text out, so that the picture decides.
        keep_source: keep the label source as third modality. The published figures leave it out, in training and evaluation.
        text: the text encoder's sizes.

    Raises:
        ModelError: the file needs code to be read, or its tensors are of another network: each that does not fit is named.
        UnknownDatasetError: there is no such dataset.
        StorageError: the run's folder cannot be written, or there is one.
    """
    found = read_checkpoint(file, NAME, [*_BINARISERS, *_arrays()])
    bare = (
        isinstance(found, dict) and STATE not in found and any(str(key).startswith("post.") for key in found)
    )
    state = state_in({STATE: found} if bare else found, STATE, file, NAME)
    notes: list[str] = []
    classes = _classes(found, dataset, _rows_of(state, "post.weight", file), notes)
    sources = _sources(found, _columns_of(state, f"{DOCKING[2]}weight", file)) if keep_source else ()
    config = EmbraceNetConfig(
        text=text if text_folder else None, image=IMAGE_ENCODERS["resnext50-32x4d"], sources=len(sources),
        width=_rows_of(state, f"{DOCKING[1]}weight", file),
    )  # fmt: skip
    network = EmbraceNetClassifier(config, len(classes))
    if text_folder is not None and isinstance(network.text, TextEncoder):
        load_text_weights(network.text, text_folder)
    else:
        notes.append("texts are left out: give mT5-small's folder to read them")
    if not keep_source:
        notes.append("the label source is left out, as in the published figures")
    load_weights(network, _tensors(network, state, text_folder is not None, keep_source, file), file)
    return Converted(
        name, _write(network, config, classes, sources, dataset, name, file, text_folder), tuple(notes)
    )


def _tensors(
    network: EmbraceNetClassifier, state: dict[str, Tensor], with_text: bool, with_source: bool, file: Path
) -> dict[str, Tensor]:
    """The network's tensors under our names, each found by name and shape.

    Raises:
        ModelError: tensors are missing, of another shape, or left over.
    """
    used = [DOCKING[0]] * with_text + [DOCKING[1]] + [DOCKING[2]] * with_source
    begins = FILE_OF | {f"fusion.docking.{at}.0.": theirs for at, theirs in enumerate(used)}
    made, wrong, taken = {}, [], set()
    for own, wanted in network.state_dict().items():
        begin = next((each for each in begins if own.startswith(each)), None)
        if begin is None:  # of the text encoder, which is no part of the file
            made[own] = wanted
            continue
        theirs = begins[begin] + own.removeprefix(begin)
        given = state.get(theirs)
        taken.add(theirs)
        if given is None or given.shape != wanted.shape:
            has = "missing" if given is None else str(tuple(given.shape))
            wrong.append(f"{theirs} {tuple(wanted.shape)}: {has}")
        else:
            made[own] = given.to(wanted.dtype)
    left_out = tuple(each for each in DOCKING if each not in used)
    wrong += [
        f"{key}: not of this network"
        for key in state
        if key not in taken and not key.startswith(left_out or ("\0",))
    ]
    if wrong:
        raise ModelError(
            f"{file} does not fit GLAMI's network: {len(wrong)} tensors, such as {'; '.join(wrong[:3])}."
        )
    return made


def _classes(found: Any, dataset: str, wanted: int, notes: list[str]) -> list[str]:
    """The classes in the order of the file's last layer, as a dataset's category paths.

    Raises:
        ModelError: the dataset has not these classes.
    """
    table = Products.open(dataset).frame(
        "SELECT DISTINCT category, category_id, category_path FROM cohort WHERE category_path IS NOT NULL"
    )
    paths = [path_text(path) for path in table.category_path]
    by = {str(key): path for key, path in zip(table.category_id, paths, strict=True) if key is not None}
    by |= {str(key): path for key, path in zip(table.category, paths, strict=True)}
    names = _names(found, "label_binarizer")
    if not names:
        names = (
            sorted(by_id)
            if (by_id := {str(key) for key in table.category_id if key is not None})
            else sorted(paths)
        )
        if all(each.isdigit() for each in names):
            names.sort(key=int)
        by |= {path: path for path in paths}
        notes.append(f"the file names no classes: they are taken as {dataset}'s in order")
    unknown = [each for each in names if each not in by]
    if len(names) != wanted or unknown:
        more = f", such as {unknown[0]!r}, which it lacks" if unknown else ""
        raise ModelError(
            f"The file has {wanted} classes and {dataset} fits with {len(names) - len(unknown)}{more}."
        )
    return [by[each] for each in names]


def _sources(found: Any, wanted: int) -> tuple[str, ...]:
    """The label sources in the order of the one-hot.

    Raises:
        ModelError: the file does not name them.
    """
    names = _names(found, "source_binarizer")
    if len(names) != wanted:
        raise ModelError(
            f"The file has {wanted} label sources and names {len(names)}: leave the label source out."
        )
    return tuple(names)


def _names(found: Any, key: str) -> list[str]:
    """The names that a binariser holds; none where the file has no binariser."""
    binariser = found.get(key) if isinstance(found, dict) else None
    stored = getattr(binariser, "classes_", None)
    return [str(each) for each in stored] if isinstance(stored, np.ndarray) and stored.ndim == 1 else []


def _rows_of(state: dict[str, Tensor], key: str, file: Path) -> int:
    return _shape(state, key, file)[0]


def _columns_of(state: dict[str, Tensor], key: str, file: Path) -> int:
    return _shape(state, key, file)[1]


def _shape(state: dict[str, Tensor], key: str, file: Path) -> Sequence[int]:
    """
    Raises:
        ModelError: there is no such matrix, or one of absurd size.
    """
    found = state.get(key)
    if found is None or found.dim() != 2 or max(found.shape) > 100_000:
        raise ModelError(f"{file} has no {key}: it is no state of GLAMI's EmbraceNet.")
    return found.shape


def _write(
    network: EmbraceNetClassifier, config: EmbraceNetConfig, classes: list[str], sources: Sequence[str], dataset: str,
    name: str, file: Path, text_folder: Path | None,
) -> Path:  # fmt: skip
    """Write the run aside and rename it."""
    target = runs_folder() / name
    if target.exists():
        raise ModelError(f"There is a run named {name} already: delete it, or choose another name.")
    aside = target.with_name(f".{name}")
    info = Products.open(dataset).info
    with storage_errors(target.parent):
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        tensors = {key: tensor.contiguous() for key, tensor in network.state_dict().items()}
        write_tensors(aside / WEIGHTS, tensors, {"classes": classes, "from": file.name})
        if text_folder is not None:
            keep_pieces(text_folder / "spiece.model", aside / TOKENIZER)
        RunConfig(
            "embracenet", asdict(config), {}, classes, dataset, info.fingerprint, LICENCE, "published",
            sources=sources, result={"weights": weights_digest(aside / WEIGHTS)},
        ).write(aside)  # fmt: skip
        aside.rename(target)
    return target
