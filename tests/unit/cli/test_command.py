"""The command line, and the one line that ends a command."""

import json
import threading
from pathlib import Path

import pytest

from civitai_mock import env_files
from civitai_mock.cli.arguments import ArgumentsError, parse_arguments
from civitai_mock.cli.command import refuse, wants_json
from civitai_mock.cli.process import Stop


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
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(env_files, "INSTALLED", tmp_path / "installed.env")
    (tmp_path / "installed.env").write_text(installed)
    (tmp_path / ".env").write_text(own)
    for name in ("NODE_ENV", "LOG_FORMAT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert wants_json() is json_wanted


def test_in_production_each_line_that_ends_a_command_is_a_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert refuse("PORT: found 'é\udcff'\nsecond", status=2, as_json=True) == 2
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["reason"] for line in lines] == ["PORT: found 'é\\udcff'", "second"]
    assert {(line["level"], line["event"]) for line in lines} == {("error", "ended")}


def test_outside_production_what_ends_a_command_is_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert refuse("No.", status=1, as_json=False) == 1
    assert capsys.readouterr().err == "civitai-mock: No.\n"


def test_where_no_thread_can_be_had_a_stop_begins_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    begun: list[bool] = []
    stop = Stop()
    stop.in_good_order(lambda: begun.append(True), limit_s=1.0, give_up=lambda: None)
    stop._on_signal(15, None)
    assert begun == [True]
