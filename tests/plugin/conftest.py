"""A mock server for the classes of the plugin, and temporary suites that use it as an installed plugin."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module

import pytest

from civitai_mock.api.app import FASTAPI_APP
from civitai_mock.pytest_plugin import CivitaiMock, CivitaiMockServer
from civitai_mock.pytest_plugin.server import running_server
from tests.support.plugin import loading_plugin

# pytester forgets what was imported in a temporary suite, but NumPy and the like cannot be loaded twice.
for module in ("civitai_mock.pytest_plugin.thread", FASTAPI_APP):
    import_module(module)


@pytest.fixture(scope="module")
def server() -> Iterator[CivitaiMockServer]:
    with running_server({}) as running:
        yield running


@pytest.fixture
def mock(server: CivitaiMockServer, request: pytest.FixtureRequest) -> Iterator[CivitaiMock]:
    made = CivitaiMock(server, request.node.nodeid)
    made.reset()
    yield made
    made.close()
    made.delete()


@dataclass(frozen=True, slots=True)
class Suite:
    """Runs tests of somebody else, in this process, with the plugin and no other."""

    pytester: pytest.Pytester

    def run(self, text: str, *options: str) -> pytest.RunResult:
        self.pytester.makepyfile(text)
        without = [option for name in ("xdist", "asyncio", "cacheprovider") for option in ("-p", f"no:{name}")]
        return self.pytester.runpytest_inprocess(*loading_plugin(), *without, "-W", "error", "-rA", *options)


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Suite:
    return Suite(pytester)
