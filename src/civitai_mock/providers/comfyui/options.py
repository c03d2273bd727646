"""What the parts of the ComfyUI provider are given: its options, with their defaults, and its dependencies."""

import ssl
from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta

import httpx

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.generation.work import GraphWork
from civitai_mock.ports import Clock, Ids
from civitai_mock.providers.comfyui.protocol.tracker import LossLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Holds the timeouts of HTTP: `transfer` is for bodies that may be large, and for silence within an image."""

    ordinary: timedelta = timedelta(seconds=10)
    transfer: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComfyOptions:
    """Holds what users of ComfyUI servers may choose.

    `max_in_flight` is for each server: enough to keep it busy, few enough to lose little when it dies.
    """

    authorization: str | None = field(default=None, repr=False)  # a whole header value, sent to every server
    tls: ssl.SSLContext | None = field(default=None, repr=False)  # None trusts the system's certificates
    max_in_flight: int = 4
    opening_timeout: timedelta = timedelta(seconds=10)  # how long opening waits for servers that do not answer
    poll_interval: timedelta = timedelta(seconds=2)  # of queue and history, beside a socket that is open
    socketless_poll_interval: timedelta = timedelta(seconds=0.5)  # without one
    health_interval: timedelta = timedelta(seconds=10)  # between checks of a server that answers
    catalogue_age: timedelta = timedelta(minutes=5)  # how old a server's lists may get unless a file is missing
    server_wait: timedelta = timedelta(minutes=2)  # how long a graph waits for a server that may come back
    room_wait: timedelta = timedelta(minutes=5)  # how long a graph waits for room until its job goes back to the queue
    stall_timeout: timedelta = timedelta(minutes=10)  # how long a running prompt may be silent: then its server is dead
    move_after: timedelta = timedelta(seconds=5)  # how long a prompt waits on one server until it may be moved
    cooldown: timedelta = timedelta(seconds=30)  # of a server that fails prompt after prompt; it doubles each time
    longest_cooldown: timedelta = timedelta(minutes=10)
    longest_backoff: timedelta = timedelta(seconds=5)  # between tries to reach a server that is away
    loss_limits: LossLimits = field(default_factory=LossLimits)
    timeouts: Timeouts = field(default_factory=Timeouts)


DEFAULT_OPTIONS = ComfyOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerDependencies:
    """Holds what all workers of a provider share; `transport` replaces the network in tests.

    `needs` has work of each ecosystem, which tells whether a server can serve it.
    """

    clock: Clock
    ids: Ids
    options: ComfyOptions = DEFAULT_OPTIONS
    needs: Mapping[str, GraphWork] = field(default_factory=dict)
    transport: httpx.AsyncBaseTransport | None = None
