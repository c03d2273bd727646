"""Arguments, the one line that ends a command, and the notes that processes leave for their health check."""

import errno
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from civitai_mock import env_files
from civitai_mock.cli import address, runtime
from civitai_mock.cli.arguments import ArgumentsError, parse_arguments
from civitai_mock.cli.healthcheck import STALE_SECONDS, find_fault
from civitai_mock.cli.refusal import refuse, wants_json
from civitai_mock.cli.runtime import leaving_note, live_notes
from civitai_mock.cli.stop import Stop
from civitai_mock.settings import SettingsError

PORT = 24680


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "ROOTS", (str(tmp_path / "absent"), str(tmp_path)))
    monkeypatch.setenv("PORT", str(PORT))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fly"], "argument command: invalid choice: 'fly'"),
        (["comfyui", "--port", "x"], "argument --port: found 'x', expected a number from 1 to 65535"),
        (["comfyui", "--port", "0"], "argument --port: found '0', expected a number from 1 to 65535"),
        (["api", "--fast"], "unrecognized arguments: --fast"),
        (["healthcheck", "seed"], "argument checked: invalid choice: 'seed'"),
    ],
)
def test_arguments_that_cannot_be_understood_are_one_line(arguments: list[str], said: str) -> None:
    with pytest.raises(ArgumentsError) as refused:
        parse_arguments(arguments)
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("arguments", "command"), [([], "monolith"), (["--reload"], "monolith"), (["api"], "api")])
def test_without_a_command_it_is_the_monolith(arguments: list[str], command: str) -> None:
    assert parse_arguments(arguments).command == command


@pytest.mark.parametrize(
    ("installed", "own", "environment", "json_wanted"),
    [
        ("", "", {}, False),
        ("", "", {"NODE_ENV": "production"}, True),
        ("", "", {"node_env": "production"}, True),
        ("", "", {"NODE_ENV": "production", "LOG_FORMAT": "console"}, False),
        ("", "", {"NODE_ENV": "production", "LOG_FORMAT": ""}, True),
        ("", "", {"LOG_FORMAT": "json"}, True),
        ("NODE_ENV=production", "", {}, True),  # Compose takes away what the image sets
        ("NODE_ENV=production", "LOG_FORMAT=console", {}, False),
        ("NODE_ENV=production", "what is this", {}, True),
        ("", "NODE_ENV=production", {"NODE_ENV": "test"}, False),
    ],
)
def test_what_ends_a_command_is_in_the_form_of_the_log(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    installed: str,
    own: str,
    environment: dict[str, str],
    json_wanted: bool,
) -> None:
    monkeypatch.setattr(env_files, "INSTALLED", tmp_path / "installed.env")
    (tmp_path / "installed.env").write_text(installed)
    (tmp_path / ".env").write_text(own)
    for name in ("NODE_ENV", "LOG_FORMAT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert wants_json() is json_wanted


def test_in_production_each_line_is_a_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert refuse("PORT: found 'é\udcff'\nsecond", status=2, as_json=True) == 2
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["reason"] for line in lines] == ["PORT: found 'é\\udcff'", "second"]
    assert {(line["level"], line["event"]) for line in lines} == {("error", "ended")}


def test_elsewhere_it_is_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert refuse("No.", status=1, as_json=False) == 1
    assert capsys.readouterr().err == "civitai-mock: No.\n"


def _note(**changes: object) -> dict[str, object]:
    beat = time.monotonic()
    return {"command": "scheduler", "port": PORT, "asked_at": None, "beat": beat, "fault": ""} | changes


