"""What stays light and knows no screen. The order of the rooms is in pyproject.toml, checked by import-linter."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]

HEAVY = {"torch", "transformers", "open_clip", "torchvision", "timm", "gensim", "umap"}


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
