"""The one place where the parts are put together."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from importlib.metadata import version
from importlib.resources import files

import orjson
import structlog
from fastapi import FastAPI
from starlette.applications import Starlette

from civitai_mock.api.app import Access, ApiOptions, make_api
from civitai_mock.api.formats import ClientCompat, Vocabularies
from civitai_mock.api.rate_limit import GuessLimit, RateLimit
from civitai_mock.api.use_cases import UseCases
from civitai_mock.api.v1.render import render_event
from civitai_mock.clock import RandomIds, SystemClock
from civitai_mock.domain.air import Air
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.graph import Skeleton, parse_skeleton
from civitai_mock.ports import Artist, Clock, Ids, Provider, Stores
from civitai_mock.providers.simulator.artist import StandInArtist
from civitai_mock.providers.simulator.engine import Simulator
from civitai_mock.providers.simulator.profile import PACES, PROFILES, Profile
from civitai_mock.scheduler.callbacks import Callbacks
from civitai_mock.scheduler.loop import Scheduler, SchedulerOptions
from civitai_mock.scheduler.messenger import Messenger
from civitai_mock.scheduler.outbound import Outbound, outbound_client
from civitai_mock.scheduler.pictures import PictureFetcher, PictureLimits
from civitai_mock.scheduler.resolver import Resolver
from civitai_mock.scheduler.signals import InProcessSignals
from civitai_mock.scheduler.turns import Turns
from civitai_mock.scheduler.work import Tools
from civitai_mock.services.blobs import BlobUrls, OwnBlobs
from civitai_mock.services.cancel import CancelJobs
from civitai_mock.services.consumers import Authentication, token_digest
from civitai_mock.services.consumption import SumConsumption
from civitai_mock.services.coverage import TellCoverage
from civitai_mock.services.health import TellHealth
from civitai_mock.services.history import ListRequests
from civitai_mock.services.hosts import HostPolicy, callback_policy, picture_policy
from civitai_mock.services.pictures import PictureUrls
from civitai_mock.services.query import QueryJobs
from civitai_mock.services.queue import TellQueuePositions
from civitai_mock.services.resources import ManageResources
from civitai_mock.services.standstill import Standstill
from civitai_mock.services.submit import SubmitJobs
from civitai_mock.services.support import TellSupport
from civitai_mock.services.taint import TaintJobs
from civitai_mock.services.trust import trusting
from civitai_mock.services.wait import WaitForJobs
from civitai_mock.settings import Settings, SettingsError, SimulationProfile

PACKAGE = "civitai_mock"
DISTRIBUTION = "civitai-mock"
URL_KEY = "blob-urls"
LOCAL = "local"  # what the provider is called unless PROVIDER_NAME says otherwise
CLOSE_SECONDS = 0.5

logger = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a test may put in the place of the real clock and dice."""

    clock: Clock
    ids: Ids


