"""The version of what is stored, so that a program never works on what a later one has written."""

from contextlib import suppress

from pymongo.errors import DuplicateKeyError

from civitai_mock.storage.mongo.collections import Collection

VERSION = 3  # that of the same members in SQLite; databases before 3 do not tell theirs
ID = "schema"


class NewerSchemaError(Exception):
    """The database was written to by a later version of this program."""


async def refuse_newer(settings: Collection) -> None:
    """Raise `NewerSchemaError`; nothing is touched."""
    stored = await settings.find_one({"_id": ID})
    if stored is not None and stored["version"] > VERSION:
        raise NewerSchemaError(f"its schema has version {stored['version']}, this program knows {VERSION}")


async def note_version(settings: Collection) -> None:
    """Note the version of a database that was upgraded."""
    with suppress(DuplicateKeyError):  # another process noted it in the same instant
        await settings.update_one({"_id": ID}, {"$max": {"version": VERSION}}, upsert=True)
