"""The classification panel's predictions as HTML. All text of visitors and datasets is escaped here."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from core.catalog.cohort import path_from_text
from core.images.pictures import open_picture
from core.settings import ASSETS
from pages.components.shared.numbers import percent

if TYPE_CHECKING:
    from core.evaluation.recorded import Recorded
    from core.models.cards import Card
    from core.models.classifier import Classification
    from core.models.explain import Counterfactual, Explanation, WordImportance

CSS = (ASSETS / "classification.css").read_text(encoding="utf-8")
SHOWN_PX = 480  # longest side of the picture under a heat map
TEXT_SHOWN = 160  # characters of another text
REST_SHOWN = 240  # characters of what was not read
HINT = '<p class="vc-hint">Give a picture or a text. The prediction appears here.</p>'
HEAT = np.array(
    [(255, 196, 0), (255, 120, 0), (214, 20, 60)], np.float32
)  # cold to hot; the legend's in the CSS


def row(columns: Iterable[str]) -> str:
    """Columns, which wrap on a narrow screen."""
    return f'<div class="vc-row">{"".join(columns)}</div>'


def answer(title: str, found: Classification, label: str = "", sure: bool = True) -> str:
    """The most probable categories of one model.

    Args:
        label: of the product that was asked about, where it is one of a dataset.
        sure: are that dataset's categories the model's classes, so that another answer is a disagreement?
    """
    first, probability = found.labels[0]
    bars = "".join(_bar(label, share) for label, share in found.labels)
    notes = "".join(f'<p class="vc-note">{escape(note)}</p>' for note in found.notes)
    *above, leaf = _path(first)
    return (
        f'<section class="vc-model"><h3>{escape(title)}</h3>'
        f'<p class="vc-first"><span>{escape(leaf)}</span> <b>{percent(probability)}</b></p>'
        f'<p class="vc-path">{escape(" › ".join(above))}</p><ol class="vc-bars">{bars}</ol>'
        f"{_verdict(first, label, sure)}{notes}</section>"
    )


def _verdict(first: str, label: str, sure: bool) -> str:
    """Whether the prediction is the label."""
    if not label:
        return ""
    name = escape(_path(label)[-1])
    if first == label:
        return f'<p class="vc-verdict vc-agrees">The label is <b>{name}</b>: the model agrees.</p>'
    if sure:
        return f'<p class="vc-verdict vc-differs">The label is <b>{name}</b>: the model disagrees.</p>'
    return f'<p class="vc-verdict">The label is <b>{name}</b>, of a dataset that the model does not know.</p>'


def refusal(title: str, message: str) -> str:
    """A model's error, in place of its prediction."""
    head = f"<h3>{escape(title)}</h3>" if title else ""
    return (
        f'<section class="vc-model">{head}<p class="vc-refused" role="alert">'
        f"<b>Not classified.</b> {escape(message)}</p></section>"
    )


def recorded(title: str, earlier: Recorded, why: str, label: str = "") -> str:
    """A prediction of an earlier evaluation, marked as that, where the model cannot answer now."""
    first, probability = earlier.labels[0]
    *above, leaf = _path(first)
    return (
        f'<section class="vc-model"><h3>{escape(title)}</h3>'
        f'<p class="vc-recorded"><b>Recorded</b> on {escape(earlier.made)} by {escape(earlier.model)}, not computed now. {escape(why)}</p>'
        f'<p class="vc-first"><span>{escape(leaf)}</span> <b>{percent(probability)}</b></p>'
        f'<p class="vc-path">{escape(" › ".join(above))}</p>{_verdict(first, label, True)}</section>'
    )


def waiting(title: str) -> str:
    return f'<section class="vc-model vc-waiting"><h3>{escape(title)}</h3><p>Reading…</p></section>'


