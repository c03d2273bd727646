"""Settings: one list, told in three places; bad values are refused in words."""

from pathlib import Path

import pytest

from civitai_mock.domain.money import NO_LIMIT, Account, Balances
from civitai_mock.settings import Settings, SettingsError
from tests.support.golden import Golden
from tests.support.paths import ROOT
from tests.support.settings_table import compose_settings_of, dotenv_of, table_of

START, END = "<!-- settings: begin -->\n", "<!-- settings: end -->\n"


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def test_dotenv_example_lists_every_setting(golden: Golden) -> None:
    golden.check_text(ROOT / ".env.example", dotenv_of(Settings))


def test_the_table_of_the_documentation_lists_every_setting(golden: Golden) -> None:
    page = ROOT / "docs" / "configuration.md"
    before, _, rest = page.read_text("utf-8").partition(START)
    after = rest.partition(END)[2]
    golden.check_text(page, before + START + table_of(Settings) + END + after)


def test_the_compose_file_hands_every_setting_on(golden: Golden) -> None:
    compose = ROOT / "docker-compose.yml"
    begin, end = "  # settings: begin\n", "  # settings: end\n"
    before, _, rest = compose.read_text("utf-8").partition(begin)
    after = rest.partition(end)[2]
    golden.check_text(compose, before + begin + compose_settings_of(Settings) + end + after)


def test_the_example_file_is_valid_as_it_is(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text((ROOT / ".env.example").read_text("utf-8"), "utf-8")
    assert Settings.load() == Settings()


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("PORT", "abc", "PORT: found 'abc', expected a number from 1 to 65535"),
        ("PORT", "70000", "PORT: found '70000', expected a number from 1 to 65535"),
        ("NODE_ENV", "prod", "NODE_ENV: found 'prod', expected development, test or production"),
        ("SCHEDULER_POLL_MS", "0", "SCHEDULER_POLL_MS: found '0', expected a number from 10 to 3600000"),
        ("PUBLIC_URL", "nowhere", "PUBLIC_URL: found 'nowhere', expected http://… or nothing"),
        (
            "MONGODB_URI",
            "mysql://user:secret@host",
            "MONGODB_URI: found 'mysql://***@host', expected mongodb://…, mongodb+srv://…, memory:// or nothing"
            " (no such store)",
        ),
        (
            "COMFY_HTTP_URL",
            "comfy:8188",
            "COMFY_HTTP_URL: found 'comfy:8188', expected http://… or nothing"
            " ('comfy:8188' is not http://host:port or https://host:port)",
        ),
        (
            "COMFY_HTTP_URL",
            "http://gpu:8188/?token=secret",
            "COMFY_HTTP_URL: found 'http://gpu:8188/?***', expected http://… or nothing"
            " ('http://gpu:8188/?***' must end with its path)",
        ),
        (
            "COMFY_CA_FILE",
            "/nowhere/ca.pem",
            "COMFY_CA_FILE: found '/nowhere/ca.pem', expected a file of certificates in PEM format, or nothing"
            " (No such file or directory)",
        ),
        (
            "COMFY_WS_URL",
            "ws://comfy:8188/ws",
            "COMFY_WS_URL: found 'ws://comfy:8188/ws', expected ws://…, one for each address, or nothing"
            " (no address of a ComfyUI server)",
        ),
        (
            "BUZZ_BALANCE",
            "-1",
            "BUZZ_BALANCE: found '-1', expected a number from 0, pairs like yellow=100,blue=50, or nothing"
            " ('-1' is not a number from 0)",
        ),
        (
            "BUZZ_BALANCE",
            "yellow=1,red=5",
            "BUZZ_BALANCE: found 'yellow=1,red=5', expected a number from 0, pairs like yellow=100,blue=50, or nothing"
            " ('red' is not an account)",
        ),
        ("ADMIN", "on", "ADMIN: found 'on', expected auto, open or off"),
        (
            "ADMIN_ALLOWED_HOSTS",
            "http://mock",
            "ADMIN_ALLOWED_HOSTS: found 'http://mock', expected hosts with commas between them, or nothing",
        ),
        (
            "ADMIN_TOKEN",
            "two words",
            "ADMIN_TOKEN: found '***', expected a token of printable letters without blanks, or nothing"
            " (no header can have it as its token)",
        ),
        ("NAMESPACES", "none", "NAMESPACES: found 'none', expected auto or strict"),
        (
            "SNAPSHOT_MAX_BYTES",
            "1",
            "SNAPSHOT_MAX_BYTES: found '1', expected a number from 1024 to 1099511627776",
        ),
        ("MONGODB_JOBS_COLLECTION_NAME", 'a"b', "MONGODB_JOBS_COLLECTION_NAME: found 'a\"b', expected a name"),
    ],
)
def test_a_bad_value_is_one_line_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, line: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        Settings.load()
    assert str(refused.value) == line


