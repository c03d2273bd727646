"""The commands that speak to a server: what they do with whatever may answer, and how they end."""

import json
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest

from civitai_mock import env_files
from civitai_mock.cli.arguments import CONTROL_COMMANDS, ArgumentsError, parse_arguments
from civitai_mock.cli.control import command
from civitai_mock.cli.control.address import find_server
from civitai_mock.network.control_plane_client import ControlPlaneClient
from tests.support.command_line import CommandLine

URL = "http://mock.test:3000"
Handler: TypeAlias = Callable[[httpx.Request], httpx.Response]
Answering: TypeAlias = Callable[[Handler], None]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(env_files, "INSTALLED", tmp_path / "absent.env")
    for name in ("PORT", "ADMIN_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return CommandLine(capsys=capsys)


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Answering:
    """Let a function answer in the place of a server."""

    def put(handler: Handler) -> None:
        @contextmanager
        def opened(url: str, **_: Any) -> Iterator[ControlPlaneClient]:
            with httpx.Client(transport=httpx.MockTransport(handler), base_url=url) as http:
                yield ControlPlaneClient(http=http, url=url)

        monkeypatch.setattr(command, "open_control_plane", opened)

    return put


def _pages(*pages: list[dict[str, Any]]) -> Handler:
    def answer(request: httpx.Request) -> httpx.Response:
        index = int(request.url.params.get("cursor", 0))
        following = {"next": str(index + 1)} if index + 1 < len(pages) else {}
        return httpx.Response(200, json={"items": pages[index], **following})

    return answer


def test_all_pages_of_a_list_are_followed(run: CommandLine, answering: Answering) -> None:
    answering(_pages([{"jobId": "a"}], [], [{"jobId": "longer"}, {"jobId": "c"}]))
    assert json.loads(run("jobs", "--json").out) == [{"jobId": "a"}, {"jobId": "longer"}, {"jobId": "c"}]
    assert [line.split()[0] for line in run("jobs").out.splitlines()] == ["job", "a", "longer", "c"]


def test_a_list_that_does_not_go_on_ends(run: CommandLine, answering: Answering) -> None:
    answering(lambda _: httpx.Response(200, json={"items": [], "next": "again"}))
    ended = run("jobs")
    assert (ended.status, ended.out) == (3, "job  status  type  created  cost  prompt\n")
    assert ended.err.endswith(": its list jobs does not go on.\n")


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (httpx.Response(200, html="<html>"), 3, "it does not answer JSON."),
        (httpx.Response(200, json=[]), 3, "its list jobs has no items."),
        (
            httpx.Response(302, headers={"location": "https://u:p@other.test/?sig=x"}),
            3,
            "it redirects to https://***@other.test/?***; if that is right, name it in --url.",
        ),
        (httpx.Response(502, html="<html>"), 1, f"{URL} answers 502 Bad Gateway"),
        (httpx.Response(500, json=["no problem"]), 1, f"{URL} answers 500 Internal Server Error"),
        (httpx.Response(404, json={"title": "Not Found"}), 1, "Not Found"),
        (httpx.Response(503, json={"title": "x", "detail": "The store is away."}), 1, "The store is away."),
        (httpx.Response(400, json={"detail": "x", "errors": {"a": ["1.", "2."]}}), 1, "a: 1.\ncivitai-mock: a: 2."),
        (httpx.Response(400, json={"detail": "a\x1b[2J\u202eb\nc"}), 1, "a\\x1b[2J\\u202eb\\nc"),
        (
            httpx.Response(401, json={"detail": "No."}),
            1,
            "No.\ncivitai-mock: give the token by --token, or by ADMIN_TOKEN in the environment or .env",
        ),
    ],
)
def test_what_is_no_good_answer_is_said_in_lines(
    answer: httpx.Response, status: int, said: str, run: CommandLine, answering: Answering
) -> None:
    answering(lambda _: answer)
    ended = run("jobs", "--url", URL)
    assert (ended.status, ended.out) == (status, "")
    assert ended.err.startswith("civitai-mock: ")
    assert ended.err.endswith(f"{said}\n")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (httpx.ConnectError("x"), "the connection failed (ConnectError)"),
        (httpx.ReadTimeout("x"), "no answer in time"),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), "it may want https"),
    ],
)
def test_a_server_that_cannot_be_reached_is_one_line(
    error: Exception, said: str, run: CommandLine, answering: Answering
) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    answering(fail)
    ended = run("jobs", "--url", URL)
    assert (ended.status, ended.out, ended.err.count("\n")) == (3, "", 1)
    assert ended.err.startswith(f"civitai-mock: {URL} cannot be reached: ")
    assert said in ended.err


def test_where_nothing_listens_it_is_not_reachable(run: CommandLine) -> None:
    ended = run("clock", "--url", "http://u:secret@127.0.0.1:1")
    why = "cannot be reached: connection refused: nothing listens at this port."
    assert (ended.status, ended.out, ended.err) == (3, "", f"civitai-mock: http://***@127.0.0.1:1 {why}\n")


