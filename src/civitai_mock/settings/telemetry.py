"""Settings of the log, and of the spans for an OpenTelemetry collector."""

import re
from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import unquote

from pydantic import AnyHttpUrl, SecretStr, field_validator

from civitai_mock.settings.fields import Name, setting
from civitai_mock.settings.server import NodeEnv, ProcessSettings

FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")


class LogFormat(StrEnum):
    """Lists the forms of the log; `AUTO` is JSON in production."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    """Lists the levels of the log, beginning with the one that logs most."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class TelemetrySettings(ProcessSettings):
    """Says what is logged and in which form, and where spans go."""

    log_format: LogFormat = setting(
        LogFormat.AUTO,
        "Sets the form of the log; `auto` is JSON in production and readable text otherwise",
        expected="auto, json or console",
    )
    log_level: LogLevel = setting(
        LogLevel.INFO, "Sets the lowest level that is logged", expected="debug, info, warning or error"
    )
    otel_exporter_otlp_endpoint: AnyHttpUrl | None = setting(
        None,
        "Names an OpenTelemetry collector, which gets the spans of requests and jobs by HTTP; this needs"
        " `pip install 'civitai-mock[otel]'`",
        expected="http://… or nothing",
    )
    otel_exporter_otlp_headers: SecretStr | None = setting(
        None,
        "Is sent to the collector with all spans",
        expected="name=value pairs with commas between them, or nothing",
    )
    otel_service_name: Name = setting("civitai-mock", "Names this server in its spans", expected="a name")

    @field_validator("otel_exporter_otlp_headers")
    @classmethod
    def _check_headers(cls, value: SecretStr | None) -> SecretStr | None:
        _headers_in(value)
        return value

    @property
    def logs_json(self) -> bool:
        if self.log_format is LogFormat.AUTO:
            return self.node_env is NodeEnv.PRODUCTION
        return self.log_format is LogFormat.JSON

    @property
    def otel_headers(self) -> Mapping[str, str]:
        return _headers_in(self.otel_exporter_otlp_headers)


def _headers_in(value: SecretStr | None) -> Mapping[str, str]:
    """Read header fields as OpenTelemetry writes them: `name=value,…`, with what is special percent-encoded."""
    headers: dict[str, str] = {}
    for pair in value.get_secret_value().split(",") if value else []:
        name, equals, encoded = pair.strip().partition("=")
        text = unquote(encoded.strip())
        if not (FIELD_NAME.fullmatch(name.lower()) and equals and text.isascii() and text.isprintable()):
            raise ValueError("no header has such a name or value")
        headers[name.lower()] = text
    return headers
