"""The stand-in as a process: ComfyUI's own command line, and the health check beside it."""

import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.support.process import PATIENCE_SECONDS, free_port, start
from tests.support.tls import CA_FILE, FOLDER

pytestmark = pytest.mark.slow

CERTIFICATE = str(FOLDER / "server.pem")


@contextmanager
def _comfyui(folder: Path, environment: dict[str, str], *argv: str) -> Iterator["subprocess.Popen[bytes]"]:
    process = start(folder, environment, command=("-m", "civitai_mock", "comfyui", *argv))
    try:
        yield process
    finally:
        process.kill()
        process.wait(PATIENCE_SECONDS)


def _page(url: str, process: "subprocess.Popen[bytes]") -> str:
    """Wait for the front page, and return it."""
    deadline, context = time.monotonic() + PATIENCE_SECONDS, ssl.create_default_context(cafile=str(CA_FILE))
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with urlopen(url, timeout=5, context=context if url.startswith("https") else None) as answer:
                return str(answer.read().decode())
        except (URLError, ConnectionError):
            time.sleep(0.005)  # a connection that is refused has no event to wait for
    raise AssertionError(f"no answer from {url}; exit status {process.poll()}")


def test_it_serves_https_on_every_address_and_is_found_healthy(tmp_path: Path) -> None:
    port, environment = free_port(), {"PORT": str(free_port())}
    argv = ["--listen", "127.0.0.1,127.0.0.2", "--port", str(port), "--tls-keyfile", CERTIFICATE]
    with _comfyui(tmp_path, environment, *argv, "--tls-certfile", CERTIFICATE, "--lowvram") as process:
        assert "stand-in" in _page(f"https://127.0.0.1:{port}/", process)
        socket.create_connection(("127.0.0.2", port), timeout=PATIENCE_SECONDS).close()
        checked = [sys.executable, "-m", "civitai_mock", "healthcheck", "comfyui"]
        assert subprocess.run(checked, env=environment, cwd=tmp_path, check=False).returncode == 0
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0


def test_a_stop_waits_for_no_upload_and_says_so_in_a_line(tmp_path: Path) -> None:
    port = free_port()
    with _comfyui(tmp_path, {}, "--port", str(port)) as process:
        _page(f"http://127.0.0.1:{port}/", process)
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as connection:
            connection.sendall(b"POST /prompt HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\n")
            connection.sendall(b"Content-Length: 9\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 100 ")  # now the request is being read
            process.terminate()
            assert process.wait(PATIENCE_SECONDS) == 0
            assert connection.recv(100).startswith(b"HTTP/1.1 503 ")
    printed = (tmp_path / "server.log").read_text()
    assert "Traceback" not in printed
    assert "timeout graceful shutdown exceeded" in printed


@pytest.mark.parametrize(
    ("argv", "status", "words"),
    [
        (["--base-directory", "nope"], 2, "--base-directory {folder}/nope is not a folder."),
        (["--preview-method", "bogus"], 2, "invalid choice: 'bogus'"),
        (["--tls-keyfile", "a", "--tls-certfile", "b"], 2, "no certificate in b and a: No such file or directory"),
    ],
)
def test_an_option_that_cannot_work_is_one_line(tmp_path: Path, argv: list[str], status: int, words: str) -> None:
    with _comfyui(tmp_path, {}, "--port", str(free_port()), *argv) as process:
        assert process.wait(PATIENCE_SECONDS) == status
    printed = (tmp_path / "server.log").read_text()
    assert words.format(folder=tmp_path) in printed
    assert printed.count("\n") == 1
