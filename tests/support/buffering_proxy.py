"""A reverse proxy that keeps answers back until there is much of them, unless the answer says that it must not.

So do proxies whose buffering is on: of a slow stream nobody sees anything for minutes.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer

HEAD_END = b"\r\n\r\n"
KEPT_BACK = 64 * 1024  # bytes, of an answer that does not forbid it
MOST = 64 * 1024  # bytes, that are read at once
SWITCHED = b"HTTP/1.1 101"  # to a WebSocket, which proxies do not buffer
FORBIDDEN = b"x-accel-buffering: no"


@contextmanager
def buffering_proxy(address: tuple[str, int]) -> Iterator[str]:
    """Serve what stands behind an address, for one request a connection; yield the URL of the proxy."""

    class Relay(BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(address) as behind:
                threading.Thread(target=_relay_request, args=(self.request, behind), daemon=True).start()
                with suppress(OSError):  # whichever of both hangs up
                    _relay_answer(behind, self.request)

    with ThreadingTCPServer(("127.0.0.1", 0), Relay) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def _relay_request(client: socket.socket, behind: socket.socket) -> None:
    with suppress(OSError):
        while data := client.recv(MOST):
            behind.sendall(data)
        behind.shutdown(socket.SHUT_RDWR)  # who asked is gone


def _relay_answer(behind: socket.socket, client: socket.socket) -> None:
    head = b""
    while HEAD_END not in head and (data := behind.recv(MOST)):
        head += data
    lines = head.partition(HEAD_END)[0].lower()
    most, kept = (0 if FORBIDDEN in lines or head.startswith(SWITCHED) else KEPT_BACK), head
    while True:
        if len(kept) > most:
            client.sendall(kept)
            kept = b""
        if not (data := behind.recv(MOST)):
            break
        kept += data
    client.sendall(kept)
