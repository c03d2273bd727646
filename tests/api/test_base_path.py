"""How a request says for which namespace it is: by header, base path or token, and where none of them counts."""

from typing import Any

import pytest

from tests.support.served_app import JOBS, Served, serve, template

MOCK, TEST_ID = "X-Mock-Namespace", "X-Test-Id"
PROBLEM = "application/problem+json; charset=utf-8"


async def chosen(served: Served, path: str = "", **headers: str) -> str:
    """Submit a job, and return the base path of a URL in the answer."""
    answer = await served.client.post(f"{path}{JOBS}?detailed=true", json=template(), headers=headers)
    assert answer.status_code == 202, answer.text
    url: str = answer.json()["jobs"][0]["job"]["slots"][0]["destinationUrl"]
    return url.removeprefix("http://mock.test:3000").partition("/v1/")[0]


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("", {}, ""),
        ("/ns/a", {}, "/ns/a"),
        ("/ns//a/", {}, "/ns/a"),
        ("/ns/a/compat/official", {}, "/ns/a"),
        ("/ns/default", {}, ""),
        ("", {MOCK: "b"}, "/ns/b"),
        ("", {TEST_ID: "b"}, "/ns/b"),
        ("", {TEST_ID: "c", MOCK: "b"}, "/ns/b"),
        ("/ns/a", {MOCK: "b"}, "/ns/b"),
        ("/ns/a", {MOCK: "default"}, ""),
        ("", {"authorization": "Bearer of-c"}, "/ns/c"),
        ("", {"authorization": "bearer  of-c "}, "/ns/c"),
        ("", {"authorization": "Bearer any other"}, ""),
        ("/ns/a", {"authorization": "Bearer of-c"}, "/ns/a"),
        ("", {"authorization": "Bearer of-c", TEST_ID: "b"}, "/ns/b"),
        ("", {MOCK: "x" * 64}, f"/ns/{'x' * 64}"),
        ("/ns/.a", {}, "/ns/.a"),
    ],
)
async def test_a_header_comes_before_the_base_path_and_that_before_a_registered_token(
    path: str, headers: dict[str, str], expected: str
) -> None:
    async with serve() as served:
        await served.client.put("/_mock/namespaces/c", json={"tokens": ["of-c"]})
        assert await chosen(served, path, **headers) == expected


@pytest.mark.parametrize("name", ["", ".", "..", "a b", "x" * 65, "ä", "a%b", "a/b"])
async def test_a_name_that_no_namespace_can_have_is_refused(name: str) -> None:
    async with serve() as served:
        answer = await served.client.get(f"{JOBS}/x", headers={MOCK.encode(): name.encode("latin-1")})
        assert (answer.status_code, answer.headers["content-type"]) == (400, PROBLEM)
        assert list(answer.json()["errors"]) == [MOCK]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/ns/%2E%2E/v1/consumer/jobs/x", 400),
        ("/ns/a%20b/v1/consumer/jobs/x", 400),
        (f"/ns/{'x' * 65}/v1/consumer/jobs/x", 400),
        ("/ns", 404),
        ("/ns/", 404),
        ("/ns/a", 404),
        ("/ns/a/", 404),
        ("/ns/a/health", 404),
        ("/ns/a/docs", 404),
        ("/ns/a/_mock/settings", 404),
        ("/ns/a/ns/b/v1/consumer/jobs/x", 404),
        ("/ns/a/compat/official/health", 404),
        ("/compat/official/ns/a/v1/consumer/jobs/x", 404),
        ("/ns/a/v1/consumer/nothing", 404),
    ],
)
async def test_a_base_path_stands_before_paths_of_v1_and_v2_and_of_blobs_only(path: str, status: int) -> None:
    async with serve() as served:
        answer = await served.client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
        assert "traceId" in answer.json()


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/docs", "/openapi.json", "/nowhere"])
async def test_what_is_the_servers_own_has_no_namespace(path: str) -> None:
    async with serve() as served:
        plain, named = [await served.client.get(path, headers=headers) for headers in ({}, {MOCK: "a b"})]
        assert plain.status_code == named.status_code
        assert served.app.context.namespaces.find("a b") is None


