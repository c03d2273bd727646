"""Open the provider that runs graphs: ComfyUI servers, or the simulator."""

import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import cache
from importlib.resources import files

from civitai_mock.generation.graph import Skeleton, parse_skeleton
from civitai_mock.network.tls import make_tls_context
from civitai_mock.ports import Clock, Ids, Provider
from civitai_mock.providers.simulator.simulator import Simulator
from civitai_mock.providers.simulator.timing import PROFILES, TimingProfile
from civitai_mock.settings import Settings

SCHEME_END = "://"
LOCAL = "local"  # what the provider is called unless PROVIDER_NAME says otherwise


def open_provider(settings: Settings, *, clock: Clock, ids: Ids) -> AbstractAsyncContextManager[Provider]:
    """Open the ComfyUI servers of COMFY_HTTP_URL, or else the simulator; what ComfyUI needs is only imported for it."""
    if not settings.comfy_servers:
        return Simulator(
            name=settings.provider_name or LOCAL,
            clock=clock,
            profile=_profile(settings),
            image_content=settings.simulation_pictures,
        )
    from civitai_mock.generation.ecosystems import ecosystem_needs
    from civitai_mock.providers.comfyui.options import ComfyOptions
    from civitai_mock.providers.comfyui.provider import ComfyUI

    authorization = settings.comfy_authorization
    options = ComfyOptions(
        authorization=authorization.get_secret_value() if authorization else None,
        tls=make_tls_context(settings.comfy_ca_file),
        max_in_flight=settings.comfy_max_in_flight,
    )
    return ComfyUI(
        name=settings.provider_name or LOCAL,
        servers=settings.comfy_servers,
        clock=clock,
        ids=ids,
        options=options,
        needs=ecosystem_needs(read_skeletons()),
    )


def server_names(settings: Settings) -> Mapping[str, str]:
    """Return the ids of the servers of COMFY_HTTP_URL by all that they may be called: by it, or by their addresses."""
    servers = settings.comfy_servers
    addresses = {f"{server.http_url.partition(SCHEME_END)[0]}{SCHEME_END}{server.id}": server.id for server in servers}
    return {**{server.id: server.id for server in servers}, **addresses}


def provider_in_world(provider: Provider, *, clock: Clock, ids: Ids) -> Provider:
    """Return the provider of a namespace with this clock and these ids; real servers are the same for all."""
    return provider.in_world(clock=clock, ids=ids) if isinstance(provider, Simulator) else provider


def _profile(settings: Settings) -> TimingProfile:
    """Return the profile of SIMULATION_PROFILE, with the durations that the settings say differently."""
    milliseconds = {
        "load": settings.simulation_load_ms,
        "prompt": settings.simulation_prompt_ms,
        "step_per_megapixel": settings.simulation_step_ms,
        "convert_per_megapixel": settings.simulation_convert_ms,
    }
    seconds = {part: value / 1000 for part, value in milliseconds.items() if value is not None}
    return replace(PROFILES[settings.simulation_profile], **seconds)


@cache
def read_skeletons() -> Mapping[str, Skeleton]:
    """Read the graph of each ecosystem, by its name; the files are read once in a process."""
    folder = files("civitai_mock") / "generation" / "skeletons"
    texts = {file.name.removesuffix(".json"): file.read_text("utf-8") for file in folder.iterdir()}
    return {name: parse_skeleton(name, json.loads(text)) for name, text in texts.items()}
