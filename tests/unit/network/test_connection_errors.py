"""Explanations of failed connections: one row for each kind of error."""

import errno
import socket
import ssl

import httpx

from civitai_mock.network.connection_errors import explain_connection_error
from tests.support.table import table


def caused_by(cause: BaseException) -> httpx.ConnectError:
    """Wrap a cause as httpx does."""
    error = httpx.ConnectError("All connection attempts failed for http://me:secret@gpu")
    error.__cause__ = OSError("All connection attempts failed")
    error.__cause__.__cause__ = cause
    return error


@table(
    ("error", "reason"),
    [
        (caused_by(ConnectionRefusedError(111, "x")), "connection refused: nothing listens at this port"),
        (
            caused_by(ExceptionGroup("several", [OSError(errno.EADDRNOTAVAIL, "x"), ConnectionRefusedError()])),
            "connection refused: nothing listens at this port",
        ),
        (caused_by(socket.gaierror(-2, "Name or service not known")), "its host name cannot be found"),
        (caused_by(OSError(errno.EHOSTUNREACH, "No route")), "there is no route to its network"),
        (caused_by(ConnectionResetError()), "the connection was broken off"),
        (httpx.ConnectTimeout(""), "no answer in time"),
        (httpx.ReadTimeout("http://me:secret@gpu"), "no answer in time"),
        (TimeoutError(), "no answer in time"),
        (caused_by(ssl.SSLError(1, "[SSL: UNEXPECTED_MESSAGE] secret")), "the TLS handshake failed"),
        (
            httpx.RemoteProtocolError("illegal status line: secret"),
            "without an answer in HTTP; it may want https",
        ),
        (httpx.RemoteProtocolError("peer closed connection: secret"), "the connection was broken off"),
        (httpx.ReadError("secret"), "the connection failed (ReadError)"),
    ],
)
def test_the_first_known_cause_explains_the_error(error: Exception, reason: str) -> None:
    explanation = explain_connection_error(error)
    assert explanation.endswith(reason)
    assert "secret" not in explanation


def test_an_error_that_is_its_own_cause_is_explained() -> None:
    error = httpx.ReadError("x")
    error.__cause__ = error
    assert explain_connection_error(error) == "the connection failed (ReadError)"
