"""npm's `@civitai/client` 0.2.0-beta.86, unchanged, pointed here by its `baseUrl`."""

import base64
from typing import Any

import pytest

from tests.clients.inputs import CHECKPOINT
from tests.support.clients import Client
from tests.support.media import opened
from tests.support.media_files import FILES
from tests.support.process import Server
from tests.support.v2_description import check_answer

pytestmark = pytest.mark.slow

WAIT = {"wait": 20}
CANCELED = {"status": "canceled"}


class Api:
    """The functions of the package, for one server."""

    def __init__(self, server: Server, client: Client) -> None:
        self._server, self._client = server, client

    def __call__(self, name: str, status: int, **options: Any) -> Any:
        """Return the data of an answer, or the error in it."""
        answer = self._client.call(self._server, f"client.{name}", options)
        assert answer["status"] == status, answer
        return answer["data"] if status < 400 else answer["error"]

    def headers(self, name: str, status: int, **options: Any) -> Any:
        answer = self._client.call(self._server, f"client.{name}", options)
        assert answer["status"] == status, answer
        return answer["headers"]

    def of(self, name: str, workflow: Any, status: int, **options: Any) -> Any:
        return self(name, status, path={"workflowId": workflow["id"]}, **options)


@pytest.fixture
def api(server: Server, civitai_v2: Client) -> Api:
    return Api(server, civitai_v2)


@pytest.fixture
def endless_api(endless_server: Server, civitai_v2: Client) -> Api:
    return Api(endless_server, civitai_v2)


def text_to_image(**changes: Any) -> dict[str, Any]:
    given = {"model": CHECKPOINT, "prompt": "a fox", "steps": 20, "width": 128, "height": 192, "quantity": 1}
    return {"$type": "textToImage", "input": given | changes}


def image_gen(**changes: Any) -> dict[str, Any]:
    given = {"engine": "sdcpp", "ecosystem": "sd1", "operation": "createImage", "model": CHECKPOINT, "prompt": "a fox"}
    return {"$type": "imageGen", "input": given | {"width": 128, "height": 192} | changes}


def echo(message: str = "hello") -> dict[str, Any]:
    return {"$type": "echo", "input": {"message": message}}


def a_file(media_type: str) -> dict[str, str]:
    return {"$bytes": base64.b64encode(FILES[media_type]()).decode(), "type": media_type}


def bytes_of(file: Any) -> bytes:
    return base64.b64decode(file["$bytes"])


@pytest.mark.parametrize("step", [text_to_image(), image_gen()], ids=["textToImage", "imageGen"])
def test_submitting_with_wait_returns_the_image(api: Api, step: Any) -> None:
    workflow = api("submitWorkflow", 200, body={"steps": [step]}, query=WAIT)
    check_answer("Workflow", workflow)
    assert workflow["status"] == "succeeded"
    (image,) = workflow["steps"][0]["output"]["images"]
    downloaded = api("getBlob", 200, path={"blobId": image["id"]})
    assert downloaded["type"] == "image/jpeg"
    assert opened(bytes_of(downloaded)).size == (128, 192) == (image["width"], image["height"])


def test_submitting_answers_at_once_and_polling_ends_with_the_image(api: Api) -> None:
    submitted = api("submitWorkflow", 202, body={"steps": [text_to_image(quantity=2)]}, query={"wait": 0})
    polled = api.of("getWorkflow", submitted, 200, query=WAIT)
    assert [image["available"] for image in polled["steps"][0]["output"]["images"]] == [True, True]


def test_a_what_if_has_a_price_and_nothing_else_comes_of_it(api: Api) -> None:
    estimate = api("submitWorkflow", 200, body={"steps": [text_to_image()]}, query={"whatif": True})
    check_answer("Workflow", estimate)
    assert (estimate["status"], estimate["cost"]["total"] > 0) == ("unassigned", True)
    assert api.of("getWorkflow", estimate, 404) == {"status": 404, "detail": "Not Found"}


