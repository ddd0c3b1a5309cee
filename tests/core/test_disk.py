"""A full disk and a read-only home, as the system makes them: mounts in a namespace of the test's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.catalog.products import Products
from tests.conftest import PROJECT

UNSHARE = shutil.which("unshare")
can_mount = bool(
    UNSHARE
    and subprocess.run(
        [UNSHARE, "-r", "-m", "sh", "-c", "mount -t tmpfs none /mnt"],
        check=False, capture_output=True,
    ).returncode == 0
)  # fmt: skip
pytestmark = pytest.mark.skipif(not can_mount, reason="this system lets nobody mount in a namespace")

VECTORS = """
import sys, numpy as np
from pathlib import Path
from core.embeddings.store import Description, Writer
from core.errors import StorageError
from core.storage import storage_errors
folder = Path(sys.argv[1]) / "v"
try:
    with storage_errors(folder):
        writer = Writer(folder, Description("v", "imported", 512, "0", 4_000), 1)
        rows = np.arange(4_000)
        writer.write(0, rows, np.ones((4_000, 512)), np.ones(4_000, bool))
except StorageError as error:
    print(error, "| left:", folder.exists())
"""
NEIGHBOURS = """
import sys, numpy as np
from pathlib import Path
from core.errors import StorageError
from core.search.neighbours import _kept
from core.storage import storage_errors
folder = Path(sys.argv[1])
try:
    with storage_errors(folder):
        for array in _kept(folder, 100_000, 15):
            array[:] = 1
            array.flush()
except StorageError as error:
    print(error, "| left:", any(folder.iterdir()))
"""
WORDS = """
import sys
from core.catalog.products import Products
from core.search.lexical import Lexical
print(len(Lexical(Products.open("shop")).search(sys.argv[1], 5).rows), "found")
"""


def mounted(how: str, program: list[str], home: Path) -> subprocess.CompletedProcess[str]:
    script = f'{how} && exec "$@"'
    command = [str(UNSHARE), "-r", "-m", "sh", "-c", script, "sh", sys.executable, *program]
    environment = os.environ | {"VITRINE_HOME": str(home), "OMP_NUM_THREADS": "1", "PLACE": str(home)}
    return subprocess.run(
        command, cwd=PROJECT, env=environment, check=False, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("program", [VECTORS, NEIGHBOURS], ids=["embed", "map"])
def test_a_full_disk_is_one_clear_line(tmp_path: Path, program: str) -> None:
    done = mounted('mount -t tmpfs -o size=2m none "$PLACE"', ["-c", program, str(tmp_path)], tmp_path)
    assert done.returncode == 0, (done.returncode, done.stderr)  # -7 or 135: SIGBUS
    assert "is full" in done.stdout and "left: False" in done.stdout


READ_ONLY = 'mount --bind "$PLACE" "$PLACE" && mount -o remount,bind,ro "$PLACE"'


def test_words_are_found_in_a_read_only_home(products: Products, home: Path) -> None:
    word = str(products.by_row([0])[0]["name"]).split()[0]
    done = mounted(READ_ONLY, ["-c", WORDS, word], home)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) > 0
    assert not (products.info.folder / "words.sqlite").exists()


def test_duplicates_in_a_read_only_home_end_in_one_line(products: Products, home: Path) -> None:
    done = mounted(READ_ONLY, ["-m", "core", "duplicates", "shop", "--by", "text"], home)
    assert done.returncode == 1
    assert done.stderr.startswith("error: Cannot write to") and len(done.stderr.splitlines()) == 1
