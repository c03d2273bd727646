"""A server that greets drivers and answers commands as it is told to (MongoDB wire protocol, OP_MSG and OP_QUERY)."""

import socketserver
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import bson

HEADER = struct.Struct("<iiii")
OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
GREETING: Mapping[str, Any] = {
    "ok": 1.0,
    "helloOk": True,
    "maxBsonObjectSize": 2**24,
    "maxMessageSizeBytes": 48_000_000,
    "maxWriteBatchSize": 100_000,
    "minWireVersion": 0,
    "maxWireVersion": 21,
}


@contextmanager
def greeting(answers: Mapping[str, Mapping[str, Any]] = MappingProxyType({}), **members: Any) -> Iterator[int]:
    """The port of a server whose greeting has these members; so has every answer, with those of `answers` besides."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while head := self.rfile.read(HEADER.size):
                length, request_id, _, code = HEADER.unpack(head)
                command = _command_in(code, self.rfile.read(length - HEADER.size))
                body = _reply(code, bson.encode({**GREETING, **members, **answers.get(command, {})}))
                kind = OP_REPLY if code == OP_QUERY else OP_MSG
                self.wfile.write(HEADER.pack(HEADER.size + len(body), 0, request_id, kind) + body)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def _command_in(code: int, message: bytes) -> str:
    """The first member of the first document; greetings before OP_MSG have none that counts."""
    return "" if code == OP_QUERY else next(iter(bson.decode(message[5 : 5 + struct.unpack_from("<i", message, 5)[0]])))


def _reply(code: int, document: bytes) -> bytes:
    """One document, after the flags of its kind of message."""
    return struct.pack("<iqii", 8, 0, 0, 1) + document if code == OP_QUERY else struct.pack("<iB", 0, 0) + document
