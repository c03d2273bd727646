"""Stops at every moment of a process's life, as a plain process and as process 1 of a container."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest

from tests.support.job_client import JOBS, TEMPLATE
from tests.support.process import PATIENCE_SECONDS, free_port, poll_until, running, start

MODULE = ("-m", "civitai_mock")
# What the image starts: signals wait, blocked, for the program's first lines.
AS_PROCESS_1 = ("unshare", "--pid", "--fork", "--kill-child", "env", "--block-signal=TERM,INT,HUP")
QUICK = {"SIMULATION_PROFILE": "instant", "SHUTDOWN_GRACE_MS": "0"}
AT_ONCE = 4.0  # less than SQLite waits; a second on a machine that does nothing else
ENDED_BY_SIGTERM = {0, 143, -signal.SIGTERM}  # the last before Python itself had begun

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _hears_hangups() -> Iterator[None]:
    """Let SIGHUP end the processes of these tests, which ignore it if they are started under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def _can_unshare() -> bool:
    return subprocess.run(["unshare", "--pid", "--fork", "true"], check=False, capture_output=True).returncode == 0


needs_process_spaces = pytest.mark.skipif(
    sys.platform != "linux" or not _can_unshare(), reason="a process space of its own is not permitted here"
)


def _settings() -> dict[str, str]:
    return {"PORT": str(free_port()), **QUICK}


def _child_of(process: "subprocess.Popen[bytes]") -> int:
    """Return the process that `unshare` has forked."""
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    poll_until(lambda: listed.read_text() != "")
    return int(listed.read_text().split()[0])


def _python_runs(pid: int) -> bool:
    return "python" in Path(f"/proc/{pid}/comm").read_text() or "civitai" in Path(f"/proc/{pid}/comm").read_text()


def _stopped(process: "subprocess.Popen[bytes]", pid: int, signum: int = signal.SIGTERM) -> int:
    """Return the exit status of a process that ends in time."""
    os.kill(pid, signum)
    try:
        return process.wait(AT_ONCE)
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("command", "delay"),
    [
        ((), 0.3),
        pytest.param(("api",), 0.1, marks=pytest.mark.long),
        pytest.param(("scheduler",), 0.3, marks=pytest.mark.long),
        pytest.param(("comfyui", "--port", "28188"), 0.2, marks=pytest.mark.long),
        (("seed",), 0.1),
    ],
)
def test_a_stop_is_heard_while_a_command_starts(tmp_path: Path, command: Sequence[str], delay: float) -> None:
    process = start(tmp_path, _settings(), command=(*MODULE, *command))
    with suppress(subprocess.TimeoutExpired):
        process.wait(delay)
    assert _stopped(process, process.pid) in ENDED_BY_SIGTERM
    assert "Traceback" not in (tmp_path / "server.log").read_text()


@pytest.mark.long
@needs_process_spaces
@pytest.mark.parametrize("delay", [0.0, 0.02, 0.1, 0.5])
def test_process_1_of_a_container_hears_a_stop_at_any_moment(tmp_path: Path, delay: float) -> None:
    process = start(tmp_path, _settings(), command=MODULE, before=AS_PROCESS_1)
    pid = _child_of(process)
    poll_until(lambda: _python_runs(pid))
    with suppress(subprocess.TimeoutExpired):
        process.wait(delay)
    assert _stopped(process, pid) in {0, 143}


