"""Requests whose graphs take long to build, beside those that do not."""

import asyncio
import threading
from importlib import import_module
from typing import Any

import pytest

from civitai_mock.generation.job_types import job_work
from tests.scheduler.conftest import Bench, running
from tests.support.served_app import PATIENCE_SECONDS


@pytest.mark.parametrize(("prompt", "beside"), [("a fox", False), ("a fox <lora:none:1> " * 200, True)])
async def test_a_long_request_holds_up_nobody(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, prompt: str, beside: bool
) -> None:
    threads: list[int] = []

    def noting(*given: Any) -> Any:
        threads.append(threading.get_ident())
        return job_work(*given)

    monkeypatch.setattr(import_module("civitai_mock.scheduler.steps"), "job_work", noting)
    async with running(bench.scheduler()), asyncio.timeout(PATIENCE_SECONDS):
        (job,) = await bench.submit(params={"prompt": prompt})
        while not await bench.has_ended(job.id):  # noqa: ASYNC110 - a thread takes real time
            await asyncio.sleep(0.01)
    assert [thread != threading.get_ident() for thread in threads] == [beside]
