"""The fastest zlib for this machine: where it is not Python's own, it gives other bytes, which any zlib reads."""

try:
    from isal.isal_zlib import compress, compressobj, decompress
except ImportError:  # there is no package for this machine; Python's own gives the same content in more time
    from zlib import compress, compressobj, decompress  # type: ignore[assignment]  # they differ in their annotations

__all__ = ["compress", "compressobj", "decompress"]
