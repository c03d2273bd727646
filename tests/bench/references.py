"""Servers to compare with: they give the answers that we gave, and do nothing else. `references.py bare` runs one.

ANSWERS is the folder of what we answered to a POST and to a GET; PORT is where to listen.
"""

import os
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, Literal

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

JOBS = "/v1/consumer/jobs"
JSON = "application/json"

Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


class Wire(BaseModel):
    """Names are in camel case on the wire."""

    model_config = ConfigDict(alias_generator=to_camel)


class Params(Wire):
    prompt: str
    negative_prompt: str = ""
    scheduler: str = "EulerA"
    steps: int = Field(default=20, ge=1, le=150)
    cfg_scale: float = Field(default=7, ge=0, le=30)
    width: int = Field(ge=64, le=2048)
    height: int = Field(ge=64, le=2048)
    seed: int = -1
    clip_skip: int = 1


class Network(Wire):
    type: str = "Lora"
    strength: float = 1.0
    trigger_word: str | None = None


class TextToImage(Wire):
    type: Literal["textToImage"] = Field(alias="$type")
    model: str = Field(pattern="^urn:air:")
    params: Params
    additional_networks: dict[str, Network] = {}
    quantity: int = Field(default=1, ge=1, le=64)
    properties: dict[str, Any] = {}


class Result(Wire):
    blob_key: str
    available: bool
    blob_url: str | None = None
    blob_url_expiration_date: str | None = None
    seed: int


class Event(Wire):
    job_id: str
    type: str
    date_time: str
    provider: str | None = None
    worker_id: str | None = None
    context: dict[str, Any]
    claim_duration: str | None = None
    job_duration: str
    retry_attempt: int
    job_type: str
    claim_has_completed: bool
    job_has_completed: bool


class JobStatus(Wire):
    job_id: str
    cost: float
    properties: dict[str, Any] = {}
    result: list[Result]
    last_event: Event
    service_providers: dict[str, Any] = {}
    scheduled: bool


class Submitted(Wire):
    token: str
    jobs: list[JobStatus]


def bare(posted: bytes, got: bytes) -> Application:
    """An ASGI function with two answers."""

    async def application(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        while scope["type"] == "http" and (await receive()).get("more_body"):
            pass
        if scope["type"] == "http":
            body = posted if scope["method"] == "POST" else got
            headers = [(b"content-type", JSON.encode()), (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    return application


def starlette(posted: bytes, got: bytes) -> Application:
    """Routes that send the same bytes."""

    async def submit(request: Request) -> Response:
        await request.body()
        return Response(posted, media_type=JSON)

    async def read(_: Request) -> Response:
        return Response(got, media_type=JSON)

    health = Route("/health", read)
    return Starlette(routes=[Route(JOBS, submit, methods=["POST"]), Route(JOBS + "/{job_id}", read), health])


def fastapi(posted: bytes, got: bytes) -> Application:
    """Routes with pydantic models in and out, and no store."""
    submitted, status = Submitted.model_validate_json(posted), JobStatus.model_validate_json(got)
    application = FastAPI()

    @application.post(JOBS)
    async def submit(_: TextToImage) -> Submitted:
        return submitted

    @application.get(JOBS + "/{job_id}")
    async def read(job_id: str) -> JobStatus:
        return status

    @application.get("/health")
    async def health() -> None:
        pass

    return application


REFERENCES = {"bare": bare, "starlette": starlette, "fastapi": fastapi}


def main() -> None:
    folder = Path(os.environ["ANSWERS"])
    application = REFERENCES[sys.argv[1]]((folder / "post.json").read_bytes(), (folder / "get.json").read_bytes())
    uvicorn.run(application, port=int(os.environ["PORT"]), log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
