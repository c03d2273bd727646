"""The embedded store: SQLite on a disk or in memory."""

from civitai_mock.storage.sqlite.names import TableNames
from civitai_mock.storage.sqlite.opening import open_sqlite

__all__ = ["TableNames", "open_sqlite"]
