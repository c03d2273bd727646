"""The command `snapshot`: save a namespace as a file, and make one what a file has."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from civitai_mock.cli.control.session import Session, usable

ZIP = "application/zip"


def save(session: Session) -> None:
    file = Path(session.arguments.file)
    with _replaced(file) as part:
        size = session.server.download(_path(session), part)
    session.done(None, f"namespace {session.namespace} is saved in {file} ({size} bytes)")


def restore(session: Session) -> None:
    file = Path(session.arguments.file)
    with usable(file, "rb") as content:
        answer = session.server.upload(_path(session), content, content_type=ZIP)
    session.done(answer, f"namespace {session.namespace} is what {file} has")


def _path(session: Session) -> str:
    return f"namespaces/{session.namespace}/snapshot"


@contextmanager
def _replaced(file: Path) -> Iterator[IO[bytes]]:
    """Open what is to be written; the file has all of it or stays as it was. What is no file (a pipe) is written to."""
    if file.exists() and not file.is_file():
        with usable(file, "wb") as content:
            yield content
        return
    target = file.resolve()
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    with usable(part, "xb", named=file) as content:
        try:
            yield content
            content.flush()
            part.replace(target)
        except BaseException:
            part.unlink()
            raise
