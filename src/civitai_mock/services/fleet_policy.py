"""The fleet of a namespace: whether its jobs run on one, and on which."""

from typing import TYPE_CHECKING, Final

import structlog

from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.services.controls import Controls

if TYPE_CHECKING:  # what only those need who have a fleet is not loaded at the start
    from civitai_mock.domain.fleet.document import FleetDocument
    from civitai_mock.domain.json_types import Json

FLEET: Final = "fleet"  # the member of the documents of namespaces
NO_FLEET: Final = False  # is what that says where the fleet of the setting was taken away
NO_FLEET_HERE: Final = "This namespace has no fleet: its jobs run as they do without one."

logger = structlog.stdlib.get_logger()


class FleetPolicy:
    """Gives a namespace the fleet that was set for it, or else the `usual` one, or none.

    It is kept up to date: `document` is None while there is none.
    """

    def __init__(self, controls: Controls, *, usual: "FleetDocument | None" = None) -> None:
        self._controls = controls
        self._usual = usual
        self._stored: Json = None
        self.document: FleetDocument | None = usual
        self._update()
        controls.subscribe(self._update)

    @property
    def is_on(self) -> bool:
        """Return whether jobs run on a fleet."""
        return self.document is not None

    def _update(self) -> None:
        stored = self._controls.get(FLEET)
        if stored != self._stored:
            self._stored, self.document = stored, self._read(stored)

    def _read(self, stored: "Json") -> "FleetDocument | None":
        """Return what is stored; none, which is logged, for what this program does not know."""
        if stored is None or stored is NO_FLEET:
            return self._usual if stored is None else None
        from civitai_mock.domain.fleet.document import stored_fleet  # noqa: PLC0415 - see above

        try:
            return stored_fleet(stored)
        except InvalidRequestError as error:
            logger.warning("fleet not known", errors=error.errors)
            return None
