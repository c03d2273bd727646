"""How a process of pytest gets the plugin of this package."""

from collections.abc import Sequence
from importlib.metadata import entry_points

PLUGIN = "civitai_mock.pytest_plugin"


def loading_plugin() -> Sequence[str]:
    """Return the options that load it, none if the environment was installed with its entry point."""
    is_installed = any(plugin.value == PLUGIN for plugin in entry_points(group="pytest11"))
    return () if is_installed else ("-p", PLUGIN)
