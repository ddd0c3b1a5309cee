"""What the server answers beside pages and panels: pictures, downloads, fonts, health."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from core.catalog import info as catalog
from core.catalog.cohort import Cohort
from core.catalog.products import Products
from core.errors import ImageError, UnknownDatasetError, VitrineError
from core.images.pictures import Pictures, Thumbnails
from core.settings import ASSETS
from pages import map_routes

FOREVER = "public, max-age=31536000, immutable"
PLACEHOLDER = (ASSETS / "no-picture.svg").read_bytes()
EXPORT_ROWS = 20_000  # a chunk of a download


class SafeHeaders:
    """Headers that keep a browser from guessing types, and other sites from framing the app."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    (b"x-content-type-options", b"nosniff"),
                    (b"referrer-policy", b"same-origin"),
                    (b"content-security-policy", b"frame-ancestors 'self'"),
                ]
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


@lru_cache(maxsize=32)
def _thumbnails(name: str, fingerprint: str, created: str) -> Thumbnails:
    return Thumbnails(Pictures(catalog.info(name)))


def image(request: Request) -> Response:
    """A thumbnail: /images/<dataset>/<image_id>?w=<pixels>&v=<fingerprint>."""
    try:
        width = int(request.query_params.get("w", "480"))
    except ValueError:
        return PlainTextResponse("w is the width in pixels, a whole number.", 400)
    try:
        dataset = catalog.info(request.path_params["dataset"])
        data = _thumbnails(dataset.name, dataset.fingerprint, dataset.created).get(
            request.path_params["image_id"], width
        )
    except UnknownDatasetError as error:
        return PlainTextResponse(str(error), 404)
    except ImageError as error:
        return Response(
            PLACEHOLDER,
            404,
            {
                "cache-control": "no-store",
                # one line: a reason may quote what another server said, and a line end would begin a new header
                "x-vitrine-reason": " ".join(str(error).encode("ascii", "replace").decode().split())[:200],
            },
            media_type="image/svg+xml",
        )
    versioned = request.query_params.get("v") == dataset.fingerprint
    cache = FOREVER if versioned else "public, max-age=60"
    return Response(data, headers={"cache-control": cache}, media_type="image/webp")


def download(request: Request) -> Response:
    """The cohort that the URL describes as CSV or Parquet: /download/<dataset>.csv?geo=cz&..."""
    parameters = {key: request.query_params.getlist(key) for key in request.query_params}
    try:
        cohort = Cohort.from_query(parameters, dataset=request.path_params["dataset"])
        products = Products.open(cohort.dataset)
        products.count(cohort)  # an error must come before the first byte
    except VitrineError as error:
        return PlainTextResponse(str(error), 404)
    kind = request.path_params["kind"]
    if kind not in ("csv", "parquet"):
        return PlainTextResponse("A download ends in .csv or .parquet.", 404)
    headers = {"content-disposition": f'attachment; filename="{cohort.dataset}.{kind}"'}
    media = "text/csv; charset=utf-8" if kind == "csv" else "application/vnd.apache.parquet"
    return StreamingResponse(_export(products, cohort, kind), headers=headers, media_type=media)


def _export(products: Products, cohort: Cohort, kind: str) -> Iterator[bytes]:
    """The file in pieces, so that three million rows never lie in memory."""
    columns = "* REPLACE (array_to_string(category_path, ' > ') AS category_path)" if kind == "csv" else "*"
    sql = f"SELECT {columns} FROM cohort ORDER BY row_id"  # noqa: S608
    reader = products.query(sql, cohort).to_arrow_reader(EXPORT_ROWS)
    pipe = _Pipe()
    writer: Any
    if kind == "csv":
        yield codecs.BOM_UTF8  # without it Excel reads another alphabet; pandas, DuckDB and Arrow skip it
        writer = pyarrow.csv.CSVWriter(pipe, reader.schema)
    else:
        writer = pyarrow.parquet.ParquetWriter(pipe, reader.schema)
    with writer:
        for batch in reader:
            writer.write_table(pa.Table.from_batches([batch]))
            yield pipe.take()
    yield pipe.take()


class _Pipe(io.RawIOBase):
    """A file that is only written, and read out as it grows; positions count from its beginning."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._data += data
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        return self._written

    def take(self) -> bytes:
        data = bytes(self._data)
        self._data.clear()
        return data


def health(_: Request) -> Response:
    """Is the server up, and how many datasets can it open?"""
    return JSONResponse({"status": "ok", "datasets": len(catalog.datasets())})


ROUTES = [
    Route("/healthz", health),
    Route("/images/{dataset}/{image_id:path}", image),
    Route("/download/{dataset}.{kind}", download),
    *map_routes.ROUTES,
    Mount("/fonts", app=StaticFiles(directory=ASSETS / "fonts")),
]
