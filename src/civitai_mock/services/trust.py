"""Whose TLS certificates are trusted: one context for everything that opens a connection.

The driver of MongoDB takes none; it trusts the same store and environment variables, and what `tlsCAFile` in its URI
names.
"""

import ssl
from pathlib import Path

import certifi


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
