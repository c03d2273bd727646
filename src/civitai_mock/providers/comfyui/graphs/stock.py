"""Which model files a server has, as far as its lists tell."""

from civitai_mock.domain.job import JobResource
from civitai_mock.providers.comfyui.graphs.catalogue import FOLDERS_OF_TYPES, Catalogue
from civitai_mock.providers.comfyui.graphs.files import match
from civitai_mock.providers.comfyui.graphs.names import Names

MOST_KNOWN = 10_000


class Stock:
    """Of one catalogue; whether a resource is there is found out once."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.models = catalogue.models
        self._names = {folder: Names(names) for folder, names in self.models.items()}
        self._known: dict[JobResource, bool] = {}

    def has(self, resource: JobResource) -> bool:
        """In the folder of its type; of a type that is not known, in any."""
        known = self._known.get(resource)
        if known is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            known = self._known[resource] = self._finds(resource)
        return known

    def _finds(self, resource: JobResource) -> bool:
        folders = FOLDERS_OF_TYPES.get(resource.air.stated_type or "", tuple(self._names))
        found = (match(resource.file_name, self._names[name], resource) for name in folders if name in self._names)
        return any(found)
