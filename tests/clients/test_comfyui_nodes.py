"""The requests that Civitai's nodes for ComfyUI make, in their order, and what they look at in the answers.

They wait for at most ten seconds at a time, download by the URL of a blob, and ask for a new one when that is refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from tests.clients.inputs import CHECKPOINT
from tests.support.media import opened
from tests.support.media_files import FILES
from tests.support.process import Server, poll_until

pytestmark = pytest.mark.slow

WORKFLOWS, BLOBS = "/v2/consumer/workflows", "/v2/consumer/blobs"
TAGS = ("comfy-nodes", "comfy-nodes:session:1")
TERMINAL = {"succeeded", "failed", "expired", "canceled"}
SDCPP = {"engine": "sdcpp", "ecosystem": "sd1", "operation": "createImage", "model": CHECKPOINT}
IMAGE = {**SDCPP, "prompt": "a fox", "width": 128, "height": 192, "quantity": 2}


class Node:
    """Is what one node does with a server."""

    def __init__(self, server: Server) -> None:
        # The nodes follow redirects, with their token.
        self.http = httpx.Client(
            base_url=server.url, headers={"Authorization": "Bearer any"}, follow_redirects=True, timeout=60
        )

    def submit(self, step_type: str, given: Any, *, tags: Sequence[str] = TAGS, wait: int = 5) -> Any:
        body = {"steps": [{"$type": step_type, "input": given}], "tags": list(tags)}
        answer = self.http.post(WORKFLOWS, params={"wait": wait}, json=body)
        assert answer.status_code in {200, 202}, answer.text
        return answer.json()

    def get(self, workflow: Any, **params: Any) -> Any:
        return self.http.get(f"{WORKFLOWS}/{workflow['id']}", params=params).raise_for_status().json()

    def run(self, step_type: str, given: Any) -> Any:
        """Return the output of a step once its workflow has succeeded."""
        workflow = self.submit(step_type, given)
        while workflow["status"] not in TERMINAL:
            workflow = self.get(workflow, wait=10)
        assert workflow["status"] == "succeeded", workflow
        return workflow["steps"][0]["output"]

    def download(self, blob: Any) -> bytes:
        answer = self.http.get(blob["url"])
        if answer.status_code in {401, 403}:
            fresh = self.http.post(f"{BLOBS}/{blob['id']}/refresh").raise_for_status().json()
            answer = self.http.get(fresh["url"])
        return answer.raise_for_status().content

    def upload(self, media_type: str) -> str:
        """Return the URL of a file that was sent to a signed URL."""
        target = self.http.get(f"{BLOBS}/upload").raise_for_status().json()["uploadUrl"]
        answer = self.http.post(target, content=FILES[media_type](), headers={"Content-Type": media_type})
        url: str = answer.raise_for_status().json()["url"]
        return url

    def gallery(self, *, take: int = 60, cursor: str | None = None) -> Any:
        params: dict[str, Any] = {"take": take, "excludeFailed": "true", "hideMatureContent": "false", "tags": TAGS}
        return (
            self.http.get(WORKFLOWS, params=params | ({"cursor": cursor} if cursor else {})).raise_for_status().json()
        )


@pytest.fixture
def node(server: Server) -> Iterator[Node]:
    node = Node(server)
    with node.http:
        yield node


@pytest.fixture
def endless_node(endless_server: Server) -> Iterator[Node]:
    node = Node(endless_server)
    with node.http:
        yield node


def blobs_in(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every blob anywhere in an output: what has an id and says whether it is available."""
    if isinstance(value, dict) and value.keys() >= {"id", "available"}:
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from blobs_in(item)


def test_an_image_node_gets_its_images(node: Node) -> None:
    output = node.run("imageGen", IMAGE)
    assert output["errors"] == []
    assert [opened(node.download(image)).size for image in output["images"]] == [(128, 192), (128, 192)]


def test_a_url_is_good_without_a_token(node: Node) -> None:
    (blob, *_) = node.run("imageGen", IMAGE)["images"]
    assert opened(httpx.get(blob["url"], follow_redirects=True, timeout=60).raise_for_status().content).size == (
        128,
        192,
    )


def test_a_url_that_has_run_out_is_refused_and_a_new_one_is_good(node: Node) -> None:
    (blob, *_) = node.run("imageGen", IMAGE)["images"]
    stale = urlsplit(blob["url"])._replace(query=urlencode({"sig": "x", "exp": "2026-01-01T00:00:00.0000000Z"}))
    assert httpx.get(stale.geturl(), timeout=60).status_code == 403
    assert opened(node.download({**blob, "url": stale.geturl()})).size == (128, 192)


@pytest.mark.parametrize(
    ("media_type", "step_type", "given", "member"),
    [
        ("image/png", "imageUpscaler", {"numberOfRepeats": 1}, "image"),
        ("image/png", "mediaCaptioning", {}, "mediaUrl"),
        ("video/mp4", "videoUpscaler", {"scaleFactor": 2}, "video"),
        ("audio/flac", "transcription", {}, "mediaUrl"),
    ],
)
def test_a_node_reads_what_it_uploaded(node: Node, media_type: str, step_type: str, given: Any, member: str) -> None:
    output = node.run(step_type, {**given, member: node.upload(media_type)})
    assert output
    for blob in blobs_in(output):
        assert node.download(blob)


def test_the_gallery_shows_what_has_both_tags_a_page_at_a_time(node: Node) -> None:
    made = [node.submit("imageGen", IMAGE)["id"] for _ in range(3)]
    node.submit("echo", {"message": "another"}, tags=TAGS[:1])
    listed: list[Any] = []
    page: Any = {"next": None}
    while len(listed) < len(made):
        page = node.gallery(take=2, cursor=page["next"])
        listed += page["items"]
    assert [workflow["id"] for workflow in listed[:3]] == made[::-1]
    for blob in blobs_in([step["output"] for step in listed[0]["steps"]]):
        assert (blob["type"], blob["available"], blob.get("blockedReason")) == ("image", True, None)
        assert opened(node.download({**blob, "url": blob["previewUrl"]})).size == (128, 192)


def test_a_node_that_is_interrupted_cancels_its_workflow(endless_node: Node) -> None:
    workflow = endless_node.submit("imageGen", IMAGE, wait=0)
    poll_until(lambda: endless_node.get(workflow)["status"] == "processing")
    answer = endless_node.http.put(f"{WORKFLOWS}/{workflow['id']}", json={"status": "canceled"})
    assert (answer.status_code, answer.content, answer.headers.get("Content-Type")) == (204, b"", None)
    ended = endless_node.get(workflow)
    assert ended["status"] == "canceled"
    assert {job["status"] for job in ended["steps"][0]["jobs"]} == {"canceled"}
    assert workflow["id"] not in [listed["id"] for listed in endless_node.gallery()["items"]]


def test_a_node_sees_how_many_jobs_are_before_its_own(endless_node: Node) -> None:
    workflow = endless_node.submit("imageGen", IMAGE, wait=0)
    for job in workflow["steps"][0]["jobs"]:
        assert job["queuePosition"]["precedingJobs"] >= 0


def test_a_wait_that_is_no_number_is_refused_so_that_a_node_knows(node: Node) -> None:
    workflow = node.submit("echo", {"message": "hi"})
    assert node.http.get(f"{WORKFLOWS}/{workflow['id']}", params={"wait": "soon"}).status_code == 400
    assert node.get(workflow)["status"] == "succeeded"
