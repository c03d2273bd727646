"""Resources in SQLite."""

import sqlite3
from collections.abc import Mapping, Sequence
from functools import lru_cache

import orjson

from civitai_mock.domain.air import Air, CompressedAir, Reference
from civitai_mock.domain.errors import ConflictError
from civitai_mock.domain.resource import Resource, find_named, find_same
from civitai_mock.ports import ResourcePage
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.encoding import Value, air_parts, to_json
from civitai_mock.storage.sqlite.schema import TableNames

# Matches rows of source ?1 and of version id ?2. The column has what stands behind `@`, in lower case: hints may follow
# the id, and begin with one of %+,./:= (see `Air.version_id`).
OF_VERSION = """
    (source = ?1 AND version = ?2)
    OR (source = ?1 AND version >= ?2 || '%' AND version < ?2 || '-')
    OR (source = ?1 AND version >= ?2 || '.' AND version < ?2 || '0')
    OR (source = ?1 AND version >= ?2 || ':' AND version < ?2 || 'a')
"""
# Without a version id (NULL), only a row with the same key is in the way.
INSERT_MISSING = """
    INSERT INTO "{resources}" (source, key, version, id, search, body) SELECT ?1, ?3, ?4, ?5, ?6, ?7
    WHERE NOT EXISTS (SELECT 1 FROM "{resources}" WHERE {of_version})
    ON CONFLICT (key) DO NOTHING
"""
FIND_SPELLED = """SELECT body FROM "{resources}" WHERE key IN (SELECT value FROM json_each(?))"""
FIND_VERSION = """SELECT body FROM "{resources}" WHERE {of_version}"""
FIND_MODEL = """SELECT body FROM "{resources}" WHERE source = ? AND id IN (?, ?)"""
REPLACE = """
    UPDATE "{resources}" SET source = ?, key = ?, version = ?, id = ?, search = ?, body = ? WHERE key = ?
"""
DELETE = """DELETE FROM "{resources}" WHERE key = ?"""
COUNT = """SELECT count(*) FROM "{resources}" WHERE instr(search, ?) > 0"""
SEARCH = """SELECT body FROM "{resources}" WHERE instr(search, ?) > 0 ORDER BY key LIMIT ? OFFSET ?"""

MAX_INTEGER = 2**63 - 1
CACHED_RESOURCES = 512
LARGEST_CACHED = 4096  # characters; a longer body would take too much memory


class ResourceStatements:
    """The statements with the name of the table filled in; every SELECT but `count` returns bodies."""

    def __init__(self, names: TableNames) -> None:
        self.insert_missing = names.fill(INSERT_MISSING.replace("{of_version}", OF_VERSION))
        self.find_spelled = names.fill(FIND_SPELLED)
        self.find_version = names.fill(FIND_VERSION.replace("{of_version}", OF_VERSION))
        self.find_model = names.fill(FIND_MODEL)
        self.replace = names.fill(REPLACE)
        self.delete = names.fill(DELETE)
        self.count = names.fill(COUNT)
        self.search = names.fill(SEARCH)


