"""Settings as whoever looks into the server sees them: what each is, and who said so.

It stands alone, as the settings make them and the API shows them.
"""

from dataclasses import dataclass
from enum import StrEnum

from civitai_mock.domain.json_types import Json


class SettingOrigin(StrEnum):
    """Says where a value comes from: nowhere else, the environment, a file of settings, or the control plane."""

    DEFAULT = "default"
    ENV = "env"
    FILE = "file"
    API = "api"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSetting:
    """Is a setting by the name of its variable; of a secret, `value` shows only that there is one."""

    name: str
    value: Json
    origin: SettingOrigin
