"""Look up, list and change workflows over HTTP."""

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.served_app import BASE_URL, Opened, Served, serve, serve_all
from tests.support.v2_workflows import WORKFLOWS, WorkflowClient, echo, image, reference, template

PATCH = {"content-type": "application/json-patch+json"}
UNKNOWN = "1-20260101000000000"


@pytest.fixture
def workflows(served: Served) -> WorkflowClient:
    """Return a client of a server that runs nothing by itself."""
    return WorkflowClient(served.client)


@pytest.fixture
async def running() -> AsyncIterator[WorkflowClient]:
    async with serve_all() as opened:
        yield WorkflowClient(opened.client)


async def test_a_workflow_is_202_until_it_is_over_and_then_200(served: Served, workflows: WorkflowClient) -> None:
    made = await workflows.submit(image(), expected=[202])
    waiting = await served.client.get(f"{WORKFLOWS}/{made['id']}")
    assert waiting.status_code == 202
    await served.finish()
    done = await served.client.get(f"{WORKFLOWS}/{made['id']}")
    assert (done.status_code, done.json()["status"]) == (200, "succeeded")
    (blob,) = done.json()["steps"][0]["output"]["images"]
    assert blob["available"] is True
    assert blob["url"].startswith(f"{BASE_URL}/v2/consumer/blobs/{blob['id']}?sig=")


async def test_urls_begin_with_the_address_that_was_asked(served: Served, workflows: WorkflowClient) -> None:
    made = await workflows.submit(image(), expected=[202])
    answer = await served.client.get(f"{WORKFLOWS}/{made['id']}", headers={"host": "other.test:81"})
    assert answer.json()["steps"][0]["output"]["images"][0]["url"].startswith("http://other.test:81/v2/")


