"""What is the same in each store and app of the suite, made once for all of them."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version

import httpx
import pytest

from civitai_mock.bootstrap import application
from civitai_mock.storage.sqlite import connections
from civitai_mock.storage.sqlite.schema import TableNames
from civitai_mock.storage.sqlite.upgrade import create_schema

IS_EMPTY = "SELECT NOT EXISTS (SELECT 1 FROM sqlite_master)"


@contextmanager
def made_once() -> Iterator[None]:
    """Spare thousands of tests, while this is open, what takes longer to make or read than most of them take."""
    with pytest.MonkeyPatch.context() as patched:
        # 20 ms for each client
        patched.setattr("httpx._transports.default.create_ssl_context", cache(httpx.create_ssl_context))
        # 2 ms for each store
        patched.setattr(connections, "create_schema", _create_schema)
        # 1 ms for each app
        patched.setattr(application, "version", cache(version))
        yield


def _create_schema(connection: sqlite3.Connection, names: TableNames) -> None:
    """Copy what `create_schema` makes in a new database; it works on all others as ever."""
    if connection.execute(IS_EMPTY).fetchone() == (1,):
        _new_database(names).backup(connection)
    else:
        create_schema(connection, names)


@cache
def _new_database(names: TableNames) -> sqlite3.Connection:
    made = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    create_schema(made, names)
    return made
