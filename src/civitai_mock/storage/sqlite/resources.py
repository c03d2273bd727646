"""Resources in SQLite."""

import sqlite3
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

import orjson

from civitai_mock.domain.air import Air, CompressedAir, Reference
from civitai_mock.domain.errors import ConflictError
from civitai_mock.domain.namespaces import DEFAULT, SHARED_EPOCH, Epoch
from civitai_mock.domain.resource import Resource, find_named, find_same
from civitai_mock.ports import ResourcePage
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.encoding import Value, air_parts, to_json
from civitai_mock.storage.sqlite.resource_statements import LayeredStatements, ResourceStatements
from civitai_mock.storage.sqlite.schema import TableNames, filled

MAX_INTEGER = 2**63 - 1
CACHED_RESOURCES = 512
MOST_KEPT = 2048
LARGEST_CACHED = 4096  # characters; a longer body would take too much memory
KeptResources: TypeAlias = dict[tuple[int, str], Resource]  # by epochs and the keys of AIRs, until one is changed


class SqliteResourceStore:
    """Implements `ResourceStore`, one row for each resource; what the default namespace writes, all share.

    Another namespace has rows of its own over the shared ones. `kept` is for a database of this process alone.
    """

    def __init__(
        self, *, database: Database, names: TableNames, epoch: Epoch, kept: KeptResources | None = None
    ) -> None:
        self._database = database
        self._epoch = epoch
        self._shared = filled(ResourceStatements, names)
        self._layered = None if epoch.namespace == DEFAULT else filled(LayeredStatements, names)
        self._sql = self._layered or self._shared
        self._kept = kept

    @property
    def _layer(self) -> int:
        """Return the epoch of the rows that are written here."""
        number = self._epoch.number
        return SHARED_EPOCH if self._layered is None else number

    async def add(self, resource: Resource) -> None:
        if not await self.add_missing([resource]):
            raise ConflictError(f"The resource '{resource.air}' exists already.")

    async def add_missing(self, resources: Sequence[Resource]) -> int:
        layer = self._layer

        def add_all(db: sqlite3.Connection) -> int:
            self._forget()
            if self._layered is None:
                rows = [(layer, *_new_row(resource)) for resource in resources]
                return db.executemany(self._shared.insert_missing, rows).rowcount
            return sum([self._add_own(resource, layer, self._layered, db) for resource in resources])

        return await self._database.write(add_all, epoch=self._epoch)

    def _add_own(self, resource: Resource, layer: int, sql: LayeredStatements, db: sqlite3.Connection) -> bool:
        if db.execute(sql.find_identity, (layer, resource.air.identity)).fetchall():
            return False
        _put_own(resource, layer, sql, db)
        return True

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
        layer, kept = self._layer, self._kept or {}
        known = {key: kept[layer, key] for key in texts if (layer, key) in kept}
        if unknown := [key for key in texts if key not in known]:
            known |= self._read(unknown)
        return {text: known[key] for key, text in texts.items() if key in known}

    def _read(self, keys: Sequence[str]) -> Mapping[str, Resource]:
        """Read resources by the keys of their AIRs, and keep them where no other process can change them."""
        found: dict[str, Resource] = {}
        layer = self._layer
        for (body,) in self._database.read(self._sql.find_spelled, (layer, to_json(keys))):
            resource = resource_from(body)
            found[resource.air.key] = resource
            if self._kept is not None and len(body) <= LARGEST_CACHED:
                if len(self._kept) >= MOST_KEPT:
                    self._kept.clear()
                self._kept[layer, resource.air.key] = resource
        return found

    def _forget(self) -> None:
        """Forget what was kept, within the write that changes it: nobody can ask before it is committed."""
        if self._kept is not None:
            self._kept.clear()

    def _find(self, reference: Reference) -> Resource | None:
        rows = self._database.read(*self._question(reference, self._layer))
        return find_named(reference, [resource_from(body) for (body,) in rows])

    async def replace(self, resource: Resource) -> bool:
        layer = self._layer

        def replaced(db: sqlite3.Connection) -> bool:
            former = self._itself(resource.air, layer, db)
            if former is None:
                return False
            self._forget()
            if self._layered is None:
                db.execute(self._shared.replace, (*resource_row(resource), layer, former.air.key))
            else:
                _remove_own(former.air, layer, self._layered, db)
                _put_own(resource, layer, self._layered, db)
            return True

        return await self._database.write(replaced, epoch=self._epoch)

    async def delete(self, air: Air) -> bool:
        layer = self._layer

        def deleted(db: sqlite3.Connection) -> bool:
            former = self._itself(air, layer, db)
            if former is None:
                return False
            self._forget()
            if self._layered is None:
                db.execute(self._shared.delete, (layer, former.air.key))
            else:
                _remove_own(former.air, layer, self._layered, db)
            return True

        return await self._database.write(deleted, epoch=self._epoch)

    async def search(self, query: str, *, offset: int, limit: int) -> ResourcePage:
        text = query.casefold()
        ((total,),) = await self._database.scan(self._sql.count, (self._layer, text))
        rows = await self._database.scan(self._sql.search, (self._layer, text, limit, min(offset, MAX_INTEGER)))
        return ResourcePage(total=total, items=[resource_from(body) for (body,) in rows])

    def _itself(self, air: Air, layer: int, db: sqlite3.Connection) -> Resource | None:
        rows = db.execute(*self._question(air, layer)).fetchall()
        return find_same(air, [resource_from(body) for (body,) in rows])

    def _question(self, reference: Reference, layer: int) -> tuple[str, tuple[Value, ...]]:
        """Return a statement with its parameters that selects the resource, maybe among others."""
        source = reference.source.lower()
        if isinstance(reference, CompressedAir):
            return self._sql.find_version, (layer, source, (reference.version_id or reference.version).lower())
        if reference.version_id is not None:
            return self._sql.find_version, (layer, source, reference.version_id)
        return self._sql.find_model, (layer, source, reference.id.lower(), reference.model_id.lower())


def _put_own(resource: Resource, layer: int, sql: LayeredStatements, db: sqlite3.Connection) -> None:
    db.execute(sql.delete, (layer, resource.air.identity))
    db.execute(sql.insert, (layer, *resource_row(resource)))


def _remove_own(air: Air, layer: int, sql: LayeredStatements, db: sqlite3.Connection) -> None:
    """Remove the row of a namespace, and leave one that hides the shared resource, if there is one."""
    db.execute(sql.delete, (layer, air.identity))
    db.execute(sql.hide, (layer, air.identity))


def _new_row(resource: Resource) -> tuple[Value, ...]:
    source, *columns = resource_row(resource)
    return (source, resource.air.version_id, *columns)


def resource_row(resource: Resource) -> tuple[Value, ...]:
    """Return the columns of a resource; those to be matched are in lower case, as `Air.key` is."""
    air = resource.air
    body = to_json({"air": air_parts(air), "fields": dict(resource.fields)})
    version = air.version.lower() if air.version else None
    return (air.source.lower(), air.key, version, air.id.lower(), air.identity, resource.search_text, body)


def resource_from(text: str) -> Resource:
    """Return a resource by its body, which is read anew from the database each time, so that none can be outdated."""
    return _parse(text) if len(text) > LARGEST_CACHED else _parse_once(text)


def _parse(text: str) -> Resource:
    body = orjson.loads(text)
    return Resource(air=Air(**body["air"]), fields=body["fields"])


# The same value for the same body keeps what follows from it, too, such as its hashes.
_parse_once = lru_cache(CACHED_RESOURCES)(_parse)
