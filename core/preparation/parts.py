"""The parts of a dataset's preparation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.catalog.cohort import path_text
from core.catalog.info import DatasetInfo
from core.catalog.map_files import maps
from core.catalog.products import Products
from core.duplicates import finding
from core.duplicates.detectors import COPIES, PICTURE_FILES
from core.embeddings.clip import ENCODERS, encoder
from core.embeddings.embed import embed
from core.embeddings.store import open_set, sets
from core.errors import UsageError
from core.evaluation import cache
from core.evaluation.choice import Choice, splits
from core.evaluation.fit import FITTING, known_share
from core.models.registry import BUNDLED, ModelSpec, models
from core.pairs import generation
from core.pairs.table import PairSettings, listing
from core.progress import Progress
from core.search.index import build_approximate, wants_approximate
from core.search.lexical import Lexical, is_built
from core.search.query import default_set
from core.statistics import picture_stats

# Products or pictures per second of one processor, by processor time without the start (docs/development/benchmarks.md). Mapping
# and registering were not measured again.
EMBEDDED_PER_S = 130
MEASURED_PER_S = 750
HASHED_PER_S = 300
EVALUATED_PER_S = 22
REGISTERED_PER_S = 80
MAPPED_PER_S = 350
MAP_START_S = 30
FEWEST_FOR_PAIRS = 20  # different pictures, and texts, of products that have both


@dataclass(frozen=True)
class Part:
    """One part of the preparation of a dataset.

    Attributes:
        key: its name for `--only` and for the pages.
        title: what is being done, for a progress line.
        absent: why the dataset cannot have it; empty if it can.
        done: whether it exists and is current.
        seconds: estimated time on two cores.
        run: compute what is missing.
    """

    key: str
    title: str
    absent: Callable[[DatasetInfo], str]
    done: Callable[[DatasetInfo], bool]
    seconds: Callable[[DatasetInfo], float]
    run: Callable[[DatasetInfo, Progress], None]


def part(key: str) -> Part:
    """
    Raises:
        UsageError: there is no such part.
    """
    for known in PARTS:
        if known.key == key:
            return known
    raise UsageError(f"There is no part {key!r}. Parts: {', '.join(known.key for known in PARTS)}.")


def _has_all(info: DatasetInfo) -> str:
    return ""


def _without_pictures(info: DatasetInfo) -> str:
    if not info.with_picture:
        return "the dataset has no pictures"
    if picture_stats.is_remote(info):
        return "the pictures are on the web, and all of them would be downloaded"
    return ""


# Vectors of the bundled encoder: of the pictures, or of the texts where there are no pictures.


def _no_vectors(info: DatasetInfo) -> str:
    return "" if sets(info) or not info.with_picture else _without_pictures(info)


def _has_vectors(info: DatasetInfo) -> bool:
    return bool(sets(info))


def _embed(info: DatasetInfo, progress: Progress) -> None:
    embed(
        info.name,
        encoder(ENCODERS[0].name),
        "image" if info.with_picture else "text",
        progress=progress,
    )


# The index of words, and the approximate index of vectors where an exact search would be slow.


def _is_indexed(info: DatasetInfo) -> bool:
    return is_built(info)


def _index(info: DatasetInfo, progress: Progress) -> None:
    products = Products(info)
    Lexical(products, progress, build=True)
    if (chosen := default_set(products)) and wants_approximate(found := open_set(info, chosen)):
        build_approximate(found, progress=progress)


# The map.


def _no_map(info: DatasetInfo) -> str:
    return "" if sets(info) else _no_vectors(info)


def _map(info: DatasetInfo, progress: Progress) -> None:
    from core.maps.projection import project  # SciPy

    project(info, sets(info)[0][0], progress=progress)


def _map_seconds(info: DatasetInfo) -> float:
    return MAP_START_S + info.rows / MAPPED_PER_S


# Duplicates: the detectors that read each picture once, then those that compare pictures pair by pair.


def _detectors(info: DatasetInfo, copies: bool) -> list[str]:
    possible, _ = finding.possible(info)
    return [key for key in possible if (key in COPIES) == copies]


def _found(info: DatasetInfo, copies: bool) -> bool:
    return all(finding.describe(info, key) is not None for key in _detectors(info, copies))


def _find(info: DatasetInfo, progress: Progress, copies: bool) -> None:
    finding.find(Products(info), _detectors(info, copies), progress=progress)


def _find_seconds(info: DatasetInfo) -> float:
    reads = any(key in PICTURE_FILES for key in _detectors(info, copies=False))
    return 6 + (info.with_picture / HASHED_PER_S if reads else 0) + info.rows / 2_000


def _no_copies(info: DatasetInfo) -> str:
    if why := _without_pictures(info):
        return why
    if info.with_picture > finding.MOST_COPIES:
        return f"the dataset has more than {finding.MOST_COPIES:,} pictures"
    return ""


# Evaluations of the bundled classifiers, as the Evaluate page asks for them.


def fitting(info: DatasetInfo) -> list[ModelSpec]:
    """The bundled classifiers that know the categories of at least half of a dataset's products."""
    counts = {path_text(path): count for path, count in Products(info).categories()}
    bundled = [spec for spec in models() if spec.name in BUNDLED]
    return [spec for spec in bundled if known_share(spec, counts) >= FITTING]


