"""The commands as processes of their own: pipes, signals, a full disk, and what the environment says."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import World
from tests.support.process import MOCK, PATIENCE_SECONDS

COMMAND = (sys.executable, *MOCK)

pytestmark = [pytest.mark.slow, pytest.mark.long]


def _run(script: str, folder: Path, **variables: str) -> tuple[int, str, str]:
    """Run a script of bash that calls the command `mock`."""
    words = " ".join(COMMAND)
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f'mock() {{ {words} "$@"; }}\n{script}'],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_reader_that_goes_away_is_no_error(world: World, tmp_path: Path) -> None:
    for _ in range(3):
        world.submit()
    script = f"mock jobs --url {world.url} --namespace {world.name} --json | head -c 1"
    assert _run(script, tmp_path) == (0, "[", "")


def test_a_full_disk_is_one(world: World, tmp_path: Path) -> None:
    ended = _run(f"mock clock --url {world.url} > /dev/full", tmp_path)
    assert ended == (1, "", "civitai-mock: standard output fails: No space left on device\n")


def _await_sleep(pid: int) -> None:
    """Return when a process waits for an answer: Python hears of a signal that comes just before only after that."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "S":
        assert time.monotonic() < deadline


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_command_that_waits_without_a_word(tmp_path: Path, signum: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with subprocess.Popen(
            [*COMMAND, "snapshot", "save", "saved.zip", "--url", url],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            connection, _ = silent.accept()
            with connection:
                assert connection.recv(4) == b"GET "
                _await_sleep(process.pid)
                process.send_signal(signum)
                said, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, said) == (128 + signum, b"")
    assert list(tmp_path.iterdir()) == []


def test_the_settings_of_a_server_are_not_read(world: World, tmp_path: Path) -> None:
    port = str(httpx.URL(world.url).port)
    status, out, err = _run("mock clock", tmp_path, PORT=port, SCHEDULER_POLL_MS="x", NODE_ENV="production")
    assert (status, out.split()[:2], err) == (0, ["mode", "real"], "")


def test_what_is_wrong_is_text_where_logs_are_json(tmp_path: Path) -> None:
    status, out, err = _run("mock fault fly", tmp_path, NODE_ENV="production")
    assert (status, out) == (2, "")
    assert err.startswith("civitai-mock: argument word: invalid choice: 'fly'")


def test_where_no_server_runs_the_status_says_so(tmp_path: Path) -> None:
    status, out, err = _run("mock jobs", tmp_path, PORT="1")
    assert (status, out, err.count("\n")) == (3, "", 1)
