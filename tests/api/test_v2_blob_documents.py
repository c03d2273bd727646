"""The documents of v2's blobs: their members in the order of captures, and the URLs in them."""

from datetime import timedelta
from typing import Any

import pytest

from civitai_mock.api.v2.blob_documents import BlobRenderer
from civitai_mock.clock import VirtualClock
from civitai_mock.domain.blob import BlobFacts, Shown
from civitai_mock.domain.maturity import NsfwLevel
from civitai_mock.services.blob_urls import WorkflowBlobUrls
from tests.support.v2_description import check_answer

BASE = "http://mock.test:3000"
IMAGE_ID = "0f3d6a52-6a1f-4a55-9be0-4dc1b6b6a6a1-0.jpeg"
PIXELS, LINK, PREVIEW = ["width", "height"], ["url", "urlExpiresAt"], ["previewUrl", "previewUrlExpiresAt"]


@pytest.fixture
def renderer(clock: VirtualClock) -> BlobRenderer:
    urls = WorkflowBlobUrls(key=b"a key for tests", lifetime=timedelta(days=365), clock=clock)
    return BlobRenderer(urls=urls, base_url=BASE)


@pytest.mark.parametrize(
    ("content_type", "facts", "members"),
    [
        (
            "image/jpeg",
            BlobFacts(width=640, height=480, job_id="a-job", nsfw_level=NsfwLevel.PG),
            [*PIXELS, *PREVIEW, "type", "id", "available", *LINK, "jobId", "nsfwLevel"],
        ),
        ("image/png", None, [*PREVIEW, "type", "id", "available", *LINK]),
        ("video/mp4", BlobFacts(width=640, height=480), [*PIXELS, "type", "id", "available", *LINK]),
        ("audio/ogg", BlobFacts(duration=2.5), ["duration", "type", "id", "available", *LINK]),
        ("audio/ogg", BlobFacts(), ["type", "id", "available", *LINK]),
        ("model/gltf-binary", BlobFacts(), ["format", "type", "id", "available", *LINK]),
        ("application/zip", BlobFacts(width=1), ["id", "available", *LINK]),
    ],
)
def test_a_document_has_the_members_of_its_type_in_their_order(
    renderer: BlobRenderer, content_type: str, facts: BlobFacts | None, members: list[str]
) -> None:
    told = renderer.render(IMAGE_ID, content_type=content_type, facts=facts)
    assert list(told) == members
    check_answer("Blob", told)


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("image/webp", "image"),
        ("video/webm", "video"),
        ("audio/flac", "audio"),
        ("model/gltf-binary", "model3d"),
        ("application/octet-stream", None),
    ],
)
def test_the_type_follows_from_the_content_type(renderer: BlobRenderer, content_type: str, kind: str | None) -> None:
    assert renderer.render("ID.glb", content_type=content_type, facts=None).get("type") == kind


def test_values_are_those_of_the_facts(renderer: BlobRenderer) -> None:
    facts = BlobFacts(width=640, height=480, job_id="a-job", nsfw_level=NsfwLevel.X)
    told = renderer.render(
        IMAGE_ID, content_type="image/jpeg", facts=facts, is_available=False, blocked_reason="MatureContent"
    )
    url, preview = told.pop("url"), told.pop("previewUrl")
    assert told == {
        "width": 640,
        "height": 480,
        "previewUrlExpiresAt": "2026-09-06T18:18:16Z",
        "type": "image",
        "id": IMAGE_ID,
        "available": False,
        "urlExpiresAt": "2026-09-06T18:18:16Z",
        "jobId": "a-job",
        "nsfwLevel": "x",
        "blockedReason": "MatureContent",
    }
    assert _links(renderer, url, preview) == [Shown.FILE, Shown.PREVIEW]
    assert str(url).endswith("&exp=2026-09-06T18:18:16.0000000Z")


def _links(renderer: BlobRenderer, *urls: Any) -> list[Shown]:
    found = [renderer.urls.link_in(str(url)) for url in urls]
    return [link.shown for link in found if link is not None and link.key == IMAGE_ID]


@pytest.mark.parametrize(
    ("level", "is_hidden"), [("pg", False), ("pg13", False), ("r", True), ("x", True), ("xxx", True)]
)
def test_hidden_mature_content_keeps_all_but_its_urls(renderer: BlobRenderer, level: str, is_hidden: bool) -> None:
    hiding = BlobRenderer(urls=renderer.urls, base_url=BASE, hides_mature_content=True)
    facts = BlobFacts(width=640, height=480, nsfw_level=NsfwLevel(level))
    whole = renderer.render(IMAGE_ID, content_type="image/jpeg", facts=facts)
    told = hiding.render(IMAGE_ID, content_type="image/jpeg", facts=facts)
    hidden = {*LINK, *PREVIEW} if is_hidden else set()
    assert told == {name: value for name, value in whole.items() if name not in hidden}


def test_the_url_of_what_is_being_written_leads_to_its_stream(renderer: BlobRenderer) -> None:
    url = str(renderer.render("ID.ogg", content_type="audio/ogg", facts=None, shown=Shown.STREAM)["url"])
    assert url.startswith(f"{BASE}/v2/consumer/streaming-blobs/ID.ogg?sig=")
