"""A MongoDB that cannot be used says why: at the start, in `/health`, and once per change in the log."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
from pymongo.errors import AutoReconnect
from structlog.testing import capture_logs

from civitai_mock.domain.errors import TransientError
from civitai_mock.storage.mongo import CollectionNames, open_mongo
from civitai_mock.storage.mongo.reachability import reason_for
from tests.support.fake_mongod import greeting
from tests.support.mongo import MongoProcess, mongo_address
from tests.support.tls import tls_proxy

QUICK = "serverSelectionTimeoutMS=400&connectTimeoutMS=300"
PRIMARY: dict[str, Any] = {"isWritablePrimary": True, "ismaster": True}
SET: dict[str, Any] = {"setName": "rs0", "setVersion": 1}
SECONDARY: dict[str, Any] = {"secondary": True, **SET, "hosts": ["127.0.0.1:1"]}
FOUND = {"find": {"cursor": {"firstBatch": [], "id": 0, "ns": "civitai.x"}}}
PATIENCE_SECONDS = 60.0


@pytest.fixture(autouse=True)
def _mongo_closes_at_once() -> None:
    """Let it take its time, as servers and proxies of these tests must first see that it is gone."""


@contextmanager
def _silent() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@contextmanager
def _answering_http() -> Iterator[int]:
    """A server that says something else to whoever comes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(4096)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _refusal_of(code: int, words: str) -> dict[str, Any]:
    return {"ok": 0.0, "code": code, "errmsg": words}


async def _refusal(uri: str) -> str:
    with pytest.raises(TransientError) as refused:
        async with open_mongo(uri=uri, database="civitai", names=CollectionNames()):
            pass
    assert "secret" not in refused.value.message
    return refused.value.message


@pytest.mark.parametrize(
    ("server", "address", "said"),
    [
        (nullcontext(1), "no-such-host.invalid:27017/?", "the name of the host is not found."),
        (nullcontext(1), "127.0.0.1:1/?", "connection refused, as nobody listens there."),
        (_silent(), "127.0.0.1:{port}/?", "no answer in time."),
        (
            _silent(),
            "127.0.0.1:{port}/?tls=true&",
            "TLS failed: no answer in time; the server may not speak TLS there.",
        ),
        (_answering_http(), "127.0.0.1:{port}/?", "what answers there is not MongoDB."),
        (_answering_http(), "127.0.0.1:{port}/?tls=true&", "the server may not speak TLS there."),
        (
            greeting(**PRIMARY, **SET, hosts=["127.0.0.1:1"], me="127.0.0.1:1"),
            "127.0.0.1:{port}/?",
            "reached 127.0.0.1:{port}, but its replica set names its members 127.0.0.1:1, which do not answer"
            " (connection refused, as nobody listens there); use directConnection=true, or mend the set.",
        ),
        (
            greeting(secondary=True, **SET, hosts=["inner.invalid:27017"], me="inner.invalid:27017"),
            "127.0.0.1:{port}/?replicaSet=rs0&",
            "its replica set names its members inner.invalid:27017, which do not answer"
            " (the name of the host is not found)",
        ),
        (
            greeting(**PRIMARY, **SET, hosts=["127.0.0.1:1"]),
            "127.0.0.1:{port}/?replicaSet=other&",
            "MONGODB_URI asks for the replica set 'other', but 127.0.0.1:{port} ",
        ),
        (
            greeting(**PRIMARY),
            "127.0.0.1:{port}/?replicaSet=rs0&",
            "MONGODB_URI asks for the replica set 'rs0', but 127.0.0.1:{port} does not belong to it; mend its replica",
        ),
        (
            greeting({"ping": _refusal_of(13, "command ping requires authentication")}, **PRIMARY),
            "127.0.0.1:{port}/?",
            "refused: not authorized; MONGODB_URI names no user, or one without the role readWrite on this database.",
        ),
        (
            greeting({**FOUND, "createIndexes": _refusal_of(13, "not authorized … { key: 'secret' }")}, **PRIMARY),
            "127.0.0.1:{port}/?",
            "refused: not authorized; ",
        ),
        (
            greeting({"saslStart": _refusal_of(18, "Authentication failed.")}, **PRIMARY),
            "user:secret@127.0.0.1:{port}/?",
            "refused: authentication failed; user, password or authSource in MONGODB_URI is wrong.",
        ),
        (
            greeting({**FOUND, "createIndexes": _refusal_of(10107, "not primary")}, **SECONDARY),
            "127.0.0.1:{port}/?directConnection=true&",
            "takes no write: it is not the primary of its replica set; leave directConnection out, or name the",
        ),
        (greeting(**PRIMARY, maxWireVersion=3), "127.0.0.1:{port}/?", "requires at least"),
        (
            nullcontext(1),
            "127.0.0.1:1,no-such-host.invalid:27017/?",
            "127.0.0.1:1: connection refused, as nobody listens there; no-such-host.invalid:27017: the name of",
        ),
    ],
)
async def test_a_start_says_why_the_store_cannot_be_used(server: Any, address: str, said: str) -> None:
    with server as port:
        message = await _refusal(f"mongodb://{address.format(port=port)}{QUICK}")
    assert message.startswith("MongoDB at ")
    assert said.format(port=port) in message


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("tls=true&", "TLS failed: certificate verify failed: "),
        ("", "the server closes the connection; if it wants TLS, add tls=true."),
    ],
)
async def test_a_server_that_wants_tls_and_trust_says_so(options: str, said: str) -> None:
    with greeting(**PRIMARY) as port:
        async with tls_proxy(port) as tls_port:
            assert said in await _refusal(f"mongodb://user:secret@127.0.0.1:{tls_port}/?{options}{QUICK}")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("h:1: [Errno -3] Temporary failure in name resolution", "the name of the host is not found"),
        ("h:1: [Errno 8] nodename nor servname provided, or not known", "the name of the host is not found"),
        ("h:1: [Errno 101] Network is unreachable", "there is no way to that network"),
        ("h:1: [Errno 113] No route to host", "there is no way to that network"),
        ("h:1: timed out (configured timeouts: connectTimeoutMS: 3000.0ms)", "no answer in time"),
        (
            "h:1: [SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required (_ssl.c:2580)",
            "TLS failed: tlsv13 alert certificate required (from the server); it may want a certificate of ours",
        ),
        (
            "SSL handshake failed: h:1: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has"
            " expired (_ssl.c:1006)",
            "TLS failed: certificate verify failed: certificate has expired",
        ),
        (
            "SSL handshake failed: h:1: [SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred (_ssl.c:1006)",
            "TLS failed: EOF occurred; the server may not speak TLS there",
        ),
        ("SSL handshake failed: h:1: [Errno 104] Connection reset by peer", "TLS failed: h:1: [Errno 104] Connection"),
        ("something new, Timeout: 3.0s, Topology Description: <all of it>", "something new"),
    ],
)
def test_what_the_driver_says_becomes_words_of_ours(text: str, reason: str) -> None:
    assert reason_for(AutoReconnect(text)).startswith(reason)


