"""The list of services: their ids are those of the real list, and what is said of them is true here."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from civitai_mock.api.v2.service_catalog import services
from civitai_mock.services.health import HealthReport
from tests.support.served_app import Served, serve
from tests.support.v2_description import check_answer

SERVICES = "/v2/services"
# Services of the real list, as clients of 2026 know them.
REAL: dict[str, tuple[str, dict[str, str]]] = {
    "image/sdcpp/zImage/turbo/createImage": (
        "imageGen",
        {"engine": "sdcpp", "ecosystem": "zImage", "model": "turbo", "operation": "createImage"},
    ),
    "image/flux2/klein/createImage/9b": (
        "imageGen",
        {"engine": "flux2", "model": "klein", "operation": "createImage", "modelVersion": "9b"},
    ),
    "image/sdcpp/flux2Klein/createVariant/9b": (
        "imageGen",
        {"engine": "sdcpp", "ecosystem": "flux2Klein", "operation": "createVariant", "modelVersion": "9b"},
    ),
    "image/qwen/editImage/3.0-pro": ("imageGen", {"engine": "qwen", "operation": "editImage", "model": "3.0-pro"}),
    "image/seedream/v4.5": ("imageGen", {"engine": "seedream", "version": "v4.5"}),
    "image/flux1-kontext/pro": ("imageGen", {"engine": "flux1-kontext", "model": "pro"}),
    "image/wan/v2.7/fal/editImage": (
        "imageGen",
        {"engine": "wan", "version": "v2.7", "provider": "fal", "operation": "editImage"},
    ),
    "video/kling": ("videoGen", {"engine": "kling"}),
    "video/ltx2.3/firstLastFrameToVideo": ("videoGen", {"engine": "ltx2.3", "operation": "firstLastFrameToVideo"}),
    "model/ai-toolkit/flux2klein/9b": (
        "training",
        {"engine": "ai-toolkit", "ecosystem": "flux2klein", "modelVariant": "9b"},
    ),
    "model/kohya": ("imageResourceTraining", {"engine": "kohya"}),
    "3d/comfy/hunyuan3D/texGen": ("polyGen", {"engine": "comfy", "model": "hunyuan3D", "operation": "texGen"}),
    "text/prompt": ("shieldstralModeration", {"mode": "prompt"}),
    "image/preprocessImage": ("preprocessImage", {}),
    "utility/customComfy": ("customComfy", {}),
    "utility/repeat": ("repeat", {}),
    "image/imageUpload": ("imageUpload", {}),
    "text/wdTagging": ("wdTagging", {}),
}


async def page(client: httpx.AsyncClient, query: str = "") -> Any:
    answer = await client.get(f"{SERVICES}?{query}")
    assert answer.status_code == 200, answer.text
    check_answer("PaginatedResponseOfServiceResponse", answer.json())
    return answer.json()


async def ids(client: httpx.AsyncClient, query: str) -> list[str]:
    return [service["id"] for service in (await page(client, f"limit=1000&{query}"))["items"]]


@pytest.mark.parametrize("service_id", REAL)
async def test_a_service_is_known_by_its_real_id(client: httpx.AsyncClient, service_id: str) -> None:
    answer = await client.get(f"{SERVICES}/{service_id}?window=7d&interval=1d")
    service = answer.json()
    check_answer("ServiceResponse", service)
    assert (service["step"], service["parameters"]) == REAL[service_id]
    assert service["category"] == service_id.partition("/")[0]
    assert service["history"] == {"interval": "1d", "buckets": []}
    assert service["submit"].endswith("/v2/consumer/workflows")


async def test_slashes_of_an_id_may_be_percent_encoded(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"{SERVICES}/image%2Fseedream%2Fv4")).json()["id"] == "image/seedream/v4"


async def test_pages_have_all_services_once(client: httpx.AsyncClient) -> None:
    first = await page(client, "limit=200&offset=0")
    second = await page(client, "limit=200&offset=200")
    found = [service["id"] for service in [*first["items"], *second["items"]]]
    assert found == list(services())
    assert (first["limit"], first["offset"], second["offset"]) == (200, 0, 200)
    assert first["totalCount"] == second["totalCount"] == len(found)


async def test_pages_have_a_hundred_services_if_nobody_says_how_many(client: httpx.AsyncClient) -> None:
    assert len((await page(client))["items"]) == 100
    assert (await page(client, "offset=100000"))["items"] == []


@pytest.mark.parametrize(
    ("query", "some", "others"),
    [
        ("category=video", "video/kling", "image/seedream/v4"),
        ("prefix=image/flux2", "image/flux2/max/editImage", "image/flux1-kontext/max"),
        ("prefix=image/flux2/", "image/flux2/max/editImage", "image/seedream/v4"),
        ("tags=upscaling", "image/imageUpscaler", "image/imageBackgroundRemoval"),
        ("tags=upscaling&tags=stand-in", "video/videoUpscaler", "image/comfy/sdxl/createImage"),
        ("query=SeeDream", "image/seedream/v4", "image/flux1-kontext/max"),
        ("query=upscaling", "image/imageUpscaler", "image/seedream/v4"),
        ("status=available", "image/seedream/v4", "nothing"),
    ],
)
async def test_filters_leave_the_others_out(client: httpx.AsyncClient, query: str, some: str, others: str) -> None:
    found = await ids(client, query)
    assert some in found
    assert others not in found


@pytest.mark.parametrize("query", ["tags=upscaling&tags=background-removal", "category=none", "status=degraded"])
async def test_filters_may_leave_nothing(client: httpx.AsyncClient, query: str) -> None:
    found = await page(client, query)
    assert (found["items"], found["totalCount"]) == ([], 0)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("limit=0", "limit"),
        ("limit=x", "limit"),
        ("limit=100000", "limit"),
        ("offset=-1", "offset"),
        ("status=good", "status"),
        ("window=2h", "window"),
    ],
)
async def test_a_bad_question_is_refused(client: httpx.AsyncClient, query: str, name: str) -> None:
    answer = await client.get(f"{SERVICES}?{query}")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [name])


async def test_an_unknown_service_or_interval_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.get(f"{SERVICES}/image/nothing")).status_code == 404
    assert (await client.get(f"{SERVICES}/image/seedream/v4?interval=1m")).status_code == 400


async def test_whoever_has_no_token_may_read_it() -> None:
    async with serve(auth="tokens", auth_tokens="alice") as served:
        assert (await served.client.get(SERVICES)).status_code == 200
        assert (await served.client.get(f"{SERVICES}/image/seedream/v4")).status_code == 200
        assert (await served.client.post(SERVICES)).status_code == 401


async def test_what_runs_on_the_provider_and_what_is_made_up_is_said(client: httpx.AsyncClient) -> None:
    by_id = {service["id"]: service for service in (await page(client, "limit=1000"))["items"]}
    for service_id in ("image/comfy/sdxl/createImage", "image/textToImage", "utility/comfy"):
        assert "comfyui" in by_id[service_id]["tags"]
        assert "runs a ComfyUI graph" in by_id[service_id]["description"]
    assert "stand-in" in by_id["image/seedream/v4"]["tags"]
    assert by_id["image/seedream/v4"]["description"].startswith("No model runs")


@pytest.mark.parametrize(
    ("ready", "reason", "expected"),
    [
        ({"sdxl", "sd1"}, None, {"sdxl": "available", "flux1": "unavailable", "made up": "available"}),
        (set(), None, {"sdxl": "unavailable", "flux1": "unavailable", "made up": "available"}),
        ({"sdxl"}, "nobody works", {"sdxl": "unavailable", "flux1": "unavailable", "made up": "unavailable"}),
    ],
)
async def test_the_status_is_that_of_the_workers(
    served: Served, ready: set[str], reason: str | None, expected: dict[str, str]
) -> None:
    await _set_workers(served, [(True, ready)] if ready else [(False, {"sdxl"})], reason)
    ids_of = {
        "sdxl": "image/sdcpp/sdxl/createImage",
        "flux1": "image/comfy/flux1/createImage",
        "made up": "image/seedream/v4",
    }
    found = {name: (await served.client.get(f"{SERVICES}/{ids_of[name]}")).json()["status"] for name in expected}
    assert found == expected


async def test_a_service_is_degraded_while_some_worker_is_away(served: Served) -> None:
    await _set_workers(served, [(True, {"sdxl"}), (False, {"sdxl"})], None)
    assert (await served.client.get(f"{SERVICES}/image/comfy/sdxl/createImage")).json()["status"] == "degraded"
    assert await ids(served.client, "status=unavailable&query=comfy/flux1") == [
        "image/comfy/flux1/createImage",
        "image/comfy/flux1/createVariant",
    ]


async def _set_workers(served: Served, workers: list[tuple[bool, set[str]]], reason: str | None) -> None:
    """Let health report these workers, each ready or not and with these ecosystems."""
    found = await served.use_cases.health()
    (template,) = found.workers
    reports = [replace(template, ready=ready, ecosystems=tuple(ecosystems)) for ready, ecosystems in workers]
    report = HealthReport(store=found.store, provider=found.provider, workers=reports, reason=reason)

    async def health() -> HealthReport:
        return report

    served.answer_with(health=health)
