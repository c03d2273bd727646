"""Resources in SQLite."""

from collections.abc import Mapping, Sequence

from civitai_mock.domain.air import Air, CompressedAir
from civitai_mock.domain.errors import ConflictError
from civitai_mock.domain.resource import Resource
from civitai_mock.ports import ResourcePage
from civitai_mock.storage.sqlite.database import Database
from civitai_mock.storage.sqlite.resources_sql import ResourceStatements
from civitai_mock.storage.sqlite.rows import Row, resource_from, resource_row

MAX_INTEGER = 2**63 - 1


class SqliteResources:
    def __init__(self, *, database: Database, statements: ResourceStatements) -> None:
        self._database = database
        self._sql = statements

    async def add(self, resource: Resource) -> None:
        if not await self.add_missing([resource]):
            raise ConflictError(f"The resource '{resource.air}' exists already.")

    async def add_missing(self, resources: Sequence[Resource]) -> int:
        rows = [resource_row(resource) for resource in resources]
        return await self._database.write(lambda db: db.executemany(self._sql.insert_missing, rows).rowcount)

    async def get(self, air: Air) -> Resource | None:
        return _first(self._database.read(self._sql.get, (air.key,)))

    async def find(self, references: Sequence[Air | CompressedAir]) -> Mapping[str, Resource]:
        found = {str(reference): self._find(reference) for reference in references}
        return {text: resource for text, resource in found.items() if resource is not None}

    def _find(self, reference: Air | CompressedAir) -> Resource | None:
        if isinstance(reference, CompressedAir):
            version = (reference.source.lower(), reference.version.lower())
            return _first(self._database.read(self._sql.find_version, version))
        if reference.ecosystem and reference.type:
            return _first(self._database.read(self._sql.get, (reference.key,)))
        named = (reference.source.lower(), reference.version and reference.version.lower(), reference.id.lower())
        return _first(self._database.read(self._sql.find_version_and_id, named))

    async def replace(self, resource: Resource) -> bool:
        key, *changes = resource_row(resource)
        return await self._database.write(lambda db: db.execute(self._sql.replace, (*changes, key)).rowcount == 1)

    async def delete(self, air: Air) -> bool:
        return await self._database.write(lambda db: db.execute(self._sql.delete, (air.key,)).rowcount == 1)

    async def search(self, query: str, *, offset: int, limit: int) -> ResourcePage:
        text = query.casefold()
        ((total,),) = await self._database.scan(self._sql.count, (text,))
        rows = await self._database.scan(self._sql.search, (text, limit, min(offset, MAX_INTEGER)))
        return ResourcePage(total=total, items=[resource_from(body) for (body,) in rows])


def _first(rows: Sequence[Row]) -> Resource | None:
    return resource_from(rows[0][0]) if rows else None
