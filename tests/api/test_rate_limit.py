"""Who is counted under which name, and what is said to those who send too much."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from civitai_mock.api.rate_limit import GuessLimit, RateLimit, address_key
from civitai_mock.clock import VirtualClock
from tests.support.served_app import BASE_URL, JOBS, Served, serve

ALICE, BOB = {"authorization": "Bearer alice"}, {"authorization": "Bearer bob"}
TOKENS: dict[str, Any] = {"auth": "tokens", "auth_tokens": "alice,bob"}
PROXY = "203.0.113.9"
WRONG = [{"authorization": f"Bearer wrong-{number}"} for number in range(30)]


@asynccontextmanager
async def calling_from(served: Served, host: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(served.app, client=(host, 4711))
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        yield client


async def statuses(
    client: httpx.AsyncClient, headers: Sequence[Mapping[str, str]], path: str = f"{JOBS}/x"
) -> list[int]:
    return [(await client.get(path, headers=one)).status_code for one in headers]


async def test_more_requests_than_the_limit_are_a_429_that_says_when_to_come_back() -> None:
    async with serve(rate_limit="2/hour") as served:
        answers = [await served.client.get(f"{JOBS}/x") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [404, 404, 429]
        assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
        last = answers[-1]
        assert (last.headers["x-ratelimit-limit"], last.headers["retry-after"]) == ("2", "3600")
        assert last.headers["content-type"] == "application/problem+json; charset=utf-8"
        assert last.json()["title"] == "Too Many Requests"
        served.clock.advance(3600)
        assert (await served.client.get(f"{JOBS}/x")).status_code == 404


@pytest.mark.parametrize(
    ("settings", "headers", "expected"),
    [
        ({}, [{}] * 7, [404] * 5 + [429] * 2),
        ({}, [{"x-forwarded-for": f"10.0.0.{n}"} for n in range(7)], [404] * 5 + [429] * 2),
        ({}, [{"forwarded": f"for=10.0.0.{n}"} for n in range(7)], [404] * 5 + [429] * 2),
        ({}, [{"x-real-ip": f"10.0.0.{n}"} for n in range(7)], [404] * 5 + [429] * 2),
        ({}, [{"authorization": f"Bearer {n}"} for n in range(7)], [404] * 5 + [429] * 2),
        ({"auth": "any"}, [{"authorization": f"Bearer {n}"} for n in range(7)], [404] * 5 + [429] * 2),
        ({"auth": "any"}, [{}] * 7, [401] * 5 + [429] * 2),
        (TOKENS, WRONG[:7], [401] * 5 + [429] * 2),
        (TOKENS, [{}, *WRONG[:6]], [401] * 5 + [429] * 2),
        (TOKENS, [ALICE, BOB] * 6, [404] * 10 + [429] * 2),
        (TOKENS, [*WRONG[:7], ALICE], [401] * 5 + [429] * 2 + [404]),
    ],
)
async def test_nobody_is_counted_under_a_name_that_can_be_changed_for_each_request(
    settings: dict[str, Any], headers: Sequence[Mapping[str, str]], expected: Sequence[int]
) -> None:
    async with serve(rate_limit="5/hour", **settings) as served:
        assert await statuses(served.client, headers) == expected


async def test_what_is_public_counts_for_the_address_and_health_for_nobody() -> None:
    """If a known token counted for itself here, the headers would tell who guesses that the guess is right."""
    async with serve(rate_limit="2/hour", **TOKENS) as served:
        assert await statuses(served.client, [ALICE, *WRONG[:1], BOB], "/v2/resources") == [200, 200, 429]
        health = await served.client.get("/health")
        assert (health.status_code, "x-ratelimit-limit" in health.headers) == (200, False)


async def test_guesses_at_tokens_are_limited_and_then_even_a_right_one_is_not_looked_at() -> None:
    async with serve(**TOKENS) as served:
        assert await statuses(served.client, [*WRONG[:22], ALICE]) == [401] * 20 + [429] * 3
        answer = await served.client.get(f"{JOBS}/x", headers=ALICE)
        assert (answer.headers["retry-after"], answer.json()["code"]) == ("60", "rate_limited")
        async with calling_from(served, "203.0.113.7") as elsewhere:
            assert await statuses(elsewhere, [ALICE]) == [404]
        served.clock.advance(60)
        assert await statuses(served.client, [ALICE, WRONG[0]]) == [404, 401]


async def test_whoever_had_a_right_token_is_not_shut_out_by_a_guesser_beside_them() -> None:
    async with serve(**TOKENS) as served:
        assert await statuses(served.client, [ALICE, *WRONG[:21], ALICE, BOB]) == [404] + [401] * 20 + [429, 404, 429]


async def test_a_request_without_a_token_is_no_guess() -> None:
    async with serve(**TOKENS) as served:
        assert await statuses(served.client, [{}] * 30) == [401] * 30


@pytest.mark.parametrize(
    ("peer", "trusted", "forwarded", "same"),
    [
        (PROXY, PROXY, ["198.51.100.1", "198.51.100.2"], False),
        (PROXY, "203.0.113.0/24, ::1", ["198.51.100.1", "198.51.100.2"], False),
        ("::ffff:203.0.113.9", PROXY, ["198.51.100.1", "198.51.100.2"], False),
        (PROXY, "", ["198.51.100.1", "198.51.100.2"], True),
        ("203.0.114.1", "203.0.113.0/24", ["198.51.100.1", "198.51.100.2"], True),
        (PROXY, PROXY, ["1.1.1.1, 198.51.100.1", "2.2.2.2, 198.51.100.1"], True),
        (PROXY, "203.0.113.0/24", ["198.51.100.1, 203.0.113.8", "198.51.100.2, 203.0.113.8"], False),
        (PROXY, PROXY, ["198.51.100.1:1", "198.51.100.1:2"], True),
        (PROXY, PROXY, ["[2001:db8::1]:1", "2001:db8::2"], True),
        (PROXY, PROXY, ["2001:db8:0:1::1", "2001:db8:0:2::1"], False),
        (PROXY, PROXY, ["unknown", "nonsense"], True),
        (PROXY, PROXY, ["198.51.100.1, garbage", "198.51.100.2, garbage"], True),
    ],
)
async def test_a_proxy_is_believed_only_if_it_is_named(
    peer: str, trusted: str, forwarded: Sequence[str], same: bool
) -> None:
    headers = [{"x-forwarded-for": value} for value in forwarded]
    async with serve(rate_limit="1/hour", trusted_proxies=trusted) as served, calling_from(served, peer) as client:
        assert await statuses(client, headers) == [404, 429 if same else 404]


@pytest.mark.parametrize(
    ("trusted", "headers", "start"),
    [
        ("", {"x-forwarded-proto": "https", "x-forwarded-host": "evil.example"}, BASE_URL),
        ("10.0.0.0/8", {"x-forwarded-proto": "https", "x-forwarded-host": "evil.example"}, BASE_URL),
        (PROXY, {"x-forwarded-proto": "https", "x-forwarded-host": "mock.example"}, "https://mock.example"),
        (PROXY, {"x-forwarded-proto": "http, https"}, BASE_URL.replace("http:", "https:")),
        (PROXY, {"x-forwarded-host": "evil.example, [2001:db8::1]:8443"}, "http://[2001:db8::1]:8443"),
        (PROXY, {"x-forwarded-proto": "javascript", "x-forwarded-host": "a/b?c@d"}, BASE_URL),
    ],
)
async def test_blob_urls_follow_a_proxy_that_is_named_and_no_other_caller(
    trusted: str, headers: dict[str, str], start: str
) -> None:
    async with serve(trusted_proxies=trusted) as served, calling_from(served, PROXY) as client:
        job_id = await served.submit_one()
        await served.finish()
        (result,) = (await client.get(f"{JOBS}/{job_id}", headers=headers)).json()["result"]
        assert result["blobUrl"].startswith(f"{start}/blobs/")


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_all_addresses_of_one_subscriber_have_one_key(host: str, key: str) -> None:
    assert address_key(host) == key


def test_the_memory_of_callers_is_bounded_and_forgets_what_is_over(clock: VirtualClock) -> None:
    limit = RateLimit("1/minute", clock=clock, max_callers=3)
    assert [limit.take(key).granted for key in "abcd"] == [True] * 4
    assert [limit.take(key).granted for key in "dcb"] == [False] * 3
    assert limit.take("a").granted  # the oldest had to go
    clock.advance(60)
    assert [limit.take(key).remaining for key in "bcd"] == [0] * 3


def test_no_window_lasts_longer_than_its_period_though_the_clock_is_set_back(clock: VirtualClock) -> None:
    limit = RateLimit("1/minute", clock=clock)
    assert [limit.take("a").granted for _ in range(2)] == [True, False]
    clock.advance(-86_400)
    assert limit.peek("a").granted
    assert [limit.take("a").granted for _ in range(2)] == [True, False]
    assert limit.peek("a").wait <= 60


def test_right_tokens_are_remembered_for_as_many_callers(clock: VirtualClock) -> None:
    limit = GuessLimit(clock=clock, limit="1/minute", max_callers=2)
    for consumer in ("one", "two", "three"):
        limit.remember_right("here", consumer)
    limit.count_wrong("here")
    refused: list[Any] = [limit.refusal("here", consumer) for consumer in ("one", "two", "three")]
    assert [refusal is not None for refusal in refused] == [True, False, False]
