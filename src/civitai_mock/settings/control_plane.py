"""Settings of the control plane: who may use it, and what it does to namespaces."""

from enum import StrEnum
from pathlib import Path

from pydantic import SecretStr, field_validator

from civitai_mock.services.origin_policy import OriginPolicy, is_loopback
from civitai_mock.settings.fields import HostPatterns, setting
from civitai_mock.settings.server import AddressSettings, NodeEnv, ProcessSettings


class Admin(StrEnum):
    """Says who may use the control plane: whoever is on this machine, everybody, or nobody."""

    AUTO = "auto"
    OPEN = "open"
    OFF = "off"


class UnknownNamespaces(StrEnum):
    """Says what happens to a namespace that is named for the first time: it is made, or the request refused."""

    AUTO = "auto"
    STRICT = "strict"


class ControlPlaneSettings(AddressSettings, ProcessSettings):
    """Says who may use the control plane, which also depends on where the server listens."""

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
    namespaces_max: int = setting(
        10_000,
        "Limits how many namespaces there are, with the default one; to name one more is a 409",
        expected="a number from 1 to 100000",
        ge=1,
        le=100_000,
    )
    snapshot_max_bytes: int = setting(
        1_073_741_824,
        "Limits the size of a snapshot of a namespace, and of everything in it, in bytes",
        expected="a number from 1024 to 1099511627776",
        ge=1024,
        le=2**40,
    )

    faults_max_rules: int = setting(
        1000,
        "Limits the rules of faults of a namespace, and those that are set for all of them",
        expected="a number from 1 to 10000",
        ge=1,
        le=10_000,
    )
    journal_max_entries: int = setting(
        10_000,
        "Limits how many requests the journal keeps, of all namespaces together, in each process; 0 means no journal",
        expected="a number from 0 to 1000000",
        ge=0,
        le=1_000_000,
    )
    journal_max_bytes: int = setting(
        33_554_432,
        "Limits what the journal keeps in each process, in bytes before they are compressed",
        expected="a number from 1048576 to 17179869184",
        ge=2**20,
        le=2**34,
    )

    scenarios: Path | None = setting(
        None,
        "Names a file of scenarios, as JSON or YAML, which each namespace has from its beginning",
        expected="a path of a file, or nothing",
    )
    scenarios_max: int = setting(
        100,
        "Limits the scenarios of a namespace, those of the file included",
        expected="a number from 1 to 1000",
        ge=1,
        le=1000,
    )

    fleet: str | None = setting(
        None,
        "Gives each namespace a simulated fleet of GPU pods: `hybrid`, spot pods with serverless workers as the"
        " reserve, or the path of a file that describes one, as JSON or YAML",
        expected="hybrid, a path of a file, or nothing",
    )

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

    @property
    def has_control_plane(self) -> bool:
        """Return whether anybody may use the control plane: without a token, `auto` is for this machine only."""
        if self.admin is not Admin.AUTO:
            return self.admin is Admin.OPEN
        return self.admin_token is not None or (is_loopback(self.host) and self.node_env is not NodeEnv.PRODUCTION)

    @property
    def keeps_journal(self) -> bool:
        """Return whether requests are recorded: where there is no control plane, nobody could see them."""
        return self.journal_max_entries > 0 and self.has_control_plane

    @property
    def control_plane_is_open(self) -> bool:
        """Return whether everybody who can reach the server may use the control plane."""
        return self.admin is Admin.OPEN and self.admin_token is None

    @property
    def control_origins(self) -> OriginPolicy:
        public_url = str(self.public_url) if self.public_url else None
        return OriginPolicy(hosts=(self.admin_allowed_hosts or "").split(","), public_url=public_url)
