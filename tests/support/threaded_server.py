"""The monolith on a memory store, on a port of its own: it runs in a thread, for clients that block."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any

from civitai_mock.api.request_log import RequestLog
from civitai_mock.bootstrap.application import Application
from civitai_mock.serving.server import Server, listen
from tests.support.process import PATIENCE_SECONDS
from tests.support.served_app import make_settings


@contextmanager
def serving_in_a_thread(**settings: Any) -> Iterator[str]:
    """Yield its address."""
    silent = RequestLog(lambda *_: None)  # as access lines would stand among what a command prints
    application = Application(make_settings(**settings), request_log=silent)
    ready = threading.Event()
    server = Server(application.app, grace=timedelta(0), on_ready=ready.set, on_stop=application.begin_stop)
    with closing(listen("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=asyncio.run, args=[server.serve(sockets=[listener])], daemon=True)
        thread.start()
        assert ready.wait(PATIENCE_SECONDS), application.failure
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.begin_stop()
        thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
