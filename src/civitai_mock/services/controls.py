"""What the control plane was told of one namespace, as this process obeys it now."""

from collections.abc import Callable, Mapping

from civitai_mock.domain.json_types import Json, ReadOnlyJson

NOTHING: ReadOnlyJson = {}


class Controls:
    """Holds what was set for a namespace, and for all of them; whoever depends on it is called when it changes.

    A member of the namespace's own document comes first, then one of the server's; what neither has is as if new.
    """

    def __init__(self, document: ReadOnlyJson = NOTHING, server: ReadOnlyJson = NOTHING) -> None:
        self.document = document
        self.server = server
        self.is_any_set = bool(document or server)  # most namespaces are as new
        self._listeners: list[Callable[[], None]] = []

    def get(self, member: str) -> Json:
        """Return a member; None if it was not set."""
        found = self.document.get(member)
        return self.server.get(member) if found is None else found

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Have a listener called after each change; it must not block."""
        self._listeners.append(listener)

    def update(self, document: Mapping[str, Json], server: Mapping[str, Json]) -> None:
        if document == self.document and server == self.server:
            return
        self.document, self.server = document, server
        self.is_any_set = bool(document or server)
        for listener in self._listeners:
            listener()