def explanation(title: str, reasons: Explanation | None, picture: Image.Image | None) -> str:
    """The explanation of one model's prediction."""
    if reasons is None:
        told = "<p>No explanation is available for this model.</p>"
        return f'<section class="vc-model"><h3>{escape(title)}</h3>{told}</section>'
    parts = []
    if reasons.heat is not None and picture is not None:
        parts.append(_heat(reasons, picture))
    if counted := _words(reasons) + _shares(reasons):
        parts.append(counted)
    if reasons.changed:
        parts.append(_what_if(reasons))
    parts += [f'<p class="vc-note">{escape(note)}</p>' for note in reasons.missing]
    leaf = _path(reasons.label)[-1]
    head = (
        f"<h3>{escape(title)}</h3><p class='vc-path'>Why {escape(leaf)}, {percent(reasons.probability)}</p>"
    )
    told = "".join(f"<div>{part}</div>" for part in parts)
    return f'<section class="vc-model">{head}<div class="vc-why">{told}</div></section>'


def card(found: Card) -> str:
    """One model's card, collapsed."""
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in found.facts.items())
    figures = "".join(
        f"<tr><td>{escape(figure.sees)}</td><td>{percent(figure.top1)}</td>"
        f"<td>{percent(figure.top5) if figure.top5 is not None else '–'}</td><td>{figure.n:,}</td></tr>"
        for figure in found.figures
    )
    table = (
        "<table><thead><tr><th>Test products, inputs</th><th>top-1</th><th>top-5</th><th>n</th></tr>"
        f"</thead><tbody>{figures}</tbody></table>"
        if figures
        else '<p class="vc-note">It was not evaluated.</p>'
    )
    return (
        f'<section class="vc-model"><details class="vc-card"><summary>About {escape(found.title)}</summary>'
        f'<dl>{facts}</dl>{table}<p class="vc-note"><b>Limits.</b> {escape(found.limits)}</p></details></section>'
    )


def _path(label: str) -> tuple[str, ...]:
    return path_from_text(label) or (label,)


def _bar(label: str, share: float) -> str:
    *above, leaf = _path(label)
    return (
        f'<li title="{escape(" › ".join((*above, leaf)))}"><span class="vc-label">{escape(leaf)}'
        f" <small>{escape(' › '.join(above))}</small></span><b>{escape(percent(share))}</b>"
        f'<span class="vc-track"><i style="width:{100 * share:.2f}%"></i></span></li>'
    )


def _heat(reasons: Explanation, picture: Image.Image) -> str:
    """The picture with its heat map, and a switch that hides the heat map."""
    assert reasons.heat is not None
    if not float(reasons.heat.max()) > 0:
        return "<h4>Heat map (Grad-CAM)</h4><p>No part of the picture supports this prediction.</p>"
    small = picture.convert("RGB")
    small.thumbnail((SHOWN_PX, SHOWN_PX))
    return (
        "<h4>Heat map (Grad-CAM)</h4>"
        '<div class="vc-heat"><label><input type="checkbox" checked> Show the heat map</label>'
        f'<div class="vc-seen"><img src="{_data_url(small)}" alt="The given picture">'
        f'<img class="vc-over" src="{_data_url(heat_image(reasons.heat, small.size))}" '
        'alt="Heat map of the regions that support the prediction"></div>'
        '<p class="vc-legend"><span>weak</span><i></i><span>strong support</span></p></div>'
    )


