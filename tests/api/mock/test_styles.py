"""Styles under /_mock, and what requests get that name one."""

from typing import Any

import pytest

from tests.support.served_app import CHECKPOINT, JOBS, LORA, Served, template

STYLES = "/_mock/styles"
BUILT_IN = ["comic", "graphic-novel", "manga", "realistic"]
GRAPH = "/_mock/graph"
IN_A = {"X-Mock-Namespace": "a"}
SKETCH: dict[str, Any] = {
    "title": "A sketch",
    "model": CHECKPOINT,
    "promptTemplate": "pencil sketch of {prompt}, on paper",
    "negativePrompt": "color",
    "additionalNetworks": {LORA: {"strength": 0.5}},
    "params": {"steps": 33, "cfgScale": 3},
}
BARE = {"promptTemplate": "{prompt}!"}


async def put(served: Served, name: str, style: Any, **headers: str) -> dict[str, Any]:
    answer = await served.client.put(f"{STYLES}/{name}", json=style, headers=headers)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def names(served: Served, **headers: str) -> list[str]:
    return [item["name"] for item in (await served.client.get(STYLES, headers=headers)).json()["items"]]


async def nodes(served: Served, body: Any, **headers: str) -> list[dict[str, Any]]:
    answer = await served.client.post(GRAPH, json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return [node["inputs"] for node in answer.json().values()]


def values(found: list[dict[str, Any]], name: str) -> list[Any]:
    return [inputs[name] for inputs in found if name in inputs and not isinstance(inputs[name], list)]


def styled(style: str, *, model: str | None = None, prompt: str | None = "a fox", **params: Any) -> dict[str, Any]:
    body = {"$type": "textToImage", "model": model, "params": {"prompt": prompt, "style": style, **params}}
    return {name: value for name, value in body.items() if value is not None}


async def test_the_built_in_styles_are_there_in_every_namespace(served: Served) -> None:
    for headers in ({}, IN_A):
        listed = (await served.client.get(STYLES, headers=headers)).json()["items"]
        assert [(item["name"], item["builtIn"]) for item in listed] == [(name, True) for name in BUILT_IN]
        assert all(item["title"] and item["model"] and "{prompt}" in item["promptTemplate"] for item in listed)


@pytest.mark.parametrize("name", BUILT_IN)
async def test_a_built_in_style_is_enough_for_a_job(served: Served, name: str) -> None:
    style = (await served.client.get(f"{STYLES}/{name}")).json()
    texts = values(await nodes(served, styled(name)), "text")
    assert style["promptTemplate"].replace("{prompt}", "a fox") in texts
    assert (await put(served, name, {key: style[key] for key in style if key not in {"name", "builtIn"}}))[
        "name"
    ] == name


async def test_a_style_is_told_as_it_was_set(served: Served) -> None:
    told = {"name": "sketch", **SKETCH, "builtIn": False}
    assert await put(served, "sketch", SKETCH) == told
    assert (await served.client.get(f"{STYLES}/sketch")).json() == told
    assert await put(served, "bare", BARE) == {"name": "bare", "title": "bare", **BARE, "builtIn": False}
    assert await names(served) == sorted([*BUILT_IN, "bare", "sketch"])
    assert await names(served, **IN_A) == BUILT_IN
    assert (await served.client.post("/_mock/reset", json={})).status_code == 204
    assert await names(served) == BUILT_IN


async def test_a_built_in_style_is_replaced_and_comes_back_but_is_never_removed(served: Served) -> None:
    before = (await served.client.get(f"{STYLES}/manga")).json()
    assert (await served.client.request("DELETE", f"{STYLES}/manga", json={})).status_code == 409
    assert (await put(served, "manga", BARE))["builtIn"] is False
    assert (await served.client.request("DELETE", f"{STYLES}/manga", json={})).status_code == 204
    assert (await served.client.get(f"{STYLES}/manga")).json() == before
    answer = await served.client.request("DELETE", f"{STYLES}/manga", json={})
    assert (answer.status_code, "built in" in answer.json()["detail"]) == (409, True)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_an_unknown_style_is_a_404_with_the_nearest_name(served: Served, method: str) -> None:
    answer = await served.client.request(method, f"{STYLES}/mangga", json={})
    assert (answer.status_code, "Did you mean 'manga'?" in answer.json()["detail"]) == (404, True)


@pytest.mark.parametrize(
    ("change", "path", "hint"),
    [
        ({"promptTemplate": None}, "promptTemplate", "required"),
        ({"promptTemplate": "a sketch"}, "promptTemplate", "exactly once; found it 0 times"),
        ({"promptTemplate": "{prompt} {prompt}"}, "promptTemplate", "exactly once; found it 2 times"),
        ({"promptTemplate": 5}, "promptTemplate", "Expected a text"),
        ({"promptTemplate": "\0{prompt}"}, "promptTemplate", "NUL"),
        ({"promptTemplat": "{prompt}"}, "promptTemplat", "Did you mean 'promptTemplate'?"),
        ({"title": ["a"]}, "title", "Expected a text"),
        ({"model": "no air"}, "model", "AIR"),
        ({"params": []}, "params", "Expected a JSON object"),
        ({"params": {"steps": 0}}, "params.steps", "greater than or equal to 1"),
        ({"params": {"stepz": 9}}, "params.stepz", "Did you mean 'steps'?"),
        ({"params": {"prompt": "a fox"}}, "params.prompt", "Unknown member"),
        ({"params": {"style": "manga"}}, "params.style", "Unknown member"),
        ({"params": {"hires": {"scael": 2}}}, "params.hires.scael", "Did you mean 'scale'?"),
        ({"negativePrompt": "\0"}, "negativePrompt", "NUL"),
        ({"additionalNetworks": {"mine": {}}}, "additionalNetworks.mine", "AIR"),
        ({"additionalNetworks": {LORA: {"strengh": 1}}}, f"additionalNetworks.{LORA}.strengh", "'strength'?"),
    ],
)
async def test_what_is_wrong_with_a_style_is_a_400_with_its_path(
    served: Served, change: dict[str, Any], path: str, hint: str
) -> None:
    answer = await served.client.put(f"{STYLES}/sketch", json=SKETCH | change)
    assert answer.status_code == 400, answer.text
    assert hint in str(answer.json()["errors"][path])
    assert await names(served) == BUILT_IN


async def test_styles_are_limited(served: Served) -> None:
    large = {"promptTemplate": "{prompt}" + "x" * 9_900}
    statuses = [(await served.client.put(f"{STYLES}/s{number}", json=large)).status_code for number in range(107)]
    assert (set(statuses[:100]), statuses[-1]) == ({200}, 409)


async def test_the_graph_has_what_the_style_says(served: Served) -> None:
    await put(served, "sketch", SKETCH)
    found = await nodes(served, styled("sketch"))
    assert {"pencil sketch of a fox, on paper", "color"} <= set(values(found, "text"))
    assert (values(found, "steps"), values(found, "cfg"), values(found, "strength_model")) == ([33], [3], [0.5])


async def test_what_the_request_says_wins(served: Served) -> None:
    await put(served, "sketch", SKETCH)
    body = styled("sketch", model="urn:air:sd1:checkpoint:civitai:4384@128713", Steps=7, negativePrompt="blur")
    body["AdditionalNetworks"] = {"@civitai/87153": {"strength": 0.25}}
    found = await nodes(served, body)
    assert (values(found, "steps"), values(found, "cfg"), values(found, "strength_model")) == ([7], [3], [0.25])
    assert {"pencil sketch of a fox, on paper", "blur"} <= set(values(found, "text"))
    assert "dreamshaper" in str(values(found, "ckpt_name")).lower() or "4384" in str(values(found, "ckpt_name"))


@pytest.mark.parametrize("prompt", ["{prompt} {x} {{}} %s", "}{", "", None])
async def test_braces_in_a_prompt_are_text(served: Served, prompt: str | None) -> None:
    await put(served, "bare", BARE | {"promptTemplate": "{x} {prompt} {y}", "model": CHECKPOINT})
    assert f"{{x}} {prompt or ''} {{y}}" in values(await nodes(served, styled("bare", prompt=prompt)), "text")


@pytest.mark.parametrize("name", ["mangga", "Manga", "x" * 100])
async def test_an_unknown_style_of_a_request_is_a_400_with_the_nearest_name(served: Served, name: str) -> None:
    wrong, right = template(params={"style": name}), template()
    for body, path in ((wrong, "params.style"), ({"jobs": [right, wrong]}, "jobs[1].params.style")):
        answer = await served.client.post(JOBS, json=body)
        assert answer.status_code == 400, answer.text
        (message,) = answer.json()["errors"][path]
        assert ("realistic" in message, "Did you mean" in message) == (True, True)


async def test_a_style_that_leaves_the_model_open_needs_one_in_the_request(served: Served) -> None:
    await put(served, "bare", BARE)
    answer = await served.client.post(JOBS, json=styled("bare"))
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["model"])
    answer = await served.client.post(JOBS, json=template(params={"style": 5}))
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["params.style"])


