"""GET and HEAD of blobs under signed URLs."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from structlog.testing import capture_logs

from civitai_mock.domain.blob import blob_key
from civitai_mock.domain.errors import NotFoundError, TransientError
from civitai_mock.services.blob_drawing import BlobDrawing
from tests.support.served_app import IMAGE, JOBS, Served, serve

KEY = blob_key("some-job", 0)
SIZE = len(IMAGE)


@pytest.fixture
async def url(served: Served) -> str:
    await served.store_blob(KEY)
    return served.blob_url(KEY)


async def test_a_blob_is_served_whole_with_its_type_length_and_tag(client: httpx.AsyncClient, url: str) -> None:
    answer = await client.get(url)
    assert (answer.status_code, answer.content) == (200, IMAGE)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-length"] == str(SIZE)
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"] == "private"
    assert answer.headers["etag"].startswith('"')


async def test_head_has_the_headers_of_get_without_the_bytes(client: httpx.AsyncClient, url: str) -> None:
    got, head = await client.get(url), await client.head(url)
    own = {"x-trace-id"}
    assert (head.status_code, head.content) == (200, b"")
    assert {k: v for k, v in head.headers.items() if k not in own} == {
        k: v for k, v in got.headers.items() if k not in own
    }


@pytest.mark.parametrize("size", [1, 1000, 256 * 1024, 256 * 1024 + 1, 2_000_000])
async def test_blobs_of_all_sizes_arrive_whole(served: Served, size: int) -> None:
    content = b"a".ljust(size, b"b")
    await served.store_blob(KEY, content)
    answer = await served.client.get(served.blob_url(KEY))
    assert answer.headers["content-length"] == str(size)
    assert answer.content == content


async def test_an_empty_blob_is_served(served: Served) -> None:
    await served.store_blob(KEY, b"")
    answer = await served.client.get(served.blob_url(KEY))
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, "0", b"")


async def test_the_url_in_a_job_downloads_its_image(served: Served) -> None:
    job_id = await served.submit_one()
    await served.finish()
    (result,) = (await served.client.get(f"{JOBS}/{job_id}")).json()["result"]
    assert (await served.client.get(result["blobUrl"])).content == IMAGE


async def _blob_url(served: Served, **headers: str) -> str:
    job_id = await served.submit_one()
    await served.finish()
    (result,) = (await served.client.get(f"{JOBS}/{job_id}", headers=headers)).json()["result"]
    return str(result["blobUrl"])


async def test_a_blob_url_has_the_host_that_the_caller_used(served: Served) -> None:
    assert (await _blob_url(served, host="civitai-mock:8080")).startswith("http://civitai-mock:8080/blobs/")


async def test_a_public_url_goes_before_the_host() -> None:
    async with serve(public_url="https://mock.example/base/") as served:
        assert (await _blob_url(served, host="other")).startswith("https://mock.example/base/blobs/")


async def test_a_blob_url_has_the_query_of_real_ones(served: Served) -> None:
    query = parse_qs(urlsplit(await _blob_url(served)).query)
    assert query["X-Amz-Expires"] == ["3600"]
    assert len(query["X-Amz-Signature"][0]) == 64


@pytest.mark.parametrize(
    "tamper",
    [
        lambda url: url.partition("?")[0],
        lambda url: url.replace("X-Amz-Expires=3600", "X-Amz-Expires=9999"),
        lambda url: url.replace("X-Amz-Date=2025", "X-Amz-Date=2035"),
        lambda url: url[:-1] + ("0" if url[-1] != "0" else "1"),
        lambda url: url.replace("X-Amz-Signature=", "X-Amz-Signature=é"),
        lambda url: url.replace("X-Amz-Date", "x"),
        lambda url: url.replace(KEY, blob_key("another-job", 0)),
        lambda url: url.replace(KEY, "nonsense"),
    ],
    ids=["no query", "longer", "later", "last digit", "not ascii", "no date", "another blob", "no key"],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_url_that_we_did_not_sign_is_a_403(
    client: httpx.AsyncClient, url: str, method: str, tamper: Callable[[str], str]
) -> None:
    assert (await client.request(method, tamper(url))).status_code == 403


async def test_a_refused_url_is_answered_with_a_problem(client: httpx.AsyncClient, url: str) -> None:
    answer = await client.get(url.partition("?")[0])
    assert answer.headers["content-type"] == "application/problem+json; charset=utf-8"
    assert answer.json()["title"] == "Forbidden"


@pytest.mark.parametrize(("seconds", "status"), [(3598, 200), (3600, 403)])
async def test_a_url_works_until_it_expires(served: Served, url: str, seconds: int, status: int) -> None:
    served.clock.advance(seconds)
    assert (await served.client.get(url)).status_code == status


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_blob_that_is_gone_is_a_404(served: Served, url: str, method: str) -> None:
    await served.stores.blobs.delete(KEY)
    assert (await served.client.request(method, url)).status_code == 404


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=100-", 100, SIZE - 1),
        ("bytes=-5", SIZE - 5, SIZE - 1),
        (f"bytes=-{SIZE + 1}", 0, SIZE - 1),
        (f"bytes=5-{SIZE * 2}", 5, SIZE - 1),
        ("Bytes=1-2", 1, 2),
    ],
)
async def test_one_range_is_a_206(client: httpx.AsyncClient, url: str, wanted: str, first: int, last: int) -> None:
    answer = await client.get(url, headers={"range": wanted})
    assert (answer.status_code, answer.content) == (206, IMAGE[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer.headers["content-length"] == str(last + 1 - first)


@pytest.mark.parametrize("wanted", [f"bytes={SIZE}-", "bytes=-0", f"bytes={SIZE + 5}-{SIZE + 9}", f"bytes={'9' * 18}-"])
async def test_a_range_outside_the_blob_is_a_416_that_has_its_size(
    client: httpx.AsyncClient, url: str, wanted: str
) -> None:
    answer = await client.get(url, headers={"range": wanted})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize(
    "wanted",
    ["bytes=0-1,4-5", "bytes=5-2", "bytes=-", "bytes=a-b", "lines=1-2", "bytes=1", "nonsense", f"bytes={'9' * 99}-"],
)
async def test_several_ranges_or_none_that_can_be_read_give_the_whole_blob(
    client: httpx.AsyncClient, url: str, wanted: str
) -> None:
    answer = await client.get(url, headers={"range": wanted})
    assert (answer.status_code, answer.content) == (200, IMAGE)


@pytest.mark.parametrize(
    ("condition", "status"),
    [("{etag}", 206), ('"other"', 200), ("W/{etag}", 200), ("Sat, 06 Sep 2025 18:18:16 GMT", 200)],
)
async def test_if_range_gives_a_part_only_of_the_same_bytes(
    client: httpx.AsyncClient, url: str, condition: str, status: int
) -> None:
    etag = (await client.head(url)).headers["etag"]
    headers = {"range": "bytes=0-9", "if-range": condition.format(etag=etag)}
    assert (await client.get(url, headers=headers)).status_code == status


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("condition", ["{etag}", "W/{etag}", '"other", {etag}', "*"])
async def test_a_caller_that_has_the_bytes_gets_a_304(
    client: httpx.AsyncClient, url: str, condition: str, method: str
) -> None:
    etag = (await client.head(url)).headers["etag"]
    answer = await client.request(method, url, headers={"if-none-match": condition.format(etag=etag)})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)


async def test_a_caller_that_has_other_bytes_gets_the_blob(client: httpx.AsyncClient, url: str) -> None:
    assert (await client.get(url, headers={"if-none-match": '"other"'})).status_code == 200


@pytest.mark.parametrize(("error", "status"), [(NotFoundError("gone"), 404), (TransientError("away"), 503)])
async def test_a_blob_that_goes_between_look_and_read_is_still_a_clear_error(
    served: Served, url: str, error: Exception, status: int
) -> None:
    read_from(served, _FailingBlobs(error))
    assert (await served.client.get(url)).status_code == status


async def test_a_blob_that_breaks_off_is_never_taken_for_a_whole_one(served: Served, url: str) -> None:
    read_from(served, _BreakingBlobs())
    with capture_logs() as logs, pytest.raises(OSError, match="broken disk"):
        await served.client.get(url)
    assert [line["event"] for line in logs] == ["request failed", "request"]


def read_from(served: Served, blobs: Any) -> None:
    """Have bytes read from another store, of which nothing else is used."""
    runtime = served.namespace.runtime
    drawing = BlobDrawing(blobs=blobs, jobs=runtime.stores.jobs, artist=runtime.artist)
    served.answer_with(blob_access=replace(served.namespace.blob_access, drawing=drawing))


class _BreakingBlobs:
    """A blob store that fails in the middle."""

    async def read(self, _: str, *, start: int, stop: int) -> AsyncIterator[bytes]:
        yield IMAGE[start : stop // 2]
        raise OSError("broken disk")


class _FailingBlobs:
    """A blob store that fails at the first byte."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def read(self, _: str, *, start: int, stop: int) -> AsyncIterator[bytes]:
        if stop >= start:
            raise self._error
        yield b""