class SqliteResourceStore:
    """Implements `ResourceStore`, one row for each resource."""

    def __init__(self, *, database: Database, names: TableNames) -> None:
        self._database = database
        self._sql = ResourceStatements(names)
        self._kept: dict[str, Resource] = {}  # by the keys of their AIRs, until one is changed

    async def add(self, resource: Resource) -> None:
        if not await self.add_missing([resource]):
            raise ConflictError(f"The resource '{resource.air}' exists already.")

    async def add_missing(self, resources: Sequence[Resource]) -> int:
        rows = [_new_row(resource) for resource in resources]
        return await self._database.write(lambda db: db.executemany(self._sql.insert_missing, rows).rowcount)

    async def find(self, references: Sequence[Reference]) -> Mapping[str, Resource]:
        spelled = self._spelled(references)
        if len(spelled) == len(references):
            return spelled
        found = {str(reference): spelled.get(str(reference)) or self._find(reference) for reference in references}
        return {text: resource for text, resource in found.items() if resource is not None}

    def _spelled(self, references: Sequence[Reference]) -> Mapping[str, Resource]:
        """Find, with one statement or none, what is spelled as in its row, which `find_named` takes before any other.

        Most references are; to look for three networks one by one takes three times as long, and six times as long as
        to find those that are kept. A model without a version may be spelled so, too, and means its newest version
        nevertheless.
        """
        texts = {found.key: found.text for found in references if isinstance(found, Air) and not found.is_of_model}
        known = self._kept
        if unknown := [key for key in texts if key not in known]:
            known = {**known, **self._read(unknown)}
        return {text: known[key] for key, text in texts.items() if key in known}

    def _read(self, keys: Sequence[str]) -> Mapping[str, Resource]:
        """Read resources by the keys of their AIRs, and keep them where no other process can change them."""
        found: dict[str, Resource] = {}
        for (body,) in self._database.read(self._sql.find_spelled, (to_json(keys),)):
            resource = _resource_from(body)
            found[resource.air.key] = resource
            if self._database.is_private and len(body) <= LARGEST_CACHED and len(self._kept) < CACHED_RESOURCES:
                self._kept[resource.air.key] = resource
        return found

    def _find(self, reference: Reference) -> Resource | None:
        rows = self._database.read(*self._question(reference))
        return find_named(reference, [_resource_from(body) for (body,) in rows])

    async def replace(self, resource: Resource) -> bool:
        def replaced(db: sqlite3.Connection) -> bool:
            former = self._itself(resource.air, db)
            if former is not None:
                db.execute(self._sql.replace, (*_row(resource), former.air.key))
                self._kept.clear()
            return former is not None

        return await self._database.write(replaced)

    async def delete(self, air: Air) -> bool:
        def deleted(db: sqlite3.Connection) -> bool:
            former = self._itself(air, db)
            if former is not None:
                db.execute(self._sql.delete, (former.air.key,))
                self._kept.clear()
            return former is not None

        return await self._database.write(deleted)

    async def search(self, query: str, *, offset: int, limit: int) -> ResourcePage:
        text = query.casefold()
        ((total,),) = await self._database.scan(self._sql.count, (text,))
        rows = await self._database.scan(self._sql.search, (text, limit, min(offset, MAX_INTEGER)))
        return ResourcePage(total=total, items=[_resource_from(body) for (body,) in rows])

    def _itself(self, air: Air, db: sqlite3.Connection) -> Resource | None:
        rows = db.execute(*self._question(air)).fetchall()
        return find_same(air, [_resource_from(body) for (body,) in rows])

    def _question(self, reference: Reference) -> tuple[str, tuple[str, ...]]:
        """Return a statement with its parameters that selects the resource, maybe among others."""
        source = reference.source.lower()
        if isinstance(reference, CompressedAir):
            return self._sql.find_version, (source, (reference.version_id or reference.version).lower())
        if reference.version_id is not None:
            return self._sql.find_version, (source, reference.version_id)
        return self._sql.find_model, (source, reference.id.lower(), reference.model_id.lower())


def _new_row(resource: Resource) -> tuple[Value, ...]:
    source, *columns = _row(resource)
    return (source, resource.air.version_id, *columns)


def _row(resource: Resource) -> tuple[Value, ...]:
    """Return the columns of a resource; those to be matched are in lower case, as `Air.key` is."""
    air = resource.air
    body = to_json({"air": air_parts(air), "fields": dict(resource.fields)})
    version = air.version.lower() if air.version else None
    return (air.source.lower(), air.key, version, air.id.lower(), resource.search_text, body)


def _resource_from(text: str) -> Resource:
    """Return a resource by its body, which is read anew from the database each time, so that none can be outdated."""
    return _parse(text) if len(text) > LARGEST_CACHED else _parse_once(text)


def _parse(text: str) -> Resource:
    body = orjson.loads(text)
    return Resource(air=Air(**body["air"]), fields=body["fields"])


# The same value for the same body keeps what follows from it, too, such as its hashes.
_parse_once = lru_cache(CACHED_RESOURCES)(_parse)
