"""The embedded store, in SQLite: in a directory on a disk, or in memory."""

from civitai_mock.storage.sqlite.open import open_sqlite
from civitai_mock.storage.sqlite.schema import TableNames

__all__ = ["TableNames", "open_sqlite"]
