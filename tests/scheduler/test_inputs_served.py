"""Images of earlier jobs as the input of later ones: the whole server on a stand-in ComfyUI."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from civitai_mock.bootstrap.standin import make_comfyui_standin
from civitai_mock.comfyui_standin.state.files import FilePlace
from tests.support.served_app import JOBS, Opened, make_settings, serve_all, template
from tests.support.standin import RunningStandin, running_app


@pytest.fixture
async def standin() -> AsyncIterator[RunningStandin]:
    """Run one with the files of the built-in catalogue."""
    async with running_app(make_comfyui_standin(make_settings())) as running:
        yield running


def uploaded(standin: RunningStandin) -> list[str]:
    return list(standin.server.state.files.names("input", "civitai-mock"))


def content_of(standin: RunningStandin, name: str) -> bytes:
    file = standin.server.state.files.get(FilePlace("input", "civitai-mock", name))
    assert file is not None
    return file.content


async def run(opened: Opened, **changes: Any) -> Any:
    answer = await opened.client.post(JOBS, json=template(**changes))
    assert answer.status_code == 202, answer.text
    job_id = answer.json()["jobs"][0]["jobId"]
    await opened.wait_until_ended(job_id)
    return (await opened.client.get(f"{JOBS}/{job_id}")).json()


def from_source(url: str) -> dict[str, Any]:
    return {**template()["params"], "sourceImage": url}


async def test_a_job_draws_on_the_image_of_another_by_its_url(standin: RunningStandin) -> None:
    async with serve_all(comfy_http_url=standin.url) as opened:
        (first,) = (await run(opened))["result"]
        done = await run(opened, params=from_source(first["blobUrl"]))
        assert done["result"][0]["available"], done["lastEvent"]
        (name,) = uploaded(standin)
        assert content_of(standin, name) == (await opened.client.get(first["blobUrl"])).content


async def test_a_job_is_guided_by_the_image_of_another_by_its_key(standin: RunningStandin) -> None:
    async with serve_all(comfy_http_url=standin.url) as opened:
        (first,) = (await run(opened))["result"]
        net = {"preprocessor": "canny", "blobKey": first["blobKey"]}
        done = await run(opened, controlNets=[net])
        assert done["result"][0]["available"], done["lastEvent"]
        assert len(uploaded(standin)) == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:8188/view", "http://169.254.169.254/latest", "http://[::1]/x.png"])
async def test_a_url_that_may_never_be_fetched_is_refused_at_once(standin: RunningStandin, url: str) -> None:
    async with serve_all(comfy_http_url=standin.url) as opened:
        answer = await opened.client.post(JOBS, json=template(params=from_source(url)))
        assert answer.status_code == 400
        (path,) = answer.json()["errors"]
        assert path == "params.sourceImage"
        assert "see IMAGE_ALLOWED_HOSTS" in answer.json()["errors"][path][0]


async def test_a_blob_url_that_was_tampered_with_is_refused_at_once(standin: RunningStandin) -> None:
    async with serve_all(comfy_http_url=standin.url) as opened:
        (first,) = (await run(opened))["result"]
        answer = await opened.client.post(JOBS, json=template(params=from_source(first["blobUrl"] + "0")))
        assert answer.status_code == 400
        assert "signature" in answer.json()["errors"]["params.sourceImage"][0]


async def test_simulation_fetches_nothing_and_so_refuses_no_host() -> None:
    async with serve_all() as opened:
        done = await run(opened, params=from_source("http://127.0.0.1:9/x.png"))
        assert done["result"][0]["available"], done["lastEvent"]
