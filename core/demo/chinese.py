"""A Chinese dataset of drawn products in MEP-3M's layout.

Two platforms sell the same products under their own names of sub-classes, as before label alignment; the ground truth
has the alignment.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import random
import re
import tomllib
import zipfile
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
from numpy.random import Generator

from core.demo import pictures, structure, tree, words
from core.demo.archive import STAMP, Progress, replacing, silent
from core.demo.looks import Look
from core.demo.parameters import POPULARITY, QUALITIES
from core.demo.pictures import Draw, Task
from core.errors import UsageError
from core.settings import ASSETS

LEXICON_FILE = ASSETS / "demo" / "chinese.toml"
FIELDS = (
    "class_id", "class_name", "sub_class_id", "sub_class_name", "subsub_class_id", "subsub_class_name",
    "img_path", "img_resolution", "title", "OCR",
)  # fmt: skip
ABSENT = "FALSE"  # MEP-3M's value for no third level, or no text in the picture
FIRST_THIRD_LEVEL = 600  # the paper numbers third levels from 600


@dataclass(frozen=True)
class ChineseStructure:
    """Every parameter of the Chinese dataset. P is the MEP-3M paper, K its sample of 1,000 records."""

    tail: tuple[tuple[float, float], ...] = (
        (0.0, 1.0), (0.1, 0.3), (0.9, 0.003), (1.0, 0.0004),
    )  # fmt: skip
    # P section 2: from more than 90,000 products a sub-class to about 30; the curve between is ours
    least: int = 1
    platform_b: float = 0.4  # ours: share of the second platform
    no_third: float = 0.15  # ours: products without a third level in sub-classes that have some
    wrong_label: float = 0.03  # ours
    same_title: float = 0.05  # K: titles repeat, the most frequent one 20 times
    png: float = 0.0346  # P section 3.2
    no_ocr: float = 0.184  # K
    sizes: tuple[tuple[tuple[int, int], float], ...] = (  # P 3.2: width x height; the shares are ours
        ((220, 220), 0.8), ((75, 75), 0.12), ((60, 60), 0.02), ((54, 54), 0.02), ((64, 50), 0.01),
        ((100, 75), 0.01), ((800, 800), 0.01), ((219, 220), 0.01),
    )  # fmt: skip


@dataclass(frozen=True)
class SubClass:
    """A sub-class of one platform, and its name after alignment."""

    number: int
    class_id: int
    name: str
    platform: str  # a or b
    aligned: str


def write_mep3m(
    folder: Path,
    truth_path: Path,
    items: int,
    seed: int,
    progress: Progress = silent,
    draw: Draw | None = None,
) -> None:
    """Write a dataset of `items` products as annotation.json, dataset_info.xlsx and Images/.

    Args:
        folder: the dataset's new folder; it must not exist, or be empty.
        truth_path: one row per annotation, in the same order; must not be inside the folder.
        items, seed, progress, draw: as in `archive.write_glami`.

    Raises:
        UsageError: items or seed are out of range, or the folder is not empty.
        StorageError: the files cannot be written.
    """
    structure.check(items, seed)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"{folder} exists already and is not empty. Choose another folder, or remove it first."
        )
    if truth_path.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"The ground truth must not be inside the dataset: choose a place outside {folder}.")
    rows = plan(items, seed)
    with replacing(folder, truth_path) as (new_folder, new_truth):
        new_folder.mkdir()
        _write_annotations(new_folder / "annotation.json", rows)
        _write_info(new_folder / "dataset_info.xlsx")
        _write_pictures(new_folder, rows, progress, draw)
        _truth(rows).to_parquet(new_truth, index=False)


@cache
def lexicon() -> dict[str, Any]:
    with LEXICON_FILE.open("rb") as file:
        return tomllib.load(file)


@cache
def sub_classes() -> dict[tuple[str, str], SubClass]:
    """The sub-classes by (platform, name); a name on both platforms is two sub-classes."""
    found: dict[tuple[str, str], SubClass] = {}
    for platform in ("a", "b"):
        for kind in lexicon()["kinds"].values():
            name = kind[platform].split(" > ")[0]
            aligned = kind["a"].split(" > ")[0]
            if (platform, name) not in found:
                found[platform, name] = SubClass(len(found) + 1, kind["class"], name, platform, aligned)
    return found


@cache
def third_levels() -> dict[tuple[str, str], int]:
    """The number of each third level by (sub-class name, name); platform a has them."""
    pairs = (tuple(kind["a"].split(" > ")) for kind in lexicon()["kinds"].values())
    levels = dict.fromkeys(pair for pair in pairs if len(pair) == 2)
    return {(sub, name): FIRST_THIRD_LEVEL + place for place, (sub, name) in enumerate(levels)}


def plan(items: int, seed: int, parameters: ChineseStructure | None = None) -> pd.DataFrame:
    """All annotations, in order, with look and ground truth.

    Raises:
        UsageError: items or seed are out of range.
    """
    structure.check(items, seed)
    parameters = parameters or ChineseStructure()
    rng = np.random.default_rng([seed, 3])
    kinds = np.array(POPULARITY)
    counts = structure.allot(items, structure.tail_weights(len(kinds), parameters.tail), parameters.least)
    rows = pd.DataFrame({"kind": rng.permutation(np.repeat(kinds, counts))})
    rows["platform"] = np.where(rng.random(items) < parameters.platform_b, "b", "a")
    rows["shelf"] = _shelves(rows["kind"].to_numpy(dtype=object), parameters, rng)
    rows["wrong_label"] = rows["shelf"] != rows["kind"]
    _place(rows, parameters, rng)
    rows = rows.sort_values("sub_class_id", kind="stable", ignore_index=True)
    rows["number"] = rows.groupby("sub_class_id").cumcount() + 1
    shapes = [size for size, _ in parameters.sizes]
    shares = np.array([share for _, share in parameters.sizes])
    rows["shape"] = rng.choice(len(shapes), size=items, p=shares / shares.sum())
    rows["width"] = np.array(shapes)[rows["shape"], 0]
    rows["height"] = np.array(shapes)[rows["shape"], 1]
    rows["png"] = rng.random(items) < parameters.png
    rows["quality"] = np.array(QUALITIES)[rng.integers(len(QUALITIES), size=items)]
    rows["seed"] = rng.integers(0, 2**31, size=items)
    rows["ocr_absent"] = rng.random(items) < parameters.no_ocr
    rows["title_of"] = _repeated(rows, parameters, rng)
    return rows


def _shelves(kinds: Any, parameters: ChineseStructure, rng: Generator) -> Any:
    """The kind whose label each product gets: its own, or sometimes a neighbour in the tree."""
    shelves = kinds.copy()
    for place in np.flatnonzero(rng.random(len(kinds)) < parameters.wrong_label):
        own = lexicon()["kinds"][kinds[place]]["class"]
        others = [kind for kind in tree.neighbours(kinds[place]) if lexicon()["kinds"][kind]["class"] == own]
        if others:
            shelves[place] = others[int(rng.integers(len(others)))]
    return shelves


def _place(rows: pd.DataFrame, parameters: ChineseStructure, rng: Generator) -> None:
    """Set the three labels of every product, as named by its platform."""
    kinds = lexicon()["kinds"]
    paths = [
        kinds[shelf][platform].split(" > ")
        for shelf, platform in zip(rows["shelf"], rows["platform"], strict=True)
    ]
    vague = rng.random(len(rows)) < parameters.no_third
    subs = [sub_classes()[platform, path[0]] for platform, path in zip(rows["platform"], paths, strict=True)]
    rows["class_id"] = [sub.class_id for sub in subs]
    rows["sub_class_id"] = [sub.number for sub in subs]
    rows["sub_class_name"] = [sub.name for sub in subs]
    rows["aligned_sub_class_name"] = [sub.aligned for sub in subs]
    rows["subsub_class_name"] = [
        path[1] if len(path) == 2 and not unnamed else ABSENT
        for path, unnamed in zip(paths, vague, strict=True)
    ]


def _repeated(rows: pd.DataFrame, parameters: ChineseStructure, rng: Generator) -> Any:
    """For each row, the row of the same kind whose title it repeats, or its own."""
    title_of = np.arange(len(rows))
    repeats = rng.random(len(rows)) < parameters.same_title
    for _, group in rows.groupby("kind"):
        places = group.index.to_numpy()
        sources = places[~repeats[places]]
        copies = places[repeats[places]]
        if len(sources):
            title_of[copies] = sources[(rng.random(len(copies)) ** 2 * len(sources)).astype(int)]
    return title_of


def title(kind: str, seed: int) -> str:
    """A title in the style of Chinese marketplaces: promotion, brand, product terms, size.

    Most have 30 to 70 characters; the same kind and seed give the same title and, by `look`, its look.
    """
    rng = random.Random(seed)
    text = lexicon()
    own = look(kind, seed)
    product = text["kinds"][kind]
    goods = text["titles"]
    chinese, latin = brand(seed)
    material = text["materials"][words.WORN_MATERIALS.get((kind, own.material), own.material)]
    colour = text["colours"][own.colour]
    nouns = list(product["nouns"])
    target = rng.lognormvariate(3.92, 0.36)
    start = (f"【{rng.choice(goods['promotions'])}】" if rng.random() < 0.45 else "") + (
        f"{chinese}（{latin}）" if rng.random() < 0.6 else f"{chinese}" if rng.random() < 0.7 else ""
    )
    first = nouns.pop(0)
    clothes = words.is_clothing(kind)
    styles = rng.sample(goods["styles"], 9) + (rng.sample(goods["cuts"], 4) if clothes else [])
    middle = [product["for"], material, *nouns, rng.choice(goods["seasons"]), *styles]
    if own.pattern != "plain":
        middle.append(text["patterns"][own.pattern])
    ends = [colour, rng.choice(text["specifications"][_measure(kind)]), *rng.sample(goods["ends"], 3)]
    rng.shuffle(middle)
    if rng.random() < 0.02:  # a few shops have very short titles
        return rng.choice((first, chinese + first))
    body = first
    while middle and len(start) + len(body) + len(colour) + 6 < target:
        word = middle.pop()
        body = f"{word}{body}" if rng.random() < 0.5 else f"{body}{word}"
    whole = f"{start}{body} {' '.join(ends[:2])}"
    while len(whole) + 6 < target and len(ends) > 2:
        whole = f"{whole} {ends.pop()}"
    return whole


def look(kind: str, seed: int) -> Look:
    """The look that belongs to a title's seed."""
    return structure.look_of(kind, seed, random.Random(seed + 1))


