"""The embedded store: SQLite on a disk or in memory."""

from civitai_mock.storage.sqlite.opening import open_sqlite
from civitai_mock.storage.sqlite.tables import TableNames

__all__ = ["TableNames", "open_sqlite"]
