"""A provider that does what a test tells it."""

import asyncio
from collections.abc import AsyncIterator, Callable

from civitai_mock.ports import Output, Outputs, Receipt, Submission

Script = Callable[[str], None]


class ScriptedProvider:
    """Makes one picture a prompt at once; `hold` makes prompts wait, `on_send` and `on_collect` may raise."""

    name = "local"
    description = "a script"

    def __init__(self) -> None:
        self.submissions: list[Submission] = []
        self.cancelled: list[str] = []
        self.on_send: Script = lambda _: None
        self.on_collect: Script = lambda _: None
        self._go = asyncio.Event()
        self._go.set()

    @property
    def sent(self) -> list[str]:
        return [submission.prompt_id for submission in self.submissions]

    def hold(self) -> None:
        self._go.clear()

    def go_on(self) -> None:
        self._go.set()

    async def send(self, submission: Submission) -> Receipt:
        self.on_send(submission.prompt_id)
        self.submissions.append(submission)
        return Receipt(
            prompt_id=submission.prompt_id, response={"prompt_id": submission.prompt_id, "number": 0, "node_errors": {}}
        )

    async def collect(self, prompt_id: str) -> Outputs:
        await self._go.wait()
        self.on_collect(prompt_id)
        return Outputs(items=[Output(node_id="9", content_type="image/png", content=_picture())], facts={"load": 1})

    async def cancel(self, prompt_id: str) -> None:
        self.cancelled.append(prompt_id)


async def _picture() -> AsyncIterator[bytes]:
    yield b"picture"