async def test_a_finished_workflow_answers_the_same_again_until_it_changes(running: WorkflowClient) -> None:
    """Kept answers are right, too."""
    made = await running.submit(image(), query="wait=60", expected=[200])
    bodies = []
    for _ in range(4):
        answer = await running.http.get(f"{WORKFLOWS}/{made['id']}")
        assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
        bodies.append(answer.json()["tags"])
    await running.change("POST", f"{made['id']}/tags", json="best")
    assert bodies == [[]] * 4
    assert (await running.get(made["id"]))["tags"] == ["best"]
    await running.change("DELETE", made["id"])
    assert (await running.http.get(f"{WORKFLOWS}/{made['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("GET", "?wait=5", None),
        ("PUT", "", {}),
        ("PATCH", "", []),
        ("DELETE", "", None),
        ("POST", "/tags", "a"),
        ("DELETE", "/tags/a", None),
        ("DELETE", "/tags", None),
        ("GET", "/steps/$0", None),
        ("PUT", "/steps/$0", {"metadata": {}}),
        ("PATCH", "/steps/$0", []),
    ],
)
@pytest.mark.parametrize("workflow_id", [UNKNOWN, "%00", "x" * 3000, "é"])
async def test_an_unknown_workflow_is_404(served: Served, method: str, path: str, body: Any, workflow_id: str) -> None:
    answer = await served.client.request(method, f"{WORKFLOWS}/{workflow_id}{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_workflow_of_somebody_else_is_404() -> None:
    async with serve(auth="tokens", auth_tokens="alice, bob") as served:
        alice, bob = ({"authorization": f"Bearer {name}"} for name in ("alice", "bob"))
        made = (await served.client.post(WORKFLOWS, json=template(tags=["mine"]), headers=alice)).json()
        path = f"{WORKFLOWS}/{made['id']}"
        assert (await served.client.get(path, headers=alice)).status_code == 202
        for method, suffix, body in (
            ("GET", "", None),
            ("PUT", "", {"status": "canceled"}),
            ("PATCH", "", [{"op": "add", "path": "/tags/-", "value": "b"}]),
            ("DELETE", "", None),
            ("POST", "/tags", "b"),
            ("DELETE", "/tags/mine", None),
            ("GET", "/steps/$0", None),
        ):
            answer = await served.client.request(method, path + suffix, json=body, headers=bob)
            assert answer.status_code == 404, (method, suffix)
            assert (await served.client.request(method, path + suffix, json=body)).status_code == 401
        assert (await served.client.get(WORKFLOWS, headers=bob)).json() == {"items": []}
        kept = (await served.client.get(path, headers=alice)).json()
        assert (kept["status"], kept["tags"]) == ("unassigned", ["mine"])


async def test_pages_have_all_workflows_once_the_youngest_first(served: Served, workflows: WorkflowClient) -> None:
    made = []
    for number in range(7):
        served.clock.advance(1)
        made.append((await workflows.submit(echo(str(number))))["id"])
    for query, expected in (("", made[::-1]), ("ascending=true&", made)):
        found: list[str] = []
        page = await workflows.list(f"{query}take=3")
        while True:
            found += [workflow["id"] for workflow in page["items"]]
            if "next" not in page:
                break
            page = await workflows.list(f"{query}take=3&cursor={quote(page['next'])}")
        assert found == expected


async def test_a_list_is_filtered_by_tags_dates_and_words(served: Served, workflows: WorkflowClient) -> None:
    start = served.clock.now()
    one = (await workflows.submit(tags=["a", "b"], metadata={"title": "Red Fox"}))["id"]
    served.clock.advance(10)
    two = (await workflows.submit(tags=["b"], metadata={"nested": {"fox": 7}}))["id"]
    served.clock.advance(10)
    three = (await workflows.submit(tags=[]))["id"]
    moment = quote((start + timedelta(seconds=10)).isoformat())
    for query, expected in (
        ("tags=b", [two, one]),
        ("tags=a&tags=b", [one]),
        ("tags=c", []),
        ("query=FOX", [two, one]),
        ("query=red%20f", [one]),
        (f"fromDate={moment}", [three, two]),
        (f"toDate={moment}", [two, one]),
        (f"fromDate={moment}&toDate={moment}", [two]),
        ("take=1", [three]),
        ("TAGS=b&Take=1", [two]),
    ):
        assert await workflows.ids(query) == expected, query


async def test_a_list_may_leave_out_what_did_not_succeed(workflows: WorkflowClient) -> None:
    kept = (await workflows.submit())["id"]
    canceled = (await workflows.submit())["id"]
    await workflows.change("PUT", canceled, json={"status": "canceled"})
    assert await workflows.ids() == [canceled, kept]
    assert await workflows.ids("excludeFailed=true") == [kept]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("take=0", "take"),
        ("take=-1", "take"),
        ("take=many", "take"),
        ("cursor=nonsense", "cursor"),
        ("fromDate=yesterday", "fromDate"),
        ("toDate=1", "toDate"),
        ("ascending=up", "ascending"),
        ("excludeFailed=2", "excludeFailed"),
        ("hideMatureContent=x", "hideMatureContent"),
        ("query=" + "a" * 1001, "query"),
    ],
)
async def test_a_bad_question_is_refused_by_its_parameter(served: Served, query: str, name: str) -> None:
    answer = await served.client.get(f"{WORKFLOWS}?{query}")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [name])


