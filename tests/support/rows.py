"""Tables of which one test asks every row, as a test for each would take longer to begin than to run."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def row(name: object) -> Iterator[None]:
    """Name the row in the report of whatever fails in it."""
    try:
        yield
    except Exception as error:
        error.add_note(f"in the row: {name}")
        raise
