"""Serve a mock in a thread of a test process, and leave everything else in that process as it was."""

import asyncio
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from civitai_mock.bootstrap.application import Application
from civitai_mock.domain.errors import MockError
from civitai_mock.domain.nearest import unknown_name
from civitai_mock.pytest_plugin.control import CivitaiMockError
from civitai_mock.serving.server import HEARTBEATS, Server
from civitai_mock.settings import Settings, SettingsError

LOOPBACK = "127.0.0.1"
PATIENCE_SECONDS = 30.0
USUAL = {"mongodb_uri": "memory://", "simulation_profile": "instant", "shutdown_grace_ms": 0}


class ServerThread:
    """Serves from `start` to `stop`, at `url`."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Listen on a free port; raise `CivitaiMockError` for settings that cannot work."""
        self._has_begun = threading.Event()
        self._failure: BaseException | None = None
        self._application = _application(settings)
        self._server = self._make_server()
        self._listener = socket.create_server((LOOPBACK, 0))
        self.url = f"http://{LOOPBACK}:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, name="civitai-mock", daemon=True)

    def start(self) -> None:
        """Return when requests are answered; raise what broke the start."""
        self._thread.start()
        if not self._has_begun.wait(PATIENCE_SECONDS):
            raise CivitaiMockError(f"civitai-mock was not ready in {PATIENCE_SECONDS:g} s")
        failure = self._application.failure or self._failure
        if isinstance(failure, MockError | OSError):
            raise CivitaiMockError(f"civitai-mock did not start: {failure}") from failure
        if failure is not None:
            raise failure

    def stop(self) -> None:
        """Return when nothing is open any more."""
        with suppress(RuntimeError):  # there is no loop any more if the server has ended by itself
            self._server.begin_stop()
        self._thread.join(PATIENCE_SECONDS)
        if self._thread.is_alive():
            raise CivitaiMockError(f"civitai-mock did not stop in {PATIENCE_SECONDS:g} s")
        if self._failure:
            raise self._failure

    def _make_server(self) -> Server:
        return Server(
            self._application.app,
            grace=timedelta(0),
            on_ready=self._has_begun.set,
            on_stop=self._application.begin_stop,
            pings_every=HEARTBEATS,
        )

    def _run(self) -> None:
        try:
            make_loop = self._server.config.get_loop_factory()
            with self._listener, asyncio.Runner(loop_factory=make_loop) as runner:
                runner.run(self._server.serve(sockets=[self._listener]))
        except BaseException as error:  # noqa: BLE001 - who waits for the start or the end raises it
            self._failure = error
        finally:
            self._has_begun.set()


def _application(settings: Mapping[str, Any]) -> Application:
    chosen = {**USUAL, **{name.lower(): value for name, value in settings.items()}}
    for name in chosen:
        if name not in Settings.model_fields:
            raise CivitaiMockError(unknown_name("setting", name.upper(), map(str.upper, Settings.model_fields)))
    try:
        return Application(Settings.of(chosen))
    except SettingsError as error:
        raise CivitaiMockError(str(error)) from None