def test_a_secret_that_is_refused_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOB_SIGNING_KEY", "short")
    with pytest.raises(SettingsError, match=r"BLOB_SIGNING_KEY: found '\*\*\*'"):
        Settings.load()


@pytest.mark.parametrize("headers", ["x-key", "a b=c", "=c", "x-key=a%0Ab", "a=b,"])
def test_headers_that_nobody_can_send_are_refused(monkeypatch: pytest.MonkeyPatch, headers: str) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", headers)
    with pytest.raises(SettingsError, match=r"OTEL_EXPORTER_OTLP_HEADERS: found '\*\*\*', expected name=value pairs"):
        Settings.load()


def test_headers_are_pairs_with_commas_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "X-Key=a%20b, authorization=Basic eA==")
    assert Settings.load().otel_headers == {"x-key": "a b", "authorization": "Basic eA=="}


@pytest.mark.parametrize(
    ("value", "balances"),
    [
        ("", NO_LIMIT),
        ("12.5", Balances(together=12.5)),
        ("yellow=100, blue=50", Balances(by_account={Account.YELLOW: 100, Account.BLUE: 50})),
    ],
)
def test_a_balance_is_a_number_or_one_for_each_account(
    monkeypatch: pytest.MonkeyPatch, value: str, balances: Balances
) -> None:
    monkeypatch.setenv("BUZZ_BALANCE", value)
    assert Settings.load().balances == balances


def test_a_file_without_certificates_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COMFY_CA_FILE", str(tmp_path / "key.pem"))
    (tmp_path / "key.pem").write_text("no certificate", "utf-8")
    with pytest.raises(SettingsError, match=r"COMFY_CA_FILE: .*it has no certificate in PEM format"):
        Settings.load()


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    monkeypatch.setenv("MONGODB_URI", "")
    assert (Settings.load().port, Settings.load().mongodb_uri) == (3000, None)


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=4000\nPROVIDER_NAME=Civitai\n", "utf-8")
    monkeypatch.setenv("PORT", "5000")
    settings = Settings.load()
    assert (settings.port, settings.provider_name) == (5000, "Civitai")


@pytest.mark.parametrize(
    ("uri", "seed", "expected"),
    [(None, None, True), ("memory://", None, True), ("mongodb://x", None, False), ("mongodb://x", "true", True)],
)
def test_only_embedded_stores_are_seeded_unless_the_setting_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, uri: str | None, seed: str | None, expected: bool
) -> None:
    for name, value in {"MONGODB_URI": uri, "SEED_RESOURCES": seed}.items():
        if value is not None:
            monkeypatch.setenv(name, value)
    assert Settings.load().seeds_at_start is expected


