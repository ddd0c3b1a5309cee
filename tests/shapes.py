"""Small inputs of every shape that Vitrine reads, and what is broken about some of them."""

from __future__ import annotations

import csv
import io
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from PIL import Image

GLAMI_COLUMNS = (
    "item_id",
    "image_id",
    "geo",
    "name",
    "description",
    "category",
    "category_name",
    "label_source",
)


def picture(
    size: tuple[int, int] = (40, 60), color: Any = "teal", kind: str = "JPEG", mode: str = "RGB"
) -> bytes:
    """A picture of one colour."""
    out = io.BytesIO()
    Image.new(mode, size, color).save(out, kind)
    return out.getvalue()


def glami_row(number: int, **changes: str) -> dict[str, str]:
    """A row as GLAMI publishes it; its picture is called `number`."""
    row = {
        "item_id": str(9_000 + number),
        "image_id": str(number),
        "geo": "cz",
        "name": f"Boty {number}",
        "description": "",
        "category": "171",
        "category_name": "shoes",
        "label_source": "admin",
    }
    return row | changes


def csv_bytes(
    rows: Sequence[Mapping[str, str]], columns: Sequence[str] = GLAMI_COLUMNS, delimiter: str = ","
) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8", "surrogateescape")


def glami_files(train: int = 3, test: int = 1) -> dict[str, bytes]:
    """The published layout in small: path in the archive -> content."""
    rows = [glami_row(number) for number in range(train + test)]
    files = {f"GLAMI-1M-dataset/images/{number}.jpg": picture() for number in range(train + test)}
    files["GLAMI-1M-dataset/GLAMI-1M-train.csv"] = csv_bytes(rows[:train])
    files["GLAMI-1M-dataset/GLAMI-1M-test.csv"] = csv_bytes(rows[train:])
    return files


def write_zip(path: Path, files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def write_files(root: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


class _Ranges(SimpleHTTPRequestHandler):
    """A static server that answers one byte range, or, with `ranges` off, whole files only."""

    ranges = True
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.headers.get("Range", "whole"))
        wanted = self.headers.get("Range")
        path = Path(self.translate_path(self.path))
        if not self.ranges or wanted is None or not path.is_file():
            super().do_GET()
            return
        data = path.read_bytes()
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last or len(data)), len(data) - 1)
        if start >= len(data):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(data)}")
            self.end_headers()
            return
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{end}/{len(data)}")
        self.send_header("Content-Length", str(end + 1 - start))
        self.end_headers()
        self.wfile.write(data[start : end + 1])

    def log_message(self, *_: Any) -> None: ...


@contextmanager
def serve(
    folder: Path, ranges: bool = True, handler: type[_Ranges] = _Ranges
) -> Iterator[tuple[str, list[str]]]:
    """A local server of a folder: its address and the ranges that it was asked for."""
    asked: list[str] = []
    kind = type("Handler", (handler,), {"ranges": ranges, "asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(kind, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
