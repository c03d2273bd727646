"""URLs that a request may name images by."""

from urllib.parse import urlsplit

MAX_URL_LENGTH = 2048
WEB_SCHEMES = frozenset({"http", "https"})


def image_url(text: str) -> str:
    """Check a URL; raise ValueError for one that no image can be fetched from."""
    if len(text) > MAX_URL_LENGTH or not _is_web_url(text):
        raise ValueError(f"expected a URL like https://example.com/image.png, of at most {MAX_URL_LENGTH} characters")
    return text


def _is_web_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return (
            parts.scheme in WEB_SCHEMES
            and bool(parts.hostname)
            and parts.port != 0
            and text.isprintable()
            and " " not in text
        )
    except ValueError:
        return False
