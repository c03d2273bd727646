"""TLS: which certificates our connections to other servers trust."""

import os
import ssl
from functools import cache
from pathlib import Path

import certifi


def make_tls_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """Return a context that trusts the system's certificates and those in `ca_file`.

    SSL_CERT_FILE and SSL_CERT_DIR can name others in place of the system's. Where the system has none at all, the CAs
    of browsers are trusted. A certificate in `ca_file` is trusted whether it is a root or not. Raise `OSError` for a
    file that cannot be read, or has no certificate in PEM format.
    """
    if ca_file is not None:
        context = _make_context()
        context.load_verify_locations(ca_file)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # CAs that people make themselves are seldom that strict
        return context
    return _shared_context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@cache
def _shared_context(_file: str | None, _directory: str | None) -> ssl.SSLContext:
    """Read the certificates of the system, which takes 20 ms, once for all clients of the process."""
    return _make_context()


def _make_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    store = ssl.get_default_verify_paths()
    if store.cafile is None and store.capath is None:
        context.load_verify_locations(certifi.where())
    return context
