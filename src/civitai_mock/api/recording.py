"""What is copied of one request and its answer for the journal, while they pass in parts."""

from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.types import Message, Receive

from civitai_mock.domain.journal import BodyCopy, LargeBody
from civitai_mock.domain.json_types import Json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from civitai_mock.domain.faults.submissions import SubmittedWork

NOTHING = b""


class Recording:
    """Copies the body of a request as it is read, and an answer that is sent in parts."""

    __slots__ = ("_answer", "_request", "_work", "answer_headers")

    def __init__(self) -> None:
        self.answer_headers: Sequence[tuple[bytes, bytes]] = ()
        self._request: BodyCopy | None = None
        self._answer: BodyCopy | None = None
        self._work: SubmittedWork | None = None

    def copying(self, receive: Receive) -> Receive:
        """Return what hands over the same body, and copies it."""
        copy = self._request = BodyCopy()

        async def receive_copied() -> Message:
            message = await receive()
            if body := message.get("body"):
                copy.add(body)
            return message

        return receive_copied

    def sent(self, message: Message) -> None:
        """Take notice of a part of the answer that is sent."""
        if message["type"] == "http.response.start":
            self.answer_headers = message["headers"]
        elif body := message.get("body"):
            self._answer = self._answer or BodyCopy()
            self._answer.add(body)

    def note_large(self, value: Json) -> None:
        """Note what the body of a request asks for, which is too large to be kept."""
        from civitai_mock.domain.faults.submissions import SubmittedWork  # noqa: PLC0415 - few bodies are

        self._work = SubmittedWork.of(value)

    @property
    def request(self) -> tuple[bytes, LargeBody | None]:
        """Return the body of the request, or what stands for a large one."""
        body = NOTHING if self._request is None else self._request.body
        return (body, None) if isinstance(body, bytes) else (NOTHING, replace(body, work=self._work))

    @property
    def answer(self) -> tuple[bytes, LargeBody | None]:
        """Return the body of the answer, or what stands for a large one."""
        body = NOTHING if self._answer is None else self._answer.body
        return (body, None) if isinstance(body, bytes) else (NOTHING, body)