async def test_files_of_workflows_can_be_had_as_one_zip(running: WorkflowClient) -> None:
    made = await running.submit(image(quantity=2), query="wait=60", tags=["zip"], expected=[200])
    await running.submit(image(), query="wait=60", expected=[200])
    answer = await running.http.get(f"{WORKFLOWS}?tags=zip", headers={"accept": "application/zip"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = [blob["id"] for blob in made["steps"][0]["output"]["images"]]
        assert archive.namelist() == names
        assert all(archive.read(name).startswith(b"\xff\xd8") for name in names)


async def test_mature_blobs_have_no_urls_for_who_hides_them(running: WorkflowClient) -> None:
    step = image(prompt="a nude woman, nsfw")
    made = await running.submit(step, query="wait=60", tags=["m"], allowMatureContent=True, expected=[200])
    assert made["nsfwLevel"] in {"r", "x", "xxx"}
    (shown,) = (await running.get(made["id"]))["steps"][0]["output"]["images"]
    (hidden,) = (await running.get(made["id"], "hideMatureContent=true"))["steps"][0]["output"]["images"]
    assert {"url", "previewUrl"} <= set(shown)
    assert set(shown) - set(hidden) == {"url", "urlExpiresAt", "previewUrl", "previewUrlExpiresAt"}
    assert (hidden["id"], hidden["available"]) == (shown["id"], True)
    (listed,) = (await running.list("tags=m"))["items"]
    assert "url" not in listed["steps"][0]["output"]["images"][0]
    (listed,) = (await running.list("tags=m&hideMatureContent=false"))["items"]
    assert "url" in listed["steps"][0]["output"]["images"][0]
    for query, files in (("", 0), ("&hideMatureContent=false", 1)):
        answer = await running.http.get(f"{WORKFLOWS}?tags=m{query}", headers={"accept": "application/zip"})
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert len(archive.namelist()) == files


async def test_members_are_replaced_as_a_whole_and_others_stay(workflows: WorkflowClient) -> None:
    made = await workflows.submit(tags=["a"], metadata={"x": 1, "y": 2})
    await workflows.change("PUT", made["id"], json={"metadata": {"z": 3}})
    found = await workflows.get(made["id"])
    assert (found["metadata"], found["tags"]) == ({"z": 3}, ["a"])
    await workflows.change("PUT", made["id"], json={"TAGS": [], "unknown": 1})
    found = await workflows.get(made["id"])
    assert (found["metadata"], found["tags"]) == ({"z": 3}, [])
    await workflows.change("PUT", made["id"], json={"tags": None, "metadata": None})
    assert (await workflows.get(made["id"]))["metadata"] == {"z": 3}


async def test_a_canceled_workflow_gives_everything_back(workflows: WorkflowClient) -> None:
    made = await workflows.submit(image())
    await workflows.change("PUT", made["id"], json={"status": "canceled"})
    found = await workflows.get(made["id"])
    assert (found["status"], found["steps"][0]["status"]) == ("canceled", "canceled")
    assert [job["status"] for job in found["steps"][0]["jobs"]] == ["canceled"]
    assert [(entry["type"], entry["amount"]) for entry in found["transactions"]["list"]] == [
        ("debit", made["cost"]["total"]),
        ("credit", made["cost"]["total"]),
    ]
    assert (found["cost"]["base"], found["cost"]["total"]) == (0, 0)
    assert found["cost"]["factors"] == made["cost"]["factors"]
    assert "fixed" not in found["cost"]
    await workflows.change("PUT", made["id"], json={"status": "canceled"})


async def test_to_cancel_a_finished_workflow_changes_nothing(running: WorkflowClient) -> None:
    made = await running.submit(query="wait=60", expected=[200])
    await running.change("PUT", made["id"], json={"status": "canceled"})
    assert (await running.get(made["id"]))["status"] == "succeeded"


@pytest.mark.parametrize("headers", [PATCH, {"content-type": "application/json"}, {}])
async def test_a_json_patch_changes_parts(workflows: WorkflowClient, headers: dict[str, str]) -> None:
    made = await workflows.submit(tags=["a"], metadata={"images": {"1": {}}})
    operations = [
        {"op": "test", "path": "/status", "value": "unassigned"},
        {"op": "add", "path": "/metadata/images/1/hidden", "value": True},
        {"op": "copy", "from": "/metadata/images/1", "path": "/metadata/copy"},
        {"op": "add", "path": "/tags/-", "value": "best"},
        {"op": "remove", "path": "/tags/0"},
    ]
    await workflows.change("PATCH", made["id"], content=json.dumps(operations), headers=headers)
    found = await workflows.get(made["id"])
    assert found["metadata"] == {"images": {"1": {"hidden": True}}, "copy": {"hidden": True}}
    assert found["tags"] == ["best"]


async def test_a_json_patch_can_cancel(workflows: WorkflowClient) -> None:
    made = await workflows.submit()
    await workflows.change("PATCH", made["id"], json=[{"op": "replace", "path": "/status", "value": "canceled"}])
    assert (await workflows.get(made["id"]))["status"] == "canceled"


@pytest.mark.parametrize(
    ("operations", "path"),
    [
        ([{"op": "test", "path": "/metadata/x", "value": 2}], "[0].value"),
        ([{"op": "add", "path": "/metadata/y", "value": 1}, {"op": "remove", "path": "/metadata/z"}], "[1].path"),
        ([{"op": "replace", "path": "/cost/total", "value": 0}], "[0].path"),
        ([{"op": "replace", "path": "/status", "value": "succeeded"}], "status"),
        ([{"op": "replace", "path": "/tags", "value": "a"}], "tags"),
        ([{"op": "move", "from": "/id", "path": "/metadata/id"}], "[0].from"),
        ([{"op": "jump", "path": "/metadata"}], "[0].op"),
        ([{"op": "add", "path": "metadata", "value": 1}], "[0].path"),
        ({"op": "add"}, ""),
        ("text", ""),
    ],
)
async def test_a_patch_that_cannot_be_applied_changes_nothing(
    workflows: WorkflowClient, operations: Any, path: str
) -> None:
    made = await workflows.submit(metadata={"x": 1})
    answer = await workflows.http.patch(f"{WORKFLOWS}/{made['id']}", json=operations, headers=PATCH)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [path])
    assert await workflows.get(made["id"]) == made


@pytest.mark.parametrize(
    ("method", "path", "body", "member"),
    [
        ("PUT", "", {"status": "failed"}, "status"),
        ("PUT", "", {"tags": ["a" * 201]}, "tags[0]"),
        ("PUT", "", {"tags": [str(n) for n in range(11)]}, "tags"),
        ("PUT", "", {"metadata": 5}, "$.metadata"),
        ("PUT", "", [], "$"),
        ("POST", "/tags", {"tag": "a"}, "$"),
        ("POST", "/tags", "", "$"),
        ("POST", "/tags", "a" * 201, "$"),
        ("PUT", "/steps/$0", {}, "metadata"),
        ("PUT", "/steps/$0", {"metadata": None}, "$.metadata"),
        ("PUT", "/steps/$0", {"$ref": "a", "path": "b"}, "metadata"),
        ("PATCH", "/steps/$0", [{"op": "add", "path": "/name", "value": "x"}], "[0].path"),
    ],
)
async def test_a_bad_change_is_refused_by_its_path(
    workflows: WorkflowClient, method: str, path: str, body: Any, member: str
) -> None:
    made = await workflows.submit()
    answer = await workflows.http.request(method, f"{WORKFLOWS}/{made['id']}{path}", json=body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [member]), answer.text
    assert await workflows.get(made["id"]) == made


async def test_tags_are_added_and_removed(workflows: WorkflowClient) -> None:
    made = await workflows.submit(tags=["a"])
    path = f"{made['id']}/tags"
    for tag in ("b", "b", "a", "with space/slash"):
        await workflows.change("POST", path, json=tag)
    assert (await workflows.get(made["id"]))["tags"] == ["a", "b", "with space/slash"]
    for tag in ("a", "nobody", "with%20space/slash"):
        await workflows.change("DELETE", f"{path}/{tag}")
    assert (await workflows.get(made["id"]))["tags"] == ["b"]
    await workflows.change("DELETE", path)
    assert (await workflows.get(made["id"]))["tags"] == []


async def test_an_eleventh_tag_is_refused(workflows: WorkflowClient) -> None:
    made = await workflows.submit(tags=[str(number) for number in range(10)])
    answer = await workflows.http.post(f"{WORKFLOWS}/{made['id']}/tags", json="more")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["tags"])


