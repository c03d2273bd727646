"""What a browser is shown where there is no dashboard: index page and API reference, and nothing of another host."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from importlib.metadata import version
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from civitai_mock.api.ui.static_files import PACKAGES
from tests.support.paths import ROOT
from tests.support.served_app import BASE_URL, Served, serve

DOCS = ROOT / "docs"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
HTML, JSON = "text/html; charset=utf-8", "application/json; charset=utf-8"
PAGES = ("/", "/docs", "/redoc")
SPELLINGS = [*PAGES, "/docs/", "//docs", *(f"/compat/official{end}" for end in ("", "/", "/docs", "/docs/"))]
LINKS = frozenset({"href", "src", "spec-url", "data-openapi"})
INLINE_SCRIPT = re.compile(r"on\w+")


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """Serve without a control plane: else `/` leads browsers to the dashboard, see test_dashboard.py."""
    async with serve(admin="off") as opened:
        yield opened


@pytest.fixture
def client(served: Served) -> httpx.AsyncClient:
    return served.client


@dataclass(slots=True)
class _Seen(HTMLParser):
    """What a page loads and links, and what of it a strict policy would not let run."""

    links: list[str] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.tags.append((tag, named))
        self.links += [value for name, value in attrs if name in LINKS and value]
        self.inline += [name for name in named if name == "style" or INLINE_SCRIPT.fullmatch(name)]
        if tag == "style" or (tag == "script" and "src" not in named):
            self.inline.append(tag)


def _seen(text: str) -> _Seen:
    seen = _Seen()
    seen.feed(text)
    return seen


async def _page(client: httpx.AsyncClient, path: str) -> httpx.Response:
    answer = await client.get(BASE_URL + path, headers={"accept": BROWSER})
    assert (answer.status_code, answer.headers["content-type"]) == (200, HTML)
    return answer


def _policy(answer: httpx.Response) -> dict[str, str]:
    directives = [text.strip().partition(" ") for text in answer.headers["content-security-policy"].split(";")]
    return {name: sources for name, _, sources in directives}


@pytest.mark.parametrize("path", SPELLINGS)
async def test_whatever_a_page_names_is_served_from_where_the_browser_looks_for_it(
    client: httpx.AsyncClient, path: str
) -> None:
    links = _seen((await _page(client, path)).text).links
    assert len(links) >= 3
    for link in links:
        assert urlsplit(link)[:2] == ("", "")
        assert not link.startswith("/")
        answer = await client.get(urljoin(BASE_URL + path, link))
        assert answer.status_code == 200, link


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_names_no_foreign_host(client: httpx.AsyncClient, path: str) -> None:
    text = (await _page(client, path)).text
    assert "//" not in text.replace(BASE_URL, "")


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_works_behind_a_proxy_that_takes_a_prefix_off(client: httpx.AsyncClient, path: str) -> None:
    links = _seen((await _page(client, path)).text).links
    assert all(urljoin(f"https://host/mock{path}", link).startswith("https://host/mock/") for link in links)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_runs_no_script_but_files_of_this_server(client: httpx.AsyncClient, path: str) -> None:
    answer = await _page(client, path)
    policy = _policy(answer)
    assert not _seen(answer.text).inline
    closed = ("default-src", "base-uri", "form-action", "frame-ancestors")
    assert [policy[name] for name in closed] == ["'none'"] * 4
    assert policy.get("script-src", "'none'") == ("'none'" if path == "/" else "'self'")
    assert ("'unsafe-inline'" in policy["style-src"]) == (path == "/redoc")
    allowed = {"'none'", "'self'", "'unsafe-inline'", "data:", "blob:"}
    assert {source for sources in policy.values() for source in sources.split()} <= allowed
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_has_a_language_a_title_and_a_width(client: httpx.AsyncClient, path: str) -> None:
    text = (await _page(client, path)).text
    tags = _seen(text).tags
    assert text.startswith("<!doctype html>")
    assert dict(tags)["html"] == {"lang": "en"}
    assert re.search("<title>civitai-mock", text)
    assert any(named.get("name") == "viewport" for tag, named in tags if tag == "meta")


async def test_the_index_page_has_one_heading_and_no_level_left_out(client: httpx.AsyncClient) -> None:
    levels = [int(tag[1]) for tag, _ in _seen((await _page(client, "/")).text).tags if re.fullmatch(r"h\d", tag)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip([0, *levels], levels, strict=False))


@pytest.mark.parametrize("name", sorted(PACKAGES))
async def test_a_static_file_is_kept_by_browsers(client: httpx.AsyncClient, name: str) -> None:
    types = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
    answer = await client.get(f"/static/{name}")
    assert answer.headers["content-type"] == types[name.rpartition(".")[2]]
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["x-content-type-options"] == "nosniff"
    again = await client.get(f"/static/{name}", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == answer.headers["etag"]
    other = await client.get(f"/static/{name}", headers={"if-none-match": '"other"'})
    assert other.content == answer.content


@pytest.mark.parametrize("name", ["other.js", "..%2Fpages.py", "%2Fetc%2Fpasswd", "static", "favicon.png"])
async def test_no_other_file_is_served(client: httpx.AsyncClient, name: str) -> None:
    answer = await client.get(f"/static/{name}")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/static/swagger.js"])
async def test_pages_and_files_are_only_read(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.post(path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (BROWSER, HTML),
        ("text/html", HTML),
        ("TEXT/HTML; q=0.5, application/json;q=0.4", HTML),
        ("text/*", HTML),
        ("text/html;charset=utf-8", HTML),
        ("application/json;q=0, */*", HTML),
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/json", JSON),
        ("application/json, text/plain, */*", JSON),
        ("text/html, application/json", JSON),
        ("text/html;q=0.9, */*", JSON),
        ("text/html;q=0, text/*", JSON),
        ("text/html;q=high", JSON),
        ("text/html;q=1.5", JSON),
        ("text/html;q=1e9, application/json;q=0.1", JSON),
        ("text/plain", JSON),
        ("image/png", JSON),
        (";;,=,q=", JSON),
    ],
)
async def test_the_index_is_a_page_for_those_who_like_html_better(
    client: httpx.AsyncClient, accept: str | None, content_type: str
) -> None:
    client.headers.pop("accept")
    answer = await client.get("/", headers={} if accept is None else {"accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, content_type)
    assert answer.headers["vary"] == "Accept"


async def test_the_lines_of_an_accept_header_are_one_list(client: httpx.AsyncClient) -> None:
    answer = await client.get("/", headers=[("accept", "application/json;q=0.1"), ("accept", "text/html")])
    assert answer.headers["content-type"] == HTML


async def test_programs_get_the_index_as_json(client: httpx.AsyncClient) -> None:
    links = b'"docs":"/docs","openapi":"/openapi.json","health":"/health"'
    about = f'{{"name":"civitai-mock","version":"{version("civitai-mock")}",'.encode()
    assert (await client.get("/")).content == about + links + b"}"


@pytest.mark.parametrize("accept", [BROWSER, "*/*"])
@pytest.mark.parametrize("path", [*PAGES, "/static/index.css"])
async def test_head_has_the_headers_of_get(client: httpx.AsyncClient, path: str, accept: str) -> None:
    head, answer = [await client.request(method, path, headers={"accept": accept}) for method in ("HEAD", "GET")]
    kept = [{name: value for name, value in one.headers.items() if name != "x-trace-id"} for one in (head, answer)]
    assert kept[0] == kept[1]


async def test_the_index_page_says_what_the_server_is(served: Served) -> None:
    text = (await _page(served.client, "/")).text
    about = (await served.client.get("/")).json()
    health = (await served.client.get("/health")).json()
    for value in (about["version"], health["store"], health["provider"], BASE_URL):
        assert re.search(rf"<dd>(<code>)?{re.escape(value)}<", text), value
    assert {about["docs"], about["openapi"], about["health"]} <= {f"/{link}" for link in _seen(text).links}


async def test_the_index_page_names_every_page_of_the_documentation(client: httpx.AsyncClient) -> None:
    named = re.findall(r"<code>(docs/.*?)/?</code>", (await _page(client, "/")).text)
    assert sorted(named) == sorted(f"docs/{path.name}" for path in DOCS.iterdir())


async def test_what_the_index_page_says_is_escaped(client: httpx.AsyncClient) -> None:
    answer = await client.get("/", headers={"accept": BROWSER, "host": '"><script>alert(1)</script>'})
    assert "<script" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text


@pytest.mark.parametrize("path", [*PAGES, "/static/swagger-ui.css"])
async def test_pages_ask_for_no_token_and_count_against_no_limit(path: str) -> None:
    async with serve(admin="off", auth="tokens", auth_tokens="alpha", rate_limit="1/hour") as guarded:
        for _ in range(3):
            answer = await guarded.client.get(path, headers={"accept": BROWSER})
            assert answer.status_code == 200


async def test_the_pages_are_not_part_of_the_api(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert not [path for path in paths if path.startswith(("/docs", "/redoc", "/static"))]
