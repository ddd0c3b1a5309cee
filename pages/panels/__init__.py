"""The Gradio panels, one file each, mounted side by side under /panels/<name>."""

from __future__ import annotations

import logging
from functools import partial

import gradio as gr
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from core.evaluation import recorded
from core.generation import phrases
from core.models.cards import card
from core.settings import settings
from pages.panels import (
    classification,
    classification_events,
    classification_view,
    document,
    doors,
    gallery_search,
    generation,
    generation_events,
    generation_view,
    picture_generator,
    product_classifier,
    resting,
    retrieval,
    retrieval_compare,
    retrieval_events,
    uploads,
)
from pages.panels.examples import product_examples
from pages.panels.theme import CSS, vitrine_theme

# What Gradio's routes raise on a body of the wrong shape, too deep, or a path too long for the system. Events run elsewhere.
UNREADABLE = (OSError, ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError)

# A frame in a page of ours grows with what it shows, so that there is one scroll bar and not two.
FIT = """() => {
  const frame = window.frameElement, shown = document.querySelector('main > .column');
  if (!frame || !shown) return;
  const footer = document.querySelector('footer');
  new ResizeObserver(() => {
    frame.style.height = `${Math.max(600, shown.offsetHeight + (footer ? footer.offsetHeight : 0) + 60)}px`;
  }).observe(shown);
}"""

# Gradio reads this key out to screen readers at the end of every event, but has no words for it.
WORDS = gr.I18n(en={"common.complete": "Done."})

# What Gradio says of a file that is no picture, "Invalid file type: x. Only image/* allowed.", cannot be translated.
NO_PICTURE = """<script>
new MutationObserver(() => {
  for (const said of document.querySelectorAll('.toast-body, .toast-body *')) {
    for (const text of said.childNodes) {
      const names = text.nodeType === 3 && /^\\s*Invalid file types?: (.*)\\. Only .* allowed\\.\\s*$/s.exec(text.data);
      if (names) text.data = `This file is not a picture: ${names[1]}. Choose a JPEG, PNG or WebP file.`;
    }
  }
}).observe(document, {childList: true, subtree: true, characterData: true});
</script>"""


def mount_panels() -> FastAPI:
    """An app that holds every panel. Models are loaded on the first request, never at start."""
    uploads.fetch_nothing()
    panels = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        middleware=[Middleware(doors.Doors), Middleware(document.Document, head=NO_PICTURE)],
    )
    classifying = classification_events.Backend(
        product_classifier.choosable,
        product_classifier.classify,
        product_classifier.explain,
        card,
        product_classifier.examples,
        product_classifier.countries,
        product_classifier.languages,
        product_classifier.warm,
        product_classifier.fitting,
        recorded.recorded,
    )
    mount(panels, classification.build(classifying), "classification", classification_view.CSS, FIT)
    searching = retrieval_events.Backend(
        gallery_search.galleries,
        gallery_search.search,
        lambda asked: product_examples(among=asked.cohort),
        gallery_search.question_picture,
        partial(gallery_search.search, how="likeness"),
    )
    mount(panels, retrieval.build(searching), "retrieval", retrieval_compare.CSS)
    drawing = generation_events.Backend(
        picture_generator.draw,
        phrases.hint,
        picture_generator.languages,
        picture_generator.nearest,
        picture_generator.card,
        picture_generator.model_name,
    )
    languages = list(picture_generator.LANGUAGES.values())
    mount(panels, generation.build(drawing, languages), "generation", generation_view.CSS, FIT)
    return panels


def mount(panels: FastAPI, blocks: gr.Blocks, name: str, css: str = "", js: str | None = None) -> None:
    """One panel in Vitrine's look and with a style of its own, with its API and its MCP tools."""
    folder = settings().home / "uploads"
    # Gradio checks which files an event may name only on launched blocks, and mounting does not launch them:
    # without this a visitor could have any picture of the disk shown (processing_utils._check_allowed).
    blocks.has_launched = True
    resting.let_rest(blocks._queue)
    gr.mount_gradio_app(
        panels,
        blocks,
        path=f"/{name}",
        root_path=f"/panels/{name}",  # events outside the queue would lose it, and their files with it
        theme=vitrine_theme(),
        css=CSS + css,
        js=js,
        head=NO_PICTURE,
        i18n=WORDS,
        ssr_mode=False,
        mcp_server=True,
        footer_links=["api"],
        allowed_paths=[str(folder)],
        max_file_size=settings().upload_bytes,
        run_history=False,
        show_error=True,
    )
    for kind in UNREADABLE:
        panels.routes[-1].app.add_exception_handler(kind, _unreadable)  # type: ignore[attr-defined]


def _unreadable(request: Request, error: Exception) -> Response:
    """Gradio breaks on a request that is not as its own pages send it: say so, instead of a 500 with a traceback."""
    logging.getLogger("vitrine").warning(
        "a panel could not read %s %s: %r", request.method, request.url.path[:200], error
    )
    return PlainTextResponse("This request cannot be read.", 400)