async def test_the_status_keeps_the_prompt_of_the_user_and_no_member_more(served: Served) -> None:
    await put(served, "sketch", SKETCH)
    plain, with_style = template(), template(params=template()["params"] | {"style": "sketch"})
    ids = [(await served.client.post(JOBS, json=body)).json()["jobId"] for body in (plain, with_style)]
    told = [(await served.client.get(f"{JOBS}/{job_id}?detailed=true")).json() for job_id in ids]
    jobs = [status["job"] for status in told]
    assert jobs[0]["params"]["prompt"] == jobs[1]["params"]["prompt"] == "a fox"
    assert jobs[1]["params"].pop("negativePrompt") == "color"
    assert [sorted(status) for status in (told[1], jobs[1], jobs[1]["params"])] == [
        sorted(status) for status in (told[0], jobs[0], jobs[0]["params"])
    ]
    graph = (await served.client.get(f"/_mock/jobs/{ids[1]}/graph")).json()
    assert "pencil sketch of a fox, on paper" in values([node["inputs"] for node in graph.values()], "text")


async def test_a_job_stays_as_it_was_submitted_when_its_style_changes(served: Served) -> None:
    await put(served, "sketch", SKETCH)
    job_id = (await served.client.post(JOBS, json=styled("sketch"))).json()["jobId"]
    before = (await served.client.get(f"/_mock/jobs/{job_id}/graph")).json()
    await put(served, "sketch", BARE)
    assert (await served.client.get(f"/_mock/jobs/{job_id}/graph")).json() == before


async def test_other_types_ignore_a_style_as_they_ignore_what_they_do_not_know(served: Served) -> None:
    body = {
        "$type": "wdTagging",
        "model": CHECKPOINT,
        "mediaUrl": "https://example.com/a.png",
        "params": {"style": "no"},
    }
    answer = await served.client.post(JOBS, json=body)
    assert answer.status_code == 202, answer.text


async def test_a_snapshot_has_the_styles(served: Served) -> None:
    await put(served, "sketch", SKETCH)
    saved = (await served.client.get("/_mock/namespaces/default/snapshot")).content
    headers = {"Content-Type": "application/zip"}
    restored = await served.client.put("/_mock/namespaces/a/snapshot", content=saved, headers=headers)
    assert restored.status_code in {200, 204}, restored.text
    assert await names(served, **IN_A) == sorted([*BUILT_IN, "sketch"])
