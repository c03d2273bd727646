"""What pages name exists: links, paths, settings, commands, options, routes."""

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import yaml

from civitai_mock.cli.arguments import parse_arguments
from civitai_mock.domain.fleet.pods import PodState
from civitai_mock.domain.stages import Stage
from civitai_mock.pytest_plugin import TOKEN_OPTION, URL_OPTION
from civitai_mock.settings import Settings
from tests.docs.conftest import Servers
from tests.support.docs import Page, pages
from tests.support.paths import ROOT

MOST_BYTES_OF_README = 8 * 1024
LANGUAGES = {"bash", "console", "sh", "json", "python", "js", "go", "yaml", "mermaid"}
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))

# Why no test runs a command that stands in an `sh` block, by how the command begins.
NOT_RUN: Mapping[str, str] = {
    r"python3 -m venv \.venv && \.venv/bin/pip install ": "It installs packages from an index; .ci/run does the same.",
    r"\.venv/bin/pip install pre-commit": "It installs a package from an index.",
    r"([A-Z_]+=\S+ )?docker (build|run|compose) ": "It needs a container engine; test_container_files.py reads them.",
    r"([A-Z_]+=\S+ )*civitai-mock( comfyui)?( &)?$": "It serves until it is stopped; these tests start it so.",
    r"until civitai-mock healthcheck; do sleep 0\.2; done$": "It waits for a server on the default port.",
    r"(\.venv/bin/)?pytest\b": "It is the test suite itself.",
    r"\.ci/run$": "It takes minutes, and is what runs these tests.",
    r"\.venv/bin/ruff format ": ".ci/run runs the same checks.",
    r"python -m tests\.bench\b": "It takes minutes; tests/unit/bench runs a row of it.",
    r"npm install @civitai/client tsx && node ": "It installs packages from an index; tests/clients runs the script.",
    r"([A-Z_]+=\S+ )+python main\.py$": "It starts ComfyUI.",
    r"git diff$": "It shows what the command above it has changed.",
}
# Names in capitals that are not settings of ours, by where they mean something.
OTHER_VARIABLES: Mapping[str, str] = {
    "SSL_CERT_FILE": "OpenSSL",
    "SSL_CERT_DIR": "OpenSSL",
    "HTTP_PROXY": "many programs",
    "HTTPS_PROXY": "many programs",
    "NO_PROXY": "many programs",
    "NO_COLOR": "many programs",
    "BIND": "docker-compose.yml",
    "COMFYUI_PORT": "docker-compose.yml",
    "GRAFANA_PORT": "docker-compose.yml",
    "PROMETHEUS_PORT": "docker-compose.yml",
    "REVISION": "Dockerfile",
    "COMFY_TEST_URL": "tests/support/real_comfyui.py",
    "COMFY_TEST_SD1": "tests/support/real_comfyui.py",
    "SRC_OVER": "the modes of Porter and Duff",
}
# Paths with a slash before them that are not routes of this server, by what they are.
OTHER_PATHS: Mapping[str, str] = {
    "/data": "a folder of the container image",
    "/api": "the start of every path of ComfyUI",
    "/_mock": "the start of every path of the control plane",
    "/_mock/": "the same",
    "/ns/x": "the base path of a namespace",
    "/dev/shm": "a folder of Linux",  # noqa: S108 - not a temporary file of ours
}
NOT_SERVED_BY_THE_STANDIN = {"/assets", "/extensions/core", "/docs", "/templates"} | {
    "/global_subgraphs",
    "/api/jobs",
    "/manager",
    "/customnode",
}
OPTIONS_OF_OTHERS = {"--user", "--read-only", "--cap-drop", "--tmpfs", "--env-file", "--rewrite", "--require-browser"}


def _each() -> list[Any]:
    return [pytest.param(page, id=page.name) for page in pages()]


def test_the_readme_is_an_entrance_hall() -> None:
    assert (ROOT / "README.md").stat().st_size <= MOST_BYTES_OF_README


def test_every_page_can_be_reached_from_the_readme() -> None:
    known = {page.path: page for page in pages()}
    found, left = set[Path](), [ROOT / "README.md"]
    while left:
        page = known[left.pop()]
        found.add(page.path)
        targets = {(page.path.parent / link.partition("#")[0]).resolve() for link in page.links if "://" not in link}
        left.extend(targets & set(known) - found)
    assert {page.name for page in pages() if page.path not in found} == set()


@pytest.mark.parametrize("page", _each())
def test_every_link_leads_somewhere(page: Page) -> None:
    anchors = {other.path: other.anchors for other in pages()}
    for link in page.links:
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (page.path.parent / name).resolve() if name else page.path
        assert target.exists(), link
        assert not anchor or anchor in anchors[target], link


@pytest.mark.parametrize("page", _each())
def test_every_block_is_of_a_known_language(page: Page) -> None:
    assert page.text.count("\n```") == 2 * len(page.fences), "a block without a language"
    assert {fence.language for fence in page.fences} <= LANGUAGES


