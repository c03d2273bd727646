"""Settings of what runs graphs: ComfyUI servers, or the simulator."""

import ssl
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationInfo, field_validator

from civitai_mock.generation.media import ImageContent
from civitai_mock.network.tls import make_tls_context
from civitai_mock.providers.comfyui.address import ComfyServer, parse_servers
from civitai_mock.settings.fields import SettingsGroup, setting

Milliseconds = float | None


class SimulationProfile(StrEnum):
    """Says how long simulated work takes."""

    REALISTIC = "realistic"
    INSTANT = "instant"


def simulated_time(what: str) -> Any:
    """Return the setting of one part of the simulated work."""
    about = f"Sets the simulated time for {what}, in ms; unset follows `SIMULATION_PROFILE`"
    return setting(None, about, expected="a number from 0 to 3600000, or nothing", ge=0, le=3_600_000)


class ComfySettings(SettingsGroup):
    """Lists the ComfyUI servers, and says how they are called."""

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

    @field_validator("comfy_http_url")
    @classmethod
    def _check_servers(cls, value: str | None) -> str | None:
        if value:
            parse_servers(value)
        return value

    @field_validator("comfy_ws_url")
    @classmethod
    def _check_sockets(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value:
            parse_servers(info.data.get("comfy_http_url") or "", value)
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

    @property
    def comfy_servers(self) -> Sequence[ComfyServer]:
        """Return the servers of COMFY_HTTP_URL; without any, the work is simulated."""
        return parse_servers(self.comfy_http_url, self.comfy_ws_url) if self.comfy_http_url else ()


class SimulationSettings(SettingsGroup):
    """Says how long simulated work takes, and what its images show."""

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
