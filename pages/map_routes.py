"""What a map in the browser fetches beside its page: positions, colours, which products are meant, one product.

Plain bytes under addresses that name their content: the browser keeps them, and a run of the page sends none of them.
"""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote, urlencode

import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from core.catalog import info as catalog
from core.catalog import map_files
from core.catalog.cohort import Cohort
from core.catalog.info import DatasetInfo
from core.errors import VitrineError
from core.settings import ASSETS
from pages.resources import maps, products
from pages.resources.urls import image_url

FOREVER = "public, max-age=31536000, immutable"
ABSENT = 65535  # both numbers of a product that is not on the map
HIGHEST = 65534  # stands for 1.0, 0 for -1.0
SCRIPT = ASSETS / "map" / "dist"


@lru_cache(maxsize=4)
def _positions(name: str, drawn: str, version: str) -> bytes:
    """(n, 2) unsigned 16-bit numbers, little-endian: half the bytes of floats, and finer than a pixel at any zoom."""
    points = np.asarray(map_files.read_map(catalog.info(name), drawn).points)
    absent = np.isnan(points).any(axis=1)
    steps = np.rint((np.clip(np.nan_to_num(points), -1, 1) + 1) / 2 * HIGHEST).astype("<u2")
    steps[absent] = ABSENT
    return steps.tobytes()


def version(info: DatasetInfo, drawn: str) -> str:
    """A key that changes when the dataset or the map is rebuilt."""
    return f"{info.fingerprint}-{info.created}-{map_files.version(info, drawn)}"


def points_url(info: DatasetInfo, drawn: str) -> str:
    return f"/map-data/{quote(info.name)}/{quote(drawn)}/points?{urlencode({'v': version(info, drawn)})}"


def colours_url(info: DatasetInfo, drawn: str, column: str) -> str:
    return f"/map-data/{quote(info.name)}/{quote(drawn)}/colours/{column}?{urlencode({'v': version(info, drawn)})}"


def lit_url(info: DatasetInfo, cohort: Cohort) -> str | None:
    """Where the browser finds which products a filter lets through; None where it lets all."""
    cohort = cohort.with_(map="", area=())
    if cohort.is_whole():
        return None
    return f"/lit/{quote(info.name)}?{urlencode({**cohort.to_query(), 'v': [info.created]}, doseq=True)}"


def product_url(info: DatasetInfo) -> str:
    """Where the browser asks for one product: the row_id goes at the end."""
    return f"/product/{quote(info.name)}/"


def script_url() -> str:
    """The built component; another build has another address."""
    status = (SCRIPT / "map_view.js").stat()
    return f"/map-view/map_view.js?v={status.st_size}-{status.st_mtime_ns}"


def _bytes(data: bytes, request: Request, current: str) -> Response:
    cache = FOREVER if request.query_params.get("v") == current else "no-cache"
    return Response(
        data,
        media_type="application/octet-stream",
        headers={"cache-control": cache, "x-bytes": str(len(data))},
    )


def points(request: Request) -> Response:
    """Where each product lies."""
    try:
        info = catalog.info(request.path_params["dataset"])
        made = version(info, request.path_params["map"])
        return _bytes(_positions(info.name, request.path_params["map"], made), request, made)
    except VitrineError as error:
        return PlainTextResponse(str(error), 404)


def colours(request: Request) -> Response:
    """A byte a product: its place in the legend."""
    try:
        info = catalog.info(request.path_params["dataset"])
        drawn = request.path_params["map"]
        made = version(info, drawn)
        codes = maps.coloured(info, drawn, request.path_params["column"]).codes
        return _bytes(codes.tobytes(), request, made)
    except VitrineError as error:
        return PlainTextResponse(str(error), 404)


def lit(request: Request) -> Response:
    """A bit a product: does the filter in the address let it through?"""
    try:
        parameters = {key: request.query_params.getlist(key) for key in request.query_params}
        cohort = Cohort.from_query(parameters, dataset=request.path_params["dataset"])
        info = catalog.info(cohort.dataset)
        mask = products.table(info.name).mask(cohort.with_(fingerprint=None))
        return _bytes(np.packbits(mask, bitorder="little").tobytes(), request, info.created)
    except VitrineError as error:
        return PlainTextResponse(str(error), 404)


def product(request: Request) -> Response:
    """One product, as little of it as a card beside the pointer shows."""
    try:
        info = catalog.info(request.path_params["dataset"])
        rows = products.table(info.name).by_row([request.path_params["row"]])
    except VitrineError as error:
        return PlainTextResponse(str(error), 404)
    if not rows:
        return PlainTextResponse(f"{info.name} has no such row.", 404)
    row = rows[0]
    facts = [row["geo"], row["split"], None if row["label_kind"] is None else f"{row['label_kind']} label"]
    return JSONResponse(
        {
            "name": (row["name"] or "(no name)")[:200],
            "category": row["category"] or "",
            "facts": " · ".join(fact for fact in facts if fact),
            "src": image_url(info, row["image_id"], 320) if row["image"] else None,
        },
        headers={"cache-control": "private, max-age=300"},
    )


ROUTES = [
    Route("/map-data/{dataset}/{map}/points", points),
    Route("/map-data/{dataset}/{map}/colours/{column}", colours),
    Route("/lit/{dataset}", lit),
    Route("/product/{dataset}/{row:int}", product),
    Mount("/map-view", app=StaticFiles(directory=SCRIPT)),
]