@pytest.mark.parametrize("page", _each())
def test_a_command_that_is_not_run_has_a_reason(page: Page) -> None:
    unexplained = [line for line in _unrun_commands(page) if not any(re.match(start, line) for start in NOT_RUN)]
    assert unexplained == []


def test_every_reason_is_needed() -> None:
    lines = [line for page in pages() for line in _unrun_commands(page)]
    assert [start for start in NOT_RUN if not any(re.match(start, line) for line in lines)] == []


def _unrun_commands(page: Page) -> Iterator[str]:
    for block in page.blocks("sh"):
        yield from (re.split(r"\s{2,}#", line)[0] for line in block.text.splitlines())


@pytest.mark.parametrize("page", _each())
def test_commands_of_ours_are_understood(page: Page) -> None:
    """In `sh` blocks and in sentences, with the variables before them."""
    for command in _own_commands(page):
        variables, arguments = command
        assert {name.lower() for name in variables} <= set(Settings.model_fields), variables
        if arguments not in (["--help"], ["--version"]):
            parse_arguments(arguments)


def _own_commands(page: Page) -> Iterator[tuple[list[str], list[str]]]:
    for text in [*_unrun_commands(page), *page.code]:
        for part in re.split(r"&&|;", text):
            words = shlex.split(part.strip().removesuffix("&").removeprefix("until "))
            variables = [word.partition("=")[0] for word in words if re.match(r"[A-Z_]+=", word)]
            words = words[len(variables) :]
            if words and words[0].endswith("civitai-mock"):
                yield variables, words[1:]


@pytest.mark.parametrize("page", _each())
def test_what_compose_is_asked_for_is_in_its_file(page: Page) -> None:
    services = COMPOSE["services"]
    profiles = {name for service in services.values() for name in service.get("profiles", [])}
    for line in [*_unrun_commands(page), *page.code]:
        words = line.partition("docker compose ")[2].split()
        if "-f" not in words:
            assert set(_after(words, "--profile")) <= {*profiles, "'*'"}
            assert {scaled.partition("=")[0] for scaled in _after(words, "--scale")} <= set(services)
            assert set(_after(words, "restart")) <= set(services)


def _after(words: list[str], option: str) -> Iterator[str]:
    return (words[index + 1] for index, word in enumerate(words[:-1]) if word == option)


@pytest.mark.parametrize("page", _each())
def test_every_variable_exists(page: Page) -> None:
    stages = {*Stage, *PodState}
    for text in page.code:
        for name in re.findall(r"(?<![\w/{$])(?:[A-Z][A-Z0-9]*_[A-Z0-9_]+|[A-Z]{4,}(?==))(?![\w./])", text):
            assert name.lower() in Settings.model_fields or name in OTHER_VARIABLES or name in stages, name


@pytest.mark.parametrize("page", _each())
def test_every_path_of_the_project_exists(page: Page) -> None:
    for text in page.code:
        for path in re.findall(r"(?<![\w/.])(?:src|tests|docs|assets|\.ci|\.github|\.docker)/[\w./-]*", text):
            assert (ROOT / path.rstrip(".")).exists(), path


def test_every_option_exists(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("", "comfyui", "jobs", "reset", "fault add", "verify"):
        with pytest.raises(SystemExit):
            parse_arguments([*command.split(), "--help"])
    told = f"{capsys.readouterr().out} {URL_OPTION} {TOKEN_OPTION}"
    named = {option for page in pages() for text in page.code for option in re.findall(r"(?<!\S)--[a-z][a-z-]+", text)}
    assert {option for option in named if option not in told} == OPTIONS_OF_OTHERS


@pytest.mark.slow
def test_every_route_exists(servers: Servers) -> None:
    routes = {route for page in pages() for text in page.code for route in _routes(text)}
    absent = {
        route for route in routes if not (_is_served(servers.mock, route) or _is_standins(servers.standin, route))
    }
    assert absent == (set(OTHER_PATHS) | NOT_SERVED_BY_THE_STANDIN) - {"/docs"}


def _routes(text: str) -> Iterator[str]:
    method_and_path = re.fullmatch(r"(?:(?:GET|HEAD|POST|PUT|PATCH|DELETE) )?(/[\w/{}-]+)(?:\?\S*)?", text)
    if method_and_path:
        yield re.sub(r"{\w+}", "x", method_and_path[1])


def _is_served(url: str, path: str) -> bool:
    """No route takes OPTIONS: one that is there says so, whatever its parameters."""
    return _status("OPTIONS", url + path) == 405


def _is_standins(url: str, path: str) -> bool:
    """`/view` is there only for a file that is there."""
    got = _status("GET", f"{url}{path}?filename=example.png&type=input")
    return got != 404 or _status("POST", url + path) not in {404, 405}


def _status(method: str, url: str) -> int:
    try:
        with urlopen(Request(url, method=method)) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code
