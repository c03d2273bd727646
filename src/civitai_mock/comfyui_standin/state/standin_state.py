"""What a stand-in keeps when it is restarted: its installation, files, faults, statistics and user data."""

import asyncio
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from civitai_mock.comfyui_standin.faults import FaultControl
from civitai_mock.comfyui_standin.options import StandinOptions
from civitai_mock.comfyui_standin.state.files import FileStore
from civitai_mock.comfyui_standin.state.installation import Installation
from civitai_mock.comfyui_standin.state.models import ModelFolders
from civitai_mock.comfyui_standin.state.object_info import ObjectInfo
from civitai_mock.comfyui_standin.state.prompt_stats import PromptStats
from civitai_mock.comfyui_standin.state.user_data import UserData
from civitai_mock.comfyui_standin.validation.definitions import Definitions
from civitai_mock.comfyui_standin.validation.input_checks import CUSTOM_CHECKS
from civitai_mock.comfyui_standin.validation.validate import ValidationRules
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.drawing.drawn_images import Draw
from civitai_mock.generation.comfyui_facts import STREAMING_CLASS
from civitai_mock.ports import Clock

NEVER_UNCHANGED = frozenset({STREAMING_CLASS})


@dataclass(frozen=True, slots=True, kw_only=True)
class StandinState:
    """Is shared by routes and prompts, and outlasts a restart."""

    clock: Clock
    installation: Installation
    draw: Draw
    options: StandinOptions
    faults: FaultControl
    files: FileStore
    stats: PromptStats
    user_data: UserData
    object_info: ObjectInfo = field(default_factory=ObjectInfo)

    @property
    def definitions(self) -> Definitions:
        return self.installation.nodes.all

    @property
    def models(self) -> ModelFolders:
        return self.installation.models

    @property
    def validation_rules(self) -> ValidationRules:
        return ValidationRules(
            definitions=self.definitions,
            list_folder=self.list_folder,
            file_exists=lambda name: self.files.find(name) is not None,
            accept_any_model=self.options.accept_any_model,
        )

    def list_folder(self, folder: str) -> list[str]:
        """Return the names in one of ComfyUI's folders, as they are now."""
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
        return self.models.names_in(folder)

    def fingerprint(self, class_type: str, inputs: Mapping[str, Any]) -> str | None:
        """Return the digest of the file that a node loads, an empty text for others, None if it is never unchanged."""
        if class_type in NEVER_UNCHANGED:
            return None
        for checked, name in CUSTOM_CHECKS:
            if checked == class_type:
                found = self.files.find(str(inputs.get(name)))
                return found[1].digest if found else None
        return ""

    async def pause(self, seconds: float) -> None:
        """Wait for simulated work; with none to wait for, let other tasks run."""
        await self.faults.until(lambda faults: not faults.stuck)
        await (self.clock.sleep(seconds) if seconds > 0 else asyncio.sleep(0))
