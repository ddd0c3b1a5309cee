"""What a server does once it is up, so that the first visitor waits for nothing."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress

from core.catalog.info import info
from core.embeddings.clip import ENCODERS
from core.embeddings.loading import loaded_encoder
from core.errors import VitrineError
from core.models.registry import BUNDLED
from core.preparation import state
from core.settings import settings
from core.storage import sweep
from pages.panels import product_classifier

LOGGER = logging.getLogger("vitrine")


def begin() -> None:
    """In the background: delete what killed imports left, start to prepare the datasets that VITRINE_PREPARE names,
    then load the bundled models (unless VITRINE_WARM=0), so that the first search is as fast as the others."""
    for name in settings().prepare:
        with suppress(VitrineError):  # said when it is started
            state.expect(info(name))
    threading.Thread(target=_begin, name="startup", daemon=True).start()


def _begin() -> None:
    if gone := sweep():
        LOGGER.info("%d folders that killed imports left were deleted.", gone)
    _prepare()
    if settings().warm:
        _warm()


def _warm() -> None:
    started = time.monotonic()
    try:
        loaded_encoder(ENCODERS[0].name).encode_texts(["-"])
        product_classifier.warm(BUNDLED[0])
    except VitrineError as error:  # a search says so, too
        LOGGER.warning("The bundled models are not loaded: %s", error)
    else:
        LOGGER.info("The bundled models were loaded in %.1f s.", time.monotonic() - started)


def _prepare() -> None:
    for name in settings().prepare:
        try:
            state.start(info(name))
        except (VitrineError, OSError) as error:
            LOGGER.warning("%s is not prepared: %s", name, error)
