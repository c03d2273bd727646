"""The journal as a HAR file."""

from typing import Any

from tests.support.served_app import JOBS, Served, serve, template

HAR = "/_mock/journal/har"


async def exported(served: Served, **params: Any) -> list[dict[str, Any]]:
    answer = await served.client.get(HAR, params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == 'attachment; filename="civitai-mock.har"'
    log = answer.json()["log"]
    assert (log["version"], log["creator"]["name"]) == ("1.2", "civitai-mock")
    entries: list[dict[str, Any]] = log["entries"]
    return entries


async def test_an_entry_has_what_readers_of_har_need(served: Served) -> None:
    job_id = await served.submit_one()
    (entry,) = await exported(served)
    assert entry["request"]["method"] == "POST"
    assert entry["request"]["url"] == f"http://mock.test:3000{JOBS}"
    assert "a fox" in entry["request"]["postData"]["text"]
    assert entry["request"]["postData"]["mimeType"] == "application/json"
    assert entry["request"]["bodySize"] == len(entry["request"]["postData"]["text"])
    assert (entry["response"]["status"], entry["response"]["statusText"]) == (202, "Accepted")
    assert job_id in entry["response"]["content"]["text"]
    assert entry["_jobIds"] == [job_id]
    assert entry["time"] == entry["timings"]["wait"]
    for message in (entry["request"], entry["response"]):
        assert all(set(header) == {"name", "value"} for header in message["headers"])


async def test_the_query_is_told_apart_and_has_no_secret() -> None:
    async with serve() as served:
        await served.client.get(f"{JOBS}?token=a%20b&wait=true", headers={"authorization": "Bearer secret"})
        (entry,) = await exported(served)
        assert {"name": "wait", "value": "true"} in entry["request"]["queryString"]
        assert {"name": "authorization", "value": "***"} in entry["request"]["headers"]
        assert "secret" not in str(entry)


async def test_requests_are_oldest_first_the_youngest_of_them_and_filtered(served: Served) -> None:
    for number in range(5):
        await served.client.get(f"{JOBS}/{number}")
    await served.client.post(JOBS, json=template())
    assert [entry["request"]["url"][-1] for entry in await exported(served, method="get")] == ["0", "1", "2", "3", "4"]
    assert [entry["request"]["method"] for entry in await exported(served, take=2)] == ["GET", "POST"]
    assert len(await exported(served, status=202)) == 1


async def test_more_than_a_page_is_exported() -> None:
    async with serve(journal_max_entries=3000) as served:
        for number in range(1205):
            await served.client.get(f"{JOBS}/{number}")
        entries = await exported(served, take=1200)
        assert [entry["request"]["url"].rpartition("/")[2] for entry in entries] == [str(n) for n in range(5, 1205)]


async def test_a_journal_that_is_off_is_a_409() -> None:
    async with serve(journal_max_entries=0) as served:
        assert (await served.client.get(HAR)).status_code == 409
