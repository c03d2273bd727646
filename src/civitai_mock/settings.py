"""Settings: environment variables and `.env`, validated before anything starts.

The module is long because there are many settings: each is one row of a table, and the rules for values stand below it.
`docs/configuration.md` and `.env.example` are made from the same rows.
"""

import os
import re
import ssl
from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self
from urllib.parse import unquote

from platformdirs import user_data_path
from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from civitai_mock.api.vocabulary import ClientCompat, ResultFormat, Vocabularies
from civitai_mock.env_files import EnvFileError, values_in_env_files
from civitai_mock.environment import setting_values
from civitai_mock.generation.media import ImageContent
from civitai_mock.network.redaction import HIDDEN, redacted
from civitai_mock.network.tls import make_tls_context
from civitai_mock.providers.comfyui.address import ComfyServer, parse_servers
from civitai_mock.services.consumers import Auth
from civitai_mock.services.host_policy import PRIVATE, PUBLIC, Network, parse_networks
from civitai_mock.services.origin_policy import OriginPolicy, is_loopback
from civitai_mock.services.submit_checks import MissingResources

if TYPE_CHECKING:
    from civitai_mock.domain.json_types import Json
    from civitai_mock.domain.money import Balances
    from civitai_mock.services.shown_settings import ShownSetting

PROGRAM = "civitai-mock"
MOST_JOBS_SIMULATED, MOST_JOBS_ON_SERVERS = 10_000, 1000
MEMORY_URI = "memory://"
FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
MONGODB_SCHEMES = ("mongodb://", "mongodb+srv://")


class SettingsError(Exception):
    """Says in one line for each bad value which variable it is, what was found and what is expected."""


