"""Make, set, reset and delete namespaces, and wait until all processes obey."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import ConflictError, NotFoundError
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson
from civitai_mock.domain.namespaces import DEFAULT, SERVER, SHARED_EPOCH, NamespaceRecord
from civitai_mock.ports import Clock, NamespaceStore
from civitai_mock.services.control_plane import ControlPlane
from civitai_mock.services.controls import NOTHING
from civitai_mock.services.rule_counters import RULES, rule_counters

TOKENS = "tokens"
RESETS_AT_ONCE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedNamespace:
    """Is a namespace after a change, with the processes that have not confirmed the change in time."""

    record: NamespaceRecord
    not_yet: Sequence[str]
    is_new: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ManageNamespaces:
    """Changes namespaces; each method returns when all processes obey, or says which of them do not yet.

    `clock` is the real one, and there are `most` namespaces at most.
    """

    store: NamespaceStore
    control: ControlPlane
    clock: Clock
    most: int

    async def all(self) -> Sequence[NamespaceRecord]:
        await self.control.refresh()
        return [record for name, record in self.control.records.items() if name != SERVER]

    async def get(self, name: str) -> NamespaceRecord:
        """Return a namespace; raise `NotFoundError` if there is none with this name."""
        await self.control.refresh()
        record = self.control.records.get(name)
        if record is None:
            raise NotFoundError(f"The namespace '{name}' does not exist.")
        return record

    async def put(self, name: str, members: Mapping[str, Json]) -> ChangedNamespace:
        """Set members of a namespace, which is made if there is none; those that are None become as new.

        Raise `ConflictError` if a token is that of another namespace, or if there are too many namespaces.
        """
        await self.control.refresh()
        self._check_tokens(name, members.get(TOKENS))
        if name in self.control.records:
            return await self.edit(name, lambda document: _with(document, members))
        document = _with(NOTHING, members)
        add = partial(self.store.add, name, now=self.clock.now(), document=document, most=self.most)
        record, not_yet = await self.control.change(add)
        if record.document == document:
            return ChangedNamespace(record=record, not_yet=not_yet, is_new=True)
        return await self.edit(name, lambda found: _with(found, members))  # somebody else has made it meanwhile

    async def edit(self, name: str, change: Callable[[ReadOnlyJson], ReadOnlyJson]) -> ChangedNamespace:
        """Change what is set for a namespace, or under `SERVER` for all; raise `NotFoundError` if there is none.

        `change` is called again, with what is set by then, if somebody else was first.
        """
        record, not_yet = await self.control.change(partial(self._edit, name, change))
        return ChangedNamespace(record=record, not_yet=not_yet)

    async def delete(self, name: str) -> Sequence[str]:
        """Delete a namespace with all that is in it, if there is one; the default one begins anew instead."""
        if name == DEFAULT:
            _, not_yet = await self.control.change(partial(self.store.renew, name, NOTHING))
        else:
            _, not_yet = await self.control.change(partial(self.store.delete, name))
        return not_yet

    async def reset(self, name: str) -> Sequence[str]:
        """Let a namespace begin anew, with its tokens; this takes no longer for any number of jobs."""
        _, not_yet = await self.control.change(partial(self._renew, name))
        return not_yet

    async def reset_all(self) -> Sequence[str]:
        """Let all namespaces begin anew, and forget what is set for all of them."""
        _, not_yet = await self.control.change(self._renew_all)
        return not_yet

    async def _edit(self, name: str, change: Callable[[ReadOnlyJson], ReadOnlyJson]) -> NamespaceRecord:
        while True:
            before = await self.store.get(name)
            if before is None:
                raise NotFoundError(f"The namespace '{name}' does not exist.")
            document = change(before.document)
            if document == before.document:
                return before
            after = await self.store.save(before, document)
            if after is not None:
                return after

    async def _renew_all(self) -> None:
        server = await self.store.get(SERVER)
        await self._edit(SERVER, lambda _: NOTHING)
        if server is not None:  # whose counters are in no epoch that would be over now
            await self.store.forget_counts(SHARED_EPOCH, rule_counters(server.document.get(RULES)))
        after = ""
        while page := await self.store.list(after=after, limit=RESETS_AT_ONCE):
            await asyncio.gather(*[self._renew(record.name) for record in page])
            after = page[-1].name

    async def _renew(self, name: str) -> None:
        before = await self.store.get(name)
        if before is not None:
            tokens = before.document.get(TOKENS)
            await self.store.renew(name, {TOKENS: tokens} if tokens else NOTHING)

    def _check_tokens(self, name: str, tokens: Json) -> None:
        for token in tokens if isinstance(tokens, list) else ():
            other = self.control.names_by_token.get(str(token), name)
            if other != name:
                raise ConflictError(f"The namespace '{other}' has registered one of these tokens already.")


def _with(document: ReadOnlyJson, members: Mapping[str, Json]) -> ReadOnlyJson:
    """Return what is set with these members in place of those before."""
    changed: JsonObject = {**document, **members}
    return {name: value for name, value in changed.items() if value is not None}
