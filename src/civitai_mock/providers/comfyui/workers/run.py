"""One prompt on one server, while it is followed."""

import asyncio
from dataclasses import dataclass, field

from civitai_mock.domain.json_types import JsonObject, ReadOnlyJson
from civitai_mock.providers.comfyui.protocol.messages import Picture
from civitai_mock.providers.comfyui.protocol.tracker import Done, End, Failed, Interrupted, PromptTracker


@dataclass(slots=True, kw_only=True, eq=False)
class Run:
    """`client_id` is that of the connection that hears of it, if any.

    `graph` is what the server was given, `answer` its answer to POST /prompt. `known` is false while nobody can say
    whether the server has the prompt. `left` is true once the server's queue has it no more; `unwanted` is one to be
    stopped.
    """

    tracker: PromptTracker
    graph: ReadOnlyJson
    answer: JsonObject
    client_id: str | None = None
    sending: bool = False
    known: bool = False
    left: bool = False
    unwanted: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def prompt_id(self) -> str:
        return self.tracker.prompt_id

    @property
    def counts(self) -> bool:
        """A prompt that must not be sent again: it is on its way, or its end is worth having."""
        end = self.tracker.end
        return self.known and not self.unwanted and (end is None or isinstance(end, Done | Failed | Interrupted))

    @property
    def waits(self) -> bool:
        """The server's queue has it, and has not begun with it."""
        return self.tracker.is_pending and not self.sending and not self.unwanted

    @property
    def picture_bytes(self) -> int:
        """What its pictures take in memory: those that its server does not keep."""
        end = self.tracker.end
        pictures = end.results if isinstance(end, Done) else ()
        return sum(len(picture.content) for picture in pictures if isinstance(picture, Picture))

    def is_heard_on(self, client_id: str | None) -> bool:
        """Whether the open connection, if any, tells of it."""
        return client_id is not None and self.client_id == client_id

    async def end(self) -> End:
        await self.ended.wait()
        end = self.tracker.end
        if end is None:
            raise RuntimeError("a run that has not ended was said to have")
        return end
