"""Read from /object_info what a server can run: node classes, the names that inputs may have, model files."""

import re
from collections.abc import Mapping
from dataclasses import field

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import JobResource
from civitai_mock.domain.json_types import Json, JsonObject, as_list, as_object, as_texts
from civitai_mock.generation.comfyui_facts import EMBEDDINGS, FOLDERS_OF_TYPES
from civitai_mock.providers.comfyui.graphs.file_names import Names, find_name

# The folder that the names in an input come from; an input that is not listed has a folder of its own name.
FOLDERS: Mapping[str, str] = {
    "ckpt_name": "checkpoints",
    "lora_name": "loras",
    "existing_lora": "loras",
    "vae_name": "vae",
    "unet_name": "diffusion_models",
    "clip_name": "text_encoders",
    "clip_name1": "text_encoders",
    "clip_name2": "text_encoders",
    "clip_name3": "text_encoders",
    "clip_name4": "text_encoders",
    "control_net_name": "controlnet",
    "hypernetwork_name": "hypernetworks",
    "style_model_name": "style_models",
    "gligen_name": "gligen",
    "audio_encoder_name": "audio_encoders",
    "photomaker_model_name": "photomaker",
}
FOLDERS_OF_NODES: Mapping[tuple[str, str], str] = {
    ("UpscaleModelLoader", "model_name"): "upscale_models",
    ("CLIPVisionLoader", "clip_name"): "clip_vision",
    ("ModelPatchLoader", "name"): "model_patches",
}
MODEL_FOLDERS = frozenset({*FOLDERS.values(), *FOLDERS_OF_NODES.values()})
NO_FILE = frozenset({"None", "[None]"})  # what nodes offer for using no file
MOST_ANSWERS = 10_000  # about resources, that are remembered


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Lists what a server can run: `choices` has, by node class, the inputs that take a name out of a list.

    No prompt text can name the `unfit_embeddings`.
    """

    choices: Mapping[str, Mapping[str, Names]] = field(default_factory=dict)
    embeddings: Names = field(default_factory=lambda: Names(()))
    unfit_embeddings: Names = field(default_factory=lambda: Names(()))

    @property
    def models(self) -> Mapping[str, tuple[str, ...]]:
        """Return all model files by folder, sorted by name."""
        found: dict[str, set[str]] = {EMBEDDINGS: set(self.embeddings.all)}
        for class_type, inputs in self.choices.items():
            for name, names in inputs.items():
                if names.are_weights:
                    found.setdefault(folder_of(class_type, name), set()).update({*names.all} - NO_FILE)
        return {folder: tuple(sorted(names)) for folder, names in found.items()}


def read_catalogue(object_info: JsonObject, embeddings: tuple[str, ...]) -> Catalogue:
    """Read the bodies of /object_info and /embeddings.

    Lists with the same names are one list in memory: many nodes offer the same folder. An embedding with white space
    in its name is unfit: to ComfyUI, a name ends there.
    """
    seen: dict[tuple[str, ...], Names] = {}
    choices = {
        class_type: {
            name: seen.setdefault(options, Names(options))
            for group in ("required", "optional")
            for name, spec in as_object(as_object(as_object(node).get("input")).get(group)).items()
            if (options := _read_options(spec)) is not None
        }
        for class_type, node in object_info.items()
    }
    unfit = tuple(name for name in embeddings if re.search(r"\s", name))
    fit = tuple(name for name in embeddings if name not in unfit)
    return Catalogue(choices=choices, embeddings=Names(fit), unfit_embeddings=Names(unfit))


def folder_of(class_type: str, input_name: str) -> str:
    return FOLDERS_OF_NODES.get((class_type, input_name)) or FOLDERS.get(input_name, input_name)


def _read_options(spec: Json) -> tuple[str, ...] | None:
    """Return the list of names of an input, in either spelling: `[[…], {…}]` or `["COMBO", {"options": […]}]`."""
    parts = as_list(spec)
    if parts and isinstance(parts[0], list):
        return as_texts(parts[0])
    if len(parts) > 1 and parts[0] == "COMBO":
        return as_texts(as_object(parts[1]).get("options"))
    return None


class InstalledModels:
    """Finds resources among the model files of one catalogue, and remembers the answers."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.models = catalogue.models
        self._names = {folder: Names(names) for folder, names in self.models.items()}
        self._answers: dict[JobResource, bool] = {}

    def has(self, resource: JobResource) -> bool:
        """Tell whether the file is in the folders of the resource's type, or in any folder if the type is unknown."""
        answer = self._answers.get(resource)
        if answer is None:
            if len(self._answers) >= MOST_ANSWERS:
                self._answers.clear()
            answer = self._answers[resource] = self._finds(resource)
        return answer

    def _finds(self, resource: JobResource) -> bool:
        folders = FOLDERS_OF_TYPES.get(resource.air.stated_type or "", tuple(self._names))
        found = (find_name(resource.file_name, self._names[name], resource) for name in folders if name in self._names)
        return any(found)
