"""Results that need no files."""

from dataclasses import dataclass

from civitai_mock.generation.work import ResultWork
from civitai_mock.scheduler.work import Way, Work


@dataclass(frozen=True)
class ResultWay(Way):
    todo: ResultWork

    async def collect(self, work: Work) -> None:
        await work.tools.pretend(self.todo.seconds)
        work.result = self.todo.result
