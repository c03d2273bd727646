"""Draw the ids and seeds of a namespace: at random or, once it has a seed, the same for the same requests."""

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from hashlib import sha256
from typing import ClassVar
from uuid import UUID

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.ports import Ids
from civitai_mock.services.controls import Controls

SEED = "seed"  # the member of what is set for a namespace
COUNTER = "requests/"  # what the counters of equal requests are called


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceIds:
    """Draws from a seed, the content of a request, and how many equal ones came before; then for each job by itself.

    So what is drawn does not depend on the order of different requests, on the store, or on the number of processes,
    which count equal requests together: `count` is `NamespaceStore.count`. Without a seed, and for what no request is
    about, it draws at random.
    """

    random: Ids
    controls: Controls
    epoch: Epoch
    count: Callable[[int, str], Awaitable[int]]

    @property
    def is_seeded(self) -> bool:
        return self._seed is not None

    def uuid(self) -> str:
        return self.random.uuid()

    def seed(self) -> int:
        return self.random.seed()

    async def of_request(self, content: Callable[[], bytes]) -> Ids:
        seed = self._seed
        if seed is None:
            return self.random
        digest = _digest(seed, content()).hex()
        before = await self.count(self.epoch.number, COUNTER + digest)
        return DrawnIds(_digest(digest, before))

    def of_job(self, job_id: str, purpose: str) -> Ids:
        seed = self._seed
        return self.random if seed is None else DrawnIds(_digest(seed, job_id, purpose))

    @property
    def _seed(self) -> Json:
        return self.controls.get(SEED)


class DrawnIds:
    """Draws everything that belongs to one request or job, in the order in which that asks for it."""

    is_seeded: ClassVar[bool] = True

    def __init__(self, start: bytes) -> None:
        self._random = random.Random(start)

    def uuid(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def seed(self) -> int:
        return self._random.getrandbits(32)

    async def of_request(self, content: Callable[[], bytes]) -> "DrawnIds":  # noqa: ARG002 - it is of one already
        return self

    def of_job(self, job_id: str, purpose: str) -> "DrawnIds":  # noqa: ARG002 - as above
        return self


def _digest(*parts: object) -> bytes:
    """Return a digest of parts, as bytes or as `repr` shows them, with the length of each."""
    digest = sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else repr(part).encode()
        digest.update(len(data).to_bytes(8) + data)
    return digest.digest()


def said(value: object) -> object:
    """Return what a value says: its members that are not as they are by default.

    So a member that is new changes nothing of what is drawn for who does not use it.
    """
    if is_dataclass(value) and not isinstance(value, type):
        members = ((each.name, getattr(value, each.name), each.default) for each in fields(value))
        return type(value).__name__, {name: said(member) for name, member, default in members if member != default}
    if isinstance(value, Mapping):
        return {name: said(member) for name, member in value.items()}
    return [said(item) for item in value] if isinstance(value, list | tuple) else value


def uncounted(ids: Ids) -> Ids:
    """Return the same source for what only looks: it draws as for the first of equal requests, and counts none."""
    return replace(ids, count=_none_before) if isinstance(ids, NamespaceIds) else ids


async def _none_before(epoch: int, key: str) -> int:  # noqa: ARG001 - of any request
    return 0
