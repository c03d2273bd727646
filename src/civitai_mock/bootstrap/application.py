"""The app of one process, from its start to its end: the HTTP API alone, or with a scheduler beside it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from datetime import timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING

from starlette.applications import Starlette

from civitai_mock.api.access import Access
from civitai_mock.api.app import FASTAPI_APP, make_api
from civitai_mock.api.exchange import ApiOptions
from civitai_mock.api.mock.access import ControlAccess
from civitai_mock.api.rate_limit import GuessLimit
from civitai_mock.api.request_log import RequestLog
from civitai_mock.bootstrap.namespace import Namespace
from civitai_mock.bootstrap.namespaces import Namespaces, open_namespaces
from civitai_mock.bootstrap.runtime import DISTRIBUTION, loading_rest, open_runtime
from civitai_mock.clock import RandomIds, SystemClock
from civitai_mock.ports import Clock, Ids, Metrics
from civitai_mock.services.consumers import Authentication, token_digest
from civitai_mock.services.health import StallDetector
from civitai_mock.settings import Settings

if TYPE_CHECKING:
    from civitai_mock.services.journal.questions import SubjectOf


class Application:
    """Holds the `app` for a server, which opens everything when it starts; only then are there `namespaces`.

    `failure` is the exception that broke the start. `jobs_left` is how many jobs were not given back at the end; it is
    None while a scheduler runs.
    """

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
        self.namespaces: Namespaces | None = None
        self.app = make_api(
            options=_api_options(settings),
            access=_access(settings, self._clock),
            trusted_proxies=settings.trusted_networks,
            metrics=self._metrics,
            lifespan=self._lifespan,
            request_log=request_log,
            keeps_journal=settings.keeps_journal,
        )

    @property
    def namespace(self) -> Namespace:
        """Return the default namespace as it is now; raise `RuntimeError` before the start."""
        if self.namespaces is None:
            raise RuntimeError("the app is not open")
        return self.namespaces.default

    def begin_stop(self) -> None:
        """Answer all requests that wait for jobs, and claim no more jobs; before the start there is nothing to stop."""
        if self.namespaces is not None:
            self.namespaces.stop_waiting()
            self.namespaces.stop()

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Open, serve and close. Keep the exception that breaks the start: uvicorn reports only that there was one."""
        try:
            async with open_runtime(self._settings, clock=self._clock, ids=self._ids, metrics=self._metrics) as runtime:
                self.jobs_left = None
                async with (
                    open_namespaces(
                        runtime, runs_jobs=self._with_scheduler, get_subject_of=self._get_subject_of
                    ) as namespaces,
                    loading_rest(modules=[FASTAPI_APP]),
                ):
                    self.namespaces = namespaces
                    self.app.serve(namespaces)
                    stall_detector = namespaces.default.use_cases.health.stall_detector
                    async with _watching(stall_detector) if stall_detector else nullcontext():
                        yield
                self.jobs_left = namespaces.jobs_left
        except Exception as error:
            self.failure = error
            raise

    def _get_subject_of(self) -> "SubjectOf":
        """Load it when the journal is read: mostly nobody does."""
        from civitai_mock.api.faults.entry_subjects import EntrySubjects

        return EntrySubjects(self.app.each_route())


def make_system_app(namespaces: Namespaces) -> Starlette:
    """Make the app of a process that only runs jobs: it answers health and metrics."""
    runtime = namespaces.default.runtime
    app = make_api(
        options=_api_options(runtime.settings),
        access=_access(runtime.settings, runtime.clock),
        trusted_proxies=runtime.settings.trusted_networks,
        metrics=runtime.metrics,
        only_system=True,
    )
    app.serve(namespaces)
    return app


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
        max_streams=settings.max_streams,
        vocabularies=settings.vocabularies,
        version=version(DISTRIBUTION),
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
