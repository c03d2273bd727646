"""What each of these commands has: its arguments, the server, and where to print."""

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, TypeAlias

from civitai_mock.cli.control.output import Output, complain
from civitai_mock.cli.control.tables import Row, Table, shown, width_of
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import MockError
from civitai_mock.domain.json_types import Json, as_object, as_texts

if TYPE_CHECKING:  # httpx takes longer than all else, and `--help` needs none
    from civitai_mock.network.control_plane_client import ControlPlaneClient


class UsageError(MockError):
    """Says in one line which argument, setting or file cannot be used."""

    code = "usage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Is one command that runs; `namespace` is the name of the one that is meant."""

    arguments: argparse.Namespace
    server: "ControlPlaneClient"
    output: Output
    namespace: str

    @property
    def as_json(self) -> bool:
        return bool(self.arguments.json)

    def list(self, path: str, head: Sequence[str], row: Callable[[Mapping[str, Json]], Row]) -> None:
        """Print a list, all pages of it, as a table or as one array."""
        pages = self.server.pages(path)
        if self.as_json:
            self.output.json_array(pages)
        else:
            self.table(head, ([row(as_object(item)) for item in page] for page in pages))

    def table(self, head: Sequence[str], pages: Iterable[Iterable[Row]]) -> None:
        Table(output=self.output, head=head).print(pages)

    def show(self, answer: Json, members: Mapping[str, Json] | None = None) -> None:
        """Print an object: what the API answers, or else some members of it, one a line."""
        if self.as_json:
            self.output.json(answer)
            return
        lines = {name: value for name, value in (members or as_object(answer)).items() if value not in (None, "")}
        width = max(map(width_of, lines), default=0)
        for name, value in lines.items():
            self.output.line(f"{name:{width}}  {self.output.text(shown(value))}")

    def done(self, answer: Json, text: str) -> None:
        """Print what a change has done, and which processes do not obey it yet."""
        not_yet = as_texts(as_object(answer).get("notYet"))
        if self.as_json:
            if answer is not None:
                self.output.json(answer)
        else:
            self.output.line(self.output.text(text))
        if not_yet:
            complain([f"these processes have not confirmed it yet: {', '.join(not_yet)}"])


@contextmanager
def usable(path: Path, mode: Literal["rb", "wb", "xb"], *, named: Path | None = None) -> Iterator[IO[bytes]]:
    """Open a file of the user; raise `UsageError`, with the name that it was given, for one that cannot be opened."""
    try:
        file = path.open(mode)
    except OSError as error:
        what = "read" if mode == "rb" else "written"
        raise UsageError(f"{named or path} cannot be {what}: {error.strerror}") from error
    try:
        with file:
            yield file
    except OSError as error:
        error.filename = error.filename or str(named or path)
        raise


Command: TypeAlias = Callable[[Session], "int | None"]
