"""Where the papers' datasets can be downloaded: records of Zenodo, whose API says each file's size and MD5."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from core.errors import SourceError, UsageError
from core.outgoing import OutgoingError, get
from core.sources.download import Remote

RECORD_BYTES = 4 * 2**20
ZENODO = "https://zenodo.org"


@dataclass(frozen=True)
class Publication:
    """Something to fetch."""

    name: str
    title: str
    record: str  # of Zenodo
    layout: str  # that it is imported by; empty: it is no dataset
    about_gb: float  # to be said before anything is asked of the network
    licence: str
    citation: str
    only: str = ""  # a pattern of the files that are wanted


GLAMI = "Kosar, Hoskovec, Šulc, Bartyzal: GLAMI-1M: A Multilingual Image-Text Fashion Dataset. BMVC 2022."
PUBLICATIONS: tuple[Publication, ...] = (
    Publication("glami", "GLAMI-1M, pictures of 228 x 298", "7326406", "glami", 11, "CC BY 4.0", GLAMI, r".*\.zip"),
    Publication("glami-800", "GLAMI-1M, pictures of 800 x 800, eleven parts", "7338792", "glami", 54, "CC BY 4.0",
                GLAMI, r".*\.zip"),
    Publication("glami-weights", "Weights of GLAMI-1M's baselines", "7353512", "", 1, "CC BY 4.0", GLAMI),
)  # fmt: skip
# Without an address that a program may ask; where people get them.
BY_HAND = {
    "mep3m": "MEP-3M is given out by its authors by cloud drives that need a browser: "
    "https://github.com/ChenDelong1999/MEP-3M. Download it there, then: vitrine import mep3m FOLDER --name mep3m",
}


def publication(name: str) -> Publication | None:
    """The publication of that name, or None.

    Raises:
        UsageError: it can only be downloaded by hand.
    """
    if name in BY_HAND:
        raise UsageError(BY_HAND[name])
    return next((each for each in PUBLICATIONS if each.name == name), None)


def files_of(found: Publication) -> list[Remote]:
    """The files of a record, as Zenodo's API lists them; VITRINE_ZENODO is another server of the same API.

    Raises:
        SourceError: the record does not answer, or lists no such file.
    """
    url = f"{os.environ.get('VITRINE_ZENODO', ZENODO).rstrip('/')}/api/records/{found.record}"
    try:
        answer = get(url, 60, RECORD_BYTES, {"Accept": "application/json"})
    except OutgoingError as error:
        raise SourceError(f"{error} Check the network.") from error
    if answer.status != 200 or answer.more:
        raise SourceError(f"{url} answers {answer.status} {answer.reason}, not the record of {found.title}.")
    try:
        listed = [_remote(entry) for entry in json.loads(answer.body)["files"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SourceError(f"{url} does not list its files as Zenodo does.") from error
    wanted = [remote for remote in listed if re.fullmatch(found.only or ".*", remote.name)]
    if not wanted:
        raise SourceError(f"{url} lists no file of {found.title}.")
    return sorted(wanted, key=lambda remote: remote.name)


def _remote(entry: dict[str, object]) -> Remote:
    links, checksum = entry["links"], str(entry.get("checksum") or "")
    assert isinstance(links, dict)
    url = str(links.get("content") or links["self"])
    size = entry["size"]
    if not isinstance(size, int):
        raise TypeError("size")
    return Remote(url, file_name(str(entry["key"])), size, checksum.removeprefix("md5:"))


def file_name(text: str) -> str:
    """The last part of a path or address as a file's name here.

    >>> file_name("https://host/a/data%20set.zip?download=1"), file_name("../../etc/passwd")
    ('data set.zip', 'passwd')

    Raises:
        UsageError: there is none.
    """
    path = urlsplit(text).path if "://" in text else text
    name = PurePosixPath(unquote(path)).name.replace("\0", "")
    if not name or name.startswith(".") or len(name.encode()) > 200:
        raise UsageError(f"{text[:200]} does not end in the name of a file.")
    return name


def layout_of(name: str) -> str:
    """The layout that a file of that name is imported by; empty where its name does not say.

    >>> layout_of("GLAMI-1M-dataset.zip"), layout_of("shop.csv.gz"), layout_of("train-000.tar"), layout_of("a.pdf")
    ('glami', 'table', 'webdataset', '')
    """
    bare = re.sub(r"\.(gz|bz2|zst)$", "", name.lower())
    if bare.startswith("meta_") and bare.endswith((".json", ".jsonl")):
        return "amazon"
    for endings, layout in (((".zip",), "glami"), ((".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet"), "table"),
                            ((".tar",), "webdataset"), ((".h5", ".hdf5"), "fashiongen")):  # fmt: skip
        if bare.endswith(endings):
            return layout
    return ""
