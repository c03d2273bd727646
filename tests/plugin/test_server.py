"""The server of a session: one in a thread, or one that the options name."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from civitai_mock.pytest_plugin import CivitaiMockError, CivitaiMockServer
from civitai_mock.pytest_plugin.server import running_server
from tests.support.process import free_port


class SomethingElse(BaseHTTPRequestHandler):
    """Answers as other servers do."""

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@contextmanager
def another_server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), SomethingElse) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_server_is_gone_with_its_thread_when_it_stops() -> None:
    with running_server({}) as server:
        server.check()
        assert "civitai-mock" in {thread.name for thread in threading.enumerate()}
    assert "civitai-mock" not in {thread.name for thread in threading.enumerate()}
    with pytest.raises(CivitaiMockError, match=r"does not answer at http://127\.0\.0\.1:"):
        server.check()


def test_a_server_stops_though_the_tests_fail() -> None:
    with pytest.raises(ZeroDivisionError), running_server({}):
        raise ZeroDivisionError
    assert "civitai-mock" not in {thread.name for thread in threading.enumerate()}


def test_servers_take_settings_by_the_names_of_their_variables() -> None:
    with running_server({"ADMIN_TOKEN": "letmein", "namespaces": "strict"}) as server:
        with pytest.raises(CivitaiMockError, match="The control plane needs its token"):
            server.check()
        with pytest.raises(CivitaiMockError, match="The token of the control plane is another"):
            CivitaiMockServer(server.url, token="other").check()
        CivitaiMockServer(server.url, token="letmein").check()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"RATE_LIMITS": "1/minute"}, "Unknown setting 'RATE_LIMITS'.* Did you mean 'RATE_LIMIT'"),
        ({"AUTH": "perhaps"}, "AUTH: found 'perhaps', expected"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(settings: dict[str, str], words: str) -> None:
    with pytest.raises(CivitaiMockError, match=words), running_server(settings):
        pytest.fail("it must not start")


def test_a_start_that_fails_says_why() -> None:
    unreachable = f"mongodb://127.0.0.1:{free_port()}/?serverSelectionTimeoutMS=1"
    words = r"did not start: MongoDB at .* does not answer"
    with pytest.raises(CivitaiMockError, match=words), running_server({"MONGODB_URI": unreachable}):
        pytest.fail("it must not start")
    assert "civitai-mock" not in {thread.name for thread in threading.enumerate()}


def test_the_environment_is_of_no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH", "nonsense")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ADMIN", "off")
    with running_server({}) as server:
        server.check()


@pytest.mark.parametrize("settings", [{"ADMIN": "off"}])
def test_a_server_without_a_control_plane_is_refused(settings: dict[str, str]) -> None:
    with running_server(settings) as server, pytest.raises(CivitaiMockError, match="404"):
        server.check()


def test_another_server_is_not_taken_for_one() -> None:
    with another_server() as url, pytest.raises(CivitaiMockError, match="404, but not from civitai-mock"):
        CivitaiMockServer(url).check()


def test_an_address_where_nobody_is_says_so_in_a_line() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(CivitaiMockError) as refused:
        CivitaiMockServer(url).check()
    assert str(refused.value) == f"civitai-mock does not answer at {url}: Connection refused"


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:3000", "ftp://a", "http://", "http://me:pw@a", "http://a/?b", "http://a:x"]
)
def test_what_is_not_an_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        CivitaiMockServer(url)