def test_workflows_are_listed_by_all_of_their_tags_a_page_at_a_time(api: Api) -> None:
    tags = ["npm", "listed"]
    made = [api("submitWorkflow", 200, body={"steps": [echo()], "tags": tags}, query=WAIT) for _ in range(3)]
    api("submitWorkflow", 200, body={"steps": [echo()], "tags": ["npm"]}, query=WAIT)
    first = api("queryWorkflows", 200, query={"tags": tags, "take": 2})
    rest = api("queryWorkflows", 200, query={"tags": tags, "take": 2, "cursor": first["next"]})
    listed = [workflow["id"] for workflow in (*first["items"], *rest["items"])]
    assert listed == [workflow["id"] for workflow in reversed(made)]
    assert "next" not in rest


def test_a_running_workflow_is_cancelled_by_put(endless_api: Api) -> None:
    running = endless_api("submitWorkflow", 202, body={"steps": [text_to_image()]})
    assert endless_api.of("updateWorkflow", running, 204, body=CANCELED) is None
    ended = endless_api.of("getWorkflow", running, 200)
    assert [ended["status"], ended["steps"][0]["status"]] == ["canceled", "canceled"]


def test_a_patch_of_the_packages_own_changes_metadata_and_tags(api: Api) -> None:
    made = api("submitWorkflow", 200, body={"steps": [echo()], "metadata": {"a": 1}}, query=WAIT)
    operations = [
        {"op": "add", "path": "metadata/images", "value": {}},
        {"op": "add", "path": "metadata/images/x.jpeg", "value": {"hidden": True}},
        {"op": "add", "path": "tags/-", "value": "best"},
        {"op": "remove", "path": "metadata/a"},
    ]
    api.of("patchWorkflow", made, 204, patch=operations)
    patched = api.of("getWorkflow", made, 200)
    assert (patched["metadata"], patched["tags"]) == ({"images": {"x.jpeg": {"hidden": True}}}, ["best"])


def test_a_patch_with_a_failed_test_changes_nothing(api: Api) -> None:
    made = api("submitWorkflow", 200, body={"steps": [echo()]}, query=WAIT)
    operations = [{"op": "add", "path": "metadata/a", "value": 1}, {"op": "test", "path": "metadata/a", "value": 2}]
    assert api.of("patchWorkflow", made, 400, patch=operations)["status"] == 400
    assert api.of("getWorkflow", made, 200)["metadata"] == {}


def test_tags_are_json_strings(api: Api) -> None:
    made = api("submitWorkflow", 200, body={"steps": [echo()]}, query=WAIT)
    for tag in ("favorite", "two words"):
        api.of("addWorkflowTag", made, 204, body=tag)
    api("removeWorkflowTag", 204, path={"workflowId": made["id"], "tag": "two words"})
    assert api.of("getWorkflow", made, 200)["tags"] == ["favorite"]
    api.of("removeAllWorkflowTags", made, 204)
    assert api.of("getWorkflow", made, 200)["tags"] == []


def test_metadata_is_replaced_by_put(api: Api) -> None:
    made = api("submitWorkflow", 200, body={"steps": [echo()], "metadata": {"a": 1}, "tags": ["x"]}, query=WAIT)
    api.of("updateWorkflow", made, 204, body={"metadata": {"b": 2}})
    changed = api.of("getWorkflow", made, 200)
    assert (changed["metadata"], changed["tags"]) == ({"b": 2}, ["x"])


def test_a_step_is_read_and_changed_by_its_name(api: Api) -> None:
    made = api("submitWorkflow", 200, body={"steps": [echo()]}, query=WAIT)
    path = {"workflowId": made["id"], "stepName": "$0"}
    api("updateWorkflowStep", 204, path=path, body={"metadata": {"a": 1}})
    api("patchWorkflowStep", 204, path=path, patch=[{"op": "add", "path": "metadata/b", "value": 2}])
    step = api("getWorkflowStep", 200, path=path)
    check_answer("WorkflowStep", step)
    assert (step["metadata"], step["output"]) == ({"a": 1, "b": 2}, {"message": "hello"})


