"""How the dashboard is served: one page for all its addresses, its files, and who may have them."""

import re
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from hatchling.builders.wheel import WheelBuilder

from civitai_mock.api.ui.dashboard import assets, page_names
from tests.support.paths import ROOT
from tests.support.served_app import BASE_URL, serve

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
PAGE, ASSETS = "/_mock/ui/", "/_mock/ui/assets/"
HTML = "text/html; charset=utf-8"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types hub"
)
STRICT = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-cache",
}
LINK = re.compile(r'(?:href|src)="([^"]+)"')
IMPORT = re.compile(r'(?:\bfrom |\bimport\(|\bimport )"([^"]+)"')
ADDRESSES = ["/_mock/ui", "/_mock/ui/", "/_mock/ui/queue", "/_mock/ui/jobs/some/", "/_mock/ui/jobs?q=a"]


@pytest.mark.parametrize("path", [*ADDRESSES, "/compat/official/_mock/ui/queue"])
@pytest.mark.parametrize("prefix", ["", "/mock", "/a/b"])
async def test_each_address_has_the_page_whose_links_hold_behind_a_prefix(
    client: httpx.AsyncClient, path: str, prefix: str
) -> None:
    answer = await client.get(BASE_URL + path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, HTML)
    links = LINK.findall(answer.text)
    assert len(links) >= 4
    for link in links:
        seen = urljoin(f"https://host{prefix}{path}", link).removeprefix("https://host")
        assert seen.startswith(f"{prefix}/"), link
        assert (await client.get(seen.removeprefix(prefix))).status_code == 200, link


@pytest.mark.parametrize("path", [PAGE, f"{ASSETS}app.css", f"{ASSETS}js/app.js"])
async def test_page_and_files_are_strict_and_asked_for_again(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert {name: answer.headers[name] for name in STRICT} == STRICT
    again = await client.get(path, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])
    head = await client.head(path)
    assert (head.status_code, head.headers["etag"]) == (200, answer.headers["etag"])
    assert (await client.post(path)).status_code == 405


async def test_every_file_is_served_as_what_it_is(client: httpx.AsyncClient) -> None:
    types = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
    names = [name for name in assets() if name != "index.html"]
    assert len(names) >= 10
    for name in names:
        answer = await client.get(ASSETS + name)
        assert (answer.status_code, answer.headers["content-type"]) == (200, types[name.rpartition(".")[2]]), name
        assert answer.content == (ROOT / "src/civitai_mock/api/ui/assets" / name).read_bytes()


@pytest.mark.parametrize(
    "name", ["index.html", "", "js", "js/", "no.js", "..%2Fpages.py", "%2Fetc%2Fpasswd", "../app.css"]
)
async def test_nothing_else_is_served(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(ASSETS + name)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["nothing", "pages", "queue.js", "app"])
async def test_a_page_that_there_is_not_is_a_404(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(PAGE + path)).status_code == 404


async def test_scripts_name_files_that_are_there_and_nothing_of_another_host() -> None:
    for name, asset in assets().items():
        if not name.endswith(".js"):
            continue
        text = asset.content.decode()
        for link in IMPORT.findall(text):
            assert urljoin(f"https://host/{name}", link).removeprefix("https://host/") in assets(), (name, link)
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text), name


async def test_the_table_of_pages_names_each_page_and_no_other() -> None:
    table = assets()["js/pages.js"].content.decode()
    assert set(re.findall(r'import\("./pages/([a-z-]+)\.js"\)', table)) == page_names()


@pytest.mark.parametrize(
    ("settings", "headers", "status"),
    [
        ({}, {}, 200),
        ({"admin": "off"}, {}, 404),
        ({}, {"host": "evil.example"}, 403),
        ({}, {"origin": "http://evil.example"}, 403),
        ({"admin_token": "s3cret"}, {}, 200),
        ({"admin_token": "s3cret"}, {"authorization": "Bearer other"}, 200),
        ({"admin_token": "s3cret", "admin": "off"}, {}, 404),
    ],
)
@pytest.mark.parametrize("path", [PAGE, "/_mock/ui", f"{ASSETS}app.css"])
async def test_who_may_have_page_and_files(
    path: str, settings: dict[str, Any], headers: dict[str, str], status: int
) -> None:
    async with serve(**settings) as served:
        assert (await served.client.get(path, headers=headers)).status_code == status


@pytest.mark.parametrize("path", ["/_mock/uix", "/_mock/queue", "/_mock/ui-errors"])
async def test_a_token_guards_all_but_the_files(path: str) -> None:
    async with serve(admin_token="s3cret") as served:
        assert (await served.client.get(path)).status_code == 401


async def test_a_file_is_of_no_namespace_so_that_who_has_no_token_makes_none() -> None:
    async with serve(admin_token="s3cret") as served:
        answer = await served.client.get(PAGE, headers={"x-mock-namespace": "made"})
        assert answer.status_code == 200
        listed = await served.client.get("/_mock/namespaces", headers={"authorization": "Bearer s3cret"})
        assert [item["name"] for item in listed.json()["items"]] == ["default"]


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/", "/_mock/ui/"),
        ("/compat/official", "/_mock/ui/"),
        ("/compat/official/", "/_mock/ui/"),
    ],
)
async def test_browsers_are_led_to_the_dashboard(client: httpx.AsyncClient, path: str, where: str) -> None:
    answer = await client.get(BASE_URL + path, headers={"accept": BROWSER})
    assert answer.status_code == 303
    assert (answer.headers["vary"], answer.headers["cache-control"]) == ("Accept", "no-cache")
    for prefix in ("", "/mock"):
        assert urljoin(f"https://host{prefix}{path}", answer.headers["location"]) == f"https://host{prefix}{where}"


@pytest.mark.parametrize(
    ("settings", "headers"), [({"admin": "off"}, {}), ({}, {"host": "evil.example"}), ({}, {"accept": "*/*"})]
)
async def test_nobody_else_is_led_there(settings: dict[str, Any], headers: dict[str, str]) -> None:
    async with serve(**settings) as served:
        answer = await served.client.get("/", headers={"accept": BROWSER, **headers})
        assert (answer.status_code, answer.headers["vary"]) == (200, "Accept")


def test_a_wheel_has_all_files(tmp_path: Path) -> None:
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as packed:
        names = {name.partition("/ui/assets/")[2] for name in packed.namelist()}
    assert set(assets()) <= names
