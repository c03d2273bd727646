"""The health check, and the health files by which it knows what runs here."""

import errno
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from civitai_mock.cli import health_files
from civitai_mock.cli.health_files import keep_health_file, read_health_files
from civitai_mock.cli.healthcheck import STALE_SECONDS, find_fault
from civitai_mock.settings import SettingsError

PORT = 24680


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_files, "ROOTS", (str(tmp_path / "absent"), str(tmp_path)))
    monkeypatch.setenv("PORT", str(PORT))
    monkeypatch.chdir(tmp_path)


def _report(**changes: object) -> dict[str, object]:
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
def test_a_process_is_as_healthy_as_its_report(changes: dict[str, object], fault: str | None) -> None:
    with keep_health_file(_report(**changes)):
        found = find_fault(None)
    assert found is None if fault is None else fault in str(found)


@pytest.mark.parametrize(("status", "fault"), [(200, None), (503, "503"), (401, "401")])
def test_a_server_is_asked_by_http(status: int, fault: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with (
        _answering(status, b'{"detail":"why"}') as port,
        keep_health_file(_report(asked_at=["127.0.0.1", port, "/health"])),
    ):
        found = find_fault(None)
    assert found is None if fault is None else (f"{fault} " in str(found) and "why" in str(found))


def test_without_a_health_file_the_api_on_port_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
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
    with keep_health_file(_report(port=PORT + 1)):
        assert "refused" in str(find_fault(None))


def test_of_several_one_can_be_asked_alone() -> None:
    with keep_health_file(_report(fault="away")):
        assert find_fault("scheduler") == find_fault(None) == "away"
        assert find_fault("comfyui") == f"no comfyui runs here with PORT={PORT}"
        assert "refused" in str(find_fault("api"))


def test_a_health_file_goes_with_its_process_and_leftovers_are_cleaned_up(tmp_path: Path) -> None:
    with keep_health_file(_report()):
        (folder,) = tmp_path.iterdir()
        (file,) = folder.iterdir()
        assert (folder.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
        assert len(read_health_files()) == 1
        leftover = folder / "99.json"
        leftover.write_bytes(file.read_bytes())
        assert len(read_health_files()) == 1
        assert not leftover.exists()
    assert read_health_files() == []


def test_a_folder_that_others_may_write_to_is_not_believed(tmp_path: Path) -> None:
    with keep_health_file(_report()):
        Path(health_files._folders()[1]).chmod(0o777)
        assert read_health_files() == []


def test_where_no_folder_can_be_written_to_there_is_no_health_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_files, "ROOTS", ("/proc/absent",))
    with keep_health_file(_report()) as file:
        file.write(_report())
        assert not file.is_kept


def test_where_there_is_no_room_for_a_health_file_the_next_folder_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, writable = tmp_path / "full", tmp_path / "other"
    full.mkdir()
    writable.mkdir()
    monkeypatch.setattr(health_files, "ROOTS", (str(full), str(writable)))
    really_write = os.pwrite

    def write(descriptor: int, content: bytes, offset: int) -> int:
        if Path(f"/proc/self/fd/{descriptor}").resolve().is_relative_to(full):
            raise OSError(errno.ENOSPC, "No space left on device")
        return really_write(descriptor, content, offset)

    monkeypatch.setattr(os, "pwrite", write)
    with keep_health_file(_report()) as file:
        assert file.is_kept
        assert len(read_health_files()) == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_health_file_that_somebody_took_away_ends_nothing(tmp_path: Path) -> None:
    with keep_health_file(_report()):
        for path in list(tmp_path.rglob("*.json")):
            path.unlink()
    assert read_health_files() == []


def test_process_numbers_of_other_containers_are_other_processes() -> None:
    assert str(Path(health_files.PROCESS_SPACE).stat().st_ino) in health_files._folders()[0]
