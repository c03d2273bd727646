"""Signatures of URLs, which cover the namespace that gave them out: those of another one are recognised as such."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from functools import cached_property

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import NotFoundError
from civitai_mock.domain.namespaces import DEFAULT

BLOCK_BYTES = 64  # of SHA-256
INNER_PAD, OUTER_PAD = bytes(byte ^ 0x36 for byte in range(256)), bytes(byte ^ 0x5C for byte in range(256))
MARK_BYTES, TAG_BYTES = 6, 3  # multiples of three, so that base64 encodes each part by itself


def derived_key(key: bytes, purpose: str) -> bytes:
    """Return a key for one purpose, so that no signature of another purpose can be taken for one of it."""
    return hmac.digest(key, purpose.encode(), "sha256")


def encode_base64(digest: bytes) -> str:
    """Return letters that need no quoting in a URL."""
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@dataclass(frozen=True, kw_only=True)
class UrlSigner:
    """Signs texts with a key that all namespaces of a server share; `encode` turns bytes into letters one by one.

    In the default namespace a signature is the HMAC of the text, as it was before there were others. In another one it
    begins with a mark, which follows from the text alone, and a tag of the namespace; its rest is an HMAC with a key of
    the namespace. So each namespace can tell a URL that was signed for another one from a URL that was tampered with.
    """

    key: bytes
    encode: Callable[[bytes], str]
    namespace: str = DEFAULT

    def sign(self, text: str) -> str:
        if self.namespace == DEFAULT:
            begun_inner, begun_outer = self._halves
            inner, outer = begun_inner.copy(), begun_outer.copy()
            inner.update(text.encode())
            outer.update(inner.digest())
            return self.encode(outer.digest())
        own = hmac.digest(self._own_key, text.encode(), "sha256")
        return self._mark(text) + self._tag + self.encode(own[MARK_BYTES + TAG_BYTES :])

    def has_signed(self, text: str, signature: str) -> bool:
        return hmac.compare_digest(self.sign(text).encode(), signature.encode())

    def check_is_here(self, text: str, signature: str) -> None:
        """Raise `NotFoundError` for a signature, which is not one of ours, if another namespace made it."""
        mark = self._mark(text)
        is_namespaced = signature.startswith(mark)
        if self.namespace == DEFAULT:
            is_elsewhere = is_namespaced
        elif is_namespaced:
            is_elsewhere = not signature.startswith(mark + self._tag)
        else:
            is_elsewhere = UrlSigner(key=self.key, encode=self.encode).has_signed(text, signature)
        if is_elsewhere:
            raise NotFoundError("There is no such blob in this namespace.")

    def _mark(self, text: str) -> str:
        return self.encode(hmac.digest(self._mark_key, text.encode(), "sha256")[:MARK_BYTES])

    @cached_property
    def _tag(self) -> str:
        return self.encode(hashlib.sha256(self.namespace.encode()).digest()[:TAG_BYTES])

    @cached_property
    def _own_key(self) -> bytes:
        return derived_key(self.key, f"namespace {self.namespace}")

    @cached_property
    def _mark_key(self) -> bytes:
        return derived_key(self.key, "other namespaces")

    @cached_property
    def _halves(self) -> "tuple[hashlib._Hash, hashlib._Hash]":
        """Prepare both hashes of an HMAC (RFC 2104) with the key once; copies sign in half of the time of `hmac`."""
        block = self.key if len(self.key) <= BLOCK_BYTES else hashlib.sha256(self.key).digest()
        padded = block.ljust(BLOCK_BYTES, b"\0")
        return hashlib.sha256(padded.translate(INNER_PAD)), hashlib.sha256(padded.translate(OUTER_PAD))
