"""Namespaces: isolated worlds on one server, and the epochs that their lives between two resets are."""

import re
from datetime import datetime

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import NamespaceResetError, invalid
from civitai_mock.domain.json_types import ReadOnlyJson

DEFAULT = "default"
SERVER = ""  # the name under which a store keeps what is set for all namespaces; no namespace can have it
FIRST_EPOCH = 1  # the first life of the default namespace, in which everything is that older versions stored
SHARED_EPOCH = 0  # of resources that every namespace sees
USUAL_MOST = 10_000  # namespaces of a store, if nothing else is said
BEGUN = "begun/"  # before the number of an epoch that no namespace has yet: the lease of whoever writes into it
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


def check_name(name: str, *, field: str) -> str:
    """Return a name that a namespace can have; raise `InvalidRequestError` at `field` for any other."""
    if NAME.fullmatch(name) and name not in {".", ".."}:
        return name
    shown = name if len(name) <= 80 else f"{name[:80]}…"
    message = f"expected 1 to 64 letters, digits, '.', '_' and '-', but not '.' or '..'; found '{shown}'."
    raise invalid({field: [message]})


class Epoch:
    """Is the life of a namespace between two resets, by a number that no other life in its store has.

    Everything that is kept of a namespace has the number in its key. All that work in one life share this object: once
    it has ended, nobody in this process can ask for the number any more, so nothing of it is read or written.
    """

    __slots__ = ("_number", "has_ended", "namespace")

    def __init__(self, namespace: str = DEFAULT, number: int = FIRST_EPOCH) -> None:
        self.namespace = namespace
        self.has_ended = False
        self._number = number

    @property
    def number(self) -> int:
        """Return the number; raise `NamespaceResetError` after the end."""
        if self.has_ended:
            raise self.ended_error()
        return self._number

    def check(self) -> None:
        """Raise `NamespaceResetError` after the end."""
        _ = self.number

    @property
    def initial_number(self) -> int:
        """Return the number even after the end, to take leave of what knows it by this."""
        return self._number

    def end(self) -> None:
        self.has_ended = True

    def ended_error(self) -> NamespaceResetError:
        """Return what is raised for whatever would be done in this epoch after its end."""
        return NamespaceResetError(f"The namespace '{self.namespace}' was reset while this request was served.")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceRecord:
    """Is what a store keeps of a namespace beside its jobs.

    `epoch` is the number of its life. `changed` is the revision of the store with the last change of the record.
    `used_at` is in real time. `document` has what the control plane was told; what is absent is as if new.
    """

    name: str
    epoch: int
    changed: int
    used_at: datetime
    document: ReadOnlyJson
    is_deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveProcess:
    """Is a process that works on a store: up to which revision it obeys what was changed, and when it said so."""

    id: str
    revision: int
    seen_at: datetime
