"""Run the command that the arguments name, and say in one line what ends it.

A command imports only what it needs, so that health checks and refusals are quick.
"""

import argparse
import gc
import json
import os
import sys
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from civitai_mock.cli.arguments import CONTROL_COMMANDS, MONOLITH, ArgumentsError, parse_arguments
from civitai_mock.cli.process import Stop, leave
from civitai_mock.cli.standard_streams import open_standard_streams
from civitai_mock.environment import setting_values
from civitai_mock.serving.address import interfaces_of

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from civitai_mock.settings import Settings

    Command = Callable[[Settings, argparse.Namespace, Stop], int]

PROGRAM = "civitai-mock"
EXTRAS = ("rich", "httpx._main", "watchfiles")
# FastAPI imports it to look for models of pydantic 1 in each route, and does without: 14 of 540 ms of a start.
ABSENT: "dict[str, Any]" = {"pydantic.v1": None}
SERVING = (MONOLITH, "api", "scheduler")
FAILED, BAD_SETTINGS = 1, 2
FEWEST_DESCRIPTORS = 64
NO_THREAD = "can't start new thread"  # Python's text for a limit of the machine, which has no exception of its own


def run(stop: Stop) -> int:
    """Return the exit status: 2 for arguments and settings that cannot work, 1 for all else that ends a command."""
    gc.disable()  # until something runs: what is imported stays, and to look through it took an eighth of the start
    try:
        arguments = parse_arguments()
    except ArgumentsError as error:
        is_control = sys.argv[1:2] != [] and sys.argv[1] in CONTROL_COMMANDS  # whose reader is no collector of logs
        return refuse(str(error), status=BAD_SETTINGS, as_json=not is_control and wants_json())
    return _attempt(arguments, stop)


def _attempt(arguments: argparse.Namespace, stop: Stop) -> int:
    try:
        if arguments.command == "healthcheck":
            return _check_health(arguments.checked)
        if arguments.command in CONTROL_COMMANDS:
            return _control(arguments, stop)
        return _run_with_settings(arguments, stop)
    except Exception as error:  # noqa: BLE001 - the next line reports it
        from civitai_mock.telemetry.logs import configure_logging

        as_json = wants_json()
        configure_logging(json=as_json, level="error")
        return _report_end(error, as_json=as_json)


def _check_health(checked: str | None) -> int:
    from civitai_mock.cli.healthcheck import find_fault

    fault = find_fault(checked)
    return 0 if fault is None else refuse(fault, status=FAILED, as_json=False)


def _control(arguments: argparse.Namespace, stop: Stop) -> int:
    _import_without_extras("httpx")
    from civitai_mock.cli.control.command import run_control

    return run_control(arguments, stop)


def _run_with_settings(arguments: argparse.Namespace, stop: Stop) -> int:
    serves, watches = arguments.command in SERVING, arguments.reload
    _import_without_extras("structlog", *(["uvicorn"] if serves and not watches else []))
    from civitai_mock.settings import Settings
    from civitai_mock.telemetry.logs import configure_logging, log_uncaught_exceptions

    settings = Settings.load()
    configure_logging(json=settings.logs_json, level=settings.log_level)
    log_uncaught_exceptions()
    _warn_of_misspelt(settings)
    try:
        _refuse_too_few_descriptors()
        if serves and settings.comfy_servers:
            _import_without_extras("httpx")
        if arguments.reload:
            return _reload(settings, arguments.command)
        return _command(arguments.command)(settings, arguments, stop)
    except Exception as error:  # noqa: BLE001 - the next line reports it
        return _report_end(error, as_json=settings.logs_json)


def _warn_of_misspelt(settings: "Settings") -> None:
    """Say which names in `.env` are probably misspelt: a setting about access would not be applied."""
    for name, nearest in settings.misspelt.items():
        import structlog

        structlog.stdlib.get_logger().warning("unknown setting", name=name, did_you_mean=nearest)


