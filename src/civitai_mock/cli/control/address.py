"""Which server the commands ask, and with which token: what the arguments say, or else what the settings here say.

Only the two settings are read: all of them take longer to load than the whole command to run.
"""

import argparse
import os
import re
from urllib.parse import urlsplit

from civitai_mock.cli.control.session import UsageError
from civitai_mock.cli.healthcheck import DEFAULT_PORT, MOST_PORT, PLAIN_PORT
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.namespaces import check_name
from civitai_mock.env_files import EnvFileError, values_in_env_files
from civitai_mock.environment import setting_values
from civitai_mock.network.redaction import redacted

MOST_SHOWN = 200
BASE_PATH = re.compile(r"/ns/([^/]+)/*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAddress:
    """Says where a server is, and what it is told with each request."""

    url: str
    token: str | None
    namespace: str | None


def find_server(arguments: argparse.Namespace) -> ServerAddress:
    """Return what the options say; without `--url` it is the server that the settings of this folder are for.

    ADMIN_TOKEN is only sent to that one. An address that leads clients into a namespace names that, too. Raise
    `UsageError` for what cannot be.
    """
    settings = {} if arguments.url is not None else _settings()
    token = arguments.token if arguments.token is not None else settings.get("admin_token")
    url = _local_url(settings) if arguments.url is None else _checked_url(arguments.url)
    found = BASE_PATH.search(url)
    return ServerAddress(
        url=url[: found.start()] if found else url,
        token=None if token is None else _checked_token(token),
        namespace=_checked_namespace(found[1] if found and arguments.namespace is None else arguments.namespace),
    )


def _settings() -> dict[str, str]:
    try:
        return values_in_env_files() | setting_values(os.environ)
    except EnvFileError as error:
        raise UsageError(str(error)) from error


def _local_url(settings: dict[str, str]) -> str:
    port = settings.get("port", str(DEFAULT_PORT))
    if not PLAIN_PORT.fullmatch(port) or int(port) > MOST_PORT:
        raise UsageError(f"PORT: found '{port[:MOST_SHOWN]}', expected a number from 1 to {MOST_PORT}")
    return f"http://127.0.0.1:{port}"


def _checked_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_good = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_good = False
    if not is_good or "?" in text or "#" in text or not (text.isascii() and text.isprintable()) or " " in text:
        shown = redacted(text[:MOST_SHOWN])
        raise UsageError(f"argument --url: found '{shown}', expected an address like http://127.0.0.1:3000")
    return text


def _checked_token(text: str) -> str:
    """Return a token that a header can have; a refusal does not show it."""
    token = text.strip()
    if not (token.isascii() and token.isprintable()) or " " in token or not token:
        raise UsageError("argument --token: expected a token of printable letters without blanks")
    return token


def _checked_namespace(name: str | None) -> str | None:
    if name is None:
        return None
    try:
        return check_name(name, field="namespace")
    except InvalidRequestError as error:
        (message,) = error.errors["namespace"]
        raise UsageError(f"argument --namespace: {message}") from error