REAL_WORLD = World(clock=SystemClock(), ids=RandomIds())


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything that is open while a process runs."""

    settings: Settings
    world: World
    stores: Stores
    provider: Provider
    artist: Artist
    messenger: Messenger
    pictures: PictureFetcher
    blob_urls: BlobUrls
    signals: InProcessSignals


def open_stores(settings: Settings) -> AbstractAsyncContextManager[Stores]:
    """The store that MONGODB_URI names; motor is only imported when it is needed."""
    names = {
        "resources": settings.mongodb_collection_name,
        "jobs": settings.mongodb_jobs_collection_name,
        "job_events": settings.mongodb_jobevent_collection_name,
    }
    if settings.mongodb_uri is None or settings.store_is_embedded:
        from civitai_mock.storage.sqlite import TableNames, open_sqlite

        directory = settings.data_dir if settings.mongodb_uri is None else None
        return open_sqlite(directory=directory, names=TableNames(**names))
    from civitai_mock.storage.mongo import CollectionNames, open_mongo

    uri = settings.mongodb_uri.get_secret_value()
    return open_mongo(uri=uri, database=settings.mongodb_db_name, names=CollectionNames(**names))


@asynccontextmanager
async def open_parts(settings: Settings, world: World = REAL_WORLD) -> AsyncIterator[Parts]:
    """Open everything, and close it in the opposite order; raise `TransientError` if the store cannot be opened."""
    async with _closing_in_time() as stack:
        stores = await stack.enter_async_context(open_stores(settings))
        provider = await stack.enter_async_context(_provider(settings, world))
        artist = await stack.enter_async_context(StandInArtist(pictures=settings.simulation_pictures))
        to_receivers, to_pictures = await stack.enter_async_context(_outbound(settings))
        if settings.seeds_at_start:
            await ManageResources(resources=stores.resources).seed_if_empty(read_catalogue())
        yield Parts(
            settings=settings,
            world=world,
            stores=stores,
            provider=provider,
            artist=artist,
            messenger=Messenger(outbound=to_receivers, timeout=timedelta(seconds=settings.callback_timeout_s)),
            pictures=_pictures(settings, to_pictures),
            blob_urls=await _blob_urls(settings, stores, world.clock),
            signals=InProcessSignals(),
        )


@asynccontextmanager
async def _closing_in_time() -> AsyncIterator[AsyncExitStack]:
    """A stack that is not waited for longer than `CLOSE_SECONDS`: a store that hangs holds up no end."""
    stack = AsyncExitStack()
    try:
        yield stack
    finally:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await stack.aclose()
        except TimeoutError:
            logger.warning("not closed in time", limit_s=CLOSE_SECONDS)


@asynccontextmanager
async def _outbound(settings: Settings) -> AsyncIterator[tuple[Outbound, Outbound]]:
    """The doors to receivers of callbacks and to pictures, with one client and one resolver."""
    user_agent = f"{DISTRIBUTION}/{version(DISTRIBUTION)}"
    async with outbound_client(user_agent=user_agent, tls=trusting()) as client:
        with Resolver() as resolve:

            def door(hosts: HostPolicy) -> Outbound:
                return Outbound(client=client, hosts=hosts, resolve=resolve)

            yield door(callback_policy(settings.callback_patterns)), door(picture_policy(settings.image_patterns))


def _pictures(settings: Settings, outbound: Outbound) -> PictureFetcher:
    limits = PictureLimits(max_bytes=settings.image_max_bytes, max_pixels=settings.image_max_pixels)
    return PictureFetcher(outbound=outbound, limits=limits, timeout=timedelta(seconds=settings.image_timeout_s))


async def _blob_urls(settings: Settings, stores: Stores, clock: Clock) -> BlobUrls:
    fixed_key = settings.blob_signing_key
    key = fixed_key.get_secret_value().encode() if fixed_key else await stores.secrets.secret(URL_KEY)
    return BlobUrls(key=key, lifetime=timedelta(seconds=settings.blob_url_lifetime_s), clock=clock)


def _provider(settings: Settings, world: World) -> AbstractAsyncContextManager[Provider]:
    """Simulation, unless there are ComfyUI servers."""
    if not settings.comfy_servers:
        return Simulator(
            name=settings.provider_name or LOCAL,
            clock=world.clock,
            profile=_profile(settings),
            pictures=settings.simulation_pictures,
        )
    from civitai_mock.generation.ecosystems import ecosystem_needs
    from civitai_mock.providers.comfyui.options import ComfyOptions
    from civitai_mock.providers.comfyui.provider import ComfyUI

    authorization = settings.comfy_authorization
    options = ComfyOptions(
        authorization=authorization.get_secret_value() if authorization else None,
        tls=trusting(settings.comfy_ca_file),
        max_in_flight=settings.comfy_max_in_flight,
    )
    return ComfyUI(
        name=settings.provider_name or LOCAL,
        servers=settings.comfy_servers,
        clock=world.clock,
        ids=world.ids,
        options=options,
        needs=ecosystem_needs(read_skeletons()),
    )


def _profile(settings: Settings) -> Profile:
    """The named one, with what the settings say of its parts."""
    milliseconds = {
        "load": settings.simulation_load_ms,
        "prompt": settings.simulation_prompt_ms,
        "step_per_megapixel": settings.simulation_step_ms,
        "convert_per_megapixel": settings.simulation_convert_ms,
    }
    seconds = {part: value / 1000 for part, value in milliseconds.items() if value is not None}
    return replace(PROFILES[settings.simulation_profile], **seconds)


def make_use_cases(parts: Parts, *, runs_jobs: bool) -> UseCases:
    settings, stores, clock = parts.settings, parts.stores, parts.world.clock
    standstill = None if runs_jobs else Standstill(jobs=stores.jobs, clock=clock, poll=settings.poll)
    return UseCases(
        submit=SubmitJobs(
            jobs=stores.jobs,
            resources=stores.resources,
            signals=parts.signals,
            clock=clock,
            ids=parts.world.ids,
            callback_hosts=parts.messenger.outbound.hosts,
            picture_urls=PictureUrls(
                blob_urls=parts.blob_urls,
                hosts=parts.pictures.outbound.hosts if parts.provider.reads_files else None,
            ),
            missing_resources=settings.missing_resources,
            job_lifetime=timedelta(hours=settings.job_lifetime_hours),
            claim_timeout=timedelta(seconds=settings.job_timeout_s),
            balance=settings.buzz_balance,
        ),
        query=QueryJobs(jobs=stores.jobs),
        cancel=CancelJobs(jobs=stores.jobs, signals=parts.signals, clock=clock),
        wait=_make_wait(parts),
        queue=TellQueuePositions(jobs=stores.jobs, clock=clock),
        support=TellSupport(provider=parts.provider),
        taint=TaintJobs(jobs=stores.jobs),
        history=ListRequests(jobs=stores.jobs),
        coverage=TellCoverage(resources=stores.resources, provider=parts.provider),
        consumption=SumConsumption(jobs=stores.jobs),
        resources=ManageResources(resources=stores.resources),
        blob_urls=parts.blob_urls,
        own_blobs=OwnBlobs(blobs=stores.blobs),
        blobs=stores.blobs,
        health=TellHealth(store=stores.health, provider=parts.provider, standstill=standstill),
        clock=clock,
        provider_name=parts.provider.name,
    )


def _make_wait(parts: Parts) -> WaitForJobs:
    limit = timedelta(seconds=parts.settings.wait_limit_s)
    wait = WaitForJobs(jobs=parts.stores.jobs, clock=parts.world.clock, limit=limit)
    parts.signals.listen_to_changes(wait.changed)
    return wait


def make_scheduler(parts: Parts) -> Scheduler:
    settings, provider, world = parts.settings, parts.provider, parts.world
    tools = Tools(
        provider=provider,
        artist=parts.artist,
        jobs=parts.stores.jobs,
        blobs=parts.stores.blobs,
        skeletons=read_skeletons(),
        clock=world.clock,
        ids=world.ids,
        pace=PACES[settings.simulation_profile],
        turns=Turns(clock=world.clock, interval=timedelta(milliseconds=settings.progress_interval_ms)),
        pictures=parts.pictures,
        blob_urls=parts.blob_urls,
        own_blobs=OwnBlobs(blobs=parts.stores.blobs),
    )
    options = SchedulerOptions(
        poll=settings.poll,
        max_in_flight=settings.scheduler_max_in_flight,
        lease=timedelta(milliseconds=settings.scheduler_lease_ms),
        grace=timedelta(milliseconds=settings.shutdown_grace_ms),
    )
    return Scheduler(
        worker_id=f"{provider.name}-{world.ids.uuid().replace('-', '')[:12]}",
        jobs=parts.stores.jobs,
        tools=tools,
        callbacks=_make_callbacks(parts),
        signals=parts.signals,
        options=options,
    )


def _make_callbacks(parts: Parts) -> Callbacks:
    """They are worded as the request of their job asked for, or else as the server is set."""
    words = _vocabularies(parts.settings)
    return Callbacks(
        jobs=parts.stores.jobs,
        messenger=parts.messenger,
        render=lambda job, event: orjson.dumps(render_event(event, words.of(ClientCompat.stored(job.client_compat)))),
        max_attempts=parts.settings.callback_max_attempts,
        signals=parts.signals,
        clock=parts.world.clock,
        ids=parts.world.ids,
    )


def create_app(settings: Settings, *, world: World = REAL_WORLD, with_scheduler: bool = True) -> FastAPI:
    """The HTTP app; with a scheduler beside it, the monolith."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with _keeping_failure(app), open_parts(settings, world) as parts:
            cases = make_use_cases(parts, runs_jobs=with_scheduler)
            app.state.use_cases, app.state.begin_stop = cases, cases.wait.stop
            app.state.store, app.state.provider = parts.stores.health.description, parts.provider.description
            beside = _running(make_scheduler(parts), app) if with_scheduler else _watching(cases.health.standstill)
            async with beside:
                yield

    options = ApiOptions(
        public_url=str(settings.public_url).rstrip("/") if settings.public_url else None,
        max_body_bytes=settings.max_body_bytes,
        body_timeout=timedelta(seconds=settings.body_timeout_s),
        max_jobs=settings.max_jobs_per_request,
        vocabularies=_vocabularies(settings),
        version=version(DISTRIBUTION),
    )
    access, proxies = _access(settings, world.clock), settings.trusted_networks
    app = make_api(options=options, access=access, trusted_proxies=proxies, lifespan=lifespan)
    app.state.failure, app.state.begin_stop, app.state.jobs_left = None, lambda: None, 0
    return app


