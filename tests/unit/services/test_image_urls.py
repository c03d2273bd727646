"""URLs that requests name as the source of an image."""

from datetime import timedelta

import pytest

from civitai_mock.clock import VirtualClock
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.services.blob_urls import OwnBlobLinks, WorkflowBlobUrls
from civitai_mock.services.blobs import BlobUrls
from civitai_mock.services.host_policy import image_policy
from civitai_mock.services.submit_checks import ImageUrls
from tests.support.dates import START
from tests.support.table import table

PATH = "sourceImage"
SIGNED_BY_V2 = "http://host/v2/consumer/blobs/KEY.png?exp=2026-09-06T18:18:16.0000000Z&sig="
SIGNED = "http://host/blobs/KEY?X-Amz-Date=20250906T181816Z&X-Amz-Expires=3600&X-Amz-Signature="


def make_urls(clock: VirtualClock, *, fetches: bool = True) -> ImageUrls:
    key, lifetime = b"a key for tests", timedelta(hours=1)
    own_links = OwnBlobLinks(
        blob_urls=BlobUrls(key=key, lifetime=lifetime, clock=clock),
        workflow_blob_urls=WorkflowBlobUrls(key=key, lifetime=lifetime, clock=clock),
    )
    return ImageUrls(own_links=own_links, hosts=image_policy(["public"]) if fetches else None)


@table(
    "url",
    [
        *("http://[::1", "http://[host]/x.png", "http://[1::2::3]/"),
        *(signed + end for signed in (SIGNED, SIGNED_BY_V2) for end in ("0", "\ud800", "é")),
    ],
)
@table("fetches", [True, False])
def test_an_invalid_or_wrongly_signed_url_is_refused_by_its_path(url: str, fetches: bool) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        make_urls(VirtualClock(START), fetches=fetches).check(url, path=PATH)
    assert list(refused.value.errors) == [PATH]


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_url_of_our_own_needs_no_host_that_is_allowed(version: str) -> None:
    clock = VirtualClock(START)
    urls = make_urls(clock)
    signer = urls.own_links.blob_urls if version == "v1" else urls.own_links.workflow_blob_urls
    url, _ = signer.sign("KEY", base_url="http://127.0.0.1:3000")
    urls.check(url, path=PATH)
    clock.advance(3600)
    with pytest.raises(InvalidRequestError, match=PATH):
        urls.check(url, path=PATH)
