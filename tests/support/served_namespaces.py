"""The app with several namespaces."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from civitai_mock.bootstrap.namespace import Namespace
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.namespaces import Epoch
from tests.support.served_app import Served, serve


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespaces:
    """Makes a namespace when it is asked for, on the stores of the default one."""

    default: Namespace
    names_by_token: Mapping[str, str]
    others: dict[str, Namespace] = field(default_factory=dict)

    def find(self, name: str) -> Namespace | None:
        return self.others.get(name)

    async def open(self, name: str, *, creates: bool) -> Namespace:
        if not creates:
            raise NotFoundError(f"There is no namespace '{name}'.")
        self.others[name] = replace(
            self.default,
            epoch=Epoch(name),
            blob_urls=replace(self.default.blob_urls, namespace=name),
            workflow_blob_urls=replace(self.default.workflow_blob_urls, namespace=name),
        )
        return self.others[name]


@asynccontextmanager
async def serve_namespaces(*, tokens: Mapping[str, str] | None = None, **settings: Any) -> AsyncIterator[Served]:
    async with serve(**settings) as served:
        namespaces = Namespaces(default=served.namespace, names_by_token=tokens or {})
        served.app.context = replace(served.app.context, namespaces=namespaces)
        yield served
