"""Products as a file: /download/<dataset>.csv and .parquet. Streamed some thousand rows at a time, and bounded in how many
run at once, so that slow readers hold little and nobody else up."""

from __future__ import annotations

import codecs
import io
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import anyio
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from core.catalog.cohort import SEPARATOR, Cohort
from core.catalog.spreadsheets import harmless
from core.errors import VitrineError
from core.schema import PRODUCTS
from core.settings import settings
from pages.resources import products

PIECE = 256 * 2**10  # bytes handed to the server at once
STALLED_S = 60.0  # for one piece: a reader that takes less holds a place that others wait for
RETRY_S = 10
KINDS = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


class _Places:
    """How many downloads run, of each address."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        return self._taken.total()

    def take(self, address: str) -> str | None:
        """Take a place, or say why there is none. One address has half of them, so that it leaves some to others."""
        most = settings().downloads
        share = most if settings().behind_proxy else max(1, most // 2)  # a proxy's address is everybody's
        with self._lock:
            if self._taken.total() >= most:
                return f"{most} downloads are running, which is as many as may at once."
            if self._taken[address] >= share:
                return f"{share} of your downloads are running, which is as many as may at once."
            self._taken[address] += 1
            return None

    def free(self, address: str) -> None:
        with self._lock:
            self._taken[address] -= 1
            if not self._taken[address]:
                del self._taken[address]


PLACES = _Places()


class _Download(StreamingResponse):
    """Gives its place back however it ends: whole, left, too slow, or broken."""

    def __init__(self, address: str, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self._address = address

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def within_time(message: Any) -> None:
            with anyio.fail_after(STALLED_S):
                await send(message)

        try:
            await super().__call__(scope, receive, within_time)
        except (TimeoutError, ClientDisconnect):  # the server cuts off an answer that is not complete
            return
        finally:
            PLACES.free(self._address)


def download(request: Request) -> Response:
    """The cohort that the URL describes as CSV or Parquet: /download/<dataset>.csv?geo=cz&...

    In a CSV, texts that a spreadsheet would compute get an apostrophe before them; `raw=1` leaves all as it is.
    """
    parameters = {key: request.query_params.getlist(key) for key in request.query_params}
    kind = request.path_params["kind"]
    if kind not in KINDS:
        return PlainTextResponse("A download ends in .csv or .parquet.", 404)
    address = request.client.host if request.client else ""
    if why := PLACES.take(address):
        return PlainTextResponse(f"{why} Try again in some seconds.", 503, {"retry-after": str(RETRY_S)})
    with ExitStack() as until_it_runs:
        until_it_runs.callback(PLACES.free, address)
        try:
            cohort = Cohort.from_query(parameters, dataset=request.path_params["dataset"])
            parts = products.table(cohort.dataset).parts(cohort)  # an error must come before the first byte
        except VitrineError as error:
            return PlainTextResponse(str(error), 404)
        headers = {"content-disposition": f'attachment; filename="{cohort.dataset}.{kind}"'}
        if request.method == "HEAD":
            return Response(headers=headers, media_type=KINDS[kind])
        raw = request.query_params.get("raw") == "1"
        answer = _Download(address, _export(parts, kind, raw), headers=headers, media_type=KINDS[kind])
        until_it_runs.pop_all()
        return answer


def _export(parts: Iterator[pa.Table], kind: str, raw: bool) -> Iterator[bytes]:
    """The file in pieces."""
    pipe, writer = _Pipe(), None
    if kind == "csv":
        yield codecs.BOM_UTF8  # without it Excel reads another alphabet; pandas, DuckDB and Arrow skip it
    for part in _or_empty(parts):
        table = part if kind == "parquet" else _flat(part, raw)
        if writer is None:
            kinds = {"csv": pyarrow.csv.CSVWriter, "parquet": pyarrow.parquet.ParquetWriter}
            writer = kinds[kind](pipe, table.schema)
        writer.write_table(table)
        del part, table  # a slow reader holds what is written, and no rows beside it
        yield from pipe.take()
    if writer is not None:
        writer.close()
    yield from pipe.take()


def _or_empty(parts: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The same, with a table of no rows where there are none: the header is written all the same."""
    found = False
    for part in parts:
        found = True
        yield part
    if not found:
        yield PRODUCTS.empty_table()


def _flat(table: pa.Table, raw: bool) -> pa.Table:
    """As a CSV has it: category paths are one text."""
    path = pc.binary_join(table["category_path"], SEPARATOR)
    table = table.set_column(table.schema.get_field_index("category_path"), "category_path", path)
    return table if raw else harmless(table)


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

    def take(self) -> Iterator[bytes]:
        """What was written since, in pieces."""
        data, self._data = self._data, bytearray()
        for start in range(0, len(data), PIECE):
            yield bytes(data[start : start + PIECE])


ROUTES = [Route("/download/{dataset}.{kind}", download)]
