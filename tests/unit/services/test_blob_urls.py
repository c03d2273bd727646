"""Signed URLs of blobs."""

import hashlib
import hmac
from datetime import timedelta
from urllib.parse import urlencode

from civitai_mock.clock import VirtualClock
from civitai_mock.services.blobs import BlobUrls
from tests.support.dates import START

KEY = b"a key for tests"


def test_a_url_is_signed_with_hmac_and_needs_no_quoting() -> None:
    urls = BlobUrls(key=KEY, lifetime=timedelta(hours=1), clock=VirtualClock(START))
    date = START.strftime("%Y%m%dT%H%M%SZ")
    for blob_key in ("AB" * 32, "CD" * 32):  # one key of ours signs any number of URLs
        signature = hmac.new(KEY, f"{blob_key}\n{date}\n3600".encode(), hashlib.sha256).hexdigest()
        query = urlencode({"X-Amz-Date": date, "X-Amz-Expires": "3600", "X-Amz-Signature": signature})
        assert urls.sign(blob_key, base_url="http://host")[0] == f"http://host/blobs/{blob_key}?{query}"
