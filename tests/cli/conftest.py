"""A server for the commands, with a namespace of its own for each test."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
import pytest

from civitai_mock.pytest_plugin.server import running_server
from tests.support.command_line import CommandLine, Ended
from tests.support.served_app import JOBS, template

_numbers = count()


@pytest.fixture(scope="package")
def url() -> Iterator[str]:
    with running_server({"missing_resources": "lenient"}) as server:
        yield server.url


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A namespace of a server, by its API and by the commands."""

    url: str
    name: str
    http: httpx.Client
    command_line: CommandLine

    def run(self, line: str, *words: str) -> Ended:
        """Run the words of a line, and then others that may have blanks."""
        return self.command_line(*line.split(), *words, "--url", self.url, "--namespace", self.name)

    def done(self, line: str, *words: str) -> str:
        """Run a command that succeeds, and return what it printed."""
        ended = self.run(line, *words)
        assert (ended.status, ended.err) == (0, ""), ended
        return ended.out

    def json(self, line: str, *words: str) -> Any:
        return json.loads(self.done(line, *words, "--json"))

    def submit(self, **changes: Any) -> str:
        answer = self.http.post(f"{JOBS}?wait=true", json=template(**changes))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["jobs"][0]["jobId"])


@pytest.fixture
def new_world(url: str, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], World]]:
    """Make worlds that know nothing of each other."""
    clients: list[httpx.Client] = []

    def make() -> World:
        name = f"cli-{next(_numbers)}"
        clients.append(httpx.Client(base_url=url, headers={"X-Mock-Namespace": name}, trust_env=False, timeout=60))
        return World(url=url, name=name, http=clients[-1], command_line=CommandLine(capsys=capsys))

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def world(new_world: Callable[[], World]) -> World:
    return new_world()
