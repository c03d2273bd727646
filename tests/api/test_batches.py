"""Batches: what stands beside the templates of a submission, for all of them."""

from typing import Any

import pytest

from tests.support.served_app import CHECKPOINT, JOBS, Served, serve, template

MANGA = "manga panel, monochrome, {prompt}, screentone, clean line art, dynamic composition"


def panel(prompt: str = "a fox", **changes: Any) -> dict[str, Any]:
    return {"$type": "textToImage", "model": CHECKPOINT, "params": {"prompt": prompt}} | changes


async def submit(served: Served, batch: Any, *panels: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    """Return the detailed statuses of the panels."""
    answer = await served.client.post(f"{JOBS}?detailed=true{query}", json={"jobs": list(panels), "batch": batch})
    assert answer.status_code in {200, 202}, answer.text
    jobs: list[dict[str, Any]] = answer.json()["jobs"]
    return jobs


def seeds(statuses: list[dict[str, Any]]) -> list[int]:
    return [status["job"]["params"]["seed"] for status in statuses]


async def texts(served: Served, status: dict[str, Any]) -> list[str]:
    graph = (await served.client.get(f"/_mock/jobs/{status['jobId']}/graph")).json()
    return [node["inputs"]["text"] for node in graph.values() if isinstance(node["inputs"].get("text"), str)]


async def test_panels_get_the_id_and_their_places_and_are_found_by_them(served: Served) -> None:
    statuses = await submit(served, {"id": "comic-1"}, panel(), panel(properties={"page": 3}), panel())
    assert [status["properties"] for status in statuses] == [
        {"batchId": "comic-1", "panelIndex": 0},
        {"batchId": "comic-1", "panelIndex": 1, "page": 3},
        {"batchId": "comic-1", "panelIndex": 2},
    ]
    query = {"properties": {"batchId": "comic-1", "panelIndex": 1}}
    found = (await served.client.post(f"{JOBS}/query", json=query)).json()["jobs"]
    assert [job["jobId"] for job in found] == [statuses[1]["jobId"]]


async def test_a_batch_without_an_id_gets_one(served: Served) -> None:
    first, second = [await submit(served, {}, panel(), panel(properties={"batchId": "own"})) for _ in range(2)]
    ids = [[status["properties"]["batchId"] for status in statuses] for statuses in (first, second)]
    assert [found[1] for found in ids] == ["own", "own"]
    assert len({found[0] for found in ids}) == 2


async def test_what_a_panel_says_of_itself_wins(served: Served) -> None:
    own = {
        "Properties": {"batchId": "mine", "panelIndex": 9},
        "Params": {"Seed": 5, "Style": "comic", "prompt": "a fox"},
    }
    (status,) = await submit(served, {"id": "comic-1", "style": "manga", "seed": 7}, own)
    assert (status["properties"], seeds([status])) == ({"batchId": "mine", "panelIndex": 9}, [5])
    assert "comic book panel, a fox, bold ink outlines, flat colors, halftone dots" in await texts(served, status)


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        ({"seed": 7}, 7),
        ({"seed": 0}, 0),
        ({"character": {"seed": 8}}, 8),
        ({"seed": 7, "character": {"seed": 8}}, 7),
        ({"seed": -1, "character": {"seed": 8}}, 8),
    ],
)
async def test_one_seed_is_for_all_panels_without_one(served: Served, batch: Any, expected: int) -> None:
    own = panel(params={"prompt": "a fox", "seed": 3})
    assert seeds(await submit(served, batch, panel(), own, panel("a hen"))) == [expected, 3, expected]


async def test_a_seed_that_is_drawn_is_the_same_for_all_panels(served: Served) -> None:
    own = [panel(params={"prompt": "a fox", "seed": seed}) for seed in (-1, 3)]
    found = seeds(await submit(served, {"seed": -1}, panel(), *own, panel("a hen"), panel(params={"seed": None})))
    assert (found[0], found[2]) == (found[3], 3)
    assert (found[0] == found[4], found[0] == found[1]) == (True, False)


async def test_a_style_is_for_all_panels_and_brings_its_model(served: Served) -> None:
    bare = {"$type": "textToImage", "params": {"prompt": "a hen"}}
    first, second = await submit(served, {"style": "manga"}, panel(), bare)
    assert (first["job"]["model"], second["job"]["model"]) == ("@civitai/128078", "@civitai/889818")
    assert [
        MANGA.format(prompt=prompt) in await texts(served, status)
        for prompt, status in (("a fox", first), ("a hen", second))
    ] == [True, True]


