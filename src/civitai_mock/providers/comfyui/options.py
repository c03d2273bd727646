"""What whoever uses ComfyUI servers may choose."""

import ssl
from dataclasses import dataclass, field
from datetime import timedelta

from civitai_mock.providers.comfyui.protocol.tracker import Limits

CA_SETTING = "COMFY_CA_FILE"  # what a user names a CA in, for `tls` to trust it


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """`transfer` is for bodies that may be large, and for the longest silence within an image."""

    ordinary: timedelta = timedelta(seconds=10)
    transfer: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComfyOptions:
    """`max_in_flight` is for each server: enough to keep it busy, few enough to lose little when it dies."""

    authorization: str | None = field(default=None, repr=False)  # a whole header value, sent to every server
    tls: ssl.SSLContext | None = field(default=None, repr=False)  # whose certificates are trusted, if not by default
    max_in_flight: int = 4
    first_look: timedelta = timedelta(seconds=10)  # how long opening waits for servers that do not answer
    poll: timedelta = timedelta(seconds=2)  # of queue and history, beside a socket that is open
    poll_alone: timedelta = timedelta(seconds=0.5)  # without one
    health: timedelta = timedelta(seconds=10)  # between looks at a server that answers
    catalogue: timedelta = timedelta(minutes=5)  # how old a server's lists may get unless a file is missing
    patience: timedelta = timedelta(minutes=2)  # with which a graph waits for a server that may come back
    longest_turn: timedelta = timedelta(minutes=5)  # that a graph waits for room, before its job goes back to the queue
    stall: timedelta = timedelta(minutes=10)  # without a sign from a running prompt until its server counts as dead
    settle: timedelta = timedelta(seconds=5)  # that a prompt waits on one server before it may be moved to another
    rest: timedelta = timedelta(seconds=30)  # of a server that fails prompt after prompt; it doubles each time
    longest_rest: timedelta = timedelta(minutes=10)
    longest_pause: timedelta = timedelta(seconds=5)  # between tries to reach a server that is away
    limits: Limits = field(default_factory=Limits)
    timeouts: Timeouts = field(default_factory=Timeouts)


DEFAULT_OPTIONS = ComfyOptions()
DEFAULT_TIMEOUTS = Timeouts()