def brand(seed: int) -> tuple[str, str]:
    """The Chinese and the Latin name of a brand."""
    chinese, latin = random.Random(seed + 2).choice(lexicon()["brands"]["names"])
    return chinese, latin


def _measure(kind: str) -> str:
    if kind in words.SHOES:
        return "mens-shoes" if kind.startswith("mens-") else "womens-shoes"
    if kind in words.CHILDRENS:
        return "children"
    if kind in words.BAGS:
        return "suitcases" if kind == "suitcases" else "one" if kind == "wallets" else "bags"
    return "letters" if words.is_clothing(kind) else "one"


def ocr(kind: str, seed: int) -> str:
    """What character recognition makes of a shop's picture: scraps, some of them misread."""
    rng = random.Random(seed + 3)
    text = lexicon()["ocr"]
    scraps = [brand(seed)[1], *rng.sample(text["scraps"], rng.randrange(1, 5))]
    if rng.random() < 0.5:
        scraps.append(lexicon()["kinds"][kind]["nouns"][0])
    rng.shuffle(scraps)
    read = []
    for scrap in scraps:
        if rng.random() < 0.35:
            cut = rng.randrange(len(scrap))
            scrap = scrap[:cut] + rng.choice(text["noise"]) + scrap[cut + 1 :]
        read.append(scrap)
    return " ".join(read)


