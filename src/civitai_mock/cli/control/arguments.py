"""The words and options of the commands that speak to a running server, and the function that does each."""

import argparse
from typing import Any, TypeAlias

from civitai_mock.cli.control import clock, faults, jobs, namespaces, page, scenarios, snapshots, verify
from civitai_mock.cli.control.session import Command
from civitai_mock.domain.dataclass import dataclass

Added: TypeAlias = "argparse._SubParsersAction[Any]"  # noqa: SLF001 - the type has no other name


def add_control_commands(commands: Added) -> None:
    """Add all of them to the commands of `civitai-mock`."""
    words = _Words(commands)
    listing = words.add("jobs", jobs.list_jobs, "list the jobs of a namespace, or show one with its events")
    listing.add_argument("id", metavar="ID", nargs="?")
    words.add("namespaces", namespaces.list_namespaces, "list the namespaces")
    words.add("graph", jobs.show_graph, "print the graph of a job, as ComfyUI loads it").add_argument(
        "id", metavar="ID"
    )
    resetting = words.add("reset", namespaces.reset, "let the namespace begin anew")
    resetting.add_argument("--all", action="store_true", help="let all of them begin anew")
    words.add("open", page.open_page, "show the page of the server in a browser")
    _add_faults(words.group("fault", "see and set what goes wrong"))
    _add_scenarios(words.group("scenario", "see and set scenarios"))
    _add_clock(words.group("clock", "see the clock of the namespace, and move it", command=clock.show_clock))
    verifying = words.add("verify", verify.verify, "check which requests the server got; exit 1 if they are others")
    _add_match(verifying)
    verifying.add_argument("--count", type=_whole, metavar="N", help="how many there have to be; else one at least")
    _add_snapshots(words.group("snapshot", "save and restore a namespace"))


@dataclass(frozen=True, slots=True)
class _Words:
    """Adds commands, each with the options that all of them have."""

    commands: Added

    def add(self, word: str, command: Command, text: str) -> argparse.ArgumentParser:
        parser = self._add(word, text)
        parser.set_defaults(act=command)
        return parser

    def group(self, word: str, text: str, command: Command | None = None) -> "_Words":
        """Add a word that others follow; without one it is an error, unless it is a command by itself."""
        parser = self._add(word, text)
        if command is not None:
            parser.set_defaults(act=command)
        return _Words(parser.add_subparsers(metavar="word", required=command is None, parser_class=type(parser)))

    def _add(self, word: str, text: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = self.commands.add_parser(
            word, help=text, description=f"{text[0].upper()}{text[1:]}."
        )
        _add_common(parser)
        return parser


def _add_common(parser: argparse.ArgumentParser) -> None:
    """Add options that may stand after any word; one that is not given hides none that was given before."""
    options = parser.add_argument_group("server")
    for name, metavar, text in (
        ("--url", "URL", "where the server is (default: http://127.0.0.1:PORT)"),
        ("--token", "TOKEN", "its ADMIN_TOKEN (default, without --url: that of the environment and .env)"),
        ("--namespace", "NAME", "the namespace that is meant (default: default)"),
    ):
        options.add_argument(name, metavar=metavar, default=argparse.SUPPRESS, help=text)
    options.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="print what the API answers; of lists all pages"
    )


def _add_match(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--method", metavar="M", help="of requests with this method")
    parser.add_argument("--route", metavar="R", help="of this route, like /v1/consumer/jobs/{jobId}")


def _add_faults(words: _Words) -> None:
    words.add("list", faults.list_faults, "list the rules in order")
    adding = words.add("add", faults.add_fault, "add a rule that uses a preset")
    adding.add_argument("preset", metavar="PRESET")
    adding.add_argument("--param", metavar="name=value", action="append", help="a param of the preset, again for more")
    adding.add_argument("--times", type=_whole, metavar="N", help="how often it fires; else always")
    _add_match(adding)
    words.add("remove", faults.remove_fault, "take a rule away").add_argument("id", metavar="ID")
    words.add("clear", faults.clear_faults, "take all rules away")


def _add_scenarios(words: _Words) -> None:
    words.add("list", scenarios.list_scenarios, "list them with their states")
    putting = words.add("put", scenarios.put_scenario, "set one from a file of JSON or YAML")
    putting.add_argument("name", metavar="NAME")
    putting.add_argument("file", metavar="FILE")
    showing = words.add("state", scenarios.show_or_set_state, "show or set the state of one")
    showing.add_argument("name", metavar="NAME")
    showing.add_argument("state", metavar="STATE", nargs="?")


def _add_clock(words: _Words) -> None:
    words.add("freeze", clock.freeze, "stop it, where it is or at a date").add_argument(
        "date", metavar="DATE", nargs="?"
    )
    words.add("resume", clock.resume, "let it go on from where it is")
    advancing = words.add("advance", clock.advance, "move it past all that falls due on the way")
    advancing.add_argument("duration", metavar="DURATION", help="like 90s, 10m, 2h or PT10M")


def _add_snapshots(words: _Words) -> None:
    for word, command, text in (
        ("save", snapshots.save, "save the namespace as one zip"),
        ("restore", snapshots.restore, "make the namespace what a zip has"),
    ):
        words.add(word, command, text).add_argument("file", metavar="FILE")


def _whole(text: str) -> int:
    """Read a number that is not negative."""
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise argparse.ArgumentTypeError(f"found '{text[:100]}', expected a number")
    return int(text)
