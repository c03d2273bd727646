"""Run civitai-mock in a container for tests, by the package `testcontainers`.

It needs the extra of that name, a container engine, and an image: nobody publishes one, so build it by
`docker build -t civitai-mock .` in the folder of civitai-mock.
"""

import secrets
from datetime import timedelta
from typing import Any

from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy

IMAGE = "civitai-mock"
PORT = 3000
PATIENCE = timedelta(seconds=60)


class CivitaiMockContainer(DockerContainer):
    """Is a server in a container, with its store in memory; each has a `token` of its own for the control plane.

    Other settings are variables: `with_env("AUTH", "any")`.
    """

    def __init__(self, image: str = IMAGE, *, token: str | None = None, **options: Any) -> None:
        """Take the `options` of a `DockerContainer`; start nothing yet."""
        super().__init__(image, **options)
        self.token = token or secrets.token_urlsafe(16)
        self.with_exposed_ports(PORT)
        self.with_envs(MONGODB_URI="memory://", SIMULATION_PROFILE="instant", ADMIN_TOKEN=self.token)
        self.waiting_for(HttpWaitStrategy(PORT, "/health").with_startup_timeout(PATIENCE))

    @property
    def url(self) -> str:
        """Return where the server can be reached from outside of its container, once it has started."""
        return f"http://{self.get_container_host_ip()}:{self.get_exposed_port(PORT)}"
