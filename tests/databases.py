"""Both databases for real: SQLite in a temporary folder, and a PostgreSQL that the tests start and stop themselves."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.answers.database import Database


class Postgres:
    """A PostgreSQL of our own in a temporary folder, reached by a socket there; no port is opened."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data, self.sockets = folder, folder / "data", folder / "sockets"
        self.user = None
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            self.user = next(name for name in ("postgres", "nobody") if _there(name))
            shutil.chown(folder, self.user)
        self._run("mkdir", str(self.sockets))
        self._run(
            _program("initdb"),
            "-D",
            str(self.data),
            "-U",
            "vitrine",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-locale",
        )
        self.start()

    def start(self) -> None:
        options = f"-k {self.sockets} -c listen_addresses='' -c max_connections=120"
        self._run(
            _program("pg_ctl"),
            "-D",
            str(self.data),
            "-w",
            "-l",
            str(self.folder / "log"),
            "-o",
            options,
            "start",
        )

    def stop(self, how: str = "fast") -> None:
        self._run(_program("pg_ctl"), "-D", str(self.data), "-w", "-m", how, "stop")

    def url(self, name: str = "postgres") -> str:
        return f"postgresql://vitrine@/{name}?host={self.sockets}"

    def _run(self, *command: str) -> None:
        done = subprocess.run(
            command, user=self.user, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "HOME": str(self.folder)},
        )  # fmt: skip
        assert done.returncode == 0, f"{command[0]}: {done.stderr}"


def _there(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _program(name: str) -> str:
    """The path of a PostgreSQL program: Debian keeps them beside the PATH. Empty where there is none."""
    found = shutil.which(name)
    if found:
        return found
    beside = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(beside[-1]) if beside else ""


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL; the test is skipped where it is not installed, unless REQUIRE_POSTGRES=1."""
    if not (_program("initdb") and _program("pg_ctl")):
        line = "PostgreSQL is not installed, so that the tests with it are skipped. Debian: sudo apt-get install postgresql"
        (pytest.fail if os.environ.get("REQUIRE_POSTGRES") == "1" else pytest.skip)(line)
    folder = Path(tempfile.mkdtemp(prefix="vitrine-pg-"))  # short: a socket's path is bounded at 107 bytes
    server = Postgres(folder)
    try:
        yield server
    finally:
        server.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def answers_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of answers of each kind."""
    if request.param == "sqlite":
        made = Database(f"sqlite:///{tmp_path / 'answers.sqlite'}")
    else:
        server = request.getfixturevalue("postgres")
        name = f"t{abs(hash(request.node.nodeid)) % 10**12}"
        with Database(server.url()).engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(
                f"CREATE DATABASE {name}"
            )
        made = Database(server.url(name))
    yield made
    made.engine.dispose()
