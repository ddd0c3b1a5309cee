"""What stays light, knows no screen and fits one. The order of the rooms is in pyproject.toml, checked by import-linter."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]

FUNCTION_LINES, FILE_LINES = 80, 600  # at most; lower is better
# Functions that may be longer, as "module:function", each with the reason.
LONG_FUNCTIONS = {
    "core.commands.audit:plan": "two thirds are the command's options",
    "core.commands.models:evaluate": "two thirds are the command's options",
}

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


# Libraries that an import inside a function may keep out of what does not need them.
SLOW = {*HEAVY, "duckdb", "pandas", "scipy", "accelerate", "httpx", "sqlalchemy"}


class Imports:
    """The imports at the top of every module, followed through our own modules."""

    def __init__(self) -> None:
        self.trees = {module_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in sources()}
        self.top = {name: set(self._at_top(tree.body)) for name, tree in self.trees.items()}

    def _at_top(self, body: list[ast.stmt]) -> Iterator[str]:
        for node in body:
            if isinstance(node, ast.If):
                yield from self._at_top(node.orelse if "TYPE_CHECKING" in ast.dump(node.test) else node.body)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                yield from imports(node)

    def slow(self, module: str) -> set[str]:
        """The slow libraries that an import of a module loads."""
        found: set[str] = set()
        seen, todo = set(), [module]
        while todo:
            name = todo.pop()
            if name in self.top and name not in seen:
                seen.add(name)
                todo += [*self.top[name], name.rpartition(".")[0]]  # a package is loaded before its modules
            found |= {name.split(".")[0]} & SLOW
        return found


def test_an_import_inside_a_function_keeps_a_slow_library_out() -> None:
    """All other imports of our own modules are at the top of the file."""
    known = Imports()
    needless = []
    for module, tree in known.trees.items():
        for function in functions(tree):
            for node in ast.walk(function):
                own = [name for name in imports(node) if name in known.trees] if _is_import(node) else []
                loaded = set().union(*(known.slow(name) for name in own))
                if own and not loaded - known.slow(module):
                    needless.append(f"{module}:{function.name} imports {own[-1]}")
    assert not needless, needless


def _is_import(node: ast.AST) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_functions_and_files_fit_a_screen() -> None:
    long = {}
    for path in sources():
        text = path.read_text(encoding="utf-8")
        if (lines := len(text.splitlines())) > FILE_LINES:
            long[module_name(path)] = lines
        for node in functions(ast.parse(text)):
            if (lines := node.end_lineno - node.lineno + 1) > FUNCTION_LINES:  # type: ignore[operator]
                long[f"{module_name(path)}:{node.name}"] = lines
    assert long.keys() <= LONG_FUNCTIONS.keys(), (
        f"split them: at most {FUNCTION_LINES} lines a function, {FILE_LINES} a file: {long}"
    )
