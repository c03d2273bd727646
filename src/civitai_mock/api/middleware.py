"""The shape of all ASGI middleware here: it handles HTTP requests, and passes everything else on."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send


class HttpMiddleware(ABC):
    """Hands HTTP requests to `handle`; all else, such as the lifespan, goes straight to the app behind it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Return the coroutine that does the work, without one around it that each request would pay for."""
        handler = self.handle if scope["type"] == "http" else self.app
        return handler(scope, receive, send)

    @abstractmethod
    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None: ...