@contextmanager
def _answering(status: int, body: bytes = b"{}") -> Iterator[int]:
    """A server that gives one answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({}, None),
        ({"fault": "MongoDB is away."}, "MongoDB is away."),
        ({"beat": time.monotonic() - STALE_SECONDS - 1}, "no sign of life"),
        ({"command": "comfyui", "asked_at": ["127.0.0.1", 1, "/system_stats"]}, "http://127.0.0.1:1/system_stats"),
    ],
)
def test_a_process_is_as_healthy_as_its_note(changes: dict[str, object], fault: str | None) -> None:
    with leaving_note(_note(**changes)):
        found = find_fault(None)
    assert found is None if fault is None else fault in str(found)


@pytest.mark.parametrize(("status", "fault"), [(200, None), (503, "503"), (401, "401")])
def test_a_server_is_asked_by_http(status: int, fault: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with _answering(status, b'{"detail":"why"}') as port, leaving_note(_note(asked_at=["127.0.0.1", port, "/health"])):
        found = find_fault(None)
    assert found is None if fault is None else (f"{fault} " in str(found) and "why" in str(found))


def test_without_a_note_the_api_on_port_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "refused" in str(find_fault(None))
    with _answering(200) as port:
        monkeypatch.setenv("PORT", str(port))
        assert find_fault(None) is None
        assert find_fault("api") is None
        assert find_fault("scheduler") == f"no scheduler runs here with PORT={port}"


@pytest.mark.parametrize("host", ["\udcff", "a..b", "a" * 300])
def test_a_host_that_cannot_be_is_a_fault(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("HOST", host)
    assert str(find_fault(None)).startswith(f"http://{host}:{PORT}/health: ")


@pytest.mark.parametrize("port", ["http", "9" * 5_000, "٤٠٠٠", "70000"])
def test_a_port_that_cannot_be_is_refused_as_by_the_server(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("PORT", port)
    with pytest.raises(SettingsError, match=r"^PORT: found "):
        find_fault(None)


def test_only_processes_with_the_same_port_setting_are_asked() -> None:
    with leaving_note(_note(port=PORT + 1)):
        assert "refused" in str(find_fault(None))


def test_of_several_one_can_be_asked_alone() -> None:
    with leaving_note(_note(fault="away")):
        assert find_fault("scheduler") == find_fault(None) == "away"
        assert find_fault("comfyui") == f"no comfyui runs here with PORT={PORT}"
        assert "refused" in str(find_fault("api"))


def test_a_note_goes_with_its_process_and_leftovers_are_cleaned_up(tmp_path: Path) -> None:
    with leaving_note(_note()):
        (folder,) = tmp_path.iterdir()
        (note,) = folder.iterdir()
        assert (folder.stat().st_mode & 0o777, note.stat().st_mode & 0o777) == (0o700, 0o600)
        assert len(live_notes()) == 1
        leftover = folder / "99.json"
        leftover.write_bytes(note.read_bytes())
        assert len(live_notes()) == 1
        assert not leftover.exists()
    assert live_notes() == []


def test_a_folder_that_others_may_write_to_is_not_believed(tmp_path: Path) -> None:
    with leaving_note(_note()):
        Path(runtime._folders()[1]).chmod(0o777)
        assert live_notes() == []


def test_where_no_folder_can_be_written_to_there_is_no_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "ROOTS", ("/proc/absent",))
    with leaving_note(_note()) as note:
        note.write(_note())
        assert not note.is_kept


def test_where_there_is_no_room_for_a_note_the_next_folder_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, writable = tmp_path / "full", tmp_path / "other"
    full.mkdir()
    writable.mkdir()
    monkeypatch.setattr(runtime, "ROOTS", (str(full), str(writable)))
    really_write = os.pwrite

    def write(descriptor: int, content: bytes, offset: int) -> int:
        if Path(f"/proc/self/fd/{descriptor}").resolve().is_relative_to(full):
            raise OSError(errno.ENOSPC, "No space left on device")
        return really_write(descriptor, content, offset)

    monkeypatch.setattr(os, "pwrite", write)
    with leaving_note(_note()) as note:
        assert note.is_kept
        assert len(live_notes()) == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_note_that_somebody_took_away_ends_nothing(tmp_path: Path) -> None:
    with leaving_note(_note()):
        for path in list(tmp_path.rglob("*.json")):
            path.unlink()
    assert live_notes() == []


def test_where_no_thread_can_be_had_a_stop_begins_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    begun: list[bool] = []
    stop = Stop()
    stop.in_good_order(lambda: begun.append(True), limit_s=1.0, give_up=lambda: None)
    stop._hear(15, None)
    assert begun == [True]


@pytest.mark.parametrize(
    ("host", "in_container", "cut_off"),
    [
        ("127.0.0.1", True, True),
        ("127.0.1.1", True, True),
        ("localhost", True, True),
        ("::1", True, True),
        ("0.0.0.0", True, False),  # noqa: S104 - only looked at
        ("127.0.0.1", False, False),
    ],
)
def test_a_server_on_loopback_in_a_container_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str, in_container: bool, cut_off: bool
) -> None:
    mark = str(tmp_path) if in_container else str(tmp_path / "absent")
    monkeypatch.setattr(address, "CONTAINER_MARKS", (mark,))
    assert address.is_cut_off(host) is cut_off


@pytest.mark.parametrize(
    ("host", "url"),
    [("0.0.0.0", "http://127.0.0.1:1"), ("::", "http://[::1]:1"), ("mock", "http://mock:1")],  # noqa: S104
)
def test_the_url_of_a_server_is_one_that_can_be_opened_beside_it(host: str, url: str) -> None:
    assert address.url_of(host, 1) == url


@pytest.mark.parametrize(
    ("host", "interfaces"),
    [("::", ("::", "0.0.0.0")), ("0.0.0.0", ("0.0.0.0",)), ("::1", ("::1",)), ("mock", ("mock",))],  # noqa: S104
)
def test_every_interface_is_one_of_ipv4_too(host: str, interfaces: tuple[str, ...]) -> None:
    assert address.interfaces_of(host) == interfaces


def test_process_numbers_of_other_containers_are_other_processes() -> None:
    assert str(Path(runtime.PROCESS_SPACE).stat().st_ino) in runtime._folders()[0]
