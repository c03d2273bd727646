"""The statements about resources."""

from civitai_mock.storage.sqlite.names import TableNames

INSERT_MISSING = """
    INSERT INTO "{resources}" (key, source, version, id, search, body) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (key) DO NOTHING
"""
GET = """SELECT body FROM "{resources}" WHERE key = ?"""
FIND_VERSION = """SELECT body FROM "{resources}" WHERE source = ? AND version = ? ORDER BY key LIMIT 1"""
FIND_VERSION_AND_ID = """
    SELECT body FROM "{resources}" WHERE source = ? AND version IS ? AND id = ? ORDER BY key LIMIT 1
"""
REPLACE = """UPDATE "{resources}" SET source = ?, version = ?, id = ?, search = ?, body = ? WHERE key = ?"""
DELETE = """DELETE FROM "{resources}" WHERE key = ?"""
COUNT = """SELECT count(*) FROM "{resources}" WHERE instr(search, ?) > 0"""
SEARCH = """SELECT body FROM "{resources}" WHERE instr(search, ?) > 0 ORDER BY key LIMIT ? OFFSET ?"""


class ResourceStatements:
    """With the name of the table put in; every SELECT but `count` gives what `rows.resource_from` reads."""

    def __init__(self, names: TableNames) -> None:
        self.insert_missing = names.fill(INSERT_MISSING)
        self.get = names.fill(GET)
        self.find_version = names.fill(FIND_VERSION)
        self.find_version_and_id = names.fill(FIND_VERSION_AND_ID)
        self.replace = names.fill(REPLACE)
        self.delete = names.fill(DELETE)
        self.count = names.fill(COUNT)
        self.search = names.fill(SEARCH)
