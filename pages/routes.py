"""What the server answers beside pages and panels: pictures, downloads, fonts, health."""

from __future__ import annotations

from functools import lru_cache

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from core.catalog import info as catalog
from core.catalog.info import DatasetInfo
from core.errors import ImageError, UnknownDatasetError
from core.images.pictures import Pictures, Thumbnails
from core.settings import ASSETS
from pages import benchmark_routes, downloads, guard, map_routes, review_routes
from pages.stage import phone_routes, tour_routes, wall_routes

FOREVER = "public, max-age=31536000, immutable"
REMOTE = CapacityLimiter(32)  # threads that wait for pictures from the web
WAITING = 256  # pictures that wait for one of them
PLACEHOLDER = (ASSETS / "no-picture.svg").read_bytes()


@lru_cache(maxsize=32)
def _thumbnails(name: str, fingerprint: str, created: str) -> Thumbnails:
    return Thumbnails(Pictures(catalog.info(name)))


async def image(request: Request) -> Response:
    """A thumbnail: /images/<dataset>/<image_id>?w=<pixels>&v=<fingerprint>.

    Pictures from the web wait in threads of their own: other routes need none of these.
    """
    try:
        width = int(request.query_params.get("w", "480"))
    except ValueError:
        return PlainTextResponse("w is the width in pixels, a whole number.", 400)
    image_id = request.path_params["image_id"]
    try:
        dataset, thumbnails, data = await to_thread.run_sync(
            _made_here, request.path_params["dataset"], image_id, width
        )
        if data is None:
            if REMOTE.statistics().tasks_waiting >= WAITING:
                raise ImageError("Too many pictures are fetched from the web.")
            data = await to_thread.run_sync(thumbnails.get, image_id, width, limiter=REMOTE)
    except UnknownDatasetError as error:
        return PlainTextResponse(str(error), 404)
    except ImageError as error:
        headers = {"cache-control": "no-store"}
        if guard.marked_local(
            request.headers
        ):  # a reason names folders and addresses, which are the owner's business
            # one line: a reason may quote what another server said, and a line end would begin a new header
            headers["x-vitrine-reason"] = " ".join(str(error).encode("ascii", "replace").decode().split())[
                :200
            ]
        return Response(PLACEHOLDER, 404, headers, media_type="image/svg+xml")
    versioned = request.query_params.get("v") == dataset.fingerprint
    cache = FOREVER if versioned else "public, max-age=60"
    return Response(data, headers={"cache-control": cache}, media_type="image/webp")


def _made_here(name: str, image_id: str, width: int) -> tuple[DatasetInfo, Thumbnails, bytes | None]:
    """The thumbnail; None where its picture has to come from the web first.

    Raises:
        UnknownDatasetError: there is no such dataset.
        ImageError: there is no such picture, or it is broken.
    """
    dataset = catalog.info(name)
    thumbnails = _thumbnails(dataset.name, dataset.fingerprint, dataset.created)
    data = thumbnails.cached(image_id, width)
    if data is None and not thumbnails.is_remote(image_id):
        data = thumbnails.get(image_id, width)
    return dataset, thumbnails, data


def health(_: Request) -> Response:
    """Is the server up, and how many datasets can it open?"""
    return JSONResponse({"status": "ok", "datasets": len(catalog.datasets())})


ROUTES = [
    Route("/healthz", health),
    Route("/images/{dataset}/{image_id:path}", image),
    *benchmark_routes.ROUTES,
    *downloads.ROUTES,
    *map_routes.ROUTES,
    *review_routes.ROUTES,
    *tour_routes.ROUTES,
    *phone_routes.ROUTES,
    *wall_routes.ROUTES,
    Mount("/fonts", app=StaticFiles(directory=ASSETS / "fonts")),
]
