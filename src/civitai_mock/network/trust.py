"""TLS and faults of connections: whose certificates are trusted, and why nobody could be reached."""

import errno
import re
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import certifi
import httpx


def trusting(ca_file: Path | None = None) -> ssl.SSLContext:
    """The system's store or what SSL_CERT_FILE and SSL_CERT_DIR name, and the certificates in `ca_file`.

    Where the system has no store at all, the CAs of browsers. A certificate in `ca_file` is trusted whether it is a
    root or not. Raise `OSError` for a file that cannot be read, or has none in PEM format.
    """
    context = ssl.create_default_context()
    store = ssl.get_default_verify_paths()
    if store.cafile is None and store.capath is None:
        context.load_verify_locations(certifi.where())
    if ca_file is not None:
        context.load_verify_locations(ca_file)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # CAs that people make themselves seldom go by the book
    return context


MOST_CAUSES = 16
NO_ROUTE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})
NO_HTTP = re.compile(r"without sending a response|illegal status line")
NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL")
HOSTNAME_MISMATCH, IP_MISMATCH = 62, 64  # X509_V_ERR_… of OpenSSL
EXPIRED, NOT_YET_VALID = 10, 9
CERTIFICATES = {
    HOSTNAME_MISMATCH: "its certificate is for another host name",
    IP_MISMATCH: "its certificate is for another address",
    EXPIRED: "its certificate has expired",
    NOT_YET_VALID: "its certificate is not valid yet; see the clock of this machine",
}


def why(error: BaseException, *, ca_setting: str = "SSL_CERT_FILE") -> str:
    """Explain by the first cause that says something; `ca_setting` is where a CA of one's own can be named."""
    causes = list(_causes(error))
    told = (_told(cause, ca_setting) for cause in causes)
    return next((text for text in told if text), f"the connection failed ({type(causes[-1]).__name__})")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it came from; of several attempts the last."""
    current: BaseException | None = error
    for _ in range(MOST_CAUSES):
        if current is None:
            return
        yield current
        inner = current.exceptions[-1] if isinstance(current, BaseExceptionGroup) else None
        current = inner or current.__cause__ or current.__context__


def _told(error: BaseException, ca_setting: str) -> str:  # noqa: PLR0911 - a table of kinds
    match error:
        case ssl.SSLCertVerificationError():
            untrusted = f"its certificate is not trusted ({error.verify_message}); name its CA in {ca_setting}"
            return CERTIFICATES.get(error.verify_code, untrusted)
        case ssl.SSLError():
            is_plain = getattr(error, "reason", None) in NOT_TLS
            return (
                "it does not speak TLS; try http in the place of https" if is_plain else "no TLS connection came about"
            )
        case socket.gaierror():
            return "its host name cannot be found"
        case ConnectionRefusedError():
            return "connection refused: nothing listens at this port"
        case TimeoutError() | httpx.TimeoutException():
            return "no answer in time"
        case httpx.RemoteProtocolError() if NO_HTTP.search(str(error)):
            return "the connection ended without an answer in HTTP; it may want https"
        case ConnectionError() | httpx.RemoteProtocolError():
            return "the connection was broken off"
        case OSError() if error.errno in NO_ROUTE:
            return "there is no way to its network"
        case _:
            return ""