async def test_a_deleted_workflow_is_gone_and_its_jobs_end(served: Served, workflows: WorkflowClient) -> None:
    made = await workflows.submit(image(), externalId="once")
    await workflows.change("DELETE", made["id"])
    assert (await served.client.get(f"{WORKFLOWS}/{made['id']}")).status_code == 404
    assert await workflows.ids() == []
    assert await served.queued() == 0
    assert (await served.client.delete(f"{WORKFLOWS}/{made['id']}")).status_code == 404
    again = await workflows.submit(image(), externalId="once")
    assert again["id"] != made["id"]


async def test_steps_are_found_by_name_and_by_place(workflows: WorkflowClient) -> None:
    made = await workflows.submit(echo(name="a/b c"), echo(reference("a/b c", "output.message")))
    first = await workflows.step(made["id"], "a%2Fb%20c")
    assert first == made["steps"][0]
    for name in ("$0", "%240"):
        assert await workflows.step(made["id"], name) == first
    assert await workflows.step(made["id"], "$1") == made["steps"][1]
    for name in ("$2", "nobody", "A/B C"):
        answer = await workflows.http.get(f"{WORKFLOWS}/{made['id']}/steps/{name}")
        assert answer.status_code == 404


async def test_metadata_of_a_step_is_changed(workflows: WorkflowClient) -> None:
    made = await workflows.submit(echo(metadata={"a": 1}))
    path = f"{made['id']}/steps/$0"
    await workflows.change("PUT", path, json={"metadata": {"b": 2}})
    await workflows.change("PATCH", path, json=[{"op": "add", "path": "/metadata/c", "value": [3]}])
    assert (await workflows.step(made["id"], "$0"))["metadata"] == {"b": 2, "c": [3]}


