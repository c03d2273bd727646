"""Speak HTTP with one ComfyUI server: one method for each route, with a timeout, and downloads that resume."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Self
from urllib.parse import quote

import httpx

from civitai_mock.domain.errors import JobError, TransientError
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson, as_object, as_text, as_texts
from civitai_mock.generation.graph_reader.outputs import media_type_of
from civitai_mock.network.http import HttpTransport
from civitai_mock.network.tls import make_tls_context
from civitai_mock.ports import Clock
from civitai_mock.providers.comfyui.address import ComfyServer
from civitai_mock.providers.comfyui.options import DEFAULT_OPTIONS, ComfyOptions
from civitai_mock.providers.comfyui.protocol.messages import SavedFile
from civitai_mock.providers.comfyui.protocol.prompt_errors import read_refusal
from civitai_mock.providers.comfyui.protocol.records import (
    HistoryEntry,
    QueuedPrompt,
    QueuePlace,
    read_extra_data,
    read_history,
    read_queue,
    read_queued_prompt,
)
from civitai_mock.providers.comfyui.transport.connection_errors import explain_error, explain_status
from civitai_mock.services.tracing import TRACEPARENT_HEADER, calling, current_traceparent

TOO_LARGE = 413
REFUSALS = frozenset({400, TOO_LARGE})
GONE = frozenset({400, 404, 416})
PARTIAL = 206
QUEUES = ("queue_running", "queue_pending")
JSON_BODY = {"Content-Type": "application/json"}
MOST_TRIES = 4
PAUSE_SECONDS = 0.05
# How a file of each type has to end: a server may hand out one that it has not finished writing.
ENDINGS = {"image/png": b"IEND\xaeB`\x82", "image/jpeg": b"\xff\xd9"}


class FileGoneError(TransientError):
    """Says that the server no longer has an image that it says it made."""


class ComfyHttp:
    """Is the HTTP client of one server; raises `TransientError` for whatever may pass, `JobError` for a bad graph."""

    def __init__(
        self,
        server: ComfyServer,
        *,
        options: ComfyOptions = DEFAULT_OPTIONS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Take neither proxies nor credentials from the environment, and send no Origin."""
        self.server_id = server.id
        self._timeouts = options.timeouts
        identity = {"Accept-Encoding": "identity"}  # sizes and ranges of images are those of the file
        self._client = httpx.AsyncClient(
            base_url=server.http_url,
            headers=identity | ({"Authorization": options.authorization} if options.authorization else {}),
            timeout=options.timeouts.transfer.total_seconds(),
            transport=transport or HttpTransport(trust_env=False, verify=options.tls or make_tls_context()),
            trust_env=False,
            event_hooks={"request": [_add_traceparent]},
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def system_stats(self) -> JsonObject:
        """Return the body of /system_stats; raise `TransientError` for a server that is not ComfyUI, too."""
        stats = as_object(await self._get("/system_stats"))
        if not as_object(stats.get("system")):
            raise TransientError(f"{self.server_id}/system_stats: this is not a ComfyUI server.", worker=self.server_id)
        return stats

    async def object_info(self) -> JsonObject:
        return as_object(await self._get("/object_info", self._timeouts.transfer))

    async def embeddings(self) -> tuple[str, ...]:
        return as_texts(await self._get("/embeddings"))

    async def queue(self) -> Mapping[str, QueuePlace]:
        return read_queue(await self._queue())

    async def queued_extra_data(self, name: str) -> Mapping[str, str]:
        """Return texts of the queued prompts; see `read_extra_data`."""
        return read_extra_data(await self._queue(), name)

    async def queued(self, prompt_id: str) -> QueuedPrompt | None:
        return read_queued_prompt(await self._queue(), prompt_id)

    async def history(self, prompt_id: str) -> HistoryEntry | None:
        return read_history(as_object(await self._get(f"/history/{quote(prompt_id, safe='')}")), prompt_id)

    async def post_prompt(self, payload: ReadOnlyJson) -> JsonObject:
        """Return ComfyUI's answer; raise `JobError` for a graph that it refuses, or takes only in part.

        Raise `TransientError` if it does not call the prompt by the id that it was given, too.
        """
        content = _encode(payload)
        async with self._call("/prompt", self._timeouts.transfer):
            response = await self._client.post("/prompt", content=content, headers=JSON_BODY)
        if response.status_code not in REFUSALS | {200}:
            raise self._unexpected("/prompt", response)
        if response.status_code == TOO_LARGE:
            raise JobError("ComfyUI refused the graph: it is too large.", error_type="too_large", worker=self.server_id)
        answer = self._decode("/prompt", response)
        refusal = read_refusal(answer, accepted=response.status_code == httpx.codes.OK)
        if refusal is not None:
            raise refusal
        if as_object(answer).get("prompt_id") != payload.get("prompt_id"):
            raise await self._remove_misnamed(response, as_object(answer))
        return as_object(answer)

    async def delete(self, prompt_id: str) -> None:
        """Take a pending prompt out of the queue; a running one stays."""
        await self._post("/queue", {"delete": [prompt_id]})

    async def interrupt(self, prompt_id: str) -> None:
        """Stop a running prompt; see first that it runs, as servers without targeted interrupts stop any prompt."""
        await self._post("/interrupt", {"prompt_id": prompt_id})

    async def delete_history(self, prompt_id: str) -> None:
        """Delete the prompt's entry in the history; its files stay."""
        await self._post("/history", {"delete": [prompt_id]})

    async def upload(self, name: str, content: bytes, *, content_type: str, subfolder: str = "") -> str:
        """Store an image; return the name that a graph must use, which may be another than `name`."""
        files = {"image": (name, content, content_type)}
        async with self._call("/upload/image", self._timeouts.transfer):
            response = await self._client.post("/upload/image", files=files, data={"subfolder": subfolder})
        if response.status_code in REFUSALS:
            message = f"ComfyUI refused the image '{name}'."
            raise JobError(message, worker=self.server_id, status=response.status_code)
        stored = as_object(self._read("/upload/image", response))
        if not as_text(stored.get("name")):
            raise self._unexpected("/upload/image", response)
        return "/".join(part for part in (as_text(stored.get("subfolder")), as_text(stored.get("name"))) if part)

    @asynccontextmanager
    async def view(self, file: SavedFile, *, start: int = 0) -> AsyncIterator[httpx.Response]:
        """Open an image's bytes from `start` on (206), or all of them (200); raise `FileGoneError` if it is gone."""
        query = {"filename": file.filename, "subfolder": file.subfolder, "type": file.folder}
        headers = {"Range": f"bytes={start}-"} if start else {}
        timeout = httpx.Timeout(self._timeouts.ordinary.total_seconds(), read=self._timeouts.transfer.total_seconds())
        async with (
            self._call("/view", None),
            self._client.stream("GET", "/view", params=query, headers=headers, timeout=timeout) as response,
        ):
            if response.status_code in GONE:
                raise FileGoneError(f"{self.server_id} no longer has '{file.filename}'.")
            if response.status_code not in {200, PARTIAL}:
                raise self._unexpected("/view", response)
            yield response

    async def _queue(self) -> JsonObject:
        """Raise `TransientError` for other JSON: taken for an empty queue, it would say that all prompts are lost."""
        queue = as_object(await self._get("/queue"))
        if not all(isinstance(queue.get(name), list) for name in QUEUES):
            raise TransientError(f"{self.server_id}/queue did not answer with a queue.", worker=self.server_id)
        return queue

    async def _remove_misnamed(self, response: httpx.Response, answer: JsonObject) -> TransientError:
        """Remove a prompt that an old server gave an id of its own, which nobody would wait for; return the error."""
        prompt_id = as_text(answer.get("prompt_id"))
        if not prompt_id:
            return self._unexpected("/prompt", response)
        await self.delete(prompt_id)
        if (await self.queue()).get(prompt_id) is QueuePlace.RUNNING:
            await self.interrupt(prompt_id)
        return TransientError(
            f"{self.server_id}/prompt does not let prompts be named; its ComfyUI is too old: update it.",
            worker=self.server_id,
            status=response.status_code,
        )

    async def _get(self, route: str, limit: timedelta | None = None) -> Json:
        async with self._call(route, limit or self._timeouts.ordinary):
            response = await self._client.get(route)
        return self._read(route, response)

    async def _post(self, route: str, body: ReadOnlyJson) -> None:
        async with self._call(route, self._timeouts.ordinary):
            response = await self._client.post(route, json=body)
        if response.status_code != httpx.codes.OK:
            raise self._unexpected(route, response)

    @asynccontextmanager
    async def _call(self, route: str, limit: timedelta | None) -> AsyncIterator[None]:
        """Turn every failure of a connection into a `TransientError`; `limit` is for the whole exchange."""
        with calling(f"ComfyUI {route}", worker=self.server_id):
            try:
                async with asyncio.timeout(limit.total_seconds() if limit else None):
                    yield
            except (httpx.HTTPError, TimeoutError) as error:
                message = f"{self.server_id}{route}: {explain_error(error)}"
                raise TransientError(message, worker=self.server_id) from error

    def _read(self, route: str, response: httpx.Response) -> Json:
        if response.status_code != httpx.codes.OK:
            raise self._unexpected(route, response)
        return self._decode(route, response)

    def _decode(self, route: str, response: httpx.Response) -> Json:
        """Use the standard decoder: ComfyUI writes NaN and Infinity, which are not JSON."""
        try:
            document: Json = json.loads(response.content)
        except (ValueError, RecursionError) as error:
            raise TransientError(
                f"{self.server_id}{route} did not answer with JSON: this is not a ComfyUI server.",
                worker=self.server_id,
                status=response.status_code,
            ) from error
        return document

    def _unexpected(self, route: str, response: httpx.Response) -> TransientError:
        explanation = explain_status(response.status_code, response.headers.get("location", ""), route=route)
        message = f"{self.server_id}{route} {explanation}"
        return TransientError(message, worker=self.server_id, status=response.status_code)


async def _add_traceparent(request: httpx.Request) -> None:
    request.headers[TRACEPARENT_HEADER] = current_traceparent()


def _encode(payload: ReadOnlyJson) -> bytes:
    try:
        return json.dumps(payload, allow_nan=False).encode()
    except ValueError as error:
        raise JobError("The graph has a number that JSON cannot express: NaN or infinity.") from error


async def download(http: ComfyHttp, file: SavedFile, clock: Clock) -> AsyncIterator[bytes]:
    """Yield a file's bytes, and go on where a connection broke.

    Raise `FileGoneError` for a file that is missing or cut short, `TransientError` for a server that is away.
    """
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
