"""The commands `namespaces` and `reset`: see which worlds there are, and let one or all of them begin anew."""

from collections.abc import Mapping

from civitai_mock.cli.control.session import Session
from civitai_mock.cli.control.tables import Row
from civitai_mock.domain.json_types import Json, as_list, as_object

HEAD = ("namespace", "seed", "balance", "progress", "clock", "tokens", "used")


def list_namespaces(session: Session) -> None:
    session.list("namespaces", HEAD, _row)


def reset(session: Session) -> None:
    everything = session.arguments.all
    answer = session.server.change("POST", "reset", query={"all": "true"} if everything else None)
    session.done(answer, "all namespaces begin anew" if everything else f"namespace {session.namespace} begins anew")


def _row(namespace: Mapping[str, Json]) -> Row:
    """Count registered tokens, as they open what is tested."""
    modes = [as_object(namespace.get(name)).get("mode") for name in ("progress", "clock")]
    tokens = len(as_list(namespace.get("tokens"))) or None
    return [
        namespace.get("name"),
        namespace.get("seed"),
        namespace.get("balance"),
        *modes,
        tokens,
        namespace.get("usedAt"),
    ]
