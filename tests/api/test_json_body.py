"""What may be sent as a body: media type, size, time, and JSON that can be kept."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message, Receive

from civitai_mock.api.json_body import decode
from civitai_mock.domain.errors import InvalidRequestError
from tests.support.asgi import exchange, hang_up, http_scope, in_chunks, silence
from tests.support.served_app import JOBS, Served, serve, template

BODY = orjson.dumps(template())
RESOURCES = "/v2/resources"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "text/json",
        "application/vnd.civitai+json",
        "application/merge-patch+json;v=1",
        None,
    ],
)
async def test_every_media_type_of_json_is_accepted(client: httpx.AsyncClient, content_type: str | None) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    assert (await client.post(JOBS, content=BODY, headers=headers)).status_code == 202


@pytest.mark.parametrize("path", [JOBS, RESOURCES])
@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "text/x+json", "json", ""]
)
async def test_another_media_type_is_a_415(client: httpx.AsyncClient, path: str, content_type: str) -> None:
    answer = await client.post(path, content=BODY, headers={"content-type": content_type})
    assert answer.status_code == 415
    assert answer.json()["title"] == "Unsupported Media Type"


@pytest.mark.parametrize("path", [JOBS, RESOURCES])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \r\n",
        b"{",
        b"{'a': 1}",
        b'{"a": 1,}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e999}',
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        b'{"a": 1} {"b": 2}',
        b'{"a": ' + b"[" * 65 + b"]" * 65 + b"}",
        b"[" * 100_000,
        b'{"a": 18446744073709551616}',
        b'{"a": [-99999999999999999999999]}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": 1, "a": 1}',
        b'{"a": [{"b": {"c": 1, "d": 2, "\\u0063": 3}}]}',
        b"[]",
        b"null",
        b'"text"',
        b"7",
    ],
    ids=lambda body: repr(body[:24]),
)
async def test_a_body_that_is_no_usable_json_object_is_a_400(client: httpx.AsyncClient, path: str, body: bytes) -> None:
    answer = await client.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["$"]


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": 18446744073709551615, "b": -9223372036854775808}', {"a": 2**64 - 1, "b": -(2**63)}),
        (b'{"a": "12345678901234567890123"}', {"a": "12345678901234567890123"}),
        (b'{"a": 0.12345678901234567890123}', {"a": 0.12345678901234568}),
        (b"[" * 64 + b"]" * 64, None),
        (b"[" + b"[]," * 99 + b"[]]", [[]] * 100),
    ],
)
def test_json_that_can_be_kept_is_decoded_exactly(body: bytes, value: Any) -> None:
    decoded = decode(body)
    assert value is None or decoded == value


def test_a_fault_says_where_it_is() -> None:
    with pytest.raises(InvalidRequestError) as raised:
        decode(b'{"a":\n  x}')
    assert "line 2 column 3" in raised.value.errors["$"][0]


TEXTS = st.sampled_from(["", "a", ":", "a:", '":', "\\", ":}", "\x1f", "é:", "😀"])
Members = Sequence[tuple[str, Any]]
MEMBERS: st.SearchStrategy[Members] = st.deferred(
    lambda: st.lists(st.tuples(TEXTS, st.one_of(TEXTS, MEMBERS, st.integers(-9, 9), st.none())), max_size=4).map(tuple)
)


def spelled(value: Any, *, escaped: str, space: str) -> str:
    """JSON text of members, which may be repeated; one character is spelled by its number."""
    if isinstance(value, tuple):
        parts = [
            f"{space}{spelled(name, escaped=escaped, space=space)}{space}:"
            f"{space}{spelled(member, escaped=escaped, space=space)}"
            for name, member in value
        ]
        return f"{{{','.join(parts)}}}"
    text = json.dumps(value, ensure_ascii=False)
    return text.replace(escaped, f"\\u{ord(escaped):04x}") if escaped else text


def has_repeated(value: Any) -> bool:
    if not isinstance(value, tuple):
        return False
    return len(dict(value)) < len(value) or any(has_repeated(member) for _, member in value)


@given(MEMBERS, st.sampled_from(["", ":", "a"]), st.sampled_from(["", " ", "\n"]))
def test_repeated_names_are_found_and_no_others_however_a_body_is_spelled(
    members: Members, escaped: str, space: str
) -> None:
    body = spelled(members, escaped=escaped, space=space).encode()
    if has_repeated(members):
        with pytest.raises(InvalidRequestError) as raised:
            decode(body)
        assert "more than once" in raised.value.errors["$"][0]
    else:
        assert decode(body) == orjson.loads(body)


def test_a_body_without_repeated_names_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json, "loads", None)
    body = {"model": "urn:air:sd1:checkpoint:civitai:4384@128713", "params": {"prompt": 'a "fox":\n'}, "n": [1, {}]}
    assert decode(json.dumps(body).encode()) == body


@pytest.mark.parametrize("path", [JOBS, RESOURCES])
async def test_a_body_of_ten_megabytes_is_a_413(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.post(path, content=b" " * 10_000_000, headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert "5242880 bytes" in answer.json()["detail"]


async def test_real_bytes_count_and_not_the_declared_length() -> None:
    async with serve(max_body_bytes=1024) as served:
        lies = {"content-type": "application/json", "content-length": "2"}
        answer = await served.client.post(JOBS, content=in_chunks(b" " * 512, 3), headers=lies)
        assert answer.status_code == 413


async def test_a_declared_length_above_the_limit_is_refused_unread() -> None:
    async with serve(max_body_bytes=1024) as served:
        answered = await exchange(served.app, http_scope("POST", JOBS, content_length="1025"), silence)
        assert answered.status == 413


async def test_a_body_at_the_limit_is_accepted() -> None:
    async with serve(max_body_bytes=2048) as served:
        answer = await served.client.post(JOBS, content=BODY.ljust(2048), headers={"content-type": "text/json"})
        assert answer.status_code == 202


async def test_a_body_that_does_not_arrive_is_a_408_and_the_connection_is_closed(served: Served) -> None:
    context = served.app.context
    served.app.context = replace(context, options=replace(context.options, body_timeout=timedelta()))
    answered = await exchange(served.app, http_scope("POST", JOBS), silence)
    assert answered.status == 408
    assert answered.headers["connection"] == "close"


def in_parts(parts: Sequence[bytes], then: Receive) -> Receive:
    """A client whose body comes in parts, each a moment after it is asked for; after the last one `then` is asked."""
    left = list(parts)

    async def receive() -> Message:
        await asyncio.sleep(0)
        return {"type": "http.request", "body": left.pop(0), "more_body": True} if left else await then()

    return receive


async def no_more() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def test_a_body_that_comes_in_parts_is_read_whole(served: Served) -> None:
    receive = in_parts([BODY[:5], BODY[5:9], b"", BODY[9:]], no_more)
    answered = await exchange(served.app, http_scope("POST", JOBS), receive)
    assert answered.status == 202


async def test_a_body_that_stops_is_a_408(served: Served) -> None:
    context = served.app.context
    served.app.context = replace(context, options=replace(context.options, body_timeout=timedelta()))
    answered = await exchange(served.app, http_scope("POST", JOBS), in_parts([BODY[:9]], silence))
    assert answered.status == 408


async def test_whoever_hangs_up_in_the_middle_of_a_body_gets_no_answer(served: Served) -> None:
    answered = await exchange(served.app, http_scope("POST", JOBS), in_parts([BODY[:9]], hang_up))
    assert answered.messages == []


async def test_a_request_can_be_cancelled_while_its_body_is_to_come(served: Served) -> None:
    asked, stopped = asyncio.Event(), asyncio.Event()

    async def receive() -> Message:
        asked.set()
        try:
            return await silence()
        finally:
            stopped.set()

    serving = asyncio.create_task(exchange(served.app, http_scope("POST", JOBS), receive))
    await asked.wait()
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert stopped.is_set()


async def test_no_timer_is_set_for_a_body_that_is_there(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    async def receive() -> Message:
        return {"type": "http.request", "body": BODY, "more_body": False}

    monkeypatch.setattr(asyncio, "timeout", None)
    answered = await exchange(served.app, http_scope("POST", JOBS), receive)
    assert answered.status == 202
