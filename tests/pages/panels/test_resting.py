"""A queue that nobody asks for anything looks for events seldom, and often again as soon as somebody does."""

from __future__ import annotations

import time

import gradio as gr
import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from pages.panels import resting
from pages.panels.doors import Doors


def test_a_queue_rests_until_a_panel_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with gr.Blocks() as panel:
        gr.Button("Ask").click(lambda: None)
    resting.let_rest(panel._queue)
    monkeypatch.setattr(resting, "_asked", time.monotonic() - 2 * resting.AFTER_S)
    assert panel._queue.sleep_when_free == panel._queue.progress_update_sleep_when_free == resting.ASLEEP_S
    client = TestClient(Doors(PlainTextResponse("asked")))
    assert client.get("/classification/no-such-door").status_code == 404
    assert resting.interval_s() == resting.ASLEEP_S
    assert client.get("/classification/config").text == "asked"
    assert panel._queue.sleep_when_free == resting.AWAKE_S
