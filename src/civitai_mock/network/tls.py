"""TLS: which certificates our connections to other servers trust."""

import ssl
from pathlib import Path

import certifi


def make_tls_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """Return a context that trusts the system's certificates and those in `ca_file`.

    SSL_CERT_FILE and SSL_CERT_DIR can name others in place of the system's. Where the system has none at all, the CAs
    of browsers are trusted. A certificate in `ca_file` is trusted whether it is a root or not. Raise `OSError` for a
    file that cannot be read, or has no certificate in PEM format.
    """
    context = ssl.create_default_context()
    store = ssl.get_default_verify_paths()
    if store.cafile is None and store.capath is None:
        context.load_verify_locations(certifi.where())
    if ca_file is not None:
        context.load_verify_locations(ca_file)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # CAs that people make themselves are seldom that strict
    return context
