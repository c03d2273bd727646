"""v2's blobs: the redirect, the content behind it, what is withheld, and refreshing a URL."""

import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image
from structlog.testing import capture_logs

from civitai_mock.domain.blob import BlobFacts, Shown
from civitai_mock.domain.maturity import NsfwLevel
from civitai_mock.domain.money import Account
from civitai_mock.services.blob_tokens import BlockedToken
from civitai_mock.services.consumers import consumer_id
from tests.support.jobs import LEASE, chunks
from tests.support.served_app import BASE_URL, IMAGE, JOBS, Served, serve
from tests.support.workflows import make_workflow

BLOBS = "/v2/consumer/blobs"
ID = "7Q00000000000000000000000Z.png"
SIZE = len(IMAGE)
ALICE, BOB = {"authorization": "Bearer alice"}, {"authorization": "Bearer bob"}
FACTS = BlobFacts(width=640, height=480, nsfw_level=NsfwLevel.R, job_id="a-job")
PERIOD_SECONDS = 7200


async def store(served: Served, *, blob_id: str = ID, owner: str | None = None, facts: BlobFacts | None = None) -> str:
    keep_until = served.clock.now() + LEASE
    await served.stores.blobs.put(
        blob_id, chunks(IMAGE), content_type="image/png", keep_until=keep_until, owner=owner, facts=facts
    )
    return f"{BLOBS}/{blob_id}"


def signed(served: Served, blob_id: str = ID, *, shown: Shown = Shown.FILE) -> str:
    return served.use_cases.workflow_blob_urls.sign(blob_id, base_url=BASE_URL, shown=shown).url


async def location(client: httpx.AsyncClient, url: str, **request: Any) -> str:
    answer = await client.get(url, **request)
    assert (answer.status_code, answer.content) == (301, b"")
    return answer.headers["location"]


@asynccontextmanager
async def serve_to_alice() -> AsyncIterator[Served]:
    """Serve a server that knows Alice and Bob, with a blob of Alice's."""
    async with serve(auth="tokens", auth_tokens="alice,bob") as served:
        await store(served, owner=consumer_id("alice"), facts=FACTS)
        yield served


async def test_a_blob_is_a_redirect_to_its_content_on_the_same_host(served: Served) -> None:
    path = await store(served)
    for url in (path, signed(served)):
        found = await location(served.client, url)
        assert found.startswith(f"{BLOBS}/content/")
        assert "?" not in found
        answer = await served.client.get(found)
        assert (answer.status_code, answer.content) == (200, IMAGE)
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_redirect_is_not_kept_for_ever(served: Served) -> None:
    """A client may keep a 301 without a limit, and the token has one."""
    answer = await served.client.get(await store(served))
    assert answer.headers["cache-control"] == "no-store"


async def test_within_a_period_the_content_has_one_address(served: Served) -> None:
    path = await store(served)
    first = await location(served.client, path)
    served.clock.advance(60)
    assert await location(served.client, path) == first
    served.clock.advance(3600)
    assert await location(served.client, path) != first


async def test_a_public_url_with_a_path_is_kept_in_the_redirect() -> None:
    async with serve(public_url="https://mock.example/base/") as served:
        assert (await location(served.client, await store(served))).startswith(f"/base{BLOBS}/content/")


