"""The Gradio panels, one file each, mounted side by side under /panels/<name>."""

from __future__ import annotations

from fastapi import FastAPI


def mount_panels() -> FastAPI:
    """An app that holds every panel."""
    return FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
