"""Groups of calls that are made in the same instant, each group carried out as one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Grouped(Generic[Item, Answer]):
    """Groups calls of the same instant: while one group is carried out, the next one fills, without a timer."""

    def __init__(self, carry_out: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]], *, limit: int) -> None:
        self._carry_out = carry_out
        self._limit = limit
        self._filling: list[Item] | None = None
        self._last: asyncio.Task[Sequence[Answer]] | None = None

    async def __call__(self, item: Item) -> Answer:
        """Return the item's own answer, or raise the error of its group; a cancelled caller takes nothing back."""
        group, task = self._join()
        group.append(item)
        place = len(group) - 1
        answers = await asyncio.shield(task)
        return answers[place]

    async def drain(self) -> None:
        """Wait for all groups that have begun."""
        if self._last is not None:
            await asyncio.wait([self._last])

    def _join(self) -> tuple[list[Item], asyncio.Task[Sequence[Answer]]]:
        if self._filling is None or self._last is None or len(self._filling) >= self._limit:
            self._filling = []
            self._last = asyncio.create_task(self._run(self._filling, after=self._last), name="grouped write")
            self._last.add_done_callback(_heard)  # also where everybody who waited was cancelled
        return self._filling, self._last

    async def _run(self, group: list[Item], *, after: asyncio.Task[Sequence[Answer]] | None) -> Sequence[Answer]:
        if after is not None:
            await asyncio.wait([after])
        if self._filling is group:
            self._filling = None
        return await self._carry_out(group)


def _heard(task: "asyncio.Task[Sequence[Answer]]") -> None:
    """Take the error of a group as told: whoever still waits is raised it, and the others have given up."""
    if not task.cancelled():
        task.exception()
