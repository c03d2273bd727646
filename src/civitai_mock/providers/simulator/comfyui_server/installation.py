"""What every installation of ComfyUI has of its own: model files, node packs, and what it says of its system."""

from datetime import datetime
from typing import Any

from civitai_mock.providers.simulator.comfyui_server.checking.definitions import read_definitions
from civitai_mock.providers.simulator.comfyui_server.checking.node_packs import InstalledNodes, checked_object_info
from civitai_mock.providers.simulator.comfyui_server.keeping.model_names import checked_models
from civitai_mock.providers.simulator.comfyui_server.keeping.models import ModelFolders
from civitai_mock.providers.simulator.comfyui_server.keeping.system import System
from civitai_mock.providers.simulator.comfyui_server.options import Models, StandinOptions


class Installation:
    """Told while it runs, and by the options it was started with; whatever is wrong raises `InvalidRequestError`."""

    def __init__(self, *, models: Models, options: StandinOptions, now: datetime) -> None:
        self.models = ModelFolders(given=models, directories=options.directories, now=now)
        self.nodes = InstalledNodes(read_definitions(), options.packs)
        self.system = System(argv=options.argv, on_cpu=options.on_cpu, version=options.version)
        self._started_with = options.object_info
        self.reset_nodes()
        self.reset_models()

    def tell_models(self, document: Any) -> None:
        self.models.tell(checked_models(document, known=self.models.names))

    def replace_models(self, document: Any) -> None:
        self.models.replace(checked_models(document, known=self.models.names))

    def reset_models(self) -> None:
        self.models.reset()
        for nodes in self._started_with:
            self.models.tell(self.nodes.files_in(nodes))

    def tell_nodes(self, document: Any) -> None:
        """Node packs, and the files that core nodes list: the answer of a real server tells of both."""
        nodes = checked_object_info(document)
        self.nodes.tell(nodes)
        self.models.tell(self.nodes.files_in(nodes))

    def replace_nodes(self, document: Any) -> None:
        nodes = checked_object_info(document)
        self.nodes.replace(nodes)
        self.models.tell(self.nodes.files_in(nodes))

    def reset_nodes(self) -> None:
        self.nodes.replace({})
        for nodes in self._started_with:
            self.nodes.tell(nodes)

    def tell_system(self, document: Any) -> None:
        self.system.tell(document)

    def replace_system(self, document: Any) -> None:
        self.system.replace(document)

    def reset_system(self) -> None:
        self.system.reset()
