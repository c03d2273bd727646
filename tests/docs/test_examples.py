"""Every example of the documentation works as it stands there."""

import io
import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import yaml
from PIL import Image, ImageChops, ImageStat

from civitai_mock.settings import Settings
from tests.docs.conftest import IN_MEMORY, Servers, Shell
from tests.support.docs import Fence, Page, pages
from tests.support.golden import Golden
from tests.support.paths import ROOT

pytestmark = pytest.mark.slow

EXAMPLES = ROOT / "assets" / "examples"
JOBS = "/v1/consumer/jobs"
CURL = 'curl() { command curl --fail-with-body --show-error "$@"; }\n'


def _named(language: str) -> list[Any]:
    return [pytest.param(page, id=page.name) for page in pages() if page.blocks(language)]


@pytest.mark.parametrize("page", _named("bash"))
def test_the_bash_blocks_of_a_page_run_one_after_the_other(page: Page, servers: Servers, shell: Shell) -> None:
    script = "\n".join(block.text for block in page.blocks("bash"))
    shell.run("bash", "-euo", "pipefail", "-c", CURL + servers.readdressed(script), PORT=servers.port)


@pytest.mark.parametrize("page", _named("console"))
def test_the_console_blocks_of_a_page_print_what_stands_there(page: Page, shell: Shell) -> None:
    """A command after `$ ` prints the lines below it, whatever its status."""
    for block in page.blocks("console"):
        for part in block.text.split("$ ")[1:]:
            command, _, printed = part.partition("\n")
            assert shell.run("bash", "-c", f"{{ {command}; }} 2>&1 || true") == printed


@pytest.mark.parametrize("page", _named("json"))
def test_the_json_blocks_of_a_page_are_what_is_sent_and_answered(page: Page, servers: Servers) -> None:
    answer: Any = None
    for block in page.blocks("json"):
        shown = json.loads(servers.readdressed(block.text))
        match block.kind:
            case "request":
                method, path, *status = block.subject.split()
                answer = _answer(servers, f"{method} {path}", shown, status=int("".join(status) or 200))
            case "answer":
                _assert_alike(shown, _answer_of(block, servers, before=answer), "answer")


def _answer_of(block: Fence, servers: Servers, *, before: Any) -> Any:
    """The answer to the request above the block, to a plain GET, or to a request whose body is in a file."""
    if block.subject == "above":
        return before
    if block.subject.startswith("GET "):
        return _answer(servers, block.subject, None, status=200)
    line, _, file = block.subject.rpartition(" ")
    return _answer(servers, line, json.loads((ROOT / file).read_text("utf-8")), status=200)


def _answer(servers: Servers, line: str, body: Any, *, status: int) -> Any:
    method, _, path = line.partition(" ")
    content = None if body is None else json.dumps(body).encode()
    request = Request(servers.mock + path, method=method, data=content, headers={"Content-Type": "application/json"})
    found, answer = _sent(request)
    assert found == status, answer
    return answer


def _sent(request: Request) -> tuple[int, Any]:
    try:
        with urlopen(request) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        return error.code, json.load(error)


def _assert_alike(shown: Any, real: Any, path: str) -> None:
    """Every member that is shown is there, with the same value; ids, dates and digests need only look alike."""
    match shown:
        case dict():
            for name, value in shown.items():
                assert name in real, path
                _assert_alike(value, real[name], f"{path}.{name}")
        case list():
            assert len(shown) <= len(real), path
            for index, value in enumerate(shown):
                _assert_alike(value, real[index], f"{path}[{index}]")
        case str():
            start, cut, _ = shown.partition("…")
            assert _shape(real).startswith(_shape(start)) if cut else _shape(start) == _shape(real), (path, real)
        case _:
            assert shown == pytest.approx(real), path


def _shape(text: str) -> str:
    return re.sub(r"[0-9a-fA-F]{4,}|\d+", "#", text)


@pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in pages()])
def test_a_block_that_quotes_a_file_is_that_file(page: Page, golden: Golden) -> None:
    def quoted(found: re.Match[str]) -> str:
        return f"{found[1]}{(ROOT / found[2]).read_text('utf-8')}```\n"

    expected = re.sub(r"(<!-- file: (\S+) -->\n```\w+\n).*?^```\n", quoted, page.text, flags=re.DOTALL | re.MULTILINE)
    golden.check_text(page.path, expected)


def test_every_example_file_is_shown_or_used_on_a_page() -> None:
    text = "".join(page.text for page in pages())
    assert [
        file.name for file in EXAMPLES.iterdir() if file.is_file() and f"assets/examples/{file.name}" not in text
    ] == []


def test_the_image_of_the_readme_is_what_the_simulator_draws(servers: Servers, request: pytest.FixtureRequest) -> None:
    job = json.loads((EXAMPLES / "request.json").read_text("utf-8"))
    answer = _answer(servers, f"POST {JOBS}?wait=true", job, status=200)
    with urlopen(answer["jobs"][0]["result"][0]["blobUrl"]) as download:
        drawn = download.read()
    kept = EXAMPLES / "image.png"
    if request.config.getoption("--rewrite"):
        kept.write_bytes(drawn)
    with Image.open(io.BytesIO(drawn)) as new, Image.open(kept) as old:
        assert old.size == new.size
        assert max(ImageStat.Stat(ImageChops.difference(old, new)).mean) < 1.0


@pytest.mark.parametrize(
    ("program", "name", "end", "image"),
    [
        (sys.executable, "client.py", "Succeeded\n", "fox.png"),
        ("node", "client.mjs", "Succeeded\n", "fox.png"),
        (sys.executable, "v2_client.py", "succeeded\n", "fox.jpeg"),
    ],
)
def test_the_plain_clients_download_an_image(
    program: str, name: str, end: str, image: str, servers: Servers, shell: Shell
) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    client = shell.folder / name
    client.write_text(servers.readdressed((EXAMPLES / name).read_text("utf-8")), "utf-8")
    assert shell.run(program, name).endswith(end)
    with Image.open(shell.folder / image) as made:
        assert (made.format, made.size) == ({".png": "PNG", ".jpeg": "JPEG"}[Path(image).suffix], (512, 512))


def test_the_progress_bar_ends_with_a_link_to_the_image(servers: Servers, shell: Shell) -> None:
    printed = shell.run(sys.executable, "assets/examples/progress.py", CIVITAI_BASE_URL=servers.mock)
    with urlopen(printed.splitlines()[-1]) as download:
        assert download.headers["content-type"] == "image/png"


def test_the_compose_example_waits_for_a_mock_with_settings_that_exist() -> None:
    compose = yaml.safe_load((EXAMPLES / "compose.yaml").read_text("utf-8"))
    services = compose["services"]
    ours = services["civitai"]
    assert (
        ours["image"] == yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]["mock"]["image"]
    )
    assert ours["environment"] == {**IN_MEMORY, "ADMIN_ALLOWED_HOSTS": "civitai"}
    assert services["tests"]["environment"] == {"CIVITAI_BASE_URL": "http://civitai:3000"}
    assert {name.lower() for name in ours["environment"]} <= set(Settings.model_fields)
    assert services["tests"]["depends_on"] == {"civitai": {"condition": "service_healthy"}}


def test_each_asset_that_is_a_job_is_taken(servers: Servers) -> None:
    for job in _job_files():
        _answer(servers, f"POST {JOBS}?whatif=true", job, status=200)


def _job_files() -> Iterator[Any]:
    for file in sorted((ROOT / "assets").glob("example-input*.json")):
        yield json.loads(file.read_text("utf-8"))
