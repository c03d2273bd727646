"""Files of settings: what cannot be read to its end is refused in one line."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from civitai_mock import env_files
from civitai_mock.cli.command import _warn_of_misspelt
from civitai_mock.settings import Settings, SettingsError


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PORT=3000\nAUTH_TOKENS=\xff\xfe\n", ".env is not UTF-8 text: byte 0xff at position 22; save it as UTF-8."),
        ("PORT=3000\n".encode("utf-16"), ".env is not UTF-8 text: byte 0xff at position 0; save it as UTF-8."),
        (
            "PORT=3000\n".encode("utf-16-le"),
            ".env is not text: it has a NUL byte, as UTF-16 does; save it as UTF-8.",
        ),
        (b"# access\n\nAUTH: tokens\n", ".env line 3 is not NAME=value."),
        (b"PORT=3000\nAUTH tokens\n", ".env line 2 is not NAME=value."),
        (b"AUTH_TOKENS='secret\nPORT=3000\n", ".env line 1 is not NAME=value."),
        (b"  !x\n", ".env line 1 is not NAME=value."),
        (
            b"\nAUTH_TOKENS=pa${word}\n",
            ".env line 2: ${word} is not set; put a value with a $ in single quotes.",
        ),
        (
            b"AUTH_TOKENS=secret\nAUTH=\n",
            "AUTH: found nothing, expected tokens, as AUTH_TOKENS is set (or off, if everybody may call)",
        ),
        (b"\xef\xbb\xbfPORT=abc\n", "PORT: found 'abc', expected a number from 1 to 65535"),
    ],
)
def test_a_file_of_which_something_would_be_passed_over_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(SettingsError) as refused:
        Settings.load()
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("ADMN_TOKEN=x\nAUHT=any\n", [("ADMN_TOKEN", "ADMIN_TOKEN"), ("AUHT", "AUTH")]),
        ("comfy_url=x\n", [("COMFY_URL", "COMFY_WS_URL")]),
        ("BIND=0.0.0.0\nCOMPOSE_PROFILES=metrics\nGF_SECURITY_ADMIN_PASSWORD=x\nDATABASE_URL=x\nTZ=UTC\n", []),
        ("ADMIN_TOKEN=abcdefgh\nPORT=4000\n", []),
    ],
    ids=["two", "one of two", "of other programs", "none"],
)
def test_a_name_that_is_nearly_that_of_a_setting_is_told(tmp_path: Path, content: str, said: list[Any]) -> None:
    (tmp_path / ".env").write_text(content, "utf-8")
    with capture_logs() as logs:
        _warn_of_misspelt(Settings.load())
    assert [(line["name"], line["did_you_mean"]) for line in logs if line["event"] == "unknown setting"] == said


@pytest.mark.parametrize(
    "content", [b"PORT=4000", b"\xef\xbb\xbfPORT=4000\r\n", b"export PORT=4000\nHOST\n# \xc3\xa9\n"]
)
def test_what_editors_and_shells_add_is_understood(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".env").write_bytes(content)
    assert Settings.load().port == 4000


@pytest.mark.parametrize(
    ("line", "tokens"),
    [
        ("AUTH_TOKENS=pa$word#1", {"pa$word#1"}),
        ("AUTH_TOKENS=abc # a comment", {"abc"}),
        ('AUTH_TOKENS="a # b", c', None),
        ("AUTH_TOKENS = 'a # b'", {"a # b"}),
        ("AUTH_TOKENS='pa${word}$x'", {"pa${word}$x"}),
        ("export AUTH_TOKENS='${NAME}'", {"${NAME}"}),
        ("NAME=x\nAUTH_TOKENS=a${NAME}b", {"axb"}),
        ('AUTH_TOKENS="a${OUTSIDE}"', {"aout"}),
        ("AUTH_TOKENS=a${NAME:-y}${EMPTY:-}", {"ay"}),
        ("auth_tokens=small\nAUTH_TOKENS=large", {"large"}),
        ("AUTH_TOKENS=first\nAUTH_TOKENS=second", {"second"}),
    ],
)
def test_values_are_read_as_docker_compose_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, tokens: set[str] | None
) -> None:
    monkeypatch.setenv("OUTSIDE", "out")
    (tmp_path / ".env").write_text(f"AUTH=tokens\n{line}\n")
    if tokens is None:
        with pytest.raises(SettingsError, match="is not NAME=value"):
            Settings.load()
    else:
        assert Settings.load().known_tokens == tokens


@pytest.mark.parametrize("value", ["off", "any"])
def test_who_says_that_tokens_do_not_count_is_believed(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("AUTH", value)
    monkeypatch.setenv("AUTH_TOKENS", "secret")
    assert Settings.load().auth.value == value


def test_a_name_in_small_letters_yields_to_the_one_in_capitals(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"port": "4000", "PORT": "3000", "Port": "5000", "host": "::1", "HOST": ""}.items():
        monkeypatch.setenv(name, value)
    settings = Settings.load()
    assert (settings.port, settings.host) == (3000, "::1")


def test_a_folder_or_a_pipe_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    with pytest.raises(SettingsError, match=r"\.env is a folder; expected a text file"):
        Settings.load()
    (tmp_path / ".env").rmdir()
    os.mkfifo(tmp_path / ".env")
    with pytest.raises(SettingsError, match=r"\.env is not a regular file"):
        Settings.load()


def test_no_file_at_all_and_a_folder_that_was_deleted_are_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.load().port == 3000
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert Settings.load().port == 3000


# Installed packages may be out of that user's reach, so root loads them before; ours are loaded anew.
LOAD_AS_SOMEBODY = """
import os, sys
from civitai_mock.settings import Settings
Settings.load()
for name in [name for name in sys.modules if name.partition(".")[0] == "civitai_mock"]:
    del sys.modules[name]
