"""URLs that requests name as the source of an image."""

from datetime import timedelta

import pytest

from civitai_mock.clock import VirtualClock
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.services.blobs import BlobUrls
from civitai_mock.services.host_policy import image_policy
from civitai_mock.services.submit_checks import ImageUrls
from tests.support.dates import START

PATH = "sourceImage"
SIGNED = "http://host/blobs/KEY?X-Amz-Date=20250906T181816Z&X-Amz-Expires=3600&X-Amz-Signature="


def make_urls(clock: VirtualClock, *, fetches: bool = True) -> ImageUrls:
    blob_urls = BlobUrls(key=b"a key for tests", lifetime=timedelta(hours=1), clock=clock)
    return ImageUrls(blob_urls=blob_urls, hosts=image_policy(["public"]) if fetches else None)


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://[host]/x.png", "http://[1::2::3]/", f"{SIGNED}0", f"{SIGNED}\ud800", f"{SIGNED}é"]
)
@pytest.mark.parametrize("fetches", [True, False])
def test_an_invalid_or_wrongly_signed_url_is_refused_by_its_path(url: str, fetches: bool) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        make_urls(VirtualClock(START), fetches=fetches).check(url, path=PATH)
    assert list(refused.value.errors) == [PATH]


def test_a_url_of_our_own_needs_no_host_that_is_allowed() -> None:
    clock = VirtualClock(START)
    urls = make_urls(clock)
    url, _ = urls.blob_urls.sign("KEY", base_url="http://127.0.0.1:3000")
    urls.check(url, path=PATH)
    clock.advance(3600)
    with pytest.raises(InvalidRequestError, match=PATH):
        urls.check(url, path=PATH)