async def test_content_has_ranges_tags_and_head(served: Served) -> None:
    found = await location(served.client, await store(served))
    head = await served.client.head(found)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(SIZE))
    part = await served.client.get(found, headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, IMAGE[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{SIZE}"
    outside = await served.client.get(found, headers={"range": f"bytes={SIZE}-"})
    assert (outside.status_code, outside.headers["content-range"]) == (416, f"bytes */{SIZE}")
    kept = await served.client.get(found, headers={"if-none-match": head.headers["etag"]})
    assert (kept.status_code, kept.content) == (304, b"")


@pytest.mark.parametrize(
    ("query", "disposition"),
    [
        ("", None),
        ("?download=false", None),
        ("?download=true", f'attachment; filename="{ID}"'),
        ("?Download=True&fileName=a%20cat.png", 'attachment; filename="a cat.png"'),
        ("?filename=a.png", 'inline; filename="a.png"'),
        ("?filename=%D0%BA%D0%BE%D1%82.png", "inline; filename=\"___.png\"; filename*=UTF-8''%D0%BA%D0%BE%D1%82.png"),
        ("?filename=a%0d%0ax%22%5C.png", "inline; filename=\"a__x__.png\"; filename*=UTF-8''a%0D%0Ax%22%5C.png"),
    ],
)
async def test_a_file_is_named_and_saved_as_asked_for(served: Served, query: str, disposition: str | None) -> None:
    answer = await served.client.get(await location(served.client, await store(served) + query))
    assert answer.headers.get("content-disposition") == disposition


@pytest.mark.parametrize(
    ("query", "path"),
    [
        (f"?filename={'a' * 256}", "filename"),
        ("?download=perhaps", "download"),
        ("?nsfwLevel=mild", "nsfwLevel"),
    ],
)
async def test_a_wrong_query_is_a_400_by_its_name(served: Served, query: str, path: str) -> None:
    answer = await served.client.get(await store(served) + query)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [path])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_blob_that_is_not_there_is_a_404(served: Served, method: str) -> None:
    for url in (f"{BLOBS}/{ID}", signed(served), f"{BLOBS}/..", f"{BLOBS}/%00"):
        assert (await served.client.request(method, url)).status_code == 404


async def test_content_that_was_deleted_is_a_404(served: Served) -> None:
    found = await location(served.client, await store(served))
    await served.stores.blobs.delete(ID)
    answer = await served.client.get(found)
    assert (answer.status_code, answer.json()["title"]) == (404, "Not Found")


TAMPERED: list[tuple[str, str]] = [
    ("sig=", "sig=A"),
    ("exp=2026", "exp=2027"),
    (ID, ID.replace("Z", "Y")),
    ("sig=", "six="),
    ("exp=", "exq="),
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(("old", "new"), TAMPERED)
async def test_a_url_that_we_did_not_sign_is_a_403(served: Served, method: str, old: str, new: str) -> None:
    await store(served)
    url = signed(served)
    assert old in url
    assert (await served.client.request(method, url.replace(old, new))).status_code == 403


async def test_the_names_of_a_query_are_in_any_case(served: Served) -> None:
    await store(served)
    url = signed(served).replace("sig=", "Sig=").replace("exp=", "EXP=")
    assert (await served.client.get(url)).status_code == 301


async def test_a_signed_url_works_until_it_expires() -> None:
    async with serve(workflow_url_lifetime_s=60) as served:
        await store(served)
        url = signed(served)
        served.clock.advance(59)
        found = await location(served.client, url)
        assert (await served.client.get(found)).status_code == 200
        served.clock.advance(1)
        refused = await served.client.get(url)
        assert (refused.status_code, refused.headers["content-type"]) == (
            403,
            "application/problem+json; charset=utf-8",
        )
        assert (await served.client.get(found)).status_code == 400  # which no token of it survives


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1],
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: "A" + token[1:] if token[0] != "A" else "B" + token[1:],
        lambda _: "x",
        lambda _: "%20",
        lambda _: "é",
        lambda _: "A" * 5000,
    ],
)
async def test_a_token_that_is_not_ours_is_a_400(served: Served, change: Callable[[str], str]) -> None:
    folder, _, token = (await location(served.client, await store(served))).rpartition("/")
    answer = await served.client.get(f"{folder}/{change(token)}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


async def test_a_token_has_an_end(served: Served) -> None:
    found = await location(served.client, await store(served))
    served.clock.advance(PERIOD_SECONDS)
    assert (await served.client.get(found)).status_code == 400


async def test_no_token_is_logged(served: Served) -> None:
    found = await location(served.client, await store(served))
    for path in (found, found.replace("/", "//"), f"/compat/official{found}"):
        with capture_logs() as logs:
            answer = await served.client.get(f"{BASE_URL}{path}")
        assert answer.status_code == 200
        assert [line["path"].rpartition("/")[2] for line in logs] == ["***"]


async def test_a_token_of_one_kind_is_not_one_of_another(served: Served) -> None:
    found = await location(served.client, await store(served, facts=FACTS) + "?nsfwLevel=pg")
    assert (await served.client.get(found.replace("/blocked/", "/content/"))).status_code == 400


async def test_head_says_how_mature_a_blob_is(served: Served) -> None:
    answer = await served.client.head(await store(served, facts=FACTS))
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["x-nsfw-level"] == "R"
    assert "x-blocked-reason" not in answer.headers
    content = await served.client.get(await location(served.client, f"{BLOBS}/{ID}"))
    assert content.headers["x-nsfw-level"] == "R"


async def test_of_an_image_without_a_rating_nothing_is_said(served: Served) -> None:
    assert "x-nsfw-level" not in (await served.client.head(await store(served))).headers


@pytest.mark.parametrize(
    ("most", "is_withheld"),
    [("pg", True), ("PG13", True), ("r", False), ("xxx", False), ("na", False)],
)
async def test_what_is_more_mature_than_asked_for_is_withheld(served: Served, most: str, is_withheld: bool) -> None:
    path = await store(served, facts=FACTS) + f"?nsfwLevel={most}"
    head = await served.client.head(path)
    assert (head.status_code, head.headers.get("x-blocked-reason")) == (204, "MatureContent" if is_withheld else None)
    found = await location(served.client, path)
    answer = await served.client.get(found)
    if not is_withheld:
        assert answer.content == IMAGE
        return
    assert found.startswith(f"{BLOBS}/blocked/")
    assert (answer.status_code, answer.headers["content-type"]) == (403, "image/png")
    assert (answer.headers["x-nsfw-level"], answer.headers["x-blocked-reason"]) == ("R", "MatureContent")
    with Image.open(io.BytesIO(answer.content)) as image:
        image.load()
        assert image.size == (640, 480)


@pytest.mark.parametrize(
    ("level", "allows", "is_withheld"),
    [
        ("r", False, True),
        ("xxx", False, True),
        ("r", None, False),
        ("r", True, False),
        ("pg13", False, False),
        (None, False, False),
    ],
)
async def test_mature_content_is_withheld_unless_its_workflow_allows_it(
    served: Served, level: str | None, allows: bool | None, is_withheld: bool
) -> None:
    workflow = make_workflow(allow_mature_content=allows, currencies=[Account.YELLOW] if allows is None else [])
    await served.stores.workflows.add(workflow, [])
    facts = BlobFacts(width=8, height=8, nsfw_level=NsfwLevel(level) if level else None, workflow_id=workflow.id)
    path = await store(served, facts=facts)
    reason = "MatureContent" if is_withheld else None
    assert (await served.client.head(path)).headers.get("x-blocked-reason") == reason
    refreshed = (await served.client.post(f"{path}/refresh")).json()
    assert (refreshed["available"], refreshed.get("blockedReason")) == (True, reason)
    for url in (path, refreshed["url"], refreshed["previewUrl"]):
        assert (await served.client.get(await location(served.client, url))).status_code == (
            403 if is_withheld else 200
        )
    stream = await served.client.get(signed(served, shown=Shown.STREAM))
    assert stream.status_code == (404 if is_withheld else 200)


async def test_what_is_withheld_is_given_out_once_its_workflow_allows_it(served: Served) -> None:
    workflow = make_workflow(allow_mature_content=False)
    await served.stores.workflows.add(workflow, [])
    path = await store(served, facts=replace(FACTS, workflow_id=workflow.id))
    assert (await location(served.client, path)).startswith(f"{BLOBS}/blocked/")
    stored = await served.stores.workflows.get(workflow.id)
    assert stored is not None
    allowing = stored.workflow.described(allow_mature_content=True)
    assert await served.stores.workflows.replace(stored.workflow, allowing)
    assert (await served.client.get(await location(served.client, path))).content == IMAGE


async def test_a_workflow_that_was_deleted_allows_nothing_mature(served: Served) -> None:
    path = await store(served, facts=replace(FACTS, workflow_id="7-20250906181816000"))
    assert (await location(served.client, path)).startswith(f"{BLOBS}/blocked/")


async def test_a_token_gives_out_nothing_that_is_withheld_meanwhile(served: Served) -> None:
    workflow = make_workflow(allow_mature_content=True)
    stored = await served.stores.workflows.add(workflow, [])
    found = await location(served.client, await store(served, facts=replace(FACTS, workflow_id=workflow.id)))
    assert await served.stores.workflows.replace(stored, stored.described(allow_mature_content=False))
    assert (await served.client.get(found)).status_code == 404


@pytest.mark.parametrize(("sides", "drawn"), [((None, None), (512, 512)), ((1, 20_000), (1, 4096))])
async def test_a_placeholder_has_a_size_in_any_case(
    served: Served, sides: tuple[int | None, int | None], drawn: tuple[int, int]
) -> None:
    facts = BlobFacts(width=sides[0], height=sides[1], nsfw_level=NsfwLevel.X)
    answer = await served.client.get(await location(served.client, await store(served, facts=facts) + "?nsfwLevel=r"))
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == drawn


@pytest.mark.parametrize("token", ["x", "A" * 40])
async def test_a_bad_token_of_what_is_withheld_is_a_403_with_a_problem(served: Served, token: str) -> None:
    answer = await served.client.get(f"{BLOBS}/blocked/{token}")
    assert (answer.status_code, answer.json()["title"]) == (403, "Forbidden")


async def test_a_placeholder_has_an_end_too(served: Served) -> None:
    blocked = BlockedToken(width=1, height=1, level=NsfwLevel.X, reason="MatureContent", key=None)
    path = f"{BLOBS}/blocked/{served.use_cases.blob_tokens.sign(blocked)}"
    served.clock.advance(PERIOD_SECONDS)
    answer = await served.client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json; charset=utf-8")


async def test_refreshing_gives_a_url_that_works_for_as_long_again(served: Served) -> None:
    path = await store(served, facts=FACTS)
    served.clock.advance(10)
    answer = await served.client.post(f"{path}/refresh")
    assert answer.status_code == 200
    told = answer.json()
    assert {name: told[name] for name in ("type", "id", "available", "width", "height", "jobId", "nsfwLevel")} == {
        "type": "image",
        "id": ID,
        "available": True,
        "width": 640,
        "height": 480,
        "jobId": "a-job",
        "nsfwLevel": "r",
    }
    assert told["urlExpiresAt"] == "2026-09-06T18:18:26Z"
    found = await location(served.client, told["url"].removeprefix(BASE_URL))
    assert (await served.client.get(found)).content == IMAGE


async def test_what_is_not_there_cannot_be_refreshed(served: Served) -> None:
    assert (await served.client.post(f"{BLOBS}/{ID}/refresh")).status_code == 404


async def test_an_image_of_a_v1_job_is_a_blob_of_v2(served: Served) -> None:
    job_id = await served.submit_one()
    await served.finish()
    (result,) = (await served.client.get(f"{JOBS}/{job_id}")).json()["result"]
    found = await location(served.client, f"{BLOBS}/{result['blobKey']}")
    assert (await served.client.get(found)).content == IMAGE


async def test_a_streaming_blob_is_answered_with_its_bytes(served: Served) -> None:
    await store(served)
    for url in (f"/v2/consumer/streaming-blobs/{ID}", signed(served, shown=Shown.STREAM)):
        answer = await served.client.get(url)
        assert (answer.status_code, answer.content) == (200, IMAGE)
    assert (await served.client.get("/v2/consumer/streaming-blobs/other.ogg")).status_code == 404


async def test_a_url_of_the_stream_is_none_of_the_file(served: Served) -> None:
    await store(served)
    for shown, old, new in ((Shown.STREAM, "streaming-blobs", "blobs"), (Shown.FILE, "/blobs", "/streaming-blobs")):
        url = urlsplit(signed(served, shown=shown))
        answer = await served.client.get(f"{url.path.replace(old, new)}?{url.query}")
        assert answer.status_code == 403


ROUTES: list[tuple[str, str]] = [
    ("GET", f"{BLOBS}/{ID}"),
    ("HEAD", f"{BLOBS}/{ID}"),
    ("POST", f"{BLOBS}/{ID}/refresh"),
    ("GET", f"/v2/consumer/streaming-blobs/{ID}"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_without_a_token_nobody_gets_anything_by_name(method: str, path: str) -> None:
    async with serve_to_alice() as served:
        answer = await served.client.request(method, path)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_the_blob_of_somebody_else_is_not_there(method: str, path: str) -> None:
    async with serve_to_alice() as served:
        assert (await served.client.request(method, path, headers=BOB)).status_code == 404
        assert (await served.client.request(method, path, headers=ALICE)).status_code in {200, 204, 301}


async def test_whoever_has_a_signed_url_or_a_token_needs_no_other_proof() -> None:
    async with serve_to_alice() as served:
        for headers in ({}, BOB, {"authorization": "Bearer nobody"}):
            found = await location(served.client, signed(served), headers=headers)
            assert (await served.client.get(found, headers=headers)).content == IMAGE
            assert (await served.client.head(signed(served), headers=headers)).status_code == 204
            stream = await served.client.get(signed(served, shown=Shown.STREAM), headers=headers)
            assert stream.status_code == 200


async def test_a_signed_url_is_no_right_to_a_new_one() -> None:
    async with serve_to_alice() as served:
        query = urlsplit(signed(served)).query
        assert (await served.client.post(f"{BLOBS}/{ID}/refresh?{query}")).status_code == 401


@pytest.mark.parametrize("proof", ["sig=x", "exp=x", "SIG=x", "sig", "exp="])
async def test_a_signature_opens_no_other_route(proof: str) -> None:
    """Where no route looks at a signature, a token is asked for as ever."""
    async with serve_to_alice() as served:
        for method, path in (
            ("GET", f"{BLOBS}/upload"),
            ("POST", f"{BLOBS}/{ID}/refresh"),
            ("DELETE", f"{BLOBS}/{ID}"),
            ("PUT", BLOBS),
            ("GET", f"{BLOBS}/x/y"),
            ("GET", JOBS),
            ("POST", JOBS),
            ("GET", "/v2/consumer/blobsx/y"),
        ):
            assert (await served.client.request(method, f"{path}?{proof}")).status_code == 401, (method, path)
        assert (await served.client.get(f"{BLOBS}/{ID}?{proof}", headers=ALICE)).status_code == 403


async def test_requests_for_content_are_counted_by_address() -> None:
    async with serve(rate_limit="3/minute") as served:
        found = await location(served.client, await store(served))
        answers = [(await served.client.get(found)).status_code for _ in range(3)]
        assert answers == [200, 200, 429]
