"""The committed script of the map is what its source builds."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

MAP = Path(__file__).resolve().parents[2] / "assets" / "map"
OFFLINE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENOTCACHED", "ENETUNREACH")


def missing(why: str) -> None:
    if os.environ.get("REQUIRE_NODE") == "1":
        pytest.fail(f"REQUIRE_NODE=1, but {why}")
    pytest.skip(why)


def test_the_script_is_what_its_source_builds(tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        missing("there is no npm to build the map with: apt-get install nodejs npm")
    copy = tmp_path / "map"
    shutil.copytree(MAP, copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
    for command in (["npm", "ci"], ["npm", "run", "build"]):
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=300)
        if done.returncode and command == ["npm", "ci"] and any(code in done.stderr for code in OFFLINE):
            missing("npm cannot reach its packages")
        assert done.returncode == 0, done.stderr
    built = (copy / "dist" / "map_view.js").read_bytes()
    assert built == (MAP / "dist" / "map_view.js").read_bytes(), (
        "assets/map/dist is not what assets/map/src builds: cd assets/map && npm ci && npm run build"
    )