@pytest.mark.parametrize(
    ("servers", "limit", "expected"),
    [(None, None, 10_000), ("http://127.0.0.1:8188", None, 1000), (None, "7", 7), ("http://127.0.0.1:8188", "7", 7)],
)
def test_a_scheduler_holds_more_jobs_where_they_are_timers(
    monkeypatch: pytest.MonkeyPatch, servers: str | None, limit: str | None, expected: int
) -> None:
    for name, value in {"COMFY_HTTP_URL": servers, "SCHEDULER_MAX_IN_FLIGHT": limit}.items():
        if value is not None:
            monkeypatch.setenv(name, value)
    assert Settings.load().most_jobs_in_flight == expected


@pytest.mark.parametrize("value", ["Bearer x\r\nX: y", "Bearer \x7f", "Bearer é", "Bearer ☃"])
def test_an_authorization_that_no_header_can_say_is_refused_unseen(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("COMFY_AUTHORIZATION", value)
    with pytest.raises(SettingsError, match=r"COMFY_AUTHORIZATION: found '\*\*\*', expected a whole header value"):
        Settings.load()


def test_an_authorization_may_come_from_a_file_that_ends_with_a_new_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The socket would refuse it for ever, and HTTP would not."""
    monkeypatch.setenv("COMFY_AUTHORIZATION", "Bearer x\n")
    authorization = Settings.load().comfy_authorization
    assert authorization is not None
    assert authorization.get_secret_value() == "Bearer x"


def test_listed_tokens_have_to_be_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH", "tokens")
    monkeypatch.setenv("AUTH_TOKENS", " , ")
    with pytest.raises(SettingsError, match="AUTH_TOKENS: found '\\*\\*\\*', expected tokens"):
        Settings.load()
    monkeypatch.setenv("AUTH_TOKENS", "alice, bob")
    assert Settings.load().known_tokens == {"alice", "bob"}


@pytest.mark.parametrize(
    ("chosen", "is_on", "is_open"),
    [
        ({}, True, False),
        ({"HOST": "::1"}, True, False),
        ({"HOST": "localhost"}, True, False),
        ({"HOST": "0.0.0.0"}, False, False),  # noqa: S104 - not bound
        ({"HOST": "::"}, False, False),
        ({"HOST": "192.168.1.5"}, False, False),
        ({"NODE_ENV": "production"}, False, False),
        ({"NODE_ENV": "production", "ADMIN_TOKEN": "secret"}, True, False),
        ({"HOST": "::", "ADMIN_TOKEN": "secret"}, True, False),
        ({"HOST": "::", "NODE_ENV": "production", "ADMIN": "open"}, True, True),
        ({"ADMIN": "open", "ADMIN_TOKEN": "secret"}, True, False),
        ({"ADMIN": "off", "ADMIN_TOKEN": "secret"}, False, False),
    ],
)
def test_there_is_a_control_plane_for_this_machine_or_by_choice(
    monkeypatch: pytest.MonkeyPatch, chosen: dict[str, str], is_on: bool, is_open: bool
) -> None:
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    settings = Settings.load()
    assert (settings.has_control_plane, settings.control_plane_is_open) == (is_on, is_open)


def test_all_that_is_secret_in_the_settings_is_known_as_such() -> None:
    """Each setting that is shown as `***` has a value here, and so have the addresses with a password in them."""
    given = {
        "auth": "tokens",
        "auth_tokens": "token-1, token-2",
        "admin_token": "the-admin",
        "blob_signing_key": "the-key-of-blobs",
        "mongodb_uri": "mongodb://me:pa%73s@db:27017/x",
        "comfy_http_url": "http://user:first@a:8188,http://user:se%2Fcond@b:8188",
        "comfy_authorization": "Bearer of-comfy",
        "otel_exporter_otlp_headers": "x-key=of%20otel,other=two",
    }
    secret = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert secret <= given.keys()
    found = Settings(**given).secrets
    assert found >= {
        "token-1",
        "token-2",
        "the-admin",
        "the-key-of-blobs",
        "pa%73s",
        "pass",
        "first",
        "se%2Fcond",
        "se/cond",
    }
    assert found >= {"Bearer of-comfy", "of-comfy", "of otel", "two"}
    assert "" not in found