def test_a_deleted_workflow_is_gone(api: Api) -> None:
    made = api("submitWorkflow", 200, body={"steps": [echo()], "tags": ["to-delete"]}, query=WAIT)
    api.of("deleteWorkflow", made, 204)
    assert api.of("getWorkflow", made, 404)["status"] == 404
    assert api("queryWorkflows", 200, query={"tags": ["to-delete"]})["items"] == []


def test_an_uploaded_image_is_the_input_of_a_workflow(api: Api) -> None:
    blob = api("uploadConsumerBlob", 201, body=a_file("image/png"))
    check_answer("Blob", blob)
    upscale = {"$type": "imageUpscaler", "input": {"image": blob["url"], "numberOfRepeats": 1}}
    workflow = api("submitWorkflow", 200, body={"steps": [upscale]}, query=WAIT)
    made = workflow["steps"][0]["output"]["blob"]
    downloaded = opened(bytes_of(api("getBlob", 200, path={"blobId": made["id"]})))
    assert downloaded.size == (blob["width"] * 2, blob["height"] * 2)


def test_a_blob_is_looked_at_and_refreshed(api: Api) -> None:
    blob = api("uploadConsumerBlob", 201, body=a_file("image/jpeg"))
    path = {"blobId": blob["id"]}
    assert api.headers("headBlob", 204, path=path)["x-nsfw-level"] == "PG"
    fresh = api("refreshBlob", 200, path=path)
    assert (fresh["id"], fresh["available"]) == (blob["id"], True)
    assert set(api("getConsumerBlobUploadUrl", 200)) == {"uploadUrl", "expiresAt"}


@pytest.mark.parametrize(
    ("name", "given", "members"),
    [
        ("invokeEchoStepTemplate", {"message": "hi"}, {"message"}),
        ("invokeImageUploadStepTemplate", "data:image/png;base64,{png}", {"blob"}),
        (
            "invokeMediaHashStepTemplate",
            {"mediaUrl": "data:image/png;base64,{png}", "hashTypes": ["perceptual"]},
            {"hashes"},
        ),
        (
            "invokeChatCompletionStepTemplate",
            {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello?"}]},
            {"id", "object", "created", "model", "choices", "usage"},
        ),
        ("invokeTextToImageStepTemplate", text_to_image()["input"], {"images"}),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("invoke") else "",
)
def test_a_recipe_answers_the_output_of_its_step(api: Api, name: str, given: Any, members: set[str]) -> None:
    png = base64.b64encode(FILES["image/png"]()).decode()
    assert members <= set(api(name, 200, body=_with_image(given, png)))


def _with_image(given: Any, png: str) -> Any:
    if isinstance(given, dict):
        return {name: _with_image(value, png) for name, value in given.items()}
    return given.replace("{png}", png) if isinstance(given, str) else given


def test_services_are_listed_and_read_by_ids_with_slashes(api: Api) -> None:
    page = api("listServices", 200, query={"category": "image", "limit": 3})
    assert len(page["items"]) == 3 < page["totalCount"]
    for listed in page["items"]:
        service = api("getService", 200, path={"serviceId": listed["id"]})
        assert (service["id"], service["step"]) == (listed["id"], listed["step"])
    assert api("getService", 404, path={"serviceId": "image/nothing"})["status"] == 404


def test_caches_are_invalidated(api: Api) -> None:
    assert api("invalidateUserCache", 204, path={"userId": 42}) is None
    assert api("invalidateUserTokens", 204, path={"userId": 42}) is None


def test_a_resource_is_read_by_its_air(api: Api) -> None:
    assert api("getResource", 200, path={"air": CHECKPOINT})["air"] == CHECKPOINT


def test_wrong_members_are_named_by_their_paths(api: Api) -> None:
    error = api("submitWorkflow", 400, body={"steps": [text_to_image(width="wide")]})
    assert list(error["errors"]) == ["workflowTemplate", "$.steps[0].input.width"]
    error = api("submitWorkflow", 400, body={"steps": [text_to_image(width=1)]})
    assert list(error["errors"]) == ["steps[0].input.width"]
