"""The mock server of a test session: in a thread of its own, or one that runs anyway."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import Any

from civitai_mock.pytest_plugin.control import Address, ControlPlane
from civitai_mock.pytest_plugin.imports import importing_server


class CivitaiMockServer:
    """Is a mock server that runs; `token` is what its control plane asks for, None if it asks for nothing."""

    def __init__(self, url: str, *, token: str | None = None) -> None:
        """Raise `ValueError` for what is not the address of a server."""
        Address.parse(url)
        self.url = url.rstrip("/")
        self.token = token
        self.control = ControlPlane(self.url, token=token)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url}>"

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """Return what clients check a server with; it is made once, as that takes longer than a short test."""
        return ssl.create_default_context()

    def check(self) -> None:
        """Raise `CivitaiMockError` if this is not a server whose control plane may be used."""
        self.control.get("/namespaces", take=1)


@contextmanager
def running_server(settings: Mapping[str, Any]) -> Iterator[CivitaiMockServer]:
    """Run a server on a free port with an empty store in memory, in a thread; `settings` are those that it is to have.

    It takes none from the environment or a file, so that a session is the same on each machine.
    """
    with ExitStack() as stack:
        with importing_server():
            from civitai_mock.pytest_plugin.logs import separate_logs
            from civitai_mock.pytest_plugin.thread import ServerThread

            stack.enter_context(separate_logs())
            thread = ServerThread(settings)
        stack.callback(thread.stop)
        thread.start()
        yield CivitaiMockServer(thread.url)
