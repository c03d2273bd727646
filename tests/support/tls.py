"""TLS with certificates that nobody trusts by himself.

`data/tls` has a CA, and what it signed with the key beside it: for this machine (until 2120), for another host, and one
that has expired. The CA's own key was thrown away.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.paths import DATA

FOLDER = DATA / "tls"
CA_FILE = FOLDER / "ca.pem"
CHUNK = 65_536


def server_context(certificate: str = "server") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(FOLDER / f"{certificate}.pem")
    return context


@asynccontextmanager
async def tls_proxy(port: int, *, certificate: str = "server") -> AsyncIterator[int]:
    """The port of a proxy that speaks TLS, and hands everything on to the other one."""
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await asyncio.gather(_hand_on(reader, inner_writer), _hand_on(inner_reader, writer))
        except (EOFError, OSError, ssl.SSLError):
            pass  # one end is gone, and the other one goes with it
        finally:
            for end in (writer, inner_writer):
                end.transport.abort()

    def start(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer), name="TLS proxy")
        serving.add(task)
        task.add_done_callback(serving.discard)

    server = await asyncio.start_server(start, "127.0.0.1", ssl=server_context(certificate))
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


async def _hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until one end is gone."""
    while chunk := await reader.read(CHUNK):
        writer.write(chunk)
        await writer.drain()
    raise EOFError
