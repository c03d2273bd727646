"""The images that were made, as whoever looks in sees them."""

from typing import Any

import pytest

from tests.support.served_app import CHECKPOINT, JOBS, Opened, Served, serve_all, template
from tests.support.v2_workflows import WorkflowClient, image

IMAGES = "/_mock/images"
SIZE = {"width": 64, "height": 64}


async def listed(opened: Opened, status: int = 200, **params: Any) -> Any:
    answer = await opened.client.get(IMAGES, params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


async def run(opened: Opened, prompt: str = "a fox", *, seed: int = 7, quantity: int = 1) -> Any:
    params = {"prompt": prompt, "seed": seed, "steps": 2, **SIZE}
    return await opened.run(template(params=params, quantity=quantity))


async def test_images_of_both_versions_are_listed_youngest_first() -> None:
    async with serve_all(missing_resources="lenient") as opened:
        first = await run(opened)
        client = WorkflowClient(opened.client)
        second = await client.until_over((await client.submit(image(seed=3, prompt="a nude", **SIZE)))["id"])
        newer, older = (await listed(opened))["items"]
        assert older == {
            "blobKey": first["result"][0]["blobKey"],
            "jobId": first["jobId"],
            "index": 0,
            "madeAt": older["madeAt"],
            "contentType": "image/png",
            "nsfwLevel": "pg",
            "seed": 7,
            "prompt": "a fox",
            "model": CHECKPOINT,
        }
        assert newer["blobKey"] == second["steps"][0]["output"]["images"][0]["id"]
        assert (newer["width"], newer["height"], newer["seed"], newer["nsfwLevel"]) == (64, 64, 3, "x")


async def test_images_are_found_by_seed_text_and_age() -> None:
    async with serve_all() as opened:
        fox, wolf = await run(opened, seed=1, quantity=2), await run(opened, "a wolf", seed=2)
        asks: dict[str, dict[str, Any]] = {
            "seed": {"seed": 1},
            "text": {"q": "WOLF"},
            "none": {"seed": 3},
            "age": {"since": "0s"},
        }
        found = {
            name: [item["jobId"] for item in (await listed(opened, **params))["items"]] for name, params in asks.items()
        }
        assert found == {"seed": [fox["jobId"]] * 2, "text": [wolf["jobId"]], "none": [], "age": []}


async def test_pages_have_whole_jobs_and_each_image_once() -> None:
    async with serve_all() as opened:
        quantities = [1, 3, 2, 4, 1]
        jobs = [(await run(opened, quantity=quantity))["jobId"] for quantity in quantities]
        pages, cursor = [], None
        while True:
            page = await listed(opened, take=3, **({"cursor": cursor} if cursor else {}))
            pages.append([(item["jobId"], item["index"]) for item in page["items"]])
            cursor = page.get("next")
            if cursor is None:
                break
        assert [len(page) for page in pages] == [1, 4, 2, 3, 1]
        expected = [(job, index) for job, quantity in zip(jobs, quantities, strict=True) for index in range(quantity)]
        assert sorted(place for page in pages for place in page) == sorted(expected)


async def test_what_is_gone_or_no_image_is_not_listed() -> None:
    async with serve_all() as opened:
        kept, deleted = await run(opened), await run(opened)
        await opened.stores.blobs.delete(deleted["result"][0]["blobKey"])
        await opened.client.post(
            f"{JOBS}?wait=true", json={"$type": "wdTagging", "model": "wd", "mediaUrl": "https://e.example/1.png"}
        )
        assert [item["jobId"] for item in (await listed(opened))["items"]] == [kept["jobId"]]


@pytest.mark.parametrize(
    ("params", "member"),
    [({"seed": "x"}, "seed"), ({"seed": "-1"}, "seed"), ({"since": "x"}, "since"), ({"prompt": "x"}, "prompt")],
)
async def test_what_is_asked_wrongly_is_a_400(served: Served, params: dict[str, str], member: str) -> None:
    assert list((await listed(served, 400, **params))["errors"]) == [member]
