"""Settings of each process: where it listens, in which environment, and under which address others know it."""

from datetime import timedelta
from enum import StrEnum

from pydantic import AnyHttpUrl

from civitai_mock.settings.fields import SettingsGroup, setting


class NodeEnv(StrEnum):
    """Lists the environments that Node programs know; only production changes anything here."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class ProcessSettings(SettingsGroup):
    """Says on which ports a process answers, in which environment, and how often it looks for what others did."""

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

    @property
    def poll(self) -> timedelta:
        return timedelta(milliseconds=self.scheduler_poll_ms)


class AddressSettings(SettingsGroup):
    """Says at which address the server listens, and at which others find it."""

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
