"""Statements about resources: those that all namespaces share, and those of one namespace over the shared ones."""

from civitai_mock.storage.sqlite.schema import TableNames

# Matches rows of epoch {epoch}, of source ?2 and version id ?3. The column has what stands behind `@`, in lower case:
# hints may follow the id, and begin with one of %+,./:= (see `Air.version_id`).
OF_VERSION = """
    (epoch = {epoch} AND source = ?2 AND version = ?3)
    OR (epoch = {epoch} AND source = ?2 AND version >= ?3 || '%' AND version < ?3 || '-')
    OR (epoch = {epoch} AND source = ?2 AND version >= ?3 || '.' AND version < ?3 || '0')
    OR (epoch = {epoch} AND source = ?2 AND version >= ?3 || ':' AND version < ?3 || 'a')
"""
SPELLED = "epoch = {epoch} AND key IN (SELECT value FROM json_each(?2))"
OF_MODEL = "epoch = {epoch} AND source = ?2 AND id IN (?3, ?4)"
OF_IDENTITY = "epoch = {epoch} AND identity = ?2"
# Without a version id (NULL), only a row with the same key is in the way.
INSERT_MISSING = """
    INSERT INTO "{resources}" (epoch, source, key, version, id, identity, search, body)
    SELECT ?1, ?2, ?4, ?5, ?6, ?7, ?8, ?9 WHERE NOT EXISTS (SELECT 1 FROM "{resources}" WHERE {of_version})
    ON CONFLICT (epoch, key) DO NOTHING
"""
REPLACE = """
    UPDATE "{resources}" SET source = ?, key = ?, version = ?, id = ?, identity = ?, search = ?, body = ?
    WHERE epoch = ? AND key = ?
"""
DELETE = """DELETE FROM "{resources}" WHERE epoch = ? AND key = ?"""
COUNT = """SELECT count(*) FROM "{resources}" WHERE epoch = ? AND instr(search, ?) > 0"""
SEARCH = """
    SELECT body FROM "{resources}" WHERE epoch = ? AND instr(search, ?) > 0 ORDER BY key LIMIT ? OFFSET ?
"""
# A row of a namespace hides the shared ones with its identity; one without a body says that there is none.
INSERT_OWN = """
    INSERT INTO "{resources}" (epoch, source, key, version, id, identity, search, body)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
DELETE_OWN = """DELETE FROM "{resources}" WHERE epoch = ? AND identity = ?"""
HIDE = """
    INSERT INTO "{resources}" (epoch, source, key, version, id, identity, search, body)
    SELECT ?1, source, key, version, id, identity, '', '' FROM "{resources}" WHERE epoch = 0 AND identity = ?2 LIMIT 1
"""
IS_NOT_HIDDEN = """
    NOT EXISTS (SELECT 1 FROM "{resources}" AS own WHERE own.epoch = ?1 AND own.identity = shared.identity)
"""
LAYERED = """
    SELECT body FROM "{resources}" WHERE ({of_own}) AND body <> ''
    UNION ALL SELECT body FROM "{resources}" AS shared WHERE ({of_shared}) AND {is_not_hidden}
"""
VISIBLE = """
    FROM "{resources}" AS shared WHERE instr(search, ?2) > 0
    AND ((epoch = ?1 AND body <> '') OR (epoch = 0 AND {is_not_hidden}))
"""
FIND = 'SELECT body FROM "{resources}" WHERE {condition}'


class ResourceStatements:
    """Statements about shared resources, which take `SHARED_EPOCH` first; every SELECT but `count` returns bodies."""

    def __init__(self, names: TableNames) -> None:
        self.insert_missing = names.fill(INSERT_MISSING.replace("{of_version}", _at(OF_VERSION, "?1")))
        self.find_spelled = _shared(SPELLED, names)
        self.find_version = _shared(OF_VERSION, names)
        self.find_model = _shared(OF_MODEL, names)
        self.replace = names.fill(REPLACE)
        self.delete = names.fill(DELETE)
        self.count = names.fill(COUNT)
        self.search = names.fill(SEARCH)


class LayeredStatements:
    """Statements about what a namespace sees, which take its epoch first; every SELECT but `count` returns bodies."""

    def __init__(self, names: TableNames) -> None:
        self.find_spelled = _layered(SPELLED, names)
        self.find_version = _layered(OF_VERSION, names)
        self.find_model = _layered(OF_MODEL, names)
        self.find_identity = _layered(OF_IDENTITY, names)
        self.insert = names.fill(INSERT_OWN)
        self.delete = names.fill(DELETE_OWN)
        self.hide = names.fill(HIDE)
        visible = VISIBLE.replace("{is_not_hidden}", IS_NOT_HIDDEN)
        self.count = names.fill(f"SELECT count(*) {visible}")
        self.search = names.fill(f"SELECT body {visible} ORDER BY key LIMIT ?3 OFFSET ?4")


def _shared(condition: str, names: TableNames) -> str:
    return names.fill(FIND.replace("{condition}", _at(condition, "?1")))


def _layered(condition: str, names: TableNames) -> str:
    own, shared = _at(condition, "?1"), _at(condition, "0")
    layered = LAYERED.replace("{of_own}", own).replace("{of_shared}", shared)
    return names.fill(layered.replace("{is_not_hidden}", IS_NOT_HIDDEN))


def _at(condition: str, epoch: str) -> str:
    return condition.replace("{epoch}", epoch)
