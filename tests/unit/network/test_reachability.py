"""Why nobody could be reached, and how addresses are shown: one row for each case."""

import errno
import socket
import ssl

import httpx
import pytest

from civitai_mock.network.redaction import redacted
from civitai_mock.network.trust import why
from civitai_mock.providers.comfyui.transport.connection_errors import explain_status


def caused_by(cause: BaseException) -> httpx.ConnectError:
    """As httpx wraps it."""
    error = httpx.ConnectError("All connection attempts failed for http://me:secret@gpu")
    error.__cause__ = OSError("All connection attempts failed")
    error.__cause__.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (caused_by(ConnectionRefusedError(111, "x")), "connection refused: nothing listens at this port"),
        (
            caused_by(ExceptionGroup("several", [OSError(errno.EADDRNOTAVAIL, "x"), ConnectionRefusedError()])),
            "connection refused: nothing listens at this port",
        ),
        (caused_by(socket.gaierror(-2, "Name or service not known")), "its host name cannot be found"),
        (caused_by(OSError(errno.EHOSTUNREACH, "No route")), "there is no way to its network"),
        (caused_by(ConnectionResetError()), "the connection was broken off"),
        (httpx.ConnectTimeout(""), "no answer in time"),
        (httpx.ReadTimeout("http://me:secret@gpu"), "no answer in time"),
        (TimeoutError(), "no answer in time"),
        (caused_by(ssl.SSLError(1, "[SSL: UNEXPECTED_MESSAGE] secret")), "no TLS connection came about"),
        (
            httpx.RemoteProtocolError("illegal status line: secret"),
            "without an answer in HTTP; it may want https",
        ),
        (httpx.RemoteProtocolError("peer closed connection: secret"), "the connection was broken off"),
        (httpx.ReadError("secret"), "the connection failed (ReadError)"),
    ],
)
def test_the_reason_follows_from_the_first_cause_that_says_something(error: Exception, reason: str) -> None:
    told = why(error)
    assert told.endswith(reason)
    assert "secret" not in told


def test_an_error_that_is_its_own_cause_is_told_all_the_same() -> None:
    error = httpx.ReadError("x")
    error.__cause__ = error
    assert why(error) == "the connection failed (ReadError)"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://gpu:8188", "http://gpu:8188"),
        ("gpu:8188", "gpu:8188"),
        ("http://me:secret@gpu:8188/x", "http://***@gpu:8188/x"),
        ("me:secret@gpu", "***@gpu"),
        ("http://me:sec,ret@gpu,http://a:secret@b", "http://***@gpu,http://***@b"),
        ("http://me:sec/ret@gpu", "http://***@gpu"),
        ("http://me:sec@ret@gpu", "http://***@gpu"),
        ("http://gpu/?token=secret", "http://gpu/?***"),
        ("http://gpu/#secret", "http://gpu/#***"),
        ("mongodb://me:se/cret@one,two/db?password=secret", "mongodb://***@one,two/db?***"),
    ],
)
def test_an_address_is_shown_without_its_secrets(text: str, expected: str) -> None:
    assert redacted(text) == expected


@pytest.mark.parametrize(
    ("status", "location", "expected"),
    [
        (401, "", "answered 401: it wants other credentials; see COMFY_AUTHORIZATION."),
        (403, "", "answered 403: it wants other credentials; see COMFY_AUTHORIZATION."),
        (404, "", "answered 404: there is no ComfyUI at this address; see host, port and path."),
        (502, "", "answered 502: the proxy there does not reach its ComfyUI."),
        (
            301,
            "https://me:secret@gpu/x?token=secret",
            "answered 301: it leads to https://***@gpu/x?***; write that address, or see COMFY_AUTHORIZATION if it is a"
            " page to log in at.",
        ),
        (301, "https://gpu/comfy/queue", "answered 301: it leads to https://gpu/comfy; write that address."),
        (500, "", "answered 500."),
    ],
)
def test_a_status_says_what_may_be_wrong_with_the_address(status: int, location: str, expected: str) -> None:
    assert explain_status(status, location, route="/queue") == expected
