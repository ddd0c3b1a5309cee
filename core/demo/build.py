"""Draw the built-in dataset and import it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.catalog.build import BuildReport, import_dataset
from core.demo import structure, tree
from core.demo.archive import write_glami
from core.demo.chinese import write_mep3m
from core.errors import UsageError
from core.progress import Progress, no_progress
from core.sources.reading import ReadOptions

LAYOUTS = ("glami", "mep3m")
LICENCE = "MIT; drawn by Vitrine"


def build(
    name: str, items: int, seed: int = 0, layout: str = "glami", progress: Progress = no_progress
) -> BuildReport:
    """Draw a dataset and import it through the same source as the published one.

    Its files are stored in the dataset's folder, with `truth.parquet`: the ground truth, where the catalog's labels have
    planted errors.

    Args:
        layout: `glami`, thirteen languages; `mep3m`, Chinese.

    Raises:
        UsageError: items, seed or layout are invalid.
        DatasetExistsError: the name is taken.
        StorageError: the folder cannot be written, or the disk is full.
    """
    if layout not in LAYOUTS:
        raise UsageError(f"There is no layout {layout!r}. Layouts: {', '.join(LAYOUTS)}.")
    structure.check(items, seed)

    def tell(done: int, total: int) -> None:
        progress(done, total, "Drawing products")

    def draw_glami(folder: Path) -> Sequence[str]:
        write_glami(folder / "source.zip", folder / "truth.parquet", items, seed, tell)
        return [str(folder / "source.zip")]

    def draw_mep3m(folder: Path) -> Sequence[str]:
        write_mep3m(folder / "source", folder / "truth.parquet", items, seed, tell)
        return [str(folder / "source")]

    paths = {slug: leaf.path for slug, leaf in tree.leaves().items()}
    options = ReadOptions(tree=paths if layout == "glami" else {}, licence=LICENCE)
    keep = draw_glami if layout == "glami" else draw_mep3m
    return import_dataset(layout, [], name, options, progress, keep)
