"""Saved views: stored whole, bounded, shared as a file that is checked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from core.catalog import views
from core.commands.app import app
from core.errors import StorageError, UsageError
from core.settings import PROJECT

QUERY = {"dataset": ["shop"], "geo": ["cz", "sk"], "text": ["červené <b>"]}
# Each adds its own views to the same list.
SAVER = """
import sys
from core.catalog import views
for number in range(15):
    views.save(views.view(f"{sys.argv[1]} {number}", "browse", {"dataset": ["shop"]}))
"""


def test_a_view_is_saved_found_shared_received_and_deleted(home: Path) -> None:
    assert views.views() == []
    views.save(views.view(" Red ", "browse", QUERY))
    views.save(views.view("Train", "train", {}))
    newest, red = views.views()
    assert (newest.address, red.name, red.dataset) == ("/train", "Red", "shop")
    assert red.address == "/browse?dataset=shop&geo=cz&geo=sk&text=%C4%8Derven%C3%A9+%3Cb%3E"
    assert red.trouble() == "shop is not here, or damaged"
    with pytest.raises(UsageError, match="There is a view named 'Red' already"):
        views.save(views.view("Red", "map", QUERY))
    file = views.shared([red])
    assert views.receive(file) == []  # it is there
    views.remove("Red")
    views.save(views.view("Red", "map", QUERY))
    assert [made.name for made in views.receive(file)] == ["Red (2)"]
    with pytest.raises(UsageError, match="no view named 'Blue'"):
        views.remove("Blue")
    assert {path.name for path in home.iterdir()} == {views.FILE, f"{views.FILE}.lock"}


def test_several_processes_lose_none_and_the_list_is_bounded(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    savers = [subprocess.Popen([sys.executable, "-c", SAVER, name], cwd=PROJECT) for name in ("a", "b", "c")]
    assert [saver.wait(60) for saver in savers] == [0, 0, 0]
    assert len(views.views()) == 45
    monkeypatch.setattr(views, "MOST", 45)
    with pytest.raises(UsageError, match="There are 45 saved views"):
        views.save(views.view("one more", "browse", {}))
    assert len(views.views()) == 45


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "name": "n",
        "page": "browse",
        "query": {"dataset": ["shop"]},
        "saved": "",
        "fingerprint": "",
    } | changes


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"{}", "does not say"),
        (json.dumps({"vitrine": "views", "version": 9, "views": []}).encode(), "version 9"),
        (b"x" * (views.FILE_BYTES + 1), "larger than 4 MB"),
        *(
            (json.dumps({"vitrine": "views", "version": 1, "views": some}).encode(), why)
            for some, why in (
                ([entry()] * 201, "holds 201 views"),
                ([7], "view 1 is not a name"),
                ([entry(), entry(query={"geo": "cz"})], "view 2 is not a name"),
                ([entry(query=None)], "view 1 is not a name"),
                ([entry(name="a\nb")], "name has 1 to 80"),
                ([entry(name="x" * 81)], "name has 1 to 80"),
                ([entry(page="//example.org")], "not the address of a page"),
                ([entry(page="../home")], "not the address of a page"),
                ([entry(page="")], "not the address of a page"),
                ([entry(query={"a b": ["c"]})], "parameter that no address"),
                ([entry(query={"text": ["\ud800"]})], "parameter that no address"),
                ([entry(query={"text": ["x" * 9_000]})], "too large"),
                ([entry(query={f"k{number}": ["v"] for number in range(61)})], "too large"),
                ([entry(query={"dataset": ["shop"], "picture": ["maybe"]})], "expected yes or no"),
            )
        ),
    ],
)
def test_a_bad_file_is_one_clear_error_and_changes_nothing(home: Path, data: bytes, why: str) -> None:
    views.save(views.view("there", "browse", {}))
    with pytest.raises(UsageError, match=why):
        views.receive(data)
    assert [made.name for made in views.views()] == ["there"]


def test_a_damaged_list_is_said_and_never_overwritten(home: Path) -> None:
    home.mkdir()
    (home / views.FILE).write_text("{cut")
    for act in (views.views, lambda: views.save(views.view("n", "browse", {}))):
        with pytest.raises(StorageError, match="cannot be read: it is not JSON"):
            act()
    assert (home / views.FILE).read_text() == "{cut"


def test_the_command_lists_exports_and_imports(home: Path, tmp_path: Path) -> None:
    views.save(views.view("Red", "browse", QUERY))
    file = tmp_path / "views.json"

    def command(*arguments: str) -> str:
        return CliRunner().invoke(app, ["views", *arguments], catch_exceptions=False).stdout

    said = json.loads(command("--export", str(file), "--json"))
    assert said[0]["address"].startswith("/browse?dataset=shop") and said[0]["trouble"]
    assert "No saved views yet" in command("--remove", "Red")
    assert "Red" in command("--import", str(file))
    with pytest.raises(UsageError, match="Cannot read"):
        command("--import", str(tmp_path))