def test_names_are_printed_without_what_a_terminal_obeys(run: CommandLine, answering: Answering) -> None:
    job = {"jobId": "a\x1b]0;x\x07", "prompt": "[red]b\r\n\x9b2J\u202ec\x7f", "status": "東京"}
    answering(_pages([job]))
    assert run("jobs").out.splitlines()[1:] == [
        "a\\x1b]0;x\\x07  東京    -     -        -     [red]b\\r\\n\\x9b2J\\u202ec\\x7f"
    ]
    printed = run("jobs", "--json").out
    assert json.loads(printed) == [job]
    assert not {"\x1b", "\x07", "\r", "\x9b", "\u202e", "\x7f"} & set(printed)
    assert "東京" in printed


def test_a_clock_that_still_advances_is_looked_at_until_it_is_ready(
    run: CommandLine, answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    looks = iter(["advancing", "advancing", "ready"])

    def answer(request: httpx.Request) -> httpx.Response:
        is_advance = request.url.path.endswith("/advance")
        return httpx.Response(202 if is_advance else 200, json={"status": next(looks), "now": request.method})

    answering(answer)
    assert run("clock", "advance", "10m").out == "status  ready\nnow     GET\n"


def test_processes_that_have_not_confirmed_are_named(run: CommandLine, answering: Answering) -> None:
    answering(lambda _: httpx.Response(200, json={"notYet": ["a", "b"]}))
    ended = run("reset", "--all")
    assert (ended.status, ended.out) == (0, "all namespaces begin anew\n")
    assert ended.err == "civitai-mock: these processes have not confirmed it yet: a, b\n"


def test_a_snapshot_that_breaks_off_leaves_the_file_as_it_was(
    run: CommandLine, answering: Answering, tmp_path: Path
) -> None:
    def content() -> Iterator[bytes]:
        yield b"PK"
        raise httpx.ReadError("gone")

    file = tmp_path / "saved.zip"
    file.write_bytes(b"of before")
    answering(lambda _: httpx.Response(200, content=content(), headers={"content-type": "application/zip"}))
    assert run("snapshot", "save", str(file)).status == 3
    answering(lambda _: httpx.Response(404, json={"detail": "There is no namespace 'a'."}))
    assert run("snapshot", "save", str(file)).err == "civitai-mock: There is no namespace 'a'.\n"
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("saved.zip", b"of before")]


def test_a_signal_takes_back_what_was_begun(run: CommandLine, answering: Answering, tmp_path: Path) -> None:
    def content() -> Iterator[bytes]:
        yield b"PK"
        raise command.Interrupted

    answering(lambda _: httpx.Response(200, content=content(), headers={"content-type": "application/zip"}))
    run("snapshot", "save", "saved.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_request_says_what_the_options_say(run: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(204)

    transport = httpx.MockTransport(answer)
    real = httpx.Client
    monkeypatch.setattr(httpx, "Client", lambda **given: real(transport=transport, **given))
    run("reset", "--url", "https://mock.test/under/", "--token", " abc ", "--namespace", "a.b", "--all")
    (request,) = seen
    assert (request.method, str(request.url)) == ("POST", "https://mock.test/under/_mock/reset?all=true")
    assert (request.headers["authorization"], request.headers["x-mock-namespace"]) == ("Bearer abc", "a.b")
    assert (request.headers["content-type"], request.content) == ("application/json", b"{}")


@pytest.mark.parametrize(
    ("words", "installed", "own", "environment", "found"),
    [
        ("", "", "", {}, ("http://127.0.0.1:3000", None)),
        ("", "PORT=1", "", {}, ("http://127.0.0.1:1", None)),
        ("", "PORT=1", "PORT=2", {}, ("http://127.0.0.1:2", None)),
        ("", "", "PORT=2\nADMIN_TOKEN=of-file", {"PORT": "3"}, ("http://127.0.0.1:3", "of-file")),
        ("", "", "ADMIN_TOKEN=of-file", {"admin_token": "of-env\n"}, ("http://127.0.0.1:3000", "of-env")),
        ("--token mine", "", "ADMIN_TOKEN=of-file", {}, ("http://127.0.0.1:3000", "mine")),
        (f"--url {URL}", "", "PORT=x\nADMIN_TOKEN=of-file", {"ADMIN_TOKEN": "of-env"}, (URL, None)),
        (f"--url {URL} --token mine", "", "what is this", {}, (URL, "mine")),
    ],
)
def test_without_an_address_it_is_the_server_of_the_settings_and_it_alone_gets_their_token(
    run: CommandLine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: str,
    installed: str,
    own: str,
    environment: dict[str, str],
    found: tuple[str, str | None],
) -> None:
    monkeypatch.setattr(env_files, "INSTALLED", tmp_path / "installed.env")
    (tmp_path / "installed.env").write_text(installed)
    (tmp_path / ".env").write_text(own)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    address = find_server(parse_arguments(["jobs", *words.split()]))
    assert (address.url, address.token) == found


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (f"--url {URL}/ns/a.b", (URL, "a.b")),
        (f"--url {URL}/under/ns/a/", (f"{URL}/under", "a")),
        (f"--url {URL}/ns/a --namespace c", (URL, "c")),
        (f"--url {URL}/ns/", (f"{URL}/ns/", None)),
    ],
)
def test_an_address_may_name_a_namespace(words: str, found: tuple[str, str | None]) -> None:
    address = find_server(parse_arguments(["jobs", *words.split()]))
    assert (address.url, address.namespace) == found