def _import_without_extras(*modules: str) -> None:
    """Import what loads rich and more where that is installed: a tenth of the start, for output that we never show.

    structlog would show tracebacks by it, httpx, which those import that ask servers, has a command line, and uvicorn
    watches files where it is to start again.
    """
    sys.modules.update(ABSENT)
    hidden: dict[str, Any] = {name: None for name in EXTRAS if name not in sys.modules}  # an import of None fails
    sys.modules.update(hidden)
    try:
        for name in modules:
            import_module(name)
    finally:
        for name in hidden:
            del sys.modules[name]


def _refuse_too_few_descriptors() -> None:
    """Refuse a start that would fail somewhere inside event loop or store, without a word about the limit."""
    if sys.platform == "win32":
        return
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= limit < FEWEST_DESCRIPTORS:
        raise OSError(f"this process may open {limit} files (ulimit -n); it needs {FEWEST_DESCRIPTORS} at least")


def _reload(settings: "Settings", command: str) -> int:
    from civitai_mock.serving.server import listen, serve_reloading

    listeners = [listen(host, settings.port) for host in interfaces_of(settings.host)]
    gc.enable()
    serve_reloading(partial(serve_again, command), listeners)
    return 0


def serve_again(command: str, sockets: "list[socket.socket] | None") -> None:
    """Run a command that serves in this new process, on sockets that another has opened, and end it."""
    open_standard_streams()
    stop = Stop()
    stop.listen()
    arguments = argparse.Namespace(command=command, reload=False, listeners=sockets)
    leave(_attempt(arguments, stop))


def _command(name: str) -> "Command":
    if name == "scheduler":
        from civitai_mock.cli.scheduler import run_scheduler

        return run_scheduler
    if name == "seed":
        return _seed
    from civitai_mock.cli.server import serve_api, serve_comfyui, serve_monolith

    return {MONOLITH: serve_monolith, "api": serve_api, "comfyui": serve_comfyui}[name]


def _seed(settings: "Settings", _: argparse.Namespace, __: Stop) -> int:
    """Add the built-in resources to the store."""
    from civitai_mock.bootstrap.stores import open_stores, read_catalogue
    from civitai_mock.cli.event_loop import run_until_done
    from civitai_mock.services.resources import ManageResources

    catalogue = read_catalogue()

    async def add_all() -> int:
        async with open_stores(settings) as stores:
            return await ManageResources(resources=stores.resources).seed(catalogue)

    added = run_until_done(add_all())
    sys.stdout.write(f"{added} resources added, {len(catalogue) - added} were there already\n")
    return 0


def _report_end(error: Exception, *, as_json: bool) -> int:
    """Say in one line what ends the command; a bug, which nobody foresaw, needs its traceback to be found."""
    import structlog

    from civitai_mock.domain.errors import InvalidRequestError, MockError
    from civitai_mock.settings import SettingsError
    from civitai_mock.telemetry.logs import configure_logging

    if isinstance(error, SettingsError | InvalidRequestError):
        return refuse(str(error), status=BAD_SETTINGS, as_json=as_json)
    if isinstance(error, MockError | OSError) or str(error) == NO_THREAD:
        return refuse(str(error), status=FAILED, as_json=as_json)
    configure_logging(json=as_json, level="error")  # by default structlog's traceback shows the values of variables
    structlog.stdlib.get_logger().error("ended by a bug", exc_info=error)
    return FAILED


def refuse(message: str, *, status: int, as_json: bool) -> int:
    """Print a line for each line of the message, in the form of the log; return the status."""
    for line in message.splitlines():
        sys.stdout.write(f"{_json_line(line)}\n") if as_json else sys.stderr.write(f"{PROGRAM}: {line}\n")
    return status


def wants_json() -> bool:
    """Return what `Settings.logs_json` says, as far as it can be known where the settings as a whole are refused."""
    from civitai_mock.env_files import values_in_readable_env_files

    found = values_in_readable_env_files() | setting_values(os.environ)
    wanted = found.get("log_format", "auto")
    return wanted == "json" or (wanted == "auto" and found.get("node_env") == "production")


def _json_line(line: str) -> str:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    reason = line.encode("utf-8", "backslashreplace").decode("utf-8")  # the environment may hold bytes that are no text
    return json.dumps({"event": "ended", "reason": reason, "level": "error", "timestamp": now}, ensure_ascii=False)
