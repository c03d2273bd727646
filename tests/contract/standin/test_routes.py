"""Every route that ComfyUI 0.3.64 registers, on a fresh server for one user, and what it has no route for."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from civitai_mock.comfyui_standin.app import ALL_ROUTES
from civitai_mock.comfyui_standin.options import StandinOptions
from tests.support.standin_session import SERVER_ERROR, StandinSession, standin_session

JSON, HTML, PLAIN = "application/json; charset=utf-8", "text/html", "text/plain; charset=utf-8"
UNKNOWN = "application/octet-stream"
ANY = object()

# These are the routes of server.py and of the user, settings, model and node managers. ANY is tested elsewhere.
ROUTES: list[tuple[str, str, int, str | None, Any]] = [
    ("GET", "/", 200, HTML, ANY),
    ("GET", "/ws", 400, PLAIN, 'No WebSocket UPGRADE hdr: None\n Can "Upgrade" only to "WebSocket".'),
    ("GET", "/embeddings", 200, JSON, []),
    ("GET", "/models", 200, JSON, ANY),
    ("GET", "/models/{folder}", 404, None, ""),
    ("GET", "/extensions", 200, JSON, []),
    ("POST", "/upload/image", 400, None, ""),
    ("POST", "/upload/mask", 400, None, ""),
    ("GET", "/view", 404, None, ""),
    ("GET", "/view_metadata/{folder}", 404, None, ""),
    ("GET", "/system_stats", 200, JSON, ANY),
    ("GET", "/features", 200, JSON, {"supports_preview_metadata": True, "max_upload_size": 104857600}),
    ("GET", "/prompt", 200, JSON, {"exec_info": {"queue_remaining": 0}}),
    ("POST", "/prompt", 500, PLAIN, SERVER_ERROR),
    ("GET", "/object_info", 200, JSON, ANY),
    ("GET", "/object_info/{name}", 200, JSON, {}),
    ("GET", "/history", 200, JSON, {}),
    ("POST", "/history", 500, PLAIN, SERVER_ERROR),
    ("GET", "/history/{prompt_id}", 200, JSON, {}),
    ("GET", "/queue", 200, JSON, {"queue_running": [], "queue_pending": []}),
    ("POST", "/queue", 500, PLAIN, SERVER_ERROR),
    ("POST", "/interrupt", 200, None, ""),
    ("POST", "/free", 500, PLAIN, SERVER_ERROR),
    ("GET", "/users", 200, JSON, {"storage": "server", "migrated": True}),
    ("POST", "/users", 500, PLAIN, SERVER_ERROR),
    ("GET", "/settings", 200, JSON, {}),
    ("POST", "/settings", 500, PLAIN, SERVER_ERROR),
    ("GET", "/settings/{id}", 200, JSON, None),
    ("POST", "/settings/{id}", 500, PLAIN, SERVER_ERROR),
    ("GET", "/userdata", 400, PLAIN, "Directory not provided"),
    ("GET", "/v2/userdata", 200, JSON, []),
    ("GET", "/userdata/{file}", 404, None, ""),
    ("POST", "/userdata/{file}", 200, JSON, "file"),
    ("DELETE", "/userdata/{file}", 404, None, ""),
    ("POST", "/userdata/{file}/move/{dest}", 404, None, ""),
    ("GET", "/experiment/models", 200, JSON, ANY),
    ("GET", "/experiment/models/{folder}", 404, None, ""),
    ("GET", "/experiment/models/preview/{folder}/{index}/{name}", 500, PLAIN, SERVER_ERROR),
    ("GET", "/workflow_templates", 200, JSON, {}),
    ("GET", "/i18n", 200, JSON, {}),
]
# These routes are for ComfyUI's web page, and not under /api.
INTERNAL: list[tuple[str, str, int, str | None, Any]] = [
    ("GET", "/index.html", 200, HTML, ANY),
    ("GET", "/internal/logs", 200, JSON, ""),
    ("GET", "/internal/logs/raw", 200, JSON, {"entries": [], "size": {"cols": 80, "rows": 24}}),
    ("PATCH", "/internal/logs/subscribe", 500, PLAIN, SERVER_ERROR),
    ("GET", "/internal/folder_paths", 200, JSON, ANY),
    ("GET", "/internal/files/{folder}", 400, JSON, {"error": "Invalid directory type"}),
]
# These paths are files of ComfyUI's web page, documentation and examples, or routes of later versions and node packs.
LEFT_OUT = [
    "/api", "/docs", "/templates", "/extensions/core/x.js", "/assets/", "/favicon.ico", "/user.css",
    "/global_subgraphs", "/jobs", "/assets", "/manager/version", "/customnode/getlist",
    "/prompt/", "/users/", "/settings/", "/models/", "/models/loras/", "/history/", "/history/x/y", "/userdata/a/b",
]  # fmt: skip


@pytest.fixture
async def session() -> AsyncIterator[StandinSession]:
    async with standin_session(models={}) as opened:
        yield opened


async def _answer(session: StandinSession, method: str, path: str) -> tuple[int, str | None, Any]:
    """Return status, type and content of an answer."""
    found = await session.client.request(method, path.replace("{", "").replace("}", ""))
    media_type = found.headers.get("content-type")
    return found.status_code, media_type, found.json() if media_type == JSON else found.text


@pytest.mark.parametrize(("method", "path", "status", "media_type", "body"), ROUTES)
async def test_a_route_answers_as_on_a_fresh_server(
    session: StandinSession, method: str, path: str, status: int, media_type: str | None, body: Any
) -> None:
    for prefix in ("", "/api"):
        given = await _answer(session, method, prefix + path)
        assert given == (status, media_type, given[2] if body is ANY else body)


@pytest.mark.parametrize(("method", "path", "status", "media_type", "body"), INTERNAL)
async def test_a_route_of_the_web_page_is_not_under_api(
    session: StandinSession, method: str, path: str, status: int, media_type: str | None, body: Any
) -> None:
    given = await _answer(session, method, path)
    assert given == (status, media_type, given[2] if body is ANY else body)
    absent = (405, PLAIN, "405: Method Not Allowed") if method == "PATCH" else (404, UNKNOWN, "")
    assert await _answer(session, method, f"/api{path}") == absent


def test_every_route_has_its_row() -> None:
    """A route without a row, or a row without a route, is an oversight."""
    rows = {(method, path) for method, path, *_ in ROUTES + INTERNAL} - {("GET", "/ws")}
    served = {
        (method, route.path_format)  # type: ignore[attr-defined]
        for route in ALL_ROUTES
        for method in getattr(route, "methods", None) or ()
        if method != "HEAD" and not route.path_format.startswith(("/standin", "/ws"))  # type: ignore[attr-defined]
    }
    assert served == rows


async def test_head_tells_what_get_does_without_a_body(session: StandinSession) -> None:
    paths = sorted({path.replace("{", "").replace("}", "") for method, path, *_ in ROUTES if method == "GET"})
    for url in [prefix + path for prefix in ("", "/api") for path in paths]:
        got, head = await session.client.get(url), await session.client.head(url)
        expected = (got.status_code, got.headers.get("content-type"), b"")
        assert (head.status_code, head.headers.get("content-type"), head.content) == expected, url


async def test_a_path_without_a_route_is_a_missing_file_of_the_web_page(session: StandinSession) -> None:
    """A redirect would be wrong: whether a POST follows it depends on its client."""
    answers = {path: await _answer(session, "GET", path) for path in LEFT_OUT}
    assert answers == dict.fromkeys(LEFT_OUT, (404, UNKNOWN, ""))
    posted = {path: (await session.client.post(path)).status_code for path in LEFT_OUT}
    assert posted == dict.fromkeys(LEFT_OUT, 405)


@pytest.mark.parametrize("path", ["/", "/api/"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_the_front_page_exists_and_is_not_cached(session: StandinSession, method: str, path: str) -> None:
    page = await session.client.request(method, path)
    assert (page.status_code, page.headers["content-type"]) == (200, HTML)
    assert (page.headers["cache-control"], page.headers["pragma"], page.headers["expires"]) == (
        "no-cache",
        "no-cache",
        "0",
    )
    assert page.text.startswith("<!DOCTYPE html>") is (method == "GET")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/", "GET,HEAD"),
        ("PUT", "/users", "GET,HEAD,POST"),
        ("DELETE", "/settings/x", "GET,HEAD,POST"),
        ("PATCH", "/userdata/x", "DELETE,GET,HEAD,POST"),
        ("PUT", "/userdata/x/move/y", "GET,HEAD,POST"),
        ("POST", "/userdata", "GET,HEAD"),
        ("DELETE", "/history/x", "GET,HEAD"),
        ("POST", "/extensions", "GET,HEAD"),
        ("POST", "/experiment/models", "GET,HEAD"),
        ("PUT", "/free", "GET,HEAD,POST"),
        ("POST", "/ws", "GET,HEAD"),
        ("GET", "/internal/logs/subscribe", "PATCH"),
        ("POST", "/internal/logs", "GET,HEAD"),
    ],
)
async def test_an_unknown_method_is_answered_with_the_allowed_ones(
    session: StandinSession, method: str, path: str, allowed: str
) -> None:
    answer = await session.client.request(method, path)
    assert (answer.status_code, answer.headers["allow"], answer.text) == (405, allowed, "405: Method Not Allowed")


@pytest.mark.parametrize("path", ["/internal", "/internal/nope", "/internal/files"])
async def test_the_internal_routes_have_no_web_page_behind_them(session: StandinSession, path: str) -> None:
    assert await _answer(session, "GET", path) == (404, PLAIN, "404: Not Found")


@pytest.mark.parametrize(
    ("path", "cache_control"),
    [
        ("/nope.js", "no-cache"),
        ("/nope.css", "no-cache"),
        ("/index.x.json", "no-cache"),
        ("/nope.png", "public, max-age=86400"),
        ("/userdata/nope.png", "public, max-age=3600"),
        ("/userdata/kept.webp", "public, max-age=86400"),
        ("/nope", None),
        ("/userdata/kept.json", None),
    ],
)
async def test_how_long_an_answer_may_be_cached_follows_from_its_path(
    session: StandinSession, path: str, cache_control: str | None
) -> None:
    for name in ("kept.webp", "kept.json"):
        await session.client.post(f"/userdata/{name}", content=b"x")
    assert (await session.client.get(path)).headers.get("cache-control") == cache_control


@pytest.mark.parametrize(
    ("body", "queue", "interrupt", "free"),
    [
        ("{}", 200, 200, 200),
        ("[]", 200, 500, 500),
        ('"x"', 200, 500, 500),
        ('["clear"]', 500, 500, 500),
        ("5", 500, 500, 500),
        ("null", 500, 500, 500),
        ("", 500, 200, 500),
        ("{", 500, 200, 500),
    ],
)
async def test_bodies_that_are_not_an_object_are_answered_as_by_comfyui(
    session: StandinSession, body: str, queue: int, interrupt: int, free: int
) -> None:
    wanted = {"/queue": queue, "/history": queue, "/interrupt": interrupt, "/free": free}
    given = {path: (await session.client.post(path, content=body)).status_code for path in wanted}
    assert given == wanted


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "localhost:8188", "origin": "http://localhost:8188"}, 200),
        ({"host": "standin.example"}, 200),
        ({"host": "evil.example"}, 403),
        ({"host": "evil.example", "origin": "http://evil.example"}, 403),
        ({"host": "localhost:8188", "origin": "http://localhost:5173"}, 403),
        ({"host": "localhost:8188", "origin": "null"}, 403),
    ],
)
@pytest.mark.parametrize("options", [StandinOptions(), StandinOptions(cors_origin="*")], ids=["plain", "cors"])
async def test_commands_come_from_this_machine_and_from_no_web_page_elsewhere(
    headers: dict[str, str], status: int, options: StandinOptions
) -> None:
    async with standin_session(options=options) as session:
        answer = await session.client.get("/standin/faults", headers=headers)
        assert answer.status_code == status
        assert ("error" in answer.json()) == (status == 403)
        assert "access-control-allow-origin" not in answer.headers


async def test_what_comfyui_has_is_answered_by_any_name(session: StandinSession) -> None:
    assert (await session.client.get("/system_stats", headers={"host": "evil.example"})).status_code == 200
