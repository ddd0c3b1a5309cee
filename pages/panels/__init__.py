"""The Gradio panels, one file each, mounted side by side under /panels/<name>."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from fastapi import FastAPI

from core.models import models
from core.settings import settings
from pages.panels import classification, gallery_search, retrieval
from pages.panels.examples import product_examples
from pages.panels.theme import CSS, vitrine_theme

if TYPE_CHECKING:
    from core.models.classifier import Classification, Explanation


def mount_panels() -> FastAPI:
    """An app that holds every panel. Models are loaded when somebody asks, never at start."""
    panels = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    mount(
        panels, classification.build(models, _classify, product_examples, _warm, _explain), "classification"
    )
    mount(
        panels,
        retrieval.build(gallery_search.galleries, gallery_search.search, product_examples),
        "retrieval",
    )
    return panels


def mount(panels: FastAPI, blocks: gr.Blocks, name: str) -> None:
    """One panel in Vitrine's look, with its API and its MCP tools."""
    folder = settings().home / "uploads"
    gr.mount_gradio_app(
        panels,
        blocks,
        path=f"/{name}",
        root_path=f"/panels/{name}",  # events outside the queue would lose it, and their files with it
        theme=vitrine_theme(),
        css=CSS,
        ssr_mode=False,
        mcp_server=True,
        footer_links=["api"],
        allowed_paths=[str(folder)],
        max_file_size=settings().upload_bytes,
        show_error=True,
    )


def _classify(model: str, image: Path | None, name: str, description: str) -> Classification:
    from core.models.classifier import classify

    return classify(model, image, name, description)


def _explain(model: str, image: Path | None, name: str, description: str) -> Explanation:
    from core.models.classifier import explain

    return explain(model, image, name, description)


def _warm(model: str) -> Any:
    from core.models.classifier import loaded

    return loaded(model)
