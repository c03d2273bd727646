"""The pytest plugin: a mock server for the session, and a world of its own on it for each test that asks for one.

pytest loads this at each start, whether a test needs it or not, so it imports next to nothing, and starts nothing.
"""

from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from civitai_mock.pytest_plugin.clock import MockClock
from civitai_mock.pytest_plugin.control import CivitaiMockError
from civitai_mock.pytest_plugin.marker import USAGE, MockOptions, read_markers
from civitai_mock.pytest_plugin.mock import CivitaiMock
from civitai_mock.pytest_plugin.server import CivitaiMockServer, running_server

__all__ = ["CivitaiMock", "CivitaiMockError", "CivitaiMockServer", "MockClock", "MockOptions"]

URL_OPTION, TOKEN_OPTION = "--civitai-mock-url", "--civitai-mock-token"
SECTION = "civitai-mock"
MOCK = pytest.StashKey[CivitaiMock]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup(SECTION, "a mock of Civitai's generation service")
    group.addoption(
        URL_OPTION, metavar="URL", help="use the civitai-mock that runs there, instead of one started for the session"
    )
    group.addoption(TOKEN_OPTION, metavar="TOKEN", help=f"the ADMIN_TOKEN of the server at {URL_OPTION}, if it has one")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{USAGE}: what the namespace of a test is like; see civitai-mock's fixtures")
    url, token = config.getoption(URL_OPTION), config.getoption(TOKEN_OPTION)
    if token is not None and url is None:
        raise pytest.UsageError(f"{TOKEN_OPTION} is of no use without {URL_OPTION}")
    if url is not None:
        try:
            CivitaiMockServer(url)
        except ValueError as error:
            raise pytest.UsageError(f"{URL_OPTION} {url}: {error}") from None


@pytest.fixture(scope="session")
def civitai_mock_settings() -> Mapping[str, Any]:
    """Return settings of the server that is started for the session; override this to choose them."""
    return {}


@pytest.fixture(scope="session")
def civitai_mock_server(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> Iterator[CivitaiMockServer]:
    """Serve a mock for the session, in a thread with a store in memory, or find the one that the options name."""
    url = pytestconfig.getoption(URL_OPTION)
    with _failing_in_a_line("civitai_mock_server"), ExitStack() as open_until_the_end:
        if url is None:
            settings = request.getfixturevalue("civitai_mock_settings")
            server = open_until_the_end.enter_context(running_server(settings))
        else:
            server = CivitaiMockServer(url, token=pytestconfig.getoption(TOKEN_OPTION))
            server.check()
        yield server


@pytest.fixture
def civitai_mock(request: pytest.FixtureRequest, civitai_mock_server: CivitaiMockServer) -> Iterator[CivitaiMock]:
    """Give a test a world of its own on the mock server: as new, and with the same seed each time the test runs."""
    stash = request.node.stash
    mock = CivitaiMock(civitai_mock_server, request.node.nodeid, read_markers(request.node))
    with _failing_in_a_line("civitai_mock"):
        mock.reset()
    stash[MOCK] = mock
    yield mock
    mock.close()
    if MOCK in stash:
        del stash[MOCK]
        with _failing_in_a_line("civitai_mock"):
            mock.delete()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a test that is strict, and good but for rules that never fired."""
    yield
    mock = item.stash.get(MOCK, None)
    if mock is not None and (idle := mock.never_fired):
        pytest.fail(f"civitai_mock: these rules never fired: {', '.join(idle)}", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show in the report of a failure what happened on the server, and leave its namespace there to be looked at."""
    report = yield
    if report.failed and MOCK in item.stash:
        from civitai_mock.pytest_plugin.report import describe

        report.sections.append((SECTION, describe(item.stash[MOCK])))
        del item.stash[MOCK]
    return report


@contextmanager
def _failing_in_a_line(fixture: str) -> Iterator[None]:
    try:
        yield
    except CivitaiMockError as error:
        raise pytest.fail.Exception(f"{fixture}: {error}", pytrace=False) from None