async def test_the_input_of_a_step_can_be_changed_until_it_starts(workflows: WorkflowClient) -> None:
    made = await workflows.submit(echo("a"), echo(reference("$0", "output.message")))
    change = [{"op": "replace", "path": "/input/message", "value": "new"}]
    late = await workflows.http.patch(f"{WORKFLOWS}/{made['id']}/steps/$0", json=change)
    assert (late.status_code, late.json()["code"]) == (409, "conflict")
    await workflows.change("PATCH", f"{made['id']}/steps/$1", json=change)
    assert (await workflows.step(made["id"], "$1"))["input"] == {"message": "new"}
    bad = [{"op": "replace", "path": "/input/message", "value": 7}]
    answer = await workflows.http.patch(f"{WORKFLOWS}/{made['id']}/steps/$1", json=bad)
    assert answer.status_code in {400, 409}


async def test_a_repeat_shows_its_steps_in_its_output(running: WorkflowClient) -> None:
    repeat = {
        "$type": "repeat",
        "name": "all",
        "input": {
            "for": {"$ref": "$arguments", "path": "words", "as": "word"},
            "template": {"$type": "echo", "input": {"message": reference("word", "text")}},
        },
    }
    words = [{"text": "a"}, {"text": "b"}]
    made = await running.submit(repeat, query="wait=60", arguments={"words": words}, expected=[200])
    (step,) = made["steps"]
    assert [spawned["output"]["message"] for spawned in step["output"]["steps"]] == ["a", "b"]
    assert (await running.step(made["id"], "all[1]"))["output"] == {"message": "b"}


async def test_a_workflow_its_steps_and_its_jobs_never_disagree(running: WorkflowClient) -> None:
    """However often it is looked at while jobs end."""
    steps = [image(quantity=2), *(echo(str(number)) for number in range(4)), echo(reference("$1", "output.message"))]
    made = await asyncio.gather(*(running.submit(*steps) for _ in range(8)))

    async def watch(workflow_id: str) -> None:
        while True:
            seen = await running.get(workflow_id)
            for step in seen["steps"]:
                jobs = [job["status"] for job in step["jobs"]]
                if step["status"] == "succeeded":
                    assert set(jobs) == {"succeeded"}
                    assert all(blob["available"] for blob in step["output"].get("images", []))
                elif jobs:
                    assert set(jobs) != {"succeeded"}
            statuses = {step["status"] for step in seen["steps"]}
            assert (seen["status"] == "succeeded") == (statuses == {"succeeded"})
            if seen["status"] == "succeeded":
                return
            await asyncio.sleep(0)

    await asyncio.gather(*(watch(workflow["id"]) for workflow in made))


@asynccontextmanager
async def served_on(store: str, folder: Path) -> AsyncIterator[Opened]:
    """Serve the monolith; skip, with the reason, where a client or a server of the store is not to be had."""
    if store == "file":
        async with serve_all(mongodb_uri=None, data_dir=folder) as opened:
            yield opened
        return
    mongo = pytest.importorskip("tests.support.mongo", exc_type=ImportError)
    async with (
        mongo.mongo_address() as address,
        serve_all(mongodb_uri=address.uri, mongodb_db_name=address.database) as opened,
    ):
        yield opened


@pytest.mark.parametrize("store", ["file", pytest.param("mongo", marks=pytest.mark.mongo)])
async def test_the_same_is_answered_on_every_store(store: str, tmp_path: Path) -> None:
    async with served_on(store, tmp_path) as opened:
        client = WorkflowClient(opened.client)
        made = await client.submit(
            echo("a", name="first"), echo(reference("first", "output.message")), query="wait=60", tags=["t"]
        )
        assert made["status"] == "succeeded"
        await client.change("PATCH", made["id"], json=[{"op": "add", "path": "/metadata/a", "value": 1}])
        (listed,) = (await client.list("tags=t&query=A"))["items"]
        assert (listed["id"], listed["metadata"]) == (made["id"], {"a": 1})
        again = await asyncio.gather(*(client.submit(image(), externalId="x") for _ in range(20)))
        assert len({workflow["id"] for workflow in again}) == 1
        await client.change("DELETE", made["id"])
        assert (await opened.client.get(f"{WORKFLOWS}/{made['id']}")).status_code == 404
