"""The app of one process, from its start to its end: the HTTP API alone, or with a scheduler beside it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.metadata import version

from starlette.applications import Starlette

from civitai_mock.api.access import Access
from civitai_mock.api.app import FASTAPI_APP, make_api
from civitai_mock.api.context import ApiOptions
from civitai_mock.api.mock.access import ControlAccess
from civitai_mock.api.rate_limit import GuessLimit
from civitai_mock.api.request_log import RequestLog
from civitai_mock.bootstrap.namespace import Namespace, make_namespace
from civitai_mock.bootstrap.runtime import DISTRIBUTION, loading_rest, open_runtime
from civitai_mock.bootstrap.scheduler import make_scheduler
from civitai_mock.clock import RandomIds, SystemClock
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.namespaces import DEFAULT
from civitai_mock.ports import Clock, Ids, Metrics
from civitai_mock.scheduler.scheduler import Scheduler
from civitai_mock.services.consumers import Authentication, token_digest
from civitai_mock.services.health import StallDetector
from civitai_mock.settings import Settings


@dataclass(slots=True)
class OnlyNamespace:
    """Serves the default namespace, once it is there, and no other."""

    default: Namespace
    names_by_token: Mapping[str, str] = field(default_factory=dict)

    def __init__(self, default: Namespace | None = None) -> None:
        self.names_by_token = {}
        if default is not None:
            self.default = default

    def find(self, name: str) -> Namespace | None:
        return self.default if name == DEFAULT else None

    async def open(self, name: str, *, creates: bool) -> Namespace:  # noqa: ARG002 - the port has it
        raise NotFoundError(f"There is no namespace '{name}'.")


class Application:
    """Holds the `app` for a server, which opens everything when it starts; only then is there a `namespace`.

    `failure` is the exception that broke the start. `jobs_left` is how many jobs were not given back at the end; it is
    None while a scheduler runs.
    """

    namespace: Namespace

    def __init__(
        self,
        settings: Settings,
        *,
        with_scheduler: bool = True,
        clock: Clock | None = None,
        ids: Ids | None = None,
        request_log: RequestLog | None = None,
    ) -> None:
        """Without a `request_log` the logger writes access lines as all others."""
        self.failure: Exception | None = None
        self.jobs_left: int | None = 0
        self._settings = settings
        self._with_scheduler = with_scheduler
        self._clock = clock or SystemClock()
        self._ids = ids or RandomIds()
        self._metrics = Metrics()
        self._stops: list[Callable[[], None]] = []
        self._namespaces = OnlyNamespace()
        self.app = make_api(
            options=_api_options(settings),
            namespaces=self._namespaces,
            access=_access(settings, self._clock),
            trusted_proxies=settings.trusted_networks,
            metrics=self._metrics,
            lifespan=self._lifespan,
            request_log=request_log,
        )

    def begin_stop(self) -> None:
        """Answer all requests that wait for jobs, and claim no more jobs; before the start there is nothing to stop."""
        for stop in self._stops:
            stop()

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Open, serve and close. Keep the exception that breaks the start: uvicorn reports only that there was one."""
        try:
            async with open_runtime(self._settings, clock=self._clock, ids=self._ids, metrics=self._metrics) as runtime:
                self.namespace = make_namespace(runtime, runs_jobs=self._with_scheduler)
                self._namespaces.default = self.namespace
                self._stops = [self.namespace.stop_waiting]
                async with (
                    aclosing(self.namespace),
                    self._working_beside(),
                    loading_rest(runtime, modules=[FASTAPI_APP]),
                ):
                    yield
        except Exception as error:
            self.failure = error
            raise

    def _working_beside(self) -> AbstractAsyncContextManager[None]:
        """Run jobs; or else watch whether another process does."""
        stall_detector = self.namespace.use_cases.health.stall_detector
        return _watching(stall_detector) if stall_detector else self._running(make_scheduler(self.namespace))

    @asynccontextmanager
    async def _running(self, scheduler: Scheduler) -> AsyncIterator[None]:
        self._stops.append(scheduler.stop)
        self.namespace.use_cases.readiness.scheduler_fault = lambda: scheduler.fault
        self.jobs_left = None
        running = asyncio.create_task(scheduler.run(), name="scheduler")
        try:
            yield
        finally:
            scheduler.stop()
            await running
            self.jobs_left = scheduler.jobs_left


def make_system_app(namespace: Namespace) -> Starlette:
    """Make the app of a process that only runs jobs: it answers health and metrics of an open namespace."""
    settings = namespace.runtime.settings
    return make_api(
        options=_api_options(settings),
        namespaces=OnlyNamespace(namespace),
        access=_access(settings, namespace.clock),
        trusted_proxies=settings.trusted_networks,
        metrics=namespace.runtime.metrics,
        only_system=True,
    )


@asynccontextmanager
async def _watching(stall_detector: StallDetector) -> AsyncIterator[None]:
    watching = asyncio.create_task(stall_detector.run(), name="stall detector")
    try:
        yield
    finally:
        watching.cancel()


def _api_options(settings: Settings) -> ApiOptions:
    return ApiOptions(
        public_url=str(settings.public_url).rstrip("/") if settings.public_url else None,
        max_body_bytes=settings.max_body_bytes,
        max_bodies_bytes=settings.max_bodies_bytes,
        max_upload_bytes=settings.upload_max_bytes,
        body_timeout=timedelta(seconds=settings.body_timeout_s),
        max_jobs=settings.max_jobs_per_request,
        vocabularies=settings.vocabularies,
        version=version(DISTRIBUTION),
        shown_settings=settings.shown,
        is_simulated=not settings.comfy_servers,
    )


def _access(settings: Settings, clock: Clock) -> Access:
    return Access(
        control=_control_access(settings),
        authentication=Authentication(auth=settings.auth, tokens=frozenset(map(token_digest, settings.known_tokens))),
        guess_limit=GuessLimit(clock=clock),
    )


def _control_access(settings: Settings) -> ControlAccess:
    token = settings.admin_token
    return ControlAccess(
        is_on=settings.has_control_plane,
        token=token_digest(token.get_secret_value()) if token else None,
        origins=settings.control_origins,
        guess_limit=GuessLimit(clock=SystemClock()),
    )
