"""What a client keeps on the stand-in for its users: settings, workflows and other files."""

from typing import Any

import pytest

from civitai_mock.comfyui_standin.options import StandinOptions
from tests.support.standin_session import StandinSession, standin_session

FILES = {"workflows/a.json": "{}", "workflows/sub/b.json": "[1]", "workflows/.hidden.json": "{}", "note.txt": "hello"}
INFO_KEYS = ["path", "size", "modified", "created"]


@pytest.fixture
async def with_files(session: StandinSession) -> StandinSession:
    for name, content in FILES.items():
        answer = await session.client.post(f"/userdata/{name.replace('/', '%2F')}", content=content)
        assert answer.json() == name
    return session


async def _answer(session: StandinSession, method: str, url: str, content: str | None = None) -> Any:
    """Return the JSON or text of a successful answer, or else its status."""
    answer = await session.client.request(method, url, content=content)
    if answer.status_code != 200:
        return answer.status_code
    return answer.json() if answer.headers.get("content-type", "").startswith("application/json") else answer.text


async def test_settings_are_what_was_stored(session: StandinSession) -> None:
    assert await _answer(session, "POST", "/settings", '{"a": 1, "b": {"c": [1]}}') == ""
    assert await _answer(session, "POST", "/settings/Comfy.x", '"v"') == ""
    assert await _answer(session, "POST", "/settings/a%2Fb", "null") == ""
    assert await _answer(session, "GET", "/settings") == {"a": 1, "b": {"c": [1]}, "Comfy.x": "v", "a/b": None}
    assert await _answer(session, "GET", "/api/settings/Comfy.x") == "v"
    assert await _answer(session, "GET", "/settings/nope") is None


@pytest.mark.parametrize("body", ["[]", "5", "null", "", "{"])
async def test_settings_that_are_not_an_object_are_a_server_error(session: StandinSession, body: str) -> None:
    assert await _answer(session, "POST", "/settings", body) == 500
    assert await _answer(session, "GET", "/settings") == {}


async def test_settings_are_one_of_the_user_s_files(session: StandinSession) -> None:
    await session.client.post("/settings", json={"a": 1})
    assert await _answer(session, "GET", "/userdata/comfy.settings.json") == {"a": 1}
    await session.client.post("/userdata/comfy.settings.json", content="{ broken")
    assert await _answer(session, "GET", "/settings") == {}


async def test_settings_outlast_a_restart(session: StandinSession) -> None:
    await session.client.post("/settings", json={"a": 1})
    await session.client.post("/standin/restart")
    assert await _answer(session, "GET", "/settings") == {"a": 1}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("dir=workflows", ["a.json"]),
        ("dir=workflows&recurse=true", ["a.json", "sub/b.json"]),
        ("dir=workflows&recurse=TRUE&split=true", [["a.json", "a.json"], ["sub/b.json", "sub", "b.json"]]),
        ("dir=.", ["note.txt"]),
        ("dir=workflows%2Fsub", ["b.json"]),
        ("dir=workflows/a.json", []),
        ("dir=nope", 404),
        ("dir=", 400),
        ("dir=..", 403),
        ("dir=/etc", 403),
        ("dir=workflows/../..", 403),
    ],
)
async def test_files_are_listed_by_folder(with_files: StandinSession, query: str, expected: Any) -> None:
    assert await _answer(with_files, "GET", f"/userdata?{query}") == expected


async def test_a_listing_may_have_the_details_of_files(with_files: StandinSession) -> None:
    (listed,) = await _answer(with_files, "GET", "/userdata?dir=workflows&full_info=true")
    stored = await _answer(with_files, "POST", "/userdata/workflows%2Fa.json?full_info=true", "{  }")
    assert (list(listed), listed["path"], listed["size"]) == (INFO_KEYS, "a.json", 2)
    assert (list(stored), stored["path"], stored["size"]) == (INFO_KEYS, "workflows/a.json", 4)


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("", ["sub", "workflows", ".hidden.json", "a.json", "b.json", "note.txt"]),
        ("workflows", ["sub", ".hidden.json", "a.json", "b.json"]),
        ("workflows%252Fsub", ["b.json"]),
    ],
)
async def test_a_tree_lists_everything_below_a_folder(with_files: StandinSession, path: str, names: list[str]) -> None:
    assert [entry["name"] for entry in await _answer(with_files, "GET", f"/v2/userdata?path={path}")] == names


