"""The database of answers: SQLite in VITRINE_HOME, or the PostgreSQL that VITRINE_DATABASE_URL names.

SQLite writes ahead (WAL) and flushes every commit, so that readers never wait and a killed process loses nothing that
was committed; whoever writes takes the lock at the beginning, since a lock taken later may be refused.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.errors import AnswersError, UsageError
from core.settings import settings

FILE = "answers.sqlite"  # in VITRINE_HOME
WAIT_S = 30.0  # for a lock of another writer, and for a free connection
CONNECT_S = 5  # for a PostgreSQL server to answer
CONNECTIONS, MORE = 8, 56  # held open, and opened for a rush
SCHEMA_LOCK = 0x76697472  # an advisory lock of PostgreSQL: one process makes the tables


class InTurn:
    """A lock that goes to whoever has waited longest; Python's own may let one thread wait for seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Event] = deque()

    def acquire(self, wait_s: float) -> bool:
        """Whether it is ours now, rather than the time over."""
        with self._lock:
            if not self._held:
                self._held = True
                return True
            mine = threading.Event()
            self._waiting.append(mine)
        if mine.wait(wait_s):
            return True
        with self._lock:
            if mine.is_set():  # it came at the last moment
                return True
            self._waiting.remove(mine)
            return False

    def release(self) -> None:
        """Hand it to the next."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._held = False


class Database:
    """One database of answers. Thread-safe."""

    def __init__(self, url: str = "") -> None:
        """
        Args:
            url: as SQLAlchemy writes it; empty for the settings' own.

        Raises:
            UsageError: the address is none of SQLite or PostgreSQL.
        """
        self.url = address(url or default_url())
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"pool_size": CONNECTIONS, "max_overflow": MORE, "pool_timeout": WAIT_S}
        if self.is_sqlite:
            options["connect_args"] = {"timeout": WAIT_S}
        else:
            options |= {
                "pool_pre_ping": True,  # a server that was restarted meanwhile is noticed before a question
                "connect_args": {"connect_timeout": CONNECT_S, "application_name": "vitrine"},
            }
        self.engine = sa.create_engine(self.url, **options)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _configure)
            event.listen(self.engine, "begin", _begin)
        self._writing = InTurn()
        self._lock = threading.Lock()
        self._prepared: set[int] = set()

    @property
    def place(self) -> str:
        """Where it is, without a password."""
        return str(self.url.database) if self.is_sqlite else self.url.render_as_string(hide_password=True)

    def is_there(self) -> bool:
        """Whether anything can have been stored: a file of SQLite is made by the first who stores something."""
        return not self.is_sqlite or Path(str(self.url.database)).exists()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for questions.

        Raises:
            AnswersError: the database does not answer.
        """
        with self._errors(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: all of it is stored when the block ends, or nothing.

        Raises:
            AnswersError: the database does not answer; nothing was stored, or the answer to the commit was lost, which a
                repetition with the same key sorts out.
        """
        with self._errors(), self._turn(), self.engine.connect() as connection:
            connection = connection.execution_options(vitrine_writes=True)
            with connection.begin():
                yield connection

    def prepare(self, metadata: sa.MetaData, views: dict[str, str]) -> None:
        """Make the tables and views that are missing; once a process.

        Args:
            views: name -> its SELECT.
        """
        with self._lock:
            if id(metadata) in self._prepared:
                return
            if self.is_sqlite and (folder := settings().home) and self.url.database == str(folder / FILE):
                folder.mkdir(parents=True, exist_ok=True)
            with self.write() as connection:
                if not self.is_sqlite:
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(SCHEMA_LOCK)))
                metadata.create_all(connection, checkfirst=True)
                for name, select in views.items():
                    made = "CREATE VIEW IF NOT EXISTS" if self.is_sqlite else "CREATE OR REPLACE VIEW"
                    connection.execute(sa.text(f"{made} {name} AS {select}"))
            self._prepared.add(id(metadata))

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """SQLite has one writer at a time: threads of this process take turns here, since SQLite itself would let them sleep
        and try again, ever longer. Other processes wait by its own means."""
        if not self.is_sqlite:
            yield
            return
        if not self._writing.acquire(WAIT_S):
            raise AnswersError(self.place, f"others have been writing for {WAIT_S:.0f} s")
        try:
            yield
        finally:
            self._writing.release()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, PoolTimeout, OSError) as error:
            if isinstance(error, (sa.exc.IntegrityError, sa.exc.ProgrammingError, sa.exc.DataError)):
                raise  # our own mistake, not the database's absence
            why = str(getattr(error, "orig", None) or error).strip().splitlines()
            raise AnswersError(self.place, why[0][:200] if why else type(error).__name__) from error


def default_url() -> str:
    """The settings' address."""
    return settings().database_url or f"sqlite:///{settings().home / FILE}"


def address(url: str) -> URL:
    """The address with the driver that is installed.

    Raises:
        UsageError: it is no address, or of another database. The text never repeats it, since it may hold a password.
    """
    try:
        found = make_url(url)
        backend = found.get_backend_name()
    except (ArgumentError, ValueError, AttributeError) as error:
        raise UsageError(
            "VITRINE_DATABASE_URL is no address, for example postgresql://me@host/name."
        ) from error
    if backend in ("postgresql", "postgres"):
        return found.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and found.database:
        return found.set(drivername="sqlite")
    raise UsageError(
        f"VITRINE_DATABASE_URL begins with {backend}://; expected postgresql:// or sqlite:// and a file."
    )


@lru_cache(maxsize=16)
def _opened(url: str) -> Database:
    return Database(url)


def database(url: str = "") -> Database:
    """The database of this process, opened once for each address."""
    return _opened(url or default_url())


def _configure(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("vitrine_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
