"""The statements about resources."""

from civitai_mock.storage.sqlite.tables import TableNames

# Rows of source ?1 and of version id ?2. The column has what stands behind `@`, in lower case: hints may follow the id,
# beginning with one of %+,./:= (see `Air.version_id`).
OF_VERSION = """
    (source = ?1 AND version = ?2)
    OR (source = ?1 AND version >= ?2 || '%' AND version < ?2 || '-')
    OR (source = ?1 AND version >= ?2 || '.' AND version < ?2 || '0')
    OR (source = ?1 AND version >= ?2 || ':' AND version < ?2 || 'a')
"""
# Without a version id (NULL) only the key may be there already.
INSERT_MISSING = """
    INSERT INTO "{resources}" (source, key, version, id, search, body) SELECT ?1, ?3, ?4, ?5, ?6, ?7
    WHERE NOT EXISTS (SELECT 1 FROM "{resources}" WHERE {of_version})
    ON CONFLICT (key) DO NOTHING
"""
FIND_VERSION = """SELECT body FROM "{resources}" WHERE {of_version}"""
FIND_MODEL = """SELECT body FROM "{resources}" WHERE source = ? AND id IN (?, ?)"""
REPLACE = """
    UPDATE "{resources}" SET source = ?, key = ?, version = ?, id = ?, search = ?, body = ? WHERE key = ?
"""
DELETE = """DELETE FROM "{resources}" WHERE key = ?"""
COUNT = """SELECT count(*) FROM "{resources}" WHERE instr(search, ?) > 0"""
SEARCH = """SELECT body FROM "{resources}" WHERE instr(search, ?) > 0 ORDER BY key LIMIT ? OFFSET ?"""


class ResourceStatements:
    """With the name of the table put in; every SELECT but `count` gives what `rows.resource_from` reads."""

    def __init__(self, names: TableNames) -> None:
        self.insert_missing = names.fill(INSERT_MISSING.replace("{of_version}", OF_VERSION))
        self.find_version = names.fill(FIND_VERSION.replace("{of_version}", OF_VERSION))
        self.find_model = names.fill(FIND_MODEL)
        self.replace = names.fill(REPLACE)
        self.delete = names.fill(DELETE)
        self.count = names.fill(COUNT)
        self.search = names.fill(SEARCH)
