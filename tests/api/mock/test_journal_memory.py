"""The journal takes no more memory however many requests come."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.support.asgi import exchange, http_scope, silence
from tests.support.served_app import serve

REQUESTS = 100_000
ENTRIES = 2000
MOST_GROWN = 4 * 2**20  # about what 4,000 more entries would take
PATH_BYTES = 700
PAGE = 4096


def _memory() -> int:
    """Return the resident memory of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE


@pytest.mark.long
@pytest.mark.parametrize("settings", [{"journal_max_entries": ENTRIES}, {"journal_max_bytes": 2**22}])
async def test_memory_stays_flat_over_100_000_requests(settings: dict[str, Any]) -> None:
    async with serve(**settings) as served:
        vars(served.app.pipeline.request_log)["_write_line"] = lambda *_: None
        rng = Random(0)

        async def ask(times: int) -> None:
            for _ in range(times):
                path = f"/v1/{rng.randbytes(PATH_BYTES).hex()}"  # nothing makes that much shorter
                await exchange(served.app, http_scope("GET", path, host="mock.test"), silence)

        await ask(3 * ENTRIES)
        before = _memory()
        await ask(REQUESTS)
        assert _memory() - before < MOST_GROWN
        assert served.metrics.journal_drops > REQUESTS - ENTRIES
        assert len(served.namespace.journal.entries) <= ENTRIES
