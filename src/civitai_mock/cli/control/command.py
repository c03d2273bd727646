"""Run a command that speaks to a running server, and say in a line or some what is wrong."""

import argparse
import gc
from collections.abc import Sequence
from http import HTTPStatus

from civitai_mock.cli.control.address import find_server
from civitai_mock.cli.control.output import complain, open_output
from civitai_mock.cli.control.session import Session, UsageError
from civitai_mock.cli.process import Stop
from civitai_mock.domain.errors import MockError
from civitai_mock.domain.namespaces import DEFAULT
from civitai_mock.network.control_plane_client import RefusedError, UnreachableError, open_control_plane

REFUSED = 1
STATUSES = {UsageError: 2, UnreachableError: 3}
END_SECONDS = 2.0  # for what was begun to be taken back


class Interrupted(BaseException):
    """Ends what the main thread does, wherever that is."""


def run_control(arguments: argparse.Namespace, stop: Stop) -> int:
    """Return the exit status: 1 if the server refused, or a check failed, 2 for usage, 3 if nothing answers."""
    gc.enable()
    try:
        return _run(arguments, stop)
    except MockError as error:
        complain(_lines_of(error))
        return STATUSES.get(type(error), REFUSED)
    except OSError as error:  # of a file or of standard output: those of connections are explained
        complain([f"{error.filename or 'standard output'} fails: {error.strerror or error}"])
        return REFUSED
    except Interrupted:
        return stop.status


def _lines_of(error: MockError) -> Sequence[str]:
    if not isinstance(error, RefusedError):
        return error.message.splitlines()
    if error.status == HTTPStatus.UNAUTHORIZED:
        return [*error.lines, "give the token by --token, or by ADMIN_TOKEN in the environment or .env"]
    return error.lines


def _run(arguments: argparse.Namespace, stop: Stop) -> int:
    address = find_server(arguments)
    stop.in_good_order(_interrupt, limit_s=END_SECONDS, give_up=stop.now)
    with open_control_plane(address.url, token=address.token, namespace=address.namespace) as server:
        session = Session(
            arguments=arguments, server=server, output=open_output(), namespace=address.namespace or DEFAULT
        )
        return arguments.act(session) or 0


def _interrupt() -> None:
    raise Interrupted
