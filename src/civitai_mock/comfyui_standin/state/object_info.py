"""The text of GET /object_info, kept as long as it stays the same."""

import json
from collections.abc import Mapping, Sequence

from civitai_mock.comfyui_standin.validation.definitions import Definitions, ListFolder


class ObjectInfo:
    """Writes all definitions as JSON once, and again after nodes were added, or files came or went.

    It takes 6 ms to write, and each server that sends jobs here reads it now and then.
    """

    def __init__(self) -> None:
        self._definitions: Definitions | None = None
        self._listed: Mapping[str, Sequence[str]] = {}
        self._text = b""

    def text(self, definitions: Definitions, list_folder: ListFolder) -> bytes:
        if self._definitions is not definitions or any(
            list_folder(folder) != names for folder, names in self._listed.items()
        ):
            self._write(definitions, list_folder)
        return self._text

    def _write(self, definitions: Definitions, list_folder: ListFolder) -> None:
        listed: dict[str, Sequence[str]] = {}

        def listing(folder: str) -> Sequence[str]:
            if folder not in listed:
                listed[folder] = list_folder(folder)
            return listed[folder]

        self._text = json.dumps({name: node.wire(listing) for name, node in definitions.items()}).encode()
        self._definitions, self._listed = definitions, listed
