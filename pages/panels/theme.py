"""Vitrine's look for Gradio: the ink, paper, accent and font of .streamlit/config.toml."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

import gradio as gr

from core.settings import PROJECT

FONTS = "".join(
    f"@font-face{{font-family:'{family}';src:url('/fonts/{file}.woff2') format('woff2');font-weight:{weight};{more}}}"
    for family, file, weight, more in (
        ("Inter", "Inter-Regular", 400, ""),
        ("Inter", "Inter-SemiBold", 600, ""),
        ("Noto Sans SC", "NotoSansSC-Regular", 400, "unicode-range:U+3000-303F,U+4E00-9FFF,U+FF00-FFEF;"),
    )
)
CSS = f"""{FONTS}
.gradio-container {{ max-width: none !important; padding: 4px 2px !important; }}
.gradio-container > .main, .gradio-container main {{ max-width: none !important; padding: 0 !important; }}
.confidence-set .bar, .confidence-set .inner-wrap .bar {{ background: var(--color-accent) !important; }}
footer {{ opacity: .6; }}
"""


@cache
def _colours(theme: str) -> dict[str, str]:
    config = tomllib.loads((PROJECT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    return dict(config["theme"][theme])


def vitrine_theme() -> Any:
    """Gradio's plain theme in our colours, light and dark."""
    light, dark = _colours("light"), _colours("dark")
    made: dict[str, str] = {}
    for name, key in (
        ("body_background_fill", "backgroundColor"),
        ("background_fill_primary", "backgroundColor"),
        ("background_fill_secondary", "secondaryBackgroundColor"),
        ("block_background_fill", "backgroundColor"),
        ("input_background_fill", "secondaryBackgroundColor"),
        ("body_text_color", "textColor"),
        ("block_label_text_color", "textColor"),
        ("block_title_text_color", "textColor"),
        ("border_color_primary", "borderColor"),
        ("block_border_color", "borderColor"),
        ("input_border_color", "borderColor"),
        ("button_primary_background_fill", "primaryColor"),
        ("button_primary_background_fill_hover", "primaryColor"),
        ("button_primary_border_color", "primaryColor"),
        ("color_accent", "primaryColor"),
        ("border_color_accent", "primaryColor"),
        ("link_text_color", "linkColor"),
        ("button_secondary_background_fill", "secondaryBackgroundColor"),
        ("button_secondary_background_fill_hover", "borderColor"),
        ("block_label_background_fill", "secondaryBackgroundColor"),
        ("block_info_text_color", "textColor"),
        ("stat_background_fill", "primaryColor"),
    ):
        made[name] = light[key]
        made[f"{name}_dark"] = dark[key]
    made["button_primary_text_color"] = "#FFFFFF"
    made["button_primary_text_color_dark"] = dark["backgroundColor"]
    made.pop("color_accent_dark")
    fonts = ["Inter", "Noto Sans SC", "sans-serif"]
    theme = gr.themes.Base(
        font=fonts, font_mono=fonts, radius_size=gr.themes.sizes.radius_sm, text_size=gr.themes.sizes.text_md
    )
    return theme.set(**made)
