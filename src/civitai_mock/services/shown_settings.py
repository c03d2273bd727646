"""Settings as whoever looks into the server sees them: what each is, and who said so."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json
from civitai_mock.services.controls import Controls

# What the control plane can set for a namespace in the place of a setting.
MEMBERS: Mapping[str, str] = {"BUZZ_BALANCE": "balance", "FLEET": "fleet"}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowSettings:
    """Shows the settings of the process, with what was set for the namespace in their place."""

    of_process: Callable[[], Sequence[ShownSetting]]
    controls: Controls

    def __call__(self) -> Sequence[ShownSetting]:
        return [self._in_namespace(setting) for setting in self.of_process()]

    def _in_namespace(self, setting: ShownSetting) -> ShownSetting:
        member = MEMBERS.get(setting.name)
        value = self.controls.get(member) if member else None
        return setting if value is None else replace(setting, value=value, origin=SettingOrigin.API)
