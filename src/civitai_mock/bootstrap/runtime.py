"""Open what lives as long as the process: settings, stores, provider and connections to other hosts."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from datetime import timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING

import structlog

from civitai_mock.api.late_imports import imported
from civitai_mock.api.v1.wire import wire_models
from civitai_mock.bootstrap.providers import open_provider, server_names
from civitai_mock.bootstrap.stores import open_stores, read_catalogue
from civitai_mock.clock import RandomIds, SystemClock
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.drawing.artist import StandInArtist
from civitai_mock.drawing.inspector import MediaInspector
from civitai_mock.network.client import DnsResolver, GetClient, GuardedHttpClient, LateHttpClient
from civitai_mock.network.media import ImageLimits, MediaFetcher, MediaLimits
from civitai_mock.network.outbound import Resolve
from civitai_mock.network.redaction import redacted
from civitai_mock.network.tls import make_tls_context
from civitai_mock.ports import Artist, Clock, FileInspector, Ids, Metrics, Provider, RecordSpan, Stores
from civitai_mock.services.event_feed import FollowEvents
from civitai_mock.services.faults.firing import ServerRules
from civitai_mock.services.host_policy import HostPolicy, image_policy
from civitai_mock.services.journal.recording import Journal
from civitai_mock.services.resources import ManageResources
from civitai_mock.settings import Settings, SettingsError
from civitai_mock.telemetry.loop_lag import measuring_lag

if TYPE_CHECKING:  # what only those need who have scenarios or a fleet is not loaded at the start
    from civitai_mock.domain.fleet.document import FleetDocument
    from civitai_mock.services.faults.scenarios import FileScenarios

DISTRIBUTION = "civitai-mock"
URL_KEY = "blob-urls"
CLOSE_SECONDS = 0.5
SETTLE_SECONDS = 0.1  # for whoever waits for the server to be healthy

logger = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundNetwork:
    """Reaches the hosts that callers name, with one client and one resolver, whatever is sent."""

    get_client: GetClient
    resolve: Resolve

    def guarded_by(self, hosts: HostPolicy) -> GuardedHttpClient:
        """Return a client for the hosts that the policy allows."""
        return GuardedHttpClient(get_client=self.get_client, hosts=hosts, resolve=self.resolve)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Holds everything that is open while a process runs, for all of its namespaces.

    `clock` is that of leases, limits and polls. It and `ids` are also those of a namespace that has not its own.
    `stores` work on the first epoch of the default namespace: each namespace has its own, as it has a provider of its
    own if that is simulated. `blob_key` signs the URLs of blobs.
    """

    settings: Settings
    clock: Clock
    ids: Ids
    stores: Stores
    provider: Provider
    artist: Artist
    inspector: FileInspector
    network: OutboundNetwork
    media_fetcher: MediaFetcher
    event_feed: FollowEvents
    blob_key: bytes
    metrics: Metrics
    journal: Journal
    server_rules: ServerRules
    usual_fleet: "FleetDocument | None"


@asynccontextmanager
async def open_runtime(
    settings: Settings,
    *,
    clock: Clock | None = None,
    ids: Ids | None = None,
    stores: Stores | None = None,
    provider: Provider | None = None,
    artist: Artist | None = None,
    network: OutboundNetwork | None = None,
    metrics: Metrics | None = None,
) -> AsyncIterator[Runtime]:
    """Open everything that is not given, and close it in the opposite order; what is given stays open.

    Raise `TransientError` if the store cannot be opened, and `SettingsError` for a file of settings that is wrong.
    """
    clock, ids, metrics = clock or SystemClock(), ids or RandomIds(), metrics or Metrics()
    server_rules = ServerRules(_read_scenarios(settings))
    usual_fleet = _read_fleet(settings)
    async with _closing_in_time() as opened:
        if settings.otel_exporter_otlp_endpoint is not None:
            metrics.record_span = await opened.enter_async_context(_open_span_export(settings))
        if stores is None:
            stores = await opened.enter_async_context(open_stores(settings, metrics=metrics))
        if provider is None:
            provider = await opened.enter_async_context(open_provider(settings, clock=clock, ids=ids))
        if artist is None:
            artist = await opened.enter_async_context(
                StandInArtist(image_content=settings.simulation_pictures, metrics=metrics)
            )
        inspector = await opened.enter_async_context(MediaInspector(max_pixels=settings.image_max_pixels))
        if network is None:
            network = await opened.enter_async_context(_open_network())
        if settings.seeds_at_start:
            await ManageResources(resources=stores.resources).seed_if_empty(read_catalogue())
        await opened.enter_async_context(measuring_lag(metrics))
        yield Runtime(
            settings=settings,
            clock=clock,
            ids=ids,
            stores=stores,
            provider=provider,
            artist=artist,
            inspector=inspector,
            network=network,
            media_fetcher=_make_media_fetcher(settings, network),
            event_feed=FollowEvents(feed=stores.feed, namespace_feed=stores.namespace_feed, clock=clock),
            blob_key=await _blob_key(settings, stores),
            metrics=metrics,
            journal=_make_journal(settings, metrics),
            server_rules=server_rules,
            usual_fleet=usual_fleet,
        )