async def test_without_a_control_plane_there_is_only_one_namespace() -> None:
    async with serve(admin="off") as served:
        await served.app.context.namespaces.manage.put("c", {"tokens": ["of-c"]})
        for headers in ({MOCK: "a b"}, {TEST_ID: "a"}, {"authorization": "Bearer of-c"}):
            assert await chosen(served, "", **headers) == ""
        assert (await served.client.get(f"/ns/a{JOBS}/x")).status_code == 404


REMOTE: dict[str, Any] = {"admin": "auto", "admin_token": "secret"}


@pytest.mark.parametrize(
    ("settings", "path", "headers", "status"),
    [
        ({}, "", {MOCK: "a", "host": "evil.example"}, 403),
        ({}, "", {MOCK: "a", "host": "localhost", "origin": "https://evil.example"}, 403),
        ({}, "", {"host": "evil.example"}, 404),
        ({}, "/ns/a", {"host": "evil.example"}, 404),
        (REMOTE, "", {MOCK: "a"}, 401),
        (REMOTE, "", {MOCK: "a", "authorization": "Bearer secret"}, 404),
        (REMOTE, "", {MOCK: "a", "x-mock-token": "secret"}, 404),
        (REMOTE, "", {MOCK: "a", "x-mock-token": "wrong"}, 401),
        (REMOTE, "/ns/a", {}, 404),
        (REMOTE, "", {}, 404),
    ],
)
async def test_a_header_obeys_the_rules_of_the_control_plane(
    settings: dict[str, Any], path: str, headers: dict[str, str], status: int
) -> None:
    """Where the caller gets through, the answer is about a job that does not exist."""
    async with serve(**settings) as served:
        answer = await served.client.get(f"{path}{JOBS}/00000000-0000-0000-0000-000000000000", headers=headers)
        assert answer.status_code == status
        assert "job" in answer.json()["detail"] or status != 404


TOKENS: dict[str, Any] = {"auth": "tokens", "auth_tokens": "alice"}
ALICE = {"authorization": "Bearer alice"}


@pytest.mark.parametrize(
    ("settings", "method", "path", "headers", "creates"),
    [
        ({}, "GET", "/ns/new/v1/consumer/jobs/x", {}, True),
        ({}, "GET", "/ns/new/v2/resources", {}, True),
        ({}, "GET", "/ns/new/blobs/x", {}, False),
        ({}, "GET", "/ns/new/v2/consumer/blobs/x?sig=a&exp=b", {}, False),
        ({}, "POST", "/ns/new/v2/consumer/blobs?sig=a", {}, False),
        (TOKENS, "GET", "/ns/new/v1/consumer/jobs/x", {}, False),
        (TOKENS, "GET", "/ns/new/v1/consumer/jobs/x", {"authorization": "Bearer wrong"}, False),
        (TOKENS, "GET", "/ns/new/v1/consumer/jobs/x", ALICE, True),
    ],
)
async def test_only_who_may_call_makes_a_namespace(
    settings: dict[str, Any], method: str, path: str, headers: dict[str, str], creates: bool
) -> None:
    async with serve(**settings) as served:
        answer = await served.client.request(method, path, headers=headers)
        assert answer.status_code < 500
        assert (served.app.context.namespaces.find("new") is not None) is creates


async def test_rates_are_limited_in_each_namespace_by_itself() -> None:
    async with serve(rate_limit="2/hour") as served:
        statuses = [
            (await served.client.get(f"{path}{JOBS}/x")).status_code
            for path in ("", "/ns/a", "/ns/b")
            for _ in range(3)
        ]
        assert statuses == [404, 404, 429] * 3


async def test_the_default_namespace_serves_without_any_other() -> None:
    async with serve() as served:
        assert await chosen(served, **{MOCK: "default"}) == ""