def _access(settings: Settings, clock: Clock) -> Access:
    return Access(
        authentication=Authentication(auth=settings.auth, tokens=frozenset(map(token_digest, settings.known_tokens))),
        rate_limit=RateLimit(settings.rate_limit, clock=clock) if settings.rate_limit else None,
        guess_limit=GuessLimit(clock=clock),
    )


def _vocabularies(settings: Settings) -> Vocabularies:
    return Vocabularies(
        compat=settings.client_compat,
        provider_name=settings.provider_name,
        result_format=settings.result_format,
    )


@asynccontextmanager
async def _keeping_failure(app: FastAPI) -> AsyncIterator[None]:
    """uvicorn tells only that a start failed; the command wants to say why."""
    try:
        yield
    except Exception as error:
        app.state.failure = error
        raise


@asynccontextmanager
async def _watching(standstill: Standstill | None) -> AsyncIterator[None]:
    watching = asyncio.create_task(standstill.run(), name="standstill") if standstill else None
    try:
        yield
    finally:
        if watching:
            watching.cancel()


@asynccontextmanager
async def _running(scheduler: Scheduler, app: FastAPI) -> AsyncIterator[None]:
    stop_waiting = app.state.begin_stop

    def begin_stop() -> None:
        stop_waiting()
        scheduler.stop()

    app.state.begin_stop, app.state.jobs_left = begin_stop, None
    running = asyncio.create_task(scheduler.run(), name="scheduler")
    try:
        yield
    finally:
        scheduler.stop()
        await running
        app.state.jobs_left = scheduler.jobs_left


