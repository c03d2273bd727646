"""Settings: environment variables and `.env`, validated before anything starts."""

import os
import ssl
from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from platformdirs import user_data_path
from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from civitai_mock.api.vocabulary import ClientCompat, ResultFormat, Vocabularies
from civitai_mock.drawing.png import ImageContent
from civitai_mock.env_files import EnvFileError, values_in_env_files
from civitai_mock.environment import setting_values
from civitai_mock.network.redaction import HIDDEN, redacted
from civitai_mock.network.trust import trusting
from civitai_mock.providers.comfyui.address import ComfyServer, parse_servers
from civitai_mock.services.consumers import Auth
from civitai_mock.services.host_policy import PRIVATE, PUBLIC, Network, parse_networks
from civitai_mock.services.submit_checks import MissingResources

PROGRAM = "civitai-mock"
MEMORY_URI = "memory://"
MONGODB_SCHEMES = ("mongodb://", "mongodb+srv://")


class SettingsError(Exception):
    """One line for each bad value: the variable, what was found, what is expected."""


class NodeEnv(StrEnum):
    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class LogFormat(StrEnum):
    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class SimulationProfile(StrEnum):
    REALISTIC = "realistic"
    INSTANT = "instant"


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$")]

HostPatterns = Annotated[str, StringConstraints(pattern=r"^ *[A-Za-z0-9._:*-]+ *(, *[A-Za-z0-9._:*-]+ *)*$")]

Rate = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,8}/(second|minute|hour|day)$")]

Milliseconds = float | None


def _networks(text: str) -> str:
    parse_networks(text)
    return text


Networks = Annotated[str, AfterValidator(_networks)]


def setting(default: Any, about: str, *, expected: str, **bounds: Any) -> Any:
    """`about` and `expected` are printed in `docs/configuration.md`, in `.env.example` and when a value is refused."""
    return Field(default, description=about, json_schema_extra={"expected": expected}, **bounds)


def _own_data_folder() -> Path:
    """Return this user's; without a home, one that `Settings` refuses if it is needed at all."""
    try:
        return user_data_path(PROGRAM, appauthor=False)
    except RuntimeError:
        return Path("~", PROGRAM)


def duration(what: str) -> Any:
    """A part of the simulated work that differs from its profile."""
    about = f"Simulated time for {what}, in ms; unset is the profile's"
    return setting(None, about, expected="a number from 0 to 3600000, or nothing", ge=0, le=3_600_000)


