"""The real server with few descriptors, and more silent connections than it has of them."""

import socket
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.support.process import running, wait_for

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
            with urlopen(f"{server.url}/health", timeout=10) as answer:
                assert answer.status == 200
        assert server.stop() == 0
