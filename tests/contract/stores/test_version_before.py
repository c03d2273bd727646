"""Stores of earlier schemas, written by the code of their time, open and go on.

Each folder of `tests/data/stores` has what that code wrote into a SQLite folder and into a MongoDB, and what it
answered: jobs of each kind that had ended, were queued or blocked, and a webhook that had not reached its receiver.
"""

import base64
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest

from civitai_mock.bootstrap.application import Application
from civitai_mock.clock import VirtualClock
from civitai_mock.settings import Settings
from civitai_mock.storage.sqlite.open import FILE_NAME
from civitai_mock.storage.sqlite.schema import VERSION
from tests.support.paths import DATA
from tests.support.served_app import JOBS, Opened, open_app

FOLDERS = sorted((DATA / "stores").iterdir(), key=lambda folder: int(folder.name.removeprefix("schema-")))
EVENTS = "/v1/producer/jobs"
VOLATILE = frozenset(
    {
        "blobUrl",
        "blobUrlExpirationDate",
        "destinationUrl",
        "previewUrl",
        "previewUrlExpiresAt",
        "queuePosition",
        "serviceProviders",
        "url",
        "urlExpiresAt",
    }
)
StoreSettings: TypeAlias = dict[str, Any]


@asynccontextmanager
async def _written_to_sqlite(written: Path, folder: Path) -> AsyncIterator[StoreSettings]:
    folder.chmod(0o700)
    with closing(sqlite3.connect(folder / FILE_NAME)) as file:
        file.executescript((written / "sqlite.sql").read_text("utf-8"))
    for key, content in _recorded(written, "sqlite")["blobs"].items():
        (folder / "blobs" / key[:2]).mkdir(parents=True, exist_ok=True)
        (folder / "blobs" / key[:2] / key).write_bytes(base64.b64decode(content))
    yield {"data_dir": folder}


@asynccontextmanager
async def _written_to_mongo(written: Path, _: Path) -> AsyncIterator[StoreSettings]:
    mongo = pytest.importorskip("tests.support.mongo", exc_type=ImportError)
    async with mongo.mongo_address() as address:
        await address.fill(written / "mongo.json")
        yield {"mongodb_uri": address.uri, "mongodb_db_name": address.database}


WRITERS: dict[str, Callable[[Path, Path], AbstractAsyncContextManager[StoreSettings]]] = {
    "sqlite": _written_to_sqlite,
    "mongo": _written_to_mongo,
}


@pytest.fixture(params=["sqlite", pytest.param("mongo", marks=pytest.mark.mongo)])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=FOLDERS, ids=lambda folder: folder.name)
def written(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.param
    return folder


@pytest.fixture
def recorded(written: Path, kind: str) -> dict[str, Any]:
    return _recorded(written, kind)


@pytest.fixture
async def store(kind: str, written: Path, tmp_path: Path) -> AsyncIterator[StoreSettings]:
    async with WRITERS[kind](written, tmp_path) as settings:
        yield settings


@asynccontextmanager
async def _opened(recorded: dict[str, Any], store: StoreSettings, *, with_scheduler: bool) -> AsyncIterator[Opened]:
    settings = Settings(simulation_profile="instant", simulation_pictures="blank", **store)
    written_at = datetime.fromtimestamp(recorded["written_at"], UTC)
    clock = VirtualClock(written_at + timedelta(seconds=1))
    async with open_app(Application(settings, clock=clock, with_scheduler=with_scheduler)) as opened:
        yield opened


def _recorded(written: Path, kind: str) -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads((written / f"{kind}-answers.json").read_text("utf-8"))
    return recorded


def _steady(answer: Any) -> Any:
    """Leave out what depends on the moment and the address of the question."""
    if isinstance(answer, dict):
        return {name: _steady(value) for name, value in answer.items() if name not in VOLATILE}
    return [_steady(item) for item in answer] if isinstance(answer, list) else answer


def test_every_earlier_schema_since_version_3_has_a_folder() -> None:
    assert [folder.name for folder in FOLDERS] == [f"schema-{version}" for version in range(3, VERSION)]


async def _every_answer_is_as_before(opened: Opened, recorded: dict[str, Any]) -> None:
    for path, answer in recorded["answers"].items():
        assert _steady((await opened.client.get(path)).json()) == _steady(answer), path


async def _a_short_answer_is_the_long_one_without_the_job(opened: Opened, recorded: dict[str, Any]) -> None:
    for job_id in recorded["ids"].values():
        long = recorded["answers"][f"{JOBS}/{job_id}?detailed=true"]
        short = (await opened.client.get(f"{JOBS}/{job_id}")).json()
        assert {"job": _steady(long["job"]), **_steady(short)} == _steady(long), job_id


async def _jobs_are_found_by_properties_and_token(opened: Opened, recorded: dict[str, Any]) -> None:
    found = (await opened.client.post(f"{JOBS}/query", json={"properties": {"userId": 7}})).json()
    listed = (await opened.client.get(JOBS, params={"token": recorded["token"]})).json()
    assert [job["jobId"] for job in found["jobs"]] == [recorded["ids"]["succeeded"]]
    assert [job["jobId"] for job in listed["jobs"]] == [recorded["ids"]["succeeded"]]


async def _images_are_served(opened: Opened, recorded: dict[str, Any]) -> None:
    job = (await opened.client.get(f"{JOBS}/{recorded['ids']['succeeded']}")).json()
    for image in job["result"]:
        answer: httpx.Response = await opened.client.get(httpx.URL(image["blobUrl"]).raw_path.decode())
        assert answer.content.startswith(b"\x89PNG")


LOOKS = [
    _every_answer_is_as_before,
    _a_short_answer_is_the_long_one_without_the_job,
    _jobs_are_found_by_properties_and_token,
    _images_are_served,
]


async def test_whoever_looks_sees_what_the_version_before_showed(
    recorded: dict[str, Any], store: StoreSettings
) -> None:
    async with _opened(recorded, store, with_scheduler=False) as opened:
        for look in LOOKS:
            await look(opened, recorded)


async def test_what_was_queued_or_blocked_runs_to_its_end_and_comes_into_the_feed(
    recorded: dict[str, Any], store: StoreSettings
) -> None:
    ids = recorded["ids"]
    async with _opened(recorded, store, with_scheduler=True) as opened:
        for name in ("queued", "first", "blocked"):
            await opened.wait_until_ended(ids[name])
            events = (await opened.client.get(f"{EVENTS}/{ids[name]}/events")).json()
            assert events[-1]["type"] == "Succeeded", name
        canceled = (await opened.client.get(f"{EVENTS}/{ids['canceled']}/events")).json()
        page = await opened.stores.feed.after("", limit=1000)
    assert canceled[-1]["type"] == "Deleted"
    assert ids["queued"] in {entry.job_id for entry in page.entries if entry.outcome is not None}
