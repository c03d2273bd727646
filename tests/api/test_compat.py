"""Which kind of client is served: by the settings, by a header, or by a base path."""

from typing import Any

import pytest

from tests.support.served_app import JOBS, Opened, Served, serve, serve_all, template

SMALL = {"prompt": "a fox", "width": 64, "height": 64, "steps": 1}
CIVITAI_PY = {"user-agent": "python-httpx/0.27.2", "accept": "application/json", "content-type": "application/json"}
CIVITAI_JS = {"user-agent": "node", "accept": "application/json"}
GENERATED = {"user-agent": "OpenAPI-Generator/1.0.0/go"}


async def finished(served: Opened) -> str:
    """The id of a job that has succeeded."""
    job_id = str((await served.client.post(JOBS, json=template(params=SMALL))).json()["jobId"])
    await served.wait_until_ended(job_id)
    return job_id


def words_of(status: Any) -> tuple[str, type]:
    """The provider, and what the result is."""
    return status["lastEvent"]["provider"], type(status["result"])


DEFAULT, OFFICIAL, SDK = ("local", list), ("Civitai", list), ("Civitai", dict)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, DEFAULT),
        ({"client_compat": "default"}, DEFAULT),
        ({"client_compat": "official"}, OFFICIAL),
        ({"client_compat": "sdk-2024"}, SDK),
        ({"client_compat": "official", "result_format": "object"}, SDK),
        ({"client_compat": "sdk-2024", "result_format": "array"}, OFFICIAL),
        ({"client_compat": "sdk-2024", "provider_name": "SaladML"}, ("SaladML", dict)),
        ({"client_compat": "official", "provider_name": "local"}, DEFAULT),
        ({"provider_name": "Civitai"}, OFFICIAL),
        ({"provider_name": "Civitai", "result_format": "object"}, SDK),
    ],
)
async def test_settings_of_their_own_win_over_the_kind_of_client(settings: Any, expected: Any) -> None:
    async with serve_all(**settings) as served:
        status = (await served.client.get(f"{JOBS}/{await finished(served)}")).json()
    assert words_of(status) == expected


ASKED = [
    ("", {}, DEFAULT),
    ("", {"X-Mock-Compat": "official"}, OFFICIAL),
    ("", {"x-mock-compat": " SDK-2024 "}, SDK),
    ("", {"X-Mock-Compat": "default"}, DEFAULT),
    ("/compat/default", {}, DEFAULT),
    ("/compat/official", {}, OFFICIAL),
    ("/compat/sdk-2024", {}, SDK),
    ("/compat/SDK%2D2024", {}, SDK),
    ("/compat/sdk-2024", {"X-Mock-Compat": "official"}, SDK),
]


@pytest.mark.parametrize(("compat", "usual"), [("default", DEFAULT), ("official", OFFICIAL), ("sdk-2024", SDK)])
async def test_a_request_says_what_its_client_can_read(compat: str, usual: Any) -> None:
    async with serve_all(client_compat=compat) as served:
        job_id = await finished(served)
        for base, headers, asked in ASKED:
            expected = asked if base or headers else usual
            assert await seen(served, job_id, base, headers) == ([expected] * 2, [expected[0]] * 2)


async def seen(served: Opened, job_id: str, base: str, headers: Any) -> tuple[list[Any], list[str]]:
    """What each way to look at a finished job shows."""
    client = served.client
    status = (await client.get(f"{base}{JOBS}/{job_id}", headers=headers)).json()
    query = (await client.post(f"{base}{JOBS}/query", headers=headers, json={})).json()
    past = (await client.get(f"{base}/v1/consumer/requests", headers=headers)).json()
    events = (await client.get(f"{base}/v1/producer/jobs/{job_id}/events", headers=headers)).json()
    last = past["requests"][0]["jobs"][0]["lastEvent"]
    return [words_of(status), words_of(query["jobs"][0])], [last["provider"], events[-1]["provider"]]


