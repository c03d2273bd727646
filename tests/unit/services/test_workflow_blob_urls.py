"""Signed URLs of v2's blobs, and which of our own blobs any URL leads to."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from civitai_mock.clock import VirtualClock
from civitai_mock.domain.blob import BlobLink, Shown
from civitai_mock.domain.errors import ForbiddenError
from civitai_mock.services.blob_urls import OwnBlobLinks, WorkflowBlobUrls
from civitai_mock.services.blobs import BlobUrls

BASE = "https://mock.example/base"
ID = "7Q00000000000000000000000Z.png"
KEY = b"0123456789abcdef"
YEAR = timedelta(days=365)
SIGNED_AT = datetime(2026, 5, 26, 1, 0, 7, tzinfo=UTC)


@pytest.fixture
def moved() -> VirtualClock:
    return VirtualClock(datetime(2026, 5, 26, 1, 0, 7, 552987, tzinfo=UTC))


@pytest.fixture
def urls(moved: VirtualClock) -> WorkflowBlobUrls:
    return WorkflowBlobUrls(key=KEY, lifetime=YEAR, clock=moved)


@pytest.fixture
def links(urls: WorkflowBlobUrls, moved: VirtualClock) -> OwnBlobLinks:
    first = BlobUrls(key=KEY, lifetime=timedelta(hours=1), clock=moved)
    return OwnBlobLinks(blob_urls=first, workflow_blob_urls=urls)


def test_a_url_has_the_form_of_real_ones(urls: WorkflowBlobUrls) -> None:
    url, expires_at = urls.sign(ID, base_url=BASE)
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    assert (parts.path, list(query)) == (f"/base/v2/consumer/blobs/{ID}", ["sig", "exp"])
    assert query["exp"] == ["2027-05-26T01:00:07.0000000Z"]
    assert expires_at == datetime(2027, 5, 26, 1, 0, 7, tzinfo=UTC)


@pytest.mark.parametrize("shown", Shown)
def test_a_signed_url_names_its_blob_and_what_it_shows(links: OwnBlobLinks, shown: Shown) -> None:
    url = links.workflow_blob_urls.sign(ID, base_url=BASE, shown=shown).url
    for host in (BASE, "http://localhost:3000", "http://10.0.0.7"):
        assert links.find(url.replace(BASE, host)) == BlobLink(ID, shown, signed_at=SIGNED_AT)
    assert links.find(f"{url}&filename=a.png&download=true") == BlobLink(ID, shown, signed_at=SIGNED_AT)


def test_each_thing_that_is_shown_has_a_signature_of_its_own(urls: WorkflowBlobUrls) -> None:
    signatures = {parse_qs(urlsplit(urls.sign(ID, base_url="", shown=shown).url).query)["sig"][0] for shown in Shown}
    assert len(signatures) == len(Shown)


def test_a_url_of_v1_is_one_of_ours(links: OwnBlobLinks) -> None:
    url, _ = links.blob_urls.sign("A" * 64, base_url=BASE)
    assert links.find(url) == BlobLink("A" * 64, signed_at=SIGNED_AT)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a.png",
        "https://example.com/v2/consumer/blobs/",
        "https://example.com/v2/consumer/blobs/.hidden?sig=a&exp=b",
        "https://example.com/v2/consumer/blobs/a/b?sig=a&exp=b",
        "https://example.com/blobs/A?sig=a&exp=b",
    ],
)
def test_any_other_url_is_not_ours(links: OwnBlobLinks, url: str) -> None:
    assert links.find(url) is None


def test_a_url_without_a_signature_only_names_the_blob(links: OwnBlobLinks) -> None:
    assert links.find(f"{BASE}/v2/consumer/blobs/{ID}?download=true") == BlobLink(ID, is_signed=False)


TAMPERED = [
    ("sig=", "sig=A"),
    ("exp=2027", "exp=2028"),
    ("exp=", "exp=x"),
    ("&exp=2027-05-26T01:00:07.0000000Z", ""),
    (ID, "7Q00000000000000000000000Y.png"),
    ("consumer/blobs", "consumer/streaming-blobs"),
]


@pytest.mark.parametrize(("old", "new"), TAMPERED)
def test_a_url_that_we_did_not_sign_is_refused(links: OwnBlobLinks, old: str, new: str) -> None:
    url = links.workflow_blob_urls.sign(ID, base_url=BASE).url
    assert old in url
    with pytest.raises(ForbiddenError):
        links.find(url.replace(old, new))


def test_a_url_without_its_signature_is_refused(links: OwnBlobLinks) -> None:
    signature = parse_qs(urlsplit(links.workflow_blob_urls.sign(ID, base_url=BASE).url).query)["sig"][0]
    with pytest.raises(ForbiddenError):
        links.find(links.workflow_blob_urls.sign(ID, base_url=BASE).url.replace(f"sig={signature}&", ""))


def test_a_url_works_until_it_expires(links: OwnBlobLinks, moved: VirtualClock) -> None:
    asked_at = moved.now()
    url = links.workflow_blob_urls.sign(ID, base_url=BASE).url
    moved.advance(YEAR.total_seconds() - 1)
    assert links.find(url) == BlobLink(ID, signed_at=SIGNED_AT)
    moved.advance(1)
    with pytest.raises(ForbiddenError):
        links.find(url)
    assert links.find(url, at=asked_at) == BlobLink(ID, signed_at=SIGNED_AT)


def test_neither_kind_of_signature_is_taken_for_the_other(links: OwnBlobLinks, moved: VirtualClock) -> None:
    """Both are made with one secret: what v1 signs for a key of three lines must not be a signature of v2."""
    signature = parse_qs(urlsplit(links.workflow_blob_urls.sign(ID, base_url=BASE).url).query)["sig"][0]
    with pytest.raises(ForbiddenError):
        links.blob_urls.check("file", date="2027-05-26T01:00:07.0000000Z", expires=ID, signature=signature)


def test_a_url_that_is_signed_anew_is_another_one_in_the_same_second_too(
    links: OwnBlobLinks, moved: VirtualClock
) -> None:
    first, second = links.blob_urls, links.workflow_blob_urls
    before = [first.sign("A", base_url=BASE)[0], second.sign(ID, base_url=BASE).url]
    renewed = [
        first.sign("A", base_url=BASE, after=moved.now())[0],
        second.url(ID, second.expiry(after=moved.now()), base_url=BASE),
    ]
    for old, new in zip(before, renewed, strict=True):
        assert old != new
        (signed, signed_anew) = links.find(old), links.find(new)
        assert signed is not None
        assert signed_anew is not None
        assert (signed.signed_at, signed_anew.signed_at) == (SIGNED_AT, SIGNED_AT + timedelta(seconds=1))
    later = moved.now() - timedelta(hours=1)  # what was signed since then is not one of those
    assert first.sign("A", base_url=BASE, after=later)[0] == before[0]
    assert second.url(ID, second.expiry(after=later), base_url=BASE) == before[1]