def first_choice(info: DatasetInfo) -> Choice:
    """What the Evaluate page shows of a dataset when it is opened."""
    return Choice(info.name, splits(info)[0])


def _no_evaluation(info: DatasetInfo) -> str:
    return "" if fitting(info) else "no bundled classifier knows its categories"


def _is_evaluated(info: DatasetInfo) -> bool:
    return all(cache.find(spec, first_choice(info), shipped=False) for spec in fitting(info))


def _evaluate(info: DatasetInfo, progress: Progress) -> None:
    for spec in fitting(info):
        if cache.find(spec, first_choice(info), shipped=False) is None:
            cache.evaluate_and_store(spec, first_choice(info), progress)


def _evaluate_seconds(info: DatasetInfo) -> float:
    return 10 + info.splits.get(splits(info)[0], info.rows // 5) / EVALUATED_PER_S


def _measure(info: DatasetInfo, progress: Progress) -> None:
    picture_stats.measure(info, progress)


def _is_measured(info: DatasetInfo) -> bool:
    return picture_stats.measured(info).state == "done"


# Incorrect pairs, as the Pairs page asks for them first.


def _no_pairs(info: DatasetInfo) -> str:
    if not info.with_picture:
        return "the dataset has no pictures"
    settings = generation.default_settings(info)
    counts = Products(info).frame(
        "SELECT count(DISTINCT image_id) AS pictures, count(DISTINCT concat_ws(' ', name, description)) AS texts FROM cohort "
        "WHERE image IS NOT NULL AND coalesce(name, description) IS NOT NULL AND (? = '' OR split = ?)",
        values=[settings.split, settings.split],
    )
    if min(int(counts.pictures[0]), int(counts.texts[0])) < FEWEST_FOR_PAIRS:
        return f"there are fewer than {FEWEST_FOR_PAIRS} different pictures with different texts"
    missing = generation.missing_vectors(info, settings)
    return _without_pictures(info) if PairSettings.image_vectors in missing else ""


def _pair(info: DatasetInfo, progress: Progress) -> None:
    generation.pairs(info.name, progress=progress)


def _pair_seconds(info: DatasetInfo) -> float:
    settings = generation.default_settings(info)
    missing = generation.missing_vectors(info, settings)
    return generation.seconds_for(info.splits.get(settings.split, info.rows), info.rows * len(missing))


# In the order in which they are made: what others need first, then what is quick.
PARTS = (
    Part(
        "vectors", "Embedding", _no_vectors, _has_vectors, lambda info: 6 + info.rows / EMBEDDED_PER_S, _embed
    ),
    Part(
        "evaluation", "Evaluating", _no_evaluation, _is_evaluated, _evaluate_seconds, _evaluate
    ),
    Part("map", "Mapping", _no_map, lambda info: bool(maps(info)), _map_seconds, _map),
    Part(
        "duplicates", "Finding duplicates", _has_all, lambda info: _found(info, copies=False), _find_seconds,
        lambda info, progress: _find(info, progress, copies=False),
    ),
    Part("index", "Indexing", _has_all, _is_indexed, lambda info: 2 + info.rows / 15_000, _index),
    Part(
        "pictures", "Measuring pictures", _without_pictures, _is_measured,
        lambda info: 3 + info.with_picture / MEASURED_PER_S, _measure,
    ),
    Part(
        "pairs", "Generating pairs", _no_pairs, lambda info: bool(listing(info)), _pair_seconds, _pair
    ),
    Part(
        "copies", "Finding cropped and recoloured copies", _no_copies, lambda info: _found(info, copies=True),
        lambda info: 10 + info.with_picture / REGISTERED_PER_S, lambda info, progress: _find(info, progress, copies=True),
    ),
)  # fmt: skip
