"""Settings: environment variables and `.env`, validated before anything starts.

Each setting is a field in the module of its theme, and the rules for its value stand below the fields.
`docs/configuration.md` and `.env.example` are made from the same rows.
"""

from civitai_mock.settings.control_plane import Admin, UnknownNamespaces
from civitai_mock.settings.jobs import ResultCache
from civitai_mock.settings.providers import SimulationProfile
from civitai_mock.settings.server import NodeEnv
from civitai_mock.settings.stores import MEMORY_URI
from civitai_mock.settings.telemetry import LogFormat, LogLevel
from civitai_mock.settings.tree import Settings, SettingsError, expected_of

__all__ = [
    "MEMORY_URI",
    "Admin",
    "LogFormat",
    "LogLevel",
    "NodeEnv",
    "ResultCache",
    "Settings",
    "SettingsError",
    "SimulationProfile",
    "UnknownNamespaces",
    "expected_of",
]