@pytest.mark.parametrize("character", ["Mia, {red} hair", {"description": "Mia, {red} hair", "seed": 4}])
async def test_a_character_stands_before_each_prompt_within_the_style(served: Served, character: Any) -> None:
    first, second = await submit(
        served, {"character": character}, panel(), panel(params={"prompt": "x", "style": "manga"})
    )
    assert "Mia, {red} hair, a fox" in await texts(served, first)
    assert MANGA.format(prompt="Mia, {red} hair, x") in await texts(served, second)
    assert (first["job"]["params"]["prompt"], second["job"]["params"]["prompt"]) == ("a fox", "x")


async def test_panels_of_other_types_only_get_their_place(served: Served) -> None:
    tagging = {"$type": "wdTagging", "model": CHECKPOINT, "mediaUrl": "https://example.com/a.png"}
    first, second = await submit(served, {"style": "manga", "seed": 7, "character": "Mia"}, panel(), tagging)
    assert first["properties"]["batchId"] == second["properties"]["batchId"]
    assert second["properties"]["panelIndex"] == 1


@pytest.mark.parametrize(
    ("batch", "path", "hint"),
    [
        (7, "batch", "Expected a JSON object"),
        ([], "batch", "Expected a JSON object"),
        ({"stile": "manga"}, "batch.stile", "Did you mean 'style'?"),
        ({"style": "mangga"}, "batch.style", "Did you mean 'manga'?"),
        ({"style": 7}, "batch.style", "Expected a text"),
        ({"id": ""}, "batch.id", "1 to 100 characters"),
        ({"id": "x" * 101}, "batch.id", "1 to 100 characters"),
        ({"seed": -2}, "batch.seed", "whole number"),
        ({"seed": 2**32}, "batch.seed", "whole number"),
        ({"seed": "7"}, "batch.seed", "whole number"),
        ({"character": {}}, "batch.character", "Expected a description"),
        ({"character": 7}, "batch.character", "Expected"),
        ({"character": "\0"}, "batch.character", "NUL"),
        ({"character": {"descripton": "Mia"}}, "batch.character.descripton", "Did you mean 'description'?"),
        ({"character": {"seed": 1.5}}, "batch.character.seed", "whole number"),
    ],
)
async def test_what_is_wrong_with_a_batch_is_a_400_with_its_path(
    served: Served, batch: Any, path: str, hint: str
) -> None:
    answer = await served.client.post(JOBS, json={"jobs": [panel()], "batch": batch})
    assert answer.status_code == 400, answer.text
    assert hint in str(answer.json()["errors"][path])


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        (7, "jobs[1]"),
        (panel(properties=7), "jobs[1].properties"),
        (panel(params=7), "jobs[1].params"),
        ({"$type": "nothing"}, "jobs[1].$type"),
        (panel(params={"style": "none"}), "jobs[1].params.style"),
        (panel(params={"steps": 0}), "jobs[1].params.steps"),
    ],
)
async def test_what_is_wrong_with_a_panel_has_its_path(served: Served, wrong: Any, path: str) -> None:
    body = {"jobs": [panel(), wrong], "batch": {"style": "manga"}}
    answer = await served.client.post(JOBS, json=body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [path]), answer.text


async def test_a_batch_stands_beside_a_list(served: Served) -> None:
    answer = await served.client.post(JOBS, json=template(batch={"id": "a"}))
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["batch"])
    assert (await served.client.post(JOBS, json=template(batch=None))).status_code == 202
    answer = await served.client.post(JOBS, json={"Jobs": [panel()], "Batch": {"ID": "a"}})
    assert answer.json()["jobs"][0]["properties"] == {"batchId": "a", "panelIndex": 0}


async def test_a_thousand_panels_are_one_batch(served: Served) -> None:
    batch = {"id": "long", "style": "comic", "character": "Mia", "seed": 7}
    bare = {"$type": "textToImage", "params": {"prompt": "a fox"}}
    statuses = await submit(served, batch, *[bare] * 1000, query="&whatif=true")
    assert [status["properties"]["panelIndex"] for status in statuses] == list(range(1000))
    assert set(seeds(statuses)) == {7}


async def test_the_same_batch_is_drawn_alike_in_worlds_with_the_same_seed() -> None:
    drawn = []
    for _ in range(2):
        async with serve() as served:
            assert (await served.client.put("/_mock/namespaces/default", json={"seed": 7})).status_code in {200, 204}
            statuses = await submit(served, {}, panel(), panel("a hen"))
            drawn.append([(status["jobId"], status["properties"]["batchId"]) for status in statuses] + seeds(statuses))
    assert drawn[0] == drawn[1]