@pytest.mark.parametrize(("path", "status"), [("nope", 404), ("..", 400), ("note.txt", 400)])
async def test_a_tree_needs_a_folder(with_files: StandinSession, path: str, status: int) -> None:
    assert await _answer(with_files, "GET", f"/v2/userdata?path={path}") == status


@pytest.mark.parametrize(
    ("method", "url", "expected"),
    [
        ("GET", "/userdata/note.txt", "hello"),
        ("GET", "/userdata/workflows%2Fsub%2Fb.json", [1]),
        ("GET", "/userdata/workflows%252Fsub%252Fb.json", [1]),
        ("GET", "/userdata/nope", 404),
        ("GET", "/userdata/workflows", 403),
        ("GET", "/userdata/..%2Fx", 403),
        ("GET", "/userdata/%2E%2E", 403),
        ("GET", "/userdata/%2Fetc%2Fpasswd", 403),
        ("GET", "/userdata/note.txt%2Fx", 500),
        ("POST", "/userdata/..%2Fx", 403),
        ("POST", "/userdata/workflows", 400),
        ("POST", f"/userdata/{'x' * 256}", 400),
        ("POST", "/userdata/%00", 500),
        ("POST", "/userdata/note.txt?overwrite=false", 409),
        ("POST", "/userdata/a%20b%25.json", "a b%.json"),
        ("DELETE", "/userdata/note.txt", 204),
        ("DELETE", "/userdata/workflows", 500),
        ("DELETE", "/userdata/nope", 404),
        ("DELETE", "/userdata/..%2Fx", 403),
        ("POST", "/userdata/note.txt/move/workflows%2Fc.txt", "workflows/c.txt"),
        ("POST", "/userdata/note.txt/move/workflows", "workflows"),
        ("POST", "/userdata/note.txt/move/workflows%2Fa.json?overwrite=false", 409),
        ("POST", "/userdata/note.txt/move/..%2F..%2Fx", 500),
        ("POST", "/userdata/..%2Fx/move/y", 403),
        ("POST", "/userdata/nope/move/y", 404),
    ],
)
async def test_each_request_for_a_file_is_answered_as_by_comfyui(
    with_files: StandinSession, method: str, url: str, expected: Any
) -> None:
    assert await _answer(with_files, method, url) == expected


async def test_a_file_that_moved_is_where_it_went(with_files: StandinSession) -> None:
    info = await _answer(with_files, "POST", "/userdata/note.txt/move/workflows?full_info=true")
    assert await _answer(with_files, "GET", "/userdata/note.txt") == 404
    assert await _answer(with_files, "GET", "/userdata/workflows%2Fnote.txt") == "hello"
    assert info["size"] == 5


async def test_a_range_of_a_file_can_be_read(with_files: StandinSession) -> None:
    answer = await with_files.client.get("/userdata/note.txt", headers={"range": "bytes=1-2"})
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (206, "el", "text/plain")


async def test_a_user_can_be_added(session: StandinSession) -> None:
    user = await _answer(session, "POST", "/users", '{"username": "Bob K."}')
    assert user.startswith("Bob-K-_")
    assert await _answer(session, "POST", "/users", '{"username": "Bob K."}') == 400
    assert await _answer(session, "GET", "/users") == {"storage": "server", "migrated": True}


@pytest.mark.parametrize("body", ["{}", '{"username": " "}', '{"username": 5}', '{"username": []}', "[]"])
async def test_a_user_without_a_name_is_a_server_error(session: StandinSession, body: str) -> None:
    assert await _answer(session, "POST", "/users", body) == 500


async def test_each_user_of_many_has_a_folder_of_their_own() -> None:
    async with standin_session(options=StandinOptions(multi_user=True)) as session:
        users = [await _answer(session, "POST", "/users", f'{{"username": "{name}"}}') for name in ("ann", "bob")]
        for user in users:
            await session.client.post("/settings/me", json=user, headers={"comfy-user": user})
            assert (await session.client.get("/settings", headers={"comfy-user": user})).json() == {"me": user}
        assert (await _answer(session, "GET", "/users"))["users"] == dict(zip(users, ("ann", "bob"), strict=True))


@pytest.mark.parametrize(
    ("url", "status"), [("/settings", 401), ("/settings/x", 401), ("/userdata?dir=x", 500), ("/v2/userdata", 403)]
)
async def test_an_unknown_user_has_nothing(url: str, status: int) -> None:
    async with standin_session(options=StandinOptions(multi_user=True)) as session:
        assert await _answer(session, "GET", url) == status