async def test_a_name_without_servers_is_not_found() -> None:
    message = await _refusal(f"mongodb+srv://user:secret@nothing.invalid/?{QUICK}")
    assert message == "MongoDB at nothing.invalid/civitai does not answer: the name of the host is not found."


async def _health(stores: Any) -> str:
    try:
        await stores.health.ping()
    except TransientError as error:
        return error.message
    return "ok"


async def _until(stores: Any, said: str) -> None:
    """The driver notices in its own time, without an event for us."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while said not in await _health(stores):  # noqa: ASYNC110 - what is waited for is in a thread of the driver
            await asyncio.sleep(0.05)


async def _until_logged(logs: list[Any], event: str) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while event not in [line["event"] for line in logs]:  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.05)


@pytest.mark.mongo
async def test_health_and_log_tell_the_reason_once_per_change() -> None:
    server = MongoProcess("--standalone")
    server.start()
    try:
        uri = f"{server.uri}?{QUICK}&heartbeatFrequencyMS=500"
        with capture_logs() as logs:
            async with open_mongo(uri=uri, database="civitai", names=CollectionNames()) as stores:
                assert await _health(stores) == "ok"
                server.kill()
                await _until(stores, "connection refused")
                await _until_logged(logs, "store away")
                server.start()
                await _until(stores, "ok")
                await _until_logged(logs, "store is back")
        told = [(line["event"], line.get("reason")) for line in logs if line["event"].startswith("store")]
        away = [reason for event, reason in told if event == "store away"]
        assert away[-1] == "connection refused, as nobody listens there"
        assert len(away) == len(set(away))
        assert told[-1] == ("store is back", None)
    finally:
        server.remove()


@pytest.mark.mongo
async def test_a_store_that_is_closed_is_not_away() -> None:
    async with mongo_address() as address:
        with capture_logs() as logs:
            async with address.open() as stores:
                assert await _health(stores) == "ok"
        assert logs == []
