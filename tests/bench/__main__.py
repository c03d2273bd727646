"""`python -m tests.bench`: run rows, and print what came of them."""

import argparse
import json
import resource
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import product

from tests.bench.goals import STORES
from tests.bench.load import LoadProcess
from tests.bench.report import json_of, text_of
from tests.bench.revisions import UnknownRevisionError, checked_out
from tests.bench.rounds import Result, Size, run_row
from tests.bench.rows import ROWS, Row
from tests.bench.servers import Place
from tests.bench.soak.command import main as soak

SOAK = "soak"
INTERRUPTED, STOPPED = 130, 143


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.bench", description=sys.modules["tests.bench"].__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"rows to run, all by default: {', '.join(ROWS)}")
    parser.add_argument("--rounds", type=int, help="how many rounds, in place of what a row says")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the requests of a row, for a quick look")
    parser.add_argument("--stores", nargs="+", choices=STORES, help="where to run, in place of what a row says")
    parser.add_argument("--processes", nargs="+", type=int, choices=(1, 2), default=[1], help="2: API and scheduler")
    parser.add_argument("--against", metavar="REV", help="run this revision of ours in turn, and compare")
    parser.add_argument("--json", action="store_true", help="print one JSON document at the end")
    options = parser.parse_args(arguments)
    if options.scale <= 0 or (options.rounds is not None and options.rounds < 1):
        parser.error("--scale must be more than 0, and --rounds at least 1")
    if unknown := [name for name in options.names if name not in ROWS]:
        parser.error(f"unknown row {unknown[0]}; rows are {', '.join(ROWS)}")
    return options


def places_of(row: Row, options: argparse.Namespace) -> Iterator[Place]:
    for store, processes in product(options.stores or row.stores, options.processes):
        place = Place(store=store, processes=processes)
        if place.is_possible:
            yield place


def bench(options: argparse.Namespace) -> Iterator[Result]:
    with ExitStack() as stack:
        names = [None, options.against] if options.against else [None]
        revisions = [stack.enter_context(checked_out(name)) for name in names]
        load_process = stack.enter_context(LoadProcess())
        for row in [ROWS[name] for name in options.names or ROWS]:
            for place in places_of(row, options):
                yield run_row(
                    row,
                    place,
                    Size(rounds=options.rounds, scale=options.scale),
                    revisions=revisions,
                    load_process=load_process,
                    progress=_tell,
                )


def main(arguments: Sequence[str]) -> int:
    """End with 1 if something of ours could not be measured."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(STOPPED))  # so that no server is left running
    if arguments[:1] == [SOAK]:
        return soak(arguments[1:])
    options = parse_arguments(arguments)
    _raise_file_limit()
    results = list[Result]()
    try:
        for result in bench(options):
            results.append(result)
            _tell("")
            if not options.json:
                print(text_of(result), flush=True)
    except UnknownRevisionError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED
    if options.json:
        print(json.dumps(json_of(results), indent=2))
    return int(any(result.has_failed for result in results))


def _raise_file_limit() -> None:
    """Thousands of clients are thousands of open sockets, in the processes that this one starts."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _tell(line: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
