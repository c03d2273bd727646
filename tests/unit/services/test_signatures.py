"""Signatures of URLs and tokens in several namespaces."""

import hashlib
import hmac
from collections.abc import Callable
from datetime import timedelta

import pytest

from civitai_mock.clock import VirtualClock
from civitai_mock.domain.blob import BlobLink
from civitai_mock.domain.errors import ForbiddenError, InvalidRequestError, MockError, NotFoundError
from civitai_mock.domain.namespaces import DEFAULT
from civitai_mock.services.blob_tokens import ArchiveToken, BlobTokens, ContentToken
from civitai_mock.services.blob_urls import OwnBlobLinks, WorkflowBlobUrls
from civitai_mock.services.blobs import BlobUrls
from civitai_mock.services.signatures import UrlSigner, encode_base64
from tests.support.dates import START
from tests.support.table import table

KEY, OTHER_KEY = b"a key for tests", b"another key"
NAMES = (DEFAULT, "a", "b")
PAIRS = [(maker, asked) for maker in NAMES for asked in NAMES if maker != asked]
BASE = "http://host"


def signer(namespace: str, *, key: bytes = KEY, encode: Callable[[bytes], str] = bytes.hex) -> UrlSigner:
    return UrlSigner(key=key, encode=encode, namespace=namespace)


def links(namespace: str, key: bytes = KEY) -> OwnBlobLinks:
    clock, lifetime = VirtualClock(START), timedelta(hours=1)
    return OwnBlobLinks(
        blob_urls=BlobUrls(key=key, lifetime=lifetime, clock=clock, namespace=namespace),
        workflow_blob_urls=WorkflowBlobUrls(key=key, lifetime=lifetime, clock=clock, namespace=namespace),
    )


def tokens(namespace: str, key: bytes = KEY) -> BlobTokens:
    return BlobTokens(key=key, clock=VirtualClock(START), namespace=namespace)


@pytest.mark.parametrize("encode", [bytes.hex, encode_base64])
def test_the_default_namespace_signs_as_it_did_when_it_was_the_only_one(encode: Callable[[bytes], str]) -> None:
    for text in ("one", "two\nlines"):
        expected = encode(hmac.new(KEY, text.encode(), hashlib.sha256).digest())
        assert signer(DEFAULT, encode=encode).sign(text) == expected


@pytest.mark.parametrize("encode", [bytes.hex, encode_base64])
def test_signatures_of_all_namespaces_have_one_length_and_none_is_that_of_another(
    encode: Callable[[bytes], str],
) -> None:
    signed = {signer(name, key=key, encode=encode).sign("text") for name in NAMES for key in (KEY, OTHER_KEY)}
    assert len(signed) == 2 * len(NAMES)
    assert len({len(signature) for signature in signed}) == 1


@table("encode", [bytes.hex, encode_base64])
@table(("maker", "asked"), PAIRS)
def test_a_signature_of_another_namespace_is_known_as_such(
    maker: str, asked: str, encode: Callable[[bytes], str]
) -> None:
    made, here = signer(maker, encode=encode), signer(asked, encode=encode)
    signature = made.sign("text")
    assert made.has_signed("text", signature)
    assert not here.has_signed("text", signature)
    with pytest.raises(NotFoundError):
        here.check_is_here("text", signature)


@pytest.mark.parametrize("namespace", NAMES)
def test_a_signature_that_was_tampered_with_is_of_no_other_namespace(namespace: str) -> None:
    here = signer(namespace)
    signature = here.sign("text")
    for wrong in (signature[:-1] + ("0" if signature[-1] != "0" else "1"), "0" * len(signature), "", "é"):
        assert not here.has_signed("text", wrong)
        here.check_is_here("text", wrong)
    assert not here.has_signed("another text", signature)
    here.check_is_here("another text", signature)
    for name in NAMES:
        here.check_is_here("text", signer(name, key=OTHER_KEY).sign("text"))


@pytest.mark.parametrize(("maker", "asked"), PAIRS)
def test_a_url_of_another_namespace_leads_to_nothing(maker: str, asked: str) -> None:
    made, here = links(maker), links(asked)
    for url in (
        made.blob_urls.sign("A" * 64, base_url=BASE)[0],
        made.workflow_blob_urls.sign("a.png", base_url=BASE).url,
    ):
        assert made.find(url) is not None
        with pytest.raises(NotFoundError):
            here.find(url)
    with pytest.raises(ForbiddenError):
        links(asked, OTHER_KEY).find(made.blob_urls.sign("A" * 64, base_url=BASE)[0])


@pytest.mark.parametrize(
    ("base", "is_here"),
    [
        (BASE, True),
        (f"{BASE}/ns/a", True),
        (f"{BASE}/under/ns/a/compat/official", True),
        (f"{BASE}/ns/b", False),
        (f"{BASE}/ns/default", False),
        (f"{BASE}/ns/b/compat/official", False),
        (f"{BASE}/ns/b/other", True),
    ],
)
def test_a_url_without_a_signature_names_a_blob_of_its_own_namespace(base: str, is_here: bool) -> None:
    here, url = links("a"), f"{base}/v2/consumer/blobs/a.png"
    if is_here:
        assert here.find(url) == BlobLink("a.png", is_signed=False)
    else:
        with pytest.raises(NotFoundError):
            here.find(url)


@pytest.mark.parametrize(("maker", "asked"), PAIRS)
def test_a_token_of_another_namespace_is_good_for_nothing(maker: str, asked: str) -> None:
    token = ContentToken(key="a.png")
    text = tokens(maker).sign(token)
    assert tokens(maker).read(text, ContentToken) == token
    refused: list[tuple[BlobTokens, type[MockError]]] = [
        (tokens(asked), NotFoundError),
        (tokens(asked, OTHER_KEY), InvalidRequestError),
    ]
    for reader, error in refused:
        with pytest.raises(error):
            reader.read(text, ContentToken)
    with pytest.raises(InvalidRequestError):
        tokens(maker).read(text, ArchiveToken)
