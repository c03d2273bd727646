"""What is said about one prompt while it runs, and what of it stays in history."""

from collections.abc import Callable
from datetime import datetime

from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.providers.simulator.comfyui_server.talking.hub import Hub
from civitai_mock.providers.simulator.comfyui_server.talking.messages import Message, Picture, Said, milliseconds


class Voice:
    """Speaks to the prompt's client; some things everybody hears if there is no client."""

    def __init__(self, *, hub: Hub, prompt_id: str, client_id: str | None, now: Callable[[], datetime]) -> None:
        self.prompt_id = prompt_id
        self.client_id = client_id
        self.recorded: list[Json] = []
        self._hub = hub
        self._now = now

    def record(self, kind: str, fields: JsonObject, *, for_everybody: bool = False) -> None:
        """A milestone: with its time, and into history."""
        stamped: JsonObject = {"prompt_id": self.prompt_id, **fields, "timestamp": milliseconds(self._now())}
        self.recorded.append([kind, stamped])
        if for_everybody:
            self.tell(Message(kind, stamped))
        else:
            self.tell_client(Message(kind, stamped))

    def tell(self, message: Said) -> None:
        self._hub.tell(message, self.client_id)

    def tell_client(self, message: Message) -> None:
        if self.client_id is not None:
            self.tell(message)

    def show(self, picture: Picture) -> None:
        self._hub.show(picture, self.client_id)

    @property
    def client_knows_metadata(self) -> bool:
        return self._hub.knows_metadata(self.client_id)