def image_path(sub_class_id: int, number: int, png: bool) -> str:
    return f"Images/{sub_class_id}/{number}.{'png' if png else 'jpg'}"


def annotation(row: Any, title_seed: int) -> dict[str, Any]:
    """One record of annotation.json."""
    third = row.subsub_class_name
    return {
        "class_id": str(row.class_id),
        "class_name": lexicon()["classes"][str(row.class_id)],
        "sub_class_id": str(row.sub_class_id),
        "sub_class_name": row.sub_class_name,
        "subsub_class_id": ABSENT if third == ABSENT else str(third_levels()[row.sub_class_name, third]),
        "subsub_class_name": third,
        "img_path": image_path(row.sub_class_id, row.number, row.png),
        "img_resolution": [row.height, row.width, 3],
        "title": title(row.kind, title_seed),
        "OCR": ABSENT if row.ocr_absent else ocr(row.kind, row.seed),
    }


def _write_annotations(path: Path, rows: pd.DataFrame) -> None:
    seeds = rows["seed"].to_numpy()[rows["title_of"].to_numpy()].tolist()
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("[\n")
        row: Any
        for place, row in enumerate(rows.itertuples()):
            record = json.dumps(annotation(row, seeds[place]), ensure_ascii=False, indent=4)
            file.write(",\n" if place else "")
            file.write("    " + record.replace("\n", "\n    "))
        file.write("\n]\n")


