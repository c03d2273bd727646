"""Run the command that the arguments name, and say in one line what ends it."""

import argparse
import sys
from functools import partial
from typing import TYPE_CHECKING

from civitai_mock.cli.address import interfaces_of
from civitai_mock.cli.arguments import MONOLITH, ArgumentsError, parse_arguments
from civitai_mock.cli.refusal import BAD_SETTINGS, FAILED, refuse, wants_json
from civitai_mock.cli.stop import Stop
from civitai_mock.cli.streams import leave, open_standard_streams

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from civitai_mock.settings import Settings

    Command = Callable[[Settings, argparse.Namespace, Stop], int]

FEWEST_DESCRIPTORS = 64
NO_THREAD = "can't start new thread"  # a limit of the machine, by no name of its own


def run(stop: Stop) -> int:
    """Exit status 2 is for arguments and settings that cannot work, 1 for everything else that ends a command."""
    try:
        arguments = parse_arguments()
    except ArgumentsError as error:
        return refuse(str(error), status=BAD_SETTINGS, as_json=wants_json())
    return _attempt(arguments, stop)


def _reload(settings: "Settings", command: str) -> int:
    from civitai_mock.serving.server import listen, serve_reloading

    listeners = [listen(host, settings.port) for host in interfaces_of(settings.host)]
    serve_reloading(partial(serve_again, command), listeners)
    return 0


def serve_again(command: str, sockets: "list[socket.socket] | None") -> None:
    """Run a command that serves in this new process, on sockets that another has opened, and end it."""
    open_standard_streams()
    stop = Stop()
    stop.listen()
    arguments = argparse.Namespace(command=command, reload=False, listeners=sockets)
    leave(_attempt(arguments, stop))


def _attempt(arguments: argparse.Namespace, stop: Stop) -> int:
    try:
        if arguments.command == "healthcheck":
            return _check_health(arguments.checked)
        return _run_with_settings(arguments, stop)
    except Exception as error:  # noqa: BLE001 - told by the next
        from civitai_mock.telemetry import configure_logging

        as_json = wants_json()
        configure_logging(json=as_json, level="error")
        return _refused(error, as_json=as_json)


def _check_health(checked: str | None) -> int:
    from civitai_mock.cli.healthcheck import find_fault

    fault = find_fault(checked)
    return 0 if fault is None else refuse(fault, status=FAILED, as_json=False)


def _run_with_settings(arguments: argparse.Namespace, stop: Stop) -> int:
    from civitai_mock.settings import Settings
    from civitai_mock.telemetry import configure_logging, log_what_nobody_catches

    settings = Settings.load()
    configure_logging(json=settings.logs_json, level=settings.log_level)
    log_what_nobody_catches()
    try:
        _refuse_too_few_descriptors()
        if arguments.reload:
            return _reload(settings, arguments.command)
        return _command(arguments.command)(settings, arguments, stop)
    except Exception as error:  # noqa: BLE001 - told by the next
        return _refused(error, as_json=settings.logs_json)


def _refuse_too_few_descriptors() -> None:
    """Refuse a start that would fail somewhere inside event loop or store, without a word about the limit."""
    if sys.platform == "win32":
        return
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= limit < FEWEST_DESCRIPTORS:
        raise OSError(f"this process may open {limit} files (ulimit -n); it needs {FEWEST_DESCRIPTORS} at least")


def _command(name: str) -> "Command":
    """Only what this one needs is imported."""
    if name == "scheduler":
        from civitai_mock.cli.scheduling import schedule

        return schedule
    if name == "seed":
        from civitai_mock.cli.seeding import seed

        return seed
    from civitai_mock.cli.serving import serve_api, serve_comfyui, serve_monolith

    return {MONOLITH: serve_monolith, "api": serve_api, "comfyui": serve_comfyui}[name]


def _refused(error: Exception, *, as_json: bool) -> int:
    """Whatever nobody foresaw is a bug, which needs its traceback to be found."""
    import structlog

    from civitai_mock.domain.errors import InvalidRequestError, MockError
    from civitai_mock.settings import SettingsError
    from civitai_mock.telemetry import configure_logging

    if isinstance(error, SettingsError | InvalidRequestError):
        return refuse(str(error), status=BAD_SETTINGS, as_json=as_json)
    if isinstance(error, MockError | OSError) or str(error) == NO_THREAD:
        return refuse(str(error), status=FAILED, as_json=as_json)
    configure_logging(json=as_json, level="error")  # as it is by default, a traceback tells the values of variables
    structlog.stdlib.get_logger().error("ended by a bug", exc_info=error)
    return FAILED