@pytest.mark.parametrize(
    ("words", "settings", "said"),
    [
        ("--url localhost:3000", "", "argument --url: found 'localhost:3000', expected an address like"),
        ("--url http://", "", "argument --url: found 'http://', expected"),
        ("--url ftp://a", "", "argument --url: found 'ftp://a', expected"),
        ("--url http://a:99999", "", "argument --url: found 'http://a:99999', expected"),
        ("--url http://u:secret@a?b=secret", "", "argument --url: found 'http://***@a?***', expected"),
        ("--url http://[", "", "argument --url: found 'http://[', expected"),
        ("--token s\u00e9cret", "", "argument --token: expected a token of printable letters without blanks"),
        ("--token=", "", "argument --token: expected a token"),
        ("--namespace a/b", "", "argument --namespace: expected 1 to 64 letters"),
        ("", "PORT=0", "PORT: found '0', expected a number from 1 to 65535"),
        ("", "PORT=٤٠٠٠", "PORT: found '٤٠٠٠', expected"),
        ("", "what is this", ".env line 1 is not NAME=value."),
    ],
)
def test_options_that_cannot_be_are_a_fault_of_usage(
    run: CommandLine, tmp_path: Path, words: str, settings: str, said: str
) -> None:
    (tmp_path / ".env").write_text(settings)
    ended = run("jobs", *words.split())
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"civitai-mock: {said}")
    assert "secret" not in ended.err
    assert "\u00e9" not in ended.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("fault", "the following arguments are required: word"),
        ("fault fly", "argument word: invalid choice: 'fly'"),
        ("fault add", "the following arguments are required: PRESET"),
        ("fault add x --times -1", "argument --times: "),
        ("fault add x --times many", "argument --times: found 'many', expected a number"),
        ("graph", "the following arguments are required: ID"),
        ("clock advance", "the following arguments are required: DURATION"),
        ("jobs --jsn", "unrecognized arguments: --jsn"),
    ],
)
def test_words_that_cannot_be_understood_are_one_line(words: str, said: str) -> None:
    with pytest.raises(ArgumentsError) as refused:
        parse_arguments(words.split())
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize("text", ["seconds", "=5", "seconds=1 --param seconds=2"])
def test_params_that_are_no_pairs_are_a_fault_of_usage(text: str, run: CommandLine, answering: Answering) -> None:
    answering(lambda _: httpx.Response(500))
    ended = run(*f"fault add blob-late --param {text}".split())
    assert (ended.status, ended.err.startswith("civitai-mock: argument --param: ")) == (2, True)


def test_options_may_stand_after_any_word() -> None:
    for words in ("clock --json --url u freeze --namespace n", "clock freeze --json --url u --namespace n"):
        found = parse_arguments(words.split())
        assert (found.json, found.url, found.namespace, found.token) == (True, "u", "n", None)


def test_every_control_command_is_one_word_of_the_parser() -> None:
    for word in CONTROL_COMMANDS:
        with pytest.raises(SystemExit) as ended:
            parse_arguments([word, "--help"])
        assert ended.value.code == 0


def test_where_there_is_no_journal_nothing_is_different(run: CommandLine, answering: Answering) -> None:
    answering(lambda _: httpx.Response(409, json={"detail": "There is no journal: JOURNAL_MAX_ENTRIES is 0."}))
    ended = run("verify")
    assert (ended.status, ended.out) == (1, "")
    assert ended.err == "civitai-mock: There is no journal: JOURNAL_MAX_ENTRIES is 0.\n"


@pytest.mark.parametrize("is_shown", [True, False])
def test_the_address_of_the_page_is_printed_whether_a_browser_shows_it_or_not(
    run: CommandLine, answering: Answering, monkeypatch: pytest.MonkeyPatch, is_shown: bool
) -> None:
    opened: list[str] = []

    def open_browser(url: str) -> bool:
        opened.append(url)
        return is_shown

    monkeypatch.setattr(webbrowser, "open", open_browser)
    answering(lambda request: httpx.Response(200 if request.url.path == "/_mock/ui/" else 404, html="<html>"))
    ended = run("open", "--url", URL)
    assert (ended.status, ended.out, opened) == (0, f"{URL}/_mock/ui/\n", [f"{URL}/_mock/ui/"])


def test_where_no_page_is_served_there_is_none_to_open(run: CommandLine, answering: Answering) -> None:
    answering(lambda _: httpx.Response(404, json={"title": "Not Found"}))
    ended = run("open", "--url", URL)
    assert (ended.status, ended.err) == (1, f"civitai-mock: {URL} has no page of the control plane.\n")
