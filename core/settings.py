"""Settings, the only reader of environment variables."""

from __future__ import annotations

import math
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from core.errors import UsageError

PROJECT = Path(__file__).resolve().parent.parent
ASSETS = PROJECT / "assets"

# Set before streamlit, gradio or transformers are imported, so that none of them uses the network.
OFFLINE = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
}


@dataclass(frozen=True)
class Settings:
    """Paths and limits."""

    home: Path  # datasets, runs and caches; VITRINE_HOME
    upload_bytes: int = 32 * 2**20  # largest picture that a visitor may upload
    uploads_bytes: int = 2**30  # of all pictures that visitors uploaded; the oldest go
    image_bytes: int = 64 * 2**20  # largest picture file that is read from a dataset
    image_pixels: int = 64_000_000  # largest picture that is decoded
    thumbnail_bytes: int = 512 * 2**20  # disk that one dataset's thumbnails may take
    query_seconds: float = 60.0  # one query to a product table; VITRINE_QUERY_SECONDS
    query_bytes: int = 4 * 2**30  # memory of one dataset's queries; VITRINE_QUERY_MB
    warm: bool = True  # load the bundled models when a server starts; VITRINE_WARM=0: only when somebody asks
    prepare: tuple[str, ...] = ()  # datasets that a server prepares when it starts; VITRINE_PREPARE=demo,shop
    downloads: int = 16  # that run at once; VITRINE_DOWNLOADS
    import_bytes: int = 6 * 2**30  # memory of an import's process; VITRINE_IMPORT_MB
    private_urls: bool = False  # may files be fetched from private addresses; VITRINE_PRIVATE_URLS=1
    hosts: frozenset[str] = frozenset()  # names that are answered to; VITRINE_HOSTS
    behind_proxy: bool = False  # nobody is local; VITRINE_BEHIND_PROXY=1
    sockets: int = 256  # pages that may be open at once; VITRINE_SOCKETS
    database_url: str = ""  # of answers; empty: SQLite in home; VITRINE_DATABASE_URL
    stage: str = ""  # the dataset that visitors' phones ask; VITRINE_STAGE
    passphrases: Path | None = None  # of the sign-in, where not in home; VITRINE_PASSPHRASES


def settings() -> Settings:
    """The settings of this process, read at each call so that tests can change the environment."""
    home = os.environ.get("VITRINE_HOME")
    passphrases = os.environ.get("VITRINE_PASSPHRASES")
    return Settings(
        home=Path(home).expanduser().resolve() if home else PROJECT / "data",
        query_seconds=_number("VITRINE_QUERY_SECONDS", Settings.query_seconds),
        query_bytes=int(_number("VITRINE_QUERY_MB", Settings.query_bytes / 2**20) * 2**20),
        warm=os.environ.get("VITRINE_WARM") != "0",
        prepare=tuple(name for name in os.environ.get("VITRINE_PREPARE", "").split(",") if name),
        downloads=math.ceil(_number("VITRINE_DOWNLOADS", Settings.downloads)),
        sockets=math.ceil(_number("VITRINE_SOCKETS", Settings.sockets)),
        database_url=os.environ.get("VITRINE_DATABASE_URL", "").strip(),
        passphrases=Path(passphrases).expanduser().resolve() if passphrases else None,
        stage=os.environ.get("VITRINE_STAGE", "").strip(),
        import_bytes=int(_number("VITRINE_IMPORT_MB", Settings.import_bytes / 2**20) * 2**20),
        private_urls=os.environ.get("VITRINE_PRIVATE_URLS") == "1",
        hosts=frozenset(os.environ.get("VITRINE_HOSTS", "").lower().replace(",", " ").split()),
        behind_proxy=os.environ.get("VITRINE_BEHIND_PROXY") == "1",
    )


def _number(name: str, otherwise: float) -> float:
    """A positive number from the environment.

    Raises:
        UsageError: it is none.
    """
    text = os.environ.get(name, "")
    try:
        value = float(text) if text else otherwise
    except ValueError:
        value = 0.0
    if not (0 < value < math.inf):
        raise UsageError(f"{name}={text}: expected a number above 0.")
    return value


def go_offline() -> None:
    """Set environment variables that keep frameworks off the network; variables set by the user win."""
    for name, value in OFFLINE.items():
        os.environ.setdefault(name, value)


def keep_uploads_in_home() -> None:
    """Give what visitors upload a folder of its own, VITRINE_HOME/uploads/panels, before Gradio is imported.

    Other programs with Gradio share its own, /tmp/gradio. A variable that the user set wins; a home that cannot be
    written keeps none.
    """
    there = settings().home / "uploads" / "panels"
    try:
        there.mkdir(parents=True, exist_ok=True)
        writable = os.access(there, os.W_OK)
    except OSError:
        writable = False
    if not writable:
        there = Path(tempfile.gettempdir()) / f"vitrine-uploads-{os.getuid()}"
    os.environ.setdefault("GRADIO_TEMP_DIR", str(there))
