"""Why MongoDB cannot be reached now, as the driver has found out, in words that say what to do."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import structlog
from pymongo.errors import NotPrimaryError, ProtocolError
from pymongo.monitoring import (
    ServerClosedEvent,
    ServerDescriptionChangedEvent,
    ServerListener,
    ServerOpeningEvent,
    TopologyClosedEvent,
    TopologyDescriptionChangedEvent,
    TopologyListener,
    TopologyOpenedEvent,
)

# The driver keeps only the words of the system's errors, and puts addresses and limits around them.
LIMITS = re.compile(r" \(configured timeouts: [^)]*\)")
OPENSSL = re.compile(r"\[SSL: (?P<code>\w+)\] (?P<words>.*?)(?: \(_ssl\.c:\d+\))?$")
Address = tuple[str, int | None]
CERTIFICATE, ALERT = "CERTIFICATE_VERIFY_FAILED", "_ALERT_"
NOT_PRIMARY = "it is not the primary of its replica set; leave directConnection out, or name the primary"
CLOSED = "the server closes the connection"
LATE = re.compile(r"timed out|No servers found yet")
NO_TLS = "the server may not speak TLS there"
NAMES = re.compile(r"not known|No address associated|name resolution|getaddrinfo failed|DNS|resolution lifetime")
REASONS: tuple[tuple[re.Pattern[str], str], ...] = (
    (NAMES, "the name of the host is not found"),
    (re.compile(r"refused", re.IGNORECASE), "connection refused, as nobody listens there"),
    (re.compile(r"reset by peer|connection closed|Broken pipe", re.IGNORECASE), CLOSED),
    (re.compile(r"unreachable|No route", re.IGNORECASE), "there is no way to that network"),
)

logger = structlog.stdlib.get_logger()


class Reachability(ServerListener, TopologyListener):
    """Asks the driver what it knows, and listens to it: from `begin` to `end`, each change is logged once.

    The driver reports changes in a thread of its own, up to a second later.
    """

    def __init__(self, description: str, *, seeds: Sequence[Address] = (), topology: Callable[[], Any] = lambda: None):
        """`seeds` are the servers that the URI names; `topology` returns what the driver knows now."""
        self.description = description
        self.topology = topology
        self._seeds = seeds
        self._sets: dict[Address, str | None] = {}
        self._is_opened = False
        self._logged: str | None = None

    def begin(self) -> None:
        """Log changes from now on; until then, whoever opens the store reports trouble."""
        self._is_opened = True

    def end(self) -> None:
        """Log nothing any more: a client that closes has no servers, which is no trouble."""
        self._is_opened = False

    def is_away(self) -> bool:
        """Return whether the driver knows no server now that can be written to."""
        topology = self.topology()
        return topology is not None and not topology.has_writable_server()

    def explain(self, what: str, *, reason: str | None = None) -> str:
        """Return a sentence about the store: `what`, with the reason that is known here, or else with `reason`."""
        known = self._reason_in(self.topology()) or reason
        if known == CLOSED and not self._is_opened:
            known += "; if it wants TLS, add tls=true"
        return f"{self.description} {what}: {known}." if known else f"{self.description} {what}."

    def opened(self, event: ServerOpeningEvent | TopologyOpenedEvent) -> None:
        """Do nothing, as nothing is known yet."""

    def closed(self, event: ServerClosedEvent | TopologyClosedEvent) -> None:
        """Do nothing, as this is our own doing."""

    def description_changed(self, event: ServerDescriptionChangedEvent | TopologyDescriptionChangedEvent) -> None:
        if isinstance(event, TopologyDescriptionChangedEvent):
            self._log(event.new_description)
        elif event.new_description.is_server_type_known:
            self._sets[event.server_address] = event.new_description.replica_set_name

    def _log(self, topology: Any) -> None:
        reason = self._reason_in(topology)
        is_back = self._logged is not None and topology.has_writable_server()
        if not self._is_opened or reason == self._logged or (reason is None and not is_back):
            return
        self._logged = reason
        if reason is None:
            logger.info("store is back", store=self.description)
        else:
            logger.warning("store away", store=self.description, reason=reason)

    def _reason_in(self, topology: Any) -> str | None:
        if topology is None or topology.has_writable_server():
            return None
        return reason_of(topology, seeds=self._seeds, sets=self._sets)


def reason_of(topology: Any, *, seeds: Sequence[Address], sets: Mapping[Address, str | None]) -> str | None:
    """Return why no server can be written to, None while nothing is known.

    `sets` has the names of the replica sets of servers that have answered.
    """
    servers, set_name = topology.server_descriptions(), topology.replica_set_name
    # The driver drops servers that answer and are not what it looks for.
    dropped = [seed for seed in seeds if seed not in servers]
    if not servers and set_name:
        return _wrong_set(set_name, dropped, {name for name in sets.values() if name})
    faults = {address: reason_for(server.error) for address, server in servers.items() if server.error}
    if set_name and dropped and len(faults) == len(servers):
        return (
            f"reached {_named(dropped)}, but its replica set names its members {_named(servers)}, which do not answer"
            f" ({next(iter(faults.values()))}); use directConnection=true, or mend the set"
        )
    if not faults:
        return _no_primary(servers, set_name)
    if len(servers) == 1:
        return next(iter(faults.values()))
    return "; ".join(f"{_named([address])}: {fault}" for address, fault in sorted(faults.items()))


def _no_primary(servers: Mapping[Address, Any], set_name: str | None) -> str | None:
    """Return what is wrong with servers that answer, none of which is a primary."""
    if _unseen(servers):
        return None
    if set_name:
        return f"the replica set '{set_name}' of {_named(servers)} has no primary"
    return NOT_PRIMARY


def _unseen(servers: Mapping[Address, Any]) -> bool:
    return not any(server.is_server_type_known for server in servers.values())


def is_about_names(error: Exception) -> bool:
    """Return whether a name cannot be found, or a name server does not answer."""
    return NAMES.search(str(error)) is not None


def reason_for(error: Exception) -> str:
    """Return what the driver says about a server, in our words if we know what it is."""
    text = LIMITS.sub("", str(error)).partition(", Timeout: ")[0]
    if isinstance(error, ProtocolError):
        return "what answers there is not MongoDB"
    if isinstance(error, NotPrimaryError):
        return NOT_PRIMARY
    is_late = LATE.search(text) is not None
    if "SSL" in text:
        return f"TLS failed: {f'no answer in time; {NO_TLS}' if is_late else _tls_words(text)}"
    if is_late:
        return "no answer in time"
    return next((words for pattern, words in REASONS if pattern.search(text)), text)


def _tls_words(text: str) -> str:
    found = OPENSSL.search(text)
    if found is None:
        return text.partition("SSL handshake failed: ")[2] or text
    words, code = found["words"], found["code"]
    if ALERT in code:
        return f"{words} (from the server); it may want a certificate of ours, by tlsCertificateKeyFile"
    return words if code == CERTIFICATE else f"{words}; {NO_TLS}"


def _wrong_set(wanted: str, dropped: Sequence[Address], names: Collection[str]) -> str:
    belongs = f"belongs to '{', '.join(sorted(names))}'" if names else "does not belong to it"
    return f"MONGODB_URI asks for the replica set '{wanted}', but {_named(dropped)} {belongs}; mend its replicaSet"


def _named(addresses: Iterable[Address]) -> str:
    return ", ".join(f"{host}:{port}" if port is not None else host for host, port in addresses)
