"""What the fixture `civitai_mock` is: the namespace of one test, with all that a test may do to it."""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from civitai_mock.pytest_plugin.clock import MockClock, duration_text
from civitai_mock.pytest_plugin.control import CivitaiMockError, path_of, printable
from civitai_mock.pytest_plugin.marker import MockOptions
from civitai_mock.pytest_plugin.server import CivitaiMockServer

if TYPE_CHECKING:
    import httpx

CLIENT_SECONDS = 60.0  # how long a client waits for an answer, as some wait for jobs
DIGITS_OF_NAME, DIGITS_OF_SEED = 16, 8
LONGEST_WORD = 40
CONFLICT = 409


class CivitaiMock:
    """Is the world of one test on a mock server: nobody else sees its jobs, clock, faults and balance.

    Point the app under test at `url`; `token` is a Bearer token that leads into the same world at any address of the
    server. Each method waits until the server obeys, and raises `CivitaiMockError` for what it refuses. Whatever has no
    method here can be asked of `control`.
    """

    def __init__(self, server: CivitaiMockServer, test_id: str, options: MockOptions | None = None) -> None:
        """Make no request yet; equal test ids have the same namespace and seed."""
        digest = sha256(test_id.encode()).hexdigest()
        self.server = server
        self.namespace = f"{_readable(test_id)}-{digest[:DIGITS_OF_NAME]}"
        self.token = f"{self.namespace}-token"
        self.url = f"{server.url}/ns/{self.namespace}"
        self._options = options or MockOptions()
        self.seed = int(digest[-DIGITS_OF_SEED:], 16) if self._options.seed is None else self._options.seed
        self.control = replace(server.control, namespace=self.namespace)
        self._clients = ExitStack()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url}>"

    def reset(self) -> None:
        """Make everything as it is when the test begins."""
        __tracebackhide__ = True
        self.delete()
        wanted = {"seed": self.seed, "tokens": [self.token]}
        wanted |= {} if self._options.balance is None else {"balance": self._options.balance}
        wanted |= {} if self._options.progress is None else {"progress": self._options.progress}
        self.control.change("PUT", path_of("namespaces", self.namespace), wanted)
        for fault in self._options.faults:
            self.fault(fault)

    def delete(self) -> None:
        """Delete the namespace with all that is in it."""
        __tracebackhide__ = True
        self.control.change("DELETE", path_of("namespaces", self.namespace))

    def close(self) -> None:
        """Close the clients."""
        self._clients.close()

    @cached_property
    def client(self) -> "httpx.Client":
        """Return a client with the base address and the token; it is closed after the test."""
        import httpx

        client = httpx.Client(**self._client_options)
        return self._clients.enter_context(client)

    @cached_property
    def async_client(self) -> "httpx.AsyncClient":
        """Return the same for coroutines; it keeps no connection open, so that nobody has to close it."""
        import httpx

        return httpx.AsyncClient(**self._client_options, limits=httpx.Limits(max_keepalive_connections=0))

    @property
    def _client_options(self) -> dict[str, Any]:
        return {
            "base_url": self.url,
            "headers": {"Authorization": f"Bearer {self.token}"},
            "timeout": CLIENT_SECONDS,
            "verify": self.server.tls,
            "trust_env": False,
        }

    @cached_property
    def clock(self) -> MockClock:
        return MockClock(self.control)

    @property
    def jobs(self) -> list[dict[str, Any]]:
        """Return all jobs, the youngest first."""
        __tracebackhide__ = True
        return self.control.items("/jobs")

    def job(self, job_id: str) -> dict[str, Any]:
        """Return a job with its events and callbacks."""
        __tracebackhide__ = True
        found: dict[str, Any] = self.control.get(path_of("jobs", job_id))
        return found

    @property
    def calls(self) -> list[dict[str, Any]]:
        """Return the entries of the journal, the oldest first."""
        __tracebackhide__ = True
        return self.control.items("/journal")[::-1]

    @property
    def faults(self) -> list[dict[str, Any]]:
        """Return the rules in order, with how often each fired (`hits`)."""
        __tracebackhide__ = True
        return self.control.items("/faults")

    def fail_next(self, n: int, preset: str, **params: Any) -> dict[str, Any]:
        """Have the next `n` requests, jobs, blobs or callbacks that the preset fits go wrong; return the rule."""
        __tracebackhide__ = True
        return self.fault(preset, times=n, **params)

    def fault(
        self,
        preset: str | Mapping[str, Any],
        *,
        match: Mapping[str, Any] | None = None,
        times: int | None = None,
        **params: Any,
    ) -> dict[str, Any]:
        """Add a rule, by the name of a preset and its params, or a whole one; return it with its `id`."""
        __tracebackhide__ = True
        rule: dict[str, Any] = {"preset": preset} if isinstance(preset, str) else dict(preset)
        given = {"match": match, "times": times, "params": params or None}
        rule |= {name: value for name, value in given.items() if value is not None}
        added: dict[str, Any] = self.control.change("POST", "/faults", {"match": {}, **rule})
        return added

    def progress(self, mode: str, **more: Any) -> None:
        """Say what moves jobs: `instant`, `time`, `polls` or `manual`; `each` and `stages` belong to some of them."""
        __tracebackhide__ = True
        self.control.change("PUT", "/progress", {"mode": mode, **more})

    def verify(
        self,
        *,
        count: int | Mapping[str, int] | None = None,
        order: Sequence[Mapping[str, Any]] | None = None,
        within: float | timedelta | str | None = None,
        match: Mapping[str, Any] | None = None,
        **members: Any,
    ) -> None:
        """Raise `AssertionError` if not as many requests came as expected, or not in this order.

        Which requests, is said as in a rule: `method="POST", route="/v1/consumer/jobs"`, or as a whole in `match`.
        With `within` it waits so long.
        """
        __tracebackhide__ = True
        question: dict[str, Any] = {"match": {**(match or {}), **members} or None, "count": count, "order": order}
        question["within"] = None if within is None else duration_text(within)
        try:
            self.control.change(
                "POST",
                "/verify",
                {name: value for name, value in question.items() if value is not None},
                wait=_seconds(within),
            )
        except CivitaiMockError as error:
            if error.status != CONFLICT:
                raise
            raise AssertionError(_difference(error.problem)) from None

    def snapshot(self) -> bytes:
        """Return the namespace as a zip, from which any server can make it again."""
        __tracebackhide__ = True
        return self.control.send("GET", path_of("namespaces", self.namespace, "snapshot"))

    @property
    def never_fired(self) -> list[str]:
        """Return the rules that never fired, if the test is `strict`."""
        if not self._options.strict:
            return []
        idle = (rule for rule in self.faults if not rule["hits"])
        return [f"{rule['id']} ({rule.get('preset') or json.dumps(rule['action'])})" for rule in idle]


def _readable(test_id: str) -> str:
    """Return the part of a test id that tells it from others, in the letters that a namespace may have."""
    name = test_id.rpartition("::")[2]
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)[:LONGEST_WORD]


def _seconds(duration: float | timedelta | str | None) -> float:
    """Return how long the server may wait; what is not a duration is refused by the server."""
    if duration is None:
        return 0.0
    from civitai_mock.domain.durations import parse_duration

    try:
        return parse_duration(duration_text(duration)).total_seconds()
    except ValueError:
        return 0.0


def _difference(problem: Mapping[str, Any]) -> str:
    """Return why a verification failed, with the nearest requests and what is different in each."""
    lines = [str(problem.get("detail") or problem.get("title"))]
    lines += [f"{name}: {json.dumps(problem[name])}" for name in ("expected", "actual") if name in problem]
    if problem.get("incomplete"):
        lines.append("incomplete: entries of the journal were dropped, which could change this")
    lines += [
        f"nearest: {request['method']} {request['path']}: {request['difference']}"
        for request in problem.get("nearest", ())
    ]
    return "\n".join(map(printable, lines))