@pytest.mark.long
@pytest.mark.parametrize("command", [(), ("scheduler",), ("seed",)])
def test_a_stop_is_heard_while_a_command_waits_for_a_store_that_hangs(tmp_path: Path, command: Sequence[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"mongodb://127.0.0.1:{silent.getsockname()[1]}"
        process = start(tmp_path, {**_settings(), "MONGODB_URI": uri}, command=(*MODULE, *command))
        silent.settimeout(PATIENCE_SECONDS)
        connection, _ = silent.accept()
        with connection:
            assert _stopped(process, process.pid) == 143


def test_a_stop_is_heard_while_another_process_holds_the_database(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with closing(sqlite3.connect(data / "civitai-mock.db", isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("BEGIN IMMEDIATE")
        process = start(tmp_path, _settings(), command=MODULE)
        poll_until((data / "open.lock").exists)
        assert _stopped(process, process.pid) == 143


@pytest.mark.parametrize(
    "signum",
    [
        signal.SIGTERM,
        pytest.param(signal.SIGINT, marks=pytest.mark.long),
        pytest.param(signal.SIGHUP, marks=pytest.mark.long),
    ],
)
def test_a_server_that_serves_stops_in_good_order(tmp_path: Path, signum: int) -> None:
    with running(tmp_path, QUICK) as server:
        assert _stopped(server.process, server.process.pid, signum) == 0
        assert "Traceback" not in server.log


@pytest.mark.long
def test_a_server_under_nohup_outlives_its_terminal(tmp_path: Path) -> None:
    port = free_port()
    process = start(tmp_path, {**_settings(), "PORT": str(port)}, command=MODULE, before=("nohup",))
    try:
        poll_until(lambda: '"ready"' in (tmp_path / "server.log").read_text())
        process.send_signal(signal.SIGHUP)
        assert httpx.get(f"http://127.0.0.1:{port}/health", timeout=PATIENCE_SECONDS).status_code == 200
    finally:
        assert _stopped(process, process.pid) == 0


def test_a_second_ctrl_c_waits_for_nobody(tmp_path: Path) -> None:
    environment = {
        **QUICK,
        "SIMULATION_PROFILE": "realistic",
        "SIMULATION_PROMPT_MS": "60000",
        "SHUTDOWN_GRACE_MS": "60000",
    }
    with running(tmp_path, environment) as server:
        httpx.post(server.url + JOBS, json=TEMPLATE, timeout=PATIENCE_SECONDS).raise_for_status()
        server.process.send_signal(signal.SIGINT)
        poll_until(lambda: '"stopping"' in server.log)
        assert _stopped(server.process, server.process.pid, signal.SIGINT) == 130


@pytest.mark.long
@pytest.mark.parametrize("streams", [">&- 2>&- <&-", "> /dev/full 2> /dev/full", "> pipe"])
def test_a_log_that_nobody_can_read_stops_nobody(tmp_path: Path, streams: str) -> None:
    settings = _settings()
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    process = start(tmp_path, settings, command=MODULE, before=("sh", "-c", f'exec "$@" {streams}', "sh"))
    url = f"http://127.0.0.1:{settings['PORT']}/"

    def is_up() -> bool:
        try:
            return httpx.get(url, timeout=PATIENCE_SECONDS).status_code == 200
        except httpx.TransportError:
            return False

    poll_until(is_up)
    os.close(reader)
    assert is_up()
    assert _stopped(process, process.pid) == 0
    assert "Traceback" not in (tmp_path / "server.log").read_text()


@pytest.mark.parametrize("arguments", [("seed",), ("--help",), ("fly",), ("healthcheck",)])
def test_a_command_whose_reader_is_gone_ends_as_ever(tmp_path: Path, arguments: Sequence[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, *MODULE, *arguments]
    variables = {**os.environ, "DATA_DIR": str(tmp_path), "PORT": str(free_port())}
    try:
        done = subprocess.run(
            command, cwd=tmp_path, env=variables, check=False, stdout=write, stderr=subprocess.PIPE, text=True
        )
    finally:
        os.close(write)
    assert done.returncode == {"fly": 2, "healthcheck": 1}.get(arguments[0], 0)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("environment", "status", "said"),
    [
        pytest.param({"HOST": "a" * 300}, 1, "cannot listen on a", marks=pytest.mark.long),
        ({"HOST": "no.such.invalid"}, 1, "cannot listen on no.such.invalid port"),
        pytest.param(
            {"AUTH": "tokens", "AUTH_TOKENS": "\udcff"},
            2,
            "AUTH_TOKENS: found bytes that are not UTF-8, expected tokens",
            marks=pytest.mark.long,
        ),
        ({"DATA_DIR": "d\udcff"}, 2, "DATA_DIR: found bytes that are not UTF-8, expected a folder"),
        pytest.param({"DATA_DIR": "d" * 300}, 1, "File name too long", marks=pytest.mark.long),
        pytest.param(
            {"MONGODB_URI": "mongodb://h/?tls=1"},
            2,
            "MONGODB_URI: its option tls cannot be used: ",
            marks=pytest.mark.long,
        ),
        ({"MONGODB_URI": "mongodb://u:a/b@h"}, 2, "The MongoDB URI cannot be used"),
    ],
)
def test_whatever_ends_a_start_is_one_line(tmp_path: Path, environment: dict[str, str], status: int, said: str) -> None:
    process = start(tmp_path, {**_settings(), **environment}, command=MODULE)
    assert process.wait(PATIENCE_SECONDS) == status
    (line,) = (tmp_path / "server.log").read_text().splitlines()
    assert said in json.loads(line)["reason"]


@pytest.mark.parametrize("descriptors", [10, 40])
def test_too_few_descriptors_are_one_line(tmp_path: Path, descriptors: int) -> None:
    limited = ("sh", "-c", f'ulimit -n {descriptors}; exec "$@"', "sh")
    process = start(tmp_path, _settings(), command=MODULE, before=limited)
    assert process.wait(PATIENCE_SECONDS) == 1
    (line,) = (tmp_path / "server.log").read_text().splitlines()
    assert f"this process may open {descriptors} files (ulimit -n); it needs" in json.loads(line)["reason"]


def _checked(folder: Path, port: str) -> "subprocess.CompletedProcess[str]":
    variables = {**os.environ, "PORT": port}
    command = [sys.executable, *MODULE, "healthcheck"]
    return subprocess.run(command, cwd=folder, env=variables, check=False, capture_output=True, text=True)


@pytest.mark.long
def test_the_health_check_finds_a_scheduler_that_is_frozen(tmp_path: Path) -> None:
    settings = _settings() | {"MONGODB_URI": "memory://"}
    process = start(tmp_path, settings, command=(*MODULE, "scheduler"))
    poll_until(lambda: _checked(tmp_path, settings["PORT"]).returncode == 0, pause=0.5)
    process.send_signal(signal.SIGSTOP)
    poll_until(lambda: "no sign of life" in _checked(tmp_path, settings["PORT"]).stderr, pause=0.5)
    process.send_signal(signal.SIGCONT)
    poll_until(lambda: _checked(tmp_path, settings["PORT"]).returncode == 0, pause=0.5)
    assert _stopped(process, process.pid) == 0
    assert _checked(tmp_path, settings["PORT"]).returncode == 1


@pytest.mark.long
def test_the_health_check_of_a_stand_in_asks_its_own_port(tmp_path: Path) -> None:
    settings, port = _settings(), free_port()
    process = start(tmp_path, settings, command=(*MODULE, "comfyui", "--port", str(port)))
    poll_until(lambda: _checked(tmp_path, settings["PORT"]).returncode == 0, pause=0.2)
    assert _stopped(process, process.pid) == 0
    assert _checked(tmp_path, settings["PORT"]).returncode == 1


def test_in_production_what_ends_a_start_is_a_line_of_json(tmp_path: Path) -> None:
    process = start(tmp_path, {"PORT": "http"}, command=MODULE)
    assert process.wait(PATIENCE_SECONDS) == 2
    line = json.loads((tmp_path / "server.log").read_text())
    assert line["reason"] == "PORT: found 'http', expected a number from 1 to 65535"
