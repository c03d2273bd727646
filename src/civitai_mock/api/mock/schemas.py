"""The bodies of the control plane, as its OpenAPI description has them."""

from collections.abc import Sequence
from typing import NotRequired

from typing_extensions import TypedDict

from civitai_mock.api.health import WorkerHealth


class WorkerList(TypedDict):
    """A page of workers."""

    items: Sequence[WorkerHealth]
    next: NotRequired[str]
