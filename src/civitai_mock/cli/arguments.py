"""The command line: parse its commands and options."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from civitai_mock.comfyui_standin.arguments import add_arguments

MONOLITH = "monolith"  # what runs without a command
CHECKED = ("api", "scheduler", "comfyui")
HERE = ("api", "scheduler", "comfyui", "seed", "healthcheck", "--reload", "--version")
CONTROL_COMMANDS = (  # those of a server that runs somewhere
    "jobs", "namespaces", "graph", "reset", "open", "fault", "scenario", "clock", "verify", "snapshot",
)  # fmt: skip


class ArgumentsError(Exception):
    """Says in one line which argument cannot be understood."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ArgumentsError(f"{message}; see {self.prog} --help")


class _Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import version

        sys.stdout.write(f"{version('civitai-mock')}\n")
        parser.exit()


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse those of the process by default; raise `ArgumentsError` for what cannot be understood."""
    given = sys.argv[1:] if arguments is None else arguments
    return _parser(with_all_commands=bool(given) and given[0] not in HERE).parse_args(given)


def _parser(*, with_all_commands: bool) -> argparse.ArgumentParser:
    """Return the parser; what serves here does not load those commands that speak to a server."""
    serving = _Parser(add_help=False)
    serving.set_defaults(listeners=None)  # sockets, where another process has opened them
    serving.add_argument("--reload", action="store_true", help="restart when the source changes")
    parser = _Parser(
        prog="civitai-mock",
        description="A local stand-in for Civitai's generation orchestrator.",
        epilog="Without a command: API and scheduler in one process. Settings come from the environment and .env.",
        parents=[serving],
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and end")
    parser.set_defaults(command=MONOLITH)
    commands = parser.add_subparsers(title="commands", dest="command", metavar="command", parser_class=_Parser)
    commands.default = MONOLITH
    commands.add_parser("api", help="serve HTTP only", parents=[serving])
    commands.add_parser("scheduler", help="run jobs only")
    comfyui = commands.add_parser("comfyui", help="serve a stand-in for ComfyUI, to test its clients against")
    add_arguments(comfyui)
    commands.add_parser("seed", help="add the built-in resources to the store")
    healthcheck = commands.add_parser("healthcheck", help="exit 0 if what runs beside it is healthy, 1 if not")
    healthcheck.add_argument("checked", nargs="?", choices=CHECKED, help="check this one only, not whatever runs here")
    if with_all_commands:
        from civitai_mock.cli.control.arguments import add_control_commands

        parser.set_defaults(url=None, token=None, namespace=None, json=False)
        add_control_commands(commands)
    return parser
