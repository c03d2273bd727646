"""The commands that serve HTTP: API and scheduler in one process, the API alone, or the stand-in for ComfyUI."""

import argparse
import socket
import sys
from datetime import timedelta

import structlog

from civitai_mock.cli.arguments import MONOLITH
from civitai_mock.cli.event_loop import exit_status, run_until_done, stop_in_good_order
from civitai_mock.cli.health_files import keep_health_file
from civitai_mock.cli.process import Stop
from civitai_mock.comfyui_standin.arguments import split_addresses
from civitai_mock.serving.address import interfaces_of, is_cut_off, reachable, url_of
from civitai_mock.serving.connection import LIMITS, Phase
from civitai_mock.serving.server import HEARTBEATS, Server, listen
from civitai_mock.settings import Settings

COMFYUI_BODY_SECONDS = 60.0
COMFYUI_GRACE = timedelta(0)  # ComfyUI does not wait for its prompts

logger = structlog.stdlib.get_logger()


def serve_monolith(settings: Settings, arguments: argparse.Namespace, stop: Stop) -> int:
    return _serve(settings, arguments, stop, command=MONOLITH)


def serve_api(settings: Settings, arguments: argparse.Namespace, stop: Stop) -> int:
    return _serve(settings, arguments, stop, command="api")


def _serve(settings: Settings, arguments: argparse.Namespace, stop: Stop, *, command: str) -> int:
    from civitai_mock.bootstrap.application import Application
    from civitai_mock.telemetry.request_lines import make_request_log

    request_log = make_request_log(json=settings.logs_json)
    application = Application(settings, with_scheduler=command == MONOLITH, request_log=request_log)
    address, grace = url_of(settings.host, settings.port), timedelta(milliseconds=settings.shutdown_grace_ms)

    def on_ready() -> None:
        stop_in_good_order(stop, server.begin_stop, grace=grace, jobs_left=lambda: application.jobs_left)
        _warn_if_cut_off(settings.host)
        _warn_if_open(settings)
        runtime = application.namespace.runtime
        store, provider = runtime.stores.health.description, runtime.provider.description
        page = {"page": f"{address}/_mock/ui/"} if settings.has_control_plane else {}
        logger.info("ready", listen=address, store=store, provider=provider, docs=f"{address}/docs", **page)

    server = Server(
        application.app, grace=grace, on_ready=on_ready, on_stop=application.begin_stop, pings_every=HEARTBEATS
    )
    listeners = arguments.listeners or [listen(host, settings.port) for host in interfaces_of(settings.host)]
    _run(server, settings, listeners, command=command, asked_at=(reachable(settings.host), settings.port, "/health"))
    if application.failure is not None:
        raise application.failure
    return exit_status(application.jobs_left)


def serve_comfyui(settings: Settings, arguments: argparse.Namespace, stop: Stop) -> int:
    from civitai_mock.bootstrap.standin import make_comfyui_standin

    hosts = split_addresses(arguments.listen or ",".join(interfaces_of(settings.host)))

    def on_ready() -> None:
        stop_in_good_order(stop, server.begin_stop, grace=COMFYUI_GRACE, jobs_left=lambda: 0)
        _warn_if_cut_off(*hosts)
        address = url_of(hosts[0], arguments.port, encrypted=server.config.is_ssl)
        logger.info("ready", listen=address, stands_in_for="ComfyUI")

    app = make_comfyui_standin(settings, sys.argv[sys.argv.index("comfyui") + 1 :])
    limits = {**LIMITS, Phase.BODY: COMFYUI_BODY_SECONDS}
    server = Server(app, grace=COMFYUI_GRACE, on_ready=on_ready, on_stop=lambda: None, limits=limits)
    if arguments.tls_keyfile and arguments.tls_certfile:
        server.encrypt(keyfile=arguments.tls_keyfile, certfile=arguments.tls_certfile)
    listeners = [listen(host, arguments.port) for host in hosts]
    asked_at = (reachable(hosts[0]), arguments.port, "/system_stats")
    _run(server, settings, listeners, command="comfyui", asked_at=asked_at)
    return 0


def _run(
    server: Server,
    settings: Settings,
    listeners: list[socket.socket],
    *,
    command: str,
    asked_at: tuple[str, int, str],
) -> None:
    """Serve until it is stopped, with a health file that says where to ask."""
    encrypted = server.config.is_ssl
    with keep_health_file({"command": command, "port": settings.port, "asked_at": asked_at, "encrypted": encrypted}):
        run_until_done(server.serve(sockets=listeners), loop_factory=server.config.get_loop_factory())


def _warn_if_cut_off(*hosts: str) -> None:
    if all(map(is_cut_off, hosts)):
        logger.warning(
            "listens inside this container only",
            host=",".join(hosts),
            hint="set HOST=0.0.0.0, or leave it out; only with --network host is this right",
        )


def _warn_if_open(settings: Settings) -> None:
    if settings.control_plane_is_open:
        logger.warning(
            "control plane is open",
            admin=settings.admin,
            hint="everybody who can reach this server may reset it, move its time and read all jobs; set ADMIN_TOKEN",
        )
