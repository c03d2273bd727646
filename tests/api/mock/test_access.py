"""Who may call the control plane: by the mode of ADMIN, by Host and Origin, and by the token."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.process import running
from tests.support.served_app import JOBS, serve

WORKERS = "/_mock/workers"
PROBLEM = "application/problem+json; charset=utf-8"
TOKEN = "s3cret"
BEARER = {"authorization": f"Bearer {TOKEN}"}


async def _status(client: httpx.AsyncClient, headers: dict[str, str], path: str = WORKERS) -> int:
    answer = await client.get(path, headers=headers)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == PROBLEM
    return answer.status_code


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({}, 200),
        ({"admin": "open"}, 200),
        ({"admin": "off"}, 404),
        ({"host": "0.0.0.0"}, 404),  # noqa: S104 - not bound
        ({"node_env": "production"}, 404),
        ({"host": "0.0.0.0", "admin": "open"}, 200),  # noqa: S104 - not bound
        ({"node_env": "production", "admin_token": TOKEN}, 401),
        ({"admin": "open", "admin_token": TOKEN}, 401),
        ({"admin": "off", "admin_token": TOKEN}, 404),
    ],
)
async def test_the_mode_decides_whether_there_is_a_control_plane(settings: dict[str, Any], status: int) -> None:
    async with serve(**settings) as served:
        assert await _status(served.client, {}) == status
        described = (await served.client.get("/openapi.json")).json()["paths"]
        assert (WORKERS in described) == (status != 404)


@pytest.mark.parametrize(
    "path", ["/_mock", "/_mock/", "/_mock/nothing", "//_mock//workers", "/compat/official/_mock/workers"]
)
async def test_where_it_is_off_its_paths_are_like_all_unknown_ones(path: str) -> None:
    async with serve(admin="off") as served:
        answer, other = await served.client.get(path), await served.client.get("/nowhere")
        assert (answer.status_code, answer.json()["code"]) == (404, other.json()["code"])


@pytest.mark.parametrize("path", ["/_mock/nothing", "/_mock", "/_mocks/workers"])
async def test_an_unknown_path_is_a_404(client: httpx.AsyncClient, path: str) -> None:
    assert await _status(client, {}, path) == 404


async def test_a_method_that_a_path_does_not_have_is_a_405(client: httpx.AsyncClient) -> None:
    answer = await client.post(WORKERS, json={})
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:3000", 200),
        ("127.0.0.1:3000", 200),
        ("127.8.8.8", 200),
        ("[::1]:3000", 200),
        ("mock.example", 200),
        ("gpu-7.lab.example:81", 200),
        ("only.example:81", 200),
        ("public.example", 200),
        ("only.example:82", 403),
        ("evil.example", 403),
        ("evil.mock.example", 403),
        ("localhost.evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost@evil.example", 403),
        ("evil.example@localhost", 403),
        ("192.168.1.5:3000", 403),
        ("0.0.0.0:3000", 403),
        ("2130706433", 403),
        ("", 403),
        ("[::1", 403),
        ("localhost:x", 403),
    ],
)
async def test_without_a_token_only_known_names_are_answered(host: str, status: int) -> None:
    hosts = "mock.example, *.lab.example,only.example:81"
    async with serve(admin_allowed_hosts=hosts, public_url="https://public.example/mock") as served:
        assert await _status(served.client, {"host": host}) == status
        if status == 403:
            assert "ADMIN_ALLOWED_HOSTS" in (await served.client.get(WORKERS, headers={"host": host})).json()["detail"]


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("localhost:3000", "http://localhost:3000", 200),
        ("127.0.0.1", "http://127.0.0.1:80", 200),
        ("localhost", "https://localhost", 200),
        ("localhost:3000", "https://public.example", 200),
        ("localhost:3000", "http://localhost:5173", 403),
        ("localhost:3000", "http://127.0.0.1:3000", 403),
        ("localhost:3000", "http://public.example", 403),
        ("localhost:3000", "https://evil.example", 403),
        ("localhost:3000", "null", 403),
        ("localhost:3000", "", 403),
        ("localhost:3000", "file://localhost:3000", 403),
        ("localhost:3000", "http://[", 403),
    ],
)
async def test_without_a_token_only_pages_of_the_server_itself_are_answered(
    host: str, origin: str, status: int
) -> None:
    async with serve(public_url="https://public.example") as served:
        assert await _status(served.client, {"host": host, "origin": origin}) == status


async def test_no_answer_allows_a_page_from_elsewhere_to_read_it(client: httpx.AsyncClient) -> None:
    headers = {"host": "localhost", "origin": "http://localhost", "access-control-request-method": "PUT"}
    for method in ("GET", "OPTIONS"):
        answer = await client.request(method, WORKERS, headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (BEARER, 200),
        ({"x-mock-token": TOKEN}, 200),
        ({"authorization": f"bearer  {TOKEN} "}, 200),
        (BEARER | {"host": "anything.example", "origin": "https://anything.example"}, 200),
        ({}, 401),
        ({"authorization": "Bearer "}, 401),
        ({"authorization": "Bearer other"}, 401),
        ({"authorization": f"Basic {TOKEN}"}, 401),
        ({"authorization": f"Bearer {TOKEN}x"}, 401),
        ({"x-mock-token": "other"} | BEARER, 401),
        ({"host": "localhost"}, 401),
    ],
)
async def test_where_there_is_a_token_it_alone_counts(headers: dict[str, str], status: int) -> None:
    async with serve(admin_token=TOKEN, host="0.0.0.0") as served:  # noqa: S104 - not bound
        answer = await served.client.get(WORKERS, headers=headers)
        assert answer.status_code == status
        assert answer.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)


async def test_unknown_paths_need_the_token_too() -> None:
    async with serve(admin_token=TOKEN) as served:
        assert [await _status(served.client, headers, "/_mock/nothing") for headers in ({}, BEARER)] == [401, 404]


async def test_who_guesses_the_token_is_stopped_and_who_had_it_is_not() -> None:
    async with serve(admin_token=TOKEN) as served:
        assert await _status(served.client, BEARER) == 200
        guesses = [await _status(served.client, {"authorization": f"Bearer {guess}"}) for guess in range(21)]
        assert guesses == [401] * 20 + [429]
        assert await _status(served.client, BEARER) == 200


async def test_the_token_of_the_control_plane_is_none_of_v1() -> None:
    async with serve(admin_token=TOKEN, auth="tokens", auth_tokens="alice") as served:
        assert await _status(served.client, BEARER, JOBS + "?token=e30=") == 401
        assert await _status(served.client, {"authorization": "Bearer alice"}) == 401


@pytest.mark.parametrize("query", ["tak=1", "take=1&Cursorr=x"])
async def test_a_misspelt_parameter_is_refused(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"{WORKERS}?{query}")
    assert answer.status_code == 400
    ((name, (message,)),) = answer.json()["errors"].items()
    assert name in query
    assert "Did you mean" in message


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variables", "is_said"),
    [
        ({"ADMIN": "open"}, True),
        ({"ADMIN": "open", "ADMIN_TOKEN": TOKEN}, False),
        ({"ADMIN": "auto", "NODE_ENV": "test"}, False),
    ],
)
def test_an_open_control_plane_is_said_in_the_log(tmp_path: Path, variables: dict[str, str], is_said: bool) -> None:
    with running(tmp_path, {"MONGODB_URI": "memory://", **variables}) as server:
        assert server.stop() == 0
        assert ("control plane is open" in server.log) == is_said
        assert TOKEN not in server.log
