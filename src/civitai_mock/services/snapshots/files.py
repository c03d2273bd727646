"""Errors of the temporary files that snapshots are in."""

from collections.abc import Iterator
from contextlib import contextmanager

from civitai_mock.domain.errors import TransientError


@contextmanager
def file_errors() -> Iterator[None]:
    """Raise a `TransientError` for what the system says of a disk that is full, or gone."""
    try:
        yield
    except OSError as error:
        raise TransientError(f"A temporary file cannot be written: {error.strerror}.") from error
