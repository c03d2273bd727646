"""The engines of pods: the ComfyUI servers that run their jobs, as a document names them, and whether they answer."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.members import Members
from civitai_mock.domain.nearest import unknown_name

MEMBER: Final = "engines"
PATIENCE: Final = timedelta(seconds=10)  # after which a pod is lost whose engine does not answer
NO_SERVER: Final = "No ComfyUI server can be named: COMFY_HTTP_URL has none, so pods simulate their work."

ServerNames: TypeAlias = Mapping[str, str]  # the ids of the servers that there are, by all that each may be called


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Says whether a server answers, whether it gets no new jobs, and since when that is so."""

    is_there: bool
    since: datetime
    is_draining: bool = False

    @property
    def takes_jobs(self) -> bool:
        return self.is_there and not self.is_draining


Engines: TypeAlias = Mapping[str, Engine]
NO_ENGINES: Final[Engines] = {}


def read_engines(members: Members, servers: ServerNames | None, *, most: int) -> tuple[str, ...]:
    """Return the ids of the servers that a provider names, at most so many.

    Without `servers` each name is an id that was checked before: they may be others by now.
    """
    names = members.texts(MEMBER, most=most)
    if names is None:
        return ()
    if not names:
        members.note(MEMBER, "Expected at least one ComfyUI server; leave this out for pods that simulate their work.")
    ids = [name if servers is None else servers.get(name.rstrip("/")) for name in names]
    for index, (name, found) in enumerate(zip(names, ids, strict=True)):
        if found is None:
            known = sorted(set((servers or {}).values()))
            members.note(_at(index), unknown_name("ComfyUI server", name, known) if known else NO_SERVER)
    return tuple([found for found in ids if found is not None])


def note_shared_engine(members: Members, engines: tuple[str, ...], seen: set[str]) -> None:
    """Note a fault of each server that is the engine of another pod already; `seen` gains the others."""
    for index, engine in enumerate(engines):
        if engine in seen:
            members.note(_at(index), f"'{engine}' is the engine of another pod already; each pod needs its own.")
        seen.add(engine)


def _at(index: int) -> str:
    return f"{MEMBER}[{index}]"
