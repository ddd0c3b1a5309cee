"""Data flows one way: a module imports only what stands to its left (docs/architecture.md)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]

# From left to right; modules of one group may import each other.
ORDER = [
    ["core.errors", "core.settings", "core.storage", "core.polygon"],
    ["core.schema"],
    ["core.sources"],
    [
        "core.build",
        "core.cohort",
        "core.columns",
        "core.intact",
        "core.catalog",
        "core.maps",
        "core.web",
        "core.images",
    ],
    ["core.demo", "core.statistics", "core.embeddings", "core.checkpoints"],
    ["core.intervals"],
    [
        "core.index",
        "core.lexical",
        "core.where",
        "core.search",
        "core.duplicates",
        "core.neighbours",
        "core.map_quality",
        "core.regions",
        "core.projection",
    ],
    ["core.models", "core.metrics", "core.calibration", "core.training", "core.audit", "core.generation"],
    ["core.doctor"],
    [
        "core.commands",
        "core.commands_map",
        "core.commands_models",
        "core.commands_search",
        "core.commands_duplicates",
        "core.__main__",
        "trainers",
    ],
    ["pages", "app"],
]
HEAVY = {"torch", "transformers", "open_clip", "torchvision", "timm", "gensim", "umap"}


def rank(module: str) -> int | None:
    for place, group in enumerate(ORDER):
        if any(module == name or module.startswith(f"{name}.") for name in group):
            return place
    return None


def sources() -> list[Path]:
    return [
        PROJECT / "app.py",
        *(
            path
            for folder in ("core", "pages", "trainers")
            for path in sorted((PROJECT / folder).rglob("*.py"))
        ),
    ]


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module that is imported anywhere, functions included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize("path", sources(), ids=module_name)
def test_imports_point_left(path: Path) -> None:
    here = module_name(path)
    mine = rank(here)
    if here in ("core", "pages"):
        return
    assert mine is not None, f"{here} has no place in the order: give it one here and in docs/architecture.md"
    for name in imports(ast.parse(path.read_text(encoding="utf-8"))):
        theirs = rank(name)
        assert theirs is None or theirs <= mine, f"{here} imports {name}, which stands to its right"


@pytest.mark.parametrize("path", [p for p in sources() if p.parts[-2] not in ("trainers",)], ids=module_name)
def test_core_knows_no_screen(path: Path) -> None:
    if module_name(path).split(".")[0] != "core":
        return
    roots = {name.split(".")[0] for name in imports(ast.parse(path.read_text(encoding="utf-8")))}
    assert not roots & {"streamlit", "gradio", "pages"}, f"{module_name(path)} knows a screen"


def test_browsing_loads_no_model_library() -> None:
    """What Home and Browse import stays light: a page is up before torch would be."""
    import subprocess
    import sys

    code = "import sys, app; print(sorted(set(sys.modules) & set(sys.argv[1:])))"
    answer = subprocess.run(
        [sys.executable, "-c", code, *sorted(HEAVY)], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip().splitlines()[-1] == "[]", answer.stdout