def _write_pictures(folder: Path, rows: pd.DataFrame, progress: Progress, draw: Draw | None) -> None:
    for number in sorted(set(rows["sub_class_id"])):
        (folder / "Images" / str(number)).mkdir(parents=True)
    files = pictures.render_all((_task(row) for row in rows.itertuples()), len(rows), draw)
    with contextlib.closing(files):
        columns = zip(rows["sub_class_id"], rows["number"], rows["png"], files, strict=True)
        for done, (sub_class, number, png, data) in enumerate(columns, start=1):
            (folder / image_path(sub_class, number, png)).write_bytes(data)
            progress(done, len(rows))


def _task(row: Any) -> Task:
    size = (int(row.width), int(row.height))
    return Task(look(row.kind, row.seed), row.quality, size=size, format="PNG" if row.png else "JPEG")


def _write_info(path: Path) -> None:
    """dataset_info.xlsx: one sheet of the label tree; its bytes depend on the lexicon alone."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "DATASET_INFO"
    sheet.append(FIELDS[:6])
    for sub in sub_classes().values():
        start = (sub.class_id, lexicon()["classes"][str(sub.class_id)], sub.number, sub.name)
        for (parent, name), number in third_levels().items():
            if sub.platform == "a" and parent == sub.name:
                sheet.append((*start, number, name))
        sheet.append((*start, False, False))
    buffer = io.BytesIO()
    book.save(buffer)
    moment = datetime(*STAMP).isoformat() + "Z"
    with zipfile.ZipFile(buffer) as made, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as fixed:
        for name in made.namelist():
            data = made.read(name)
            if name == "docProps/core.xml":  # openpyxl stamps it with the time of day
                data = re.sub(rb"(<dcterms:\w+[^>]*>)[^<]*", rb"\g<1>" + moment.encode(), data)
            fixed.writestr(zipfile.ZipInfo(name, STAMP), data, zipfile.ZIP_DEFLATED)


def _truth(rows: pd.DataFrame) -> pd.DataFrame:
    """What is true of every annotation, in order. docs/reference/demo-dataset.md tells its columns."""
    kinds = lexicon()["kinds"]
    looks = [look(kind, seed) for kind, seed in zip(rows["kind"], rows["seed"], strict=True)]
    right = [kinds[kind]["a"].split(" > ") for kind in rows["kind"]]
    paths = [
        image_path(sub, number, png)
        for sub, number, png in zip(rows["sub_class_id"], rows["number"], rows["png"], strict=True)
    ]
    copied = rows["title_of"].to_numpy()
    return pd.DataFrame(
        {
            "img_path": paths,
            "platform": rows["platform"],
            "sub_class_id": rows["sub_class_id"],
            "sub_class_name": rows["sub_class_name"],
            "aligned_sub_class_name": rows["aligned_sub_class_name"],
            "right_aligned_sub_class_name": [path[0] for path in right],
            "right_subsub_class_name": [path[1] if len(path) == 2 else ABSENT for path in right],
            "wrong_label": rows["wrong_label"],
            **{
                field.name: [getattr(look, field.name) for look in looks]
                for field in dataclasses.fields(Look)
                if field.name != "seed"
            },
            "look_seed": [look.seed for look in looks],
            "brand": [brand(seed)[1] for seed in rows["seed"]],
            "title_of": [paths[source] if source != place else None for place, source in enumerate(copied)],
        }
    )
