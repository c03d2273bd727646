"""Resources in SQLite."""

import sqlite3
from collections.abc import Mapping, Sequence

from civitai_mock.domain.air import Air, CompressedAir, Reference
from civitai_mock.domain.errors import ConflictError
from civitai_mock.domain.resource import Resource, itself, named
from civitai_mock.ports import ResourcePage
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.resources_sql import ResourceStatements
from civitai_mock.storage.sqlite.rows import Value, resource_from, resource_row

MAX_INTEGER = 2**63 - 1


class SqliteResources:
    def __init__(self, *, database: Database, statements: ResourceStatements) -> None:
        self._database = database
        self._sql = statements

    async def add(self, resource: Resource) -> None:
        if not await self.add_missing([resource]):
            raise ConflictError(f"The resource '{resource.air}' exists already.")

    async def add_missing(self, resources: Sequence[Resource]) -> int:
        rows = [_new_row(resource) for resource in resources]
        return await self._database.write(lambda db: db.executemany(self._sql.insert_missing, rows).rowcount)

    async def find(self, references: Sequence[Reference]) -> Mapping[str, Resource]:
        found = {str(reference): self._find(reference) for reference in references}
        return {text: resource for text, resource in found.items() if resource is not None}

    def _find(self, reference: Reference) -> Resource | None:
        rows = self._database.read(*self._question(reference))
        return named(reference, [resource_from(body) for (body,) in rows])

    async def replace(self, resource: Resource) -> bool:
        def replaced(db: sqlite3.Connection) -> bool:
            former = self._itself(resource.air, db)
            if former is not None:
                db.execute(self._sql.replace, (*resource_row(resource), former.air.key))
            return former is not None

        return await self._database.write(replaced)

    async def delete(self, air: Air) -> bool:
        def deleted(db: sqlite3.Connection) -> bool:
            former = self._itself(air, db)
            if former is not None:
                db.execute(self._sql.delete, (former.air.key,))
            return former is not None

        return await self._database.write(deleted)

    async def search(self, query: str, *, offset: int, limit: int) -> ResourcePage:
        text = query.casefold()
        ((total,),) = await self._database.scan(self._sql.count, (text,))
        rows = await self._database.scan(self._sql.search, (text, limit, min(offset, MAX_INTEGER)))
        return ResourcePage(total=total, items=[resource_from(body) for (body,) in rows])

    def _itself(self, air: Air, db: sqlite3.Connection) -> Resource | None:
        rows = db.execute(*self._question(air)).fetchall()
        return itself(air, [resource_from(body) for (body,) in rows])

    def _question(self, reference: Reference) -> tuple[str, tuple[str, ...]]:
        """The statement, and its parameters, whose answer has the resource, maybe among others."""
        source = reference.source.lower()
        if isinstance(reference, CompressedAir):
            return self._sql.find_version, (source, (reference.version_id or reference.version).lower())
        if reference.version_id is not None:
            return self._sql.find_version, (source, reference.version_id)
        return self._sql.find_model, (source, reference.id.lower(), reference.model_id.lower())


def _new_row(resource: Resource) -> tuple[Value, ...]:
    source, *columns = resource_row(resource)
    return (source, resource.air.version_id, *columns)
