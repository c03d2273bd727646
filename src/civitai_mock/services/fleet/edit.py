"""Give a namespace a fleet, tell which it has, and take it away."""

from collections.abc import Sequence

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.fleet.document import FleetDocument, as_json, parse_fleet, stored_fleet
from civitai_mock.domain.fleet.engines import ServerNames
from civitai_mock.domain.json_types import Json, ReadOnlyJson
from civitai_mock.services.fleet_policy import FLEET, NO_FLEET, NO_FLEET_HERE
from civitai_mock.services.namespaces import ManageNamespaces


@dataclass(frozen=True, slots=True, kw_only=True)
class EditFleet:
    """Changes the fleet of a namespace; `usual` is the one of those that have none of their own.

    Fleets may name the ComfyUI `servers` as engines.
    """

    manage: ManageNamespaces
    usual: FleetDocument | None
    servers: ServerNames

    def parse(self, value: Json) -> FleetDocument:
        """Read a fleet; raise `InvalidRequestError` for all that is wrong, each fault with its path."""
        return parse_fleet(value, servers=self.servers)

    async def get(self, namespace: str) -> FleetDocument:
        """Return the fleet; raise `NotFoundError` if there is none."""
        stored = (await self.manage.get(namespace)).document.get(FLEET)
        found = self.usual if stored is None else stored_fleet(stored)
        if found is None:
            raise NotFoundError(NO_FLEET_HERE)
        return found

    async def put(self, namespace: str, fleet: FleetDocument) -> Sequence[str]:
        """Set the fleet, and return the processes that do not obey yet."""
        return await self._edit(namespace, as_json(fleet))

    async def remove(self, namespace: str) -> Sequence[str]:
        """Take the fleet away, also the usual one, and return the processes that do not obey yet."""
        return await self._edit(namespace, None if self.usual is None else NO_FLEET)

    async def _edit(self, namespace: str, stored: Json) -> Sequence[str]:
        def change(document: ReadOnlyJson) -> ReadOnlyJson:
            others = {name: value for name, value in document.items() if name != FLEET}
            return others if stored is None else {**others, FLEET: stored}

        return (await self.manage.edit(namespace, change)).not_yet


def check_stored_fleet(stored: Json) -> None:
    """Raise `InvalidRequestError` or `ValueError` for what cannot be the fleet that was set for a namespace."""
    if stored is not NO_FLEET and stored_fleet(stored) is None:
        raise ValueError("a fleet is an object")