@pytest.mark.parametrize(("base", "headers", "expected"), ASKED)
async def test_the_whole_life_of_a_job_is_under_the_base_path(base: str, headers: Any, expected: Any) -> None:
    async with serve_all() as served:
        client = served.client
        submitted = await client.post(f"{base}{JOBS}?wait=true", headers=headers, json=template(params=SMALL))
        answer = (
            await client.get(f"{base}{JOBS}", headers=headers, params={"token": submitted.json()["token"]})
        ).json()
        result = answer["jobs"][0]["result"]
        image = await client.get((result if isinstance(result, dict) else result[0])["blobUrl"])
        whatif = await client.post(f"{base}{JOBS}?whatif=true", headers=headers, json=template(params=SMALL))
    assert submitted.status_code == 200
    assert words_of(answer["jobs"][0]) == expected
    assert image.content.startswith(b"\x89PNG")
    assert list(whatif.json()["jobs"][0]["serviceProviders"]) == [expected[0]]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("oficial", "official"), ("sdk2024", "sdk-2024"), ("sdk", "sdk-2024"), ("defaults", "default")],
)
async def test_an_unknown_name_is_refused_with_the_nearest(served: Served, name: str, nearest: str) -> None:
    by_header = await served.client.get(f"{JOBS}?token=x", headers={"X-Mock-Compat": name})
    by_path = await served.client.get(f"/compat/{name}{JOBS}?token=x")
    for answer, field in ((by_header, "X-Mock-Compat"), (by_path, "compat")):
        assert answer.status_code == 400
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert answer.json()["errors"] == {
            field: [f"{field} must be one of default, official, sdk-2024; found '{name}'. Did you mean '{nearest}'?"]
        }


@pytest.mark.parametrize("header", ["", "ü", "x" * 5000, "official, sdk-2024"])
async def test_any_header_that_is_no_name_is_refused(served: Served, header: str) -> None:
    sent = {b"X-Mock-Compat": header.encode("latin-1")}
    assert (await served.client.get(f"{JOBS}?token=x", headers=sent)).status_code == 400


@pytest.mark.parametrize("path", ["/compat", "/compat/official/compat/official/v1/consumer/jobs", "/compat/official/x"])
async def test_an_unknown_path_under_a_base_path_is_a_404(served: Served, path: str) -> None:
    assert (await served.client.get(path)).status_code == 404


async def test_tokens_are_asked_for_under_a_base_path_too() -> None:
    async with serve(auth="any") as served:
        assert (await served.client.get(f"/compat/official{JOBS}?token=x")).status_code == 401
        assert (await served.client.get("/compat/official/v2/resources")).status_code == 200
        assert (await served.client.get("/compat/official/health")).status_code == 200


async def test_the_access_line_has_the_path_that_was_asked_for(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    await served.client.get("/compat/official/v1/consumer/requests")
    assert "path=/compat/official/v1/consumer/requests" in capsys.readouterr().out


def hints(text: str) -> list[str]:
    return [line for line in text.splitlines() if "may be unable to read" in line]


@pytest.mark.parametrize(
    ("headers", "setting"),
    [
        (CIVITAI_PY, "sdk-2024"),
        (CIVITAI_JS, "sdk-2024"),
        (GENERATED, "official"),
        ({"user-agent": "civitai-py/0.1.10"}, "sdk-2024"),
        ({"user-agent": "Bun/1.1.38", "accept": "application/json"}, "sdk-2024"),
        ({"user-agent": "Swagger-Codegen/1.0.0/java"}, "official"),
    ],
)
async def test_a_known_client_that_cannot_read_an_answer_is_logged_once(
    headers: Any, setting: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serve_all() as served:
        job_id = await finished(served)
        capsys.readouterr()
        for _ in range(3):
            await served.client.get(f"{JOBS}/{job_id}", headers=headers)
        (line,) = hints(capsys.readouterr().out)
        assert f"CLIENT_COMPAT={setting}" in line
        assert f"/compat/{setting}" in line


async def test_the_hint_names_the_settings_that_would_still_be_in_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    async with serve_all(provider_name="mine", result_format="array") as served:
        await served.client.get(f"{JOBS}/{await finished(served)}", headers=CIVITAI_PY)
    (line,) = hints(capsys.readouterr().out)
    assert "CLIENT_COMPAT=sdk-2024 PROVIDER_NAME=Civitai RESULT_FORMAT=object" in line


@pytest.mark.parametrize(
    ("headers", "base"),
    [
        ({"user-agent": "python-httpx/0.27.2"}, ""),
        ({"user-agent": "curl/8.5.0"}, ""),
        ({}, ""),
        (CIVITAI_PY, "/compat/sdk-2024"),
        (CIVITAI_JS, "/compat/sdk-2024"),
        (GENERATED, "/compat/official"),
        (GENERATED, "/compat/sdk-2024"),
    ],
)
async def test_nothing_is_logged_of_clients_that_can_read_an_answer_or_are_unknown(
    headers: Any, base: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serve_all() as served:
        await served.client.get(f"{base}{JOBS}/{await finished(served)}", headers=headers)
    assert hints(capsys.readouterr().out) == []


async def test_nothing_is_logged_while_a_client_can_read_the_answers(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    job_id = await served.submit_one()
    answer = await served.client.get(f"{JOBS}/{job_id}", headers=GENERATED)
    assert "provider" not in answer.json()["lastEvent"]
    assert hints(capsys.readouterr().out) == []