os.setuid(4242)
{change}
from civitai_mock.settings import Settings
print(Settings.load().port)
"""


def _loaded_by_somebody(folder: Path, change: str = "") -> "subprocess.CompletedProcess[str]":
    """In a folder of ours, by a user who is not its owner."""
    if os.geteuid() != 0:
        pytest.skip("only root can start a process of another user")
    return subprocess.run(
        [sys.executable, "-c", LOAD_AS_SOMEBODY.format(change=change)],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )


def test_a_file_that_this_user_may_not_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=4000")
    (tmp_path / ".env").chmod(0o600)
    tmp_path.chmod(0o755)
    refused = _loaded_by_somebody(tmp_path)
    assert ".env cannot be read: Permission denied; let this user read it." in refused.stderr


def test_a_file_in_a_folder_where_this_user_may_not_look_is_not_there(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=4000")
    tmp_path.chmod(0o700)
    assert _loaded_by_somebody(tmp_path).stdout == "3000\n"


def test_the_defaults_of_an_installation_yield_to_env_file_and_environment_and_stand_in_for_empty_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "civitai-mock.env"
    installed.write_text("PORT=1000\nDATA_DIR=/data\nHOST=0.0.0.0\n")
    monkeypatch.setattr(env_files, "INSTALLED", installed)
    (tmp_path / ".env").write_text("PORT=2000\nHOST=\n")
    monkeypatch.setenv("DATA_DIR", "")
    settings = Settings.load()
    assert (settings.port, settings.host, str(settings.data_dir)) == (2000, "0.0.0.0", "/data")  # noqa: S104


def test_a_user_without_a_home_needs_a_data_folder_only_for_the_store_in_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", "~nobody-of-this-name/data")
    with pytest.raises(SettingsError, match="DATA_DIR: found '~nobody-of-this-name/data', expected a folder"):
        Settings.load()
    monkeypatch.setenv("MONGODB_URI", "memory://")
    assert Settings.load().store_is_embedded


def test_a_user_of_whom_the_system_knows_nothing_has_no_home(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    nothing_set = _loaded_by_somebody(tmp_path, "del os.environ['HOME']")
    assert "DATA_DIR: found '~/civitai-mock', expected a folder (this user has no home folder)" in nothing_set.stderr
    assert _loaded_by_somebody(tmp_path, "del os.environ['HOME']; os.environ['DATA_DIR'] = '/data'").stdout == "3000\n"


def test_a_tilde_means_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("DATA_DIR", "~/data")
    assert Settings.load().data_dir == Path("/home/somebody/data")