def create_comfyui(settings: Settings, argv: Sequence[str] = ()) -> Starlette:
    """The stand-in ComfyUI server alone, started with these options; raise `SettingsError` for what cannot work."""
    from civitai_mock.providers.simulator.comfyui_server.app import make_standin
    from civitai_mock.providers.simulator.comfyui_server.keeping.files import Place
    from civitai_mock.providers.simulator.comfyui_server.launch import LaunchError, options_of
    from civitai_mock.providers.simulator.comfyui_server.options import REALISTIC, Durations
    from civitai_mock.providers.simulator.comfyui_server.stock import EXAMPLE, example_picture, models_of
    from civitai_mock.providers.simulator.drawing import draw_as

    durations = REALISTIC if settings.simulation_profile is SimulationProfile.REALISTIC else Durations()
    try:
        options = options_of(argv, durations=durations)
    except LaunchError as error:
        raise SettingsError(error.message) from error
    app = make_standin(
        clock=REAL_WORLD.clock,
        models={} if options.directories.base else models_of(read_catalogue()),
        draw=draw_as(settings.simulation_pictures),
        options=options,
    )
    if options.directories.input is None:
        app.state.standin.workshop.files.put(Place("input", "", EXAMPLE), example_picture(), now=REAL_WORLD.clock.now())
    return app


@cache
def read_skeletons() -> Mapping[str, Skeleton]:
    """By name; read once, handed on as data."""
    folder = files(PACKAGE) / "generation" / "skeletons"
    texts = {file.name.removesuffix(".json"): file.read_text("utf-8") for file in folder.iterdir()}
    return {name: parse_skeleton(name, json.loads(text)) for name, text in texts.items()}


def read_catalogue() -> Sequence[Resource]:
    """The built-in resources."""
    documents = json.loads((files(PACKAGE) / "services" / "catalogue.json").read_text("utf-8"))
    return [Resource(air=Air.parse(document.pop("air")), fields=document) for document in documents]
