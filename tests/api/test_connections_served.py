"""The real server with few descriptors, and more silent connections than it has of them."""

import socket
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.support.process import PATIENCE_SECONDS, free_port, running, start, wait_for

FEW_DESCRIPTORS = (
    "-c",
    "import resource, civitai_mock.__main__ as command\n"
    "resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))\n"
    "command.main()",
)


@pytest.mark.slow
def test_silent_connections_beyond_the_descriptors_keep_nobody_out(tmp_path: Path) -> None:
    with running(tmp_path, {}, command=FEW_DESCRIPTORS) as server, ExitStack() as stack:
        for _ in range(400):
            stack.enter_context(socket.create_connection(server.address))
        wait_for(
            f"{server.url}/health", server.process, time.perf_counter()
        )  # while they come in there may be none left
        for _ in range(20):
            with urlopen(f"{server.url}/health", timeout=60) as answer:
                assert answer.status == 200
        assert server.stop() == 0


UPGRADE = (
    b"GET /ws?clientId=x HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def _listening(port: int) -> socket.socket:
    """A WebSocket that the server has accepted."""
    listener = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
    listener.sendall(UPGRADE)
    assert listener.recv(1024).startswith(b"HTTP/1.1 101 ")
    return listener


@pytest.mark.slow
def test_websockets_that_are_held_for_ever_keep_nobody_out(tmp_path: Path) -> None:
    port = free_port()
    process = start(tmp_path, {}, command=(*FEW_DESCRIPTORS, "comfyui", "--port", str(port)))
    url = f"http://127.0.0.1:{port}/system_stats"
    try:
        wait_for(url, process, time.perf_counter())
        with ExitStack() as stack:
            listeners = [stack.enter_context(_listening(port)) for _ in range(250)]
            for _ in range(5):
                with urlopen(url, timeout=60) as answer:
                    assert answer.status == 200
            with suppress(ConnectionResetError):
                while listeners[0].recv(1024):
                    pass  # what it was told before it had to go
            listeners[-1].setblocking(False)
            while True:
                try:
                    assert listeners[-1].recv(1024) != b"", "the latest was cut off"
                except BlockingIOError:
                    break
    finally:
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
