"""Fetching images from hosts that may be slow, wrong or hostile."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from civitai_mock.domain.blob import Blob
from civitai_mock.domain.errors import JobError, MockError, TransientError
from tests.support.dates import START
from tests.support.image_host import ImageHost, answer_of, fetching_from, image_host
from tests.support.standin import plain_png
from tests.support.tls import CA_FILE, server_context

IMAGE = plain_png(8, 8)


class StoredImage:
    """Keeps in memory what the fetcher stores."""

    def __init__(self) -> None:
        self.content = b""
        self.content_type = ""

    async def __call__(self, content: AsyncIterator[bytes], content_type: str) -> Blob:
        self.content = b"".join([chunk async for chunk in content])
        self.content_type = content_type
        return _blob(content_type, len(self.content), START)


def _blob(content_type: str, size: int, keep_until: datetime) -> Blob:
    return Blob(key="x", content_type=content_type, size=size, etag="e", keep_until=keep_until)


@pytest.fixture
async def host() -> AsyncIterator[ImageHost]:
    async with image_host() as opened:
        yield opened


async def _fetch(host: ImageHost, url: str = "", *patterns: str, seconds: float = 5) -> StoredImage:
    stored = StoredImage()
    async with fetching_from(host, *patterns, patience=timedelta(seconds=seconds)) as fetcher:
        await fetcher.fetch(url or host.url(), stored)
    return stored


async def _refused(host: ImageHost, url: str = "", *patterns: str) -> MockError:
    with pytest.raises(MockError) as caught:
        await _fetch(host, url, *patterns)
    return caught.value


@pytest.mark.parametrize("content_type", ["image/png", "text/html", "image/jpeg"])
async def test_an_image_is_what_its_bytes_are(host: ImageHost, content_type: str) -> None:
    host.answers["/x.png"] = answer_of(IMAGE, Content_Type=content_type)
    stored = await _fetch(host)
    assert (stored.content, stored.content_type) == (IMAGE, "image/png")


async def test_a_host_is_asked_under_its_name_and_for_bytes_as_they_are(host: ImageHost) -> None:
    host.answers["/x.png"] = answer_of(IMAGE)
    await _fetch(host, host.url("/x.png?a=1"))
    assert "Host: images.test" in host.requests[0]
    assert "Accept-Encoding: identity" in host.requests[0]


@pytest.mark.parametrize("status", [204, 206, 304, 400, 401, 403, 404, 410, 451])
async def test_an_answer_without_an_image_ends_the_job(host: ImageHost, status: int) -> None:
    host.answers["/x.png"] = answer_of(b"", status=status)
    error = await _refused(host)
    assert isinstance(error, JobError)
    assert error.message == f"The host 'images.test' answered {status} instead of an image."


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_an_answer_that_may_be_another_next_time_is_waited_for(host: ImageHost, status: int) -> None:
    host.answers["/x.png"] = answer_of(b"", status=status)
    assert isinstance(await _refused(host), TransientError)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (answer_of(b"<html>" * 10, Content_Type="image/png"), "is not a PNG"),
        (answer_of(b""), "is not a PNG"),
        (answer_of(IMAGE[:10]), "is not a PNG"),
        (answer_of(b"\xff\xd8" + b"\xff\xe0\xff\xff" * 400_000, length=100_000), "is not a PNG"),
        (answer_of(plain_png(101, 100)), "101 x 100 are more than 10000 pixels; see IMAGE_MAX_PIXELS"),
        (answer_of(IMAGE, length=200_001), "more than 200000 bytes; see IMAGE_MAX_BYTES"),
    ],
    ids=["html", "nothing", "too short", "no size in sight", "too many pixels", "announced as too large"],
)
async def test_what_cannot_be_an_input_ends_the_job(host: ImageHost, answer: bytes, reason: str) -> None:
    host.answers["/x.png"] = answer
    error = await _refused(host)
    assert isinstance(error, JobError)
    assert reason in error.message


async def test_a_body_without_end_is_cut_off_at_the_limit(host: ImageHost) -> None:
    host.answers["/x.png"] = b"HTTP/1.1 200 OK\r\n\r\n" + IMAGE + bytes(1000)
    host.goes_on.add("/x.png")
    error = await _refused(host)
    assert isinstance(error, JobError)
    assert "IMAGE_MAX_BYTES" in error.message


async def test_a_body_that_breaks_off_is_asked_for_again(host: ImageHost) -> None:
    host.answers["/x.png"] = answer_of(IMAGE, length=len(IMAGE) + 1)
    assert isinstance(await _refused(host), TransientError)


async def test_a_body_that_does_not_come_in_time_is_asked_for_again(host: ImageHost) -> None:
    host.answers["/x.png"] = answer_of(IMAGE, length=len(IMAGE) + 1)
    host.stays_open.add("/x.png")
    with pytest.raises(TransientError, match=r"took longer than 0\.05 s"):
        await _fetch(host, seconds=0.05)


async def test_a_host_that_is_away_is_asked_again(host: ImageHost) -> None:
    error = await _refused(host, "http://user:secret@images.test:1/secret.png?key=secret")
    assert isinstance(error, TransientError)
    assert "secret" not in error.message


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed(host: ImageHost, status: int) -> None:
    host.answers |= {
        "/a": answer_of(b"", status=status, Location="/b"),
        "/b": answer_of(b"", status=status, Location=host.url("/c", host="other.test")),
        "/c": answer_of(IMAGE),
    }
    assert (await _fetch(host, host.url("/a"))).content == IMAGE


async def test_a_cycle_of_redirects_ends_the_job(host: ImageHost) -> None:
    host.answers["/x.png"] = answer_of(b"", status=302, Location="/x.png")
    error = await _refused(host)
    assert isinstance(error, JobError)
    assert len(host.requests) == 4


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest",
        "http://[::ffff:169.254.169.254]/",
        "http://metadata.test/",
        "file:///etc/passwd",
    ],
)
async def test_a_redirect_to_a_forbidden_place_ends_the_job(host: ImageHost, target: str) -> None:
    host.addresses |= {
        "metadata.test": ("169.254.169.254",),
        "169.254.169.254": ("169.254.169.254",),
        "::ffff:169.254.169.254": ("::ffff:169.254.169.254",),
    }
    host.answers["/x.png"] = answer_of(b"", status=302, Location=target)
    assert isinstance(await _refused(host), JobError)
    assert len(host.requests) == 1


UNUSABLE = ["http://xn--/", "http://xn--a/x.png", "http://images.test:99999/x.png"]


@pytest.mark.parametrize("target", UNUSABLE)
async def test_a_redirect_to_what_is_not_a_url_ends_the_job(host: ImageHost, target: str) -> None:
    host.answers["/x.png"] = answer_of(b"", status=302, Location=target)
    error = await _refused(host)
    assert isinstance(error, JobError)
    assert error.message == "The host 'images.test' leads to a URL that cannot be used."


@pytest.mark.parametrize("url", UNUSABLE)
async def test_a_url_that_only_seems_to_be_one_ends_the_job(host: ImageHost, url: str) -> None:
    error = await _refused(host, url)
    assert isinstance(error, JobError)
    assert "cannot be used" in error.message


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "100.64.0.1"]
)
async def test_a_host_name_does_not_hide_a_forbidden_address(host: ImageHost, address: str) -> None:
    host.addresses["images.test"] = (address,)
    error = await _refused(host, host.url("/secret"), "public")
    assert isinstance(error, JobError)
    assert error.message == "This server does not fetch images from the host 'images.test'; see IMAGE_ALLOWED_HOSTS."
    assert host.requests == []


async def test_no_cookie_goes_from_one_fetch_to_the_next(host: ImageHost) -> None:
    host.answers["/x.png"] = answer_of(IMAGE, Set_Cookie="a=b")
    async with fetching_from(host) as fetcher:
        for _ in range(2):
            await fetcher.fetch(host.url(), StoredImage())
    assert "cookie" not in "".join(host.requests).lower().replace("set-cookie", "")


async def test_a_redirect_to_nonsense_is_a_transient_error(host: ImageHost) -> None:
    host.answers["/x.png"] = answer_of(b"", status=302, Location="http://images.test:port/")
    assert isinstance(await _refused(host), TransientError)


async def test_a_host_whose_certificate_is_not_trusted_is_said_to_have_one() -> None:
    async with image_host(tls=server_context()) as host:
        error = await _refused(host, f"https://localhost:{host.port}/x.png")
    assert "its certificate is not trusted" in error.message
    assert error.message.endswith("name its CA in SSL_CERT_FILE.")


async def test_a_ca_that_the_environment_names_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CA_FILE))
    async with image_host(tls=server_context()) as host:
        host.addresses["localhost"] = ("127.0.0.1",)
        host.answers["/x.png"] = answer_of(IMAGE)
        assert (await _fetch(host, f"https://localhost:{host.port}/x.png")).content == IMAGE
