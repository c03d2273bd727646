"""Connection errors: why a server could not be reached, in words that say what to do and hold no secret."""

import errno
import re
import socket
import ssl
from collections.abc import Iterator

MAX_CAUSES = 16
NO_ROUTE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})
NO_HTTP = re.compile(r"without sending a response|illegal status line")
NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL")
HOSTNAME_MISMATCH, IP_MISMATCH = 62, 64  # X509_V_ERR_… of OpenSSL
EXPIRED, NOT_YET_VALID = 10, 9
CERTIFICATE_ERRORS = {
    HOSTNAME_MISMATCH: "its certificate is for another host name",
    IP_MISMATCH: "its certificate is for another address",
    EXPIRED: "its certificate has expired",
    NOT_YET_VALID: "its certificate is not valid yet; see the clock of this machine",
}


def explain_connection_error(error: BaseException, *, ca_setting: str = "SSL_CERT_FILE") -> str:
    """Explain an error by its first cause that is known; `ca_setting` names the setting that can add a CA."""
    causes = list(_causes(error))
    explanations = (_explain(cause, ca_setting) for cause in causes)
    return next((text for text in explanations if text), f"the connection failed ({type(causes[-1]).__name__})")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and the chain of its causes; a group of several attempts goes on with the last one."""
    current: BaseException | None = error
    for _ in range(MAX_CAUSES):
        if current is None:
            return
        yield current
        inner = current.exceptions[-1] if isinstance(current, BaseExceptionGroup) else None
        current = inner or current.__cause__ or current.__context__


def _explain(error: BaseException, ca_setting: str) -> str:  # noqa: PLR0911 - a table of kinds
    import httpx  # noqa: PLC0415 - whoever has an error of it has imported it

    match error:
        case ssl.SSLCertVerificationError():
            untrusted = f"its certificate is not trusted ({error.verify_message}); name its CA in {ca_setting}"
            return CERTIFICATE_ERRORS.get(error.verify_code, untrusted)
        case ssl.SSLError():
            is_plain = getattr(error, "reason", None) in NOT_TLS
            return "it does not speak TLS; try http instead of https" if is_plain else "the TLS handshake failed"
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
            return "there is no route to its network"
        case _:
            return ""