class Settings(BaseSettings):
    """The variable's name is the field's, in capitals."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    mongodb_uri: SecretStr | None = setting(
        None,
        "Which store: MongoDB, `memory://` (SQLite in memory, nothing on disk), or unset (SQLite in `DATA_DIR`)",
        expected="mongodb://…, mongodb+srv://…, memory:// or nothing",
    )
    mongodb_db_name: Name = setting("civitai", "MongoDB database", expected="a name")
    mongodb_collection_name: Name = setting("resources", "Collection or table of resources", expected="a name")
    mongodb_jobs_collection_name: Name = setting("jobs", "Collection or table of jobs", expected="a name")
    mongodb_jobevent_collection_name: Name = setting("jobEvent", "Collection or table of job events", expected="a name")
    port: int = setting(3000, "Port to listen on", expected="a number from 1 to 65535", ge=1, le=65535)
    node_env: NodeEnv = setting(
        NodeEnv.DEVELOPMENT, "`production` logs JSON", expected="development, test or production"
    )
    scheduler_poll_ms: int = setting(
        2000,
        "How often the scheduler looks for jobs that other processes submitted, in ms",
        expected="a number from 10 to 3600000",
        ge=10,
        le=3_600_000,
    )
    comfy_http_url: str | None = setting(
        None,
        "Addresses of real ComfyUI servers, separated by commas; unset is simulation",
        expected="http://… or nothing",
    )
    comfy_ws_url: str | None = setting(
        None,
        "Their WebSocket addresses in the same order, where they do not follow from COMFY_HTTP_URL",
        expected="ws://…, one for each address, or nothing",
    )
    comfy_authorization: SecretStr | None = setting(
        None, "Authorization header for every ComfyUI server", expected="a whole header value, or nothing"
    )
    comfy_ca_file: Path | None = setting(
        None,
        "Certificates that ComfyUI servers are trusted by, beside those of the system; for all other connections there"
        " are `SSL_CERT_FILE` and `SSL_CERT_DIR`",
        expected="a file of certificates in PEM format, or nothing",
    )
    comfy_max_in_flight: int = setting(
        4, "How many prompts one ComfyUI server holds at once", expected="a number from 1 to 1000", ge=1, le=1000
    )

    host: str = setting(
        "127.0.0.1", "Address to listen on", expected="an address; 0.0.0.0 is every interface, :: with IPv6"
    )
    public_url: AnyHttpUrl | None = setting(
        None, "Base of blob URLs; unset takes it from each request's Host", expected="http://… or nothing"
    )
    data_dir: Path = setting(
        _own_data_folder(),
        "Folder of the embedded store and its blobs",
        expected="a folder",
        validate_default=True,
    )
    seed_resources: bool | None = setting(
        None,
        "Load the built-in catalogue into an empty store at start: `true` any store, `false` none, unset the embedded",
        expected="true, false or nothing",
    )
    missing_resources: MissingResources = setting(
        MissingResources.STRICT,
        "A job that names an unknown AIR: `strict` answers 400, `lenient` creates the resource",
        expected="strict or lenient",
    )
    auth: Auth = setting(
        Auth.OFF,
        "Who may call: `off` everybody, `any` whoever sends a Bearer token, `tokens` those of `AUTH_TOKENS`;"
        " with a token a consumer sees only its own jobs",
        expected="off, any or tokens",
    )
    auth_tokens: SecretStr | None = setting(
        None,
        "The tokens that `AUTH=tokens` takes",
        expected="tokens with commas between them",
        validate_default=True,
    )
    rate_limit: Rate | None = setting(
        None,
        "How many requests each address, or with `AUTH=tokens` each known token, may send to v1 and v2; unset is any"
        " number",
        expected="60/minute (second, minute, hour or day), or nothing",
    )
    trusted_proxies: Networks = setting(
        "",
        "Whose `X-Forwarded-For`, `-Proto` and `-Host` are believed; unset is nobody's",
        expected="addresses and networks with commas between them, or nothing",
    )
    buzz_balance: float | None = setting(
        None,
        "Buzz that each consumer has for the jobs that are kept; unset is without end",
        expected="a number from 0, or nothing",
        ge=0,
        allow_inf_nan=False,
    )
    wait_limit_s: float = setting(
        60, "Longest time that `wait=true` holds an answer, in s", expected="a number from 1 to 100", ge=1, le=100
    )
    max_jobs_per_request: int = setting(
        1000, "How many jobs one request may submit", expected="a number from 1 to 100000", ge=1, le=100_000
    )
    client_compat: ClientCompat = setting(
        ClientCompat.DEFAULT,
        "Which clients can read the answers: `default`; `official`, generated from the official description of v1"
        " (provider `Civitai`); `sdk-2024`, PyPI's civitai-py and npm's civitai (one result besides, not a list)",
        expected="default, official or sdk-2024",
    )
    result_format: ResultFormat | None = setting(
        None,
        "`result` of image jobs: `array` of all images, or `object` of the first; unset is as CLIENT_COMPAT has it",
        expected="array, object or nothing",
    )
    provider_name: Name | None = setting(
        None,
        "Name of the provider in answers; unset is as CLIENT_COMPAT has it, `local` by default",
        expected="a name or nothing",
    )
    job_lifetime_hours: int = setting(
        24,
        "How long a job, its events and its blobs are kept",
        expected="a number from 1 to 8760",
        ge=1,
        le=8760,
    )
    job_timeout_s: int = setting(
        600,
        "Longest time one claim of a job may take, in s; what a prompt waits for others on ComfyUI does not count",
        expected="a number from 1 to 86400",
        ge=1,
        le=86_400,
    )
    blob_url_lifetime_s: int = setting(
        3600, "How long a blob URL works, in s", expected="a number from 1 to 604800", ge=1, le=604_800
    )
    blob_signing_key: SecretStr | None = setting(
        None,
        "Signs blob URLs; unset draws one and keeps it in the store",
        expected="16 characters or more",
        min_length=16,
    )
    max_body_bytes: int = setting(
        5_242_880, "Largest request body, in bytes", expected="a number from 1024 to 1073741824", ge=1024, le=2**30
    )
    body_timeout_s: int = setting(
        30, "Longest time a request body may take to arrive, in s", expected="a number from 1 to 3600", ge=1, le=3600
    )
    scheduler_max_in_flight: int = setting(
        1000, "How many jobs one scheduler holds at once", expected="a number from 1 to 100000", ge=1, le=100_000
    )
    scheduler_lease_ms: int = setting(
        15_000,
        "How long a claim lasts without renewal, in ms; a dead one's jobs start again at most half as long after that",
        expected="a number from 1000 to 3600000",
        ge=1000,
        le=3_600_000,
    )
    progress_interval_ms: int = setting(
        2000,
        "How often an event tells how far a running job is, at most, in ms; 0 is never",
        expected="a number from 0 to 3600000",
        ge=0,
        le=3_600_000,
    )
    shutdown_grace_ms: int = setting(
        5000,
        "How long running jobs may go on after Ctrl-C or SIGTERM, in ms",
        expected="a number from 0 to 3600000",
        ge=0,
        le=3_600_000,
    )
    callback_allowed_hosts: HostPatterns = setting(
        PRIVATE,
        "Where callbacks may go: hosts, `*.example.com`, `private` (loopback and private addresses),"
        " `public` (addresses of the internet) or `*`",
        expected="hosts with commas between them",
    )
    callback_timeout_s: float = setting(
        5, "Longest time one attempt at a callback may take, in s", expected="a number from 0.1 to 60", ge=0.1, le=60
    )
    callback_max_attempts: int = setting(
        10, "How often a callback is tried before it is given up", expected="a number from 1 to 20", ge=1, le=20
    )
    image_allowed_hosts: HostPatterns = setting(
        PUBLIC,
        "Where images that jobs name by URL may be fetched from, for ComfyUI; the same words as for callbacks",
        expected="hosts with commas between them",
    )
    image_max_bytes: int = setting(
        33_554_432,
        "Largest image that a job may read, in bytes",
        expected="a number from 1024 to 1073741824",
        ge=1024,
        le=2**30,
    )
    image_max_pixels: int = setting(
        67_108_864,
        "Most pixels of an image that a job may read",
        expected="a number from 4096 to 178956970",
        ge=4096,
        le=178_956_970,
    )
    image_timeout_s: float = setting(
        30, "Longest time that fetching one image may take, in s", expected="a number from 0.1 to 600", ge=0.1, le=600
    )
    simulation_profile: SimulationProfile = setting(
        SimulationProfile.REALISTIC, "Durations of simulated work", expected="realistic or instant"
    )
    simulation_load_ms: Milliseconds = duration("loading a model that is not in memory")
    simulation_prompt_ms: Milliseconds = duration("each prompt")
    simulation_step_ms: Milliseconds = duration("each step of each image, by megapixel")
    simulation_convert_ms: Milliseconds = duration("converting each image, by megapixel")
    simulation_pictures: ImageContent = setting(
        ImageContent.DRAWN,
        "`blank` makes plain grey images of the right size, for load tests",
        expected="drawn or blank",
    )
    log_format: LogFormat = setting(
        LogFormat.AUTO, "`auto` is JSON in production and readable otherwise", expected="auto, json or console"
    )
    log_level: LogLevel = setting(
        LogLevel.INFO, "Lowest level that is logged", expected="debug, info, warning or error"
    )

    @field_validator("mongodb_uri")
    @classmethod
    def _known_store(cls, value: SecretStr | None) -> SecretStr | None:
        uri = value.get_secret_value() if value else MEMORY_URI
        if uri != MEMORY_URI and not uri.startswith(MONGODB_SCHEMES):
            raise ValueError("no such store")
        return value

    @field_validator("data_dir")
    @classmethod
    def _folder_of_a_known_home(cls, value: Path, info: ValidationInfo) -> Path:
        """A user without a home has no folder of data either, and needs one only for the store in files."""
        folder = Path(os.path.expanduser(value))  # noqa: PTH111 - pathlib's own raises what pydantic does not take
        if folder.parts[:1] and folder.parts[0].startswith("~") and info.data.get("mongodb_uri") is None:
            raise ValueError("this user has no home folder")
        return folder

    @field_validator("auth_tokens")
    @classmethod
    def _some_tokens(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if info.data.get("auth") is Auth.TOKENS and not _tokens_in(value):
            raise ValueError("nobody could call")
        return value

    @field_validator("comfy_http_url")
    @classmethod
    def _known_servers(cls, value: str | None) -> str | None:
        if value:
            parse_servers(value)
        return value

    @field_validator("comfy_authorization")
    @classmethod
    def _header_value(cls, value: SecretStr | None) -> SecretStr | None:
        """Without the new line that a file of secrets ends with."""
        text = value.get_secret_value().strip() if value else ""
        if not (text.isascii() and text.isprintable()):
            raise ValueError("no header has such a value")
        return SecretStr(text) if text else None

    @field_validator("comfy_ca_file")
    @classmethod
    def _some_certificates(cls, value: Path | None) -> Path | None:
        try:
            trusting(value)
        except ssl.SSLError as error:
            raise ValueError("it has no certificate in PEM format") from error
        except OSError as error:
            raise ValueError(error.strerror) from error
        return value

    @field_validator("comfy_ws_url")
    @classmethod
    def _matching_sockets(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value:
            parse_servers(info.data.get("comfy_http_url") or "", value)
        return value

    @classmethod
    def load(cls) -> Self:
        """Raise `SettingsError` for values that cannot work."""
        try:
            _refuse_what_is_no_text(os.environ)
            given: dict[str, Any] = {**values_in_env_files(), **setting_values(os.environ)}
            settings = cls(**{name: value for name, value in given.items() if name in cls.model_fields})
        except EnvFileError as error:
            raise SettingsError(str(error)) from error
        except ValidationError as error:
            raise SettingsError("\n".join(_complaint(fault) for fault in error.errors())) from error
        _refuse_tokens_for_nothing(settings)
        return settings

    @property
    def known_tokens(self) -> frozenset[str]:
        return _tokens_in(self.auth_tokens)

    @property
    def trusted_networks(self) -> Sequence[Network]:
        return parse_networks(self.trusted_proxies)

    @property
    def store_is_embedded(self) -> bool:
        return self.mongodb_uri is None or self.mongodb_uri.get_secret_value() == MEMORY_URI

    @property
    def comfy_servers(self) -> Sequence[ComfyServer]:
        """Nothing for simulation."""
        return parse_servers(self.comfy_http_url, self.comfy_ws_url) if self.comfy_http_url else ()

    @property
    def seeds_at_start(self) -> bool:
        return self.store_is_embedded if self.seed_resources is None else self.seed_resources

    @property
    def logs_json(self) -> bool:
        if self.log_format is LogFormat.AUTO:
            return self.node_env is NodeEnv.PRODUCTION
        return self.log_format is LogFormat.JSON

    @property
    def callback_patterns(self) -> list[str]:
        return self.callback_allowed_hosts.split(",")

    @property
    def image_patterns(self) -> list[str]:
        return self.image_allowed_hosts.split(",")

    @property
    def vocabularies(self) -> Vocabularies:
        return Vocabularies(
            compat=self.client_compat, provider_name=self.provider_name, result_format=self.result_format
        )

    @property
    def poll(self) -> timedelta:
        return timedelta(milliseconds=self.scheduler_poll_ms)


def _refuse_what_is_no_text(environment: Mapping[str, str]) -> None:
    """Bytes of the environment that are not UTF-8 can be neither compared nor logged."""
    for name, value in environment.items():
        if name.lower() in Settings.model_fields and any("\udc80" <= letter <= "\udcff" for letter in value):
            raise SettingsError(f"{name.upper()}: found bytes that are not UTF-8, expected {expected_of(name.lower())}")


def _refuse_tokens_for_nothing(settings: Settings) -> None:
    """Whoever gives tokens and forgets AUTH, or empties it, would be open to everybody and not know."""
    if settings.known_tokens and "auth" not in settings.model_fields_set:
        raise SettingsError(
            "AUTH: found nothing, expected tokens, as AUTH_TOKENS is set (or off, if everybody may call)"
        )


def _tokens_in(value: SecretStr | None) -> frozenset[str]:
    tokens = value.get_secret_value().split(",") if value else ()
    return frozenset(token.strip() for token in tokens) - {""}


def expected_of(field: str) -> str:
    """What a setting takes, in words."""
    extra = Settings.model_fields[field].json_schema_extra
    return str(extra["expected"]) if isinstance(extra, dict) else ""


def _complaint(fault: Any) -> str:
    """Add the reason, where it is one of our own."""
    field = str(fault["loc"][0]).lower()
    reason = f" ({fault['ctx']['error']})" if fault["type"] == "value_error" else ""
    return f"{field.upper()}: found '{_redacted(field, str(fault['input']))}', expected {expected_of(field)}{reason}"


def _redacted(field: str, value: str) -> str:
    """An address without its credentials; nothing of any other secret."""
    is_secret = "SecretStr" in str(Settings.model_fields[field].annotation) and field != "mongodb_uri"
    return HIDDEN if is_secret else redacted(value)
