"""Everything that a run of a prompt works with."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from civitai_mock.drawing.png import Draw
from civitai_mock.ports import Clock
from civitai_mock.providers.simulator.comfyui_server.checking.checks import SELF_CHECKED
from civitai_mock.providers.simulator.comfyui_server.checking.definitions import Definitions
from civitai_mock.providers.simulator.comfyui_server.checking.verdict import Rules
from civitai_mock.providers.simulator.comfyui_server.faults import FaultDesk
from civitai_mock.providers.simulator.comfyui_server.installation import Installation
from civitai_mock.providers.simulator.comfyui_server.keeping.files import FileStore
from civitai_mock.providers.simulator.comfyui_server.keeping.models import ModelFolders
from civitai_mock.providers.simulator.comfyui_server.keeping.user_data import UserData
from civitai_mock.providers.simulator.comfyui_server.ledger import Ledger
from civitai_mock.providers.simulator.comfyui_server.options import StandinOptions
from civitai_mock.providers.simulator.comfyui_server.running.saving import Darkroom

NEVER_THE_SAME = frozenset({"SaveImageWebsocket"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What stays when the server is restarted."""

    clock: Clock
    installation: Installation
    draw: Draw
    options: StandinOptions
    faults: FaultDesk
    files: FileStore
    ledger: Ledger
    user_data: UserData

    @property
    def definitions(self) -> Definitions:
        return self.installation.nodes.all

    @property
    def models(self) -> ModelFolders:
        return self.installation.models

    @property
    def rules(self) -> Rules:
        return Rules(
            definitions=self.definitions,
            listing=self.listing,
            file_exists=lambda name: self.files.named(name) is not None,
            accept_any_model=self.options.accept_any_model,
        )

    def listing(self, folder: str) -> list[str]:
        """The names in one of ComfyUI's folders, as they are now."""
        match folder:
            case "input":
                return list(self.files.names("input"))
            case "input subfolders":
                return list(self.files.subfolders("input"))
            case "input 3d":
                folders = [name for name in self.files.subfolders("input") if name == "3d" or name.startswith("3d/")]
                return [f"{folder}/{name}" for folder in folders for name in self.files.names("input", folder)]
            case "output":
                return [f"{name} [output]" for name in self.files.names("output")]
        return self.models.files(folder)

    def darkroom(self) -> Darkroom:
        metadata = self.options.metadata
        return Darkroom(clock=self.clock, draw=self.draw, files=self.files, faults=self.faults, metadata=metadata)

    def change_mark(self, class_type: str, inputs: Mapping[str, Any]) -> str | None:
        """For the node cache: files count by their bytes, and some nodes are never the same twice."""
        if class_type in NEVER_THE_SAME:
            return None
        for checked, name in SELF_CHECKED:
            if checked == class_type:
                found = self.files.named(str(inputs.get(name)))
                return found[1].digest if found else None
        return ""

    async def pause(self, seconds: float) -> None:
        """Simulated work; without any, others get their turn."""
        await self.faults.until(lambda faults: not faults.stuck)
        await (self.clock.sleep(seconds) if seconds > 0 else asyncio.sleep(0))
