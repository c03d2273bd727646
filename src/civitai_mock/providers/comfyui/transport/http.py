"""HTTP to one server: one method a route, each with a timeout; downloads go on where a connection broke."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Self
from urllib.parse import quote

import httpx

from civitai_mock.domain.errors import JobError, TransientError
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson, as_object, as_text, as_texts
from civitai_mock.generation.graph_reader.outputs import media_type_of
from civitai_mock.network.trust import trusting, why
from civitai_mock.ports import Clock
from civitai_mock.providers.comfyui.address import ComfyServer
from civitai_mock.providers.comfyui.options import CA_SETTING, DEFAULT_TIMEOUTS, Timeouts
from civitai_mock.providers.comfyui.protocol.messages import SavedFile
from civitai_mock.providers.comfyui.protocol.records import (
    HistoryEntry,
    QueuedPrompt,
    QueuePlace,
    read_history,
    read_marks,
    read_queue,
    read_queued,
    refusal_of,
)
from civitai_mock.providers.comfyui.transport.statuses import account_of

TOO_LARGE = 413
REFUSALS = frozenset({400, TOO_LARGE})
GONE = frozenset({400, 404, 416})
QUEUES = ("queue_running", "queue_pending")
JSON_BODY = {"Content-Type": "application/json"}


class FileGoneError(TransientError):
    """The server no longer has an image that it says it made."""


class ComfyHttp:
    """Raises `TransientError` for whatever may pass, `JobError` for what this graph cannot have."""

    def __init__(
        self,
        server: ComfyServer,
        *,
        authorization: str | None = None,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        tls: ssl.SSLContext | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Neither proxies nor credentials are taken from the environment, and no Origin is sent."""
        self._server_id = server.id
        self._timeouts = timeouts
        identity = {"Accept-Encoding": "identity"}  # sizes and ranges of images are those of the file
        self._client = httpx.AsyncClient(
            base_url=server.http_url,
            headers=identity | ({"Authorization": authorization} if authorization else {}),
            timeout=timeouts.transfer.total_seconds(),
            transport=transport,
            trust_env=False,
            verify=tls or trusting(),
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def system_stats(self) -> JsonObject:
        """Raise `TransientError` as well for a server that is not ComfyUI."""
        stats = as_object(await self._get("/system_stats"))
        if not as_object(stats.get("system")):
            raise TransientError(
                f"{self._server_id}/system_stats: this is not a ComfyUI server.", worker=self._server_id
            )
        return stats

    async def object_info(self) -> JsonObject:
        return as_object(await self._get("/object_info", self._timeouts.transfer))

    async def embeddings(self) -> tuple[str, ...]:
        return as_texts(await self._get("/embeddings"))

    async def queue(self) -> Mapping[str, QueuePlace]:
        return read_queue(await self._queue())

    async def marks(self, name: str) -> Mapping[str, str]:
        """See `read_marks`."""
        return read_marks(await self._queue(), name)

    async def queued(self, prompt_id: str) -> QueuedPrompt | None:
        return read_queued(await self._queue(), prompt_id)

    async def history(self, prompt_id: str) -> HistoryEntry | None:
        return read_history(as_object(await self._get(f"/history/{quote(prompt_id, safe='')}")), prompt_id)

    async def prompt(self, payload: ReadOnlyJson) -> JsonObject:
        """ComfyUI's answer; raise `JobError` for a graph that it refuses, or takes only in part.

        Raise `TransientError` as well if it does not call the prompt by the id that it was given.
        """
        content = _encoded(payload)
        async with self._call("/prompt", self._timeouts.transfer):
            response = await self._client.post("/prompt", content=content, headers=JSON_BODY)
        if response.status_code not in REFUSALS | {200}:
            raise self._unexpected("/prompt", response)
        if response.status_code == TOO_LARGE:
            raise JobError(
                "ComfyUI refused the graph: it is too large.", error_type="too_large", worker=self._server_id
            )
        answer = self._decoded("/prompt", response)
        refusal = refusal_of(answer, accepted=response.status_code == httpx.codes.OK)
        if refusal is not None:
            raise refusal
        if as_object(answer).get("prompt_id") != payload.get("prompt_id"):
            raise await self._misnamed(response, as_object(answer))
        return as_object(answer)

    async def delete(self, prompt_id: str) -> None:
        """Take a pending prompt out of the queue; a running one stays."""
        await self._post("/queue", {"delete": [prompt_id]})

    async def interrupt(self, prompt_id: str) -> None:
        """Servers older than targeted interrupts stop whatever runs: see first that it is this one."""
        await self._post("/interrupt", {"prompt_id": prompt_id})

    async def forget(self, prompt_id: str) -> None:
        """Delete what history has of it; its files stay."""
        await self._post("/history", {"delete": [prompt_id]})

    async def upload(self, name: str, content: bytes, *, content_type: str, subfolder: str = "") -> str:
        """The name that a graph must use, which may be another than `name`."""
        files = {"image": (name, content, content_type)}
        async with self._call("/upload/image", self._timeouts.transfer):
            response = await self._client.post("/upload/image", files=files, data={"subfolder": subfolder})
        if response.status_code in REFUSALS:
            message = f"ComfyUI refused the image '{name}'."
            raise JobError(message, worker=self._server_id, status=response.status_code)
        stored = as_object(self._answer("/upload/image", response))
        if not as_text(stored.get("name")):
            raise self._unexpected("/upload/image", response)
        return "/".join(part for part in (as_text(stored.get("subfolder")), as_text(stored.get("name"))) if part)

    @asynccontextmanager
    async def view(self, file: SavedFile, *, start: int = 0) -> AsyncIterator[httpx.Response]:
        """An image's bytes from `start` on (206), or all of them (200); raise `FileGoneError` if there are none."""
        query = {"filename": file.filename, "subfolder": file.subfolder, "type": file.folder}
        headers = {"Range": f"bytes={start}-"} if start else {}
        timeout = httpx.Timeout(self._timeouts.ordinary.total_seconds(), read=self._timeouts.transfer.total_seconds())
        async with (
            self._call("/view", None),
            self._client.stream("GET", "/view", params=query, headers=headers, timeout=timeout) as response,
        ):
            if response.status_code in GONE:
                raise FileGoneError(f"{self._server_id} no longer has '{file.filename}'.")
            if response.status_code not in {200, 206}:
                raise self._unexpected("/view", response)
            yield response

    async def _queue(self) -> JsonObject:
        """Raise `TransientError` for any other JSON: a queue that seems empty would say that all prompts are lost."""
        queue = as_object(await self._get("/queue"))
        if not all(isinstance(queue.get(name), list) for name in QUEUES):
            raise TransientError(f"{self._server_id}/queue did not tell its queue.", worker=self._server_id)
        return queue

    async def _misnamed(self, response: httpx.Response, answer: JsonObject) -> TransientError:
        """Servers from before prompts could be named choose an id of their own: nobody would wait for that prompt."""
        prompt_id = as_text(answer.get("prompt_id"))
        if not prompt_id:
            return self._unexpected("/prompt", response)
        await self.delete(prompt_id)
        if (await self.queue()).get(prompt_id) is QueuePlace.RUNNING:
            await self.interrupt(prompt_id)
        return TransientError(
            f"{self._server_id}/prompt does not let prompts be named; its ComfyUI is too old: update it.",
            worker=self._server_id,
            status=response.status_code,
        )

    async def _get(self, route: str, limit: timedelta | None = None) -> Json:
        async with self._call(route, limit or self._timeouts.ordinary):
            response = await self._client.get(route)
        return self._answer(route, response)

    async def _post(self, route: str, body: ReadOnlyJson) -> None:
        async with self._call(route, self._timeouts.ordinary):
            response = await self._client.post(route, json=body)
        if response.status_code != httpx.codes.OK:
            raise self._unexpected(route, response)

    @asynccontextmanager
    async def _call(self, route: str, limit: timedelta | None) -> AsyncIterator[None]:
        """The one place where the faults of a connection get their name; `limit` is for the whole exchange."""
        try:
            async with asyncio.timeout(limit.total_seconds() if limit else None):
                yield
        except (httpx.HTTPError, TimeoutError) as error:
            reason = why(error, ca_setting=CA_SETTING)
            raise TransientError(f"{self._server_id}{route}: {reason}", worker=self._server_id) from error

    def _answer(self, route: str, response: httpx.Response) -> Json:
        if response.status_code != httpx.codes.OK:
            raise self._unexpected(route, response)
        return self._decoded(route, response)

    def _decoded(self, route: str, response: httpx.Response) -> Json:
        """With the standard decoder: ComfyUI writes NaN and Infinity, which are no JSON."""
        try:
            document: Json = json.loads(response.content)
        except (ValueError, RecursionError) as error:
            raise TransientError(
                f"{self._server_id}{route} did not answer with JSON: this is not a ComfyUI server.",
                worker=self._server_id,
                status=response.status_code,
            ) from error
        return document

    def _unexpected(self, route: str, response: httpx.Response) -> TransientError:
        told = account_of(response.status_code, response.headers.get("location", ""), route=route)
        return TransientError(
            f"{self._server_id}{route} {told}",
            worker=self._server_id,
            status=response.status_code,
        )


def _encoded(payload: ReadOnlyJson) -> bytes:
    try:
        return json.dumps(payload, allow_nan=False).encode()
    except ValueError as error:
        raise JobError("The graph has a number that JSON cannot say.") from error


MOST_TRIES = 4
PAUSE_SECONDS = 0.05
PARTIAL = 206
# How a file of each type has to end: a server may hand out one that it has not finished writing.
ENDINGS = {"image/png": b"IEND\xaeB`\x82", "image/jpeg": b"\xff\xd9"}


async def download(http: ComfyHttp, file: SavedFile, clock: Clock) -> AsyncIterator[bytes]:
    """Raise `FileGoneError` for a file that is missing or cut short, `TransientError` for a server that is away."""
    size, tail, tries = 0, b"", 0
    while True:
        try:
            async with http.view(file, start=size) as response:
                skip = 0 if response.status_code == PARTIAL else size
                async for chunk in response.aiter_bytes():
                    fresh, skip = chunk[skip:], max(skip - len(chunk), 0)
                    size, tail = size + len(fresh), (tail + fresh)[-16:]
                    yield fresh
            break
        except FileGoneError:
            raise
        except TransientError:
            tries += 1
            if tries == MOST_TRIES:
                raise
        await clock.sleep(PAUSE_SECONDS * 2**tries)
    if not tail.endswith(ENDINGS.get(media_type_of(file.filename), b"")):
        raise FileGoneError(f"'{file.filename}' is cut short.")