@asynccontextmanager
async def _closing_in_time() -> AsyncIterator[AsyncExitStack]:
    """Close what was opened, but give up after `CLOSE_SECONDS`: a store that hangs must not hold up the end."""
    stack = AsyncExitStack()
    try:
        yield stack
    finally:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await stack.aclose()
        except TimeoutError:
            logger.warning("not closed in time", limit_s=CLOSE_SECONDS)


def loading_rest(*, modules: Iterable[str] = ()) -> AbstractAsyncContextManager[None]:
    """Load late what every process that works with jobs needs in the end, and `modules`."""
    return loading_late([model.model_rebuild for model in wire_models()], modules=modules)


@asynccontextmanager
async def loading_late(parts: Iterable[Callable[[], object]], *, modules: Iterable[str] = ()) -> AsyncIterator[None]:
    """Load soon after the start what the first healthy answer does not need, so that no later request waits for it.

    One part is loaded at a time, beside what runs: a request that comes meanwhile waits for one part at most. A part
    that is used before loads at that moment, and one that cannot be loaded fails again where it is used. Before them
    `modules` are imported in a thread, as an import cannot be divided.
    """
    loading = asyncio.create_task(_load(parts, modules), name="late loading")
    try:
        yield
    finally:
        loading.cancel()


async def _load(parts: Iterable[Callable[[], object]], modules: Iterable[str]) -> None:
    await asyncio.sleep(SETTLE_SECONDS)
    for module in modules:
        await imported(module)
    for load in parts:
        load()
        await asyncio.sleep(0)


def _read_scenarios(settings: Settings) -> "FileScenarios":
    """Read the file of scenarios; what that needs is only imported for it."""
    if settings.scenarios is None:
        return {}
    from civitai_mock.bootstrap.scenarios import read_file_scenarios

    return read_file_scenarios(settings.scenarios, most=settings.scenarios_max)


def _read_fleet(settings: Settings) -> "FleetDocument | None":
    """Read the fleet that each namespace has; what that needs is only imported for it."""
    if settings.fleet is None:
        return None
    from civitai_mock.bootstrap.fleet import read_fleet

    return read_fleet(settings.fleet, servers=server_names(settings))


def _open_span_export(settings: Settings) -> AbstractAsyncContextManager[RecordSpan]:
    """Open the export of spans; what it needs is only imported for it, and may be missing."""
    endpoint = str(settings.otel_exporter_otlp_endpoint)
    try:
        from civitai_mock.telemetry.spans import exporting_spans
    except ImportError as error:
        raise SettingsError(
            f"OTEL_EXPORTER_OTLP_ENDPOINT: found '{redacted(endpoint)}', expected nothing, as"
            " OpenTelemetry is not installed; run: pip install 'civitai-mock[otel]'"
        ) from error
    return exporting_spans(
        endpoint=endpoint,
        headers=settings.otel_headers,
        service=settings.otel_service_name,
        version=version(DISTRIBUTION),
    )


@asynccontextmanager
async def _open_network() -> AsyncIterator[OutboundNetwork]:
    client = LateHttpClient(user_agent=f"{DISTRIBUTION}/{version(DISTRIBUTION)}", make_tls_context=make_tls_context)
    async with aclosing(client):
        with DnsResolver() as resolve:
            yield OutboundNetwork(get_client=client, resolve=resolve)


def _make_media_fetcher(settings: Settings, network: OutboundNetwork) -> MediaFetcher:
    limits = ImageLimits(max_bytes=settings.image_max_bytes, max_pixels=settings.image_max_pixels)
    return MediaFetcher(
        client=network.guarded_by(image_policy(settings.image_patterns)),
        limits=limits,
        media_limits=MediaLimits(max_bytes=settings.media_max_bytes, images=limits),
        timeout=timedelta(seconds=settings.image_timeout_s),
    )


def _make_journal(settings: Settings, metrics: Metrics) -> Journal:
    return Journal(
        max_entries=settings.journal_max_entries if settings.keeps_journal else 0,
        max_bytes=settings.journal_max_bytes,
        metrics=metrics,
    )


async def _blob_key(settings: Settings, stores: Stores) -> bytes:
    """Return the key of BLOB_SIGNING_KEY, or else the one that all processes on the store share."""
    fixed_key = settings.blob_signing_key
    return fixed_key.get_secret_value().encode() if fixed_key else await stores.secrets.secret(URL_KEY)
