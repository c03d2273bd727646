"""All settings as one tree: read from the environment and `.env`, refused in words, shown without secrets."""

import os
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from pydantic import ConfigDict, PrivateAttr, SecretStr, ValidationError

from civitai_mock.domain.redaction import HIDDEN
from civitai_mock.env_files import EnvFileError, values_in_env_files
from civitai_mock.environment import setting_values
from civitai_mock.network.redaction import passwords_in, redacted
from civitai_mock.settings.access import AccessSettings
from civitai_mock.settings.connections import ConnectionSettings
from civitai_mock.settings.control_plane import ControlPlaneSettings
from civitai_mock.settings.jobs import LifetimeSettings, SchedulerSettings
from civitai_mock.settings.providers import ComfySettings, SimulationSettings
from civitai_mock.settings.requests import BodySettings, RequestSettings
from civitai_mock.settings.server import AddressSettings, ProcessSettings
from civitai_mock.settings.stores import MEMORY_URI, EmbeddedStoreSettings, MongoSettings
from civitai_mock.settings.telemetry import TelemetrySettings

if TYPE_CHECKING:
    from civitai_mock.domain.json_types import Json
    from civitai_mock.services.shown_settings import ShownSetting

LEAST_LIKENESS = 0.75  # of two names, 1 at most: two letters that are exchanged in one of four
MOST_JOBS_SIMULATED, MOST_JOBS_ON_SERVERS = 10_000, 1000


class SettingsError(Exception):
    """Says in one line for each bad value which variable it is, what was found and what is expected."""


class Settings(
    TelemetrySettings,
    ControlPlaneSettings,
    SimulationSettings,
    ConnectionSettings,
    SchedulerSettings,
    BodySettings,
    LifetimeSettings,
    RequestSettings,
    AccessSettings,
    EmbeddedStoreSettings,
    AddressSettings,
    ComfySettings,
    ProcessSettings,
    MongoSettings,
):
    """Holds the settings of a process; the name of a variable is that of its field, in capitals.

    Only `load` looks into the environment: whoever gives values gets these and the defaults. The groups stand from the
    last of the documentation to the first, as pydantic takes the fields of the last base first.
    """

    model_config = ConfigDict(defer_build=False)

    _names_in_files: frozenset[str] = PrivateAttr(default=frozenset())

    @classmethod
    def load(cls) -> Self:
        """Read the environment and the files of settings; raise `SettingsError` for values that cannot work."""
        try:
            _refuse_bytes(os.environ)
            in_files, in_environment = values_in_env_files(), setting_values(os.environ)
        except EnvFileError as error:
            raise SettingsError(str(error)) from error
        given: dict[str, Any] = {**in_files, **in_environment}
        settings = cls.of(
            {name: value for name, value in given.items() if name in cls.model_fields},
            names_in_files=frozenset(in_files.keys() - in_environment.keys()),
        )
        _refuse_tokens_without_auth(settings)
        return settings

    @property
    def misspelt(self) -> Mapping[str, str]:
        """Return the setting that each name in a file, which is none of a setting, was probably meant to be."""
        return _nearest_settings(self._names_in_files - type(self).model_fields.keys())

    @classmethod
    def of(cls, values: Mapping[str, Any], *, names_in_files: frozenset[str] = frozenset()) -> Self:
        """Return the settings with these values; raise `SettingsError` for values that cannot work."""
        try:
            settings = cls(**values)
        except ValidationError as error:
            raise SettingsError("\n".join(_explain(fault) for fault in error.errors())) from error
        settings._names_in_files = names_in_files
        return settings

    def shown(self) -> Sequence["ShownSetting"]:
        """Return all settings as whoever looks in may see them: without secrets."""
        from civitai_mock.services.shown_settings import SettingOrigin, ShownSetting

        def origin(name: str) -> SettingOrigin:
            if name not in self.model_fields_set:
                return SettingOrigin.DEFAULT
            return SettingOrigin.FILE if name in self._names_in_files else SettingOrigin.ENV

        return [
            ShownSetting(name=name.upper(), value=_shown_value(name, getattr(self, name)), origin=origin(name))
            for name in type(self).model_fields
        ]

    @property
    def secrets(self) -> frozenset[str]:
        """Return all that is secret in the settings, as it is and as it is sent."""
        values = [getattr(self, name) for name in type(self).model_fields]
        whole = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
        addresses = [self.comfy_http_url, self.comfy_ws_url, self.mongodb_uri and self.mongodb_uri.get_secret_value()]
        passwords = [password for address in addresses for password in passwords_in(address or "")]
        authorization = self.comfy_authorization.get_secret_value() if self.comfy_authorization else ""
        sent = [*self.otel_headers.values(), authorization.rpartition(" ")[2], *self.known_tokens]
        return frozenset(text for text in (*whole, *passwords, *sent) if text not in {"", MEMORY_URI})

    @property
    def most_jobs_in_flight(self) -> int:
        if self.scheduler_max_in_flight is not None:
            return self.scheduler_max_in_flight
        return MOST_JOBS_ON_SERVERS if self.comfy_servers else MOST_JOBS_SIMULATED


def _nearest_settings(names: Collection[str]) -> Mapping[str, str]:
    """Return the setting that each of these is most like, in capitals, without names of other programs."""
    if not names:
        return {}
    from difflib import get_close_matches

    found = {name: get_close_matches(name, Settings.model_fields, n=1, cutoff=LEAST_LIKENESS) for name in names}
    return {name.upper(): near[0].upper() for name, near in sorted(found.items()) if near}


def _refuse_bytes(environment: Mapping[str, str]) -> None:
    """Refuse values that are not UTF-8: they can be neither compared nor logged."""
    for name, value in environment.items():
        if name.lower() in Settings.model_fields and any("\udc80" <= letter <= "\udcff" for letter in value):
            raise SettingsError(f"{name.upper()}: found bytes that are not UTF-8, expected {expected_of(name.lower())}")


def _refuse_tokens_without_auth(settings: Settings) -> None:
    """Refuse tokens where AUTH was forgotten or is empty: the API would be open to everybody."""
    if settings.known_tokens and "auth" not in settings.model_fields_set:
        raise SettingsError(
            "AUTH: found nothing, expected tokens, as AUTH_TOKENS is set (or off, if everybody may call)"
        )


def expected_of(field: str) -> str:
    """Return what a setting takes, in words."""
    extra = Settings.model_fields[field].json_schema_extra
    return str(extra["expected"]) if isinstance(extra, dict) else ""


def _explain(fault: Any) -> str:
    """Return one line, with the reason where it is one of our own."""
    field = str(fault["loc"][0]).lower()
    reason = f" ({fault['ctx']['error']})" if fault["type"] == "value_error" else ""
    found = _without_secrets(field, str(fault["input"]))
    return f"{field.upper()}: found '{found}', expected {expected_of(field)}{reason}"


def _shown_value(field: str, value: Any) -> "Json":
    """Return a value in JSON, without what is secret in it."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None or isinstance(value, bool | int | float):
        return value
    return _without_secrets(field, str(value))


def _without_secrets(field: str, value: str) -> str:
    """Return an address without its credentials, and nothing of any other secret."""
    is_secret = "SecretStr" in str(Settings.model_fields[field].annotation) and field != "mongodb_uri"
    return HIDDEN if is_secret else redacted(value)