class NodeEnv(StrEnum):
    """Lists the environments that Node programs know; only production changes anything here."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


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


class SimulationProfile(StrEnum):
    """Says how long simulated work takes."""

    REALISTIC = "realistic"
    INSTANT = "instant"


class Admin(StrEnum):
    """Says who may use the control plane: whoever is on this machine, everybody, or nobody."""

    AUTO = "auto"
    OPEN = "open"
    OFF = "off"


class UnknownNamespaces(StrEnum):
    """Says what happens to a namespace that is named for the first time: it is made, or the request refused."""

    AUTO = "auto"
    STRICT = "strict"


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$")]

HostPatterns = Annotated[str, StringConstraints(pattern=r"^ *[A-Za-z0-9._:*-]+ *(, *[A-Za-z0-9._:*-]+ *)*$")]

Rate = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,8}/(second|minute|hour|day)$")]

Milliseconds = float | None


def _check_networks(text: str) -> str:
    parse_networks(text)
    return text


Networks = Annotated[str, AfterValidator(_check_networks)]


def _check_balances(text: str) -> str:
    from civitai_mock.domain.money import parse_balances

    parse_balances(text)
    return text


BuzzBalance = Annotated[str, BeforeValidator(str), AfterValidator(_check_balances)]


def setting(default: Any, about: str, *, expected: str, **bounds: Any) -> Any:
    """Return a field; the documentation shows `about` and `expected`, and a refusal shows `expected`."""
    return Field(default, description=about, json_schema_extra={"expected": expected}, **bounds)


def _own_data_folder() -> Path:
    """Return the folder of this user; without a home, one that `Settings` refuses if it is needed at all."""
    try:
        return user_data_path(PROGRAM, appauthor=False)
    except RuntimeError:
        return Path("~", PROGRAM)


def simulated_time(what: str) -> Any:
    """Return the setting of one part of the simulated work."""
    about = f"Sets the simulated time for {what}, in ms; unset follows `SIMULATION_PROFILE`"
    return setting(None, about, expected="a number from 0 to 3600000, or nothing", ge=0, le=3_600_000)


class Settings(BaseModel):
    """Holds the settings of a process; the name of a variable is that of its field, in capitals.

    Only `load` looks into the environment: whoever gives values gets these and the defaults.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    mongodb_uri: SecretStr | None = setting(
        None,
        "Chooses the store: a MongoDB URI; `memory://` for SQLite in memory, with nothing on disk; unset for SQLite"
        " in `DATA_DIR`",
        expected="mongodb://…, mongodb+srv://…, memory:// or nothing",
    )
    mongodb_db_name: Name = setting("civitai", "Names the MongoDB database", expected="a name")
    mongodb_collection_name: Name = setting(
        "resources", "Names the collection or table of resources", expected="a name"
    )
    mongodb_jobs_collection_name: Name = setting("jobs", "Names the collection or table of jobs", expected="a name")
    mongodb_jobevent_collection_name: Name = setting(
        "jobEvent", "Names the collection or table of job events", expected="a name"
    )
    port: int = setting(3000, "Sets the port to listen on", expected="a number from 1 to 65535", ge=1, le=65535)
    metrics_port: int | None = setting(
        None,
        "Lets `civitai-mock scheduler` answer `/metrics`, `/health/ready` and the like on this port; an API"
        " does so on `PORT`",
        expected="a number from 1 to 65535, or nothing",
        ge=1,
        le=65535,
    )
    node_env: NodeEnv = setting(
        NodeEnv.DEVELOPMENT,
        "Makes the log JSON if it is `production`, and leaves the control plane out unless `ADMIN` or `ADMIN_TOKEN` is"
        " set; the other values change nothing",
        expected="development, test or production",
    )
    scheduler_poll_ms: int = setting(
        2000,
        "Sets how often the scheduler looks for what other processes did, and for jobs to claim, in ms",
        expected="a number from 10 to 3600000",
        ge=10,
        le=3_600_000,
    )
    comfy_http_url: str | None = setting(
        None,
        "Lists the addresses of real ComfyUI servers, with commas between them; if it is unset, the work is simulated",
        expected="http://… or nothing",
    )
    comfy_ws_url: str | None = setting(
        None,
        "Lists the WebSocket addresses of these servers in the same order, where they do not follow from"
        " `COMFY_HTTP_URL`",
        expected="ws://…, one for each address, or nothing",
    )
    comfy_authorization: SecretStr | None = setting(
        None, "Is sent to every ComfyUI server as its Authorization header", expected="a whole header value, or nothing"
    )
    comfy_ca_file: Path | None = setting(
        None,
        "Names certificates that connections to ComfyUI trust beside those of the system; all other connections go"
        " by `SSL_CERT_FILE` and `SSL_CERT_DIR`",
        expected="a file of certificates in PEM format, or nothing",
    )
    comfy_max_in_flight: int = setting(
        4, "Limits how many prompts one ComfyUI server holds at once", expected="a number from 1 to 1000", ge=1, le=1000
    )

    host: str = setting(
        "127.0.0.1",
        "Sets the address to listen on",
        expected="an address; 0.0.0.0 means every interface, :: those of IPv6 as well",
    )
    public_url: AnyHttpUrl | None = setting(
        None,
        "Sets the base of blob URLs; if it is unset, they begin with the Host of each request",
        expected="http://… or nothing",
    )
    data_dir: Path = setting(
        _own_data_folder(),
        "Names the folder of the embedded store and its blobs",
        expected="a folder",
        validate_default=True,
    )
    seed_resources: bool | None = setting(
        None,
        "Says whether an empty store gets the built-in catalogue at start: `true` every store, `false` none, unset"
        " only the embedded one",
        expected="true, false or nothing",
    )
    missing_resources: MissingResources = setting(
        MissingResources.STRICT,
        "Says what happens to a job that names an unknown AIR: `strict` answers 400, `lenient` creates the resource",
        expected="strict or lenient",
    )
    workflow_missing_resources: MissingResources = setting(
        MissingResources.LENIENT,
        "Says the same for the jobs of v2's workflows",
        expected="strict or lenient",
    )
    auth: Auth = setting(
        Auth.OFF,
        "Says who may call: `off` everybody, `any` everybody who sends a Bearer token, `tokens` those whose token"
        " is in `AUTH_TOKENS`; with a token, a consumer sees only its own jobs",
        expected="off, any or tokens",
    )
    auth_tokens: SecretStr | None = setting(
        None,
        "Lists the tokens that `AUTH=tokens` accepts",
        expected="tokens with commas between them",
        validate_default=True,
    )
    rate_limit: Rate | None = setting(
        None,
        "Limits how many requests to v1 and v2 each address may send, or with `AUTH=tokens` each known token; unset"
        " means no limit",
        expected="60/minute (second, minute, hour or day), or nothing",
    )
    trusted_proxies: Networks = setting(
        "",
        "Lists the proxies whose `X-Forwarded-For`, `-Proto` and `-Host` are believed; unset means none",
        expected="addresses and networks with commas between them, or nothing",
    )
    buzz_balance: BuzzBalance | None = setting(
        None,
        "Sets the Buzz that each consumer has for the jobs and workflows that are kept: for all accounts together, or"
        " by account (blue, green, yellow, fakeRed), where one that is missing has none; unset means no limit",
        expected="a number from 0, pairs like yellow=100,blue=50, or nothing",
    )
    wait_limit_s: float = setting(
        60, "Limits how long `wait=true` holds an answer, in s", expected="a number from 1 to 100", ge=1, le=100
    )
    workflow_wait_limit_s: float = setting(
        95, "Limits how long `wait` holds an answer of v2, in s", expected="a number from 1 to 100", ge=1, le=100
    )
    max_jobs_per_request: int = setting(
        1000, "Limits how many jobs one request may submit", expected="a number from 1 to 100000", ge=1, le=100_000
    )
    max_queued_jobs: int = setting(
        100_000,
        "Limits how many jobs wait to be claimed; more are refused with 503",
        expected="a number from 1 to 100000000",
        ge=1,
        le=100_000_000,
    )
    max_waiting_requests: int = setting(
        10_000,
        "Limits how many requests one process holds for `wait=true`; more are answered at once, with jobs that have not"
        " ended",
        expected="a number from 0 to 1000000",
        ge=0,
        le=1_000_000,
    )
    max_bodies_bytes: int = setting(
        268_435_456,
        "Limits the size of all request bodies that one process holds at once, in bytes; more are refused with 503",
        expected="a number from 1024 to 1099511627776",
        ge=1024,
        le=2**40,
    )
    client_compat: ClientCompat = setting(
        ClientCompat.DEFAULT,
        "Says which clients can read the answers: `default`; `official`, those generated from the official"
        " description of v1 (the provider is `Civitai`); `sdk-2024`, civitai-py of PyPI and civitai of npm (the"
        " same, and `result` is one object, not a list)",
        expected="default, official or sdk-2024",
    )
    result_format: ResultFormat | None = setting(
        None,
        "Shapes the `result` of image jobs: `array` of all images, or `object` of the first; unset follows"
        " `CLIENT_COMPAT`",
        expected="array, object or nothing",
    )
    provider_name: Name | None = setting(
        None,
        "Names the provider in answers; unset follows `CLIENT_COMPAT`, and is `local` by default",
        expected="a name or nothing",
    )
    job_lifetime_hours: int = setting(
        24,
        "Sets how long a job, its events and its blobs are kept, in hours",
        expected="a number from 1 to 8760",
        ge=1,
        le=8760,
    )
    job_timeout_s: int = setting(
        600,
        "Limits how long one claim of a job may take, in s; the time that a prompt waits for others on ComfyUI does"
        " not count",
        expected="a number from 1 to 86400",
        ge=1,
        le=86_400,
    )
    blob_url_lifetime_s: int = setting(
        3600, "Sets how long a blob URL works, in s", expected="a number from 1 to 604800", ge=1, le=604_800
    )
    workflow_lifetime_days: int = setting(
        30,
        "Sets how long a workflow is kept after its end, and an uploaded blob, in days",
        expected="a number from 1 to 3650",
        ge=1,
        le=3650,
    )
    workflow_url_lifetime_s: int = setting(
        31_536_000,
        "Sets how long a blob URL of v2 works, in s",
        expected="a number from 1 to 315360000",
        ge=1,
        le=315_360_000,
    )
    blob_signing_key: SecretStr | None = setting(
        None,
        "Signs blob URLs; if it is unset, a key is drawn and kept in the store",
        expected="16 characters or more",
        min_length=16,
    )
    max_body_bytes: int = setting(
        5_242_880,
        "Limits the size of a request body, in bytes",
        expected="a number from 1024 to 1073741824",
        ge=1024,
        le=2**30,
    )
    upload_max_bytes: int = setting(
        67_108_864,
        "Limits the size of a file that is uploaded to v2, in bytes",
        expected="a number from 1024 to 1073741824",
        ge=1024,
        le=2**30,
    )
    body_timeout_s: int = setting(
        30, "Limits how long a request body may take to arrive, in s", expected="a number from 1 to 3600", ge=1, le=3600
    )
    scheduler_max_in_flight: int | None = setting(
        None,
        "Limits how many jobs one scheduler holds at once; if it is unset, 10000 where the work is simulated, as a job"
        " that waits is a timer, and 1000 with ComfyUI servers",
        expected="a number from 1 to 100000, or nothing",
        ge=1,
        le=100_000,
    )
    scheduler_lease_ms: int = setting(
        15_000,
        "Sets how long a claim lasts without renewal, in ms; the jobs of a dead scheduler start again at most half"
        " as long after that",
        expected="a number from 1000 to 3600000",
        ge=1000,
        le=3_600_000,
    )
    progress_interval_ms: int = setting(
        2000,
        "Sets the shortest time between two progress events of a running job, in ms; 0 means that there are none",
        expected="a number from 0 to 3600000",
        ge=0,
        le=3_600_000,
    )
    shutdown_grace_ms: int = setting(
        5000,
        "Sets how long running jobs may go on after Ctrl-C or SIGTERM, in ms",
        expected="a number from 0 to 3600000",
        ge=0,
        le=3_600_000,
    )
    callback_allowed_hosts: HostPatterns = setting(
        PRIVATE,
        "Lists where callbacks may go: hosts, `*.example.com`, `private` (loopback and private addresses), `public`"
        " (addresses of the internet) or `*`",
        expected="hosts with commas between them",
    )
    callback_timeout_s: float = setting(
        5, "Limits how long one attempt at a callback may take, in s", expected="a number from 0.1 to 60", ge=0.1, le=60
    )
    callback_max_attempts: int = setting(
        10, "Limits how often a callback is tried before it is given up", expected="a number from 1 to 20", ge=1, le=20
    )
    image_allowed_hosts: HostPatterns = setting(
        PUBLIC,
        "Lists where images, videos and sounds that jobs name by URL may be fetched from; it takes the same words as"
        " `CALLBACK_ALLOWED_HOSTS`",
        expected="hosts with commas between them",
    )
    image_max_bytes: int = setting(
        33_554_432,
        "Limits the size of an image that a job reads, in bytes",
        expected="a number from 1024 to 1073741824",
        ge=1024,
        le=2**30,
    )
    image_max_pixels: int = setting(
        67_108_864,
        "Limits the number of pixels of an image that a job reads",
        expected="a number from 4096 to 178956970",
        ge=4096,
        le=178_956_970,
    )
    media_max_bytes: int = setting(
        67_108_864,
        "Limits the size of a video, a sound or an image that steps of version 2 read, in bytes",
        expected="a number from 1024 to 1073741824",
        ge=1024,
        le=2**30,
    )
    image_timeout_s: float = setting(
        30, "Limits how long fetching one image may take, in s", expected="a number from 0.1 to 600", ge=0.1, le=600
    )
    simulation_profile: SimulationProfile = setting(
        SimulationProfile.REALISTIC,
        "Chooses how long simulated work takes: `realistic` is as long as on a GPU, `instant` no time",
        expected="realistic or instant",
    )
    simulation_load_ms: Milliseconds = simulated_time("loading a model that is not in memory")
    simulation_prompt_ms: Milliseconds = simulated_time("each prompt")
    simulation_step_ms: Milliseconds = simulated_time("each step of each image, per megapixel")
    simulation_convert_ms: Milliseconds = simulated_time("converting each image, per megapixel")
    simulation_pictures: ImageContent = setting(
        ImageContent.DRAWN,
        "Chooses what simulated images show: `drawn` a scene, `blank` plain grey of the right size, for load tests",
        expected="drawn or blank",
    )
    admin: Admin = setting(
        Admin.AUTO,
        "Says who may use the control plane, `/_mock/` and the headers `X-Mock-…`: `auto` whoever is on this machine,"
        " if `HOST` is loopback and `NODE_ENV` is not `production`, and else whoever has `ADMIN_TOKEN`; `open`"
        " everybody who can reach the server; `off` nobody, as if there were none",
        expected="auto, open or off",
    )
    admin_token: SecretStr | None = setting(
        None,
        "Is what the control plane asks everybody for, if it is set: as Bearer token, or in the header `X-Mock-Token`",
        expected="a token of printable letters without blanks, or nothing",
    )
    admin_allowed_hosts: HostPatterns | None = setting(
        None,
        "Lists the names by which the control plane, and `/standin` of the stand-in for ComfyUI, may be called without"
        " `ADMIN_TOKEN`, beside those of loopback and that of `PUBLIC_URL`: names, addresses or `*.example.com`",
        expected="hosts with commas between them, or nothing",
    )
    namespaces: UnknownNamespaces = setting(
        UnknownNamespaces.AUTO,
        "Says what happens to a request for an unknown namespace: `auto` creates it, `strict` answers 404",
        expected="auto or strict",
    )
    snapshot_max_bytes: int = setting(
        1_073_741_824,
        "Limits the size of a snapshot of a namespace, and of everything in it, in bytes",
        expected="a number from 1024 to 1099511627776",
        ge=1024,
        le=2**40,
    )
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

    _names_in_files: frozenset[str] = PrivateAttr(default=frozenset())

    @field_validator("mongodb_uri")
    @classmethod
    def _check_store(cls, value: SecretStr | None) -> SecretStr | None:
        uri = value.get_secret_value() if value else MEMORY_URI
        if uri != MEMORY_URI and not uri.startswith(MONGODB_SCHEMES):
            raise ValueError("no such store")
        return value

    @field_validator("data_dir")
    @classmethod
    def _expand_home(cls, value: Path, info: ValidationInfo) -> Path:
        """Refuse an unknown home only for the store in files: no other store needs a folder."""
        folder = Path(os.path.expanduser(value))  # noqa: PTH111 - pathlib's own raises what pydantic does not take
        if folder.parts[:1] and folder.parts[0].startswith("~") and info.data.get("mongodb_uri") is None:
            raise ValueError("this user has no home folder")
        return folder

    @field_validator("auth_tokens")
    @classmethod
    def _check_tokens(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if info.data.get("auth") is Auth.TOKENS and not _tokens_in(value):
            raise ValueError("nobody could call")
        return value

    @field_validator("admin_token")
    @classmethod
    def _clean_token(cls, value: SecretStr | None) -> SecretStr | None:
        """Drop the new line that a file of secrets ends with."""
        if value is None:
            return None
        text = value.get_secret_value().strip()
        if not (text.isascii() and text.isprintable()) or " " in text or not text:
            raise ValueError("no header can have it as its token")
        return SecretStr(text)

    @field_validator("comfy_http_url")
    @classmethod
    def _check_servers(cls, value: str | None) -> str | None:
        if value:
            parse_servers(value)
        return value

    @field_validator("comfy_authorization")
    @classmethod
    def _clean_header(cls, value: SecretStr | None) -> SecretStr | None:
        """Drop the new line that a file of secrets ends with."""
        text = value.get_secret_value().strip() if value else ""
        if not (text.isascii() and text.isprintable()):
            raise ValueError("no header has such a value")
        return SecretStr(text) if text else None

    @field_validator("comfy_ca_file")
    @classmethod
    def _check_certificates(cls, value: Path | None) -> Path | None:
        if value is None:
            return None  # a context costs some 20 ms of the start
        try:
            make_tls_context(value)
        except ssl.SSLError as error:
            raise ValueError("it has no certificate in PEM format") from error
        except OSError as error:
            raise ValueError(error.strerror) from error
        return value

    @field_validator("comfy_ws_url")
    @classmethod
    def _check_sockets(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value:
            parse_servers(info.data.get("comfy_http_url") or "", value)
        return value

    @field_validator("otel_exporter_otlp_headers")
    @classmethod
    def _check_headers(cls, value: SecretStr | None) -> SecretStr | None:
        _headers_in(value)
        return value

    @classmethod
    def load(cls) -> Self:
        """Read the environment and the files of settings; raise `SettingsError` for values that cannot work."""
        try:
            _refuse_bytes(os.environ)
            in_files, in_environment = values_in_env_files(), setting_values(os.environ)
            given: dict[str, Any] = {**in_files, **in_environment}
            settings = cls(**{name: value for name, value in given.items() if name in cls.model_fields})
            settings._names_in_files = frozenset(in_files.keys() - in_environment.keys())
        except EnvFileError as error:
            raise SettingsError(str(error)) from error
        except ValidationError as error:
            raise SettingsError("\n".join(_explain(fault) for fault in error.errors())) from error
        _refuse_tokens_without_auth(settings)
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
        """Return the servers of COMFY_HTTP_URL; without any, the work is simulated."""
        return parse_servers(self.comfy_http_url, self.comfy_ws_url) if self.comfy_http_url else ()

    @property
    def balances(self) -> "Balances":
        """Return what each consumer has; its module is only imported when it is needed."""
        from civitai_mock.domain.money import NO_LIMIT, parse_balances

        return NO_LIMIT if self.buzz_balance is None else parse_balances(self.buzz_balance)

    @property
    def balance_of_jobs(self) -> float | None:
        """Return what each consumer has for jobs of v1, if there is a limit."""
        return None if self.buzz_balance is None else self.balances.total

    @property
    def most_jobs_in_flight(self) -> int:
        if self.scheduler_max_in_flight is not None:
            return self.scheduler_max_in_flight
        return MOST_JOBS_ON_SERVERS if self.comfy_servers else MOST_JOBS_SIMULATED

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
    def otel_headers(self) -> Mapping[str, str]:
        return _headers_in(self.otel_exporter_otlp_headers)

    @property
    def has_control_plane(self) -> bool:
        """Return whether anybody may use the control plane: without a token, `auto` is for this machine only."""
        if self.admin is not Admin.AUTO:
            return self.admin is Admin.OPEN
        return self.admin_token is not None or (is_loopback(self.host) and self.node_env is not NodeEnv.PRODUCTION)

    @property
    def control_plane_is_open(self) -> bool:
        """Return whether everybody who can reach the server may use the control plane."""
        return self.admin is Admin.OPEN and self.admin_token is None

    @property
    def control_origins(self) -> OriginPolicy:
        public_url = str(self.public_url) if self.public_url else None
        return OriginPolicy(hosts=(self.admin_allowed_hosts or "").split(","), public_url=public_url)

    @property
    def poll(self) -> timedelta:
        return timedelta(milliseconds=self.scheduler_poll_ms)


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


def _tokens_in(value: SecretStr | None) -> frozenset[str]:
    tokens = value.get_secret_value().split(",") if value else ()
    return frozenset(token.strip() for token in tokens) - {""}


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