def heat_image(heat: np.ndarray, size: tuple[int, int]) -> Image.Image:
    """An RGBA picture of `size` to be laid over the one that was looked at: clear where the heat is 0."""
    wide = Image.fromarray((heat * 255).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    share = np.asarray(wide, np.float32) / 255
    at = share * (len(HEAT) - 1)
    low = np.minimum(at.astype(int), len(HEAT) - 2)
    mixed = HEAT[low] + (HEAT[low + 1] - HEAT[low]) * (at - low)[..., None]
    pixels = np.concatenate([mixed, 210 * np.clip(share, 0, 1)[..., None] ** 0.8], axis=2)
    return Image.fromarray(pixels.round().astype(np.uint8), "RGBA")


def _data_url(image: Image.Image) -> str:
    out = io.BytesIO()
    image.save(out, "WEBP", quality=80)
    return f"data:image/webp;base64,{base64.b64encode(out.getvalue()).decode()}"


def _words(reasons: Explanation) -> str:
    """The text, each word coloured by its importance; empty where there are no importances."""
    if not reasons.words:
        return ""
    largest = max((abs(word.weight) for word in reasons.words), default=0) or 1
    parts, at = [], 0
    for word in reasons.words:
        parts += [escape(reasons.text[at : word.start]), _word(reasons, word, largest)]
        at = word.end
    parts.append(escape(reasons.text[at : reasons.read]))
    if rest := reasons.text[reasons.read : reasons.read + REST_SHOWN]:
        parts.append(
            f'<span class="vc-unread" title="not read: beyond the input length">{escape(rest)}</span>'
        )
    said = (
        "Exact contribution of each word to the logit"
        if reasons.exact
        else "Drop in probability without each word"
    )
    return (
        f'<h4>Word importance</h4><p class="vc-words">{"".join(parts)}</p>'
        f'<p class="vc-legend"><mark class="vc-for">for</mark> <mark class="vc-against">against</mark> '
        f"{said}; stronger colours mean more.</p>"
    )


def _word(reasons: Explanation, word: WordImportance, largest: float) -> str:
    strength = abs(word.weight) / largest
    shown = escape(reasons.text[word.start : word.end])
    if strength < 0.08:
        return f"<span>{shown}</span>"
    side = "for" if word.weight > 0 else "against"
    told = (
        f"without it: {percent(word.without)}"
        if word.without is not None
        else f"contributes {word.weight:+.2f} to the logit"
    )
    return f'<mark class="vc-{side}" style="--strength:{strength:.2f}" title="{escape(told)}">{shown}</mark>'


def _shares(reasons: Explanation) -> str:
    """EmbraceNet: the share of fused components of each modality, and their contribution to the prediction."""
    parts = []
    if len(reasons.filled) > 1:
        filled = " and ".join(f"{share:.0%} from the {side}" for side, share in reasons.filled.items())
        parts.append(f"Of the fused components {filled}, sampled at random.")
    if len(reasons.shares) > 1:
        brought = ", ".join(
            f"the {side} {share:.0%}" if share >= 0 else f"the {side} opposed it ({share:.0%})"
            for side, share in reasons.shares.items()
        )
        parts.append(f"Contributions to the logit margin: {brought}.")
    if not parts:
        return ""
    clipped = {side: max(share, 0) for side, share in reasons.shares.items()}
    total = sum(clipped.values()) or 1
    bar = "".join(
        f'<i class="vc-{side}" style="width:{100 * share / total:.1f}%" title="{side} {share:.0%}"></i>'
        for side, share in clipped.items()
    )
    return f'<h4>Contribution of picture and text</h4><p class="vc-split" aria-hidden="true">{bar}</p><p>{" ".join(parts)}</p>'


def _what_if(reasons: Explanation) -> str:
    """The counterfactual predictions, one per line."""
    return f'<h4>Counterfactuals</h4><ul class="vc-if">{"".join(_changed(reasons, each) for each in reasons.changed)}</ul>'


def _changed(reasons: Explanation, changed: Counterfactual) -> str:
    same = changed.label == reasons.label
    now = (
        f"still <b>{escape(_path(changed.label)[-1])}</b>"
        if same
        else f"<b>{escape(_path(changed.label)[-1])}</b>"
    )
    shares = f"{percent(reasons.probability)} → {percent(changed.kept)}"
    if not same:
        shares = f"{percent(changed.probability)} ({escape(_path(reasons.label)[-1])} {shares})"
    text = changed.text if len(changed.text) <= TEXT_SHOWN else f"{changed.text[:TEXT_SHOWN]}…"
    quoted = f"<q>{escape(text)}</q>" if text else ""
    kind = "same" if same else "other"
    return f'<li class="vc-{kind}"><span>{escape(changed.what)}</span> {now} {shares}{quoted}</li>'


def picture_of(path: Path | None) -> Image.Image | None:
    """The picture under the heat map, as the model received it."""
    if path is None:
        return None
    return open_picture(path)
